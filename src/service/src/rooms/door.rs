//! The door of a group, at its hub: links by which people ask to be let in, and those who ask. Who decides is an owner or
//! admin; what lets them in is an ordinary commit. A follower knows only how many ask, for its own owners and admins.

use super::{
    Result, RoomError, Rooms,
    records::{AskingRecord, DoorKey, DoorRecord, Hub},
    state::Room,
};
use crate::{
    Fault,
    error::at_most,
    outgoing::{self, Outgoing},
};
use std::{collections::BTreeSet, sync::Arc};
use weft_store::{Batch, Scan, Tx, record::Record, tables};
use weft_wire::{
    Blob, Millis, NodeName, RoomId, Signed, UserAddress,
    identity::UserIdentity,
    limits::{GROUP_LINKS_MAX, JOIN_REQUESTS_MAX, ROOM_MEMBERS_MAX},
    rooms::{CreateGroupLink, JoinRequest, JoinRequests, RoomKind, RoomRole},
};

/// How long a link may live, and for how long somebody waits.
const LIFETIME_MS_MAX: Millis = 30 * 24 * 60 * 60 * 1000;

/// What a token leads to.
pub(crate) enum Doorway {
    /// They are in it already.
    Member,
    /// They may ask.
    Open {
        /// Who made the link.
        by: UserAddress,
        /// Whether somebody has to agree.
        approval: bool,
    },
}

impl Room {
    /// Whether somebody decides who comes in.
    pub fn decides(&self, user: &UserAddress) -> bool {
        let decider = self.member(user).is_some_and(|member| member.role >= RoomRole::Admin);
        decider && !self.has_left(user)
    }

    /// Whether anybody of a node does.
    fn decides_at(&self, node: &NodeName) -> bool {
        self.members.iter().any(|member| member.user.node == *node && self.decides(&member.user))
    }
}

impl Rooms {
    /// How many ask to be let in, as far as somebody may know.
    pub(crate) async fn asking(&self, room: &Room, viewer: &UserAddress) -> Result<u32, Fault> {
        if room.decides(viewer) { Ok(self.door(room.id).await?.asking) } else { Ok(0) }
    }

    /// The same for another node, which tells its owners and admins.
    pub(crate) async fn asking_for(&self, room: &Room, node: &NodeName) -> Result<u32, Fault> {
        if room.decides_at(node) { Ok(self.door(room.id).await?.asking) } else { Ok(0) }
    }

    async fn door(&self, room: RoomId) -> Result<DoorRecord, Fault> {
        Ok(self.ctx.read(tables::ROOM_DOORS, room.as_bytes()).await?.unwrap_or_default())
    }

    /// A room of this hub in which somebody decides.
    async fn load_to_decide(&self, id: RoomId, by: &UserAddress) -> Result<Arc<Room>> {
        let room = self.load_for(id, by).await?;
        if room.record.hub != Hub::Here {
            return Err(RoomError::NotFound);
        }
        if room.decides(by) { Ok(room) } else { Err(RoomError::Forbidden("owners and admins decide that")) }
    }

    /// Registers a link. Again with the same token: as if it were the first time.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Forbidden`], [`RoomError::IdConflict`] for somebody else's token,
    /// [`Fault::Invalid`], [`Fault::TooMany`].
    pub(crate) async fn make_link(
        &self,
        by: &UserAddress,
        room: RoomId,
        request: &CreateGroupLink,
    ) -> Result<()> {
        if !(1..=LIFETIME_MS_MAX).contains(&request.lifetime_ms) {
            return Err(Fault::Invalid { field: "lifetime_ms", why: "from 1 ms to 30 days" }.into());
        }
        self.load_to_decide(room, by).await?;
        let (now, hash) = (self.ctx.now(), request.token_hash);
        let expires_ms = now + request.lifetime_ms;
        let key = &DoorKey { hash, by: by.clone(), approval: request.approval, expires_ms };
        self.ctx
            .store
            .transact(|tx| async move {
                let mut door = stage_door(&tx, room).await?;
                if door.keys.iter().any(|known| known.hash == hash && known.by != *by) {
                    return Err(RoomError::IdConflict);
                }
                door.keys.retain(|known| !request.only && known.hash != hash && known.expires_ms > now);
                at_most("links", door.keys.len() + 1, GROUP_LINKS_MAX)?;
                door.keys.push(key.clone());
                tx.put(tables::ROOM_DOORS, room.as_bytes(), door.to_record());
                Ok(())
            })
            .await
    }

    /// Ends all links of a room.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Forbidden`].
    pub(crate) async fn end_links(&self, by: &UserAddress, room: RoomId) -> Result<()> {
        self.load_to_decide(room, by).await?;
        self.ctx
            .store
            .transact(|tx| async move {
                let mut door = stage_door(&tx, room).await?;
                if !door.keys.is_empty() {
                    door.keys.clear();
                    tx.put(tables::ROOM_DOORS, room.as_bytes(), door.to_record());
                }
                Ok(())
            })
            .await
    }

