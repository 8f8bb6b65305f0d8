//! What the node hands out to get back unchanged: sealed under a key that only it has, with a purpose and an end.

use crate::entropy::{Entropy, Rng};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand_core::RngCore;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use weft_wire::{Blob, Millis, codec};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;
/// More than anything that is sealed here needs.
const SEALED_BYTES_MAX: usize = 4 << 10;

/// Seals tickets. XChaCha20-Poly1305 with a random nonce; the purpose is associated data.
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
}

/// What is inside.
#[derive(Serialize, Deserialize)]
#[serde(bound = "T: Serialize + DeserializeOwned")]
struct Inside<T> {
    expires_ms: Millis,
    value: T,
}

impl Sealer {
    /// The key follows from the node's own, so that it is the same after a restart and in every process of the node.
    pub fn of_node(node_key: &ed25519_dalek::SigningKey) -> Self {
        let secret = Zeroizing::new(node_key.to_bytes());
        let key = Zeroizing::new(blake3::derive_key("weft 2026-11 node ticket seal", secret.as_ref()));
        Sealer { cipher: XChaCha20Poly1305::new(Key::from_slice(key.as_ref())) }
    }

    /// Seals a value until a time. Gives nothing only for a value beyond all bounds, which callers do not have.
    pub fn seal<T: Serialize + DeserializeOwned>(
        &self,
        entropy: &dyn Entropy,
        purpose: &str,
        value: T,
        expires_ms: Millis,
    ) -> Blob {
        let plain = Zeroizing::new(codec::encode(&Inside { expires_ms, value }));
        let mut sealed = vec![0; NONCE_BYTES];
        Rng(entropy).fill_bytes(&mut sealed);
        let payload = Payload { msg: plain.as_ref(), aad: purpose.as_bytes() };
        match self.cipher.encrypt(XNonce::from_slice(&sealed), payload) {
            Ok(bytes) => sealed.extend(bytes),
            Err(_) => sealed.clear(),
        }
        Blob(sealed)
    }

    /// Opens what [`Self::seal`] made for this purpose, if its time has not passed.
    pub fn open<T: Serialize + DeserializeOwned>(
        &self,
        purpose: &str,
        sealed: &Blob,
        now: Millis,
    ) -> Option<T> {
        if sealed.len() > SEALED_BYTES_MAX {
            return None;
        }
        let (nonce, bytes) = sealed.as_slice().split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: bytes, aad: purpose.as_bytes() };
        let plain = Zeroizing::new(self.cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?);
        let inside: Inside<T> = codec::decode(&plain, SEALED_BYTES_MAX).ok()?;
        (now < inside.expires_ms).then_some(inside.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn opens_for_its_purpose_until_its_end_and_not_when_touched() {
        let sealer = Sealer::of_node(&ed25519_dalek::SigningKey::from_bytes(&[7; 32]));
        let sealed = sealer.seal(&SystemEntropy, "ticket", 42_u32, 1_000);
        assert_eq!(sealer.open::<u32>("ticket", &sealed, 999), Some(42));
        assert!(sealer.open::<u32>("ticket", &sealed, 1_000).is_none());
        assert!(sealer.open::<u32>("login", &sealed, 0).is_none());
        let other = Sealer::of_node(&ed25519_dalek::SigningKey::from_bytes(&[8; 32]));
        assert!(other.open::<u32>("ticket", &sealed, 0).is_none());
        for at in 0..sealed.len() {
            let mut touched = sealed.clone();
            touched.0[at] ^= 1;
            assert!(sealer.open::<u32>("ticket", &touched, 0).is_none());
        }
        assert!(sealer.open::<u32>("ticket", &Blob(vec![1; 10]), 0).is_none());
    }
}
