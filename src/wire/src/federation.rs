//! What travels between nodes: who a node is, events that take effect exactly once and in order, and questions.
//!
//! Streams of libp2p, one CBOR value each way behind its length: `/weft/deliver/1` carries a [`Batch`] and its [`BatchAck`],
//! `/weft/query/1` a [`Question`] and its [`Answer`]. A node speaks for its own users only; what the envelope of a device
//! says is checked again by every engine that reads it.

use crate::{
    Blob, Millis, NodeName, Problem, RequestId, RoomId, Signed, TransferId, UserAddress, UserName, bytes,
    contacts::{ClaimedKeyPackages, UserLookup},
    identity::{DeviceCert, UserIdentity},
    rooms::{
        Accepted, CreateGroupLink, DeviceRef, Envelope, GroupInfoAnswer, JoinAnswer, JoinRequests, LogEntry,
        RoomItem, RoomState, SubmitCommit,
    },
    signed::Signable,
    wallet::{CodeCharge, DayRoot, InvoiceInfo, PacketInfo, SaleInfo, ShopInfo, Witness},
};
use serde::{Deserialize, Serialize};

/// The version of this protocol.
pub const PROTOCOL: u32 = 1;

/// Whom a node talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FederationPolicy {
    /// Every node that is not blocked.
    Open,
    /// Nodes that the operator trusts.
    AllowList,
    /// None.
    Closed,
}

/// What a node says of itself, signed by its own key: `GET /.well-known/weft`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// The right half of its users' addresses.
    pub name: NodeName,
    /// ed25519. Signs this record; the libp2p peer id follows from it.
    #[serde(with = "bytes::array")]
    pub key: [u8; 32],
    /// Multiaddrs at which it may be reached, without the peer id.
    pub addresses: Vec<String>,
    /// Versions of this protocol that it speaks.
    pub protocols: Vec<u32>,
    /// Whom it talks to.
    pub policy: FederationPolicy,
    /// Of two records with one key the later one counts.
    pub created_ms: Millis,
}

impl Signable for NodeRecord {
    const CONTEXT: &'static str = "weft/node-record/1";
    const BYTES_MAX: usize = 4 << 10;
}

/// Events of one node for another, numbered without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Who speaks. The receiver compares the stream's key with the one that it has pinned for this name.
    pub from: NodeName,
    /// Which run of numbers this is: random, and another one once the sender's data was restored from a backup.
    #[serde(with = "bytes::array")]
    pub run: [u8; 16],
    /// The number of the first event. A run begins with 1.
    pub first: u64,
    /// At most [`crate::limits::EVENTS_PER_BATCH_MAX`].
    pub events: Vec<Event>,
}

/// Answer to a [`Batch`]. What it says is on the receiver's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchAck {
    /// The highest number of the run that has taken effect, or was refused for good. The sender goes on behind it.
    pub upto: u64,
    /// Of events that have a result, by number; the others took effect.
    pub results: Vec<(u64, EventResult)>,
    /// Why the rest of the batch was not taken now; it is to be sent again.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventResult {
    /// A message has its place in the log, a copy goes so far, or somebody is out of a group.
    Accepted(Accepted),
    /// It was refused, for good.
    Refused(Problem),
}

/// What a node tells another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// One person to another, before there is a room.
    Contact {
        /// A user of the sender.
        from: UserAddress,
        /// A user of the receiver.
        to: UserName,
        /// The public keys of `from`.
        identity: Signed<UserIdentity>,
        /// What about.
        step: ContactStep,
    },
    /// The hub to a follower: what a room is like now, and what is new in its log.
    Room {
        /// Which room.
        room: RoomId,
        /// Whenever members, epoch or gone devices have changed; without items.
        #[serde(default)]
        state: Option<RoomState>,
        /// All devices in the group, where there is a state.
        #[serde(default)]
        devices: Vec<DeviceRef>,
        /// In order and without gaps, from what the follower acknowledged last. Its result is an [`EventResult::Accepted`]
        /// with the newest number of the copy.
        entries: Vec<LogEntry>,
    },
    /// The hub to the node of a device that a commit has added.
    Welcome {
        /// Which room.
        room: RoomId,
        /// Who added it: a contact of the person, or they themselves.
        by: UserAddress,
        /// For which device.
        to: DeviceRef,
        /// The log number of the commit.
        seq: u64,
        /// MLS Welcome, as an MLSMessage.
        welcome: Blob,
    },
    /// A follower to the hub: a message of one of its users. Its result is an [`EventResult`].
    Message {
        /// Of the device that signed the envelope.
        cert: Signed<DeviceCert>,
        /// As the device sent it.
        envelope: Signed<Envelope>,
    },
    /// A sealed item of a room has changed. Followers tell the hub, the hub tells the other followers.
    Item {
        /// Which room.
        room: RoomId,
        /// The item as it is now.
        item: RoomItem,
    },
    /// A member's devices have acknowledged up to here, but for what they missed. Followers tell the hub, the hub tells the other followers.
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
    /// The home node to the hub: a device was signed out.
    DeviceGone {
        /// Which room.
        room: RoomId,
        /// Which device.
        device: DeviceRef,
    },
    /// The home of a member to the hub: they have left a group. Its result is an [`EventResult::Accepted`] with the epoch at
    /// which they were out: only somebody who is a member at a later one was brought in again.
    Left {
        /// Which room.
        room: RoomId,
        /// Who.
        user: UserAddress,
    },
}

