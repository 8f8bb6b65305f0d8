//! Why something between two nodes is not done.

use super::sheet::Stop;
use weft_ledger::link::{Freeze, LinkError, Reason, TermsError};
use weft_wire::{Code, Millis, Problem, TransferId};

/// Why a verb of a link has not done what was asked, without the books.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkTrouble {
    /// No terms were agreed on.
    #[error("the operators of the two nodes have agreed on no terms")]
    NoLink,
    /// It stands still.
    #[error("payments with that node are stopped: {0}")]
    Frozen(Freeze),
    /// It does not.
    #[error("payments with that node are not stopped")]
    NotFrozen,
    /// The payment cannot be sent, or was not taken.
    #[error("the payment to another node: {0}")]
    Payment(Reason),
    /// A settlement of more than there is to settle.
    #[error("it is more than is owed")]
    NotOwed,
    /// Too much waits for the other node.
    #[error("too much waits for that node")]
    Full,
    /// Messages are missing.
    #[error("messages before this one are missing")]
    Gap,
    /// The two nodes have other terms.
    #[error("the other node has other terms")]
    OtherTerms,
    /// They cannot be terms.
    #[error("the terms: {0}")]
    Terms(TermsError),
    /// Other terms come next.
    #[error("terms of version {expected} come next")]
    TermsVersion {
        /// Which.
        expected: u32,
    },
    /// Others are in force than those that were looked at.
    #[error("other terms are in force by now: look at them first")]
    TermsMoved,
    /// A thaw would bring in what does not come into the world by one person's word.
    #[error(
        "the thaw would bring {0} into the world, which needs an approver: with their word lift the threshold, thaw, and set it again"
    )]
    Guarded(String),
    /// A thaw would take what was decided here long ago for something that these books do not know.
    #[error(
        "payment {payment} is in these books since {at_ms}, before the statements begin: look again with \
         `--since {at_ms}` or an earlier time, on both sides"
    )]
    Since {
        /// Which payment.
        payment: TransferId,
        /// Since when it is known here.
        at_ms: Millis,
    },
    /// A day's root is shown, and not those between it and what was seen before.
    #[error("the days between this one and day {seen}, which was seen, have to be shown first")]
    DaysBetween {
        /// The newest one that was seen.
        seen: u64,
    },
    /// Something else about terms, or a thaw.
    #[error("{0}")]
    Refused(String),
}

impl LinkTrouble {
    /// Of an error that is not about the books.
    pub(super) fn of(error: &LinkError<Stop>) -> Self {
        match error {
            LinkError::NoLink => LinkTrouble::NoLink,
            LinkError::Frozen(why) => LinkTrouble::Frozen(*why),
            LinkError::NotFrozen => LinkTrouble::NotFrozen,
            LinkError::Payment(reason) => LinkTrouble::Payment(*reason),
            LinkError::JournalFull => LinkTrouble::Full,
            LinkError::Gap { .. } => LinkTrouble::Gap,
            LinkError::OtherTerms | LinkError::OtherEra { .. } => LinkTrouble::OtherTerms,
            LinkError::Terms(error) => LinkTrouble::Terms(error.clone()),
            LinkError::TermsVersion { expected } => LinkTrouble::TermsVersion { expected: *expected },
            LinkError::Malformed(why) => LinkTrouble::Refused((*why).to_owned()),
            LinkError::NotForUs => LinkTrouble::Refused("it is between other nodes".to_owned()),
            LinkError::TermsUnseen => {
                LinkTrouble::Refused("the other node has to follow earlier terms first".to_owned())
            }
            LinkError::AssetGone(asset) => {
                LinkTrouble::Refused(format!("later terms leave out {asset}, of which there are accounts"))
            }
            LinkError::NotDue => LinkTrouble::Refused("its time is not over yet".to_owned()),
            LinkError::Thaw(why) => LinkTrouble::Refused(format!("the thaw does not fit: {why}")),
            LinkError::ThawRefused(refusal) => {
                LinkTrouble::Refused(format!("the thaw cannot be booked: {refusal}"))
            }
            _ => LinkTrouble::Refused("it cannot be done".to_owned()),
        }
    }
}

impl LinkTrouble {
    /// Which of those that share [`Code::Conflict`] it is, for programs that say it in words of their own.
    fn part(&self) -> Option<&'static str> {
        Some(match self {
            LinkTrouble::Terms(error) => match error {
                TermsError::Parties => "parties",
                TermsError::Version => "version",
                TermsError::Assets => "assets",
                TermsError::Rates => "rates",
                TermsError::Gain(_) => "gain",
                TermsError::Lifetime => "lifetime",
            },
            LinkTrouble::TermsVersion { .. } | LinkTrouble::TermsMoved => "terms_moved",
            LinkTrouble::OtherTerms => "other_terms",
            LinkTrouble::NotFrozen => "not_frozen",
            LinkTrouble::Guarded(_) => "guarded",
            LinkTrouble::Since { .. } => "since",
            LinkTrouble::Refused(_) => "refused",
            _ => return None,
        })
    }
}

impl From<LinkTrouble> for Problem {
    fn from(trouble: LinkTrouble) -> Problem {
        let part = trouble.part();
        let code = match &trouble {
            LinkTrouble::NoLink | LinkTrouble::Payment(Reason::UnknownAsset) => Code::NoLink,
            LinkTrouble::Frozen(_) => Code::LinkFrozen,
            LinkTrouble::Payment(Reason::Limit | Reason::NotCovered | Reason::Busy)
            | LinkTrouble::Full
            | LinkTrouble::NotOwed => Code::LinkLimit,
            LinkTrouble::Payment(Reason::UnknownPayee) => Code::NotFound,
            LinkTrouble::Payment(Reason::Rate) => Code::RateChanged,
            LinkTrouble::Payment(_) => Code::PaymentRefused,
            LinkTrouble::NotFrozen
            | LinkTrouble::Gap
            | LinkTrouble::OtherTerms
            | LinkTrouble::Terms(_)
            | LinkTrouble::TermsVersion { .. }
            | LinkTrouble::TermsMoved
            | LinkTrouble::Guarded(_)
            | LinkTrouble::Since { .. }
            | LinkTrouble::DaysBetween { .. }
            | LinkTrouble::Refused(_) => Code::Conflict,
        };
        Problem { field: part.map(str::to_owned), ..Problem::new(code).detail(trouble) }
    }
}
