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

impl Session {
    /// Somebody of another node, which vouches for them: there is no session here, and no token.
    pub(crate) fn far(
        user: UserAddress,
        device: DeviceId,
        device_key: [u8; 32],
        identity_key: [u8; 32],
    ) -> Session {
        let (role, token_hash) = (Role::Member, [0; 32]);
        Session { user, device, role, device_key, identity_key, expires_ms: 0, token_hash }
    }

    /// Whether it is one of another node: no token has a hash of nothing but zeros.
    pub(crate) fn is_far(&self) -> bool {
        self.token_hash == [0; 32]
    }
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
