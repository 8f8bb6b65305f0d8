//! Bob has a shop at his node, where alice, whose node is another one, pays by both its codes.

use super::{
    FlowError,
    link_tests::{AWAY, HOME, HOUR_MS, Pair, code_of},
};
use crate::{
    Clock,
    federation::Verdict,
    wallet::{LinkPost, tests::Payer},
};
use weft_ledger::link::{Body, Message, Reason};
use weft_wire::{
    Blob, Code, RequestId, Signed, TransferId, UserAddress,
    emv::{self, Scanned},
    federation::Answer,
    wallet::{
        ChangeShop, Exchange, Intent, MerchantPayee, OpenSale, OpenShop, Payee, PaymentOrder, Receipt,
        Rejection, SaleInfo, SaleState, ShopDetails, SubmitOrder, TransferState,
    },
};

pub(super) struct Counter {
    pub pair: Pair,
    pub shop: UserAddress,
}

pub(super) fn details() -> ShopDetails {
    ShopDetails {
        title: "Ecklädchen".into(),
        merchant_name: "Corner Shop".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        mcc: 5411,
    }
}

impl Counter {
    pub(super) async fn new() -> Counter {
        Counter::of(Pair::new().await).await
    }

    pub(super) async fn of(pair: Pair) -> Counter {
        let bob = pair.people[AWAY].device.caller();
        let shop = UserAddress::new("corner".parse().unwrap(), pair.worlds[AWAY].name.clone());
        let wish = OpenShop { name: shop.name.clone(), details: details() };
        pair.worlds[AWAY].service.flows().open_shop(bob, wish).await.unwrap();
        Counter { pair, shop }
    }

    async fn sell(&self, id: u8, amount: u64, tip_allowed: bool) -> SaleInfo {
        let asset = self.pair.euro.id;
        self.sell_in(id, amount, tip_allowed, asset).await
    }

    async fn sell_in(&self, id: u8, amount: u64, tip_allowed: bool, asset: weft_wire::AssetId) -> SaleInfo {
        let wish = OpenSale {
            id: RequestId([id; 16]),
            asset,
            amount,
            bill: "17".into(),
            till: None,
            tip_allowed,
            lifetime_ms: 0,
        };
        let bob = self.pair.people[AWAY].device.caller();
        self.pair.worlds[AWAY].service.wallet().open_sale(bob, &self.shop.name, wish).await.unwrap()
    }

    /// Alice's order for a sale, or for the counter.
    fn order(&mut self, sale: Option<RequestId>, amount: u64, tip: Option<u64>) -> PaymentOrder {
        let payee = Payee::Merchant(MerchantPayee { shop: self.shop.clone(), till: None, sale });
        PaymentOrder { payee, tip, ..self.pair.order(HOME, amount, Intent::Payment) }
    }

    async fn buy(&mut self, sale: Option<RequestId>, amount: u64) -> Receipt {
        let order = self.order(sale, amount, None);
        self.pair.submit(HOME, &order).await.unwrap()
    }

    /// Why the shop's node does not take this order of alice's.
    async fn rejected(&self, order: &PaymentOrder) -> Reason {
        self.pair.submit(HOME, order).await.unwrap();
        let [home, away] = [HOME, AWAY].map(|at| &self.pair.worlds[at]);
        let said = home.service.wallet().say(&away.name, false).await.unwrap().post;
        let post = Blob(weft_wire::encode(&said));
        let told = away.service.flows().answer_link(&home.name, &post).await.unwrap();
        let Answer::Link(told) = told else { panic!("{told:?}") };
        let told: LinkPost = weft_wire::decode(told.as_slice(), 1 << 20).unwrap();
        let told: Message = told.messages.last().unwrap().peek().unwrap();
        let Body::Reject { payment, reason } = told.body else { panic!("{told:?}") };
        assert_eq!(payment, order.transfer());
        self.pair.carry().await;
        let (wallet, alice) =
            (self.pair.worlds[HOME].service.wallet(), self.pair.people[HOME].device.caller());
        let info = wallet.transfer(alice, payment).await.unwrap();
        let told = match reason {
            Reason::Closed => Rejection::Closed,
            Reason::Paid => Rejection::Paid,
            Reason::Over => Rejection::Over,
            Reason::Asked => Rejection::Asked,
            Reason::Guarded => Rejection::Guarded,
            _ => Rejection::Other,
        };
        assert_eq!((info.state, info.rejection), (TransferState::Returned, Some(told)), "alice has it back");
        reason
    }

