//! What a payment moves in this node's books, as it follows from what was asked for; also for whoever looks afterwards.

use super::{Aim, Leg, Link, Payment, Prepare, State, Sum, Way, send::transfer, state::derived};
use weft_wire::{AccountId, NodeName, TransferId};

/// What a payment moves, apart from what it gives back by that. `person`: whose money it is here; none of a settlement.
pub(super) fn legs(link: &Link, prepare: &Prepare, way: Way, person: Option<AccountId>) -> Vec<Leg> {
    let Some(person) = person else {
        return settlement(link, prepare, if way == Way::Out { &link.own } else { &link.peer });
    };
    let (give, got, over) = (prepare.give, prepare.got(), link.account(prepare.give.asset));
    let leg = |transfer, debit, credit, sum: Sum| Leg {
        transfer,
        debit,
        credit,
        amount: sum.amount,
        refunds: None,
    };
    let id = |at| transfer(&link.peer, prepare.payment, at);
    match (way, prepare.get) {
        (Way::Out, _) => vec![leg(prepare.payment, person, over, give)],
        (Way::In, None) => vec![leg(id(0), over, person, give)],
        (Way::In, Some(_)) => {
            let taken = leg(id(0), over, link.position(give.asset), give);
            vec![taken, leg(id(1), link.position(got.asset), person, got)]
        }
    }
}

/// What a settlement moves here, whoever proposed it: the issuer owes less, the other has less with it.
fn settlement(link: &Link, prepare: &Prepare, proposer: &NodeName) -> Vec<Leg> {
    let leg = |(at, sum): (u8, Sum)| {
        let (over, position) = (link.account(sum.asset), link.position(sum.asset));
        let (debit, credit) = if link.is_issuer(sum.asset) { (over, position) } else { (position, over) };
        let own = proposer == &link.own && at == 0;
        let transfer = if own { prepare.payment } else { transfer(proposer, prepare.payment, at) };
        Leg { transfer, debit, credit, amount: sum.amount, refunds: None }
    };
    (0..).zip([prepare.give].into_iter().chain(prepare.get)).map(leg).collect()
}

/// What goes out of the node's position to whoever is to have a payment that came here by the word of a thaw alone. `None`: it is no
/// payment to somebody here, or nobody knows any more how much it was.
pub(super) fn found(link: &Link, payment: &Payment, to: AccountId) -> Option<(Leg, Sum)> {
    let sum = match (&payment.prepare, payment.lost) {
        (Some(prepare), _) if prepare.aim != Aim::Settlement => prepare.got(),
        (None, Some(lost)) if !lost.settles => lost.give,
        _ => return None,
    };
    let id = [payment.peer.as_str().as_bytes(), payment.id.0.as_slice()];
    let transfer = TransferId(derived("weft/link-found/1", &id));
    let (debit, amount) = (link.position(sum.asset), sum.amount);
    let leg = Leg { transfer, debit, credit: to, amount, refunds: None };
    (payment.way == Way::In).then_some((leg, sum))
}

/// Whether they move the same, apart from what they give back.
pub(super) fn is_alike(one: &[Leg], other: &[Leg]) -> bool {
    let bare = |leg: &Leg| Leg { refunds: None, ..*leg };
    one.iter().map(bare).eq(other.iter().map(bare))
}

/// Whether the legs of a payment are those that it has to have: what was asked for, or what a thaw has made of that. `person`: whose
/// money it is here; none of a settlement, and of what nobody knows any more.
#[must_use]
pub fn is_as_asked(link: &Link, payment: &Payment, person: Option<AccountId>) -> bool {
    let prepare = payment.prepare.as_ref();
    if let Some(prepare) = prepare
        && (prepare.aim == Aim::Settlement) != person.is_none()
    {
        return false;
    }
    let asked = prepare.map(|prepare| legs(link, prepare, payment.way, person)).unwrap_or_default();
    let is_asked = |legs: &[Leg]| prepare.is_some() && is_alike(legs, &asked);
    let is_found = |legs: &[Leg]| match legs {
        [leg] => found(link, payment, leg.credit)
            .is_some_and(|(found, _)| found == *leg && (prepare.is_none() || person == Some(leg.credit))),
        _ => false,
    };
    let (now, before) = (payment.legs.as_slice(), payment.undone.as_slice());
    if !payment.thawed {
        // Also of what was lost, and of what was refused as it came.
        let is_bare = prepare.is_none() && now.is_empty() && payment.state != State::Waiting;
        return before.is_empty() && (is_asked(now) || is_bare);
    }
    let known = |legs: &[Leg]| legs.is_empty() || is_asked(legs) || is_found(legs);
    let has_been_asked = prepare.is_none() || is_asked(now) || is_asked(before);
    payment.state != State::Waiting && known(now) && known(before) && has_been_asked
}
