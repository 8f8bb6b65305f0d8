//! The node takes fees of what alice pays to bob, in a shop, and out over a bank.

use super::{
    WalletError,
    records::{EntryRecord, OrderRecord},
    shop_tests::Street,
    tests::{HOUR_MS, Till, refused},
};
use crate::{Fault, flows::FlowError};
use weft_ledger::{Movement, Refusal};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    AssetId, Code, Problem, RequestId, Signed, TransferId,
    paycode::PayCode,
    wallet::{
        Answer, BankAccount, BankPayee, BearerPayee, ChangeAccount, ChargeCode, Fee, FeeKind, Intent,
        MerchantPayee, MoneyFor, Payee, PaymentOrder, PutCode, Receipt, SetFee, TransferState,
    },
};

/// 10 cents and 1.5 %, at most 2 euros.
fn fee(kind: FeeKind) -> Fee {
    Fee { kind, fixed: 10, points: 150, least: 0, most: 200 }
}

impl Till {
    async fn with_fees() -> Till {
        let till = Till::open().await;
        for kind in [FeeKind::Person, FeeKind::Shop, FeeKind::Out] {
            till.set_fee(fee(kind)).await.unwrap();
        }
        till
    }

    async fn set_fee(&self, fee: Fee) -> Result<(), WalletError> {
        self.world.service.wallet().set_fee(SetFee { asset: self.euro.id, fee }).await
    }

    fn wish(&mut self, amount: u64, max_fee: u64, intent: Intent) -> PaymentOrder {
        let bob = self.bob.user().clone();
        let order = self.alice.order(&self.world, &bob, self.euro.id, amount, intent);
        PaymentOrder { max_fee, ..order }
    }

    async fn send(&self, order: &PaymentOrder) -> Result<Receipt, FlowError> {
        self.submit(&self.alice, Signed::sign(order, &self.alice.key)).await
    }

    async fn earned(&self) -> (u64, u64) {
        let account = self.world.service.wallet().fees_earned(self.euro.id).await.unwrap();
        (account.available, account.incoming)
    }

    async fn answer(&self, transfer: TransferId, answer: Answer) {
        let wallet = self.world.service.wallet();
        wallet.answer(self.bob.device.caller(), transfer, answer).await.unwrap();
    }
}

#[tokio::test]
async fn a_payment_and_its_fee_are_one_and_the_same_order_pays_once() {
    let mut till = Till::with_fees().await;
    let order = till.wish(1_000, 25, Intent::Payment);
    let receipt = till.send(&order).await.unwrap();
    assert_eq!((receipt.amount, receipt.fee, receipt.state), (1_000, 25, TransferState::Done));
    assert_eq!(till.send(&order).await.unwrap(), receipt, "a double tap");
    assert_eq!(till.balances().await, (8_975, 1_000));
    assert_eq!(till.earned().await, (25, 0));
    // Both stand in her history, and none of it in his.
    let mut hers = till.history(&till.alice).await;
    hers.truncate(2);
    hers.sort_by_key(|line| line.1);
    assert_eq!(hers, [(false, 25, TransferState::Done), (false, 1_000, TransferState::Done)]);
    assert_eq!(till.history(&till.bob).await, [(true, 1_000, TransferState::Done)]);
    till.is_sound().await;
}

#[tokio::test]
async fn whoever_has_seen_a_fee_never_pays_more() {
    let mut till = Till::with_fees().await;
    let order = till.wish(1_000, 25, Intent::Payment);
    // It was raised between the look and the tap.
    till.set_fee(Fee { points: 200, ..fee(FeeKind::Person) }).await.unwrap();
    for _ in 0..2 {
        let error = refused(till.send(&order).await);
        assert!(matches!(error, WalletError::FeeTooLow { due: 30 }), "{error:?}");
        let problem = Problem::from(error);
        assert_eq!((problem.code, problem.current), (Code::FeeTooLow, Some(30)));
    }
    assert_eq!((till.balances().await, till.earned().await), ((10_000, 0), (0, 0)));
    // Nothing has happened: the order is still good once it is enough, and pays what is due and not what is allowed.
    till.set_fee(Fee { points: 50, ..fee(FeeKind::Person) }).await.unwrap();
    assert_eq!(till.send(&order).await.unwrap().fee, 15);
    till.set_fee(Fee { fixed: 0, points: 0, most: 0, ..fee(FeeKind::Person) }).await.unwrap();
    let order = till.wish(1_000, 25, Intent::Payment);
    assert_eq!(till.send(&order).await.unwrap().fee, 0);
    assert_eq!(till.balances().await, (7_985, 2_000));
    till.is_sound().await;
}

