//! How chats and messages look.

use super::{AssetView, ChatGroup, PartView, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum BodyView {
    /// Text.
    Text {
        /// As it was written.
        text: String,
    },
    /// Money for the reader; [`super::Call::Transfer`] says how it stands.
    Transfer {
        /// Its id.
        transfer: String,
        /// Of what.
        asset: AssetView,
        /// How much, as the sender says; the node's word counts.
        amount: String,
        /// What for.
        note: String,
    },
    /// A red packet; [`super::Call::Packet`] says how it stands.
    Packet {
        /// Its id.
        packet: String,
        /// What the giver wishes.
        greeting: String,
        /// Which cover.
        cover: u8,
        /// The one for whom it is.
        only: Option<PersonView>,
    },
    /// The sender asks for money; [`super::Call::Request`] says who has paid.
    Request {
        /// Its id.
        request: String,
        /// Of what.
        asset: AssetView,
        /// Who is asked for how much.
        parts: Vec<PartView>,
        /// The whole bill.
        total: String,
        /// What for.
        note: String,
    },
    /// The sender says that they have paid what was asked for.
    Paid {
        /// What was asked for.
        request: String,
        /// The transfer.
        transfer: String,
        /// Of what.
        asset: AssetView,
        /// How much.
        amount: String,
    },
    /// The sender, or a shop where they work, asks somebody of another node to pay an invoice; [`super::BillCall::Invoice`] says how it
    /// stands.
    Invoice {
        /// Address of its issuer.
        issuer: String,
        /// Its id.
        invoice: String,
        /// Its number.
        number: f64,
        /// In what.
        asset: AssetView,
        /// What it comes to, as the sender says; the node's word counts.
        total: String,
        /// By when it is to be paid, ms.
        due_ms: f64,
    },
    /// A kind that this version does not know.
    Unknown {
        /// What the sender gave for this case.
        fallback: String,
    },
    /// A line in the middle: `secured`, `joined`, `device_added`, `resynced`, `undecryptable`, `key_changed`. In groups: `created`
    /// (by), `named` (by, text), `added` (by, people), `removed` (by, people), `left` (people),
    /// `owner`, `admin`, `member` (people: their role from now on; by whom, where that is known), `removed_me`, `left_me`,
    /// `not_added` (people: they were wanted in a new group, and have not agreed to it), `not_made` (text: a code of the node, why
    /// it did not take the group), `gone` (people: they are not in it any more, and have not said why: signed out everywhere),
    /// `came_meanwhile` and `went_meanwhile` (people: while this device could not follow).
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