/// A step of one person towards another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactStep {
    /// Would like to talk.
    Ask {
        /// A [`crate::content::Greeting`], sealed to the other's identity.
        sealed: Blob,
        /// Of the other's own link or QR code: with it the request is accepted at once.
        #[serde(default)]
        token: Option<Blob>,
    },
    /// Agrees.
    Accept {
        /// A [`crate::content::Greeting`], sealed to the one who asked; none when a link agreed for them.
        #[serde(default)]
        sealed: Option<Blob>,
    },
    /// Takes the request back, or ends the contact.
    Remove,
}

/// What a node asks another one. Nothing of it is stored by the one who asks it in doubt: it asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Whom a request can be sealed to.
    Person {
        /// Who would like to know: a user of the asking node.
        by: UserAddress,
        /// A user of the asked node.
        user: UserName,
    },
    /// One KeyPackage for each device of somebody who has agreed to be reached by `by`.
    Claim {
        /// A user of the asking node.
        by: UserAddress,
        /// A user of the asked node.
        user: UserName,
        /// A room of which `by` is an owner or admin, and into which the person has asked to be let: that is consent too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
    },
    /// Somebody who has a group's link asks the hub to be let in.
    Join {
        /// Which room.
        room: RoomId,
        /// A user of the asking node.
        user: UserAddress,
        /// Their public keys.
        identity: Signed<UserIdentity>,
        /// As in [`crate::rooms::AskToJoin`].
        token: Blob,
        /// As in [`crate::rooms::AskToJoin`].
        #[serde(with = "crate::bytes::array")]
        proof: [u8; 32],
    },
    /// What an owner or admin decides about links and those who ask, at the hub.
    Door {
        /// Which room.
        room: RoomId,
        /// A user of the asking node.
        by: UserAddress,
        /// What.
        act: DoorAct,
    },
    /// What an external commit needs, from the hub.
    GroupInfo {
        /// Which room.
        room: RoomId,
        /// A member, of the asking node.
        by: UserAddress,
    },
    /// A commit of a member's device, for the hub: compare-and-set on the epoch.
    Commit {
        /// Which room.
        room: RoomId,
        /// Of the device that signed the envelope.
        cert: Signed<DeviceCert>,
        /// As the device sent it.
        submit: SubmitCommit,
    },
    /// Typing and the like, to those who are connected now. Never stored.
    Ephemeral {
        /// Who asks: the home of the device, or the hub.
        from: NodeName,
        /// Which room.
        room: RoomId,
        /// From which device.
        by: DeviceRef,
        /// Sealed.
        sealed: Blob,
    },
    /// Payments between the two nodes: what the asking one has to say of them, as `weft-service`'s wallet encodes it. Its answer
    /// is what the other has to say.
    Link {
        /// Who asks.
        from: NodeName,
        /// At most [`crate::limits::LINK_POST_BYTES_MAX`].
        post: Blob,
    },
    /// A red packet of the asked node, for somebody of a room in which it was given.
    Packet {
        /// A user of the asking node.
        by: UserAddress,
        /// Which.
        packet: TransferId,
        /// They open it. What they get comes as a payment over the link.
        open: bool,
    },
    /// What the asking node has signed of a day of its ledger, for a node with which it has a link.
    Root {
        /// Who asks.
        from: NodeName,
        /// Its own.
        root: Signed<DayRoot>,
    },
    /// A shop of the asked node, for somebody who is about to pay there over the link of the two nodes.
    Shop {
        /// A user of the asking node.
        by: UserAddress,
        /// Which.
        shop: UserName,
        /// And what is sold there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sale: Option<RequestId>,
    },
    /// An invoice of somebody, or of a shop, of the asked node, for the one who is to pay it.
    Invoice {
        /// A user of the asking node.
        by: UserAddress,
        /// Whose it is.
        issuer: UserName,
        /// Which of theirs.
        invoice: RequestId,
    },
    /// Somebody of the asked node has shown a code in a shop of the asking one: the money comes as a payment over the link.
    Charge {
        /// Who asks.
        from: NodeName,
        /// For what; the shop is of this node, and so is the key that has signed.
        charge: Signed<CodeCharge>,
    },
}

