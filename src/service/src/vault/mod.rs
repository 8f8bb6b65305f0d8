//! Vault records: what the devices of one account share, last writer wins. The node learns neither names nor contents.

use crate::{Caller, Fault, context::Ctx};
use std::sync::Arc;
use weft_wire::vault::{PutVaultRecords, VaultPage};

/// Records that the devices of one account share.
#[derive(Clone)]
pub struct Vault {
    ctx: Arc<Ctx>,
}

impl Vault {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Vault { ctx }
    }

    /// `PUT vault/records`. Records with a lower version than the kept one change nothing.
    ///
    /// # Errors
    /// [`Fault::TooMany`], [`Fault::TooLarge`], rate limits.
    pub async fn put(&self, caller: &Caller, request: PutVaultRecords) -> Result<(), Fault> {
        unbuilt!()
    }

    /// `GET vault/records?after=NAME`.
    ///
    /// # Errors
    /// Rate limits.
    pub async fn page(&self, caller: &Caller, after: Option<[u8; 32]>) -> Result<VaultPage, Fault> {
        unbuilt!()
    }
}
