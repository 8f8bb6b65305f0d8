//! The accounts at banks that back assets, and how members pay into them.

use super::{
    Result, Wallet, WalletError,
    accounts::suspense,
    audit::count,
    bank_records::{BankAccountRecord, BankingRecord, FormatRecord, ReferenceRecord},
    records::{AccountRecord, AssetRecord},
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined, error::within};
use weft_bank::{AccountName, Currency, Reference};
use weft_ledger::format_amount;
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AssetId, UserName,
    admin::{BankRow, DueRow},
    limits::{ASSETS_MAX, BANK_NAME_BYTES_MAX},
    text,
    wallet::{
        Asset, BankAccount, BankAccountInfo, BankAccountList, TopUpList, TopUpWay, WithdrawalInfo,
        WithdrawalState,
    },
};

/// Digits that the number of an account has at least.
const DIGITS_MIN: usize = 4;

/// Said of an IBAN, wherever one is typed.
pub(super) const MISTYPED: Fault = Fault::Invalid {
    field: "account",
    why: "the check digits of this IBAN do not fit: something was mistyped",
};
/// Bytes of a reference. A member's are at random: whoever reads one learns no name.
const REFERENCE_BYTES: usize = 10;

/// The creditor reference of what has this hash: the same whenever it is asked for.
pub(super) fn reference_of(hash: &blake3::Hash) -> Reference {
    let mut bytes = [0; REFERENCE_BYTES];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    Reference::of_bytes(bytes)
}

impl Wallet {
    /// `PUT wallet/admin/bank`: this account backs that asset from now on. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`Fault::Invalid`], [`Fault::TooLarge`].
    pub async fn put_bank_account(&self, wish: BankAccount) -> Result<()> {
        for (field, text) in [("holder", &wish.holder), ("account", &wish.account), ("bank", &wish.bank)] {
            within(field, text.len(), BANK_NAME_BYTES_MAX)?;
        }
        let own = self.ctx.node.clone();
        let account = bank_account(wish)?;
        self.teller
            .run(move |sheet| {
                let known: Option<AssetRecord> = sheet.get(tables::ASSETS, account.asset.0)?;
                let known = known.filter(|known| known.asset.issuer == own);
                let asset = known.ok_or(WalletError::NotFound("asset"))?.asset;
                if account.account.is_empty() {
                    sheet.delete(tables::BANK_ACCOUNTS, account.asset.0);
                    return Ok(());
                }
                is_currency(&asset)?;
                sheet.put_bank_account(&account)
            })
            .await
    }

    /// `GET wallet/admin/bank`: what the banks have said, beside what the books say.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn bank_accounts(&self) -> Result<BankAccountList> {
        let mut accounts = Vec::new();
        for BankAccountRecord { account, format, closing } in self.bank_records().await? {
            let issued = self.info(self.asset(account.asset).await?).await?.issued;
            let held: Option<AccountRecord> =
                self.ctx.read(tables::LEDGER_ACCOUNTS, suspense(account.asset).0).await?;
            let held = held.map_or(0, |held| held.0.balances.net());
            let suspense = u64::try_from(held.max(0)).unwrap_or(u64::MAX);
            accounts.push(BankAccountInfo { account, format, closing, issued, suspense });
        }
        Ok(BankAccountList { accounts })
    }

    /// How many lines, and how many withdrawals, wait for the operator; and the first page of those.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn bank_waiting(&self) -> Result<(u64, u64, Vec<DueRow>)> {
        let store = &self.ctx.store;
        let lines = count(store, tables::BANK_WAITING).await?;
        let due = |known: WithdrawalInfo| DueRow {
            amount: format_amount(known.amount.into(), known.asset.scale),
            paying: known.state == WithdrawalState::Paying,
            user: known.user,
            asset: known.asset,
            reference: known.reference,
        };
        let waiting = self.withdrawals_waiting(None).await?.withdrawals;
        let due = waiting.into_iter().map(due).collect();
        Ok((lines, count(store, tables::WITHDRAWALS_WAITING).await?, due))
    }

    /// The same for the operator's command.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn bank_rows(&self) -> Result<Vec<BankRow>> {
        let mut rows = Vec::new();
        for info in self.bank_accounts().await?.accounts {
            let BankAccountInfo { account, closing, issued, suspense, .. } = info;
            let asset = self.asset(account.asset).await?.asset;
            let sum = |minor: i128| format_amount(minor, asset.scale);
            let (issued, suspense) = (sum(issued.into()), sum(suspense.into()));
            let closing = closing.map(|closing| (closing.day, sum(closing.amount.into())));
            let BankAccount { holder, account, .. } = account;
            rows.push(BankRow { asset, account, holder, issued, suspense, closing });
        }
        Ok(rows)
    }

    /// `GET wallet/top-ups`: where the caller pays in, and with which reference. One is made for whoever asks first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn top_ups(&self, caller: &Caller) -> Result<TopUpList> {
        let mut ways = Vec::new();
        for BankAccountRecord { account, .. } in self.bank_records().await? {
            let BankAccount { asset, holder, account, bank } = account;
            let reference = self.reference(caller.name(), asset).await?;
            let asset = self.info(self.asset(asset).await?).await?;
            ways.push(TopUpWay { asset, holder, account, bank, reference });
        }
        Ok(TopUpList { ways })
    }

    /// What a member writes into a transfer. It stays what it is.
    async fn reference(&self, name: &UserName, asset: AssetId) -> Result<String> {
        let key = joined(name.as_str(), asset.0);
        let known: Option<BankingRecord> = self.ctx.read(tables::BANKING, &key).await?;
        if let Some(reference) = known.and_then(|known| known.reference) {
            return Ok(reference);
        }
        let (name, fresh) = (name.clone(), Reference::of_bytes(self.ctx.random::<REFERENCE_BYTES>()));
        self.teller
            .run(move |sheet| {
                let known: BankingRecord = sheet.get(tables::BANKING, &key)?.unwrap_or_default();
                if let Some(reference) = known.reference {
                    return Ok(reference);
                }
                let reference = fresh.as_str().to_owned();
                sheet.name_reference(&reference, &ReferenceRecord::TopUp { name: name.clone(), asset })?;
                let record = BankingRecord { reference: Some(reference.clone()), ..known };
                sheet.put(tables::BANKING, &key, &record);
                Ok(reference)
            })
            .await
    }

    /// All accounts that back an asset: at most one each.
    pub(super) async fn bank_records(&self) -> Result<Vec<BankAccountRecord>> {
        let rows = self.ctx.store.scan(tables::BANK_ACCOUNTS, Scan::prefix([]).limit(ASSETS_MAX)).await?;
        rows.iter().map(|row| Ok(BankAccountRecord::from_record(&row.value)?)).collect()
    }
}

