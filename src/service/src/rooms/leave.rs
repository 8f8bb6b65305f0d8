//! Leaving a group. The hub cannot take leaves out of the tree; it names them as gone, as those of devices that were signed
//! out (docs/decisions/0004), and treats the person as no member from that moment on. Where another node is the hub, its copy
//! here does the same at once, and the hub hears of it.

use super::{
    Result, RoomError, Rooms,
    asked::asked_key,
    records::{CursorRecord, Hub, RoomRecord},
    replica::SEQ_MAX,
    state::{Room, cursor_key},
};
use crate::{
    context::joined,
    outgoing::{self, FollowerRecord, Outgoing, Until, follower_key},
};
use std::{collections::BTreeMap, sync::Arc};
use weft_mls::policy;
use weft_store::{Batch, Tx, Version, record::Record, tables};
use weft_wire::{
    NodeName, RoomId, UserAddress,
    rooms::{DeviceRef, RoomKind, RoomRole},
};

/// People whose leaving a copy remembers.
const LEFT_MAX: usize = 256;

impl Room {
    fn roles(&self) -> BTreeMap<UserAddress, RoomRole> {
        self.members.iter().map(|member| (member.user.clone(), member.role)).collect()
    }
}

impl Rooms {
    /// A room as this transaction finds it; none: it was changed just now, and this runs again.
    pub(super) async fn stage_load(&self, tx: &Tx, id: RoomId) -> Result<Option<Arc<Room>>> {
        let row = tx.get(tables::ROOMS, id.as_bytes()).await?.ok_or(RoomError::NotFound)?;
        let room = self.load(id).await?;
        if room.version == row.version {
            return Ok(Some(room));
        }
        if row.version == Version(0) {
            // Written by this very transaction, for another device of the room.
            let mut record = RoomRecord::from_record(&row.value)?;
            let members = match record.parts.members {
                0 => std::mem::take(&mut record.members),
                _ => room.members.clone(),
            };
            return Ok(Some(Arc::new(Room { id, version: row.version, record, members })));
        }
        // Written as it was, so that the commit meets the conflict that is already certain.
        tx.put(tables::ROOMS, id.as_bytes(), row.value);
        Ok(None)
    }

    /// Somebody leaves. Gives the hub that has to hear of it, if it is another node. Leaving again changes nothing.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Policy`] for the last owner, who names another first, [`RoomError::Forbidden`] in
    /// a direct room.
    pub(crate) async fn stage_leave(
        &self,
        tx: &Tx,
        user: &UserAddress,
        id: RoomId,
    ) -> Result<Option<NodeName>> {
        let Some(room) = self.stage_load(tx, id).await? else { return Ok(None) };
        if room.member(user).is_none() {
            return Err(RoomError::NotFound);
        }
        if room.has_left(user) {
            return Ok(None);
        }
        if let RoomKind::Direct { .. } = room.record.kind {
            return Err(RoomError::Forbidden("a direct room is not left"));
        }
        let present: Vec<DeviceRef> = room.devices().collect();
        policy::may_leave(&present, &room.roles(), &room.record.gone, user).map_err(RoomError::Policy)?;

        let mut record = room.record_with_members();
        record.left.push(user.clone());
        if self.ctx.is_local(user) {
            tx.delete(tables::ROOMS_ASKED, asked_key(&user.name, id));
        }
        if let Hub::At(hub) = &room.record.hub {
            // Of those whom the hub does not name any more the oldest are let go.
            while record.left.len() > LEFT_MAX
                && let Some(at) = record.left.iter().position(|left| room.member(left).is_none())
            {
                record.left.remove(at);
            }
            tx.put(tables::ROOMS, id.as_bytes(), record.to_record());
            self.stage_room_of(tx, user, id, false).await?;
            return Ok(Some(hub.clone()));
        }
        if !self.ctx.is_local(user) {
            self.stage_last_of(tx, &room, user).await?;
        }
        for device in present.into_iter().filter(|device| device.user == *user) {
            if self.ctx.is_local(user) {
                tx.delete(tables::ROOM_CURSORS, cursor_key(id, user, device.device));
            }
            if !record.gone.contains(&device) {
                record.gone.push(device);
            }
        }
        tx.put(tables::ROOMS, id.as_bytes(), record.to_record());
        self.tell_followers_of(tx, &room).await?;
        Ok(None)
    }

    /// The hub has taken note, at an epoch, that somebody here has left: the copy forgets them before the hub's next word of the
    /// room, unless that has come already and they were brought in again.
    pub(crate) async fn stage_has_left(
        &self,
        tx: &Tx,
        user: &UserAddress,
        id: RoomId,
        epoch: u64,
    ) -> Result<()> {
        let Some(room) = self.stage_load(tx, id).await? else { return Ok(()) };
        if room.record.hub == Hub::Here || !room.has_left(user) || room.record.epoch > epoch {
            return Ok(());
        }
        let (mut record, mut members) = (room.record.clone(), room.members.clone());
        members.retain(|member| member.user != *user);
        self.stage_gone_people(tx, id, &room.members, &members).await?;
        if !members.iter().any(|member| self.ctx.is_local(&member.user)) {
            members.clear();
            record.created_ms = self.ctx.now();
        }
        self.stage_copy_row(tx, id, record, members)
    }

