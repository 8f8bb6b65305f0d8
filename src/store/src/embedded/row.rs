//! How the index and the snapshots hold a row: version, checksum over key and all, value.

use crate::resolve::Cell;

/// Version and checksum.
pub(crate) const ROW_HEADER_BYTES: usize = 12;

/// Checksum of a row, as it counts in the digest.
pub(crate) fn row_crc(full_key: &[u8], version: u64, value: &[u8]) -> u32 {
    let crc = crc32c::crc32c(full_key);
    crc32c::crc32c_append(crc32c::crc32c_append(crc, &version.to_be_bytes()), value)
}

pub(crate) fn encode_row(full_key: &[u8], version: u64, value: &[u8]) -> Vec<u8> {
    encode_checked(version, row_crc(full_key, version, value), value)
}

/// The same, where the checksum is known.
pub(crate) fn encode_checked(version: u64, crc: u32, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(ROW_HEADER_BYTES + value.len());
    row.extend_from_slice(&version.to_be_bytes());
    row.extend_from_slice(&crc.to_be_bytes());
    row.extend_from_slice(value);
    row
}

/// A row taken apart, its checksum verified; `None` if it is damaged.
pub(crate) fn decode_row<'r>(full_key: &[u8], row: &'r [u8]) -> Option<RowRef<'r>> {
    let (version, rest) = row.split_first_chunk::<8>()?;
    let (crc, value) = rest.split_first_chunk::<4>()?;
    let version = u64::from_be_bytes(*version);
    let crc = u32::from_be_bytes(*crc);
    (row_crc(full_key, version, value) == crc).then_some(RowRef { version, crc, value })
}

#[derive(Clone, Copy)]
pub(crate) struct RowRef<'r> {
    pub version: u64,
    pub crc: u32,
    pub value: &'r [u8],
}

impl RowRef<'_> {
    pub(crate) fn to_cell(self) -> Cell {
        Cell { version: self.version, value: self.value.to_vec() }
    }
}
