//! The rows of the ledger, as [`weft_ledger`] wants them, and the log beside them.

use super::{
    error::WalletError,
    records::{AccountRecord, EntryRecord, EventRecord, HeadRecord, LoggedEvent, StandingRecord},
    sheet::{Sheet, Stop},
};
use weft_ledger::{
    Account, Books, Bounds, Done, Entry, Freeze, LedgerError, Movement, Outcome, Standing, Transfer,
};
use weft_store::tables;
use weft_wire::{AccountId, Millis, TransferId};

/// The key of the one row of its table.
pub(super) const HEAD: &[u8] = b"head";

impl Books for Sheet<'_> {
    type Fault = Stop;

    fn account(&self, id: AccountId) -> Result<Option<Account>, Stop> {
        Ok(self.get::<AccountRecord>(tables::LEDGER_ACCOUNTS, id.0)?.map(|record| record.0))
    }

    fn entry(&self, id: TransferId) -> Result<Option<Entry>, Stop> {
        Ok(self.get::<EntryRecord>(tables::LEDGER_ENTRIES, id.0)?.map(|record| record.0))
    }

    fn standing(&self, id: TransferId) -> Result<Option<Standing>, Stop> {
        Ok(self.get::<StandingRecord>(tables::LEDGER_STANDINGS, id.0)?.map(|record| record.0))
    }

    fn newest(&self) -> Result<u64, Stop> {
        Ok(self.get::<HeadRecord>(tables::LEDGER_HEAD, HEAD)?.map_or(0, |head| head.newest))
    }

    fn advance(&mut self, newest: u64) {
        self.put(tables::LEDGER_HEAD, HEAD, &HeadRecord { newest });
    }

    fn put_account(&mut self, account: Account) {
        let id = account.id;
        self.put(tables::LEDGER_ACCOUNTS, id.0, &AccountRecord(account));
    }

    fn put_entry(&mut self, entry: Entry) {
        let id = entry.transfer.id;
        self.put(tables::LEDGER_ENTRIES, id.0, &EntryRecord(entry));
        if let (Outcome::Done, Some(moved)) = (entry.outcome, entry.moved) {
            for account in [moved.debit, moved.credit] {
                self.mark(tables::LEDGER_HISTORY, history_key(account, entry.number, id));
            }
            if let Movement::Pending { expires_ms: Some(expires_ms), .. } = entry.transfer.movement {
                self.mark(tables::LEDGER_DUE, due_key(expires_ms, id));
            }
        }
    }

    fn put_standing(&mut self, id: TransferId, standing: Standing) {
        self.put(tables::LEDGER_STANDINGS, id.0, &StandingRecord(standing));
        if standing.resolution.is_some() {
            // Whoever resolves a transfer has read it: its entry is at hand.
            let _ = self.forget_due(id);
        }
    }
}

/// Where a pending transfer stands among those that end by themselves.
fn due_key(expires_ms: Millis, id: TransferId) -> Vec<u8> {
    [expires_ms.to_be_bytes().as_slice(), &id.0].concat()
}

/// Where a transfer stands in an account's history.
pub(super) fn history_key(account: AccountId, number: u64, transfer: TransferId) -> Vec<u8> {
    [account.0.as_slice(), &number.to_be_bytes(), &transfer.0].concat()
}

impl Sheet<'_> {
    /// Does a chain and writes it into the log, also if it is refused.
    pub(super) fn post(&mut self, chain: &[Transfer]) -> Result<Done, Stop> {
        let outcome = weft_ledger::post(self, chain, self.now);
        self.log_chain(chain.iter().map(|transfer| transfer.id).collect(), outcome)
    }

    /// Nothing ends by itself any more here.
    pub(super) fn forget_due(&mut self, id: TransferId) -> Result<(), Stop> {
        if let Some(entry) = self.entry(id)?
            && let Movement::Pending { expires_ms: Some(expires_ms), .. } = entry.transfer.movement
        {
            self.delete(tables::LEDGER_DUE, due_key(expires_ms, id));
        }
        Ok(())
    }

    /// Releases a pending transfer whose time is over.
    pub(super) fn expire(&mut self, pending: TransferId) -> Result<Done, Stop> {
        let outcome = weft_ledger::expire(self, pending, self.now);
        self.log_chain(vec![TransferId::of_expiry(pending)], outcome)
    }

    fn log_chain(
        &mut self,
        ids: Vec<TransferId>,
        outcome: Result<Done, LedgerError<Stop>>,
    ) -> Result<Done, Stop> {
        match outcome {
            Ok(done) => {
                if !done.replayed {
                    self.write_down(LoggedEvent::Chain(ids))?;
                }
                Ok(done)
            }
            Err(LedgerError::Books(stop)) => Err(stop),
            Err(error @ LedgerError::Refused { replayed: false, .. }) => {
                let is_kept = ids.first().map(|id| self.entry(*id)).transpose()?.flatten().is_some();
                if !is_kept {
                    return Err(WalletError::from(error).into());
                }
                self.write_down(LoggedEvent::Chain(ids))?;
                Err(Stop::Kept(error.into()))
            }
            Err(error) => Err(WalletError::from(error).into()),
        }
    }

    /// Opens an account, if it is not there.
    pub(super) fn open(&mut self, account: Account) -> Result<(), Stop> {
        let Account { id, asset, kind, bounds, .. } = account;
        let before = self.newest()?;
        through(weft_ledger::open_account(self, account, self.now))?;
        if self.newest()? == before {
            Ok(())
        } else {
            self.write_down(LoggedEvent::Open { id, asset, kind, bounds })
        }
    }

    /// Changes what an account may do.
    pub(super) fn change(&mut self, id: AccountId, bounds: Bounds, freeze: Freeze) -> Result<(), Stop> {
        through(weft_ledger::change_account(self, id, bounds, freeze))?;
        self.write_down(LoggedEvent::Change { id, bounds, freeze })
    }

    pub(super) fn write_down(&mut self, event: LoggedEvent) -> Result<(), Stop> {
        let number = self.newest()?;
        let record = EventRecord { at_ms: self.now, event };
        self.put(tables::LEDGER_LOG, number.to_be_bytes(), &record);
        Ok(())
    }
}

/// What the books have stopped goes on stopping; the rest is the wallet's to say.
fn through(outcome: Result<(), LedgerError<Stop>>) -> Result<(), Stop> {
    outcome.map_err(|error| match error {
        LedgerError::Books(stop) => stop,
        error => WalletError::from(error).into(),
    })
}
