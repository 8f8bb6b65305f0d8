//! What both operators signed.

use serde::{Deserialize, Serialize};
use weft_wire::{
    Signed,
    signed::{Signable, SignedError},
};

/// The same record, signed by the two nodes of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Agreed<T> {
    /// As the one signed it.
    pub one: Signed<T>,
    /// As the other did.
    pub other: Signed<T>,
}

impl<T: Signable> Agreed<T> {
    /// The record, if both have signed the same bytes. The keys are `one`'s and `other`'s, in that order.
    ///
    /// # Errors
    /// [`SignedError`]; two records that differ are [`SignedError::Signature`].
    pub fn verify(&self, one: &[u8; 32], other: &[u8; 32]) -> Result<T, SignedError> {
        if self.one.body() != self.other.body() || one == other {
            return Err(SignedError::Signature);
        }
        self.other.verify(other)?;
        self.one.verify(one)
    }
}
