//! The checkpoint: how far the index on disk reaches, and which folder it is in.

use std::{io, path::Path};

use super::{
    codec::Reader,
    digest::JournalId,
    disk::{Disk, read_file, replace_file},
    io_error,
};
use crate::Result;

const NAME: &str = "checkpoint";
const MAGIC: [u8; 8] = *b"WEFTCKP1";
const SUMMED_BYTES: usize = 56;

/// What the file `checkpoint` says. It is replaced whole, by a rename.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub id: JournalId,
    /// Everything up to here is in the index on disk. That the journal reached it is certain.
    pub seq: u64,
    /// The index is in the folder `index-GENERATION`; 0 if there is none.
    pub generation: u64,
}

impl Checkpoint {
    /// Reads the file in `dir`; `None` if it is absent or damaged. Damage costs a rebuild of the index, no data.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<Checkpoint>> {
        let bytes = match read_file(disk, &dir.join(NAME), 4096) {
            // Whatever has written that, it is no checkpoint.
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => None,
            read => read.map_err(io_error("read the checkpoint"))?,
        };
        Ok(bytes.and_then(|bytes| Self::decode(&bytes)))
    }

    pub(crate) fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        replace_file(disk, dir, NAME, &bytes).map_err(io_error("write the checkpoint"))
    }

    fn decode(bytes: &[u8]) -> Option<Checkpoint> {
        let summed = bytes.get(..SUMMED_BYTES)?;
        let mut reader = Reader(bytes);
        if reader.array::<8>()? != MAGIC {
            return None;
        }
        let checkpoint =
            Checkpoint { id: JournalId(reader.array()?), seq: reader.u64()?, generation: reader.u64()? };
        (reader.u32()? == crc32c::crc32c(summed)).then_some(checkpoint)
    }
}
