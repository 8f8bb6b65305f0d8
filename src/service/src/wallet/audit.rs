//! The ledger once more from its log: whether what is kept is what its events come to.

use super::accounts::{agent, merchant, personal};
use super::audit_bills::Bills;
use super::audit_guard::GuardLog;
use super::audit_links::Links;
use super::audit_roots::Roots;
use super::audit_sales::Sales;
use super::records::{
    AccountRecord, EntryRecord, EventRecord, HeadRecord, LoggedEvent, OrderRecord, Owner, OwnerRecord,
    RemoteRecord, StandingRecord,
};
use crate::Fault;
use std::collections::BTreeMap;
use weft_ledger::{
    Account, Books, Entry, Memory, Movement, Outcome, Purpose, change_account, open_account, post,
};
use weft_store::{Row, Scan, Store, Table, record::Record, tables};
use weft_wire::{AssetId, Millis, TransferId, wallet::Payee};

/// Findings that are told one by one; of more, that there are more.
const TOLD_MAX: usize = 20;

/// What doing the events again has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// Events of the log.
    pub events: u64,
    /// Transfers, also those that were refused.
    pub transfers: u64,
    /// Accounts.
    pub accounts: u64,
    /// Roots of days.
    pub roots: u64,
    /// What is not as it should be. Empty: nothing.
    pub findings: Vec<String>,
}

impl LedgerReport {
    pub(super) fn find(&mut self, what: String) {
        match self.findings.len() {
            TOLD_MAX => self.findings.push("and more".to_owned()),
            len if len < TOLD_MAX => self.findings.push(what),
            _ => {}
        }
    }
}

/// Does all events of the ledger again and compares. The store must not change meanwhile.
///
/// # Errors
/// What kept it from reading.
pub async fn check_ledger(store: &Store) -> Result<LedgerReport, Fault> {
    let (mut books, mut report) = (Memory::default(), LedgerReport::default());
    let (mut log, mut roots) = (Walk::of(store, tables::LEDGER_LOG), Roots::begin(store).await?);
    while let Some((key, record)) = log.next::<EventRecord>().await? {
        report.events += 1;
        if key != report.events.to_be_bytes() {
            report.find(format!("the log jumps at event {}", report.events));
            return Ok(report);
        }
        let (at, event) = ((report.events, record.at_ms), record.event.clone());
        again(store, &mut books, record, &mut report).await?;
        roots.event(at, &event, &books, &mut report).await?;
    }
    roots.end(&mut report);
    compare(store, &books, &mut report).await?;
    super::audit_bank::check_bank(store, &books, &mut report).await?;
    let guard = super::audit_guard::check_guard(store, &books, &mut report).await?;
    super::audit_fees::check_fees(store, &books, &mut report).await?;
    super::audit_agents::check_agents(store, &books, &guard, &mut report).await?;
    check_remote(store, &books, &guard, &mut report).await?;
    super::audit_bills::check_escrows(store, &books, &mut report).await?;
    super::audit_mandates::check_mandates(store, &books, &mut report).await?;
    super::audit_packets::check_packets(store, &books, &mut report).await?;
    Ok(report)
}

/// Payments between nodes: one walk over them, for all that is to be known of them.
async fn check_remote(
    store: &Store,
    books: &Memory,
    guard: &GuardLog,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let (mut links, mut sales) = (Links::begin(store).await?, Sales::default());
    let mut bills = Bills::default();
    let mut payments = Walk::of(store, tables::LINK_PAYMENTS);
    while let Some((_, RemoteRecord(payment))) = payments.next().await? {
        links.payment(store, (books, guard), &payment, report).await?;
        bills.payment(&payment);
        sales.payment(payment);
    }
    links.end(store, (books, guard), report).await?;
    sales.end(store, books, report).await?;
    bills.end(store, books, report).await
}

/// Does one event again.
async fn again(
    store: &Store,
    books: &mut Memory,
    EventRecord { at_ms, event }: EventRecord,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let number = report.events;
    let failed = match event {
        LoggedEvent::Open { id, asset, kind, bounds } => {
            open_account(books, Account { bounds, ..Account::new(id, asset, kind) }, at_ms).is_err()
        }
        LoggedEvent::Change { id, bounds, freeze } => change_account(books, id, bounds, freeze).is_err(),
        LoggedEvent::Chain(ids) => {
            let mut kept = Vec::with_capacity(ids.len());
            for id in &ids {
                match get::<EntryRecord>(store, tables::LEDGER_ENTRIES, &id.0).await? {
                    Some(EntryRecord(entry)) => kept.push(entry),
                    None => report.find(format!("event {number}: transfer {id} is missing")),
                }
            }
            report.transfers += ids.len() as u64;
            chain(books, &kept, at_ms, report);
            false
        }
    };
    if failed || books.newest().unwrap_or_else(|never| match never {}) != number {
        report.find(format!("event {number} cannot be done again"));
        books.advance(number);
    }
    Ok(())
}

