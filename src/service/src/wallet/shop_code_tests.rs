//! Carol shows a code, and bob reads it at the till of alice's corner shop.

use super::{
    WalletError,
    records::OrderRecord,
    shop_tests::{Street, name},
    tests::Payer,
};
use crate::{
    Fault,
    testing::{World, code},
};
use weft_ledger::Refusal;
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    Code, RequestId, Signed, TransferId,
    paycode::PayCode,
    wallet::{
        BearerPayee, ChangeAccount, ChargeCode, Intent, MerchantPayee, Payee, PaymentOrder, PutCode,
        SaleInfo, SaleKind, SaleState,
    },
};

const LIFETIME_MS: u64 = 60_000;

struct Counter {
    street: Street,
    shown: u8,
    charged: u8,
}

impl Counter {
    async fn new() -> Counter {
        Counter { street: Street::new().await, shown: 0, charged: 0 }
    }

    /// A new code, and carol's order for it.
    fn code(&mut self, cap: u64) -> (PayCode, PaymentOrder) {
        self.shown += 1;
        let code = PayCode::new(self.street.shop.node.clone(), [self.shown; 16]).unwrap();
        let street = &mut self.street;
        let (to, euro) = (street.shop.clone(), street.till.euro.id);
        let order = street.carol.order(&street.till.world, &to, euro, cap, Intent::Payment);
        let expires_ms = crate::Clock::now_ms(&*street.till.world.clock) + LIFETIME_MS;
        (code.clone(), PaymentOrder { payee: Payee::Bearer(BearerPayee::of(&code)), expires_ms, ..order })
    }

    async fn put(&self, by: &Payer, order: &PaymentOrder) -> Result<u64, WalletError> {
        let order = Signed::sign(order, &by.key);
        let wallet = self.street.till.world.service.wallet();
        wallet.put_code(by.device.caller(), PutCode { order }).await.map(|shown| shown.until_ms)
    }

    /// Carol shows one.
    async fn shows(&mut self, cap: u64) -> (PayCode, PaymentOrder) {
        let (code, order) = self.code(cap);
        self.put(&self.street.carol, &order).await.unwrap();
        (code, order)
    }

    fn wish(&mut self, code: impl ToString, amount: u64) -> ChargeCode {
        self.charged += 1;
        let (id, asset) = (RequestId([self.charged; 16]), self.street.till.euro.id);
        ChargeCode { id, code: code.to_string(), asset, amount, bill: "18".into() }
    }

    async fn charge_by(&self, by: &Payer, wish: ChargeCode) -> Result<SaleInfo, WalletError> {
        let wallet = self.street.till.world.service.wallet();
        wallet.charge(by.device.caller(), &self.street.shop.name, wish).await
    }

    async fn charge(&mut self, code: impl ToString, amount: u64) -> Result<SaleInfo, WalletError> {
        let wish = self.wish(code, amount);
        self.charge_by(&self.street.till.bob, wish).await
    }
}