#[tokio::test]
async fn what_is_held_holds_its_fee_and_both_end_alike() {
    let mut till = Till::with_fees().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let order = till.wish(1_000, 40, Intent::Transfer);
        let receipt = till.send(&order).await.unwrap();
        assert_eq!((receipt.fee, receipt.state), (25, TransferState::Held));
        held.push(order);
    }
    assert_eq!((till.balances().await.0, till.earned().await), (6_925, (0, 75)));
    for _ in 0..2 {
        till.answer(held[0].transfer(), Answer::Accept).await;
        till.answer(held[1].transfer(), Answer::Return).await;
    }
    assert_eq!((till.balances().await, till.earned().await), ((7_950, 1_000), (25, 25)));
    till.is_sound().await;
    till.world.clock.advance(24 * HOUR_MS);
    crate::Worker::Payments.run_once(&till.world.service).await.unwrap();
    assert_eq!((till.balances().await, till.earned().await), ((8_975, 1_000), (25, 0)));
    for (order, state, fee) in [
        (&held[0], TransferState::Done, 25),
        (&held[1], TransferState::Returned, 0),
        (&held[2], TransferState::Expired, 0),
    ] {
        let receipt = till.send(order).await.unwrap();
        assert_eq!((receipt.state, receipt.fee), (state, fee));
        let same = till.history(&till.alice).await.iter().filter(|line| line.2 == state && !line.0).count();
        assert_eq!(same, 2, "the fee says the same as its payment: {state:?}");
    }
    till.is_sound().await;
}

#[tokio::test]
async fn who_has_the_amount_and_not_the_fee_pays_nothing() {
    let mut till = Till::with_fees().await;
    for intent in [Intent::Payment, Intent::Transfer] {
        let order = till.wish(9_900, 1_000, intent);
        let error = refused(till.send(&order).await);
        assert!(matches!(error, WalletError::Refused(Refusal::Floor)), "{error:?}");
        // What was refused stays refused.
        let error = refused(till.send(&order).await);
        assert!(matches!(error, WalletError::Refused(Refusal::Floor)), "{error:?}");
    }
    assert_eq!((till.balances().await, till.earned().await), ((10_000, 0), (0, 0)));
    let all = till.wish(9_852, 158, Intent::Payment);
    let error = refused(till.send(&all).await);
    assert!(matches!(error, WalletError::Refused(Refusal::Floor)), "9852 and 158 are 10010: {error:?}");
    let all = till.wish(9_842, 158, Intent::Payment);
    assert_eq!(till.send(&all).await.unwrap().fee, 158);
    assert_eq!(till.balances().await, (0, 9_842));
    till.is_sound().await;
}

#[tokio::test]
async fn an_account_that_is_stopped_pays_no_fee_either() {
    let mut till = Till::with_fees().await;
    let held = till.wish(1_000, 25, Intent::Transfer);
    till.send(&held).await.unwrap();
    let stop = ChangeAccount { user: till.alice.user().clone(), asset: till.euro.id, frozen: true };
    till.world.service.wallet().change_account(stop).await.unwrap();
    let order = till.wish(1_000, 25, Intent::Payment);
    let error = refused(till.send(&order).await);
    assert!(matches!(error, WalletError::Refused(Refusal::Frozen(_))), "{error:?}");
    // What was under way goes its way.
    till.answer(held.transfer(), Answer::Accept).await;
    assert_eq!(till.earned().await, (25, 0));
    till.is_sound().await;
}

#[tokio::test]
async fn what_is_given_back_is_free_and_leaves_the_fee() {
    let mut till = Till::with_fees().await;
    let order = till.wish(1_000, 25, Intent::Payment);
    let paid = till.send(&order).await.unwrap();
    let alice = till.alice.user().clone();
    let back = till.bob.order(&till.world, &alice, till.euro.id, 1_000, Intent::Payment);
    let back = PaymentOrder { refunds: Some(paid.transfer), ..back };
    let receipt = till.submit(&till.bob, Signed::sign(&back, &till.bob.key)).await.unwrap();
    assert_eq!(receipt.fee, 0);
    assert_eq!((till.balances().await, till.earned().await), ((9_975, 0), (25, 0)));
    till.is_sound().await;
}

