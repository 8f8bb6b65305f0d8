//! Taking envelopes into the log. The hot path: one store commit a message, and no look into the group.

use super::{
    Result, RoomError, Rooms,
    log::log_key,
    records::{KeptEnvelope, LogRecord, MessageIdRecord},
    state::Room,
};
use crate::{Budget, Caller, Fault, LimitKey, error::within, outgoing};
use std::sync::{Arc, atomic::Ordering};
use weft_mls::{config::PAST_EPOCHS_MAX, messages};
use weft_store::{Batch, Committed, Error as StoreError, Scan, record::Record, tables};
use weft_wire::{
    DeviceId, MessageId, RoomId, Signed,
    limits::MESSAGE_BYTES_MAX,
    rooms::{Accepted, EntryKind, Envelope, SubmitMessage},
    signed::SignedError,
};

/// What an envelope has besides its body.
const ENVELOPE_BYTES_MAX: usize = 1024;
/// How often a message is judged again when commits come in between.
const ATTEMPTS_MAX: usize = 16;
/// Entries of a log that are searched for one that was sent before.
const SEARCH_MAX: usize = 20_000;

impl Rooms {
    pub(super) async fn take_message(
        &self,
        caller: &Caller,
        room_id: RoomId,
        request: SubmitMessage,
    ) -> Result<Accepted> {
        let envelope = self.check_message(caller, room_id, &request)?;
        let signed = request.envelope;
        self.ctx.limits.take_bytes(&LimitKey::caller(caller), signed.body().len())?;
        let hash = *blake3::hash(signed.body()).as_bytes();
        for _ in 0..ATTEMPTS_MAX {
            let room = self.load_for(room_id, caller.user()).await?;
            if let Err(refused) = may_send(&room, &envelope) {
                // What was taken once stays taken, though the room has moved on since.
                return self.replay(&envelope, &hash).await?.ok_or(refused);
            }
            let (time_ms, epoch) = (self.ctx.now(), room.record.epoch);
            let near = self.head(room_id).await?;
            let id = MessageIdRecord { hash, time_ms, near, epoch };
            let kept = LogRecord { time_ms, envelope: KeptEnvelope::Inline(signed.clone()) };
            let batch = Batch::new().assert_version(tables::ROOMS, room_id.as_bytes(), room.version);
            let mut batch = append(batch, &envelope, &id, &kept);
            for node in room.nodes(&self.ctx.node) {
                batch = outgoing::stage_news(&self.ctx, batch, &node, room_id).await?;
            }
            match self.ctx.store.commit(batch).await {
                Ok(committed) => {
                    self.messages.fetch_add(1, Ordering::Relaxed);
                    return Ok(Accepted { seq: first_number(&committed)?, time_ms, epoch });
                }
                Err(StoreError::Conflict { .. }) => {
                    if let Some(accepted) = self.replay(&envelope, &hash).await? {
                        return Ok(accepted);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::Store(StoreError::Contended { attempts: 16, table: tables::ROOMS.name }).into())
    }

    /// Checks a message in every way that needs nothing but the request.
    pub(crate) fn check_message(
        &self,
        caller: &Caller,
        room: RoomId,
        request: &SubmitMessage,
    ) -> Result<Envelope> {
        // Whoever is far was held back at home, and what comes from there is counted by node. All of it comes by one outbox, in
        // order: where somebody was too fast, others would have to wait, or what they say would lose its order.
        if !caller.session.is_far() {
            self.ctx.limits.take_account(Budget::Message, caller.name())?;
        }
        let signed = &request.envelope;
        within("envelope", signed.body().len(), MESSAGE_BYTES_MAX + ENVELOPE_BYTES_MAX)?;
        let envelope = open_envelope(caller, room, signed, EntryKind::Message)?;
        check_body(&envelope)?;
        Ok(envelope)
    }

    /// The answer that an envelope got when it came before.
    ///
    /// # Errors
    /// [`RoomError::IdConflict`] when something else came under its id.
    pub(crate) async fn replay(&self, envelope: &Envelope, hash: &[u8; 32]) -> Result<Option<Accepted>> {
        let key = id_key(envelope.room, envelope.device, envelope.message_id);
        let Some(known) = self.ctx.read::<MessageIdRecord>(tables::ROOM_MESSAGE_IDS, key).await? else {
            return Ok(None);
        };
        if known.hash != *hash {
            return Err(RoomError::IdConflict);
        }
        let seq = self.search(envelope.room, envelope.device, envelope.message_id, known.near).await?;
        // Deleted from the log already: its own sender has read past it.
        let seq = seq.unwrap_or(known.near + 1);
        Ok(Some(Accepted { seq, time_ms: known.time_ms, epoch: known.epoch }))
    }

    /// The number of what a device sent under an id.
    pub(crate) async fn find(&self, room: RoomId, device: DeviceId, id: MessageId) -> Result<Option<u64>> {
        let known: Option<MessageIdRecord> =
            self.ctx.read(tables::ROOM_MESSAGE_IDS, id_key(room, device, id)).await?;
        match known {
            Some(known) => Ok(self.search(room, device, id, known.near).await?.or(Some(known.near))),
            None => Ok(None),
        }
    }

    /// Looks from `near` on. What it looks for is only as far as there were other writers at the same moment.
    async fn search(&self, room: RoomId, device: DeviceId, id: MessageId, near: u64) -> Result<Option<u64>> {
        let (mut after, mut searched) = (near, 0);
        while searched < SEARCH_MAX {
            let scan = Scan::prefix(room.as_bytes()).after(log_key(room, after)).limit(16);
            let rows = self.ctx.store.scan(tables::ROOM_LOG, scan).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            for row in rows {
                let entry = self.entry(room, &row).await?;
                let Some(entry) = entry else { return Ok(None) };
                let found =
                    entry.envelope.peek().map_err(|_| Fault::Internal("a kept envelope cannot be read"))?;
                if found.device == device && found.message_id == id {
                    return Ok(Some(entry.seq));
                }
                after = entry.seq;
                searched += 1;
            }
        }
        Ok(None)
    }
}

pub(super) fn id_key(room: RoomId, device: DeviceId, id: MessageId) -> Vec<u8> {
    [room.as_bytes().as_slice(), device.as_bytes(), id.as_bytes()].concat()
}

/// Adds an entry of the log and its id to a batch. The committer assigns the number, so that writers do not conflict.
pub(super) fn append(batch: Batch, envelope: &Envelope, id: &MessageIdRecord, kept: &LogRecord) -> Batch {
    let room = envelope.room;
    let key = id_key(room, envelope.device, envelope.message_id);
    batch
        .assert_absent(tables::ROOM_MESSAGE_IDS, &key)
        .put(tables::ROOM_MESSAGE_IDS, &key, id.to_record())
        .append(tables::ROOM_HEADS, room.as_bytes(), tables::ROOM_LOG, room.as_bytes(), kept.to_record())
}

pub(super) fn first_number(committed: &Committed) -> Result<u64> {
    Ok(committed.numbers.first().copied().ok_or(Fault::Internal("an append without a number"))?)
}

/// Checks signature and addressing of an envelope.
pub(super) fn open_envelope(
    caller: &Caller,
    room: RoomId,
    signed: &Signed<Envelope>,
    kind: EntryKind,
) -> Result<Envelope> {
    let envelope = signed.verify(&caller.session.device_key).map_err(|error| match error {
        SignedError::Body(cause) => RoomError::Malformed(cause),
        SignedError::Signature | SignedError::Key => RoomError::Signature,
    })?;
    if envelope.room != room {
        return Err(RoomError::Mismatch("room"));
    }
    if envelope.sender != *caller.user() {
        return Err(RoomError::Mismatch("sender"));
    }
    if envelope.device != caller.device() {
        return Err(RoomError::Mismatch("device"));
    }
    if envelope.kind != kind {
        return Err(RoomError::Mismatch("kind"));
    }
    Ok(envelope)
}

/// The body must be a PrivateMessage of this group and epoch: more of it nobody outside can check.
fn check_body(envelope: &Envelope) -> Result<()> {
    let message =
        messages::application(envelope.body.as_slice()).map_err(|cause| RoomError::Mls(Arc::new(cause)))?;
    if message.group_id().as_slice() != envelope.room.as_bytes() {
        return Err(RoomError::Mismatch("body's group"));
    }
    if message.epoch().as_u64() != envelope.epoch {
        return Err(RoomError::Mismatch("body's epoch"));
    }
    Ok(())
}

fn may_send(room: &Room, envelope: &Envelope) -> Result<()> {
    if let Some(into) = room.record.folded_into {
        return Err(RoomError::Folded { into });
    }
    let current = room.record.epoch;
    // As far back as the members still hold keys.
    if envelope.epoch > current || current - envelope.epoch > PAST_EPOCHS_MAX {
        return Err(RoomError::StaleEpoch { current });
    }
    if !room.has_device(&envelope.sender, envelope.device) {
        return Err(RoomError::Forbidden("this device is not in the room's group"));
    }
    Ok(())
}
