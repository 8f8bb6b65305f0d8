//! Carol buys a bicycle of alice, or at her corner shop, and the node holds the money. Bob is at the shop's till.

use super::{
    WalletError,
    records::{EscrowEndRecord, EscrowRecord, OrderRecord},
    shop_tests::{Street, details},
    tests::{HOUR_MS, Payer, Till, refused},
};
use crate::{Fault, flows::FlowError, testing::START_MS};
use ed25519_dalek::SigningKey;
use weft_ledger::Refusal;
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    AssetId, OrderId, Signed, TransferId, UserAddress,
    wallet::{
        ChangeAccount, ChangeShop, EscrowAct, EscrowInfo, EscrowState, EscrowTerms, Intent, OrderKeyCert,
        Payee, PaymentOrder, PutOrderKey, Receipt, SettlePayee, ShopDetails,
    },
};

const DAY_MS: u64 = 24 * HOUR_MS;

impl Street {
    /// Carol's order for 10.00 that are held for a seller for a week.
    fn held_for(&mut self, seller: &UserAddress) -> PaymentOrder {
        let until_ms = crate::Clock::now_ms(&*self.till.world.clock) + 7 * DAY_MS;
        let terms = EscrowTerms { seller: seller.clone(), until_ms, note: "a bicycle".into() };
        let order = self.carol.order(&self.till.world, seller, self.till.euro.id, 1_000, Intent::Payment);
        PaymentOrder { payee: Payee::Escrow(terms), ..order }
    }

    async fn fund(&self, order: &PaymentOrder) -> Result<Receipt, FlowError> {
        self.till.submit(&self.carol, Signed::sign(order, &self.carol.key)).await
    }

    async fn funded(&mut self, seller: &UserAddress) -> TransferId {
        let order = self.held_for(seller);
        self.fund(&order).await.unwrap().transfer
    }

    fn settling(&mut self, escrow: TransferId, seller: &UserAddress, amount: u64) -> PaymentOrder {
        let order = self.carol.order(&self.till.world, seller, self.till.euro.id, amount, Intent::Payment);
        PaymentOrder { payee: Payee::Settle(SettlePayee { escrow, seller: seller.clone() }), ..order }
    }

    async fn settle(&self, escrow: TransferId, order: &PaymentOrder) -> Result<EscrowInfo, WalletError> {
        let act = EscrowAct::Settle { order: Signed::sign(order, &self.carol.key) };
        self.till.world.service.wallet().act_on_escrow(self.carol.device.caller(), escrow, act).await
    }

    async fn accept(
        &self,
        by: &Payer,
        escrow: TransferId,
        to_seller: u64,
    ) -> Result<EscrowInfo, WalletError> {
        let act = EscrowAct::Accept { to_seller };
        self.till.world.service.wallet().act_on_escrow(by.device.caller(), escrow, act).await
    }

    async fn purse(&self, of: &Payer) -> u64 {
        let accounts = self.till.world.service.wallet().accounts(of.device.caller()).await.unwrap().accounts;
        accounts.first().map_or(0, |account| account.available)
    }

    async fn escrow(&self, by: &Payer, id: TransferId) -> EscrowInfo {
        self.till.world.service.wallet().escrow(by.device.caller(), id).await.unwrap()
    }
}

fn decided<T: std::fmt::Debug>(outcome: Result<T, WalletError>) {
    assert!(matches!(outcome, Err(WalletError::AlreadyDecided)), "{outcome:?}");
}

