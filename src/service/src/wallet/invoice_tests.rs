//! Alice's corner shop, where bob is at the till, sends carol invoices; so does alice herself.

use super::{
    InvoiceBox, LinkTrouble, WalletError,
    records::InvoiceRecord,
    shop_tests::{Street, details, name},
    tests::{HOUR_MS, refused},
};
use crate::{Fault, flows::FlowError, testing::START_MS};
use weft_ledger::Refusal;
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    AssetId, OrderId, RequestId, Signed, TransferId, UserAddress,
    wallet::{
        ChangeShop, Intent, InvoiceInfo, InvoiceLine, InvoicePayee, InvoiceState, Payee, PaymentOrder,
        Receipt, SendInvoice, ShopDetails,
    },
};

const DAY_MS: u64 = 24 * HOUR_MS;

fn lines() -> Vec<InvoiceLine> {
    let line = |text: &str, quantity, unit_price, tax_rate| InvoiceLine {
        text: text.into(),
        quantity,
        unit_price,
        tax_rate,
    };
    // 2.5 × 4.00 and 19 %, 1 × 3.00: 10.00 + 1.90 + 3.00.
    vec![line("tea", 2_500, 400, Some(190)), line("a cup", 1_000, 300, None)]
}

impl Street {
    fn bill(&self, id: u8) -> SendInvoice {
        SendInvoice {
            id: RequestId([id; 16]),
            shop: Some(self.shop.clone()),
            to: self.carol.user().clone(),
            asset: self.till.euro.id,
            lines: lines(),
            total: 1_490,
            due_ms: START_MS + DAY_MS,
            note: "thank you".into(),
        }
    }

    async fn bills(&self, wish: SendInvoice) -> Result<InvoiceInfo, FlowError> {
        self.till.world.service.flows().send_invoice(self.till.bob.device.caller(), wish).await
    }

    /// Alice's own, not the shop's.
    async fn asks(&self, wish: SendInvoice) -> Result<InvoiceInfo, FlowError> {
        let wish = SendInvoice { shop: None, ..wish };
        self.till.world.service.flows().send_invoice(self.till.alice.device.caller(), wish).await
    }

    /// Carol's order for an invoice.
    fn settles(&mut self, of: &UserAddress, id: u8) -> PaymentOrder {
        let payee = Payee::Invoice(InvoicePayee { issuer: of.clone(), invoice: RequestId([id; 16]) });
        let order = self.carol.order(&self.till.world, of, self.till.euro.id, 1_490, Intent::Payment);
        PaymentOrder { payee, ..order }
    }

    async fn carol_pays(&self, order: &PaymentOrder) -> Result<Receipt, FlowError> {
        self.till.submit(&self.carol, Signed::sign(order, &self.carol.key)).await
    }

    async fn seen_by_carol(&self, of: &UserAddress, id: u8) -> InvoiceInfo {
        let wallet = self.till.world.service.wallet();
        wallet.invoice(self.carol.device.caller(), &of.name, RequestId([id; 16])).await.unwrap()
    }
}

fn wrong(outcome: Result<InvoiceInfo, FlowError>) -> WalletError {
    match outcome {
        Err(FlowError::Wallet(error)) => error,
        other => panic!("not refused by the wallet: {other:?}"),
    }
}

