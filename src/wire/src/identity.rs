//! Who is who: the identity of a person and the certificates of their devices.

use crate::{
    DeviceId, Millis, Signed, UserAddress, bytes,
    signed::{Signable, SignedError},
};
use serde::{Deserialize, Serialize};

/// A person's public keys, signed by the identity key itself.
///
/// The node hands it out; whoever receives it pins `identity_key` for `user` and compares it from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserIdentity {
    /// Whose keys these are.
    pub user: UserAddress,
    /// ed25519, derived from the account secret. It certifies devices.
    #[serde(with = "bytes::array")]
    pub identity_key: [u8; 32],
    /// X25519, derived from the account secret. Greetings are sealed to it.
    #[serde(with = "bytes::array")]
    pub seal_key: [u8; 32],
    /// When the account was made.
    pub created_ms: Millis,
}

/// A device of a person, signed by that person's identity key.
///
/// The MLS credential of each leaf carries this certificate, signature included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCert {
    /// Whose device.
    pub user: UserAddress,
    /// The key that signs this certificate. To be compared with the pinned one.
    #[serde(with = "bytes::array")]
    pub identity_key: [u8; 32],
    /// `DeviceId::of_key(device_key)`.
    pub device: DeviceId,
    /// ed25519: signs MLS leaves, envelopes and session requests of this device.
    #[serde(with = "bytes::array")]
    pub device_key: [u8; 32],
    /// When the certificate was made.
    pub created_ms: Millis,
    /// When it ends.
    pub expires_ms: Millis,
}

impl Signable for UserIdentity {
    const CONTEXT: &'static str = "weft/user-identity/1";
    const BYTES_MAX: usize = 1024;
}

impl Signable for DeviceCert {
    const CONTEXT: &'static str = "weft/device-cert/1";
    const BYTES_MAX: usize = 1024;
}

/// Why an identity or a certificate was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The signature or the encoding is not valid.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// The record speaks of another person than it should.
    #[error("the record is for {found}, not for {expected}")]
    User {
        /// Who it should be for.
        expected: UserAddress,
        /// Who it is for.
        found: UserAddress,
    },
    /// It is signed by another identity than the one that is known.
    #[error("the certificate is signed by another identity key")]
    Foreign,
    /// The device id is not the hash of the device key.
    #[error("the device id does not belong to the device key")]
    DeviceId,
    /// The certificate is past its end, or ends before it begins.
    #[error("the certificate has expired")]
    Expired,
}

impl Signed<UserIdentity> {
    /// Checks the self-signature and reads the identity.
    ///
    /// # Errors
    /// [`IdentityError::Signed`].
    pub fn open(&self) -> Result<UserIdentity, IdentityError> {
        let claimed = self.peek().map_err(SignedError::Body)?;
        Ok(self.verify(&claimed.identity_key)?)
    }
}

impl Signed<DeviceCert> {
    /// Checks everything that the certificate says by itself: signature by the identity key that it names, device id,
    /// life time. Whether that identity key is the pinned one is the caller's to compare ([`Self::open_for`]).
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn open(&self, now: Millis) -> Result<DeviceCert, IdentityError> {
        let claimed = self.peek().map_err(SignedError::Body)?;
        let cert = self.verify(&claimed.identity_key)?;
        if DeviceId::of_key(&cert.device_key) != cert.device {
            return Err(IdentityError::DeviceId);
        }
        if cert.expires_ms <= now || cert.expires_ms <= cert.created_ms {
            return Err(IdentityError::Expired);
        }
        Ok(cert)
    }

    /// [`Self::open`], and the certificate must be for this person and signed by this identity key.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn open_for(
        &self,
        user: &UserAddress,
        identity_key: &[u8; 32],
        now: Millis,
    ) -> Result<DeviceCert, IdentityError> {
        let cert = self.open(now)?;
        if &cert.user != user {
            return Err(IdentityError::User { expected: user.clone(), found: cert.user });
        }
        if &cert.identity_key != identity_key {
            return Err(IdentityError::Foreign);
        }
        Ok(cert)
    }
}
