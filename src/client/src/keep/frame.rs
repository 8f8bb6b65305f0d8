//! A frame of the profile file: one output's writes, sealed.
//!
//! `length u32 LE ‖ CRC32C of the rest u32 LE ‖ nonce 24 ‖ XChaCha20-Poly1305(CBOR)`, the frame's number in the file as
//! associated data, so that frames cannot be left out, repeated or put in another order. The CRC tells a write that was
//! cut off from one that was tampered with.

use super::sums::Sums;
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
    let (length, crc) = head(file, at)?;
    let body = file.get(at + HEAD_BYTES..at + HEAD_BYTES + length)?;
    (crc32c::crc32c(body) == crc).then_some((body, at + HEAD_BYTES + length))
}

/// Length and CRC of a frame that would end within the file.
fn head(file: &[u8], at: usize) -> Option<(usize, u32)> {
    let head = file.get(at..at.checked_add(HEAD_BYTES)?)?;
    let (length, crc) = head.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let fits = length >= NONCE_BYTES && length <= file.len() - at - HEAD_BYTES;
    Some((length, u32::from_le_bytes(crc.try_into().ok()?))).filter(|_| fits)
}

/// Whether a whole frame begins anywhere in `file[from..]`: then what lies before is damage, not a cut-off end.
///
/// Any byte may look like the beginning of a long frame, in ciphertext by chance and in a hostile file everywhere. The
/// checksum of each would read the file over and over, hence [`Sums`].
pub(super) fn any_whole(file: &[u8], from: usize) -> bool {
    let rest = file.get(from..).unwrap_or_default();
    let sums = Sums::new(rest);
    (0..rest.len()).any(|at| {
        head(rest, at)
            .is_some_and(|(length, crc)| sums.of(at + HEAD_BYTES, at + HEAD_BYTES + length) == Some(crc))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn frame(body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).expect("short");
        [&length.to_le_bytes(), &crc32c::crc32c(body).to_le_bytes(), body].concat()
    }

    #[test]
    fn a_hostile_file_costs_no_more_than_its_length() {
        // At every fourth byte a frame could begin that reaches through half of the file.
        let hostile = 1_000_000_u32.to_le_bytes().repeat(500_000);
        let began = Instant::now();
        assert!(!any_whole(&hostile, 0));
        // Reading half a megabyte for each of a quarter of a million frames takes minutes.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        let found = [hostile.as_slice(), &frame(&[7; 5_000]), &[1; 40]].concat();
        assert!(any_whole(&found, 0));
    }

    proptest! {
        #[test]
        fn a_whole_frame_is_found_wherever_it_is(
            before in proptest::collection::vec(0_u8..30, 0..200),
            body in proptest::collection::vec(any::<u8>(), 0..9_000),
            after in proptest::collection::vec(any::<u8>(), 0..100),
            cut in 0_usize..3,
        ) {
            let file = [before.as_slice(), &frame(&body), &after].concat();
            let file = &file[..file.len() - cut.min(file.len())];
            for from in [0, before.len() / 2, before.len(), before.len() + 1, file.len() + 1] {
                let slow = (from..file.len()).any(|at| whole(file, at).is_some());
                prop_assert_eq!(any_whole(file, from), slow);
            }
        }
    }
}
