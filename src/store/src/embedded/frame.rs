//! One frame of the journal: one group commit.
//!
//! ```text
//!  0  magic          4     "WfF1"
//!  4  payload bytes  4
//!  8  CRC32C         4     over journal id, header without this field, payload
//! 12  batches        4
//! 16  first seq      8     batch i of the frame has sequence number first + i
//! 24  rows           8     digest of the state after the frame
//! 32  sum           16
//! 48  previous hash 32     BLAKE3 of header and payload of the frame before
//! 80  payload              per batch: u32 count of writes; per write: u8 kind, u16 key, u32 value, key, value
//! ```
//!
//! Numbers are big-endian. The frame is padded with zeros to whole sectors; the padding counts for nothing.

use super::{
    codec::{Reader, SECTOR, sectors},
    digest::{Digest, JournalId},
};
use crate::resolve::Write;

const MAGIC: [u8; 4] = *b"WfF1";
pub(crate) const FRAME_HEADER_BYTES: usize = 80;
const CRC_AT: usize = 8;
const CRC_END: usize = 12;
/// No frame has a longer payload; a length above it is damage, and nothing is allocated for it.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 8 << 20;
const KIND_DELETE: u8 = 0;
const KIND_PUT: u8 = 1;

pub(crate) type Hash = [u8; 32];

/// What a frame's header says, besides its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub payload_bytes: u32,
    pub batches: u32,
    pub first_seq: u64,
    pub digest: Digest,
    pub previous: Hash,
}

impl FrameHeader {
    /// Sequence number of the frame's last batch.
    pub(crate) fn last_seq(&self) -> u64 {
        self.first_seq + u64::from(self.batches).saturating_sub(1)
    }

    /// Bytes of the frame on disk, padding included.
    pub(crate) fn disk_bytes(&self) -> u64 {
        sectors(FRAME_HEADER_BYTES + self.payload_bytes as usize) as u64
    }

    /// Reads a header; `None` if it cannot be one. The checksum is not verified here.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(FrameHeader, u32)> {
        let mut reader = Reader(bytes);
        if reader.array::<4>()? != MAGIC {
            return None;
        }
        let payload_bytes = reader.u32()?;
        let crc = reader.u32()?;
        let batches = reader.u32()?;
        let first_seq = reader.u64()?;
        let digest = Digest { rows: reader.u64()?, sum: reader.u128()? };
        let previous = reader.array()?;
        let plausible = payload_bytes as usize <= PAYLOAD_BYTES_MAX
            && batches > 0
            && first_seq > 0
            && first_seq.checked_add(u64::from(batches)).is_some();
        plausible.then_some((FrameHeader { payload_bytes, batches, first_seq, digest, previous }, crc))
    }
}

/// True if header and payload (without padding) carry the right checksum.
pub(crate) fn verify(id: &JournalId, frame: &[u8]) -> bool {
    let Some((header, crc)) = FrameHeader::parse(frame) else { return false };
    frame.len() == FRAME_HEADER_BYTES + header.payload_bytes as usize && checksum(id, frame) == Some(crc)
}

fn checksum(id: &JournalId, frame: &[u8]) -> Option<u32> {
    let crc = crc32c::crc32c(&id.0);
    let crc = crc32c::crc32c_append(crc, frame.get(..CRC_AT)?);
    Some(crc32c::crc32c_append(crc, frame.get(CRC_END..)?))
}

/// The hash by which the next frame names this one.
pub(crate) fn hash(frame: &[u8]) -> Hash {
    *blake3::hash(frame).as_bytes()
}

/// Builds one frame, batch by batch.
pub(crate) struct FrameBuilder {
    bytes: Vec<u8>,
    batches: u32,
    first_seq: u64,
}

impl FrameBuilder {
    pub(crate) fn new(first_seq: u64) -> Self {
        FrameBuilder { bytes: vec![0; FRAME_HEADER_BYTES], batches: 0, first_seq }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batches == 0
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.first_seq + u64::from(self.batches)
    }

    pub(crate) fn push(&mut self, writes: &[Write]) {
        let count = u32::try_from(writes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&count.to_be_bytes());
        for Write { key, value } in writes {
            let (kind, value) = match value {
                Some(value) => (KIND_PUT, &**value),
                None => (KIND_DELETE, &[][..]),
            };
            self.bytes.push(kind);
            // Both fit: `Batch::validate` bounds them far below.
            self.bytes.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
            self.bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            self.bytes.extend_from_slice(key);
            self.bytes.extend_from_slice(value);
        }
        self.batches += 1;
    }

    /// Header in front, padding behind. Gives the bytes for the disk, the header, and the frame's hash.
    pub(crate) fn finish(
        self,
        id: &JournalId,
        digest: Digest,
        previous: Hash,
    ) -> (Vec<u8>, FrameHeader, Hash) {
        let mut bytes = self.bytes;
        let payload_bytes = u32::try_from(bytes.len() - FRAME_HEADER_BYTES).unwrap_or(u32::MAX);
        let header =
            FrameHeader { payload_bytes, batches: self.batches, first_seq: self.first_seq, digest, previous };
        let mut head = Vec::with_capacity(FRAME_HEADER_BYTES);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&payload_bytes.to_be_bytes());
        head.extend_from_slice(&[0; CRC_END - CRC_AT]);
        head.extend_from_slice(&self.batches.to_be_bytes());
        head.extend_from_slice(&self.first_seq.to_be_bytes());
        head.extend_from_slice(&digest.rows.to_be_bytes());
        head.extend_from_slice(&digest.sum.to_be_bytes());
        head.extend_from_slice(&previous);
        if let Some(place) = bytes.first_chunk_mut::<FRAME_HEADER_BYTES>() {
            place.copy_from_slice(&head);
        }
        let crc = checksum(id, &bytes).unwrap_or_default();
        if let Some(place) = bytes.get_mut(CRC_AT..CRC_END) {
            place.copy_from_slice(&crc.to_be_bytes());
        }
        let hash = hash(&bytes);
        bytes.resize(bytes.len().div_ceil(SECTOR) * SECTOR, 0);
        (bytes, header, hash)
    }
}

/// One write of a stored frame.
pub(crate) struct WriteRef<'p> {
    pub key: &'p [u8],
    pub value: Option<&'p [u8]>,
}

/// Calls `visit` with the sequence number of the batch and the write, for every write of a verified frame. `None` if the
/// payload is not what it should be, which a frame with a right checksum is only if a program wrote it wrong.
pub(crate) fn visit_writes<E>(
    frame: &[u8],
    mut visit: impl FnMut(u64, WriteRef<'_>) -> Result<(), E>,
) -> Option<Result<(), E>> {
    let (header, _) = FrameHeader::parse(frame)?;
    let mut reader = Reader(frame.get(FRAME_HEADER_BYTES..)?);
    for batch in 0..header.batches {
        for _ in 0..reader.u32()? {
            let kind = reader.u8()?;
            let key_len = reader.u16()?;
            let value_len = reader.u32()?;
            let key = reader.bytes(usize::from(key_len))?;
            let value = reader.bytes(value_len as usize)?;
            let value = match kind {
                KIND_PUT => Some(value),
                KIND_DELETE if value.is_empty() => None,
                _ => return None,
            };
            if let Err(error) = visit(header.first_seq + u64::from(batch), WriteRef { key, value }) {
                return Some(Err(error));
            }
        }
    }
    reader.0.is_empty().then_some(Ok(()))
}
