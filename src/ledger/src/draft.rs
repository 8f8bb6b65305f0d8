//! What a chain would change: it reaches the books when all of it is possible.

use crate::{Account, Books, Entry, LedgerError, Standing};
use weft_wire::{AccountId, TransferId};

/// Rows that were touched, over the books. A chain is short, so that lists are searched faster than tables.
pub(crate) struct Draft<'a, B> {
    pub(crate) books: &'a mut B,
    accounts: Vec<Account>,
    entries: Vec<Entry>,
    standings: Vec<(TransferId, Standing)>,
}

impl<'a, B: Books> Draft<'a, B> {
    pub(crate) fn new(books: &'a mut B) -> Self {
        Draft { books, accounts: Vec::new(), entries: Vec::new(), standings: Vec::new() }
    }

    pub(crate) fn account(&mut self, id: AccountId) -> Result<Option<&mut Account>, LedgerError<B::Fault>> {
        let known = self.accounts.iter().position(|account| account.id == id);
        let at = match known {
            Some(at) => at,
            None => match self.books.account(id).map_err(LedgerError::Books)? {
                Some(account) => {
                    self.accounts.push(account);
                    self.accounts.len() - 1
                }
                None => return Ok(None),
            },
        };
        Ok(self.accounts.get_mut(at))
    }

    pub(crate) fn entry(&self, id: TransferId) -> Result<Option<Entry>, LedgerError<B::Fault>> {
        match self.entries.iter().find(|entry| entry.transfer.id == id) {
            Some(entry) => Ok(Some(*entry)),
            None => self.books.entry(id).map_err(LedgerError::Books),
        }
    }

    pub(crate) fn standing(&mut self, id: TransferId) -> Result<&mut Standing, LedgerError<B::Fault>> {
        let at = match self.standings.iter().position(|(known, _)| *known == id) {
            Some(at) => at,
            None => {
                let standing = self.books.standing(id).map_err(LedgerError::Books)?.unwrap_or_default();
                self.standings.push((id, standing));
                self.standings.len() - 1
            }
        };
        self.standings.get_mut(at).map(|(_, standing)| standing).ok_or(LedgerError::Malformed("a chain"))
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// All of it happens.
    pub(crate) fn commit(self, number: u64) {
        self.books.advance(number);
        self.accounts.into_iter().for_each(|account| self.books.put_account(account));
        self.entries.into_iter().for_each(|entry| self.books.put_entry(entry));
        self.standings.into_iter().for_each(|(id, standing)| self.books.put_standing(id, standing));
    }

    /// Nothing of it happens, but these are kept.
    pub(crate) fn refuse(self, number: u64, entries: Vec<Entry>) {
        self.books.advance(number);
        entries.into_iter().for_each(|entry| self.books.put_entry(entry));
    }
}
