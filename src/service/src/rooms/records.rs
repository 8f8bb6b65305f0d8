//! What is kept about rooms.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_store::record::Versioned;
use weft_wire::{
    Blob, DeviceId, Millis, NodeName, RoomId, RoomNonce, Signed, UserAddress,
    identity::UserIdentity,
    rooms::{DeviceRef, Envelope, RoomKind, RoomRole},
};

/// A room. Key: its id. It changes with each commit, and never with a message: that is how messages do not conflict with one
/// another, while each still asserts the membership and the epoch that it was judged by.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RoomRecord {
    pub kind: RoomKind,
    /// The device that made it; none where the hub is another node.
    pub creator: Option<DeviceRef>,
    /// Of a copy in which nobody here is any more: since when.
    pub created_ms: Millis,
    pub epoch: u64,
    /// Empty when there are too many for one row: then they are in a part.
    pub members: Vec<MemberRecord>,
    /// Devices that were signed out while their leaf is in the group.
    pub gone: Vec<DeviceRef>,
    /// At the hub: people who have left while leaves of theirs are in the group; all of those are in `gone`. In a copy: people
    /// here who have left and were not brought in again, whether the hub still names them or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<UserAddress>,
    pub folded_into: Option<RoomId>,
    pub parts: Parts,
    pub hub: Hub,
    /// What its id was made of; none for a room that is older than such ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<RoomNonce>,
}

/// Which node orders a room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Hub {
    /// This one.
    Here,
    /// Another one. What is kept here is a copy: no view of the group, no GroupInfo.
    At(NodeName),
}

impl Hub {
    /// The other node, if it is another one.
    pub fn elsewhere(&self) -> Option<&NodeName> {
        match self {
            Hub::Here => None,
            Hub::At(node) => Some(node),
        }
    }
}

/// A room as it was kept before rooms spanned nodes: each node was the hub of all that it had.
mod v1 {
    use super::{DeviceRef, MemberRecord, Millis, Parts, RoomId, RoomKind, first_version};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(crate) struct RoomRecord {
        pub kind: RoomKind,
        pub creator: DeviceRef,
        pub created_ms: Millis,
        pub epoch: u64,
        pub members: Vec<MemberRecord>,
        pub gone: Vec<DeviceRef>,
        pub folded_into: Option<RoomId>,
        pub parts: Parts,
    }

    first_version!(RoomRecord);
}

impl Versioned for RoomRecord {
    const VERSION: u8 = 2;
    type Previous = v1::RoomRecord;
    fn migrate(before: v1::RoomRecord) -> Self {
        RoomRecord {
            kind: before.kind,
            creator: Some(before.creator),
            created_ms: before.created_ms,
            epoch: before.epoch,
            members: before.members,
            gone: before.gone,
            left: Vec::new(),
            folded_into: before.folded_into,
            parts: before.parts,
            hub: Hub::Here,
            nonce: None,
        }
    }
}

/// What belongs to the epoch and may be long: rows of [`weft_store::tables::ROOM_PARTS`]. Each commit writes new parts under
/// a new id and deletes the old ones.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub id: Blob,
    /// How many rows: the hub's view of the group.
    pub hub: u8,
    /// How many rows: GroupInfo.
    pub info: u8,
    /// How many rows: members, when they are not in the room's row.
    pub members: u8,
}

/// A person in a room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub user: UserAddress,
    pub role: RoomRole,
    /// The newest number of the log when they came: what is older is not theirs to read.
    pub since: u64,
    /// Their devices that are in the group.
    pub devices: Vec<DeviceId>,
}

/// An entry of a log. Key: room, BE64(number).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LogRecord {
    pub time_ms: Millis,
    pub envelope: KeptEnvelope,
}

/// Where an envelope is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum KeptEnvelope {
    Inline(Signed<Envelope>),
    /// In [`weft_store::tables::ROOM_PARTS`]: a commit of a large group.
    Parts {
        id: Blob,
        count: u8,
    },
}

/// That a device has sent something under an id. Key: room, device, message id. Its number in the log is assigned by the same
/// store commit that writes this, so it is found by looking from `near` on.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MessageIdRecord {
    /// BLAKE3 of the envelope: another content under the same id is refused.
    #[serde(with = "weft_wire::bytes::array")]
    pub hash: [u8; 32],
    pub time_ms: Millis,
    /// A number of the log below its own, and not far.
    pub near: u64,
    /// What was answered as the epoch.
    pub epoch: u64,
}

/// How far a device has come. Key: room, name, 0x00, device; without a device: what those had that left the group.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct CursorRecord {
    /// The last number that it has acknowledged; before it has, the number after which it came.
    pub acked: u64,
    /// The number after which it came into the group. What is older it cannot read.
    #[serde(default)]
    pub from: u64,
    /// What devices had that left: after the first number, up to the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<(u64, u64)>,
}

/// A sealed item. Key: room, address, 0x00, kind.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ItemRecord {
    pub version: u64,
    pub sealed: Blob,
}

/// The door of a group. Key: room. Where the hub is another node, only how many ask, as it says.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct DoorRecord {
    pub keys: Vec<DoorKey>,
    /// Rows of [`weft_store::tables::ROOM_ASKING`].
    pub asking: u32,
}

/// What opens the door: the token of a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct DoorKey {
    /// BLAKE3 of what is made of the token.
    #[serde(with = "weft_wire::bytes::array")]
    pub hash: [u8; 32],
    /// It is good for as long as they are an owner or admin.
    pub by: UserAddress,
    /// Whether somebody has to agree.
    pub approval: bool,
    pub expires_ms: Millis,
}

/// Somebody who asks to be let in. Key: room, address.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AskingRecord {
    pub identity: Signed<UserIdentity>,
    pub asked_ms: Millis,
    /// Whether somebody has to agree, as the link said.
    pub approval: bool,
    /// As they showed it; whoever made the link checks it.
    #[serde(with = "weft_wire::bytes::array")]
    pub proof: [u8; 32],
}

/// Somebody here has asked to be let into a group: whoever decides there may bring them in. Key: name, 0x00, room.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AskedRecord {
    pub hub: NodeName,
    pub until_ms: Millis,
}

first_version!(LogRecord, MessageIdRecord, CursorRecord, ItemRecord, DoorRecord, AskingRecord, AskedRecord);
