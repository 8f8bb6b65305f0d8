//! A bank's file, taken line by line: to members by their references, to withdrawals, or to the owner's work list.
//!
//! Every line is a piece of the teller's work that asks first whether the line is known, so that the same file again, files that overlap,
//! and a file that was broken off half-way count each line once. What came in is issued as it comes: to the member, or to suspense.

use super::{
    Result, Wallet, WalletError,
    accounts::{issuance, personal},
    bank_accounts::format_key,
    bank_approved::file_digest,
    bank_records::{BankAccountRecord, BankLineRecord, FormatRecord, ReferenceRecord, WithdrawalRecord},
    records::AccountRecord,
    sheet::{Sheet, Stop},
};
use crate::Fault;
use std::collections::BTreeSet;
use weft_bank::{Format, Statement};
use weft_ledger::{AccountKind, Books, Freeze, Movement, Purpose, Transfer};
use weft_store::tables;
use weft_wire::{
    AccountId, AssetId, BankLineId, TransferId, UserName, text,
    wallet::{Asset, BankBalance, BankImport, BankLineState, WithdrawalState},
};

/// Lines that go to the teller together.
const TOGETHER: usize = 128;
/// What is kept of a line's text, in bytes: four times what a bank carries.
const TEXT_BYTES_KEPT: usize = 560;
/// What is kept of a name or an account.
const NAME_BYTES_KEPT: usize = 140;

/// What a line says, as far as it is booked.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) id: BankLineId,
    pub(super) asset: AssetId,
    pub(super) booked: String,
    pub(super) amount: i64,
    pub(super) counterparty: Option<String>,
    pub(super) counterparty_account: Option<String>,
    pub(super) text: String,
    pub(super) references: Vec<String>,
    /// The proposal by which the file was approved.
    pub(super) proposal: Option<TransferId>,
}

/// What came of a line.
pub(super) enum Taken {
    Known,
    /// More than may be issued.
    Above,
    New(BankLineState),
}

impl Wallet {
    /// Takes a file of a bank. For whoever runs the node; the caller is not looked at. It may be handed in again at any time.
    ///
    /// # Errors
    /// [`WalletError::BankFile`] with its line, [`WalletError::BankStatement`], [`WalletError::NeedsApproval`]: then nothing was taken. After any other error, the
    /// same file brings the rest.
    pub async fn import_bank(&self, file: Vec<u8>) -> Result<BankImport> {
        let read = tokio::task::spawn_blocking(move || (file_digest(&file), weft_bank::read(&file))).await;
        let read = read.map_err(|_| Fault::Internal("a bank's file")).map_err(WalletError::from)?;
        let (digest, statements) = read;
        let statements = statements.map_err(WalletError::BankFile)?;
        let accounts = self.bank_records().await?;
        let mut done = BankImport::default();
        let mut wanted = Vec::new();
        for statement in statements {
            match self.of_statement(&accounts, &statement)? {
                Some(asset) => wanted.push((asset, statement)),
                None => done.foreign += 1,
            }
        }
        if wanted.is_empty() {
            let why =
                "no statement in it is of an account, and in a currency, that backs an asset here".to_owned();
            return Err(WalletError::BankStatement(why));
        }
        let approved = self.file_approved(digest, &wanted).await?;
        for (asset, statement) in wanted {
            done.statements += 1;
            done.unproved += u32::from(!statement.is_proved());
            done.left_out =
                done.left_out.saturating_add(statement.pending).saturating_add(statement.informational);
            let proposal = approved.get(&asset).copied();
            self.import_statement(asset, &statement, proposal, &mut done).await?;
        }
        Ok(done)
    }

    /// Which asset a statement is about: the account backs it, and it is called as the statement's currency.
    fn of_statement(&self, accounts: &[BankAccountRecord], statement: &Statement) -> Result<Option<AssetId>> {
        let (issuer, currency) = (self.ctx.node.clone(), statement.currency);
        let Ok(code) = currency.code().parse() else { return Ok(None) };
        let asset = Asset { issuer, code, scale: currency.scale() }.id();
        let is_it = |one: &&BankAccountRecord| {
            one.account.asset == asset && one.account.account == statement.account.as_str()
        };
        let Some(record) = accounts.iter().find(is_it) else { return Ok(None) };
        let format = word(statement.format);
        match &record.format {
            Some(known) if known != format => Err(WalletError::BankStatement(format!(
                "{} is imported from {known} files: one of {format} would bring the same payments again",
                record.account.account
            ))),
            _ => Ok(Some(asset)),
        }
    }