#[tokio::test]
async fn a_fee_is_one_that_somebody_may_mean() {
    let till = Till::open().await;
    let good = fee(FeeKind::Shop);
    for (bad, field) in [
        (Fee { points: 10_001, ..good }, "points"),
        (Fee { points: u32::MAX, ..good }, "points"),
        (Fee { fixed: u64::MAX, most: 0, ..good }, "fixed"),
        (Fee { least: u64::MAX, most: 0, ..good }, "least"),
        (Fee { most: u64::MAX, ..good }, "most"),
        (Fee { least: 201, ..good }, "most"),
        (Fee { fixed: 201, ..good }, "most"),
    ] {
        match till.set_fee(bad).await {
            Err(WalletError::Fault(Fault::Invalid { field: found, .. })) => {
                assert_eq!(found, field, "{bad:?}")
            }
            other => panic!("{bad:?}: {other:?}"),
        }
    }
    let nowhere = SetFee { asset: AssetId([7; 16]), fee: good };
    let nowhere = till.world.service.wallet().set_fee(nowhere).await;
    assert!(matches!(nowhere, Err(WalletError::NotFound("asset"))), "{nowhere:?}");
    let fees = async || till.world.service.wallet().assets().await.unwrap().assets[0].fees.clone();
    assert_eq!(fees().await, []);
    // Each kind once, whatever comes after whatever; defining the asset again leaves them.
    for fee in [fee(FeeKind::Out), good, Fee { points: 10_000, ..good }] {
        till.set_fee(fee).await.unwrap();
    }
    till.world.service.wallet().define(super::tests::euro()).await.unwrap();
    assert_eq!(fees().await, [Fee { points: 10_000, ..good }, fee(FeeKind::Out)]);
    till.set_fee(Fee { fixed: 0, points: 0, ..good }).await.unwrap();
    assert_eq!(fees().await, [fee(FeeKind::Out)]);
}

#[tokio::test]
async fn the_owner_takes_out_what_was_earned_and_no_more() {
    let mut till = Till::with_fees().await;
    let take = async |till: &Till, id: u8, amount: u64| {
        let (user, asset) = (till.bob.user().clone(), till.euro.id);
        let wish = MoneyFor { asset, user, amount };
        till.world.service.flows().take_fees(TransferId([id; 16]), wish).await
    };
    let early = take(&till, 1, 1).await;
    assert!(matches!(early, Err(FlowError::Wallet(WalletError::NotFound("fees")))), "{early:?}");
    for intent in [Intent::Payment, Intent::Transfer] {
        let order = till.wish(1_000, 25, intent);
        till.send(&order).await.unwrap();
    }
    let much = take(&till, 40, 26).await;
    assert!(
        matches!(much, Err(FlowError::Wallet(WalletError::Refused(Refusal::Floor)))),
        "what is held is not earned: {much:?}"
    );
    for _ in 0..2 {
        take(&till, 41, 20).await.unwrap();
    }
    let other = take(&till, 41, 5).await;
    assert!(matches!(other, Err(FlowError::Wallet(WalletError::IdConflict))), "{other:?}");
    assert!(take(&till, 42, 0).await.is_err());
    assert_eq!((till.balances().await.1, till.earned().await), (1_020, (5, 25)));
    assert_eq!(till.world.service.wallet().assets().await.unwrap().assets[0].issued, 10_000);
    till.is_sound().await;
}

#[tokio::test]
async fn in_a_shop_whoever_buys_pays_the_fee() {
    let mut street = Street::new().await;
    street.till.set_fee(fee(FeeKind::Shop)).await.unwrap();
    let (shop, euro) = (street.shop.clone(), street.till.euro.id);
    let before = street.till.earned().await.0;
    let order = street.carol.order(&street.till.world, &shop, euro, 1_000, Intent::Payment);
    let payee = Payee::Merchant(MerchantPayee { shop: shop.clone(), sale: None, till: None });
    let order = PaymentOrder { payee, max_fee: 25, ..order };
    let poor = PaymentOrder { max_fee: 24, ..order.clone() };
    let error = refused(street.till.submit(&street.carol, Signed::sign(&poor, &street.carol.key)).await);
    assert!(matches!(error, WalletError::FeeTooLow { due: 25 }), "{error:?}");
    let receipt = street.till.submit(&street.carol, Signed::sign(&order, &street.carol.key)).await.unwrap();
    assert_eq!((receipt.fee, street.takings().await), (25, 1_000));

    // By a code she allows 10 euros, and the fee of that; what is charged is less, and so is its fee.
    let code = PayCode::new(shop.node.clone(), [1; 16]).unwrap();
    let order = street.carol.order(&street.till.world, &shop, euro, 1_000, Intent::Payment);
    let expires_ms = crate::Clock::now_ms(&*street.till.world.clock) + 60_000;
    let order = PaymentOrder { payee: Payee::Bearer(BearerPayee::of(&code)), expires_ms, ..order };
    let wallet = street.till.world.service.wallet().clone();
    let put = async |max_fee| {
        let order = Signed::sign(&PaymentOrder { max_fee, ..order.clone() }, &street.carol.key);
        wallet.put_code(street.carol.device.caller(), PutCode { order }).await
    };
    let early = put(24).await;
    assert!(matches!(early, Err(WalletError::FeeTooLow { due: 25 })), "{early:?}");
    put(25).await.unwrap();
    let wish = ChargeCode {
        id: RequestId([1; 16]),
        code: code.to_string(),
        asset: euro,
        amount: 400,
        bill: String::new(),
    };
    // Raised in between: the till does not hear of a fee, and the code is not used up by that.
    street.till.set_fee(Fee { fixed: 20, ..fee(FeeKind::Shop) }).await.unwrap();
    let raised = wallet.charge(street.till.bob.device.caller(), &shop.name, wish.clone()).await;
    assert!(matches!(raised, Err(WalletError::CodeInvalid)), "{raised:?}");
    street.till.set_fee(fee(FeeKind::Shop)).await.unwrap();
    for _ in 0..2 {
        wallet.charge(street.till.bob.device.caller(), &shop.name, wish.clone()).await.unwrap();
    }
    assert_eq!(street.takings().await, 1_400);
    assert_eq!(street.till.earned().await.0 - before, 25 + 16);
    street.till.is_sound().await;
}