#[tokio::test]
async fn carol_pays_what_the_shop_and_alice_invoice_and_both_see_it() {
    let mut street = Street::new().await;
    let sent = street.bills(street.bill(1)).await.unwrap();
    assert_eq!((sent.number, sent.sums.total, sent.state), (1, 1_490, InvoiceState::Open));
    assert_eq!(sent.by.as_ref(), Some(street.till.bob.user()), "the staff see who has sent it");
    assert_eq!(street.bills(street.bill(1)).await.unwrap(), sent, "a second tap");
    assert!(sent.reference.parse::<weft_bank::Reference>().is_ok(), "{}", sent.reference);
    street.till.world.clock.advance(1);
    let own = street.asks(street.bill(1)).await.unwrap();
    assert_eq!((own.number, own.shop, own.by), (1, None, None), "her own are counted by themselves");
    assert_ne!(own.reference, sent.reference);

    let shop = street.shop.clone();
    let hers = street.seen_by_carol(&shop, 1).await;
    assert_eq!((hers.by, hers.shop.unwrap().title.as_str()), (None, "Ecklädchen"));
    let order = street.settles(&shop, 1);
    let receipt = street.carol_pays(&order).await.unwrap();
    assert_eq!(street.carol_pays(&order).await.unwrap(), receipt, "the answer was lost");
    let alice = street.till.alice.user().clone();
    let order = street.settles(&alice, 1);
    street.carol_pays(&order).await.unwrap();
    assert_eq!((street.takings().await, street.till.balances().await.0), (1_490, 11_490));

    let wallet = street.till.world.service.wallet().clone();
    let list = |shop: Option<&str>, sent, before| InvoiceBox { shop: shop.map(name), sent, before };
    let carol = street.carol.device.caller();
    let got = wallet.invoices(carol, list(None, false, None)).await.unwrap();
    let seen: Vec<_> = got.invoices.iter().map(|one| (&one.issuer, one.state)).collect();
    assert_eq!(seen, [(&alice, InvoiceState::Paid), (&shop, InvoiceState::Paid)], "the newest first");
    let before = Some((alice.clone(), own.id));
    let older = wallet.invoices(carol, list(None, false, before)).await.unwrap();
    assert_eq!((older.invoices, older.more), (got.invoices[1..].to_vec(), false));
    assert!(wallet.invoices(carol, list(None, true, None)).await.unwrap().invoices.is_empty());
    let bob = street.till.bob.device.caller();
    let of_shop = wallet.invoices(bob, list(Some("corner"), true, None)).await.unwrap();
    assert_eq!(of_shop.invoices[0].paid.unwrap().transfer, receipt.transfer);
    assert_eq!(of_shop.invoices.len(), 1);
    let not_hers = wallet.invoices(carol, list(Some("corner"), true, None)).await;
    assert!(matches!(not_hers, Err(WalletError::NotStaff)), "{not_hers:?}");
    for stranger in [street.olga.caller(), bob] {
        let none = wallet.invoice(stranger, &alice.name, own.id).await;
        assert!(matches!(none, Err(WalletError::NotFound("invoice"))), "{none:?}");
    }
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_a_shop_was_called_stays_with_the_invoice_that_was_paid() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    street.bills(street.bill(1)).await.unwrap();
    let order = street.settles(&shop, 1);
    street.carol_pays(&order).await.unwrap();
    let named = ShopDetails { title: "Post office".into(), ..details() };
    let wish = ChangeShop { details: Some(named), ..ChangeShop::default() };
    street.change(&street.till.alice.device, wish).await.unwrap();
    let (wallet, carol) = (street.till.world.service.wallet().clone(), street.carol.device.caller());
    let account = wallet.accounts(carol).await.unwrap().accounts[0].id;
    let line = wallet.history(carol, account, None).await.unwrap().lines.remove(0);
    assert_eq!(line.shop.as_deref(), Some("Ecklädchen"));
    assert_eq!(wallet.transfer(carol, order.transfer()).await.unwrap().shop.unwrap().title, "Ecklädchen");
}

