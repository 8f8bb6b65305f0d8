//! Alice and bob have accounts at one node; the node issues euros.

use super::{LinkTrouble, WalletError, check_ledger};
use crate::{
    Fault,
    context::joined,
    flows::FlowError,
    testing::{Device, START_MS, World},
};
use ed25519_dalek::SigningKey;
use weft_ledger::Refusal;
use weft_store::tables;
use weft_wire::{
    AccountId, AssetId, OrderId, Signed, TransferId, UserAddress,
    wallet::{
        AccountView, Answer, Approval, AssetAmount, AssetInfo, ChangeApprover, DecideProposal, DefineAsset,
        Intent, OrderKeyCert, Payee, PaymentOrder, PutOrderKey, Receipt, SubmitOrder, TransferState,
    },
};

impl super::Wallet {
    /// Moves money as no member and no other node may: a bug, or a hand at the disk.
    pub(crate) async fn by_hand(&self, transfer: weft_ledger::Transfer) {
        self.teller.run(move |sheet| sheet.post(&[transfer]).map(drop)).await.unwrap();
    }
}

pub(super) const HOUR_MS: u64 = 3_600_000;

/// A node that issues euros, and two people who may pay.
pub(super) struct Till {
    pub world: World,
    pub euro: AssetInfo,
    pub alice: Payer,
    pub bob: Payer,
}

/// A device with its order key.
pub(crate) struct Payer {
    pub device: Device,
    pub key: SigningKey,
    pub counter: u64,
}

impl Payer {
    pub async fn new(world: &World, name: &str, seed: u8) -> Payer {
        Payer::of(world, world.sign_up(name).await, seed).await
    }

    pub async fn of(world: &World, device: Device, seed: u8) -> Payer {
        let payer = Payer { device, key: SigningKey::from_bytes(&[seed; 32]), counter: 0 };
        let cert = payer.cert(START_MS);
        let request = PutOrderKey { cert: Signed::sign(&cert, &payer.device.key) };
        world.service.wallet().put_order_key(payer.device.caller(), request).await.unwrap();
        payer
    }

    fn cert(&self, created_ms: u64) -> OrderKeyCert {
        let order_key = self.key.verifying_key().to_bytes();
        OrderKeyCert { user: self.user().clone(), device: self.device.id(), order_key, created_ms }
    }

    pub fn user(&self) -> &UserAddress {
        &self.device.user
    }

    /// Approves the first proposal that waits.
    pub async fn approve(&self, world: &World) {
        let caller = self.device.caller();
        let proposal = world.service.wallet().guard(caller).await.unwrap().waiting.remove(0);
        let (id, by, device) = (proposal.id, self.user().clone(), self.device.id());
        let (what, proposed_ms) = (proposal.what, proposal.at_ms);
        let approval = Approval { proposal: id, what, proposed_ms, by, device, approve: true };
        let wish = DecideProposal { approval: Signed::sign(&approval, &self.key) };
        world.service.flows().decide_proposal(caller, id, wish).await.unwrap();
    }

    /// Is the first who approves what the owner issues above so much a day.
    pub async fn guard(&self, world: &World, asset: AssetId, threshold: u64) {
        let wish = ChangeApprover { user: self.user().clone(), appoint: true };
        let waits = world.service.flows().change_approver(wish).await;
        assert!(matches!(waits, Err(FlowError::Wallet(WalletError::NeedsApproval))), "{waits:?}");
        self.approve(world).await;
        world.service.wallet().set_threshold(AssetAmount { asset, amount: threshold }).await.unwrap();
    }

    /// The next order of this device.
    pub fn order(
        &mut self,
        world: &World,
        to: &UserAddress,
        asset: AssetId,
        amount: u64,
        intent: Intent,
    ) -> PaymentOrder {
        self.counter += 1;
        let mut id = [self.counter as u8; 16];
        id[0] ^= (self.counter >> 8) as u8;
        PaymentOrder {
            id: OrderId(id),
            payer: self.user().clone(),
            device: self.device.id(),
            payee: Payee::Person(to.clone()),
            asset,
            amount,
            max_fee: 0,
            intent,
            expires_ms: crate::Clock::now_ms(&*world.clock) + HOUR_MS,
            counter: self.counter,
            request: None,
            refunds: None,
            from: None,
            tip: None,
            exchange: None,
        }
    }
}

