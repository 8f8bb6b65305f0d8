//! What two nodes do with each other when nobody lies.

use super::{A, B, LIFETIME_MS, Pair, account, memory::Disk, node};
use weft_ledger::{
    AccountKind, Purpose, Refusal,
    link::{
        Aim, Difference, LinkError, MEMO_BYTES_MAX, Notice, PAYER_TRANSFERS_MAX, PAYER_WAITING_MAX, Payment,
        Prepare, QUESTIONS_MAX, Reason, Received, Sent, State, Sum, TRANSFERS_MAX, WAITING_MAX, Way, accept,
        ask, compare, decline, expire, send, settle, statement, unconfirmed,
    },
};
use weft_wire::{AccountId, Blob, TransferId, UserAddress, wallet::Intent};

const HELD: Result<Sent, LinkError<super::memory::Missing>> = Ok(Sent::Asked(State::Waiting));

fn id(n: u8) -> TransferId {
    TransferId([n; 16])
}

#[test]
fn alice_pays_bob_and_bob_pays_back() {
    let mut pair = Pair::new();
    assert_eq!(pair.send(A, pair.prepare(A, A, 10, 300)), HELD);
    assert_eq!(pair.money(A), (1_000, 0, 0, 0), "held, not gone");
    assert_eq!(pair.carry(A), [Ok(Received::Taken(Some(Notice::Arrived(id(10)))))]);
    // Whoever resolves what is held between people here finds that this is not of that kind.
    let held =
        |disk: &Disk| disk.rows.entries.values().any(|entry| entry.transfer.purpose == Purpose::Remote);
    assert!(pair.disks.iter().all(held));
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    assert_eq!(pair.money(A), (1_000, 300, 0, 300), "bob has it, and a.example does not know yet");
    let told = Ok(Received::Taken(Some(Notice::Decided(id(10), State::Fulfilled))));
    assert_eq!(pair.carry(B), [told]);
    assert_eq!(pair.money(A), (700, 300, 300, 300));
    // What bob has of a's he can pay with; not more.
    let refused = Sent::Refused { reason: Reason::Blocked, refusal: Refusal::Floor };
    assert_eq!(pair.send(B, pair.prepare(B, A, 11, 301)), Ok(refused));
    let mut back = pair.prepare(B, A, 12, 120);
    if let Aim::Payment { intent, .. } = &mut back.aim {
        *intent = Intent::Payment;
    }
    assert_eq!(pair.send(B, back), HELD);
    let at_once = Notice::Answered(id(12), State::Fulfilled);
    assert_eq!(pair.carry(B).last(), Some(&Ok(Received::Taken(Some(at_once)))), "hers at once");
    pair.settle_down();
    assert_eq!(pair.money(A), (820, 180, 180, 180));
    assert!(pair.disks.iter().all(Disk::replays));
}

/// What is under way is pending between the payer and the link; what a rate rounds down is in no account. So there is no third account
/// in between whose balance could be wrong.
#[test]
fn nothing_is_in_transit_or_rounded_in_an_account_of_its_own() {
    let mut pair = Pair::new();
    let alices = account(&"alice".parse().unwrap(), pair.asset(A));
    let vostro = pair.disks[A].link(&pair.names[B]).account(pair.asset(A));
    let pending = |pair: &Pair| {
        let of = |id: &AccountId| pair.disks[A].rows.accounts[id].balances;
        (of(&alices).debits_pending, of(&vostro).credits_pending, of(&vostro).credits_posted)
    };
    // For 200 of a's there are 66 of b's and two thirds.
    let get = Some(Sum { asset: pair.asset(B), amount: 66 });
    let exchanged = Prepare { get, ..pair.prepare(A, A, 10, 200) };
    assert_eq!(pair.send(A, exchanged), HELD);
    assert_eq!(pending(&pair), (200, 200, 0), "as long as nothing is heard, on both sides at once");
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    assert_eq!(pending(&pair), (0, 0, 200));
    let position = pair.disks[B].link(&pair.names[A]).position(pair.asset(A));
    assert_eq!(pair.disks[B].net(position), 200, "all that was given, for 66: the fraction is the node's");
    let none = [AccountKind::InTransit, AccountKind::Rounding];
    let kinds = pair.disks.iter().flat_map(|disk| disk.rows.accounts.values().map(|account| account.kind));
    assert!(kinds.into_iter().all(|kind| !none.contains(&kind)));
    assert!(pair.disks.iter().all(Disk::replays));
}

