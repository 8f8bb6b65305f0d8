//! What contacts can answer instead.

use crate::{Fault, error::from_below};
use weft_wire::{Code, Problem};

/// Everything that can go wrong with contacts.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ContactError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// No such person, or nothing to answer.
    #[error("not found")]
    NotFound,
    /// A request to oneself.
    #[error("that is you")]
    Oneself,
    /// The caller has blocked this person and must lift that first.
    #[error("this person is blocked")]
    Blocked,
    /// The token of the link is unknown, used up, expired, or not this person's.
    #[error("the link is not valid")]
    LinkInvalid,
    /// The other side has not agreed.
    #[error("no consent")]
    NoConsent,
    /// The hash of a link is in use.
    #[error("this token exists")]
    LinkExists,
}
from_below!(ContactError);

impl From<ContactError> for Problem {
    fn from(error: ContactError) -> Problem {
        match error {
            ContactError::Fault(fault) => fault.into(),
            ContactError::NotFound => Problem::new(Code::NotFound),
            ContactError::Oneself => Problem::new(Code::InvalidField).field("to").detail("that is you"),
            ContactError::Blocked => Problem::new(Code::Conflict).detail("you have blocked this person"),
            ContactError::LinkInvalid => Problem::new(Code::InviteInvalid).field("token"),
            ContactError::NoConsent => Problem::new(Code::NoConsent),
            ContactError::LinkExists => Problem::new(Code::IdConflict).field("token_hash"),
        }
    }
}
