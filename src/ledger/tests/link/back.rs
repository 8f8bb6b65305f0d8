//! What came over a link goes back over it; and what two nodes owe each other of assets that are called alike.

use super::memory::Disk;
use super::{A, B, Pair, account};
use weft_ledger::{
    Refusal,
    link::{Aim, LinkError, Prepare, Reason, Sent, State, Sum, Way, accept, change_terms, settle},
};
use weft_wire::{TransferId, wallet::Intent};

const HELD: Sent = Sent::Asked(State::Waiting);

fn id(n: u8) -> TransferId {
    TransferId([n; 16])
}

/// Alice has paid bob 300 of a's.
fn paid() -> Pair {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    pair
}

/// Bob gives back so much of the payment `of`.
fn back(pair: &Pair, n: u8, of: u8, amount: u64) -> Prepare {
    let mut prepare = Prepare { refunds: Some(id(of)), ..pair.prepare(B, A, n, amount) };
    if let Aim::Payment { intent, .. } = &mut prepare.aim {
        *intent = Intent::Payment;
    }
    prepare
}

#[test]
fn what_came_goes_back_in_parts_and_never_more_than_came() {
    let mut pair = paid();
    assert_eq!(pair.send(B, back(&pair, 20, 10, 100)).unwrap(), HELD);
    // What is on its way back counts already.
    let above = Sent::Refused { reason: Reason::Refund, refusal: Refusal::AboveOriginal };
    assert_eq!(pair.send(B, back(&pair, 21, 10, 201)).unwrap(), above);
    assert_eq!(pair.send(B, back(&pair, 22, 10, 200)).unwrap(), HELD);
    pair.settle_down();
    assert_eq!(pair.money(A), (1_000, 0, 0, 0));
    assert_eq!(pair.state(A, Way::In, 22), State::Fulfilled);
    assert_eq!(pair.send(B, back(&pair, 22, 10, 200)).unwrap(), Sent::Asked(State::Fulfilled), "once");
    assert!(pair.disks.iter().all(Disk::replays));
}

#[test]
fn nothing_is_given_back_of_what_was_not_paid_so() {
    let mut pair = paid();
    let refused = Err(LinkError::Payment(Reason::Refund));
    assert_eq!(pair.send(B, back(&pair, 20, 11, 1)), refused, "there was no such payment");
    // Alice cannot give back what she has paid herself, nor somebody else what bob got.
    let hers = Prepare { refunds: Some(id(10)), ..pair.prepare(A, A, 21, 1) };
    assert_eq!(pair.send(A, hers), refused);
    let mut of_bill = back(&pair, 22, 10, 1);
    if let Aim::Payment { payer, .. } = &mut of_bill.aim {
        payer.name = "bill".parse().unwrap();
    }
    assert_eq!(pair.send(B, of_bill), refused);
    // The other node looks for itself: bob's would give back what alice has not paid.
    pair.send(B, back(&pair, 23, 10, 300)).unwrap();
    let lost = |disk: &mut Disk| disk.rows.payments.retain(|(_, way, _), _| *way != Way::Out);
    lost(&mut pair.disks[A]);
    pair.carry(B);
    assert_eq!(pair.state(A, Way::In, 23), State::Rejected(Reason::Refund));
    pair.settle_down();
    assert_eq!(pair.money(A), (700, 300, 300, 300));
    let bobs = account(&"bob".parse().unwrap(), pair.asset(A));
    assert_eq!(pair.disks[B].rows.accounts[&bobs].balances.debits_pending, 0);
}

