//! A thaw says that a payment has ended otherwise than a node has it, or that one was that it does not know: its books say so, and
//! whose money it is gets it.

use super::{
    A, B, Pair, account,
    backup::{draw_up, start_again},
};
use weft_ledger::link::{
    Aim, LinkError, Payment, Prepare, Reason, State, Way, accept, compare, expire, freeze, is_as_asked,
    pay_found,
};
use weft_wire::{AccountId, TransferId};

const P: TransferId = TransferId([10; 16]);

impl Pair {
    fn record(&self, at: usize, way: Way) -> Payment {
        self.disks[at].rows.payments[&(self.names[1 - at].clone(), way, P)].clone()
    }

    fn bob(&self) -> AccountId {
        account(&"bob".parse().unwrap(), self.asset(A))
    }

    fn is_as_asked(&self, at: usize, way: Way, person: Option<AccountId>) -> bool {
        is_as_asked(self.disks[at].link(&self.names[1 - at]), &self.record(at, way), person)
    }

    fn thawed(&mut self) {
        for at in [A, B] {
            let _ = self.run(at, |sheet, peer, now| freeze(sheet, peer, now));
        }
        let (names, now) = (self.names.clone(), self.now);
        start_again(&mut self.disks, &names, (A, B), now);
        assert!(self.disks.iter().all(super::memory::Disk::replays));
    }

    fn pay_bob(&mut self, to: AccountId) -> super::Outcome<weft_ledger::link::Sum> {
        let asset = self.asset(A);
        self.run(B, |sheet, peer, now| {
            sheet.open(&"bob".parse().unwrap(), asset).map_err(LinkError::Books)?;
            pay_found(sheet, peer, P, to, now)
        })
    }

    /// What bob's node has in its position of alice's money.
    fn position(&self) -> i128 {
        self.disks[B].net(self.disks[B].link(&self.names[A]).position(self.asset(A)))
    }
}

#[test]
fn what_expired_in_an_old_backup_and_was_taken_before_is_paid_to_its_payee() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    let backup = pair.disks[B].clone();
    pair.run(B, |sheet, peer, now| accept(sheet, peer, P, now)).unwrap();
    pair.settle_down();
    pair.disks[B] = backup;
    assert_eq!(pair.pay_bob(pair.bob()), Err(LinkError::AlreadyDecided(State::Waiting)));
    pair.now += 20_000;
    pair.run(B, |sheet, peer, now| expire(sheet, peer, P, now)).unwrap();
    let held = pair.record(B, Way::In).legs;
    pair.thawed();
    assert_eq!((pair.money(A), pair.position()), ((700, 0, 300, 300), 300));
    let record = pair.record(B, Way::In);
    assert_eq!((record.state, &record.legs, &record.undone), (State::Fulfilled, &vec![], &held));
    assert!(pair.is_as_asked(B, Way::In, Some(pair.bob())));
    // Bob gets it, and gets it once; nobody else does.
    for _ in 0..2 {
        assert_eq!(pair.pay_bob(pair.bob()).unwrap().amount, 300);
        assert_eq!((pair.money(A), pair.position()), ((700, 300, 300, 300), 0));
    }
    let other = account(&"alice".parse().unwrap(), pair.asset(A));
    assert_eq!(pair.pay_bob(other), Err(LinkError::AlreadyDecided(State::Fulfilled)));
    assert!(pair.is_as_asked(B, Way::In, Some(pair.bob())) && !pair.is_as_asked(B, Way::In, Some(other)));
    assert!(pair.disks[B].replays());
}

#[test]
fn what_was_given_back_before_and_taken_again_stays_with_its_payee() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    let backup = pair.disks[B].clone();
    pair.run(B, |sheet, peer, now| weft_ledger::link::decline(sheet, peer, P, now)).unwrap();
    pair.settle_down();
    pair.disks[B] = backup;
    pair.run(B, |sheet, peer, now| accept(sheet, peer, P, now)).unwrap();
    pair.thawed();
    assert_eq!((pair.money(A), pair.position()), ((1_000, 300, 0, 0), -300), "it is the node's loss");
    let record = pair.record(B, Way::In);
    assert_eq!((record.state, record.legs.len()), (State::Rejected(Reason::Reconciled), 0));
    assert_eq!(record.undone.len(), 1);
    assert!(pair.is_as_asked(B, Way::In, Some(pair.bob())));
    assert!(matches!(pair.pay_bob(pair.bob()), Err(LinkError::AlreadyDecided(_))));
}

#[test]
fn what_a_node_has_forgotten_is_paid_by_what_the_other_knows_of_it() {
    let mut pair = Pair::new();
    let backup = pair.disks[B].clone();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, P, now)).unwrap();
    pair.settle_down();
    pair.disks[B] = backup;
    pair.thawed();
    assert_eq!((pair.money(A), pair.position()), ((700, 0, 300, 300), 300));
    assert!(pair.record(B, Way::In).prepare.is_none() && pair.is_as_asked(B, Way::In, None));
    for _ in 0..2 {
        assert_eq!(pair.pay_bob(pair.bob()).unwrap().amount, 300);
    }
    assert_eq!((pair.money(A), pair.position()), ((700, 300, 300, 300), 0));
    assert!(pair.is_as_asked(B, Way::In, None));
    assert_eq!(
        pair.run(A, |sheet, peer, now| pay_found(sheet, peer, P, AccountId([1; 16]), now)),
        Err(LinkError::UnknownPayment),
        "alice has paid it, and gets nothing by it"
    );
}

#[test]
fn a_payment_that_one_node_lost_and_then_the_other_follows_from_what_is_left() {
    let mut pair = Pair::new();
    let backups = pair.disks.clone();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, P, now)).unwrap();
    pair.settle_down();
    pair.disks[A] = backups[A].clone();
    pair.thawed();
    assert_eq!(pair.money(A), (1_000, 300, 300, 300));
    pair.disks[B] = backups[B].clone();
    pair.thawed();
    assert_eq!((pair.money(A), pair.position()), ((1_000, 0, 300, 300), 300));
    let (names, now) = (pair.names.clone(), pair.now);
    let ours = draw_up(&mut pair.disks[A], &names[B], now);
    let theirs = draw_up(&mut pair.disks[B], &names[A], now);
    assert_eq!(compare(&ours, &theirs), []);
    assert_eq!(ours.lines[0].give.map(|sum| sum.amount), Some(300));
    assert_eq!(pair.pay_bob(pair.bob()).unwrap().amount, 300);
}

#[test]
fn a_settlement_that_a_thaw_found_is_nobodys_to_be_paid() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 11, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, TransferId([11; 16]), now)).unwrap();
    pair.settle_down();
    let backup = pair.disks[B].clone();
    let settled = Prepare { aim: Aim::Settlement, ..pair.prepare(A, A, 10, 100) };
    pair.run(A, |sheet, peer, now| weft_ledger::link::settle(sheet, peer, settled, now)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, P, now)).unwrap();
    pair.settle_down();
    pair.disks[B] = backup;
    pair.thawed();
    assert!(pair.record(B, Way::In).lost.is_some_and(|lost| lost.settles));
    assert_eq!(pair.pay_bob(pair.bob()), Err(LinkError::NothingFound));
}
