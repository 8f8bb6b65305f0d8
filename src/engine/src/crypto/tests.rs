//! Against the RFC's test vectors, with what must not be taken, and against OpenMLS's own provider, which everybody else uses.

use super::{Crypto, hpke};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType,
    HpkeKemType, SignatureScheme,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use weft_mls::config::CIPHERSUITE;

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

/// RFC 9180, A.2.1: the vectors of the one suite in the one mode that is used.
mod rfc {
    pub const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
    pub const PLAIN: &str = "4265617574792069732074727574682c20747275746820626561757479";
    pub const SENDER_IKM: &str = "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
    pub const SENDER: &str = "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
    pub const ENC: &str = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
    pub const RECEIVER_IKM: &str = "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";
    pub const RECEIVER: &str = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
    pub const RECEIVER_PUBLIC: &str = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
    /// Sequence number and ciphertext; the associated data is `Count-` and the number.
    pub const SEALED: [(usize, &str); 6] = [
        (0, "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"),
        (1, "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c"),
        (2, "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02b4f10ecac6f48c32f878fae86b"),
        (4, "63357a2aa291f5a4e5f27db6baa2af8cf77427c7c1a909e0b37214dd47db122bb153495ff0b02e9e54a50dbe16"),
        (255, "18ab939d63ddec9f6ac2b60d61d36a7375d2070c9b683861110757062c52b8880a5f6b3936da9cd6c23ef2a95c"),
        (256, "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c40d4c728d6ed9e727a5b"),
    ];
    /// Context and secret.
    pub const EXPORTED: [(&str, &str); 3] = [
        ("", "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"),
        ("00", "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"),
        ("54657374436f6e74657874", "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"),
    ];
}

/// Gives the bytes of the vector in place of randomness.
struct Fixed(Vec<u8>);

impl rand_core::RngCore for Fixed {
    fn next_u32(&mut self) -> u32 {
        unreachable!("keys are drawn as bytes")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("keys are drawn as bytes")
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&std::mem::replace(&mut self.0, rest));
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Fixed {}

#[test]
fn the_vectors_of_the_rfc_come_out() {
    for (ikm, secret, public) in
        [(rfc::SENDER_IKM, rfc::SENDER, rfc::ENC), (rfc::RECEIVER_IKM, rfc::RECEIVER, rfc::RECEIVER_PUBLIC)]
    {
        let made = hpke::derive_key_pair(&hex(ikm));
        assert_eq!((made.0.to_vec(), made.1), (hex(secret), hex(public)));
    }
    let (info, plain) = (hex(rfc::INFO), hex(rfc::PLAIN));
    let mut ephemeral = Fixed(hex(rfc::SENDER_IKM));
    let (enc, mut sender) = hpke::sender(&mut ephemeral, &hex(rfc::RECEIVER_PUBLIC), &info).unwrap();
    assert_eq!(enc, hex(rfc::ENC));
    let mut receiver = hpke::receiver(&enc, &hex(rfc::RECEIVER), &info).unwrap();
    for (context, secret) in rfc::EXPORTED {
        for out in [
            hpke::exported(|out| sender.export(&hex(context), out), 32),
            hpke::exported(|out| receiver.export(&hex(context), out), 32),
        ] {
            assert_eq!(*out.unwrap(), hex(secret));
        }
    }
    for number in 0..=256 {
        let aad = format!("Count-{number}");
        let sealed = sender.seal(&plain, aad.as_bytes()).unwrap();
        if let Some((_, expected)) = rfc::SEALED.iter().find(|(at, _)| *at == number) {
            assert_eq!(sealed, hex(expected), "number {number}");
        }
        assert_eq!(receiver.open(&sealed, aad.as_bytes()).unwrap(), plain);
    }
}

/// Points whose multiples by a clamped scalar are all zero, as RFC 7748, section 6.1, warns of (the list of
/// <https://cr.yp.to/ecdh.html>), and what they become without their top bit, which X25519 does not look at.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn no_agreement_of_zeros_is_used() {
    let ours = ours();
    let mine = ours.derive_hpke_keypair(config(), &[7; 32]).unwrap();
    let good = ours.hpke_seal(config(), &mine.public, b"info", b"aad", b"hello").unwrap();
    for point in SMALL_ORDER {
        for top in [0, 0x80] {
            let mut point = hex(point);
            point[31] |= top;
            assert!(ours.hpke_seal(config(), &point, b"info", b"aad", b"hello").is_err());
            assert!(ours.hpke_setup_sender_and_export(config(), &point, b"info", b"", 32).is_err());
            let forged = HpkeCiphertext { kem_output: point.clone().into(), ..good.clone() };
            assert!(ours.hpke_open(config(), &forged, &mine.private, b"info", b"aad").is_err());
            assert!(
                ours.hpke_setup_receiver_and_export(config(), &point, &mine.private, b"info", b"", 32)
                    .is_err()
            );
        }
    }
}

