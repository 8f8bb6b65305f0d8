//! Snapshots: all rows, compressed, in one file.
//!
//! A snapshot is fuzzy: it is written while commits go on, so its rows are of different moments between two sequence numbers,
//! `seq` (when it began) and `end_seq` (when it was done). Puts and deletes are physical, so replaying the journal from `seq` + 1
//! brings it to any later state exactly; it is of no use without the journal up to `end_seq`, which was synced before the
//! snapshot got its name.
//!
//! ```text
//! header, one sector: magic "WEFTSNP1" 8, journal id 32, seq 8, CRC32C 4
//! zstd: per row: key length 2, row length 4, key, row (as in the index); then the end mark 0xFFFF, rows 8, end_seq 8
//! BLAKE3 of all of the above, 32
//! ```

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::{
    codec::{Reader, SECTOR},
    digest::JournalId,
    disk::{Disk, DiskFile},
    io_error,
};
use crate::{Error, KEY_BYTES_MAX, Result, VALUE_BYTES_MAX, embedded::row::ROW_HEADER_BYTES};

const MAGIC: [u8; 8] = *b"WEFTSNP1";
const SUMMED_BYTES: usize = 48;
const SUFFIX: &str = ".snapshot";
const END_MARK: u16 = u16::MAX;
const HASH_BYTES: u64 = 32;
/// Fast, and all that ciphertext deserves.
const ZSTD_LEVEL: i32 = 1;
/// Synced at this distance, so that the end is not one long wait in which the journal's syncs queue up.
const SYNC_EVERY_BYTES: u64 = 16 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// File name of a snapshot; names sort as sequence numbers do.
pub(crate) fn snapshot_name(seq: u64) -> String {
    format!("{seq:016}{SUFFIX}")
}

/// Sequence numbers of the snapshots in a folder, ascending.
pub(crate) fn snapshot_seqs(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>> {
    let names = disk.list(dir).map_err(io_error("list the snapshots"))?;
    let mut seqs: Vec<u64> =
        names.iter().filter_map(|name| name.strip_suffix(SUFFIX)?.parse().ok()).collect();
    seqs.sort_unstable();
    Ok(seqs)
}

/// A snapshot that is being written, under a name of its own until it is whole.
pub(crate) struct SnapshotWriter<'d> {
    disk: &'d dyn Disk,
    dir: PathBuf,
    seq: u64,
    rows: u64,
    encoder: zstd::Encoder<'static, HashingFile>,
}

impl<'d> SnapshotWriter<'d> {
    pub(crate) fn create(disk: &'d dyn Disk, dir: &Path, id: &JournalId, seq: u64) -> Result<Self> {
        let begin = || {
            let file = disk.create(&dir.join(beside(seq)))?;
            let mut file =
                HashingFile { file, at: 0, synced: 0, hasher: blake3::Hasher::new(), buffer: Vec::new() };
            let mut header = MAGIC.to_vec();
            header.extend_from_slice(&id.0);
            header.extend_from_slice(&seq.to_be_bytes());
            header.extend_from_slice(&crc32c::crc32c(&header).to_be_bytes());
            header.resize(SECTOR, 0);
            file.write_all(&header)?;
            zstd::Encoder::new(file, ZSTD_LEVEL)
        };
        let encoder = begin().map_err(io_error("begin a snapshot"))?;
        Ok(SnapshotWriter { disk, dir: dir.to_owned(), seq, rows: 0, encoder })
    }

    pub(crate) fn push(&mut self, key: &[u8], row: &[u8]) -> Result<()> {
        let key_len = u16::try_from(key.len()).unwrap_or(END_MARK);
        let row_len = u32::try_from(row.len()).unwrap_or(u32::MAX);
        let mut write = || {
            self.encoder.write_all(&key_len.to_be_bytes())?;
            self.encoder.write_all(&row_len.to_be_bytes())?;
            self.encoder.write_all(key)?;
            self.encoder.write_all(row)
        };
        write().map_err(io_error("write a snapshot"))?;
        self.rows += 1;
        Ok(())
    }

    /// Brings the file to rest and gives it its name. Gives its size in bytes.
    pub(crate) fn publish(mut self, end_seq: u64) -> Result<u64> {
        let finish = || {
            self.encoder.write_all(&END_MARK.to_be_bytes())?;
            self.encoder.write_all(&self.rows.to_be_bytes())?;
            self.encoder.write_all(&end_seq.to_be_bytes())?;
            let mut file = self.encoder.finish()?;
            file.flush_buffer()?;
            let hash = *file.hasher.finalize().as_bytes();
            file.file.write_at(&hash, file.at)?;
            file.file.sync_data()?;
            self.disk.rename(&self.dir.join(beside(self.seq)), &self.dir.join(snapshot_name(self.seq)))?;
            self.disk.sync_dir(&self.dir)?;
            Ok(file.at + HASH_BYTES)
        };
        finish().map_err(io_error("finish a snapshot"))
    }
}

