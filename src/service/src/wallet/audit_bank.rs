//! Whether what banks have said, and what members want out, is in the books as the lists say.

use super::{
    accounts::{issuance, personal, suspense},
    audit::{LedgerReport, all},
    bank_import::{transfer_of, waiting_key},
    bank_records::{BankLineRecord, WithdrawalRecord},
};
use crate::Fault;
use std::collections::BTreeMap;
use weft_ledger::{Books, Entry, Memory, Outcome};
use weft_store::{Store, tables};
use weft_wire::{
    AccountId, AssetId, BankLineId, TransferId,
    wallet::{BankLineState, WithdrawalState},
};

/// Compares the lines of banks' files and all withdrawals with the books as their events make them.
pub(super) async fn check_bank(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let (mut held, mut waiting) = (BTreeMap::<AssetId, u128>::new(), 0);
    for (key, record) in all::<BankLineRecord>(store, tables::BANK_LINES).await? {
        let Ok(id) = BankLineId::from_slice(&key) else {
            report.find("a line of a bank without an id".to_owned());
            continue;
        };
        let waits = record.state == BankLineState::Waiting;
        if waits {
            waiting += 1;
            let row = store.get(tables::BANK_WAITING, &waiting_key(record.imported_ms, id)).await?;
            if row.is_none() {
                report.find(format!("line {id} of a bank waits, and is not on the work list"));
            }
            let credit = u128::try_from(record.amount).unwrap_or(0);
            *held.entry(record.asset).or_default() += credit;
        }
        if !is_booked(books, id, &record) {
            report.find(format!("line {id} of a bank is not booked so"));
        }
    }
    for account in books.accounts() {
        let is_suspense = account.id == suspense(account.asset);
        let listed = held.get(&account.asset).copied().unwrap_or(0);
        if is_suspense && u128::try_from(account.balances.net()).ok() != Some(listed) {
            report.find(format!("suspense of {}: the work list has {listed}", account.asset));
        }
    }
    let mut asked = 0;
    for (key, record) in all::<WithdrawalRecord>(store, tables::WITHDRAWALS).await? {
        asked += u64::from(record.state.is_open());
        let id = TransferId::from_slice(&key).ok();
        if !id.is_some_and(|id| is_held(books, id, &record)) {
            report.find(format!("a withdrawal of {} is not booked so", record.name));
        }
    }
    for (table, known) in [(tables::BANK_WAITING, waiting), (tables::WITHDRAWALS_WAITING, asked)] {
        let rows = super::audit::count(store, table).await?;
        if rows != known {
            report.find(format!("{}: {rows} rows where {known} wait", table.name));
        }
    }
    Ok(())
}

/// Whether the transfers of a line are those that its state names.
fn is_booked(books: &Memory, id: BankLineId, record: &BankLineRecord) -> bool {
    let [came, decided] = [false, true].map(|decided| done(books, transfer_of(id, decided)));
    if record.amount < 0 {
        return came.is_none() && decided.is_none();
    }
    let theirs = record.member.as_ref().map(|name| personal(name, record.asset));
    let (issuance, suspense) = (issuance(record.asset), suspense(record.asset));
    let (first, then) = match record.state {
        BankLineState::Credited => (theirs, None),
        BankLineState::Waiting => (Some(suspense), None),
        BankLineState::Assigned => (Some(suspense), theirs),
        BankLineState::Returned => (Some(suspense), Some(issuance)),
        _ => return false,
    };
    let amount = record.amount.unsigned_abs();
    let is = |entry: Option<Entry>, debit: AccountId, credit: Option<AccountId>| match (entry, credit) {
        (None, None) => true,
        (Some(entry), Some(credit)) => entry
            .moved
            .is_some_and(|moved| (moved.debit, moved.credit, moved.amount) == (debit, credit, amount)),
        _ => false,
    };
    first.is_some() && is(came, issuance, first) && is(decided, suspense, then)
}

/// Whether the money of a withdrawal is where its state says.
fn is_held(books: &Memory, id: TransferId, record: &WithdrawalRecord) -> bool {
    let (debit, credit) = (personal(&record.name, record.asset), issuance(record.asset));
    let is_it = done(books, id)
        .and_then(|entry| entry.moved)
        .is_some_and(|moved| (moved.debit, moved.credit, moved.amount) == (debit, credit, record.amount));
    let Ok(standing) = books.standing(id);
    let end = standing.and_then(|standing| standing.resolution).map(|end| end.posted);
    let expected = match record.state {
        WithdrawalState::Paid => Some(record.amount),
        WithdrawalState::Returned | WithdrawalState::TakenBack => Some(0),
        _ => None,
    };
    is_it && end == expected
}

fn done(books: &Memory, id: TransferId) -> Option<Entry> {
    let Ok(entry) = books.entry(id);
    entry.filter(|entry| entry.outcome == Outcome::Done)
}
