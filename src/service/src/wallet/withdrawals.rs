//! Money that members want out: held by their own order, until the owner has paid it at the bank, or gives it back.

use super::{
    Result, Wallet, WalletError,
    accounts::issuance,
    bank_accounts::{MISTYPED, iban, reference_of},
    bank_records::{BankAccountRecord, BankingRecord, ReferenceRecord, WithdrawalRecord},
    sheet::{Sheet, Stop},
};
use crate::{Budget, Caller, Fault, context::joined, error::within};
use weft_bank::Reference;
use weft_ledger::{Books, Entry, Movement, Purpose, Transfer};
use weft_store::{Scan, tables};
use weft_wire::{
    AccountId, BankLineId, TransferId,
    limits::{BANK_NAME_BYTES_MAX, PAGE_MAX, WITHDRAWALS_WAITING_MAX},
    text,
    wallet::{BankPayee, Intent, PaymentOrder, WithdrawalInfo, WithdrawalList, WithdrawalState},
};

const NONE: WalletError = WalletError::NotFound("withdrawal");

impl Wallet {
    /// `GET wallet/withdrawals`: the caller's last ones, the newest first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn withdrawals(&self, caller: &Caller) -> Result<WithdrawalList> {
        let scan = Scan::prefix(joined(caller.name().as_str(), [])).reverse();
        self.withdrawals_of(tables::WITHDRAWALS_OF, scan).await
    }

    /// `GET wallet/admin/withdrawals?after=TRANSFER`: those that wait for the owner, the oldest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for one to go on after that is not known.
    pub async fn withdrawals_waiting(&self, after: Option<TransferId>) -> Result<WithdrawalList> {
        let mut scan = Scan::prefix([]);
        if let Some(after) = after {
            scan = scan.after(waiting_key(self.withdrawal(after).await?.at_ms, after));
        }
        self.withdrawals_of(tables::WITHDRAWALS_WAITING, scan).await
    }

    /// `DELETE wallet/withdrawals/TRANSFER`: the caller does not want it any more. Asking again takes it back once.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for one of others; [`WalletError::AlreadyDecided`] once the owner is about to pay it.
    pub async fn take_back_withdrawal(&self, caller: &Caller, id: TransferId) -> Result<()> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let name = caller.name().clone();
        self.teller
            .run(move |sheet| {
                let record = sheet.withdrawal(id)?;
                if record.name != name {
                    return Err(NONE.into());
                }
                if record.state == WithdrawalState::Paying {
                    return Err(WalletError::AlreadyDecided.into());
                }
                sheet.end_withdrawal(id, record, WithdrawalState::TakenBack, None)
            })
            .await
    }

    /// `PUT wallet/admin/withdrawals/TRANSFER`: the owner is about to pay it at the bank. Asking again changes nothing.
    ///
    /// # Errors
    /// [`WalletError::NotFound`]; [`WalletError::AlreadyDecided`] if it has ended.
    pub async fn begin_withdrawal(&self, id: TransferId) -> Result<()> {
        self.teller
            .run(move |sheet| {
                let record = sheet.withdrawal(id)?;
                if !record.state.is_open() {
                    return Err(WalletError::AlreadyDecided.into());
                }
                let record = WithdrawalRecord { state: WithdrawalState::Paying, ..record };
                sheet.put(tables::WITHDRAWALS, id.0, &record);
                Ok(())
            })
            .await
    }

    /// `POST wallet/admin/withdrawals/TRANSFER`: the owner has paid it at the bank, or it goes back. Asking again decides it once.
    ///
    /// # Errors
    /// [`WalletError::NotFound`]; [`WalletError::AlreadyDecided`] if it is the other already.
    pub async fn decide_withdrawal(&self, id: TransferId, paid: bool) -> Result<()> {
        let state = if paid { WithdrawalState::Paid } else { WithdrawalState::Returned };
        self.teller
            .run(move |sheet| {
                let record = sheet.withdrawal(id)?;
                sheet.end_withdrawal(id, record, state, None)
            })
            .await
    }

    async fn withdrawals_of(&self, table: weft_store::Table, scan: Scan) -> Result<WithdrawalList> {
        let rows = self.ctx.store.scan(table, scan.limit(PAGE_MAX + 1)).await?;
        let mut withdrawals = Vec::new();
        for row in rows.iter().take(PAGE_MAX) {
            let id = row.key.last_chunk::<16>().map(|id| TransferId(*id));
            let id = id.ok_or(Fault::Internal("a withdrawal's key without a transfer"))?;
            let record = self.withdrawal(id).await?;
            withdrawals.push(WithdrawalInfo {
                id,
                user: self.ctx.address(&record.name),
                asset: self.asset(record.asset).await?.asset,
                amount: record.amount,
                to: record.to,
                reference: record.reference,
                state: record.state,
                at_ms: record.at_ms,
            });
        }
        Ok(WithdrawalList { withdrawals, more: rows.len() > PAGE_MAX })
    }

    async fn withdrawal(&self, id: TransferId) -> Result<WithdrawalRecord> {
        self.ctx.read(tables::WITHDRAWALS, id.0).await?.ok_or(NONE)
    }
}

/// Whether an account may be paid: as it is signed, so it is paid.
pub(super) fn check_payee(payee: &BankPayee) -> Result<(), Fault> {
    within("name", payee.name.len(), BANK_NAME_BYTES_MAX)?;
    within("account", payee.account.len(), BANK_NAME_BYTES_MAX)?;
    if payee.name.trim().is_empty() || text::name(&payee.name) != payee.name {
        return Err(Fault::Invalid { field: "name", why: "whose account is it?" });
    }
    if iban(&payee.account).is_none_or(|iban| iban != payee.account) {
        return Err(MISTYPED);
    }
    Ok(())
}

