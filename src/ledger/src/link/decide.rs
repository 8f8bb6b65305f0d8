//! Decisions: the payee's node makes them, the payer's node follows.

use super::{
    Aim, Body, Freeze, Leg, Link, LinkBooks, LinkError, Payment, Prepare, Reason, State, Sum, TOMBSTONES_MAX,
    Way,
    books::{Outcome, Step, book, find, running},
    channel::journal,
    legs::legs,
    receive::{Halt, Notice},
    send::{given_back, is_at_rate, objection, purpose, reason},
    waiting::{enter, leave, room},
};
use crate::LedgerError;
use weft_wire::{Millis, NodeName, TransferId, wallet::Intent};

type Taken<B> = Result<Option<Notice>, Halt<<B as crate::Books>::Fault>>;

/// A decision that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// What was decided.
    pub state: State,
    /// It was made at an earlier time.
    pub replayed: bool,
}

/// The payee takes a payment, or the operator agrees to a settlement: it is posted, and FULFIL journalled. If it is not at the rate of
/// the terms any more, it is rejected: who may wait with a yes must not wait for a better rate, and nobody's money for a worse one. So
/// it is where the books are against it by now ([`LinkBooks::against`]).
///
/// # Errors
/// [`LinkError::UnknownPayment`], [`LinkError::Expired`], [`LinkError::AlreadyDecided`],
/// [`LinkError::Frozen`], [`LinkError::JournalFull`].
pub fn accept<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    payment: TransferId,
    now: Millis,
) -> Outcome<Decided, B> {
    let (mut link, record) = waiting(books, peer, payment)?;
    match record.state {
        State::Waiting if record.due_ms().is_none_or(|due_ms| due_ms <= now) => Err(LinkError::Expired),
        State::Waiting if !is_at_rate(&link.terms, record.prepare.as_ref(), now) => {
            decide(books, &mut link, record, State::Rejected(Reason::Rate), now)
        }
        State::Waiting => {
            let against = match &record.prepare {
                Some(prepare) => books.against(prepare).map_err(LinkError::Books)?,
                None => None,
            };
            let state = against.map_or(State::Fulfilled, State::Rejected);
            decide(books, &mut link, record, state, now)
        }
        state @ State::Fulfilled => Ok(Decided { state, replayed: true }),
        state => Err(LinkError::AlreadyDecided(state)),
    }
}

/// The payee, or the operator, gives it back: it is voided, and REJECT journalled.
///
/// # Errors
/// As [`accept`], without [`LinkError::Expired`].
pub fn decline<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    payment: TransferId,
    now: Millis,
) -> Outcome<Decided, B> {
    let (mut link, record) = waiting(books, peer, payment)?;
    match record.state {
        State::Waiting => decide(books, &mut link, record, State::Rejected(Reason::Declined), now),
        state @ State::Rejected(Reason::Declined) => Ok(Decided { state, replayed: true }),
        state => Err(LinkError::AlreadyDecided(state)),
    }
}

/// Nobody took it in time: it is voided, and REJECT journalled.
///
/// # Errors
/// As [`decline`], and [`LinkError::NotDue`].
pub fn expire<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    payment: TransferId,
    now: Millis,
) -> Outcome<Decided, B> {
    let (mut link, record) = waiting(books, peer, payment)?;
    match record.state {
        State::Waiting if record.due_ms().is_some_and(|due_ms| now < due_ms) => Err(LinkError::NotDue),
        State::Waiting => decide(books, &mut link, record, State::Rejected(Reason::Expired), now),
        state @ State::Rejected(Reason::Expired) => Ok(Decided { state, replayed: true }),
        state => Err(LinkError::AlreadyDecided(state)),
    }
}

fn waiting<B: LinkBooks>(books: &B, peer: &NodeName, payment: TransferId) -> Outcome<(Link, Payment), B> {
    let link = running(books, peer)?;
    let record = find(books, peer, Way::In, payment)?.ok_or(LinkError::UnknownPayment)?;
    Ok((link, record))
}

/// Decides what waits here, and puts the link.
fn decide<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    record: Payment,
    state: State,
    now: Millis,
) -> Outcome<Decided, B> {
    let record = resolve(books, record, state, now)?;
    leave(books, link, &record)?;
    answer(books, link, &record)?;
    books.put_payment(record);
    books.put_link(link.clone());
    Ok(Decided { state, replayed: false })
}