#[test]
fn what_is_cut_stretched_or_altered_does_not_open() {
    let ours = ours();
    let mine = ours.derive_hpke_keypair(config(), &[7; 32]).unwrap();
    let sealed = ours.hpke_seal(config(), &mine.public, b"info", b"aad", b"hello").unwrap();
    let open = |enc: &[u8], cipher: &[u8], secret: &[u8], info: &[u8], aad: &[u8]| {
        let input = HpkeCiphertext { kem_output: enc.to_vec().into(), ciphertext: cipher.to_vec().into() };
        ours.hpke_open(config(), &input, secret, info, aad).ok()
    };
    let (enc, cipher) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
    assert_eq!(open(enc, cipher, &mine.private, b"info", b"aad").as_deref(), Some(b"hello".as_slice()));
    assert_eq!(open(enc, cipher, &mine.private, b"inf", b"aad"), None);
    assert_eq!(open(enc, cipher, &mine.private, b"info", b"aa"), None);
    assert_eq!(open(enc, cipher, &[9; 32], b"info", b"aad"), None, "somebody else's key");
    // Cut anywhere, the tag of sixteen bytes included; then byte by byte.
    for at in 0..cipher.len() {
        assert_eq!(open(enc, &cipher[..at], &mine.private, b"info", b"aad"), None);
        let mut altered = cipher.to_vec();
        altered[at] ^= 1;
        assert_eq!(open(enc, &altered, &mine.private, b"info", b"aad"), None);
    }
    assert_eq!(open(enc, &[cipher, &[0]].concat(), &mine.private, b"info", b"aad"), None);
    for at in 0..enc.len() {
        let mut altered = enc.to_vec();
        altered[at] ^= 1;
        assert_eq!(open(&altered, cipher, &mine.private, b"info", b"aad"), None);
    }
    for len in [0, 31, 33, 64] {
        assert_eq!(open(&vec![9; len], cipher, &mine.private, b"info", b"aad"), None);
        assert_eq!(open(enc, cipher, &vec![9; len], b"info", b"aad"), None);
        assert!(ours.hpke_seal(config(), &vec![9; len], b"info", b"aad", b"hello").is_err());
        let (key, public) = (vec![9; len], &mine.public);
        assert!(ours.hpke_setup_receiver_and_export(config(), public, &key, b"", b"", 32).is_err());
    }
    // As much as HKDF-SHA256 gives (RFC 5869, 2.3), and one byte more; nothing is cut in silence.
    for (len, given) in [(0, true), (8_160, true), (8_161, false), (65_568, false)] {
        let made = ours.hpke_setup_sender_and_export(config(), &mine.public, b"", b"", len);
        assert_eq!(made.ok().map(|(_, secret)| secret.len()), given.then_some(len));
    }
}

#[test]
fn no_two_messages_share_a_key() {
    let ours = ours();
    let mine = ours.derive_hpke_keypair(config(), &[7; 32]).unwrap();
    let sealed: Vec<_> =
        (0..64).map(|_| ours.hpke_seal(config(), &mine.public, b"", b"", b"hello").unwrap()).collect();
    let encs: std::collections::BTreeSet<_> =
        sealed.iter().map(|sealed| sealed.kem_output.as_slice().to_vec()).collect();
    assert_eq!(encs.len(), sealed.len());
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
