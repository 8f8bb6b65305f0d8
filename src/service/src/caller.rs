//! Who asks: a session, and the address that it asks from.

use std::{fmt, net::IpAddr, sync::Arc};
use weft_wire::{DeviceId, Millis, UserAddress, UserName, accounts::Role, rooms::DeviceRef};

/// A device that is signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: UserAddress,
    /// From which device.
    pub device: DeviceId,
    /// What they may do on the node.
    pub role: Role,
    /// ed25519 key of the device; its envelopes and proofs are checked with it.
    pub device_key: [u8; 32],
    /// ed25519 key of the person; it certifies their devices.
    pub identity_key: [u8; 32],
    /// When the session ends.
    pub expires_ms: Millis,
    /// BLAKE3 of the token: the row by which the session is kept.
    pub(crate) token_hash: [u8; 32],
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.user)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// A request's sender. Every verb that needs a session takes one; [`crate::Accounts::authenticate`] makes it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The session.
    pub session: Arc<Session>,
    /// The client's address, behind trusted proxies.
    pub from: IpAddr,
}

impl Caller {
    /// Who asks.
    pub fn user(&self) -> &UserAddress {
        &self.session.user
    }

    /// Who asks, as a name on this node.
    pub fn name(&self) -> &UserName {
        &self.session.user.name
    }

    /// Which device asks.
    pub fn device(&self) -> DeviceId {
        self.session.device
    }

    /// Which device of whom asks.
    pub fn device_ref(&self) -> DeviceRef {
        DeviceRef { user: self.session.user.clone(), device: self.session.device }
    }

    /// Whether the caller runs the node.
    pub fn is_owner(&self) -> bool {
        self.session.role == Role::Owner
    }
}
