//! HPKE (RFC 9180) in base mode, one message a context: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use openmls_traits::types::CryptoError;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

type Secret = Zeroizing<Vec<u8>>;

const VERSION: &[u8] = b"HPKE-v1";
/// `"KEM" ‖ 0x0020`.
const KEM_SUITE: &[u8] = b"KEM\x00\x20";
/// `"HPKE" ‖ 0x0020 ‖ 0x0001 ‖ 0x0003`.
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";
const HASH_BYTES: usize = 32;
const MODE_BASE: u8 = 0;

/// LabeledExtract (section 4).
fn extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> Secret {
    let labeled = Zeroizing::new([VERSION, suite, label, ikm].concat());
    let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), &labeled);
    Zeroizing::new(prk.to_vec())
}

/// LabeledExpand (section 4).
fn expand(suite: &[u8], prk: &[u8], label: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
    let bytes = u16::try_from(len).map_err(|_| CryptoError::HkdfOutputLengthInvalid)?.to_be_bytes();
    let mut out = Zeroizing::new(vec![0; len]);
    Hkdf::<Sha256>::from_prk(prk)
        .map_err(|_| CryptoError::HkdfOutputLengthInvalid)?
        .expand_multi_info(&[&bytes, VERSION, suite, label, info], &mut out)
        .map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
    Ok(out)
}

/// DeriveKeyPair (section 7.1.3): secret and public key.
pub(super) fn derive_key_pair(ikm: &[u8]) -> Result<(Secret, [u8; 32]), CryptoError> {
    let prk = extract(KEM_SUITE, b"", b"dkp_prk", ikm);
    let secret = expand(KEM_SUITE, &prk, b"sk", b"", 32)?;
    let bytes = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| CryptoError::InvalidLength)?;
    let public = PublicKey::from(&StaticSecret::from(bytes)).to_bytes();
    Ok((secret, public))
}

/// ExtractAndExpand (section 4.1) over an agreement that must not be of small order (section 7.1.4).
fn shared_secret(
    own: &StaticSecret,
    their: &PublicKey,
    enc: &[u8],
    public: &[u8],
) -> Result<Secret, CryptoError> {
    let agreed = own.diffie_hellman(their);
    if !agreed.was_contributory() {
        return Err(CryptoError::InvalidPublicKey);
    }
    let prk = extract(KEM_SUITE, b"", b"eae_prk", agreed.as_bytes());
    expand(KEM_SUITE, &prk, b"shared_secret", &[enc, public].concat(), HASH_BYTES)
}

/// SetupBaseS (section 5.1.1), with a given ephemeral key.
pub(super) fn setup_sender(
    ephemeral: StaticSecret,
    public: &[u8; 32],
    info: &[u8],
) -> Result<([u8; 32], Context), CryptoError> {
    let enc = PublicKey::from(&ephemeral).to_bytes();
    let shared = shared_secret(&ephemeral, &PublicKey::from(*public), &enc, public)?;
    Ok((enc, Context::new(&shared, info)?))
}

/// SetupBaseR (section 5.1.1).
pub(super) fn setup_receiver(
    enc: &[u8; 32],
    secret: &StaticSecret,
    info: &[u8],
) -> Result<Context, CryptoError> {
    let public = PublicKey::from(secret).to_bytes();
    let shared = shared_secret(secret, &PublicKey::from(*enc), enc, &public)?;
    Context::new(&shared, info)
}

/// A context, good for one message.
pub(super) struct Context {
    key: Secret,
    nonce: Secret,
    exporter: Secret,
}

impl Context {
    /// KeySchedule (section 5.1) in base mode: no pre-shared key.
    fn new(shared: &[u8], info: &[u8]) -> Result<Self, CryptoError> {
        let psk_id_hash = extract(SUITE, b"", b"psk_id_hash", b"");
        let info_hash = extract(SUITE, b"", b"info_hash", info);
        let schedule = [&[MODE_BASE], psk_id_hash.as_slice(), info_hash.as_slice()].concat();
        let secret = extract(SUITE, shared, b"secret", b"");
        Ok(Context {
            key: expand(SUITE, &secret, b"key", &schedule, 32)?,
            nonce: expand(SUITE, &secret, b"base_nonce", &schedule, 12)?,
            exporter: expand(SUITE, &secret, b"exp", &schedule, HASH_BYTES)?,
        })
    }

    fn cipher(&self) -> Result<(ChaCha20Poly1305, Nonce), CryptoError> {
        let nonce = <[u8; 12]>::try_from(self.nonce.as_slice()).map_err(|_| CryptoError::InvalidLength)?;
        let cipher = ChaCha20Poly1305::new_from_slice(&self.key).map_err(|_| CryptoError::InvalidLength)?;
        Ok((cipher, nonce.into()))
    }

    /// The message of sequence number 0; taken by value, so that there is no second one under the same nonce.
    pub fn seal(self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (cipher, nonce) = self.cipher()?;
        cipher.encrypt(&nonce, Payload { msg: plain, aad }).map_err(|_| CryptoError::CryptoLibraryError)
    }

    /// Opens what [`Context::seal`] sealed.
    pub fn open(self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (cipher, nonce) = self.cipher()?;
        cipher.decrypt(&nonce, Payload { msg: sealed, aad }).map_err(|_| CryptoError::HpkeDecryptionError)
    }

    /// Export (section 5.3).
    pub fn export(&self, context: &[u8], len: usize) -> Result<Secret, CryptoError> {
        expand(SUITE, &self.exporter, b"sec", context, len).map_err(|_| CryptoError::ExporterError)
    }
}
