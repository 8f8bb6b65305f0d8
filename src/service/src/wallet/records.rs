//! What is kept of the ledger and the wallets on it.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_ledger::{
    Account, AccountKind, Bounds, Entry, Freeze, Standing,
    link::{Agreed, Digest, Link, Outgoing, Payment, Terms},
};
use weft_wire::{
    AccountId, AssetId, Blob, Code, Millis, NodeName, RequestId, Signed, TransferId, UserAddress, UserName,
    bytes,
    wallet::{
        Asset, CodeCharge, Fee, InvoiceInfo, InvoiceLine, OrderKeyCert, PacketState, PacketTerms,
        PaymentOrder, SaleKind, ShopDetails, ShopMember, ShopRole,
    },
};

/// How far the ledger is. One row.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HeadRecord {
    /// The number of the newest event.
    pub newest: u64,
}

/// An account. Key: its id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AccountRecord(pub Account);

/// A transfer. Key: its id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EntryRecord(pub Entry);

/// What became of a transfer. Key: its id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StandingRecord(pub Standing);

/// An event of the ledger, in the order in which they are done again. Key: its number.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct EventRecord {
    pub at_ms: Millis,
    pub event: LoggedEvent,
}

/// A [`weft_ledger::Event`]; the transfers themselves are in the entries.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoggedEvent {
    Open { id: AccountId, asset: AssetId, kind: AccountKind, bounds: Bounds },
    Change { id: AccountId, bounds: Bounds, freeze: Freeze },
    Chain(Vec<TransferId>),
}

/// What this node issues. Key: its id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AssetRecord {
    pub asset: Asset,
    pub title: String,
    pub backing: String,
    /// 0: no bound.
    pub payment_max: u64,
    /// 0: no bound.
    pub day_max: u64,
}

/// What the node takes for payments. Key: the asset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FeesRecord {
    /// By kind of payment, one of each at most.
    pub fees: Vec<Fee>,
}

/// Whose an account is. Key: its id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerRecord {
    pub owner: Owner,
    pub asset: AssetId,
}

/// Who has an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Owner {
    /// The node itself: issuance, fees and the like.
    Node,
    /// Somebody here.
    Person(UserName),
    /// A red packet.
    Packet(TransferId),
    /// Another node: what is between it and this one.
    Peer(NodeName),
    /// A shop.
    Merchant(UserName),
    /// Nobody yet: it is held for a seller.
    Escrow(TransferId),
    /// A cash agent: their float.
    Agent(UserName),
}

/// What was paid from an account on its last day. Key: the account's id.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct PayerRecord {
    /// Days since 1970 (UTC).
    pub day: u64,
    /// What was paid on that day, in minor units.
    pub paid: u64,
}

/// What a device signs its orders with. Key: name, 0x00, device.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OrderKeyRecord {
    pub cert: Signed<OrderKeyCert>,
    /// The key in `cert`, at hand.
    #[serde(with = "bytes::array")]
    pub key: [u8; 32],
    /// When it was made, at hand: an older one does not come back.
    pub created_ms: Millis,
    /// Of the last order that it has signed.
    pub counter: u64,
}

/// The payer's own word for a transfer. Key: its id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OrderRecord {
    pub order: Signed<PaymentOrder>,
    /// The certificate of the key that signed it, if the device has another one since.
    pub cert: Signed<OrderKeyCert>,
    /// What the shop was called that it pays, or that pays by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A red packet. Key: the transfer that filled it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PacketRecord {
    pub maker: UserAddress,
    pub asset: AssetId,
    pub terms: PacketTerms,
    /// What was put in, in minor units.
    pub total: u64,
    /// What is still in it.
    pub left: u64,
    /// How many have opened it.
    pub claims: u32,
    /// Until when it can be opened.
    pub until_ms: Millis,
    /// Nobody is told as long as it is open.
    #[serde(with = "bytes::array")]
    pub seed: [u8; 32],
    pub state: PacketState,
}

/// Who has opened a red packet. Key: packet, BE32(place, from 0).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClaimRecord {
    pub user: UserAddress,
    /// In minor units.
    pub amount: u64,
    pub at_ms: Millis,
    /// The person's node did not take it: it went back to the giver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
}

/// A link with another node. Key: its name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LinkRecord(pub Link);

/// A payment over a link. Key: node, 0x00, way, transfer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RemoteRecord(pub Payment);

/// A message that the other node has not confirmed. Key: node, 0x00, BE64(number).
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OutgoingRecord(pub Outgoing);

