//! Alice has a corner shop, where bob is at the till; carol buys there. Olga runs the node.

use super::{
    LinkTrouble, WalletError,
    tests::{HOUR_MS, Payer, Till, euro, refused},
};
use crate::{
    Fault,
    accounts::AccountError,
    flows::FlowError,
    testing::{Device, World, next},
};
use ed25519_dalek::SigningKey;
use weft_ledger::Refusal;
use weft_wire::{
    RequestId, Signed, TransferId, UserAddress, UserName,
    emv::{self, EmvError, Scanned},
    signed::SignedError,
    sync::ServerFrame,
    wallet::{
        ChangeAccount, ChangeShop, Intent, MerchantPayee, OpenSale, OpenShop, Payee, PaymentOrder, Receipt,
        SaleInfo, SaleKind, SaleState, ShopDetails, ShopMember, ShopRole, ShopView, StaffChange,
    },
};

const MINUTE_MS: u64 = 60_000;

pub(super) struct Street {
    pub till: Till,
    pub carol: Payer,
    pub olga: Device,
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

pub(super) fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

impl Street {
    pub async fn new() -> Street {
        Street::in_world(World::new().await).await
    }

    pub async fn in_world(world: World) -> Street {
        let olga = world.sign_up("olga").await;
        let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
        let carol = Payer::new(&world, "carol", 3).await;
        let till = Till::of(world, alice, bob, euro()).await;
        till.issue(2, carol.user(), 10_000).await.unwrap();
        let shop = UserAddress::new(name("corner"), carol.user().node.clone());
        let street = Street { till, carol, olga, shop };
        street.open("corner").await.unwrap();
        street.staff(&[(street.till.bob.user(), ShopRole::Cashier)]).await.unwrap();
        street
    }

    pub async fn open(&self, shop: &str) -> Result<(), FlowError> {
        let request = OpenShop { name: name(shop), details: details() };
        self.till.world.service.flows().open_shop(self.till.alice.device.caller(), request).await
    }

    pub async fn change(&self, by: &Device, wish: ChangeShop) -> Result<(), FlowError> {
        self.till.world.service.flows().change_shop(by.caller(), &self.shop.name, wish).await
    }

    pub async fn ask(&self, staff: &[(&UserAddress, ShopRole)]) -> Result<(), FlowError> {
        let staff = staff
            .iter()
            .map(|(user, role)| ShopMember { user: (*user).clone(), role: *role, invited: false })
            .collect();
        self.change(&self.till.alice.device, ChangeShop { staff: Some(staff), ..ChangeShop::default() }).await
    }

    /// The same, and all of them agree who are here.
    pub async fn staff(&self, staff: &[(&UserAddress, ShopRole)]) -> Result<(), FlowError> {
        self.ask(staff).await?;
        for person in [&self.till.bob, &self.carol] {
            if staff.iter().any(|(user, _)| *user == person.user()) {
                self.change(&person.device, joins(true)).await?;
            }
        }
        Ok(())
    }

    /// Alice asks for one change of the staff.
    pub async fn member(&self, user: &UserAddress, role: Option<ShopRole>) -> Result<(), FlowError> {
        let member = Some(StaffChange { user: user.clone(), role });
        self.change(&self.till.alice.device, ChangeShop { member, ..ChangeShop::default() }).await
    }

    pub async fn shops(&self, of: &Device) -> Vec<ShopView> {
        self.till.world.service.wallet().shops(of.caller()).await.unwrap().shops
    }

    pub fn wish(&self, id: u8, amount: u64) -> OpenSale {
        OpenSale {
            id: RequestId([id; 16]),
            asset: self.till.euro.id,
            amount,
            bill: "17".into(),
            till: None,
            tip_allowed: false,
            lifetime_ms: 0,
        }
    }

    pub async fn sell(&self, by: &Payer, wish: OpenSale) -> Result<SaleInfo, WalletError> {
        self.till.world.service.wallet().open_sale(by.device.caller(), &self.shop.name, wish).await
    }

    /// Carol's order for a sale of the corner shop, or for its counter.
    pub fn purchase(&mut self, sale: Option<RequestId>, amount: u64) -> PaymentOrder {
        let payee = Payee::Merchant(MerchantPayee { shop: self.shop.clone(), till: None, sale });
        let to = self.shop.clone();
        let order = self.carol.order(&self.till.world, &to, self.till.euro.id, amount, Intent::Payment);
        PaymentOrder { payee, ..order }
    }