    /// Who asks to be let in, oldest first.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Forbidden`].
    pub(crate) async fn requests(&self, by: &UserAddress, room: RoomId) -> Result<JoinRequests> {
        self.load_to_decide(room, by).await?;
        let mut requests = Vec::new();
        for (user, record) in self.all_asking(room).await? {
            let AskingRecord { identity, asked_ms, approval, proof } = record;
            if asked_ms + LIFETIME_MS_MAX > self.ctx.now() {
                requests.push(JoinRequest { user, identity, asked_ms, approval, proof });
            }
        }
        requests.sort_by_key(|request| request.asked_ms);
        Ok(JoinRequests { requests })
    }

    /// Sends somebody away who asks. They are not told.
    ///
    /// # Errors
    /// [`RoomError::NotFound`], [`RoomError::Forbidden`].
    pub(crate) async fn decline(&self, by: &UserAddress, room: RoomId, user: &UserAddress) -> Result<()> {
        let room = &self.load_to_decide(room, by).await?;
        self.ctx
            .store
            .transact(|tx| async move {
                let key = asking_key(room.id, user);
                if tx.get(tables::ROOM_ASKING, &key).await?.is_none() {
                    return Ok(());
                }
                tx.delete(tables::ROOM_ASKING, key);
                self.stage_count(&tx, room, -1).await
            })
            .await
    }

    /// What somebody finds behind a token.
    ///
    /// # Errors
    /// [`RoomError::LinkInvalid`], whatever is wrong: whoever has no link learns nothing.
    pub(crate) async fn stage_look(
        &self,
        tx: &Tx,
        id: RoomId,
        user: &UserAddress,
        token: &Blob,
    ) -> Result<Doorway> {
        // Asserted: whoever comes in at this moment does not stay behind as one who asks.
        tx.get(tables::ROOMS, id.as_bytes()).await?.ok_or(RoomError::LinkInvalid)?;
        let room = self.load(id).await?;
        if room.record.hub != Hub::Here || room.record.kind != RoomKind::Group {
            return Err(RoomError::LinkInvalid);
        }
        if room.member(user).is_some() && !room.has_left(user) {
            return Ok(Doorway::Member);
        }
        let shown = blake3::hash(token.as_slice());
        let door = stage_door(tx, id).await?;
        // Compared in constant time, as `blake3::Hash` does.
        let key = door.keys.into_iter().find(|key| blake3::Hash::from_bytes(key.hash) == shown);
        let good = |key: &DoorKey| key.expires_ms > self.ctx.now() && room.decides(&key.by);
        let DoorKey { by, approval, .. } = key.filter(good).ok_or(RoomError::LinkInvalid)?;
        Ok(Doorway::Open { by, approval })
    }

    /// Notes that somebody asks to be let in, after [`Self::stage_look`].
    ///
    /// # Errors
    /// [`Fault::TooMany`].
    pub(crate) async fn stage_asking(
        &self,
        tx: &Tx,
        id: RoomId,
        user: &UserAddress,
        identity: &Signed<UserIdentity>,
        (approval, proof): (bool, [u8; 32]),
    ) -> Result<()> {
        let room = self.load(id).await?;
        let key = asking_key(id, user);
        let before = tx.get(tables::ROOM_ASKING, &key).await?;
        let before = before.map(|row| AskingRecord::from_record(&row.value)).transpose()?;
        let now = self.ctx.now();
        let waits = before.as_ref().filter(|before| before.asked_ms + LIFETIME_MS_MAX > now);
        // Of two links the one that lets in more freely counts.
        let (approval, proof) = match waits {
            Some(before) if approval && !before.approval => (false, before.proof),
            _ => (approval, proof),
        };
        if waits.is_some_and(|before| before.approval == approval && before.proof == proof) {
            return Ok(());
        }
        if before.is_none() {
            let asking = stage_door(tx, id).await?.asking as usize;
            at_most("people who ask to be let in", asking + 1, JOIN_REQUESTS_MAX)?;
        }
        let asked_ms = waits.map_or(now, |before| before.asked_ms);
        let record = AskingRecord { identity: identity.clone(), asked_ms, approval, proof };
        tx.put(tables::ROOM_ASKING, key, record.to_record());
        // Also where the number is as it was: those who decide look again.
        self.stage_count(tx, &room, i32::from(before.is_none())).await
    }

    /// Whether somebody asks to be let in.
    pub(crate) async fn is_asking(&self, room: RoomId, user: &UserAddress) -> Result<bool, Fault> {
        let record: Option<AskingRecord> = self.ctx.read(tables::ROOM_ASKING, asking_key(room, user)).await?;
        Ok(record.is_some_and(|record| record.asked_ms + LIFETIME_MS_MAX > self.ctx.now()))
    }

