//! What the operator asks of the accounts at banks.

use super::{Answer, Control};
use std::{fs::File, io::Read as _, path::PathBuf};
use weft_wire::{
    Code, Problem,
    wallet::{AssetCode, BankAccount},
};

/// As much of a file as is read: one byte more than a bank's file may have.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024 + 1;

impl Control {
    pub(super) async fn bank_accounts(&self) -> Result<Answer, Problem> {
        let wallet = self.service().wallet();
        let accounts = wallet.bank_rows().await?;
        let (lines, withdrawals, due) = wallet.bank_waiting().await?;
        Ok(Answer::BankAccounts { accounts, lines, withdrawals, due })
    }

    pub(super) async fn put_bank_account(
        &self,
        code: &AssetCode,
        holder: String,
        account: String,
        bank: String,
    ) -> Result<Answer, Problem> {
        let own = self.service().node_info().await?.name;
        let assets = self.service().wallet().assets().await?.assets;
        let is_it = |one: &&weft_wire::wallet::AssetInfo| one.asset.code == *code && one.asset.issuer == own;
        let none = || Problem::new(Code::NotFound).detail("this node issues no asset of that code");
        let asset = assets.iter().find(is_it).ok_or_else(none)?.id;
        self.service().wallet().put_bank_account(BankAccount { asset, holder, account, bank }).await?;
        Ok(Answer::Done)
    }

    pub(super) async fn import_bank(&self, path: PathBuf) -> Result<Answer, Problem> {
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            // A folder, a device: only a file has an end that is known.
            let file = File::open(&path).and_then(|file| match file.metadata()?.is_file() {
                true => Ok(file),
                false => Err(std::io::Error::other("it is no file")),
            });
            let read = file.and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
            read.map(|_| bytes).map_err(|error| format!("{}: {error}", path.display()))
        });
        let bytes = match read.await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(sentence)) => return Ok(Answer::Refused(sentence)),
            Err(_) => return Err(Problem::new(Code::Internal)),
        };
        Ok(Answer::Imported(self.service().wallet().import_bank(bytes).await?))
    }
}