#[tokio::test]
async fn an_invoice_is_paid_once_though_two_devices_pay_at_once() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    for id in 1..=6 {
        street.bills(street.bill(id)).await.unwrap();
        let (one, other) = (street.settles(&shop, id), street.settles(&shop, id));
        let (first, second) = tokio::join!(street.carol_pays(&one), street.carol_pays(&other));
        // The one with the lower counter may also have come too late for that.
        let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
        let lost = refused(lost);
        assert!(matches!(lost, WalletError::AlreadyPaid | WalletError::Counter { .. }), "{lost:?}");
        let paid = street.seen_by_carol(&shop, id).await.paid.unwrap();
        assert_eq!(paid.transfer, won.unwrap().transfer);
        let again = street.settles(&shop, id);
        assert!(matches!(refused(street.carol_pays(&again).await), WalletError::AlreadyPaid));
    }
    assert_eq!(street.takings().await, 6 * 1_490);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_is_not_the_invoice_pays_none() {
    let mut street = Street::new().await;
    let (shop, alice) = (street.shop.clone(), street.till.alice.user().clone());
    street.bills(street.bill(1)).await.unwrap();
    street.bills(street.bill(2)).await.unwrap();
    let wallet = street.till.world.service.wallet().clone();
    let bob = street.till.bob.device.caller().clone();
    let gone = wallet.cancel_invoice(&bob, &shop.name, RequestId([2; 16])).await.unwrap();
    assert_eq!(gone.state, InvoiceState::Cancelled);
    let far: UserAddress = "corner@other.example".parse().unwrap();
    let of = |issuer: &UserAddress, id| {
        Payee::Invoice(InvoicePayee { issuer: issuer.clone(), invoice: RequestId([id; 16]) })
    };
    let good = street.settles(&shop, 1);
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let unknown = |e: &WalletError| matches!(e, WalletError::NotFound("invoice"));
    let intent = |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "intent", .. }));
    let amount = |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "amount", .. }));
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 1_489, ..good.clone() }, amount),
        (PaymentOrder { amount: 1_491, ..good.clone() }, amount),
        (PaymentOrder { amount: 0, ..good.clone() }, amount),
        (PaymentOrder { asset: AssetId([7; 16]), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("asset"))
        }),
        (PaymentOrder { intent: Intent::Transfer, ..good.clone() }, intent),
        (PaymentOrder { request: Some(RequestId([1; 16])), ..good.clone() }, intent),
        (PaymentOrder { tip: Some(1), ..good.clone() }, |e| {
            matches!(e, WalletError::Fault(Fault::Invalid { field: "tip", .. }))
        }),
        (PaymentOrder { payee: of(&alice, 1), ..good.clone() }, unknown),
        (PaymentOrder { payee: of(&shop, 9), ..good.clone() }, unknown),
        (PaymentOrder { payee: of(&far, 1), ..good.clone() }, |e| {
            matches!(e, WalletError::Link(LinkTrouble::NoLink))
        }),
        (PaymentOrder { payee: of(&shop, 2), ..good.clone() }, |e| {
            matches!(e, WalletError::InvoiceCancelled)
        }),
    ];
    for (n, (order, is_right)) in cases.into_iter().enumerate() {
        let n = n as u64 + 20;
        let order = PaymentOrder { id: OrderId([n as u8; 16]), counter: n, ..order };
        let error = refused(street.carol_pays(&order).await);
        assert!(is_right(&error), "{n} {order:?}: {error:?}");
    }
    // Nobody but carol: also not alice, whose shop it is.
    let order =
        street.till.alice.order(&street.till.world, &shop, street.till.euro.id, 1_490, Intent::Payment);
    let order = Signed::sign(&PaymentOrder { payee: of(&shop, 1), ..order }, &street.till.alice.key);
    let error = refused(street.till.submit(&street.till.alice, order).await);
    assert!(unknown(&error), "{error:?}");
    assert_eq!(street.takings().await, 0);
    assert_eq!(street.seen_by_carol(&shop, 1).await.state, InvoiceState::Open);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_was_refused_for_want_of_money_can_be_paid_later_also_when_it_is_overdue() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let dear = InvoiceLine { text: "gold".into(), quantity: 1_000, unit_price: 10_001, tax_rate: None };
    let wish = SendInvoice { lines: vec![dear], total: 10_001, ..street.bill(1) };
    street.bills(wish).await.unwrap();
    let order = PaymentOrder { amount: 10_001, ..street.settles(&shop, 1) };
    let poor = refused(street.carol_pays(&order).await);
    assert!(matches!(poor, WalletError::Refused(Refusal::Floor)), "{poor:?}");
    assert_eq!(street.seen_by_carol(&shop, 1).await.state, InvoiceState::Open);
    street.till.issue(7, &street.carol.user().clone(), 1).await.unwrap();
    street.till.world.clock.advance(DAY_MS);
    assert_eq!(street.seen_by_carol(&shop, 1).await.state, InvoiceState::Overdue);
    // The shop is on holiday; what was invoiced can be paid all the same.
    let wish = ChangeShop { open: Some(false), ..ChangeShop::default() };
    let alice = street.till.alice.device.caller().clone();
    street.till.world.service.flows().change_shop(&alice, &shop.name, wish.clone()).await.unwrap();
    let closed = wrong(street.bills(SendInvoice { due_ms: START_MS + 3 * DAY_MS, ..street.bill(2) }).await);
    assert!(matches!(closed, WalletError::ShopClosed), "{closed:?}");
    let order = PaymentOrder { amount: 10_001, ..street.settles(&shop, 1) };
    street.carol_pays(&order).await.unwrap();
    assert_eq!(street.seen_by_carol(&shop, 1).await.state, InvoiceState::Paid);
    let wallet = street.till.world.service.wallet();
    let late = wallet.cancel_invoice(&alice, &shop.name, RequestId([1; 16])).await;
    assert!(matches!(late, Err(WalletError::AlreadyPaid)), "{late:?}");
    street.till.is_sound().await;
}

