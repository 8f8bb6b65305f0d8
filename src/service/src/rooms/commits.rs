//! Taking commits: compare-and-set on the epoch, in one store commit with all that follows from it.

use super::{
    Result, RoomError, Rooms,
    asked::asked_key,
    delivered::left_key,
    items::item_prefix,
    messages::{append, first_number, open_envelope},
    parts::{Written, drop_parts, new_parts},
    records::{CursorRecord, KeptEnvelope, LogRecord, MemberRecord, MessageIdRecord, RoomRecord},
    state::{Part, Room, cursor_key, far_cursor_key, nodes_of},
};
use crate::{
    Budget, Caller, Fault, LimitKey, ahead,
    context::joined,
    error::{at_most, within},
    outgoing::{self, FollowerRecord, Outgoing, Until, follower_key},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};
use weft_mls::{CommitFacts, HubGroup, MlsError, Roles, Submission, policy};
use weft_store::{Batch, Error as StoreError, Scan, record::Record, tables};
use weft_wire::{
    Blob, NodeName, RoomId, Signed, UserAddress, codec,
    identity::DeviceCert,
    limits,
    rooms::{Accepted, DeviceRef, EntryKind, Envelope, RoomKind, RoomRole, SubmitCommit},
};

/// An envelope up to this size stands in its log entry.
pub(super) const INLINE_ENVELOPE_BYTES_MAX: usize = 56 << 10;
/// Members up to this size stand in the room's row.
pub(super) const INLINE_MEMBERS_BYTES_MAX: usize = 32 << 10;
/// Parts above this size in sum are written ahead: they would not fit one batch together with the Welcomes.
const TOGETHER_BYTES_MAX: usize = 384 << 10;

/// A commit of the caller, checked against the room as it was read.
pub(crate) struct CheckedSubmission {
    pub room: Arc<Room>,
    pub facts: CommitFacts,
    envelope: Envelope,
    signed: Signed<Envelope>,
    hash: [u8; 32],
    hub: Vec<u8>,
    group_info: Vec<u8>,
    members: Vec<MemberRecord>,
    gone: Vec<DeviceRef>,
    left: Vec<UserAddress>,
    /// Read before the commit: below the number that the commit will get.
    near: u64,
}

impl CheckedSubmission {
    /// The commit's name: by whom, under which id.
    pub fn id(&self) -> (weft_wire::DeviceId, weft_wire::MessageId) {
        (self.envelope.device, self.envelope.message_id)
    }

    /// People who come in by it and have to have agreed to that: they were not there, or had left.
    pub fn invited(&self) -> BTreeSet<UserAddress> {
        let back = self.facts.added.iter().map(|cert| &cert.user).filter(|user| self.room.has_left(user));
        back.cloned().chain(self.newcomers()).collect()
    }

    /// People who come in by it and were not there.
    pub fn newcomers(&self) -> BTreeSet<UserAddress> {
        let new = |cert: &&DeviceCert| self.room.member(&cert.user).is_none();
        self.facts.arrivals().filter(new).map(|cert| cert.user.clone()).collect()
    }

    fn leavers(&self) -> impl Iterator<Item = &UserAddress> {
        let stays = |user: &UserAddress| self.members.iter().any(|member| member.user == *user);
        self.room.members.iter().map(|member| &member.user).filter(move |user| !stays(user))
    }
}

/// What a look at a commit led to.
pub(crate) enum Judged {
    /// It may be taken.
    New(Box<CheckedSubmission>),
    /// It was taken before; this was the answer.
    Known(Accepted),
}

/// What came of trying to store a commit.
pub(crate) enum Stored {
    Accepted(Accepted),
    /// The room changed in between: judge again.
    Again,
}

