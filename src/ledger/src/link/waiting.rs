//! How many payments wait: of a link, and of each payer, so that no single one shuts it for all others.

use super::{
    Aim, Link, LinkBooks, LinkError, PAYER_TRANSFERS_MAX, PAYER_WAITING_MAX, Payment, Prepare, Reason,
    TRANSFERS_MAX, WAITING_MAX, Way, books::Outcome,
};
use weft_wire::{UserAddress, wallet::Intent};

/// Why one more cannot wait, if it cannot. What is to wait for a yes at the peer leaves room for what is not:
/// whatever waits counts against it, so that it is never more than its part, and needs no count of its own.
/// What the peer asks for is the peer's to divide.
pub(super) fn room<B: LinkBooks>(
    books: &B,
    link: &Link,
    way: Way,
    prepare: &Prepare,
) -> Outcome<Option<Reason>, B> {
    let all = if way == Way::Out { link.waiting_out } else { link.waiting_in };
    let own = match payer(prepare) {
        Some(payer) => books.waiting_of(&link.peer, way, payer).map_err(LinkError::Books)?,
        None => 0,
    };
    let (all_max, own_max) = match &prepare.aim {
        Aim::Payment { intent: Intent::Transfer, .. } if way == Way::Out => {
            (TRANSFERS_MAX, PAYER_TRANSFERS_MAX)
        }
        _ => (WAITING_MAX, PAYER_WAITING_MAX),
    };
    Ok((all >= all_max || own >= own_max).then_some(Reason::Busy))
}

/// One more waits.
pub(super) fn enter<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    way: Way,
    prepare: &Prepare,
) -> Outcome<(), B> {
    count(books, link, way, Some(prepare), |count| count.saturating_add(1))
}

/// One waits no more.
pub(super) fn leave<B: LinkBooks>(books: &mut B, link: &mut Link, payment: &Payment) -> Outcome<(), B> {
    count(books, link, payment.way, payment.prepare.as_ref(), |count| count.saturating_sub(1))
}

fn count<B: LinkBooks>(
    books: &mut B,
    link: &mut Link,
    way: Way,
    prepare: Option<&Prepare>,
    step: impl Fn(u32) -> u32,
) -> Outcome<(), B> {
    let all = if way == Way::Out { &mut link.waiting_out } else { &mut link.waiting_in };
    *all = step(*all);
    if let Some(payer) = prepare.and_then(payer) {
        let own = books.waiting_of(&link.peer, way, payer).map_err(LinkError::Books)?;
        books.put_waiting_of(&link.peer, way, payer, step(own));
    }
    Ok(())
}

/// Settlements are of the nodes themselves.
fn payer(prepare: &Prepare) -> Option<&UserAddress> {
    match &prepare.aim {
        Aim::Payment { payer, .. } => Some(payer),
        Aim::Settlement => None,
    }
}
