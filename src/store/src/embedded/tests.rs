//! Decoders against hostile bytes, and the layouts as they are drawn.

use proptest::prelude::*;

use super::{
    checkpoint::Checkpoint,
    digest::{Digest, JournalId},
    frame::{self, FRAME_HEADER_BYTES, FrameBuilder, FrameHeader, WriteRef},
    row::{decode_row, encode_row},
    segment::{Link, SegmentHeader, segment_name, segment_number},
};
use crate::resolve::Write;

const ID: JournalId = JournalId([7; 32]);

fn write() -> impl Strategy<Value = Write> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..60);
    (bytes(), proptest::option::of(bytes()))
        .prop_map(|(key, value)| Write { key: key.into(), value: value.map(Into::into) })
}

fn build(batches: &[Vec<Write>]) -> Vec<u8> {
    let mut builder = FrameBuilder::new(41);
    for batch in batches {
        builder.push(batch);
    }
    let (mut bytes, header, hash) = builder.finish(&ID, Digest { rows: 3, sum: 9 }, [5; 32]);
    assert_eq!(bytes.len() as u64, header.disk_bytes());
    bytes.truncate(FRAME_HEADER_BYTES + header.payload_bytes as usize);
    assert_eq!(frame::hash(&bytes), hash);
    bytes
}

proptest! {
    #[test]
    fn a_frame_comes_back_as_it_went(batches in proptest::collection::vec(proptest::collection::vec(write(), 0..4), 1..5)) {
        let bytes = build(&batches);
        prop_assert!(frame::verify(&ID, &bytes));
        prop_assert!(!frame::verify(&JournalId([8; 32]), &bytes), "another journal's frame");
        let (header, _) = FrameHeader::parse(&bytes).unwrap();
        prop_assert_eq!(header.last_seq(), 40 + batches.len() as u64);
        let mut found = vec![Vec::new(); batches.len()];
        let visited = frame::visit_writes(&bytes, |seq, WriteRef { key, value }| {
            found[(seq - 41) as usize].push(Write { key: key.into(), value: value.map(Into::into) });
            Ok::<_, ()>(())
        });
        prop_assert_eq!(visited, Some(Ok(())));
        prop_assert_eq!(found, batches);
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_noticed(batch in proptest::collection::vec(write(), 1..4), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = build(&[batch]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        prop_assert!(!frame::verify(&ID, &bytes));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..700), magic in any::<bool>()) {
        let mut bytes = bytes;
        if magic && bytes.len() >= 4 {
            bytes[..4].copy_from_slice(b"WfF1");
        }
        let _ = FrameHeader::parse(&bytes);
        prop_assert!(!frame::verify(&ID, &bytes));
        let _ = frame::visit_writes(&bytes, |_, _| Ok::<_, ()>(()));
        let _ = SegmentHeader::decode(&bytes);
        let _ = decode_row(b"key", &bytes);
    }

    #[test]
    fn a_row_under_another_key_or_with_another_bit_is_noticed(key in proptest::collection::vec(any::<u8>(), 1..40), value in proptest::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut row = encode_row(&key, 12, &value);
        let parsed = decode_row(&key, &row).unwrap();
        prop_assert_eq!((parsed.version, parsed.value), (12, value.as_slice()));
        let mut other = key.clone();
        other[0] ^= 1;
        prop_assert!(decode_row(&other, &row).is_none());
        let at = at.index(row.len());
        row[at] ^= 1u8 << bit;
        prop_assert!(decode_row(&key, &row).is_none());
    }
}

#[test]
fn a_segments_header_comes_back_and_its_name_sorts() {
    let link = Link { next_seq: 99, hash: [3; 32], digest: Digest { rows: 5, sum: u128::MAX - 4 } };
    let header = SegmentHeader { id: ID, number: 12, link };
    let bytes = header.encode();
    assert_eq!(bytes.len(), 512);
    assert!(SegmentHeader::decode(&bytes) == Some(header));
    for at in 0..116 {
        let mut damaged = bytes.clone();
        damaged[at] ^= 16;
        assert!(SegmentHeader::decode(&damaged).is_none(), "byte {at}");
    }
    assert_eq!(segment_number(&segment_name(12)), Some(12));
    assert!(segment_name(9) < segment_name(10) && segment_number("12.snapshot").is_none());
}

#[test]
fn a_checkpoint_that_is_damaged_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint { id: ID, seq: 77, generation: 3 };
    let disk = super::RealDisk;
    assert!(Checkpoint::read(&disk, dir.path()).unwrap().is_none());
    checkpoint.write(&disk, dir.path()).unwrap();
    assert!(Checkpoint::read(&disk, dir.path()).unwrap() == Some(checkpoint));
    let path = dir.path().join("checkpoint");
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert!(Checkpoint::read(&disk, dir.path()).unwrap().is_none(), "byte {at}");
    }
}

#[test]
fn the_digest_forgets_the_order() {
    let rows = [ID.row_hash(b"a", 1, 2), ID.row_hash(b"b", 1, 2), ID.row_hash(b"a", 2, 2)];
    let (mut forwards, mut backwards) = (Digest::default(), Digest::default());
    rows.iter().for_each(|row| forwards.add(*row));
    rows.iter().rev().for_each(|row| backwards.add(*row));
    assert_eq!(forwards, backwards);
    backwards.change(Some(rows[1]), None);
    assert_ne!(forwards, backwards);
    backwards.change(None, Some(rows[1]));
    assert_eq!(forwards, backwards);
}
