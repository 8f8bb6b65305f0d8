//! How the node, people, devices, links and other nodes look.

use super::GroupPreview;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// About the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NodeView {
    /// The right half of addresses here.
    pub name: String,
    /// What the operator calls it.
    pub title: String,
    /// `#rrggbb`.
    pub accent: String,
    /// `open`, `invite` or `closed`.
    pub signup: String,
    /// Whether an owner has signed up.
    pub claimed: bool,
    /// Version of the software.
    pub version: String,
}

/// What a node has to do with others, for its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PeersView {
    /// `open`, `allow_list` or `closed`.
    pub policy: String,
    /// Where others reach it, as it tells them.
    pub addresses: Vec<String>,
    /// By name.
    pub peers: Vec<PeerView>,
}

/// Another node, for the owner of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PeerView {
    /// Its name.
    pub name: String,
    /// `blocked`, `new_key` (it speaks with another key than before: to be decided), `trusted` or `pinned`.
    pub state: String,
    /// The peer id of its key.
    pub key: String,
    /// The other key, if it wants to speak with one.
    pub new_key: Option<String>,
    /// Whether it is connected now.
    pub connected: bool,
    /// Whether there is no way but over a relay.
    pub relayed: bool,
    /// What waits for it.
    pub waiting: f64,
    /// Per cent of the usual budgets, where that was decided.
    pub limit: Option<u32>,
    /// When it was last heard, to the hour, ms.
    pub last_contact_ms: f64,
    /// What last went wrong.
    pub last_error: Option<String>,
}

/// About the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MeView {
    /// `alice@home.example`.
    pub user: String,
    /// `alice`.
    pub name: String,
    /// What others read.
    pub display_name: String,
    /// This device.
    pub device: String,
    /// `member` or `owner`.
    pub role: String,
    /// Whether the 24 words were written down and checked.
    pub phrase_confirmed: bool,
}

/// A device of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DeviceView {
    /// Id.
    pub device: String,
    /// What it calls itself; empty when it has not said.
    pub name: String,
    /// This one.
    pub this: bool,
    /// The account's own key did not certify it: the node alone says that it is the account's.
    pub foreign: bool,
    /// When it was added, ms; 0 when it is foreign.
    pub created_ms: f64,
    /// When it was last connected, ms.
    pub seen_ms: f64,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ConnectionView {
    /// No attempt is under way; the next at this time.
    Offline {
        /// ms, if one is planned.
        retry_ms: Option<f64>,
    },
    /// Connecting, or catching up.
    Connecting,
    /// All that the node has is here.
    Online,
}

/// A link to give away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LinkView {
    /// The URL; also the content of the QR code.
    pub url: String,
    /// When it ends, ms.
    pub expires_ms: f64,
    /// So many people may become contacts by it.
    pub people_max: u32,
    /// So many people may sign up by it; 0: none.
    pub newcomers_max: u32,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkPreview {
    /// Address of the person, if it leads to one.
    pub user: Option<String>,
    /// What they call themselves; from the link, so not proven.
    pub display_name: Option<String>,
    /// The node's name, if it carries an invite.
    pub invite_node: Option<String>,
    /// The invite code.
    pub invite: Option<String>,
    /// Whether it becomes a contact at once.
    pub instant: bool,
    /// How the person stands to oneself already, if signed in: a state of [`ContactView`], or `me`.
    pub state: Option<String>,
    /// The group, if it leads to one.
    pub group: Option<GroupPreview>,
}

/// A contact or request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ContactView {
    /// Address.
    pub user: String,
    /// What they call themselves; their name when that is not known yet.
    pub display_name: String,
    /// `outgoing`, `incoming`, `accepted` or `blocked`.
    pub state: String,
    /// Their line of greeting.
    pub greeting: String,
    /// Whether their key was verified in person.
    pub verified: bool,
    /// Whether their identity key has changed since it was pinned; nothing is sent until that is resolved.
    pub key_changed: bool,
    /// Chat with them, once both have agreed.
    pub chat: Option<String>,
    /// Since when it stands so, ms.
    pub since_ms: f64,
}

/// Safety number of two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SafetyView {
    /// Address.
    pub user: String,
    /// Sixty digits in twelve groups of five, the same on both sides.
    pub digits: Vec<String>,
    /// What one's own screen shows as QR code for the other to scan.
    pub code: String,
    /// Whether they are verified.
    pub verified: bool,
}