impl Till {
    pub async fn open() -> Till {
        Till::with(DefineAsset { payment_max: 0, day_max: 0, issue_max: 0, ..euro() }).await
    }

    /// Alice has 100 euros, bob nothing.
    async fn with(wish: DefineAsset) -> Till {
        let world = World::new().await;
        let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
        Till::of(world, alice, bob, wish).await
    }

    /// The same, of people who are there.
    pub async fn of(world: World, alice: Device, bob: Device, wish: DefineAsset) -> Till {
        let (alice, bob) = (Payer::of(&world, alice, 1).await, Payer::of(&world, bob, 2).await);
        let euro = world.service.wallet().define(wish).await.unwrap();
        let till = Till { world, euro, alice, bob };
        till.issue(1, till.alice.user(), 10_000).await.unwrap();
        till
    }

    pub async fn issue(&self, id: u8, to: &UserAddress, amount: u64) -> Result<(), FlowError> {
        self.world.service.flows().issue(TransferId([id; 16]), self.euro.id, to, amount, false).await
    }

    pub async fn submit(&self, by: &Payer, order: Signed<PaymentOrder>) -> Result<Receipt, FlowError> {
        let answer = self.world.service.flows().pay(by.device.caller(), SubmitOrder { order }).await?;
        let receipt = answer.verify(&self.world.key.verifying_key().to_bytes());
        Ok(receipt.expect("a receipt is signed with the node's key"))
    }

    pub async fn pay(&mut self, amount: u64, intent: Intent) -> Result<Receipt, FlowError> {
        let to = self.bob.user().clone();
        let order = self.alice.order(&self.world, &to, self.euro.id, amount, intent);
        let order = Signed::sign(&order, &self.alice.key);
        self.submit(&self.alice, order).await
    }

    async fn account(&self, of: &Payer) -> Option<AccountView> {
        self.world.service.wallet().accounts(of.device.caller()).await.unwrap().accounts.pop()
    }

    pub async fn balances(&self) -> (u64, u64) {
        let of = async |payer| self.account(payer).await.map_or(0, |account| account.available);
        (of(&self.alice).await, of(&self.bob).await)
    }

    pub async fn history(&self, of: &Payer) -> Vec<(bool, u64, TransferState)> {
        let account = self.account(of).await.unwrap().id;
        let history = self.world.service.wallet().history(of.device.caller(), account, None).await.unwrap();
        history.lines.into_iter().map(|line| (line.credit, line.amount, line.state)).collect()
    }

    pub async fn is_sound(&self) {
        let report = check_ledger(&self.world.store).await.unwrap();
        assert!(report.findings.is_empty(), "{report:#?}");
        assert!(report.events > 0 && report.accounts > 0);
    }
}

pub(crate) fn euro() -> DefineAsset {
    DefineAsset {
        code: "EUR".parse().unwrap(),
        scale: 2,
        title: "Euro".into(),
        backing: "the cash box in the kitchen".into(),
        payment_max: 0,
        day_max: 0,
        issue_max: 0,
    }
}

pub(super) fn refused(outcome: Result<Receipt, FlowError>) -> WalletError {
    match outcome {
        Err(FlowError::Wallet(error)) => error,
        other => panic!("not refused by the wallet: {other:?}"),
    }
}

