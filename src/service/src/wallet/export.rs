//! The whole ledger as plain text, for whoever wants to add it up again without trusting this program.

use super::{
    Result, Wallet,
    accounts::account_name,
    audit::all,
    records::{AccountRecord, AssetRecord, EntryRecord, EventRecord, LoggedEvent, OwnerRecord},
};
use crate::Fault;
use std::{collections::BTreeMap, fmt::Write};
use weft_ledger::{Account, hledger};
use weft_store::{Store, record::Record, tables};
use weft_wire::{AccountId, AssetId};

impl Wallet {
    /// Writes the ledger as a journal of hledger, up to its newest event when this began. What is written must hold all of it.
    ///
    /// # Errors
    /// [`Fault`]; what the writer says becomes [`Fault::Internal`].
    pub async fn export_hledger(&self, out: &mut (impl Write + Send)) -> Result<u64> {
        let store = &self.ctx.store;
        // The log first: what comes while it is read is after its end, and the books are worked out from it.
        let newest = super::teller::newest(store).await?;
        let names = Names::read(store).await?;
        let mut books = weft_ledger::Memory::default();
        let refused = |_| Fault::Internal("the journal cannot be written");
        let assets: Vec<AssetId> = names.assets.keys().copied().collect();
        hledger::begin(out, &format!("the ledger of {}", self.ctx.node), &names, &assets).map_err(refused)?;
        let (mut number, mut last_ms) = (0, 0);
        while number < newest {
            let row = store.get(tables::LEDGER_LOG, &(number + 1).to_be_bytes()).await?;
            let row = row.ok_or(Fault::Internal("the ledger's log has a gap"))?;
            let EventRecord { at_ms, event } = EventRecord::from_record(&row.value)?;
            (number, last_ms) = (number + 1, at_ms.max(last_ms));
            match event {
                LoggedEvent::Open { id, asset, kind, bounds } => {
                    let account = Account { bounds, ..Account::new(id, asset, kind) };
                    let _ = weft_ledger::open_account(&mut books, account, at_ms);
                }
                LoggedEvent::Change { id, bounds, freeze } => {
                    let _ = weft_ledger::change_account(&mut books, id, bounds, freeze);
                }
                LoggedEvent::Chain(ids) => {
                    let mut transfers = Vec::with_capacity(ids.len());
                    for id in ids {
                        let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id.0).await?;
                        let EntryRecord(entry) =
                            entry.ok_or(Fault::Internal("an event without its transfer"))?;
                        hledger::entry(out, &names, &entry).map_err(refused)?;
                        transfers.push(entry.transfer);
                    }
                    let _ = weft_ledger::post(&mut books, &transfers, at_ms);
                }
            }
        }
        hledger::end(out, &names, books.accounts(), last_ms).map_err(refused)?;
        Ok(newest)
    }
}

/// How accounts and assets are called.
struct Names {
    assets: BTreeMap<AssetId, (String, u8)>,
    accounts: BTreeMap<AccountId, (String, AssetId)>,
}

impl Names {
    async fn read(store: &Store) -> Result<Names, Fault> {
        let mut assets = BTreeMap::new();
        for (_, AssetRecord { asset, .. }) in all(store, tables::ASSETS).await? {
            assets.insert(asset.id(), (asset.code.to_string(), asset.scale));
        }
        let mut accounts = BTreeMap::new();
        for (key, OwnerRecord { owner, asset }) in all(store, tables::OWNERS).await? {
            let account: Option<AccountRecord> = store
                .get(tables::LEDGER_ACCOUNTS, &key)
                .await?
                .map(|row| AccountRecord::from_record(&row.value))
                .transpose()?;
            let AccountRecord(account) = account.ok_or(Fault::Internal("an owner without an account"))?;
            accounts.insert(account.id, (account_name(account.kind, &owner), asset));
        }
        Ok(Names { assets, accounts })
    }
}

impl hledger::Names for Names {
    fn asset(&self, asset: AssetId) -> (String, u8) {
        self.assets.get(&asset).cloned().unwrap_or_else(|| (asset.to_string(), 0))
    }

    fn account(&self, account: AccountId) -> String {
        let known = self.accounts.get(&account).map(|(name, _)| name.clone());
        known.unwrap_or_else(|| format!("unknown:{account}"))
    }

    fn asset_of(&self, account: AccountId) -> AssetId {
        self.accounts.get(&account).map_or(AssetId([0; 16]), |(_, asset)| *asset)
    }
}
