//! What a bug, a hand at the disk or a lost disk makes of payments between nodes: the audit finds what is wrong, and only that, and
//! whose money a thaw has found gets it.

use super::{
    FlowError,
    federated_tests::key,
    link_tests::{AWAY, HOME, HOUR_MS, Pair, code_of},
};
use crate::{
    testing::World,
    wallet::{check_ledger, records::RemoteRecord, tests::Payer},
};
use std::sync::Arc;
use weft_ledger::{
    Movement, Purpose, Transfer,
    link::{Aim, Link, Payment},
};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    AccountId, Code, TransferId,
    wallet::{Answer, Intent, Payee, TransferState},
};

impl Pair {
    /// The disk of a node is lost; this is what was kept of it.
    pub(super) fn restore(&mut self, at: usize, backup: World) {
        let federation = backup.service.federation();
        federation.connect(self.net.end(key(&backup)), self.net.clone());
        self.net.state.lock().handlers.insert(key(&backup), Arc::new(federation.clone()));
        self.worlds[at] = backup;
    }

    /// Both operators sign what follows from the books of both. What the one of [`AWAY`] has read.
    pub(super) async fn thaw(&self) -> Vec<String> {
        let flows = [HOME, AWAY].map(|at| self.worlds[at].service.flows().clone());
        let names = [HOME, AWAY].map(|at| self.worlds[at].name.clone());
        let seen = flows[AWAY].thaw_link(&names[HOME], 0, None).await.unwrap();
        assert!(flows[HOME].thaw_link(&names[AWAY], 0, Some(&seen.digest)).await.unwrap().agreed);
        assert!(flows[AWAY].thaw_link(&names[HOME], 0, Some(&seen.digest)).await.unwrap().done);
        seen.lines
    }

    pub(super) async fn findings(&self, at: usize) -> Vec<String> {
        check_ledger(&self.worlds[at].store).await.unwrap().findings
    }

    async fn link_of(&self, at: usize) -> Link {
        let wallet = self.worlds[at].service.wallet();
        wallet.link(&self.worlds[1 - at].name).await.unwrap().unwrap()
    }

    async fn account_of(&self, at: usize) -> AccountId {
        let wallet = self.worlds[at].service.wallet();
        wallet.accounts(self.people[at].device.caller()).await.unwrap().accounts[0].id
    }

    async fn move_by_hand(
        &self,
        at: usize,
        id: u8,
        (debit, credit): (AccountId, AccountId),
        purpose: Purpose,
    ) {
        let movement = Movement::Posted { debit, credit, amount: 100, refunds: None };
        let transfer = Transfer { id: TransferId([id; 16]), movement, purpose, about: [0; 16] };
        self.worlds[at].service.wallet().by_hand(transfer).await;
    }

    /// What is found where no thaw has corrected what the payments of the link come to.
    pub(super) fn uncorrected(&self, at: usize) -> String {
        let peer = &self.worlds[1 - at].name;
        format!("of {} is owed with {peer} what its payments do not come to", self.euro.id)
    }

    async fn give(&self, payment: TransferId, to: &Payer) -> Result<(), FlowError> {
        let flows = self.worlds[AWAY].service.flows();
        flows.pay_found(&self.worlds[HOME].name, payment, to.user()).await
    }

    /// What bob's node says to bob of a transfer.
    async fn stands(&self, transfer: TransferId) -> TransferState {
        let wallet = self.worlds[AWAY].service.wallet();
        wallet.transfer(self.people[AWAY].device.caller(), transfer).await.unwrap().state
    }
}

#[tokio::test]
async fn money_between_nodes_that_goes_elsewhere_is_found() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 500, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.is_sound().await;
    for at in [HOME, AWAY] {
        let (link, person) = (pair.link_of(at).await, pair.account_of(at).await);
        let (over, position) = (link.account(pair.euro.id), link.position(pair.euro.id));
        let thefts = [
            (over, person, Purpose::Payment),
            (over, person, Purpose::Correction),
            (position, person, Purpose::Remote),
            (position, person, Purpose::Correction),
            (over, position, Purpose::Settlement),
        ];
        for (id, (debit, credit, purpose)) in (71..).zip(thefts) {
            pair.move_by_hand(at, id, (debit, credit), purpose).await;
            let told = format!(
                "transfer {} moves what is between two nodes, and is of no payment",
                TransferId([id; 16])
            );
            let findings = pair.findings(at).await;
            assert!(findings.contains(&told), "{purpose:?}: {findings:?}");
        }
        // What a thaw puts right stays between the two, and makes what is owed what the payments come to.
        let mut findings = Vec::new();
        for id in [98, 99] {
            pair.move_by_hand(at, id, (position, over), Purpose::Correction).await;
            findings = pair.findings(at).await;
            assert!(!findings.iter().any(|told| told.contains(&TransferId([id; 16]).to_string())));
        }
        assert!(findings.contains(&pair.uncorrected(at)), "{findings:?}");
    }
}