fn chain(books: &mut Memory, kept: &[Entry], at_ms: Millis, report: &mut LedgerReport) {
    let transfers: Vec<_> = kept.iter().map(|entry| entry.transfer).collect();
    // Whether it was done or refused, what is kept of it says so.
    let _ = post(books, &transfers, at_ms);
    for entry in kept {
        let Ok(again) = books.entry(entry.transfer.id);
        if again.as_ref() != Some(entry) {
            report.find(format!("transfer {} is not what its event makes of it", entry.transfer.id));
        }
    }
}

async fn compare(store: &Store, books: &Memory, report: &mut LedgerReport) -> Result<(), Fault> {
    let head = get::<HeadRecord>(store, tables::LEDGER_HEAD, super::books::HEAD).await?;
    if head.map_or(0, |head| head.newest) != report.events {
        report.find("the head is not at the newest event".to_owned());
    }
    let mut sums: BTreeMap<AssetId, (u128, u128)> = BTreeMap::new();
    for account in books.accounts() {
        report.accounts += 1;
        let kept = get::<AccountRecord>(store, tables::LEDGER_ACCOUNTS, &account.id.0).await?;
        if kept.map(|kept| kept.0).as_ref() != Some(account) {
            report.find(format!("account {} is not what its transfers make of it", account.id));
        }
        let (debits, credits) = sums.entry(account.asset).or_default();
        *debits = debits.saturating_add(account.balances.debits_posted);
        *credits = credits.saturating_add(account.balances.credits_posted);
    }
    for (asset, (debits, credits)) in sums {
        if debits != credits {
            report.find(format!("asset {asset}: debits of {debits}, credits of {credits}"));
        }
    }
    let count = |table| count(store, table);
    for (table, known) in
        [(tables::LEDGER_ACCOUNTS, report.accounts), (tables::LEDGER_ENTRIES, books.entries().count() as u64)]
    {
        let rows = count(table).await?;
        if rows != known {
            report.find(format!("{}: {rows} rows where the log makes {known}", table.name));
        }
    }
    let mut standings = 0;
    for entry in books.entries().filter(|entry| entry.outcome == Outcome::Done) {
        ordered(store, entry, report).await?;
        let id: TransferId = entry.transfer.id;
        let kept = get::<StandingRecord>(store, tables::LEDGER_STANDINGS, &id.0).await?;
        let Ok(again) = books.standing(id);
        standings += u64::from(again.is_some());
        if kept.map(|kept| kept.0) != again {
            report.find(format!("what became of transfer {id} is not what the log says"));
        }
    }
    let rows = count(tables::LEDGER_STANDINGS).await?;
    if rows != standings {
        report
            .find(format!("{}: {rows} rows where the log makes {standings}", tables::LEDGER_STANDINGS.name));
    }
    Ok(())
}

