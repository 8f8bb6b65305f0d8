//! A node is restored from an old backup: nothing is paid twice, the link stands still, and the operators
//! start it again.

use super::{
    A, B, Pair, is_frozen,
    memory::Disk,
    sim::{Sim, seeds, with_seed},
};
use rand::Rng;
use std::collections::BTreeMap;
use weft_ledger::{
    Refusal,
    link::{
        Difference, Freeze, Line, LinkError, Payment, Reason, Received, Sent, State, Statement, Sum, Thaw,
        Way, accept, compare, decline, freeze, propose_thaw, statement, thaw,
    },
};
use weft_wire::{AssetId, NodeName, TransferId};

const SEEDS: u64 = 200;

pub(super) fn draw_up(disk: &mut Disk, peer: &NodeName, now: u64) -> Statement {
    let of: Vec<Payment> = disk.rows.payments.values().filter(|p| p.peer == *peer).cloned().collect();
    disk.run(now, |sheet| statement(sheet, peer, of, now)).unwrap()
}

/// Both operators compare, and sign what follows.
pub(super) fn start_again(disks: &mut [Disk], names: &[NodeName], (one, other): (usize, usize), now: u64) {
    let ours = draw_up(&mut disks[one], &names[other], now);
    let theirs = draw_up(&mut disks[other], &names[one], now);
    let agreed = propose_thaw(&ours, &theirs).unwrap();
    assert_eq!(propose_thaw(&theirs, &ours).as_ref(), Ok(&agreed), "both come to the same");
    for (at, peer) in [(one, other), (other, one)] {
        for _ in 0..2 {
            disks[at].run(now, |sheet| thaw(sheet, &names[peer], &agreed, now)).unwrap();
        }
    }
    let ours = draw_up(&mut disks[one], &names[other], now);
    let theirs = draw_up(&mut disks[other], &names[one], now);
    let left = compare(&ours, &theirs);
    let is_lost = |difference: &Difference| matches!(difference, Difference::Missing { .. });
    assert!(left.iter().all(is_lost), "only what never was, on one side: {left:?}");
}

#[test]
fn a_node_from_an_old_backup_pays_nothing_twice() {
    let mut frozen: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut harmless, mut runs) = (0, 0);
    for seed in [seeds(0, SEEDS / 2), seeds(1, SEEDS / 2)].concat() {
        with_seed(seed, || {
            let mut sim = Sim::new(seed);
            sim.changing = false;
            let (victim, from) = (sim.rng.gen_range(0..3), sim.rng.gen_range(0..120));
            let until = from + sim.rng.gen_range(1..60);
            let mut backup = None;
            for step in 0..200 {
                if step == from {
                    backup = Some(sim.disks[victim].clone());
                }
                if step == until {
                    sim.disks[victim] = backup.take().unwrap();
                }
                sim.step();
            }
            // Whatever was lost comes to light as soon as messages get through.
            let is_whole = sim.drain();
            let links = || sim.disks.iter().flat_map(|disk| disk.rows.links.values());
            assert_eq!(
                is_whole,
                links().all(|link| link.frozen.is_none()),
                "it stands still, or all is well"
            );
            for link in links() {
                let name = match link.frozen.as_ref().map(|frozen| frozen.why) {
                    None => continue,
                    Some(Freeze::ByPeer) => "by peer",
                    Some(Freeze::BehindPeer { .. }) => "behind",
                    Some(Freeze::Equivocation { .. }) => "equivocation",
                    Some(Freeze::BrokenChain { .. } | Freeze::Diverged { .. }) => "diverged",
                    Some(other) => panic!("{other:?}"),
                };
                *frozen.entry(name).or_default() += 1;
                assert!([&link.own, &link.peer].contains(&&sim.names[victim]), "another link stands still");
            }
            for (one, other) in [(0, 1), (0, 2), (1, 2)] {
                let stands = |at: usize, with: usize| sim.disks[at].link(&sim.names[with]).frozen.is_some();
                assert_eq!(stands(one, other), stands(other, one), "both sides know");
                if stands(one, other) {
                    start_again(&mut sim.disks, &sim.names, (one, other), sim.now);
                }
            }
            assert!(sim.drain(), "all is well again");
            harmless += u32::from(is_whole);
            runs += 1;
            sim.check_payments();
            sim.check_money();
            assert!(sim.disks.iter().all(Disk::replays));
            // And it goes on.
            sim.calm = false;
            (0..60).for_each(|_| sim.step());
            assert!(sim.drain());
            sim.check_payments();
            sim.check_money();
        });
    }
    if runs > 100 {
        assert!(harmless > 5, "{harmless} {frozen:?}");
        for kind in ["by peer", "behind", "equivocation"] {
            assert!(frozen.get(kind).is_some_and(|times| *times > 5), "{kind}: {frozen:?}");
        }
    }
}

