//! Contacts come first: nobody reaches a person without that person's consent.
//!
//! `GET users/ADDRESS` · `GET contacts` · `POST contacts/requests` · `POST contacts/ADDRESS/accept|decline|block|remove` ·
//! `POST contacts/links` · `POST key-packages` · `POST users/ADDRESS/key-packages`

use crate::{Blob, DeviceId, Millis, Signed, UserAddress, bytes, identity::UserIdentity};
use serde::{Deserialize, Serialize};

/// `GET users/ADDRESS`, for members, rate-limited: whom a request can be sealed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLookup {
    /// Their public keys.
    pub identity: Signed<UserIdentity>,
}

/// `POST contacts/requests`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRequest {
    /// Whom one would like to talk to.
    pub to: UserAddress,
    /// A [`crate::content::Greeting`], sealed to the other's identity.
    pub sealed: Blob,
    /// The token of the person's own link or QR code: with it the request is accepted at once.
    #[serde(default)]
    pub token: Option<Blob>,
}

/// Answer to [`ContactRequest`] and to accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactAnswer {
    /// Where it stands now.
    pub state: ContactState,
}

/// `POST contacts/ADDRESS/accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactAccept {
    /// A [`crate::content::Greeting`], sealed to the one who asked.
    pub sealed: Blob,
}

/// How an account stands to another person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// I asked; no answer yet. A declined request looks the same to the one who asked.
    Outgoing,
    /// They asked; I have not answered.
    Incoming,
    /// Both agreed.
    Accepted,
    /// I want to hear nothing from them.
    Blocked,
}

/// One row of `GET contacts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Who.
    pub user: UserAddress,
    /// How it stands.
    pub state: ContactState,
    /// Their public keys.
    pub identity: Signed<UserIdentity>,
    /// The last greeting or answer of theirs, sealed to my identity.
    #[serde(default)]
    pub sealed: Option<Blob>,
    /// Since when it stands so.
    pub since_ms: Millis,
}

/// `GET contacts?after=ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactList {
    /// At most [`crate::limits::PAGE_MAX`], by address.
    pub contacts: Vec<Contact>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// `POST contacts/links`: registers the token of a personal link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateContactLink {
    /// BLAKE3 of the token.
    #[serde(with = "bytes::array")]
    pub token_hash: [u8; 32],
    /// How many people may use it, 1 to 1,000.
    pub uses: u32,
    /// For how long it lives, at most 365 days.
    pub lifetime_ms: Millis,
}

/// `POST key-packages`: a device puts KeyPackages (RFC 9420, section 10) in stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishKeyPackages {
    /// Each is handed out once.
    pub packages: Vec<Blob>,
    /// Handed out when the stock is empty, any number of times; replaces the last one.
    #[serde(default)]
    pub last_resort: Option<Blob>,
}

/// Answer to [`PublishKeyPackages`], and `GET key-packages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPackageStock {
    /// How many single-use ones are left for this device.
    pub left: u32,
    /// Whether a last-resort one is there.
    pub last_resort: bool,
}

/// One KeyPackage for one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKeyPackage {
    /// Whose.
    pub device: DeviceId,
    /// The KeyPackage, as an MLSMessage.
    pub key_package: Blob,
}

/// `POST users/ADDRESS/key-packages`: takes one KeyPackage per device of a contact, of somebody of this node with whom one shares a
/// room, of somebody who has asked to be let into a group of one's own, or of one's own other devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedKeyPackages {
    /// Their public keys, so that certificates can be checked against the pinned one.
    pub identity: Signed<UserIdentity>,
    /// One per device that has any.
    pub packages: Vec<DeviceKeyPackage>,
}
