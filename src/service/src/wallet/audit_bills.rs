//! Invoices and escrow once more from the orders, and payments of other nodes, that have paid them.

use super::{
    LedgerReport,
    accounts::{escrow, merchant, personal},
    audit::{Walk, all, get},
    records::{EscrowRecord, FarInvoiceRecord, InvoicePaidRecord, InvoiceRecord, NumbersRecord, OrderRecord},
    remote_bills::{bill_of, far_key, far_list_key},
};
use crate::Fault;
use std::collections::{BTreeMap, HashMap};
use weft_ledger::{
    Books, Entry, Memory, Outcome, Purpose,
    link::{Payment, Sum},
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

/// What payments of the links say of invoices.
#[derive(Default)]
pub(super) struct Bills {
    /// What came from other nodes for invoices of this one.
    came: HashMap<(NodeName, TransferId), Came>,
    /// What has gone to other nodes for invoices of theirs: where that is kept, and by which payments.
    went: BTreeMap<Vec<u8>, Vec<TransferId>>,
}

impl Bills {
    pub(super) fn payment(&mut self, payment: &Payment) {
        let (Some(prepare), Some((payer, payee))) = (&payment.prepare, bill_of(payment)) else { return };
        if payment.went().is_some() {
            let key = far_key(&payer.name, &payee.issuer, payee.invoice);
            self.went.entry(key).or_default().push(payment.id);
        }
        let Some(legs) = payment.came() else { return };
        let moved = legs.last().map(|leg| (leg.credit, leg.amount));
        let (sum, at_rate) = (prepare.got(), prepare.get.is_some());
        let came = Came { payer: payer.clone(), payee: payee.clone(), sum, moved, at_rate };
        self.came.insert((payment.peer.clone(), payment.id), came);
    }

    /// After the last one: whether each invoice that is paid was paid by an order that names it, or by a payment of another node that
    /// does, each of those has paid one, no number is left out, and it is kept which invoices of other nodes are paid.
    pub(super) async fn end(
        mut self,
        store: &Store,
        books: &Memory,
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        let mut numbers: BTreeMap<UserName, Vec<u64>> = BTreeMap::new();
        let (mut paid, mut invoices) = (0_u64, Walk::of(store, tables::INVOICES));
        while let Some((key, record)) = invoices.next::<InvoiceRecord>().await? {
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
            let is_paid = match self.came.remove(&(record.to.node.clone(), by.transfer)) {
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
        for (_, id) in self.came.keys() {
            report.find(format!("payment {id} of another node has paid no invoice"));
        }
        check_numbers(store, numbers, report).await?;
        check_orders(store, books, paid, report).await?;
        check_went(store, self.went, report).await?;
        check_far(store, report).await
    }
}

/// Whether the invoices of each issuer are numbered one by one.
async fn check_numbers(
    store: &Store,
    numbers: BTreeMap<UserName, Vec<u64>>,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    for (issuer, mut given) in numbers {
        given.sort_unstable();
        let key = crate::context::joined(issuer.as_str(), []);
        let last = get::<NumbersRecord>(store, tables::INVOICE_NUMBERS, &key).await?.map(|kept| kept.last);
        if !given.iter().copied().eq(1..=given.len() as u64) || last != Some(given.len() as u64) {
            report.find(format!("the invoices of {issuer} are not numbered one by one"));
        }
    }
    Ok(())
}

/// Whether as many orders have paid an invoice of this node as are paid so: each of those has one order, so none has paid the same twice.
async fn check_orders(
    store: &Store,
    books: &Memory,
    paid: u64,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
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
    Ok(())
}

/// Whether it is kept which invoices of other nodes are paid: one that is not would be paid again. Of two payments, because the other
/// node has lost what it knew of the first, one is kept.
async fn check_went(
    store: &Store,
    mut went: BTreeMap<Vec<u8>, Vec<TransferId>>,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut kept = Walk::of(store, tables::INVOICES_FAR_PAID);
    while let Some((key, InvoicePaidRecord { transfer, .. })) = kept.next().await? {
        if went.remove(&key).is_none_or(|payments| !payments.contains(&transfer)) {
            let what =
                format!("an invoice of another node is paid by {transfer}, which has not gone over for it");
            report.find(what);
        }
    }
    for id in went.values().flatten() {
        report.find(format!("payment {id} has gone over for an invoice of another node, which is not paid"));
    }
    Ok(())
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
    let mut kept = Walk::of(store, tables::INVOICES_FAR);
    while let Some((key, record)) = kept.next::<FarInvoiceRecord>().await? {
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
