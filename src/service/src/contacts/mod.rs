//! Contacts come first: nobody reaches a person without that person's consent.

mod error;

pub use error::ContactError;

use crate::{Caller, context::Ctx};
use std::sync::Arc;
use weft_wire::{
    UserAddress,
    contacts::{ContactList, CreateContactLink},
};

type Result<T, E = ContactError> = std::result::Result<T, E>;

/// The contact list and personal links. Asking and answering tell both sides' devices: see [`crate::Flows`].
#[derive(Clone)]
pub struct Contacts {
    ctx: Arc<Ctx>,
}

impl Contacts {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Contacts { ctx }
    }

    /// `GET contacts?after=ADDRESS`.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn list(&self, caller: &Caller, after: Option<&UserAddress>) -> Result<ContactList> {
        unbuilt!()
    }

    /// `POST contacts/links`.
    ///
    /// # Errors
    /// [`crate::Fault::Invalid`], [`crate::Fault::TooMany`], [`ContactError::LinkExists`].
    pub async fn create_link(&self, caller: &Caller, request: CreateContactLink) -> Result<()> {
        unbuilt!()
    }
}
