//! Sales that were paid from other nodes once more from the payments that have paid them.

use super::{
    LedgerReport, Memo,
    accounts::merchant,
    audit::all,
    records::{MerchantRecord, PaidRecord, RemoteRecord, SaleRecord},
    sales::sale_key,
};
use crate::Fault;
use std::collections::{BTreeMap, HashSet};
use weft_ledger::link::{Aim, Payment, State, Way};
use weft_store::{Store, tables};
use weft_wire::{
    NodeName, RequestId, TransferId, UserName,
    wallet::{MerchantPayee, Payee},
};

/// Whether each payment of another node that a shop has taken has paid one sale, of so much, and each sale that was paid from another
/// node was paid by one.
pub(super) async fn check_sales(store: &Store, report: &mut LedgerReport) -> Result<(), Fault> {
    let (mut taken, mut lost) = (BTreeMap::new(), HashSet::new());
    for (_, RemoteRecord(payment)) in all::<RemoteRecord>(store, tables::LINK_PAYMENTS).await? {
        if payment.way != Way::In || payment.state != State::Fulfilled {
            continue;
        }
        let name = (payment.peer.clone(), payment.id);
        match payment.prepare.as_ref().map(|prepare| &prepare.aim) {
            Some(Aim::Payment { payee: Payee::Merchant(payee), .. }) => {
                let payee = payee.clone();
                taken.insert(name, (payment, payee));
            }
            // A thaw says that it happened, and no more.
            None => {
                lost.insert(name);
            }
            _ => {}
        }
    }
    let shops = all::<MerchantRecord>(store, tables::MERCHANTS).await?;
    let own: Option<NodeName> = shops.into_iter().next().map(|(_, shop)| shop.owner.node);
    for (key, sale) in all::<SaleRecord>(store, tables::SALES).await? {
        let Some(paid) = sale.paid.as_ref().filter(|paid| Some(&paid.payer.node) != own.as_ref()) else {
            continue;
        };
        let name = (paid.payer.node.clone(), paid.transfer);
        let is_right = match taken.remove(&name) {
            Some((payment, payee)) => is_paid_by(&key, &sale, paid, &payment, &payee),
            None => lost.contains(&name),
        };
        if !is_right {
            report.find(format!("a sale that {} has paid is not what came for it", paid.payer));
        }
    }
    for (_, id) in taken.keys() {
        report.find(format!("payment {id} of another node has paid no sale"));
    }
    Ok(())
}

fn is_paid_by(
    key: &[u8],
    sale: &SaleRecord,
    paid: &PaidRecord,
    payment: &Payment,
    payee: &MerchantPayee,
) -> bool {
    let Some(prepare) = &payment.prepare else { return false };
    let shop: &UserName = &payee.shop.name;
    let TransferId(id) = payment.id;
    let got = prepare.got();
    let tip = Memo::of(prepare).and_then(|memo| memo.tip).unwrap_or(0);
    let is_tip = if prepare.get.is_some() { paid.tip >= tip } else { paid.tip == tip };
    let came = payment.legs.last().map(|leg| (leg.credit, leg.amount));
    key == sale_key(shop, payee.sale.unwrap_or(RequestId(id)))
        && got.asset == sale.asset
        && Some(got.amount) == sale.amount.checked_add(paid.tip)
        && is_tip
        && came == Some((merchant(shop, sale.asset), got.amount))
}
