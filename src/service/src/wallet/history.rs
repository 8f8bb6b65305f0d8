//! What a member sees of their accounts.

use super::{
    Result, Wallet, WalletError,
    orders::state,
    records::{AccountRecord, EntryRecord, OrderKeyRecord, Owner, OwnerRecord, StandingRecord},
};
use crate::{Caller, Fault, context::joined};
use weft_ledger::{Account, Freeze, Movement, hledger};
use weft_store::{Row, Scan, tables};
use weft_wire::{
    AccountId, AssetId, TransferId,
    limits::{ASSETS_MAX, PAGE_MAX},
    wallet::{AccountList, AccountView, History, HistoryLine, Payee},
};

impl Wallet {
    /// `GET wallet/accounts`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn accounts(&self, caller: &Caller) -> Result<AccountList> {
        let prefix = joined(caller.name().as_str(), []);
        let rows = self.ctx.store.scan(tables::WALLETS, Scan::prefix(&prefix).limit(ASSETS_MAX)).await?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in rows {
            let asset = row.key.get(prefix.len()..).and_then(|id| AssetId::from_slice(id).ok());
            let asset = asset.ok_or(Fault::Internal("an account's key without an asset"))?;
            accounts.push(self.view(super::accounts::personal(caller.name(), asset)).await?);
        }
        let key: Option<OrderKeyRecord> =
            self.ctx.read(tables::ORDER_KEYS, joined(caller.name().as_str(), caller.device().0)).await?;
        Ok(AccountList { accounts, counter: key.map_or(0, |key| key.counter) })
    }

    /// `GET wallet/history?account=ID&before=NUMBER`: the newest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an account that is not the caller's.
    pub async fn history(&self, caller: &Caller, account: AccountId, before: Option<u64>) -> Result<History> {
        let owner: Option<OwnerRecord> = self.ctx.read(tables::OWNERS, account.0).await?;
        if owner.is_none_or(|owner| owner.owner != Owner::Person(caller.name().clone())) {
            return Err(WalletError::NotFound("account"));
        }
        let mut lines = Vec::new();
        let mut scan = Scan::prefix(account.0).reverse();
        if let Some(before) = before {
            scan = scan.after([account.0.as_slice(), &before.to_be_bytes()].concat());
        }
        loop {
            let rows = self.ctx.store.scan(tables::LEDGER_HISTORY, scan.clone()).await?;
            let Some(last) = rows.last() else { return Ok(History { lines, more: false }) };
            scan = scan.after(&last.key);
            for row in rows {
                let Some(line) = self.line(account, &row).await? else { continue };
                if lines.len() == PAGE_MAX {
                    return Ok(History { lines, more: true });
                }
                lines.push(line);
            }
        }
    }

    async fn view(&self, id: AccountId) -> Result<AccountView> {
        let record: Option<AccountRecord> = self.ctx.read(tables::LEDGER_ACCOUNTS, id.0).await?;
        let AccountRecord(account) = record.ok_or(Fault::Internal("a wallet without its account"))?;
        let Account { asset, freeze, balances, .. } = &account;
        let asset = self.info(self.asset(*asset).await?).await?;
        Ok(AccountView {
            id,
            asset,
            balance: shown(balances.net().max(0).unsigned_abs()),
            available: shown(account.available()),
            incoming: shown(balances.credits_pending),
            outgoing: shown(balances.debits_pending),
            frozen: *freeze != Freeze::None,
        })
    }

    /// A line of a history. That a transfer which waited was accepted or returned is part of its own line.
    async fn line(&self, account: AccountId, row: &Row) -> Result<Option<HistoryLine>> {
        let id = row.key.last_chunk::<16>().map(|id| TransferId(*id));
        let id = id.ok_or(Fault::Internal("a history's key without a transfer"))?;
        let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id.0).await?;
        let EntryRecord(entry) = entry.ok_or(Fault::Internal("a history without its transfer"))?;
        let until_ms = match entry.transfer.movement {
            Movement::Post { .. } | Movement::Void { .. } => return Ok(None),
            Movement::Posted { .. } => None,
            Movement::Pending { expires_ms, .. } => expires_ms,
        };
        let moved = entry.moved.ok_or(Fault::Internal("a history with a refused transfer"))?;
        let standing: Option<StandingRecord> = self.ctx.read(tables::LEDGER_STANDINGS, id.0).await?;
        let credit = moved.credit == account;
        Ok(Some(HistoryLine {
            number: entry.number,
            transfer: id,
            at_ms: entry.at_ms,
            purpose: hledger::purpose(entry.transfer.purpose).to_owned(),
            credit,
            amount: moved.amount,
            other: self.owner(if credit { moved.debit } else { moved.credit }).await?,
            state: state(&entry, standing.map(|standing| standing.0)),
            until_ms,
        }))
    }

    async fn owner(&self, account: AccountId) -> Result<Option<Payee>> {
        let owner: Option<OwnerRecord> = self.ctx.read(tables::OWNERS, account.0).await?;
        Ok(match owner.map(|owner| owner.owner) {
            Some(Owner::Person(name)) => Some(Payee::Person(self.ctx.address(&name))),
            Some(Owner::Node) | None => None,
        })
    }
}

/// A sum as it is told. No account comes near the end of these numbers: it would take all that can be issued, many times over.
fn shown(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
