//! Requests and answers.

use super::{Asset, AssetCode, Fee, OrderKeyCert, PaymentOrder, ShopName, TransferState};
use crate::{AccountId, AssetId, Millis, NodeName, RequestId, Signed, TransferId, UserAddress};
use serde::{Deserialize, Serialize};

/// `PUT wallet/admin/assets`: the node issues something. Asking again changes its title and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefineAsset {
    /// What it is called.
    pub code: AssetCode,
    /// Decimals.
    pub scale: u8,
    /// What people read: `Euro`, `Café points`.
    pub title: String,
    /// What stands behind it, in the operator's words.
    #[serde(default)]
    pub backing: String,
    /// The most that one order moves, in minor units. 0: no bound.
    #[serde(default)]
    pub payment_max: u64,
    /// The most that one account pays in a day (UTC). 0: no bound.
    #[serde(default)]
    pub day_max: u64,
    /// The most that may be in the world. 0: no bound.
    #[serde(default)]
    pub issue_max: u64,
}

/// An asset, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetInfo {
    /// Its id.
    pub id: AssetId,
    /// What it is.
    pub asset: Asset,
    /// What people read.
    pub title: String,
    /// What stands behind it.
    pub backing: String,
    /// The most that one order moves; 0: no bound.
    pub payment_max: u64,
    /// The most that one account pays in a day (UTC); 0: no bound.
    pub day_max: u64,
    /// The most that may be in the world; 0: no bound.
    #[serde(default)]
    pub issue_max: u64,
    /// How much of it is in the world. A sum beyond `u64` is told as its greatest.
    pub issued: u64,
    /// What the node takes for payments, by kind; of a kind that is not here, nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Fee>,
}

/// `GET wallet/assets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetList {
    /// By id.
    pub assets: Vec<AssetInfo>,
    /// Nodes whose people can be paid as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkedNode>,
}

/// Another node with whose operator this one has agreed on payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedNode {
    /// Which.
    pub node: NodeName,
    /// In what its people can be paid.
    pub assets: Vec<AssetId>,
    /// What its people get for something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<LinkedRate>,
}

/// What somebody at another node gets for what is paid here: given × numerator / denominator, in minor units, rounded down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedRate {
    /// What is paid.
    pub give: AssetId,
    /// What is got.
    pub get: Asset,
    /// At least 1.
    pub numerator: u64,
    /// At least 1.
    pub denominator: u64,
    /// How much is got for one, exactly, as people write it: a number with decimals, or a fraction.
    pub rate: String,
    /// From then on it holds no more.
    pub until_ms: Millis,
}

/// An account of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// What it holds.
    pub asset: AssetInfo,
    /// What is on it, also what is held back.
    pub balance: u64,
    /// What can be paid now.
    pub available: u64,
    /// What waits to be accepted by its owner.
    pub incoming: u64,
    /// What is held back for others.
    pub outgoing: u64,
    /// The operator has stopped payments from it.
    pub frozen: bool,
}

/// `GET wallet/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    /// By asset.
    pub accounts: Vec<AccountView>,
    /// The counter of the last order of the calling device; its next one is higher.
    pub counter: u64,
}

/// `PUT wallet/order-key`: orders of the calling device are signed with this key from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOrderKey {
    /// Signed by the device.
    pub cert: Signed<OrderKeyCert>,
}

/// `POST wallet/orders`; the answer is a `Signed<Receipt>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitOrder {
    /// Signed with the device's order key.
    pub order: Signed<PaymentOrder>,
}

/// What the payee says to a transfer that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is theirs.
    Accept,
    /// It goes back.
    Return,
}

/// `POST wallet/transfers/ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerTransfer {
    /// Which.
    pub answer: Answer,
}

