//! Where the rows are.

use crate::{Account, Entry, Standing};
use weft_wire::{AccountId, TransferId};

/// The rows of a ledger. What is asked for here is asked before anything is put, so that a reader that has to fetch a row first may
/// answer with a fault, fetch it, and have the same thing done again.
pub trait Books {
    /// Why a row cannot be read or written now.
    type Fault;

    /// An account, if there is one.
    ///
    /// # Errors
    /// The row is not at hand.
    fn account(&self, id: AccountId) -> Result<Option<Account>, Self::Fault>;
    /// A transfer that was done or refused.
    ///
    /// # Errors
    /// The row is not at hand.
    fn entry(&self, id: TransferId) -> Result<Option<Entry>, Self::Fault>;
    /// What became of it.
    ///
    /// # Errors
    /// The row is not at hand.
    fn standing(&self, id: TransferId) -> Result<Option<Standing>, Self::Fault>;
    /// The number of the newest event; 0 at first.
    ///
    /// # Errors
    /// The row is not at hand.
    fn newest(&self) -> Result<u64, Self::Fault>;

    /// Notes that there is one event more. Called once an event, before its rows are put.
    fn advance(&mut self, newest: u64);
    /// Keeps an account, in place of what it was.
    fn put_account(&mut self, account: Account);
    /// Keeps an entry. There is none of this id.
    fn put_entry(&mut self, entry: Entry);
    /// Keeps what became of a transfer, in place of what it was.
    fn put_standing(&mut self, id: TransferId, standing: Standing);
}
