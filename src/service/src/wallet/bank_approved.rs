//! Whether a bank's file may be booked by the owner's word alone: who hands in a file of their own making issues by it.

use super::{
    Result, Wallet,
    bank_records::BankLineRecord,
    guard_records::{GuardedRecord, ProposalRecord},
    orders::DAY_MS,
};
use std::collections::{BTreeMap, HashSet};
use weft_bank::Statement;
use weft_store::tables;
use weft_wire::{
    AssetId, TransferId,
    wallet::{BankFile, Hash, ProposalState, Proposed},
};

/// What a file is named by.
pub(super) fn file_digest(file: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("weft/bank-file/1");
    Hash(*hasher.update(file).finalize().as_bytes())
}

/// The proposal of a file. What it books of one asset is one.
pub(super) fn proposal_of(digest: Hash, asset: AssetId) -> TransferId {
    let mut hasher = blake3::Hasher::new_derive_key("weft/bank-file-proposal/1");
    TransferId::of_hash(&hasher.update(&digest.0).update(&asset.0).finalize())
}

/// Whether an approver has signed for at least what is new in a file.
fn is_within(file: &BankFile, approved: &BankFile) -> bool {
    (file.asset, file.digest, &file.account) == (approved.asset, approved.digest, &approved.account)
        && file.lines <= approved.lines
        && file.amount <= approved.amount
}

impl Wallet {
    /// By which proposals the file was approved, as far as it had to be.
    ///
    /// # Errors
    /// [`super::WalletError::NeedsApproval`] if one waits, now or since before.
    pub(super) async fn file_approved(
        &self,
        digest: Hash,
        statements: &[(AssetId, Statement)],
    ) -> Result<BTreeMap<AssetId, TransferId>> {
        let mut approved = BTreeMap::new();
        let mut fresh = BTreeMap::<AssetId, (BankFile, HashSet<[u8; 16]>)>::new();
        for (asset, statement) in statements {
            let guarded: Option<GuardedRecord> = self.ctx.read(tables::GUARDED, asset.0).await?;
            if guarded.is_none_or(|guarded| guarded.threshold == 0) {
                continue;
            }
            let (file, seen) = fresh.entry(*asset).or_insert_with(|| {
                let (asset, account) = (*asset, statement.account.as_str().to_owned());
                (BankFile { asset, digest, account, lines: 0, amount: 0 }, HashSet::new())
            });
            for line in statement.lines.iter().filter(|line| line.amount_minor > 0) {
                let known: Option<BankLineRecord> = self.ctx.read(tables::BANK_LINES, line.key.0).await?;
                if known.is_none() && seen.insert(line.key.0) {
                    file.lines += 1;
                    file.amount = file.amount.saturating_add(line.amount_minor.unsigned_abs());
                }
            }
        }
        for (asset, (file, _)) in fresh.into_iter().filter(|(_, (file, _))| file.lines > 0) {
            let id = proposal_of(digest, asset);
            let record: Option<ProposalRecord> = self.ctx.read(tables::PROPOSALS, id.0).await?;
            // Whoever chooses ids may have had something else approved under this one.
            let covers = |what: &Proposed| matches!(what, Proposed::File(known) if is_within(&file, known));
            if record.is_some_and(|record| {
                record.state(self.ctx.now()) == ProposalState::Approved && covers(&record.what)
            }) {
                approved.insert(asset, id);
                continue;
            }
            let guarded: GuardedRecord = self.ctx.read(tables::GUARDED, asset.0).await?.unwrap_or_default();
            let today = guarded.on(self.ctx.now() / DAY_MS);
            if guarded.threshold > 0 && today.saturating_add(file.amount) > guarded.threshold {
                self.teller.run(move |sheet| sheet.await_approval(id, Proposed::File(file.clone()))).await?;
            }
        }
        Ok(approved)
    }
}
