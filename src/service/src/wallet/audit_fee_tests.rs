//! What a bug, or a hand on the disk, would make of the fees of what alice pays to bob, and that the audit says so.

use super::{
    accounts::{earnings, personal},
    check_ledger,
    tests::{HOUR_MS, Till},
};
use weft_ledger::{AccountKind, Movement, Purpose, Transfer};
use weft_wire::{
    AccountId, Signed, TransferId,
    wallet::{Fee, FeeKind, Intent, SetFee, TransferState},
};

/// A transfer that no rule of the wallet would let happen.
const STRAY: TransferId = TransferId([200; 16]);

impl Till {
    /// Of what goes to people so many cents each are taken.
    async fn takes(&self, fixed: u64) {
        let fee = Fee { kind: FeeKind::Person, fixed, points: 0, least: 0, most: 0 };
        self.world.service.wallet().set_fee(SetFee { asset: self.euro.id, fee }).await.unwrap();
    }

    /// Alice pays 10 euros to bob, or holds them for him, and allows 25 cents. Gives the id of the payment.
    async fn paid(&mut self, intent: Intent) -> TransferId {
        let bob = self.bob.user().clone();
        let mut order = self.alice.order(&self.world, &bob, self.euro.id, 1_000, intent);
        order.max_fee = 25;
        let receipt = self.submit(&self.alice, Signed::sign(&order, &self.alice.key)).await.unwrap();
        let state = if intent == Intent::Payment { TransferState::Done } else { TransferState::Held };
        assert_eq!(receipt.state, state);
        receipt.transfer
    }

    /// Brings it into the books as if the wallet had allowed it: all events follow from each other.
    async fn book(&self, id: TransferId, movement: Movement, purpose: Purpose, about: TransferId) {
        let (asset, about) = (self.euro.id, about.0);
        let work = move |sheet: &mut super::sheet::Sheet<'_>| {
            sheet.node_account(AccountKind::Fee, asset)?;
            sheet.post(&[Transfer { id, movement, purpose, about }]).map(drop)
        };
        self.world.service.wallet().teller.run(work).await.unwrap();
    }

    fn own(&self) -> AccountId {
        personal(&self.alice.user().name, self.euro.id)
    }

    fn his(&self) -> AccountId {
        personal(&self.bob.user().name, self.euro.id)
    }

    async fn wrongs(&self) -> Vec<String> {
        check_ledger(&self.world.store).await.unwrap().findings
    }
}

fn posted(debit: AccountId, credit: AccountId, amount: u64) -> Movement {
    Movement::Posted { debit, credit, amount, refunds: None }
}

#[tokio::test]
async fn a_held_fee_that_ends_without_its_payment_is_found() {
    for is_taken in [true, false] {
        let mut till = Till::open().await;
        till.takes(25).await;
        let payment = till.paid(Intent::Transfer).await;
        till.is_sound().await;
        let wallet = till.world.service.wallet();
        wallet.teller.run(move |sheet| sheet.end_fee_over(payment, is_taken)).await.unwrap();
        let fee = TransferId::of_fee(payment);
        assert_eq!(till.wrongs().await, [format!("fee {fee} is not as its payment is")], "{is_taken}");
    }
}

#[tokio::test]
async fn a_fee_that_is_not_taken_together_with_its_payment_is_found() {
    for (intent, is_held, later_ms) in [
        (Intent::Payment, false, HOUR_MS),
        (Intent::Transfer, true, HOUR_MS),
        (Intent::Payment, true, 0),
        (Intent::Transfer, false, 0),
    ] {
        let mut till = Till::open().await;
        // She has allowed 25 cents, and nothing was taken.
        let payment = till.paid(intent).await;
        till.is_sound().await;
        till.world.clock.advance(later_ms);
        let (debit, credit, amount) = (till.own(), earnings(till.euro.id), 25);
        let movement = if is_held {
            Movement::Pending { debit, credit, amount, expires_ms: None, refunds: None }
        } else {
            posted(debit, credit, amount)
        };
        let fee = TransferId::of_fee(payment);
        till.book(fee, movement, Purpose::Fee, payment).await;
        let found = till.wrongs().await;
        assert_eq!(found, [format!("fee {fee} is not as its payment is")], "{intent:?} {is_held} {later_ms}");
    }
}

#[tokio::test]
async fn what_is_with_the_account_of_fees_and_is_none_is_found() {
    let mut till = Till::open().await;
    till.takes(25).await;
    till.paid(Intent::Payment).await;
    till.is_sound().await;
    let fees = earnings(till.euro.id);
    // Into it, and out of it: neither is called a fee.
    for (n, debit, credit) in [(1, till.own(), fees), (2, fees, till.his())] {
        let id = TransferId([200 + n; 16]);
        till.book(id, posted(debit, credit, 5), Purpose::Payment, TransferId([0; 16])).await;
        let told = format!("transfer {id} is with the account of fees, and is no fee");
        assert!(till.wrongs().await.contains(&told), "{told}: {:?}", till.wrongs().await);
    }
}

#[tokio::test]
async fn what_is_called_a_fee_and_goes_to_somebody_else_is_found() {
    let mut till = Till::open().await;
    till.paid(Intent::Payment).await;
    till.book(STRAY, posted(till.own(), till.his(), 25), Purpose::Fee, TransferId([1; 16])).await;
    assert_eq!(till.wrongs().await, [format!("fee {STRAY} is not with the account of fees")]);
}
