//! The socket: `GET /api/v1/sync`, binary WebSocket frames, one CBOR value each.
//!
//! The node opens with [`ServerFrame::Challenge`]; the device answers [`ClientFrame::Hello`]; from then on the node streams
//! what lies past the device's cursors, and what comes anew. Nothing is lost when a socket breaks: the cursors say where
//! to go on. Ephemeral events alone are never stored.

use crate::{
    Blob, DeviceId, Millis, RoomId, Signed, UserAddress, bytes,
    contacts::ContactState,
    identity::{DeviceCert, UserIdentity},
    problem::Problem,
    rooms::{LogEntry, RoomItem, RoomState},
    signed::Signable,
    vault::VaultRecord,
};
use serde::{Deserialize, Serialize};

/// Signed by the device key: binds the token to the device and to this one socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketProof {
    /// From [`ServerFrame::Challenge`].
    #[serde(with = "bytes::array")]
    pub nonce: [u8; 32],
    /// Which device.
    pub device: DeviceId,
}

impl Signable for SocketProof {
    const CONTEXT: &'static str = "weft/socket/1";
    const BYTES_MAX: usize = 512;
}

/// From the device to the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame, within ten seconds.
    Hello {
        /// The session token.
        token: String,
        /// Over the challenge.
        proof: Signed<SocketProof>,
        /// The last inbox item that was processed and persisted; those up to it are dropped.
        inbox_after: u64,
        /// Whether to send vault records that other devices change.
        #[serde(default)]
        vault: bool,
    },
    /// Streams a room from after this number, or moves the stream. Rooms that are not followed are only announced.
    Follow {
        /// Room and the last number that was processed and persisted.
        rooms: Vec<(RoomId, u64)>,
    },
    /// Processed AND persisted up to here: never sent again to this device.
    Ack {
        /// Inbox number.
        #[serde(default)]
        inbox: Option<u64>,
        /// Room and log number.
        #[serde(default)]
        rooms: Vec<(RoomId, u64)>,
    },
    /// To the other devices in a room that are connected now.
    Ephemeral {
        /// Which room.
        room: RoomId,
        /// Sealed under an exporter secret of the epoch.
        sealed: Blob,
    },
    /// Answered by [`ServerFrame::Pong`].
    Ping,
}

/// From the node to the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame.
    Challenge {
        /// Random.
        #[serde(with = "bytes::array")]
        nonce: [u8; 32],
    },
    /// The device is in.
    Ready {
        /// Who.
        user: UserAddress,
        /// The node's clock.
        time_ms: Millis,
        /// How many single-use KeyPackages the node has left for this device.
        key_packages: u32,
        /// The number of the newest item that waits in the device's inbox: once that one is processed, nothing that came
        /// while the device was away is under way any more. 0: nothing waits. None: the node does not say.
        #[serde(default)]
        inbox: Option<u64>,
    },
    /// What lies in the device's inbox, in order.
    Inbox {
        /// At most [`crate::limits::PAGE_MAX`].
        items: Vec<InboxEntry>,
    },
    /// A room as it is now: once after it is followed, and whenever members, epoch or gone devices change.
    Room {
        /// Its state.
        state: RoomState,
    },
    /// Log entries of a followed room, in order, without gaps.
    Entries {
        /// Which room.
        room: RoomId,
        /// In order.
        entries: Vec<LogEntry>,
    },
    /// A member's devices have acknowledged up to here, but for what they missed.
    Delivered {
        /// Which room.
        room: RoomId,
        /// Who.
        user: UserAddress,
        /// Log number.
        seq: u64,
        /// As in [`crate::rooms::RoomMember`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missed: Vec<(u64, u64)>,
    },
    /// A sealed item changed.
    Item {
        /// Which room.
        room: RoomId,
        /// The item.
        item: RoomItem,
    },
    /// Typing and the like. Never stored.
    Ephemeral {
        /// Which room.
        room: RoomId,
        /// Who.
        user: UserAddress,
        /// From which device.
        device: DeviceId,
        /// Sealed.
        sealed: Blob,
    },
    /// Another device of this account changed records.
    Vault {
        /// The records.
        records: Vec<VaultRecord>,
    },
    /// Something of the account's money changed: a payment came, was answered, a limit is another one. Told at most every
    /// tenth of a second; what it is, `GET wallet/…` says.
    Wallet {},
    /// Answer to [`ClientFrame::Ping`].
    Pong,
    /// A frame could not be followed. Fatal ones are followed by a close.
    Problem {
        /// What is wrong.
        problem: Problem,
        /// The room that it is about, if one.
        #[serde(default)]
        room: Option<RoomId>,
        /// Whether the node closes the socket now.
        fatal: bool,
    },
}

/// An item of a device's inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxEntry {
    /// Its number; grows, may have gaps.
    pub seq: u64,
    /// When the node took it.
    pub time_ms: Millis,
    /// What it is.
    pub item: InboxItem,
}

/// What is addressed to a device, outside any room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxItem {
    /// A contact was asked for, accepted, or removed. Each device of the account is told.
    Contact {
        /// The other person.
        user: UserAddress,
        /// How it stands now, seen from this account; none when the contact was removed.
        state: Option<ContactState>,
        /// Their public keys.
        identity: Signed<UserIdentity>,
        /// Their greeting or answer, sealed to this account.
        #[serde(default)]
        sealed: Option<Blob>,
    },
    /// This device was added to a room.
    Welcome {
        /// Which room.
        room: RoomId,
        /// The log number of the commit that added it: read on after it.
        seq: u64,
        /// MLS Welcome, as an MLSMessage, with the ratchet tree.
        welcome: Blob,
    },
    /// Another device was added to this account.
    DeviceAdded {
        /// Its certificate. One that is not signed by the own identity key is an alarm.
        cert: Signed<DeviceCert>,
    },
    /// A device of this account was signed out.
    DeviceRemoved {
        /// Which.
        device: DeviceId,
    },
    /// A direct room was folded into another one, because both sides had opened one at the same moment.
    RoomFolded {
        /// The one that ends.
        from: RoomId,
        /// The one that goes on.
        into: RoomId,
    },
}
