//! What a person signs to pay, and what the node signs when it is done.

use super::{
    BankPayee, BearerPayee, EscrowTerms, InvoicePayee, MandateTerms, MerchantPayee, PacketPromise,
    PacketTerms, SettlePayee,
};
use crate::{
    AssetId, DeviceId, Millis, OrderId, RequestId, TransferId, UserAddress, bytes, signed::Signable,
};
use serde::{Deserialize, Serialize};

/// A key with which a device signs payment orders, signed by the device's own key. The client keeps it sealed under the payment PIN,
/// so that who taps on an unlocked device cannot pay. Code that runs in the client can make a new one: the node does not know the PIN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderKeyCert {
    /// Whose device.
    pub user: UserAddress,
    /// Which device; its certificate says with which key this is signed.
    pub device: DeviceId,
    /// ed25519.
    #[serde(with = "bytes::array")]
    pub order_key: [u8; 32],
    /// When it was made. A device's later key takes the place of the earlier one.
    pub created_ms: Millis,
}

impl Signable for OrderKeyCert {
    const CONTEXT: &'static str = "weft/order-key/1";
    const BYTES_MAX: usize = 1024;
}

/// Who is to get the money.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Payee {
    /// A person.
    Person(UserAddress),
    /// Whoever of a room opens the red packet that this order makes.
    Packet(PacketTerms),
    /// A shop.
    Merchant(MerchantPayee),
    /// Whichever shop is shown the code; it takes at most the order's amount.
    Bearer(BearerPayee),
    /// An account at a bank: the money is held until the owner of the node has paid it out.
    Bank(BankPayee),
    /// Whoever has sent the invoice; it is paid by that.
    Invoice(InvoicePayee),
    /// Nobody yet: it is held for a seller.
    Escrow(EscrowTerms),
    /// The seller, out of what is held for them. Not for `POST wallet/orders`.
    Settle(SettlePayee),
    /// Somebody who may collect the amount again and again. Not for `POST wallet/orders`.
    Mandate(MandateTerms),
    /// A person who has given the payer cash: it goes from the payer's float as a cash agent.
    CashIn(UserAddress),
    /// A cash agent who has given the payer cash: it goes to the agent's float.
    CashOut(UserAddress),
}

impl Payee {
    /// The address of a person or shop who is paid, or sent something, by name.
    pub fn address(&self) -> Option<&UserAddress> {
        match self {
            Payee::Person(user) => Some(user),
            Payee::Merchant(payee) => Some(&payee.shop),
            Payee::Invoice(payee) => Some(&payee.issuer),
            _ => None,
        }
    }
}

/// What the payer wants to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Intent {
    /// Held for the payee, who accepts it or gives it back; after a day it goes back by itself.
    Transfer,
    /// Theirs at once.
    Payment,
}

/// An order to pay. Every debit of a person's account follows from one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentOrder {
    /// Made by the payer's device at random. The same order again is the same payment.
    pub id: OrderId,
    /// Who pays.
    pub payer: UserAddress,
    /// From which device: its order key signs.
    pub device: DeviceId,
    /// Who is to get it.
    pub payee: Payee,
    /// What.
    pub asset: AssetId,
    /// How much the payee gets, in minor units.
    pub amount: u64,
    /// The most that the node may take for it, beside the amount.
    pub max_fee: u64,
    /// What is to happen.
    pub intent: Intent,
    /// From then on it is worth nothing.
    pub expires_ms: Millis,
    /// Higher than that of every order that this order key has signed before.
    pub counter: u64,
    /// What it is paid for, if somebody has asked for the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// It gives back what came by this transfer, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<TransferId>,
    /// The shop that pays, where `payer` signs for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UserAddress>,
    /// How much of what the payee gets is a tip, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<u64>,
    /// What the payee, of another node, gets instead of that: as the payer has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
}

/// What somebody gets of another asset, at a rate that two nodes have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Of what: their own node issues it.
    pub asset: AssetId,
    /// How much, in minor units.
    pub amount: u64,
}

impl Signable for PaymentOrder {
    const CONTEXT: &'static str = "weft/payment-order/1";
    const BYTES_MAX: usize = 1024;
}

impl PaymentOrder {
    /// The transfer that the order makes. Nobody else's order can make the same one.
    pub fn transfer(&self) -> TransferId {
        PaymentOrder::transfer_of(&self.payer, self.id)
    }

    /// The same, of an order that is not written yet.
    pub fn transfer_of(payer: &UserAddress, order: OrderId) -> TransferId {
        let mut hasher = blake3::Hasher::new_derive_key("weft/order-transfer/1");
        hasher.update(payer.to_string().as_bytes()).update(&[0]).update(&order.0);
        order.transfer(&hasher.finalize())
    }
}

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// It waits for the payee.
    Held,
    /// It is the payee's.
    Done,
    /// The payee gave it back.
    Returned,
    /// Nobody took it in time.
    Expired,
}

/// What the node has done, signed with the node's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The order that asked for it.
    pub order: OrderId,
    /// The transfer in the node's ledger.
    pub transfer: TransferId,
    /// Which event of the ledger it is.
    pub number: u64,
    /// Who paid.
    pub payer: UserAddress,
    /// Who was paid.
    pub payee: Payee,
    /// What.
    pub asset: AssetId,
    /// How much, in minor units.
    pub amount: u64,
    /// What the node took for it beside the amount; while it is held, what is held for that.
    pub fee: u64,
    /// Where it stood when this was signed.
    pub state: TransferState,
    /// When it was done.
    pub at_ms: Millis,
    /// Until when the payee may accept it, if it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Millis>,
    /// For a red packet: what the node has promised about the shares before anybody has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<PacketPromise>,
    /// What the payee gets instead, if that is another asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
}

impl Signable for Receipt {
    const CONTEXT: &'static str = "weft/payment-receipt/1";
    const BYTES_MAX: usize = 1024;
}
