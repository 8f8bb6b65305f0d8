//! Where the rows of links are, and how their money moves.

use super::{Digest, Leg, Link, LinkError, Outgoing, Payment, Prepare, Reason, Way};
use crate::{Account, Books, Event, LedgerError, Movement, Purpose, Refusal, Transfer, open_account, post};
use weft_wire::{AccountId, Millis, NodeName, TransferId, UserAddress};

/// The rows of a ledger, with those of its links beside them: one commit takes both.
///
/// Unlike [`Books`] these may be read after something was put: what was put is read again as it was put.
/// Whenever a verb ends with an error, a fault of the books included, all that it has put is to be thrown
/// away.
pub trait LinkBooks: Books {
    /// The link with a peer, if there is one.
    ///
    /// # Errors
    /// The row is not at hand, as for all that follows.
    fn link(&self, peer: &NodeName) -> Result<Option<Link>, Self::Fault>;
    /// A payment.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn payment(&self, peer: &NodeName, way: Way, id: TransferId) -> Result<Option<Payment>, Self::Fault>;
    /// A message that is not confirmed.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn outgoing(&self, peer: &NodeName, seq: u64) -> Result<Option<Outgoing>, Self::Fault>;
    /// The hash of a message of the peer's that was taken.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn heard(&self, peer: &NodeName, seq: u64) -> Result<Option<Digest>, Self::Fault>;
    /// The account of whoever is to be paid here, for what they get; it is opened if there is none yet. `Ok(Err)`: why they do not
    /// take it. A payment that is taken at once is taken in the same commit: what was looked at for that is so until then.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn payee(&mut self, prepare: &Prepare) -> Result<Result<AccountId, Reason>, Self::Fault>;

    /// Why a payment that waits cannot be taken any more, if it cannot: what it is rejected for, whoever says yes.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn against(&self, prepare: &Prepare) -> Result<Option<Reason>, Self::Fault> {
        let _ = prepare;
        Ok(None)
    }

    /// Whether there is somebody here who says yes or no to a settlement. Where there is not, it is rejected at once: it would hold
    /// what it is about until its time is over.
    fn settles(&self) -> bool {
        true
    }

    /// How many payments of a payer wait for their decision, as [`LinkBooks::put_waiting_of`] has kept it; 0 if it has kept nothing.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn waiting_of(&self, peer: &NodeName, way: Way, payer: &UserAddress) -> Result<u32, Self::Fault>;
    /// Keeps that number.
    fn put_waiting_of(&mut self, peer: &NodeName, way: Way, payer: &UserAddress, count: u32);
    /// What was held for a payment of this node's people is free again: the peer has rejected it, or both operators say that it did not
    /// happen. The payment is as it was before.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn released(&mut self, payment: &Payment) -> Result<(), Self::Fault> {
        let _ = payment;
        Ok(())
    }
    /// What was held for a payment of this node's people has gone over. The payment is as it was before.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn went_over(&mut self, payment: &Payment) -> Result<(), Self::Fault> {
        let _ = payment;
        Ok(())
    }
    /// This payment of the peer's was rejected as it came, by the last message that was journalled. Once the
    /// peer has confirmed that message, the payment may be forgotten: who has taken a REJECT sends its PREPARE
    /// no more, and of a node that has lost it in a backup a thaw comes first.
    fn rejected(&mut self, link: &Link, payment: TransferId) {
        let _ = (link, payment);
    }

    /// Keeps a link, in place of what it was.
    fn put_link(&mut self, link: Link);
    /// Keeps a payment, in place of what it was. [`Payment::due_ms`] is what an index of those that expire
    /// needs.
    fn put_payment(&mut self, payment: Payment);
    /// Keeps a message until it is confirmed.
    fn put_outgoing(&mut self, peer: &NodeName, outgoing: Outgoing);
    /// It is confirmed.
    fn drop_outgoing(&mut self, peer: &NodeName, seq: u64);
    /// Keeps the hash of a message that was taken.
    fn put_heard(&mut self, peer: &NodeName, seq: u64, hash: Digest);
    /// It is not asked for any more.
    fn drop_heard(&mut self, peer: &NodeName, seq: u64);

    /// The ledger has done this just now, or refused it and keeps that: books that keep the ledger's events
    /// write it down.
    ///
    /// # Errors
    /// As [`LinkBooks::link`].
    fn log(&mut self, event: Event) -> Result<(), Self::Fault> {
        let _ = event;
        Ok(())
    }
}

