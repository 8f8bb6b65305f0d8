//! What invites can answer instead.

use crate::{Fault, error::from_below};
use weft_wire::{Code, Problem};

/// Everything that can go wrong with invites.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InviteError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Sign-up needs an invite and none was shown.
    #[error("an invite is needed")]
    Required,
    /// Unknown, used up or expired.
    #[error("the invite is not valid")]
    Invalid,
    /// The node has an owner already.
    #[error("the node has an owner")]
    Claimed,
    /// Not for this caller.
    #[error("not allowed")]
    Forbidden,
    /// No such invite.
    #[error("not found")]
    NotFound,
}
from_below!(InviteError);

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Problem {
        match error {
            InviteError::Fault(fault) => fault.into(),
            InviteError::Required => Problem::new(Code::InviteRequired),
            InviteError::Invalid => Problem::new(Code::InviteInvalid),
            InviteError::Claimed => Problem::new(Code::Conflict).detail("the node has an owner"),
            InviteError::Forbidden => Problem::new(Code::Forbidden),
            InviteError::NotFound => Problem::new(Code::NotFound),
        }
    }
}
