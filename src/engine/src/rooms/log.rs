//! The room log, entry by entry, exactly once.

use super::{
    Message, Processed, Reason, RoomCtx, RoomError, Skip,
    commits::{change, check_followed, merge_own},
    join::{activate, enter_by_welcome},
    record::{
        EarlyWelcome, Meta, Stage, delete_all, epoch_keys_prefix, find_pending, merged_key, meta,
        pending_key, read, save_meta, unsent_key, unsent_prefix, welcome_key,
    },
};
use crate::mls_store::Slot;
use weft_mls::{MlsError, commit::device_ref, config::PAST_EPOCHS_KEPT, member, member::OpenError, messages};
use weft_wire::{
    RoomId,
    content::Content,
    decode,
    identity::DeviceCert,
    limits,
    rooms::{DeviceRef, EntryKind, Envelope, LogEntry},
};
use zeroize::Zeroizing;

/// Why an entry is set aside, and what that means for the group.
struct Failure {
    reason: Reason,
    /// The group has moved on and this device has not.
    broken: bool,
    /// Joining anew would help.
    resync: bool,
}

impl Failure {
    /// The entry is bad, the group is fine.
    fn entry(reason: impl Into<Reason>) -> Self {
        Failure { reason: reason.into(), broken: false, resync: false }
    }

    /// The group cannot be followed any more.
    fn group(reason: impl Into<Reason>) -> Self {
        Failure { reason: reason.into(), broken: true, resync: true }
    }

    /// The group has gone where this device will not follow: a stranger, or a changed identity.
    fn refused(reason: RoomError) -> Self {
        let resync = !matches!(
            reason,
            RoomError::KeyChanged { .. } | RoomError::NotPinned { .. } | RoomError::Policy(_)
        );
        Failure { reason: reason.into(), broken: true, resync }
    }
}

impl From<RoomError> for Failure {
    fn from(error: RoomError) -> Self {
        Failure::group(error)
    }
}

/// Takes the next entry of a room's log. Afterwards the cursor is past it, whatever became of it.
///
/// # Errors
/// [`RoomError::Gap`] when entries are missing before it, [`RoomError::NotActive`] while it is not known where the group is after
/// entries that were passed over, [`RoomError::NoRoom`], [`RoomError::State`]: nothing was changed. What is wrong with the entry itself is no error but [`Processed::Unusable`].
pub fn process_entry(ctx: &mut RoomCtx<'_>, room: RoomId, entry: &LogEntry) -> Result<Processed, RoomError> {
    let mut next = meta(ctx.kv, room)?;
    if entry.seq <= next.cursor {
        return Ok(Processed::Skipped(Skip::Duplicate));
    }
    let expected = next.cursor + 1;
    if entry.seq != expected {
        return Err(RoomError::Gap { expected, found: entry.seq });
    }
    if next.skipped {
        return Err(RoomError::NotActive);
    }
    next.cursor = entry.seq;
    let early = read::<EarlyWelcome>(ctx.kv, &welcome_key(room))?.filter(|early| early.seq <= entry.seq);
    let done = ctx.atomic(|ctx| {
        let mut processed = Processed::Skipped(Skip::BeforeJoin);
        let here = early.as_ref().filter(|early| early.seq == entry.seq);
        // A state that is out of step cannot use the commit that the Welcome belongs to.
        if here.is_none() || next.stage == Stage::Active {
            processed = dispatch(ctx, room, &mut next, entry)?;
        }
        if next.stage != Stage::Active
            && let Some(early) = here
        {
            processed = Processed::Commit(Box::new(enter_by_welcome(ctx, room, &mut next, &early.welcome)?));
        }
        save_meta(ctx.kv, room, &next);
        Ok(processed)
    });
    // Used, or of no use any more.
    if early.is_some() {
        ctx.kv.delete(&welcome_key(room));
    }
    match done {
        Ok(processed) => Ok(processed),
        Err(failure) => set_aside(ctx, room, entry.seq, failure),
    }
}

/// Passes an entry that cannot be used. Nothing else of the state is touched: not the ratchet either, so that an entry
/// that was tampered with does not use up the key of the good one.
fn set_aside(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    seq: u64,
    failure: Failure,
) -> Result<Processed, RoomError> {
    let mut meta = meta(ctx.kv, room)?;
    meta.cursor = seq;
    if failure.broken && meta.stage == Stage::Active {
        meta.stage = Stage::Broken;
        meta.misled = matches!(failure.reason, Reason::Refused(RoomError::Policy(_)));
    }
    save_meta(ctx.kv, room, &meta);
    Ok(Processed::Unusable { reason: failure.reason, resync: failure.resync })
}