#[test]
fn what_bob_declines_and_what_he_never_sees_goes_back() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.send(A, pair.prepare(A, A, 11, 200)).unwrap();
    pair.carry(A);
    let done = pair.run(B, |sheet, peer, now| decline(sheet, peer, id(10), now)).unwrap();
    assert!(!done.replayed);
    let again = pair.run(B, |sheet, peer, now| decline(sheet, peer, id(10), now)).unwrap();
    assert!(again.replayed, "declining twice is declining");
    let decided = LinkError::AlreadyDecided(State::Rejected(Reason::Declined));
    assert_eq!(pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)), Err(decided));
    let early = pair.run(B, |sheet, peer, now| expire(sheet, peer, id(11), now));
    assert_eq!(early, Err(LinkError::NotDue));
    pair.now += 10_000;
    let late = pair.run(B, |sheet, peer, now| accept(sheet, peer, id(11), now));
    assert_eq!(late, Err(LinkError::Expired), "also before it was swept");
    assert_eq!(pair.money(A).0, 1_000);
    assert!(!pair.run(B, |sheet, peer, now| expire(sheet, peer, id(11), now)).unwrap().replayed);
    assert!(pair.run(B, |sheet, peer, now| expire(sheet, peer, id(11), now)).unwrap().replayed);
    let unknown = pair.run(B, |sheet, peer, now| accept(sheet, peer, id(99), now));
    assert_eq!(unknown, Err(LinkError::UnknownPayment));
    pair.settle_down();
    assert_eq!(pair.money(A), (1_000, 0, 0, 0));
    assert_eq!(pair.state(A, Way::Out, 10), State::Rejected(Reason::Declined));
    assert_eq!(pair.state(A, Way::Out, 11), State::Rejected(Reason::Expired));
    // Her whole thousand is hers again.
    let other = account(&"alice".parse().unwrap(), pair.asset(A));
    assert_eq!(pair.disks[A].rows.accounts[&other].available(), 1_000);
}

#[test]
fn the_payer_waits_for_the_decision_however_late_it_comes() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    // The network is down for a day. Alice's node gives nothing back: the decision is not its to make.
    pair.now += 24 * 60 * 60 * 1000;
    let own = pair.run(A, |sheet, peer, now| expire(sheet, peer, id(10), now));
    assert_eq!(own, Err(LinkError::UnknownPayment), "there is nothing of the payer's to expire");
    let held = account(&"alice".parse().unwrap(), pair.asset(A));
    assert_eq!(pair.disks[A].rows.accounts[&held].available(), 700);
    pair.settle_down();
    assert_eq!(pair.money(A), (700, 300, 300, 300), "fulfilled late, and the same on both sides");
    assert_eq!(pair.disks[A].rows.journal() + pair.disks[B].rows.journal(), 0);
}

#[test]
fn who_hears_nothing_asks() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.ack(B).unwrap();
    for _ in 0..3 {
        pair.run(A, |sheet, peer, now| ask(sheet, peer, id(10), now)).unwrap();
    }
    assert_eq!(pair.bodies(A).len(), 1, "asked once until there is an answer");
    pair.carry(A);
    let answer = Ok(Received::Taken(Some(Notice::StillWaiting(id(10)))));
    assert_eq!(pair.carry(B), [answer]);
    pair.run(A, |sheet, peer, now| ask(sheet, peer, id(10), now)).unwrap();
    pair.now += 10_000;
    let late = Notice::Answered(id(10), State::Rejected(Reason::Expired));
    assert_eq!(pair.carry(A).last(), Some(&Ok(Received::Taken(Some(late)))), "asking shows that it is over");
    pair.settle_down();
    let decided = LinkError::AlreadyDecided(State::Rejected(Reason::Expired));
    assert_eq!(pair.run(A, |sheet, peer, now| ask(sheet, peer, id(10), now)), Err(decided));
    assert_eq!(pair.run(A, |sheet, peer, now| ask(sheet, peer, id(9), now)), Err(LinkError::UnknownPayment));
}