#[tokio::test]
async fn a_payment_is_theirs_at_once_and_happens_once() {
    let mut till = Till::open().await;
    assert_eq!(till.world.service.wallet().assets().await.unwrap().assets[0].issued, 10_000);
    let to = till.bob.user().clone();
    let order = till.alice.order(&till.world, &to, till.euro.id, 1_234, Intent::Payment);
    let order = Signed::sign(&order, &till.alice.key);
    let receipt = till.submit(&till.alice, order.clone()).await.unwrap();
    assert_eq!((receipt.amount, receipt.state, receipt.fee), (1_234, TransferState::Done, 0));
    // The answer was lost; the phone asks again, also much later.
    till.world.clock.advance(48 * HOUR_MS);
    assert_eq!(till.submit(&till.alice, order).await.unwrap(), receipt);
    assert_eq!(till.balances().await, (8_766, 1_234));
    assert_eq!(till.history(&till.bob).await, [(true, 1_234, TransferState::Done)]);
    let hers = [(false, 1_234, TransferState::Done), (true, 10_000, TransferState::Done)];
    assert_eq!(till.history(&till.alice).await, hers);
    till.is_sound().await;
}

#[tokio::test]
async fn a_transfer_waits_for_the_payee_who_takes_it_or_gives_it_back() {
    let mut till = Till::open().await;
    let (taken, returned) =
        (till.pay(3_000, Intent::Transfer).await.unwrap(), till.pay(2_000, Intent::Transfer).await.unwrap());
    assert_eq!((taken.state, taken.until_ms), (TransferState::Held, Some(START_MS + 24 * HOUR_MS)));
    let hers = till.account(&till.alice).await.unwrap();
    assert_eq!((hers.balance, hers.available, hers.outgoing), (10_000, 5_000, 5_000));
    assert_eq!(till.account(&till.bob).await.unwrap().incoming, 5_000);

    let wallet = till.world.service.wallet();
    let not_hers = wallet.answer(till.alice.device.caller(), taken.transfer, Answer::Accept).await;
    assert!(
        matches!(not_hers, Err(WalletError::NotFound("transfer"))),
        "the payer cannot accept: {not_hers:?}"
    );
    let bob = till.bob.device.caller();
    till.world.clock.advance(HOUR_MS);
    for _ in 0..2 {
        wallet.answer(bob, taken.transfer, Answer::Accept).await.unwrap();
        wallet.answer(bob, returned.transfer, Answer::Return).await.unwrap();
    }
    for (transfer, answer) in [(taken.transfer, Answer::Return), (returned.transfer, Answer::Accept)] {
        assert!(matches!(wallet.answer(bob, transfer, answer).await, Err(WalletError::AlreadyDecided)));
    }
    assert_eq!(till.balances().await, (7_000, 3_000));
    let his = [(true, 3_000, TransferState::Done), (true, 2_000, TransferState::Returned)];
    assert_eq!(till.history(&till.bob).await, his, "what went over stands where it did");
    let account = till.account(&till.alice).await.unwrap().id;
    let lines = wallet.history(till.alice.device.caller(), account, None).await.unwrap().lines;
    let settled: Vec<_> = lines.iter().take(2).map(|line| line.settled_ms).collect();
    assert_eq!(settled, [Some(START_MS + HOUR_MS), None], "what was given back has not gone over");
    assert!(lines[0].number < lines[1].number && lines[0].place() > lines[1].place());
    let older = wallet.history(till.alice.device.caller(), account, Some(lines[0].place())).await.unwrap();
    assert_eq!(older.lines, lines[1..], "each line stands on one page");
    till.is_sound().await;
}

#[tokio::test]
async fn what_nobody_takes_in_a_day_goes_back() {
    let mut till = Till::open().await;
    let receipt = till.pay(3_000, Intent::Transfer).await.unwrap();
    till.world.clock.advance(24 * HOUR_MS - 1);
    assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), 0);
    till.world.clock.advance(1);
    // Before anybody has come by to release it, it is too late all the same.
    let wallet = till.world.service.wallet();
    let late = wallet.answer(till.bob.device.caller(), receipt.transfer, Answer::Accept).await;
    assert!(matches!(late, Err(WalletError::AlreadyDecided)), "{late:?}");
    assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), 1);
    assert_eq!(till.balances().await, (10_000, 0));
    assert_eq!(till.history(&till.alice).await[0], (false, 3_000, TransferState::Expired));
    till.is_sound().await;
}

