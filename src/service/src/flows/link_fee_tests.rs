//! Alice's node takes a fee of what she pays to bob at another node: held while the payment is under way.

use super::{
    FlowError,
    link_tests::{AWAY, HOME, HOUR_MS, Pair},
};
use crate::wallet::{WalletError, check_ledger};
use weft_ledger::Refusal;
use weft_wire::wallet::{Answer, Fee, FeeKind, Intent, PaymentOrder, SetFee, TransferState};

impl Pair {
    /// Of what goes to other nodes, 10 cents and 1 %.
    pub(super) async fn with_fees() -> Pair {
        let pair = Pair::new().await;
        let fee = Fee { kind: FeeKind::Remote, fixed: 10, points: 100, least: 0, most: 0 };
        let wallet = pair.worlds[HOME].service.wallet();
        wallet.set_fee(SetFee { asset: pair.euro.id, fee }).await.unwrap();
        pair
    }

    pub(super) async fn earned(&self) -> (u64, u64) {
        let earned = self.worlds[HOME].service.wallet().fees_earned(self.euro.id).await.unwrap();
        (earned.available, earned.incoming)
    }
}

#[tokio::test]
async fn the_fee_of_a_payment_to_another_node_is_taken_when_that_has_it() {
    let mut pair = Pair::with_fees().await;
    let order = PaymentOrder { max_fee: 20, ..pair.order(HOME, 1_000, Intent::Payment) };
    let poor = PaymentOrder { max_fee: 19, ..order.clone() };
    let refused = pair.submit(HOME, &poor).await;
    assert!(matches!(refused, Err(FlowError::Wallet(WalletError::FeeTooLow { due: 20 }))), "{refused:?}");
    let receipt = pair.submit(HOME, &order).await.unwrap();
    assert_eq!((receipt.state, receipt.fee), (TransferState::Held, 20));
    assert_eq!((pair.has(HOME).await, pair.earned().await), ((8_980, 1_020, 0), (0, 20)));
    let report = check_ledger(&pair.worlds[HOME].store).await.unwrap();
    assert_eq!(report.findings, [""; 0], "while it is under way");
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((8_980, 0, 0), (1_000, 0, 0)));
    assert_eq!(pair.earned().await, (20, 0));
    let receipt = pair.submit(HOME, &order).await.unwrap();
    assert_eq!((receipt.state, receipt.fee), (TransferState::Done, 20));
    // What comes back of it is free, and his node takes nothing of its own.
    pair.pay(AWAY, 500, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!((pair.has(HOME).await.0, pair.earned().await), (9_480, (20, 0)));
    pair.is_sound().await;
}

#[tokio::test]
async fn what_comes_back_from_another_node_brings_its_fee_back() {
    let mut pair = Pair::with_fees().await;
    let mut sent = Vec::new();
    for _ in 0..2 {
        let order = PaymentOrder { max_fee: 25, ..pair.order(HOME, 1_000, Intent::Transfer) };
        pair.submit(HOME, &order).await.unwrap();
        sent.push(order);
    }
    pair.carry().await;
    assert_eq!((pair.has(HOME).await.0, pair.earned().await), (7_960, (0, 40)));
    let wallet = pair.worlds[AWAY].service.wallet();
    wallet.answer(pair.people[AWAY].device.caller(), sent[0].transfer(), Answer::Return).await.unwrap();
    pair.carry().await;
    assert_eq!((pair.has(HOME).await.0, pair.earned().await), (8_980, (0, 20)));
    pair.worlds.iter().for_each(|world| world.clock.advance(24 * HOUR_MS));
    for world in &pair.worlds {
        crate::Worker::Payments.run_once(&world.service).await.unwrap();
    }
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.earned().await), ((10_000, 0, 0), (0, 0)));
    for (order, state) in sent.iter().zip([TransferState::Returned, TransferState::Expired]) {
        let receipt = pair.submit(HOME, order).await.unwrap();
        assert_eq!((receipt.state, receipt.fee), (state, 0));
    }
    pair.is_sound().await;
}