#[test]
fn a_payment_that_never_came_gets_a_tombstone() {
    let mut pair = Pair::new();
    // Alice's node asks after a payment of which bob's has never heard, as it may be after a restored link.
    let status = pair.forge(A, weft_ledger::link::Body::Status { payment: id(10) });
    let told = Notice::Answered(id(10), State::Rejected(Reason::Unknown));
    assert_eq!(pair.hear_forged(B, &status), Ok(Received::Taken(Some(told))));
    let answer = pair.run(B, |sheet, peer, _| unconfirmed(sheet, peer, 10)).unwrap();
    assert_eq!(answer.len(), 1);
    // Now it comes after all, and is refused for good.
    let mut late = pair.forge(A, weft_ledger::link::Body::Prepare(pair.prepare(A, A, 10, 300)));
    (late.seq, late.before) = (2, weft_ledger::link::Message::hash(&weft_wire::encode(&status)));
    assert_eq!(pair.hear_forged(B, &late), Ok(Received::Taken(None)));
    assert_eq!(pair.state(B, Way::In, 10), State::Rejected(Reason::Unknown));
    assert_eq!(pair.money(A), (1_000, 0, 0, 0));
    let missing = pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now));
    assert!(matches!(missing, Err(LinkError::AlreadyDecided(_))));
}

#[test]
fn the_same_payment_again_is_the_same_payment() {
    let mut pair = Pair::new();
    let prepare = pair.prepare(A, A, 10, 300);
    assert_eq!(pair.send(A, prepare.clone()), HELD);
    assert_eq!(pair.send(A, prepare.clone()), HELD);
    assert_eq!(pair.bodies(A).len(), 1);
    let other = Prepare { give: Sum { amount: 301, ..prepare.give }, ..prepare.clone() };
    assert_eq!(pair.send(A, other), Err(LinkError::IdConflict));
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.send(A, prepare), Ok(Sent::Asked(State::Fulfilled)), "and how it stands by now");
    // An id that means something in the ledger already.
    let taken = pair.prepare(A, A, 1, 5);
    assert!(matches!(pair.send(A, taken), Err(LinkError::Ledger(_))));
    assert_eq!(pair.money(A), (700, 300, 300, 300));
    // What the ledger refused stays refused, as it does without a link.
    let much = pair.prepare(A, A, 11, 600);
    let refused = Ok(Sent::Refused { reason: Reason::Limit, refusal: Refusal::Cap });
    assert_eq!(pair.send(A, much.clone()), refused);
    assert_eq!(pair.send(A, much), refused);
    assert!(pair.disks[A].replays());
}

#[test]
fn the_limit_counts_what_is_under_way() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    let refused = Ok(Sent::Refused { reason: Reason::Limit, refusal: Refusal::Cap });
    assert_eq!(pair.send(A, pair.prepare(A, A, 11, 201)), refused);
    assert_eq!(pair.send(A, pair.prepare(A, A, 12, 200)), HELD);
    pair.carry(A);
    pair.run(B, |sheet, peer, now| decline(sheet, peer, id(10), now)).unwrap();
    assert_eq!(pair.send(A, pair.prepare(A, A, 13, 1)), refused, "until alice's node has heard of it");
    pair.carry(B);
    assert_eq!(pair.send(A, pair.prepare(A, A, 14, 300)), HELD);
}

