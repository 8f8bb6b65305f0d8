//! The samples of links with other nodes.

use super::*;
use weft_ledger::link::{
    Agreed, Aim, Covered, Digest, Freeze, Frozen, Leg, Link, Lost, Mark, Outgoing, Payment, Prepare, Rate,
    Reason, State, Sum, Terms, Way,
};
use weft_wire::{
    AccountId, AssetId, Signed, TransferId, UserAddress,
    wallet::{Asset, Intent, Payee},
};

const FROM: AccountId = AccountId([2; 16]);
const TO: AccountId = AccountId([3; 16]);

fn there() -> UserAddress {
    "carol@other.example".parse().unwrap()
}

fn terms() -> Terms {
    let own = Asset { issuer: alice().node, code: "EUR".parse().unwrap(), scale: 2 };
    let theirs = Asset { issuer: there().node, code: "POINTS".parse().unwrap(), scale: 0 };
    let (give, get) = (own.id(), theirs.id());
    Terms {
        a: alice().node,
        b: there().node,
        version: 2,
        assets: vec![Covered { asset: own, limit: 500 }, Covered { asset: theirs, limit: 0 }],
        rates: vec![Rate { give, get, numerator: 10, denominator: 1, until_ms: TIME_MS }],
        lifetime_ms_max: 1_000,
    }
}

pub(super) fn links(all: &mut Samples) {
    let mark = |seq| Mark { seq, hash: Digest([seq as u8; 32]) };
    let link = Link {
        own: alice().node,
        peer: there().node,
        terms: terms(),
        recent: vec![terms().digest()],
        peer_terms: terms().digest(),
        era: 1,
        origin: Digest([4; 32]),
        sent: mark(7),
        confirmed: mark(5),
        taken: mark(6),
        waiting_out: 1,
        waiting_in: 2,
        tombstones: 3,
        frozen: None,
    };
    all.add(tables::LINKS, "running", &wallet::LinkRecord(link.clone()));
    let why = Freeze::BehindPeer { ours: 3, theirs: 4 };
    let frozen = Some(Frozen { why, at_ms: TIME_MS, evidence: Some(Blob(vec![9; 3])) });
    all.add(tables::LINKS, "frozen", &wallet::LinkRecord(Link { frozen, ..link }));
    payments(all);
    let outgoing = Outgoing { seq: 6, hash: Digest([6; 32]), body: Blob(vec![8; 4]) };
    all.add(tables::LINK_OUTGOING, "message", &wallet::OutgoingRecord(outgoing));
    all.add(tables::LINK_HEARD, "hash", &wallet::HeardRecord(Digest([5; 32])));
    let (ours, theirs) = (Signed::sign(&terms(), &key(2)), Signed::sign(&terms(), &key(3)));
    let asset = AssetId([1; 16]);
    let note = wallet::AssetNote { asset, title: "Points".into(), backing: "coffee".into() };
    let offered = wallet::OfferRecord {
        ours: vec![ours.clone()],
        theirs: Some(theirs.clone()),
        agreed: None,
        notes: vec![note],
        told: false,
        evidence: None,
        thaw: None,
        thawing: None,
        rivals: Vec::new(),
        withdrawn: Vec::new(),
    };
    all.add(tables::LINK_OFFERS, "offered", &offered);
    let taken_back = wallet::OfferRecord { withdrawn: vec![ours.clone()], ..Default::default() };
    all.add(tables::LINK_OFFERS, "withdrawn", &taken_back);
    let rivals = vec![ours.clone()];
    let both = Agreed { one: ours, other: theirs };
    let signed = wallet::AgreedRecord { agreed: both.clone(), at_ms: TIME_MS };
    all.add(tables::LINK_TERMS, "agreed", &signed);
    let agreed = Some(both);
    let evidence = Some(Blob(vec![7; 3]));
    let agreed = wallet::OfferRecord { agreed, told: true, evidence, ..Default::default() };
    all.add(tables::LINK_OFFERS, "agreed", &agreed);
    let thawing = wallet::OfferRecord { thaw: Some(Blob(vec![6; 3])), ..agreed.clone() };
    all.add(tables::LINK_OFFERS, "thawing", &thawing);
    let begun = wallet::ThawingRecord { digest: Digest([6; 32]), chunks: 2, begun: true };
    let begun = wallet::OfferRecord { thawing: Some(begun), rivals, ..agreed };
    all.add(tables::LINK_OFFERS, "thaw-begun", &begun);
    all.add(tables::LINK_WAITING, "two", &wallet::WaitingRecord(2));
    let rejected = wallet::RejectedRecord { payment: TransferId([4; 16]), at_ms: TIME_MS };
    all.add(tables::LINK_REJECTED, "payment", &rejected);
}

fn payments(all: &mut Samples) {
    let sum = Sum { asset: AssetId([1; 16]), amount: 5 };
    let id = TransferId([4; 16]);
    let prepare = |aim, get| Prepare {
        payment: id,
        give: sum,
        get,
        refunds: None,
        aim,
        expires_ms: TIME_MS,
        memo: Blob(vec![1]),
    };
    let person = Aim::Payment { payer: alice(), payee: Payee::Person(there()), intent: Intent::Transfer };
    let waiting = Payment {
        id,
        peer: there().node,
        way: Way::Out,
        prepare: Some(prepare(person, None)),
        state: State::Waiting,
        legs: vec![Leg { transfer: id, debit: FROM, credit: TO, amount: 5, refunds: None }],
        undone: vec![],
        thawed: false,
        lost: None,
        at_ms: TIME_MS,
        decided_ms: None,
        asked: true,
    };
    let settled = Payment {
        way: Way::In,
        prepare: Some(prepare(Aim::Settlement, Some(sum))),
        state: State::Fulfilled,
        decided_ms: Some(TIME_MS),
        asked: false,
        ..waiting.clone()
    };
    let lost =
        Payment { prepare: None, state: State::Rejected(Reason::Unknown), legs: vec![], ..settled.clone() };
    let forgotten = Payment {
        state: State::Fulfilled,
        thawed: true,
        lost: Some(Lost { give: sum, settles: true, against: Some(sum) }),
        ..lost.clone()
    };
    let flipped = Payment {
        way: Way::In,
        state: State::Fulfilled,
        legs: vec![],
        undone: waiting.legs.clone(),
        thawed: true,
        ..waiting.clone()
    };
    let mut back = waiting.clone();
    back.legs.iter_mut().for_each(|leg| leg.refunds = Some(TransferId([5; 16])));
    back.prepare.iter_mut().for_each(|prepare| prepare.refunds = Some(TransferId([6; 16])));
    for (sample, payment) in [
        ("waiting", waiting),
        ("settled", settled),
        ("tombstone", lost),
        ("gives-back", back),
        ("forgotten", forgotten),
        ("turned", flipped),
    ] {
        all.add(tables::LINK_PAYMENTS, sample, &wallet::RemoteRecord(payment));
    }
}