impl Rooms {
    /// Checks a commit in every way that needs nothing but the room.
    pub(crate) async fn judge(
        &self,
        caller: &Caller,
        room_id: RoomId,
        request: &SubmitCommit,
        first_try: bool,
    ) -> Result<Judged> {
        if first_try {
            self.ctx.limits.take_caller(Budget::Commit, caller)?;
        }
        within("envelope", request.envelope.body().len(), limits::COMMIT_BYTES_MAX + 1024)?;
        within("group_info", request.group_info.len(), limits::GROUP_INFO_BYTES_MAX)?;
        let envelope = open_envelope(caller, room_id, &request.envelope, EntryKind::Commit)?;
        if first_try {
            self.ctx.limits.take_bytes(&LimitKey::caller(caller), written_bytes(request))?;
        }
        let hash = *blake3::hash(request.envelope.body()).as_bytes();
        let room = self.load_for(room_id, caller.user()).await?;
        let current = room.record.epoch;
        let moved_on = room.record.folded_into.is_some() || envelope.epoch != current;
        if moved_on && let Some(accepted) = self.replay(&envelope, &hash).await? {
            return Ok(Judged::Known(accepted));
        }
        if let Some(into) = room.record.folded_into {
            return Err(RoomError::Folded { into });
        }
        if envelope.epoch != current {
            return Err(RoomError::StaleEpoch { current });
        }
        let near = self.head(room_id).await?;
        let hub = self.part(room_id, &room.record.parts, Part::Hub).await?;
        let hub = hub.ok_or(RoomError::StaleEpoch { current: current + 1 })?;
        let looked = Look { room: room.clone(), hub, request: request.clone(), now: self.ctx.now() };
        // A look at a large group takes long: off the threads that serve everybody.
        let Seen { facts, hub, present, roles } =
            tokio::task::spawn_blocking(move || looked.take())
                .await
                .map_err(|_| Fault::Internal("checking a commit failed"))??;
        let own = &facts.committer;
        if own.user != *caller.user()
            || own.device != caller.device()
            || own.device_key != caller.session.device_key
        {
            return Err(RoomError::Mismatch("committer"));
        }
        check_welcome_to(&facts, &request.welcome_to)?;
        let members = members_after(&room, &facts, &present, roles.as_ref(), near);
        let gone = still_gone(&room, &facts, &members);
        let left = still_left(&room, &facts, &members);
        Ok(Judged::New(Box::new(CheckedSubmission {
            room,
            facts,
            envelope,
            signed: request.envelope.clone(),
            hash,
            hub,
            group_info: request.group_info.0.clone(),
            members,
            gone,
            left,
            near,
        })))
    }

    /// Stores a commit with what others add to it (Welcomes in `with`; long ones were written before).
    pub(crate) async fn store(&self, checked: &CheckedSubmission, with: Batch) -> Result<Stored> {
        let (time_ms, room_id) = (self.ctx.now(), checked.room.id);
        let epoch = checked.facts.to_epoch;
        let part_id: [u8; 16] = self.ctx.random();
        let (mut written, kept) = write_parts(room_id, &part_id, checked)?;
        let mut batch = Batch::new();
        if written.bytes > TOGETHER_BYTES_MAX {
            let prefix = [room_id.as_bytes().as_slice(), &part_id].concat();
            batch = ahead::ROOM_PARTS.write(&self.ctx, &prefix, std::mem::take(&mut written.batches)).await?;
        }
        batch = written.batches.into_iter().fold(batch, Batch::merge);
        let record = RoomRecord {
            epoch,
            members: if written.parts.members == 0 { checked.members.clone() } else { Vec::new() },
            gone: checked.gone.clone(),
            left: checked.left.clone(),
            parts: written.parts,
            ..checked.room.record.clone()
        };
        batch = batch.assert_version(tables::ROOMS, room_id.as_bytes(), checked.room.version).put(
            tables::ROOMS,
            room_id.as_bytes(),
            record.to_record(),
        );
        batch = drop_parts(batch, room_id, &checked.room.record.parts);
        let id = MessageIdRecord { hash: checked.hash, time_ms, near: checked.near, epoch };
        batch = append(batch, &checked.envelope, &id, &LogRecord { time_ms, envelope: kept });
        let here = |user: &UserAddress| user.node == self.ctx.node;
        let removed = checked.facts.removed.iter().filter(|gone| here(&gone.user)).cloned();
        let anew = checked.facts.arrivals().filter(|cert| here(&cert.user));
        batch =
            self.stage_left(batch, room_id, removed.chain(anew.map(weft_mls::commit::device_ref))).await?;
        batch = follow_members(batch, checked, &self.ctx.node);
        batch = self.tell_followers(batch, checked).await?;
        batch = self.end_asking(batch, room_id, &checked.invited()).await?;
        for user in checked.leavers() {
            let items = Scan::prefix(item_prefix(room_id, user));
            let rows = self.ctx.store.scan(tables::ROOM_ITEMS, items).await?;
            batch = rows.iter().fold(batch, |batch, row| batch.delete(tables::ROOM_ITEMS, &row.key));
            let cursor = match self.ctx.is_local(user) {
                true => left_key(room_id, user),
                false => far_cursor_key(room_id, user),
            };
            batch = batch.delete(tables::ROOM_CURSORS, cursor);
        }
        match self.ctx.store.commit(batch.merge(with)).await {
            Ok(committed) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                Ok(Stored::Accepted(Accepted { seq: first_number(&committed)?, time_ms, epoch }))
            }
            Err(StoreError::Conflict { .. }) => match self.replay(&checked.envelope, &checked.hash).await? {
                Some(accepted) => Ok(Stored::Accepted(accepted)),
                None => Ok(Stored::Again),
            },
            Err(error) => Err(error.into()),
        }
    }
}

