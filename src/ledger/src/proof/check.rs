//! What a member's device makes sure of by itself.

use super::{event_leaf, leaves::Piece, part_of, tree::climb};
use crate::Entry;
use weft_wire::{
    AccountId, NodeName, Signed, codec,
    wallet::{AccountProof, AssetSum, DayRoot, EventProof, Hash},
};

/// More than any entry is when it is encoded.
const ENTRY_BYTES_MAX: usize = 2 << 10;

/// What is wrong with what a node has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not signed by the node, or is another node's.
    #[error("the root is not one that the node has signed")]
    Signature,
    /// What was given out of an asset is not what is held, or an asset is named twice.
    #[error("what was given out is not what is held")]
    Uneven,
    /// A root does not go on from the one of the day before.
    #[error("the root does not go on from the day before")]
    Chain,
    /// An entry is not in the root.
    #[error("an entry is not in the root")]
    Entry,
    /// A balance is not counted among what is held.
    #[error("the balance is not counted")]
    Balance,
}

/// A root as the node has signed it, which is right in itself.
///
/// # Errors
/// [`Flaw::Signature`], [`Flaw::Uneven`].
pub fn check_root(root: &Signed<DayRoot>, node: &NodeName, key: &[u8; 32]) -> Result<DayRoot, Flaw> {
    let root = root.verify(key).map_err(|_| Flaw::Signature)?;
    if root.node != *node {
        return Err(Flaw::Signature);
    }
    let ascend = root.assets.windows(2).all(|pair| matches!(pair, [a, b] if a.asset < b.asset));
    let is_even = ascend && root.assets.iter().all(AssetSum::is_even);
    if is_even && root.events.sum() <= u128::from(root.last) { Ok(root) } else { Err(Flaw::Uneven) }
}

/// The number before that of a root's first event.
fn start(root: &DayRoot) -> u128 {
    u128::from(root.last).saturating_sub(root.events.sum())
}

/// Whether a root goes on from that of the day before.
///
/// # Errors
/// [`Flaw::Chain`].
pub fn check_chain(root: &DayRoot, before: &Signed<DayRoot>) -> Result<(), Flaw> {
    let earlier = before.peek().map_err(|_| Flaw::Chain)?;
    let follows = root.before == Some(Hash::of_root(before))
        && earlier.day.checked_add(1) == Some(root.day)
        && start(root) == u128::from(earlier.last);
    if follows { Ok(()) } else { Err(Flaw::Chain) }
}

/// The entry that a proof shows to be in a root.
///
/// # Errors
/// [`Flaw::Entry`].
pub fn entry(root: &DayRoot, proof: &EventProof) -> Result<Entry, Flaw> {
    let size = u64::try_from(root.events.sum()).map_err(|_| Flaw::Entry)?;
    let index = u128::from(proof.number).checked_sub(start(root) + 1);
    let index = index.and_then(|index| u64::try_from(index).ok()).ok_or(Flaw::Entry)?;
    let leaf = event_leaf(proof.number, proof.at_ms, &proof.parts);
    let is_in = proof.parts.contains(&part_of(proof.entry.as_slice()))
        && climb(leaf, index, size, &proof.path) == Some(root.events);
    let entry = codec::decode::<Entry>(proof.entry.as_slice(), ENTRY_BYTES_MAX).ok();
    let is_of = |entry: &Entry| (entry.number, entry.at_ms) == (proof.number, proof.at_ms);
    entry.filter(|entry| is_in && is_of(entry)).ok_or(Flaw::Entry)
}

/// The balance of an account that a proof shows to be counted in a root, in minor units.
///
/// # Errors
/// [`Flaw::Balance`].
pub fn balance(root: &DayRoot, proof: &AccountProof) -> Result<u128, Flaw> {
    let Some(sum) = root.assets.iter().find(|sum| sum.asset == proof.asset) else {
        return if proof.pieces.is_empty() { Ok(0) } else { Err(Flaw::Balance) };
    };
    let mut balance: u128 = 0;
    for (piece, place) in proof.pieces.iter().zip(0..=u8::MAX) {
        let Piece { amount, leaf } = Piece::of(&proof.salt, proof.account, place, piece.amount.0);
        if climb(leaf, piece.index, sum.leaves, &piece.path) != Some(sum.held) {
            return Err(Flaw::Balance);
        }
        balance = balance.checked_add(amount).ok_or(Flaw::Balance)?;
    }
    if proof.pieces.len() > usize::from(u8::MAX) { Err(Flaw::Balance) } else { Ok(balance) }
}

/// What an entry has changed on an account, in minor units; credits are positive.
#[must_use]
pub fn moved(entry: &Entry, account: AccountId) -> i128 {
    match entry.moved.filter(|_| entry.is_posted()) {
        Some(hold) if hold.credit == account => i128::from(hold.amount),
        Some(hold) if hold.debit == account => -i128::from(hold.amount),
        _ => 0,
    }
}
