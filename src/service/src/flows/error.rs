//! What flows can answer instead: what the features that they span can.

use crate::{
    Fault, accounts::AccountError, contacts::ContactError, error::from_below, federation::FederationError,
    invites::InviteError, keypackages::KeyPackageError, rooms::RoomError, wallet::WalletError,
};
use weft_wire::Problem;

/// Everything that can go wrong in what spans features.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FlowError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// See [`AccountError`].
    #[error(transparent)]
    Account(#[from] AccountError),
    /// See [`InviteError`].
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// See [`ContactError`].
    #[error(transparent)]
    Contact(#[from] ContactError),
    /// See [`KeyPackageError`].
    #[error(transparent)]
    KeyPackage(#[from] KeyPackageError),
    /// See [`RoomError`].
    #[error(transparent)]
    Room(#[from] RoomError),
    /// See [`WalletError`].
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// See [`FederationError`].
    #[error(transparent)]
    Federation(#[from] FederationError),
}
from_below!(FlowError);

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Problem {
        match error {
            FlowError::Fault(cause) => cause.into(),
            FlowError::Account(cause) => cause.into(),
            FlowError::Invite(cause) => cause.into(),
            FlowError::Contact(cause) => cause.into(),
            FlowError::KeyPackage(cause) => cause.into(),
            FlowError::Room(cause) => cause.into(),
            FlowError::Wallet(cause) => cause.into(),
            FlowError::Federation(cause) => cause.into(),
        }
    }
}