#[test]
fn exchange_is_at_the_rate_of_the_terms_and_no_other() {
    let mut pair = Pair::new();
    let (give, get) = (pair.asset(A), pair.asset(B));
    let exchanged = |pair: &Pair, n, given, got| Prepare {
        get: Some(Sum { asset: get, amount: got }),
        ..pair.prepare(A, A, n, given)
    };
    // Three of a's are one of b's, rounded down.
    assert_eq!(pair.send(A, exchanged(&pair, 10, 200, 67)), Err(LinkError::Payment(Reason::Rate)));
    assert_eq!(pair.send(A, exchanged(&pair, 10, 200, 66)), HELD);
    pair.carry(A);
    assert_eq!(pair.money(B), (0, 1_000, 0, 0));
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (800, 0, 200, 200));
    assert_eq!(pair.money(B), (0, 1_066, 0, 0));
    let link = pair.disks[B].link(&pair.names[A]).clone();
    assert_eq!(pair.disks[B].net(link.position(give)), 200, "b.example has a's 200");
    assert_eq!(pair.disks[B].net(link.position(get)), -66, "and has given 66 of its own");
    // Declined, both legs go back. For one there is nothing.
    pair.send(A, exchanged(&pair, 11, 30, 10)).unwrap();
    assert_eq!(pair.send(A, exchanged(&pair, 12, 2, 0)), Err(LinkError::Payment(Reason::Amount)));
    pair.carry(A);
    pair.run(B, |sheet, peer, now| decline(sheet, peer, id(11), now)).unwrap();
    pair.settle_down();
    assert_eq!((pair.money(A), pair.money(B)), ((800, 0, 200, 200), (0, 1_066, 0, 0)));
    // A rate holds for its time.
    pair.now = 1_000_000_000;
    assert_eq!(pair.send(A, exchanged(&pair, 13, 30, 10)), Err(LinkError::Payment(Reason::Rate)));
    let same = Prepare { get: Some(Sum { asset: give, amount: 30 }), ..pair.prepare(A, A, 14, 30) };
    assert_eq!(pair.send(A, same), Err(LinkError::Payment(Reason::Rate)), "for itself there is none");
}

#[test]
fn operators_settle_what_is_owed() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    let settlement = |pair: &Pair, n, amount| {
        let memo = Blob(b"transfer of 2026-11-20, RF18 5390 0754 7034".to_vec());
        Prepare { aim: Aim::Settlement, memo, ..pair.prepare(A, A, n, amount) }
    };
    // a.example has paid 250 by bank and says so; b.example sees the money and agrees.
    let proposal = settlement(&pair, 11, 250);
    assert_eq!(pair.run(A, |sheet, peer, now| settle(sheet, peer, proposal, now)), HELD);
    pair.carry(A);
    assert_eq!(pair.money(A), (700, 300, 300, 300));
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(11), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (700, 300, 50, 50), "bob keeps his 300: b.example has the money for it");
    // The holder may propose as well. More than is owed is not settled.
    let more = settlement(&pair, 12, 51);
    let refused = Ok(Sent::Refused { reason: Reason::NotCovered, refusal: Refusal::Cap });
    assert_eq!(pair.run(B, |sheet, peer, now| settle(sheet, peer, more, now)), refused);
    let rest = settlement(&pair, 13, 50);
    assert_eq!(pair.run(B, |sheet, peer, now| settle(sheet, peer, rest, now)), HELD);
    pair.carry(B);
    pair.run(A, |sheet, peer, now| accept(sheet, peer, id(13), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (700, 300, 0, 0));
    let payment = pair.prepare(A, A, 14, 5);
    let not_one = pair.run(A, |sheet, peer, now| settle(sheet, peer, payment, now));
    assert!(matches!(not_one, Err(LinkError::Malformed(_))));
    let no_person = settlement(&pair, 15, 5);
    assert!(matches!(pair.send(A, no_person), Err(LinkError::Malformed(_))));
    assert!(pair.disks.iter().all(Disk::replays));
}

