//! KeyPackages (RFC 9420, section 10) in stock: each is handed out once, save the last-resort one.

mod error;

pub use error::KeyPackageError;

use crate::{Caller, context::Ctx};
use std::sync::Arc;
use weft_wire::contacts::{KeyPackageStock, PublishKeyPackages};

type Result<T, E = KeyPackageError> = std::result::Result<T, E>;

/// KeyPackages in stock. Taking those of others needs consent: see [`crate::Flows`].
#[derive(Clone)]
pub struct KeyPackages {
    ctx: Arc<Ctx>,
}

impl KeyPackages {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        KeyPackages { ctx }
    }

    /// `POST key-packages`. Sending the same ones again changes nothing, even when some were handed out meanwhile.
    ///
    /// # Errors
    /// [`KeyPackageError::Bad`], [`crate::Fault::TooMany`], rate limits.
    pub async fn publish(&self, caller: &Caller, request: PublishKeyPackages) -> Result<KeyPackageStock> {
        unbuilt!()
    }

    /// `GET key-packages`.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn stock(&self, caller: &Caller) -> Result<KeyPackageStock> {
        unbuilt!()
    }
}