/// Posts or voids what a payment holds.
pub(super) fn resolve<B: LinkBooks>(
    books: &mut B,
    record: Payment,
    state: State,
    now: Millis,
) -> Outcome<Payment, B> {
    let step = if state == State::Fulfilled { Step::Post } else { Step::Void };
    let aim = record.prepare.as_ref().map(|prepare| purpose(&prepare.aim));
    let what = (aim.unwrap_or(crate::Purpose::Remote), record.id);
    if let Err((at, refusal)) = book(books, &record.legs, step, what, now)? {
        // The hold was resolved by somebody else than the link.
        return Err(LinkError::Ledger(LedgerError::Refused { at, refusal, replayed: false }));
    }
    if record.way == Way::Out {
        let told =
            if matches!(step, Step::Void) { books.released(&record) } else { books.went_over(&record) };
        told.map_err(LinkError::Books)?;
    }
    Ok(Payment { state, decided_ms: Some(now), asked: false, ..record })
}

/// Journals what stands in the record of a payment of the peer's.
fn answer<B: LinkBooks>(books: &mut B, link: &mut Link, record: &Payment) -> Outcome<(), B> {
    let payment = record.id;
    let body = match (record.state, &record.prepare) {
        (State::Waiting, _) => Body::Waiting { payment },
        (State::Fulfilled, Some(prepare)) => {
            Body::Fulfil { payment, given: prepare.give, got: prepare.got() }
        }
        // What it was is lost with what came before a thaw: the other side has it decided by the same thaw.
        (State::Fulfilled, None) => Body::Waiting { payment },
        (State::Rejected(reason), _) => Body::Reject { payment, reason },
    };
    journal(books, link, body).map(drop)
}

/// PREPARE: it is held for the payee, fulfilled at once, or rejected.
pub(super) fn on_prepare<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    prepare: Prepare,
    now: Millis,
) -> Taken<B> {
    let payment = prepare.payment;
    if let Some(known) = find(books, &link.peer, Way::In, payment)? {
        if known.prepare.as_ref().is_some_and(|earlier| *earlier != prepare) {
            return Err(Freeze::OtherPrepare { payment }.into());
        }
        answer(books, link, &known)?;
        return Ok(None);
    }
    let mut record = Payment {
        id: payment,
        peer: link.peer.clone(),
        way: Way::In,
        prepare: Some(prepare.clone()),
        state: State::Waiting,
        legs: Vec::new(),
        undone: Vec::new(),
        thawed: false,
        lost: None,
        at_ms: now,
        decided_ms: None,
        asked: false,
    };
    match hold(books, link, &prepare, now)? {
        Ok((legs, state)) => (record.legs, record.state) = (legs, state),
        // That it was rejected is all that is said of it from now on: whoever asks for what is refused fills no disk.
        Err(reason) => (record.prepare, record.state) = (None, State::Rejected(reason)),
    }
    let notice = match record.state {
        State::Waiting => {
            enter(books, link, Way::In, &prepare)?;
            Notice::Arrived(payment)
        }
        decided => {
            record.decided_ms = Some(now);
            answer(books, link, &record)?;
            if decided != State::Fulfilled {
                books.rejected(link, payment);
            }
            Notice::Answered(payment, decided)
        }
    };
    books.put_payment(record);
    Ok(Some(notice))
}

/// Holds a payment for its payee, or posts it. `Ok(Err)`: why it is rejected.
#[allow(clippy::type_complexity)]
fn hold<B: LinkBooks>(
    books: &mut B,
    link: &Link,
    prepare: &Prepare,
    now: Millis,
) -> Outcome<Result<(Vec<Leg>, State), Reason>, B> {
    if let Some(reason) = objection(link, prepare, Way::In, now) {
        return Ok(Err(reason));
    }
    let (legs, at_once) = match &prepare.aim {
        Aim::Settlement if !books.settles() => return Ok(Err(Reason::Intent)),
        Aim::Settlement => (legs(link, prepare, Way::In, None), false),
        Aim::Payment { intent, .. } => {
            let payee = match books.payee(prepare).map_err(LinkError::Books)? {
                Ok(payee) => payee,
                Err(reason) => return Ok(Err(reason)),
            };
            let mut legs = legs(link, prepare, Way::In, Some(payee));
            if let Some(original) = prepare.refunds {
                let original = given_back(books, link, prepare, original, Way::Out)?;
                let Some(original) = original else { return Ok(Err(Reason::Refund)) };
                legs.iter_mut().for_each(|leg| leg.refunds = Some(original));
            }
            (legs, *intent == Intent::Payment)
        }
    };
    if !at_once && let Some(busy) = room(books, link, Way::In, prepare)? {
        return Ok(Err(busy));
    }
    let step = if at_once { Step::Move } else { Step::Hold };
    match book(books, &legs, step, (purpose(&prepare.aim), prepare.payment), now)? {
        Ok(()) => Ok(Ok((legs, if at_once { State::Fulfilled } else { State::Waiting }))),
        Err((at, refusal)) if at == 0 || prepare.aim == Aim::Settlement => {
            Ok(Err(reason(link, prepare, refusal, true)))
        }
        Err(_) => Ok(Err(Reason::Blocked)),
    }
}