    async fn import_statement(
        &self,
        asset: AssetId,
        statement: &Statement,
        proposal: Option<TransferId>,
        done: &mut BankImport,
    ) -> Result<()> {
        let (account, format) = (statement.account.as_str().to_owned(), word(statement.format));
        let closing = statement
            .closing
            .map(|balance| BankBalance { day: balance.date.to_string(), amount: balance.amount_minor });
        self.teller.run(move |sheet| sheet.note_statement(asset, &account, format, closing.as_ref())).await?;
        for lines in statement.lines.chunks(TOGETHER) {
            let works = lines.iter().map(|line| {
                let line = kept(asset, line, proposal);
                move |sheet: &mut Sheet<'_>| sheet.import_line(&line)
            });
            for taken in self.teller.run_all(works.collect()).await {
                match taken? {
                    None => done.left_out += 1,
                    Some(Taken::Known) => done.known += 1,
                    Some(Taken::Above) => done.above += 1,
                    Some(Taken::New(BankLineState::Credited)) => done.credited += 1,
                    Some(Taken::New(BankLineState::Paid)) => done.paid += 1,
                    Some(Taken::New(_)) => done.waiting += 1,
                }
            }
        }
        Ok(())
    }
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Camt053 => "camt.053",
        Format::Mt940 => "MT940",
    }
}

/// What is kept of a line.
fn kept(asset: AssetId, line: &weft_bank::Line, proposal: Option<TransferId>) -> Line {
    let account = line.counterparty_account.as_ref();
    Line {
        id: BankLineId(line.key.0),
        asset,
        booked: line.booked.to_string(),
        amount: line.amount_minor,
        counterparty: line.counterparty.as_ref().map(|name| cut(name, NAME_BYTES_KEPT)),
        counterparty_account: account.map(|account| cut(account.as_str(), NAME_BYTES_KEPT)),
        text: cut(&line.text, TEXT_BYTES_KEPT),
        references: line.creditor_references().iter().map(|one| one.as_str().to_owned()).collect(),
        proposal,
    }
}

/// A text as it is kept.
fn cut(text: &str, max: usize) -> String {
    let text = text::body(text);
    text.get(..text.floor_char_boundary(max)).unwrap_or_default().to_owned()
}

/// The name of a counterparty, and the text of a line, as they are kept.
pub(super) fn kept_words(name: &str, text: &str) -> (String, String) {
    (cut(name, NAME_BYTES_KEPT), cut(text, TEXT_BYTES_KEPT))
}

/// The transfer that a line makes, and the one by which it is decided: neither is made twice.
pub(super) fn transfer_of(line: BankLineId, decided: bool) -> TransferId {
    let mut hasher = blake3::Hasher::new_derive_key("weft/bank-line-transfer/1");
    TransferId::of_hash(&hasher.update(&line.0).update(&[u8::from(decided)]).finalize())
}

