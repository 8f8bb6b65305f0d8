//! The payer's node: a payment is held and asked for, and asked after.

use super::{
    Aim, Body, Link, LinkBooks, LinkError, MEMO_BYTES_MAX, Payment, Prepare, Reason, State, Terms, Way,
    books::{Outcome, Step, book, find, running},
    channel::journal,
    legs::{is_alike, legs},
    state::derived,
    waiting::{enter, room},
};
use crate::{Purpose, Refusal};
use weft_wire::{
    AccountId, Millis, NodeName, TransferId,
    wallet::{Intent, Payee},
};

/// What came of asking for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The money is held, or was; and what is known of it by now.
    Asked(State),
    /// The ledger is against it, now or when it was asked for first, and keeps that: who still wants it takes
    /// a new id.
    Refused {
        /// What is against it, in the words of the link: [`Reason::Limit`] and [`Reason::NotCovered`] are the
        /// link's accounts, [`Reason::Blocked`] is the payer's.
        reason: Reason,
        /// What is against it, in the ledger's.
        refusal: Refusal,
    },
}

/// Holds a payment to somebody at the peer and asks the peer for it, both in the same commit. `source` is the
/// account that pays: a person's, a red packet's. The same payment again gives its first result, as things
/// stand now.
///
/// # Errors
/// [`LinkError::Payment`] for what may be tried again, [`LinkError::IdConflict`], [`LinkError::JournalFull`],
/// [`LinkError::Frozen`].
pub fn send<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    source: AccountId,
    prepare: Prepare,
    now: Millis,
) -> Outcome<Sent, B> {
    if prepare.aim == Aim::Settlement {
        return Err(LinkError::Malformed("a settlement has no payer"));
    }
    start(books, peer, Some(source), prepare, now)
}

/// Proposes to the other operator that so much of what the issuer of an asset owes is settled: the memo says
/// where and how. With a second sum ([`Prepare::get`]) what the two owe each other is set off. It is a
/// payment that the other operator accepts or declines.
///
/// # Errors
/// As [`send`].
pub fn settle<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    prepare: Prepare,
    now: Millis,
) -> Outcome<Sent, B> {
    if prepare.aim != Aim::Settlement {
        return Err(LinkError::Malformed("a settlement is for no person"));
    }
    start(books, peer, None, prepare, now)
}

/// Asks the peer what became of a payment of which nothing is heard. Asked once, it is not asked again before
/// there is an answer.
///
/// # Errors
/// [`LinkError::UnknownPayment`], [`LinkError::AlreadyDecided`], [`LinkError::JournalFull`],
/// [`LinkError::Frozen`].
pub fn ask<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    payment: TransferId,
    _now: Millis,
) -> Outcome<(), B> {
    let mut link = running(books, peer)?;
    let mut record = find(books, peer, Way::Out, payment)?.ok_or(LinkError::UnknownPayment)?;
    match record.state {
        State::Waiting if record.asked => return Ok(()),
        State::Waiting => record.asked = true,
        state => return Err(LinkError::AlreadyDecided(state)),
    }
    journal(books, &mut link, Body::Status { payment })?;
    books.put_payment(record);
    books.put_link(link);
    Ok(())
}

fn start<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    source: Option<AccountId>,
    prepare: Prepare,
    now: Millis,
) -> Outcome<Sent, B> {
    let mut link = running(books, peer)?;
    let mut legs = legs(&link, &prepare, Way::Out, source);
    if let Some(known) = find(books, peer, Way::Out, prepare.payment)? {
        // Of one that was lost and reconciled only the id is known: it is not sent a second time.
        let is_same = known.prepare.is_none()
            || (known.prepare.as_ref() == Some(&prepare) && is_alike(&known.legs, &legs));
        return if is_same { Ok(Sent::Asked(known.state)) } else { Err(LinkError::IdConflict) };
    }
    let busy = room(books, &link, Way::Out, &prepare)?;
    if let Some(reason) = objection(&link, &prepare, Way::Out, now).or(busy) {
        return Err(LinkError::Payment(reason));
    }
    if let Some(original) = prepare.refunds {
        let original = given_back(books, &link, &prepare, original, Way::In)?;
        let original = original.ok_or(LinkError::Payment(Reason::Refund))?;
        legs.iter_mut().for_each(|leg| leg.refunds = Some(original));
    }
    let what = (purpose(&prepare.aim), prepare.payment);
    if let Err((_, refusal)) = book(books, &legs, Step::Hold, what, now)? {
        let reason = reason(&link, &prepare, refusal, source.is_none());
        return Ok(Sent::Refused { reason, refusal });
    }
    journal(books, &mut link, Body::Prepare(prepare.clone()))?;
    enter(books, &mut link, Way::Out, &prepare)?;
    books.put_payment(Payment {
        id: prepare.payment,
        peer: peer.clone(),
        way: Way::Out,
        prepare: Some(prepare),
        state: State::Waiting,
        legs,
        undone: Vec::new(),
        thawed: false,
        lost: None,
        at_ms: now,
        decided_ms: None,
        asked: false,
    });
    books.put_link(link);
    Ok(Sent::Asked(State::Waiting))
}

