//! What ends a socket.

use crate::{Fault, accounts::AccountError, error::from_below, rooms::RoomError};
use weft_wire::{Code, Problem, sync::ServerFrame};

/// Everything that ends a socket.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The token or the proof is not valid, or the session ended.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// See [`RoomError`].
    #[error(transparent)]
    Room(#[from] RoomError),
    /// Something else came before hello, or hello came twice.
    #[error("out of turn: {0}")]
    OutOfTurn(&'static str),
    /// The client sends, and does not read what is answered.
    #[error("the client does not read")]
    SlowReader,
}
from_below!(SyncError);

impl SyncError {
    /// The last frame of the socket.
    pub fn into_frame(self) -> ServerFrame {
        ServerFrame::Problem { problem: self.into(), room: None, fatal: true }
    }
}

impl From<SyncError> for Problem {
    fn from(error: SyncError) -> Problem {
        match error {
            SyncError::Fault(cause) => cause.into(),
            SyncError::Account(cause) => cause.into(),
            SyncError::Room(cause) => cause.into(),
            SyncError::SlowReader => Problem::new(Code::SlowReader),
            SyncError::OutOfTurn(what) => Problem::new(Code::Malformed).detail(what),
        }
    }
}