impl Sheet<'_> {
    fn withdrawal(&self, id: TransferId) -> Result<WithdrawalRecord, Stop> {
        Ok(self.get(tables::WITHDRAWALS, id.0)?.ok_or(NONE)?)
    }

    /// The transfer of an order for a bank: held against the issuer, for as long as it takes.
    pub(super) fn withdrawn(
        &mut self,
        order: &PaymentOrder,
        payee: &BankPayee,
        debit: AccountId,
    ) -> Result<Transfer, Stop> {
        check_payee(payee)?;
        if order.intent != Intent::Payment || order.refunds.is_some() || order.request.is_some() {
            return Err(Fault::Invalid { field: "intent", why: "a withdrawal is a payment" }.into());
        }
        if self.get::<BankAccountRecord>(tables::BANK_ACCOUNTS, order.asset.0)?.is_none() {
            return Err(WalletError::NotFound("bank").into());
        }
        let banking: BankingRecord = self.get(tables::BANKING, banking_key(order))?.unwrap_or_default();
        if banking.waiting >= WITHDRAWALS_WAITING_MAX {
            let max = WITHDRAWALS_WAITING_MAX as usize;
            return Err(Fault::TooMany { what: "withdrawals that wait", max }.into());
        }
        let (credit, amount, id) = (issuance(order.asset), order.amount, order.transfer());
        let movement = Movement::Pending { debit, credit, amount, expires_ms: None, refunds: None };
        Ok(Transfer { id, movement, purpose: Purpose::Withdrawal, about: order.id.0 })
    }

    /// The money is held: the owner finds it on the list.
    pub(super) fn withdrawal_asked(
        &mut self,
        order: &PaymentOrder,
        to: &BankPayee,
        entry: &Entry,
    ) -> Result<(), Stop> {
        let (id, name, at_ms) = (entry.transfer.id, order.payer.name.clone(), entry.at_ms);
        let reference = reference(id).as_str().to_owned();
        self.name_reference(&reference, &ReferenceRecord::Withdrawal(id))?;
        let of = [at_ms.to_be_bytes().as_slice(), &id.0].concat();
        self.mark(tables::WITHDRAWALS_OF, joined(name.as_str(), of));
        self.mark(tables::WITHDRAWALS_WAITING, waiting_key(at_ms, id));
        let banking: BankingRecord = self.get(tables::BANKING, banking_key(order))?.unwrap_or_default();
        let waiting = banking.waiting.saturating_add(1);
        self.put(tables::BANKING, banking_key(order), &BankingRecord { waiting, ..banking });
        let (asset, amount, to) = (order.asset, order.amount, to.clone());
        let (state, line) = (WithdrawalState::Waiting, None);
        let record = WithdrawalRecord { name, asset, amount, to, reference, at_ms, state, line };
        self.put(tables::WITHDRAWALS, id.0, &record);
        Ok(())
    }

    /// It was paid, as the owner says or a line of the bank's file; or it goes back, as the owner or who asked says. What was paid by the
    /// owner's word takes its line later.
    pub(super) fn end_withdrawal(
        &mut self,
        id: TransferId,
        record: WithdrawalRecord,
        state: WithdrawalState,
        line: Option<BankLineId>,
    ) -> Result<(), Stop> {
        let is_new = record.state.is_open();
        if !is_new && record.state != state {
            return Err(WalletError::AlreadyDecided.into());
        }
        if is_new {
            let movement = match state {
                WithdrawalState::Paid => Movement::Post { pending: id, amount: record.amount },
                _ => Movement::Void { pending: id },
            };
            let entry = self.entry(id)?.ok_or(Fault::Internal("a withdrawal without its transfer"))?;
            let about = entry.transfer.about;
            let end =
                Transfer { id: TransferId::of_answer(id), movement, purpose: Purpose::Withdrawal, about };
            let chain = self.with_fee_end(end, &entry, state == WithdrawalState::Paid)?;
            self.post(&chain)?;
            if state != WithdrawalState::Paid {
                self.uncount(&entry)?;
            }
            self.delete(tables::WITHDRAWALS_WAITING, waiting_key(record.at_ms, id));
            let key = joined(record.name.as_str(), record.asset.0);
            let banking: BankingRecord = self.get(tables::BANKING, &key)?.unwrap_or_default();
            let waiting = banking.waiting.saturating_sub(1);
            self.put(tables::BANKING, &key, &BankingRecord { waiting, ..banking });
        }
        let line = line.or(record.line);
        self.put(tables::WITHDRAWALS, id.0, &WithdrawalRecord { state, line, ..record });
        Ok(())
    }
}

fn banking_key(order: &PaymentOrder) -> Vec<u8> {
    joined(order.payer.name.as_str(), order.asset.0)
}

/// What the owner writes into the transfer at the bank.
fn reference(id: TransferId) -> Reference {
    let mut hasher = blake3::Hasher::new_derive_key("weft/withdrawal-reference/1");
    reference_of(&hasher.update(&id.0).finalize())
}

/// Where a withdrawal stands on the owner's list.
fn waiting_key(at_ms: u64, id: TransferId) -> Vec<u8> {
    [at_ms.to_be_bytes().as_slice(), &id.0].concat()
}
