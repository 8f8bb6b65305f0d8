//! Coming into a group: by a Welcome, or by an external commit.

use super::{
    Anew, Change, RoomCtx, RoomError,
    anew::{Known, judge},
    commits::{check_person, drop_pending, keep_pending, kind_of},
    items::keep_epoch_keys,
    record::{
        EarlyWelcome, Meta, Pending, Stage, delete_all, find_meta, find_pending, pending_key, save_meta,
        unsent_prefix, welcome_key, write,
    },
};
use crate::{
    crypto::Crypto,
    kv::{Kv, MemoryKv},
    mls_store::{MlsProvider, Slot},
};
use weft_mls::{
    PolicyError, Roles,
    commit::device_ref,
    member::{self, Prepared},
};
use weft_wire::{
    Blob, RoomId,
    identity::DeviceCert,
    rooms::{DeviceRef, GroupInfoAnswer, RoomKind, SubmitCommit},
};

/// Joins by a Welcome. `seq` is the log number of the commit that added this device; `kind` is what the hub says the room
/// is for, once it is known ([`super::set_kind`]). Every certificate in the group is verified and compared with the pins.
///
/// Nothing is given when this device is still in the group, as far as it has read the log: it was removed and added again.
/// Then the Welcome is kept until the log has been read up to there, so that nothing from before is lost.
///
/// # Errors
/// [`RoomError::StaleWelcome`], [`weft_mls::MlsError::NoKeyPackage`] (join by [`external_join`] instead),
/// [`RoomError::KeyChanged`], [`RoomError::NotPinned`], [`RoomError::Policy`], [`RoomError::Mls`].
pub fn join_welcome(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    kind: Option<&RoomKind>,
    seq: u64,
    welcome: &Blob,
) -> Result<Option<Change>, RoomError> {
    let mut meta = match find_meta(ctx.kv, room)? {
        Some(meta) if seq <= meta.read_to() => return Err(RoomError::StaleWelcome),
        Some(meta) if meta.stage == Stage::Active => {
            write(ctx.kv, &welcome_key(room), &EarlyWelcome { seq, welcome: welcome.clone() });
            return Ok(None);
        }
        Some(meta) => meta,
        None => Meta::new(None, Stage::Left, 0, 0),
    };
    meta.kind = meta.kind.or(kind.cloned());
    meta.cursor = seq;
    ctx.atomic(|ctx| {
        let change = enter_by_welcome(ctx, room, &mut meta, welcome)?;
        save_meta(ctx.kv, room, &meta);
        Ok(Some(change))
    })
}

/// The state after a Welcome becomes the room's state. The caller saves `meta`.
pub(super) fn enter_by_welcome(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    welcome: &Blob,
) -> Result<Change, RoomError> {
    let before = Known::of_room(ctx, room)?;
    // An external commit that is under way stays: it may have been accepted. Then the log will bring it.
    ctx.retire_group(room, meta);
    let (group, by) = member::join_by(&ctx.provider(Slot::Current), room, welcome.as_slice())?;
    let (members, roles) = (member::verified_members(&group)?, member::roles(&group)?);
    meta.kind = kind_of(meta.kind.as_ref(), roles.as_ref())?.cloned();
    check_members(ctx, meta.kind.as_ref(), &members)?;
    let now = Known::of(&members, roles.clone())?;
    judge(ctx, meta, before.as_ref(), &now, &by, &Anew::default())?;
    ctx.entered(room, &group)?;
    ctx.kv.delete(&welcome_key(room));
    forget_encrypted(ctx, room);
    meta.stage = Stage::Active;
    meta.misled = false;
    meta.skipped = false;
    meta.epoch = group.epoch().as_u64();
    meta.joined_epoch = meta.epoch;
    ctx.drop_retired(room, meta);
    let mut change = entry(meta.epoch, device_ref(&by), members, roles);
    now.since(before, &mut change);
    Ok(change)
}

/// What waits was encrypted for the state of before. Its epoch may have the number of one to come, where the hub comes from a backup,
/// and then everybody would take it for a message of that one.
fn forget_encrypted(ctx: &mut RoomCtx<'_>, room: RoomId) {
    delete_all(ctx.kv, &unsent_prefix(room));
}

/// How a device has come in.
fn entry(epoch: u64, by: DeviceRef, added: Vec<DeviceCert>, roles: Option<Roles>) -> Change {
    Change {
        epoch,
        by,
        own: false,
        added,
        removed: Vec::new(),
        roles,
        came: Vec::new(),
        went: Vec::new(),
        roles_before: None,
        removed_me: false,
        lost_pending: false,
    }
}

/// After entries that were passed over: whether the state of this device goes on, because the group is where it was, or because the
/// log leads from here to where it is. If not, it is as after a commit that could not be followed: join anew.
///
/// # Errors
/// [`RoomError::NoRoom`], [`RoomError::NotActive`].
pub fn resume(ctx: &mut RoomCtx<'_>, room: RoomId, answer: &GroupInfoAnswer) -> Result<bool, RoomError> {
    let mut meta = find_meta(ctx.kv, room)?.ok_or(RoomError::NoRoom)?;
    if !std::mem::take(&mut meta.skipped) {
        return Ok(false);
    }
    save_meta(ctx.kv, room, &meta);
    let stands = member::is_at(&ctx.group(room)?, answer.group_info.as_slice())?;
    // An entry that does not fit shows that it does not lead there after all.
    let leads = answer.epoch > meta.epoch && answer.head > meta.cursor;
    if stands || leads {
        meta.stage = Stage::Active;
        save_meta(ctx.kv, room, &meta);
    }
    Ok(stands || leads)
}