    pub(super) async fn state(&self, transfer: TransferId) -> TransferState {
        let (wallet, alice) =
            (self.pair.worlds[HOME].service.wallet(), self.pair.people[HOME].device.caller());
        wallet.transfer(alice, transfer).await.unwrap().state
    }

    pub(super) async fn roll(&self) -> Vec<SaleInfo> {
        let (wallet, bob) = (self.pair.worlds[AWAY].service.wallet(), self.pair.people[AWAY].device.caller());
        wallet.sales(bob, &self.shop.name, None).await.unwrap().sales
    }

    pub(super) async fn takings(&self) -> u64 {
        let (wallet, bob) = (self.pair.worlds[AWAY].service.wallet(), self.pair.people[AWAY].device.caller());
        let shops = wallet.shops(bob).await.unwrap().shops;
        shops[0].accounts.iter().map(|account| account.available).sum()
    }

    /// Bob gives alice back what she has paid by this transfer, or a part.
    pub(super) async fn back(&mut self, transfer: TransferId, amount: u64) -> Result<Receipt, FlowError> {
        let order = self.pair.order(AWAY, amount, Intent::Payment);
        let order = PaymentOrder { from: Some(self.shop.clone()), refunds: Some(transfer), ..order };
        self.pair.submit(AWAY, &order).await
    }
}