/// Name of a snapshot that is not whole. It does not end as snapshots do.
fn beside(seq: u64) -> String {
    format!("{}.new", snapshot_name(seq))
}

/// Removes what a crash left of snapshots that were being written.
pub(crate) fn sweep(disk: &dyn Disk, dir: &Path) -> Result<()> {
    for name in disk.list(dir).map_err(io_error("list the snapshots"))? {
        if name.ends_with(".new") {
            disk.remove(&dir.join(name)).map_err(io_error("remove an unfinished snapshot"))?;
        }
    }
    Ok(())
}

struct HashingFile {
    file: Box<dyn DiskFile>,
    at: u64,
    synced: u64,
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl HashingFile {
    fn flush_buffer(&mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        self.file.write_at(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        if self.at - self.synced >= SYNC_EVERY_BYTES {
            self.file.sync_data()?;
            self.synced = self.at;
        }
        Ok(())
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush_buffer()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A snapshot, verified, whose rows can be read.
pub(crate) struct SnapshotReader {
    path: PathBuf,
    pub id: JournalId,
    pub seq: u64,
    /// What of the file is rows.
    body: FileRange,
}

impl SnapshotReader {
    /// Opens a snapshot and verifies header and hash.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self> {
        let bad = |what| Error::BadSnapshot { path: path.to_owned(), what };
        let file = disk.open(path).map_err(io_error("open a snapshot"))?;
        let len = file.len_bytes().map_err(io_error("measure a snapshot"))?;
        let Some(hash_at) = len.checked_sub(HASH_BYTES).filter(|at| *at >= SECTOR as u64) else {
            return Err(bad("the snapshot is cut short"));
        };
        let mut range = FileRange { file, at: 0, end: hash_at };
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut range).map_err(io_error("read a snapshot"))?;
        let mut expected = [0; HASH_BYTES as usize];
        range.file.read_at(&mut expected, hash_at).map_err(io_error("read a snapshot"))?;
        if *hasher.finalize().as_bytes() != expected {
            return Err(bad("the snapshot's hash is wrong"));
        }
        let mut header = [0; SECTOR];
        range.file.read_at(&mut header, 0).map_err(io_error("read a snapshot"))?;
        let (id, seq) = decode_header(&header).ok_or_else(|| bad("the snapshot's header is unreadable"))?;
        range.at = SECTOR as u64;
        Ok(SnapshotReader { path: path.to_owned(), id, seq, body: range })
    }

    /// Hands every row to `visit`, in order of keys, and gives `end_seq`.
    pub(crate) fn read(self, mut visit: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<u64> {
        let bad = |what| Error::BadSnapshot { path: self.path.clone(), what };
        let mut decoder = zstd::Decoder::new(self.body).map_err(io_error("read a snapshot"))?;
        let mut rows = 0_u64;
        let (mut key, mut row) = (Vec::new(), Vec::new());
        loop {
            let key_len = u16::from_be_bytes(take(&mut decoder)?);
            if key_len == END_MARK {
                break;
            }
            let row_len = u32::from_be_bytes(take(&mut decoder)?) as usize;
            // One byte more than a key for the table's number.
            if usize::from(key_len) > KEY_BYTES_MAX + 1 || row_len > VALUE_BYTES_MAX + ROW_HEADER_BYTES {
                return Err(bad("a row is too large"));
            }
            key.resize(usize::from(key_len), 0);
            row.resize(row_len, 0);
            decoder.read_exact(&mut key).map_err(io_error("read a snapshot"))?;
            decoder.read_exact(&mut row).map_err(io_error("read a snapshot"))?;
            visit(&key, &row)?;
            rows += 1;
        }
        if u64::from_be_bytes(take(&mut decoder)?) != rows {
            return Err(bad("rows are missing"));
        }
        Ok(u64::from_be_bytes(take(&mut decoder)?))
    }
}

fn decode_header(bytes: &[u8]) -> Option<(JournalId, u64)> {
    let summed = bytes.get(..SUMMED_BYTES)?;
    let mut reader = Reader(bytes);
    if reader.array::<8>()? != MAGIC {
        return None;
    }
    let (id, seq) = (JournalId(reader.array()?), reader.u64()?);
    (reader.u32()? == crc32c::crc32c(summed)).then_some((id, seq))
}

fn take<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(io_error("read a snapshot"))?;
    Ok(bytes)
}

/// A part of a file as a reader.
struct FileRange {
    file: Box<dyn DiskFile>,
    at: u64,
    end: u64,
}

impl Read for FileRange {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let there = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let len = buf.len().min(there);
        let read = self.file.read_at(buf.get_mut(..len).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
