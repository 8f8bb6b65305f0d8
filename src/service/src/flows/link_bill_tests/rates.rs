//! Bob bills dollars, which his node issues, and alice pays with euros.

use super::*;
use crate::flows::link_two_assets_tests::Two;
use weft_wire::wallet::Exchange;

#[tokio::test]
async fn what_is_billed_in_dollars_is_paid_with_euros_at_the_rate_of_the_terms() {
    let Two { pair, dollar } = Two::new().await;
    let mut desk = Desk::of(pair).await;
    let bob = desk.bob();
    let line = InvoiceLine { text: "ten".into(), quantity: 1_000, unit_price: 1_000, tax_rate: None };
    let ten = || vec![line.clone()];
    for id in 1..=2 {
        let wish = SendInvoice { shop: None, asset: dollar, lines: ten(), total: 1_000, ..desk.wish(id) };
        desk.bill(wish).await.unwrap();
    }
    let seen = desk.read(&bob, 1).await.unwrap();
    assert_eq!((seen.asset.code.as_str(), seen.sums.total), ("USD", 1_000));
    let mut at = |given, got| PaymentOrder {
        exchange: Some(Exchange { asset: dollar, amount: got }),
        ..desk.order(&bob, 1, given)
    };
    // Ten dollars are 9.174 euros: for 9.17 there are 9.99 dollars, for 9.18 there are ten.
    let (less, more, enough) = (at(917, 999), at(919, 1_001), at(918, 1_000));
    for other in [less, more] {
        assert_eq!(desk.rejected(&other).await, Reason::Asked, "nobody pays more than it takes: {other:?}");
    }
    let paid = desk.pair.submit(HOME, &enough).await.unwrap().transfer;
    desk.pair.carry().await;
    for seen in [desk.read(&bob, 1).await.unwrap(), desk.sent(&bob, 1).await] {
        let by = seen.paid.unwrap();
        assert_eq!((seen.state, by.transfer, by.at_rate), (InvoiceState::Paid, paid, true));
    }
    // Another asset than the invoice's, at no rate; and what was exchanged does not go back.
    let order = desk.order(&bob, 2, 1_000);
    assert_eq!(desk.rejected(&order).await, Reason::Asked);
    let order = PaymentOrder { asset: dollar, ..desk.pair.order(AWAY, 10, Intent::Payment) };
    let back = PaymentOrder { refunds: Some(paid), ..order };
    assert_eq!(code_of(desk.pair.submit(AWAY, &back).await), Code::PaymentRefused);
    desk.pair.is_sound().await;
}
