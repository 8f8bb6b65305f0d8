//! Terms: what can be terms, who has signed them, and how they change while payments are under way.

use super::{A, B, LIFETIME_MS, Pair, memory::Disk, node, terms};
use ed25519_dalek::SigningKey;
use weft_ledger::link::{
    Agreed, Body, LinkError, Message, Notice, Rate, Reason, Received, Sent, State, Sum, Terms, TermsError,
    accept, change_terms, open_link,
};
use weft_wire::{Signed, TransferId, decode, encode, signed::SignedError};

fn install(pair: &mut Pair, at: usize, terms: &Terms) -> super::Outcome<()> {
    let (own, terms) = (pair.names[at].clone(), terms.clone());
    pair.run(at, |sheet, _, now| change_terms(sheet, &own, terms, now))
}

fn next(pair: &Pair, limit: u64) -> Terms {
    let mut next = pair.disks[A].link(&pair.names[B]).terms.clone();
    next.version += 1;
    next.assets[0].limit = limit;
    next
}

#[test]
fn what_can_be_terms() {
    let good = terms(&node("a.example"), &node("b.example"), (500, 500));
    assert_eq!(good.check(1), Ok(()));
    let changed = |change: fn(&mut Terms)| {
        let mut terms = good.clone();
        change(&mut terms);
        terms.check(1)
    };
    assert_eq!(changed(|terms| std::mem::swap(&mut terms.a, &mut terms.b)), Err(TermsError::Parties));
    assert_eq!(changed(|terms| terms.b = terms.a.clone()), Err(TermsError::Parties));
    assert_eq!(changed(|terms| terms.version = 0), Err(TermsError::Version));
    assert_eq!(changed(|terms| terms.assets.clear()), Err(TermsError::Assets));
    assert_eq!(changed(|terms| terms.assets.push(terms.assets[0].clone())), Err(TermsError::Assets));
    let foreign: fn(&mut Terms) = |terms| terms.assets[0].asset.issuer = node("c.example");
    assert_eq!(changed(foreign), Err(TermsError::Assets));
    let many: fn(&mut Terms) = |terms| {
        for n in 0..16 {
            let mut covered = terms.assets[0].clone();
            covered.asset.code = format!("X{n}").parse().unwrap();
            terms.assets.push(covered);
        }
    };
    assert_eq!(changed(many), Err(TermsError::Assets));
    for change in [
        (|terms| terms.rates[0].numerator = 0) as fn(&mut Terms),
        |terms| terms.rates[0].denominator = 0,
        |terms| terms.rates[0].give = terms.rates[0].get,
        |terms| terms.rates[0].give = weft_wire::AssetId([9; 16]),
        |terms| terms.rates.push(terms.rates[0]),
    ] {
        assert_eq!(changed(change), Err(TermsError::Rates));
    }
    assert_eq!(changed(|terms| terms.lifetime_ms_max = 0), Err(TermsError::Lifetime));
    assert_eq!(changed(|terms| terms.lifetime_ms_max = u64::MAX), Err(TermsError::Lifetime));
}

#[test]
fn nobody_has_more_by_exchanging_to_and_fro() {
    let good = terms(&node("a.example"), &node("b.example"), (500, 500));
    let with = |there: (u64, u64), back: (u64, u64)| {
        let mut terms = good.clone();
        for (rate, (numerator, denominator)) in terms.rates.iter_mut().zip([there, back]) {
            (rate.numerator, rate.denominator) = (numerator, denominator);
        }
        terms.check(1)
    };
    let assets = [0, 1].map(|at: usize| good.assets[at].asset.clone());
    let told = TermsError::Gain(assets.to_vec());
    let gain = Err(told.clone());
    assert_eq!(with((109, 100), (95, 100)), gain, "1.0355 a round");
    assert_eq!(with((1, 3), (31, 10)), gain);
    assert_eq!(with((u64::MAX, 1), (u64::MAX, 1)), gain, "without overflow");
    assert_eq!(with((u64::MAX, u64::MAX - 1), (1, 1)), gain, "as little as it is");
    assert_eq!(with((109, 100), (100, 109)), Ok(()), "even is not more");
    assert_eq!(with((109, 100), (91, 100)), Ok(()));
    assert!(told.to_string().contains("EUR@a.example for EUR@b.example, that for EUR@a.example"), "{told}");
    // One way alone gives nothing back.
    let mut one_way = good.clone();
    one_way.rates.truncate(1);
    one_way.rates[0].numerator = 1_000;
    assert_eq!(one_way.check(1), Ok(()));
}

