//! Making a room and changing who is in it: own commits, from plan to merge.

use super::{
    Change, PendingCommit, RoomCtx, RoomError,
    items::keep_epoch_keys,
    join::activate,
    messages::sign,
    record::{
        Meta, Pending, Stage, find_meta, find_pending, merged_key, merged_prefix, meta, pending_key,
        save_meta, write,
    },
};
use crate::mls_store::Slot;
use openmls::prelude::MlsGroup;
use openmls_traits::OpenMlsProvider as _;
use weft_mls::sets::set;
use weft_mls::{
    CommitFacts, MlsError, PolicyError, Roles,
    commit::device_ref,
    config::COMMITS_AHEAD_MAX,
    member::{self, Plan, Prepared},
    policy,
};
use weft_wire::{
    Blob, DeviceId, MessageId, RoomId, RoomNonce, UserAddress,
    identity::DeviceCert,
    rooms::{Accepted, CreateRoom, EntryKind, RoomKind, RoomRole, SubmitCommit},
};

/// Makes a room in which only this device is. Hand the request to the hub until it answers; asked again, the request is
/// made again from the same group.
///
/// # Errors
/// [`RoomError::Exists`] when the group has moved on since it was made.
pub fn create(
    ctx: &mut RoomCtx<'_>,
    (room, nonce): (RoomId, RoomNonce),
    kind: &RoomKind,
) -> Result<CreateRoom, RoomError> {
    let request = |group_info| CreateRoom { room, nonce, kind: kind.clone(), group_info: Blob(group_info) };
    if let Some(meta) = find_meta(ctx.kv, room)? {
        if meta.epoch != 0 || meta.stage != Stage::Active {
            return Err(RoomError::Exists);
        }
        let group = ctx.group(room)?;
        let me = ctx.me;
        let group_info = group
            .export_group_info(ctx.provider(Slot::Current).crypto(), &me.identity(), true)
            .map_err(MlsError::refused("to describe a group"))?;
        return Ok(request(weft_mls::messages::to_bytes(group_info)?));
    }
    ctx.atomic(|ctx| {
        let me = ctx.me;
        let (group, group_info) = match kind {
            RoomKind::Direct { .. } => member::create(&ctx.provider(Slot::Current), me.identity(), room)?,
            RoomKind::Group => member::create_group(&ctx.provider(Slot::Current), me.identity(), room)?,
        };
        ctx.entered(room, &group)?;
        save_meta(ctx.kv, room, &Meta::new(Some(kind.clone()), Stage::Active, 0, 0));
        Ok(request(group_info))
    })
}

/// Adds devices by their KeyPackages. Certificates must chain to the pinned identities.
///
/// # Errors
/// [`RoomError::Busy`], [`RoomError::NotActive`], [`RoomError::KeyChanged`], [`RoomError::NotPinned`],
/// [`RoomError::Policy`], [`RoomError::Mls`].
pub fn add_devices(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    key_packages: &[Blob],
) -> Result<SubmitCommit, RoomError> {
    change_group(ctx, room, &Changes { add: key_packages, ..Changes::default() })
}

/// Removes devices.
///
/// # Errors
/// As [`add_devices`]; [`MlsError::NoSuchDevice`] for one that is not there.
pub fn remove_devices(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    devices: &[DeviceId],
) -> Result<SubmitCommit, RoomError> {
    change_group(ctx, room, &Changes { remove: devices, ..Changes::default() })
}

/// Renews this device's keys in the group, and its certificate with them.
///
/// # Errors
/// As [`add_devices`].
pub fn self_update(ctx: &mut RoomCtx<'_>, room: RoomId) -> Result<SubmitCommit, RoomError> {
    change_group(ctx, room, &Changes::default())
}

/// What one commit is to change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// KeyPackages of the devices that come in.
    pub add: &'a [Blob],
    /// Devices that go.
    pub remove: &'a [DeviceId],
    /// Who may do what from then on; whoever is not named keeps their role.
    pub roles: &'a [(UserAddress, RoomRole)],
}

