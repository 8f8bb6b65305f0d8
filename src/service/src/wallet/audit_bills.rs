//! Invoices and escrow once more from the orders, and payments of other nodes, that have paid them.

use super::{
    LedgerReport,
    accounts::{escrow, merchant, personal},
    audit::all,
    records::{
        EscrowRecord, FarInvoiceRecord, InvoicePaidRecord, InvoiceRecord, NumbersRecord, OrderRecord,
        RemoteRecord,
    },
    remote_bills::{far_key, far_list_key},
};
use crate::Fault;
use std::collections::{BTreeMap, HashMap};
use weft_ledger::{
    Books, Entry, Memory, Outcome, Purpose,
    link::{Aim, Sum},
};
use weft_store::{Store, record::Record, tables};
use weft_wire::{
    AccountId, NodeName, RequestId, TransferId, UserAddress, UserName,
    wallet::{InvoicePayee, InvoiceSums, Payee, PaymentOrder},
};

/// What came from another node for an invoice.
struct Came {
    payer: UserAddress,
    payee: InvoicePayee,
    sum: Sum,
    /// The last of what it moved here: where, and how much.
    moved: Option<(AccountId, u64)>,
    at_rate: bool,
}

/// Whether each invoice that is paid was paid by an order that names it, or by a payment of another node that does, each of those has
/// paid one, and no number is left out.
pub(super) async fn check_invoices(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut numbers: BTreeMap<UserName, Vec<u64>> = BTreeMap::new();
    let (mut paid, mut came) = (0_u64, came(store).await?);
    for (key, record) in all::<InvoiceRecord>(store, tables::INVOICES).await? {
        let Some((issuer, id)) = named(&key) else {
            report.find("an invoice has no name".to_owned());
            continue;
        };
        let what = format!("invoice {} of {issuer}", record.number);
        numbers.entry(issuer.clone()).or_default().push(record.number);
        if InvoiceSums::of(&record.lines).map(|sums| sums.total) != Some(record.total) {
            report.find(format!("{what} does not add up"));
        }
        let Some(by) = record.paid else { continue };
        let is_paid = match came.remove(&(record.to.node.clone(), by.transfer)) {
            Some(came) => has_paid(&came, (&issuer, id), &record),
            None => {
                paid += 1;
                is_ordered(store, books, (&issuer, id), &record, by).await?
            }
        };
        if !is_paid {
            report.find(format!("{what} is paid, and no order has paid it"));
        }
    }
    for (_, id) in came.keys() {
        report.find(format!("payment {id} of another node has paid no invoice"));
    }
    for (issuer, mut given) in numbers {
        given.sort_unstable();
        let key = crate::context::joined(issuer.as_str(), []);
        let kept = store.get(tables::INVOICE_NUMBERS, &key).await?;
        let last = kept.map(|row| NumbersRecord::from_record(&row.value)).transpose()?.map(|kept| kept.last);
        if !given.iter().copied().eq(1..=given.len() as u64) || last != Some(given.len() as u64) {
            report.find(format!("the invoices of {issuer} are not numbered one by one"));
        }
    }
    // As many orders have paid one: each order of one of them is counted above, so none has paid the same twice.
    let mut orders = 0_u64;
    for entry in books.entries().filter(|entry| entry.outcome == Outcome::Done) {
        // What goes to another node, that one counts.
        let order = match entry.transfer.purpose {
            Purpose::Remote => None,
            _ => order(store, &entry.transfer.id.0).await?,
        };
        orders += u64::from(order.is_some_and(|order| matches!(order.payee, Payee::Invoice(_))));
    }
    if orders != paid {
        report.find(format!("{orders} payments of invoices, and {paid} invoices that are paid"));
    }
    check_far(store, report).await
}

