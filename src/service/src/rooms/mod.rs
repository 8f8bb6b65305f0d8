//! Rooms, as their hub keeps them: an ordered log of what it cannot read, and a public view of the group.

mod asked;
mod commits;
mod create;
mod delivered;
#[cfg(test)]
mod delivered_tests;
mod door;
mod error;
#[cfg(test)]
mod group_tests;
mod items;
mod leave;
mod log;
mod messages;
mod over;
mod parts;
pub(crate) mod records;
mod replica;
mod retention;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use commits::{CheckedSubmission, Judged, Stored, written_bytes};
pub(crate) use delivered::Delivered;
pub(crate) use door::Doorway;
pub use error::RoomError;
pub(crate) use replica::{News, SEQ_MAX};
pub(crate) use state::{Described, Room};

use crate::{Budget, Caller, Fault, cache::Cache, context::Ctx};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use weft_store::tables;
use weft_wire::{
    RoomId,
    limits::PAGE_MAX,
    rooms::{Accepted, GroupInfoAnswer, LogPage, PutItem, RoomList, SubmitMessage},
};

type Result<T, E = RoomError> = std::result::Result<T, E>;

/// Rooms. Making one and committing to one touch contacts and inboxes too: see [`crate::Flows`].
#[derive(Clone)]
pub struct Rooms {
    ctx: Arc<Ctx>,
    /// Rooms as they were decoded at some version; the version is compared with the store's at each use.
    cache: Arc<Cache<RoomId, Arc<Room>>>,
    messages: Arc<AtomicU64>,
    commits: Arc<AtomicU64>,
}

/// Rooms that are remembered: under a kilobyte each, save those of hundreds of people.
const ROOMS_CACHED_MAX: usize = 4_096;
/// A list of rooms stops after the one with which it passes this many bytes.
const LIST_BYTES: usize = 1 << 20;
/// About what one description costs, and one member in it.
const STATE_BYTES: usize = 256;
const MEMBER_BYTES: usize = 96;
/// How often a room is read again when a commit comes in between.
const READS_MAX: usize = 8;
/// Where [`tables::COUNTS`] counts rooms.
const ROOMS: &str = "rooms";

impl Rooms {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Rooms {
            ctx,
            cache: Arc::new(Cache::new(ROOMS_CACHED_MAX)),
            messages: Arc::default(),
            commits: Arc::default(),
        }
    }

    /// `GET rooms?after=ROOM`.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn list(&self, caller: &Caller, after: Option<RoomId>) -> Result<RoomList> {
        self.ctx.limits.take_account(Budget::Read, caller.name())?;
        let mut ids = self.rooms_of(caller.user(), after, PAGE_MAX + 1).await?;
        let mut more = ids.len() > PAGE_MAX;
        ids.truncate(PAGE_MAX);
        let (mut rooms, mut bytes) = (Vec::new(), 0);
        for (id, _) in ids {
            // Left, between the two reads.
            let Ok(room) = self.load_for(id, caller.user()).await else { continue };
            let mut state = self.describe(&room).await?.state;
            state.asking = self.asking(&room, caller.user()).await?;
            bytes += STATE_BYTES + state.members.len() * MEMBER_BYTES;
            bytes += state.items.iter().map(|item| item.sealed.len()).sum::<usize>();
            rooms.push(state);
            if bytes > LIST_BYTES {
                more = true;
                break;
            }
        }
        Ok(RoomList { rooms, more })
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
        self.take_message(caller, room, request).await
    }

    /// `GET rooms/ROOM/log?after=SEQ&limit=N`; `limit` is cut to [`weft_wire::limits::PAGE_MAX`].
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::CursorLost`].
    pub async fn log(&self, caller: &Caller, room: RoomId, after: u64, limit: usize) -> Result<LogPage> {
        self.ctx.limits.take_account(Budget::Read, caller.name())?;
        let room = self.load_for(room, caller.user()).await?;
        let since = room.member(caller.user()).map_or(0, |member| member.since);
        self.log_page(&room, since, after, limit).await
    }

    /// `GET rooms/ROOM/group-info`.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Folded`].
    pub async fn group_info(&self, caller: &Caller, room: RoomId) -> Result<GroupInfoAnswer> {
        self.ctx.limits.take_caller(Budget::Read, caller)?;
        for _ in 0..READS_MAX {
            let room = self.load_for(room, caller.user()).await?;
            if let Some(into) = room.record.folded_into {
                return Err(RoomError::Folded { into });
            }
            if let Some(answer) = self.read_group_info(&room).await? {
                return Ok(answer);
            }
        }
        Err(Fault::Internal("a room changes faster than it can be read").into())
    }

    /// `PUT rooms/ROOM/items`. A lower version than the kept one changes nothing.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`crate::Fault::Invalid`], [`crate::Fault::TooLarge`].
    pub async fn put_item(&self, caller: &Caller, room: RoomId, request: PutItem) -> Result<()> {
        self.ctx.limits.take_account(Budget::Write, caller.name())?;
        let room = self.load_for(room, caller.user()).await?;
        self.write_item(caller, &room, request).await
    }
}

impl Rooms {
    /// Rooms that this node is the hub of, and messages and commits that were accepted since the start.
    pub(crate) async fn numbers(&self) -> Result<(u64, u64, u64), Fault> {
        let rooms = self.ctx.count(tables::COUNTS, ROOMS).await?;
        Ok((rooms, self.messages.load(Ordering::Relaxed), self.commits.load(Ordering::Relaxed)))
    }
}
