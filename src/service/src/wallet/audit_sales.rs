//! Sales that were paid once more from the payments that have paid them.

use super::{
    LedgerReport, Memo,
    accounts::merchant,
    audit::Walk,
    records::{PaidRecord, SaleRecord},
    sales::sale_key,
};
use crate::Fault;
use std::collections::HashMap;
use weft_ledger::{
    Books, Memory, Outcome,
    link::{Aim, Payment, State, Sum, Way},
};
use weft_store::{Store, tables};
use weft_wire::{
    AccountId, NodeName, RequestId, TransferId, UserName,
    wallet::{MerchantPayee, Payee},
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

    /// After the last one: whether each that a shop has taken has paid one sale, of so much, and each sale that was paid was paid by one,
    /// of another node or of this one.
    pub(super) async fn end(
        mut self,
        store: &Store,
        books: &Memory,
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        let mut sales = Walk::of(store, tables::SALES);
        while let Some((key, sale)) = sales.next::<SaleRecord>().await? {
            let Some(paid) = &sale.paid else { continue };
            if !is_paid(books, &mut self.0, &key, &sale, paid) {
                report.find(format!("a sale that {} has paid is not what came for it", paid.payer));
            }
        }
        for (_, id) in self.0.keys() {
            report.find(format!("payment {id} of another node has paid no sale"));
        }
        Ok(())
    }
}

fn came(payment: &Payment) -> Option<Came> {
    let prepare = payment.prepare.as_ref()?;
    let Aim::Payment { payee: Payee::Merchant(payee), .. } = &prepare.aim else { return None };
    if (payment.way, payment.state) != (Way::In, State::Fulfilled) {
        return None;
    }
    let MerchantPayee { shop, sale, .. } = payee;
    Some(Came {
        key: sale_key(&shop.name, sale.unwrap_or(RequestId(payment.id.0))),
        sum: prepare.got(),
        moved: payment.legs.last().map(|leg| (leg.credit, leg.amount)),
        tip: Memo::of(prepare).and_then(|memo| memo.tip).unwrap_or(0),
        at_rate: prepare.get.is_some(),
    })
}

fn is_paid(
    books: &Memory,
    taken: &mut HashMap<(NodeName, TransferId), Came>,
    key: &[u8],
    sale: &SaleRecord,
    paid: &PaidRecord,
) -> bool {
    let (total, Some(shop)) = (sale.amount.checked_add(paid.tip), shop_of(key)) else { return false };
    let account = merchant(&shop, sale.asset);
    match taken.remove(&(paid.payer.node.clone(), paid.transfer)) {
        Some(came) => {
            let is_tip = if came.at_rate { paid.tip >= came.tip } else { paid.tip == came.tip };
            came.key == key
                && came.sum.asset == sale.asset
                && Some(came.sum.amount) == total
                && came.moved == Some((account, came.sum.amount))
                && is_tip
        }
        None => {
            let Ok(entry) = books.entry(paid.transfer);
            let moved = entry.filter(|entry| entry.outcome == Outcome::Done).and_then(|entry| entry.moved);
            moved.is_some_and(|moved| (moved.credit, Some(moved.amount)) == (account, total))
        }
    }
}

/// Of the key of a sale.
fn shop_of(key: &[u8]) -> Option<UserName> {
    let (name, _) = key.split_last_chunk::<17>()?;
    std::str::from_utf8(name).ok()?.parse().ok()
}
