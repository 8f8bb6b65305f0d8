//! Against the RFC's test vector, and against OpenMLS's own provider, which everybody else uses.

use super::{Crypto, hpke};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, HashType, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType,
    SignatureScheme,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use weft_mls::config::CIPHERSUITE;
use x25519_dalek::StaticSecret;

fn ours() -> Crypto {
    Crypto::new(&mut ChaCha20Rng::from_seed([5; 32]))
}

fn config() -> HpkeConfig {
    HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// RFC 9180, A.2.1.
#[test]
fn the_vector_of_the_rfc_comes_out() {
    let (secret, public) =
        hpke::derive_key_pair(&hex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b"))
            .unwrap();
    assert_eq!(*secret, hex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"));
    assert_eq!(public.to_vec(), hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"));
    let (receiver, receiver_public) =
        hpke::derive_key_pair(&hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df"))
            .unwrap();
    assert_eq!(
        receiver_public.to_vec(),
        hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
    );
    let static_secret = |bytes: &[u8]| StaticSecret::from(<[u8; 32]>::try_from(bytes).unwrap());
    let info = hex("4f6465206f6e2061204772656369616e2055726e");
    let (enc, context) = hpke::setup_sender(static_secret(&secret), &receiver_public, &info).unwrap();
    assert_eq!(enc, public);
    assert_eq!(
        *context.export(b"", 32).unwrap(),
        hex("4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e")
    );
    let plain = hex("4265617574792069732074727574682c20747275746820626561757479");
    let sealed = context.seal(&hex("436f756e742d30"), &plain).unwrap();
    let expected =
        hex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");
    assert_eq!(sealed, expected);
    let context = hpke::setup_receiver(&enc, &static_secret(&receiver), &info).unwrap();
    assert_eq!(context.open(&hex("436f756e742d30"), &sealed).unwrap(), plain);
}

#[test]
fn both_providers_open_what_the_other_seals() {
    let (ours, theirs) = (ours(), RustCrypto::default());
    let mine = ours.derive_hpke_keypair(config(), &[7; 32]).unwrap();
    let same = theirs.derive_hpke_keypair(config(), &[7; 32]).unwrap();
    assert_eq!((&*mine.private, &mine.public), (&*same.private, &same.public));
    let pairs: [(&dyn Seals, &dyn Seals); 2] = [(&ours, &theirs), (&theirs, &ours)];
    for (one, other) in pairs {
        one.seals_for(other, &mine.public, &mine.private);
    }
}

/// The trait of OpenMLS has generic methods; this is the part that is compared.
trait Seals {
    fn seals_for(&self, other: &dyn Seals, public: &[u8], secret: &[u8]);
    fn opens(
        &self,
        input: &openmls_traits::types::HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
    ) -> Option<Vec<u8>>;
    fn exports(&self, enc: &[u8], secret: &[u8]) -> Vec<u8>;
}

impl<C: OpenMlsCrypto> Seals for C {
    fn seals_for(&self, other: &dyn Seals, public: &[u8], secret: &[u8]) {
        let sealed = self.hpke_seal(config(), public, b"info", b"aad", b"hello").unwrap();
        assert_eq!(other.opens(&sealed, secret, b"info").as_deref(), Some(b"hello".as_slice()));
        assert_eq!(other.opens(&sealed, secret, b"other"), None);
        let (enc, exported) =
            self.hpke_setup_sender_and_export(config(), public, b"info", b"context", 32).unwrap();
        assert_eq!(other.exports(&enc, secret), exported.to_vec());
    }

    fn opens(
        &self,
        input: &openmls_traits::types::HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
    ) -> Option<Vec<u8>> {
        self.hpke_open(config(), input, secret, info, b"aad").ok()
    }

    fn exports(&self, enc: &[u8], secret: &[u8]) -> Vec<u8> {
        self.hpke_setup_receiver_and_export(config(), enc, secret, b"info", b"context", 32).unwrap().to_vec()
    }
}

#[test]
fn the_primitives_are_the_same() {
    let (ours, theirs) = (ours(), RustCrypto::default());
    let hash = HashType::Sha2_256;
    for data in [b"".as_slice(), b"data", &[9; 200]] {
        assert_eq!(ours.hash(hash, data).unwrap(), theirs.hash(hash, data).unwrap());
        let key = b"a key of any length";
        assert_eq!(ours.hmac(hash, key, data).unwrap(), theirs.hmac(hash, key, data).unwrap());
        let prk = ours.hkdf_extract(hash, key, data).unwrap();
        assert_eq!(prk, theirs.hkdf_extract(hash, key, data).unwrap());
        let okm = |c: Result<_, CryptoError>| -> openmls::prelude::tls_codec::SecretVLBytes { c.unwrap() };
        assert_eq!(
            okm(ours.hkdf_expand(hash, prk.as_slice(), data, 77)),
            okm(theirs.hkdf_expand(hash, prk.as_slice(), data, 77))
        );
        let (aead, key, nonce) = (AeadType::ChaCha20Poly1305, [1; 32], [2; 12]);
        let sealed = ours.aead_encrypt(aead, &key, data, &nonce, b"aad").unwrap();
        assert_eq!(sealed, theirs.aead_encrypt(aead, &key, data, &nonce, b"aad").unwrap());
        assert_eq!(ours.aead_decrypt(aead, &key, &sealed, &nonce, b"aad").unwrap(), data);
        assert!(ours.aead_decrypt(aead, &key, &sealed, &nonce, b"bad").is_err());
        let (secret, public) = ours.signature_key_gen(SignatureScheme::ED25519).unwrap();
        let signature = ours.sign(SignatureScheme::ED25519, data, &secret).unwrap();
        theirs.verify_signature(SignatureScheme::ED25519, data, &public, &signature).unwrap();
        ours.verify_signature(SignatureScheme::ED25519, data, &public, &signature).unwrap();
        assert!(ours.verify_signature(SignatureScheme::ED25519, b"else", &public, &signature).is_err());
    }
}

#[test]
fn nothing_else_is_taken() {
    let ours = ours();
    assert!(ours.supports(CIPHERSUITE).is_ok());
    assert!(ours.supports(Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256).is_err());
    assert!(ours.hash(HashType::Sha2_512, b"").is_err());
    assert!(ours.aead_encrypt(AeadType::Aes128Gcm, &[0; 16], b"", &[0; 12], b"").is_err());
    for bad in [0, 11, 13] {
        assert!(ours.aead_encrypt(AeadType::ChaCha20Poly1305, &[0; 32], b"", &vec![0; bad], b"").is_err());
    }
    assert!(ours.hpke_seal(config(), &[0; 32], b"", b"", b"").is_err(), "a key of small order");
    assert!(ours.hpke_seal(config(), &[0; 31], b"", b"", b"").is_err());
}
