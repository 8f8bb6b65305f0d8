//! What the engine tells by itself.

use super::{ChatView, ConnectionView, ContactView, GroupView, MeView, MessageView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something changed, without having been asked for.
// An event is made, handed over and gone: a box for each chat would cost more than the room it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "event", content = "value")]
pub enum Event {
    /// Signed in, out, or changed.
    Me(Option<MeView>),
    /// The connection to the node.
    Connection(ConnectionView),
    /// These contacts changed or are new.
    Contacts(Vec<ContactView>),
    /// This contact is gone.
    ContactRemoved {
        /// Address.
        user: String,
    },
    /// This chat changed or is new.
    Chat(ChatView),
    /// These messages changed or are new. A message that was queued keeps its id and gets its final order.
    Messages {
        /// Chat id.
        chat: String,
        /// The messages.
        messages: Vec<MessageView>,
    },
    /// This unsent message was dropped.
    MessageDiscarded {
        /// Chat id.
        chat: String,
        /// Message id.
        id: String,
    },
    /// This group changed: members, roles, name, who asks to be let in.
    Group(GroupView),
    /// Somebody types, or has stopped. It ends by itself after six seconds.
    Typing {
        /// Chat id.
        chat: String,
        /// Address.
        user: String,
        /// Whether.
        on: bool,
    },
    /// Something of one's money changed; what is shown of it is to be asked for again.
    Wallet,
    /// Something that the person must know: `payment_failed` (one that was unsure was not made), `key_changed` (a contact's identity is another one than before), `device_added`,
    /// `foreign_device` (an alarm: the node shows a device on this account that the account's own key did not certify),
    /// `signed_out_remotely`, `state_damaged`.
    Notice {
        /// Which.
        code: String,
        /// Whom it is about.
        user: Option<String>,
    },
}
