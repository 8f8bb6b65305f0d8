//! The samples of days and their roots.

use super::*;
use weft_ledger::AccountKind;
use weft_wire::{
    AssetId, Signed,
    wallet::{AssetSum, DayRoot, Hash, Sum, TreeNode, Witness, WitnessWord},
};

const EURO: AssetId = AssetId([9; 16]);

pub(super) fn roots(all: &mut Samples) {
    let sum = AssetSum {
        asset: EURO,
        issued: Sum(90),
        abroad: Sum(10),
        own: Sum(0),
        held: TreeNode::new([4; 32], 100),
        leaves: 6,
    };
    let events = TreeNode::new([5; 32], 7);
    let (node, before) = (alice().node, Some(Hash([3; 32])));
    let root = DayRoot { node, day: 20_000, last: 12, events, before, assets: vec![sum] };
    let signed = Signed::sign(&root, &key(2));
    let by: weft_wire::NodeName = "other.example".parse().unwrap();
    let witness =
        Witness { node: alice().node, day: 20_000, root: Hash::of_root(&signed), by, at_ms: TIME_MS };
    let word = Signed::sign(&witness, &key(3));
    let witnesses = vec![WitnessWord { key: key(3).verifying_key().to_bytes(), word }];
    all.add(tables::ROOTS, "witnessed", &wallet::RootRecord { root: signed.clone(), witnesses });
    let first = Signed::sign(&DayRoot { before: None, assets: Vec::new(), ..root }, &key(2));
    all.add(tables::ROOTS, "first", &wallet::RootRecord { root: first.clone(), witnesses: Vec::new() });
    let balance = wallet::BalanceRecord::new(EURO, AccountKind::Issuance, 20_000, (-5, -90));
    all.add(tables::ROOT_BALANCES, "balance", &balance);
    let seen = wallet::SeenRecord { root: signed, at_ms: TIME_MS, other: None };
    all.add(tables::ROOTS_SEEN, "seen", &seen);
    all.add(tables::ROOTS_SEEN, "two-stories", &wallet::SeenRecord { other: Some(first), ..seen });
}