#[test]
fn operators_set_off_what_they_owe_each_other() {
    let mut pair = Pair::new();
    for (from, n) in [(A, 10), (B, 11)] {
        pair.send(from, pair.prepare(from, from, n, 300)).unwrap();
        pair.carry(from);
        pair.run(1 - from, |sheet, peer, now| accept(sheet, peer, id(n), now)).unwrap();
        pair.settle_down();
    }
    assert_eq!((pair.money(A), pair.money(B)), ((700, 300, 300, 300), (300, 700, 300, 300)));
    // Three of a's for one of b's. Of people's money nothing moves.
    let get = |pair: &Pair, amount| Some(Sum { asset: pair.asset(B), amount });
    let set_off = |pair: &Pair, n, given, got| Prepare {
        aim: Aim::Settlement,
        get: get(pair, got),
        ..pair.prepare(A, A, n, given)
    };
    let cheap = set_off(&pair, 12, 270, 89);
    let refused = pair.run(A, |sheet, peer, now| settle(sheet, peer, cheap, now));
    assert_eq!(refused, Err(LinkError::Payment(Reason::Rate)));
    let fair = set_off(&pair, 12, 270, 90);
    assert_eq!(pair.run(A, |sheet, peer, now| settle(sheet, peer, fair, now)), HELD);
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(12), now)).unwrap();
    pair.settle_down();
    assert_eq!((pair.money(A), pair.money(B)), ((700, 300, 30, 30), (300, 700, 210, 210)));
    let over = set_off(&pair, 13, 33, 11);
    let refused = Ok(Sent::Refused { reason: Reason::NotCovered, refusal: Refusal::Floor });
    assert_eq!(pair.run(A, |sheet, peer, now| settle(sheet, peer, over, now)), refused);
    assert!(pair.disks.iter().all(Disk::replays));
}

#[test]
fn what_cannot_be_sent_is_not_held() {
    let mut pair = Pair::new();
    let good = pair.prepare(A, A, 10, 5);
    let nothing = Sum { amount: 0, ..good.give };
    let foreign = Sum { asset: weft_wire::AssetId([9; 16]), amount: 5 };
    let memo = Blob(vec![0; MEMO_BYTES_MAX + 1]);
    for (bad, reason) in [
        (Prepare { give: nothing, ..good.clone() }, Reason::Amount),
        (Prepare { give: foreign, ..good.clone() }, Reason::UnknownAsset),
        (Prepare { memo, ..good.clone() }, Reason::Memo),
        (Prepare { expires_ms: pair.now, ..good.clone() }, Reason::Expired),
        (Prepare { expires_ms: pair.now + LIFETIME_MS + 1, ..good.clone() }, Reason::Lifetime),
    ] {
        assert_eq!(pair.send(A, bad), Err(LinkError::Payment(reason)));
    }
    assert_eq!(pair.send(A, good), HELD, "nothing was written down that would be in the way");
    let nowhere = node("nowhere.example");
    let now = pair.now;
    let prepare = pair.prepare(A, A, 11, 5);
    let none = pair.disks[A].run(now, |sheet| send(sheet, &nowhere, AccountId([1; 16]), prepare, now));
    assert_eq!(none, Err(LinkError::NoLink));
}

