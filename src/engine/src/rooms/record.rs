//! What is kept of a room besides the state of its group.

use super::{Change, RoomCtx, RoomError};
use crate::{
    kv::{Kv, prefix},
    mls_store::{Slot, group_prefix, groups_prefix},
};
use openmls::prelude::MlsGroup;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use weft_mls::{
    MlsError, Roles,
    config::{self, PAST_EPOCHS_KEPT},
    member,
};
use weft_wire::{
    Blob, MessageId, RoomId, Signed, decode, encode,
    identity::DeviceCert,
    rooms::{Envelope, RoomKind, SubmitCommit},
};
use zeroize::{Zeroize, Zeroizing};

/// Where a device stands with a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Not yet in the group; an external commit is under way.
    Joining,
    /// In the group.
    Active,
    /// In the group, but a commit could not be followed: join anew.
    Broken,
    /// Removed from the group.
    Left,
}

/// A room at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// What it is for, once known.
    pub kind: Option<RoomKind>,
    /// Where this device stands.
    pub stage: Stage,
    /// The last log number that was processed.
    pub cursor: u64,
    /// The epoch that this device is at.
    pub epoch: u64,
    /// Whether a commit is pending.
    pub pending: bool,
    /// The hub took a commit that is against the rules of the room. What it says of the group now is no better, so this device
    /// does not come in anew by it.
    pub misled: bool,
    /// Entries were passed over; whether the group went on in them is to be found out ([`resume`](super::resume)).
    pub skipped: bool,
    /// The log number at which a Welcome is used that came before the log.
    pub welcome: Option<u64>,
}

/// The version of the records below. Fields that come later have a default.
const RECORD_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Meta {
    version: u32,
    pub kind: Option<RoomKind>,
    pub stage: Stage,
    pub cursor: u64,
    pub epoch: u64,
    /// The first epoch of the current state: created at, welcomed to, or joined anew at.
    pub joined_epoch: u64,
    /// While joining by external commit: how far the log was read before. The cursor is where reading will begin.
    #[serde(default)]
    pub read_to: u64,
    /// The first and last epoch of each state from before joining anew that is still there, ascending.
    #[serde(default)]
    pub retired: Vec<(u64, u64)>,
    /// As in [`Info`].
    #[serde(default)]
    pub misled: bool,
    /// As in [`Info`].
    #[serde(default)]
    pub skipped: bool,
}

impl Meta {
    /// How far the log was read as a member.
    pub fn read_to(&self) -> u64 {
        if self.stage == Stage::Joining { self.read_to } else { self.cursor }
    }

    pub fn new(kind: Option<RoomKind>, stage: Stage, cursor: u64, epoch: u64) -> Self {
        Meta {
            version: RECORD_VERSION,
            kind,
            stage,
            cursor,
            epoch,
            joined_epoch: epoch,
            read_to: 0,
            retired: Vec::new(),
            misled: false,
            skipped: false,
        }
    }
}

/// A commit that was handed to the hub, or is about to be.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub submit: SubmitCommit,
    pub message_id: MessageId,
    /// What it does, for the caller, once it is accepted.
    pub change: Change,
    pub external: bool,
    pub refused: bool,
    pub accepted: Option<u64>,
    /// Of an external commit: the state of the group after it.
    pub rows: Vec<(Blob, Blob)>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.rows.iter_mut().for_each(|(_, value)| value.0.zeroize());
    }
}

/// A Welcome that came before the log had reached the commit it belongs to.
#[derive(Serialize, Deserialize)]
pub(super) struct EarlyWelcome {
    pub seq: u64,
    pub welcome: Blob,
}

/// An encrypted message that has not come back in the log yet.
#[derive(Serialize, Deserialize)]
pub(super) struct Unsent {
    pub epoch: u64,
    pub envelope: Signed<Envelope>,
}

/// Keys by the first letter after the room. Part of what is on disk.
const META: u8 = b'm';
const PENDING: u8 = b'p';
const UNSENT: u8 = b'u';
const MERGED: u8 = b'c';
const WELCOME: u8 = b'w';
const EPOCH_KEYS: u8 = b'x';