fn invalid(error: &WalletError) -> &'static str {
    match error {
        WalletError::Fault(Fault::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn carol_pays_in_and_releases_and_only_then_alice_has_it() {
    let mut street = Street::new().await;
    let alice = street.till.alice.user().clone();
    let order = street.held_for(&alice);
    let receipt = street.fund(&order).await.unwrap();
    assert_eq!(street.fund(&order).await.unwrap(), receipt, "the answer was lost");
    let id = receipt.transfer;
    assert_eq!((street.purse(&street.carol).await, street.purse(&street.till.alice).await), (9_000, 10_000));
    street.till.is_sound().await;
    let seen = street.escrow(&street.till.alice, id).await;
    assert_eq!((seen.state, seen.total, seen.note.as_str()), (EscrowState::Open, 1_000, "a bicycle"));
    let wallet = street.till.world.service.wallet().clone();
    for by in [street.till.bob.device.caller(), street.olga.caller()] {
        assert!(matches!(wallet.escrow(by, id).await, Err(WalletError::NotFound("escrow"))));
    }

    let release = street.settling(id, &alice, 1_000);
    let done = street.settle(id, &release).await.unwrap();
    assert_eq!((done.state, done.to_seller), (EscrowState::Released, 1_000));
    assert_eq!(street.settle(id, &release).await.unwrap(), done, "a second tap");
    let other = street.settling(id, &alice, 1_000);
    decided(street.settle(id, &other).await);
    decided(street.accept(&street.till.alice, id, 0).await);
    street.till.world.clock.advance(8 * DAY_MS);
    assert_eq!(crate::Worker::Payments.run_once(&street.till.world.service).await.unwrap(), 0);
    assert_eq!((street.purse(&street.carol).await, street.purse(&street.till.alice).await), (9_000, 11_000));
    let list = wallet.escrows(street.carol.device.caller(), None, None).await.unwrap();
    assert_eq!((list.escrows, list.more), (vec![done], false));
    let account = wallet.accounts(street.carol.device.caller()).await.unwrap().accounts[0].id;
    let line = &wallet.history(street.carol.device.caller(), account, None).await.unwrap().lines[0];
    assert_eq!((line.purpose.as_str(), line.other.as_ref()), ("escrow_fund", Some(&alice)));
    street.till.is_sound().await;
}

#[tokio::test]
async fn the_seller_gives_it_back_and_the_time_does() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let (first, second) = (street.funded(&shop).await, street.funded(&shop).await);
    let denied = street.accept(&street.till.bob, first, 0).await;
    assert!(matches!(denied, Err(WalletError::NotStaff)), "a cashier does not: {denied:?}");
    let denied = street.accept(&street.carol, first, 0).await;
    assert!(matches!(denied, Err(WalletError::NotStaff)), "nor the buyer: {denied:?}");
    for _ in 0..2 {
        let back = street.accept(&street.till.alice, first, 0).await.unwrap();
        assert_eq!((back.state, back.to_seller), (EscrowState::Returned, 0));
    }
    assert_eq!(street.purse(&street.carol).await, 9_000);
    street.till.world.clock.advance(7 * DAY_MS);
    // Before anybody has come by to give it back, it is too late all the same.
    let late = street.settling(second, &shop, 1_000);
    decided(street.settle(second, &late).await);
    decided(street.accept(&street.till.alice, second, 0).await);
    assert_eq!(crate::Worker::Payments.run_once(&street.till.world.service).await.unwrap(), 1);
    assert_eq!(crate::Worker::Payments.run_once(&street.till.world.service).await.unwrap(), 0);
    assert_eq!(street.escrow(&street.till.bob, second).await.state, EscrowState::Expired);
    assert_eq!((street.purse(&street.carol).await, street.takings().await), (10_000, 0));
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_clock_that_starts_far_ahead_ends_nothing_that_is_held() {
    let mut street = Street::new().await;
    let alice = street.till.alice.user().clone();
    let world = street.till.world.context();
    world.aged().await.unwrap();
    let (first, second) = (street.funded(&alice).await, street.funded(&alice).await);
    street.till.world.clock.jump_to(START_MS + 400 * DAY_MS);
    assert_eq!(crate::Worker::Payments.run_once(&street.till.world.service).await.unwrap(), 0);
    // Nor where the node starts at such a time.
    let again = street.till.world.restarted().await;
    assert_eq!(crate::Worker::Payments.run_once(&again.service).await.unwrap(), 0);
    street.till.world.clock.jump_to(START_MS);
    let release = street.settling(first, &alice, 1_000);
    assert_eq!(street.settle(first, &release).await.unwrap().state, EscrowState::Released);
    street.till.world.clock.advance(7 * DAY_MS);
    assert_eq!(crate::Worker::Payments.run_once(&street.till.world.service).await.unwrap(), 1);
    assert_eq!(street.escrow(&street.carol, second).await.state, EscrowState::Expired);
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_link_that_cannot_be_read_holds_up_nothing_that_is_held() {
    let mut street = Street::new().await;
    let alice = street.till.alice.user().clone();
    let id = street.funded(&alice).await;
    street.till.world.clock.advance(7 * DAY_MS);
    let due = [START_MS.to_be_bytes().as_slice(), &[0], &[7; 16], b"broken.example"].concat();
    let broken = Batch::new().put(tables::LINKS, "broken.example", [255]).put(tables::LINK_DUE, due, []);
    street.till.world.store.commit(broken).await.unwrap();
    // It is told, as often as it is tried.
    for _ in 0..2 {
        let round = crate::Worker::Payments.run_once(&street.till.world.service).await;
        assert!(matches!(round, Err(FlowError::Wallet(WalletError::Fault(_)))), "{round:?}");
        assert_eq!(street.escrow(&street.carol, id).await.state, EscrowState::Expired);
    }
    assert_eq!(street.purse(&street.carol).await, 10_000);
}

#[tokio::test]
async fn what_went_to_the_seller_can_be_given_back_and_no_more_than_that() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let id = street.funded(&shop).await;
    assert_eq!(street.accept(&street.till.alice, id, 600).await.unwrap().by, None);
    let order = street.settling(id, &shop, 600);
    let done = street.settle(id, &order).await.unwrap();
    let released = order.transfer();
    assert_eq!((done.by, done.refunded), (Some(released), 0));
    for (amount, is_done) in [(250, true), (351, false), (350, true), (1, false)] {
        let outcome = street.gives_back(true, released, amount).await;
        assert_eq!(outcome.is_ok(), is_done, "{amount}: {outcome:?}");
    }
    assert_eq!(street.escrow(&street.carol, id).await.refunded, 600);
    assert_eq!((street.purse(&street.carol).await, street.takings().await), (10_000, 0));
    street.till.is_sound().await;
    // A person who sells does so as well, and to nobody else.
    let alice = street.till.alice.user().clone();
    let id = street.funded(&alice).await;
    let order = street.settling(id, &alice, 1_000);
    let released = street.settle(id, &order).await.unwrap().by;
    for (to, is_done) in [(street.till.bob.user().clone(), false), (street.carol.user().clone(), true)] {
        let Till { world, euro, alice, .. } = &mut street.till;
        let order = alice.order(world, &to, euro.id, 400, Intent::Payment);
        let order = Signed::sign(&PaymentOrder { refunds: released, ..order }, &alice.key);
        let outcome = street.till.submit(&street.till.alice, order).await;
        assert_eq!(outcome.is_ok(), is_done, "{to}: {outcome:?}");
    }
    assert_eq!(street.purse(&street.carol).await, 9_400);
    street.till.is_sound().await;
}

#[tokio::test]
async fn both_agree_on_a_split_whoever_has_said_it_first() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    // Alice asks for 6.00, and carol signs for it.
    let first = street.funded(&shop).await;
    assert_eq!(street.accept(&street.till.alice, first, 600).await.unwrap().asked, Some(600));
    let less = street.settling(first, &shop, 500);
    let open = street.settle(first, &less).await.unwrap();
    assert_eq!((open.state, open.offered, open.asked), (EscrowState::Open, Some(500), Some(600)));
    assert_eq!(street.settle(first, &less).await.unwrap(), open, "a second tap");
    let agreed = street.settling(first, &shop, 600);
    let done = street.settle(first, &agreed).await.unwrap();
    assert_eq!((done.state, done.to_seller, done.offered), (EscrowState::Split, 600, None));
    // Carol offers 3.00, and alice takes it; what was offered before counts no more.
    let second = street.funded(&shop).await;
    for amount in [200, 300] {
        let order = street.settling(second, &shop, amount);
        street.settle(second, &order).await.unwrap();
    }
    assert_eq!(street.accept(&street.till.alice, second, 200).await.unwrap().state, EscrowState::Open);
    for _ in 0..2 {
        let done = street.accept(&street.till.alice, second, 300).await.unwrap();
        assert_eq!((done.state, done.to_seller), (EscrowState::Split, 300));
    }
    assert_eq!((street.purse(&street.carol).await, street.takings().await), (9_100, 900));
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_a_device_has_offered_that_was_signed_out_since_is_worth_nothing() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let id = street.funded(&shop).await;
    let order = street.settling(id, &shop, 300);
    street.settle(id, &order).await.unwrap();
    let wallet = street.till.world.service.wallet().clone();
    wallet.forget_key(&street.carol.user().name, street.carol.device.id()).await.unwrap();
    let open = street.accept(&street.till.alice, id, 300).await.unwrap();
    assert_eq!((open.state, open.asked), (EscrowState::Open, Some(300)));
    assert_eq!(street.takings().await, 0);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_was_offered_under_a_key_of_before_is_worth_nothing() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let id = street.funded(&shop).await;
    let order = street.settling(id, &shop, 300);
    street.settle(id, &order).await.unwrap();
    street.carol.key = SigningKey::from_bytes(&[33; 32]);
    let cert = OrderKeyCert {
        user: street.carol.user().clone(),
        device: street.carol.device.id(),
        order_key: street.carol.key.verifying_key().to_bytes(),
        created_ms: START_MS + 1,
    };
    let request = PutOrderKey { cert: Signed::sign(&cert, &street.carol.device.key) };
    let wallet = street.till.world.service.wallet().clone();
    wallet.put_order_key(street.carol.device.caller(), request).await.unwrap();
    assert_eq!(street.accept(&street.till.alice, id, 300).await.unwrap().state, EscrowState::Open);
    // Nor what was offered by an order that has paid for something else since.
    let order = street.settling(id, &shop, 200);
    street.settle(id, &order).await.unwrap();
    let alice = street.till.alice.user().clone();
    let other = street.carol.order(&street.till.world, &alice, street.till.euro.id, 1, Intent::Payment);
    let other = PaymentOrder { id: order.id, ..other };
    street.till.submit(&street.carol, Signed::sign(&other, &street.carol.key)).await.unwrap();
    assert_eq!(street.accept(&street.till.alice, id, 200).await.unwrap().state, EscrowState::Open);
    assert_eq!(street.takings().await, 0);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_a_buyer_has_offered_whose_account_is_stopped_since_is_not_taken() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let id = street.funded(&shop).await;
    let order = street.settling(id, &shop, 300);
    street.settle(id, &order).await.unwrap();
    let wallet = street.till.world.service.wallet().clone();
    let wish =
        |frozen| ChangeAccount { user: street.carol.user().clone(), asset: street.till.euro.id, frozen };
    wallet.change_account(wish(true)).await.unwrap();
    let stopped = street.accept(&street.till.alice, id, 300).await;
    assert!(matches!(stopped, Err(WalletError::Refused(Refusal::Frozen(_)))), "{stopped:?}");
    assert_eq!(street.takings().await, 0);
    wallet.change_account(wish(false)).await.unwrap();
    assert_eq!(street.accept(&street.till.alice, id, 300).await.unwrap().state, EscrowState::Split);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_a_shop_was_called_stays_with_what_was_held_for_it() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let id = street.funded(&shop).await;
    let order = street.settling(id, &shop, 1_000);
    street.settle(id, &order).await.unwrap();
    let named = ShopDetails { title: "Post office".into(), ..details() };
    let wish = ChangeShop { details: Some(named), ..ChangeShop::default() };
    street.change(&street.till.alice.device, wish).await.unwrap();
    let (wallet, carol) = (street.till.world.service.wallet().clone(), street.carol.device.caller());
    let account = wallet.accounts(carol).await.unwrap().accounts[0].id;
    let line = wallet.history(carol, account, None).await.unwrap().lines.remove(0);
    assert_eq!((line.purpose.as_str(), line.shop.as_deref()), ("escrow_fund", Some("Ecklädchen")));
    for transfer in [id, order.transfer()] {
        let kept: Option<OrderRecord> =
            street.till.world.context().read(tables::ORDERS, transfer.0).await.unwrap();
        assert_eq!(kept.unwrap().title.as_deref(), Some("Ecklädchen"));
    }
}

#[tokio::test]
async fn of_many_who_decide_at_once_one_decides() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    for _ in 0..6 {
        let id = street.funded(&shop).await;
        let release = street.settling(id, &shop, 1_000);
        let (released, returned) =
            tokio::join!(street.settle(id, &release), street.accept(&street.till.alice, id, 0));
        assert!(released.is_ok() != returned.is_ok(), "{released:?} {returned:?}");
        decided(if released.is_ok() { returned } else { released });
    }
    assert_eq!(street.purse(&street.carol).await + street.takings().await, 10_000);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_cannot_be_held_is_refused() {
    let mut street = Street::new().await;
    let (alice, carol) = (street.till.alice.user().clone(), street.carol.user().clone());
    let nobody: UserAddress = UserAddress::new("nobody".parse().unwrap(), alice.node.clone());
    let far: UserAddress = "alice@other.example".parse().unwrap();
    let good = street.held_for(&alice);
    let terms = |seller: &UserAddress, until_ms, note: String| {
        Payee::Escrow(EscrowTerms { seller: seller.clone(), until_ms, note })
    };
    let week = START_MS + 7 * DAY_MS;
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 0, ..good.clone() }, |e| invalid(e) == "amount"),
        (PaymentOrder { amount: 10_001, ..good.clone() }, |e| {
            matches!(e, WalletError::Refused(Refusal::Floor))
        }),
        (PaymentOrder { intent: Intent::Transfer, ..good.clone() }, |e| invalid(e) == "intent"),
        (PaymentOrder { tip: Some(1), ..good.clone() }, |e| invalid(e) == "tip"),
        (PaymentOrder { payee: terms(&carol, week, String::new()), ..good.clone() }, |e| {
            invalid(e) == "seller"
        }),
        (PaymentOrder { payee: terms(&alice, START_MS, String::new()), ..good.clone() }, |e| {
            invalid(e) == "until_ms"
        }),
        (PaymentOrder { payee: terms(&alice, u64::MAX, String::new()), ..good.clone() }, |e| {
            invalid(e) == "until_ms"
        }),
        (PaymentOrder { payee: terms(&alice, week, "n".repeat(129)), ..good.clone() }, |e| {
            invalid(e) == "note"
        }),
        (PaymentOrder { payee: terms(&nobody, week, String::new()), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("payee"))
        }),
        (PaymentOrder { payee: terms(&far, week, String::new()), ..good.clone() }, |e| {
            matches!(e, WalletError::OtherNode)
        }),
        // What settles goes another way.
        (street.settling(TransferId([1; 16]), &alice, 1), |e| matches!(e, WalletError::NotFound("payee"))),
    ];
    for (n, (order, is_right)) in cases.into_iter().enumerate() {
        let n = n as u64 + 20;
        let order = PaymentOrder { id: OrderId([n as u8; 16]), counter: n, ..order };
        let error = refused(street.fund(&order).await);
        assert!(is_right(&error), "{n} {order:?}: {error:?}");
    }
    assert_eq!(street.purse(&street.carol).await, 10_000);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_does_not_settle_it_moves_nothing() {
    let mut street = Street::new().await;
    let (alice, bob) = (street.till.alice.user().clone(), street.till.bob.user().clone());
    let (id, other) = (street.funded(&alice).await, street.funded(&alice).await);
    let good = street.settling(id, &alice, 1_000);
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let to = |escrow, seller: &UserAddress| Payee::Settle(SettlePayee { escrow, seller: seller.clone() });
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 0, ..good.clone() }, |e| invalid(e) == "amount"),
        (PaymentOrder { amount: 1_001, ..good.clone() }, |e| invalid(e) == "amount"),
        (PaymentOrder { asset: AssetId([7; 16]), ..good.clone() }, |e| invalid(e) == "asset"),
        (PaymentOrder { payee: to(other, &alice), ..good.clone() }, |e| invalid(e) == "payee"),
        (PaymentOrder { payee: to(id, &bob), ..good.clone() }, |e| invalid(e) == "seller"),
        (PaymentOrder { payee: Payee::Person(alice.clone()), ..good.clone() }, |e| invalid(e) == "payee"),
        (PaymentOrder { from: Some(alice.clone()), ..good.clone() }, |e| invalid(e) == "payee"),
        (PaymentOrder { expires_ms: START_MS, ..good.clone() }, |e| matches!(e, WalletError::Expired)),
        (PaymentOrder { payer: bob.clone(), ..good.clone() }, |e| matches!(e, WalletError::ForeignOrder)),
    ];
    for (n, (order, is_right)) in cases.into_iter().enumerate() {
        let n = n as u64 + 20;
        let order = PaymentOrder { id: OrderId([n as u8; 16]), counter: n, ..order };
        let error = street.settle(id, &order).await.unwrap_err();
        assert!(is_right(&error), "{n} {order:?}: {error:?}");
    }
    let replayed = PaymentOrder { id: OrderId([99; 16]), counter: 1, ..good.clone() };
    assert!(matches!(street.settle(id, &replayed).await, Err(WalletError::Counter { .. })));
    let taken = PaymentOrder { id: OrderId([1; 16]), counter: 50, ..good.clone() };
    assert!(
        matches!(street.settle(id, &taken).await, Err(WalletError::IdConflict)),
        "it has funded the first"
    );
    let forged = EscrowAct::Settle { order: Signed::sign(&good, &street.till.alice.key) };
    let wallet = street.till.world.service.wallet().clone();
    let forged = wallet.act_on_escrow(street.carol.device.caller(), id, forged).await;
    assert!(matches!(forged, Err(WalletError::Signature("the order"))), "{forged:?}");
    let much = street.accept(&street.till.alice, id, 1_000).await.unwrap_err();
    assert_eq!(invalid(&much), "to_seller");
    // The operator has stopped payments of carol's.
    let wish = ChangeAccount { user: street.carol.user().clone(), asset: street.till.euro.id, frozen: true };
    wallet.change_account(wish).await.unwrap();
    let frozen = PaymentOrder { counter: 60, ..good };
    let frozen = street.settle(id, &frozen).await;
    assert!(matches!(frozen, Err(WalletError::Refused(Refusal::Frozen(_)))), "{frozen:?}");
    assert_eq!(street.purse(&street.till.alice).await, 10_000);
    assert_eq!(street.escrow(&street.carol, id).await.state, EscrowState::Open);
    street.till.is_sound().await;
}

#[tokio::test]
async fn an_escrow_that_says_something_else_than_the_ledger_is_found() {
    let mut street = Street::new().await;
    let alice = street.till.alice.user().clone();
    let id = street.funded(&alice).await;
    let store = &street.till.world.store;
    let row = store.get(tables::ESCROWS, &id.0).await.unwrap().unwrap();
    let record = EscrowRecord::from_record(&row.value).unwrap();
    let end = EscrowEndRecord { at_ms: START_MS, to_seller: 1_000, by: Some(id), expired: false };
    for (record, what) in [
        (EscrowRecord { total: 999, ..record.clone() }, "does not hold"),
        (EscrowRecord { end: Some(end), ..record.clone() }, "did not go where"),
    ] {
        store.commit(Batch::new().put(tables::ESCROWS, id.0, record.to_record())).await.unwrap();
        let found = super::check_ledger(store).await.unwrap().findings;
        assert!(found.iter().any(|one| one.contains(what)), "{what}: {found:?}");
    }
    store.commit(Batch::new().delete(tables::ESCROWS, id.0)).await.unwrap();
    let found = super::check_ledger(store).await.unwrap().findings;
    assert!(found.iter().any(|one| one.contains("is of no escrow")), "{found:?}");
}
