//! What a user interface sees of the node, of people, chats and messages.

use super::{ChatGroup, GroupPreview, PersonView};
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

/// A chat in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ChatView {
    /// Id; for a direct chat it never changes, whatever room lies under it.
    pub chat: String,
    /// `direct` or `group`. A group's id is that of its room.
    pub kind: String,
    /// The other person of a direct chat.
    pub user: Option<String>,
    /// Name to show.
    pub title: String,
    /// The newest message.
    pub last: Option<MessageView>,
    /// Messages of others that were not read.
    pub unread: u32,
    /// Order of the last message that was read here; the first unread one is above it.
    pub read_order: f64,
    /// What was typed and not sent.
    pub draft: String,
    /// Whether the other side is verified.
    pub verified: bool,
    /// For sorting, ms.
    pub active_ms: f64,
    /// What there is to know of a group; none for a direct chat.
    pub group: Option<ChatGroup>,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessagePage {
    /// Chat id.
    pub chat: String,
    /// Oldest first.
    pub messages: Vec<MessageView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessageView {
    /// Id, as its sender named it.
    pub id: String,
    /// Position in the chat; a message that is not sent yet stands after all others.
    pub order: f64,
    /// Who.
    pub sender: String,
    /// In a group: what the sender calls themselves.
    pub sender_name: Option<String>,
    /// Whether it is one's own.
    pub mine: bool,
    /// When, ms: the hub's time once it was taken, before that this device's.
    pub time_ms: f64,
    /// What.
    pub body: BodyView,
    /// The message that it answers.
    pub reply_to: Option<ReplyView>,
    /// For one's own: how far it has come.
    pub delivery: DeliveryView,
    /// The node that is away, where one's own keeps the message for it: it goes out by itself when that node is back.
    pub waits_for: Option<String>,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum BodyView {
    /// Text.
    Text {
        /// As it was written.
        text: String,
    },
    /// A kind that this version does not know.
    Unknown {
        /// What the sender gave for this case.
        fallback: String,
    },
    /// A line in the middle: `secured`, `joined`, `device_added`, `resynced`, `undecryptable`, `key_changed`. In groups: `created`
    /// (by), `named` (by, text), `added` (by, people), `came` (people, by a link), `removed` (by, people), `left` (people),
    /// `owner`, `admin`, `member` (by, people: their role from now on), `removed_me`, `left_me`, `not_added` (people: they were
    /// wanted in a new group, and have not agreed to it).
    System {
        /// Which.
        code: String,
        /// Whom it is about.
        user: Option<String>,
        /// In a group: who did it.
        by: Option<PersonView>,
        /// In a group: whom it is about.
        people: Vec<PersonView>,
        /// In a group: its new name.
        text: String,
    },
}

/// The message that is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReplyView {
    /// Its id.
    pub id: String,
    /// Who wrote it; none when it is not here.
    pub sender: Option<String>,
    /// Its beginning.
    pub excerpt: String,
}

/// How far one's own message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryView {
    /// Somebody else's, or a system line.
    None,
    /// Waits here: offline, or the other has not accepted yet.
    Queued,
    /// Under way.
    Sending,
    /// On the node, on disk.
    Sent,
    /// On a device of the other; in a group: of every other.
    Delivered,
    /// Read by the other; in a group: by every other.
    Read,
    /// Given up; it can be tried again or dropped.
    Failed,
}
