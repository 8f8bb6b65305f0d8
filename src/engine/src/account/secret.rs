//! The account secret, what is derived from it, and the 24 words.
//!
//! Everything comes from 32 random bytes by HKDF-SHA256 (RFC 5869), one `info` a purpose, so that a new purpose never
//! touches the old ones.

use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::StaticSecret;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many words a recovery phrase has.
pub const PHRASE_WORDS: usize = 24;

/// The root of an account. Leaves the engine only sealed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AccountSecret([u8; 32]);

impl AccountSecret {
    /// From fresh random bytes, or from a keyring that was opened.
    pub fn new(bytes: [u8; 32]) -> Self {
        AccountSecret(bytes)
    }

    /// For sealing and for the engine's own state.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Certifies devices.
    pub fn identity_key(&self) -> SigningKey {
        SigningKey::from_bytes(&derive(&self.0, b"weft/account/identity"))
    }

    /// Opens what is sealed to the person.
    pub fn seal_key(&self) -> StaticSecret {
        StaticSecret::from(*derive(&self.0, b"weft/account/seal"))
    }

    /// Seals vault records.
    pub fn vault_key(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.0, b"weft/account/vault")
    }

    /// Hashes the names of vault records.
    pub fn vault_name_key(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.0, b"weft/account/vault-names")
    }
}

/// What the 24 words stand for.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PhraseEntropy([u8; 32]);

impl PhraseEntropy {
    /// From fresh random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        PhraseEntropy(bytes)
    }

    /// The words, in English, as BIP 39 orders them (the last one holds a checksum).
    pub fn words(&self) -> Vec<String> {
        match bip39::Mnemonic::from_entropy(&self.0) {
            Ok(mnemonic) => mnemonic.words().map(str::to_owned).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Reads what a person typed: any case, any white space. None when a word is unknown or the checksum does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 1024 {
            return None;
        }
        let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        if words.split(' ').count() != PHRASE_WORDS {
            return None;
        }
        let mnemonic = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &words).ok()?;
        let mut entropy = mnemonic.to_entropy();
        let bytes = <[u8; 32]>::try_from(entropy.as_slice()).ok();
        entropy.zeroize();
        bytes.map(PhraseEntropy)
    }

    /// Seals the account secret for the day the password is lost.
    pub fn seal_key(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.0, b"weft/recovery/seal")
    }

    /// Proves to the node that somebody holds the words.
    pub fn auth_key(&self) -> SigningKey {
        SigningKey::from_bytes(&derive(&self.0, b"weft/recovery/auth"))
    }
}

/// One key for one purpose.
pub fn derive(secret: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes are far below the 8,160 that HKDF-SHA256 gives, the only error there is.
    let _ = Hkdf::<Sha256>::new(None, secret).expand(purpose, key.as_mut_slice());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_entropy_are_the_same_thing() {
        let entropy = PhraseEntropy::new([9; 32]);
        let words = entropy.words();
        assert_eq!(words.len(), PHRASE_WORDS);
        let typed = format!("  {}\n", words.join(" \t").to_uppercase());
        let read = PhraseEntropy::parse(&typed).unwrap();
        assert_eq!(*read.seal_key(), *entropy.seal_key());
        assert_eq!(read.auth_key().to_bytes(), entropy.auth_key().to_bytes());
    }

    #[test]
    fn a_wrong_word_is_noticed() {
        let mut words = PhraseEntropy::new([9; 32]).words();
        words.swap(0, 1);
        assert!(PhraseEntropy::parse(&words.join(" ")).is_none(), "the checksum does not fit");
        words[0] = "weft".into();
        assert!(PhraseEntropy::parse(&words.join(" ")).is_none(), "not a word of the list");
        assert!(PhraseEntropy::parse("abandon").is_none());
        assert!(PhraseEntropy::parse(&"word ".repeat(100_000)).is_none());
    }

    #[test]
    fn each_purpose_has_its_own_key() {
        let secret = AccountSecret::new([1; 32]);
        let keys = [
            secret.identity_key().to_bytes(),
            secret.seal_key().to_bytes(),
            *secret.vault_key(),
            *secret.vault_name_key(),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(keys[at + 1..].iter().all(|other| other != key));
        }
    }
}
