//! What a bug, or a hand on the disk, would make of invoices between nodes, and that the audits say so.

use super::*;
use crate::wallet::{
    check_ledger,
    records::{FarInvoiceRecord, InvoicePaidRecord, InvoiceRecord, RemoteRecord},
};
use weft_ledger::link::{Reason, State};
use weft_store::{Batch, Scan, Table, record::Record, tables};

impl Desk {
    /// The one row of a table.
    async fn row<R: Record>(&self, at: usize, table: Table) -> (Vec<u8>, R) {
        let rows = self.pair.worlds[at].store.scan(table, Scan::prefix([])).await.unwrap();
        let [row] = &*rows else { panic!("{} rows", rows.len()) };
        (row.key.clone(), R::from_record(&row.value).unwrap())
    }

    /// What the audit says once this stands there instead; then it stands there as before.
    async fn findings_with<R: Record>(&self, at: usize, table: Table, changed: &R) -> Vec<String> {
        let store = &self.pair.worlds[at].store;
        let (key, before) = self.row::<R>(at, table).await;
        store.commit(Batch::new().put(table, &key, changed.to_record())).await.unwrap();
        let report = check_ledger(store).await.unwrap();
        store.commit(Batch::new().put(table, &key, before.to_record())).await.unwrap();
        report.findings
    }
}

#[tokio::test]
async fn an_invoice_that_another_node_has_not_paid_and_a_payment_without_its_invoice_are_found() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    desk.read(&shop, 1).await.unwrap();
    let paid = desk.pay(&shop, 1).await.transfer;
    desk.pair.carry().await;
    desk.pair.is_sound().await;
    let (_, kept) = desk.row::<InvoiceRecord>(AWAY, tables::INVOICES).await;
    let lost = format!("payment {paid} of another node has paid no invoice");
    let wrong = "invoice 1 of corner is paid, and no order has paid it".to_owned();
    let told =
        desk.findings_with(AWAY, tables::INVOICES, &InvoiceRecord { paid: None, ..kept.clone() }).await;
    assert!(told.contains(&lost) && !told.contains(&wrong), "{told:?}");
    let mut other = kept.clone();
    other.paid.as_mut().unwrap().transfer = TransferId([9; 16]);
    let told = desk.findings_with(AWAY, tables::INVOICES, &other).await;
    assert!(told.contains(&lost) && told.contains(&wrong), "{told:?}");
    // For another sum, somebody else there, a person and not the shop, other money.
    let lines = vec![InvoiceLine { text: "tea".into(), quantity: 1_000, unit_price: 1_491, tax_rate: None }];
    let more = InvoiceRecord { total: 1_491, lines, ..kept.clone() };
    let carol = UserAddress::new("carol".parse().unwrap(), kept.to.node.clone());
    let whose = InvoiceRecord { to: carol, ..kept.clone() };
    let person = InvoiceRecord { of_shop: false, ..kept.clone() };
    let dollars = InvoiceRecord { asset: weft_wire::AssetId([3; 16]), ..kept.clone() };
    for changed in [more, whose, person, dollars] {
        let told = desk.findings_with(AWAY, tables::INVOICES, &changed).await;
        assert!(told.contains(&wrong) && !told.contains(&lost), "{told:?}");
    }
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn what_was_taken_and_a_thaw_says_was_not_has_paid_all_the_same_and_to_nobody_else() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    desk.read(&shop, 1).await.unwrap();
    let paid = desk.pay(&shop, 1).await.transfer;
    desk.pair.carry().await;
    let (_, RemoteRecord(kept)) = desk.row::<RemoteRecord>(AWAY, tables::LINK_PAYMENTS).await;
    let mut undone = kept.clone();
    (undone.state, undone.thawed) = (State::Rejected(Reason::Reconciled), true);
    undone.undone = std::mem::take(&mut undone.legs);
    let told = desk.findings_with(AWAY, tables::LINK_PAYMENTS, &RemoteRecord(undone.clone())).await;
    assert_eq!(told, [desk.pair.uncorrected(AWAY)]);
    // The same, and the money went elsewhere; or so at once.
    let elsewhere = weft_wire::AccountId([5; 16]);
    let mut stolen = kept;
    undone.undone[0].credit = elsewhere;
    stolen.legs[0].credit = elsewhere;
    for changed in [undone, stolen] {
        let told = desk.findings_with(AWAY, tables::LINK_PAYMENTS, &RemoteRecord(changed)).await;
        let not_so = format!("payment {paid} with {} is not booked so", desk.pair.worlds[HOME].name);
        assert!(told.contains(&not_so), "{told:?}");
        assert!(told.contains(&"invoice 1 of corner is paid, and no order has paid it".into()), "{told:?}");
    }
}