fn room_prefix(room: RoomId) -> Vec<u8> {
    let mut key = prefix::ROOMS.to_vec();
    key.extend_from_slice(room.as_bytes());
    key
}

fn key(room: RoomId, kind: u8, name: &[u8]) -> Vec<u8> {
    let mut key = room_prefix(room);
    key.push(kind);
    key.extend_from_slice(name);
    key
}

pub(super) fn pending_key(room: RoomId) -> Vec<u8> {
    key(room, PENDING, &[])
}

pub(super) fn welcome_key(room: RoomId) -> Vec<u8> {
    key(room, WELCOME, &[])
}

pub(super) fn unsent_key(room: RoomId, message: MessageId) -> Vec<u8> {
    key(room, UNSENT, message.as_bytes())
}

pub(super) fn unsent_prefix(room: RoomId) -> Vec<u8> {
    key(room, UNSENT, &[])
}

pub(super) fn merged_prefix(room: RoomId) -> Vec<u8> {
    key(room, MERGED, &[])
}

/// Own commits that were merged when the hub accepted them, until they come by in the log.
pub(super) fn merged_key(room: RoomId, seq: u64) -> Vec<u8> {
    key(room, MERGED, &seq.to_be_bytes())
}

pub(super) fn epoch_keys_prefix(room: RoomId) -> Vec<u8> {
    key(room, EPOCH_KEYS, &[])
}

pub(super) fn epoch_keys_key(room: RoomId, epoch: u64) -> Vec<u8> {
    key(room, EPOCH_KEYS, &epoch.to_be_bytes())
}

pub(super) fn read<T: DeserializeOwned>(kv: &dyn Kv, key: &[u8]) -> Result<Option<T>, RoomError> {
    match kv.get(key).map(Zeroizing::new) {
        Some(bytes) => decode(&bytes, usize::MAX).map(Some).map_err(RoomError::State),
        None => Ok(None),
    }
}

pub(super) fn write<T: Serialize>(kv: &mut dyn Kv, key: &[u8], value: &T) {
    kv.put(key, encode(value));
}

pub(super) fn find_meta(kv: &dyn Kv, room: RoomId) -> Result<Option<Meta>, RoomError> {
    read(kv, &key(room, META, &[]))
}

pub(super) fn meta(kv: &dyn Kv, room: RoomId) -> Result<Meta, RoomError> {
    find_meta(kv, room)?.ok_or(RoomError::NoRoom)
}

pub(super) fn save_meta(kv: &mut dyn Kv, room: RoomId, meta: &Meta) {
    write(kv, &key(room, META, &[]), meta);
}

pub(super) fn find_pending(kv: &dyn Kv, room: RoomId) -> Result<Option<Pending>, RoomError> {
    read(kv, &pending_key(room))
}

pub(super) fn delete_all(kv: &mut dyn Kv, prefix: &[u8]) {
    for (key, mut value) in kv.scan(prefix) {
        value.zeroize();
        kv.delete(&key);
    }
}

impl RoomCtx<'_> {
    /// The group of a room, loaded from the state.
    pub(super) fn load(&mut self, room: RoomId, slot: Slot) -> Result<Option<MlsGroup>, RoomError> {
        let provider = self.provider(slot);
        let loaded =
            MlsGroup::load(openmls_traits::OpenMlsProvider::storage(&provider), &config::group_id(room));
        Ok(loaded.map_err(MlsError::refused("the stored group"))?)
    }

    pub(super) fn group(&mut self, room: RoomId) -> Result<MlsGroup, RoomError> {
        self.load(room, Slot::Current)?.ok_or(RoomError::NotActive)
    }

    /// Puts the current state aside: messages of its last epochs may still be under way.
    pub(super) fn retire_group(&mut self, room: RoomId, meta: &mut Meta) {
        let (from, to) = (group_prefix(room, Slot::Current), group_prefix(room, Slot::Old(meta.epoch)));
        let rows = self.kv.scan(&from);
        if rows.is_empty() {
            return;
        }
        meta.retired.push((meta.joined_epoch, meta.epoch));
        for (key, value) in rows {
            let mut moved = to.clone();
            moved.extend(key.iter().skip(from.len()));
            self.kv.put(&moved, value);
            self.kv.delete(&key);
        }
    }

    /// Lets go of the states from before joining anew of whose epochs nothing can come any more.
    pub(super) fn drop_retired(&mut self, room: RoomId, meta: &mut Meta) {
        let reach = meta.epoch.saturating_sub(PAST_EPOCHS_KEPT);
        for (_, last) in meta.retired.extract_if(.., |(_, last)| *last < reach) {
            delete_all(self.kv, &group_prefix(room, Slot::Old(last)));
        }
    }

    pub(super) fn delete_groups(&mut self, room: RoomId) {
        delete_all(self.kv, &groups_prefix(room));
    }
}

