//! Why a room did not do what was asked, and why an entry of its log could not be used.

use super::anew::Unsure;
use weft_mls::{MlsError, PolicyError};
use weft_wire::{DecodeError, UserAddress};

/// Why a verb failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// This device knows no such room.
    #[error("no such room on this device")]
    NoRoom,
    /// The room is there already.
    #[error("the room is there already")]
    Exists,
    /// A commit waits for the hub; one at a time. Or the log has to be read up to the last ones first.
    #[error("a commit is pending")]
    Busy,
    /// This device is not in the group, or cannot follow it any more.
    #[error("this device is not in the group")]
    NotActive,
    /// An entry is missing before this one: ask for the log after the cursor.
    #[error("entry {found} came where {expected} was next")]
    Gap {
        /// The next number.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A device of this person is certified by another identity key than the pinned one: an alarm, not a glitch.
    #[error("the identity key of {user} has changed")]
    KeyChanged {
        /// Whose.
        user: UserAddress,
    },
    /// A direct room with somebody whose identity is not known.
    #[error("the identity key of {user} is not known")]
    NotPinned {
        /// Whose.
        user: UserAddress,
    },
    /// What the hub says that the group is now differs from what this device knew of it in a way that only the person can judge.
    #[error("the group is another one than this device knew")]
    Unsure(Box<Unsure>),
    /// The Welcome leads to an epoch that was passed already.
    #[error("the Welcome is older than the group")]
    StaleWelcome,
    /// Over a limit.
    #[error("{len} bytes where at most {max} are allowed")]
    TooLarge {
        /// What came.
        len: usize,
        /// What is allowed.
        max: usize,
    },
    /// A sealed item or ephemeral event was not made by a member for this place.
    #[error("the sealed bytes do not open")]
    Sealed,
    /// It was sealed in an epoch whose keys are not here (any more).
    #[error("the keys of epoch {epoch} are not here")]
    NoEpochKeys {
        /// Which.
        epoch: u64,
    },
    /// Against the rules of the room.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Not valid in terms of MLS.
    #[error(transparent)]
    Mls(#[from] MlsError),
    /// What was stored cannot be read.
    #[error("the stored state of the room cannot be read")]
    State(#[source] DecodeError),
}

/// Why an entry of the log could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The envelope is not well-formed, or is for another room.
    #[error("the envelope is malformed")]
    Malformed,
    /// The envelope is not signed by the device that MLS says it is from.
    #[error("the envelope is not by the device it names")]
    Signature,
    /// The certificate of the sender had ended when the hub took the message.
    #[error("the sender's certificate had expired")]
    Expired,
    /// Its keys are gone: it was under way for too long.
    #[error("the message is too old to be opened")]
    TooOld,
    /// It is of an epoch that this device has not reached: a commit before it could not be followed.
    #[error("the group has moved on without this device")]
    Behind,
    /// MLS refused it, or the room's rules did.
    #[error(transparent)]
    Refused(#[from] RoomError),
}
