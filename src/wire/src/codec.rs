//! CBOR in and out, with bounds that hold before anything is allocated.

use cbor4ii::core::dec::Read;
use cbor4ii::core::utils::{BufWriter, SliceReader};
use cbor4ii::serde::{Deserializer, Serializer};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Display;

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

/// Room for most of what is kept, so that it need not be made bit by bit.
const RECORD_BYTES: usize = 256;

/// What travels: anything that serde reads and writes. A name for generic callers.
pub trait Decodable: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> Decodable for T {}

/// Encodes a value as a CBOR map with field names.
///
/// It cannot fail for the types of this crate (no maps with computed lengths, no failing serializers); a value that does
/// fail would encode to nothing, which no decoder accepts.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    encode_behind(Vec::new(), value)
}

/// The same behind one byte that says what it is.
pub fn encode_after<T: Serialize + ?Sized>(first: u8, value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD_BYTES);
    bytes.push(first);
    encode_behind(bytes, value)
}

fn encode_behind<T: Serialize + ?Sized>(bytes: Vec<u8>, value: &T) -> Vec<u8> {
    let mut writer = BufWriter::new(bytes);
    match value.serialize(&mut Serializer::new(&mut writer)) {
        Ok(()) => writer.into_inner(),
        Err(_) => Vec::new(),
    }
}

/// Decodes exactly one value of at most `max` bytes.
///
/// Lengths inside the bytes are checked against what is really there before memory is taken, and nesting is bounded.
///
/// # Errors
/// [`DecodeError`]; never a panic.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, DecodeError> {
    let mut deserializer = reader(bytes, max)?;
    match T::deserialize(&mut deserializer) {
        Ok(value) => at_end(deserializer).map(|()| value),
        Err(error) => Err(malformed(&error)),
    }
}

// What follows is the same for all types: once, and not in each of the hundred decoders that a browser loads.

type Reader<'a> = Deserializer<SliceReader<'a>>;

#[inline(never)]
fn reader(bytes: &[u8], max: usize) -> Result<Reader<'_>, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLarge { len: bytes.len(), max });
    }
    Ok(Deserializer::new(SliceReader::new(bytes)))
}

#[inline(never)]
fn at_end(deserializer: Reader<'_>) -> Result<(), DecodeError> {
    match deserializer.into_inner().fill(1).map_or(0, |rest| rest.as_ref().len()) {
        0 => Ok(()),
        rest => Err(DecodeError::Trailing(rest)),
    }
}

/// serde may quote a value in its message; keep what helps and no more.
#[inline(never)]
fn malformed(error: &impl Display) -> DecodeError {
    let message = error.to_string();
    DecodeError::Malformed(message.chars().filter(|c| !c.is_control()).take(120).collect())
}