/// `GET wallet/transfers/ID`: a transfer between people or with a shop, for one of the two; and the answer to `POST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferInfo {
    /// Which.
    pub id: TransferId,
    /// Who paid.
    pub payer: UserAddress,
    /// Who was paid.
    pub payee: UserAddress,
    /// Of what.
    pub asset: Asset,
    /// How much, in minor units.
    pub amount: u64,
    /// What of it went back since, in minor units.
    pub refunded: u64,
    /// What it was paid for, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Which of the two is a shop, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopName>,
    /// Where it stands.
    pub state: TransferState,
    /// When it was made.
    pub at_ms: Millis,
    /// Until when the payee may accept it, if it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Millis>,
    /// What was paid for it, or got for it, on the other side: of another asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchanged>,
    /// It gives back what came by this transfer, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<TransferId>,
    /// Why another node did not take it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
}

/// Why another node did not take a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The payee gave it back.
    Declined,
    /// Nobody took it in time.
    Expired,
    /// The shop takes no money now.
    Closed,
    /// The sale was paid before, by whomever.
    Paid,
    /// The sale is over: its time is, or it was taken back.
    Over,
    /// It is not what the shop asks for.
    Asked,
    /// The rate has changed.
    Rate,
    /// It would have been exchanged for what is issued with two people's approval.
    Guarded,
    /// Something else.
    #[serde(other)]
    Other,
}

/// What stands on the other side of a payment between two nodes, if it is another asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// Of what.
    pub asset: Asset,
    /// How much, in minor units.
    pub amount: u64,
}

/// `GET wallet/requests/ID?asset=ASSET`: what was paid to or by the caller for what somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPayments {
    /// The largest first; at most [`crate::limits::PAGE_MAX`].
    pub payments: Vec<TransferInfo>,
}

/// One line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Which event of the ledger.
    pub number: u64,
    /// The transfer.
    pub transfer: TransferId,
    /// When.
    pub at_ms: Millis,
    /// What for, as the ledger calls it: `transfer`, `issue`.
    pub purpose: String,
    /// Whether the account got it.
    pub credit: bool,
    /// How much, in minor units.
    pub amount: u64,
    /// Who stands on the other side. `None`: the node, or a red packet.
    pub other: Option<UserAddress>,
    /// The title of the shop, if that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<String>,
    /// The red packet that it went into or came out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<TransferId>,
    /// The transfer that it gives back, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<TransferId>,
    /// The payment that it is the fee of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_of: Option<TransferId>,
    /// What of it went back since, in minor units.
    #[serde(default)]
    pub refunded: u64,
    /// Where it stands now.
    pub state: TransferState,
    /// Until when the payee may accept it, if it is held.
    pub until_ms: Option<Millis>,
    /// When the money went over, if that was later: of one that waited and was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_ms: Option<Millis>,
    /// By which event that was: there the line stands in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<u64>,
    /// What was paid for it, or got for it, on the other side: of another asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchanged>,
}

impl HistoryLine {
    /// Where it stands in the history: at the event by which the money went over, or at its own as long as it has not. Pages begin
    /// before one.
    #[must_use]
    pub fn place(&self) -> u64 {
        self.settled_by.unwrap_or(self.number)
    }
}

/// `GET wallet/history?account=ID&before=NUMBER`: the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// At most [`crate::limits::PAGE_MAX`].
    pub lines: Vec<HistoryLine>,
    /// Whether there are older ones.
    pub more: bool,
}

/// `POST wallet/admin/issue`: money comes into the world, or leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueAsset {
    /// Made by whoever asks; asking again moves it once.
    pub id: TransferId,
    /// What.
    pub asset: AssetId,
    /// Whose account.
    pub user: UserAddress,
    /// How much, in minor units.
    pub amount: u64,
    /// It is taken out of the world again.
    #[serde(default)]
    pub redeem: bool,
}

/// `POST wallet/admin/accounts`: what a person's account may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeAccount {
    /// Whose.
    pub user: UserAddress,
    /// In which asset.
    pub asset: AssetId,
    /// Whether payments from it are stopped.
    pub frozen: bool,
}