/// The payments of other nodes that were taken for invoices.
async fn came(store: &Store) -> Result<HashMap<(NodeName, TransferId), Came>, Fault> {
    let mut found = HashMap::new();
    for (_, RemoteRecord(payment)) in all::<RemoteRecord>(store, tables::LINK_PAYMENTS).await? {
        let (Some(prepare), Some(legs)) = (&payment.prepare, payment.came()) else { continue };
        let Aim::Payment { payer, payee: Payee::Invoice(payee), .. } = &prepare.aim else { continue };
        let moved = legs.last().map(|leg| (leg.credit, leg.amount));
        let (sum, at_rate) = (prepare.got(), prepare.get.is_some());
        let came = Came { payer: payer.clone(), payee: payee.clone(), sum, moved, at_rate };
        found.insert((payment.peer.clone(), payment.id), came);
    }
    Ok(found)
}

fn has_paid(came: &Came, (issuer, id): (&UserName, RequestId), record: &InvoiceRecord) -> bool {
    let Came { payer, payee, sum, moved, at_rate } = came;
    let is_enough = if *at_rate { sum.amount >= record.total } else { sum.amount == record.total };
    (&payee.issuer.name, payee.invoice) == (issuer, id)
        && *payer == record.to
        && sum.asset == record.asset
        && is_enough
        && *moved == Some((account(issuer, record), sum.amount))
}

/// The same of one that somebody here has paid.
async fn is_ordered(
    store: &Store,
    books: &Memory,
    (issuer, id): (&UserName, RequestId),
    record: &InvoiceRecord,
    by: InvoicePaidRecord,
) -> Result<bool, Fault> {
    let Ok(entry) = books.entry(by.transfer);
    let is_moved = entry.is_some_and(|entry| is_done(&entry, account(issuer, record), record.total));
    let order = order(store, &by.transfer.0).await?;
    Ok(is_moved
        && order.is_some_and(|order| match &order.payee {
            Payee::Invoice(payee) => {
                (&payee.issuer.name, payee.invoice) == (issuer, id) && order.payer == record.to
            }
            _ => false,
        }))
}

/// Where the money of an invoice belongs.
fn account(issuer: &UserName, record: &InvoiceRecord) -> AccountId {
    if record.of_shop { merchant(issuer, record.asset) } else { personal(issuer, record.asset) }
}

/// Whether what is kept of invoices of other nodes stands where it belongs and in its list, and was paid by what somebody here has
/// ordered for it, if by anything.
async fn check_far(store: &Store, report: &mut LedgerReport) -> Result<(), Fault> {
    for (key, record) in all::<FarInvoiceRecord>(store, tables::INVOICES_FAR).await? {
        let Ok(info) = record.info.peek() else {
            report.find("an invoice of another node cannot be read".to_owned());
            continue;
        };
        let (name, issuer) = (&info.to.name, &info.issuer);
        let what = format!("invoice {} of {issuer} for {name}", info.number);
        let list = far_list_key(name, record.kept_ms, issuer, info.id);
        let is_listed = store.get(tables::INVOICES_LIST, &list).await?.is_some();
        if key != far_key(name, issuer, info.id) || !is_listed {
            report.find(format!("{what} is not where it belongs"));
        }
        let Some(payment) = record.payment else { continue };
        let payee = Payee::Invoice(InvoicePayee { issuer: issuer.clone(), invoice: info.id });
        let order = order(store, &payment.0).await?;
        // Of what was refused long ago there is no order any more.
        if order.is_some_and(|order| order.payee != payee || order.payer != info.to) {
            report.find(format!("{what} was paid by what was ordered for something else"));
        }
    }
    Ok(())
}

