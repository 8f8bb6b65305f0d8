//! OPAQUE (RFC 9807) as Weft uses it: one suite, one context, one stretching function for client and node.
//!
//! Behind the feature `opaque`, so that only those who speak it link it.

use crate::UserName;
use argon2::{Algorithm, Argon2, Params, Version};
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use opaque_ke::{CipherSuite, Identifiers, errors::InternalError, ksf::Ksf};
use zeroize::Zeroizing;

/// Ristretto255 for the OPRF, 3DH over Ristretto255 with SHA-512, argon2id in the client.
pub struct Suite;

impl CipherSuite for Suite {
    type OprfCs = opaque_ke::Ristretto255;
    type KeyExchange = opaque_ke::TripleDh<opaque_ke::Ristretto255, sha2::Sha512>;
    type Ksf = Stretching;
}

/// Goes into the transcript of each sign-in, so that one made for another protocol or version never fits.
/// For `ServerLoginParameters::context` and `ClientLoginFinishParameters::context`.
pub const CONTEXT: &[u8] = b"weft/opaque/1";

/// Binds a sign-in to the account name. To be passed by BOTH sides, at registration and at sign-in. (The node's side is its
/// static key, OPAQUE's default.)
pub fn identifiers(name: &UserName) -> Identifiers<'_> {
    Identifiers { client: Some(name.as_str().as_bytes()), server: None }
}

/// The node's `credential_identifier`: which OPRF key belongs to an account.
pub fn credential_identifier(name: &UserName) -> &[u8] {
    name.as_str().as_bytes()
}

/// argon2id over the OPRF's output, in the client only. The default is what every real client uses.
///
/// The node never sees the parameters; a client that signs in must use those of its registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretching {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Stretching {
    /// For load generators and tests that make hundreds of accounts with random passwords; not for people.
    pub const LIGHT: Stretching = Stretching { memory_kib: 64, passes: 1 };
}

impl Stretching {
    /// A key out of something short that a person types, with a salt of its own. None: the parameters are none.
    pub fn stretch(&self, secret: &[u8], salt: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(32)).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(secret, salt, key.as_mut_slice()).ok()?;
        Some(key)
    }
}

impl Default for Stretching {
    /// 64 MiB, 3 passes, 1 lane (RFC 9106, section 4, second recommendation, with one lane: browsers have one thread here).
    fn default() -> Self {
        Stretching { memory_kib: 64 << 10, passes: 3 }
    }
}

impl Ksf for Stretching {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(L::USIZE))
            .map_err(|_| InternalError::KsfError)?;
        let mut output = GenericArray::default();
        // The input is the OPRF's output, already unique to account and node, so a constant salt loses nothing (RFC 9807, 6.3).
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&input, &[0; 16], &mut output)
            .map_err(|_| InternalError::KsfError)?;
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opaque_ke::{
        ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
        ServerLogin, ServerLoginParameters, ServerRegistration, ServerSetup,
    };
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn sign_in(at_sign_up: &[u8], at_sign_in: &[u8]) -> Option<bool> {
        let name: UserName = "alice".parse().unwrap();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let setup = ServerSetup::<Suite>::new(&mut rng);
        let start = ClientRegistration::<Suite>::start(&mut rng, at_sign_up).unwrap();
        let answer =
            ServerRegistration::<Suite>::start(&setup, start.message, credential_identifier(&name)).unwrap();
        let params = ClientRegistrationFinishParameters::new(identifiers(&name), Some(&Stretching::LIGHT));
        let upload = start.state.finish(&mut rng, at_sign_up, answer.message, params).unwrap();
        let record = ServerRegistration::<Suite>::finish(upload.message);

        let login = ClientLogin::<Suite>::start(&mut rng, at_sign_in).unwrap();
        let server = ServerLogin::start(
            &mut rng,
            &setup,
            Some(record),
            login.message,
            credential_identifier(&name),
            ServerLoginParameters { context: Some(CONTEXT), identifiers: identifiers(&name) },
        )
        .unwrap();
        let params =
            ClientLoginFinishParameters::new(Some(CONTEXT), identifiers(&name), Some(&Stretching::LIGHT));
        let client = login.state.finish(&mut rng, at_sign_in, server.message, params).ok()?;
        let params = ServerLoginParameters { context: Some(CONTEXT), identifiers: identifiers(&name) };
        let keys = server.state.finish(client.message, params).ok()?;
        assert_eq!(keys.session_key, client.session_key);
        Some(client.export_key == upload.export_key)
    }

    #[test]
    fn the_right_password_opens_and_gives_the_same_export_key() {
        assert_eq!(sign_in(b"correct horse", b"correct horse"), Some(true));
    }

    #[test]
    fn a_wrong_password_opens_nothing() {
        assert_eq!(sign_in(b"correct horse", b"battery staple"), None);
    }
}