/// The hash of a message that was taken. Key: node, 0x00, BE64(number).
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HeardRecord(pub Digest);

/// Which terms the two operators have signed. Key: the other node.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct OfferRecord {
    /// What this one's has signed and the other's has not, the newest last.
    pub ours: Vec<Signed<Terms>>,
    /// What the other's has signed and this one's has not.
    pub theirs: Option<Signed<Terms>>,
    /// What both have, this node's signature first.
    pub agreed: Option<Agreed<Terms>>,
    /// What the other says of the assets that it issues.
    pub notes: Vec<AssetNote>,
    /// The other node has heard of what this one's operator has signed.
    pub told: bool,
    /// What the link was frozen for, as the other node has signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Blob>,
    /// What this operator has agreed to, for the link to go on: a thaw, as it is encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw: Option<Blob>,
    /// The same, of one that is kept in chunks beside this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thawing: Option<ThawingRecord>,
    /// What this one's has signed of the version that is in force, and the other's may have signed at the same moment as this one's
    /// has signed what is in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Signed<Terms>>,
    /// What this one's has signed and takes back: until the other node has confirmed that, its operator may still sign it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Signed<Terms>>,
}

/// Terms that both operators have signed. Key: node, 0x00, version. Those of before there was this table are not there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct AgreedRecord {
    /// This node's signature first.
    pub agreed: Agreed<Terms>,
    /// Since when they are in force here.
    pub at_ms: Millis,
}

/// A thaw that an operator has agreed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ThawingRecord {
    pub digest: Digest,
    /// Chunks that it is kept in.
    pub chunks: u32,
    /// Both operators have signed it: it is being done, and nothing else is agreed to until it is.
    pub begun: bool,
}

/// How many payments of somebody wait. Key: node, 0x00, way, address.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct WaitingRecord(pub u32);

/// A payment that was refused as it came. Key: node, 0x00, BE32(era), BE64(number of the message that says so).
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RejectedRecord {
    pub payment: TransferId,
    pub at_ms: Millis,
}

/// What an issuer says of an asset, beside what it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct AssetNote {
    pub asset: AssetId,
    pub title: String,
    pub backing: String,
}

/// A shop. Key: its name, which no account has.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MerchantRecord {
    pub details: ShopDetails,
    pub owner: UserAddress,
    pub staff: Vec<ShopMember>,
    /// Whether those who lead it take money.
    pub open: bool,
    /// The node's owner has closed it.
    pub stopped: bool,
    pub created_ms: Millis,
}

impl MerchantRecord {
    pub(crate) fn is_open(&self) -> bool {
        self.open && !self.stopped
    }

    /// What somebody may do there.
    pub(crate) fn role(&self, user: &UserAddress) -> Option<ShopRole> {
        if self.owner == *user {
            return Some(ShopRole::Owner);
        }
        self.member(user).filter(|member| !member.invited).map(|member| member.role)
    }

    /// Somebody who works there, or is asked to.
    pub(crate) fn member(&self, user: &UserAddress) -> Option<&ShopMember> {
        self.staff.iter().find(|member| member.user == *user)
    }

    /// Whether somebody may do there whatever there is to do.
    pub(crate) fn is_led_by(&self, user: &UserAddress) -> bool {
        matches!(self.role(user), Some(ShopRole::Owner | ShopRole::Manager))
    }
}

/// The shops of somebody. Key: name, 0x00.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct PlacesRecord {
    /// Their own.
    pub owned: Vec<UserName>,
    /// Those where they work.
    pub staff: Vec<UserName>,
    /// Those where they are asked to work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invited: Vec<UserName>,
}

/// A sale. Key: shop, 0x00, id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SaleRecord {
    pub asset: AssetId,
    /// In minor units, without a tip.
    pub amount: u64,
    pub tip_allowed: bool,
    pub bill: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
    pub kind: SaleKind,
    pub made_ms: Millis,
    /// Until when it can be paid, if it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<Millis>,
    /// Who of the staff has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserAddress>,
    /// The hash of the digits of the customer's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Blob>,
    pub cancelled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<PaidRecord>,
    /// Why the node of the customer's code, another one, has not paid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Code>,
}

/// How a sale was paid.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PaidRecord {
    pub payer: UserAddress,
    pub transfer: TransferId,
    pub at_ms: Millis,
    /// In minor units.
    pub tip: u64,
}

