//! What a peer may not do: each is found out, told by name, and where it proves something the link stands
//! still and keeps the proof.

use super::{A, B, LIFETIME_MS, NOTHING, Pair, is_frozen, node};
use weft_ledger::link::{
    Body, Freeze, LinkError, MEMO_BYTES_MAX, Mark, Message, Notice, Prepare, Reason, Received, State, Sum,
    TOMBSTONES_MAX, Way, accept, ack, ask, decline, freeze, receive, receive_ack,
};
use weft_wire::{
    Blob, TransferId, UserAddress, encode,
    wallet::{Intent, MerchantPayee, Payee},
};

fn id(n: u8) -> TransferId {
    TransferId([n; 16])
}

/// The link of one side stands still for this reason, and nothing goes any more.
fn stands_still(pair: &mut Pair, at: usize, why: Freeze) {
    let peer = pair.names[1 - at].clone();
    let frozen = pair.disks[at].link(&peer).frozen.clone().unwrap();
    assert_eq!(frozen.why, why);
    assert!(is_frozen(&pair.send(at, pair.prepare(at, at, 77, 1))));
    assert!(is_frozen(&pair.run(at, |sheet, peer, now| accept(sheet, peer, id(10), now))));
    assert!(is_frozen(&pair.run(at, |sheet, peer, now| decline(sheet, peer, id(10), now))));
    assert!(is_frozen(&pair.run(at, |sheet, peer, now| ask(sheet, peer, id(10), now))));
    assert!(pair.bodies(at).is_empty(), "nothing is sent");
    let late = pair.forge(1 - at, Body::Status { payment: id(78) });
    assert!(is_frozen(&pair.hear_forged(at, &late)), "nothing is taken");
    // The other side hears of it, and stops as well.
    if pair.disks[1 - at].link(&pair.names[at]).frozen.is_none() {
        let told = pair.ack(at).unwrap();
        assert!(matches!(told, Received::Frozen(_)), "{told:?}");
    }
}

/// Alice has paid bob 300, held for him.
fn with_one_held() -> Pair {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 300)).unwrap();
    pair.carry(A);
    pair.ack(B).unwrap();
    pair
}

fn fulfil(pair: &Pair, payment: TransferId, amount: u64) -> Body {
    let sum = Sum { asset: pair.asset(A), amount };
    Body::Fulfil { payment, given: sum, got: sum }
}

#[test]
fn a_decision_on_a_payment_that_never_was() {
    let mut pair = with_one_held();
    let lie = pair.forge(B, fulfil(&pair, id(11), 300));
    let why = Freeze::UnknownPayment { payment: id(11) };
    assert_eq!(pair.hear_forged(A, &lie), Ok(Received::Frozen(why)));
    let link = pair.disks[A].link(&pair.names[B]);
    let evidence = link.frozen.as_ref().unwrap().evidence.clone();
    assert_eq!(evidence, Some(Blob(encode(&lie))), "the proof is kept");
    assert_eq!(link.taken.seq, 0, "and the message is not taken");
    assert_eq!(pair.money(A), (1_000, 0, 0, 0));
    stands_still(&mut pair, A, why);
}

#[test]
fn a_decision_on_a_payment_that_is_not_theirs() {
    let mut pair = with_one_held();
    // Bob's node is to decide; alice's says that it has.
    let lie = pair.forge(A, fulfil(&pair, id(10), 300));
    let why = Freeze::NotTheirs { payment: id(10) };
    assert_eq!(pair.hear_forged(B, &lie), Ok(Received::Frozen(why)));
    stands_still(&mut pair, B, why);
}

#[test]
fn fulfilled_after_it_was_rejected() {
    let mut pair = with_one_held();
    pair.run(B, |sheet, peer, now| decline(sheet, peer, id(10), now)).unwrap();
    pair.carry(B);
    pair.ack(A).unwrap();
    assert_eq!(pair.money(A).0, 1_000);
    let lie = pair.forge(B, fulfil(&pair, id(10), 300));
    let why = Freeze::Contradiction { payment: id(10) };
    assert_eq!(pair.hear_forged(A, &lie), Ok(Received::Frozen(why)));
    assert_eq!(pair.money(A).0, 1_000, "alice has her money");
    stands_still(&mut pair, A, why);
}

