//! What stands in the leaves.

use super::tree::leaf;
use weft_wire::{
    AccountId, Millis,
    wallet::{Hash, TreeNode},
};

/// The hash of something that happened by an event: an entry, or an account that was opened or changed, as it is encoded.
#[must_use]
pub fn part_of(encoded: &[u8]) -> Hash {
    Hash(blake3::derive_key("weft/ledger-part/1", encoded))
}

/// The leaf of an event. Whoever is shown one of its parts sees of the others that they are there.
#[must_use]
pub fn event_leaf(number: u64, at_ms: Millis, parts: &[Hash]) -> TreeNode {
    let mut data = [number.to_be_bytes(), at_ms.to_be_bytes()].concat();
    parts.iter().for_each(|part| data.extend_from_slice(&part.0));
    leaf(&data, 1)
}

/// A part of a balance, and its leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// How much, in minor units.
    pub amount: u128,
    /// Where it stands in the tree.
    pub leaf: TreeNode,
}

impl Piece {
    /// The piece of this place of an account.
    #[must_use]
    pub fn of(salt: &[u8; 32], account: AccountId, place: u8, amount: u128) -> Piece {
        let data = [salt.as_slice(), &account.0, &[place]].concat();
        Piece { amount, leaf: leaf(&data, amount) }
    }
}

/// The two leaves of a balance of at least one minor unit. Leaves stand in the order of their hashes: another one every day.
#[must_use]
pub fn pieces(salt: &[u8; 32], account: AccountId, balance: u128) -> [Piece; 2] {
    let cut = blake3::derive_key("weft/day-cut/1", salt);
    let cut = cut.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    let first = cut % balance.saturating_add(1);
    [Piece::of(salt, account, 0, first), Piece::of(salt, account, 1, balance - first)]
}