#[tokio::test]
async fn who_is_of_another_node_pays_by_both_codes_and_the_till_roll_says_so() {
    let mut counter = Counter::new().await;
    let sale = counter.sell(1, 1_250, true).await;
    // What alice's device learns before it pays.
    let (flows, node) = (counter.pair.worlds[HOME].service.flows().clone(), counter.shop.node.clone());
    let alice = counter.pair.people[HOME].device.caller().clone();
    let info = flows.shop(&alice, &counter.shop.name, Some(&node)).await.unwrap();
    assert_eq!((&info.shop, info.details.title.as_str(), info.open), (&counter.shop, "Ecklädchen", true));
    let Scanned::Dynamic(code) = emv::decode(sale.code.as_ref().unwrap()).unwrap() else {
        panic!("{sale:?}")
    };
    let now = Clock::now_ms(&*counter.pair.worlds[HOME].clock);
    let own = counter.pair.worlds[HOME].key.verifying_key().to_bytes();
    assert!(code.clone().verify(&own, now).is_err(), "it is not her own node's");
    let (_, request) = code.verify(&info.key, now).unwrap();
    let seen = flows.sale(&alice, &counter.shop.name, request.id, Some(&node)).await.unwrap();
    assert_eq!((seen.state, seen.amount, seen.code, seen.by), (SaleState::Open, 1_250, None, None));

    let order = counter.order(Some(request.id), 1_400, Some(150));
    let receipt = counter.pair.submit(HOME, &order).await.unwrap();
    assert_eq!(receipt.state, TransferState::Held, "it is under way");
    counter.pair.carry().await;
    assert_eq!(counter.pair.submit(HOME, &order).await.unwrap().state, TransferState::Done, "asked again");
    let seen = flows.sale(&alice, &counter.shop.name, request.id, Some(&node)).await.unwrap();
    let paid = seen.paid.expect("she sees that it is paid");
    assert_eq!((seen.state, paid.transfer, paid.tip), (SaleState::Paid, receipt.transfer, 150));

    // Once more, and at the counter.
    let again = counter.order(Some(request.id), 1_250, None);
    assert_eq!(counter.rejected(&again).await, Reason::Paid);
    counter.pair.worlds[AWAY].clock.advance(1);
    let static_ = counter.buy(None, 600).await;
    counter.pair.carry().await;
    let roll = counter.roll().await;
    let told: Vec<_> = roll
        .iter()
        .map(|sale| (sale.amount, sale.paid.as_ref().map(|paid| (paid.payer.clone(), paid.transfer))))
        .collect();
    let her = alice.user().clone();
    assert_eq!(told, [(600, Some((her.clone(), static_.transfer))), (1_250, Some((her, receipt.transfer)))]);
    assert_eq!((counter.takings().await, counter.pair.has(HOME).await), (2_000, (8_000, 0, 0)));
    let line = counter.pair.history(HOME).await.remove(0);
    assert_eq!((line.other.as_ref(), line.shop.as_deref()), (Some(&counter.shop), Some("Ecklädchen")));
    assert_eq!((line.purpose.as_str(), line.state, line.amount), ("payment", TransferState::Done, 600));
    // The shop's staff sees it under the name that both nodes know.
    let (wallet, bob) =
        (counter.pair.worlds[AWAY].service.wallet(), counter.pair.people[AWAY].device.caller());
    let info = wallet.transfer(bob, receipt.transfer).await.unwrap();
    assert_eq!((&info.payer, &info.payee, info.amount), (alice.user(), &counter.shop, 1_400));
    let account = wallet.shops(bob).await.unwrap().shops[0].accounts[0].id;
    let line = wallet.history(bob, account, None).await.unwrap().lines.remove(1);
    assert_eq!(
        (line.other.as_ref(), line.transfer, line.amount),
        (Some(alice.user()), receipt.transfer, 1_400)
    );
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_shop_gives_back_over_the_link_in_full_and_in_parts_and_never_more() {
    let mut counter = Counter::new().await;
    let sale = counter.sell(1, 1_000, false).await;
    let paid = counter.buy(Some(sale.id), 1_000).await;
    assert_eq!(code_of(counter.back(paid.transfer, 1).await), Code::NotFound, "it has not come yet");
    counter.pair.carry().await;
    counter.back(paid.transfer, 400).await.unwrap();
    assert_eq!(
        code_of(counter.back(paid.transfer, 601).await),
        Code::PaymentRefused,
        "what is on its way counts"
    );
    counter.pair.carry().await;
    assert_eq!((counter.takings().await, counter.pair.has(HOME).await.0), (600, 9_400));
    let roll = counter.roll().await;
    assert_eq!(roll[0].paid.as_ref().unwrap().refunded, 400);
    let line = counter.pair.history(HOME).await.remove(0);
    assert_eq!((line.refunds, line.purpose.as_str(), line.credit), (Some(paid.transfer), "refund", true));
    assert_eq!((line.other.as_ref(), line.shop.as_deref()), (Some(&counter.shop), Some("Ecklädchen")));
    counter.back(paid.transfer, 600).await.unwrap();
    counter.pair.carry().await;
    assert_eq!(code_of(counter.back(paid.transfer, 1).await), Code::PaymentRefused);
    assert_eq!((counter.takings().await, counter.pair.has(HOME).await.0), (0, 10_000));
    // A shop pays nobody of another node who has not paid there, and not for what somebody was paid privately.
    let order = counter.pair.order(AWAY, 1, Intent::Payment);
    let order = PaymentOrder { from: Some(counter.shop.clone()), ..order };
    assert_eq!(code_of(counter.pair.submit(AWAY, &order).await), Code::InvalidField);
    let private = counter.pair.pay(HOME, 5, Intent::Payment).await.unwrap();
    counter.pair.carry().await;
    assert_eq!(code_of(counter.back(private.transfer, 5).await), Code::NotFound);
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn what_is_not_as_the_shop_has_it_comes_back_with_the_reason() {
    let mut counter = Counter::new().await;
    let sale = counter.sell(1, 1_000, false).await.id;
    for (order, expected) in [
        (counter.order(Some(sale), 999, None), Reason::Asked),
        (counter.order(Some(sale), 1_001, None), Reason::Asked),
        (counter.order(Some(sale), 1_100, Some(100)), Reason::Asked),
        (counter.order(Some(RequestId([9; 16])), 1_000, None), Reason::UnknownPayee),
    ] {
        assert_eq!(counter.rejected(&order).await, expected, "{order:?}");
    }
    // The name of a person is no shop's, and that of a shop no person's.
    let bob = counter.pair.people[AWAY].user().clone();
    let at_bob = Payee::Merchant(MerchantPayee { shop: bob, till: None, sale: None });
    let order = PaymentOrder { payee: at_bob, ..counter.order(None, 10, None) };
    assert_eq!(counter.rejected(&order).await, Reason::UnknownPayee);
    let order = PaymentOrder { payee: Payee::Person(counter.shop.clone()), ..counter.order(None, 10, None) };
    assert_eq!(counter.rejected(&order).await, Reason::UnknownPayee);
    // An order that makes no sense is not sent.
    let order = counter.order(None, 10, Some(10));
    assert_eq!(code_of(counter.pair.submit(HOME, &order).await), Code::InvalidField);
    let order = PaymentOrder { intent: Intent::Transfer, ..counter.order(None, 10, None) };
    assert_eq!(code_of(counter.pair.submit(HOME, &order).await), Code::InvalidField);
    // Too late, taken back, and the shop closed meanwhile.
    let order = counter.order(Some(sale), 1_000, None);
    counter.pair.worlds[AWAY].clock.advance(HOUR_MS / 2);
    assert_eq!(counter.rejected(&order).await, Reason::Over);
    let sale = counter.sell(2, 1_000, false).await.id;
    let (flows, wallet) =
        (counter.pair.worlds[AWAY].service.flows(), counter.pair.worlds[AWAY].service.wallet());
    wallet.cancel_sale(counter.pair.people[AWAY].device.caller(), &counter.shop.name, sale).await.unwrap();
    flows
        .change_shop(
            counter.pair.people[AWAY].device.caller(),
            &counter.shop.name,
            ChangeShop { open: Some(false), ..ChangeShop::default() },
        )
        .await
        .unwrap();
    let order = counter.order(Some(sale), 1_000, None);
    assert_eq!(counter.rejected(&order).await, Reason::Closed);
    let wish = ChangeShop { open: Some(true), ..ChangeShop::default() };
    let flows = counter.pair.worlds[AWAY].service.flows();
    flows.change_shop(counter.pair.people[AWAY].device.caller(), &counter.shop.name, wish).await.unwrap();
    let order = counter.order(Some(sale), 1_000, None);
    assert_eq!(counter.rejected(&order).await, Reason::Over);
    assert_eq!((counter.takings().await, counter.pair.has(HOME).await), (0, (10_000, 0, 0)));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_sale_that_two_pay_at_once_is_paid_by_one() {
    let mut counter = Counter::new().await;
    // Dave is of the shop's own node.
    let mut dave = Payer::new(&counter.pair.worlds[AWAY], "dave", 7).await;
    let gift = PaymentOrder {
        payee: Payee::Person(dave.user().clone()),
        ..counter.pair.order(HOME, 2_000, Intent::Payment)
    };
    counter.pair.submit(HOME, &gift).await.unwrap();
    counter.pair.carry().await;
    let sale = counter.sell(1, 1_000, false).await.id;
    let (first, second) = (counter.buy(Some(sale), 1_000).await, counter.buy(Some(sale), 1_000).await);
    let payee = Payee::Merchant(MerchantPayee { shop: counter.shop.clone(), till: None, sale: Some(sale) });
    let to = counter.shop.clone();
    let order = dave.order(&counter.pair.worlds[AWAY], &to, counter.pair.euro.id, 1_000, Intent::Payment);
    let order = Signed::sign(&PaymentOrder { payee, ..order }, &dave.key);
    let his = counter.pair.worlds[AWAY].service.flows().clone();
    let (his, ()) = tokio::join!(his.pay(dave.device.caller(), SubmitOrder { order }), async {
        counter.pair.carry().await
    });
    let paid = [counter.state(first.transfer).await, counter.state(second.transfer).await];
    let won = paid.iter().filter(|state| **state == TransferState::Done).count() + usize::from(his.is_ok());
    assert_eq!((won, counter.takings().await), (1, 1_000), "{paid:?}");
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_shop_beyond_the_terms_is_paid_nothing() {
    let mut counter = Counter::of(Pair::strangers().await).await;
    let (flows, node) = (counter.pair.worlds[HOME].service.flows().clone(), counter.shop.node.clone());
    let alice = counter.pair.people[HOME].device.caller().clone();
    assert_eq!(code_of(flows.shop(&alice, &counter.shop.name, Some(&node)).await), Code::NoLink);
    let order = counter.order(None, 10, None);
    assert_eq!(code_of(counter.pair.submit(HOME, &order).await), Code::NoLink);
    counter.pair.agree("50").await;
    let none = flows.shop(&alice, &"nobody".parse().unwrap(), Some(&node)).await;
    assert_eq!(code_of(none), Code::NotFound);
    let order = counter.order(None, 5_001, None);
    assert_eq!(code_of(counter.pair.submit(HOME, &order).await), Code::LinkLimit);
    // It vanishes after PREPARE, and comes back: what it has not taken within the hour it does not take.
    let (kept, late) = (counter.buy(None, 100).await, counter.buy(None, 200).await);
    assert_eq!(counter.state(kept.transfer).await, TransferState::Held);
    counter.pair.carry().await;
    assert_eq!(counter.state(late.transfer).await, TransferState::Done);
    let late = counter.buy(None, 300).await;
    counter.pair.worlds.iter().for_each(|world| world.clock.advance(HOUR_MS));
    counter.pair.carry().await;
    assert_eq!(counter.state(late.transfer).await, TransferState::Expired);
    assert_eq!((counter.takings().await, counter.pair.has(HOME).await), (300, (9_700, 0, 0)));
    // Stopped by hand, and shut out.
    let federation = counter.pair.worlds[HOME].service.federation().clone();
    federation.judge(&node, Verdict::Block).await.unwrap();
    let order = counter.order(None, 10, None);
    assert_eq!(code_of(counter.pair.submit(HOME, &order).await), Code::Forbidden);
    federation.judge(&node, Verdict::Trust).await.unwrap();
    counter.pair.is_sound().await;
    counter.pair.worlds[HOME].service.wallet().freeze_link(&node).await.unwrap();
    assert_eq!(code_of(counter.pair.submit(HOME, &order).await), Code::LinkFrozen);
}

#[tokio::test]
async fn the_same_prepare_again_pays_once_and_a_tip_that_is_no_part_is_refused() {
    let mut counter = Counter::new().await;
    let sale = counter.sell(1, 1_000, false).await.id;
    counter.buy(Some(sale), 1_000).await;
    let [home, away] = [HOME, AWAY].map(|at| counter.pair.worlds[at].name.clone());
    let said = counter.pair.worlds[HOME].service.wallet().say(&away, false).await.unwrap().post;
    let post = Blob(weft_wire::encode(&said));
    for _ in 0..3 {
        counter.pair.worlds[AWAY].service.flows().answer_link(&home, &post).await.unwrap();
    }
    counter.pair.carry().await;
    assert_eq!((counter.takings().await, counter.roll().await.len()), (1_000, 1));
    counter.pair.is_sound().await;
    // Somebody else's node says that all of it, and more, is a tip.
    counter.buy(None, 500).await;
    let mut said = counter.pair.worlds[HOME].service.wallet().say(&away, false).await.unwrap().post;
    let mut message: Message = said.messages.last().unwrap().peek().unwrap();
    let Body::Prepare(prepare) = &mut message.body else { panic!("{message:?}") };
    let mut memo = crate::wallet::Memo::of(prepare).unwrap();
    memo.tip = Some(u64::MAX);
    prepare.memo = Blob(weft_wire::encode(&memo));
    said.messages = vec![Signed::sign(&message, &counter.pair.worlds[HOME].key)];
    let post = Blob(weft_wire::encode(&said));
    counter.pair.worlds[AWAY].service.flows().answer_link(&home, &post).await.unwrap();
    let told = counter.pair.worlds[AWAY].service.wallet().say(&home, false).await.unwrap().post;
    let told: Message = told.messages.last().unwrap().peek().unwrap();
    assert!(matches!(told.body, Body::Reject { reason: Reason::Asked, .. }), "{told:?}");
    assert_eq!(counter.takings().await, 1_000);
}

#[tokio::test]
async fn nothing_is_bought_by_giving_back_what_was_given_back() {
    let mut counter = Counter::new().await;
    let paid = counter.buy(None, 1_000).await;
    counter.pair.carry().await;
    let back = counter.back(paid.transfer, 400).await.unwrap();
    counter.pair.carry().await;
    let (home, away) = (counter.pair.worlds[HOME].name.clone(), counter.pair.worlds[AWAY].name.clone());
    counter.buy(None, 300).await;
    let mut said = counter.pair.worlds[HOME].service.wallet().say(&away, false).await.unwrap().post;
    let mut message: Message = said.messages.last().unwrap().peek().unwrap();
    let Body::Prepare(prepare) = &mut message.body else { panic!("{message:?}") };
    prepare.refunds = Some(back.transfer);
    said.messages = vec![Signed::sign(&message, &counter.pair.worlds[HOME].key)];
    let post = Blob(weft_wire::encode(&said));
    counter.pair.worlds[AWAY].service.flows().answer_link(&home, &post).await.unwrap();
    let told = counter.pair.worlds[AWAY].service.wallet().say(&home, false).await.unwrap().post;
    let told: Message = told.messages.last().unwrap().peek().unwrap();
    assert!(matches!(told.body, Body::Reject { reason: Reason::Refund, .. }), "{told:?}");
    assert_eq!((counter.takings().await, counter.roll().await.len()), (600, 1));
}

#[tokio::test]
async fn a_shop_that_sells_for_dollars_is_paid_with_euros_at_the_rate_of_the_terms() {
    let super::link_two_assets_tests::Two { pair, dollar } = super::link_two_assets_tests::Two::new().await;
    let mut counter = Counter::of(pair).await;
    let sale = counter.sell_in(1, 1_000, false, dollar).await.id;
    let mut at = |given, got, sale| PaymentOrder {
        exchange: Some(Exchange { asset: dollar, amount: got }),
        ..counter.order(Some(sale), given, None)
    };
    // Ten dollars are 9.174 euros: for 9.17 there are 9.99 dollars, for 9.18 there are ten.
    let (less, more, enough) = (at(917, 999, sale), at(919, 1_001, sale), at(918, 1_000, sale));
    for other in [less, more] {
        assert_eq!(
            counter.rejected(&other).await,
            Reason::Asked,
            "nobody pays more than it takes: {other:?}"
        );
    }
    let paid = counter.pair.submit(HOME, &enough).await.unwrap();
    counter.pair.carry().await;
    assert_eq!((counter.state(paid.transfer).await, counter.takings().await), (TransferState::Done, 1_000));
    let roll = counter.roll().await;
    assert!(roll[0].paid.as_ref().is_some_and(|paid| paid.at_rate && paid.tip == 0), "{roll:?}");
    // Another asset than the sale's, at no rate.
    let sale = counter.sell_in(2, 1_000, false, dollar).await.id;
    let order = counter.order(Some(sale), 1_000, None);
    assert_eq!(counter.rejected(&order).await, Reason::Asked);
    // What was exchanged does not go back: there is no rate of then.
    let order = counter.pair.order(AWAY, 10, Intent::Payment);
    let order = PaymentOrder {
        asset: dollar,
        from: Some(counter.shop.clone()),
        refunds: Some(paid.transfer),
        ..order
    };
    assert_eq!(code_of(counter.pair.submit(AWAY, &order).await), Code::PaymentRefused);
    counter.pair.is_sound().await;
}

mod audits;