/// Prepares to join by external commit: a new device of a member, or one that cannot follow any more, in place of its own
/// old leaf. The state that is there goes on until the hub has accepted.
///
/// # Errors
/// [`RoomError::Busy`] while a commit is pending that the hub may have accepted; [`RoomError::Unsure`],
/// [`RoomError::KeyChanged`], [`RoomError::NotPinned`], [`RoomError::Policy`], [`RoomError::Mls`].
pub fn external_join(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    kind: Option<&RoomKind>,
    answer: &GroupInfoAnswer,
    anew: &Anew,
) -> Result<SubmitCommit, RoomError> {
    let before = find_meta(ctx.kv, room)?;
    let works = before.as_ref().is_some_and(|meta| meta.stage == Stage::Active);
    // An external one that was refused lost its race. Any other of a state that still works may have been accepted; of one
    // that does not, it is of no use.
    if find_pending(ctx.kv, room)?.is_some_and(|kept| if kept.external { !kept.refused } else { works }) {
        return Err(RoomError::Busy);
    }
    let mut meta =
        before.unwrap_or_else(|| Meta::new(kind.cloned(), Stage::Joining, answer.head, answer.epoch));
    meta.kind = meta.kind.or(kind.cloned());
    if meta.stage == Stage::Left {
        meta.read_to = meta.cursor;
        meta.stage = Stage::Joining;
    }
    if meta.stage == Stage::Joining {
        meta.cursor = meta.cursor.max(answer.head);
    }

    ctx.atomic(|ctx| {
        drop_pending(ctx, room)?;
        let Aside { members, roles, signer, prepared, rows } = build_aside(ctx, room, answer)?;
        meta.kind = kind_of(meta.kind.as_ref(), roles.as_ref())?.cloned();
        check_members(ctx, meta.kind.as_ref(), &members)?;
        let (before, now) = (Known::of_room(ctx, room)?, Known::of(&members, roles.clone())?);
        // The group as it was once may have people in it who were sent away since.
        let back = prepared.epoch < meta.epoch && before.is_some();
        let anew = Anew {
            ask: anew.ask || back && before.as_ref().is_some_and(|before| now.has_more(before)),
            ..anew.clone()
        };
        judge(ctx, &meta, before.as_ref(), &now, &signer, &anew)?;
        let me = ctx.me;
        let added = members.into_iter().filter(|cert| cert.device == me.device).collect();
        let change = Change { own: true, ..entry(prepared.epoch + 1, me.device_ref(), added, roles) };
        save_meta(ctx.kv, room, &meta);
        keep_pending(ctx, room, prepared, change, true, rows)
    })
}

/// A group as it would be after an external commit.
struct Aside {
    members: Vec<DeviceCert>,
    roles: Option<Roles>,
    /// Who vouches for what it was before.
    signer: DeviceCert,
    prepared: Prepared,
    /// The rows of its state.
    rows: Vec<(Blob, Blob)>,
}

/// Builds the state after an external commit: it becomes the room's state only when the hub has accepted it.
fn build_aside(ctx: &mut RoomCtx<'_>, room: RoomId, answer: &GroupInfoAnswer) -> Result<Aside, RoomError> {
    let mut scratch = MemoryKv::default();
    let me = ctx.me.identity();
    let (group, prepared, signer) = {
        let provider = MlsProvider::new(&mut scratch, &mut *ctx.rng, Slot::Current);
        member::join_externally_by(&provider, me, room, answer.group_info.as_slice())?
    };
    keep_epoch_keys(&mut scratch, &Crypto::new(&mut *ctx.rng), &group, room)?;
    let (members, roles) = (member::verified_members(&group)?, member::roles(&group)?);
    let rows = scratch.scan(&[]).into_iter().map(|(key, value)| (Blob(key), Blob(value))).collect();
    scratch.wipe();
    Ok(Aside { members, roles, signer, prepared, rows })
}

/// Makes the state after an accepted external commit the room's state. `meta.cursor` is at the commit.
pub(super) fn activate(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    mut kept: Pending,
) -> Result<Change, RoomError> {
    // Now, not when the commit was made: a state that still works may have gone on meanwhile.
    let before = Known::of_room(ctx, room)?;
    ctx.retire_group(room, meta);
    for (key, value) in std::mem::take(&mut kept.rows) {
        ctx.kv.put(&key.0, value.0);
    }
    ctx.kv.delete(&pending_key(room));
    ctx.kv.delete(&welcome_key(room));
    forget_encrypted(ctx, room);
    meta.stage = Stage::Active;
    meta.misled = false;
    meta.skipped = false;
    meta.epoch = kept.change.epoch;
    meta.joined_epoch = kept.change.epoch;
    ctx.drop_retired(room, meta);
    save_meta(ctx.kv, room, meta);
    let mut change = kept.change.clone();
    if let Some(now) = Known::of_room(ctx, room)? {
        now.since(before, &mut change);
    }
    Ok(change)
}

/// Whom this device finds in a group that it joins.
fn check_members(
    ctx: &RoomCtx<'_>,
    kind: Option<&RoomKind>,
    members: &[DeviceCert],
) -> Result<(), RoomError> {
    for cert in members {
        check_person(ctx, kind, cert)?;
        if let Some(RoomKind::Direct { members: (a, b) }) = kind
            && cert.user != *a
            && cert.user != *b
        {
            return Err(PolicyError::NotOfTheTwo(cert.user.clone()).into());
        }
    }
    debug_assert!(members.iter().any(|cert| device_ref(cert) == ctx.me.device_ref()));
    Ok(())
}
