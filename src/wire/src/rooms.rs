//! Rooms: one MLS group each, ordered by its hub (draft-ietf-mimi-protocol).
//!
//! `GET rooms` · `POST rooms` · `POST rooms/ROOM/messages` · `POST rooms/ROOM/commits` · `GET rooms/ROOM/log` ·
//! `GET rooms/ROOM/group-info` · `PUT rooms/ROOM/items` · `POST rooms/ROOM/leave` · `POST rooms/ROOM/links` · `DELETE rooms/ROOM/links` ·
//! `POST rooms/ROOM/join` · `GET rooms/ROOM/requests` · `DELETE rooms/ROOM/requests/ADDRESS`

use crate::{
    Blob, DeviceId, MessageId, Millis, NodeName, RoomId, RoomNonce, Signed, UserAddress, bytes,
    identity::UserIdentity, signed::Signable,
};
use serde::{Deserialize, Serialize};

/// What a room is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", try_from = "KindRead")]
pub enum RoomKind {
    /// Two people, all their devices. Membership never changes.
    Direct {
        /// The two, in the order of their addresses.
        members: (UserAddress, UserAddress),
    },
    /// Many people.
    Group,
}

/// How a [`RoomKind`] is read. serde would keep the whole map aside until it has come to the tag, by code that is larger than all else
/// that reads a room.
#[derive(Deserialize)]
struct KindRead {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    members: Option<(UserAddress, UserAddress)>,
}

impl TryFrom<KindRead> for RoomKind {
    type Error = &'static str;

    fn try_from(read: KindRead) -> Result<RoomKind, &'static str> {
        match (read.name.as_str(), read.members) {
            ("direct", Some(members)) => Ok(RoomKind::Direct { members }),
            ("group", _) => Ok(RoomKind::Group),
            _ => Err("an unknown kind of room"),
        }
    }
}

/// What a member may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomRole {
    /// Reads and writes.
    Member,
    /// Also adds and removes members.
    Admin,
    /// Also names admins and closes the room.
    Owner,
}

/// What an envelope carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An MLS PrivateMessage: the node cannot read it.
    Message,
    /// An MLS PublicMessage with a commit: the node follows the group by it.
    Commit,
}

/// What a device hands to the hub, signed by the device key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Which room.
    pub room: RoomId,
    /// Who sends.
    pub sender: UserAddress,
    /// From which device. Its key signs the envelope.
    pub device: DeviceId,
    /// Sending twice under one id stores once.
    pub message_id: MessageId,
    /// What the body is.
    pub kind: EntryKind,
    /// The MLS epoch that the body belongs to.
    pub epoch: u64,
    /// The MLSMessage.
    pub body: Blob,
}

impl Signable for Envelope {
    const CONTEXT: &'static str = "weft/envelope/1";
    const BYTES_MAX: usize = crate::limits::COMMIT_BYTES_MAX + 1024;
}

/// An entry of the room log, numbered by the hub without gaps from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number.
    pub seq: u64,
    /// When the hub took it.
    pub time_ms: Millis,
    /// What was taken, as it came.
    pub envelope: Signed<Envelope>,
}

/// `POST rooms`: registers a group in which only this device is (epoch 0). Members come by commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRoom {
    /// Made by the client: [`RoomId::of_hub`] of its node and the nonce. Also the MLS group id.
    pub room: RoomId,
    /// Random.
    pub nonce: RoomNonce,
    /// What it is for.
    pub kind: RoomKind,
    /// GroupInfo with ratchet tree and external_pub, as an MLSMessage.
    pub group_info: Blob,
}

/// Answer to [`CreateRoom`]; the same when it is sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCreated {
    /// The epoch that the hub holds.
    pub epoch: u64,
    /// For a direct room: the room that these two already have, when its id is lower. This one was not made.
    #[serde(default)]
    pub existing: Option<RoomId>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceRef {
    /// Whose.
    pub user: UserAddress,
    /// Which.
    pub device: DeviceId,
}

/// `POST rooms/ROOM/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitMessage {
    /// Of kind [`EntryKind::Message`].
    pub envelope: Signed<Envelope>,
}

/// `POST rooms/ROOM/commits`: compare-and-set on the epoch. Also external commits (a new device, or one that resyncs).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitCommit {
    /// Of kind [`EntryKind::Commit`]; its epoch is the one that the commit starts from.
    pub envelope: Signed<Envelope>,
    /// GroupInfo after the commit, with ratchet tree and external_pub.
    pub group_info: Blob,
    /// For devices that the commit adds.
    #[serde(default)]
    pub welcome: Option<Blob>,
    /// Whom the Welcome is for: exactly the devices that the commit adds.
    #[serde(default)]
    pub welcome_to: Vec<DeviceRef>,
}

/// The hub has taken it; it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its number in the room log.
    pub seq: u64,
    /// When the hub took it.
    pub time_ms: Millis,
    /// The epoch after it.
    pub epoch: u64,
}