#[tokio::test]
async fn an_order_that_is_not_good_moves_nothing() {
    let mut till = Till::open().await;
    let (alice, bob, euro) = (till.alice.user().clone(), till.bob.user().clone(), till.euro.id);
    let good = till.alice.order(&till.world, &bob, euro, 1, Intent::Payment);
    let (now, carol): (u64, UserAddress) = (START_MS, "carol@home.example".parse().unwrap());
    let far: UserAddress = "bob@other.example".parse().unwrap();
    type Bad = (PaymentOrder, fn(&WalletError) -> bool);
    let cases: Vec<Bad> = vec![
        (PaymentOrder { amount: 0, ..good.clone() }, |e| {
            matches!(e, WalletError::Fault(Fault::Invalid { field: "amount", .. }))
        }),
        (PaymentOrder { amount: 10_001, ..good.clone() }, |e| {
            matches!(e, WalletError::Refused(Refusal::Floor))
        }),
        (PaymentOrder { amount: u64::MAX, ..good.clone() }, |e| {
            matches!(e, WalletError::Refused(Refusal::Floor))
        }),
        (PaymentOrder { asset: AssetId([7; 16]), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("asset"))
        }),
        (PaymentOrder { expires_ms: now, ..good.clone() }, |e| matches!(e, WalletError::Expired)),
        (PaymentOrder { expires_ms: now + 25 * HOUR_MS, ..good.clone() }, |e| {
            matches!(e, WalletError::Expired)
        }),
        (PaymentOrder { payer: bob.clone(), ..good.clone() }, |e| matches!(e, WalletError::ForeignOrder)),
        (PaymentOrder { device: till.bob.device.id(), ..good.clone() }, |e| {
            matches!(e, WalletError::ForeignOrder)
        }),
        (PaymentOrder { payee: Payee::Person(alice), ..good.clone() }, |e| {
            matches!(e, WalletError::Fault(Fault::Invalid { field: "payee", .. }))
        }),
        (PaymentOrder { payee: Payee::Person(carol), ..good.clone() }, |e| {
            matches!(e, WalletError::NotFound("payee"))
        }),
        (PaymentOrder { payee: Payee::Person(far), ..good.clone() }, |e| {
            matches!(e, WalletError::Link(LinkTrouble::NoLink))
        }),
    ];
    for (n, (order, is_right)) in cases.into_iter().enumerate() {
        // Each with an id and a counter of its own: what was refused is not what is judged here.
        let n = n as u64 + 10;
        let order = PaymentOrder { id: OrderId([n as u8; 16]), counter: n, ..order };
        let error = refused(till.submit(&till.alice, Signed::sign(&order, &till.alice.key)).await);
        assert!(is_right(&error), "{order:?}: {error:?}");
    }
    let forged = refused(till.submit(&till.alice, Signed::sign(&good, &till.bob.key)).await);
    assert!(matches!(forged, WalletError::Signature("the order")));
    let with_device_key =
        refused(till.submit(&till.alice, Signed::sign(&good, &till.alice.device.key)).await);
    assert!(matches!(with_device_key, WalletError::Signature("the order")), "the order key alone signs");
    let counter = refused(till.submit(&till.alice, Signed::sign(&good, &till.alice.key)).await);
    assert!(matches!(counter, WalletError::Counter { last: 12 }), "{counter:?}");
    assert_eq!(till.balances().await, (10_000, 0));
    till.is_sound().await;
}

#[tokio::test]
async fn a_device_that_was_signed_out_pays_no_more() {
    let mut till = Till::open().await;
    let bob = till.bob.user().clone();
    let paid = till.alice.order(&till.world, &bob, till.euro.id, 700, Intent::Payment);
    let paid = Signed::sign(&paid, &till.alice.key);
    till.submit(&till.alice, paid.clone()).await.unwrap();
    // Signed while the device was hers, and good but for that it is not any more.
    let order = till.alice.order(&till.world, &bob, till.euro.id, 300, Intent::Payment);
    let order = Signed::sign(&order, &till.alice.key);
    let caller = till.alice.device.caller().clone();
    till.world.service.flows().sign_out(&caller, caller.device()).await.unwrap();
    for order in [order, paid] {
        let gone = refused(till.submit(&till.alice, order).await);
        assert!(matches!(gone, WalletError::NoOrderKey), "{gone:?}");
    }
    assert_eq!(till.balances().await, (9_300, 700));
    assert_eq!(till.history(&till.bob).await, [(true, 700, TransferState::Done)]);
    till.is_sound().await;
}