/// Whoever's money moved has signed for it.
async fn ordered(store: &Store, entry: &Entry, report: &mut LedgerReport) -> Result<(), Fault> {
    let id = entry.transfer.id;
    let (debit, credit, amount) = match entry.transfer.movement {
        Movement::Posted { debit, credit, amount, .. } | Movement::Pending { debit, credit, amount, .. } => {
            (debit, credit, amount)
        }
        Movement::Post { .. } | Movement::Void { .. } => return Ok(()),
    };
    let purpose = entry.transfer.purpose;
    // What is collected is signed for by a mandate, which is looked at beside all others; so are fees.
    if matches!(purpose, Purpose::Redeem | Purpose::Collection | Purpose::Fee) {
        return Ok(());
    }
    let owner = get::<OwnerRecord>(store, tables::OWNERS, &debit.0).await?;
    let (name, is_shop, asset) = match owner {
        Some(OwnerRecord { owner: Owner::Person(name), asset }) => (name, false, asset),
        Some(OwnerRecord { owner: Owner::Merchant(name), asset }) => (name, true, asset),
        Some(OwnerRecord { owner: Owner::Agent(name), asset }) if purpose != Purpose::Settlement => {
            (name, false, asset)
        }
        _ => return Ok(()),
    };
    let payee = get::<OwnerRecord>(store, tables::OWNERS, &credit.0).await?.map(|owner| owner.owner);
    let kept = get::<OrderRecord>(store, tables::ORDERS, &id.0).await?;
    let order =
        kept.and_then(|kept| kept.cert.peek().ok().and_then(|cert| kept.order.verify(&cert.order_key).ok()));
    let is_right = order.is_some_and(|order| {
        let payer = order.from.as_ref().unwrap_or(&order.payer);
        let (is_enough, is_theirs) = match (&order.payee, payee) {
            // To a shop of another node: what that has asked for is looked at with the payment.
            (Payee::Bearer(_), Some(Owner::Merchant(_) | Owner::Peer(_))) => (amount <= order.amount, true),
            (Payee::Bearer(_), _) => (false, false),
            // Of another node: the money went to what is between the two.
            (Payee::Merchant(shop), Some(Owner::Peer(node))) => {
                (amount == order.amount, shop.shop.node == node)
            }
            (Payee::Merchant(shop), owner) => {
                (amount == order.amount, owner == Some(Owner::Merchant(shop.shop.name.clone())))
            }
            (Payee::Escrow(_), owner) => (amount == order.amount, owner == Some(Owner::Escrow(id))),
            // What an agent has taken in cash goes from the float, and what it has given out, to it.
            (Payee::CashIn(user), owner) => {
                let is_float = debit == agent(&name, asset);
                (amount == order.amount && is_float, owner == Some(Owner::Person(user.name.clone())))
            }
            (Payee::CashOut(user), owner) => {
                (amount == order.amount, owner == Some(Owner::Agent(user.name.clone())))
            }
            // Out over a bank: held against what was issued.
            (Payee::Bank(_), owner) => (amount == order.amount, owner == Some(Owner::Node)),
            (Payee::Invoice(invoice), Some(Owner::Peer(node))) => {
                (amount == order.amount, invoice.issuer.node == node)
            }
            (Payee::Invoice(invoice), owner) => {
                let name = &invoice.issuer.name;
                let is_theirs =
                    matches!(&owner, Some(Owner::Person(owner) | Owner::Merchant(owner)) if owner == name);
                (amount == order.amount, is_theirs)
            }
            // Of another node: the money went to what is between the two.
            (Payee::Person(user), Some(Owner::Peer(node))) => (amount == order.amount, user.node == node),
            (Payee::Person(user), owner) => {
                (amount == order.amount, owner == Some(Owner::Person(user.name.clone())))
            }
            (_, owner) => (amount == order.amount, matches!(owner, Some(Owner::Packet(_)))),
        };
        order.transfer() == id
            && payer.name == name
            && order.from.is_some() == is_shop
            && order.asset == asset
            && is_enough
            && is_theirs
    });
    let own = match purpose {
        Purpose::CashIn => agent(&name, asset),
        _ if is_shop => merchant(&name, asset),
        _ => personal(&name, asset),
    };
    if !is_right || own != debit {
        report.find(format!("transfer {id} of {name} has no order that they have signed"));
    }
    Ok(())
}

pub(super) async fn get<R: Record>(store: &Store, table: Table, key: &[u8]) -> Result<Option<R>, Fault> {
    let row = store.get(table, key).await?;
    Ok(row.map(|row| R::from_record(&row.value)).transpose()?)
}

pub(super) async fn count(store: &Store, table: Table) -> Result<u64, Fault> {
    let (mut rows, mut walk) = (0, Walk::of(store, table));
    while walk.row().await?.is_some() {
        rows += 1;
    }
    Ok(rows)
}

/// All records of a table, with their keys.
pub(super) async fn all<R: Record>(store: &Store, table: Table) -> Result<Vec<(Vec<u8>, R)>, Fault> {
    let (mut records, mut walk) = (Vec::new(), Walk::of(store, table));
    while let Some(row) = walk.next().await? {
        records.push(row);
    }
    Ok(records)
}

/// A table from its first row to its last, one row at a time: no more of it is in memory than a page.
pub(super) struct Walk<'a> {
    store: &'a Store,
    table: Table,
    page: std::vec::IntoIter<Row>,
    after: Vec<u8>,
}

impl<'a> Walk<'a> {
    pub(super) fn of(store: &'a Store, table: Table) -> Self {
        Walk { store, table, page: Vec::new().into_iter(), after: Vec::new() }
    }

    /// The next row. `None`: that was all.
    pub(super) async fn row(&mut self) -> Result<Option<Row>, Fault> {
        if self.page.as_slice().is_empty() {
            let rows = self.store.scan(self.table, Scan::prefix([]).after(&self.after)).await?;
            if let Some(last) = rows.last() {
                self.after.clone_from(&last.key);
            }
            self.page = rows.into_iter();
        }
        Ok(self.page.next())
    }

    /// The next row's key and record.
    pub(super) async fn next<R: Record>(&mut self) -> Result<Option<(Vec<u8>, R)>, Fault> {
        let Some(row) = self.row().await? else { return Ok(None) };
        Ok(Some((row.key, R::from_record(&row.value)?)))
    }
}
