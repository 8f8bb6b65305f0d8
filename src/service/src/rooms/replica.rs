//! A room whose hub is another node, as a follower keeps it: what the hub says of it, and a copy of the log under the hub's
//! numbers. No view of the group: what a commit may do is the hub's to decide, and every engine's to check.

use super::{
    Result, RoomError, Rooms,
    asked::asked_key,
    commits::{INLINE_ENVELOPE_BYTES_MAX, INLINE_MEMBERS_BYTES_MAX},
    log::log_key,
    parts::drop_parts,
    records::{CursorRecord, Hub, KeptEnvelope, LogRecord, MemberRecord, Parts, RoomRecord},
    state::{Part, cursor_key, part_key},
};
use crate::{
    Fault, chunks,
    context::{be64, joined},
    error::at_most,
};
use std::collections::{BTreeMap, BTreeSet};
use weft_store::{Batch, Tx, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, NodeName, RoomId, UserAddress, codec, limits,
    rooms::{DeviceRef, EntryKind, LogEntry, RoomKind, RoomMember, RoomState},
};

/// No log is ever as long, and no sum of numbers up to it overflows.
pub(crate) const SEQ_MAX: u64 = 1 << 53;

/// What a hub says is new.
pub(crate) struct News<'a> {
    pub room: RoomId,
    pub hub: &'a NodeName,
    pub state: Option<&'a RoomState>,
    pub devices: &'a [DeviceRef],
    pub entries: &'a [LogEntry],
}

impl Rooms {
    /// Stages what the hub says. Gives the newest number of the copy afterwards: lower than that of the entries when something
    /// before them is missing, and 0 when nobody here is in the room.
    ///
    /// # Errors
    /// [`RoomError::NotFound`] for a room that this node is not a follower of, and [`RoomError::Mismatch`].
    pub(crate) async fn stage_news(&self, tx: &Tx, news: &News<'_>) -> Result<u64> {
        let numbers = news.entries.iter().map(|entry| entry.seq);
        if numbers
            .chain(news.state.iter().flat_map(|state| [state.head, state.tail]))
            .any(|seq| seq > SEQ_MAX)
        {
            return Err(RoomError::Mismatch("number"));
        }
        let row = tx.get(tables::ROOMS, news.room.as_bytes()).await?;
        let mut before = row.map(|row| RoomRecord::from_record(&row.value)).transpose()?;
        if let Some(before) = &before
            && before.hub != Hub::At(news.hub.clone())
        {
            return Err(RoomError::NotFound);
        }
        if before.is_none() && news.state.is_none() {
            return Err(RoomError::NotFound);
        }
        if let Some(before) = &mut before
            && before.parts.members > 0
        {
            let members = self.part(news.room, &before.parts, Part::Members).await?;
            // Gone with a row that was replaced meanwhile: the commit will meet the conflict, and this runs again.
            let members = members.map(|members| codec::decode(&members, members.len())).transpose();
            let unreadable = |_| Fault::Internal("the members of a room cannot be read");
            before.members = members.map_err(unreadable)?.unwrap_or_default();
        }
        let head = tx.get(tables::ROOM_HEADS, news.room.as_bytes()).await?.and_then(|row| be64(&row.value));
        // Nobody here was in it: what is older is not for those who come.
        let is_new = head.is_none() || before.as_ref().is_none_or(|before| !self.serves(before));
        let (mut head, mut begins) = (head.unwrap_or(0), 0);
        match (news.entries.first(), news.state) {
            (Some(first), _) if is_new => head = first.seq.saturating_sub(1),
            (None, Some(state)) if is_new => head = state.head,
            // What is older is no longer to be had.
            (Some(first), Some(state)) if first.seq > head + 1 && first.seq == state.tail => {
                (head, begins) = (first.seq - 1, first.seq - 1);
            }
            _ => {}
        }
        let serves = match (news.state, &before) {
            (Some(state), _) => self.stage_state(tx, news, state, before, (head, begins)).await?,
            (None, before) => before.as_ref().is_some_and(|before| self.serves(before)),
        };
        if !serves {
            // Nobody here would read it.
            return Ok(0);
        }
        for entry in news.entries {
            if entry.seq == head + 1 {
                self.stage_copy(tx, news.room, entry)?;
                head = entry.seq;
            }
        }
        if !is_new || news.state.is_some() || !news.entries.is_empty() {
            tx.put(tables::ROOM_HEADS, news.room.as_bytes(), head.to_be_bytes());
        }
        Ok(head)
    }

    /// Whether somebody here is in the room of a copy, and has not left.
    fn serves(&self, record: &RoomRecord) -> bool {
        present(&record.members, &record.left).any(|member| self.ctx.is_local(&member.user))
    }

