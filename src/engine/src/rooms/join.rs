//! Coming into a group: by a Welcome, or by an external commit.

use super::{
    Change, RoomCtx, RoomError,
    commits::{check_person, drop_pending, keep_pending, kind_of},
    items::keep_epoch_keys,
    record::{
        EarlyWelcome, Meta, Pending, Stage, find_meta, find_pending, pending_key, save_meta, welcome_key,
        write,
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
    rooms::{GroupInfoAnswer, RoomKind, SubmitCommit},
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
    // An external commit that is under way stays: it may have been accepted. Then the log will bring it.
    ctx.retire_group(room, meta);
    let (group, by) = member::join_by(&ctx.provider(Slot::Current), room, welcome.as_slice())?;
    let (members, roles) = (member::verified_members(&group)?, member::roles(&group)?);
    meta.kind = kind_of(meta.kind.as_ref(), roles.as_ref())?.cloned();
    check_members(ctx, meta.kind.as_ref(), &members)?;
    ctx.entered(room, &group)?;
    ctx.kv.delete(&welcome_key(room));
    meta.stage = Stage::Active;
    meta.epoch = group.epoch().as_u64();
    meta.joined_epoch = meta.epoch;
    ctx.drop_retired(room, meta);
    Ok(Change {
        epoch: meta.epoch,
        by: device_ref(&by),
        own: false,
        added: members,
        removed: Vec::new(),
        roles,
        came: Vec::new(),
        went: Vec::new(),
        roles_before: None,
        removed_me: false,
        lost_pending: false,
    })
}

/// Prepares to join by external commit: a new device of a member, or one that cannot follow any more, in place of its own
/// old leaf. The state that is there goes on until the hub has accepted.
///
/// # Errors
/// [`RoomError::Busy`] while a commit is pending that the hub may have accepted; [`RoomError::KeyChanged`],
/// [`RoomError::NotPinned`], [`RoomError::Policy`], [`RoomError::Mls`].
pub fn external_join(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    kind: Option<&RoomKind>,
    answer: &GroupInfoAnswer,
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
        let (members, roles, prepared, rows) = build_aside(ctx, room, answer)?;
        meta.kind = kind_of(meta.kind.as_ref(), roles.as_ref())?.cloned();
        check_members(ctx, meta.kind.as_ref(), &members)?;
        let me = ctx.me;
        let change = Change {
            epoch: prepared.epoch + 1,
            by: me.device_ref(),
            own: true,
            added: members.into_iter().filter(|cert| cert.device == me.device).collect(),
            removed: Vec::new(),
            roles,
            came: Vec::new(),
            went: Vec::new(),
            roles_before: None,
            removed_me: false,
            lost_pending: false,
        };
        save_meta(ctx.kv, room, &meta);
        keep_pending(ctx, room, prepared, change, true, rows)
    })
}

/// The rows of a group's state.
type Rows = Vec<(Blob, Blob)>;

/// Builds the state after an external commit: it becomes the room's state only when the hub has accepted it.
fn build_aside(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    answer: &GroupInfoAnswer,
) -> Result<(Vec<DeviceCert>, Option<Roles>, Prepared, Rows), RoomError> {
    let mut scratch = MemoryKv::default();
    let me = ctx.me.identity();
    let (group, prepared) = {
        let provider = MlsProvider::new(&mut scratch, &mut *ctx.rng, Slot::Current);
        member::join_externally(&provider, me, room, answer.group_info.as_slice())?
    };
    keep_epoch_keys(&mut scratch, &Crypto::new(&mut *ctx.rng), &group, room)?;
    let (members, roles) = (member::verified_members(&group)?, member::roles(&group)?);
    let rows = scratch.scan(&[]).into_iter().map(|(key, value)| (Blob(key), Blob(value))).collect();
    scratch.wipe();
    Ok((members, roles, prepared, rows))
}

/// Makes the state after an accepted external commit the room's state. `meta.cursor` is at the commit.
pub(super) fn activate(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    mut kept: Pending,
) -> Result<Change, RoomError> {
    ctx.retire_group(room, meta);
    for (key, value) in std::mem::take(&mut kept.rows) {
        ctx.kv.put(&key.0, value.0);
    }
    ctx.kv.delete(&pending_key(room));
    ctx.kv.delete(&welcome_key(room));
    meta.stage = Stage::Active;
    meta.epoch = kept.change.epoch;
    meta.joined_epoch = kept.change.epoch;
    ctx.drop_retired(room, meta);
    save_meta(ctx.kv, room, meta);
    Ok(kept.change.clone())
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
