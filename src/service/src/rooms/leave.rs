//! Leaving a group. The hub cannot take leaves out of the tree; it names them as gone, as those of devices that were signed
//! out (docs/decisions/0004), and treats the person as no member from that moment on. Where another node is the hub, its copy
//! here does the same at once, and the hub hears of it.

use super::{
    Result, RoomError, Rooms,
    asked::asked_key,
    records::{Hub, MemberRecord, RoomRecord},
    state::{Room, cursor_key},
};
use crate::{
    context::joined,
    outgoing::{self, Outgoing},
};
use std::{collections::BTreeMap, sync::Arc};
use weft_mls::policy;
use weft_store::{Batch, Tx, Version, record::Record, tables};
use weft_wire::{
    NodeName, RoomId, UserAddress,
    rooms::{DeviceRef, RoomKind, RoomRole},
};

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
        let roles: BTreeMap<UserAddress, RoomRole> =
            room.members.iter().map(|member| (member.user.clone(), member.role)).collect();
        policy::may_leave(&present, &roles, &room.record.gone, user).map_err(RoomError::Policy)?;

        let mut record = room.record_with_members();
        record.left.push(user.clone());
        if self.ctx.is_local(user) {
            tx.delete(tables::ROOMS_ASKED, asked_key(&user.name, id));
        }
        if let Hub::At(hub) = &room.record.hub {
            tx.put(tables::ROOMS, id.as_bytes(), record.to_record());
            return Ok(Some(hub.clone()));
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
        self.stage_copy_change(tx, user, id, |record, members| {
            if record.epoch > epoch {
                return;
            }
            members.retain(|member| member.user != *user);
            tx.delete(tables::ROOMS_OF, joined(user.name.as_str(), id.as_bytes()));
            tx.add(tables::ROOMS_OF_COUNT, user.name.as_str(), -1);
        })
        .await
    }

    /// The hub does not let somebody here leave: they are in the room as before.
    pub(crate) async fn stage_stays(&self, tx: &Tx, user: &UserAddress, id: RoomId) -> Result<()> {
        self.stage_copy_change(tx, user, id, |_, _| {
            // Written anew, so that their sockets are told of the room again.
            tx.put(tables::ROOMS_OF, joined(user.name.as_str(), id.as_bytes()), Vec::new());
        })
        .await
    }

    async fn stage_copy_change(
        &self,
        tx: &Tx,
        user: &UserAddress,
        id: RoomId,
        change: impl FnOnce(&RoomRecord, &mut Vec<MemberRecord>) + Send,
    ) -> Result<()> {
        let Some(room) = self.stage_load(tx, id).await? else { return Ok(()) };
        if room.record.hub == Hub::Here || !room.has_left(user) {
            return Ok(());
        }
        let (mut record, mut members) = (room.record.clone(), room.members.clone());
        record.left.retain(|left| left != user);
        change(&record, &mut members);
        self.stage_copy_row(tx, id, record, members)
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
