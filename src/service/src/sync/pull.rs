//! From the store to the client: one frame at a time, each read when it can be handed over.

use super::{Result, SyncError, SyncSession, fanout::Dirty, live::Followed};
use crate::{
    inbox::Item,
    rooms::{Delivered, Described, Room, RoomError},
};
use std::sync::Arc;
use tokio::time::Instant;
use weft_wire::{
    Problem, RoomId,
    limits::ROOMS_PER_ACCOUNT_MAX,
    rooms::{DeviceRef, RoomState},
    sync::{InboxEntry, InboxItem, ServerFrame},
};

/// Inbox entries that are read at once, and the bytes of Welcomes after which a frame is full.
const INBOX_AT_ONCE: usize = 32;
const INBOX_BYTES: usize = 512 << 10;
/// Log entries of one frame.
const ENTRIES_AT_ONCE: usize = 64;
/// Items of one room that are sent before other things have their turn.
const ITEMS_AT_ONCE: usize = 64;

impl SyncSession {
    /// The next frame, if the store holds one for this client.
    pub(super) async fn pull(&mut self) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        for (room, what) in live.mailbox.take_dirty() {
            if live.followed.contains_key(&room) {
                live.work.add(room, what);
            }
        }
        if live.work.session {
            self.node.accounts.check_session(&live.caller.session).await?;
            live.work.session = false;
        }
        if live.flush_at.is_some_and(|at| at <= Instant::now()) {
            self.flush().await?;
        }
        if let Some(frame) = self.pull_inbox().await? {
            return Ok(Some(frame));
        }
        if let Some(frame) = self.pull_rooms().await? {
            return Ok(Some(frame));
        }
        if let Some(frame) = self.pull_announcements().await? {
            return Ok(Some(frame));
        }
        if let Some(frame) = self.pull_vault().await? {
            return Ok(Some(frame));
        }
        if let Some(frame) = self.pull_wallet().await? {
            return Ok(Some(frame));
        }
        Ok(self.live.as_ref().and_then(|live| live.mailbox.take_ephemeral()))
    }

    /// Writes down what was acknowledged.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let device: DeviceRef = live.caller.device_ref();
        let acks: Vec<_> = live.acks.iter().map(|(room, seq)| (*room, *seq)).collect();
        if !acks.is_empty() {
            self.node.rooms.acknowledge(&device, &acks).await?;
        }
        live.acks.clear();
        live.flush_at = None;
        Ok(())
    }

    async fn pull_inbox(&mut self) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        if !live.work.inbox {
            return Ok(None);
        }
        let (name, device) = (live.caller.name(), live.caller.device());
        let page = self.node.inbox.page(name, device, live.inbox_after, INBOX_AT_ONCE).await?;
        let (mut items, mut bytes) = (Vec::new(), 0);
        for entry in page {
            if bytes > INBOX_BYTES {
                break;
            }
            let item = match entry.item {
                Item::Ready(item) => item,
                Item::Welcome { room, device, message, welcome } => {
                    bytes += welcome.len();
                    // A commit that is forgotten by now: the client finds its cursor lost, and joins anew.
                    let seq = self.node.rooms.find(room, device, message).await?.unwrap_or(0);
                    InboxItem::Welcome { room, seq, welcome }
                }
            };
            items.push(InboxEntry { seq: entry.seq, time_ms: entry.time_ms, item });
        }
        match items.last() {
            Some(last) => live.inbox_after = last.seq,
            None => {
                live.work.inbox = false;
                return Ok(None);
            }
        }
        Ok(Some(ServerFrame::Inbox { items }))
    }

    async fn pull_rooms(&mut self) -> Result<Option<ServerFrame>> {
        loop {
            let Some(live) = &mut self.live else { return Ok(None) };
            let Some(room) = live.work.turn.front().copied() else { return Ok(None) };
            if let Some(frame) = self.pull_room(room).await? {
                return Ok(Some(frame));
            }
        }
    }

    /// One thing of one room. What is looked at is cleared; without a frame the next thing has its turn.
    async fn pull_room(&mut self, id: RoomId) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        let dirty = live.work.rooms.get(&id).copied().unwrap_or_default();
        let room = match self.node.rooms.load_for(id, live.caller.user()).await {
            Ok(room) => room,
            Err(RoomError::NotFound) => return Ok(Some(self.left(id))),
            Err(error) => return Err(error.into()),
        };
        if dirty.room {
            self.pull_state(&room).await
        } else if dirty.log {
            self.pull_log(&room).await
        } else if dirty.cursors {
            self.pull_cursors(&room).await
        } else {
            self.pull_items(&room).await
        }
    }

    /// The account is not in the room any more, or the room is gone.
    fn left(&mut self, room: RoomId) -> ServerFrame {
        if let Some(live) = &mut self.live {
            live.unfollow(room);
        }
        ServerFrame::Problem { problem: RoomError::NotFound.into(), room: Some(room), fatal: false }
    }

    async fn pull_state(&mut self, room: &Arc<Room>) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        let asking = self.node.rooms.asking(room, live.caller.user()).await?;
        let is_told = |followed: &Followed| followed.described == Some((room.version, asking));
        if live.followed.get(&room.id).is_none_or(is_told) {
            live.work.done(room.id, |dirty| dirty.room = false);
            return Ok(None);
        }
        let Described { mut state, cursors, items } = self.node.rooms.describe(room).await?;
        state.asking = asking;
        live.work.done(room.id, |dirty| dirty.room = false);
        let Some(followed) = live.followed.get_mut(&room.id) else { return Ok(None) };
        followed.described = Some((room.version, asking));
        (followed.cursors, followed.items) = (cursors, items);
        Ok(Some(ServerFrame::Room { state }))
    }

    async fn pull_log(&mut self, room: &Arc<Room>) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        let Some(followed) = live.followed.get_mut(&room.id) else {
            live.work.done(room.id, |dirty| *dirty = Dirty::default());
            return Ok(None);
        };
        let since = room.member(live.caller.user()).map_or(0, |member| member.since);
        let (entries, more) =
            match self.node.rooms.entries(room, since, followed.after, ENTRIES_AT_ONCE).await {
                Ok(page) => page,
                Err(error @ RoomError::CursorLost { tail }) => {
                    let (device, after) = (live.caller.device_ref(), followed.after);
                    // Before anything else: what is heard meanwhile cuts this off, and it begins anew. Of a room that was let go of
                    // already the device would never hear why.
                    self.node.rooms.passed_over(&device, room, after, tail).await?;
                    live.unfollow(room.id);
                    let problem: Problem = error.into();
                    return Ok(Some(ServerFrame::Problem { problem, room: Some(room.id), fatal: false }));
                }
                Err(error) => return Err(error.into()),
            };
        live.work.done(room.id, |dirty| dirty.log = more);
        let Some(last) = entries.last() else { return Ok(None) };
        followed.after = last.seq;
        Ok(Some(ServerFrame::Entries { room: room.id, entries }))
    }

    async fn pull_cursors(&mut self, room: &Arc<Room>) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        let Some(followed) = live.followed.get_mut(&room.id) else {
            live.work.done(room.id, |dirty| *dirty = Dirty::default());
            return Ok(None);
        };
        let delivered = followed.reads.delivered(&self.node.rooms, room).await?;
        live.work.done(room.id, |dirty| dirty.cursors = false);
        let news = delivered.iter().skip(delivered.partition_point(|one| one.version <= followed.cursors));
        for Delivered { user, seq, missed, version } in news.cloned() {
            followed.cursors = version;
            // Of its own account a client knows better itself.
            if user != *live.caller.user() && room.member(&user).is_some() {
                self.out.push_back(ServerFrame::Delivered { room: room.id, user, seq, missed });
            }
        }
        Ok(self.out.pop_front())
    }

    async fn pull_items(&mut self, room: &Arc<Room>) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        let Some(followed) = live.followed.get_mut(&room.id) else {
            live.work.done(room.id, |dirty| *dirty = Dirty::default());
            return Ok(None);
        };
        let (items, seen, more) =
            followed.reads.items_since(&self.node.rooms, room, followed.items, ITEMS_AT_ONCE).await?;
        live.work.done(room.id, |dirty| dirty.items = more);
        followed.items = seen;
        self.out.extend(items.into_iter().map(|item| ServerFrame::Item { room: room.id, item }));
        Ok(self.out.pop_front())
    }

    async fn pull_announcements(&mut self) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        if live.work.rooms_of {
            let rooms = self.node.rooms.rooms_of(live.caller.user(), None, ROOMS_PER_ACCOUNT_MAX).await?;
            let seen = live.rooms_of_seen;
            for (room, version) in rooms.into_iter().filter(|(_, version)| *version > seen) {
                live.rooms_of_seen = live.rooms_of_seen.max(version);
                live.work.announce.push_back(room);
            }
            live.work.rooms_of = false;
        }
        while let Some(id) = live.work.announce.front().copied() {
            let told = if live.followed.contains_key(&id) {
                None
            } else {
                match self.node.rooms.load_for(id, live.caller.user()).await {
                    Ok(room) => {
                        let asking = self.node.rooms.asking(&room, live.caller.user()).await?;
                        let state = self.node.rooms.describe(&room).await?.state;
                        Some(RoomState { asking, ..state })
                    }
                    Err(RoomError::NotFound) => None,
                    Err(error) => return Err(error.into()),
                }
            };
            live.work.announce.pop_front();
            if let Some(state) = told {
                return Ok(Some(ServerFrame::Room { state }));
            }
        }
        Ok(None)
    }

    async fn pull_wallet(&mut self) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        if !live.work.wallet {
            return Ok(None);
        }
        // It may be an account that was opened just now.
        self.node.wallet.look_again(live.caller.name(), &mut live.watches.wallet).await?;
        live.work.wallet = false;
        Ok(Some(ServerFrame::Wallet {}))
    }

    async fn pull_vault(&mut self) -> Result<Option<ServerFrame>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        while live.work.vault {
            let (name, device) = (live.caller.name(), live.caller.device());
            let (records, seen) = self.node.vault.changes(name, device, live.vault_after).await?;
            live.work.vault = seen != live.vault_after;
            live.vault_after = seen;
            if !records.is_empty() {
                return Ok(Some(ServerFrame::Vault { records }));
            }
        }
        Ok(None)
    }
}

/// Faults of a room that are the client's to handle, and do not end the socket.
pub(super) fn about_room(error: RoomError, room: RoomId) -> Result<ServerFrame, SyncError> {
    match error {
        RoomError::Fault(fault) => Err(fault.into()),
        error => Ok(ServerFrame::Problem { problem: error.into(), room: Some(room), fatal: false }),
    }
}
