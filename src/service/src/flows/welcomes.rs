//! Welcomes: what lets a device that a commit adds into the group. At the hub they are staged with the commit; of a device on
//! another node its home has the last word.

use super::{Flows, Result};
use crate::{
    Caller, Fault, ahead, chunks,
    error::within,
    federation::Outcome,
    inbox::{FarWelcome, NewWelcome, fits_inline},
    outgoing::{self, LongWelcome, Outgoing, welcome_key},
    rooms::{CheckedSubmission, RoomError, SEQ_MAX},
};
use std::collections::{BTreeMap, BTreeSet};
use weft_store::{Batch, Tx, tables};
use weft_wire::{
    Blob, NodeName,
    federation::{Event, EventResult},
    identity::DeviceCert,
    limits::GROUP_INFO_BYTES_MAX,
};

impl Flows {
    /// What a commit's Welcome adds to the commit. Long ones are written ahead of it.
    pub(super) async fn stage_welcomes(
        &self,
        caller: &Caller,
        checked: &CheckedSubmission,
        welcome: &Blob,
    ) -> Result<Batch> {
        let (room, (by, message)) = (checked.room.id, checked.id());
        let (here, there): (Vec<_>, Vec<_>) =
            checked.facts.added.iter().partition(|cert| self.ctx.is_local(&cert.user));
        let new = NewWelcome { room, by, message, welcome: welcome.as_slice(), copies: here.len() };
        let mut with = Batch::new();
        for cert in here {
            with = self.inbox.add_welcome(with, &cert.user.name, cert.device, &new).await?;
        }
        let inline = fits_inline(welcome.as_slice(), there.len());
        let mut nodes: BTreeMap<&NodeName, Vec<&DeviceCert>> = BTreeMap::new();
        for cert in there {
            nodes.entry(&cert.user.node).or_default().push(cert);
        }
        for (node, certs) in nodes {
            let mut long = None;
            if !inline {
                let id: [u8; 16] = self.ctx.random();
                let key = welcome_key(node, &id);
                let (parts, count) =
                    chunks::put(Batch::new(), tables::OUTBOX_PARTS, &key, welcome.as_slice())?;
                with = with.merge(ahead::OUTBOX_PARTS.write(&self.ctx, &key, vec![parts]).await?);
                long = Some(LongWelcome { id: Blob(id.to_vec()), count, last: false });
            }
            let last = certs.len() - 1;
            for (at, cert) in certs.into_iter().enumerate() {
                let item = Outgoing::Welcome {
                    room,
                    by: caller.user().clone(),
                    to: weft_mls::commit::device_ref(cert),
                    device: by,
                    message,
                    welcome: if inline { welcome.clone() } else { Blob::default() },
                    long: long.clone().map(|long| LongWelcome { last: at == last, ..long }),
                };
                with = outgoing::stage(&self.ctx, with, node, item).await?;
            }
        }
        Ok(with)
    }

    /// The event of a row.
    pub(super) async fn open_welcome(&self, node: &NodeName, item: &Outgoing) -> Result<Event, Fault> {
        let Outgoing::Welcome { room, by, to, device, message, welcome, long } = item else {
            return Err(Fault::Internal("no Welcome"));
        };
        // A commit that is forgotten by now: the client finds its cursor lost, and joins anew.
        let seq = self.rooms.find(*room, *device, *message).await;
        let seq = seq.map_err(|_| Fault::Internal("a commit cannot be found"))?.unwrap_or(0);
        let welcome = match long {
            None => welcome.clone(),
            Some(long) => {
                let key = welcome_key(node, long.id.as_slice());
                let whole = chunks::get(&self.ctx.store, tables::OUTBOX_PARTS, &key, long.count).await?;
                Blob(whole.ok_or(Fault::Internal("a Welcome that is not there"))?)
            }
        };
        Ok(Event::Welcome { room: *room, by: by.clone(), to: to.clone(), seq, welcome })
    }

    /// What became of it. Where the home of somebody does not let them be brought in, their leaf is to go again.
    pub(super) async fn settle_welcome(
        &self,
        tx: &Tx,
        node: &NodeName,
        item: &Outgoing,
        outcome: &Outcome,
    ) -> Result<()> {
        let Outgoing::Welcome { room, to, long, .. } = item else { return Ok(()) };
        if let Some(LongWelcome { id, count, last: true }) = long {
            let key = welcome_key(node, id.as_slice());
            tx.merge(chunks::delete(Batch::new(), tables::OUTBOX_PARTS, &key, *count));
        }
        if !matches!(outcome, Outcome::Result(EventResult::Refused(_))) {
            return Ok(());
        }
        match self.rooms.stage_gone(tx, *room, to).await {
            Err(RoomError::NotFound) => Ok(()),
            staged => Ok(staged?),
        }
    }

    /// The hub of a room has a Welcome for a device here.
    pub(super) async fn take_welcome(
        &self,
        tx: &Tx,
        hub: &NodeName,
        event: &Event,
    ) -> Result<Option<EventResult>> {
        let Event::Welcome { room, by, to, seq, welcome } = event else {
            return Err(RoomError::Mismatch("event").into());
        };
        within("welcome", welcome.len(), GROUP_INFO_BYTES_MAX)?;
        if *seq > SEQ_MAX {
            return Err(RoomError::Mismatch("number").into());
        }
        let loaded = self.rooms.load(*room).await?;
        if loaded.record.hub.elsewhere() != Some(hub) || loaded.member(&to.user).is_none() {
            return Err(RoomError::NotFound.into());
        }
        // Whoever is in the copy came in willingly, whoever it was that has brought this device in: of that only the hub speaks.
        if loaded.has_left(&to.user) {
            let kind = (*room, &loaded.record.kind);
            if !self.comes_willingly(&to.user, hub, kind, &BTreeSet::from([by])).await? {
                return Err(RoomError::NoConsent.into());
            }
            self.contacts.stage_use_consents(tx, &to.user.name, *room).await?;
        }
        let devices = self.accounts.active_devices(&to.user.name).await?;
        if devices.iter().any(|(device, _)| *device == to.device) {
            self.rooms.stage_brought_in(tx, to, *room, *seq).await?;
            let new = FarWelcome { room: *room, seq: *seq, welcome: welcome.as_slice() };
            self.inbox.stage_far_welcome(tx, &to.user.name, to.device, &new).await?;
        }
        Ok(None)
    }
}