    /// Stages what a room is like. Whoever has left here stays out whatever the hub says, until a Welcome brings them in again.
    /// False: nobody here is in it.
    async fn stage_state(
        &self,
        tx: &Tx,
        news: &News<'_>,
        state: &RoomState,
        before: Option<RoomRecord>,
        (head, begins): (u64, u64),
    ) -> Result<bool> {
        if state.room != news.room || state.hub != *news.hub {
            return Err(RoomError::Mismatch("room"));
        }
        at_most("members", state.members.len(), limits::ROOM_MEMBERS_MAX)?;
        at_most("devices", news.devices.len(), limits::ROOM_MEMBERS_MAX * limits::DEVICES_PER_ACCOUNT_MAX)?;
        let known = before.as_ref().map_or(&[][..], |before| &before.members);
        let mut devices: BTreeMap<&UserAddress, Vec<DeviceId>> = BTreeMap::new();
        for one in news.devices {
            devices.entry(&one.user).or_default().push(one.device);
        }
        let member = |member: &RoomMember| MemberRecord {
            user: member.user.clone(),
            role: member.role,
            // Whoever was sent away and brought in again meanwhile begins anew: what is older is not told.
            since: known.iter().find(|one| one.user == member.user).map_or(head, |one| one.since.max(begins)),
            devices: devices.remove(&member.user).unwrap_or_default(),
        };
        let mut members: Vec<_> = state.members.iter().map(member).collect();
        let now = self.ctx.now();
        let mut record = RoomRecord {
            kind: state.kind.clone(),
            creator: None,
            created_ms: before.as_ref().map_or(now, |before| before.created_ms),
            epoch: state.epoch,
            members: Vec::new(),
            gone: state.gone.clone(),
            left: before.as_ref().map_or_else(Vec::new, |before| before.left.clone()),
            folded_into: before.as_ref().and_then(|before| before.folded_into),
            parts: before.as_ref().map_or_else(no_parts, |before| before.parts.clone()),
            hub: Hub::At(news.hub.clone()),
            nonce: before.as_ref().map_or(state.nonce, |before| before.nonce),
        };
        let was: Vec<_> = present(known, &record.left).cloned().collect();
        let is: Vec<_> = present(&members, &record.left).cloned().collect();
        let serves = is.iter().any(|member| self.ctx.is_local(&member.user));
        self.stage_comings(tx, news.room, &was, &is).await?;
        self.stage_gone_people(tx, news.room, known, &members).await?;
        if serves {
            self.stage_told_asking(tx, news.room, state.asking).await?;
            let commit = news.entries.iter().find(|entry| entry.seq > head && is_commit(entry));
            let near = commit.map_or(head, |entry| entry.seq);
            self.stage_devices(tx, news.room, &was, &is, near).await?;
        } else {
            let names = |members: &[MemberRecord]| members.iter().any(|one| self.ctx.is_local(&one.user));
            if names(known) && !names(&members) {
                record.created_ms = now;
            }
            if !names(&members) {
                members.clear();
                record.gone.clear();
            }
        }
        self.stage_copy_row(tx, news.room, record, members)?;
        Ok(serves)
    }

    /// Writes the row of a copy: its members in parts where they are many.
    pub(super) fn stage_copy_row(
        &self,
        tx: &Tx,
        room: RoomId,
        mut record: RoomRecord,
        members: Vec<MemberRecord>,
    ) -> Result<()> {
        tx.merge(drop_parts(Batch::new(), room, &record.parts));
        record.parts = no_parts();
        let encoded = codec::encode(&members);
        if encoded.len() > INLINE_MEMBERS_BYTES_MAX {
            let id: [u8; 16] = self.ctx.random();
            let key = part_key(room, &id, Part::Members);
            let (parts, count) = chunks::put(Batch::new(), tables::ROOM_PARTS, &key, &encoded)?;
            tx.merge(parts);
            record.parts = Parts { id: Blob(id.to_vec()), members: count, ..no_parts() };
            record.members = Vec::new();
        } else {
            record.members = members;
        }
        tx.put(tables::ROOMS, room.as_bytes(), record.to_record());
        Ok(())
    }

    /// The one direct room of two people, when another node has made one: of two the lower id goes on, of two at one hub the new one:
    /// it has only one, and has lost the other. Gives which is folded into which, if there were two.
    ///
    /// Unlike a hub that has both rooms, this does not ask whether anybody has spoken: the other node, which may not have heard
    /// that yet, would let the other room go on, and each of the two people speak where the other does not look.
    pub(crate) async fn stage_twins(
        &self,
        tx: &Tx,
        new: RoomId,
        kind: &RoomKind,
    ) -> Result<Option<(RoomId, RoomId)>> {
        let RoomKind::Direct { members: (one, other) } = kind else { return Ok(None) };
        let key = joined(&one.to_string(), other.to_string());
        let twin = tx.get(tables::DIRECT_ROOMS, &key).await?;
        let twin = twin.and_then(|row| RoomId::from_slice(&row.value).ok()).filter(|twin| *twin != new);
        let (from, into) = match twin {
            Some(twin) if self.stage_hub(tx, twin).await? == self.stage_hub(tx, new).await? => (twin, new),
            Some(twin) => (twin.max(new), twin.min(new)),
            None => (new, new),
        };
        tx.put(tables::DIRECT_ROOMS, key, into.as_bytes().to_vec());
        if from == into {
            return Ok(None);
        }
        let row = tx.get(tables::ROOMS, from.as_bytes()).await?.ok_or(RoomError::NotFound)?;
        self.stage_folded(tx, from, RoomRecord::from_record(&row.value)?, into).await?;
        Ok(Some((from, into)))
    }