#[tokio::test]
async fn a_correction_without_a_thaw_is_found() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 500, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.is_sound().await;
    for at in [HOME, AWAY] {
        let link = pair.link_of(at).await;
        let (over, position) = (link.account(pair.euro.id), link.position(pair.euro.id));
        pair.move_by_hand(at, 97, (position, over), Purpose::Correction).await;
        assert_eq!(pair.findings(at).await, [pair.uncorrected(at)]);
    }
}

#[tokio::test]
async fn a_payment_that_names_other_money_than_the_books_is_found() {
    let mut pair = Pair::new().await;
    let sent = pair.pay(HOME, 500, Intent::Payment).await.unwrap().transfer;
    pair.carry().await;
    let carol = Payer::new(&pair.worlds[AWAY], "carol", 3).await;
    for at in [HOME, AWAY] {
        let store = &pair.worlds[at].store;
        let row = store.scan(tables::LINK_PAYMENTS, Scan::prefix([])).await.unwrap().remove(0);
        let RemoteRecord(payment) = RemoteRecord::from_record(&row.value).unwrap();
        let told = format!("payment {sent} with {} is not booked so", pair.worlds[1 - at].name);
        let changed = |change: &dyn Fn(&mut Payment)| {
            let mut payment = payment.clone();
            change(&mut payment);
            payment
        };
        let to = carol.user().clone();
        let lies = [
            changed(&|payment| payment.legs[0].debit = AccountId([5; 16])),
            changed(&|payment| payment.legs[0].credit = AccountId([5; 16])),
            changed(&|payment| payment.legs[0].amount -= 1),
            changed(&|payment| payment.legs.clear()),
            changed(&|payment| payment.prepare.as_mut().unwrap().give.amount -= 1),
            changed(&|payment| {
                let prepare = payment.prepare.as_mut().unwrap();
                let Aim::Payment { payer, payee, .. } = &mut prepare.aim else { panic!("a settlement") };
                (*payer, *payee) = (to.clone(), Payee::Person(to.clone()));
            }),
            changed(&|payment| payment.prepare = None),
            changed(&|payment| {
                payment.undone = std::mem::take(&mut payment.legs);
                payment.thawed = true;
            }),
        ];
        for (lie, payment) in lies.into_iter().enumerate() {
            let record = RemoteRecord(payment).to_record();
            store.commit(Batch::new().put(tables::LINK_PAYMENTS, row.key.clone(), record)).await.unwrap();
            let findings = pair.findings(at).await;
            assert!(findings.contains(&told), "{lie}: {findings:?}");
        }
        store.commit(Batch::new().put(tables::LINK_PAYMENTS, row.key, row.value)).await.unwrap();
    }
    pair.is_sound().await;
}

