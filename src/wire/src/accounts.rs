//! Accounts, devices and sessions. Passwords travel only as OPAQUE messages (RFC 9807): the node never sees one.
//!
//! Sign-up: `POST accounts/register/start`, `…/finish`. Sign-in: `POST accounts/login/start`, `…/finish`, then
//! `POST devices` with the ticket. Recovery: `POST accounts/recover/start`, `…/finish`, then `password/start`,
//! `password/finish` and `devices`, all with the ticket.

use crate::{
    Blob, DeviceId, Millis, NodeName, Signed, UserAddress, UserName, bytes,
    identity::{DeviceCert, UserIdentity},
    signed::Signable,
};
use serde::{Deserialize, Serialize};

/// First step of sign-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterStart {
    /// The wished name.
    pub name: UserName,
    /// The invite code, where the node asks for one. Checked here, used up in the second step.
    #[serde(default)]
    pub invite: Option<String>,
    /// OPAQUE RegistrationRequest.
    pub opaque_request: Blob,
}

/// Answer to [`RegisterStart`] and [`PasswordStart`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterChallenge {
    /// OPAQUE RegistrationResponse.
    pub opaque_response: Blob,
}

/// How an account is opened without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// ed25519 key derived from the 24 words; proves that somebody holds them.
    #[serde(with = "bytes::array")]
    pub auth_key: [u8; 32],
    /// The account secret, sealed under a key derived from the 24 words.
    pub sealed: Blob,
}

/// Second step of sign-up: makes the account, its first device and a session, whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterFinish {
    /// As in the first step.
    pub name: UserName,
    /// As in the first step.
    #[serde(default)]
    pub invite: Option<String>,
    /// OPAQUE RegistrationUpload (the record).
    pub opaque_upload: Blob,
    /// The person's public keys.
    pub identity: Signed<UserIdentity>,
    /// The first device.
    pub device: Signed<DeviceCert>,
    /// The account secret, sealed under the OPAQUE export key.
    pub keyring: Blob,
    /// For the day the password is lost.
    pub recovery: Recovery,
}

/// A session of a device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionGranted {
    /// Who is signed in.
    pub user: UserAddress,
    /// Which device.
    pub device: DeviceId,
    /// `Authorization: Bearer …`. The node keeps only its hash.
    pub token: String,
    /// When it ends; [`SessionRequest`] gives a new one.
    pub expires_ms: Millis,
    /// What the person may do on the node.
    pub role: Role,
}

impl std::fmt::Debug for SessionGranted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionGranted")
            .field("user", &self.user)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// What a person may do on their node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses the node.
    #[default]
    Member,
    /// Runs the node. The first account is its owner.
    Owner,
}

/// First step of sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginStart {
    /// Who.
    pub name: UserName,
    /// OPAQUE KE1.
    pub opaque_request: Blob,
}

/// Answer to [`LoginStart`]; of the same shape and cost for a name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginChallenge {
    /// OPAQUE KE2.
    pub opaque_response: Blob,
    /// The node's own state, sealed by the node; to be handed back as it is. It lives for two minutes.
    pub state: Blob,
}

/// Second step of sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginFinish {
    /// From [`LoginChallenge`].
    pub state: Blob,
    /// OPAQUE KE3.
    pub opaque_finalization: Blob,
}

/// The account is open: what the client needs to get at its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOpened {
    /// Who.
    pub user: UserAddress,
    /// Their public keys, to be compared with what the secret yields.
    pub identity: Signed<UserIdentity>,
    /// The account secret, sealed under the OPAQUE export key (sign-in) or the recovery key (recovery).
    pub sealed: Blob,
    /// Allows one [`AddDevice`] and, after recovery, one password change. It lives for ten minutes.
    pub ticket: Blob,
}

/// `POST accounts/recover/start`: the same answer whether the account exists or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverStart {
    /// Who.
    pub name: UserName,
}

/// What the recovery key has to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverChallenge {
    /// Sealed by the node, to be handed back inside [`RecoverProof`]. It lives for two minutes.
    pub challenge: Blob,
}

/// Signed by [`Recovery::auth_key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverProof {
    /// Who.
    pub name: UserName,
    /// The node that asked.
    pub node: NodeName,
    /// From [`RecoverChallenge`].
    pub challenge: Blob,
}

impl Signable for RecoverProof {
    const CONTEXT: &'static str = "weft/recover/1";
    const BYTES_MAX: usize = 2048;
}

/// `POST accounts/recover/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverFinish {
    /// The proof.
    pub proof: Signed<RecoverProof>,
}

/// `POST accounts/password/start`, with a ticket from recovery or with a ticket from a sign-in with the old password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordStart {
    /// From [`AccountOpened`].
    pub ticket: Blob,
    /// OPAQUE RegistrationRequest for the new password.
    pub opaque_request: Blob,
}

/// `POST accounts/password/finish`: replaces the password; sessions of all other devices end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordFinish {
    /// From [`AccountOpened`].
    pub ticket: Blob,
    /// OPAQUE RegistrationUpload.
    pub opaque_upload: Blob,
    /// The account secret, sealed under the new export key.
    pub keyring: Blob,
}

/// `POST devices`, with a ticket: gives [`SessionGranted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddDevice {
    /// From [`AccountOpened`].
    pub ticket: Blob,
    /// Signed by the identity key of the account.
    pub device: Signed<DeviceCert>,
}

/// `POST sessions`: a device that is known asks for a new token; signed by the device key. Gives [`SessionGranted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRequest {
    /// Whose device.
    pub user: UserAddress,
    /// Which one.
    pub device: DeviceId,
    /// The device's clock; at most [`crate::limits::CLOCK_SKEW_MS_MAX`] away from the node's.
    pub time_ms: Millis,
    /// Sixteen random bytes: a request counts once.
    pub nonce: Blob,
}

impl Signable for SessionRequest {
    const CONTEXT: &'static str = "weft/session/1";
    const BYTES_MAX: usize = 1024;
}

/// A device in `GET devices`. `DELETE devices/ID` signs it out: its session ends, its KeyPackages go, and the other
/// members of its rooms are told to remove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Which.
    pub device: DeviceId,
    /// Its certificate.
    pub cert: Signed<DeviceCert>,
    /// When it was last connected, to the hour.
    pub seen_ms: Millis,
}

/// `GET devices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    /// Those that are not revoked.
    pub devices: Vec<DeviceInfo>,
}
