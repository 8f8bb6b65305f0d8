//! Trees and proofs: of any size, against a tree that is written as the RFC says it; and what a node that lies is told.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use weft_ledger::{
    Entry, Hold, Movement, Outcome, Purpose, Transfer,
    proof::{
        Flaw, ROW_NODES, Row, Rows, balance, check_chain, check_root, climb, entry, event_leaf, join, leaf,
        moved, part_of, path, pieces, root, row_path,
    },
};
use weft_wire::{
    AccountId, AssetId, Blob, NodeName, Signed, TransferId,
    wallet::{AccountProof, AssetSum, BalancePiece, DayRoot, EventProof, Hash, Sum, TreeNode},
};

const ALICE: AccountId = AccountId([1; 16]);
const BOB: AccountId = AccountId([2; 16]);
const EURO: AssetId = AssetId([9; 16]);

fn leaves(count: usize) -> Vec<TreeNode> {
    (0..count).map(|n| leaf(&n.to_be_bytes(), n as u128 + 1)).collect()
}

/// RFC 9162, 2.1.1: the largest power of two below the size splits.
fn by_the_book(nodes: &[TreeNode]) -> TreeNode {
    match nodes {
        [one] => *one,
        nodes => {
            let (left, right) = nodes.split_at(nodes.len().next_power_of_two() / 2);
            join(&by_the_book(left), &by_the_book(right)).unwrap()
        }
    }
}

