//! How money looks. Amounts are integers of the asset's minor units, written as decimal digits: they may be more than a number of
//! JavaScript holds.

mod receipts;

pub use receipts::*;

use super::PersonView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A currency or points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AssetView {
    /// Its id.
    pub id: String,
    /// The node that issues it.
    pub issuer: String,
    /// `EUR`.
    pub code: String,
    /// Decimals: with 2, an amount of 1234 is 12.34.
    pub scale: u8,
}

/// An asset that the own node issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IssuedView {
    /// Which.
    pub asset: AssetView,
    /// What people read: `Euro`.
    pub title: String,
    /// What stands behind it, in the operator's words.
    pub backing: String,
    /// The most that one payment moves; `0`: no bound.
    pub payment_max: String,
    /// The most that one account pays in a day; `0`: no bound.
    pub day_max: String,
    /// The most that may be in the world; `0`: no bound.
    pub issue_max: String,
    /// How much of it is in the world.
    pub issued: String,
    /// What the node takes for payments, by kind; of a kind that is not here, nothing.
    /// Each is its kind and what [`super::FeeCall::SetFee`] says.
    #[serde(default)]
    #[ts(as = "Option<Vec<[String; 5]>>", optional)]
    pub fees: Vec<[String; 5]>,
}

/// An account of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// What it holds.
    pub asset: AssetView,
    /// What people read of the asset.
    pub title: String,
    /// What is on it, also what is held back.
    pub balance: String,
    /// What can be paid now.
    pub available: String,
    /// What waits to be accepted.
    pub incoming: String,
    /// What is held back for others.
    pub outgoing: String,
    /// The operator has stopped payments from it.
    pub frozen: bool,
}

/// A payment of this device of which it is not known whether the node has made it. It is asked again by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PendingView {
    /// The id that the payment was asked for with.
    pub id: String,
    /// Of what.
    pub asset: String,
    /// How much.
    pub amount: String,
    /// To whom, a shop too; none: a red packet.
    pub user: Option<String>,
    /// The transfer that it gives back, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub refunds: Option<String>,
}

/// One's own money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WalletView {
    /// By asset.
    pub accounts: Vec<AccountView>,
    /// All that the node issues.
    pub assets: Vec<IssuedView>,
    /// Whether this device has a payment PIN.
    pub pin: bool,
    /// Payments of this device that are not decided yet, as far as it knows.
    pub pending: Vec<PendingView>,
    /// Other nodes whose people can be paid.
    pub links: Vec<LinkedView>,
    /// What the node's clock shows now, ms: what ends, ends by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub node_time_ms: Option<f64>,
}

/// Another node with which payments were agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkedView {
    /// Its name.
    pub node: String,
    /// Ids of the assets in which its people can be paid.
    pub assets: Vec<String>,
    /// What its people get for something else.
    #[serde(default)]
    #[ts(as = "Option<Vec<RateView>>", optional)]
    pub rates: Vec<RateView>,
}

/// What somebody at another node gets for what one pays: given × numerator / denominator, in minor units, rounded down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RateView {
    /// Id of the asset that is paid.
    pub give: String,
    /// What is got.
    pub get: AssetView,
    /// At least 1.
    pub numerator: String,
    /// At least 1.
    pub denominator: String,
    /// How much is got for one, exactly: `1.09`, or a fraction.
    pub rate: String,
}

/// What stands on the other side of a payment between two nodes, if it is another asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExchangedView {
    /// Of what.
    pub asset: AssetView,
    /// How much.
    pub amount: String,
}

