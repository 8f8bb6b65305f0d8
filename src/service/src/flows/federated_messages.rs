//! What people here say in rooms of other nodes: it waits in the outbox until the hub has it, once, however often it is handed
//! in, and its sender hears what came of it.

use super::{Flows, Result};
use crate::{
    Caller, Fault, LimitKey,
    federation::{FederationError, Outcome},
    outgoing::{self, Outgoing, SaidRecord},
    rooms::RoomError,
};
use std::time::Duration;
use weft_net::LinkError;
use weft_store::{Batch, Scan, Tx, record::Record, tables};
use weft_wire::{
    Code, DeviceId, NodeName, Problem, RoomId,
    federation::{Event, EventResult},
    rooms::{Accepted, Envelope, SubmitMessage},
};

/// How long a message may take to its hub and back before its sender hears that it waits here for the hub.
const HUB_PATIENCE: Duration = Duration::from_secs(3);
/// Rows that are deleted in one commit.
const FORGET_PAGE: usize = 256;

/// Whether a message is in the outbox.
enum Said {
    Waits,
    /// It waited for too long, and was given up.
    GivenUp,
}

impl Flows {
    pub(super) async fn say(
        &self,
        caller: &Caller,
        room: RoomId,
        request: SubmitMessage,
    ) -> Result<Accepted> {
        let loaded = self.rooms.load_for(room, caller.user()).await?;
        let Some(hub) = loaded.record.hub.elsewhere().cloned() else {
            return Ok(self.rooms.submit_message(caller, room, request).await?);
        };
        let envelope = self.rooms.check_message(caller, room, &request)?;
        if let Some(into) = loaded.record.folded_into {
            return Err(RoomError::Folded { into }.into());
        }
        if !loaded.has_device(&envelope.sender, envelope.device) {
            return Err(RoomError::Forbidden("this device is not in the room's group").into());
        }
        let hash = *blake3::hash(request.envelope.body()).as_bytes();
        let bytes = request.envelope.body().len();
        let answer = self.waiting.wait_for((room, envelope.device, envelope.message_id));
        let event = Event::Message { cert: self.cert_of(caller).await?, envelope: request.envelope };
        let known: Option<SaidRecord> = self.ctx.read(tables::OUTBOX_SAID, said_key(&envelope)).await?;
        if known.is_none_or(|said| said.hash != hash) {
            // What only asks again costs nothing more on disk.
            self.ctx.limits.take_bytes(&LimitKey::caller(caller), bytes)?;
        }
        match self.stage_said(&hub, &envelope, hash, event).await? {
            Said::Waits => {}
            Said::GivenUp => {
                let problem = Problem::new(Code::Expired).detail(format_args!("{hub} was away for too long"));
                return Err(FederationError::Refused(problem).into());
            }
        }
        let patience = if self.nodes.is_away(&hub) { Duration::ZERO } else { HUB_PATIENCE };
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(EventResult::Accepted(accepted))) => Ok(accepted),
            Ok(Ok(EventResult::Refused(problem))) => Err(FederationError::Refused(problem).into()),
            Ok(Err(_)) | Err(_) => {
                Err(FederationError::Unreachable { node: hub, source: LinkError::TimedOut }.into())
            }
        }
    }

    /// Puts a message into the outbox, unless it is there. Another encryption of it goes out beside the first: the hub takes
    /// the one that fits.
    async fn stage_said(
        &self,
        hub: &NodeName,
        envelope: &Envelope,
        hash: [u8; 32],
        event: Event,
    ) -> Result<Said> {
        let key = said_key(envelope);
        let (key, event) = (&key, &event);
        self.ctx
            .store
            .transact(|tx| async move {
                let row = tx.get(tables::OUTBOX_SAID, key).await?;
                let known = row.map(|row| SaidRecord::from_record(&row.value)).transpose()?;
                match known {
                    Some(said) if said.hash == hash && said.given_up => {
                        // Told once. Handed in after that, it waits anew.
                        tx.delete(tables::OUTBOX_SAID, key);
                        return Ok(Said::GivenUp);
                    }
                    Some(said) if said.hash == hash => return Ok(Said::Waits),
                    _ => {}
                }
                let item = Outgoing::Event(Box::new(event.clone()));
                tx.merge(outgoing::stage(&self.ctx, Batch::new(), hub, item).await?);
                tx.put(tables::OUTBOX_SAID, key, SaidRecord { hash, given_up: false }.to_record());
                Ok(Said::Waits)
            })
            .await
    }

    /// Whoever waits for what became of a message hears it; one that was given up is remembered until its sender asks.
    pub(super) async fn settle_said(&self, tx: &Tx, event: &Event, outcome: &Outcome) -> Result<(), Fault> {
        let Event::Message { envelope: signed, .. } = event else { return Ok(()) };
        let Ok(envelope) = signed.peek() else { return Ok(()) };
        let (key, hash) = (said_key(&envelope), *blake3::hash(signed.body()).as_bytes());
        let row = tx.get(tables::OUTBOX_SAID, &key).await?;
        let known = row.map(|row| SaidRecord::from_record(&row.value)).transpose()?;
        // Another encryption is on its way: what counts is what comes of that one.
        if known.is_some_and(|said| said.hash == hash) {
            match outcome {
                Outcome::Expired => {
                    tx.put(tables::OUTBOX_SAID, &key, SaidRecord { hash, given_up: true }.to_record());
                }
                Outcome::Done | Outcome::Result(_) => tx.delete(tables::OUTBOX_SAID, &key),
            }
        }
        if let Outcome::Result(result) = outcome {
            self.waiting.tell((envelope.room, envelope.device, envelope.message_id), result);
        }
        Ok(())
    }
}

impl Flows {
    /// Nobody asks any more what became of what a device has said in a room.
    pub(super) async fn forget_said(&self, room: RoomId, device: DeviceId) -> Result<(), Fault> {
        let prefix = [room.as_bytes().as_slice(), device.as_bytes()].concat();
        loop {
            let scan = Scan::prefix(&prefix).limit(FORGET_PAGE);
            let rows = self.ctx.store.scan(tables::OUTBOX_SAID, scan).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let all =
                rows.iter().fold(Batch::new(), |batch, row| batch.delete(tables::OUTBOX_SAID, &row.key));
            self.ctx.store.commit(all).await?;
        }
    }
}

fn said_key(envelope: &Envelope) -> Vec<u8> {
    let (room, device, id) = (envelope.room, envelope.device, envelope.message_id);
    [room.as_bytes().as_slice(), device.as_bytes(), id.as_bytes()].concat()
}
