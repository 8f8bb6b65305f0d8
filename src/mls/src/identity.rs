//! This device: its certificate and the key that signs for it.

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::{BasicCredential, CredentialWithKey, SignatureScheme};
use openmls_traits::signatures::{Signer, SignerError};
use weft_wire::{Signed, encode, identity::DeviceCert};

/// What a device signs MLS messages with. Borrowed, so that the key stays where its owner keeps and erases it.
#[derive(Clone, Copy)]
pub struct DeviceIdentity<'a> {
    /// The device key.
    pub key: &'a SigningKey,
    /// The certificate for that key.
    pub cert: &'a Signed<DeviceCert>,
}

impl DeviceIdentity<'_> {
    /// The MLS credential with its signature key (RFC 9420, 5.3): a basic credential whose identity is the certificate.
    pub fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(encode(self.cert)).into(),
            signature_key: self.key.verifying_key().to_bytes().to_vec().into(),
        }
    }
}

impl Signer for DeviceIdentity<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.key.try_sign(payload).map(|signature| signature.to_vec()).map_err(|_| SignerError::SigningError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl std::fmt::Debug for DeviceIdentity<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceIdentity(…)")
    }
}