#[test]
fn a_rate_that_is_over_gains_nothing_and_nothing_is_exchanged_by_terms_that_do() {
    let mut terms = terms(&node("a.example"), &node("b.example"), (500, 500));
    let [give, get] = [0, 1].map(|at| terms.assets[at].asset.id());
    (terms.rates[0].numerator, terms.rates[0].denominator, terms.rates[0].until_ms) = (1, 2, 100);
    let gain = |terms: &Terms, now| matches!(terms.check(now), Err(TermsError::Gain(_)));
    // For two there is one, and 2.9 for that one, as long as both hold.
    assert!(gain(&terms, 99) && !gain(&terms, 100));
    // As an earlier version has put them into force.
    let got = |now| (terms.exchange(give, 10, get, now), terms.exchange(get, 10, give, now));
    assert_eq!(got(99), (None, None));
    assert_eq!(got(100), (None, Some(29)));
    terms.rates[0].denominator = 3;
    assert_eq!(terms.exchange(give, 10, get, 99), Some(3));
}

/// Terms with so many assets, and these rates between them: from, to, numerator, denominator.
fn rated(assets: usize, rates: &[(usize, usize, u64, u64)]) -> Terms {
    let mut terms = terms(&node("a.example"), &node("b.example"), (500, 500));
    for at in terms.assets.len()..assets {
        let mut covered = terms.assets[at % 2].clone();
        covered.asset.code = format!("X{at}").parse().unwrap();
        terms.assets.push(covered);
    }
    let rate = terms.rates[0];
    let ids: Vec<_> = terms.assets.iter().map(|covered| covered.asset.id()).collect();
    let made = rates.iter().map(|(give, get, numerator, denominator)| {
        let (give, get) = (ids[*give], ids[*get]);
        Rate { give, get, numerator: *numerator, denominator: *denominator, ..rate }
    });
    terms.rates = made.collect();
    terms
}

#[test]
fn nobody_has_more_by_exchanging_round_a_ring() {
    let gain = |terms: &Terms, ring: &[usize]| {
        let assets = ring.iter().map(|at| terms.assets[*at].asset.clone()).collect();
        assert_eq!(terms.check(1), Err(TermsError::Gain(assets)));
    };
    // Each pair alone gives nothing back; the three together do.
    let ring = [(0, 1, 2, 1), (1, 2, 3, 1), (2, 0, 1, 6)];
    assert_eq!(rated(3, &ring).check(1), Ok(()), "even is not more");
    let more = rated(3, &[ring[0], ring[1], (2, 0, 10, 59)]);
    gain(&more, &[0, 1, 2]);
    let told = more.check(1).unwrap_err().to_string();
    assert!(told.contains("EUR@b.example, that for X2@a.example, that for EUR@a.example"), "{told}");
    assert_eq!(rated(3, &[(1, 0, 2, 1), (2, 1, 3, 1), (0, 2, 10, 61)]).check(1), Ok(()));
    // A ring that is reached by a rate which is none of it, and one behind a ring that is even.
    gain(&rated(4, &[(3, 0, 9, 1), ring[0], ring[1], (2, 0, 10, 59)]), &[0, 1, 2]);
    gain(&rated(5, &[ring[0], ring[1], ring[2], (2, 3, 1, 9), (3, 4, 7, 1), (4, 2, 4, 3)]), &[2, 3, 4]);
    // All sixteen, by as little as there is, with numbers as large as there are: nothing overflows or is rounded away.
    let all = |last: (u64, u64)| -> Vec<_> {
        let around = (0..15).map(|at| (at, at + 1, u64::MAX, u64::MAX - 1));
        let back = (0..15).map(|at| (at + 1, at, u64::MAX - 1, u64::MAX));
        around.chain([(15, 0, last.0, last.1)]).chain(back).collect()
    };
    gain(&rated(16, &all((1, 1))), &(0..16).collect::<Vec<_>>());
    assert_eq!(rated(16, &all((u64::MAX - 16, u64::MAX))).check(1), Ok(()));
}

