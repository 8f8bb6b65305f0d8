//! Making rooms, and the one direct room of two people.

use super::{
    Result, RoomError, Rooms,
    commits::mls_error,
    parts::{drop_parts, new_parts},
    records::{CursorRecord, Hub, MemberRecord, RoomRecord},
    state::cursor_key,
};
use crate::{
    Budget, Caller, Fault, LimitKey,
    context::{be64, joined},
};
use weft_mls::{HubGroup, policy};
use weft_store::{Batch, Scan, Tx, record::Record, tables};
use weft_wire::{
    RoomId, UserAddress,
    rooms::{CreateRoom, DeviceRef, EntryKind, RoomCreated, RoomKind, RoomRole},
};

/// Entries among which a message is looked for: no direct room has so many commits before the first one.
const SPOKEN_ROWS_MAX: usize = 64;

/// A room that was checked and may be made.
pub(crate) struct NewRoom {
    pub id: RoomId,
    record: RoomRecord,
    /// The values of its first epoch.
    parts: Batch,
    cursor: Vec<u8>,
}

/// What came of making it.
pub(crate) struct Made {
    pub answer: RoomCreated,
    /// The room that was folded into the new one, to be told to both people's devices.
    pub folded: Option<RoomId>,
}

impl NewRoom {
    /// The people who are in it from the start.
    pub fn members(&self) -> impl Iterator<Item = &UserAddress> {
        self.record.members.iter().map(|member| &member.user)
    }
}

