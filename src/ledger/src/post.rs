//! What a chain of transfers does to the books.

use crate::{
    Account, Books, Entry, Hold, LedgerError, Movement, Outcome, Purpose, Refusal, Resolution, Side,
    Transfer, draft::Draft,
};
use weft_wire::{AccountId, Millis, TransferId};

/// Transfers of one chain.
pub const CHAIN_MAX: usize = 16;

/// That a chain was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its transfers as they are kept.
    pub entries: Vec<Entry>,
    /// It was done at an earlier time.
    pub replayed: bool,
}

/// Why one transfer does not go: the books are against it, or cannot be read.
enum Stop<F> {
    Refused(Refusal),
    Broken(LedgerError<F>),
}

impl<F> From<Refusal> for Stop<F> {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl<F> From<LedgerError<F>> for Stop<F> {
    fn from(error: LedgerError<F>) -> Self {
        Stop::Broken(error)
    }
}

type Step<T, B> = Result<T, Stop<<B as Books>::Fault>>;

/// Does a chain of transfers: all of it, or nothing. Where there is one transfer it is a chain of one.
///
/// # Errors
/// [`LedgerError`]. A refusal is kept as well; after any other error the books are as they were.
pub fn post<B: Books>(books: &mut B, chain: &[Transfer], now: Millis) -> Result<Done, LedgerError<B::Fault>> {
    check(chain).map_err(LedgerError::Malformed)?;
    if let Some(earlier) = earlier(books, chain)? {
        return earlier;
    }
    let number = books.newest().map_err(LedgerError::Books)? + 1;
    let entry = |transfer: &Transfer, outcome, moved| Entry {
        transfer: *transfer,
        chain: chain.first().map_or(transfer.id, |first| first.id),
        chain_len: chain.len() as u8,
        number,
        at_ms: now,
        outcome,
        moved,
    };
    let mut draft = Draft::new(books);
    let mut entries = Vec::with_capacity(chain.len());
    for (at, transfer) in chain.iter().enumerate() {
        match movement(&mut draft, transfer, now) {
            Ok(moved) => {
                let done = entry(transfer, Outcome::Done, Some(moved));
                draft.add(done);
                entries.push(done);
            }
            Err(Stop::Broken(error)) => return Err(error),
            Err(Stop::Refused(refusal)) => {
                let at = at as u8;
                let refused =
                    chain.iter().map(|transfer| entry(transfer, Outcome::Refused { at, refusal }, None));
                draft.refuse(number, refused.collect());
                return Err(LedgerError::Refused { at, refusal, replayed: false });
            }
        }
    }
    draft.commit(number);
    Ok(Done { entries, replayed: false })
}

/// Releases a pending transfer whose time is over.
///
/// # Errors
/// [`LedgerError`]. That there is no such transfer, that it is not pending, or not due, is not kept.
pub fn expire<B: Books>(
    books: &mut B,
    pending: TransferId,
    now: Millis,
) -> Result<Done, LedgerError<B::Fault>> {
    let refused = |refusal| LedgerError::Refused { at: 0, refusal, replayed: false };
    let entry = books.entry(pending).map_err(LedgerError::Books)?;
    let entry =
        entry.filter(|entry| entry.outcome == Outcome::Done).ok_or(refused(Refusal::UnknownPending))?;
    let Movement::Pending { expires_ms, .. } = entry.transfer.movement else {
        return Err(refused(Refusal::NotPending));
    };
    if expires_ms.is_none_or(|expires_ms| now < expires_ms) {
        return Err(refused(Refusal::NotDue));
    }
    let (id, movement) = (TransferId::of_expiry(pending), Movement::Void { pending });
    post(books, &[Transfer { id, movement, purpose: Purpose::Expiry, about: entry.transfer.about }], now)
}

/// What can be told from the chain alone.
fn check(chain: &[Transfer]) -> Result<(), &'static str> {
    if !(1..=CHAIN_MAX).contains(&chain.len()) {
        return Err("a chain has 1 to 16 transfers");
    }
    for (at, transfer) in chain.iter().enumerate() {
        if chain.iter().take(at).any(|other| other.id == transfer.id) {
            return Err("two transfers of a chain have the same id");
        }
        match transfer.movement {
            Movement::Posted { amount: 0, .. }
            | Movement::Pending { amount: 0, .. }
            | Movement::Post { amount: 0, .. } => return Err("an amount is at least 1"),
            Movement::Posted { debit, credit, .. } | Movement::Pending { debit, credit, .. }
                if debit == credit =>
            {
                return Err("the two accounts are one");
            }
            _ => {}
        }
    }
    Ok(())
}

/// The answer of an earlier time, if the chain was asked for before.
#[allow(clippy::type_complexity)]
fn earlier<B: Books>(
    books: &B,
    chain: &[Transfer],
) -> Result<Option<Result<Done, LedgerError<B::Fault>>>, LedgerError<B::Fault>> {
    let mut entries = Vec::new();
    for transfer in chain {
        entries.extend(books.entry(transfer.id).map_err(LedgerError::Books)?);
    }
    let Some(first) = entries.first().copied() else { return Ok(None) };
    let is_same = |entry: &Entry, transfer: &Transfer| {
        entry.transfer == *transfer
            && entry.chain == first.chain
            && usize::from(entry.chain_len) == chain.len()
    };
    let whole = entries.len() == chain.len() && chain.first().is_some_and(|own| own.id == first.chain);
    if !whole || !entries.iter().zip(chain).all(|(entry, transfer)| is_same(entry, transfer)) {
        return Err(LedgerError::IdConflict);
    }
    Ok(Some(match first.outcome {
        Outcome::Done => Ok(Done { entries, replayed: true }),
        Outcome::Refused { at, refusal } => Err(LedgerError::Refused { at, refusal, replayed: true }),
    }))
}

