//! Sealing: to a key one holds oneself (keyring, vault records), and to another person's identity (greetings).
//!
//! XChaCha20-Poly1305 everywhere, so that a random nonce is always safe. What a sealed thing is for stands in its
//! associated data: opened in another place it does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand_chacha::rand_core::{CryptoRng, RngCore};
use sha2::Sha256;
use weft_wire::UserAddress;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// It does not open: another key, another purpose, other people, or altered bytes. Which one is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed does not open")]
pub struct SealError;

/// Seals under a symmetric key: version ‖ nonce ‖ ciphertext.
pub fn seal(
    rng: &mut (impl RngCore + CryptoRng),
    key: &[u8; 32],
    purpose: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let payload = Payload { msg: plain, aad: purpose };
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(XNonce::from_slice(&nonce), payload)
        .map_err(|_| SealError)?;
    Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] sealed.
///
/// # Errors
/// [`SealError`].
pub fn open(key: &[u8; 32], purpose: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (&version, rest) = sealed.split_first().ok_or(SealError)?;
    if version != VERSION {
        return Err(SealError);
    }
    let (nonce, cipher) = rest.split_at_checked(NONCE_BYTES).ok_or(SealError)?;
    let payload = Payload { msg: cipher, aad: purpose };
    XChaCha20Poly1305::new(key.into())
        .decrypt(XNonce::from_slice(nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| SealError)
}

/// Two people: one seals, the other opens. Both addresses are part of what is authenticated.
pub struct Pair<'a> {
    /// Who seals.
    pub from: &'a UserAddress,
    /// Who opens.
    pub to: &'a UserAddress,
}

impl Pair<'_> {
    fn purpose(&self, purpose: &[u8]) -> Vec<u8> {
        [purpose, b"\0", self.from.to_string().as_bytes(), b"\0", self.to.to_string().as_bytes()].concat()
    }
}

/// Seals to a person's seal key: version ‖ ephemeral key ‖ [`seal`]ed.
///
/// The key comes from two agreements, ephemeral–static and static–static (as HPKE's authenticated mode, RFC 9180, 5.1.3): so
/// the one who opens knows that it was sealed by whoever holds the sender's seal key. The node cannot make up a greeting.
///
/// # Errors
/// [`SealError`] when a key is a point of small order.
pub fn seal_to(
    rng: &mut (impl RngCore + CryptoRng),
    own: &StaticSecret,
    their: &[u8; 32],
    pair: &Pair<'_>,
    purpose: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    let their = PublicKey::from(*their);
    let ephemeral = StaticSecret::random_from_rng(&mut *rng);
    let public = PublicKey::from(&ephemeral);
    let agreed = [ephemeral.diffie_hellman(&their), own.diffie_hellman(&their)];
    let key = agree(&agreed, &public, &PublicKey::from(own), &their)?;
    let sealed = seal(rng, &key, &pair.purpose(purpose), plain)?;
    Ok([&[VERSION], public.as_bytes().as_slice(), &sealed].concat())
}

/// Opens what [`seal_to`] sealed.
///
/// # Errors
/// [`SealError`].
pub fn open_from(
    own: &StaticSecret,
    their: &[u8; 32],
    pair: &Pair<'_>,
    purpose: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (&version, rest) = sealed.split_first().ok_or(SealError)?;
    let (public, sealed) = rest.split_at_checked(KEY_BYTES).ok_or(SealError)?;
    let public = <[u8; KEY_BYTES]>::try_from(public).map_err(|_| SealError)?;
    if version != VERSION {
        return Err(SealError);
    }
    let (public, their) = (PublicKey::from(public), PublicKey::from(*their));
    let agreed = [own.diffie_hellman(&public), own.diffie_hellman(&their)];
    let key = agree(&agreed, &public, &their, &PublicKey::from(own))?;
    open(&key, &pair.purpose(purpose), sealed)
}

fn agree(
    agreed: &[x25519_dalek::SharedSecret; 2],
    ephemeral: &PublicKey,
    from: &PublicKey,
    to: &PublicKey,
) -> Result<Zeroizing<[u8; 32]>, SealError> {
    if !agreed.iter().all(x25519_dalek::SharedSecret::was_contributory) {
        return Err(SealError);
    }
    let mut secret = Zeroizing::new([0u8; 64]);
    let bytes = agreed.iter().flat_map(|part| part.as_bytes());
    secret.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let salt = [ephemeral, from, to].map(|key| key.to_bytes()).concat();
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(&salt), secret.as_slice())
        .expand(b"weft/seal/1", key.as_mut_slice())
        .map_err(|_| SealError)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn address(text: &str) -> UserAddress {
        text.parse().unwrap()
    }

    #[test]
    fn a_greeting_opens_for_its_reader_only() {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let [alice, bob, carol] = [(); 3].map(|()| StaticSecret::random_from_rng(&mut rng));
        let public = |secret: &StaticSecret| PublicKey::from(secret).to_bytes();
        let (from, to) = (address("alice@a.example"), address("bob@b.example"));
        let pair = Pair { from: &from, to: &to };
        let sealed = seal_to(&mut rng, &alice, &public(&bob), &pair, b"greeting", b"hello").unwrap();

        let opened = open_from(&bob, &public(&alice), &pair, b"greeting", &sealed).unwrap();
        assert_eq!(opened.as_slice(), b"hello");
        let refused = |own: &StaticSecret, their: &[u8; 32], pair: &Pair, purpose: &[u8], sealed: &[u8]| {
            assert_eq!(open_from(own, their, pair, purpose, sealed), Err(SealError));
        };
        refused(&carol, &public(&alice), &pair, b"greeting", &sealed);
        // Sealed by somebody else in alice's name.
        refused(&bob, &public(&carol), &pair, b"greeting", &sealed);
        refused(&bob, &public(&alice), &pair, b"answer", &sealed);
        refused(&bob, &public(&alice), &Pair { from: &to, to: &from }, b"greeting", &sealed);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            refused(&bob, &public(&alice), &pair, b"greeting", &altered);
            refused(&bob, &public(&alice), &pair, b"greeting", &sealed[..at]);
        }
    }

    #[test]
    fn a_key_of_small_order_seals_nothing() {
        let mut rng = ChaCha20Rng::from_seed([4; 32]);
        let own = StaticSecret::random_from_rng(&mut rng);
        let (from, to) = (address("alice@a.example"), address("bob@b.example"));
        let pair = Pair { from: &from, to: &to };
        assert_eq!(seal_to(&mut rng, &own, &[0; 32], &pair, b"greeting", b"hello"), Err(SealError));
    }
}
