//! What a bug, or a hand on the disk, would make of bob's sales, and that the audit of his node says so.

use super::*;
use crate::wallet::{
    check_ledger,
    records::{RemoteRecord, SaleRecord},
};
use weft_store::{Batch, Scan, record::Record, tables};

impl Counter {
    /// Where the one sale stands that this transfer has paid, and what is written there.
    async fn kept(&self, paid: TransferId) -> (Vec<u8>, SaleRecord) {
        let rows = self.pair.worlds[AWAY].store.scan(tables::SALES, Scan::prefix([])).await.unwrap();
        let mut rows = rows.into_iter().map(|row| (row.key, SaleRecord::from_record(&row.value).unwrap()));
        let is_it = |sale: &SaleRecord| sale.paid.as_ref().is_some_and(|by| by.transfer == paid);
        rows.find(|(_, sale)| is_it(sale)).expect("a sale that was paid")
    }

    /// What the audit says once this stands there instead; then it stands there as before.
    async fn told(&self, key: &[u8], row: Option<&SaleRecord>, before: &SaleRecord) -> Vec<String> {
        let store = &self.pair.worlds[AWAY].store;
        let write = async |row: Option<&SaleRecord>| {
            let batch = match row {
                Some(row) => Batch::new().put(tables::SALES, key, row.to_record()),
                None => Batch::new().delete(tables::SALES, key),
            };
            store.commit(batch).await.unwrap();
        };
        write(row).await;
        let report = check_ledger(store).await.unwrap();
        write(Some(before)).await;
        report.findings
    }
}

#[tokio::test]
async fn a_payment_of_another_node_without_its_sale_and_a_sale_that_it_did_not_pay_are_found() {
    let mut counter = Counter::new().await;
    let sale = counter.sell(1, 1_000, true).await.id;
    let order = counter.order(Some(sale), 1_150, Some(150));
    let at_till = counter.pair.submit(HOME, &order).await.unwrap().transfer;
    let at_counter = counter.buy(None, 600).await.transfer;
    counter.pair.carry().await;
    assert_eq!(counter.takings().await, 1_750);
    counter.pair.is_sound().await;
    let alice = counter.pair.people[HOME].user().clone();
    for paid in [at_till, at_counter] {
        let (key, kept) = counter.kept(paid).await;
        let lost = format!("payment {paid} of another node has paid no sale");
        let wrong = format!("a sale that {alice} has paid is not what came for it");
        // The sale is gone, or says that nobody has paid it.
        let unpaid = SaleRecord { paid: None, ..kept.clone() };
        for row in [None, Some(&unpaid)] {
            let told = counter.told(&key, row, &kept).await;
            assert!(told.contains(&lost) && !told.contains(&wrong), "{told:?}");
        }
        // It was paid by something that never came.
        let mut other = kept.clone();
        other.paid.as_mut().unwrap().transfer = TransferId([9; 16]);
        let told = counter.told(&key, Some(&other), &kept).await;
        assert!(told.contains(&lost) && told.contains(&wrong), "{told:?}");
        // It was for more; less of it is a tip than alice has said; and both, so that the sum is right.
        let (mut more, mut tip) = (kept.clone(), kept.clone());
        more.amount += 1;
        tip.paid.as_mut().unwrap().tip += 1;
        let mut both = tip.clone();
        both.amount -= 1;
        let dollars = SaleRecord { asset: weft_wire::AssetId([3; 16]), ..kept.clone() };
        for changed in [more, tip, both, dollars] {
            let told = counter.told(&key, Some(&changed), &kept).await;
            assert!(told.contains(&wrong) && !told.contains(&lost), "{told:?}");
        }
    }
    // The two payments have changed places.
    let ([(key, kept), (_, other)], paid) =
        ([counter.kept(at_till).await, counter.kept(at_counter).await], |sale: &SaleRecord| {
            sale.paid.clone()
        });
    let swapped = SaleRecord { paid: paid(&other), ..kept.clone() };
    let told = counter.told(&key, Some(&swapped), &kept).await;
    assert!(told.contains(&format!("payment {at_till} of another node has paid no sale")), "{told:?}");
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_sale_is_not_paid_by_money_that_went_elsewhere() {
    let mut counter = Counter::new().await;
    counter.buy(None, 600).await;
    counter.pair.carry().await;
    counter.pair.is_sound().await;
    let store = &counter.pair.worlds[AWAY].store;
    let row = store.scan(tables::LINK_PAYMENTS, Scan::prefix([])).await.unwrap().remove(0);
    let RemoteRecord(payment) = RemoteRecord::from_record(&row.value).unwrap();
    let told = format!("a sale that {} has paid is not what came for it", counter.pair.people[HOME].user());
    // To another account of bob's node, or less of it to the shop's.
    let (mut aside, mut less) = (payment.clone(), payment.clone());
    aside.legs.last_mut().unwrap().credit = weft_wire::AccountId([5; 16]);
    less.legs.last_mut().unwrap().amount -= 1;
    for changed in [aside, less] {
        let batch =
            Batch::new().put(tables::LINK_PAYMENTS, row.key.clone(), RemoteRecord(changed).to_record());
        store.commit(batch).await.unwrap();
        let findings = check_ledger(store).await.unwrap().findings;
        assert!(findings.contains(&told), "{findings:?}");
    }
    store.commit(Batch::new().put(tables::LINK_PAYMENTS, row.key, row.value)).await.unwrap();
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn what_a_shop_has_taken_and_a_thaw_says_it_has_not_has_paid_its_sale() {
    let mut counter = Counter::new().await;
    counter.buy(None, 600).await;
    counter.pair.carry().await;
    let store = &counter.pair.worlds[AWAY].store;
    let row = store.scan(tables::LINK_PAYMENTS, Scan::prefix([])).await.unwrap().remove(0);
    let RemoteRecord(mut payment) = RemoteRecord::from_record(&row.value).unwrap();
    (payment.state, payment.thawed) = (weft_ledger::link::State::Rejected(Reason::Reconciled), true);
    payment.undone = std::mem::take(&mut payment.legs);
    let record = RemoteRecord(payment).to_record();
    store.commit(Batch::new().put(tables::LINK_PAYMENTS, row.key, record)).await.unwrap();
    assert_eq!(check_ledger(store).await.unwrap().findings, [counter.pair.uncorrected(AWAY)]);
}