#[test]
fn a_link_is_opened_once_and_by_its_nodes() {
    let (a, b, c) = (node("a.example"), node("b.example"), node("c.example"));
    let good = terms(&a, &b, (500, 500));
    let mut disk = Disk::new(["alice"]);
    let mut open = |own, terms: &Terms| disk.run(1, |sheet| open_link(sheet, own, terms.clone(), 1));
    assert_eq!(open(&c, &good), Err(LinkError::Terms(TermsError::Parties)));
    assert_eq!(open(&a, &good), Ok(()));
    assert_eq!(open(&a, &good), Ok(()), "again is nothing");
    let other = terms(&a, &b, (501, 500));
    assert_eq!(open(&a, &other), Err(LinkError::TermsVersion { expected: 2 }));
    assert_eq!(disk.rows.accounts.len(), 4, "for each asset the account with the peer, and the position");
    assert!(disk.replays());
    let none = disk.run(1, |sheet| change_terms(sheet, &a, terms(&a, &c, (1, 1)), 1));
    assert_eq!(none, Err(LinkError::NoLink));
}

#[test]
fn terms_have_two_signatures() {
    let [alices, bobs, mallorys] = [1_u8, 2, 3].map(|n| SigningKey::from_bytes(&[n; 32]));
    let key = |of: &SigningKey| of.verifying_key().to_bytes();
    let (a, b) = (node("a.example"), node("b.example"));
    let (good, other) = (terms(&a, &b, (500, 500)), terms(&a, &b, (501, 500)));
    let agreed = |one: &Terms, other: &Terms, by: &SigningKey| Agreed {
        one: Signed::sign(one, &alices),
        other: Signed::sign(other, by),
    };
    let both = agreed(&good, &good, &bobs);
    assert_eq!(both.verify(&key(&alices), &key(&bobs)), Ok(good.clone()));
    let travelled: Agreed<Terms> = decode(&encode(&both), 1 << 16).unwrap();
    assert_eq!(travelled, both);
    assert_eq!(both.verify(&key(&bobs), &key(&alices)), Err(SignedError::Signature));
    assert_eq!(agreed(&good, &other, &bobs).verify(&key(&alices), &key(&bobs)), Err(SignedError::Signature));
    let forged = agreed(&good, &good, &mallorys);
    assert_eq!(forged.verify(&key(&alices), &key(&bobs)), Err(SignedError::Signature));
    let alone = agreed(&good, &good, &alices);
    assert_eq!(alone.verify(&key(&alices), &key(&alices)), Err(SignedError::Signature), "one is not two");
}

#[test]
fn messages_under_other_terms_wait_until_the_operator_has_followed() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 500)).unwrap();
    // a.example goes first: what it sends now is under terms that b.example does not have yet.
    let second = next(&pair, 600);
    install(&mut pair, A, &second).unwrap();
    install(&mut pair, A, &second).unwrap();
    assert_eq!(pair.send(A, pair.prepare(A, A, 11, 100)), Ok(Sent::Asked(State::Waiting)));
    let arrived = Received::Taken(Some(Notice::Arrived(TransferId([10; 16]))));
    assert_eq!(pair.carry(A), [Ok(arrived), Err(LinkError::OtherTerms)]);
    pair.ack(B).unwrap();
    // What b.example says is still under the first.
    pair.run(B, |sheet, peer, now| accept(sheet, peer, TransferId([10; 16]), now)).unwrap();
    assert!(matches!(pair.carry(B)[..], [Ok(Received::Taken(Some(_)))]));
    install(&mut pair, B, &second).unwrap();
    let arrived = Received::Taken(Some(Notice::Arrived(TransferId([11; 16]))));
    assert_eq!(pair.carry(A), [Ok(arrived)]);
    pair.settle_down();
    assert!(pair.disks.iter().all(Disk::replays));
    // Whoever has gone over to new terms does not go back.
    let old = pair.disks[B].link(&pair.names[A]).recent[0];
    let back = Body::Status { payment: TransferId([11; 16]) };
    let back = Message { terms: old, ..pair.forge(A, back) };
    assert_eq!(pair.hear_forged(B, &back), Err(LinkError::OtherTerms));
}