    async fn stage_hub(&self, tx: &Tx, room: RoomId) -> Result<Option<NodeName>> {
        let Some(row) = tx.get(tables::ROOMS, room.as_bytes()).await? else { return Ok(None) };
        Ok(RoomRecord::from_record(&row.value)?.hub.elsewhere().cloned())
    }

    /// The rows of people here who come and go.
    async fn stage_comings(
        &self,
        tx: &Tx,
        room: RoomId,
        before: &[MemberRecord],
        after: &[MemberRecord],
    ) -> Result<()> {
        let has =
            |members: &[MemberRecord], user: &UserAddress| members.iter().any(|member| member.user == *user);
        for user in after.iter().map(|member| &member.user).filter(|user| self.ctx.is_local(user)) {
            if !has(before, user) {
                self.check_room_for(user).await?;
                tx.add(tables::ROOMS_OF_COUNT, user.name.as_str(), 1);
                tx.put(tables::ROOMS_OF, joined(user.name.as_str(), room.as_bytes()), Vec::new());
            }
        }
        for user in before.iter().map(|member| &member.user).filter(|user| self.ctx.is_local(user)) {
            if !has(after, user) {
                tx.delete(tables::ROOMS_OF, joined(user.name.as_str(), room.as_bytes()));
                tx.delete(tables::ROOMS_ASKED, asked_key(&user.name, room));
                tx.add(tables::ROOMS_OF_COUNT, user.name.as_str(), -1);
            }
        }
        Ok(())
    }

    /// The cursors of devices here that come and go: what is older than its coming is not for a device, and what it had stays
    /// had.
    async fn stage_devices(
        &self,
        tx: &Tx,
        room: RoomId,
        before: &[MemberRecord],
        after: &[MemberRecord],
        near: u64,
    ) -> Result<()> {
        let devices = |members: &[MemberRecord]| -> BTreeSet<(UserAddress, DeviceId)> {
            let local = members.iter().filter(|member| self.ctx.is_local(&member.user));
            local
                .flat_map(|member| member.devices.iter().map(|device| (member.user.clone(), *device)))
                .collect()
        };
        let stays = |user: &UserAddress| after.iter().any(|member| member.user == *user);
        let before: BTreeSet<_> = devices(before).into_iter().filter(|(user, _)| stays(user)).collect();
        let after = devices(after);
        let gone =
            before.difference(&after).map(|(user, device)| DeviceRef { user: user.clone(), device: *device });
        tx.merge(self.stage_left(Batch::new(), room, gone).await?);
        let begin = CursorRecord { acked: near, from: near, left: Vec::new() }.to_record();
        for (user, device) in after.difference(&before) {
            tx.put(tables::ROOM_CURSORS, cursor_key(room, user, *device), begin.clone());
        }
        Ok(())
    }

    fn stage_copy(&self, tx: &Tx, room: RoomId, entry: &LogEntry) -> Result<()> {
        let envelope = entry.envelope.peek().map_err(RoomError::Malformed)?;
        if envelope.room != room {
            return Err(RoomError::Mismatch("room"));
        }
        let kept = if entry.envelope.body().len() > INLINE_ENVELOPE_BYTES_MAX {
            let id: [u8; 16] = self.ctx.random();
            let key = part_key(room, &id, Part::Envelope);
            let bytes = codec::encode(&entry.envelope);
            let (parts, count) = chunks::put(Batch::new(), tables::ROOM_PARTS, &key, &bytes)?;
            tx.merge(parts);
            KeptEnvelope::Parts { id: Blob(id.to_vec()), count }
        } else {
            KeptEnvelope::Inline(entry.envelope.clone())
        };
        // A hub that is ahead of the clock would have it kept for ever.
        let time_ms = entry.time_ms.min(self.ctx.now() + limits::CLOCK_SKEW_MS_MAX);
        let record = LogRecord { time_ms, envelope: kept };
        tx.put(tables::ROOM_LOG, log_key(room, entry.seq), record.to_record());
        Ok(())
    }
}

/// Those of some members who have not left.
pub(super) fn present<'a>(
    members: &'a [MemberRecord],
    left: &'a [UserAddress],
) -> impl Iterator<Item = &'a MemberRecord> {
    members.iter().filter(|member| !left.contains(&member.user))
}

fn no_parts() -> Parts {
    Parts { id: Blob::default(), hub: 0, info: 0, members: 0 }
}

fn is_commit(entry: &LogEntry) -> bool {
    entry.envelope.peek().is_ok_and(|envelope| envelope.kind == EntryKind::Commit)
}