#[test]
fn what_waits_has_an_end() {
    let mut pair = Pair::new();
    let tiny = |pair: &Pair, n: u16, intent: Intent| {
        let prepare = Prepare { payment: tiny_id(n), ..pair.prepare(A, A, 0, 1) };
        // Each of them may have so many that wait.
        let Aim::Payment { payer, payee, .. } = prepare.aim else { panic!("not what was expected") };
        let name = format!("payer{}", u32::from(n) / PAYER_TRANSFERS_MAX).parse().unwrap();
        Prepare { aim: Aim::Payment { payer: UserAddress::new(name, payer.node), payee, intent }, ..prepare }
    };
    let transfers = TRANSFERS_MAX as u16;
    for n in 0..transfers {
        assert_eq!(pair.send(A, tiny(&pair, n, Intent::Transfer)), HELD);
    }
    let busy = Err(LinkError::Payment(Reason::Busy));
    assert_eq!(pair.send(A, tiny(&pair, 999, Intent::Transfer)), busy, "as many wait for a yes as may");
    // Nobody is kept from buying something by that, and the operators settle.
    let settlement = Prepare { payment: tiny_id(998), aim: Aim::Settlement, ..pair.prepare(A, A, 0, 1) };
    let settled = pair.run(A, |sheet, peer, now| settle(sheet, peer, settlement, now));
    assert!(!matches!(settled, Err(LinkError::Payment(Reason::Busy))), "{settled:?}");
    let waits = pair.disks[A].link(&pair.names[B]).waiting_out as u16;
    for n in waits..QUESTIONS_MAX as u16 {
        assert_eq!(pair.send(A, tiny(&pair, n, Intent::Payment)), HELD);
    }
    assert_eq!(pair.send(A, tiny(&pair, 999, Intent::Payment)), busy, "as many wait as may");
    assert_eq!(u64::from(WAITING_MAX), QUESTIONS_MAX);
    let full = pair.run(A, |sheet, peer, now| ask(sheet, peer, tiny_id(0), now));
    assert_eq!(full, Err(LinkError::JournalFull), "nothing of it has reached the other side yet");
    let all = pair.run(A, |sheet, peer, _| unconfirmed(sheet, peer, 1_000)).unwrap();
    assert_eq!(all.len() as u64, QUESTIONS_MAX);
    for outgoing in &all {
        pair.hear(B, &outgoing.body).unwrap();
    }
    assert_eq!(pair.disks[B].link(&pair.names[A]).waiting_in, TRANSFERS_MAX);
    pair.ack(B).unwrap();
    assert_eq!(pair.disks[A].rows.journal(), 0);
    pair.run(A, |sheet, peer, now| ask(sheet, peer, tiny_id(0), now)).unwrap();
    pair.now += 10_000;
    for n in 0..transfers {
        pair.run(B, |sheet, peer, now| expire(sheet, peer, tiny_id(n), now)).unwrap();
    }
    pair.settle_down();
    pair.settle_down();
    assert_eq!(pair.disks[A].link(&pair.names[B]).waiting_out, 0);
    assert_eq!(pair.send(A, pair.prepare(A, A, 10, 1)), HELD);
    assert_eq!(pair.money(A), (936, 64, 64, 64));
}

