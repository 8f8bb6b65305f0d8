//! What alice's own node has as paid, she does not pay a second time, whatever bob's node knows of it.

use super::*;
use crate::wallet::records::InvoiceRecord;
use weft_store::{Batch, Scan, record::Record, tables};

impl Desk {
    /// Bob's node has lost that its invoices were paid, as one does that comes back from an old backup.
    pub(super) async fn forget(&self) {
        let store = &self.pair.worlds[AWAY].store;
        for row in store.scan(tables::INVOICES, Scan::prefix([])).await.unwrap() {
            let record = InvoiceRecord { paid: None, ..InvoiceRecord::from_record(&row.value).unwrap() };
            store.commit(Batch::new().put(tables::INVOICES, row.key, record.to_record())).await.unwrap();
        }
    }

    /// Alice's node refuses an order for it, and nothing is on its way.
    async fn is_over(&mut self, issuer: &UserAddress, id: u8) {
        let before = self.pair.has(HOME).await;
        let order = self.order(issuer, id, 1_490);
        let told = self.pair.submit(HOME, &order).await;
        assert!(matches!(told, Err(FlowError::Wallet(WalletError::AlreadyPaid))), "{told:?}");
        assert_eq!((self.pair.has(HOME).await, self.pair.row(HOME).await.waiting_out), (before, 0));
    }
}

#[tokio::test]
async fn what_her_own_books_have_as_paid_is_not_sent_again_to_a_node_that_has_forgotten_it() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    for id in 1..=3 {
        desk.bill(desk.wish(id)).await.unwrap();
    }
    // Of the second one her node was not told before she has paid it.
    desk.read(&shop, 1).await.unwrap();
    let first = desk.order(&shop, 1, 1_490);
    for order in [first.clone(), desk.order(&shop, 2, 1_490)] {
        desk.pair.submit(HOME, &order).await.unwrap();
    }
    desk.pair.carry().await;
    desk.pair.is_sound().await;
    desk.forget().await;
    desk.restart(HOME).await;
    desk.restart(AWAY).await;
    assert_eq!(desk.sent(&shop, 1).await.state, InvoiceState::Open);
    for id in 1..=2 {
        desk.is_over(&shop, id).await;
        let seen = desk.read(&shop, id).await.unwrap();
        assert_eq!((seen.state, seen.paid.is_some()), (InvoiceState::Paid, true));
        desk.is_over(&shop, id).await;
    }
    let again = desk.pair.submit(HOME, &first).await.unwrap();
    assert_eq!(again.state, TransferState::Done, "the same order gets the same answer");
    // What was not taken may be tried again.
    let less = desk.order(&shop, 3, 1_489);
    assert_eq!(desk.rejected(&less).await, Reason::Asked);
    desk.pay(&shop, 3).await;
    desk.pair.carry().await;
    assert_eq!(desk.sent(&shop, 3).await.state, InvoiceState::Paid);
    assert_eq!((desk.takings().await, desk.pair.has(HOME).await), (3 * 1_490, (5_530, 0, 0)));
}

#[tokio::test]
async fn what_was_given_back_whole_is_over() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    desk.read(&shop, 1).await.unwrap();
    let paid = desk.pay(&shop, 1).await.transfer;
    desk.pair.carry().await;
    desk.back(true, paid, 1_490).await.unwrap();
    desk.pair.carry().await;
    assert_eq!((desk.takings().await, desk.pair.has(HOME).await), (0, (10_000, 0, 0)));
    desk.is_over(&shop, 1).await;
    desk.pair.carry().await;
    assert_eq!(desk.read(&shop, 1).await.unwrap().paid.unwrap().refunded, 1_490);
    desk.pair.is_sound().await;
}