#[test]
fn what_is_called_alike_is_set_off_at_par_where_the_terms_have_no_rate() {
    let mut pair = paid();
    pair.send(B, pair.prepare(B, B, 11, 120)).unwrap();
    pair.carry(B);
    pair.run(A, |sheet, peer, now| accept(sheet, peer, id(11), now)).unwrap();
    pair.settle_down();
    let mut terms = pair.disks[A].link(&pair.names[B]).terms.clone();
    (terms.rates, terms.version) = (Vec::new(), 2);
    for at in [A, B] {
        let own = pair.names[at].clone();
        pair.run(at, |sheet, _, now| change_terms(sheet, &own, terms.clone(), now)).unwrap();
    }
    let set_off = |pair: &Pair, n, given, got| Prepare {
        aim: Aim::Settlement,
        get: Some(Sum { asset: pair.asset(B), amount: got }),
        ..pair.prepare(A, A, n, given)
    };
    let unequal = set_off(&pair, 12, 120, 119);
    let refused = pair.run(A, |sheet, peer, now| settle(sheet, peer, unequal, now));
    assert_eq!(refused, Err(LinkError::Payment(Reason::Rate)));
    // Both operators propose the same at one moment: together it is more than b owes.
    let (one, other) = (set_off(&pair, 13, 120, 120), set_off(&pair, 14, 120, 120));
    assert_eq!(pair.run(A, |sheet, peer, now| settle(sheet, peer, one, now)), Ok(HELD));
    assert_eq!(pair.run(B, |sheet, peer, now| settle(sheet, peer, other, now)), Ok(HELD));
    pair.settle_down();
    assert_eq!(pair.state(B, Way::In, 13), State::Rejected(Reason::NotCovered));
    assert_eq!(pair.state(A, Way::In, 14), State::Rejected(Reason::NotCovered));
    let again = set_off(&pair, 15, 120, 120);
    pair.run(A, |sheet, peer, now| settle(sheet, peer, again, now)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(15), now)).unwrap();
    pair.settle_down();
    assert_eq!((pair.money(A), pair.money(B)), ((700, 300, 180, 180), (120, 880, 0, 0)));
    assert!(pair.disks.iter().all(Disk::replays));
}

#[test]
fn what_is_set_off_at_a_rate_loses_nobody_more_than_rounding() {
    let pair = Pair::new();
    let (a, b) = (pair.asset(A), pair.asset(B));
    let mut terms = pair.disks[A].link(&pair.names[B]).terms.clone();
    // Three of a's for one of b's: with five, two would be lost.
    let set_off = |given| terms.set_off(a, given, b, pair.now);
    assert_eq!([3, 4, 5, 6].map(set_off), [Some(1), None, None, Some(2)]);
    // For one of b's 2.9 of a's: each is worth more than rounding takes away.
    assert_eq!([1, 2, 3].map(|given| terms.set_off(b, given, a, pair.now)), [Some(2), Some(5), Some(8)]);
    // With a rate one way, the other way is not at par.
    terms.rates.retain(|rate| rate.give == a);
    assert_eq!(terms.set_off(b, 100, a, pair.now), None);
    terms.rates.clear();
    assert_eq!(terms.set_off(b, 100, a, pair.now), Some(100));
}

#[test]
fn who_waits_with_a_yes_gets_no_rate_of_yesterday() {
    let mut pair = Pair::new();
    for n in [10, 11] {
        let get = Some(Sum { asset: pair.asset(B), amount: 50 });
        let prepare = Prepare { get, ..pair.prepare(A, A, n, 150) };
        assert_eq!(pair.send(A, prepare).unwrap(), HELD);
    }
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    let mut terms = pair.disks[B].link(&pair.names[A]).terms.clone();
    terms.version = 2;
    terms.rates.iter_mut().for_each(|rate| rate.denominator *= 2);
    for at in [A, B] {
        let own = pair.names[at].clone();
        pair.run(at, |sheet, _, now| change_terms(sheet, &own, terms.clone(), now)).unwrap();
    }
    let late = pair.run(B, |sheet, peer, now| accept(sheet, peer, id(11), now)).unwrap();
    assert_eq!(late.state, State::Rejected(Reason::Rate));
    pair.settle_down();
    assert_eq!(pair.state(A, Way::Out, 10), State::Fulfilled);
    // The payer has it back at once.
    assert_eq!(pair.state(A, Way::Out, 11), State::Rejected(Reason::Rate));
    assert!(pair.disks.iter().all(Disk::replays));
}