#[tokio::test]
async fn a_device_that_is_signed_out_meanwhile_gets_no_order_key() {
    for steps in 0..12 {
        let mut till = Till::open().await;
        let caller = till.alice.device.caller().clone();
        till.alice.key = SigningKey::from_bytes(&[9; 32]);
        let put = async |later: u64| {
            let cert = till.alice.cert(START_MS + later);
            let request = PutOrderKey { cert: Signed::sign(&cert, &till.alice.device.key) };
            till.world.service.wallet().put_order_key(&caller, request).await
        };
        // Its session was good when the request came; the sign-out overtakes it, sooner or later.
        let late = async {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            put(1).await
        };
        let (out, _) = tokio::join!(till.world.service.flows().sign_out(&caller, caller.device()), late);
        out.unwrap();
        let refused = put(2).await;
        assert!(matches!(refused, Err(WalletError::SignedOut)), "{refused:?}");
        let row = joined(caller.name().as_str(), caller.device().0);
        assert!(till.world.store.get(tables::ORDER_KEYS, &row).await.unwrap().is_none(), "{steps} steps");
    }
}

#[tokio::test]
async fn what_was_refused_stays_refused_and_an_id_is_one_order() {
    let mut till = Till::open().await;
    let bob = till.bob.user().clone();
    let order = till.alice.order(&till.world, &bob, till.euro.id, 15_000, Intent::Payment);
    let signed = Signed::sign(&order, &till.alice.key);
    assert!(matches!(
        refused(till.submit(&till.alice, signed.clone()).await),
        WalletError::Refused(Refusal::Floor)
    ));
    till.issue(2, till.alice.user(), 10_000).await.unwrap();
    // Alice has been told that it failed, and may have paid otherwise since.
    assert!(matches!(refused(till.submit(&till.alice, signed).await), WalletError::Refused(Refusal::Floor)));
    let other = PaymentOrder { amount: 1, counter: order.counter + 1, ..order };
    let other = Signed::sign(&other, &till.alice.key);
    assert!(matches!(refused(till.submit(&till.alice, other).await), WalletError::IdConflict));
    assert_eq!(till.balances().await, (20_000, 0));
    till.is_sound().await;
}

#[tokio::test]
async fn limits_hold_for_one_payment_and_for_a_day() {
    let mut till = Till::with(DefineAsset { payment_max: 4_000, day_max: 7_000, ..euro() }).await;
    assert!(matches!(
        refused(till.pay(4_001, Intent::Payment).await),
        WalletError::PaymentMax { max: 4_000 }
    ));
    // Too much is no payment at all: asked again, it is the same answer, and the counter is not used up.
    let bob = till.bob.user().clone();
    let much = till.alice.order(&till.world, &bob, till.euro.id, 4_001, Intent::Payment);
    let much = Signed::sign(&much, &till.alice.key);
    for _ in 0..2 {
        let error = refused(till.submit(&till.alice, much.clone()).await);
        assert!(matches!(error, WalletError::PaymentMax { max: 4_000 }), "{error:?}");
    }
    till.pay(4_000, Intent::Payment).await.unwrap();
    assert!(matches!(refused(till.pay(3_001, Intent::Transfer).await), WalletError::DayMax { max: 7_000 }));
    let back = till.pay(3_000, Intent::Transfer).await.unwrap();
    assert!(matches!(refused(till.pay(1, Intent::Payment).await), WalletError::DayMax { .. }));
    // What came back was not paid.
    let wallet = till.world.service.wallet();
    for _ in 0..2 {
        wallet.answer(till.bob.device.caller(), back.transfer, Answer::Return).await.unwrap();
    }
    till.pay(2_000, Intent::Payment).await.unwrap();
    till.pay(1_000, Intent::Transfer).await.unwrap();
    assert!(matches!(refused(till.pay(1, Intent::Payment).await), WalletError::DayMax { .. }));
    till.world.clock.advance(24 * HOUR_MS);
    till.pay(1, Intent::Payment).await.unwrap();
    till.is_sound().await;

    let mut till = Till::with(DefineAsset { day_max: 15_000, ..euro() }).await;
    assert!(matches!(refused(till.pay(12_000, Intent::Payment).await), WalletError::Refused(Refusal::Floor)));
    till.pay(10_000, Intent::Payment).await.expect("what was not paid is not counted");
}

