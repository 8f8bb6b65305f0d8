//! Where a client keeps what its engine writes: in memory, or in one sealed file.

mod file;
mod frame;
mod rows;
mod sums;

pub use file::File;
pub use rows::Rows;

use crate::Error;
use weft_engine::host::Write;

/// What a client keeps its state in.
pub enum Keep {
    /// Gone with the process.
    Memory(Rows),
    /// Survives the process, and the machine's power.
    File(Box<File>),
}

impl Keep {
    /// An empty one in memory.
    pub fn memory() -> Self {
        Keep::Memory(Rows::default())
    }

    /// What is there now.
    pub fn rows(&self) -> &Rows {
        match self {
            Keep::Memory(rows) => rows,
            Keep::File(file) => file.rows(),
        }
    }

    /// Applies the writes of one output, whole or not at all; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; the client must stop then, because the engine is ahead of what is kept.
    pub fn apply(&mut self, writes: Vec<Write>) -> Result<(), Error> {
        match self {
            Keep::Memory(rows) => {
                rows.apply(writes);
                Ok(())
            }
            Keep::File(file) => file.apply(writes),
        }
    }
}