/// Adds, removes and changes roles in one commit. Whoever goes with their last device loses their role by it.
///
/// # Errors
/// As [`add_devices`] and [`remove_devices`].
pub fn change_group(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    changes: &Changes<'_>,
) -> Result<SubmitCommit, RoomError> {
    let meta = meta(ctx.kv, room)?;
    if meta.stage != Stage::Active {
        return Err(RoomError::NotActive);
    }
    let ahead = ctx.kv.scan(&merged_prefix(room)).len() as u64;
    if find_pending(ctx.kv, room)?.is_some() || ahead >= COMMITS_AHEAD_MAX {
        return Err(RoomError::Busy);
    }
    ctx.atomic(|ctx| {
        let mut group = ctx.group(room)?;
        let (before, roles) = (member::members(&group)?, member::roles(&group)?);
        let (me, now) = (ctx.me, ctx.now);
        let roles_after = roles_after(roles.as_ref(), &before, changes)?;
        let add: Vec<&[u8]> = changes.add.iter().map(Blob::as_slice).collect();
        let plan = Plan { add: &add, remove: changes.remove, roles: roles_after.as_ref() };
        let prepared =
            member::prepare_plan(&ctx.provider(Slot::Current), me.identity(), &mut group, plan, now)?;
        let goes = |cert: &&DeviceCert| changes.remove.contains(&cert.device);
        let removed = before.iter().filter(goes).map(device_ref).collect();
        let facts = CommitFacts {
            committer: me.cert.peek().map_err(RoomError::State)?,
            external: false,
            from_epoch: prepared.epoch,
            to_epoch: prepared.epoch + 1,
            added: prepared.added.clone(),
            removed,
            roles: roles_after,
        };
        check_followed(ctx, meta.kind.as_ref(), roles.as_ref(), &before, &facts)?;
        let change = change(ctx, roles, &before, &facts);
        keep_pending(ctx, room, prepared, change, false, Vec::new())
    })
}

/// The roles after a commit, if it changes any.
fn roles_after(
    roles: Option<&Roles>,
    present: &[DeviceCert],
    changes: &Changes<'_>,
) -> Result<Option<Roles>, RoomError> {
    let Some(before) = roles else {
        return if changes.roles.is_empty() { Ok(None) } else { Err(PolicyError::Owners.into()) };
    };
    let mut after = before.clone();
    for (user, role) in changes.roles {
        after.set(user, *role);
    }
    for cert in present.iter().filter(|cert| changes.remove.contains(&cert.device)) {
        let stays = |other: &DeviceCert| other.user == cert.user && !changes.remove.contains(&other.device);
        if !present.iter().any(stays) {
            after.set(&cert.user, RoomRole::Member);
        }
    }
    Ok((after != *before).then_some(after))
}

/// Stores a commit before it is sent.
pub(super) fn keep_pending(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    prepared: Prepared,
    change: Change,
    external: bool,
    rows: Vec<(Blob, Blob)>,
) -> Result<SubmitCommit, RoomError> {
    let mut id = [0; 16];
    ctx.rng.fill_bytes(&mut id);
    let message_id = MessageId(id);
    let submit = SubmitCommit {
        envelope: sign(ctx, room, message_id, EntryKind::Commit, prepared.epoch, prepared.commit),
        group_info: Blob(prepared.group_info),
        welcome: prepared.welcome.map(Blob),
        welcome_to: prepared.added.iter().map(device_ref).collect(),
    };
    let kept = Pending {
        submit: submit.clone(),
        message_id,
        change,
        external,
        refused: false,
        accepted: None,
        rows,
    };
    write(ctx.kv, &pending_key(room), &kept);
    Ok(submit)
}

/// The commit that waits for the hub, for example after a restart.
///
/// # Errors
/// [`RoomError::State`].
pub fn pending(ctx: &RoomCtx<'_>, room: RoomId) -> Result<Option<PendingCommit>, RoomError> {
    Ok(find_pending(ctx.kv, room)?.map(|kept| PendingCommit {
        submit: kept.submit.clone(),
        external: kept.external,
        refused: kept.refused,
        accepted: kept.accepted,
    }))
}

/// The hub has accepted the pending commit. Gives what changed, once: here, or later by [`super::process_entry`] when the
/// log has to be read up to it first (joining anew with a state that still works).
///
/// # Errors
/// [`RoomError`]; nothing was changed, and the commit's own log entry can still be processed.
pub fn commit_accepted(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    accepted: &Accepted,
) -> Result<Option<Change>, RoomError> {
    let mut meta = meta(ctx.kv, room)?;
    // Without one it has come back in the log already.
    let Some(mut kept) = find_pending(ctx.kv, room)? else { return Ok(None) };
    ctx.atomic(|ctx| {
        if kept.external {
            if meta.stage == Stage::Active && meta.cursor.saturating_add(1) < accepted.seq {
                kept.accepted = Some(accepted.seq);
                write(ctx.kv, &pending_key(room), &kept);
                return Ok(None);
            }
            meta.cursor = meta.cursor.max(accepted.seq);
            return activate(ctx, room, &mut meta, kept).map(Some);
        }
        let change = merge_own(ctx, room, &mut meta, &kept)?;
        if Some(accepted.seq) == meta.cursor.checked_add(1) {
            meta.cursor = accepted.seq;
        } else if accepted.seq > meta.cursor {
            write(ctx.kv, &merged_key(room, accepted.seq), &kept.message_id);
        }
        save_meta(ctx.kv, room, &meta);
        Ok(Some(change))
    })
}

/// The hub has refused the pending commit. As stale: it is kept until the winner comes by in the log, in case that winner
/// is an earlier try of this very commit. For good: it is dropped.
///
/// # Errors
/// [`RoomError`].
pub fn commit_refused(ctx: &mut RoomCtx<'_>, room: RoomId, stale: bool) -> Result<(), RoomError> {
    let Some(mut kept) = find_pending(ctx.kv, room)? else { return Ok(()) };
    if stale {
        kept.refused = true;
        write(ctx.kv, &pending_key(room), &kept);
        return Ok(());
    }
    ctx.atomic(|ctx| drop_pending(ctx, room))
}

