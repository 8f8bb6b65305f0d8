//! What members are shown of the days' roots: of entries and accounts only their own.

use super::{
    super::{
        Result, Wallet, WalletError,
        records::{EntryRecord, EventRecord},
    },
    day::parts,
    nodes::{EVENTS, Tree},
    opened,
    records::RootRecord,
};
use crate::{Caller, Fault};
use weft_ledger::{Entry, proof::Piece};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AccountId, Blob, Signed, TransferId,
    limits::{PROOFS_PAGE_MAX, ROOTS_PAGE_MAX},
    wallet::{AccountProof, BalancePiece, DayRoot, EventProof, RootInfo, RootList, Sum, TransferProof},
};

/// Into how many pieces a balance is cut.
const PIECES: u8 = 2;

impl Wallet {
    /// `GET wallet/roots?before=DAY`: the newest first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn roots(&self, before: Option<u64>) -> Result<RootList> {
        let mut scan = Scan::prefix([]).reverse().limit(ROOTS_PAGE_MAX + 1);
        if let Some(before) = before {
            scan = scan.after(before.to_be_bytes());
        }
        let mut roots = Vec::new();
        // A page may end early, by its bytes.
        while roots.len() <= ROOTS_PAGE_MAX {
            let rows = self.ctx.store.scan(tables::ROOTS, scan.clone()).await.map_err(Fault::from)?;
            let Some(last) = rows.last() else { break };
            scan = scan.after(&last.key);
            for row in rows {
                let RootRecord { root, witnesses } = RootRecord::from_record(&row.value)?;
                roots.push(RootInfo { root, witnesses });
            }
        }
        let more = roots.len() > ROOTS_PAGE_MAX;
        roots.truncate(ROOTS_PAGE_MAX);
        Ok(RootList { key: self.key.verifying_key().to_bytes(), roots, more })
    }

    /// `GET wallet/proofs/TRANSFER`: that a transfer of the caller's is in the root of its day.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for one that is none of theirs, or of a day that is not over.
    pub async fn transfer_proof(&self, caller: &Caller, id: TransferId) -> Result<TransferProof> {
        let none = || WalletError::NotFound("transfer");
        let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id.0).await?;
        let EntryRecord(entry) = match entry {
            Some(entry) => entry,
            // What came from another node is called as it is there.
            None => {
                let payment = self.arrived(caller, id).await?.ok_or_else(none)?;
                let leg = payment.legs.last().or(payment.undone.last()).ok_or_else(none)?.transfer;
                let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, leg.0).await?;
                entry.ok_or_else(none)?
            }
        };
        let moved = entry.moved.ok_or_else(none)?;
        let mut is_theirs = false;
        for account in [moved.debit, moved.credit] {
            is_theirs |= self.party(account).await?.is_some_and(|party| party.is_for(caller));
        }
        if !is_theirs {
            return Err(none());
        }
        let signed = self.root_with(entry.number).await?.ok_or(WalletError::NotFound("root"))?;
        let proof = self.event_proof(&opened(&signed)?, &entry).await?;
        Ok(TransferProof { root: signed, proof })
    }

    /// `GET wallet/proofs/accounts/ACCOUNT?day=DAY&after=NUMBER`: an account of the caller's at the end of a day, and what moved on it.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an account that is not theirs, and for a day of which this is not known, or not known any more.
    pub async fn account_proof(
        &self,
        caller: &Caller,
        account: AccountId,
        day: u64,
        after: Option<u64>,
    ) -> Result<AccountProof> {
        let asset = self.own_account(caller, account).await?.asset;
        let RootRecord { root: signed, .. } =
            self.root_of(day).await?.ok_or(WalletError::NotFound("root"))?;
        let root = opened(&signed)?;
        let salt = self.salt(day, account);
        let mut pieces = Vec::new();
        if let Some(sum) = root.assets.iter().find(|sum| sum.asset == asset) {
            let (tree, store) = (Tree { day, asset }, &self.ctx.store);
            if sum.leaves > 0 && tree.row(store, 0, 0).await?.is_none() {
                return Err(WalletError::NotFound("proof"));
            }
            for place in 0..PIECES {
                let leaf = Piece::of(&salt, account, place, 0).leaf;
                let Some((index, leaf)) = tree.find(store, leaf.hash(), sum.leaves).await? else { break };
                let path = tree.path(store, index, sum.leaves).await?;
                let path = path.ok_or(WalletError::NotFound("proof"))?;
                pieces.push(BalancePiece { index, amount: Sum(leaf.sum()), path });
            }
        }
        let (entries, more) = self.entries_of(&root, account, after.unwrap_or_default()).await?;
        Ok(AccountProof { account, asset, root: signed, salt, pieces, entries, more })
    }

    /// What moved on an account on a day, after a number; and whether there is more.
    async fn entries_of(
        &self,
        root: &DayRoot,
        account: AccountId,
        after: u64,
    ) -> Result<(Vec<EventProof>, bool)> {
        let from = start(root).max(after).saturating_add(1);
        let mut scan = Scan::prefix(account.0).after([account.0.as_slice(), &from.to_be_bytes()].concat());
        let mut proofs: Vec<EventProof> = Vec::new();
        loop {
            let rows =
                self.ctx.store.scan(tables::LEDGER_HISTORY, scan.clone()).await.map_err(Fault::from)?;
            let Some(last) = rows.last() else { return Ok((proofs, false)) };
            scan = scan.after(&last.key);
            for row in rows {
                let id = row.key.last_chunk::<16>().ok_or(Fault::Internal("a history's key"))?;
                let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id).await?;
                let EntryRecord(entry) = entry.ok_or(Fault::Internal("a history without its transfer"))?;
                if entry.number > root.last {
                    return Ok((proofs, false));
                }
                // A page does not end within a chain: it goes on after a number.
                let is_new = proofs.last().is_none_or(|last| last.number != entry.number);
                if is_new && proofs.len() >= PROOFS_PAGE_MAX {
                    return Ok((proofs, true));
                }
                proofs.push(self.event_proof(root, &entry).await?);
            }
        }
    }

    async fn event_proof(&self, root: &DayRoot, entry: &Entry) -> Result<EventProof> {
        let store = &self.ctx.store;
        let gone = Fault::Internal("an entry that its day's root does not have");
        let record: Option<EventRecord> =
            self.ctx.read(tables::LEDGER_LOG, entry.number.to_be_bytes()).await?;
        let EventRecord { at_ms, event } = record.ok_or(gone.clone())?;
        let index = entry.number.checked_sub(start(root) + 1).ok_or(gone.clone())?;
        let tree = Tree { day: root.day, asset: EVENTS };
        let path = tree.path(store, index, root.last - start(root)).await?.ok_or(gone)?;
        let (parts, _) = parts(store, &event).await?;
        Ok(EventProof { number: entry.number, at_ms, parts, entry: Blob(weft_wire::encode(entry)), path })
    }

    /// The root that has an event.
    async fn root_with(&self, number: u64) -> Result<Option<Signed<DayRoot>>> {
        let Some((newest, signed)) = self.newest_root().await?.filter(|(newest, _)| newest.last >= number)
        else {
            return Ok(None);
        };
        let oldest =
            self.ctx.store.scan(tables::ROOTS, Scan::prefix([]).limit(1)).await.map_err(Fault::from)?;
        let oldest = oldest.first().map(|row| RootRecord::from_record(&row.value)).transpose()?;
        let mut low =
            oldest.map(|record| opened(&record.root)).transpose()?.map_or(newest.day, |root| root.day);
        let (mut high, mut found) = (newest.day, signed);
        while low < high {
            let middle = low.midpoint(high);
            let record = self.root_of(middle).await?.ok_or(Fault::Internal("a day without a root"))?;
            if opened(&record.root)?.last >= number {
                (high, found) = (middle, record.root);
            } else {
                low = middle + 1;
            }
        }
        Ok(Some(found))
    }
}

/// The number before that of a root's first event.
fn start(root: &DayRoot) -> u64 {
    root.last.saturating_sub(u64::try_from(root.events.sum()).unwrap_or(u64::MAX))
}