impl Rooms {
    /// Each other node is told what the room is like now. One that comes in by this commit begins its copy here, and one whose
    /// last people go by it hears of nothing after it.
    async fn tell_followers(&self, mut batch: Batch, checked: &CheckedSubmission) -> Result<Batch, Fault> {
        let room = checked.room.id;
        let stays = checked.members.iter().filter(|member| !checked.left.contains(&member.user));
        let (before, after) = (checked.room.nodes(&self.ctx.node), nodes_of(stays, &self.ctx.node));
        for node in after.union(&before) {
            let key = follower_key(room, node);
            let known: Option<FollowerRecord> = self.ctx.read(tables::ROOM_FOLLOWERS, &key).await?;
            let follows = known.filter(|known| known.until.is_none());
            if after.contains(node) && follows.is_none() {
                batch =
                    batch.put(tables::ROOM_FOLLOWERS, key, FollowerRecord::from(checked.near).to_record());
            } else if let (false, Some(known)) = (after.contains(node), follows) {
                let (device, message) = checked.id();
                let ends = FollowerRecord { until: Some(Until::Commit { device, message }), ..known };
                batch = batch.put(tables::ROOM_FOLLOWERS, key, ends.to_record());
            }
            batch = outgoing::stage_due(&self.ctx, batch, node, Outgoing::Room { room, state: true });
        }
        Ok(batch)
    }
}

/// What somebody writes with a commit, as it is counted at their home and at the hub.
pub(crate) fn written_bytes(request: &SubmitCommit) -> usize {
    let welcome = request.welcome.as_ref().map_or(0, |welcome| welcome.len());
    request.envelope.body().len() + request.group_info.len() + welcome
}

/// The costly part of looking at a commit.
struct Look {
    room: Arc<Room>,
    hub: Vec<u8>,
    request: SubmitCommit,
    now: u64,
}

/// What was seen: what the commit does, and the group after it.
struct Seen {
    facts: CommitFacts,
    hub: Vec<u8>,
    present: Vec<DeviceCert>,
    roles: Option<Roles>,
}

impl Look {
    fn take(self) -> Result<Seen> {
        let mls = |error| mls_error(error, self.room.record.epoch);
        let envelope = self.request.envelope.peek().map_err(RoomError::Malformed)?;
        let mut hub = HubGroup::from_bytes(self.room.id, &self.hub)
            .map_err(|_| Fault::Internal("the view of a group cannot be read"))?;
        let present = hub.members().map_err(mls)?;
        let submission = Submission {
            commit: envelope.body.as_slice(),
            group_info: self.request.group_info.as_slice(),
            welcome: self.request.welcome.as_ref().map(Blob::as_slice),
        };
        let checked = hub.check_commit(&submission, self.now).map_err(mls)?;
        let roles: BTreeMap<UserAddress, RoomRole> =
            self.room.members.iter().map(|member| (member.user.clone(), member.role)).collect();
        let rules = policy::Rules {
            kind: &self.room.record.kind,
            present: &present,
            roles: &roles,
            gone: &self.room.record.gone,
        };
        policy::check(&rules, &checked.facts).map_err(RoomError::Policy)?;
        let facts = hub.apply(checked).map_err(mls)?;
        let (present, roles) = (hub.members().map_err(mls)?, hub.roles().map_err(mls)?);
        Ok(Seen { facts, hub: hub.to_bytes(), present, roles })
    }
}

pub(super) fn mls_error(error: MlsError, current: u64) -> RoomError {
    match error {
        MlsError::WrongEpoch { .. } => RoomError::StaleEpoch { current },
        MlsError::TooLarge { what, len, max } => Fault::TooLarge { what, len, max }.into(),
        MlsError::Credential(_) => RoomError::Certificate,
        other => RoomError::Mls(Arc::new(other)),
    }
}

fn check_welcome_to(facts: &CommitFacts, named: &[DeviceRef]) -> Result<()> {
    at_most("devices in welcome_to", named.len(), limits::ROOM_MEMBERS_MAX)?;
    let added: BTreeSet<DeviceRef> = facts.added.iter().map(weft_mls::commit::device_ref).collect();
    let listed: BTreeSet<DeviceRef> = named.iter().cloned().collect();
    if listed == added && named.len() == added.len() {
        Ok(())
    } else {
        Err(RoomError::Mismatch("welcome_to"))
    }
}