/// Forgets the pending commit, in the group too.
pub(super) fn drop_pending(ctx: &mut RoomCtx<'_>, room: RoomId) -> Result<(), RoomError> {
    let Some(kept) = find_pending(ctx.kv, room)? else { return Ok(()) };
    ctx.kv.delete(&pending_key(room));
    if !kept.external
        && let Some(mut group) = ctx.load(room, Slot::Current)?
    {
        let provider = ctx.provider(Slot::Current);
        group.clear_pending_commit(provider.storage()).map_err(MlsError::refused("to store the group"))?;
    }
    Ok(())
}

/// Merges an own commit. The caller saves `meta`.
pub(super) fn merge_own(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    kept: &Pending,
) -> Result<Change, RoomError> {
    let mut group = ctx.group(room)?;
    group
        .merge_pending_commit(&ctx.provider(Slot::Current))
        .map_err(MlsError::refused("to merge the own commit"))?;
    ctx.kv.delete(&pending_key(room));
    ctx.entered(room, &group)?;
    meta.epoch = group.epoch().as_u64();
    Ok(kept.change.clone())
}

impl RoomCtx<'_> {
    /// What is to be done at the start of each epoch.
    pub(super) fn entered(&mut self, room: RoomId, group: &MlsGroup) -> Result<(), RoomError> {
        let crypto = crate::crypto::Crypto::new(&mut *self.rng);
        keep_epoch_keys(self.kv, &crypto, group, room)
    }
}

/// What a commit means to the caller.
pub(super) fn change(
    ctx: &RoomCtx<'_>,
    roles_before: Option<Roles>,
    present: &[DeviceCert],
    facts: &CommitFacts,
) -> Change {
    let by = device_ref(&facts.committer);
    let me = ctx.me.device_ref();
    let before = set(present.iter().map(|cert| cert.user.clone()));
    let after = policy::people_after(present, facts);
    Change {
        epoch: facts.to_epoch,
        own: by == me,
        removed_me: facts.removed.contains(&me) && !(facts.external && by == me),
        by,
        added: facts.arrivals().cloned().collect(),
        removed: facts.removed.clone(),
        roles: facts.roles.clone(),
        came: after.difference(&before).cloned().collect(),
        went: before.difference(&after).cloned().collect(),
        roles_before,
        lost_pending: false,
    }
}

/// What a room is for, as far as this device knows. A group has roles: of that it needs nobody's word.
pub(super) fn kind_of<'a>(
    said: Option<&'a RoomKind>,
    roles: Option<&Roles>,
) -> Result<Option<&'a RoomKind>, RoomError> {
    match (said, roles) {
        (Some(direct @ RoomKind::Direct { .. }), None) => Ok(Some(direct)),
        // A hub that calls something else a group would have its people taken for somebody new.
        (Some(RoomKind::Group) | None, None) => Ok(None),
        (Some(RoomKind::Group) | None, Some(_)) => Ok(Some(&RoomKind::Group)),
        (Some(RoomKind::Direct { .. }), Some(_)) => Err(PolicyError::Owners.into()),
    }
}

/// Whoever comes in chains to a pinned identity, or, in a group, is somebody new; and the room's rules allow it. `roles` are
/// those before the commit.
pub(super) fn check_followed(
    ctx: &RoomCtx<'_>,
    said: Option<&RoomKind>,
    roles: Option<&Roles>,
    present: &[DeviceCert],
    facts: &CommitFacts,
) -> Result<(), RoomError> {
    let kind = kind_of(said, roles)?;
    for cert in facts.arrivals() {
        check_person(ctx, kind, cert)?;
    }
    let Some(kind) = kind else {
        // A direct room of which it is not known whose: everybody was pinned.
        let anybody = [(facts.committer.user.clone(), RoomRole::Owner)].into();
        let rules = policy::Rules { kind: &RoomKind::Group, present, roles: &anybody, gone: &[] };
        policy::check_arrivals(&rules, facts)?;
        return if facts.roles.is_none() { Ok(()) } else { Err(PolicyError::Owners.into()) };
    };
    let named = roles.map(|roles| roles.named().clone()).unwrap_or_default();
    policy::check_followed(&policy::Rules { kind, present, roles: &named, gone: &[] }, facts)?;
    Ok(())
}

/// Whether a device may be in a room with this one.
pub(super) fn check_person(
    ctx: &RoomCtx<'_>,
    kind: Option<&RoomKind>,
    cert: &DeviceCert,
) -> Result<(), RoomError> {
    if ctx.is_pinned(cert)? || kind == Some(&RoomKind::Group) {
        return Ok(());
    }
    Err(RoomError::NotPinned { user: cert.user.clone() })
}