pub(super) type Outcome<T, B> = Result<T, LinkError<<B as Books>::Fault>>;

/// A link that is there.
pub(super) fn known<B: LinkBooks>(books: &B, peer: &NodeName) -> Outcome<Link, B> {
    books.link(peer).map_err(LinkError::Books)?.ok_or(LinkError::NoLink)
}

/// A link that is there and not frozen.
pub(super) fn running<B: LinkBooks>(books: &B, peer: &NodeName) -> Outcome<Link, B> {
    let link = known(books, peer)?;
    match &link.frozen {
        Some(frozen) => Err(LinkError::Frozen(frozen.why)),
        None => Ok(link),
    }
}

pub(super) fn find<B: LinkBooks>(
    books: &B,
    peer: &NodeName,
    way: Way,
    id: TransferId,
) -> Outcome<Option<Payment>, B> {
    books.payment(peer, way, id).map_err(LinkError::Books)
}

/// What is done with the legs of a payment.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// They are held, for as long as it takes: that they end is the link's to say, not a clock's.
    Hold,
    /// They move at once.
    Move,
    /// What was held moves.
    Post,
    /// What was held is released.
    Void,
}

/// Does one step with all legs of a payment. `Ok(Err)`: the ledger is against it, at this leg, and keeps
/// that.
pub(super) fn book<B: LinkBooks>(
    books: &mut B,
    legs: &[Leg],
    step: Step,
    (purpose, about): (Purpose, TransferId),
    now: Millis,
) -> Outcome<Result<(), (u8, Refusal)>, B> {
    let transfer = |leg: &Leg| {
        let Leg { transfer, debit, credit, amount, refunds } = *leg;
        let (id, movement) = match step {
            Step::Hold => (transfer, Movement::Pending { debit, credit, amount, expires_ms: None, refunds }),
            Step::Move => (transfer, Movement::Posted { debit, credit, amount, refunds }),
            // One id for both answers, so that the ledger as well takes only one.
            Step::Post => (TransferId::of_answer(transfer), Movement::Post { pending: transfer, amount }),
            Step::Void => (TransferId::of_answer(transfer), Movement::Void { pending: transfer }),
        };
        Transfer { id, movement, purpose, about: about.0 }
    };
    chain(books, legs.iter().map(transfer).collect(), now)
}

/// Does a chain and has it logged, also if it is refused.
pub(super) fn chain<B: LinkBooks>(
    books: &mut B,
    chain: Vec<Transfer>,
    now: Millis,
) -> Outcome<Result<(), (u8, Refusal)>, B> {
    let (outcome, replayed) = match post(books, &chain, now) {
        Ok(done) => (Ok(()), done.replayed),
        Err(LedgerError::Refused { at, refusal, replayed }) => (Err((at, refusal)), replayed),
        Err(error) => return Err(error.into()),
    };
    if !replayed {
        books.log(Event::Chain(chain)).map_err(LinkError::Books)?;
    }
    Ok(outcome)
}

/// Opens an account that is not there, and has that logged.
pub(super) fn open<B: LinkBooks>(books: &mut B, account: Account, now: Millis) -> Outcome<(), B> {
    let Account { id, asset, kind, bounds, .. } = account;
    let before = books.newest().map_err(LinkError::Books)?;
    open_account(books, account, now)?;
    if books.newest().map_err(LinkError::Books)? > before {
        books.log(Event::Open { id, asset, kind, bounds }).map_err(LinkError::Books)?;
    }
    Ok(())
}
