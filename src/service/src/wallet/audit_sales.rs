//! Sales that were paid once more from the payments that have paid them.

use super::{
    LedgerReport, Memo,
    accounts::merchant,
    audit::{Walk, get},
    records::{OrderRecord, PaidRecord, SaleRecord},
    sales::sale_key,
};
use crate::Fault;
use std::collections::{HashMap, HashSet};
use weft_ledger::{
    AccountKind, Books, Entry, Memory, Outcome,
    link::{Aim, Payment, Sum},
};
use weft_store::{Store, tables};
use weft_wire::{
    AccountId, NodeName, RequestId, TransferId, UserName,
    wallet::{MerchantPayee, Payee, PaymentOrder},
};

/// What came from another node for a sale.
struct Came {
    /// Where the sale is kept.
    key: Vec<u8>,
    sum: Sum,
    /// The last of what it moved here: where, and how much.
    moved: Option<(AccountId, u64)>,
    tip: u64,
    /// Something else was given for it.
    at_rate: bool,
}

/// What came from other nodes for sales.
#[derive(Default)]
pub(super) struct Sales(HashMap<(NodeName, TransferId), Came>);

impl Sales {
    pub(super) fn payment(&mut self, payment: Payment) {
        if let Some(came) = came(&payment) {
            self.0.insert((payment.peer, payment.id), came);
        }
    }

    /// After the last one: whether each payment that a shop has taken, of another node or of this one, has paid one sale, of so much, and
    /// each sale that was paid was paid by one.
    pub(super) async fn end(
        mut self,
        store: &Store,
        books: &Memory,
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        let (mut used, mut sales) = (HashSet::new(), Walk::of(store, tables::SALES));
        while let Some((key, sale)) = sales.next::<SaleRecord>().await? {
            let Some(paid) = &sale.paid else { continue };
            let is_paid = match self.0.remove(&(paid.payer.node.clone(), paid.transfer)) {
                Some(came) => is_came(&came, &key, &sale, paid),
                None => used.insert(paid.transfer) && is_paid(store, books, &key, &sale, paid).await?,
            };
            if !is_paid {
                report.find(format!("a sale that {} has paid is not what came for it", paid.payer));
            }
        }
        for (_, id) in self.0.keys() {
            report.find(format!("payment {id} of another node has paid no sale"));
        }
        check_taken(store, books, &used, report).await
    }
}

/// What people of this node have paid in shops has paid a sale each.
async fn check_taken(
    store: &Store,
    books: &Memory,
    used: &HashSet<TransferId>,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let shops = books.accounts().filter(|account| account.kind == AccountKind::Merchant);
    let shops: HashSet<AccountId> = shops.map(|account| account.id).collect();
    let took = |entry: &&Entry| {
        let into = entry.moved.is_some_and(|moved| shops.contains(&moved.credit));
        into && entry.is_posted() && !used.contains(&entry.transfer.id)
    };
    for entry in books.entries().filter(took) {
        let id = entry.transfer.id;
        let order = order(store, id).await?;
        if order.is_some_and(|order| matches!(order.payee, Payee::Merchant(_) | Payee::Bearer(_))) {
            report.find(format!("transfer {id} was taken by a shop and has paid no sale"));
        }
    }
    Ok(())
}

/// What was signed for a transfer; whether it is signed is looked at elsewhere.
async fn order(store: &Store, id: TransferId) -> Result<Option<PaymentOrder>, Fault> {
    let kept = get::<OrderRecord>(store, tables::ORDERS, &id.0).await?;
    Ok(kept.and_then(|kept| kept.order.peek().ok()))
}

fn came(payment: &Payment) -> Option<Came> {
    let prepare = payment.prepare.as_ref()?;
    let Aim::Payment { payee: Payee::Merchant(payee), .. } = &prepare.aim else { return None };
    let legs = payment.came()?;
    let MerchantPayee { shop, sale, .. } = payee;
    Some(Came {
        key: sale_key(&shop.name, sale.unwrap_or(RequestId(payment.id.0))),
        sum: prepare.got(),
        moved: legs.last().map(|leg| (leg.credit, leg.amount)),
        tip: Memo::of(prepare).and_then(|memo| memo.tip).unwrap_or(0),
        at_rate: prepare.get.is_some(),
    })
}

/// Whether a sale was paid by what came for it from another node.
fn is_came(came: &Came, key: &[u8], sale: &SaleRecord, paid: &PaidRecord) -> bool {
    let (total, Some(shop)) = (sale.amount.checked_add(paid.tip), shop_of(key)) else { return false };
    let is_tip = if came.at_rate { paid.tip >= came.tip } else { paid.tip == came.tip };
    came.key == key
        && came.sum.asset == sale.asset
        && Some(came.sum.amount) == total
        && came.moved == Some((merchant(&shop, sale.asset), came.sum.amount))
        && is_tip
}

/// Whether a sale was paid by an order for it, of whoever is said to have paid it.
async fn is_paid(
    store: &Store,
    books: &Memory,
    key: &[u8],
    sale: &SaleRecord,
    paid: &PaidRecord,
) -> Result<bool, Fault> {
    let (total, Some(shop)) = (sale.amount.checked_add(paid.tip), shop_of(key)) else { return Ok(false) };
    let Ok(entry) = books.entry(paid.transfer);
    let moved = entry.filter(|entry| entry.outcome == Outcome::Done && entry.is_posted());
    let moved = moved.and_then(|entry| entry.moved).map(|moved| (moved.credit, Some(moved.amount)));
    let Some(order) = order(store, paid.transfer).await? else { return Ok(false) };
    let is_for = match &order.payee {
        Payee::Merchant(payee) => {
            let id = payee.sale.unwrap_or(RequestId(paid.transfer.0));
            let tip = order.tip.unwrap_or(0);
            sale_key(&payee.shop.name, id) == key && paid.tip == tip
        }
        Payee::Bearer(bearer) => {
            let code = sale.code.as_ref().map(|code| code.as_slice());
            code == Some(bearer.digits.as_slice()) && paid.tip == 0
        }
        _ => false,
    };
    Ok(is_for && order.payer == paid.payer && moved == Some((merchant(&shop, sale.asset), total)))
}

/// Of the key of a sale.
fn shop_of(key: &[u8]) -> Option<UserName> {
    let (name, _) = key.split_last_chunk::<17>()?;
    std::str::from_utf8(name).ok()?.parse().ok()
}
