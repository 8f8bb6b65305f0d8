//! Red packets: money for the first so many of a room who open it. `weft-ledger`'s `packet` says how shares are drawn, and how
//! anybody checks that.

use super::Asset;
use crate::{Millis, NodeName, RoomId, TransferId, UserAddress, bytes};
use serde::{Deserialize, Serialize};

/// How the money is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketKind {
    /// By lot.
    Lucky,
    /// To everyone the same.
    Equal,
}

/// What the payer's order says about a red packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PacketTerms {
    /// Whose members may open it.
    pub room: RoomId,
    /// How it is divided.
    pub kind: PacketKind,
    /// Among how many: 1 to 500.
    pub shares: u32,
    /// Only this member may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<UserAddress>,
}

/// What the node binds itself to when it makes a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketPromise {
    /// The hash of the seed from which shares are drawn. The seed is told when the packet is over.
    #[serde(with = "bytes::array")]
    pub commitment: [u8; 32],
}

/// Where a packet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketState {
    /// It can be opened.
    Open,
    /// All shares are taken.
    Empty,
    /// Its time is over; what was left went back.
    Expired,
}

/// Who has opened a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketClaim {
    /// Who.
    pub user: UserAddress,
    /// What they got, in minor units.
    pub amount: u64,
    /// When.
    pub at_ms: Millis,
    /// Their own node did not take it for them: it went back to the giver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
}

/// `GET wallet/packets/ID`, and the answer to `POST wallet/packets/ID`, which opens it: asking again gives the same share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketInfo {
    /// Its id: the transfer by which it was filled.
    pub id: TransferId,
    /// Who gave it.
    pub maker: UserAddress,
    /// Of what.
    pub asset: Asset,
    /// How it is divided, among whom.
    pub terms: PacketTerms,
    /// What was put in, in minor units.
    pub total: u64,
    /// What is still in it.
    pub left: u64,
    /// Where it stands.
    pub state: PacketState,
    /// Until when it can be opened.
    pub until_ms: Millis,
    /// What was promised when it was made.
    pub promise: PacketPromise,
    /// What the promise was about, once the packet is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<PacketSeed>,
    /// Who has opened it, the first one first.
    pub claims: Vec<PacketClaim>,
}

/// The seed from which shares were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PacketSeed(#[serde(with = "bytes::array")] pub [u8; 32]);

/// Content of kind `packet`: a red packet in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketCard {
    /// Which.
    pub packet: TransferId,
    /// The node that holds its money.
    pub node: NodeName,
    /// What that node has promised.
    pub promise: PacketPromise,
    /// Of what, as the giver has ordered it: the node cannot tell another packet to each who asks.
    pub asset: Asset,
    /// What was put in, in minor units.
    pub total: u64,
    /// How it is divided.
    pub kind: PacketKind,
    /// Among how many.
    pub shares: u32,
    /// What the giver wishes; at most [`crate::limits::MONEY_NOTE_BYTES_MAX`] bytes.
    #[serde(default)]
    pub greeting: String,
    /// Which cover it has; one that is not known is shown as the plain one.
    #[serde(default)]
    pub cover: u8,
    /// The one who may open it, if it is not for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<UserAddress>,
}

impl TransferId {
    /// The share of one who opens a packet. There is one.
    pub fn of_claim(packet: TransferId, user: &UserAddress) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/packet-claim/1");
        hasher.update(&packet.0).update(user.to_string().as_bytes());
        TransferId::of_hash(&hasher.finalize())
    }

    /// What goes back when the time of a packet is over.
    pub fn of_packet_return(packet: TransferId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/packet-return/1");
        TransferId::of_hash(&hasher.update(&packet.0).finalize())
    }
}
