//! What KeyPackages can answer instead.

use crate::{Fault, error::from_below};
use weft_wire::{Code, Problem};

/// Everything that can go wrong with KeyPackages.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyPackageError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The KeyPackage is another device's.
    #[error("the KeyPackage is not this device's")]
    Foreign,
    /// A single-use KeyPackage as the last resort, or the other way round.
    #[error("the last-resort mark of the KeyPackage does not fit")]
    LastResort,
    /// Not a valid KeyPackage.
    #[error("not a valid KeyPackage")]
    Bad(#[source] std::sync::Arc<dyn std::error::Error + Send + std::marker::Sync>),
}
from_below!(KeyPackageError);

impl From<KeyPackageError> for Problem {
    fn from(error: KeyPackageError) -> Problem {
        match error {
            KeyPackageError::Fault(fault) => fault.into(),
            KeyPackageError::Foreign => Problem::new(Code::BadCertificate).field("packages"),
            KeyPackageError::LastResort => Problem::new(Code::InvalidField).field("last_resort"),
            KeyPackageError::Bad(cause) => Problem::new(Code::BadMls).field("packages").detail(cause),
        }
    }
}