fn dispatch(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    entry: &LogEntry,
) -> Result<Processed, Failure> {
    let envelope = entry.envelope.peek().map_err(|_| Failure::entry(Reason::Malformed))?;
    if envelope.room != room {
        return Err(Failure::entry(Reason::Malformed));
    }
    if from(&envelope) == ctx.me.device_ref()
        && let Some(processed) = own_entry(ctx, room, meta, entry, &envelope)?
    {
        return Ok(processed);
    }
    if matches!(meta.stage, Stage::Joining | Stage::Left) {
        return Ok(Processed::Skipped(Skip::BeforeJoin));
    }
    match envelope.kind {
        EntryKind::Message => message(ctx, room, meta, entry, &envelope),
        EntryKind::Commit => commit(ctx, room, meta, entry, &envelope),
    }
}

/// What this device sent itself. None: it claims to be, but is not known here.
fn own_entry(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    entry: &LogEntry,
    envelope: &Envelope,
) -> Result<Option<Processed>, Failure> {
    let message_id = envelope.message_id;
    let key = ctx.me.key.verifying_key().to_bytes();
    entry.envelope.verify(&key).map_err(|_| Failure::entry(Reason::Signature))?;
    if envelope.kind == EntryKind::Message {
        ctx.kv.delete(&unsent_key(room, message_id));
        return Ok(Some(Processed::Own { message_id }));
    }
    let merged = merged_key(room, entry.seq);
    if ctx.kv.get(&merged).is_some() {
        ctx.kv.delete(&merged);
        return Ok(Some(Processed::Own { message_id }));
    }
    let Some(kept) = find_pending(ctx.kv, room)?.filter(|kept| kept.message_id == message_id) else {
        return Ok(None);
    };
    let change = if kept.external {
        activate(ctx, room, meta, kept)?
    } else {
        let change = merge_own(ctx, room, meta, &kept)?;
        ctx.drop_retired(room, meta);
        change
    };
    Ok(Some(Processed::Commit(Box::new(change))))
}

fn message(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &Meta,
    entry: &LogEntry,
    envelope: &Envelope,
) -> Result<Processed, Failure> {
    let body = messages::application(envelope.body.as_slice()).map_err(refused)?;
    let epoch = body.epoch().as_u64();
    if epoch != envelope.epoch {
        return Err(Failure::entry(Reason::Malformed));
    }
    if epoch > meta.epoch {
        check_signature(&members_now(ctx, room)?, entry, envelope)?;
        return Err(Failure::group(Reason::Behind));
    }
    if epoch + PAST_EPOCHS_KEPT < meta.epoch {
        return Err(Failure::entry(Reason::TooOld));
    }
    // Under way while this device joined anew: its old state reads it, if it had one.
    // OpenMLS keeps a placeholder for the epoch before an external commit, so it is not asked for epochs outside.
    let slot = match meta.retired.iter().find(|(first, last)| (*first..=*last).contains(&epoch)) {
        _ if epoch >= meta.joined_epoch => Slot::Current,
        Some((_, last)) => Slot::Old(*last),
        None => return Ok(Processed::Skipped(Skip::BeforeJoin)),
    };
    let Some(mut group) = ctx.load(room, slot)? else {
        return Ok(Processed::Skipped(Skip::BeforeJoin));
    };
    let opened = match member::open(&ctx.provider(slot), &mut group, envelope.body.as_slice()) {
        Ok(opened) => opened,
        Err(OpenError::Replayed) => return Ok(Processed::Skipped(Skip::Replayed)),
        Err(OpenError::NoKeys) if slot != Slot::Current => return Ok(Processed::Skipped(Skip::BeforeJoin)),
        Err(OpenError::NoKeys) => return Err(Failure::entry(Reason::TooOld)),
        Err(OpenError::Own) => return Err(Failure::entry(Reason::Signature)),
        Err(OpenError::Refused(error)) => return Err(refused(error)),
    };
    let plaintext = Zeroizing::new(opened.content);
    let sender = opened.sender;
    if device_ref(&sender) != from(envelope) || entry.envelope.verify(&sender.device_key).is_err() {
        return Err(Failure::entry(Reason::Signature));
    }
    if sender.expires_ms <= entry.time_ms {
        return Err(Failure::entry(Reason::Expired));
    }
    let content: Content = decode(&plaintext, limits::MESSAGE_BYTES_MAX)
        .ok()
        .filter(|content: &Content| content.id == envelope.message_id)
        .ok_or_else(|| Failure::entry(Reason::Malformed))?;
    Ok(Processed::Message(Box::new(Message {
        seq: entry.seq,
        time_ms: entry.time_ms,
        from: device_ref(&sender),
        content,
    })))
}