#[test]
fn a_lower_limit_lets_only_less() {
    let mut pair = Pair::new();
    pair.send(A, pair.prepare(A, A, 10, 400)).unwrap();
    pair.send(A, pair.prepare(A, A, 11, 100)).unwrap();
    let lower = next(&pair, 50);
    install(&mut pair, B, &lower).unwrap();
    // It is judged by what is in force at b.example when it comes.
    let told = |n| Notice::Answered(TransferId([n; 16]), State::Rejected(Reason::Limit));
    let told = [10, 11].map(|n| Ok(Received::Taken(Some(told(n)))));
    assert_eq!(pair.carry(A), told);
    assert_eq!(pair.carry(B)[0], Err(LinkError::OtherTerms), "a.example has to follow");
    install(&mut pair, A, &lower).unwrap();
    pair.settle_down();
    assert_eq!(pair.money(A), (1_000, 0, 0, 0));
    assert_eq!(pair.send(A, pair.prepare(A, A, 12, 50)), Ok(Sent::Asked(State::Waiting)));
}

#[test]
fn terms_follow_one_another() {
    let mut pair = Pair::new();
    let second = next(&pair, 600);
    let third = Terms { version: 3, ..second.clone() };
    assert_eq!(install(&mut pair, A, &third), Err(LinkError::TermsVersion { expected: 2 }));
    let mut less = second.clone();
    less.assets.truncate(1);
    less.rates.clear();
    assert_eq!(install(&mut pair, A, &less), Err(LinkError::AssetGone(pair.asset(B))));
    let mut more = second.clone();
    let mut points = more.assets[1].clone();
    points.asset.code = "POINTS".parse().unwrap();
    more.assets.push(points);
    more.lifetime_ms_max = LIFETIME_MS / 2;
    install(&mut pair, A, &more).unwrap();
    assert!(pair.disks[A].replays());
    // The peer is silent: its last message was under the first terms, which are not forgotten.
    let mut terms = more;
    let refused = loop {
        terms.version += 1;
        match install(&mut pair, A, &terms) {
            Ok(()) => {}
            refused => break refused,
        }
    };
    assert_eq!((refused, terms.version), (Err(LinkError::TermsUnseen), 9));
}

/// Chains of hashes go over what is encoded: another encoding of the same message would look like a second
/// message under its number, and a link would stand still with every peer that has the earlier version.
#[test]
fn the_encoding_is_settled() {
    let pair = Pair::new();
    let message = pair.forge(A, Body::Prepare(pair.prepare(A, A, 10, 300)));
    let body = encode(&message);
    assert_eq!(encode(&decode::<Message>(&body, 4_096).unwrap()), body, "read and written it is the same");
    assert_eq!(format!("{:?}", Message::hash(&body)), "d46aa212");
    let fulfil = Body::Fulfil { payment: TransferId([1; 16]), given: sum(&pair, 5), got: sum(&pair, 6) };
    assert_eq!(format!("{:?}", Message::hash(&encode(&pair.forge(B, fulfil)))), "a6769dfa");
    let reject = Body::Reject { payment: TransferId([1; 16]), reason: Reason::NotCovered };
    assert_eq!(format!("{:?}", Message::hash(&encode(&pair.forge(B, reject)))), "e1cbeed3");
    assert_eq!(format!("{:?}", pair.disks[A].link(&pair.names[B]).terms.digest()), "b0a65c69");
}

fn sum(pair: &Pair, amount: u64) -> Sum {
    Sum { asset: pair.asset(A), amount }
}

#[test]
fn by_a_rate_of_a_ring_in_terms_of_before_nothing_is_exchanged_until_it_is_over() {
    // Two for one, three for that, and a sixth and a little more of that: and a way out of it, and one that is even.
    let ring = [(0, 1, 2, 1), (1, 2, 3, 1), (2, 0, 10, 59)];
    let mut terms = rated(5, &[ring[0], ring[1], ring[2], (2, 3, 1, 2), (3, 4, 2, 1), (4, 3, 1, 2)]);
    let ids: Vec<_> = terms.assets.iter().map(|covered| covered.asset.id()).collect();
    let got = |terms: &Terms, now| {
        let rates = terms.rates.iter();
        rates.map(|rate| terms.exchange(rate.give, 600, rate.get, now)).collect::<Vec<_>>()
    };
    assert_eq!(got(&terms, 99), [None, None, None, Some(300), Some(1_200), Some(300)]);
    assert_eq!(terms.least_for(ids[0], ids[1], 10, 99), None);
    terms.rates[1].until_ms = 100;
    assert!(terms.check(99).is_err() && terms.check(100).is_ok());
    assert_eq!(got(&terms, 100), [Some(1_200), None, Some(101), Some(300), Some(1_200), Some(300)]);
}