fn movement<B: Books>(draft: &mut Draft<'_, B>, transfer: &Transfer, now: Millis) -> Step<Hold, B> {
    match transfer.movement {
        Movement::Posted { debit, credit, amount, refunds } => {
            let hold = Hold { debit, credit, amount };
            refund(draft, refunds, hold)?;
            take(draft, hold, false)?;
            Ok(hold)
        }
        Movement::Pending { debit, credit, amount, expires_ms, refunds } => {
            if expires_ms.is_some_and(|expires_ms| expires_ms <= now) {
                return Err(Refusal::PendingExpired.into());
            }
            let hold = Hold { debit, credit, amount };
            refund(draft, refunds, hold)?;
            take(draft, hold, true)?;
            Ok(hold)
        }
        Movement::Post { pending, amount } => {
            let (held, expires_ms, refunds) = pending_of(draft, pending)?;
            if amount > held.amount {
                return Err(Refusal::AbovePending.into());
            }
            if expires_ms.is_some_and(|expires_ms| expires_ms <= now) {
                return Err(Refusal::PendingExpired.into());
            }
            resolve(draft, pending, Resolution { by: transfer.id, posted: amount }, held, refunds)?;
            Ok(Hold { amount, ..held })
        }
        Movement::Void { pending } => {
            let (held, _, refunds) = pending_of(draft, pending)?;
            resolve(draft, pending, Resolution { by: transfer.id, posted: 0 }, held, refunds)?;
            Ok(held)
        }
    }
}

/// Both accounts take a new amount.
fn take<B: Books>(draft: &mut Draft<'_, B>, hold: Hold, pending: bool) -> Step<(), B> {
    let debit = both(draft, hold.debit, Side::Debit)?.asset;
    if both(draft, hold.credit, Side::Credit)?.asset != debit {
        return Err(Refusal::AssetsDiffer.into());
    }
    both(draft, hold.debit, Side::Debit)?.take(Side::Debit, pending, hold.amount)?;
    both(draft, hold.credit, Side::Credit)?.take(Side::Credit, pending, hold.amount)?;
    Ok(())
}

fn both<'a, B: Books>(draft: &'a mut Draft<'_, B>, id: AccountId, side: Side) -> Step<&'a mut Account, B> {
    draft.account(id)?.ok_or(Stop::Refused(Refusal::UnknownAccount(side)))
}

/// A pending transfer that waits: what it holds, until when, and what it refunds.
#[allow(clippy::type_complexity)]
fn pending_of<B: Books>(
    draft: &mut Draft<'_, B>,
    id: TransferId,
) -> Step<(Hold, Option<Millis>, Option<TransferId>), B> {
    let entry = draft.entry(id)?.filter(|entry| entry.outcome == Outcome::Done);
    let entry = entry.ok_or(Refusal::UnknownPending)?;
    let Movement::Pending { debit, credit, amount, expires_ms, refunds } = entry.transfer.movement else {
        return Err(Refusal::NotPending.into());
    };
    match draft.standing(id)?.resolution {
        None => Ok((Hold { debit, credit, amount }, expires_ms, refunds)),
        Some(Resolution { posted: 0, .. }) => Err(Refusal::AlreadyVoided.into()),
        Some(_) => Err(Refusal::AlreadyPosted.into()),
    }
}

/// What was held is held no more, and what of it is posted moves. Bounds were kept when it was held: they are not asked again,
/// nor is a freeze that came since.
fn resolve<B: Books>(
    draft: &mut Draft<'_, B>,
    pending: TransferId,
    resolution: Resolution,
    held: Hold,
    refunds: Option<TransferId>,
) -> Step<(), B> {
    draft.standing(pending)?.resolution = Some(resolution);
    for (id, side) in [(held.debit, Side::Debit), (held.credit, Side::Credit)] {
        let balances = &mut both(draft, id, side)?.balances;
        balances.release(side, held.amount)?;
        balances.add(side, false, resolution.posted)?;
    }
    if let Some(original) = refunds {
        let standing = draft.standing(original)?;
        standing.refunded = standing.refunded.saturating_sub(held.amount - resolution.posted);
    }
    Ok(())
}

/// A refund goes back the way that the money came, and with all others is no more than that was.
fn refund<B: Books>(draft: &mut Draft<'_, B>, original: Option<TransferId>, hold: Hold) -> Step<(), B> {
    let Some(original) = original else { return Ok(()) };
    let entry = draft.entry(original)?.ok_or(Refusal::UnknownOriginal)?;
    let paid = entry.moved.filter(|_| entry.is_posted()).ok_or(Refusal::NothingToRefund)?;
    if (payer(draft, &entry, paid)?, paid.credit) != (hold.credit, hold.debit) {
        return Err(Refusal::OtherWay.into());
    }
    let standing = draft.standing(original)?;
    let refunded = standing.refunded.checked_add(hold.amount).filter(|sum| *sum <= paid.amount);
    standing.refunded = refunded.ok_or(Refusal::AboveOriginal)?;
    Ok(())
}

/// Who gets back what is given back of a payment: whoever paid it, also if it was held for a while in between.
fn payer<B: Books>(draft: &Draft<'_, B>, entry: &Entry, paid: Hold) -> Step<AccountId, B> {
    if entry.transfer.purpose != Purpose::EscrowRelease {
        return Ok(paid.debit);
    }
    let funded = draft.entry(TransferId(entry.transfer.about))?.filter(Entry::is_posted);
    let funded = funded.and_then(|funded| funded.moved).filter(|funded| funded.credit == paid.debit);
    Ok(funded.map_or(paid.debit, |funded| funded.debit))
}
