//! What stands beside the log: sealed items, and how far each device has come.

use super::{
    Result, RoomError, Rooms,
    delivered::{left_key, with_left},
    records::{CursorRecord, ItemRecord},
    state::{Room, cursor_key},
};
use crate::{
    Caller, Fault, LimitKey,
    error::{at_most, within},
    outgoing::{self, Outgoing},
};
use std::sync::Arc;
use weft_store::{Batch, Scan, Tx, record::Record, tables};
use weft_wire::{
    RoomId, UserAddress,
    federation::Event,
    limits::{CLOCK_SKEW_MS_MAX, ROOM_ITEM_BYTES_MAX},
    rooms::{DeviceRef, PutItem, RoomItem},
};

/// Items of one member in one room.
const KINDS_PER_MEMBER_MAX: usize = 8;

impl Rooms {
    pub(super) async fn write_item(&self, caller: &Caller, room: &Room, request: PutItem) -> Result<()> {
        let PutItem { kind, version, sealed } = request;
        self.ctx.limits.take_bytes(&LimitKey::caller(caller), sealed.len())?;
        let item = RoomItem { user: caller.user().clone(), kind, version, sealed };
        let item = &item;
        self.ctx
            .store
            .transact(|tx| async move {
                if self.stage_item(&tx, room, item).await? {
                    let event = Event::Item { room: room.id, item: item.clone() };
                    self.tell_beside(&tx, room, event).await?;
                }
                Ok(())
            })
            .await
    }

    /// Stages an item of a member. False: it was outdone already.
    pub(crate) async fn stage_item(&self, tx: &Tx, room: &Room, item: &RoomItem) -> Result<bool> {
        let RoomItem { user, kind, version, sealed } = item;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        if kind.is_empty() || kind.len() > 32 || !kind.bytes().all(plain) {
            return Err(Fault::Invalid { field: "kind", why: "at most 32 bytes of a to z and -" }.into());
        }
        within("sealed", sealed.len(), ROOM_ITEM_BYTES_MAX)?;
        if *version > self.ctx.now() + CLOCK_SKEW_MS_MAX {
            // A version far in the future could never be outdone again.
            return Err(Fault::Invalid { field: "version", why: "the clock of this device is ahead" }.into());
        }
        let own = item_prefix(room.id, user);
        let key = [own.as_slice(), kind.as_bytes()].concat();
        // Asserted: whoever is removed at this moment leaves nothing behind.
        let row = tx.get(tables::ROOMS, room.id.as_bytes()).await?;
        if row.is_none_or(|row| row.version != room.version) {
            self.load_for(room.id, user).await?;
        }
        match tx.get(tables::ROOM_ITEMS, &key).await? {
            Some(row) if ItemRecord::from_record(&row.value)?.version >= *version => return Ok(false),
            Some(_) => {}
            None => {
                let rows = tx.scan(tables::ROOM_ITEMS, Scan::prefix(&own)).await?;
                at_most("kinds of items", rows.len() + 1, KINDS_PER_MEMBER_MAX)?;
            }
        }
        let record = ItemRecord { version: *version, sealed: sealed.clone() };
        tx.put(tables::ROOM_ITEMS, key, record.to_record());
        Ok(true)
    }

    /// Tells the other nodes that have to hear it from this one.
    async fn tell_beside(&self, tx: &Tx, room: &Room, event: Event) -> Result<()> {
        for node in room.beside(&self.ctx.node) {
            let item = Outgoing::Event(Box::new(event.clone()));
            tx.merge(outgoing::stage_if_room(&self.ctx, Batch::new(), &node, item).await?);
        }
        Ok(())
    }