#[test]
fn rejected_or_waiting_after_it_was_fulfilled() {
    for body in
        [Body::Reject { payment: id(10), reason: Reason::Declined }, Body::Waiting { payment: id(10) }]
    {
        let mut pair = with_one_held();
        pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
        pair.settle_down();
        let lie = pair.forge(B, body);
        let why = Freeze::Contradiction { payment: id(10) };
        assert_eq!(pair.hear_forged(A, &lie), Ok(Received::Frozen(why)));
        assert_eq!(pair.money(A), (700, 300, 300, 300));
        stands_still(&mut pair, A, why);
    }
}

#[test]
fn a_decision_again_changes_nothing() {
    let mut pair = with_one_held();
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    let again = pair.forge(B, fulfil(&pair, id(10), 300));
    assert_eq!(pair.hear_forged(A, &again), Ok(Received::Taken(None)));
    assert_eq!(pair.money(A), (700, 300, 300, 300));
}

#[test]
fn a_lie_about_the_amount() {
    for (given, got) in [(299, 300), (300, 301)] {
        let mut pair = with_one_held();
        let sum = |amount| Sum { asset: pair.asset(A), amount };
        let body = Body::Fulfil { payment: id(10), given: sum(given), got: sum(got) };
        let lie = pair.forge(B, body);
        let why = Freeze::OtherAmount { payment: id(10) };
        assert_eq!(pair.hear_forged(A, &lie), Ok(Received::Frozen(why)));
        assert_eq!(pair.money(A).0, 1_000);
        stands_still(&mut pair, A, why);
    }
}

#[test]
fn another_payment_under_the_same_id() {
    let mut pair = with_one_held();
    let other = pair.prepare(A, A, 10, 400);
    let lie = pair.forge(A, Body::Prepare(other));
    let why = Freeze::OtherPrepare { payment: id(10) };
    assert_eq!(pair.hear_forged(B, &lie), Ok(Received::Frozen(why)));
    stands_still(&mut pair, B, why);
}

#[test]
fn the_same_payment_asked_for_twice_is_held_once() {
    let mut pair = with_one_held();
    let again = pair.forge(A, Body::Prepare(pair.prepare(A, A, 10, 300)));
    assert_eq!(pair.hear_forged(B, &again), Ok(Received::Taken(None)));
    let link = pair.disks[B].link(&pair.names[A]).clone();
    assert_eq!(link.waiting_in, 1);
    let held = pair.disks[B].rows.accounts[&link.account(pair.asset(A))].balances.debits_pending;
    assert_eq!(held, 300);
}

#[test]
fn two_messages_under_one_number() {
    let mut pair = Pair::new();
    let first = pair.forge(A, Body::Prepare(pair.prepare(A, A, 10, 300)));
    let second = pair.forge(A, Body::Prepare(pair.prepare(A, A, 11, 200)));
    assert!(matches!(pair.hear_forged(B, &first), Ok(Received::Taken(_))));
    assert_eq!(pair.hear_forged(B, &first), Ok(Received::Again), "the same again is nothing");
    let why = Freeze::Equivocation { seq: 1 };
    assert_eq!(pair.hear_forged(B, &second), Ok(Received::Frozen(why)));
    let peer = pair.names[A].clone();
    assert_eq!(pair.disks[B].link(&peer).frozen.as_ref().unwrap().why, why);
    assert!(!pair.disks[B].rows.payments.contains_key(&(peer, Way::In, id(11))));
}

