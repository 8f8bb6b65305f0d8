//! Invites to the node. A code is told once; the node keeps its hash.

mod error;

pub use error::InviteError;

use crate::{Caller, context::Ctx};
use std::sync::Arc;
use weft_wire::{
    Millis, UserName,
    invites::{CreateInvite, InviteCreated},
};

type Result<T, E = InviteError> = std::result::Result<T, E>;

/// An invite that is alive, without its code, which nobody knows any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteSummary {
    /// BLAKE3 of the code: names the invite.
    pub hash: [u8; 32],
    /// Who made it; none for the operator.
    pub by: Option<UserName>,
    /// How many people may still use it.
    pub uses_left: u32,
    /// When it ends.
    pub expires_ms: Millis,
}

/// Invites to the node. Using one up is part of sign-up: see [`crate::Flows`].
#[derive(Clone)]
pub struct Invites {
    ctx: Arc<Ctx>,
}

impl Invites {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Invites { ctx }
    }

    /// `POST invites`: a member invites somebody.
    ///
    /// # Errors
    /// [`InviteError::Forbidden`] where only the owner invites, [`crate::Fault::Invalid`] for odd numbers, rate limits.
    pub async fn create(&self, caller: &Caller, request: CreateInvite) -> Result<InviteCreated> {
        unbuilt!()
    }

    /// An invite by the operator (command line, no session).
    ///
    /// # Errors
    /// [`crate::Fault::Invalid`] for odd numbers.
    pub async fn create_by_operator(&self, request: CreateInvite) -> Result<InviteCreated> {
        unbuilt!()
    }

    /// The one-time invite of the first account, the owner. An earlier one that was not used ends.
    ///
    /// # Errors
    /// [`InviteError::Claimed`] when there is an owner.
    pub async fn owner_invite(&self) -> Result<InviteCreated> {
        unbuilt!()
    }

    /// Invites that are alive, for the operator or the owner.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn list(&self, after: Option<[u8; 32]>, limit: usize) -> Result<Vec<InviteSummary>> {
        unbuilt!()
    }

    /// Ends an invite.
    ///
    /// # Errors
    /// [`InviteError::NotFound`].
    pub async fn revoke(&self, hash: &[u8; 32]) -> Result<()> {
        unbuilt!()
    }
}