#[tokio::test]
async fn who_has_no_money_for_the_fee_sends_nothing_to_another_node() {
    let mut pair = Pair::with_fees().await;
    let order = PaymentOrder { max_fee: 1_000, ..pair.order(HOME, 10_000, Intent::Payment) };
    let refused = pair.submit(HOME, &order).await;
    assert!(
        matches!(refused, Err(FlowError::Wallet(WalletError::Refused(Refusal::Floor)))),
        "there are 10000, and 110 are due: {refused:?}"
    );
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((10_000, 0, 0), (0, 0, 0)));
    assert_eq!(pair.earned().await, (0, 0));
    // What was refused stays refused, also when there is money.
    let (id, alice) = (weft_wire::TransferId([7; 16]), pair.people[HOME].user().clone());
    pair.worlds[HOME].service.flows().issue(id, pair.euro.id, &alice, 1_000, false).await.unwrap();
    let again = pair.submit(HOME, &order).await;
    assert!(matches!(again, Err(FlowError::Wallet(WalletError::Refused(Refusal::Floor)))), "{again:?}");
    assert_eq!(pair.has(HOME).await, (11_000, 0, 0));
    pair.is_sound().await;
}

#[tokio::test]
async fn a_thaw_takes_the_fee_of_what_has_happened_and_brings_back_that_of_what_has_not() {
    let mut pair = Pair::with_fees().await;
    let mut sent = Vec::new();
    for (amount, due) in [(1_000, 20), (3_000, 40)] {
        let order = PaymentOrder { max_fee: due, ..pair.order(HOME, amount, Intent::Transfer) };
        assert_eq!(pair.submit(HOME, &order).await.unwrap().fee, due);
        sent.push(order);
    }
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.earned().await), ((5_940, 4_060, 0), (0, 60)));
    // Bob takes one of them, which alice's node does not hear of: both operators stop the link first.
    let wallets = [HOME, AWAY].map(|at| pair.worlds[at].service.wallet().clone());
    let names = [HOME, AWAY].map(|at| pair.worlds[at].name.clone());
    let bob = pair.people[AWAY].device.caller();
    wallets[AWAY].answer(bob, sent[0].transfer(), Answer::Accept).await.unwrap();
    wallets[HOME].freeze_link(&names[AWAY]).await.unwrap();
    wallets[AWAY].freeze_link(&names[HOME]).await.unwrap();
    pair.carry().await;
    assert_eq!((pair.has(AWAY).await.0, pair.earned().await), (1_000, (0, 60)), "it is under way still");

    let flows = [HOME, AWAY].map(|at| pair.worlds[at].service.flows().clone());
    let seen = flows[HOME].thaw_link(&names[AWAY], 0, None).await.unwrap();
    let told = |order: &PaymentOrder| {
        let id = order.transfer().to_string();
        let line = seen.lines.iter().find(|line| line.starts_with(&id)).expect("a verdict");
        line.rsplit_once(": it ").unwrap().1.to_owned()
    };
    assert_eq!([told(&sent[0]), told(&sent[1])], ["has happened", "has not happened"]);
    flows[HOME].thaw_link(&names[AWAY], 0, Some(&seen.digest)).await.unwrap();
    assert_eq!(pair.earned().await, (0, 60), "one operator alone takes nothing");
    assert!(flows[AWAY].thaw_link(&names[HOME], 0, Some(&seen.digest)).await.unwrap().done);
    pair.carry().await;
    for at in [HOME, AWAY] {
        assert_eq!(pair.row(at).await.frozen, None);
    }
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((8_980, 0, 0), (1_000, 0, 0)));
    assert_eq!(pair.earned().await, (20, 0));
    for (order, known) in sent.iter().zip([(TransferState::Done, 20), (TransferState::Returned, 0)]) {
        let receipt = pair.submit(HOME, order).await.unwrap();
        assert_eq!((receipt.state, receipt.fee), known);
    }
    for world in &pair.worlds {
        let report = check_ledger(&world.store).await.unwrap();
        assert_eq!(report.findings, [""; 0], "{}", world.name);
    }
}
