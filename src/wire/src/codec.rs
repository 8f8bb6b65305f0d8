//! CBOR in and out, with bounds that hold before anything is allocated.

use cbor4ii::core::{dec::Read, utils::SliceReader};
use serde::{Serialize, de::DeserializeOwned};

/// Why bytes were not understood. Carries no content, so that it can be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than this place allows.
    #[error("{len} bytes where at most {max} are allowed")]
    TooLarge {
        /// What came.
        len: usize,
        /// What is allowed.
        max: usize,
    },
    /// Not CBOR, or CBOR of another shape.
    #[error("malformed CBOR: {0}")]
    Malformed(String),
    /// A whole value, and then something more.
    #[error("{0} bytes after the end of the value")]
    Trailing(usize),
}

/// What travels: anything that serde reads and writes. A name for generic callers.
pub trait Decodable: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> Decodable for T {}

/// Encodes a value as a CBOR map with field names.
///
/// It cannot fail for the types of this crate (no maps with computed lengths, no failing serializers); a value that does
/// fail would encode to nothing, which no decoder accepts.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    struct Sized_<'a, T: ?Sized>(&'a T);
    impl<T: Serialize + ?Sized> Serialize for Sized_<'_, T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }
    cbor4ii::serde::to_vec(Vec::new(), &Sized_(value)).unwrap_or_default()
}

/// Decodes exactly one value of at most `max` bytes.
///
/// Lengths inside the bytes are checked against what is really there before memory is taken, and nesting is bounded.
///
/// # Errors
/// [`DecodeError`]; never a panic.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLarge { len: bytes.len(), max });
    }
    let mut deserializer = cbor4ii::serde::Deserializer::new(SliceReader::new(bytes));
    let value = T::deserialize(&mut deserializer)
        .map_err(|error| DecodeError::Malformed(short(&error.to_string())))?;
    let rest = deserializer.into_inner().fill(1).map_or(0, |rest| rest.as_ref().len());
    if rest > 0 {
        return Err(DecodeError::Trailing(rest));
    }
    Ok(value)
}

/// serde may quote a value in its message; keep what helps and no more.
fn short(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).take(120).collect()
}
