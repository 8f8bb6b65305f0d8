//! Trimming logs: an entry stays until every device here has passed it, or the retention ends.

use super::{
    Result, RoomError, Rooms,
    messages::id_key,
    records::{CursorRecord, KeptEnvelope, LogRecord},
    state::{Part, Room, cursor_key, part_key},
};
use crate::{Fault, ahead, chunks, context::be64};
use weft_store::{Batch, Row, Scan, record::Record, tables};
use weft_wire::{Millis, RoomId};

/// Entries that are deleted in one store commit.
const TRIM_PAGE: usize = 256;

impl Rooms {
    /// Trims all logs, what waits at doors for too long, and what commits left behind. Gives how many rows were removed.
    pub(crate) async fn sweep(&self) -> Result<u64> {
        let (mut removed, mut after) = (ahead::ROOM_PARTS.sweep(&self.ctx).await?, Vec::new());
        let (aged, mut failed) = (self.ctx.aged().await?, Ok(()));
        removed += self.sweep_asked(aged).await?;
        loop {
            let rows = self.ctx.store.scan(tables::ROOMS, Scan::prefix([]).after(&after)).await?;
            let Some(last) = rows.last() else { return failed.map(|()| removed) };
            after.clone_from(&last.key);
            for row in rows {
                let Ok(id) = RoomId::from_slice(&row.key) else { continue };
                match self.sweep_room(id, aged).await {
                    Ok(rows) => removed += rows,
                    Err(error @ RoomError::Fault(Fault::Store(_))) => return Err(error),
                    // One room that cannot be read must not let the logs of all that come after it grow for ever.
                    Err(error) => failed = Err(error),
                }
            }
        }
    }

    async fn sweep_room(&self, id: RoomId, aged: Millis) -> Result<u64> {
        let room = self.load(id).await?;
        if room.is_over(&self.ctx.node) {
            return Ok(self.drop_copy(&room, aged).await?);
        }
        Ok(self.sweep_door(&room, aged).await? + self.trim(&room, aged).await?)
    }

    async fn trim(&self, room: &Room, aged: Millis) -> Result<u64, Fault> {
        let passed = self.passed_by_all(room).await?;
        let oldest_ms = aged.saturating_sub(self.ctx.config.retention_ms);
        // The first look is at one entry: where that one stays, all stay, and most rooms have nothing to trim most of the time.
        let (mut removed, mut page_max) = (0, 1);
        loop {
            let scan = Scan::prefix(room.id.as_bytes()).limit(page_max);
            page_max = TRIM_PAGE;
            let rows = self.ctx.store.scan(tables::ROOM_LOG, scan).await?;
            let mut batch = Batch::new();
            let mut page = 0;
            for row in rows {
                let record = LogRecord::from_record(&row.value)?;
                let passed = be64(&row.key).is_some_and(|seq| seq <= passed);
                if !passed && record.time_ms >= oldest_ms {
                    break;
                }
                batch = self.drop_entry(batch, room.id, &row, record).await?;
                page += 1;
            }
            if page == 0 {
                return Ok(removed);
            }
            self.ctx.store.commit(batch).await?;
            removed += page;
        }
    }

    /// The number up to which every device in the group has acknowledged. The sender's own device is among them, so nobody
    /// sends anew what is forgotten here.
    async fn passed_by_all(&self, room: &Room) -> Result<u64, Fault> {
        let mut passed = u64::MAX;
        for device in room.devices() {
            // A copy is kept for the people here; the hub waits for its retention where others have not said how far they are.
            let elsewhere = room.record.hub.elsewhere().is_some() && !self.ctx.is_local(&device.user);
            let out = room.has_left(&device.user) || !room.has_device(&device.user, device.device);
            if elsewhere || out {
                continue;
            }
            let key = cursor_key(room.id, &device.user, device.device);
            let cursor: Option<CursorRecord> = self.ctx.read(tables::ROOM_CURSORS, key).await?;
            passed = passed.min(cursor.map_or(0, |cursor| cursor.acked));
        }
        Ok(if passed == u64::MAX { 0 } else { passed })
    }

    async fn drop_entry(
        &self,
        batch: Batch,
        room: RoomId,
        row: &Row,
        record: LogRecord,
    ) -> Result<Batch, Fault> {
        let mut batch = batch.delete(tables::ROOM_LOG, &row.key);
        let entry = self.entry(room, row).await?;
        if let Some(envelope) = entry.and_then(|entry| entry.envelope.peek().ok()) {
            let id = id_key(room, envelope.device, envelope.message_id);
            batch = batch.delete(tables::ROOM_MESSAGE_IDS, id);
        }
        if let KeptEnvelope::Parts { id, count } = record.envelope {
            let key = part_key(room, id.as_slice(), Part::Envelope);
            batch = chunks::delete(batch, tables::ROOM_PARTS, &key, count);
        }
        Ok(batch)
    }
}
