//! How many payments wait: of a link, and of each payer, so that no single one shuts it for all others.

use super::{
    Aim, Link, LinkBooks, LinkError, PAYER_WAITING_MAX, Payment, Prepare, Reason, WAITING_MAX, Way,
    books::Outcome,
};
use weft_wire::UserAddress;

/// Why one more cannot wait, if it cannot.
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
    Ok((all >= WAITING_MAX || own >= PAYER_WAITING_MAX).then_some(Reason::Busy))
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
