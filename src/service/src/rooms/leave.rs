//! Leaving a group. The hub cannot take leaves out of the tree; it names them as gone, as those of devices that were signed
//! out (docs/decisions/0004), and treats the person as no member from that moment on.

use super::{Result, RoomError, Rooms, state::cursor_key};
use std::collections::BTreeMap;
use weft_mls::policy;
use weft_store::{record::Record, tables};
use weft_wire::{
    RoomId, UserAddress,
    rooms::{DeviceRef, RoomKind, RoomRole},
};

impl Rooms {
    pub(super) async fn stage_leave(&self, user: &UserAddress, id: RoomId) -> Result<()> {
        self.ctx
            .store
            .transact(|tx| async move {
                let row = tx.get(tables::ROOMS, id.as_bytes()).await?.ok_or(RoomError::NotFound)?;
                let room = self.load(id).await?;
                if room.version != row.version {
                    // Written as it was, so that the commit meets the conflict that is already certain, and this runs again.
                    tx.put(tables::ROOMS, id.as_bytes(), row.value);
                    return Ok(());
                }
                if room.member(user).is_none() {
                    return Err(RoomError::NotFound);
                }
                if room.has_left(user) {
                    return Ok(());
                }
                if let RoomKind::Direct { .. } = room.record.kind {
                    return Err(RoomError::Forbidden("a direct room is not left"));
                }
                let present: Vec<DeviceRef> = room.devices().collect();
                let roles: BTreeMap<UserAddress, RoomRole> =
                    room.members.iter().map(|member| (member.user.clone(), member.role)).collect();
                policy::may_leave(&present, &roles, &room.record.gone, user).map_err(RoomError::Policy)?;

                let mut record = room.record.clone();
                if record.parts.members == 0 {
                    record.members.clone_from(&room.members);
                }
                record.left.push(user.clone());
                for device in present.into_iter().filter(|device| device.user == *user) {
                    tx.delete(tables::ROOM_CURSORS, cursor_key(id, user, device.device));
                    if !record.gone.contains(&device) {
                        record.gone.push(device);
                    }
                }
                tx.put(tables::ROOMS, id.as_bytes(), record.to_record());
                Ok(())
            })
            .await
    }
}
