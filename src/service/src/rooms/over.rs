//! What of a copy is not needed any more: what people had who have gone, and the whole of it once nobody here is in the room.
//! Nobody reads a room in which they are not, so that nothing of its log is kept for them.

use super::{
    Result, Rooms,
    delivered::left_key,
    items::item_prefix,
    parts::drop_parts,
    records::MemberRecord,
    state::{Part, Room, cursor_key, far_cursor_key, part_key},
};
use crate::Fault;
use weft_store::{Batch, Error as StoreError, Row, Scan, Tx, tables};
use weft_wire::{Millis, RoomId};

/// People whose rows go in one store commit.
const PEOPLE_AT_ONCE: usize = 64;
/// Rows that are deleted in one store commit.
const PAGE: usize = 256;
/// For how long it is remembered that somebody has left a room of which nothing else is kept. Longer than a consent lasts by
/// which its hub could name them again.
const LEFT_MS: Millis = 30 * 24 * 60 * 60 * 1000;

impl Rooms {
    /// What people had beside the log of a copy goes with them.
    pub(super) async fn stage_gone_people(
        &self,
        tx: &Tx,
        room: RoomId,
        before: &[MemberRecord],
        after: &[MemberRecord],
    ) -> Result<()> {
        let stays = |one: &&MemberRecord| after.iter().any(|other| other.user == one.user);
        let gone: Vec<_> = before.iter().filter(|one| !stays(one)).collect();
        let (some, more) = gone.split_at(gone.len().min(PEOPLE_AT_ONCE));
        // Ahead of the transaction, which would not hold so many. Should that not come to be, nothing is lost that the hub,
        // which has named them as gone, could not have taken.
        for page in more.chunks(PEOPLE_AT_ONCE) {
            let batch = self.drop_people(room, page).await?;
            self.ctx.store.commit(batch).await?;
        }
        tx.merge(self.drop_people(room, some).await?);
        Ok(())
    }

    async fn drop_people(&self, room: RoomId, people: &[&MemberRecord]) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        for MemberRecord { user, devices, .. } in people {
            let items =
                self.ctx.store.scan(tables::ROOM_ITEMS, Scan::prefix(item_prefix(room, user))).await?;
            batch = items.iter().fold(batch, |batch, row| batch.delete(tables::ROOM_ITEMS, &row.key));
            if self.ctx.is_local(user) {
                let cursors = devices.iter().map(|device| cursor_key(room, user, *device));
                batch = cursors.fold(batch, |batch, key| batch.delete(tables::ROOM_CURSORS, key));
                batch = batch.delete(tables::ROOM_CURSORS, left_key(room, user));
            } else {
                batch = batch.delete(tables::ROOM_CURSORS, far_cursor_key(room, user));
            }
        }
        Ok(batch)
    }

    /// Removes a copy of which nobody here has anything any more, in steps, each of which meets a conflict when somebody comes
    /// in again. Who has left is remembered for a while. Gives how many rows were removed.
    pub(super) async fn drop_copy(&self, room: &Room, aged: Millis) -> Result<u64, Fault> {
        let mut removed = 0;
        let parts = &room.record.parts;
        // Read with the row, and gone with it.
        let members = (parts.members > 0).then(|| part_key(room.id, parts.id.as_slice(), Part::Members));
        let all = [
            tables::ROOM_LOG,
            tables::ROOM_MESSAGE_IDS,
            tables::ROOM_PARTS,
            tables::ROOM_ITEMS,
            tables::ROOM_CURSORS,
            tables::ROOM_HEADS,
            tables::ROOM_DOORS,
            // What was said here and given up, and whose sender has never asked for it again.
            tables::OUTBOX_SAID,
        ];
        for table in all {
            let mut after = Vec::new();
            loop {
                let scan = Scan::prefix(room.id.as_bytes()).after(&after).limit(PAGE);
                let rows = self.ctx.store.scan(table, scan).await?;
                let Some(last) = rows.last() else { break };
                after.clone_from(&last.key);
                let kept = |row: &Row| members.as_ref().is_some_and(|members| row.key.starts_with(members));
                let old: Vec<_> = rows.iter().filter(|row| !kept(row)).collect();
                let batch = old.iter().fold(Batch::new(), |batch, row| batch.delete(table, &row.key));
                if !self.drop_of(room, batch).await? {
                    return Ok(removed);
                }
                removed += old.len() as u64;
            }
        }
        let old = room.record.created_ms.saturating_add(LEFT_MS) <= aged;
        if room.record.left.is_empty() || old {
            let row = drop_parts(Batch::new(), room.id, parts).delete(tables::ROOMS, room.id.as_bytes());
            removed += u64::from(self.drop_of(room, row).await?);
        }
        Ok(removed)
    }

    /// False: the room was changed just now.
    async fn drop_of(&self, room: &Room, batch: Batch) -> Result<bool, Fault> {
        if batch.is_empty() {
            return Ok(true);
        }
        let batch = batch.assert_version(tables::ROOMS, room.id.as_bytes(), room.version);
        match self.ctx.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