impl Rooms {
    /// The answer for a room that is there already: the same as the first time for its maker, a conflict for others.
    pub(crate) async fn made_before(
        &self,
        caller: &Caller,
        request: &CreateRoom,
    ) -> Result<Option<RoomCreated>> {
        self.ctx.limits.take_account(Budget::CreateRoom, caller.name())?;
        let room = match self.load(request.room).await {
            Ok(room) => room,
            Err(RoomError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        if room.record.creator.as_ref() != Some(&caller.device_ref()) || room.record.kind != request.kind {
            return Err(RoomError::IdConflict);
        }
        Ok(Some(RoomCreated { epoch: room.record.epoch, existing: room.record.folded_into }))
    }

    /// Checks a room in every way that needs nothing but the request.
    pub(crate) async fn check_new(&self, caller: &Caller, request: CreateRoom) -> Result<NewRoom> {
        let (id, kind, now) = (request.room, request.kind, self.ctx.now());
        let people = people(caller.user(), &kind)?;
        // Ids of rooms elsewhere are not to be had: a copy of such a room could not come here any more.
        if RoomId::of_hub(&self.ctx.node, request.nonce) != id {
            return Err(RoomError::Mismatch("room"));
        }
        self.ctx.limits.take_bytes(&LimitKey::caller(caller), request.group_info.len())?;
        let info = request.group_info.0;
        let made = tokio::task::spawn_blocking(move || {
            let made = HubGroup::create(id, &info, now).map_err(|error| mls_error(error, 0))?;
            Ok::<_, RoomError>((made, info))
        });
        let ((hub, creator), info) = made.await.map_err(|_| Fault::Internal("checking a group failed"))??;
        let own = creator.user == *caller.user()
            && creator.device_key == caller.session.device_key
            && creator.identity_key == caller.session.identity_key;
        if !own {
            return Err(RoomError::Certificate);
        }
        // Members tell a group from a direct room by its roles: what the hub says must be what they find.
        let roles = hub.roles().map_err(|error| mls_error(error, 0))?;
        policy::check_kind(&kind, roles.as_ref()).map_err(RoomError::Policy)?;
        let written = new_parts(id, &self.ctx.random(), &hub.to_bytes(), &info)?;
        let member = |(user, role): (UserAddress, RoomRole)| MemberRecord {
            devices: if user == *caller.user() { vec![caller.device()] } else { Vec::new() },
            user,
            role,
            since: 0,
        };
        let record = RoomRecord {
            kind,
            creator: Some(DeviceRef { user: creator.user, device: creator.device }),
            created_ms: now,
            epoch: 0,
            members: people.into_iter().map(member).collect(),
            gone: Vec::new(),
            left: Vec::new(),
            folded_into: None,
            parts: written.parts,
            hub: Hub::Here,
            nonce: Some(request.nonce),
        };
        let parts = written.batches.into_iter().fold(Batch::new(), Batch::merge);
        let cursor = cursor_key(id, caller.user(), caller.device());
        Ok(NewRoom { id, record, parts, cursor })
    }

    /// Makes the room, in the caller's transaction.
    ///
    /// Of two direct rooms of the same two people the lower id goes on. But a room in which somebody has spoken goes on
    /// whatever its id is: a device that lost its memory and opens a new room must not end a conversation.
    ///
    /// # Errors
    /// [`RoomError::IdConflict`].
    pub(crate) async fn stage_new(&self, tx: &Tx, new: &NewRoom) -> Result<Made> {
        if tx.get(tables::ROOMS, new.id.as_bytes()).await?.is_some() {
            return Err(RoomError::IdConflict);
        }
        let mut folded = None;
        if let RoomKind::Direct { members: (one, other) } = &new.record.kind {
            let key = joined(&one.to_string(), other.to_string());
            let existing = tx.get(tables::DIRECT_ROOMS, &key).await?;
            if let Some(existing) = existing.and_then(|row| RoomId::from_slice(&row.value).ok()) {
                match self.stage_fold(tx, existing, new).await? {
                    Some(answer) => return Ok(Made { answer, folded: None }),
                    None => folded = Some(existing),
                }
            }
            tx.put(tables::DIRECT_ROOMS, key, new.id.as_bytes().to_vec());
        }
        tx.put(tables::ROOMS, new.id.as_bytes(), new.record.to_record());
        tx.put(tables::ROOM_CURSORS, &new.cursor, CursorRecord::default().to_record());
        tx.add(tables::COUNTS, super::ROOMS, 1);
        for user in new.members().filter(|user| self.ctx.is_local(user)) {
            tx.put(tables::ROOMS_OF, joined(user.name.as_str(), new.id.as_bytes()), Vec::new());
            tx.add(tables::ROOMS_OF_COUNT, user.name.as_str(), 1);
        }
        tx.merge(new.parts.clone());
        Ok(Made { answer: RoomCreated { epoch: 0, existing: None }, folded })
    }

    /// Folds the room that two people have into the new one; or, when it goes on, gives the answer that says so.
    async fn stage_fold(&self, tx: &Tx, existing: RoomId, new: &NewRoom) -> Result<Option<RoomCreated>> {
        let row = tx.get(tables::ROOMS, existing.as_bytes()).await?;
        let row = row.ok_or(Fault::Internal("a direct room that is not there"))?;
        let record = RoomRecord::from_record(&row.value)?;
        // Nor is it ended here when another node is its hub.
        if existing < new.id || record.hub != Hub::Here || self.stage_spoken(tx, existing, &record).await? {
            return Ok(Some(RoomCreated { epoch: record.epoch, existing: Some(existing) }));
        }
        self.stage_folded(tx, existing, record, new.id).await?;
        Ok(None)
    }

    /// Whether anybody has spoken in a direct room of this hub, as far as that can be told; where it cannot, somebody has.
    async fn stage_spoken(&self, tx: &Tx, room: RoomId, record: &RoomRecord) -> Result<bool> {
        // Read, hence asserted: nobody speaks meanwhile.
        let head = tx.get(tables::ROOM_HEADS, room.as_bytes()).await?;
        // Each commit adds one to both; more entries than epochs are messages, or the numbers were begun anew after a restore.
        if head.and_then(|row| be64(&row.value)).unwrap_or(0) <= record.epoch {
            return Ok(false);
        }
        let scan = Scan::prefix(room.as_bytes()).limit(SPOKEN_ROWS_MAX);
        let rows = self.ctx.store.scan(tables::ROOM_LOG, scan).await?;
        let Some(first) = rows.first() else {
            // Everything was trimmed; or nobody but its maker was ever in it.
            return Ok(record.epoch > 0);
        };
        if be64(&first.key) != Some(1) || rows.len() == SPOKEN_ROWS_MAX {
            return Ok(true);
        }
        for row in &rows {
            let entry = self.entry(room, row).await?;
            let envelope = entry.and_then(|entry| entry.envelope.peek().ok());
            if envelope.is_none_or(|envelope| envelope.kind != EntryKind::Commit) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends a direct room that goes on in another one: nobody joins it or commits to it any more, and it is none of those that
    /// people here are in. Its row and its log stay, to say where it goes on and what was said.
    pub(super) async fn stage_folded(
        &self,
        tx: &Tx,
        from: RoomId,
        mut record: RoomRecord,
        into: RoomId,
    ) -> Result<()> {
        tx.merge(drop_parts(Batch::new(), from, &record.parts));
        for member in record.members.iter().filter(|member| self.ctx.is_local(&member.user)) {
            self.stage_room_of(tx, &member.user, from, false).await?;
        }
        record.folded_into = Some(into);
        tx.put(tables::ROOMS, from.as_bytes(), record.to_record());
        Ok(())
    }
}

/// Who is in a room from the start.
fn people(me: &UserAddress, kind: &RoomKind) -> Result<Vec<(UserAddress, RoomRole)>> {
    match kind {
        RoomKind::Group => Ok(vec![(me.clone(), RoomRole::Owner)]),
        RoomKind::Direct { members: (one, other) } => {
            if one >= other {
                let why = "two people, in the order of their addresses";
                return Err(Fault::Invalid { field: "kind", why }.into());
            }
            if me != one && me != other {
                return Err(RoomError::Forbidden("a direct room of others"));
            }
            Ok(vec![(one.clone(), RoomRole::Member), (other.clone(), RoomRole::Member)])
        }
    }
}