#[tokio::test]
async fn a_code_is_read_or_typed_and_the_money_comes_once() {
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(2_000).await;
    let wish = counter.wish(&code, 1_250);
    let sale = counter.charge_by(&counter.street.till.bob, wish.clone()).await.unwrap();
    assert_eq!((sale.kind, sale.state, sale.amount), (SaleKind::Code, SaleState::Paid, 1_250));
    let paid = sale.paid.clone().unwrap();
    assert_eq!((&paid.payer, paid.transfer), (counter.street.carol.user(), order.transfer()));
    assert_eq!(
        counter.charge_by(&counter.street.till.bob, wish.clone()).await.unwrap(),
        sale,
        "a second tap"
    );
    let more = ChargeCode { amount: 1, ..wish.clone() };
    let more = counter.charge_by(&counter.street.till.bob, more).await;
    assert!(matches!(more, Err(WalletError::IdConflict)), "{more:?}");
    let used = counter.charge(&code, 1).await;
    assert!(matches!(used, Err(WalletError::AlreadyPaid)), "{used:?}");
    // Carol sees who has taken how much.
    let wallet = counter.street.till.world.service.wallet().clone();
    let info = wallet.transfer(counter.street.carol.device.caller(), order.transfer()).await.unwrap();
    assert_eq!((info.amount, info.shop.unwrap().title.as_str()), (1_250, "Ecklädchen"));

    let (code, _) = counter.shows(100).await;
    let other = ChargeCode { code: code.to_string(), ..wish };
    let other = counter.charge_by(&counter.street.till.bob, other).await;
    assert!(matches!(other, Err(WalletError::IdConflict)), "the form of another customer: {other:?}");
    counter.charge(code.digits(), 100).await.unwrap();
    assert_eq!(counter.street.takings().await, 1_350);
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn two_tills_read_one_code_and_one_of_them_is_paid() {
    let mut counter = Counter::new().await;
    for _ in 0..8 {
        let (code, _) = counter.shows(50).await;
        let (first, second) = (counter.wish(&code, 50), counter.wish(code.digits(), 40));
        let (first, second) = tokio::join!(
            counter.charge_by(&counter.street.till.bob, first),
            counter.charge_by(&counter.street.till.alice, second)
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let lost = first.err().or(second.err()).unwrap();
        assert!(matches!(lost, WalletError::AlreadyPaid), "{lost:?}");
    }
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn a_code_that_is_not_good_takes_nothing() {
    let mut counter = Counter::new().await;
    let (first, _) = counter.shows(500).await;
    let (second, order) = counter.shows(500).await;
    assert!(
        matches!(counter.charge(&first, 1).await, Err(WalletError::CodeInvalid)),
        "a new one replaces it"
    );
    let over = counter.charge(&second, 501).await;
    assert!(matches!(over, Err(WalletError::CodeLimit)), "{over:?}");
    let nothing = counter.charge(&second, 0).await;
    assert!(
        matches!(nothing, Err(WalletError::Fault(Fault::Invalid { field: "amount", .. }))),
        "{nothing:?}"
    );
    let unknown = PayCode::new(second.node().clone(), [99; 16]).unwrap();
    for wrong in [unknown.to_string(), unknown.digits().to_string(), "weft:pay/1/x".into(), "12".into()] {
        let outcome = counter.charge(&wrong, 1).await;
        assert!(matches!(outcome, Err(WalletError::CodeInvalid)), "{wrong}: {outcome:?}");
    }
    let far = PayCode::new("other.example".parse().unwrap(), *second.id()).unwrap();
    assert!(matches!(counter.charge(&far, 1).await, Err(WalletError::OtherNode)));
    let wish = ChargeCode { asset: weft_wire::AssetId([9; 16]), ..counter.wish(&second, 1) };
    let other = counter.charge_by(&counter.street.till.bob, wish).await;
    assert!(matches!(other, Err(WalletError::Fault(Fault::Invalid { field: "asset", .. }))), "{other:?}");
    let wish = counter.wish(&second, 1);
    let stranger = counter.charge_by(&counter.street.carol, wish).await;
    assert!(matches!(stranger, Err(WalletError::NotStaff)), "{stranger:?}");
    let wish = counter.wish(&second, 1);
    let wallet = counter.street.till.world.service.wallet().clone();
    let nowhere = wallet.charge(counter.street.till.bob.device.caller(), &name("bob"), wish).await;
    assert!(matches!(nowhere, Err(WalletError::NotFound("shop"))), "{nowhere:?}");

    // As an order of her own it goes nowhere, and it is shown once.
    let direct = Signed::sign(&order, &counter.street.carol.key);
    assert!(counter.street.till.submit(&counter.street.carol, direct).await.is_err());
    counter.street.till.world.clock.advance(LIFETIME_MS);
    assert!(matches!(counter.charge(&second, 1).await, Err(WalletError::CodeInvalid)), "its minute is over");
    assert_eq!(counter.street.takings().await, 0);
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn what_the_account_does_not_give_no_code_takes() {
    let mut counter = Counter::new().await;
    let (code, _) = counter.shows(20_000).await;
    let poor = counter.charge(&code, 10_001).await;
    assert!(matches!(poor, Err(WalletError::Refused(Refusal::Floor))), "{poor:?}");
    let (user, asset) = (counter.street.carol.user().clone(), counter.street.till.euro.id);
    let wallet = counter.street.till.world.service.wallet().clone();
    let freeze = |frozen| ChangeAccount { user: user.clone(), asset, frozen };
    wallet.change_account(freeze(true)).await.unwrap();
    let frozen = counter.charge(&code, 1).await;
    assert!(matches!(frozen, Err(WalletError::Refused(Refusal::Frozen(_)))), "{frozen:?}");
    wallet.change_account(freeze(false)).await.unwrap();
    counter.charge(&code, 10_000).await.expect("the code is still good for what there is");

    counter.street.till.issue(9, &user, 100).await.unwrap();
    let (code, _) = counter.shows(100).await;
    let carol = counter.street.carol.device.caller().clone();
    counter.street.till.world.service.flows().sign_out(&carol, carol.device()).await.unwrap();
    let gone = counter.charge(&code, 1).await;
    assert!(matches!(gone, Err(WalletError::CodeInvalid)), "a device that was signed out: {gone:?}");
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn a_till_that_tries_sum_after_sum_does_not_learn_what_there_is() {
    let mut counter = Counter::new().await;
    let (code, _) = counter.shows(20_000).await;
    for above in [20_000, 15_000, 12_500] {
        let poor = counter.charge(&code, above).await;
        assert!(matches!(poor, Err(WalletError::Refused(Refusal::Floor))), "{poor:?}");
    }
    for less in [11_000, 1] {
        let over = counter.charge(&code, less).await;
        assert!(matches!(over, Err(WalletError::CodeInvalid)), "{over:?}");
    }
    let (code, _) = counter.shows(20_000).await;
    counter.charge(&code, 10_000).await.expect("another one is good");
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn a_till_that_has_lost_the_answer_has_not_tried_once_more() {
    let mut counter = Counter::new().await;
    let (code, _) = counter.shows(20_000).await;
    let poor = counter.wish(&code, 15_000);
    let bob = &counter.street.till.bob;
    let first = counter.charge_by(bob, poor.clone()).await;
    assert!(matches!(first, Err(WalletError::Refused(Refusal::Floor))), "{first:?}");
    for _ in 0..4 {
        let again = counter.charge_by(bob, poor.clone()).await;
        assert!(matches!(again, Err(WalletError::ChargeRefused(Code::InsufficientFunds))), "{again:?}");
    }
    counter.charge(&code, 10_000).await.expect("it was one try");
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn what_is_no_order_for_a_code_is_not_shown() {
    let mut counter = Counter::new().await;
    let (_, good) = counter.code(500);
    let (bob, shop) = (counter.street.till.bob.user().clone(), counter.street.shop.clone());
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let invalid = |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { .. }));
    let expired = |e: &WalletError| matches!(e, WalletError::Expired);
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 0, ..good.clone() }, invalid),
        (PaymentOrder { intent: Intent::Transfer, ..good.clone() }, invalid),
        (PaymentOrder { payee: Payee::Person(bob.clone()), ..good.clone() }, invalid),
        (PaymentOrder { from: Some(shop), ..good.clone() }, invalid),
        (PaymentOrder { tip: Some(1), ..good.clone() }, invalid),
        (PaymentOrder { refunds: Some(TransferId([2; 16])), ..good.clone() }, invalid),
        (PaymentOrder { expires_ms: good.expires_ms - LIFETIME_MS, ..good.clone() }, expired),
        (PaymentOrder { expires_ms: good.expires_ms + 11 * 60_000, ..good.clone() }, expired),
        (PaymentOrder { payer: bob, ..good.clone() }, |e| matches!(e, WalletError::ForeignOrder)),
        (PaymentOrder { asset: weft_wire::AssetId([9; 16]), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("asset"))
        }),
        (PaymentOrder { counter: 0, ..good.clone() }, |e| matches!(e, WalletError::Counter { last: 0 })),
    ];
    for (order, is_right) in cases {
        let error = counter.put(&counter.street.carol, &order).await.unwrap_err();
        assert!(is_right(&error), "{order:?}: {error:?}");
    }
    let wallet = counter.street.till.world.service.wallet().clone();
    let forged = PutCode { order: Signed::sign(&good, &counter.street.till.bob.key) };
    let forged = wallet.put_code(counter.street.carol.device.caller(), forged).await;
    assert!(matches!(forged, Err(WalletError::Signature("the order"))), "{forged:?}");
    let until = counter.put(&counter.street.carol, &good).await.unwrap();
    counter.street.till.world.clock.advance(1_000);
    assert_eq!(counter.put(&counter.street.carol, &good).await.unwrap(), until, "the answer was lost");
    let later = PaymentOrder { expires_ms: good.expires_ms + 9 * 60_000, counter: 9, ..good.clone() };
    let (_, later) = (later.expires_ms, PaymentOrder { payee: counter.code(5).1.payee, ..later });
    let now = crate::Clock::now_ms(&*counter.street.till.world.clock);
    assert_eq!(
        counter.put(&counter.street.carol, &later).await.unwrap(),
        now + LIFETIME_MS,
        "by the node's clock"
    );
    // Bob makes one of the same digits.
    let his = PaymentOrder {
        payer: counter.street.till.bob.user().clone(),
        device: counter.street.till.bob.device.id(),
        ..later
    };
    let taken = counter.put(&counter.street.till.bob, &his).await;
    assert!(matches!(taken, Err(WalletError::IdConflict)), "{taken:?}");
}

#[tokio::test]
async fn an_order_that_was_carried_out_pays_no_code() {
    let mut counter = Counter::new().await;
    let first = counter.code(500).1;
    let shop = counter.street.shop.clone();
    let payee = Payee::Merchant(MerchantPayee { shop: shop.clone(), till: None, sale: None });
    let paid = PaymentOrder { payee, expires_ms: first.expires_ms, ..first };
    let street = &counter.street;
    street.till.submit(&street.carol, Signed::sign(&paid, &street.carol.key)).await.unwrap();
    assert_eq!(counter.street.takings().await, 500);

    // Under the same id nothing is shown any more.
    let (_, again) = counter.code(500);
    let again = PaymentOrder { id: paid.id, ..again };
    let shown = counter.put(&counter.street.carol, &again).await;
    assert!(matches!(shown, Err(WalletError::IdConflict)), "{shown:?}");

    // Nor does a code that was shown before bring anything, or the look of it.
    let (code, open) = counter.code(500);
    counter.put(&counter.street.carol, &open).await.unwrap();
    let payee = Payee::Merchant(MerchantPayee { shop, till: None, sale: None });
    let paid = PaymentOrder { payee, counter: open.counter + 1, ..open };
    let street = &counter.street;
    street.till.submit(&street.carol, Signed::sign(&paid, &street.carol.key)).await.unwrap();
    assert_eq!(counter.street.takings().await, 1_000);
    let charged = counter.charge(&code, 500).await;
    assert!(matches!(charged, Err(WalletError::CodeInvalid)), "{charged:?}");
    assert_eq!(counter.street.takings().await, 1_000);
    counter.street.till.is_sound().await;
}

#[tokio::test]
async fn digits_are_not_guessed_for_long() {
    let config = crate::ServiceConfig {
        signup: weft_wire::node::SignupPolicy::Open,
        rate_limit_factor: 1.0,
        ..crate::ServiceConfig::default()
    };
    let mut counter =
        Counter { street: Street::in_world(World::with(config).await).await, shown: 0, charged: 0 };
    let (code_, _) = counter.shows(500).await;
    let mut wrong = 0;
    let limited = loop {
        let guess = PayCode::new(code_.node().clone(), [100 + wrong; 16]).unwrap();
        // Alice and bob take turns: the budget is the shop's.
        let wish = counter.wish(guess.digits(), 1);
        let by = if wrong % 2 == 0 { &counter.street.till.alice } else { &counter.street.till.bob };
        match counter.charge_by(by, wish).await {
            Err(WalletError::CodeInvalid) => wrong += 1,
            Err(error) => break error,
            Ok(sale) => panic!("{sale:?}"),
        }
    };
    assert_eq!((wrong, code(limited)), (60, Code::RateLimited));
    let right = counter.wish(code_.digits(), 1);
    let right = counter.charge_by(&counter.street.till.bob, right).await;
    assert!(matches!(right, Err(WalletError::Fault(Fault::RateLimited { .. }))), "{right:?}");
    counter.charge(&code_, 1).await.expect("the code itself is not guessed");
}

#[tokio::test]
async fn a_debit_above_what_the_payer_has_signed_is_found() {
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(500).await;
    counter.charge(&code, 400).await.unwrap();
    counter.street.till.is_sound().await;
    let store = counter.street.till.world.store.clone();
    let row = store.get(tables::ORDERS, &order.transfer().0).await.unwrap().unwrap();
    let kept = OrderRecord::from_record(&row.value).unwrap();
    let sign = |order: &PaymentOrder| Signed::sign(order, &counter.street.carol.key);
    let person = Payee::Person(counter.street.till.alice.user().clone());
    let unsigned = format!("transfer {} of carol has no order that they have signed", order.transfer());
    let unpaid = format!("a sale that {} has paid is not what came for it", order.payer);
    for (other, expected) in [
        (PaymentOrder { amount: 399, ..order.clone() }, vec![unsigned.clone()]),
        // An order to somebody else, or for another sum, is no order for this.
        (PaymentOrder { payee: person, amount: 400, ..order.clone() }, vec![unsigned, unpaid]),
    ] {
        let record = OrderRecord { order: sign(&other), cert: kept.cert.clone(), title: None };
        let batch = Batch::new().put(tables::ORDERS, order.transfer().0, record.to_record());
        store.commit(batch).await.unwrap();
        let report = super::check_ledger(&store).await.unwrap();
        assert_eq!(report.findings, expected, "{other:?}");
    }
    store.commit(Batch::new().put(tables::ORDERS, order.transfer().0, row.value)).await.unwrap();
    counter.street.till.is_sound().await;
}
