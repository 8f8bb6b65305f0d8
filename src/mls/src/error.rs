//! Why something of MLS was not accepted.

use crate::CredentialError;
use weft_wire::{DecodeError, DeviceId};

/// Why a group, a commit or a KeyPackage was not accepted, or could not be made. Carries no secrets and no contents.
#[derive(Debug, thiserror::Error)]
pub enum MlsError {
    /// Over a limit of [`weft_wire::limits`]; nothing was decoded.
    #[error("{what}: {len} bytes where at most {max} are allowed")]
    TooLarge {
        /// What it was meant to be.
        what: &'static str,
        /// What came.
        len: usize,
        /// What is allowed.
        max: usize,
    },
    /// Not an MLSMessage, or one of another kind.
    #[error("not a well-formed {what}")]
    Malformed {
        /// What it was meant to be.
        what: &'static str,
    },
    /// The certificate in a leaf is not in order.
    #[error("the certificate of a device is not in order")]
    Credential(#[from] CredentialError),
    /// The message belongs to another group.
    #[error("the message belongs to another room")]
    WrongRoom,
    /// A commit for another epoch than the current one: somebody else was faster.
    #[error("the commit starts from epoch {found}, the group is at {expected}")]
    WrongEpoch {
        /// The epoch of the group.
        expected: u64,
        /// The epoch of the commit.
        found: u64,
    },
    /// Valid MLS, but not part of what Weft uses of it.
    #[error("not allowed here: {0}")]
    NotAllowed(&'static str),
    /// A device is in the group already.
    #[error("the device {0} is in the group already")]
    Duplicate(DeviceId),
    /// No such device in the group.
    #[error("the device {0} is not in the group")]
    NoSuchDevice(DeviceId),
    /// The GroupInfo does not describe the group after the commit.
    #[error("the GroupInfo does not fit the commit: {0}")]
    GroupInfo(&'static str),
    /// The Welcome is not for exactly the added devices.
    #[error("the Welcome does not fit the commit: {0}")]
    Welcome(&'static str),
    /// The KeyPackage that a Welcome is for is no longer here: it was used, or this device lost its state.
    #[error("the KeyPackage that the Welcome is for is not here")]
    NoKeyPackage,
    /// OpenMLS refused it: a signature, a tree, a proposal list is not valid.
    #[error("MLS refused {what}")]
    Refused {
        /// What was being done.
        what: &'static str,
        /// OpenMLS' own error.
        #[source]
        source: Cause,
    },
    /// What was stored does not decode.
    #[error("the stored state of the group cannot be read")]
    State(#[source] DecodeError),
    /// What was stored is not complete.
    #[error("the stored state of the group is not complete")]
    Incomplete,
}

impl MlsError {
    /// For `map_err`: keeps the cause.
    pub fn refused<E: std::error::Error + Send + Sync + 'static>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| MlsError::Refused { what, source: cause(source) }
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[cfg(not(target_arch = "wasm32"))]
fn cause<E: std::error::Error + Send + Sync + 'static>(source: E) -> Cause {
    Box::new(source)
}

/// Nobody reads causes in a browser, and each visitor would carry the texts of all errors of OpenMLS there.
#[cfg(target_arch = "wasm32")]
fn cause<E: std::error::Error + Send + Sync + 'static>(_: E) -> Cause {
    "not told here".into()
}