    /// The hub does not let somebody here leave, since nobody else owns the group. Where the copy says so too, they are in the
    /// room as before; a hub that says so without reason has only its own word for it. False: they stay out.
    pub(crate) async fn stage_stays(&self, tx: &Tx, user: &UserAddress, id: RoomId) -> Result<bool> {
        let Some(room) = self.stage_load(tx, id).await? else { return Ok(true) };
        if room.record.hub == Hub::Here || !room.has_left(user) || room.member(user).is_none() {
            return Ok(true);
        }
        let others: Vec<DeviceRef> =
            room.devices().filter(|device| device.user == *user || !room.has_left(&device.user)).collect();
        if policy::may_leave(&others, &room.roles(), &room.record.gone, user).is_ok() {
            return Ok(false);
        }
        let mut record = room.record_with_members();
        record.left.retain(|left| left != user);
        tx.put(tables::ROOMS, id.as_bytes(), record.to_record());
        self.stage_room_of(tx, user, id, true).await?;
        Ok(true)
    }

    /// A device here has a Welcome to which its person has agreed. Who had left is in the room again, from that commit on.
    pub(crate) async fn stage_brought_in(
        &self,
        tx: &Tx,
        device: &DeviceRef,
        id: RoomId,
        seq: u64,
    ) -> Result<()> {
        let user = &device.user;
        let Some(room) = self.stage_load(tx, id).await? else { return Ok(()) };
        if room.record.hub == Hub::Here || !room.has_left(user) {
            return Ok(());
        }
        if !room.present().any(|member| self.ctx.is_local(&member.user)) {
            // What the hub has told meanwhile was not kept: the copy begins with what it tells next.
            tx.delete(tables::ROOM_HEADS, id.as_bytes());
        }
        let (mut record, mut members) = (room.record.clone(), room.members.clone());
        record.left.retain(|left| left != user);
        for member in members.iter_mut().filter(|member| member.user == *user) {
            member.since = member.since.max(seq.min(SEQ_MAX).saturating_sub(1));
            if !member.devices.contains(&device.device) {
                member.devices.push(device.device);
            }
            let begin = CursorRecord { acked: member.since, from: member.since, left: Vec::new() };
            for device in &member.devices {
                tx.put(tables::ROOM_CURSORS, cursor_key(id, user, *device), begin.to_record());
            }
        }
        self.stage_copy_row(tx, id, record, members)?;
        self.stage_room_of(tx, user, id, true).await
    }

    /// Notes whether a room is one of those that somebody here is in. Written anew for whoever is, so that their sockets are told.
    pub(super) async fn stage_room_of(
        &self,
        tx: &Tx,
        user: &UserAddress,
        id: RoomId,
        is_in: bool,
    ) -> Result<()> {
        let key = joined(user.name.as_str(), id.as_bytes());
        let was_in = tx.get(tables::ROOMS_OF, &key).await?.is_some();
        match is_in {
            true => tx.put(tables::ROOMS_OF, key, Vec::new()),
            false => tx.delete(tables::ROOMS_OF, key),
        }
        if is_in != was_in {
            tx.add(tables::ROOMS_OF_COUNT, user.name.as_str(), if is_in { 1 } else { -1 });
        }
        Ok(())
    }

    /// Somebody of another node has left: if they were the last of it, it hears of nothing that comes after.
    async fn stage_last_of(&self, tx: &Tx, room: &Room, user: &UserAddress) -> Result<()> {
        if room.present().any(|member| member.user != *user && member.user.node == user.node) {
            return Ok(());
        }
        let key = follower_key(room.id, &user.node);
        if let Some(row) = tx.get(tables::ROOM_FOLLOWERS, &key).await? {
            let until = Some(Until::Number(self.head(room.id).await?));
            let ends = FollowerRecord { until, ..FollowerRecord::from_record(&row.value)? };
            tx.put(tables::ROOM_FOLLOWERS, key, ends.to_record());
        }
        Ok(())
    }

    /// The nodes that follow a room hear what it is like now.
    pub(super) async fn tell_followers_of(&self, tx: &Tx, room: &Room) -> Result<()> {
        if room.record.hub != Hub::Here {
            return Ok(());
        }
        for node in room.nodes(&self.ctx.node) {
            let item = Outgoing::Room { room: room.id, state: true };
            tx.merge(outgoing::stage_due(&self.ctx, Batch::new(), &node, item));
        }
        Ok(())
    }
}