#[tokio::test]
async fn what_was_taken_and_expired_after_a_restore_is_given_to_its_payee() {
    let mut pair = Pair::new().await;
    let sent = pair.pay(HOME, 500, Intent::Transfer).await.unwrap().transfer;
    pair.carry().await;
    let backup = pair.worlds[AWAY].backed_up().await;
    let (wallet, bob) = (pair.worlds[AWAY].service.wallet(), pair.people[AWAY].device.caller());
    wallet.answer(bob, sent, Answer::Accept).await.unwrap();
    pair.carry().await;
    pair.restore(AWAY, backup);
    pair.worlds.iter().for_each(|world| world.clock.advance(25 * HOUR_MS));
    assert_eq!(pair.worlds[AWAY].service.wallet().expire().await.unwrap(), 1);
    pair.carry().await;
    let lines = pair.thaw().await;
    assert!(lines.iter().any(|line| line.contains("weft peer terms pay")), "{lines:?}");
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_500, 0, 0), (0, 0, 0)));
    pair.is_sound().await;
    // Nobody tells bob that he has what he has not.
    assert_eq!(pair.history(AWAY).await[0].state, TransferState::Returned);
    assert_eq!(pair.stands(sent).await, TransferState::Returned);
    let carol = Payer::new(&pair.worlds[AWAY], "carol", 3).await;
    assert_eq!(code_of(pair.give(sent, &carol).await), Code::InvalidField);
    assert_eq!(code_of(pair.give(TransferId([9; 16]), &pair.people[AWAY]).await), Code::NotFound);
    for _ in 0..2 {
        pair.give(sent, &pair.people[AWAY]).await.unwrap();
        assert_eq!(pair.has(AWAY).await, (500, 0, 0));
    }
    assert_eq!(pair.stands(sent).await, TransferState::Done);
    let lines = pair.history(AWAY).await;
    let told: Vec<_> = lines.iter().map(|line| (line.transfer, line.state, line.credit)).collect();
    assert_eq!(told, [(sent, TransferState::Done, true), (sent, TransferState::Returned, true)]);
    assert_eq!(pair.row(AWAY).await.owed[0].position, "0.00");
    pair.pay(AWAY, 200, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.is_sound().await;
}

#[tokio::test]
async fn what_a_restored_node_has_forgotten_is_given_to_whom_the_operator_knows() {
    let mut pair = Pair::new().await;
    let backup = pair.worlds[AWAY].backed_up().await;
    let sent = pair.pay(HOME, 500, Intent::Payment).await.unwrap().transfer;
    pair.carry().await;
    pair.restore(AWAY, backup);
    pair.carry().await;
    pair.thaw().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_500, 0, 0), (0, 0, 0)));
    pair.is_sound().await;
    for _ in 0..2 {
        pair.give(sent, &pair.people[AWAY]).await.unwrap();
    }
    assert_eq!(pair.has(AWAY).await, (500, 0, 0));
    let line = pair.history(AWAY).await.remove(0);
    assert_eq!((line.purpose.as_str(), line.amount, line.state), ("correction", 500, TransferState::Done));
    pair.is_sound().await;
    let carol = Payer::new(&pair.worlds[AWAY], "carol", 3).await;
    assert!(pair.give(sent, &carol).await.is_err(), "it is given once");
    assert_eq!(pair.has(AWAY).await, (500, 0, 0));
}

#[tokio::test]
async fn an_order_that_a_thaw_alone_knows_is_answered() {
    let mut pair = Pair::new().await;
    let backup = pair.worlds[HOME].backed_up().await;
    let order = pair.order(HOME, 500, Intent::Payment);
    pair.submit(HOME, &order).await.unwrap();
    pair.carry().await;
    pair.restore(HOME, backup);
    pair.carry().await;
    pair.thaw().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((10_000, 0, 0), (500, 0, 0)));
    assert_eq!(code_of(pair.submit(HOME, &order).await), Code::AlreadyPaid);
    assert_eq!(pair.has(HOME).await, (10_000, 0, 0));
    pair.is_sound().await;
}

#[tokio::test]
async fn what_a_thaw_lets_a_node_owe_of_what_needs_approval_is_found() {
    let pair = Pair::new().await;
    let link = pair.link_of(HOME).await;
    let (over, position) = (link.account(pair.euro.id), link.position(pair.euro.id));
    // Before there was a threshold, and to the node's own good.
    pair.move_by_hand(HOME, 71, (position, over), Purpose::Correction).await;
    let carol = Payer::new(&pair.worlds[HOME], "carol", 3).await;
    carol.guard(&pair.worlds[HOME], pair.euro.id, 150).await;
    pair.move_by_hand(HOME, 72, (over, position), Purpose::Correction).await;
    assert_eq!(pair.findings(HOME).await, Vec::<String>::new());
    pair.move_by_hand(HOME, 73, (position, over), Purpose::Correction).await;
    let (id, peer) = (TransferId([73; 16]), &pair.worlds[AWAY].name);
    let told = format!("transfer {id} of a thaw with {peer} has brought in what needs approval");
    assert_eq!(pair.findings(HOME).await, [pair.uncorrected(HOME), told]);
}