#[tokio::test]
async fn some_of_it_goes_back_and_no_more_than_came() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    street.bills(street.bill(1)).await.unwrap();
    let order = street.settles(&shop, 1);
    let paid = street.carol_pays(&order).await.unwrap().transfer;
    let to = street.carol.user().clone();
    for (amount, is_done) in [(490, true), (1_001, false), (1_000, true)] {
        let order =
            street.till.bob.order(&street.till.world, &to, street.till.euro.id, amount, Intent::Payment);
        let order = PaymentOrder { from: Some(shop.clone()), refunds: Some(paid), ..order };
        let outcome = street.till.submit(&street.till.bob, Signed::sign(&order, &street.till.bob.key)).await;
        assert_eq!(outcome.is_ok(), is_done, "{amount}: {outcome:?}");
    }
    let seen = street.seen_by_carol(&shop, 1).await;
    assert_eq!((seen.state, seen.paid.unwrap().refunded), (InvoiceState::Paid, 1_490));
    assert_eq!(street.takings().await, 0);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_cannot_be_invoiced_takes_no_number() {
    let street = Street::new().await;
    let far: UserAddress = "carol@other.example".parse().unwrap();
    let nobody = UserAddress::new(name("nobody"), street.shop.node.clone());
    let no_shop = UserAddress::new(name("bakery"), street.shop.node.clone());
    let good = || street.bill(1);
    type Bad = (SendInvoice, fn(&WalletError) -> bool);
    let due = |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "due_ms", .. }));
    let cases: Vec<Bad> = vec![
        (SendInvoice { lines: vec![], ..good() }, |e| {
            matches!(e, WalletError::Fault(Fault::Invalid { field: "lines", .. }))
        }),
        (SendInvoice { lines: vec![lines().remove(0); 33], ..good() }, |e| {
            matches!(e, WalletError::Fault(Fault::TooMany { .. }))
        }),
        (SendInvoice { total: 1_491, ..good() }, |e| {
            matches!(e, WalletError::Fault(Fault::Invalid { field: "total", .. }))
        }),
        (SendInvoice { note: "n".repeat(513), ..good() }, |e| {
            matches!(e, WalletError::Fault(Fault::Invalid { field: "note", .. }))
        }),
        (SendInvoice { due_ms: START_MS, ..good() }, due),
        (SendInvoice { due_ms: START_MS + 1_000 * DAY_MS, ..good() }, due),
        (SendInvoice { due_ms: u64::MAX, ..good() }, due),
        (SendInvoice { asset: AssetId([7; 16]), ..good() }, |e| matches!(e, WalletError::NotFound("asset"))),
        (SendInvoice { to: far.clone(), ..good() }, |e| matches!(e, WalletError::Link(LinkTrouble::NoLink))),
        (SendInvoice { shop: Some(far), ..good() }, |e| matches!(e, WalletError::OtherNode)),
        (SendInvoice { to: nobody, ..good() }, |e| matches!(e, WalletError::NotFound("user"))),
        (SendInvoice { shop: Some(no_shop), ..good() }, |e| matches!(e, WalletError::NotFound("shop"))),
    ];
    for (wish, is_right) in cases {
        let error = wrong(street.bills(wish.clone()).await);
        assert!(is_right(&error), "{wish:?}: {error:?}");
    }
    let flows = street.till.world.service.flows();
    let stranger = wrong(flows.send_invoice(street.carol.device.caller(), good()).await);
    assert!(matches!(stranger, WalletError::NotStaff), "{stranger:?}");
    let alice = street.till.alice.user().clone();
    let to_herself = wrong(street.asks(SendInvoice { to: alice, ..good() }).await);
    assert!(matches!(to_herself, WalletError::Fault(Fault::Invalid { field: "to", .. })), "{to_herself:?}");
    street.bills(good()).await.unwrap();
    let other = wrong(street.bills(SendInvoice { note: "thanks".into(), ..good() }).await);
    assert!(matches!(other, WalletError::IdConflict), "{other:?}");
    let next = street.bills(street.bill(2)).await.unwrap();
    assert_eq!(next.number, 2, "what was refused has taken no number");
    street.till.is_sound().await;
}

