//! Segments: the files of the journal, and what stands at their beginning.
//!
//! ```text
//!  0  magic           8     "WEFTSEG1"
//!  8  journal id     32
//! 40  number          8     also in the file's name
//! 48  first seq       8     of the segment's first frame
//! 56  previous hash  32     of the last frame of the segment before
//! 88  rows            8     digest of the state before the first frame
//! 96  sum            16
//! 112 CRC32C          4     over all of the above
//! ```
//!
//! One sector; frames start at byte 512.

use super::{
    codec::{Reader, SECTOR},
    digest::{Digest, JournalId},
    frame::Hash,
};

const MAGIC: [u8; 8] = *b"WEFTSEG1";
const SUMMED_BYTES: usize = 112;
/// Where the first frame stands.
pub(crate) const FRAMES_AT: u64 = SECTOR as u64;
const SUFFIX: &str = ".journal";

/// What links a segment, or a frame, to all that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Sequence number that comes next.
    pub next_seq: u64,
    /// Hash of the last frame; zeros before the first.
    pub hash: Hash,
    /// State after the last frame.
    pub digest: Digest,
}

impl Link {
    /// Before the first frame of a journal.
    pub(crate) const START: Link = Link { next_seq: 1, hash: [0; 32], digest: Digest { rows: 0, sum: 0 } };
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub id: JournalId,
    pub number: u64,
    pub link: Link,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SECTOR);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.link.next_seq.to_be_bytes());
        bytes.extend_from_slice(&self.link.hash);
        bytes.extend_from_slice(&self.link.digest.rows.to_be_bytes());
        bytes.extend_from_slice(&self.link.digest.sum.to_be_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        bytes.resize(SECTOR, 0);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<SegmentHeader> {
        let summed = bytes.get(..SUMMED_BYTES)?;
        let mut reader = Reader(bytes);
        if reader.array::<8>()? != MAGIC {
            return None;
        }
        let id = JournalId(reader.array()?);
        let number = reader.u64()?;
        let next_seq = reader.u64()?;
        let hash = reader.array()?;
        let digest = Digest { rows: reader.u64()?, sum: reader.u128()? };
        let right = reader.u32()? == crc32c::crc32c(summed) && next_seq > 0;
        right.then_some(SegmentHeader { id, number, link: Link { next_seq, hash, digest } })
    }
}

/// File name of a segment; names sort as numbers do.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:016}{SUFFIX}")
}

/// The number in a segment's file name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}
