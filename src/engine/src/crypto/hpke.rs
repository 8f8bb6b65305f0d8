//! HPKE (RFC 9180) in base mode, one message a context, in the one suite that Weft uses: DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256, ChaCha20-Poly1305. The scheme itself is the `hpke` crate's; what stands here is the shape that OpenMLS asks
//! for, and the engine's randomness handed on. See `docs/decisions/0005-hpke.md`.

use ::hpke::{
    Deserializable, HpkeError, Kem as _, OpModeR, OpModeS, Serializable,
    aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305},
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{CryptoRng, RngCore},
    setup_receiver, setup_sender,
};
use openmls_traits::types::CryptoError;
use zeroize::Zeroizing;

type Kem = X25519HkdfSha256;
type Sender = AeadCtxS<ChaCha20Poly1305, HkdfSha256, Kem>;
type Receiver = AeadCtxR<ChaCha20Poly1305, HkdfSha256, Kem>;
type Secret = Zeroizing<Vec<u8>>;

/// The engine's generator, for a crate of the next generation of `rand_core`.
struct Rng<'a, R>(&'a mut R);

impl<R: rand_core::RngCore> RngCore for Rng<'_, R> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

impl<R: rand_core::CryptoRngCore> CryptoRng for Rng<'_, R> {}

/// DeriveKeyPair (section 7.1.3): secret and public key.
pub(super) fn derive_key_pair(ikm: &[u8]) -> (Secret, Vec<u8>) {
    let (secret, public) = Kem::derive_keypair(ikm);
    (Zeroizing::new(secret.to_bytes().to_vec()), public.to_bytes().to_vec())
}

/// SetupBaseS (section 5.1.1): the encapsulated key and a context.
pub(super) fn sender(
    rng: &mut impl rand_core::CryptoRngCore,
    public: &[u8],
    info: &[u8],
) -> Result<(Vec<u8>, Sender), CryptoError> {
    let public = Deserializable::from_bytes(public).map_err(|_| CryptoError::InvalidLength)?;
    // A key of small order is refused here: the agreement would be all zeros (section 7.1.4).
    let (enc, context) =
        setup_sender::<ChaCha20Poly1305, HkdfSha256, Kem, _>(&OpModeS::Base, &public, info, &mut Rng(rng))
            .map_err(|_| CryptoError::InvalidPublicKey)?;
    Ok((enc.to_bytes().to_vec(), context))
}

/// SetupBaseR (section 5.1.1).
pub(super) fn receiver(enc: &[u8], secret: &[u8], info: &[u8]) -> Result<Receiver, CryptoError> {
    let secret = Deserializable::from_bytes(secret).map_err(|_| CryptoError::InvalidLength)?;
    let enc = Deserializable::from_bytes(enc).map_err(|_| CryptoError::InvalidLength)?;
    setup_receiver(&OpModeR::Base, &secret, &enc, info).map_err(|_| CryptoError::InvalidPublicKey)
}

/// Export (section 5.3), by the method of either side's context.
pub(super) fn exported(
    export: impl FnOnce(&mut [u8]) -> Result<(), HpkeError>,
    len: usize,
) -> Result<Secret, CryptoError> {
    let mut secret = Zeroizing::new(vec![0; len]);
    export(&mut secret).map_err(|_| CryptoError::ExporterError)?;
    Ok(secret)
}