#[tokio::test]
async fn no_more_is_issued_than_was_said_and_the_same_once() {
    let till = Till::with(DefineAsset { issue_max: 15_000, ..euro() }).await;
    let alice = till.alice.user();
    till.issue(2, alice, 5_000).await.unwrap();
    till.issue(2, alice, 5_000).await.unwrap();
    assert!(matches!(till.issue(2, alice, 1).await, Err(FlowError::Wallet(WalletError::IdConflict))));
    let over = till.issue(3, alice, 1).await;
    assert!(matches!(over, Err(FlowError::Wallet(WalletError::Refused(Refusal::Floor)))), "{over:?}");
    assert_eq!(till.balances().await.0, 15_000);
    till.world.service.flows().issue(TransferId([4; 16]), till.euro.id, alice, 3_000, true).await.unwrap();
    assert_eq!(till.world.service.wallet().assets().await.unwrap().assets[0].issued, 12_000);
    till.is_sound().await;
}

#[tokio::test]
async fn an_order_key_is_the_devices_own_and_a_newer_one_takes_its_place() {
    let mut till = Till::open().await;
    let put = async |till: &Till, cert: &OrderKeyCert, by: &SigningKey| {
        let request = PutOrderKey { cert: Signed::sign(cert, by) };
        till.world.service.wallet().put_order_key(till.alice.device.caller(), request).await
    };
    let cert = till.alice.cert(START_MS + 1);
    let foreign = put(&till, &cert, &till.bob.device.key).await;
    assert!(matches!(foreign, Err(WalletError::Signature("the order key"))));
    let bobs = OrderKeyCert { user: till.bob.user().clone(), ..cert.clone() };
    assert!(matches!(put(&till, &bobs, &till.alice.device.key).await, Err(WalletError::ForeignOrder)));
    till.pay(1, Intent::Payment).await.unwrap();
    till.alice.key = SigningKey::from_bytes(&[9; 32]);
    let older = till.alice.cert(START_MS);
    assert!(
        put(&till, &older, &till.alice.device.key).await.is_err(),
        "what was replaced does not come back"
    );
    let newer = till.alice.cert(START_MS + 1);
    put(&till, &newer, &till.alice.device.key).await.unwrap();
    let bob = till.bob.user().clone();
    let order = till.alice.order(&till.world, &bob, till.euro.id, 1, Intent::Payment);
    let replayed = PaymentOrder { counter: 1, id: OrderId([99; 16]), ..order.clone() };
    let replayed = refused(till.submit(&till.alice, Signed::sign(&replayed, &till.alice.key)).await);
    assert!(matches!(replayed, WalletError::Counter { last: 1 }), "the counter goes on: {replayed:?}");
    till.submit(&till.alice, Signed::sign(&order, &till.alice.key)).await.unwrap();
}

#[tokio::test]
async fn who_sees_a_history_is_who_owns_it() {
    let mut till = Till::open().await;
    for _ in 0..3 {
        till.pay(1, Intent::Payment).await.unwrap();
    }
    let wallet = till.world.service.wallet();
    let (alice, bob) = (till.alice.device.caller(), till.bob.device.caller());
    let hers = till.account(&till.alice).await.unwrap().id;
    assert!(matches!(wallet.history(bob, hers, None).await, Err(WalletError::NotFound("account"))));
    assert!(matches!(
        wallet.history(bob, AccountId([0; 16]), None).await,
        Err(WalletError::NotFound("account"))
    ));
    let all = wallet.history(alice, hers, None).await.unwrap();
    assert_eq!((all.lines.len(), all.more), (4, false));
    let older = wallet.history(alice, hers, Some(all.lines[1].number)).await.unwrap();
    assert_eq!(older.lines, all.lines[2..]);
    assert_eq!(all.lines[0].other, Some(till.bob.user().clone()));
    assert_eq!(all.lines[3].other, None, "the node");
}