/// FULFIL: it is posted, however late.
pub(super) fn on_fulfil<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    payment: TransferId,
    sums: (Sum, Sum),
    now: Millis,
) -> Taken<B> {
    let record = ours(books, link, payment)?;
    let is_same = |prepare: &Prepare| (prepare.give, prepare.got()) == sums;
    if record.prepare.as_ref().is_some_and(|prepare| !is_same(prepare)) {
        return Err(Freeze::OtherAmount { payment }.into());
    }
    follow(books, link, record, State::Fulfilled, now)
}

/// REJECT: it is voided.
pub(super) fn on_reject<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    payment: TransferId,
    reason: Reason,
    now: Millis,
) -> Taken<B> {
    let record = ours(books, link, payment)?;
    follow(books, link, record, State::Rejected(reason), now)
}

/// The answer to a question: it is not decided.
pub(super) fn on_waiting<B: LinkBooks>(books: &mut B, link: &Link, payment: TransferId) -> Taken<B> {
    let record = ours(books, link, payment)?;
    if record.state != State::Waiting {
        return Err(Freeze::Contradiction { payment }.into());
    }
    books.put_payment(Payment { asked: false, ..record });
    Ok(Some(Notice::StillWaiting(payment)))
}

/// STATUS: the answer of before, that it waits, or a tombstone.
pub(super) fn on_status<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    payment: TransferId,
    now: Millis,
) -> Taken<B> {
    let Some(record) = find(books, &link.peer, Way::In, payment)? else {
        if link.tombstones >= TOMBSTONES_MAX {
            return Err(Freeze::Flood.into());
        }
        link.tombstones += 1;
        let tombstone = Payment {
            id: payment,
            peer: link.peer.clone(),
            way: Way::In,
            prepare: None,
            state: State::Rejected(Reason::Unknown),
            legs: Vec::new(),
            undone: Vec::new(),
            thawed: false,
            lost: None,
            at_ms: now,
            decided_ms: Some(now),
            asked: false,
        };
        answer(books, link, &tombstone)?;
        books.put_payment(tombstone);
        return Ok(Some(Notice::Answered(payment, State::Rejected(Reason::Unknown))));
    };
    if record.due_ms().is_some_and(|due_ms| due_ms <= now) {
        let state = State::Rejected(Reason::Expired);
        let record = resolve(books, record, state, now)?;
        leave(books, link, &record)?;
        answer(books, link, &record)?;
        books.put_payment(record);
        return Ok(Some(Notice::Answered(payment, state)));
    }
    answer(books, link, &record)?;
    Ok(None)
}

/// A payment of this node's people that the peer speaks of.
fn ours<B: LinkBooks>(books: &B, link: &Link, payment: TransferId) -> Result<Payment, Halt<B::Fault>> {
    match find(books, &link.peer, Way::Out, payment)? {
        Some(record) => Ok(record),
        None if find(books, &link.peer, Way::In, payment)?.is_some() => {
            Err(Freeze::NotTheirs { payment }.into())
        }
        None => Err(Freeze::UnknownPayment { payment }.into()),
    }
}

/// Does as the payee's node decided. The same decision again changes nothing; another one is a contradiction.
fn follow<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    record: Payment,
    state: State,
    now: Millis,
) -> Taken<B> {
    let payment = record.id;
    match (record.state, state) {
        (State::Waiting, _) => {
            let record = resolve(books, record, state, now)?;
            leave(books, link, &record)?;
            books.put_payment(record);
            Ok(Some(Notice::Decided(payment, state)))
        }
        (State::Fulfilled, State::Fulfilled) | (State::Rejected(_), State::Rejected(_)) => Ok(None),
        _ => Err(Freeze::Contradiction { payment }.into()),
    }
}
