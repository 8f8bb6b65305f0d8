//! MLSMessages from and to bytes (RFC 9420, 6).
//!
//! Decoding goes through the reader of `tls_codec`, which takes memory only for bytes that are there; its slice decoder
//! asserts, in debug builds, that lengths are honest.

use crate::MlsError;
use openmls::prelude::{
    KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, PrivateMessageIn, PublicMessageIn, Welcome,
    group_info::VerifiableGroupInfo, tls_codec::Deserialize as _, tls_codec::Serialize as _,
};
use weft_wire::limits;

/// The most bytes of a Welcome: a GroupInfo with the tree, and a few hundred bytes for each device.
pub const WELCOME_BYTES_MAX: usize = limits::GROUP_INFO_BYTES_MAX;

fn body(what: &'static str, mut bytes: &[u8], max: usize) -> Result<MlsMessageBodyIn, MlsError> {
    if bytes.len() > max {
        return Err(MlsError::TooLarge { what, len: bytes.len(), max });
    }
    let message = MlsMessageIn::tls_deserialize(&mut bytes).map_err(|_| MlsError::Malformed { what })?;
    if !bytes.is_empty() {
        return Err(MlsError::Malformed { what });
    }
    Ok(message.extract())
}

/// A commit: a PublicMessage of at most [`limits::COMMIT_BYTES_MAX`].
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`].
pub fn commit(bytes: &[u8]) -> Result<PublicMessageIn, MlsError> {
    match body("commit", bytes, limits::COMMIT_BYTES_MAX)? {
        MlsMessageBodyIn::PublicMessage(message) => Ok(message),
        _ => Err(MlsError::Malformed { what: "commit" }),
    }
}

/// An application message: a PrivateMessage of at most [`limits::MESSAGE_BYTES_MAX`].
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`].
pub fn application(bytes: &[u8]) -> Result<PrivateMessageIn, MlsError> {
    match body("message", bytes, limits::MESSAGE_BYTES_MAX)? {
        MlsMessageBodyIn::PrivateMessage(message) => Ok(message),
        _ => Err(MlsError::Malformed { what: "message" }),
    }
}

/// A Welcome of at most [`WELCOME_BYTES_MAX`].
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`].
pub fn welcome(bytes: &[u8]) -> Result<Welcome, MlsError> {
    match body("Welcome", bytes, WELCOME_BYTES_MAX)? {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(MlsError::Malformed { what: "Welcome" }),
    }
}

/// A GroupInfo of at most [`limits::GROUP_INFO_BYTES_MAX`], not yet verified.
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`].
pub fn group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, MlsError> {
    match body("GroupInfo", bytes, limits::GROUP_INFO_BYTES_MAX)? {
        MlsMessageBodyIn::GroupInfo(group_info) => Ok(group_info),
        _ => Err(MlsError::Malformed { what: "GroupInfo" }),
    }
}

/// The leaf that signed a GroupInfo (RFC 9420, 12.4.3). OpenMLS verifies the signature and does not tell whose it is.
///
/// # Errors
/// [`MlsError::Malformed`].
pub fn signer(group_info: &[u8]) -> Result<u32, MlsError> {
    signer_in(group_info).ok_or(MlsError::Malformed { what: "GroupInfo" })
}

fn signer_in(group_info: &[u8]) -> Option<u32> {
    // Version and format of the message, version and ciphersuite of the group; its id; the epoch.
    let mut rest = vector(group_info.get(8..)?)?.get(8..)?;
    // Tree hash, transcript hash and extensions of the context; the GroupInfo's own extensions; the confirmation tag.
    for _ in 0..5 {
        rest = vector(rest)?;
    }
    rest.first_chunk().map(|signer| u32::from_be_bytes(*signer))
}

/// What comes after a vector, which has its length in front (RFC 9420, 2.1.2).
fn vector(bytes: &[u8]) -> Option<&[u8]> {
    let width = match bytes.first()? >> 6 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return None,
    };
    let (head, rest) = bytes.split_at_checked(width)?;
    let whole = head.iter().fold(0_u32, |whole, byte| whole << 8 | u32::from(*byte));
    let len = whole & (u32::MAX >> (34 - 8 * width));
    rest.get(usize::try_from(len).ok()?..)
}

/// A KeyPackage of at most [`limits::KEY_PACKAGE_BYTES_MAX`], not yet verified.
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`].
pub fn key_package(bytes: &[u8]) -> Result<KeyPackageIn, MlsError> {
    match body("KeyPackage", bytes, limits::KEY_PACKAGE_BYTES_MAX)? {
        MlsMessageBodyIn::KeyPackage(key_package) => Ok(key_package),
        _ => Err(MlsError::Malformed { what: "KeyPackage" }),
    }
}

/// The bytes of an outgoing message.
///
/// # Errors
/// [`MlsError::Refused`] when OpenMLS cannot encode it: a field is over 2^30 bytes.
pub fn to_bytes(message: impl Into<openmls::prelude::MlsMessageOut>) -> Result<Vec<u8>, MlsError> {
    message.into().tls_serialize_detached().map_err(MlsError::refused("to encode a message"))
}
