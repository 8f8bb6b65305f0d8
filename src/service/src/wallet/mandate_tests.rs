//! Carol lets alice, or her corner shop, collect money of hers again and again. Bob is at the shop's till.

use super::{
    WalletError,
    mandate_records::{CollectionRecord, MandateRecord},
    shop_tests::Street,
    tests::{HOUR_MS, Payer},
};
use crate::{Fault, Worker, flows::FlowError, testing::START_MS};
use weft_ledger::{Refusal, Side};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    AssetId, OrderId, Signed, TransferId, UserAddress, time,
    wallet::{
        ChangeAccount, ChangeShop, GiveMandate, Intent, MandateAct, MandateInfo, MandatePeriod, MandateState,
        MandateTerms, Payee, PaymentOrder,
    },
};

const DAY_MS: u64 = 24 * HOUR_MS;
const TODAY: u32 = (START_MS / DAY_MS) as u32;

fn monthly(creditor: &UserAddress) -> MandateTerms {
    MandateTerms {
        creditor: creditor.clone(),
        standing: true,
        period: MandatePeriod::Month,
        first_day: TODAY,
        last_day: None,
        count: None,
        zone: 0,
        purpose: "the rent".into(),
    }
}

impl Street {
    fn mandate_of(&mut self, terms: &MandateTerms, amount: u64) -> PaymentOrder {
        let (to, euro) = (&terms.creditor, self.till.euro.id);
        let order = self.carol.order(&self.till.world, to, euro, amount, Intent::Payment);
        PaymentOrder { payee: Payee::Mandate(terms.clone()), ..order }
    }

    async fn give(&self, order: &PaymentOrder) -> Result<MandateInfo, FlowError> {
        let order = Signed::sign(order, &self.carol.key);
        self.till.world.service.flows().give_mandate(self.carol.device.caller(), GiveMandate { order }).await
    }

    async fn given(&mut self, terms: &MandateTerms, amount: u64) -> MandateInfo {
        let order = self.mandate_of(terms, amount);
        self.give(&order).await.unwrap()
    }