    pub async fn pays(&self, order: &PaymentOrder) -> Result<Receipt, FlowError> {
        self.till.submit(&self.carol, Signed::sign(order, &self.carol.key)).await
    }

    pub async fn sale(&self, by: &Payer, id: RequestId) -> SaleInfo {
        self.till.world.service.wallet().sale(by.device.caller(), &self.shop.name, id).await.unwrap()
    }

    /// What the shop has, as alice sees it.
    pub async fn takings(&self) -> u64 {
        let shops = self.till.world.service.wallet().shops(self.till.alice.device.caller()).await.unwrap();
        shops.shops[0].accounts.first().map_or(0, |account| account.available)
    }

    /// Bob gives back, or alice.
    pub async fn gives_back(
        &mut self,
        by_alice: bool,
        transfer: TransferId,
        amount: u64,
    ) -> Result<Receipt, FlowError> {
        let (to, euro, shop) = (self.carol.user().clone(), self.till.euro.id, self.shop.clone());
        let by = if by_alice { &mut self.till.alice } else { &mut self.till.bob };
        let order = by.order(&self.till.world, &to, euro, amount, Intent::Payment);
        let order = PaymentOrder { from: Some(shop), refunds: Some(transfer), ..order };
        let by = if by_alice { &self.till.alice } else { &self.till.bob };
        self.till.submit(by, Signed::sign(&order, &by.key)).await
    }
}

pub(super) fn joins(join: bool) -> ChangeShop {
    ChangeShop { join: Some(join), ..ChangeShop::default() }
}

pub(super) fn denied<T: std::fmt::Debug>(outcome: Result<T, FlowError>) -> WalletError {
    match outcome {
        Err(FlowError::Wallet(error)) => error,
        other => panic!("not refused by the wallet: {other:?}"),
    }
}

#[tokio::test]
async fn carol_pays_at_the_counter_and_for_one_sale_and_the_till_roll_has_both() {
    let mut street = Street::new().await;
    let wallet = street.till.world.service.wallet().clone();
    let bob = street.till.bob.device.caller().clone();
    let sign = wallet.sign(&bob, &street.shop.name, street.till.euro.id, Some("2".into())).await.unwrap();
    let Scanned::Static(qr) = emv::decode(&sign.code).unwrap() else { panic!("{sign:?}") };
    assert_eq!((&qr.account.payee, qr.account.till.as_deref()), (&street.shop, Some("2")));
    let mut order = street.purchase(None, 300);
    order.tip = Some(20);
    street.pays(&order).await.unwrap();
    street.till.world.clock.advance(1);

    let wish = OpenSale { tip_allowed: true, ..street.wish(1, 1_250) };
    let sale = street.sell(&street.till.bob, wish.clone()).await.unwrap();
    assert_eq!(street.sell(&street.till.bob, wish).await.unwrap(), sale, "a second tap");
    let key = street.till.world.key.verifying_key().to_bytes();
    let Scanned::Dynamic(qr) = emv::decode(sale.code.as_ref().unwrap()).unwrap() else { panic!("{sale:?}") };
    let now = crate::Clock::now_ms(&*street.till.world.clock);
    let (qr, request) = qr.verify(&key, now).unwrap();
    assert_eq!((qr.amount.unwrap().as_str(), request.id), ("12.50", sale.id));
    street.till.world.clock.advance(1);
    let mut order = street.purchase(Some(request.id), 1_350);
    order.tip = Some(100);
    let receipt = street.pays(&order).await.unwrap();
    assert_eq!(street.pays(&order).await.unwrap(), receipt, "the answer was lost");

    let roll = wallet.sales(&bob, &street.shop.name, None).await.unwrap();
    let seen: Vec<_> = roll
        .sales
        .iter()
        .map(|sale| (sale.kind, sale.state, sale.amount, sale.paid.as_ref().unwrap().tip))
        .collect();
    let expected =
        [(SaleKind::Dynamic, SaleState::Paid, 1_250, 100), (SaleKind::Static, SaleState::Paid, 280, 20)];
    assert_eq!((seen.as_slice(), roll.more), (expected.as_slice(), false));
    let older = wallet.sales(&bob, &street.shop.name, Some(sale.id)).await.unwrap();
    assert_eq!(older.sales, roll.sales[1..]);
    assert_eq!(street.takings().await, 1_650);

    let account = wallet.accounts(street.carol.device.caller()).await.unwrap().accounts[0].id;
    let history = wallet.history(street.carol.device.caller(), account, None).await.unwrap();
    assert_eq!(history.lines[0].other.as_ref(), Some(&street.shop));
    assert_eq!(history.lines[0].shop.as_deref(), Some("Ecklädchen"));
    let info = wallet.transfer(&bob, receipt.transfer).await.unwrap();
    assert_eq!((info.payee, info.shop.unwrap().title.as_str()), (street.shop.clone(), "Ecklädchen"));
    let stranger = wallet.transfer(street.olga.caller(), receipt.transfer).await;
    assert!(matches!(stranger, Err(WalletError::NotFound("transfer"))), "{stranger:?}");
    let seen = wallet.sale(street.olga.caller(), &street.shop.name, sale.id).await.unwrap();
    assert_eq!((seen.state, seen.paid, seen.by, seen.code), (SaleState::Paid, None, None, None));
    let mut journal = String::new();
    wallet.export_hledger(&mut journal).await.unwrap();
    assert!(journal.contains("liabilities:merchants:corner"), "{journal}");
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_sale_is_paid_once_though_two_pay_at_once() {
    let mut street = Street::new().await;
    for id in 1..=8 {
        let sale = street.sell(&street.till.bob, street.wish(id, 100)).await.unwrap().id;
        let hers = street.purchase(Some(sale), 100);
        let payee = hers.payee.clone();
        let to = street.shop.clone();
        let his = street.till.alice.order(&street.till.world, &to, street.till.euro.id, 100, Intent::Payment);
        let his = Signed::sign(&PaymentOrder { payee, ..his }, &street.till.alice.key);
        let (first, second) = tokio::join!(street.pays(&hers), street.till.submit(&street.till.alice, his));
        let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
        assert!(matches!(refused(lost), WalletError::AlreadyPaid));
        let transfer = won.unwrap().transfer;
        assert_eq!(street.sale(&street.till.bob, sale).await.paid.unwrap().transfer, transfer);
    }
    assert_eq!(street.takings().await, 800);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_is_not_for_sale_so_is_not_paid() {
    let mut street = Street::new().await;
    street.open("bakery").await.unwrap();
    let bakery = UserAddress::new(name("bakery"), street.shop.node.clone());
    let sell = |id| street.wish(id, 500);
    let fresh = street.sell(&street.till.bob, sell(1)).await.unwrap().id;
    let gone = street.sell(&street.till.bob, sell(2)).await.unwrap().id;
    let wallet = street.till.world.service.wallet().clone();
    let bob = street.till.bob.device.caller().clone();
    let cancelled = wallet.cancel_sale(&bob, &street.shop.name, gone).await.unwrap();
    assert_eq!((cancelled.state, cancelled.code), (SaleState::Cancelled, None));
    let soon = OpenSale { lifetime_ms: MINUTE_MS, ..street.wish(3, 500) };
    let over = street.sell(&street.till.bob, soon).await.unwrap().id;
    street.till.world.clock.advance(MINUTE_MS);
    assert_eq!(street.sale(&street.till.bob, over).await.state, SaleState::Expired);

    let at =
        |shop: &UserAddress, sale| Payee::Merchant(MerchantPayee { shop: shop.clone(), till: None, sale });
    let far: UserAddress = "corner@other.example".parse().unwrap();
    let good = street.purchase(Some(fresh), 500);
    let long = MerchantPayee { shop: street.shop.clone(), till: Some("t".repeat(26)), sale: None };
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let invalid = |field: &'static str| match field {
        "amount" => |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "amount", .. })),
        "tip" => |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "tip", .. })),
        "till" => |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "till", .. })),
        _ => |e: &WalletError| matches!(e, WalletError::Fault(Fault::Invalid { field: "intent", .. })),
    };
    let person = street.carol.user().clone();
    let unknown = |e: &WalletError| matches!(e, WalletError::NotFound("sale"));
    let no_shop = |e: &WalletError| matches!(e, WalletError::NotFound("shop"));
    let is_over = |e: &WalletError| matches!(e, WalletError::SaleOver);
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 499, ..good.clone() }, invalid("amount")),
        (PaymentOrder { amount: 501, ..good.clone() }, invalid("amount")),
        (PaymentOrder { amount: 550, tip: Some(50), ..good.clone() }, invalid("tip")),
        (PaymentOrder { amount: 500, tip: Some(500), ..good.clone() }, invalid("tip")),
        (PaymentOrder { tip: Some(u64::MAX), ..good.clone() }, invalid("tip")),
        (PaymentOrder { intent: Intent::Transfer, ..good.clone() }, invalid("intent")),
        (PaymentOrder { request: Some(fresh), ..good.clone() }, invalid("intent")),
        (PaymentOrder { payee: Payee::Merchant(long), ..good.clone() }, invalid("till")),
        (PaymentOrder { payee: at(&bakery, Some(fresh)), ..good.clone() }, unknown),
        (PaymentOrder { payee: at(&street.shop, Some(RequestId([9; 16]))), ..good.clone() }, unknown),
        (PaymentOrder { payee: at(&person, None), ..good.clone() }, no_shop),
        (PaymentOrder { payee: at(&street.shop, Some(gone)), ..good.clone() }, is_over),
        (PaymentOrder { payee: at(&street.shop, Some(over)), ..good.clone() }, is_over),
        (PaymentOrder { payee: at(&far, None), ..good.clone() }, |e| {
            matches!(e, WalletError::Link(LinkTrouble::NoLink))
        }),
        (PaymentOrder { payee: Payee::Person(street.shop.clone()), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("payee"))
        }),
        (
            PaymentOrder { payee: Payee::Person(bob.user().clone()), tip: Some(1), ..good.clone() },
            invalid("tip"),
        ),
    ];
    for (n, (order, is_right)) in cases.into_iter().enumerate() {
        let n = n as u64 + 20;
        let order = PaymentOrder { id: weft_wire::OrderId([n as u8; 16]), counter: n, ..order };
        let error = refused(street.pays(&order).await);
        assert!(is_right(&error), "{n} {order:?}: {error:?}");
    }
    assert_eq!(street.takings().await, 0);
    assert_eq!(street.sale(&street.till.bob, fresh).await.state, SaleState::Open);
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_code_that_somebody_has_changed_or_made_is_not_the_nodes() {
    let street = Street::new().await;
    let code = street.sell(&street.till.bob, street.wish(1, 1_250)).await.unwrap().code.unwrap();
    let read = |code: &str| match emv::decode(code).unwrap() {
        Scanned::Dynamic(qr) => qr,
        Scanned::Static(_) => panic!("{code}"),
    };
    let now = crate::Clock::now_ms(&*street.till.world.clock);
    let (node, other) = (&street.till.world.key, SigningKey::from_bytes(&[99; 32]));
    let forged = read(&code).peek().encode_signed(&other).unwrap();
    let cheap = code.replacen("540512.50", "540501.50", 1);
    assert_eq!(emv::decode(&cheap), Err(EmvError::Checksum));
    let key = node.verifying_key().to_bytes();
    let verdict = read(&forged).verify(&key, now);
    assert!(matches!(verdict, Err(EmvError::Signature(SignedError::Signature))), "{verdict:?}");
    assert_eq!(read(&code).verify(&key, now + HOUR_MS), Err(EmvError::Expired));
}