#[test]
fn alices_node_forgets_a_payment_and_finds_out() {
    let mut pair = Pair::new();
    let backup = pair.disks[A].clone();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, TransferId([10; 16]), now)).unwrap();
    pair.settle_down();
    pair.disks[A] = backup;
    assert_eq!(pair.money(A), (1_000, 300, 0, 300), "alice has it again, and bob has it too");
    // The first word of bob's node is enough: nothing more is sent or taken.
    let behind = Freeze::BehindPeer { ours: 0, theirs: 1 };
    assert_eq!(pair.ack(B), Ok(Received::Frozen(behind)));
    assert!(is_frozen(&pair.send(A, pair.prepare(A, A, 11, 1))));
    assert_eq!(pair.ack(A), Ok(Received::Frozen(Freeze::ByPeer)));
    // The operators compare, agree, and go on. What was lost is a.example's.
    let (names, now) = (pair.names.clone(), pair.now);
    let (ours, theirs) =
        (draw_up(&mut pair.disks[A], &names[B], now), draw_up(&mut pair.disks[B], &names[A], now));
    let found = compare(&ours, &theirs);
    let (payment, asset) = (TransferId([10; 16]), pair.asset(A));
    assert!(found.contains(&Difference::Missing { node: names[A].clone(), payment }), "{found:?}");
    assert!(found.contains(&Difference::Balance { asset, one: 0, other: 300 }), "{found:?}");
    start_again(&mut pair.disks, &names, (A, B), now);
    assert_eq!(pair.money(A), (1_000, 300, 300, 300));
    let position = pair.disks[A].link(&names[B]).position(asset);
    assert_eq!(pair.disks[A].net(position), -300);
    // Alice's phone asks for the payment once more: it was done.
    assert_eq!(pair.send(A, pair.prepare(A, A, 10, 300)), Ok(Sent::Asked(State::Fulfilled)));
    pair.send(A, pair.prepare(A, A, 12, 100)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, TransferId([12; 16]), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (900, 400, 400, 400));
}

#[test]
fn bobs_node_forgets_its_decision_and_makes_another() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    let backup = pair.disks[B].clone();
    pair.run(B, |sheet, peer, now| accept(sheet, peer, TransferId([10; 16]), now)).unwrap();
    pair.settle_down();
    pair.disks[B] = backup;
    // Bob is asked again, and does not want it this time. His node says so under a number that it has used
    // before.
    pair.run(B, |sheet, peer, now| decline(sheet, peer, TransferId([10; 16]), now)).unwrap();
    assert_eq!(pair.carry(B), [Ok(Received::Frozen(Freeze::Equivocation { seq: 1 }))]);
    assert_eq!(pair.money(A), (700, 0, 300, 0), "alice has paid, and stays without a doubt");
    pair.ack(A).unwrap_err_or_frozen();
    let (names, now) = (pair.names.clone(), pair.now);
    start_again(&mut pair.disks, &names, (A, B), now);
    assert_eq!(pair.money(A), (700, 0, 300, 300));
    let position = pair.disks[B].link(&names[A]).position(pair.asset(A));
    assert_eq!(pair.disks[B].net(position), 300, "b.example has it, for bob");
    assert_eq!(pair.state(B, Way::In, 10), State::Fulfilled);
}

trait Stopped {
    fn unwrap_err_or_frozen(self);
}

impl Stopped for super::Outcome<Received> {
    /// It has frozen the link, or found it so.
    fn unwrap_err_or_frozen(self) {
        assert!(matches!(self, Ok(Received::Frozen(_)) | Err(LinkError::Frozen(_))), "{self:?}");
    }
}