/// What this device knows of a room; none when it knows none.
///
/// # Errors
/// [`RoomError::State`].
pub fn info(ctx: &RoomCtx<'_>, room: RoomId) -> Result<Option<Info>, RoomError> {
    let Some(meta) = find_meta(ctx.kv, room)? else { return Ok(None) };
    let pending = ctx.kv.get(&pending_key(room)).is_some();
    let welcome: Option<EarlyWelcome> = read(ctx.kv, &welcome_key(room))?;
    Ok(Some(Info {
        kind: meta.kind,
        stage: meta.stage,
        cursor: meta.cursor,
        epoch: meta.epoch,
        pending,
        misled: meta.misled,
        skipped: meta.skipped,
        welcome: welcome.map(|early| early.seq),
    }))
}

/// The devices in the group, this one included, in the order of their leaves.
///
/// # Errors
/// [`RoomError::NoRoom`], [`RoomError::NotActive`] when this device is not in the group.
pub fn members(ctx: &mut RoomCtx<'_>, room: RoomId) -> Result<Vec<DeviceCert>, RoomError> {
    meta(ctx.kv, room)?;
    let group = ctx.group(room)?;
    Ok(member::members(&group)?)
}

/// The owners and admins of a group; none of a direct room.
///
/// # Errors
/// As [`members`].
pub fn roles(ctx: &mut RoomCtx<'_>, room: RoomId) -> Result<Option<Roles>, RoomError> {
    meta(ctx.kv, room)?;
    let group = ctx.group(room)?;
    Ok(member::roles(&group)?)
}

/// Notes what the room is for, when it was joined before that was known. What is known is never changed, and that it is a group
/// nobody has to say: it has roles.
///
/// # Errors
/// [`RoomError::NoRoom`].
pub fn set_kind(ctx: &mut RoomCtx<'_>, room: RoomId, kind: &RoomKind) -> Result<(), RoomError> {
    let mut meta = meta(ctx.kv, room)?;
    if meta.kind.is_none() && *kind != RoomKind::Group {
        meta.kind = Some(kind.clone());
        save_meta(ctx.kv, room, &meta);
    }
    Ok(())
}

/// Moves the cursor forward over entries that the hub does not have: its retention has ended, or it comes from a backup. There may
/// have been commits among them, so nothing is read or written until it is known where the group is ([`resume`](super::resume)). A
/// Welcome that belongs to a later entry is kept for it.
///
/// # Errors
/// [`RoomError::NoRoom`].
pub fn skip_to(ctx: &mut RoomCtx<'_>, room: RoomId, seq: u64) -> Result<(), RoomError> {
    let mut meta = meta(ctx.kv, room)?;
    if seq > meta.cursor {
        if read::<EarlyWelcome>(ctx.kv, &welcome_key(room))?.is_some_and(|early| early.seq <= seq) {
            ctx.kv.delete(&welcome_key(room));
        }
        meta.cursor = seq;
        if meta.stage == Stage::Active {
            meta.stage = Stage::Broken;
            meta.skipped = ctx.kv.get(&welcome_key(room)).is_none();
        }
        save_meta(ctx.kv, room, &meta);
    }
    Ok(())
}

/// Removes everything about a room, keys first of all: it was folded into another one, or left for good.
pub fn forget(ctx: &mut RoomCtx<'_>, room: RoomId) {
    ctx.delete_groups(room);
    delete_all(ctx.kv, &room_prefix(room));
}
