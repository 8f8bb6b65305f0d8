//! The followers of rooms of which this node is the hub: what each of them is told, and what it answers. Whatever a follower
//! answers, it is told of nothing from before its people came or after they went, and its answers make this node send no more
//! than there is.

use super::{Flows, Result};
use crate::{
    Fault,
    error::at_most,
    outgoing::{self, FollowerRecord, Outgoing, Until, follower_key},
    rooms::{Room, RoomError},
};
use std::collections::{HashMap, HashSet};
use weft_store::{Batch, Tx, record::Record, tables};
use weft_wire::{
    NodeName, RoomId, UserAddress,
    federation::Event,
    limits::{DEVICES_PER_ACCOUNT_MAX, ROOM_MEMBERS_MAX},
    rooms::{DeviceRef, RoomState},
};

/// Log entries that one event carries.
const ENTRIES_PER_EVENT_MAX: usize = 64;
/// Answers that bring a copy no further, before it is whole. After the first it is told what the room is like; after so many it
/// hears more when there is more.
const STUCK_MAX: u8 = 2;

impl Flows {
    /// The event for a row that tells a follower of news. `last`: no later row of the batch carries what is new
    /// in its log.
    pub(super) async fn read_news(
        &self,
        to: &NodeName,
        room: RoomId,
        with_state: bool,
        last: bool,
    ) -> Result<Event, RoomError> {
        let loaded = self.rooms.load(room).await?;
        let follower: Option<FollowerRecord> =
            self.ctx.read(tables::ROOM_FOLLOWERS, follower_key(room, to)).await?;
        let mut event = Event::Room { room, state: None, devices: Vec::new(), entries: Vec::new() };
        let Event::Room { state, devices, entries, .. } = &mut event else { return Ok(event) };
        let (Some(since), Some(follower)) = (loaded.since_of(to), follower.filter(|one| one.until.is_none()))
        else {
            if last || with_state {
                (*state, *entries) = self.read_end(&loaded, follower, with_state).await?;
            }
            return Ok(event);
        };
        let mut with_state = with_state || last && (follower.behind_ms.is_some() || follower.stuck > 0);
        let limit = if last || with_state { ENTRIES_PER_EVENT_MAX } else { 0 };
        let mut tail_now = 0;
        *entries = match self.rooms.entries(&loaded, 0, follower.acked.max(since), limit).await {
            Ok((entries, _)) => entries,
            Err(RoomError::CursorLost { tail }) => {
                // What is gone is gone; the state says from where on there is something.
                (with_state, tail_now) = (true, tail);
                self.rooms.entries(&loaded, 0, tail - 1, ENTRIES_PER_EVENT_MAX).await?.0
            }
            Err(error) => return Err(error),
        };
        if with_state {
            let mut described = self.rooms.describe(&loaded).await?.state;
            described.items.clear();
            described.asking = self.rooms.asking_for(&loaded, to).await?;
            // For that node there is nothing older; a copy that ends before it goes on there.
            described.tail = described.tail.max(since + 1).max(tail_now);
            *state = Some(described);
            *devices = loaded.devices().collect();
        }
        Ok(event)
    }

    /// For a node of which nobody is in a room any more: what is left of the log for it, and then that they are out. Who goes on
    /// to be in it is not for that node.
    async fn read_end(
        &self,
        room: &Room,
        follower: Option<FollowerRecord>,
        with_state: bool,
    ) -> Result<(Option<RoomState>, Vec<weft_wire::rooms::LogEntry>), RoomError> {
        let (mut entries, mut whole) = (Vec::new(), with_state);
        if let Some(FollowerRecord { acked, until: Some(until), .. }) = follower {
            let end = self.end_of(room.id, until).await?.unwrap_or(acked);
            if acked < end {
                entries = match self.rooms.entries(room, 0, acked, ENTRIES_PER_EVENT_MAX).await {
                    Ok((entries, _)) => entries,
                    Err(RoomError::CursorLost { .. }) => Vec::new(),
                    Err(error) => return Err(error),
                };
            }
            entries.retain(|entry| entry.seq <= end);
            whole = entries.last().is_none_or(|last| last.seq >= end);
        }
        if !whole {
            return Ok((None, entries));
        }
        let mut state = self.rooms.describe(room).await?.state;
        state.members.clear();
        state.items.clear();
        state.gone.clear();
        Ok((Some(state), entries))
    }

    /// The number of the last entry that is for a follower; none: it was forgotten.
    async fn end_of(&self, room: RoomId, until: Until) -> Result<Option<u64>, RoomError> {
        match until {
            Until::Number(seq) => Ok(Some(seq)),
            Until::Commit { device, message } => self.rooms.find(room, device, message).await,
        }
    }