#[tokio::test]
async fn money_goes_back_by_whom_and_as_much_as_may_be() {
    let mut street = Street::new().await;
    let order = street.purchase(None, 1_000);
    let paid = street.pays(&order).await.unwrap().transfer;
    let too_much = refused(street.gives_back(false, paid, 1_001).await);
    assert!(
        matches!(too_much, WalletError::Refused(Refusal::AboveOriginal | Refusal::Floor)),
        "{too_much:?}"
    );
    let order = street.purchase(None, 1_000);
    let other = street.pays(&order).await.unwrap().transfer;
    let too_much = refused(street.gives_back(false, paid, 1_001).await);
    assert!(matches!(too_much, WalletError::Refused(Refusal::AboveOriginal)), "{too_much:?}");
    street.gives_back(false, paid, 400).await.unwrap();
    let rest = refused(street.gives_back(true, paid, 601).await);
    assert!(matches!(rest, WalletError::Refused(Refusal::AboveOriginal)), "{rest:?}");
    let sale = street.sale(&street.till.bob, RequestId(paid.0)).await;
    assert_eq!(sale.paid.unwrap().refunded, 400);

    // On another day the cashier asks a manager.
    street.till.world.clock.advance(24 * HOUR_MS);
    assert!(matches!(refused(street.gives_back(false, other, 1).await), WalletError::NotStaff));
    street.gives_back(true, other, 1_000).await.unwrap();
    assert_eq!(street.takings().await, 600);

    // What did not come to the shop, it does not give back.
    let issued = refused(street.gives_back(true, TransferId([2; 16]), 1).await);
    assert!(matches!(issued, WalletError::NotFound("transfer")), "{issued:?}");
    let nowhere = refused(street.gives_back(true, TransferId([77; 16]), 1).await);
    assert!(matches!(nowhere, WalletError::NotFound("transfer")), "{nowhere:?}");
    street.staff(&[]).await.unwrap();
    assert!(matches!(refused(street.gives_back(false, paid, 1).await), WalletError::NotStaff));
    let sold = street.sell(&street.till.bob, street.wish(5, 1)).await;
    assert!(matches!(sold, Err(WalletError::NotStaff)), "{sold:?}");
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_shop_pays_out_to_its_owner_by_who_leads_it() {
    let mut street = Street::new().await;
    let order = street.purchase(None, 1_000);
    street.pays(&order).await.unwrap();
    let (alice, bob, euro) =
        (street.till.alice.user().clone(), street.till.bob.user().clone(), street.till.euro.id);
    let from = Some(street.shop.clone());
    let out = street.till.bob.order(&street.till.world, &alice, euro, 300, Intent::Payment);
    let out = PaymentOrder { from: from.clone(), ..out };
    let by_bob = |order: &PaymentOrder| Signed::sign(order, &street.till.bob.key);
    let no = refused(street.till.submit(&street.till.bob, by_bob(&out)).await);
    assert!(matches!(no, WalletError::NotStaff), "a cashier: {no:?}");
    street.staff(&[(&bob, ShopRole::Manager)]).await.unwrap();
    let own = PaymentOrder { payee: Payee::Person(bob.clone()), ..out.clone() };
    let no = refused(street.till.submit(&street.till.bob, by_bob(&own)).await);
    assert!(matches!(no, WalletError::Fault(Fault::Invalid { field: "payee", .. })), "{no:?}");
    let held = PaymentOrder { intent: Intent::Transfer, ..out.clone() };
    let no = refused(street.till.submit(&street.till.bob, by_bob(&held)).await);
    assert!(matches!(no, WalletError::Fault(Fault::Invalid { field: "intent", .. })), "{no:?}");
    street.till.submit(&street.till.bob, by_bob(&out)).await.unwrap();

    // The node's owner stops what goes out of it; what comes in still comes.
    let stop = ChangeAccount { user: street.shop.clone(), asset: euro, frozen: true };
    street.till.world.service.wallet().change_account(stop).await.unwrap();
    let out = street.till.alice.order(&street.till.world, &alice, euro, 1, Intent::Payment);
    let out = Signed::sign(&PaymentOrder { from, ..out }, &street.till.alice.key);
    let no = refused(street.till.submit(&street.till.alice, out).await);
    assert!(matches!(no, WalletError::Refused(Refusal::Frozen(_))), "{no:?}");
    let order = street.purchase(None, 5);
    street.pays(&order).await.unwrap();
    assert_eq!((street.takings().await, street.till.balances().await), (705, (10_300, 0)));
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_payment_at_the_counter_writes_over_no_sale() {
    let mut street = Street::new().await;
    let order = street.purchase(None, 700);
    let id = RequestId(order.transfer().0);
    let wish = OpenSale { id, ..street.wish(1, 10_000) };
    street.sell(&street.till.bob, wish).await.unwrap();
    let paid = denied(street.pays(&order).await);
    assert!(matches!(paid, WalletError::IdConflict), "{paid:?}");
    let sale = street.sale(&street.till.bob, id).await;
    assert_eq!((sale.state, sale.amount), (SaleState::Open, 10_000));
    assert_eq!(street.takings().await, 0);
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_name_is_a_persons_or_a_shops() {
    let street = Street::new().await;
    for taken in ["bob", "alice"] {
        assert!(matches!(denied(street.open(taken).await), WalletError::NameTaken), "{taken}");
    }
    street.open("corner").await.expect("asked again");
    let by_carol = OpenShop { name: name("corner"), details: details() };
    let flows = street.till.world.service.flows().clone();
    let theirs = denied(flows.open_shop(street.carol.device.caller(), by_carol).await);
    assert!(matches!(theirs, WalletError::NameTaken), "{theirs:?}");
    let mut person = Device::new("corner", 77);
    let signed_up = person.sign_up(&street.till.world.service, None).await;
    assert!(matches!(signed_up, Err(FlowError::Account(AccountError::NameTaken))), "{signed_up:?}");
    // At the same moment: one of the two.
    for n in 0..6_u8 {
        let wish = format!("both{n}");
        let mut person = Device::new(&wish, 100 + n);
        let (signed_up, opened) =
            tokio::join!(person.sign_up(&street.till.world.service, None), street.open(&wish));
        assert!(signed_up.is_ok() != opened.is_ok(), "{wish}: {signed_up:?} {opened:?}");
    }
}

#[tokio::test]
async fn shops_are_kept_within_bounds_and_the_nodes_owner_can_close_one() {
    let mut street = Street::new().await;
    for n in 1..8 {
        street.open(&format!("shop{n}")).await.unwrap();
    }
    let many = denied(street.open("shop9").await);
    assert!(matches!(many, WalletError::Fault(Fault::TooMany { max: 8, .. })), "{many:?}");
    let good = details();
    for (field, bad) in [
        ("title", ShopDetails { title: " ".into(), ..good.clone() }),
        ("title", ShopDetails { title: "店".repeat(65), ..good.clone() }),
        ("merchant_name", ShopDetails { merchant_name: "Läden".into(), ..good.clone() }),
        ("merchant_name", ShopDetails { merchant_name: "n".repeat(26), ..good.clone() }),
        ("city", ShopDetails { city: String::new(), ..good.clone() }),
        ("country", ShopDetails { country: "de".into(), ..good.clone() }),
        ("mcc", ShopDetails { mcc: 10_000, ..good.clone() }),
    ] {
        let wish = ChangeShop { details: Some(bad), ..ChangeShop::default() };
        let error = denied(street.change(&street.till.alice.device, wish).await);
        assert!(
            matches!(&error, WalletError::Fault(Fault::Invalid { field: f, .. }) if *f == field),
            "{error:?}"
        );
    }
    let (alice, bob) = (street.till.alice.user().clone(), street.till.bob.user().clone());
    for staff in [
        [(&bob, ShopRole::Cashier), (&bob, ShopRole::Manager)],
        [(&bob, ShopRole::Cashier), (&alice, ShopRole::Manager)],
        [(&bob, ShopRole::Owner), (street.carol.user(), ShopRole::Cashier)],
    ] {
        let error = denied(street.staff(&staff).await);
        assert!(matches!(error, WalletError::Fault(Fault::Invalid { field: "staff", .. })), "{error:?}");
    }
    let nobody: UserAddress = "nobody@home.example".parse().unwrap();
    assert!(matches!(
        denied(street.staff(&[(&nobody, ShopRole::Cashier)]).await),
        WalletError::NotFound("user")
    ));
    let titled = ChangeShop { details: Some(good), ..ChangeShop::default() };
    for by in [&street.till.bob.device, &street.carol.device, &street.olga] {
        assert!(matches!(denied(street.change(by, titled.clone()).await), WalletError::NotStaff));
    }

    let open = |open| ChangeShop { open: Some(open), ..ChangeShop::default() };
    street.change(&street.olga, open(false)).await.unwrap();
    street.change(&street.till.alice.device, open(true)).await.unwrap();
    let order = street.purchase(None, 5);
    assert!(
        matches!(refused(street.pays(&order).await), WalletError::ShopClosed),
        "alice cannot open it again"
    );
    let sold = street.sell(&street.till.bob, street.wish(5, 1)).await;
    assert!(matches!(sold, Err(WalletError::ShopClosed)), "{sold:?}");
    street.change(&street.olga, open(true)).await.unwrap();
    street.pays(&order).await.unwrap();
}

#[tokio::test]
async fn the_till_hears_that_it_was_paid() {
    let mut street = Street::new().await;
    let order = street.purchase(None, 1);
    street.pays(&order).await.unwrap();
    let mut bob = street.till.bob.device.socket(&street.till.world.service, 0).await;
    let order = street.purchase(None, 5);
    let (frame, paid) = tokio::join!(
        async {
            loop {
                if matches!(next(&mut bob).await, ServerFrame::Wallet {}) {
                    return true;
                }
            }
        },
        street.pays(&order)
    );
    assert!(frame && paid.is_ok());
}