    /// Writes down how far a device has come in some rooms. Cursors only go forward; rooms in which the device is not and
    /// numbers past the head are left out.
    pub(crate) async fn acknowledge(&self, device: &DeviceRef, rooms: &[(RoomId, u64)]) -> Result<()> {
        self.ctx
            .store
            .transact(|tx| async move {
                for (room, seq) in rooms {
                    let Some(room) = self.load_quietly(*room, &device.user).await? else { continue };
                    let acked = (*seq).min(self.head(room.id).await?);
                    let key = cursor_key(room.id, &device.user, device.device);
                    let row = tx.get(tables::ROOM_CURSORS, &key).await?;
                    let before = row.map(|row| CursorRecord::from_record(&row.value)).transpose()?;
                    let (from, left) =
                        before.as_ref().map_or((0, Vec::new()), |before| (before.from, before.left.clone()));
                    if before.is_none_or(|before| before.acked < acked)
                        && room.has_device(&device.user, device.device)
                    {
                        let cursor = CursorRecord { acked, from, left };
                        tx.put(tables::ROOM_CURSORS, &key, cursor.to_record());
                        if !room.beside(&self.ctx.node).is_empty()
                            && let Some(event) = self.told(&tx, &room, &device.user, &key, cursor).await?
                        {
                            self.tell_beside(&tx, &room, event).await?;
                        }
                    }
                }
                Ok(())
            })
            .await
    }

    /// Notes that a device goes on behind a gap in the log. It has what it had read before; what lies between that and the tail it
    /// will never have.
    pub(crate) async fn passed_over(
        &self,
        device: &DeviceRef,
        room: &Room,
        after: u64,
        tail: u64,
    ) -> Result<()> {
        let near = tail.saturating_sub(1);
        self.ctx
            .store
            .transact(|tx| async move {
                let key = cursor_key(room.id, &device.user, device.device);
                let Some(row) = tx.get(tables::ROOM_CURSORS, &key).await? else { return Ok(()) };
                let before = CursorRecord::from_record(&row.value)?;
                if before.acked < near {
                    let had = CursorRecord { acked: before.acked.max(after.min(near)), ..before };
                    let left = with_left(None, &had).left;
                    let cursor = CursorRecord { acked: near, from: near, left };
                    tx.put(tables::ROOM_CURSORS, &key, cursor.to_record());
                }
                Ok(())
            })
            .await
    }

    async fn load_quietly(&self, room: RoomId, user: &UserAddress) -> Result<Option<Arc<Room>>> {
        match self.load_for(room, user).await {
            Ok(room) => Ok(Some(room)),
            Err(RoomError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Notes in a room that a device of a member was signed out, so that any member's client removes its leaf.
    pub(crate) async fn mark_gone(&self, room: RoomId, gone: &DeviceRef) -> Result<()> {
        self.ctx
            .store
            .transact(|tx| async move {
                match self.stage_gone(&tx, room, gone).await {
                    Err(RoomError::NotFound) => Ok(()),
                    staged => staged,
                }
            })
            .await
    }

    /// The same, also for a device that its home did not let in.
    pub(crate) async fn stage_gone(&self, tx: &Tx, room: RoomId, gone: &DeviceRef) -> Result<()> {
        let Some(loaded) = self.stage_load(tx, room).await? else { return Ok(()) };
        if !loaded.has_device(&gone.user, gone.device) {
            return Ok(());
        }
        let mut record = loaded.record_with_members();
        record.gone.push(gone.clone());
        // Part of a sign-out, which is.
        tx.urgent();
        tx.put(tables::ROOMS, room.as_bytes(), record.to_record());
        self.tell_followers_of(tx, &loaded).await?;
        if !self.ctx.is_local(&gone.user) {
            return Ok(());
        }
        let (key, left) = (cursor_key(room, &gone.user, gone.device), left_key(room, &gone.user));
        if let Some(cursor) = tx.get(tables::ROOM_CURSORS, &key).await? {
            let cursor = CursorRecord::from_record(&cursor.value)?;
            let kept = tx.get(tables::ROOM_CURSORS, &left).await?;
            let kept = kept.map(|row| CursorRecord::from_record(&row.value)).transpose()?;
            tx.put(tables::ROOM_CURSORS, left, with_left(kept, &cursor).to_record());
        }
        tx.delete(tables::ROOM_CURSORS, key);
        Ok(())
    }
}

/// What the rows of a member's items begin with.
pub(super) fn item_prefix(room: RoomId, user: &UserAddress) -> Vec<u8> {
    [room.as_bytes().as_slice(), user.to_string().as_bytes(), &[0]].concat()
}
