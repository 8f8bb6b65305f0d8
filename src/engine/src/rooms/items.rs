//! What is sealed to the members of an epoch beside the ratchet: room items and ephemeral events.
//!
//! At the start of each epoch two keys are taken from MLS' exporter (RFC 9420, 8.5) and kept: one for ephemeral events, one
//! for items. Sealing uses a random 24-byte nonce, so a lost or repeated event leaves no gap, and names its epoch in front.
//!
//! Every member has these keys: that an event is from the member it names is the hub's word, not proven. So nothing but
//! typing and read positions travels this way.
//!
//! Items outlive epochs. The keys of the last [`EPOCHS_KEPT`] epochs stay, so that a read position set a few commits ago still
//! opens. One that is older, or from before this device joined, does not; its owner writes it anew as soon as they read on.

use super::{
    RoomCtx, RoomError,
    record::{epoch_keys_key, epoch_keys_prefix, meta, read, write},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use openmls::prelude::{MlsGroup, OpenMlsCrypto};
use serde::{Deserialize, Serialize};
use weft_mls::MlsError;
use weft_wire::{
    Blob, RoomId, encode, limits,
    rooms::{DeviceRef, RoomItem},
};
use zeroize::{Zeroize, Zeroizing};

/// Epochs whose keys are kept.
pub(super) const EPOCHS_KEPT: u64 = 32;

const EPHEMERAL: &str = "weft ephemeral";
const ITEM: &str = "weft item";
const KEY_BYTES: usize = 32;
const EPOCH_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// The keys of one epoch.
#[derive(Serialize, Deserialize)]
struct EpochKeys {
    ephemeral: Blob,
    item: Blob,
}

impl Drop for EpochKeys {
    fn drop(&mut self) {
        self.ephemeral.0.zeroize();
        self.item.0.zeroize();
    }
}

/// Keeps the keys of the group's current epoch, and lets those go that are too old.
pub(super) fn keep_epoch_keys(
    kv: &mut dyn crate::kv::Kv,
    crypto: &impl OpenMlsCrypto,
    group: &MlsGroup,
    room: RoomId,
) -> Result<(), RoomError> {
    let export = |label| {
        group
            .export_secret(crypto, label, room.as_bytes(), KEY_BYTES)
            .map(Blob)
            .map_err(MlsError::refused("to export a secret"))
    };
    let epoch = group.epoch().as_u64();
    let keys = EpochKeys { ephemeral: export(EPHEMERAL)?, item: export(ITEM)? };
    write(kv, &epoch_keys_key(room, epoch), &keys);
    let oldest = epoch_keys_key(room, epoch.saturating_sub(EPOCHS_KEPT - 1));
    for (key, mut value) in kv.scan(&epoch_keys_prefix(room)) {
        value.zeroize();
        if key < oldest {
            kv.delete(&key);
        }
    }
    Ok(())
}

/// Seals an ephemeral event to the members of the current epoch.
///
/// # Errors
/// [`RoomError::NoRoom`], [`RoomError::NotActive`], [`RoomError::TooLarge`].
pub fn seal_ephemeral(ctx: &mut RoomCtx<'_>, room: RoomId, event: &[u8]) -> Result<Blob, RoomError> {
    let bound = encode(&(EPHEMERAL, room, &ctx.me.user, ctx.me.device));
    seal(ctx, room, |keys| &keys.ephemeral, &bound, event, limits::EPHEMERAL_BYTES_MAX)
}

/// Opens an ephemeral event that is said to be from a device, of this epoch or a recent one.
///
/// # Errors
/// [`RoomError::NoEpochKeys`], [`RoomError::Sealed`], [`RoomError::TooLarge`].
pub fn open_ephemeral(
    ctx: &RoomCtx<'_>,
    room: RoomId,
    from: &DeviceRef,
    sealed: &Blob,
) -> Result<Zeroizing<Vec<u8>>, RoomError> {
    let bound = encode(&(EPHEMERAL, room, &from.user, from.device));
    open(ctx, room, |keys| &keys.ephemeral, &bound, sealed, limits::EPHEMERAL_BYTES_MAX)
}

/// Seals an item of this person's to the members. Kind and version are bound to it: the hub cannot pass an old one off
/// as new.
///
/// # Errors
/// [`RoomError::NoRoom`], [`RoomError::NotActive`], [`RoomError::TooLarge`].
pub fn seal_item(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    kind: &str,
    version: u64,
    content: &[u8],
) -> Result<Blob, RoomError> {
    let bound = encode(&(ITEM, room, &ctx.me.user, kind, version));
    seal(ctx, room, |keys| &keys.item, &bound, content, limits::ROOM_ITEM_BYTES_MAX)
}

/// Opens an item.
///
/// # Errors
/// [`RoomError::NoEpochKeys`] for one that was sealed too long ago or before this device joined; [`RoomError::Sealed`].
pub fn open_item(ctx: &RoomCtx<'_>, room: RoomId, item: &RoomItem) -> Result<Zeroizing<Vec<u8>>, RoomError> {
    let bound = encode(&(ITEM, room, &item.user, &item.kind, item.version));
    open(ctx, room, |keys| &keys.item, &bound, &item.sealed, limits::ROOM_ITEM_BYTES_MAX)
}

fn seal(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    key: impl Fn(&EpochKeys) -> &Blob,
    bound: &[u8],
    content: &[u8],
    max: usize,
) -> Result<Blob, RoomError> {
    let epoch = meta(ctx.kv, room)?.epoch;
    let keys: EpochKeys = read(ctx.kv, &epoch_keys_key(room, epoch))?.ok_or(RoomError::NotActive)?;
    let cipher = XChaCha20Poly1305::new_from_slice(&key(&keys).0).map_err(|_| RoomError::Sealed)?;
    let mut nonce = XNonce::default();
    ctx.rng.fill_bytes(&mut nonce);
    let sealed =
        cipher.encrypt(&nonce, Payload { msg: content, aad: bound }).map_err(|_| RoomError::Sealed)?;
    let mut bytes = epoch.to_be_bytes().to_vec();
    bytes.extend_from_slice(&nonce);
    bytes.extend(sealed);
    check_len(bytes.len(), max)?;
    Ok(Blob(bytes))
}

fn open(
    ctx: &RoomCtx<'_>,
    room: RoomId,
    key: impl Fn(&EpochKeys) -> &Blob,
    bound: &[u8],
    sealed: &Blob,
    max: usize,
) -> Result<Zeroizing<Vec<u8>>, RoomError> {
    check_len(sealed.len(), max)?;
    let (epoch, rest) = sealed.as_slice().split_first_chunk::<EPOCH_BYTES>().ok_or(RoomError::Sealed)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(RoomError::Sealed)?;
    let epoch = u64::from_be_bytes(*epoch);
    let keys: EpochKeys =
        read(ctx.kv, &epoch_keys_key(room, epoch))?.ok_or(RoomError::NoEpochKeys { epoch })?;
    let cipher = XChaCha20Poly1305::new_from_slice(&key(&keys).0).map_err(|_| RoomError::Sealed)?;
    cipher
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: bound })
        .map(Zeroizing::new)
        .map_err(|_| RoomError::Sealed)
}

fn check_len(len: usize, max: usize) -> Result<(), RoomError> {
    if len > max { Err(RoomError::TooLarge { len, max }) } else { Ok(()) }
}