#[test]
fn an_ack_that_tells_of_another_message() {
    let mut pair = with_one_held();
    let honest = pair.run(A, |sheet, peer, _| ack(sheet, peer)).unwrap();
    let lie = weft_ledger::link::Ack { sent: Mark { hash: NOTHING, ..honest.sent }, ..honest };
    let frozen = pair.run(B, |sheet, peer, now| receive_ack(sheet, peer, &encode(&lie), now));
    let why = Freeze::Equivocation { seq: 1 };
    assert_eq!(frozen, Ok(Received::Frozen(why)));
    stands_still(&mut pair, B, why);
}

#[test]
fn a_message_that_does_not_follow() {
    let mut pair = with_one_held();
    let lie = Message { before: NOTHING, ..pair.forge(A, Body::Status { payment: id(10) }) };
    let why = Freeze::BrokenChain { seq: 2 };
    assert_eq!(pair.hear_forged(B, &lie), Ok(Received::Frozen(why)));
    stands_still(&mut pair, B, why);
}

#[test]
fn a_peer_that_knows_more_than_was_said() {
    for claim in [
        |honest: Message| Message { seen: Mark { seq: 2, hash: NOTHING }, ..honest },
        |honest: Message| Message { confirmed: 1, ..honest },
        |honest: Message| Message { era: 1, ..honest },
    ] {
        let mut pair = with_one_held();
        let told = claim(pair.forge(B, Body::Waiting { payment: id(10) }));
        let frozen = pair.hear_forged(A, &told).unwrap();
        let Received::Frozen(why @ Freeze::BehindPeer { ours, theirs }) = frozen else {
            panic!("{frozen:?}")
        };
        assert!(ours < theirs);
        stands_still(&mut pair, A, why);
    }
    let mut pair = with_one_held();
    let mut honest = pair.forge(B, Body::Waiting { payment: id(10) });
    honest.seen.hash = NOTHING;
    let why = Freeze::Diverged { seq: 1 };
    assert_eq!(pair.hear_forged(A, &honest), Ok(Received::Frozen(why)));
    stands_still(&mut pair, A, why);
}

#[test]
fn messages_that_are_missing_come_first() {
    let mut pair = Pair::new();
    for n in 10..13 {
        pair.send(A, pair.prepare(A, A, n, 50)).unwrap();
    }
    let all = pair.bodies(A);
    assert_eq!(pair.hear(B, &all[1]), Err(LinkError::Gap { expected: 1, got: 2 }));
    assert!(matches!(pair.hear(B, &all[0]), Ok(Received::Taken(_))));
    assert_eq!(pair.hear(B, &all[2]), Err(LinkError::Gap { expected: 2, got: 3 }));
    assert!(matches!(pair.hear(B, &all[1]), Ok(Received::Taken(_))));
    assert!(matches!(pair.hear(B, &all[2]), Ok(Received::Taken(_))));
    assert_eq!(pair.hear(B, &all[0]), Ok(Received::Again));
    pair.ack(B).unwrap();
    assert!(pair.bodies(A).is_empty());
}

#[test]
fn a_late_ack_is_nothing() {
    let mut pair = Pair::new();
    let early = pair.run(B, |sheet, peer, _| ack(sheet, peer)).unwrap();
    pair.send(A, pair.prepare(A, A, 10, 50)).unwrap();
    pair.carry(A);
    pair.ack(B).unwrap();
    let late = pair.run(A, |sheet, peer, now| receive_ack(sheet, peer, &encode(&early), now));
    assert_eq!(late, Ok(Received::Again));
    assert_eq!(pair.disks[A].link(&pair.names[B]).confirmed.seq, 1);
}

