//! What the two nodes of a link say to each other.

use serde::{Deserialize, Serialize};
use weft_wire::{
    AssetId, Blob, Millis, NodeName, TransferId, UserAddress, bytes,
    signed::Signable,
    wallet::{Intent, Payee},
};

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "bytes::array")] pub [u8; 32]);

impl Digest {
    /// BLAKE3 in its mode `derive_key`.
    #[must_use]
    pub(super) fn of(context: &str, bytes: &[u8]) -> Self {
        Digest(blake3::derive_key(context, bytes))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A place in a half-channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The number of a message; 0 before the first.
    pub seq: u64,
    /// [`Message::hash`] of it; before the first, what the era began with.
    pub hash: Digest,
}

impl Mark {
    /// Before the first message of a link.
    pub const START: Mark = Mark { seq: 0, hash: Digest([0; 32]) };
}

/// One message of a half-channel. It is signed by its sender, outside of here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub from: NodeName,
    /// To whom: it is worth nothing on another link.
    pub to: NodeName,
    /// How often the link was thawed.
    pub era: u32,
    /// Its number, counted from 1 in each era.
    pub seq: u64,
    /// The hash of the one before.
    pub before: Digest,
    /// The last one of the other side that its sender had taken.
    pub seen: Mark,
    /// The last one of the sender's of which it knew that the other side has taken it.
    pub confirmed: u64,
    /// Under which terms, by their digest.
    pub terms: Digest,
    /// What it says.
    pub body: Body,
}

impl Signable for Message {
    const CONTEXT: &'static str = "weft/link-message/1";
    const BYTES_MAX: usize = 4 << 10;
}

impl Message {
    /// The hash of a message as it is encoded, by which the next one names it.
    #[must_use]
    pub fn hash(body: &[u8]) -> Digest {
        Digest::of("weft/link-message-hash/1", body)
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The payer's node holds money for a payment.
    Prepare(Prepare),
    /// The payee has it.
    Fulfil {
        /// Which payment.
        payment: TransferId,
        /// What the payee's node has taken over the link.
        given: Sum,
        /// What the payee got.
        got: Sum,
    },
    /// The payee will not have it.
    Reject {
        /// Which payment.
        payment: TransferId,
        /// Why.
        reason: Reason,
    },
    /// The payer's node asks what became of it.
    Status {
        /// Which payment.
        payment: TransferId,
    },
    /// It is not decided.
    Waiting {
        /// Which payment.
        payment: TransferId,
    },
}

/// So much of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Of what.
    pub asset: AssetId,
    /// In minor units.
    pub amount: u64,
}

/// A payment, as the payer's node asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// Its id: that of the hold in the payer's ledger.
    pub payment: TransferId,
    /// What goes over the link.
    pub give: Sum,
    /// What the payee gets, if that is another asset: the terms have the rate. Of a settlement: what it is
    /// set off against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub get: Option<Sum>,
    /// It gives back this payment, which came the other way, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<TransferId>,
    /// What it is for.
    pub aim: Aim,
    /// From then on the payee cannot accept it, by the clock of the payee's node.
    pub expires_ms: Millis,
    /// What the payer says, or the reference of a settlement. At most [`super::MEMO_BYTES_MAX`].
    pub memo: Blob,
}

impl Prepare {
    /// What the payee gets.
    #[must_use]
    pub fn got(&self) -> Sum {
        self.get.unwrap_or(self.give)
    }
}

/// What a payment is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// From a person, or from a shop that gives back, to a person or a shop.
    Payment {
        /// Who pays, as their node says.
        payer: UserAddress,
        /// Who is paid, and what for.
        payee: Payee,
        /// Held for the payee's answer, or theirs at once.
        intent: Intent,
    },
    /// The operators have settled it elsewhere, at a bank say: the issuer owes that much less. Either may
    /// propose it, and the other accepts. With a second sum it is netting: of two assets, one of each node,
    /// both issuers owe that much less, at a rate of the terms ([`super::Terms::set_off`]).
    Settlement,
}

/// Why a payment is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The terms do not cover it.
    #[error("the asset does not go over this link")]
    UnknownAsset,
    /// The payer is said to be of another node than the one that asks.
    #[error("the payer is of another node")]
    ForeignPayer,
    /// There is nobody of this name who could have it.
    #[error("there is no such payee")]
    UnknownPayee,
    /// Zero.
    #[error("an amount is at least 1")]
    Amount,
    /// More than the payee's node is willing to have.
    #[error("it is above the credit limit")]
    Limit,
    /// More than the payer's node has.
    #[error("the payer's node does not have as much here")]
    NotCovered,
    /// Its time was over before it was accepted.
    #[error("its time is over")]
    Expired,
    /// It would wait for longer than the terms say.
    #[error("it would wait for longer than the terms allow")]
    Lifetime,
    /// The amounts are not those of a rate of the terms.
    #[error("the terms have no such rate")]
    Rate,
    /// It gives back more than there was, or what was not paid so.
    #[error("there is no payment of which so much could be given back")]
    Refund,
    /// Too many wait already.
    #[error("too many payments wait")]
    Busy,
    /// The memo is too long.
    #[error("the memo is too long")]
    Memo,
    /// What is meant to happen is not known here.
    #[error("the intent is not known")]
    Intent,
    /// The account takes no part, or would have too much.
    #[error("the payee's account does not take it")]
    Blocked,
    /// The payee gave it back.
    #[error("the payee gave it back")]
    Declined,
    /// The tombstone: it never came here, and will not be taken any more.
    #[error("it never arrived")]
    Unknown,
    /// The shop takes no money now.
    #[error("the shop is closed")]
    Closed,
    /// It was paid before, by whomever.
    #[error("it is paid already")]
    Paid,
    /// What was to be paid for is not to be had any more: its time is over, or it was taken back.
    #[error("it cannot be paid any more")]
    Over,
    /// Another amount, tip or asset than was asked for.
    #[error("it is not what was asked for")]
    Asked,
    /// It would bring into the world what does not come there by one person's word (decision 0018).
    #[error("what it would be exchanged for is issued with two people's approval")]
    Guarded,
    /// Both operators say so, in a thaw.
    #[error("the operators have agreed that it did not happen")]
    Reconciled,
    /// Something that a later version knows.
    #[serde(other)]
    #[error("for another reason")]
    Other,
}

/// How far a node has got, said by itself and whenever there is cause to: when something came, when nothing
/// comes, and first of all after a start. It has no number, and may come twice, late or never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Who says it.
    pub from: NodeName,
    /// To whom.
    pub to: NodeName,
    /// How often the link was thawed.
    pub era: u32,
    /// The last message that it wrote.
    pub sent: Mark,
    /// The last one of the other side that it has taken.
    pub seen: Mark,
    /// The last one of its own of which it knows that the other side has taken it.
    pub confirmed: u64,
    /// Its terms.
    pub terms: Digest,
    /// It takes nothing more.
    pub frozen: bool,
}

impl Signable for Ack {
    const CONTEXT: &'static str = "weft/link-ack/1";
    const BYTES_MAX: usize = 2 << 10;
}