/// The transfer by which the money of `original` moved here, if `prepare` may give it back: a payment that came the other
/// way (`way`) between the same two people, of the same asset, which was not exchanged. How much of it is left, the ledger knows.
pub(super) fn given_back<B: LinkBooks>(
    books: &B,
    link: &Link,
    prepare: &Prepare,
    original: TransferId,
    way: Way,
) -> Outcome<Option<TransferId>, B> {
    let Some(record) = find(books, &link.peer, way, original)? else { return Ok(None) };
    let (Some(paid), [leg], State::Fulfilled) = (&record.prepare, record.legs.as_slice(), record.state)
    else {
        return Ok(None);
    };
    let (Aim::Payment { payer, payee, intent }, Aim::Payment { payer: giver, payee: taker, .. }) =
        (&paid.aim, &prepare.aim)
    else {
        return Ok(None);
    };
    // A shop gives back as itself, whoever there has signed for it.
    let is_back = payee.address() == Some(giver) && *taker == Payee::Person(payer.clone());
    if !is_back || paid.get.is_some() || prepare.get.is_some() || paid.give.asset != prepare.give.asset {
        return Ok(None);
    }
    // What was held went over by its answer.
    let at_once = way == Way::In && *intent == Intent::Payment;
    Ok(Some(if at_once { leg.transfer } else { TransferId::of_answer(leg.transfer) }))
}

/// The id of a transfer that a payment makes: nobody names it, and no other payer's node can make the same
/// one.
pub(super) fn transfer(payer: &NodeName, payment: TransferId, at: u8) -> TransferId {
    TransferId(derived("weft/link-transfer/1", &[payer.as_str().as_bytes(), &payment.0, &[at]]))
}

/// What is against a payment whoever pays it, as the terms and the clock are.
pub(super) fn objection(link: &Link, prepare: &Prepare, way: Way, now: Millis) -> Option<Reason> {
    let terms = &link.terms;
    let got = prepare.got();
    if prepare.memo.len() > MEMO_BYTES_MAX {
        return Some(Reason::Memo);
    }
    if prepare.give.amount == 0 || got.amount == 0 {
        return Some(Reason::Amount);
    }
    if terms.covered(prepare.give.asset).is_none() || terms.covered(got.asset).is_none() {
        return Some(Reason::UnknownAsset);
    }
    if prepare.expires_ms <= now {
        return Some(Reason::Expired);
    }
    if prepare.expires_ms - now > terms.lifetime_ms_max {
        return Some(Reason::Lifetime);
    }
    if let Some(got) = prepare.get {
        let (give, settles) = (prepare.give, prepare.aim == Aim::Settlement);
        let is_fit = if settles {
            // What is set off is of both nodes.
            link.is_issuer(give.asset) != link.is_issuer(got.asset)
        } else {
            // The payee's node gives what it issues.
            link.is_issuer(got.asset) == (way == Way::In)
        };
        if !is_fit || !is_at_rate(terms, Some(prepare), now) {
            return Some(Reason::Rate);
        }
    }
    if prepare.refunds.is_some() && prepare.aim == Aim::Settlement {
        return Some(Reason::Refund);
    }
    people(link, &prepare.aim, way)
}

/// Whether what is given for something else is what the terms say now.
pub(super) fn is_at_rate(terms: &Terms, prepare: Option<&Prepare>, now: Millis) -> bool {
    let Some((prepare, got)) = prepare.and_then(|prepare| Some((prepare, prepare.get?))) else { return true };
    let rule = if prepare.aim == Aim::Settlement { Terms::set_off } else { Terms::exchange };
    rule(terms, prepare.give.asset, prepare.give.amount, got.asset, now) == Some(got.amount)
}

/// Whether payer and payee are of the nodes that they should be of.
fn people(link: &Link, aim: &Aim, way: Way) -> Option<Reason> {
    let Aim::Payment { payer, payee, intent } = aim else { return None };
    let (from, to) = if way == Way::Out { (&link.own, &link.peer) } else { (&link.peer, &link.own) };
    match (payee, intent) {
        _ if payer.node != *from => Some(Reason::ForeignPayer),
        _ if payee.address().is_some_and(|payee| payee.node != *to) => Some(Reason::UnknownPayee),
        // What is bought, or was billed, is paid at once.
        (Payee::Merchant(_) | Payee::Invoice(_), Intent::Transfer) => Some(Reason::Intent),
        (_, Intent::Payment | Intent::Transfer) => None,
        _ => Some(Reason::Intent),
    }
}

/// What statements call it.
pub(super) fn purpose(aim: &Aim) -> Purpose {
    match aim {
        Aim::Payment { .. } => Purpose::Remote,
        Aim::Settlement => Purpose::Settlement,
    }
}

/// The ledger's refusal in the words of the link. `debited`: the link's account, or the position, is the one
/// that gives.
pub(super) fn reason(link: &Link, prepare: &Prepare, refusal: Refusal, debited: bool) -> Reason {
    let is_issuer = link.is_issuer(prepare.give.asset);
    match (refusal, &prepare.aim) {
        // What is owed cannot become less than nothing.
        (Refusal::Floor | Refusal::Cap, Aim::Settlement) => Reason::NotCovered,
        (Refusal::Floor, _) if debited && is_issuer => Reason::NotCovered,
        (Refusal::Floor, _) if debited => Reason::Limit,
        (Refusal::Cap, _) if !debited && is_issuer => Reason::Limit,
        (Refusal::Cap, _) if !debited => Reason::NotCovered,
        (
            Refusal::AboveOriginal | Refusal::OtherWay | Refusal::UnknownOriginal | Refusal::NothingToRefund,
            _,
        ) => Reason::Refund,
        _ => Reason::Blocked,
    }
}
