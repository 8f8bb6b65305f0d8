//! What a bug, or a hand at the disk, would make of the sales of a shop that people of its own node have paid.

use super::{
    check_ledger,
    records::{OrderRecord, PaidRecord, SaleRecord},
    sales::sale_key,
    shop_tests::Street,
};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{RequestId, TransferId};

impl Street {
    async fn kept(&self, sale: RequestId) -> SaleRecord {
        let key = sale_key(&self.shop.name, sale);
        let row = self.till.world.store.get(tables::SALES, &key).await.unwrap().unwrap();
        SaleRecord::from_record(&row.value).unwrap()
    }

    /// What the audit says once sales stand there so.
    async fn told(&self, sales: &[(RequestId, &SaleRecord)]) -> Vec<String> {
        let put = |batch: Batch, (id, sale): &(RequestId, &SaleRecord)| {
            batch.put(tables::SALES, sale_key(&self.shop.name, *id), sale.to_record())
        };
        self.till.world.store.commit(sales.iter().fold(Batch::new(), put)).await.unwrap();
        check_ledger(&self.till.world.store).await.unwrap().findings
    }
}

#[tokio::test]
async fn one_payment_marks_one_sale_and_each_payment_marks_one() {
    let mut street = Street::new().await;
    let [one, other] = [1, 2].map(|id| RequestId([id; 16]));
    for id in [1, 2] {
        let wish = street.wish(id, 500);
        street.sell(&street.till.bob, wish).await.unwrap();
    }
    let order = street.purchase(Some(one), 500);
    let paid = street.pays(&order).await.unwrap().transfer;
    let order = street.purchase(None, 300);
    let at_counter = street.pays(&order).await.unwrap().transfer;
    assert_eq!(street.told(&[]).await, Vec::<String>::new());
    let (first, second) = (street.kept(one).await, street.kept(other).await);
    let wrong = format!("a sale that {} has paid is not what came for it", street.carol.user());
    let lost = |id: TransferId| format!("transfer {id} was taken by a shop and has paid no sale");
    // The same payment for both, and for the other one alone.
    let both = SaleRecord { paid: first.paid.clone(), ..second.clone() };
    assert_eq!(street.told(&[(other, &both)]).await, [wrong.as_str()]);
    let none = SaleRecord { paid: None, ..first.clone() };
    assert_eq!(street.told(&[(one, &none)]).await, [wrong.as_str()]);
    // Nobody has paid either.
    assert_eq!(street.told(&[(other, &second)]).await, [lost(paid)]);
    // Somebody else has; or by what was paid at the counter.
    let by = |change: &dyn Fn(&mut PaidRecord)| {
        let mut sale = first.clone();
        sale.paid.iter_mut().for_each(change);
        sale
    };
    let bob = street.till.bob.user().clone();
    let by_bob = format!("a sale that {bob} has paid is not what came for it");
    assert_eq!(street.told(&[(one, &by(&|paid| paid.payer = bob.clone()))]).await, [by_bob]);
    let swapped = by(&|paid| paid.transfer = at_counter);
    let told = street.told(&[(one, &swapped)]).await;
    assert!(told.contains(&wrong) && told.contains(&lost(paid)), "{told:?}");
    assert_eq!(street.told(&[(one, &first)]).await, Vec::<String>::new());
    // The order is gone.
    let store = &street.till.world.store;
    let row = store.get(tables::ORDERS, &paid.0).await.unwrap().unwrap();
    assert!(OrderRecord::from_record(&row.value).is_ok());
    store.commit(Batch::new().delete(tables::ORDERS, paid.0)).await.unwrap();
    assert!(street.told(&[]).await.contains(&wrong));
}
