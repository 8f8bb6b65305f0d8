//! What is kept about contacts.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{Blob, Millis, Signed, UserName, contacts::ContactState, identity::UserIdentity};

/// How an account stands to a person. Key: name, 0x00, address.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ContactRecord {
    pub stand: Stand,
    pub identity: Signed<UserIdentity>,
    /// Their last greeting or answer, sealed to this account.
    pub sealed: Option<Blob>,
    pub since_ms: Millis,
}

/// [`ContactState`], and one that the wire does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Stand {
    Outgoing,
    Incoming,
    Accepted,
    Blocked,
    /// I said no. Not shown to anyone: to the other it looks as if I had not answered, and asking again does nothing.
    Declined,
}

impl Stand {
    pub fn shown(self) -> Option<ContactState> {
        match self {
            Stand::Outgoing => Some(ContactState::Outgoing),
            Stand::Incoming => Some(ContactState::Incoming),
            Stand::Accepted => Some(ContactState::Accepted),
            Stand::Blocked => Some(ContactState::Blocked),
            Stand::Declined => None,
        }
    }
}

/// What an account's bounds are measured by. Key: name.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct BookRecord {
    /// Rows of contacts, whatever their state.
    pub contacts: u32,
    /// Of these, requests that wait for this account's answer.
    pub waiting: u32,
    /// Links that were made and not swept.
    pub links: u32,
}

/// A personal link. Key: BLAKE3 of its token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LinkRecord {
    pub owner: UserName,
    pub uses_left: u32,
    pub expires_ms: Millis,
}

/// Somebody has got KeyPackages of a person here for a room: they may bring them in. Key: name, 0x00, room, address.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ConsentRecord {
    pub until_ms: Millis,
    /// The person has come in by it. It goes when they go, and one that was given after that stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub used: bool,
}

first_version!(ContactRecord, BookRecord, LinkRecord, ConsentRecord);