/// Whether what was paid in is what went out and what is left, what went to a seller was signed for by the buyer, and the rest went
/// back to nobody else.
pub(super) async fn check_escrows(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut escrows = BTreeMap::new();
    for (key, record) in all::<EscrowRecord>(store, tables::ESCROWS).await? {
        let Ok(id) = TransferId::from_slice(&key) else {
            report.find("an escrow has no name".to_owned());
            continue;
        };
        let account = escrow(id, record.asset);
        let Ok(funded) = books.entry(id);
        let is_funded = funded.is_some_and(|entry| is_done(&entry, account, record.total));
        let Ok(kept) = books.account(account);
        let left = if record.end.is_some() { 0 } else { i128::from(record.total) };
        if !is_funded || kept.is_none_or(|kept| kept.balances.net() != left) {
            report.find(format!("escrow {id} does not hold what it should"));
        }
        let (seller, buyer) = (&record.seller.name, personal(&record.buyer.name, record.asset));
        let theirs =
            if record.of_shop { merchant(seller, record.asset) } else { personal(seller, record.asset) };
        let (to_seller, by) = record.end.map_or((0, None), |end| (end.to_seller, end.by));
        let mut is_right = (to_seller > 0) == by.is_some();
        if let Some(by) = by {
            let Ok(entry) = books.entry(by);
            is_right &= entry.is_some_and(|entry| is_done(&entry, theirs, to_seller));
            is_right &= is_settled(store, by, id, &record, to_seller).await?;
        }
        if record.end.is_some() && to_seller < record.total {
            let Ok(entry) = books.entry(TransferId::of_escrow_return(id));
            is_right &= entry.is_some_and(|entry| is_done(&entry, buyer, record.total - to_seller));
        }
        if !is_right {
            report.find(format!("escrow {id} did not go where the buyer has signed for"));
        }
        escrows.insert(account, id);
    }
    for entry in books.entries().filter(|entry| entry.outcome == Outcome::Done) {
        let purpose = entry.transfer.purpose;
        let account = entry.moved.map(|moved| match purpose {
            Purpose::EscrowFund => moved.credit,
            _ => moved.debit,
        });
        let is_escrow =
            matches!(purpose, Purpose::EscrowFund | Purpose::EscrowRelease | Purpose::EscrowReturn);
        if is_escrow && account.is_none_or(|account| !escrows.contains_key(&account)) {
            report.find(format!("transfer {} is of no escrow", entry.transfer.id));
        }
    }
    Ok(())
}

/// Whether the buyer has signed that so much of an escrow is for its seller.
async fn is_settled(
    store: &Store,
    by: TransferId,
    id: TransferId,
    record: &EscrowRecord,
    amount: u64,
) -> Result<bool, Fault> {
    let Some(row) = store.get(tables::ORDERS, &by.0).await? else { return Ok(false) };
    let kept = OrderRecord::from_record(&row.value)?;
    let cert = kept.cert.peek().ok();
    let order = cert.and_then(|cert| kept.order.verify(&cert.order_key).ok());
    Ok(order.is_some_and(|order| {
        let is_it =
            matches!(&order.payee, Payee::Settle(to) if to.escrow == id && to.seller == record.seller);
        is_it
            && order.transfer() == by
            && order.payer == record.buyer
            && (order.asset, order.amount) == (record.asset, amount)
    }))
}

fn is_done(entry: &Entry, account: AccountId, total: u64) -> bool {
    let moved = entry.moved.is_some_and(|moved| (moved.credit, moved.amount) == (account, total));
    entry.outcome == Outcome::Done && entry.is_posted() && moved
}

/// The issuer and id of an invoice's key.
fn named(key: &[u8]) -> Option<(UserName, RequestId)> {
    let (issuer, id) = key.split_last_chunk::<16>()?;
    let issuer = std::str::from_utf8(issuer.strip_suffix(&[0])?).ok()?;
    Some((issuer.parse().ok()?, RequestId(*id)))
}

/// The order of a transfer.
async fn order(store: &Store, id: &[u8]) -> Result<Option<PaymentOrder>, Fault> {
    let Some(row) = store.get(tables::ORDERS, id).await? else { return Ok(None) };
    Ok(OrderRecord::from_record(&row.value)?.order.peek().ok())
}
