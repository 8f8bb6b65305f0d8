//! A frame of the profile file: one output's writes, sealed.
//!
//! `length u32 LE ‖ CRC32C of the rest u32 LE ‖ nonce 24 ‖ XChaCha20-Poly1305(CBOR)`, the frame's number in the file as
//! associated data, so that frames cannot be left out, repeated or put in another order. The CRC tells a write that was
//! cut off from one that was tampered with.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use weft_engine::host::{Space, Write};
use weft_wire::Blob;

/// Length and CRC.
const HEAD_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
/// No output of an engine comes near it.
const FRAME_BYTES_MAX: usize = 256 << 20;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    State(Blob, Option<Blob>),
    History(Blob, Option<Blob>),
    Wipe,
}

/// What stands at a place of the file.
pub(super) enum Found {
    /// A frame, and where the next one begins.
    Frame(Vec<Write>, usize),
    /// The end of the file.
    End,
    /// Not a whole frame.
    Broken,
}

pub(super) fn seal(key: &[u8; 32], number: u64, writes: &[Write]) -> Option<Vec<u8>> {
    let rows: Vec<Row> = writes.iter().map(to_row).collect();
    let plain = zeroize::Zeroizing::new(weft_wire::encode(&rows));
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let payload = Payload { msg: &plain, aad: &number.to_be_bytes() };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(XNonce::from_slice(&nonce), payload).ok()?;
    let body = [nonce.as_slice(), &sealed].concat();
    let length = u32::try_from(body.len()).ok()?;
    let mut frame = Vec::with_capacity(HEAD_BYTES + body.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    frame.extend_from_slice(&body);
    Some(frame)
}

pub(super) fn open(key: &[u8; 32], number: u64, file: &[u8], at: usize) -> Found {
    let Some((body, next)) = whole(file, at) else {
        return if at == file.len() { Found::End } else { Found::Broken };
    };
    let Some((nonce, sealed)) = body.split_at_checked(NONCE_BYTES) else {
        return Found::Broken;
    };
    let payload = Payload { msg: sealed, aad: &number.to_be_bytes() };
    let Ok(plain) = XChaCha20Poly1305::new(key.into()).decrypt(XNonce::from_slice(nonce), payload) else {
        return Found::Broken;
    };
    let plain = zeroize::Zeroizing::new(plain);
    match weft_wire::decode::<Vec<Row>>(&plain, FRAME_BYTES_MAX) {
        Ok(rows) => Found::Frame(rows.into_iter().map(from_row).collect(), next),
        Err(_) => Found::Broken,
    }
}

/// The body of a frame whose length and CRC fit, and where it ends.
fn whole(file: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = file.get(at..)?;
    let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let crc = u32::from_le_bytes(rest.get(4..HEAD_BYTES)?.try_into().ok()?);
    let body = rest.get(HEAD_BYTES..HEAD_BYTES.checked_add(length)?)?;
    (length >= NONCE_BYTES && crc32c::crc32c(body) == crc).then_some((body, at + HEAD_BYTES + length))
}

/// Whether a whole frame begins anywhere in `file[from..]`: then what lies before is damage, not a cut-off end.
pub(super) fn any_whole(file: &[u8], from: usize) -> bool {
    (from..file.len()).any(|at| whole(file, at).is_some())
}

fn to_row(write: &Write) -> Row {
    let row = |space: &Space, key: &Vec<u8>, value: Option<&Vec<u8>>| {
        let (key, value) = (Blob(key.clone()), value.cloned().map(Blob));
        match space {
            Space::State => Row::State(key, value),
            Space::History => Row::History(key, value),
        }
    };
    match write {
        Write::Put { space, key, value } => row(space, key, Some(value)),
        Write::Delete { space, key } => row(space, key, None),
        Write::Wipe => Row::Wipe,
    }
}

fn from_row(row: Row) -> Write {
    let write = |space, key: Blob, value: Option<Blob>| match value {
        Some(value) => Write::Put { space, key: key.0, value: value.0 },
        None => Write::Delete { space, key: key.0 },
    };
    match row {
        Row::State(key, value) => write(Space::State, key, value),
        Row::History(key, value) => write(Space::History, key, value),
        Row::Wipe => Write::Wipe,
    }
}
