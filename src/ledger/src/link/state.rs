//! What a node keeps of a link.

use super::{Ack, Digest, Freeze, Mark, Prepare, Reason, Sum, Terms};
use crate::AccountKind;
use serde::{Deserialize, Serialize};
use weft_wire::{AccountId, AssetId, Blob, Millis, NodeName, TransferId};

/// A link, as one of its two nodes sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// This node.
    pub own: NodeName,
    /// The other.
    pub peer: NodeName,
    /// What is agreed.
    pub terms: Terms,
    /// Digests of these terms and of those before, the newest last.
    pub recent: Vec<Digest>,
    /// Under which of them the peer's last message was.
    pub peer_terms: Digest,
    /// How often the link was thawed.
    pub era: u32,
    /// What the era began with: [`Mark::START`], or the digest of a [`super::Thaw`].
    pub origin: Digest,
    /// The last message that was journalled.
    pub sent: Mark,
    /// The last one of those of which is known that the peer has taken it.
    pub confirmed: Mark,
    /// The last one of the peer's that was taken.
    pub taken: Mark,
    /// Payments to the peer's people that are not decided.
    pub waiting_out: u32,
    /// Payments from the peer's people that are not decided.
    pub waiting_in: u32,
    /// Payments of this era that the peer asked for and that never were.
    pub tombstones: u32,
    /// That nothing is sent or taken, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Frozen>,
}

/// Since when a link is frozen and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Why.
    pub why: Freeze,
    /// Since when.
    pub at_ms: Millis,
    /// What the peer said, if it was that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Blob>,
}

impl Link {
    /// The account of an asset with the peer: theirs with this node if this node issues it, else this node's
    /// with them.
    #[must_use]
    pub fn account(&self, asset: AssetId) -> AccountId {
        self.account_of(asset, self.kind(asset))
    }

    /// The node's own position in an asset, as far as it comes from this link: exchange, settlements and
    /// corrections.
    #[must_use]
    pub fn position(&self, asset: AssetId) -> AccountId {
        self.account_of(asset, AccountKind::Equity)
    }

    /// Whether this node issues the asset.
    #[must_use]
    pub fn is_issuer(&self, asset: AssetId) -> bool {
        self.terms.covered(asset).is_some_and(|covered| covered.asset.issuer == self.own)
    }

    /// How far this node is: [`super::ack`], of a row that was read. It may be said only of one that is committed.
    #[must_use]
    pub fn ack(&self) -> Ack {
        Ack {
            from: self.own.clone(),
            to: self.peer.clone(),
            era: self.era,
            sent: self.sent,
            seen: self.taken,
            confirmed: self.confirmed.seq,
            terms: self.terms.digest(),
            frozen: self.frozen.is_some(),
        }
    }

    pub(super) fn kind(&self, asset: AssetId) -> AccountKind {
        if self.is_issuer(asset) { AccountKind::Vostro } else { AccountKind::Nostro }
    }

    fn account_of(&self, asset: AssetId, kind: AccountKind) -> AccountId {
        let what: &[u8] = match kind {
            AccountKind::Vostro => b"vostro",
            AccountKind::Nostro => b"nostro",
            _ => b"position",
        };
        AccountId(derived("weft/link-account/1", &[what, &asset.0, self.peer.as_str().as_bytes()]))
    }
}

/// Which way a payment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From this node to the peer, which decides.
    Out,
    /// From the peer to this node, which decides.
    In,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is not decided, or the decision is not known here.
    Waiting,
    /// The payee has it.
    Fulfilled,
    /// The payer has it back.
    Rejected(Reason),
}

/// A payment over a link. Key: the peer, the way and the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: TransferId,
    /// With whom.
    pub peer: NodeName,
    /// Which way it goes.
    pub way: Way,
    /// What was asked for. `None`: it never came here (a tombstone, or lost with the state before a thaw).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<Prepare>,
    /// What became of it.
    pub state: State,
    /// What it holds, or moved, in this node's books. None where a thaw says what became of it, and these books had not moved it so:
    /// then what that makes is corrected, from the node's position or to it.
    pub legs: Vec<Leg>,
    /// What it held or moved before a thaw said otherwise: that has ended the other way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Leg>,
    /// What became of it is what a thaw says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thawed: bool,
    /// What is known, by a thaw, of one that was lost here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// When it came to be known here.
    pub at_ms: Millis,
    /// When its decision came to be known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_ms: Option<Millis>,
    /// The peer was asked what became of it, and has not answered.
    #[serde(default)]
    pub asked: bool,
}

impl Payment {
    /// By what somebody here has got it. What was taken they keep, also where a thaw says that it was not; and what only a thaw says
    /// that they got, they have not as yet.
    #[must_use]
    pub fn came(&self) -> Option<&[Leg]> {
        self.moved().filter(|_| self.way == Way::In)
    }

    /// By what it has left whoever pays it here: the same of what goes out. What only a thaw says that they paid, they still have.
    #[must_use]
    pub fn went(&self) -> Option<&[Leg]> {
        self.moved().filter(|_| self.way == Way::Out)
    }

    fn moved(&self) -> Option<&[Leg]> {
        let legs = match self.state {
            State::Fulfilled => &self.legs,
            State::Rejected(_) => &self.undone,
            State::Waiting => return None,
        };
        (!legs.is_empty()).then_some(legs)
    }

    /// When this node has to [`super::expire`] it, if it has to.
    #[must_use]
    pub fn due_ms(&self) -> Option<Millis> {
        let is_due = (self.way, self.state) == (Way::In, State::Waiting);
        self.prepare.as_ref().filter(|_| is_due).map(|prepare| prepare.expires_ms)
    }
}

/// What the statement of the other node has of a payment that is not known here any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// What goes over the link.
    pub give: Sum,
    /// It is a settlement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settles: bool,
    /// What it is set off against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Sum>,
}

/// One movement of a payment in this node's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The transfer.
    pub transfer: TransferId,
    /// Who gives.
    pub debit: AccountId,
    /// Who gets.
    pub credit: AccountId,
    /// In minor units.
    pub amount: u64,
    /// What moved by this transfer, or a part of it, is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<TransferId>,
}

/// A message that was journalled and is not confirmed. Key: the peer and its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// The [`super::Message`] as it is encoded: to be signed and sent just so.
    pub body: Blob,
}

/// Sixteen bytes that follow from others.
pub(super) fn derived(context: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    id
}
