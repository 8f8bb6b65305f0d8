//! What is kept about accounts.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{
    Blob, DeviceId, Millis, Signed, UserName,
    accounts::{Recovery, Role},
    identity::{DeviceCert, UserIdentity},
};

/// An account. Key: its name.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    /// The person's public keys, as they signed them.
    pub identity: Signed<UserIdentity>,
    /// The key in `identity`, at hand.
    #[serde(with = "weft_wire::bytes::array")]
    pub identity_key: [u8; 32],
    pub role: Role,
    /// OPAQUE password file.
    pub opaque: Blob,
    /// The account secret, sealed under the OPAQUE export key.
    pub keyring: Blob,
    pub recovery: Recovery,
    /// Counts password changes: tickets from before one are worth nothing.
    pub credentials: u64,
    /// The ticket that made the last password change; it alone outlives it.
    pub changed_by: Option<Blob>,
    /// Devices that are not signed out. Kept here so that the cap is exact.
    pub devices: u32,
    pub created_ms: Millis,
    /// The operator has locked the person out.
    pub disabled: bool,
}

/// A device. Key: name, 0x00, device id. A device that was signed out stays as a tombstone, so that it is told so and its
/// certificate is never taken again.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DeviceRecord {
    pub cert: Signed<DeviceCert>,
    /// The key in `cert`, at hand.
    #[serde(with = "weft_wire::bytes::array")]
    pub device_key: [u8; 32],
    /// The end of `cert`, at hand.
    pub cert_expires_ms: Millis,
    /// To the hour.
    pub seen_ms: Millis,
    /// Key of its session's row.
    pub session: Option<Blob>,
    pub revoked_ms: Option<Millis>,
}

/// A session. Key: BLAKE3 of the token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub name: UserName,
    pub device: DeviceId,
    pub expires_ms: Millis,
}

first_version!(AccountRecord, DeviceRecord, SessionRecord);