#[tokio::test]
async fn the_fee_of_a_withdrawal_is_taken_when_that_is_paid() {
    let mut till = Till::with_fees().await;
    let account = BankAccount {
        asset: till.euro.id,
        holder: "Café Kollektiv".into(),
        account: "DE89370400440532013000".into(),
        bank: "COBADEFF".into(),
    };
    till.world.service.wallet().put_bank_account(account).await.unwrap();
    let to = BankPayee { name: "Alice Example".into(), account: "NL91ABNA0417164300".into() };
    for (paid, left, earned) in [(true, 8_975, 25), (false, 8_975, 25)] {
        let order = till.wish(1_000, 25, Intent::Payment);
        let order = PaymentOrder { payee: Payee::Bank(to.clone()), ..order };
        let receipt = till.send(&order).await.unwrap();
        assert_eq!((receipt.fee, receipt.state), (25, TransferState::Held));
        assert_eq!(till.earned().await.1, 25);
        let wallet = till.world.service.wallet();
        wallet.decide_withdrawal(receipt.transfer, paid).await.unwrap();
        assert_eq!((till.balances().await.0, till.earned().await), (left, (earned, 0)));
        till.is_sound().await;
    }
}

#[tokio::test]
async fn a_fee_that_nobody_has_signed_for_is_found() {
    let mut till = Till::with_fees().await;
    let order = till.wish(1_000, 25, Intent::Payment);
    let paid = till.send(&order).await.unwrap();
    let store = &till.world.store;
    let row = store.get(tables::ORDERS, &paid.transfer.0).await.unwrap().unwrap().value;
    let kept = OrderRecord::from_record(&row).unwrap();
    // Signed with her key, as whoever has the disk and not the key cannot: the order says that less is allowed, or is another's.
    for forged in [
        PaymentOrder { max_fee: 24, ..order.clone() },
        PaymentOrder { refunds: Some(TransferId([1; 16])), ..order.clone() },
    ] {
        let forged = OrderRecord { order: Signed::sign(&forged, &till.alice.key), ..kept.clone() };
        store.commit(Batch::new().put(tables::ORDERS, paid.transfer.0, forged.to_record())).await.unwrap();
        let findings = super::check_ledger(store).await.unwrap().findings.join("\n");
        assert!(findings.contains("has no order that allows it"), "{findings}");
    }
    store.commit(Batch::new().put(tables::ORDERS, paid.transfer.0, kept.to_record())).await.unwrap();
    till.is_sound().await;
    // More was taken than is written in the books of accounts.
    let id = TransferId::of_fee(paid.transfer);
    let row = store.get(tables::LEDGER_ENTRIES, &id.0).await.unwrap().unwrap().value;
    let EntryRecord(mut entry) = EntryRecord::from_record(&row).unwrap();
    if let Movement::Posted { amount, .. } = &mut entry.transfer.movement {
        *amount = 26;
    }
    if let Some(moved) = &mut entry.moved {
        moved.amount = 26;
    }
    store
        .commit(Batch::new().put(tables::LEDGER_ENTRIES, id.0, EntryRecord(entry).to_record()))
        .await
        .unwrap();
    let findings = super::check_ledger(store).await.unwrap().findings.join("\n");
    assert!(findings.contains("has no order that allows it"), "{findings}");
}