/// Where it is kept in what form an account's files come.
pub(super) fn format_key(asset: AssetId, account: &str) -> Vec<u8> {
    [asset.0.as_slice(), account.as_bytes()].concat()
}

impl Sheet<'_> {
    /// What is known of the files stays, as long as it is the same account.
    fn put_bank_account(&mut self, account: &BankAccount) -> Result<(), Stop> {
        let known: Option<BankAccountRecord> = self.get(tables::BANK_ACCOUNTS, account.asset.0)?;
        let known = known.filter(|known| known.account.account == account.account);
        let closing = known.and_then(|known| known.closing);
        let key = format_key(account.asset, &account.account);
        let format = self.get::<FormatRecord>(tables::BANK_FORMATS, key)?.map(|kept| kept.format);
        let record = BankAccountRecord { account: account.clone(), format, closing };
        self.put(tables::BANK_ACCOUNTS, account.asset.0, &record);
        Ok(())
    }

    /// A reference stands for one thing.
    pub(super) fn name_reference(&mut self, reference: &str, of: &ReferenceRecord) -> Result<(), Stop> {
        match self.get::<ReferenceRecord>(tables::REFERENCES, reference)? {
            Some(known) if known != *of => Err(Fault::Internal("a reference that is taken").into()),
            _ => {
                self.put(tables::REFERENCES, reference, of);
                Ok(())
            }
        }
    }
}

/// What an operator has typed, as it is kept.
fn bank_account(wish: BankAccount) -> Result<BankAccount, Fault> {
    let BankAccount { asset, holder, account, bank } = wish;
    let plain = |text: &str| text::name(text).trim().to_owned();
    let (holder, bank) = (plain(&holder), plain(&bank));
    let account = match iban(&account) {
        Some(iban) => iban,
        None if looks_like_iban(&account) => return Err(MISTYPED),
        None if account.trim().is_empty() => String::new(),
        None if is_number(&account) => plain(&account),
        None => {
            let why = "it is neither an IBAN nor the number of an account";
            return Err(Fault::Invalid { field: "account", why });
        }
    };
    if !account.is_empty() && iban(&holder).is_some() {
        return Err(Fault::Invalid { field: "holder", why: "this is an IBAN: are the two swapped?" });
    }
    if !account.is_empty() && holder.is_empty() {
        return Err(Fault::Invalid { field: "holder", why: "whose account is it?" });
    }
    Ok(BankAccount { asset, holder, account, bank })
}

/// An IBAN whose check digits fit, without spaces.
pub(super) fn iban(text: &str) -> Option<String> {
    match AccountName::of_text(&text.to_uppercase()) {
        Some(AccountName::Iban(iban)) => Some(iban),
        _ => None,
    }
}

/// Banks name accounts otherwise, too, but two letters and two digits begin an IBAN.
fn looks_like_iban(text: &str) -> bool {
    let start: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(4).collect();
    matches!(start.as_slice(), [a, b, c, d]
        if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit())
}

/// What banks call accounts that have no IBAN: digits, with letters and marks between them.
fn is_number(text: &str) -> bool {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '/' | '.'));
    is_plain && text.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN
}

/// The unit of the account has to be that of the asset, to the cent: nothing is converted.
fn is_currency(asset: &Asset) -> Result<(), Fault> {
    let currency = Currency::of_code(asset.code.as_str());
    match currency {
        Ok(currency) if currency.scale() == asset.scale => Ok(()),
        Ok(_) => Err(Fault::Invalid { field: "asset", why: "it has other decimals than its currency" }),
        Err(_) => Err(Fault::Invalid { field: "asset", why: "it is called like no currency of a bank" }),
    }
}
