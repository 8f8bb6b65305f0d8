//! Signed byte strings: what is verified is exactly what travelled.

use crate::{Blob, DecodeError, bytes, codec};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData};

/// A type that may be signed. The context is part of what is signed, so that a signature over one kind of record is
/// never valid for another.
pub trait Signable: Serialize + DeserializeOwned {
    /// For example `weft/device-cert/1`.
    const CONTEXT: &'static str;
    /// The most bytes that an encoded body may have.
    const BYTES_MAX: usize;
}

/// A record of type `T` with its ed25519 signature over `CONTEXT ‖ 0x00 ‖ body`.
///
/// The body is kept as the bytes that came. It can be read only through [`Signed::verify`] or, where the key stands in
/// the record itself, through [`Signed::peek`] followed by a check.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    body: Blob,
    #[serde(with = "bytes::array")]
    signature: [u8; 64],
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

/// Why a signed record was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The signature does not fit the body, the context or the key.
    #[error("the signature is not valid")]
    Signature,
    /// The key is no ed25519 point.
    #[error("the key is not a valid ed25519 key")]
    Key,
    /// The body is not the record that it should be.
    #[error(transparent)]
    Body(#[from] DecodeError),
}

impl<T: Signable> Signed<T> {
    /// Encodes and signs a record.
    pub fn sign(record: &T, key: &SigningKey) -> Self {
        let body = codec::encode(record);
        let signature = sign(T::CONTEXT, &body, key);
        Signed { body: Blob(body), signature, kind: PhantomData }
    }

    /// Signs a record that is encoded already, as it is.
    pub fn sign_encoded(body: &[u8], key: &SigningKey) -> Self {
        Signed { body: Blob(body.to_vec()), signature: sign(T::CONTEXT, body, key), kind: PhantomData }
    }

    /// Checks the signature (strictly: no small-order keys) and reads the record.
    ///
    /// # Errors
    /// [`SignedError`] when the key, the signature or the body is not valid.
    pub fn verify(&self, key: &[u8; 32]) -> Result<T, SignedError> {
        let record = self.peek()?;
        check(T::CONTEXT, &self.body.0, &self.signature, key)?;
        Ok(record)
    }

    /// Checks the signature alone, as strictly: for whoever has read the record, and the key, before.
    ///
    /// # Errors
    /// [`SignedError::Signature`].
    pub fn check(&self, key: &VerifyingKey) -> Result<(), SignedError> {
        check_by(T::CONTEXT, &self.body.0, &self.signature, key)
    }

    /// Reads the record WITHOUT checking the signature: only to find out which key to check it with.
    ///
    /// # Errors
    /// [`DecodeError`] when the body is not such a record.
    pub fn peek(&self) -> Result<T, DecodeError> {
        codec::decode(&self.body.0, T::BYTES_MAX)
    }

    /// The signature, as it came.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// The exact bytes that were signed, without the context.
    pub fn body(&self) -> &[u8] {
        &self.body.0
    }
}

/// Signs bytes that are no CBOR record: a text of another standard, say. The signature travels wherever that standard has room.
pub(crate) fn sign(context: &str, body: &[u8], key: &SigningKey) -> [u8; 64] {
    key.sign(&message(context, body)).to_bytes()
}

/// Checks what [`sign`] made, strictly: no small-order keys.
pub(crate) fn check(
    context: &str,
    body: &[u8],
    signature: &[u8; 64],
    key: &[u8; 32],
) -> Result<(), SignedError> {
    check_by(context, body, signature, &VerifyingKey::from_bytes(key).map_err(|_| SignedError::Key)?)
}

fn check_by(context: &str, body: &[u8], signature: &[u8; 64], key: &VerifyingKey) -> Result<(), SignedError> {
    key.verify_strict(&message(context, body), &Signature::from_bytes(signature))
        .map_err(|_| SignedError::Signature)
}

fn message(context: &str, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(context.len() + 1 + body.len());
    message.extend_from_slice(context.as_bytes());
    message.push(0);
    message.extend_from_slice(body);
    message
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Signed { body: self.body.clone(), signature: self.signature, kind: PhantomData }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body && self.signature == other.signature
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Signed<{}>({:?})",
            std::any::type_name::<T>().rsplit("::").next().unwrap_or("?"),
            self.body
        )
    }
}