/// The members after a commit, and in a group their roles: from the group itself; the beginning of each stays. In a direct
/// room both people stay members, whatever devices they have in it.
fn members_after(
    room: &Room,
    facts: &CommitFacts,
    present: &[DeviceCert],
    roles: Option<&Roles>,
    near: u64,
) -> Vec<MemberRecord> {
    let fresh = |user: &UserAddress| MemberRecord {
        user: user.clone(),
        role: RoomRole::Member,
        since: near,
        devices: Vec::new(),
    };
    let mut members: BTreeMap<UserAddress, MemberRecord> = BTreeMap::new();
    if let RoomKind::Direct { .. } = room.record.kind {
        for member in &room.members {
            members.insert(member.user.clone(), MemberRecord { devices: Vec::new(), ..member.clone() });
        }
    }
    for cert in present {
        // Who has left and is brought in again begins anew, though a leaf of theirs may linger.
        let was = room.member(&cert.user).filter(|member| !room.has_left(&member.user));
        let known = || was.cloned().unwrap_or_else(|| fresh(&cert.user));
        let member = members
            .entry(cert.user.clone())
            .or_insert_with(|| MemberRecord { devices: Vec::new(), ..known() });
        member.devices.push(cert.device);
        if let Some(roles) = roles {
            member.role = roles.of(&cert.user);
        }
    }
    debug_assert!(facts.arrivals().all(|cert| members.contains_key(&cert.user)));
    members.into_values().collect()
}

/// Devices stay gone until their leaf is, or they are brought in again: the same one may go and come in one commit.
fn still_gone(room: &Room, facts: &CommitFacts, members: &[MemberRecord]) -> Vec<DeviceRef> {
    let there = |gone: &&DeviceRef| {
        !facts.added.iter().any(|cert| cert.user == gone.user && cert.device == gone.device)
            && members.iter().any(|member| member.user == gone.user && member.devices.contains(&gone.device))
    };
    room.record.gone.iter().filter(there).cloned().collect()
}

/// Those who have left are so until their last leaf is gone, or they are brought in again.
fn still_left(room: &Room, facts: &CommitFacts, members: &[MemberRecord]) -> Vec<UserAddress> {
    let left = |user: &&UserAddress| {
        members.iter().any(|member| member.user == **user)
            && !facts.added.iter().any(|cert| cert.user == **user)
    };
    room.record.left.iter().filter(left).cloned().collect()
}

/// The rows that follow from who comes and who goes.
fn follow_members(mut batch: Batch, checked: &CheckedSubmission, here: &NodeName) -> Batch {
    let room = checked.room.id;
    let acked = CursorRecord { acked: checked.near, from: checked.near, left: Vec::new() }.to_record();
    for cert in checked.facts.arrivals().filter(|cert| cert.user.node == *here) {
        // What is older than its coming is not for it, and need not be kept for its sake.
        batch = batch.put(tables::ROOM_CURSORS, cursor_key(room, &cert.user, cert.device), acked.clone());
        // Written anew for whoever is there already, too: their sockets learn that there is something to see.
        batch = batch.put(tables::ROOMS_OF, joined(cert.user.name.as_str(), room.as_bytes()), Vec::new());
    }
    for user in checked.newcomers().iter().filter(|user| user.node == *here) {
        batch = batch.add(tables::ROOMS_OF_COUNT, user.name.as_str(), 1);
    }
    for user in checked.leavers().filter(|user| user.node == *here) {
        batch = batch
            .delete(tables::ROOMS_OF, joined(user.name.as_str(), room.as_bytes()))
            .delete(tables::ROOMS_ASKED, asked_key(&user.name, room))
            .add(tables::ROOMS_OF_COUNT, user.name.as_str(), -1);
    }
    batch
}

fn write_parts(
    room: RoomId,
    id: &[u8; 16],
    checked: &CheckedSubmission,
) -> Result<(Written, KeptEnvelope), Fault> {
    let mut written = new_parts(room, id, &checked.hub, &checked.group_info)?;
    let members = codec::encode(&checked.members);
    if members.len() > INLINE_MEMBERS_BYTES_MAX {
        written.parts.members = written.add(room, Part::Members, &members)?;
    }
    let long = checked.signed.body().len() > INLINE_ENVELOPE_BYTES_MAX;
    let envelope = if long {
        written.add_envelope(room, &checked.signed)?
    } else {
        KeptEnvelope::Inline(checked.signed.clone())
    };
    Ok((written, envelope))
}
