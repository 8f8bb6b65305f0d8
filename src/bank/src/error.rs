//! Why a file is not imported, and where in it.

use crate::{CamtError, FILE_BYTES_MAX, MtError};

/// What [`crate::read`] has against a file. Nothing of such a file is imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// More than [`FILE_BYTES_MAX`].
    #[error("{0} bytes, where a file has at most {FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// Neither of the formats: see [`crate::detect`].
    #[error("this is neither camt.053 nor MT940")]
    UnknownFormat,
    /// It looked like camt.053.
    #[error("camt.053, line {line} (statement {statement}, entry {entry}): {error}")]
    Camt053 {
        /// Which statement of the file, from 1; 0 before the first.
        statement: u32,
        /// Which entry of it, from 1; 0 where it is about the statement.
        entry: u32,
        /// How many lines of the file were read.
        line: u32,
        /// What is wrong.
        #[source]
        error: CamtError,
    },
    /// It looked like MT940.
    #[error("MT940, line {line}: {error}")]
    Mt940 {
        /// In which line of the file the field begins.
        line: u32,
        /// What is wrong.
        #[source]
        error: MtError,
    },
}