#[test]
fn a_thaw_fits_the_link_or_is_refused() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    let (names, now) = (pair.names.clone(), pair.now);
    let (ours, theirs) =
        (draw_up(&mut pair.disks[A], &names[B], now), draw_up(&mut pair.disks[B], &names[A], now));
    let running = Difference::Running { node: names[A].clone() };
    assert_eq!(propose_thaw(&ours, &theirs), Err(running), "first it has to stand still");
    let stands = |statement| Statement { frozen: Some(Freeze::Operator), ..statement };
    let good = propose_thaw(&stands(ours), &stands(theirs)).unwrap();
    let thaw_at =
        |pair: &mut Pair, record: &Thaw| pair.run(A, |sheet, peer, now| thaw(sheet, peer, record, now));
    assert_eq!(thaw_at(&mut pair, &good), Err(LinkError::NotFrozen));
    pair.run(A, |sheet, peer, now| freeze(sheet, peer, now)).unwrap();
    for bad in [
        Thaw { era: 0, ..good.clone() },
        Thaw { b: "c.example".parse().unwrap(), ..good.clone() },
        Thaw { verdicts: Vec::new(), ..good.clone() },
        Thaw { owed: Vec::new(), ..good.clone() },
        Thaw { owed: vec![good.owed[0], good.owed[0]], ..good.clone() },
    ] {
        assert!(matches!(thaw_at(&mut pair, &bad), Err(LinkError::Thaw(_))), "{bad:?}");
    }
    let mut payer = good.clone();
    payer.verdicts[0].payer = "c.example".parse().unwrap();
    assert!(matches!(thaw_at(&mut pair, &payer), Err(LinkError::Thaw(_))));
    let terms = Thaw { terms: super::NOTHING, ..good.clone() };
    assert_eq!(thaw_at(&mut pair, &terms), Err(LinkError::OtherTerms));
    let mut much = good.clone();
    much.owed[0].1 = 501;
    assert_eq!(thaw_at(&mut pair, &much), Err(LinkError::ThawRefused(Refusal::Cap)));
    assert_eq!(thaw_at(&mut pair, &good), Ok(()));
    assert_eq!(thaw_at(&mut pair, &good), Ok(()), "again is nothing");
    assert_eq!(pair.state(A, Way::Out, 10), State::Rejected(Reason::Reconciled));
    // b.example has not heard of it: what it says is of the old era.
    let late = pair.ack(B);
    assert_eq!(late, Err(LinkError::OtherEra { ours: 1, theirs: 0 }));
    // What the other one says of the new era stops it, until it thaws as well.
    let told = pair.ack(A);
    assert_eq!(told, Ok(Received::Frozen(Freeze::BehindPeer { ours: 0, theirs: 1 })));
    pair.run(B, |sheet, peer, now| thaw(sheet, peer, &good, now)).unwrap();
    pair.send(A, pair.prepare(A, A, 11, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, TransferId([11; 16]), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (700, 300, 300, 300));
}

#[test]
fn books_from_which_nothing_follows_are_for_the_operators() {
    let mut pair = Pair::new();
    let (names, now) = (pair.names.clone(), pair.now);
    let (mut ours, mut theirs) =
        (draw_up(&mut pair.disks[A], &names[B], now), draw_up(&mut pair.disks[B], &names[A], now));
    ours.frozen = Some(Freeze::Operator);
    theirs.frozen = Some(Freeze::ByPeer);
    theirs.owed[0].net = 5;
    let asset = pair.asset(A);
    assert_eq!(propose_thaw(&ours, &theirs), Err(Difference::Balance { asset, one: 0, other: 5 }));
    assert_eq!(propose_thaw(&ours, &ours), Err(Difference::Link));
    // Who owes is no matter of one statement: by it a payment is more or less of what is owed.
    theirs.owed[0].net = 0;
    propose_thaw(&ours, &theirs).unwrap();
    theirs.owed[0].issuer = names[B].clone();
    assert_eq!(propose_thaw(&ours, &theirs), Err(Difference::Terms));
    assert_eq!(propose_thaw(&theirs, &ours), Err(Difference::Terms));
}

/// What b.example has in its books, and what a.example says of its own.
fn lie(pair: &mut Pair, change: impl FnOnce(&mut Statement)) -> (Statement, Statement) {
    let (names, now) = (pair.names.clone(), pair.now);
    let stands = |statement| Statement { frozen: Some(Freeze::Operator), ..statement };
    let ours = stands(draw_up(&mut pair.disks[B], &names[A], now));
    let mut theirs = stands(draw_up(&mut pair.disks[A], &names[B], now));
    change(&mut theirs);
    (ours, theirs)
}

#[test]
fn a_payment_grows_in_no_thaw() {
    let mut pair = Pair::new();
    pair.send(B, pair.prepare(B, B, 10, 10)).unwrap();
    pair.carry(B);
    let payment = TransferId([10; 16]);
    let amount = Err(Difference::Amount { payment });
    // Bob's 10 wait for alice. Her node says that she has them, and that they were 400.
    let (ours, theirs) = lie(&mut pair, |theirs| {
        let line = &mut theirs.lines[0];
        (line.state, line.give.as_mut().unwrap().amount) = (State::Fulfilled, 400);
        theirs.owed[1].net = 400;
    });
    assert_eq!(propose_thaw(&ours, &theirs), amount);
    assert_eq!(propose_thaw(&theirs, &ours), amount, "whichever of the two looks");
    // Nor is it of another asset, or a settlement.
    let other = pair.asset(A);
    for change in [
        (|line, other| line.give.as_mut().unwrap().asset = other) as fn(&mut Line, AssetId),
        |line, _| line.settles = true,
        |line, other| line.against = Some(Sum { asset: other, amount: 10 }),
    ] {
        let (ours, theirs) = lie(&mut pair, |theirs| change(&mut theirs.lines[0], other));
        assert_eq!(propose_thaw(&ours, &theirs), amount);
    }
    // Of a payment that only one of them has the amount of there is nothing to compare.
    let (ours, theirs) = lie(&mut pair, |theirs| theirs.lines[0].give = None);
    assert!(propose_thaw(&ours, &theirs).is_ok());
}