/// A code that a payer shows. Key: the hash of its digits.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CodeRecord {
    /// What the payer has signed for it.
    pub order: Signed<PaymentOrder>,
    /// The certificate of the key that signed it.
    pub cert: Signed<OrderKeyCert>,
    pub until_ms: Millis,
    pub used: bool,
    /// How many times there was not enough for what a till asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u8>,
    /// For what that was: who asks for the same again asks no more than once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<TriedRecord>,
}

/// What a till has asked for by a code, and there was not enough for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TriedRecord {
    pub asked: AskedRecord,
    pub why: Code,
}

/// What a till asks for by a code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskedRecord {
    pub shop: UserAddress,
    pub sale: RequestId,
    pub asset: AssetId,
    /// In minor units.
    pub amount: u64,
}

/// What a shop of another node has charged by a code. Key: the shop's address, 0x00, the sale.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ChargeRecord {
    /// As its node has signed it.
    pub charge: Signed<CodeCharge>,
    /// The payment.
    pub transfer: TransferId,
}

/// The last code of a device. Key: name, 0x00, device.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LastCodeRecord {
    /// Under which it is kept.
    #[serde(with = "bytes::array")]
    pub digits: [u8; 32],
}

/// An invoice. Key: issuer, 0x00, id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InvoiceRecord {
    /// Counted from 1 for each issuer.
    pub number: u64,
    /// The issuer is a shop, and not a person.
    pub of_shop: bool,
    /// Who of the shop's staff has sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserAddress>,
    /// Who is to pay.
    pub to: UserAddress,
    pub asset: AssetId,
    pub lines: Vec<InvoiceLine>,
    /// What they come to, in minor units.
    pub total: u64,
    pub note: String,
    pub made_ms: Millis,
    pub due_ms: Millis,
    /// Whoever is to pay wants to hear nothing of whoever has sent it, and does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    pub cancelled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<InvoicePaidRecord>,
}

/// How an invoice was paid. By itself: one of another node, by somebody here. Key: as of [`FarInvoiceRecord`].
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct InvoicePaidRecord {
    pub transfer: TransferId,
    pub at_ms: Millis,
}

/// An invoice of another node for somebody here, as that node has signed it. Key: name, 0x00, address of the issuer, 0x00, id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FarInvoiceRecord {
    pub info: Signed<InvoiceInfo>,
    /// When it was first heard of: that is its place in the list.
    pub kept_ms: Millis,
    /// When the other node was asked last, or has said this.
    pub seen_ms: Millis,
    /// The payment that was sent for it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<TransferId>,
}

/// Money that is held for a seller. Key: the transfer that funded it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct EscrowRecord {
    pub buyer: UserAddress,
    pub seller: UserAddress,
    /// The seller is a shop, and not a person.
    pub of_shop: bool,
    pub asset: AssetId,
    /// What was paid in, in minor units.
    pub total: u64,
    pub note: String,
    pub made_ms: Millis,
    /// When what is held goes back.
    pub until_ms: Millis,
    /// What the buyer has signed and the seller has not agreed to: its amount is for the seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OrderRecord>,
    /// How much is enough for the seller, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EscrowEndRecord>,
}

/// How an escrow has ended.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct EscrowEndRecord {
    pub at_ms: Millis,
    /// In minor units; the rest went back.
    pub to_seller: u64,
    /// The transfer to the seller, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<TransferId>,
    /// Its time was over.
    pub expired: bool,
}

/// How many invoices somebody has sent. Key: issuer, 0x00.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct NumbersRecord {
    /// The number of the last one.
    pub last: u64,
}

first_version!(
    EscrowRecord,
    InvoiceRecord,
    FarInvoiceRecord,
    InvoicePaidRecord,
    NumbersRecord,
    MerchantRecord,
    PlacesRecord,
    SaleRecord,
    CodeRecord,
    ChargeRecord,
    LastCodeRecord,
    HeadRecord,
    AccountRecord,
    EntryRecord,
    StandingRecord,
    EventRecord,
    AssetRecord,
    FeesRecord,
    OwnerRecord,
    PayerRecord,
    OrderKeyRecord,
    OrderRecord,
    PacketRecord,
    ClaimRecord,
    LinkRecord,
    RemoteRecord,
    OutgoingRecord,
    HeardRecord,
    OfferRecord,
    AgreedRecord,
    WaitingRecord,
    RejectedRecord
);

pub(crate) use super::roots::records::{BalanceRecord, RootRecord, SeenRecord};
