//! What rooms can answer instead.

use crate::{Fault, error::from_below};
use std::sync::Arc;
use weft_mls::PolicyError;
use weft_wire::{Code, DecodeError, Problem, RoomId};

/// Everything that can go wrong with rooms.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RoomError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// No such room, or none in which the caller is: the answer is the same.
    #[error("not found")]
    NotFound,
    /// The room id is somebody's already.
    #[error("the id is in use")]
    IdConflict,
    /// The envelope is not signed by the caller's device.
    #[error("the envelope's signature is not valid")]
    Signature,
    /// The envelope speaks of another room, person, device or kind than the request.
    #[error("the envelope's {0} does not fit the request")]
    Mismatch(&'static str),
    /// The body belongs to an epoch that the room has left.
    #[error("the room is at epoch {current}")]
    StaleEpoch {
        /// The room's epoch.
        current: u64,
    },
    /// The envelope's body is not an envelope.
    #[error("the envelope cannot be read")]
    Malformed(#[source] DecodeError),
    /// The commit is against the rules of the room.
    #[error("the rules of the room do not allow it")]
    Policy(#[source] PolicyError),
    /// The MLS message is not valid for this room.
    #[error("the group message is not valid")]
    Mls(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The caller may not do that in this room.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// Somebody who is to be added has not agreed.
    #[error("no consent")]
    NoConsent,
    /// A device that is to be added is not one of that account.
    #[error("a device certificate is not valid")]
    Certificate,
    /// The link to the group is unknown, has ended, or was made by somebody who may not let people in any more.
    #[error("the link is not valid")]
    LinkInvalid,
    /// The room was folded into another one.
    #[error("the room goes on as another one")]
    Folded {
        /// Where it goes on.
        into: RoomId,
    },
    /// Entries after the cursor are gone.
    #[error("the log begins at {tail}")]
    CursorLost {
        /// The oldest number that is still there.
        tail: u64,
    },
}
from_below!(RoomError);

impl From<RoomError> for Problem {
    fn from(error: RoomError) -> Problem {
        match error {
            RoomError::Fault(fault) => fault.into(),
            RoomError::NotFound => Problem::new(Code::NotFound),
            RoomError::IdConflict => Problem::new(Code::IdConflict),
            RoomError::Signature => Problem::new(Code::BadSignature).field("envelope"),
            RoomError::Mismatch(what) => Problem::new(Code::InvalidField)
                .field("envelope")
                .detail(format_args!("its {what} does not fit")),
            RoomError::StaleEpoch { current } => Problem::new(Code::StaleEpoch).current(current),
            RoomError::Malformed(cause) => Problem::new(Code::Malformed).field("envelope").detail(cause),
            RoomError::Policy(PolicyError::TooMany) => Problem::new(Code::TooMany),
            RoomError::Policy(cause) => Problem::new(Code::Forbidden).detail(cause),
            RoomError::Mls(cause) => Problem::new(Code::BadMls).detail(cause),
            RoomError::Forbidden(why) => Problem::new(Code::Forbidden).detail(why),
            RoomError::NoConsent => Problem::new(Code::NoConsent),
            RoomError::Certificate => Problem::new(Code::BadCertificate),
            RoomError::LinkInvalid => Problem::new(Code::InviteInvalid),
            RoomError::Folded { into } => {
                Problem::new(Code::Conflict).detail(format_args!("the room goes on as {into}"))
            }
            RoomError::CursorLost { tail } => Problem::new(Code::CursorLost).current(tail),
        }
    }
}