    async fn act(&self, by: &Payer, id: TransferId, act: MandateAct) -> Result<MandateInfo, WalletError> {
        match self.till.world.service.flows().act_on_mandate(by.device.caller(), id, act).await {
            Ok(info) => Ok(info),
            Err(FlowError::Wallet(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    }

    async fn seen(&self, by: &Payer, id: TransferId) -> MandateInfo {
        self.till.world.service.wallet().mandate(by.device.caller(), id).await.unwrap()
    }

    async fn has(&self, of: &Payer) -> u64 {
        let accounts = self.till.world.service.wallet().accounts(of.device.caller()).await.unwrap().accounts;
        accounts.first().map_or(0, |account| account.available)
    }

    async fn carol_and_alice(&self) -> (u64, u64) {
        (self.has(&self.carol).await, self.has(&self.till.alice).await)
    }

    async fn round(&self) -> u64 {
        Worker::Payments.run_once(&self.till.world.service).await.unwrap()
    }

    /// To the first moment of a period.
    fn wait_for(&self, terms: &MandateTerms, period: u32) {
        let now = crate::Clock::now_ms(&*self.till.world.clock);
        self.till.world.clock.advance(terms.due_ms(period) - now);
    }

    async fn freeze(&self, who: &UserAddress, frozen: bool) {
        let wish = ChangeAccount { user: who.clone(), asset: self.till.euro.id, frozen };
        self.till.world.service.wallet().change_account(wish).await.unwrap();
    }
}

fn invalid(error: &WalletError) -> &'static str {
    match error {
        WalletError::Fault(Fault::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

fn collect(period: u32, amount: u64) -> MandateAct {
    MandateAct::Collect { period, amount }
}

#[tokio::test]
async fn the_rent_is_collected_each_month_until_carol_ends_it() {
    let mut street = Street::new().await;
    let terms = monthly(street.till.alice.user());
    let order = street.mandate_of(&terms, 1_000);
    let given = street.give(&order).await.unwrap();
    let id = given.id;
    assert_eq!((given.state, given.due, given.next), (MandateState::Live, false, Some(1)));
    assert_eq!(given.collections[0].transfer, Some(TransferId::of_collection(id, 0)), "due today");
    // The answer was lost, and the form is signed once more.
    let again = PaymentOrder { counter: order.counter + 5, ..order.clone() };
    assert_eq!(street.give(&again).await.unwrap(), given);
    assert_eq!((street.round().await, street.carol_and_alice().await), (0, (9_000, 11_000)));
    for period in 1..4 {
        street.wait_for(&terms, period);
        assert_eq!((street.round().await, street.round().await), (1, 0));
    }
    assert_eq!(street.carol_and_alice().await, (6_000, 14_000));
    let seen = street.seen(&street.till.alice, id).await;
    assert_eq!(seen, street.seen(&street.carol, id).await);
    assert_eq!(seen.collections.iter().map(|one| one.period).collect::<Vec<_>>(), [3, 2, 1, 0]);
    assert_eq!(u64::from(seen.next_day.unwrap()), terms.due_day(4));
    street.till.is_sound().await;

    for _ in 0..2 {
        let ended = street.act(&street.carol, id, MandateAct::End).await.unwrap();
        assert_eq!((ended.state, ended.next, ended.due), (MandateState::Ended, None, false));
    }
    street.wait_for(&terms, 4);
    assert_eq!(street.round().await, 0);
    let late = street.act(&street.till.alice, id, collect(4, 1_000)).await;
    assert!(matches!(late, Err(WalletError::MandateOver)), "{late:?}");
    assert_eq!(street.carol_and_alice().await, (6_000, 14_000));
    let account = street.till.world.service.wallet().accounts(street.carol.device.caller()).await.unwrap();
    let account = account.accounts[0].id;
    let history = street.till.world.service.wallet().history(street.carol.device.caller(), account, None);
    let line = &history.await.unwrap().lines[0];
    assert_eq!((line.purpose.as_str(), line.other.as_ref()), ("collection", Some(street.till.alice.user())));
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_failed_is_shown_to_both_and_tried_again_within_its_period() {
    let mut street = Street::new().await;
    let terms = monthly(street.till.alice.user());
    let id = street.given(&terms, 12_000).await.id;
    for by in [&street.carol, &street.till.alice] {
        let seen = street.seen(by, id).await;
        assert_eq!((seen.state, seen.due, seen.next), (MandateState::Live, true, Some(0)));
        assert_eq!(seen.collections[0].refused.as_deref(), Some("insufficient_funds"));
    }
    let poor = street.act(&street.till.alice, id, collect(0, 12_000)).await;
    assert!(matches!(poor, Err(WalletError::Refused(Refusal::Floor))), "{poor:?}");
    street.till.issue(3, street.carol.user(), 20_000).await.unwrap();
    assert_eq!(street.round().await, 0, "it is tried once a day");
    street.till.world.clock.advance(DAY_MS);
    assert_eq!((street.round().await, street.round().await), (1, 0));
    assert_eq!(street.carol_and_alice().await, (18_000, 22_000));
    // The next one fails as her account is frozen; it is thawed, and carol need not wait for the next day.
    street.freeze(&street.carol.user().clone(), true).await;
    street.wait_for(&terms, 1);
    assert_eq!(street.round().await, 0);
    let seen = street.seen(&street.carol, id).await;
    assert_eq!(seen.collections[0].refused.as_deref(), Some("account_frozen"));
    street.freeze(&street.carol.user().clone(), false).await;
    let done = street.act(&street.carol, id, collect(1, 12_000)).await.unwrap();
    assert_eq!((done.due, done.next), (false, Some(2)));
    assert_eq!(street.act(&street.till.alice, id, collect(1, 12_000)).await.unwrap(), done, "a double tap");
    assert_eq!((street.round().await, street.carol_and_alice().await), (0, (6_000, 34_000)));
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_frozen_creditor_collects_nothing_until_they_are_thawed() {
    let mut street = Street::new().await;
    let (alice, shop) = (street.till.alice.user().clone(), street.shop.clone());
    let terms = monthly(&alice);
    let (hers, sold) = (street.given(&terms, 1_000).await.id, street.given(&monthly(&shop), 100).await.id);
    assert_eq!((street.carol_and_alice().await, street.takings().await), ((8_900, 11_000), 100));
    for who in [&alice, &shop] {
        street.freeze(who, true).await;
    }
    street.wait_for(&terms, 1);
    assert_eq!(street.round().await, 0);
    for id in [hers, sold] {
        let seen = street.seen(&street.carol, id).await;
        assert_eq!((seen.due, seen.collections[0].refused.as_deref()), (true, Some("account_frozen")));
        assert_eq!(seen.collections[0].transfer, None, "the ledger was not asked");
    }
    let asked = street.act(&street.till.alice, hers, collect(1, 1_000)).await;
    assert!(matches!(asked, Err(WalletError::Refused(Refusal::Frozen(Side::Credit)))), "{asked:?}");
    assert_eq!((street.carol_and_alice().await, street.takings().await), ((8_900, 11_000), 100));
    street.till.is_sound().await;
    // That it was refused once is not the end of it.
    for who in [&alice, &shop] {
        street.freeze(who, false).await;
    }
    street.till.world.clock.advance(DAY_MS);
    assert_eq!((street.round().await, street.round().await), (2, 0));
    assert_eq!((street.carol_and_alice().await, street.takings().await), ((7_800, 12_000), 200));
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_clock_that_jumps_brings_one_collection_and_no_arrears() {
    let mut street = Street::new().await;
    let terms = MandateTerms { period: MandatePeriod::Week, ..monthly(street.till.alice.user()) };
    let id = street.given(&terms, 100).await.id;
    street.till.world.clock.advance(400 * DAY_MS);
    assert_eq!((street.round().await, street.round().await), (1, 0));
    assert_eq!(street.carol_and_alice().await, (9_800, 10_200));
    let seen = street.seen(&street.carol, id).await;
    assert_eq!((seen.collections.len(), seen.collections[0].period), (24, 57));
    assert!(
        seen.collections[1..].iter().all(|one| one.transfer.is_none() && one.at_ms.is_none()),
        "{seen:?}"
    );
    let missed = street.act(&street.till.alice, id, collect(56, 100)).await;
    assert!(matches!(missed, Err(WalletError::NotDue)), "{missed:?}");
    street.till.is_sound().await;
}

#[tokio::test]
async fn it_is_over_after_its_last_day_or_its_last_time() {
    let mut street = Street::new().await;
    let alice = street.till.alice.user().clone();
    let twice = MandateTerms { count: Some(2), ..monthly(&alice) };
    let until = MandateTerms { last_day: Some(TODAY + 40), standing: false, ..monthly(&alice) };
    let (twice, until) = (street.given(&twice, 100).await.id, street.given(&until, 50).await.id);
    for month in 1..4 {
        street.wait_for(&monthly(&alice), month);
        assert_eq!(street.round().await, u64::from(month == 1));
    }
    for id in [twice, until] {
        assert_eq!(street.seen(&street.carol, id).await.state, MandateState::Over);
        let late = street.act(&street.till.alice, id, collect(3, 50)).await;
        assert!(matches!(late, Err(WalletError::MandateOver)), "{late:?}");
    }
    assert_eq!(street.carol_and_alice().await, (9_800, 10_200));
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_creditor_asks_for_what_was_used_and_never_for_more() {
    let mut street = Street::new().await;
    let shop = street.shop.clone();
    let terms = MandateTerms { standing: false, first_day: TODAY + 2, ..monthly(&shop) };
    let given = street.given(&terms, 500).await;
    let id = given.id;
    assert_eq!((given.shop.unwrap().title.as_str(), given.due, given.next), ("Ecklädchen", false, Some(0)));
    let early = street.act(&street.till.alice, id, collect(0, 100)).await;
    assert!(matches!(early, Err(WalletError::NotDue)), "{early:?}");
    street.wait_for(&terms, 0);
    assert_eq!(street.round().await, 0, "the node does not ask for the shop");
    for (by, is_right) in [(&street.till.bob, "a cashier"), (&street.carol, "the debtor")] {
        let denied = street.act(by, id, collect(0, 100)).await;
        assert!(
            matches!(denied, Err(WalletError::NotStaff | WalletError::Forbidden)),
            "{is_right}: {denied:?}"
        );
    }
    for amount in [0, 501, u64::MAX] {
        let error = street.act(&street.till.alice, id, collect(0, amount)).await.unwrap_err();
        assert_eq!(invalid(&error), "amount");
    }
    let done = street.act(&street.till.alice, id, collect(0, 320)).await.unwrap();
    assert_eq!(street.act(&street.till.alice, id, collect(0, 320)).await.unwrap(), done, "a double tap");
    let twice = street.act(&street.till.alice, id, collect(0, 100)).await;
    assert!(matches!(twice, Err(WalletError::AlreadyPaid)), "{twice:?}");
    let ahead = street.act(&street.till.alice, id, collect(1, 100)).await;
    assert!(matches!(ahead, Err(WalletError::NotDue)), "{ahead:?}");
    assert_eq!((street.has(&street.carol).await, street.takings().await), (9_680, 320));
    // The shop's owner gives it up; bob could not.
    assert!(matches!(street.act(&street.till.bob, id, MandateAct::End).await, Err(WalletError::NotStaff)));
    let over = street.act(&street.till.alice, id, MandateAct::End).await.unwrap();
    assert_eq!(over.state, MandateState::GivenUp);
    street.till.is_sound().await;
}

#[tokio::test]
async fn it_stands_on_the_signature_that_it_was_given_with() {
    let mut street = Street::new().await;
    let terms = monthly(street.till.alice.user());
    let id = street.given(&terms, 1_000).await.id;
    let wallet = street.till.world.service.wallet().clone();
    wallet.forget_key(&street.carol.user().name, street.carol.device.id()).await.unwrap();
    street.wait_for(&terms, 1);
    assert_eq!((street.round().await, street.carol_and_alice().await), (1, (8_000, 12_000)));
    assert_eq!(street.act(&street.carol, id, MandateAct::End).await.unwrap().state, MandateState::Ended);
    street.till.is_sound().await;
}

#[tokio::test]
async fn a_shop_that_was_closed_by_the_owner_of_the_node_collects_nothing() {
    let mut street = Street::new().await;
    let terms = monthly(&street.shop);
    let id = street.given(&terms, 1_000).await.id;
    let closed = ChangeShop { open: Some(false), ..ChangeShop::default() };
    street.change(&street.till.alice.device, closed).await.unwrap();
    street.wait_for(&terms, 1);
    assert_eq!(street.round().await, 1, "what was agreed is due all the same");
    let closed = ChangeShop { open: Some(false), ..ChangeShop::default() };
    street.change(&street.olga, closed).await.unwrap();
    street.wait_for(&terms, 2);
    assert_eq!(street.round().await, 0);
    let seen = street.seen(&street.carol, id).await;
    assert_eq!(seen.collections[0].refused.as_deref(), Some("shop_closed"));
    assert_eq!(street.takings().await, 2_000);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_cannot_be_given_is_refused() {
    let mut street = Street::new().await;
    let (alice, carol) = (street.till.alice.user().clone(), street.carol.user().clone());
    let nobody = UserAddress::new("nobody".parse().unwrap(), alice.node.clone());
    let far: UserAddress = "alice@other.example".parse().unwrap();
    let terms = monthly(&alice);
    let good = street.mandate_of(&terms, 1_000);
    let with = |change: &dyn Fn(&mut MandateTerms)| {
        let mut terms = terms.clone();
        change(&mut terms);
        PaymentOrder { payee: Payee::Mandate(terms), ..good.clone() }
    };
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 0, ..good.clone() }, |e| invalid(e) == "amount"),
        (PaymentOrder { intent: Intent::Transfer, ..good.clone() }, |e| invalid(e) == "payee"),
        (PaymentOrder { from: Some(street.shop.clone()), ..good.clone() }, |e| invalid(e) == "payee"),
        (PaymentOrder { payee: Payee::Person(alice.clone()), ..good.clone() }, |e| invalid(e) == "payee"),
        (PaymentOrder { asset: AssetId([7; 16]), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("asset"))
        }),
        (PaymentOrder { expires_ms: START_MS, ..good.clone() }, |e| matches!(e, WalletError::Expired)),
        (PaymentOrder { payer: alice.clone(), ..good.clone() }, |e| matches!(e, WalletError::ForeignOrder)),
        (with(&|t| t.creditor = carol.clone()), |e| invalid(e) == "creditor"),
        (with(&|t| t.creditor = nobody.clone()), |e| matches!(e, WalletError::NotFound("payee"))),
        (with(&|t| t.creditor = far.clone()), |e| matches!(e, WalletError::OtherNode)),
        (with(&|t| t.first_day = TODAY - 1), |e| invalid(e) == "first_day"),
        (with(&|t| t.first_day = TODAY + 400), |e| invalid(e) == "first_day"),
        (with(&|t| t.first_day = u32::MAX), |e| invalid(e) == "first_day"),
        (with(&|t| t.last_day = Some(TODAY - 1)), |e| invalid(e) == "last_day"),
        (with(&|t| t.last_day = Some(u32::MAX)), |e| invalid(e) == "last_day"),
        (with(&|t| t.count = Some(0)), |e| invalid(e) == "count"),
        (with(&|t| t.count = Some(u32::MAX)), |e| invalid(e) == "count"),
        (with(&|t| t.zone = i16::MIN), |e| invalid(e) == "zone"),
        (with(&|t| t.purpose = "n".repeat(129)), |e| invalid(e) == "purpose"),
    ];
    for (n, (order, is_right)) in cases.into_iter().enumerate() {
        let n = n as u64 + 20;
        let order = PaymentOrder { id: OrderId([n as u8; 16]), counter: n, ..order };
        let Err(FlowError::Wallet(error)) = street.give(&order).await else { panic!("{n} {order:?}") };
        assert!(is_right(&error), "{n} {order:?}: {error:?}");
    }
    // It is no payment, and no payment is one.
    let paid = street.till.submit(&street.carol, Signed::sign(&good, &street.carol.key)).await;
    assert!(matches!(paid, Err(FlowError::Wallet(WalletError::NotFound("payee")))), "{paid:?}");
    let forged = GiveMandate { order: Signed::sign(&good, &street.till.alice.key) };
    let forged = street.till.world.service.flows().give_mandate(street.carol.device.caller(), forged).await;
    assert!(matches!(forged, Err(FlowError::Wallet(WalletError::Signature(_)))), "{forged:?}");
    let given = street.give(&good).await.unwrap();
    let other = PaymentOrder { amount: 2, counter: 99, ..good.clone() };
    let other = street.give(&other).await;
    assert!(matches!(other, Err(FlowError::Wallet(WalletError::IdConflict))), "{other:?}");
    let replayed = PaymentOrder { id: OrderId([99; 16]), ..good };
    let replayed = street.give(&replayed).await;
    assert!(matches!(replayed, Err(FlowError::Wallet(WalletError::Counter { .. }))), "{replayed:?}");
    let wallet = street.till.world.service.wallet().clone();
    assert!(matches!(
        wallet.mandate(street.till.bob.device.caller(), given.id).await,
        Err(WalletError::NotFound("mandate"))
    ));
    let foreign = street.act(&street.till.bob, given.id, MandateAct::End).await;
    assert!(matches!(foreign, Err(WalletError::NotFound("mandate"))), "{foreign:?}");
    assert_eq!(street.carol_and_alice().await, (9_000, 11_000));
    street.till.is_sound().await;
}

#[tokio::test]
async fn of_many_that_are_due_at_once_each_is_collected_once() {
    let mut street = Street::new().await;
    let terms = MandateTerms { first_day: TODAY + 1, ..monthly(street.till.alice.user()) };
    for _ in 0..100 {
        street.till.world.clock.advance(60_000);
        street.given(&terms, 10).await;
    }
    let more = street.mandate_of(&terms, 10);
    let more = street.give(&more).await;
    assert!(matches!(more, Err(FlowError::Wallet(WalletError::Fault(Fault::TooMany { .. })))), "{more:?}");
    street.wait_for(&terms, 0);
    let (one, other) = tokio::join!(street.round(), street.round());
    assert_eq!((one + other, street.round().await), (100, 0));
    assert_eq!(street.carol_and_alice().await, (9_000, 11_000));
    let list = street.till.world.service.wallet().mandates(street.carol.device.caller(), None, None);
    let list = list.await.unwrap();
    let next = street.till.world.service.wallet().mandates(
        street.carol.device.caller(),
        None,
        Some(list.mandates.last().unwrap().id),
    );
    assert_eq!(list.mandates.len() + next.await.unwrap().mandates.len(), 100);
    street.till.is_sound().await;
}

#[tokio::test]
async fn what_no_mandate_allowed_is_found() {
    let mut street = Street::new().await;
    let terms = monthly(street.till.alice.user());
    let id = street.given(&terms, 1_000).await.id;
    let store = street.till.world.store.clone();
    let row = store.get(tables::MANDATES, &id.0).await.unwrap().unwrap();
    let record = MandateRecord::from_record(&row.value).unwrap();
    let first = [id.0.as_slice(), &0_u32.to_be_bytes()].concat();
    let kept = store.get(tables::COLLECTIONS, &first).await.unwrap().unwrap();
    let kept = CollectionRecord::from_record(&kept.value).unwrap();
    let later = MandateTerms { first_day: TODAY + 40, ..record.terms.clone() };
    for (changed, what) in [
        (MandateRecord { amount: 999, ..record.clone() }, "is not what its debtor has signed"),
        (MandateRecord { terms: later, ..record.clone() }, "is not within it"),
        (MandateRecord { since: u64::MAX, ..record.clone() }, "is not within it"),
    ] {
        store.commit(Batch::new().put(tables::MANDATES, id.0, changed.to_record())).await.unwrap();
        let found = super::check_ledger(&store).await.unwrap().findings;
        assert!(found.iter().any(|one| one.contains(what)), "{what}: {found:?}");
    }
    store.commit(Batch::new().put(tables::MANDATES, id.0, record.to_record())).await.unwrap();
    street.till.is_sound().await;
    let refused = Some("insufficient_funds".to_owned());
    let hidden = CollectionRecord { refused, ..kept };
    store.commit(Batch::new().put(tables::COLLECTIONS, &first, hidden.to_record())).await.unwrap();
    let found = super::check_ledger(&store).await.unwrap().findings;
    assert!(found.iter().any(|one| one.contains("is not within it")), "{found:?}");
    store.commit(Batch::new().delete(tables::COLLECTIONS, &first)).await.unwrap();
    let found = super::check_ledger(&store).await.unwrap().findings;
    assert!(found.iter().any(|one| one.contains("1 transfers by mandates, and 0 collections")), "{found:?}");
    assert_eq!(time::date(terms.due_ms(0)), time::date(START_MS));
}