#[tokio::test]
async fn what_alices_node_keeps_of_an_invoice_is_compared_with_what_she_has_ordered() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    desk.read(&shop, 1).await.unwrap();
    desk.pay(&shop, 1).await;
    let gift = desk.pair.pay(HOME, 5, Intent::Payment).await.unwrap().transfer;
    desk.pair.carry().await;
    desk.pair.is_sound().await;
    let (_, kept) = desk.row::<FarInvoiceRecord>(HOME, tables::INVOICES_FAR).await;
    let other = FarInvoiceRecord { payment: Some(gift), ..kept.clone() };
    let told = desk.findings_with(HOME, tables::INVOICES_FAR, &other).await;
    assert!(told.iter().any(|what| what.contains("ordered for something else")), "{told:?}");
    let late = FarInvoiceRecord { kept_ms: kept.kept_ms + 1, ..kept };
    let told = desk.findings_with(HOME, tables::INVOICES_FAR, &late).await;
    assert!(told.iter().any(|what| what.contains("not where it belongs")), "{told:?}");
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn what_alices_node_has_as_paid_is_compared_with_what_has_gone_over() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    let paid = desk.pay(&shop, 1).await.transfer;
    let gift = desk.pair.pay(HOME, 5, Intent::Payment).await.unwrap().transfer;
    desk.pair.carry().await;
    desk.pair.is_sound().await;
    let (table, store) = (tables::INVOICES_FAR_PAID, desk.pair.worlds[HOME].store.clone());
    let (key, kept) = desk.row::<InvoicePaidRecord>(HOME, table).await;
    assert_eq!(kept.transfer, paid);
    let wrong = |id| format!("an invoice of another node is paid by {id}, which has not gone over for it");
    let lost = format!("payment {paid} has gone over for an invoice of another node, which is not paid");
    let other = InvoicePaidRecord { transfer: gift, ..kept };
    assert_eq!(desk.findings_with(HOME, table, &other).await, [wrong(gift)]);
    store.commit(Batch::new().delete(table, &key)).await.unwrap();
    assert_eq!(check_ledger(&store).await.unwrap().findings, std::slice::from_ref(&lost));
    // It stands there of another invoice.
    let mut elsewhere = key.clone();
    *elsewhere.last_mut().unwrap() ^= 1;
    store.commit(Batch::new().put(table, &elsewhere, kept.to_record())).await.unwrap();
    assert_eq!(check_ledger(&store).await.unwrap().findings, [wrong(paid), lost]);
    let batch = Batch::new().delete(table, &elsewhere).put(table, &key, kept.to_record());
    store.commit(batch).await.unwrap();
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn what_has_left_alice_stays_so_where_a_thaw_says_that_it_has_not() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    let paid = desk.pay(&shop, 1).await.transfer;
    desk.pair.carry().await;
    let (_, RemoteRecord(kept)) = desk.row::<RemoteRecord>(HOME, tables::LINK_PAYMENTS).await;
    let mut undone = kept.clone();
    (undone.state, undone.thawed) = (State::Rejected(Reason::Reconciled), true);
    undone.undone = std::mem::take(&mut undone.legs);
    let mut back = kept;
    (back.state, back.thawed) = (State::Rejected(Reason::Reconciled), true);
    let told = desk.findings_with(HOME, tables::LINK_PAYMENTS, &RemoteRecord(undone)).await;
    assert_eq!(told, [desk.pair.uncorrected(HOME)]);
    // It says that she has it again.
    let told = desk.findings_with(HOME, tables::LINK_PAYMENTS, &RemoteRecord(back)).await;
    let wrong = format!("an invoice of another node is paid by {paid}, which has not gone over for it");
    assert!(told.contains(&wrong), "{told:?}");
}

#[tokio::test]
async fn of_two_that_a_node_has_taken_that_forgets_either_may_stand_there() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    let orders = [desk.order(&shop, 1, 1_490), desk.order(&shop, 1, 1_490)];
    desk.pair.submit(HOME, &orders[0]).await.unwrap();
    // It is taken, the answer is lost, and then all that bob's node knew of it.
    let [home, away] = [HOME, AWAY].map(|at| &desk.pair.worlds[at]);
    let said = home.service.wallet().say(&away.name, false).await.unwrap().post;
    away.service.flows().answer_link(&home.name, &Blob(weft_wire::encode(&said))).await.unwrap();
    assert_eq!(desk.sent(&shop, 1).await.state, InvoiceState::Paid);
    desk.forget().await;
    desk.pair.submit(HOME, &orders[1]).await.unwrap();
    desk.pair.carry().await;
    assert_eq!(desk.takings().await, 2 * 1_490);
    let store = desk.pair.worlds[HOME].store.clone();
    assert_eq!(check_ledger(&store).await.unwrap().findings, [""; 0]);
    let (_, kept) = desk.row::<InvoicePaidRecord>(HOME, tables::INVOICES_FAR_PAID).await;
    let [first, second] = orders.map(|order| order.transfer());
    assert_eq!(kept.transfer, first);
    let other = InvoicePaidRecord { transfer: second, ..kept };
    assert_eq!(desk.findings_with(HOME, tables::INVOICES_FAR_PAID, &other).await, [""; 0]);
}
