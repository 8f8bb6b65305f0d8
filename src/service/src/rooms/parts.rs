//! The long values of an epoch, in rows of their own.

use super::{
    Result, Rooms,
    records::{KeptEnvelope, Parts},
    state::{Part, part_key},
};
use crate::{Fault, chunks, context::be64};
use weft_store::{Batch, Scan, tables};
use weft_wire::{Blob, Millis, RoomId, Signed, rooms::Envelope};

/// Notes of parts that were written ahead and are older than this belong to a commit that never came.
const AHEAD_LIFETIME_MS: Millis = 10 * 60 * 1000;

/// Parts as they are written.
pub(super) struct Written {
    pub parts: Parts,
    /// One for each value, so that each fits by itself.
    pub batches: Vec<Batch>,
    pub bytes: usize,
}

/// The parts that each epoch has: the hub's view and the GroupInfo.
pub(super) fn new_parts(room: RoomId, id: &[u8; 16], hub: &[u8], info: &[u8]) -> Result<Written, Fault> {
    let parts = Parts { id: Blob(id.to_vec()), hub: 0, info: 0, members: 0 };
    let mut written = Written { parts, batches: Vec::new(), bytes: 0 };
    written.parts.hub = written.add(room, Part::Hub, hub)?;
    written.parts.info = written.add(room, Part::Info, info)?;
    Ok(written)
}

impl Written {
    /// Adds a value. Gives of how many rows it is.
    pub fn add(&mut self, room: RoomId, part: Part, value: &[u8]) -> Result<u8, Fault> {
        let key = part_key(room, self.parts.id.as_slice(), part);
        let (batch, count) = chunks::put(Batch::new(), tables::ROOM_PARTS, &key, value)?;
        self.batches.push(batch);
        self.bytes += value.len();
        Ok(count)
    }

    /// An envelope that is too long for its log entry.
    pub fn add_envelope(&mut self, room: RoomId, envelope: &Signed<Envelope>) -> Result<KeptEnvelope, Fault> {
        let count = self.add(room, Part::Envelope, &weft_wire::encode(envelope))?;
        Ok(KeptEnvelope::Parts { id: self.parts.id.clone(), count })
    }
}

/// Adds the deletion of an epoch's parts to a batch. A long envelope among them stays: the log names it.
pub(super) fn drop_parts(batch: Batch, room: RoomId, parts: &Parts) -> Batch {
    let all = [(Part::Hub, parts.hub), (Part::Info, parts.info), (Part::Members, parts.members)];
    all.into_iter().fold(batch, |batch, (part, count)| {
        chunks::delete(batch, tables::ROOM_PARTS, &part_key(room, parts.id.as_slice(), part), count)
    })
}

impl Rooms {
    /// Removes parts that were written ahead of a commit that never came. Gives how many rows.
    pub(super) async fn sweep_ahead(&self) -> Result<u64, Fault> {
        let (store, mut removed) = (&self.ctx.store, 0);
        for note in store.scan(tables::ROOM_PARTS_AHEAD, Scan::prefix([])).await? {
            let time = note.key.get(..8).and_then(be64).unwrap_or(0);
            let Some(prefix) = note.key.get(8..).filter(|_| time + AHEAD_LIFETIME_MS < self.ctx.now()) else {
                break;
            };
            // The note goes first: whoever still wants to commit asserts that it is there.
            let gone = Batch::new().delete(tables::ROOM_PARTS_AHEAD, &note.key);
            let gone = gone.assert_version(tables::ROOM_PARTS_AHEAD, &note.key, note.version);
            if store.commit(gone).await.is_err_and(|error| error.is_conflict()) {
                continue;
            }
            loop {
                let rows = store.scan(tables::ROOM_PARTS, Scan::prefix(prefix).limit(64)).await?;
                if rows.is_empty() {
                    break;
                }
                removed += rows.len() as u64;
                let batch = rows.iter().fold(Batch::new(), |b, row| b.delete(tables::ROOM_PARTS, &row.key));
                store.commit(batch).await?;
            }
        }
        Ok(removed)
    }
}