/// `GET rooms/ROOM/log?after=SEQ&limit=N`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// In order, without gaps.
    pub entries: Vec<LogEntry>,
    /// The newest number in the log.
    pub head: u64,
}

/// `GET rooms/ROOM/group-info`: what an external commit needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInfoAnswer {
    /// The current epoch.
    pub epoch: u64,
    /// The newest number in the log at that epoch: a device that joins starts reading after its own commit.
    pub head: u64,
    /// GroupInfo, as an MLSMessage.
    pub group_info: Blob,
}

/// A member, as the node knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMember {
    /// Who.
    pub user: UserAddress,
    /// What they may do.
    pub role: RoomRole,
    /// The highest log number that one of their devices has acknowledged.
    pub delivered: u64,
    /// What lies below that and none of their devices has acknowledged, in order: after the first number, up to the second.
    /// At most [`crate::limits::DELIVERED_GAPS_MAX`]; none from a node of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<(u64, u64)>,
}

/// A small sealed record, one per member and kind, last writer wins (`read`: the read cursor).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomItem {
    /// Whose.
    pub user: UserAddress,
    /// For example `read`. At most 32 bytes of `a-z` and `-`.
    pub kind: String,
    /// Higher wins; the writer's clock in milliseconds.
    pub version: u64,
    /// Sealed to the members.
    pub sealed: Blob,
}

/// `PUT rooms/ROOM/items`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutItem {
    /// As in [`RoomItem`].
    pub kind: String,
    /// As in [`RoomItem`].
    pub version: u64,
    /// As in [`RoomItem`].
    pub sealed: Blob,
}

/// A room as its hub describes it to a member: `GET rooms`, and the first frame about a room on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    /// Which.
    pub room: RoomId,
    /// What it is for.
    pub kind: RoomKind,
    /// The node that orders it.
    pub hub: NodeName,
    /// What the id was made of, with the hub's name; none for a room that is older than such ids. Other nodes hear nothing of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<RoomNonce>,
    /// The current epoch.
    pub epoch: u64,
    /// The newest number in the log.
    pub head: u64,
    /// The oldest number that is still there.
    pub tail: u64,
    /// Who is in it.
    pub members: Vec<RoomMember>,
    /// The sealed items.
    pub items: Vec<RoomItem>,
    /// Devices whose leaf is in the group though they were signed out: any member's client removes them by commit.
    pub gone: Vec<DeviceRef>,
    /// How many people wait to be let in; the hub tells it to owners and admins only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asking: u32,
}

impl RoomState {
    /// Whether the id is one of the hub's: nobody can take the place of another node's room.
    pub fn id_fits(&self) -> bool {
        self.nonce.is_some_and(|nonce| RoomId::of_hub(&self.hub, nonce) == self.room)
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// `POST rooms/ROOM/links`: an owner or admin registers the token of a link by which people ask to be let in. It works for as
/// long as they are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateGroupLink {
    /// BLAKE3 of what opens the door: [`crate::invites::group_door`].
    #[serde(with = "bytes::array")]
    pub token_hash: [u8; 32],
    /// Whether somebody has to agree. If not, the client that made the link lets them in.
    pub approval: bool,
    /// For how long it lives, at most 30 days.
    pub lifetime_ms: Millis,
    /// Whether all links of the room from before end.
    #[serde(default)]
    pub only: bool,
}

/// `POST rooms/ROOM/join`: somebody who has a group's link asks to be let in. Their node asks the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskToJoin {
    /// The room's hub, from the link.
    pub hub: NodeName,
    /// Where the hub is reached, from the link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// Made of the token in the link: [`crate::invites::group_door`].
    pub token: Blob,
    /// That they have the link, for whoever made it: [`crate::invites::group_admission`].
    #[serde(with = "bytes::array")]
    pub proof: [u8; 32],
}

/// Answer to [`AskToJoin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinAnswer {
    /// It waits for an owner or admin.
    Asked,
    /// They are in it already.
    Member,
}

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Who.
    pub user: UserAddress,
    /// Their public keys, as their node gives them.
    pub identity: Signed<UserIdentity>,
    /// When they asked.
    pub asked_ms: Millis,
    /// Whether somebody has to agree, as the link said.
    pub approval: bool,
    /// As in [`AskToJoin`]: who needs nobody's agreement is let in by the one who can check it.
    #[serde(with = "bytes::array")]
    pub proof: [u8; 32],
}

/// `GET rooms/ROOM/requests`, for owners and admins. `DELETE rooms/ROOM/requests/ADDRESS` declines one; a commit that brings the
/// person in ends it as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequests {
    /// Oldest first; at most [`crate::limits::JOIN_REQUESTS_MAX`].
    pub requests: Vec<JoinRequest>,
}

/// `GET rooms?after=ROOM`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomList {
    /// By id, at most [`crate::limits::PAGE_MAX`].
    pub rooms: Vec<RoomState>,
    /// Whether there are more after the last one.
    pub more: bool,
}
