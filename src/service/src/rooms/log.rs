//! Reading logs.

use super::{
    Result, RoomError, Rooms,
    records::{KeptEnvelope, LogRecord},
    state::{Part, Room, part_key},
};
use crate::{Fault, chunks, context::be64};
use weft_store::{Row, Scan, record::Record, tables};
use weft_wire::{
    RoomId, codec,
    limits::{COMMIT_BYTES_MAX, PAGE_MAX, SERVER_FRAME_BYTES_MAX},
    rooms::{GroupInfoAnswer, LogEntry, LogPage},
};

/// Bytes of envelopes in one page: a frame, less what goes around them. A single entry may be larger than half of it.
const PAGE_BYTES: usize = SERVER_FRAME_BYTES_MAX / 2;
/// What an entry costs beside its envelope's body.
const ENTRY_BYTES: usize = 128;
/// Rows that are read at once: no more than one page may hold of the longest messages, twice.
const ROWS_AT_ONCE: usize = 64;

pub(super) fn log_key(room: RoomId, seq: u64) -> Vec<u8> {
    [room.as_bytes().as_slice(), &seq.to_be_bytes()].concat()
}

impl Rooms {
    /// Entries after a number, as many as fit a page, and whether there may be more. Empty when there is nothing.
    ///
    /// # Errors
    /// [`RoomError::CursorLost`] when the next one is not there any more, or is older than the member.
    pub(crate) async fn entries(
        &self,
        room: &Room,
        since: u64,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<LogEntry>, bool)> {
        // Read first: what is written meanwhile is not missing.
        let head = self.head(room.id).await?;
        let scan = Scan::prefix(room.id.as_bytes()).after(log_key(room.id, after));
        let rows = self.ctx.store.scan(tables::ROOM_LOG, scan.limit(limit.min(ROWS_AT_ONCE))).await?;
        if after < since {
            return Err(RoomError::CursorLost { tail: since + 1 });
        }
        let limit = limit.min(ROWS_AT_ONCE);
        let is_empty = rows.is_empty() && limit > 0;
        let (mut entries, mut bytes, mut next, mut more) =
            (Vec::new(), 0, after.saturating_add(1), rows.len() == limit);
        for row in rows {
            // Trimmed between the two reads.
            let Some(entry) = self.entry(room.id, &row).await? else { break };
            if entry.seq != next {
                if entries.is_empty() {
                    return Err(RoomError::CursorLost { tail: entry.seq });
                }
                // What is there before the gap is not lost; who comes for the rest hears of it.
                more = true;
                break;
            }
            bytes += entry.envelope.body().len() + ENTRY_BYTES;
            if bytes > PAGE_BYTES && !entries.is_empty() {
                more = true;
                break;
            }
            next += 1;
            entries.push(entry);
        }
        // A number that was given after the last of these: either there is more, or a gap, which shows when it is asked for.
        more |= entries.last().is_some_and(|last| last.seq < head);
        if is_empty && after < head {
            // Numbers were given, and nothing has them: all of it was deleted, or the node comes from a backup.
            return Err(RoomError::CursorLost { tail: head + 1 });
        }
        if entries.is_empty() {
            // Whoever was promised more would ask again at once, and get nothing again.
            more = false;
        }
        Ok((entries, more))
    }

    pub(super) async fn entry(&self, room: RoomId, row: &Row) -> Result<Option<LogEntry>, Fault> {
        let seq = be64(&row.key).ok_or(Fault::Internal("a log key without a number"))?;
        let LogRecord { time_ms, envelope } = LogRecord::from_record(&row.value)?;
        let envelope = match envelope {
            KeptEnvelope::Inline(envelope) => envelope,
            KeptEnvelope::Parts { id, count } => {
                let key = part_key(room, id.as_slice(), Part::Envelope);
                let Some(bytes) = chunks::get(&self.ctx.store, tables::ROOM_PARTS, &key, count).await? else {
                    return Ok(None);
                };
                codec::decode(&bytes, COMMIT_BYTES_MAX + 4096)
                    .map_err(|_| Fault::Internal("a kept envelope cannot be read"))?
            }
        };
        Ok(Some(LogEntry { seq, time_ms, envelope }))
    }

    pub(super) async fn log_page(
        &self,
        room: &Room,
        since: u64,
        after: u64,
        limit: usize,
    ) -> Result<LogPage> {
        let head = self.head(room.id).await?;
        let (mut entries, mut bytes, mut after) = (Vec::<LogEntry>::new(), 0, after);
        let limit = limit.clamp(1, PAGE_MAX);
        while entries.len() < limit && bytes < PAGE_BYTES {
            let page = match self.entries(room, since, after, limit - entries.len()).await {
                Ok((page, _)) => page,
                // What is there before the gap is not lost.
                Err(RoomError::CursorLost { .. }) if !entries.is_empty() => break,
                Err(error) => return Err(error),
            };
            let Some(last) = page.last() else { break };
            after = last.seq;
            bytes += page.iter().map(|entry| entry.envelope.body().len() + ENTRY_BYTES).sum::<usize>();
            entries.extend(page);
        }
        // Read before the entries: there may be more by now.
        let head = entries.last().map_or(head, |last| head.max(last.seq));
        Ok(LogPage { head, entries })
    }

    pub(super) async fn read_group_info(&self, room: &Room) -> Result<Option<GroupInfoAnswer>> {
        let head = self.head(room.id).await?;
        let info = self.part(room.id, &room.record.parts, Part::Info).await?;
        Ok(info.map(|info| GroupInfoAnswer { epoch: room.record.epoch, head, group_info: info.into() }))
    }
}
