//! Books in memory: for tests, for doing the events of a ledger again, and for measuring.

use crate::{Account, Books, Entry, Movement, Outcome, Standing};
use serde::Serialize;
use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
};
use weft_wire::{AccountId, Millis, TransferId};

/// All rows of a ledger.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    newest: u64,
    accounts: HashMap<AccountId, Account>,
    entries: HashMap<TransferId, Entry>,
    standings: HashMap<TransferId, Standing>,
    /// Pending transfers that end by themselves.
    due: BTreeSet<(Millis, TransferId)>,
}

/// The whole state in one order, whatever the order in which it came to be.
#[derive(Serialize)]
struct Image<'a> {
    newest: u64,
    accounts: Vec<&'a Account>,
    entries: Vec<&'a Entry>,
    standings: Vec<(TransferId, &'a Standing)>,
}

impl Memory {
    /// The accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The transfers that were done or refused, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The pending transfers whose time is over by then, the earliest first.
    pub fn due(&self, now: Millis) -> impl Iterator<Item = TransferId> {
        self.due.iter().take_while(move |(expires_ms, _)| *expires_ms <= now).map(|(_, id)| *id)
    }

    /// The state as bytes. Two ledgers to which the same happened have the same.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut accounts: Vec<_> = self.accounts.values().collect();
        accounts.sort_unstable_by_key(|account| account.id);
        let mut entries: Vec<_> = self.entries.values().collect();
        entries.sort_unstable_by_key(|entry| entry.transfer.id);
        let mut standings: Vec<_> = self.standings.iter().map(|(id, standing)| (*id, standing)).collect();
        standings.sort_unstable_by_key(|(id, _)| *id);
        weft_wire::encode(&Image { newest: self.newest, accounts, entries, standings })
    }
}

impl Books for Memory {
    type Fault = Infallible;

    fn account(&self, id: AccountId) -> Result<Option<Account>, Infallible> {
        Ok(self.accounts.get(&id).cloned())
    }

    fn entry(&self, id: TransferId) -> Result<Option<Entry>, Infallible> {
        Ok(self.entries.get(&id).copied())
    }

    fn standing(&self, id: TransferId) -> Result<Option<Standing>, Infallible> {
        Ok(self.standings.get(&id).copied())
    }

    fn newest(&self) -> Result<u64, Infallible> {
        Ok(self.newest)
    }

    fn advance(&mut self, newest: u64) {
        self.newest = newest;
    }

    fn put_account(&mut self, account: Account) {
        self.accounts.insert(account.id, account);
    }

    fn put_entry(&mut self, entry: Entry) {
        if let (Outcome::Done, Movement::Pending { expires_ms: Some(expires_ms), .. }) =
            (entry.outcome, entry.transfer.movement)
        {
            self.due.insert((expires_ms, entry.transfer.id));
        }
        self.entries.insert(entry.transfer.id, entry);
    }

    fn put_standing(&mut self, id: TransferId, standing: Standing) {
        if standing.resolution.is_some()
            && let Some(Movement::Pending { expires_ms: Some(expires_ms), .. }) =
                self.entries.get(&id).map(|entry| entry.transfer.movement)
        {
            self.due.remove(&(expires_ms, id));
        }
        self.standings.insert(id, standing);
    }
}