#[test]
fn what_is_no_message_or_for_others() {
    let mut pair = with_one_held();
    let honest = pair.forge(B, Body::Waiting { payment: id(10) });
    let to_c = Message { to: node("c.example"), ..honest.clone() };
    assert_eq!(pair.hear_forged(A, &to_c), Err(LinkError::NotForUs));
    let from_c = Message { from: node("c.example"), ..honest.clone() };
    assert_eq!(pair.hear_forged(A, &from_c), Err(LinkError::NotForUs));
    for bad in [vec![], vec![0xff; 40], vec![0xa0; 5_000], [encode(&honest), vec![0]].concat()] {
        assert!(matches!(pair.hear(A, &Blob(bad)), Err(LinkError::Malformed(_))));
    }
    let ack = pair.run(B, |sheet, peer, _| ack(sheet, peer)).unwrap();
    let astray = weft_ledger::link::Ack { to: node("c.example"), ..ack };
    let bodies = [(encode(&astray), LinkError::NotForUs)];
    for (body, error) in bodies {
        assert_eq!(pair.run(A, |sheet, peer, now| receive_ack(sheet, peer, &body, now)), Err(error));
    }
    let garbage = pair.run(A, |sheet, peer, now| receive_ack(sheet, peer, b"ack", now));
    assert!(matches!(garbage, Err(LinkError::Malformed(_))));
    let (now, stranger) = (pair.now, node("c.example"));
    let none = pair.disks[A].run(now, |sheet| receive(sheet, &stranger, &encode(&honest), now));
    assert_eq!(none, Err(LinkError::NoLink));
    assert!(matches!(pair.hear_forged(A, &honest), Ok(Received::Taken(_))), "the link goes on");
}

#[test]
fn a_payer_who_asks_for_what_the_terms_do_not_give_is_rejected() {
    let fresh = Pair::new();
    let good = fresh.prepare(A, A, 10, 300);
    let amount = |amount| Prepare { give: Sum { amount, ..good.give }, ..good.clone() };
    let foreign = Sum { asset: weft_wire::AssetId([9; 16]), amount: 5 };
    let rich = Prepare { get: Some(Sum { asset: fresh.asset(B), amount: 101 }), ..good.clone() };
    let mut nobody = good.clone();
    if let weft_ledger::link::Aim::Payment { payee, .. } = &mut nobody.aim {
        let stranger = UserAddress::new("mallory".parse().unwrap(), fresh.names[B].clone());
        *payee = Payee::Person(stranger);
    }
    // Somebody of a third node, as the one who pays or who is paid.
    let elsewhere = |pays: bool| {
        let mut bad = good.clone();
        if let weft_ledger::link::Aim::Payment { payer, payee, .. } = &mut bad.aim {
            let carol = UserAddress::new("carol".parse().unwrap(), node("c.example"));
            if pays { *payer = carol } else { *payee = Payee::Person(carol) }
        }
        bad
    };
    let in_a_shop = |at: &str, intent| {
        let shop = UserAddress::new("corner".parse().unwrap(), node(at));
        let payer = UserAddress::new("alice".parse().unwrap(), fresh.names[A].clone());
        let payee = Payee::Merchant(MerchantPayee { shop, till: None, sale: None });
        Prepare { aim: weft_ledger::link::Aim::Payment { payer, payee, intent }, ..good.clone() }
    };
    let there = fresh.names[B].as_str();
    for (bad, expected) in [
        (in_a_shop("c.example", Intent::Payment), Reason::UnknownPayee),
        (in_a_shop(there, Intent::Payment), Reason::UnknownPayee),
        (in_a_shop(there, Intent::Transfer), Reason::Intent),
        (amount(0), Reason::Amount),
        (amount(501), Reason::Limit),
        (Prepare { give: foreign, ..good.clone() }, Reason::UnknownAsset),
        (Prepare { give: Sum { asset: fresh.asset(B), amount: 1 }, ..good.clone() }, Reason::NotCovered),
        (Prepare { expires_ms: fresh.now, ..good.clone() }, Reason::Expired),
        (Prepare { expires_ms: fresh.now + LIFETIME_MS + 1, ..good.clone() }, Reason::Lifetime),
        (Prepare { memo: Blob(vec![0; MEMO_BYTES_MAX + 1]), ..good.clone() }, Reason::Memo),
        (rich, Reason::Rate),
        (nobody, Reason::UnknownPayee),
        (elsewhere(true), Reason::ForeignPayer),
        (elsewhere(false), Reason::UnknownPayee),
        (Prepare { aim: weft_ledger::link::Aim::Settlement, ..amount(5) }, Reason::NotCovered),
    ] {
        let mut pair = Pair::new();
        let asked = pair.forge(A, Body::Prepare(bad.clone()));
        let told = Notice::Answered(id(10), State::Rejected(expected));
        assert_eq!(pair.hear_forged(B, &asked), Ok(Received::Taken(Some(told))), "{bad:?}");
        assert_eq!(pair.money(A), (1_000, 0, 0, 0));
        assert_eq!(pair.state(B, Way::In, 10), State::Rejected(expected));
        assert_eq!(pair.bodies(B).len(), 1, "and says so");
        assert!(pair.disks[B].replays());
    }
}