    /// A follower has said how far its copy goes. Where that is less than there is, it hears more. Where it is less than before,
    /// or it does not have the room at all (`seq` is none), it has lost something, and hears what the room is like.
    pub(super) async fn note_follower(
        &self,
        tx: &Tx,
        to: &NodeName,
        room: RoomId,
        seq: Option<u64>,
    ) -> Result<(), Fault> {
        let key = follower_key(room, to);
        let Some(row) = tx.get(tables::ROOM_FOLLOWERS, &key).await? else { return Ok(()) };
        let before = FollowerRecord::from_record(&row.value)?;
        let loaded = self.rooms.load(room).await.map_err(unreadable)?;
        let head = self.rooms.head(room).await?;
        if let Some(until) = before.until {
            let end = self.end_of(room, until).await.map_err(unreadable)?.unwrap_or(before.acked);
            let acked = seq.unwrap_or(0).min(end);
            if acked >= end || acked <= before.acked {
                tx.delete(tables::ROOM_FOLLOWERS, key);
                return Ok(());
            }
            tx.put(tables::ROOM_FOLLOWERS, key, FollowerRecord { acked, ..before }.to_record());
            return self.stage_again(tx, to, Outgoing::Room { room, state: true }).await;
        }
        let since = loaded.since_of(to).unwrap_or(before.acked).min(head);
        let acked = seq.unwrap_or(0).clamp(since, head);
        let further = acked > before.acked && seq.is_some_and(|seq| seq >= since);
        let whole = seq.is_some() && acked == head;
        let stuck = match (whole, further) {
            (true, _) => 0,
            (false, true) => before.stuck,
            (false, false) => before.stuck.saturating_add(1),
        };
        let after = FollowerRecord { acked, behind_ms: None, until: None, stuck };
        tx.put(tables::ROOM_FOLLOWERS, &key, after.to_record());
        if whole || stuck >= STUCK_MAX {
            return Ok(());
        }
        self.stage_again(tx, to, Outgoing::Room { room, state: !further }).await
    }

    /// News of a room was given up: the follower was away for too long. One row takes the place of all, so that it hears what it
    /// missed as soon as it is there again, and not only when somebody speaks.
    pub(super) async fn note_behind(&self, tx: &Tx, to: &NodeName, room: RoomId) -> Result<(), Fault> {
        let key = follower_key(room, to);
        let Some(row) = tx.get(tables::ROOM_FOLLOWERS, &key).await? else { return Ok(()) };
        let record = FollowerRecord::from_record(&row.value)?;
        let (now, patience_ms) = (self.ctx.now(), self.ctx.config.peer_retention_ms / 2);
        // Its row waits, unless it is that one which was given up now.
        if record.behind_ms.is_some_and(|since| since.saturating_add(patience_ms) > now) {
            return Ok(());
        }
        let behind = FollowerRecord { behind_ms: Some(now), ..record };
        tx.put(tables::ROOM_FOLLOWERS, &key, behind.to_record());
        self.stage_again(tx, to, Outgoing::Room { room, state: true }).await
    }

    /// A follower has met a fault of its own over some news, which may be over by now: it hears once more, and what the room is like
    /// with it. Where that is refused as well it hears more when there is more.
    pub(super) async fn note_fault(&self, tx: &Tx, to: &NodeName, room: RoomId) -> Result<(), Fault> {
        let key = follower_key(room, to);
        let Some(row) = tx.get(tables::ROOM_FOLLOWERS, &key).await? else { return Ok(()) };
        let record = FollowerRecord::from_record(&row.value)?;
        let again = record.stuck == 0;
        if !again && record.until.is_some() {
            // There is nothing more.
            tx.delete(tables::ROOM_FOLLOWERS, key);
            return Ok(());
        }
        // No row waits any more that speaks for all later ones.
        let after = FollowerRecord { behind_ms: None, stuck: record.stuck.max(1), ..record };
        tx.put(tables::ROOM_FOLLOWERS, &key, after.to_record());
        if !again {
            return Ok(());
        }
        self.stage_again(tx, to, Outgoing::Room { room, state: true }).await
    }

    /// What has to arrive in the end waits anew.
    pub(super) async fn stage_again(&self, tx: &Tx, to: &NodeName, item: Outgoing) -> Result<(), Fault> {
        tx.merge(outgoing::stage_due(&self.ctx, Batch::new(), to, item));
        Ok(())
    }
}

fn unreadable(error: RoomError) -> Fault {
    match error {
        RoomError::Fault(fault) => fault,
        _ => Fault::Internal("a room that is followed cannot be read"),
    }
}

// ---- here, as a follower ----

impl Flows {
    /// Of the devices that a hub names: those of other nodes, those of people here that its copy holds already, and new ones
    /// that there are. For others nothing is kept.
    pub(super) async fn real_devices(
        &self,
        room: RoomId,
        state: Option<&RoomState>,
        devices: &[DeviceRef],
    ) -> Result<Vec<DeviceRef>> {
        let Some(state) = state else { return Ok(Vec::new()) };
        at_most("devices", devices.len(), ROOM_MEMBERS_MAX * DEVICES_PER_ACCOUNT_MAX)?;
        let before = match self.rooms.load(room).await {
            Err(RoomError::NotFound) => None,
            loaded => Some(loaded?),
        };
        let named: HashSet<&UserAddress> = state.members.iter().map(|member| &member.user).collect();
        let mut active = HashMap::new();
        let mut real = Vec::new();
        for one in devices.iter().filter(|one| named.contains(&one.user)) {
            let known = || before.as_ref()?.member(&one.user);
            let there = !self.ctx.is_local(&one.user)
                || known().is_some_and(|member| member.devices.contains(&one.device));
            if !there && !active.contains_key(&one.user) {
                let devices = self.accounts.active_devices(&one.user.name).await?;
                let devices: HashSet<_> = devices.into_iter().map(|(device, _)| device).collect();
                active.insert(&one.user, devices);
            }
            if there || active.get(&one.user).is_some_and(|devices| devices.contains(&one.device)) {
                real.push(one.clone());
            }
        }
        Ok(real)
    }
}
