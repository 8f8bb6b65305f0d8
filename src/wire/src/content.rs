//! What people say: inside the encryption, so only engines read it (after draft-ietf-mimi-content).

use crate::{Blob, MessageId, Millis};
use serde::{Deserialize, Serialize};

/// The plaintext of an MLS application message.
///
/// A kind that a client does not know is shown by its `fallback`, so that old and new clients share a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The same as in the envelope.
    pub id: MessageId,
    /// The sender's clock.
    pub sent_ms: Millis,
    /// `text`, `profile`, …
    pub kind: String,
    /// The CBOR value of that kind.
    pub body: Blob,
    /// Plain text for clients that do not know the kind; empty: show nothing.
    #[serde(default)]
    pub fallback: String,
    /// The message that this one answers.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
}

/// Kind `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// At most [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub text: String,
}

/// Kind `profile`: what a member calls themselves in this room from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// At most [`crate::limits::DISPLAY_NAME_BYTES_MAX`] bytes.
    pub name: String,
}

/// Kind `group`: what the group is called from now on. It counts from an owner or admin only. Whoever brings people in says it
/// again for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupProfile {
    /// At most [`crate::limits::GROUP_NAME_BYTES_MAX`] bytes.
    pub name: String,
}

/// Kind `leave`: the sender goes. Their node tells the hub next, and somebody's client removes their leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {}

/// What travels with a contact request or its answer, sealed to the other's identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// What the sender calls themselves.
    pub name: String,
    /// A line of greeting; may be empty.
    #[serde(default)]
    pub text: String,
}

/// The plaintext of the room item `read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadCursor {
    /// Read up to this log number.
    pub seq: u64,
}

/// The plaintext of an ephemeral event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ephemeral {
    /// The sender is typing, or has stopped.
    Typing {
        /// Whether.
        on: bool,
    },
}
