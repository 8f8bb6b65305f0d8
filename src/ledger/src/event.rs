//! Everything that changes a ledger, as it can be written down and done again.

use crate::{Account, AccountKind, Books, Bounds, Freeze, LedgerError, Transfer, expire, post};
use serde::{Deserialize, Serialize};
use weft_wire::{AccountId, AssetId, Millis, TransferId};

/// One event. The events of a ledger in their order, each with its time, are the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An account is opened.
    Open {
        /// Its id.
        id: AccountId,
        /// What it holds.
        asset: AssetId,
        /// What it is for.
        kind: AccountKind,
        /// How far it may go.
        bounds: Bounds,
    },
    /// What an account may do changes.
    Change {
        /// Which account.
        id: AccountId,
        /// How far it may go now.
        bounds: Bounds,
        /// Whether it takes part.
        freeze: Freeze,
    },
    /// Transfers are asked for, all of them or none.
    Chain(Vec<Transfer>),
    /// The time of a pending transfer is over.
    Expire(TransferId),
}

/// Does an event. What is refused is an event as well: doing it again refuses it again.
///
/// # Errors
/// As the function that the event stands for.
pub fn apply<B: Books>(books: &mut B, event: &Event, now: Millis) -> Result<(), LedgerError<B::Fault>> {
    match event {
        Event::Open { id, asset, kind, bounds } => {
            let account = Account { bounds: *bounds, ..Account::new(*id, *asset, *kind) };
            open_account(books, account, now)
        }
        Event::Change { id, bounds, freeze } => change_account(books, *id, *bounds, *freeze),
        Event::Chain(chain) => post(books, chain, now).map(drop),
        Event::Expire(pending) => expire(books, *pending, now).map(drop),
    }
}

/// Opens an account. One that is there already is left as it is, if it is the same.
///
/// # Errors
/// [`LedgerError::IdConflict`] if it holds something else or is for something else; [`LedgerError::Malformed`] if there is
/// something in it already, or its bounds leave no room.
pub fn open_account<B: Books>(
    books: &mut B,
    account: Account,
    _now: Millis,
) -> Result<(), LedgerError<B::Fault>> {
    if account.balances != crate::Balances::default() || account.freeze != Freeze::None {
        return Err(LedgerError::Malformed("a new account is empty"));
    }
    check(account.bounds).map_err(LedgerError::Malformed)?;
    match books.account(account.id).map_err(LedgerError::Books)? {
        Some(known) if (known.asset, known.kind) == (account.asset, account.kind) => Ok(()),
        Some(_) => Err(LedgerError::IdConflict),
        None => {
            let number = books.newest().map_err(LedgerError::Books)? + 1;
            books.advance(number);
            books.put_account(account);
            Ok(())
        }
    }
}

/// Changes what an account may do. What it has may lie outside the new bounds: it then moves only towards them.
///
/// # Errors
/// [`LedgerError::UnknownAccount`], [`LedgerError::Malformed`].
pub fn change_account<B: Books>(
    books: &mut B,
    id: AccountId,
    bounds: Bounds,
    freeze: Freeze,
) -> Result<(), LedgerError<B::Fault>> {
    check(bounds).map_err(LedgerError::Malformed)?;
    let account = books.account(id).map_err(LedgerError::Books)?.ok_or(LedgerError::UnknownAccount)?;
    let number = books.newest().map_err(LedgerError::Books)? + 1;
    books.advance(number);
    books.put_account(Account { bounds, freeze, ..account });
    Ok(())
}

fn check(bounds: Bounds) -> Result<(), &'static str> {
    match (bounds.floor, bounds.cap) {
        (Some(floor), Some(cap)) if floor > cap => Err("an account's floor is above its cap"),
        _ => Ok(()),
    }
}
