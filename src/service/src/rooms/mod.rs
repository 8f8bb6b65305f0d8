//! Rooms, as their hub keeps them: an ordered log of what it cannot read, and a public view of the group.

mod error;

pub use error::RoomError;

use crate::{Caller, context::Ctx};
use std::sync::Arc;
use weft_wire::{
    RoomId,
    rooms::{Accepted, GroupInfoAnswer, LogPage, PutItem, RoomList, SubmitMessage},
};

type Result<T, E = RoomError> = std::result::Result<T, E>;

/// Rooms. Making one and committing to one touch contacts and inboxes too: see [`crate::Flows`].
#[derive(Clone)]
pub struct Rooms {
    ctx: Arc<Ctx>,
}

impl Rooms {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Rooms { ctx }
    }

    /// `GET rooms?after=ROOM`.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn list(&self, caller: &Caller, after: Option<RoomId>) -> Result<RoomList> {
        unbuilt!()
    }

    /// `POST rooms/ROOM/messages`: one store commit; on disk before it answers. The same envelope again gets the same answer.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Signature`], [`RoomError::Mismatch`], [`RoomError::StaleEpoch`],
    /// [`RoomError::IdConflict`], [`RoomError::Folded`], rate limits.
    pub async fn submit_message(
        &self,
        caller: &Caller,
        room: RoomId,
        request: SubmitMessage,
    ) -> Result<Accepted> {
        unbuilt!()
    }

    /// `GET rooms/ROOM/log?after=SEQ&limit=N`; `limit` is cut to [`weft_wire::limits::PAGE_MAX`].
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::CursorLost`].
    pub async fn log(&self, caller: &Caller, room: RoomId, after: u64, limit: usize) -> Result<LogPage> {
        unbuilt!()
    }

    /// `GET rooms/ROOM/group-info`.
    ///
    /// # Errors
    /// [`RoomError::NotFound`].
    pub async fn group_info(&self, caller: &Caller, room: RoomId) -> Result<GroupInfoAnswer> {
        unbuilt!()
    }

    /// `PUT rooms/ROOM/items`. A lower version than the kept one changes nothing.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`crate::Fault::Invalid`], [`crate::Fault::TooLarge`].
    pub async fn put_item(&self, caller: &Caller, room: RoomId, request: PutItem) -> Result<()> {
        unbuilt!()
    }
}