/// A transfer between two people, one of whom is oneself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TransferView {
    /// Its id.
    pub id: String,
    /// Who paid.
    pub payer: PersonView,
    /// Who was paid.
    pub payee: PersonView,
    /// Whether one is the payer.
    pub mine: bool,
    /// Of what.
    pub asset: AssetView,
    /// How much.
    pub amount: String,
    /// What of it went back since.
    pub refunded: String,
    /// What it was paid for, if that was asked for.
    pub request: Option<String>,
    /// The title of the shop, if one of the two is a shop.
    pub shop: Option<String>,
    /// `held` (it waits for the payee), `done`, `returned`, `expired`.
    pub state: String,
    /// When, ms.
    pub time_ms: f64,
    /// Until when the payee may accept it, ms.
    pub until_ms: Option<f64>,
    /// What stands on the other side, if that is another asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exchange: Option<ExchangedView>,
    /// Why another node did not take it: `declined`, `expired`, `closed` (the shop), `paid` (the sale, before), `over` (the sale),
    /// `asked` (it is not what was asked for), `rate`, `guarded` (it needs a second person), `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rejection: Option<String>,
}

/// A line of an account's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HistoryLineView {
    /// Its number in the node's ledger.
    pub number: f64,
    /// The transfer.
    pub transfer: String,
    /// When, ms.
    pub time_ms: f64,
    /// `transfer`, `payment`, `refund`, `issue`, `redeem`, `packet_fund`, `packet_claim`, `packet_return`, … as the ledger calls it.
    pub purpose: String,
    /// Whether the account got it.
    pub credit: bool,
    /// How much.
    pub amount: String,
    /// Who stands on the other side; none: the node, or a red packet.
    pub other: Option<PersonView>,
    /// The title of the shop, if that is one.
    pub shop: Option<String>,
    /// The red packet.
    pub packet: Option<String>,
    /// The transfer that it gives back.
    pub refunds: Option<String>,
    /// The payment that it is the fee of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fee_of: Option<String>,
    /// What of it went back since.
    pub refunded: String,
    /// As in [`TransferView`].
    pub state: String,
    /// Until when the payee may accept it, ms.
    pub until_ms: Option<f64>,
    /// When the money went over, ms, if that was later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settled_ms: Option<f64>,
    /// The number of what it went over by, if that was later: there the line stands, and pages begin before that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settled_by: Option<f64>,
    /// What stands on the other side, if that is another asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exchange: Option<ExchangedView>,
}

/// A page of a history, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HistoryView {
    /// The account.
    pub account: String,
    /// The newest first.
    pub lines: Vec<HistoryLineView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// Who has opened a red packet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ClaimView {
    /// Who.
    pub person: PersonView,
    /// What they got.
    pub amount: String,
    /// When, ms.
    pub time_ms: f64,
    /// Whether it went back to the giver: their own node did not take it.
    pub returned: bool,
    /// Whether nobody got more, once all shares are taken.
    pub best: bool,
}

/// A red packet, as its node says that it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PacketView {
    /// Its id.
    pub packet: String,
    /// Who gave it.
    pub maker: PersonView,
    /// Of what.
    pub asset: AssetView,
    /// Whether shares are drawn by lot.
    pub lucky: bool,
    /// Among how many.
    pub shares: u32,
    /// What was put in.
    pub total: String,
    /// What is still in it; after its time: nothing.
    pub left: String,
    /// `open`, `empty`, `expired`.
    pub state: String,
    /// Until when it can be opened, ms.
    pub until_ms: f64,
    /// What one has got oneself.
    pub mine: Option<String>,
    /// One has opened it, and the money is on its way from the giver's node.
    pub coming: bool,
    /// The one for whom it is.
    pub only: Option<PersonView>,
    /// Who has opened it, the first one first.
    pub claims: Vec<ClaimView>,
    /// Whether the shares were drawn as was promised when it was made; none as long as that cannot be told.
    pub fair: Option<bool>,
}

/// What one of several is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PartView {
    /// Who.
    pub person: PersonView,
    /// How much.
    pub amount: String,
    /// By which transfer it was paid, as far as is known here: those who pay say so in the chat, and of what was paid to oneself the
    /// node says it.
    pub paid: Option<String>,
}

/// A request for money as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RequestView {
    /// Its id.
    pub request: String,
    /// Who is asked for how much.
    pub parts: Vec<PartView>,
}