fn node() -> NodeName {
    "home.example".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public() -> [u8; 32] {
    key().verifying_key().to_bytes()
}

fn entry_of(number: u64, amount: u64) -> Entry {
    let movement = Movement::Posted { debit: ALICE, credit: BOB, amount, refunds: None };
    let id = TransferId([number as u8; 16]);
    Entry {
        transfer: Transfer { id, movement, purpose: Purpose::Transfer, about: [0; 16] },
        chain: id,
        chain_len: 1,
        number,
        at_ms: 1_000 + number,
        outcome: Outcome::Done,
        moved: Some(Hold { debit: ALICE, credit: BOB, amount }),
    }
}

/// A day of five payments after event 10, at whose end alice has 70 and bob 30.
fn day() -> (DayRoot, Vec<EventProof>, AccountProof) {
    let entries: Vec<Entry> = (11..16).map(|number| entry_of(number, number)).collect();
    let part = |entry: &Entry| part_of(&weft_wire::encode(entry));
    let events: Vec<_> = entries.iter().map(|one| event_leaf(one.number, one.at_ms, &[part(one)])).collect();
    let proofs = entries.iter().zip(0..).map(|(one, index)| EventProof {
        number: one.number,
        at_ms: one.at_ms,
        parts: vec![part(one)],
        entry: Blob(weft_wire::encode(one)),
        path: path(&events, index).unwrap(),
    });
    let salt = [3; 32];
    let own = pieces(&salt, ALICE, 70);
    let held: Vec<_> = own.iter().chain(&pieces(&[4; 32], BOB, 30)).map(|piece| piece.leaf).collect();
    let of = |index: usize| BalancePiece {
        index: index as u64,
        amount: Sum(own[index].amount),
        path: path(&held, index).unwrap(),
    };
    let account = AccountProof {
        account: ALICE,
        asset: EURO,
        root: Signed::sign(&empty(1), &key()),
        salt,
        pieces: vec![of(0), of(1)],
        entries: Vec::new(),
        more: false,
    };
    let sum = AssetSum {
        asset: EURO,
        issued: Sum(90),
        abroad: Sum(10),
        own: Sum(0),
        held: root(&held).unwrap(),
        leaves: 4,
    };
    let before = Some(Hash::of_root(&Signed::sign(&empty(10), &key())));
    let root = DayRoot {
        node: node(),
        day: 101,
        last: 15,
        events: root(&events).unwrap(),
        before,
        assets: vec![sum],
    };
    (root, proofs.collect(), account)
}

/// The day before, up to this event.
fn empty(last: u64) -> DayRoot {
    DayRoot { node: node(), day: 100, last, events: root(&[]).unwrap(), before: None, assets: Vec::new() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_leaf_climbs_to_the_root_and_nowhere_else(count in 1_usize..700, at in any::<prop::sample::Index>()) {
        let all = leaves(count);
        let index = at.index(count);
        let whole = root(&all).unwrap();
        prop_assert_eq!(whole, by_the_book(&all));
        prop_assert_eq!(whole.sum(), (count * (count + 1) / 2) as u128);
        let way = path(&all, index).unwrap();
        prop_assert_eq!(climb(all[index], index as u64, count as u64, &way), Some(whole));
        for (place, size) in [(index + 1, count), (index + count, count)] {
            prop_assert_ne!(climb(all[index], place as u64, size as u64, &way), Some(whole));
        }
        let richer = TreeNode::new(all[index].hash().try_into().unwrap(), all[index].sum() + 1);
        prop_assert_ne!(climb(richer, index as u64, count as u64, &way), Some(whole));
        if let Some((_, shorter)) = way.split_last() {
            prop_assert_eq!(climb(all[index], index as u64, count as u64, shorter), None);
        }
        let longer = [way.as_slice(), &[all[0]]].concat();
        prop_assert_eq!(climb(all[index], index as u64, count as u64, &longer), None);
    }
}

/// The path that is read from rows.
fn from_rows(rows: &[Row], mut index: u64, mut size: u64) -> Vec<TreeNode> {
    let mut way = Vec::new();
    for level in 0.. {
        let row = index / ROW_NODES as u64;
        let row = rows.iter().find(|other| (other.level, other.index) == (level, row)).unwrap();
        way.extend(row_path(&row.nodes, index).unwrap());
        (index, size) = (index / ROW_NODES as u64, size.div_ceil(ROW_NODES as u64));
        if size <= 1 {
            return way;
        }
    }
    way
}

#[test]
fn a_tree_that_is_kept_in_rows_is_the_same_tree() {
    for count in [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000] {
        let all = leaves(count);
        let (mut tree, mut rows) = (Rows::default(), Vec::new());
        for leaf in &all {
            tree.push(*leaf).unwrap();
            rows.append(&mut tree.take_full());
        }
        assert_eq!(tree.leaves(), count as u64);
        let (whole, mut rest) = tree.finish().unwrap();
        rows.append(&mut rest);
        assert_eq!(whole, root(&all).unwrap(), "{count}");
        for index in [0, count / 2, count - 1] {
            assert_eq!(from_rows(&rows, index as u64, count as u64), path(&all, index).unwrap(), "{count}");
        }
    }
    assert_eq!(Rows::default().finish().unwrap(), (root(&[]).unwrap(), Vec::new()));
}

#[test]
fn a_sum_that_is_no_number_is_no_tree() {
    let all = [leaf(b"a", u128::MAX), leaf(b"b", 1)];
    assert_eq!(root(&all), None);
    assert_eq!(climb(all[0], 0, 2, &[all[1]]), None);
}

#[test]
fn alice_finds_her_payments_and_her_balance_in_the_root() {
    let (root, proofs, account) = day();
    let signed = Signed::sign(&root, &key());
    assert_eq!(check_root(&signed, &node(), &public()), Ok(root.clone()));
    assert_eq!(check_chain(&root, &Signed::sign(&empty(10), &key())), Ok(()));
    for (proof, number) in proofs.iter().zip(11..) {
        let found = entry(&root, proof).unwrap();
        assert_eq!(found, entry_of(number, number));
        assert_eq!((moved(&found, ALICE), moved(&found, BOB)), (-i128::from(number), i128::from(number)));
        assert_eq!(moved(&found, AccountId([8; 16])), 0);
    }
    assert_eq!(balance(&root, &account), Ok(70));
}

#[test]
fn a_root_that_lies_is_found_out() {
    let (root, _, _) = day();
    let sign = |root: &DayRoot| Signed::sign(root, &key());
    let other = SigningKey::from_bytes(&[8; 32]);
    assert_eq!(check_root(&Signed::sign(&root, &other), &node(), &public()), Err(Flaw::Signature));
    let there: NodeName = "other.example".parse().unwrap();
    assert_eq!(check_root(&sign(&root), &there, &public()), Err(Flaw::Signature));
    let mut more = root.clone();
    more.assets[0].issued = Sum(91);
    assert_eq!(check_root(&sign(&more), &node(), &public()), Err(Flaw::Uneven), "more issued than held");
    let mut twice = root.clone();
    twice.assets.push(root.assets[0]);
    assert_eq!(check_root(&sign(&twice), &node(), &public()), Err(Flaw::Uneven), "one asset, two sums");
    for (last, what) in [(9, "an event is twice"), (11, "an event is left out")] {
        assert_eq!(check_chain(&root, &sign(&empty(last))), Err(Flaw::Chain), "{what}");
    }
    let rewritten = sign(&DayRoot { assets: root.assets.clone(), ..empty(10) });
    assert_eq!(check_chain(&root, &rewritten), Err(Flaw::Chain), "the day before was another one");
}

#[test]
fn an_entry_or_a_balance_that_is_not_in_it_is_found_out() {
    let (root, proofs, account) = day();
    let mut changed = proofs[1].clone();
    changed.entry = Blob(weft_wire::encode(&entry_of(12, 13)));
    assert_eq!(entry(&root, &changed), Err(Flaw::Entry), "another amount");
    changed.parts = vec![part_of(changed.entry.as_slice())];
    assert_eq!(entry(&root, &changed), Err(Flaw::Entry), "with its hash");
    let elsewhere = EventProof { number: 13, ..proofs[1].clone() };
    assert_eq!(entry(&root, &elsewhere), Err(Flaw::Entry), "another place");
    let older = EventProof { number: 3, ..proofs[1].clone() };
    assert_eq!(entry(&root, &older), Err(Flaw::Entry), "of another day");
    let mut poorer = account.clone();
    poorer.pieces[0].amount = Sum(poorer.pieces[0].amount.0 + 1);
    assert_eq!(balance(&root, &poorer), Err(Flaw::Balance));
    let mut doubled = account.clone();
    doubled.pieces.push(account.pieces[0].clone());
    assert_eq!(balance(&root, &doubled), Err(Flaw::Balance), "one leaf counted twice");
    let theirs = AccountProof { account: BOB, ..account.clone() };
    assert_eq!(balance(&root, &theirs), Err(Flaw::Balance), "alice's leaf shown to bob");
    let half = AccountProof { pieces: account.pieces[..1].to_vec(), ..account };
    assert!(balance(&root, &half).unwrap() < 70, "which is not what she has");
}
