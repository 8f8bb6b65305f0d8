//! The long values of an epoch, in rows of their own.

use super::{
    records::{KeptEnvelope, Parts},
    state::{Part, part_key},
};
use crate::{Fault, chunks};
use weft_store::{Batch, tables};
use weft_wire::{Blob, RoomId, Signed, rooms::Envelope};

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