#[tokio::test]
async fn many_pay_at_once_and_nothing_is_lost_or_made() {
    let till = Till::open().await;
    let mut payers = vec![till.alice];
    for n in 0..8_u8 {
        let payer = Payer::new(&till.world, &format!("payer{n}"), 100 + n).await;
        let flows = till.world.service.flows();
        flows.issue(TransferId([100 + n; 16]), till.euro.id, payer.user(), 100, false).await.unwrap();
        payers.push(payer);
    }
    let people: Vec<UserAddress> = payers.iter().map(|payer| payer.user().clone()).collect();
    let mut tasks = Vec::new();
    for (n, payer) in payers.iter_mut().enumerate() {
        for round in 1..=20 {
            // Some of it is more than there is.
            let order = payer.order(
                &till.world,
                &people[(n + round) % people.len()],
                till.euro.id,
                17,
                Intent::Payment,
            );
            let order = Signed::sign(&order, &payer.key);
            let (service, caller) = (till.world.service.clone(), payer.device.caller().clone());
            tasks.push(tokio::spawn(async move {
                service.flows().pay(&caller, SubmitOrder { order }).await.is_ok()
            }));
        }
    }
    let mut paid = 0;
    for task in tasks {
        paid += u32::from(task.await.unwrap());
    }
    let mut sum = 0;
    for payer in &payers {
        let accounts = till.world.service.wallet().accounts(payer.device.caller()).await.unwrap();
        sum += accounts.accounts[0].balance;
    }
    assert_eq!(sum, 10_000 + 8 * 100);
    let report = check_ledger(&till.world.store).await.unwrap();
    assert!(report.findings.is_empty() && paid > 50, "{paid} paid; {report:#?}");
}

#[tokio::test]
async fn an_order_that_was_refused_is_answered_alike_and_kept_for_a_while() {
    use weft_store::{Scan, tables};
    let mut till = Till::open().await;
    till.pay(100, Intent::Payment).await.unwrap();
    let (bob, euro) = (till.bob.user().clone(), till.euro.id);
    let order = till.alice.order(&till.world, &bob, euro, 20_000, Intent::Payment);
    let order = Signed::sign(&order, &till.alice.key);
    let world = till.world.context();
    world.aged().await.unwrap();
    let kept = async |till: &Till| {
        let rows = till.world.store.scan(tables::ORDERS, Scan::prefix([])).await.unwrap().len();
        let listed = till.world.store.scan(tables::ORDERS_REFUSED, Scan::prefix([])).await.unwrap().len();
        (rows, listed)
    };
    for (hours, left) in [(0, (2, 1)), (2, (2, 1)), (22, (2, 1)), (2, (1, 0)), (500, (1, 0))] {
        till.world.clock.advance(hours * HOUR_MS);
        assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), 0);
        let error = refused(till.submit(&till.alice, order.clone()).await);
        assert!(matches!(error, WalletError::Refused(Refusal::Floor)), "after {hours} more hours: {error:?}");
        assert_eq!(kept(&till).await, left, "after {hours} more hours");
        till.is_sound().await;
    }
    // Not by a clock that has jumped.
    let order = till.alice.order(&till.world, &bob, euro, 20_000, Intent::Payment);
    refused(till.submit(&till.alice, Signed::sign(&order, &till.alice.key)).await);
    crate::Worker::Retention.run_once(&till.world.service).await.unwrap();
    till.world.clock.jump_to(START_MS + 5_000 * HOUR_MS);
    assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), 0);
    assert_eq!(kept(&till).await, (2, 1));
}
