//! Collections once more from the mandates that their debtors have signed.

use super::{
    LedgerReport,
    accounts::{merchant, personal},
    audit::all,
    mandate_records::{CollectionRecord, LiveRecord, MandateRecord},
};
use crate::{Fault, context::joined};
use std::collections::BTreeMap;
use weft_ledger::{Books, Entry, Memory, Movement, Outcome, Purpose};
use weft_store::{Store, record::Record, tables};
use weft_wire::{TransferId, UserName, wallet::Payee};

/// Whether all that was collected was collected by a mandate that its debtor has signed, that held then, in one of its periods, once in
/// it, and no more than it allows; and whether each collection that is kept of a mandate moved the money.
pub(super) async fn check_mandates(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let (mut collected, mut live) = (0, BTreeMap::<UserName, u32>::new());
    for (key, record) in all::<MandateRecord>(store, tables::MANDATES).await? {
        let Ok(id) = TransferId::from_slice(&key) else {
            report.find("a mandate has no name".to_owned());
            continue;
        };
        if !is_signed(&record, id) {
            report.find(format!("mandate {id} is not what its debtor has signed"));
        }
        if record.end.is_none() {
            *live.entry(record.debtor.name.clone()).or_default() += 1;
        }
    }
    for (key, kept) in all::<CollectionRecord>(store, tables::COLLECTIONS).await? {
        let parts = key.split_first_chunk::<16>();
        let parts = parts.and_then(|(id, period)| Some((*id, *period.first_chunk::<4>()?)));
        let Some((id, period)) = parts else {
            report.find("a collection has no name".to_owned());
            continue;
        };
        let (id, period) = (TransferId(id), u32::from_be_bytes(period));
        let Ok(entry) = books.entry(TransferId::of_collection(id, period));
        let is_moved = entry.as_ref().is_some_and(|entry| entry.outcome == Outcome::Done);
        collected += u64::from(is_moved);
        let is_right = match (&kept.refused, entry) {
            (None, Some(entry)) => is_within(store, id, period, kept.amount, &entry).await?,
            (None, None) => false,
            (Some(_), _) => !is_moved,
        };
        if !is_right {
            report.find(format!("collection {period} of mandate {id} is not within it"));
        }
    }
    // As many transfers are collections: each of those above has an id that no other mandate or period gives.
    let is_collection =
        |entry: &&Entry| entry.outcome == Outcome::Done && entry.transfer.purpose == Purpose::Collection;
    let moved = books.entries().filter(is_collection).count() as u64;
    if moved != collected {
        report.find(format!("{moved} transfers by mandates, and {collected} collections"));
    }
    for (debtor, live) in live {
        let row = store.get(tables::MANDATES_LIVE, &joined(debtor.as_str(), [])).await?;
        let kept = row.map(|row| LiveRecord::from_record(&row.value)).transpose()?;
        if kept.is_none_or(|kept| kept.live != live) {
            report.find(format!("{live} mandates of {debtor} hold, and another number is kept"));
        }
    }
    Ok(())
}

/// Whether the debtor has signed the mandate with what was their device's order key then.
fn is_signed(record: &MandateRecord, id: TransferId) -> bool {
    let cert = record.order.cert.peek().ok();
    let order = cert.and_then(|cert| record.order.order.verify(&cert.order_key).ok());
    order.is_some_and(|order| {
        let Payee::Mandate(mut terms) = order.payee.clone() else { return false };
        terms.purpose.clone_from(&record.terms.purpose);
        terms == record.terms
            && order.transfer() == id
            && order.payer == record.debtor
            && (order.asset, order.amount) == (record.asset, record.amount)
    })
}

/// Whether a transfer is what a mandate allowed at that time.
async fn is_within(
    store: &Store,
    id: TransferId,
    period: u32,
    amount: u64,
    entry: &Entry,
) -> Result<bool, Fault> {
    let Some(row) = store.get(tables::MANDATES, &id.0).await? else { return Ok(false) };
    let record = MandateRecord::from_record(&row.value)?;
    let creditor = &record.terms.creditor.name;
    let credit =
        if record.of_shop { merchant(creditor, record.asset) } else { personal(creditor, record.asset) };
    let debit = personal(&record.debtor.name, record.asset);
    let wanted = Movement::Posted { debit, credit, amount, refunds: None };
    let is_enough = if record.terms.standing { amount == record.amount } else { amount <= record.amount };
    Ok(is_enough
        && entry.transfer.movement == wanted
        && entry.transfer.purpose == Purpose::Collection
        && entry.transfer.about == id.0
        && entry.outcome == Outcome::Done
        && entry.number > record.since
        && record.end.is_none_or(|end| entry.number <= end.until)
        && record.terms.has(period)
        && record.terms.period_at(entry.at_ms) == Some(period)
        && is_signed(&record, id))
}