fn commit(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    meta: &mut Meta,
    entry: &LogEntry,
    envelope: &Envelope,
) -> Result<Processed, Failure> {
    // An own commit that is not known here: this state is a copy from before it.
    if meta.stage == Stage::Broken || from(envelope) == ctx.me.device_ref() {
        return Err(Failure::group(Reason::Behind));
    }
    let mut group = ctx.group(room)?;
    let present = member::members(&group).map_err(RoomError::from)?;
    check_signature(&present, entry, envelope)?;
    let now = ctx.now;
    let staged = member::stage(&ctx.provider(Slot::Current), &mut group, envelope.body.as_slice(), now);
    let (facts, staged) = match staged {
        Ok(staged) => staged,
        // From before this device came in, numbered a second time.
        Err(MlsError::WrongEpoch { found, .. }) if found < meta.joined_epoch => {
            return Ok(Processed::Skipped(Skip::Replayed));
        }
        // Also where it is for an epoch that this device has left: a hub that is back at an earlier state has let others go on from
        // there, and what is said now is said in another group of the same epoch.
        Err(MlsError::WrongEpoch { .. }) => return Err(Failure::group(Reason::Behind)),
        Err(error) => return Err(Failure::group(RoomError::from(error))),
    };
    if device_ref(&facts.committer) != from(envelope)
        || entry.envelope.verify(&facts.committer.device_key).is_err()
    {
        return Err(Failure::group(Reason::Signature));
    }
    let roles = member::roles(&group).map_err(RoomError::from)?;
    check_followed(ctx, meta.kind.as_ref(), roles.as_ref(), &present, &facts).map_err(Failure::refused)?;

    let mut change = change(ctx, roles, &present, &facts);
    group
        .merge_staged_commit(&ctx.provider(Slot::Current), *staged)
        .map_err(|error| RoomError::from(MlsError::refused("to store the group")(error)))?;
    change.lost_pending = drop_loser(ctx, room, facts.from_epoch)?;
    meta.epoch = facts.to_epoch;
    if change.removed_me {
        leave(ctx, room, meta);
    } else {
        ctx.entered(room, &group)?;
        ctx.drop_retired(room, meta);
    }
    Ok(Processed::Commit(Box::new(change)))
}

fn members_now(ctx: &mut RoomCtx<'_>, room: RoomId) -> Result<Vec<DeviceCert>, RoomError> {
    Ok(member::members(&ctx.group(room)?)?)
}

/// Where the device that is named is a member now, the envelope must be signed by it. (One that is not may have come in
/// since.) What a hub makes up is set aside; it does not count as the group having moved on.
fn check_signature(members: &[DeviceCert], entry: &LogEntry, envelope: &Envelope) -> Result<(), Failure> {
    match members.iter().find(|cert| device_ref(cert) == from(envelope)) {
        Some(cert) => {
            entry.envelope.verify(&cert.device_key).map_err(|_| Failure::entry(Reason::Signature)).map(drop)
        }
        None => Ok(()),
    }
}

/// An own commit from the epoch that somebody else has just won. OpenMLS has dropped it from the group already.
fn drop_loser(ctx: &mut RoomCtx<'_>, room: RoomId, epoch: u64) -> Result<bool, RoomError> {
    let Some(kept) = find_pending(ctx.kv, room)? else { return Ok(false) };
    // One that joins anew may start from an epoch that this state has not reached yet.
    let lost = kept.change.epoch <= epoch + 1;
    if lost {
        ctx.kv.delete(&pending_key(room));
    }
    Ok(lost)
}

/// Removed: no key stays.
fn leave(ctx: &mut RoomCtx<'_>, room: RoomId, meta: &mut Meta) {
    meta.stage = Stage::Left;
    meta.retired.clear();
    ctx.delete_groups(room);
    delete_all(ctx.kv, &epoch_keys_prefix(room));
    delete_all(ctx.kv, &unsent_prefix(room));
}

fn from(envelope: &Envelope) -> DeviceRef {
    DeviceRef { user: envelope.sender.clone(), device: envelope.device }
}

fn refused(error: MlsError) -> Failure {
    Failure::entry(RoomError::from(error))
}
