//! What the peer says is taken: in order, once, and only as long as it fits to what it said before.

use super::{
    Ack, Body, Freeze, HEARD_MAX, Link, LinkBooks, LinkError, Mark, Message, State,
    books::{Outcome, running},
    channel::{Claims, confirm, has_room, judge, stop},
    decide::{on_fulfil, on_prepare, on_reject, on_status, on_waiting},
};
use weft_wire::{Millis, NodeName, TransferId, decode, signed::Signable};

/// What came of a message or an ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It was taken. An [`super::ack`] is due, and whoever it concerns is told.
    Taken(Option<Notice>),
    /// It was taken before. An [`super::ack`] is due.
    Again,
    /// The link stands still from now on. What was said is kept in its row; the caller keeps the signature
    /// that goes with it.
    Frozen(Freeze),
}

/// What a message has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A payment waits for its payee, or a settlement for the operator.
    Arrived(TransferId),
    /// This node has decided a payment of the peer's people by itself: posted it, or rejected it.
    Answered(TransferId, State),
    /// The peer has decided a payment of this node's people.
    Decided(TransferId, State),
    /// The peer says that a payment of this node's people is not decided.
    StillWaiting(TransferId),
}

/// Why a message is not taken.
pub(super) enum Halt<F> {
    /// It proves something: the link stands still.
    Freeze(Freeze),
    /// Nothing of it is kept.
    Error(LinkError<F>),
}

impl<F> From<Freeze> for Halt<F> {
    fn from(freeze: Freeze) -> Self {
        Halt::Freeze(freeze)
    }
}

impl<F> From<LinkError<F>> for Halt<F> {
    fn from(error: LinkError<F>) -> Self {
        Halt::Error(error)
    }
}

/// Takes a message of the peer's. `body` are the bytes that it has signed. Its answer, if there is one, is
/// journalled in the same commit.
///
/// # Errors
/// [`LinkError::Gap`] and [`LinkError::JournalFull`]: it comes again. [`LinkError::OtherTerms`]: it comes
/// again, and the operator has to see to the terms. Others: it is of no use. An [`super::ack`] is due all the
/// same: from it the peer learns what it lacks, or that the link is frozen.
pub fn receive<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    body: &[u8],
    now: Millis,
) -> Outcome<Received, B> {
    let message: Message =
        decode(body, Message::BYTES_MAX).map_err(|_| LinkError::Malformed("it is no message of a link"))?;
    let link = running(books, peer)?;
    if message.from != link.peer || message.to != link.own {
        return Err(LinkError::NotForUs);
    }
    match take(books, link, message, Message::hash(body), now) {
        Ok(received) => Ok(received),
        Err(Halt::Error(error)) => Err(error),
        // Whatever freezes a link is found before anything is put.
        Err(Halt::Freeze(why)) => {
            stop(books, peer, why, Some(body), now)?;
            Ok(Received::Frozen(why))
        }
    }
}

/// Takes what the peer says of how far it is. `body` are the bytes that it has signed.
///
/// # Errors
/// [`LinkError::Malformed`], [`LinkError::NotForUs`], [`LinkError::OtherEra`], [`LinkError::Frozen`]: it is
/// of no use.
pub fn receive_ack<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    body: &[u8],
    now: Millis,
) -> Outcome<Received, B> {
    let ack: Ack =
        decode(body, Ack::BYTES_MAX).map_err(|_| LinkError::Malformed("it is no ack of a link"))?;
    let mut link = running(books, peer)?;
    if ack.from != link.peer || ack.to != link.own {
        return Err(LinkError::NotForUs);
    }
    let claims = Claims { era: ack.era, seen: ack.seen, confirmed: ack.confirmed };
    let mut why = judge(books, &link, claims)?;
    // What it has sent by now may be more than what has come; or less, if this is late.
    if why.is_none() && ack.sent.seq == link.taken.seq && ack.sent.hash != link.taken.hash {
        why = Some(Freeze::Equivocation { seq: ack.sent.seq });
    }
    if why.is_none() && ack.frozen {
        why = Some(Freeze::ByPeer);
    }
    if let Some(why) = why {
        stop(books, peer, why, Some(body), now)?;
        return Ok(Received::Frozen(why));
    }
    if ack.seen.seq <= link.confirmed.seq {
        return Ok(Received::Again);
    }
    confirm(books, &mut link, ack.seen);
    books.put_link(link);
    Ok(Received::Taken(None))
}

fn take<B: LinkBooks>(
    books: &mut B,
    mut link: Link,
    message: Message,
    hash: super::Digest,
    now: Millis,
) -> Result<Received, Halt<B::Fault>> {
    let Message { era, seq, seen, confirmed, .. } = message;
    if let Some(freeze) = judge(books, &link, Claims { era, seen, confirmed })? {
        return Err(freeze.into());
    }
    if seq <= link.taken.seq {
        let heard = books.heard(&link.peer, seq).map_err(LinkError::Books)?;
        return match heard {
            Some(heard) if heard != hash => Err(Freeze::Equivocation { seq }.into()),
            _ => Ok(Received::Again),
        };
    }
    let expected = link.taken.seq + 1;
    if seq != expected {
        return Err(LinkError::Gap { expected, got: seq }.into());
    }
    if message.before != link.taken.hash {
        return Err(Freeze::BrokenChain { seq }.into());
    }
    let place = |digest| link.recent.iter().position(|recent| *recent == digest);
    match (place(message.terms), place(link.peer_terms)) {
        (Some(now), Some(before)) if now >= before => link.peer_terms = message.terms,
        _ => return Err(LinkError::OtherTerms.into()),
    }
    let is_answered = matches!(message.body, Body::Prepare(_) | Body::Status { .. });
    if is_answered && !has_room(&link, false) {
        return Err(LinkError::JournalFull.into());
    }
    link.taken = Mark { seq, hash };
    let notice = match message.body {
        Body::Prepare(prepare) => on_prepare(books, &mut link, prepare, now)?,
        Body::Fulfil { payment, given, got } => on_fulfil(books, &mut link, payment, (given, got), now)?,
        Body::Reject { payment, reason } => on_reject(books, &mut link, payment, reason, now)?,
        Body::Status { payment } => on_status(books, &mut link, payment, now)?,
        Body::Waiting { payment } => on_waiting(books, &link, payment)?,
    };
    confirm(books, &mut link, seen);
    books.put_heard(&link.peer, seq, hash);
    if let Some(old) = seq.checked_sub(HEARD_MAX) {
        books.drop_heard(&link.peer, old);
    }
    books.put_link(link);
    Ok(Received::Taken(notice))
}
