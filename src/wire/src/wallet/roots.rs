//! What a node binds itself to about its ledger each day, what other nodes say to that, and what a member is shown to check it.
//!
//! `GET wallet/roots?before=DAY` · `GET wallet/proofs/TRANSFER` · `GET wallet/proofs/accounts/ACCOUNT?day=DAY&after=NUMBER`.
//!
//! How trees are hashed and proofs are checked is `weft-ledger`'s `proof`. Days are days since 1970, UTC.

use crate::{AccountId, AssetId, Blob, Millis, NodeName, Signed, bytes, signed::Signable};
use serde::{Deserialize, Serialize};

const HASH_BYTES: usize = 32;
const SUM_BYTES: usize = 16;
const NODE_BYTES: usize = HASH_BYTES + SUM_BYTES;

/// A sum in minor units: sixteen bytes, big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(from = "SumBytes", into = "SumBytes")]
pub struct Sum(pub u128);

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SumBytes(#[serde(with = "bytes::array")] [u8; SUM_BYTES]);

impl From<SumBytes> for Sum {
    fn from(SumBytes(bytes): SumBytes) -> Self {
        Sum(u128::from_be_bytes(bytes))
    }
}

impl From<Sum> for SumBytes {
    fn from(Sum(sum): Sum) -> Self {
        SumBytes(sum.to_be_bytes())
    }
}

/// One node of a tree: a hash, and the sum of all that is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TreeNode(#[serde(with = "bytes::array")] [u8; NODE_BYTES]);

impl TreeNode {
    /// Of these two.
    pub fn new(hash: [u8; HASH_BYTES], sum: u128) -> Self {
        let mut bytes = [0; NODE_BYTES];
        let (front, back) = bytes.split_at_mut(HASH_BYTES);
        front.copy_from_slice(&hash);
        back.copy_from_slice(&sum.to_be_bytes());
        TreeNode(bytes)
    }

    /// As it is hashed and kept: the hash, then the sum, big-endian.
    pub fn as_bytes(&self) -> &[u8; NODE_BYTES] {
        &self.0
    }

    /// Of bytes as [`Self::as_bytes`] gives them.
    pub fn of_bytes(bytes: [u8; NODE_BYTES]) -> Self {
        TreeNode(bytes)
    }

    /// The hash.
    pub fn hash(&self) -> &[u8] {
        self.0.first_chunk::<HASH_BYTES>().map_or(&[], |hash| hash)
    }

    /// The sum.
    pub fn sum(&self) -> u128 {
        self.0.last_chunk().map_or(0, |sum| u128::from_be_bytes(*sum))
    }
}

/// A hash of BLAKE3 in its mode `derive_key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(#[serde(with = "bytes::array")] pub [u8; HASH_BYTES]);

/// What a node binds itself to at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRoot {
    /// Whose ledger.
    pub node: NodeName,
    /// Which day.
    pub day: u64,
    /// The number of the last event that is in it.
    pub last: u64,
    /// Over the events since the day before, in their order; each counts one.
    pub events: TreeNode,
    /// [`Hash::of_root`] of the day before. None: this is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Hash>,
    /// By asset.
    pub assets: Vec<AssetSum>,
}

impl Signable for DayRoot {
    const CONTEXT: &'static str = "weft/day-root/1";
    const BYTES_MAX: usize = 32 << 10;
}

impl Hash {
    /// By which a signed root is named.
    pub fn of_root(root: &Signed<DayRoot>) -> Self {
        Hash(blake3::derive_key("weft/day-root-hash/1", root.body()))
    }
}

/// What there is of an asset at the end of a day. What was given out is what is held: `issued + abroad + own = held`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetSum {
    /// Of what.
    pub asset: AssetId,
    /// How much the node has brought into the world, and not taken out again.
    pub issued: Sum,
    /// How much it has with other nodes, of what those issue.
    pub abroad: Sum,
    /// How much its own accounts are short of.
    pub own: Sum,
    /// The tree over all accounts in which there is something, and their sum.
    pub held: TreeNode,
    /// How many leaves that tree has.
    pub leaves: u64,
}

impl AssetSum {
    /// Whether what was given out is what is held.
    pub fn is_even(&self) -> bool {
        let given = self.issued.0.checked_add(self.abroad.0).and_then(|sum| sum.checked_add(self.own.0));
        given == Some(self.held.sum())
    }
}

/// A node has seen this root of another one, and no other of that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Whose root.
    pub node: NodeName,
    /// Of which day.
    pub day: u64,
    /// Which.
    pub root: Hash,
    /// Who has seen it.
    pub by: NodeName,
    /// When.
    pub at_ms: Millis,
}

impl Signable for Witness {
    const CONTEXT: &'static str = "weft/day-witness/1";
    const BYTES_MAX: usize = 1024;
}

/// What a witness has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessWord {
    /// Its key, as the own node knows it. A name that is a key tells its own.
    #[serde(with = "bytes::array")]
    pub key: [u8; 32],
    /// Signed with that.
    pub word: Signed<Witness>,
}

/// A root, and who has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootInfo {
    /// Signed by the node.
    pub root: Signed<DayRoot>,
    /// At most one of each node.
    pub witnesses: Vec<WitnessWord>,
}

/// `GET wallet/roots?before=DAY`: the newest first, at most [`crate::limits::ROOTS_PAGE_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootList {
    /// The node's key. A name that is a key tells its own.
    #[serde(with = "bytes::array")]
    pub key: [u8; 32],
    /// The roots.
    pub roots: Vec<RootInfo>,
    /// There are older ones.
    pub more: bool,
}

/// That an entry is in a day's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventProof {
    /// The event.
    pub number: u64,
    /// When it was.
    pub at_ms: Millis,
    /// The hashes of all that happened by it; that of `entry` is among them.
    pub parts: Vec<Hash>,
    /// The `Entry` of `weft-ledger`, as it is hashed.
    pub entry: Blob,
    /// From the leaf to the root.
    pub path: Vec<TreeNode>,
}

/// `GET wallet/proofs/TRANSFER`: for whoever may see the transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferProof {
    /// The day's root.
    pub root: Signed<DayRoot>,
    /// That it is in there.
    pub proof: EventProof,
}

/// A leaf of the tree over accounts. Each balance is cut in two at a place that nobody knows, so that whoever is shown the leaf
/// beside theirs does not read a balance there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancePiece {
    /// Its place among the leaves.
    pub index: u64,
    /// How much of the balance.
    pub amount: Sum,
    /// From the leaf to the root.
    pub path: Vec<TreeNode>,
}

/// `GET wallet/proofs/accounts/ACCOUNT?day=DAY&after=NUMBER`: an account of the caller's at the end of a day, and what moved on it that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProof {
    /// Which.
    pub account: AccountId,
    /// What it holds.
    pub asset: AssetId,
    /// The day's root.
    pub root: Signed<DayRoot>,
    /// What hides this account among the leaves of this day.
    #[serde(with = "bytes::array")]
    pub salt: [u8; 32],
    /// Its balance, the first piece first. None: there was nothing in it.
    pub pieces: Vec<BalancePiece>,
    /// What moved, in the order of the numbers: at most [`crate::limits::PROOFS_PAGE_MAX`], after the one that was named.
    pub entries: Vec<EventProof>,
    /// There are more.
    pub more: bool,
}
