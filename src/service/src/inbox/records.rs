//! What is kept in inboxes.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{Blob, DeviceId, MessageId, Millis, RoomId, sync::InboxItem};

/// An entry. Key: name, 0x00, device, BE64(number).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InboxRecord {
    pub time_ms: Millis,
    pub item: Kept,
}

/// What an entry holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// As it goes out.
    Item(InboxItem),
    /// A Welcome. The number of its commit is assigned by the very store commit that writes this, so it is looked up when the
    /// entry goes out.
    Welcome {
        room: RoomId,
        /// The commit, by its author and id.
        device: DeviceId,
        message: MessageId,
        body: WelcomeBody,
    },
    /// A Welcome to a room of another hub, which has told the number of its commit.
    FarWelcome { room: RoomId, seq: u64, body: WelcomeBody },
}

/// Where a Welcome is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum WelcomeBody {
    Inline(Blob),
    /// In [`weft_store::tables::INBOX_PARTS`].
    Parts {
        id: Blob,
        count: u8,
    },
}

first_version!(InboxRecord);