#[tokio::test]
async fn whoever_has_blocked_the_sender_is_not_bothered() {
    let street = Street::new().await;
    let carol = street.carol.device.caller();
    let flows = street.till.world.service.flows();
    flows.block_contact(carol, street.till.bob.user()).await.unwrap();
    street.bills(street.bill(1)).await.unwrap();
    let wallet = street.till.world.service.wallet();
    let list = |shop, sent| InvoiceBox { shop, sent, before: None };
    assert!(wallet.invoices(carol, list(None, false)).await.unwrap().invoices.is_empty());
    let bob = street.till.bob.device.caller();
    let of_shop = wallet.invoices(bob, list(Some(street.shop.name.clone()), true)).await.unwrap();
    assert_eq!(of_shop.invoices[0].state, InvoiceState::Open, "the sender learns nothing of it");
    wallet.cancel_invoice(bob, &street.shop.name, RequestId([1; 16])).await.unwrap();
    assert!(wallet.invoices(carol, list(None, false)).await.unwrap().invoices.is_empty());
}

#[tokio::test]
async fn an_invoice_that_no_order_has_paid_and_a_number_that_is_missing_are_found() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    street.bills(street.bill(1)).await.unwrap();
    street.bills(street.bill(2)).await.unwrap();
    let order = street.settles(&shop, 1);
    street.carol_pays(&order).await.unwrap();
    street.till.is_sound().await;
    let store = &street.till.world.store;
    let findings = async || super::check_ledger(store).await.unwrap().findings;
    let key = |id| super::invoices::invoice_key(&shop.name, RequestId([id; 16]));
    let read = async |id| {
        InvoiceRecord::from_record(&store.get(tables::INVOICES, &key(id)).await.unwrap().unwrap().value)
            .unwrap()
    };
    let put = async |id, record: &InvoiceRecord| {
        let batch = Batch::new().put(tables::INVOICES, key(id), record.to_record());
        store.commit(batch).await.unwrap();
    };
    let (paid, open) = (read(1).await, read(2).await);
    put(2, &InvoiceRecord { paid: paid.paid, ..open.clone() }).await;
    let found = findings().await;
    assert!(found.iter().any(|what| what.contains("invoice 2 of corner is paid")), "{found:?}");
    put(2, &InvoiceRecord { number: 4, ..open.clone() }).await;
    let found = findings().await;
    assert!(found.iter().any(|what| what.contains("one by one")), "{found:?}");
    put(2, &open).await;
    put(1, &InvoiceRecord { paid: None, ..paid }).await;
    let found = findings().await;
    assert!(found.iter().any(|what| what.contains("1 payments of invoices, and 0")), "{found:?}");
}

#[tokio::test]
async fn what_is_marked_as_paid_is_not_marked_with_another_transfer() {
    let mut street = Street::new().await;
    street.bills(street.bill(1)).await.unwrap();
    let shop = street.shop.clone();
    let order = street.settles(&shop, 1);
    street.carol_pays(&order).await.unwrap();
    let before = street.seen_by_carol(&shop, 1).await;
    street.till.world.clock.advance(1);
    let wallet = street.till.world.service.wallet().clone();
    let mark = async |transfer: TransferId| {
        let payee = InvoicePayee { issuer: shop.clone(), invoice: RequestId([1; 16]) };
        wallet.teller.run(move |sheet| sheet.invoice_paid(transfer, &payee)).await
    };
    mark(order.transfer()).await.expect("the same once more");
    let other = mark(TransferId([9; 16])).await;
    assert!(matches!(other, Err(WalletError::AlreadyPaid)), "{other:?}");
    assert_eq!(street.seen_by_carol(&shop, 1).await, before);
}
