//! Records that outlive the code that wrote them.
//!
//! A stored record is one byte, its version, and then CBOR. When a type changes in a way that CBOR's named and defaulted
//! fields do not absorb, the old type is frozen beside the new one, and the new one says how it comes from the old:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use weft_store::record::{Record, Versioned};
//!
//! mod v1 {
//!     use serde::{Deserialize, Serialize};
//!     use weft_store::record::{First, Versioned};
//!
//!     #[derive(Serialize, Deserialize)]
//!     pub struct Account { pub name: String }
//!     impl Versioned for Account {
//!         const VERSION: u8 = 1;
//!         type Previous = First;
//!         fn migrate(previous: First) -> Self { match previous {} }
//!     }
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Account { first: String, last: String }
//! impl Versioned for Account {
//!     const VERSION: u8 = 2;
//!     type Previous = v1::Account;
//!     fn migrate(previous: v1::Account) -> Self { Account { first: previous.name, last: String::new() } }
//! }
//!
//! let stored = v1::Account { name: "Ada".into() }.to_record();
//! assert_eq!(Account::from_record(&stored).unwrap().first, "Ada");
//! ```

use serde::{Serialize, de::DeserializeOwned};

/// Why a stored record could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No bytes at all.
    #[error("the record is empty")]
    Empty,
    /// Written by a newer program, or not a record.
    #[error("the record has version {found}, this program knows up to {newest}")]
    Version {
        /// The record's version.
        found: u8,
        /// The newest that is known here.
        newest: u8,
    },
    /// Not the CBOR that the version promises.
    #[error(transparent)]
    Decode(#[from] weft_wire::codec::DecodeError),
}

/// One version of a record and the version before it. The first has [`First`] before it.
pub trait Versioned: Serialize + DeserializeOwned {
    /// The byte in front of the CBOR. Counts up from 1.
    const VERSION: u8;
    /// The frozen type that this one replaced.
    type Previous: Step;
    /// The step from there to here. For the first version: `match previous {}`.
    fn migrate(previous: Self::Previous) -> Self;
}

/// What stands before the first version: nothing, and nothing can be made of it.
pub enum First {}

/// Reads a record of some version or an earlier one. Implemented here for every [`Versioned`] type.
pub trait Step: Sized {
    /// Reads a record; `newest` is the version that the caller wants, for the message.
    ///
    /// # Errors
    /// [`RecordError`].
    fn read(version: u8, cbor: &[u8], newest: u8) -> Result<Self, RecordError>;
}

impl Step for First {
    fn read(found: u8, _: &[u8], newest: u8) -> Result<Self, RecordError> {
        Err(RecordError::Version { found, newest })
    }
}

impl<T: Versioned> Step for T {
    fn read(version: u8, cbor: &[u8], newest: u8) -> Result<Self, RecordError> {
        if version == T::VERSION {
            Ok(weft_wire::codec::decode(cbor, crate::VALUE_BYTES_MAX)?)
        } else {
            T::Previous::read(version, cbor, newest).map(T::migrate)
        }
    }
}

/// Bytes to keep and back. Implemented for every [`Versioned`] type.
pub trait Record: Sized {
    /// The bytes to store.
    fn to_record(&self) -> Vec<u8>;
    /// Reads what was stored, migrating it from an older version.
    ///
    /// # Errors
    /// [`RecordError`]; never a panic, whatever the bytes.
    fn from_record(bytes: &[u8]) -> Result<Self, RecordError>;
}

impl<T: Versioned> Record for T {
    fn to_record(&self) -> Vec<u8> {
        weft_wire::codec::encode_after(T::VERSION, self)
    }

    fn from_record(bytes: &[u8]) -> Result<Self, RecordError> {
        let (version, cbor) = bytes.split_first().ok_or(RecordError::Empty)?;
        T::read(*version, cbor, T::VERSION)
    }
}
