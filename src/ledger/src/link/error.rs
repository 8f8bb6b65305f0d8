//! Why something is not done, and why a link stands still.

use super::{Reason, State, TermsError};
use crate::{LedgerError, Refusal};
use serde::{Deserialize, Serialize};
use weft_wire::{AssetId, TransferId};

/// Why a link is frozen. Apart from the first three, the peer has proven that it cannot be relied on: the
/// message that did is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// The operator wants it so.
    #[error("the operator has frozen it")]
    Operator,
    /// The other side has frozen it.
    #[error("the other node has frozen it")]
    ByPeer,
    /// The other side knows more of this node's messages, or more of what it took, than the node does: it was
    /// restored from an old backup.
    #[error("the other node knows {theirs} messages where there are {ours}: this node lost its latest state")]
    BehindPeer {
        /// What this node knows of: messages, or eras.
        ours: u64,
        /// What the other knows of.
        theirs: u64,
    },
    /// The other side took another message under this number than this node has sent: one of the two lost its
    /// latest state.
    #[error("the other node has another message {seq} of this one")]
    Diverged {
        /// Which of this node's messages.
        seq: u64,
    },
    /// Two messages under one number.
    #[error("there are two messages {seq}")]
    Equivocation {
        /// Which number.
        seq: u64,
    },
    /// A message does not follow the one before.
    #[error("message {seq} does not follow the one before")]
    BrokenChain {
        /// Its number.
        seq: u64,
    },
    /// A decision on a payment that was never sent.
    #[error("a decision on a payment that was never sent: {payment}")]
    UnknownPayment {
        /// Which payment.
        payment: TransferId,
    },
    /// A decision on a payment that is not the peer's to decide: it goes the other way.
    #[error("a decision on a payment that is this node's to decide: {payment}")]
    NotTheirs {
        /// Which payment.
        payment: TransferId,
    },
    /// Another decision than the one before, or none any more.
    #[error("payment {payment} was decided otherwise before")]
    Contradiction {
        /// Which payment.
        payment: TransferId,
    },
    /// A decision that names other amounts than the payment.
    #[error("payment {payment} is fulfilled with other amounts")]
    OtherAmount {
        /// Which payment.
        payment: TransferId,
    },
    /// Another payment under the id of an earlier one.
    #[error("another payment under the id of an earlier one: {payment}")]
    OtherPrepare {
        /// Which payment.
        payment: TransferId,
    },
    /// More questions after payments that never were than an honest node has.
    #[error("questions without end")]
    Flood,
}

/// Why a verb did not do what was asked. Nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError<F> {
    /// It is no message.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// It is between others.
    #[error("the message is not between these two nodes")]
    NotForUs,
    /// There are no accounts with this node.
    #[error("there is no link with this node")]
    NoLink,
    /// The link stands still.
    #[error("the link is frozen: {0}")]
    Frozen(Freeze),
    /// The link does not stand still.
    #[error("the link is not frozen")]
    NotFrozen,
    /// Messages are missing. They come again, in order.
    #[error("message {got} came where {expected} is next")]
    Gap {
        /// The next number.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// From before the link was thawed.
    #[error("the message is of era {theirs} and the link in era {ours}")]
    OtherEra {
        /// The link's.
        ours: u32,
        /// The message's.
        theirs: u32,
    },
    /// The message is under terms that are not in force here. It is taken once they are.
    #[error("the message is under other terms")]
    OtherTerms,
    /// They cannot be terms.
    #[error("the terms: {0}")]
    Terms(#[from] TermsError),
    /// Other terms than the next ones.
    #[error("terms of version {expected} come next")]
    TermsVersion {
        /// The next version.
        expected: u32,
    },
    /// The other side has not followed for so many versions that its messages would not be understood any
    /// more.
    #[error("the other node has to follow earlier terms first")]
    TermsUnseen,
    /// Later terms leave out an asset.
    #[error("the terms leave out an asset that there are accounts of")]
    AssetGone(AssetId),
    /// The other side has to take something first.
    #[error("too many messages are not confirmed")]
    JournalFull,
    /// The payment cannot be sent. Nothing is kept: it may be tried again.
    #[error("the payment: {0}")]
    Payment(Reason),
    /// The payment's id stands for something else already.
    #[error("the id was used for another payment")]
    IdConflict,
    /// There is no such payment.
    #[error("there is no such payment")]
    UnknownPayment,
    /// No thaw has found it for somebody here, or not how much it was.
    #[error("no thaw has found this payment for somebody here")]
    NothingFound,
    /// It is decided otherwise.
    #[error("the payment is decided")]
    AlreadyDecided(State),
    /// It cannot be accepted any more.
    #[error("the time of the payment is over")]
    Expired,
    /// It can still be accepted.
    #[error("the time of the payment is not over yet")]
    NotDue,
    /// The thaw is no later era, between others, or malformed.
    #[error("the thaw does not fit the link: {0}")]
    Thaw(&'static str),
    /// The books are against what the thaw says.
    #[error("the thaw cannot be booked: {0}")]
    ThawRefused(Refusal),
    /// The ledger has it otherwise than the link: neither a peer nor a member can bring that about.
    #[error("the ledger: {0}")]
    Ledger(LedgerError<F>),
    /// The books could not be read or written.
    #[error("the books: {0}")]
    Books(F),
}

impl<F> From<LedgerError<F>> for LinkError<F> {
    fn from(error: LedgerError<F>) -> Self {
        match error {
            LedgerError::Books(fault) => LinkError::Books(fault),
            error => LinkError::Ledger(error),
        }
    }
}