/// A shop, as somebody of another node may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopAnswer {
    /// The shop, with the key of its node.
    pub info: ShopInfo,
    /// What is sold, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<SaleInfo>,
}

/// What an owner or admin does at the door of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorAct {
    /// Registers a link.
    Link(CreateGroupLink),
    /// Ends all links.
    EndLinks,
    /// Reads who waits.
    Requests,
    /// Declines somebody.
    Decline(UserAddress),
}

/// Answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Person`].
    Person(UserLookup),
    /// To [`Question::Claim`].
    Claimed(ClaimedKeyPackages),
    /// To [`Question::GroupInfo`].
    GroupInfo(GroupInfoAnswer),
    /// To [`Question::Commit`].
    Accepted(Accepted),
    /// To [`Question::Ephemeral`], and to [`Question::Door`] where there is nothing to tell.
    Passed,
    /// To [`Question::Join`].
    Join(JoinAnswer),
    /// To [`DoorAct::Requests`].
    Requests(JoinRequests),
    /// To [`Question::Link`].
    Link(Blob),
    /// To [`Question::Packet`].
    Packet(PacketInfo),
    /// To [`Question::Root`]: it was seen, and no other of that day.
    Root(Signed<Witness>),
    /// To [`Question::Shop`].
    Shop(ShopAnswer),
    /// To [`Question::Invoice`], as the asked node signs it.
    Invoice(Signed<InvoiceInfo>),
    /// To [`Question::Charge`]: the payment is made, and under way. What becomes of it the link says.
    Charged,
    /// No.
    Problem(Problem),
}

/// Why a node record was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeRecordError {
    /// The signature or the encoding is not valid.
    #[error(transparent)]
    Signed(#[from] crate::signed::SignedError),
    /// It is for another node than was asked for.
    #[error("the record is for {found}, not for {expected}")]
    Name {
        /// Who was asked for.
        expected: NodeName,
        /// Whom it is for.
        found: NodeName,
    },
    /// The name is a peer id, of another key.
    #[error("the name is not that of the key")]
    Key,
    /// Too many addresses, or one that is too long.
    #[error("the record has too many addresses, or one is too long")]
    Addresses,
}

impl Signed<NodeRecord> {
    /// Checks all that the record says by itself: the signature by its key, that a name which is a peer id is that of the
    /// key, and bounds. Whether the key is the pinned one is the caller's to compare.
    ///
    /// # Errors
    /// [`NodeRecordError`].
    pub fn open(&self) -> Result<NodeRecord, NodeRecordError> {
        let claimed = self.peek().map_err(crate::signed::SignedError::Body)?;
        let record = self.verify(&claimed.key)?;
        if record.name.is_peer_id() && record.name != NodeName::of_key(&record.key) {
            return Err(NodeRecordError::Key);
        }
        let fits = |address: &String| address.len() <= crate::limits::PEER_ADDRESS_BYTES_MAX;
        if record.addresses.len() > crate::limits::PEER_ADDRESSES_MAX || !record.addresses.iter().all(fits) {
            return Err(NodeRecordError::Addresses);
        }
        Ok(record)
    }

    /// [`Self::open`], and the record must be for this node.
    ///
    /// # Errors
    /// [`NodeRecordError`].
    pub fn open_for(&self, name: &NodeName) -> Result<NodeRecord, NodeRecordError> {
        let record = self.open()?;
        if record.name == *name {
            Ok(record)
        } else {
            Err(NodeRecordError::Name { expected: name.clone(), found: record.name })
        }
    }
}
