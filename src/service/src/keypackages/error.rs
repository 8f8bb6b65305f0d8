//! What KeyPackages can answer instead.

use crate::{Fault, error::from_below};
use weft_wire::{Code, Problem};

/// Everything that can go wrong with KeyPackages.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyPackageError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Not a KeyPackage of the caller's device.
    #[error("not a valid KeyPackage of this device")]
    Bad(#[source] std::sync::Arc<dyn std::error::Error + Send + std::marker::Sync>),
}
from_below!(KeyPackageError);

impl From<KeyPackageError> for Problem {
    fn from(error: KeyPackageError) -> Problem {
        match error {
            KeyPackageError::Fault(fault) => fault.into(),
            KeyPackageError::Bad(cause) => Problem::new(Code::BadMls).field("packages").detail(cause),
        }
    }
}
