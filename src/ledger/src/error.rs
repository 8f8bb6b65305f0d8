//! Why a transfer does not happen.

use crate::Side;
use serde::{Deserialize, Serialize};

/// What the books had against a chain. It is written down with the chain's ids: asked again, the answer is the same, also
/// when it would go through by then. Who still wants it takes a new id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such account.
    #[error("the {0} account does not exist")]
    UnknownAccount(Side),
    /// The two accounts do not hold the same.
    #[error("the accounts hold different assets")]
    AssetsDiffer,
    /// The account takes no part.
    #[error("the {0} account is frozen")]
    Frozen(Side),
    /// There is not enough.
    #[error("the debited account would go below its floor")]
    Floor,
    /// There would be too much.
    #[error("the credited account would go above its cap")]
    Cap,
    /// A sum would leave the numbers.
    #[error("a sum would be too large")]
    Overflow,
    /// There is no such transfer to resolve.
    #[error("the pending transfer does not exist")]
    UnknownPending,
    /// It was never pending.
    #[error("the transfer to resolve is not a pending one")]
    NotPending,
    /// It was posted already.
    #[error("the pending transfer was posted already")]
    AlreadyPosted,
    /// It was voided already, or its time was over.
    #[error("the pending transfer was released already")]
    AlreadyVoided,
    /// Its time is over.
    #[error("the time of the pending transfer is over")]
    PendingExpired,
    /// Its time is not over.
    #[error("the time of the pending transfer is not over yet")]
    NotDue,
    /// More than was held back.
    #[error("more is posted than was pending")]
    AbovePending,
    /// There is no such transfer to refund.
    #[error("the transfer to refund does not exist")]
    UnknownOriginal,
    /// No money moved by it.
    #[error("the transfer to refund moved nothing")]
    NothingToRefund,
    /// A refund goes back the way that the money came.
    #[error("a refund goes from the account that got the money to the one that gave it")]
    OtherWay,
    /// All refunds together would be more than was paid.
    #[error("the refunds would be more than the transfer")]
    AboveOriginal,
    /// Another transfer of the chain was refused.
    #[error("another transfer of its chain was refused")]
    Linked,
}

/// Why [`crate::post`] and its kin did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError<F> {
    /// It cannot be asked like that, ever: nothing was written down.
    #[error("{0}")]
    Malformed(&'static str),
    /// The id stands for something else already.
    #[error("the id was used for another transfer or account")]
    IdConflict,
    /// There is no such account to change.
    #[error("the account does not exist")]
    UnknownAccount,
    /// The chain was refused, now or when it was asked for first.
    #[error("transfer {at} of the chain: {refusal}")]
    Refused {
        /// Which transfer of the chain, counted from 0.
        at: u8,
        /// What was against it.
        refusal: Refusal,
        /// This is the answer of an earlier time.
        replayed: bool,
    },
    /// The books could not be read or written.
    #[error("the books: {0}")]
    Books(F),
}