impl Sheet<'_> {
    /// The account keeps to one format, and knows what the bank said last.
    fn note_statement(
        &mut self,
        asset: AssetId,
        account: &str,
        format: &'static str,
        closing: Option<&BankBalance>,
    ) -> Result<(), Stop> {
        let known: Option<BankAccountRecord> = self.get(tables::BANK_ACCOUNTS, asset.0)?;
        let known = known.filter(|known| known.account.account == account);
        let mut record = known.ok_or(WalletError::NotFound("account"))?;
        if record.format.as_ref().is_some_and(|known| known != format) {
            return Err(
                WalletError::BankStatement("the account is imported from another format".into()).into()
            );
        }
        record.format = Some(format.to_owned());
        let kept = FormatRecord { format: format.to_owned() };
        self.put(tables::BANK_FORMATS, format_key(asset, account), &kept);
        // Days of one form are in the order of their texts.
        let is_newer =
            |closing: &&BankBalance| record.closing.as_ref().is_none_or(|known| known.day <= closing.day);
        if let Some(closing) = closing.filter(is_newer) {
            record.closing = Some(closing.clone());
        }
        self.put(tables::BANK_ACCOUNTS, asset.0, &record);
        Ok(())
    }

    /// One line. `None`: it moves nothing.
    pub(super) fn import_line(&mut self, line: &Line) -> Result<Option<Taken>, Stop> {
        if line.amount == 0 {
            return Ok(None);
        }
        if self.get::<BankLineRecord>(tables::BANK_LINES, line.id.0)?.is_some() {
            return Ok(Some(Taken::Known));
        }
        let mut record = BankLineRecord {
            asset: line.asset,
            booked: line.booked.clone(),
            amount: line.amount,
            counterparty: line.counterparty.clone(),
            counterparty_account: line.counterparty_account.clone(),
            text: line.text.clone(),
            imported_ms: self.now,
            state: BankLineState::Waiting,
            member: None,
            withdrawal: None,
            proposal: None,
        };
        if line.amount > 0 {
            let is_alone = line.proposal.is_none();
            let waits = is_alone && self.needs_approval(line.asset, line.amount.unsigned_abs())?;
            if waits || !self.may_issue(line)? {
                return Ok(Some(Taken::Above));
            }
            record.proposal = line.proposal;
            record.member = self.paid_for(line)?;
            let credit = match &record.member {
                Some(name) => self.personal(name, line.asset)?,
                None => self.node_account(AccountKind::Suspense, line.asset)?,
            };
            self.bring_in(line, credit)?;
            if is_alone {
                self.count_issued(line.asset, line.amount.unsigned_abs())?;
            }
            if record.member.is_some() {
                record.state = BankLineState::Credited;
            }
        } else if let Some((id, withdrawal)) = self.paid_out(line)? {
            self.end_withdrawal(id, withdrawal, WithdrawalState::Paid, Some(line.id))?;
            (record.state, record.withdrawal) = (BankLineState::Paid, Some(id));
        }
        if record.state == BankLineState::Waiting {
            self.mark(tables::BANK_WAITING, waiting_key(record.imported_ms, line.id));
        }
        self.put(tables::BANK_LINES, line.id.0, &record);
        Ok(Some(Taken::New(record.state)))
    }

    /// Whether a line's money may come into the world. It is asked before: what the ledger has refused once it refuses for ever.
    fn may_issue(&mut self, line: &Line) -> Result<bool, Stop> {
        let account: Option<AccountRecord> = self.get(tables::LEDGER_ACCOUNTS, issuance(line.asset).0)?;
        let AccountRecord(account) = account.ok_or(WalletError::NotFound("asset"))?;
        Ok(account.freeze == Freeze::None && account.available() >= u128::from(line.amount.unsigned_abs()))
    }

    fn bring_in(&mut self, line: &Line, credit: AccountId) -> Result<(), Stop> {
        let (debit, amount) = (issuance(line.asset), line.amount.unsigned_abs());
        let movement = Movement::Posted { debit, credit, amount, refunds: None };
        let (id, about) = (transfer_of(line.id, false), line.id.0);
        self.post(&[Transfer { id, movement, purpose: Purpose::TopUp, about }]).map(drop)
    }

    /// Whose money a credit is: that of the one member whose reference for this asset stands in it.
    fn paid_for(&mut self, line: &Line) -> Result<Option<UserName>, Stop> {
        let mut named = BTreeSet::new();
        for reference in &line.references {
            if let Some(ReferenceRecord::TopUp { name, asset }) = self.get(tables::REFERENCES, reference)?
                && asset == line.asset
            {
                named.insert(name);
            }
        }
        // Two of them: a person has to look.
        let Some(name) = named.pop_first().filter(|_| named.is_empty()) else { return Ok(None) };
        let account = self.account(personal(&name, line.asset))?;
        let is_open = account.is_none_or(|account| account.freeze != Freeze::All);
        Ok(Some(name).filter(|_| is_open))
    }

    /// The withdrawal that a debit is: of this reference, asset and amount, and no other line's.
    fn paid_out(&mut self, line: &Line) -> Result<Option<(TransferId, WithdrawalRecord)>, Stop> {
        for reference in &line.references {
            let Some(ReferenceRecord::Withdrawal(id)) = self.get(tables::REFERENCES, reference)? else {
                continue;
            };
            let record: Option<WithdrawalRecord> = self.get(tables::WITHDRAWALS, id.0)?;
            let is_it = |record: &WithdrawalRecord| {
                (record.asset, record.amount) == (line.asset, line.amount.unsigned_abs())
                    && (record.state.is_open() || record.state == WithdrawalState::Paid)
                    && record.line.is_none()
            };
            if let Some(record) = record.filter(is_it) {
                return Ok(Some((id, record)));
            }
        }
        Ok(None)
    }
}

/// Where a line stands on the work list.
pub(super) fn waiting_key(imported_ms: u64, line: BankLineId) -> Vec<u8> {
    [imported_ms.to_be_bytes().as_slice(), &line.0].concat()
}