#[test]
fn nobody_shuts_a_link_for_all_others() {
    let mut pair = Pair::new();
    let (held, most) = (PAYER_TRANSFERS_MAX as u16, PAYER_WAITING_MAX as u16);
    for n in 0..held {
        assert_eq!(pair.send(A, Prepare { payment: tiny_id(n), ..pair.prepare(A, A, 0, 1) }), HELD);
    }
    let busy = Err(LinkError::Payment(Reason::Busy));
    assert_eq!(pair.send(A, Prepare { payment: tiny_id(held), ..pair.prepare(A, A, 0, 1) }), busy);
    let carol = |pair: &Pair| {
        let prepare = pair.prepare(A, A, 0, 1);
        let Aim::Payment { payer, payee, intent } = prepare.aim else { panic!("not what was expected") };
        let payer = UserAddress::new("carol".parse().unwrap(), payer.node);
        Prepare { payment: tiny_id(500), aim: Aim::Payment { payer, payee, intent }, ..prepare }
    };
    assert_eq!(pair.send(A, carol(&pair)), HELD, "others still pay");
    // A node that does not keep to it is told so.
    for n in held..=most {
        pair.disks[A].rows.forget_who_waits();
        assert_eq!(pair.send(A, Prepare { payment: tiny_id(n), ..pair.prepare(A, A, 0, 1) }), HELD);
    }
    pair.carry(A);
    assert_eq!(pair.disks[B].link(&pair.names[A]).waiting_in, PAYER_WAITING_MAX + 1, "hers, and carol's");
    let refused = &pair.disks[B].rows.payments[&(pair.names[A].clone(), Way::In, tiny_id(most))];
    assert_eq!(
        (refused.state, &refused.prepare),
        (State::Rejected(Reason::Busy), &None),
        "nothing else is kept"
    );
    pair.run(B, |sheet, peer, now| accept(sheet, peer, tiny_id(0), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.disks[B].rows.who_wait(), 2);
    assert_eq!(pair.send(A, Prepare { payment: tiny_id(600), ..pair.prepare(A, A, 0, 1) }), HELD);
    pair.carry(A);
    let taken = &pair.disks[B].rows.payments[&(pair.names[A].clone(), Way::In, tiny_id(600))];
    assert_eq!(taken.state, State::Waiting, "one of hers is decided: there is room for another");
}

fn tiny_id(n: u16) -> TransferId {
    let mut payment = [0xaa; 16];
    payment[..2].copy_from_slice(&n.to_be_bytes());
    TransferId(payment)
}

#[test]
fn hashes_of_what_was_taken_are_not_kept_for_ever() {
    let mut pair = Pair::new();
    for n in 0..1_100_u16 {
        let prepare = Prepare { payment: tiny_id(n), ..pair.prepare(A, A, 0, 1) };
        pair.send(A, prepare).unwrap();
        pair.carry(A);
        pair.run(B, |sheet, peer, now| decline(sheet, peer, tiny_id(n), now)).unwrap();
        pair.carry(B);
    }
    assert_eq!(pair.disks[B].rows.heard() as u64, weft_ledger::link::HEARD_MAX);
}

#[test]
fn both_operators_see_the_same() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.send(A, pair.prepare(A, A, 11, 100)).unwrap();
    let drawn = |pair: &mut Pair, at: usize| {
        let of: Vec<Payment> = pair.disks[at].rows.payments.values().cloned().collect();
        pair.run(at, |sheet, peer, now| statement(sheet, peer, of, now)).unwrap()
    };
    let early = compare(&drawn(&mut pair, A), &drawn(&mut pair, B));
    let b = pair.names[B].clone();
    assert!(early.contains(&Difference::Missing { node: b, payment: id(10) }));
    assert!(early.contains(&Difference::Messages { from: pair.names[A].clone(), sent: 2, taken: 0 }));
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    let (one, other) = (drawn(&mut pair, A), drawn(&mut pair, B));
    let found = compare(&one, &other);
    let states = Difference::State { payment: id(10), one: State::Waiting, other: State::Fulfilled };
    assert!(found.contains(&states), "{found:?}");
    assert!(found.contains(&Difference::Balance { asset: pair.asset(A), one: 0, other: 300 }));
    pair.settle_down();
    let (one, other) = (drawn(&mut pair, A), drawn(&mut pair, B));
    assert_eq!(compare(&one, &other), []);
    assert_eq!((one.owed[0].net, one.owed[0].more, one.owed[0].less), (300, 100, 0));
    assert_eq!(one.owed, other.owed);
    assert_eq!(one.lines.len(), 2);
    let third = weft_ledger::link::Statement { of: node("c.example"), ..other };
    assert_eq!(compare(&one, &third), [Difference::Link]);
}

#[test]
fn a_fault_of_the_books_leaves_nothing_behind() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    let body = pair.bodies(A).remove(0);
    let mut faults = 0;
    for reads in 0.. {
        let (peer, now) = (pair.names[A].clone(), pair.now);
        let mut sheet = pair.disks[B].sheet(now, reads);
        match weft_ledger::link::receive(&mut sheet, &peer, &body.0, now) {
            Err(LinkError::Books(_)) => faults += 1,
            outcome => {
                outcome.unwrap();
                let staged = sheet.into_staged();
                pair.disks[B].commit(staged);
                break;
            }
        }
    }
    assert!(faults > 5, "{faults}");
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (700, 300, 300, 300));
}