    /// Counts, and tells the nodes on which somebody decides.
    async fn stage_count(&self, tx: &Tx, room: &Room, more: i32) -> Result<()> {
        let mut door = stage_door(tx, room.id).await?;
        door.asking = door.asking.saturating_add_signed(more);
        tx.put(tables::ROOM_DOORS, room.id.as_bytes(), door.to_record());
        let deciders = room.members.iter().filter(|member| room.decides(&member.user));
        let nodes: BTreeSet<_> = deciders.map(|member| &member.user.node).collect();
        for node in nodes.into_iter().filter(|node| **node != self.ctx.node) {
            let item = Outgoing::Room { room: room.id, state: true };
            tx.merge(outgoing::stage_if_room(&self.ctx, Batch::new(), node, item).await?);
        }
        Ok(())
    }

    /// Those who come in by a commit do not ask any more.
    pub(super) async fn end_asking(
        &self,
        mut batch: Batch,
        room: RoomId,
        users: &BTreeSet<UserAddress>,
    ) -> Result<Batch, Fault> {
        let mut ended = 0;
        for user in users {
            let key = asking_key(room, user);
            if let Some(row) = self.ctx.store.get(tables::ROOM_ASKING, &key).await? {
                batch = batch
                    .assert_version(tables::ROOM_ASKING, &key, row.version)
                    .delete(tables::ROOM_ASKING, &key);
                ended += 1;
            }
        }
        let door = self.ctx.store.get(tables::ROOM_DOORS, room.as_bytes()).await?;
        let Some(row) = door.filter(|_| ended > 0) else { return Ok(batch) };
        let mut door = DoorRecord::from_record(&row.value)?;
        door.asking = door.asking.saturating_sub(ended);
        batch = batch.assert_version(tables::ROOM_DOORS, room.as_bytes(), row.version);
        Ok(batch.put(tables::ROOM_DOORS, room.as_bytes(), door.to_record()))
    }

    /// How many ask at the hub of a room whose copy is kept here.
    pub(super) async fn stage_told_asking(&self, tx: &Tx, room: RoomId, asking: u32) -> Result<()> {
        let door = DoorRecord { keys: Vec::new(), asking };
        if stage_door(tx, room).await? != door {
            tx.put(tables::ROOM_DOORS, room.as_bytes(), door.to_record());
        }
        Ok(())
    }

    async fn all_asking(&self, room: RoomId) -> Result<Vec<(UserAddress, AskingRecord)>, Fault> {
        let scan = Scan::prefix(room.as_bytes()).limit(ROOM_MEMBERS_MAX);
        let mut all = Vec::new();
        for row in self.ctx.store.scan(tables::ROOM_ASKING, scan).await? {
            let user = row.key.get(16..).and_then(|key| std::str::from_utf8(key).ok()?.parse().ok());
            let user = user.ok_or(Fault::Internal("the key of somebody who asks cannot be read"))?;
            all.push((user, AskingRecord::from_record(&row.value)?));
        }
        Ok(all)
    }

    /// Removes links that are over and requests that nobody has answered. Gives how many.
    pub(super) async fn sweep_door(&self, room: &Room, aged: Millis) -> Result<u64> {
        let door = self.door(room.id).await?;
        if room.record.hub != Hub::Here || door == DoorRecord::default() {
            return Ok(0);
        }
        let mut ended = self.all_asking(room.id).await?;
        ended.retain(|(_, record)| record.asked_ms + LIFETIME_MS_MAX <= aged);
        let ended = &ended;
        self.ctx
            .store
            .transact(|tx| async move {
                let mut door = stage_door(&tx, room.id).await?;
                let (keys, mut removed) = (door.keys.len(), 0);
                door.keys.retain(|key| key.expires_ms > aged);
                if door.keys.len() < keys {
                    tx.put(tables::ROOM_DOORS, room.id.as_bytes(), door.to_record());
                }
                for (user, record) in ended {
                    let key = asking_key(room.id, user);
                    let Some(row) = tx.get(tables::ROOM_ASKING, &key).await? else { continue };
                    if AskingRecord::from_record(&row.value)?.asked_ms == record.asked_ms {
                        tx.delete(tables::ROOM_ASKING, key);
                        removed += 1;
                    }
                }
                if removed > 0 {
                    self.stage_count(&tx, room, -removed).await?;
                }
                Ok(u64::from(removed.unsigned_abs()) + (keys - door.keys.len()) as u64)
            })
            .await
    }
}

async fn stage_door(tx: &Tx, room: RoomId) -> Result<DoorRecord> {
    let row = tx.get(tables::ROOM_DOORS, room.as_bytes()).await?;
    Ok(row.map(|row| DoorRecord::from_record(&row.value)).transpose()?.unwrap_or_default())
}

fn asking_key(room: RoomId, user: &UserAddress) -> Vec<u8> {
    [room.as_bytes().as_slice(), user.to_string().as_bytes()].concat()
}