#[test]
fn a_blocked_account_takes_nothing() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 5)).unwrap();
    pair.carry(A);
    pair.run(B, |sheet, peer, now| accept(sheet, peer, id(10), now)).unwrap();
    pair.settle_down();
    let bob = super::account(&"bob".parse().unwrap(), pair.asset(A));
    let account = pair.disks[B].rows.accounts.get_mut(&bob).unwrap();
    account.freeze = weft_ledger::Freeze::All;
    pair.send(A, pair.prepare(A, A, 11, 5)).unwrap();
    let told = Notice::Answered(id(11), State::Rejected(Reason::Blocked));
    assert_eq!(pair.carry(A), [Ok(Received::Taken(Some(told)))]);
}

#[test]
fn questions_without_end() {
    let mut pair = Pair::new();
    let (mut before, mut last) = (Mark::START, None);
    for seq in 1..=u64::from(TOMBSTONES_MAX) + 1 {
        let mut payment = [0; 16];
        payment[..8].copy_from_slice(&seq.to_be_bytes());
        let question = Body::Status { payment: TransferId(payment) };
        let seen = pair.disks[B].link(&pair.names[A]).sent;
        // A node that takes every answer: it is never the journal that is full.
        let told = Message { seq, before: before.hash, seen, ..pair.forge(A, question) };
        before = Mark { seq, hash: Message::hash(&encode(&told)) };
        last = Some(pair.hear_forged(B, &told));
    }
    assert_eq!(last, Some(Ok(Received::Frozen(Freeze::Flood))));
}

#[test]
fn questions_that_are_never_let_be_answered() {
    let mut pair = Pair::new();
    let mut before = Mark::START;
    for seq in 1_u64.. {
        let mut payment = [0; 16];
        payment[..8].copy_from_slice(&seq.to_be_bytes());
        let asked = Prepare { payment: TransferId(payment), ..pair.prepare(A, A, 0, 501) };
        let told = Message { seq, before: before.hash, ..pair.forge(A, Body::Prepare(asked)) };
        match pair.hear_forged(B, &told) {
            Ok(Received::Taken(_)) => {
                before = Mark { seq, hash: Message::hash(&encode(&told)) };
            }
            full => {
                assert_eq!(full, Err(LinkError::JournalFull));
                assert_eq!(seq, weft_ledger::link::JOURNAL_MAX + 1);
                break;
            }
        }
    }
}

#[test]
fn a_link_that_the_operator_stops() {
    let mut pair = with_one_held();
    pair.run(A, |sheet, peer, now| freeze(sheet, peer, now)).unwrap();
    pair.run(A, |sheet, peer, now| freeze(sheet, peer, now)).unwrap();
    stands_still(&mut pair, A, Freeze::Operator);
    let b = pair.disks[B].link(&pair.names[A]).frozen.as_ref().unwrap().why;
    assert_eq!(b, Freeze::ByPeer);
}

#[test]
fn words_of_later_versions_do_not_stop_a_link() {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Later {
        FullMoon,
    }
    let read: Reason = weft_wire::decode(&encode(&Later::FullMoon), 64).unwrap();
    assert_eq!(read, Reason::Other);
    let kept: Reason = weft_wire::decode(&encode(&Reason::NotCovered), 64).unwrap();
    assert_eq!(kept, Reason::NotCovered);
}
