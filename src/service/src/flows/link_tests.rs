//! Alice has an account at one node, which issues euros, and bob at another: the two nodes have agreed that euros go between them.

use super::{
    FlowError, LinkRound,
    federated_tests::{key, node_with},
};
use crate::{
    ServiceConfig,
    federation::{Verdict, tests::support::FakeNet},
    testing::*,
    wallet::{
        CoveredWish, TermsWish, WalletError, check_ledger,
        tests::{Payer, euro},
    },
};
use std::sync::Arc;
use weft_ledger::link::{Body, Message, Prepare, Reason, compare};
use weft_wire::{
    Code, Signed, TransferId, UserAddress,
    admin::LinkRow,
    wallet::{Answer, AssetInfo, HistoryLine, Intent, PaymentOrder, Receipt, SubmitOrder, TransferState},
};

pub(super) const HOUR_MS: u64 = 3_600_000;
pub(super) const HOME: usize = 0;
pub(super) const AWAY: usize = 1;

pub(super) struct Pair {
    pub net: Arc<FakeNet>,
    pub worlds: [World; 2],
    pub people: [Payer; 2],
    pub euro: AssetInfo,
}

/// So much of the euros of [`HOME`].
pub(super) fn wish(limit: &str) -> TermsWish {
    let code = "EUR".parse().unwrap();
    let covered = CoveredWish { code, is_theirs: false, scale: None, limit: limit.into() };
    TermsWish { assets: vec![covered], rates: Vec::new(), lifetime_ms: None, seen: None }
}

impl Pair {
    /// Two nodes that know each other and have agreed on nothing.
    pub(super) async fn strangers() -> Pair {
        Pair::strangers_with(super::federated_tests::unlimited()).await
    }

    /// The same; this is how the other node is set up.
    pub(super) async fn strangers_with(away: ServiceConfig) -> Pair {
        Pair::strangers_of([super::federated_tests::unlimited(), away]).await
    }

    /// The same of both.
    pub(super) async fn strangers_of([home, away]: [ServiceConfig; 2]) -> Pair {
        let net = FakeNet::new(1);
        let worlds = [node_with(&net, NODE, 1, home).await, node_with(&net, "away.example", 2, away).await];
        for (own, other) in [(0, 1), (1, 0)] {
            let federation = worlds[own].service.federation();
            federation.meet(&worlds[other].name).await.unwrap();
            federation.judge(&worlds[other].name, Verdict::Trust).await.unwrap();
        }
        let people = [Payer::new(&worlds[0], "alice", 1).await, Payer::new(&worlds[1], "bob", 2).await];
        Pair::of(net, worlds, people).await
    }

    /// The same, of people who are there: alice has 100 euros.
    pub(super) async fn of(net: Arc<FakeNet>, worlds: [World; 2], people: [Payer; 2]) -> Pair {
        let euro = worlds[HOME].service.wallet().define(euro()).await.unwrap();
        let pair = Pair { net, worlds, people, euro };
        let flows = pair.worlds[HOME].service.flows();
        let alice = pair.people[HOME].user();
        flows.issue(TransferId([1; 16]), pair.euro.id, alice, 10_000, false).await.unwrap();
        pair
    }

    /// Bob's node is willing to have 100 euros.
    pub(super) async fn new() -> Pair {
        let pair = Pair::strangers().await;
        pair.agree("100").await;
        pair
    }

    pub(super) async fn agree(&self, limit: &str) {
        let wallet = self.worlds[HOME].service.wallet();
        wallet.propose_terms(&self.worlds[AWAY].name, wish(limit)).await.unwrap();
        self.carry().await;
        let offer = self.row(AWAY).await.theirs.expect("the offer has come");
        let wallet = self.worlds[AWAY].service.wallet();
        wallet.accept_terms(&self.worlds[HOME].name, &offer.digest).await.unwrap();
        self.carry().await;
    }

    pub(super) async fn row(&self, at: usize) -> LinkRow {
        let mut rows = self.worlds[at].service.wallet().links().await.unwrap();
        rows.pop().expect("no link, and no offer")
    }

    pub(super) async fn round(&self, from: usize) -> Result<LinkRound, FlowError> {
        self.worlds[from].service.flows().link_round(&self.worlds[1 - from].name).await
    }

    pub(super) async fn carry(&self) {
        for _ in 0..50 {
            let rounds = [self.round(HOME).await, self.round(AWAY).await];
            if !rounds.iter().any(|round| matches!(round, Ok(LinkRound::Went))) {
                return;
            }
        }
        panic!("it does not end");
    }

    pub(super) fn order(&mut self, from: usize, amount: u64, intent: Intent) -> PaymentOrder {
        let to = self.people[1 - from].user().clone();
        let asset = self.euro.id;
        self.people[from].order(&self.worlds[from], &to, asset, amount, intent)
    }

    pub(super) async fn submit(&self, from: usize, order: &PaymentOrder) -> Result<Receipt, FlowError> {
        let payer = &self.people[from];
        let order = Signed::sign(order, &payer.key);
        let world = &self.worlds[from];
        let answer = world.service.flows().pay(payer.device.caller(), SubmitOrder { order }).await?;
        Ok(answer.verify(&world.key.verifying_key().to_bytes()).unwrap())
    }

    pub(super) async fn pay(
        &mut self,
        from: usize,
        amount: u64,
        intent: Intent,
    ) -> Result<Receipt, FlowError> {
        let order = self.order(from, amount, intent);
        self.submit(from, &order).await
    }

    /// What can be paid, and what is held back and held for them.
    pub(super) async fn has(&self, who: usize) -> (u64, u64, u64) {
        let wallet = self.worlds[who].service.wallet();
        let accounts = wallet.accounts(self.people[who].device.caller()).await.unwrap().accounts;
        accounts.first().map_or((0, 0, 0), |account| (account.available, account.outgoing, account.incoming))
    }

    async fn state(&self, who: usize, transfer: TransferId) -> TransferState {
        let wallet = self.worlds[who].service.wallet();
        let info = wallet.transfer(self.people[who].device.caller(), transfer).await.unwrap();
        assert_eq!((&info.payer, &info.payee), (self.people[HOME].user(), self.people[AWAY].user()));
        info.state
    }

    pub(super) async fn history(&self, who: usize) -> Vec<HistoryLine> {
        let (wallet, caller) = (self.worlds[who].service.wallet(), self.people[who].device.caller());
        let account = wallet.accounts(caller).await.unwrap().accounts.pop().unwrap().id;
        wallet.history(caller, account, None).await.unwrap().lines
    }

    async fn answer(&self, transfer: TransferId, answer: Answer) -> Result<TransferState, WalletError> {
        let wallet = self.worlds[AWAY].service.wallet();
        Ok(wallet.answer(self.people[AWAY].device.caller(), transfer, answer).await?.state)
    }

    /// Each ledger is what its log says, and both nodes have the same of each payment and of what is owed.
    pub(super) async fn is_sound(&self) {
        let mut statements = Vec::new();
        for (at, world) in self.worlds.iter().enumerate() {
            let report = check_ledger(&world.store).await.unwrap();
            assert!(report.findings.is_empty(), "{}: {report:#?}", world.name);
            let peer = &self.worlds[1 - at].name;
            statements.push(world.service.wallet().link_statement(peer, 0).await.unwrap());
        }
        assert_eq!(compare(&statements[0], &statements[1]), []);
    }
}

#[tokio::test]
async fn a_transfer_between_nodes_says_when_it_was_taken() {
    let mut pair = Pair::new().await;
    let transfer = pair.pay(HOME, 500, Intent::Transfer).await.unwrap().transfer;
    pair.carry().await;
    for (who, hours) in [(HOME, 3), (AWAY, 2)] {
        pair.worlds[who].clock.advance(hours * HOUR_MS);
        assert_eq!(pair.history(who).await[0].settled_ms, None, "it waits");
    }
    pair.answer(transfer, Answer::Accept).await.unwrap();
    pair.carry().await;
    for (who, hours) in [(HOME, 3), (AWAY, 2)] {
        let line = pair.history(who).await.remove(0);
        assert_eq!((line.at_ms, line.settled_ms), (START_MS, Some(START_MS + hours * HOUR_MS)), "{who}");
    }
    // What went over at once went over when it was made.
    pair.pay(AWAY, 100, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.history(HOME).await[0].settled_ms, None);
}

pub(super) fn code_of<T: std::fmt::Debug>(result: Result<T, FlowError>) -> Code {
    code(result.unwrap_err())
}

#[tokio::test]
async fn what_is_paid_to_somebody_at_another_node_is_theirs_once_that_node_says_so() {
    let mut pair = Pair::new().await;
    let receipt = pair.pay(HOME, 1_234, Intent::Payment).await.unwrap();
    assert_eq!((receipt.state, receipt.until_ms), (TransferState::Held, None), "it is under way");
    assert_eq!(pair.has(HOME).await, (8_766, 1_234, 0));
    pair.carry().await;
    assert_eq!(pair.has(HOME).await, (8_766, 0, 0));
    assert_eq!(pair.has(AWAY).await, (1_234, 0, 0));
    for (who, credit) in [(HOME, false), (AWAY, true)] {
        assert_eq!(pair.state(who, receipt.transfer).await, TransferState::Done);
        let line = pair.history(who).await.remove(0);
        assert_eq!((line.transfer, line.credit, line.amount), (receipt.transfer, credit, 1_234));
        assert_eq!((line.purpose.as_str(), line.state), ("payment", TransferState::Done));
        assert_eq!(line.other.as_ref(), Some(pair.people[1 - who].user()));
    }
    // Bob's node knows what it is that he has, and cannot make more of it.
    let assets = pair.worlds[AWAY].service.wallet().assets().await.unwrap().assets;
    assert_eq!((assets[0].title.as_str(), &assets[0].asset.issuer), ("Euro", &pair.worlds[HOME].name));
    let flows = pair.worlds[AWAY].service.flows();
    let forged = flows.issue(TransferId([9; 16]), pair.euro.id, pair.people[AWAY].user(), 1, false).await;
    assert_eq!(code_of(forged), Code::NotFound);
    // He pays some of it back: she has it as she had it before.
    pair.pay(AWAY, 234, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_000, 0, 0), (1_000, 0, 0)));
    let row = pair.row(HOME).await;
    assert_eq!((row.owed[0].vostro, row.owed[0].owed.as_str()), (true, "10.00"));
    assert_eq!(pair.row(AWAY).await.owed[0].owed, "10.00");
    pair.is_sound().await;
}

#[tokio::test]
async fn a_transfer_waits_for_the_payee_at_the_other_node() {
    let mut pair = Pair::new().await;
    let taken = pair.pay(HOME, 3_000, Intent::Transfer).await.unwrap();
    let returned = pair.pay(HOME, 2_000, Intent::Transfer).await.unwrap();
    assert_eq!((taken.state, taken.until_ms), (TransferState::Held, Some(START_MS + 24 * HOUR_MS)));
    pair.carry().await;
    assert_eq!(pair.has(HOME).await, (5_000, 5_000, 0));
    assert_eq!(pair.has(AWAY).await, (0, 0, 5_000));
    for who in [HOME, AWAY] {
        assert_eq!(pair.state(who, taken.transfer).await, TransferState::Held);
    }
    for _ in 0..2 {
        assert_eq!(pair.answer(taken.transfer, Answer::Accept).await.unwrap(), TransferState::Done);
    }
    assert_eq!(pair.answer(returned.transfer, Answer::Return).await.unwrap(), TransferState::Returned);
    let late = pair.answer(returned.transfer, Answer::Accept).await;
    assert!(matches!(late, Err(WalletError::AlreadyDecided)), "{late:?}");
    // Alice cannot accept what is not for her.
    let wallet = pair.worlds[HOME].service.wallet();
    let hers = wallet.answer(pair.people[HOME].device.caller(), taken.transfer, Answer::Accept).await;
    assert!(matches!(hers, Err(WalletError::NotFound("transfer"))), "{hers:?}");
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((7_000, 0, 0), (3_000, 0, 0)));
    assert_eq!(pair.state(HOME, returned.transfer).await, TransferState::Returned);
    pair.is_sound().await;
}

#[tokio::test]
async fn what_nobody_accepts_in_time_comes_back() {
    let mut pair = Pair::new().await;
    let sent = pair.pay(HOME, 500, Intent::Transfer).await.unwrap();
    pair.carry().await;
    pair.worlds.iter().for_each(|world| world.clock.advance(24 * HOUR_MS));
    let late = pair.answer(sent.transfer, Answer::Accept).await;
    assert!(matches!(late, Err(WalletError::AlreadyDecided)), "{late:?}");
    assert_eq!(pair.worlds[AWAY].service.wallet().expire().await.unwrap(), 1);
    pair.carry().await;
    assert_eq!(pair.state(HOME, sent.transfer).await, TransferState::Expired);
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((10_000, 0, 0), (0, 0, 0)));
    pair.is_sound().await;
}

#[tokio::test]
async fn who_is_not_there_or_wants_nothing_of_the_payer_gets_nothing() {
    let mut pair = Pair::new().await;
    let nobody: UserAddress = "nobody@away.example".parse().unwrap();
    let order = PaymentOrder {
        payee: weft_wire::wallet::Payee::Person(nobody),
        ..pair.order(HOME, 100, Intent::Payment)
    };
    let receipt = pair.submit(HOME, &order).await.unwrap();
    let (flows, bob) = (pair.worlds[AWAY].service.flows(), pair.people[AWAY].device.caller());
    flows.block_contact(bob, pair.people[HOME].user()).await.unwrap();
    pair.pay(HOME, 200, Intent::Transfer).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.has(HOME).await, (10_000, 0, 0));
    assert_eq!(pair.has(AWAY).await, (0, 0, 0));
    let wallet = pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(pair.people[HOME].device.caller(), receipt.transfer).await.unwrap();
    assert_eq!(info.state, TransferState::Returned);
    pair.is_sound().await;
}

#[tokio::test]
async fn without_terms_or_beyond_them_nothing_is_held() {
    let mut pair = Pair::strangers().await;
    assert_eq!(code_of(pair.pay(HOME, 1, Intent::Payment).await), Code::NoLink);
    pair.agree("50").await;
    assert_eq!(code_of(pair.pay(HOME, 5_001, Intent::Payment).await), Code::LinkLimit);
    pair.pay(HOME, 3_000, Intent::Transfer).await.unwrap();
    // What is under way counts.
    assert_eq!(code_of(pair.pay(HOME, 2_001, Intent::Payment).await), Code::LinkLimit);
    assert_eq!(code_of(pair.pay(HOME, 7_001, Intent::Payment).await), Code::InsufficientFunds);
    let order = PaymentOrder { refunds: Some(TransferId([7; 16])), ..pair.order(HOME, 1, Intent::Payment) };
    assert_eq!(code_of(pair.submit(HOME, &order).await), Code::PaymentRefused);
    let points = weft_wire::wallet::DefineAsset { code: "POINTS".parse().unwrap(), ..euro() };
    let points = pair.worlds[HOME].service.wallet().define(points).await.unwrap().id;
    let order = PaymentOrder { asset: points, ..pair.order(HOME, 1, Intent::Payment) };
    assert_eq!(code_of(pair.submit(HOME, &order).await), Code::NoLink);
    pair.carry().await;
    // The operators raise the limit.
    pair.agree("90").await;
    pair.pay(HOME, 6_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.has(HOME).await, (1_000, 3_000, 0));
    assert_eq!(pair.has(AWAY).await, (6_000, 0, 3_000));
    pair.worlds[HOME].service.federation().judge(&pair.worlds[AWAY].name, Verdict::Block).await.unwrap();
    assert_eq!(code_of(pair.pay(HOME, 1, Intent::Payment).await), Code::Forbidden);
    pair.pay(AWAY, 1, Intent::Payment).await.unwrap();
    assert!(pair.round(AWAY).await.is_err(), "a node that is shut out is not heard");
    pair.worlds[HOME].service.federation().judge(&pair.worlds[AWAY].name, Verdict::Trust).await.unwrap();
    pair.carry().await;
    pair.is_sound().await;
}

#[tokio::test]
async fn the_same_order_and_the_same_post_again_change_nothing() {
    let mut pair = Pair::new().await;
    let order = pair.order(HOME, 700, Intent::Payment);
    let receipt = pair.submit(HOME, &order).await.unwrap();
    assert_eq!(pair.submit(HOME, &order).await.unwrap(), receipt);
    let wallet = pair.worlds[HOME].service.wallet();
    let said = wallet.say(&pair.worlds[AWAY].name, false).await.unwrap().post;
    let bytes = weft_wire::Blob(weft_wire::encode(&said));
    for _ in 0..3 {
        let flows = pair.worlds[AWAY].service.flows();
        flows.answer_link(&pair.worlds[HOME].name, &bytes).await.unwrap();
    }
    pair.carry().await;
    let again = pair.submit(HOME, &order).await.unwrap();
    assert_eq!((again.state, again.transfer), (TransferState::Done, receipt.transfer));
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_300, 0, 0), (700, 0, 0)));
    let other = PaymentOrder { amount: 800, ..order };
    assert_eq!(code_of(pair.submit(HOME, &other).await), Code::IdConflict);
    pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_goes_away_with_a_payment_decides_it_when_it_is_back() {
    let mut pair = Pair::new().await;
    let away = key(&pair.worlds[AWAY]);
    pair.net.state.lock().away.insert(away);
    let receipt = pair.pay(HOME, 400, Intent::Payment).await.unwrap();
    assert!(pair.round(HOME).await.is_err());
    assert_eq!(pair.state(HOME, receipt.transfer).await, TransferState::Held);
    // A week is no reason to give it back alone: nobody knows what was decided there.
    pair.worlds[HOME].clock.advance(7 * 24 * HOUR_MS);
    pair.worlds[HOME].service.wallet().expire().await.unwrap();
    assert_eq!(pair.has(HOME).await, (9_600, 400, 0));
    pair.net.back(away);
    pair.carry().await;
    assert_eq!(pair.state(HOME, receipt.transfer).await, TransferState::Done);
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_600, 0, 0), (400, 0, 0)));
    pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_lies_about_the_amount_is_not_paid_and_the_link_stands_still() {
    let mut pair = Pair::new().await;
    let receipt = pair.pay(HOME, 600, Intent::Transfer).await.unwrap();
    pair.carry().await;
    pair.answer(receipt.transfer, Answer::Accept).await.unwrap();
    // What bob's node would say, with another amount.
    let wallet = pair.worlds[AWAY].service.wallet();
    let mut said = wallet.say(&pair.worlds[HOME].name, false).await.unwrap().post;
    let mut message: Message = said.messages[0].peek().unwrap();
    let Body::Fulfil { given, .. } = &mut message.body else { panic!("not what was expected") };
    given.amount = 601;
    said.messages = vec![Signed::sign(&message, &pair.worlds[AWAY].key)];
    let bytes = weft_wire::Blob(weft_wire::encode(&said));
    let flows = pair.worlds[HOME].service.flows().clone();
    flows.answer_link(&pair.worlds[AWAY].name, &bytes).await.unwrap();
    assert_eq!(pair.has(HOME).await, (9_400, 600, 0), "it is neither paid nor given back");
    assert!(pair.row(HOME).await.frozen.unwrap().contains("other amounts"));
    assert_eq!(code_of(pair.pay(HOME, 1, Intent::Payment).await), Code::LinkFrozen);
    pair.carry().await;
    assert!(pair.row(AWAY).await.frozen.is_some(), "the other one hears of it");
    assert_eq!(code_of(pair.pay(AWAY, 1, Intent::Payment).await), Code::LinkFrozen);
    // Nobody else can say anything in its name.
    let forged = Signed::sign(&message, &pair.worlds[HOME].key);
    said.messages = vec![forged];
    let bytes = weft_wire::Blob(weft_wire::encode(&said));
    assert!(flows.answer_link(&pair.worlds[AWAY].name, &bytes).await.is_err());
}

#[tokio::test]
async fn a_payment_under_an_id_that_is_not_the_payers_is_not_taken() {
    let mut pair = Pair::new().await;
    let order = pair.order(HOME, 100, Intent::Payment);
    let receipt = pair.submit(HOME, &order).await.unwrap();
    let wallet = pair.worlds[HOME].service.wallet();
    let mut said = wallet.say(&pair.worlds[AWAY].name, false).await.unwrap().post;
    let mut message: Message = said.messages[0].peek().unwrap();
    let Body::Prepare(prepare) = &mut message.body else { panic!("not what was expected") };
    *prepare = Prepare { payment: TransferId([8; 16]), ..prepare.clone() };
    said.messages = vec![Signed::sign(&message, &pair.worlds[HOME].key)];
    let bytes = weft_wire::Blob(weft_wire::encode(&said));
    let flows = pair.worlds[AWAY].service.flows();
    flows.answer_link(&pair.worlds[HOME].name, &bytes).await.unwrap();
    assert_eq!(pair.has(AWAY).await, (0, 0, 0));
    let answer = pair.worlds[AWAY].service.wallet().say(&pair.worlds[HOME].name, false).await.unwrap();
    let told: Message = answer.post.messages[0].peek().unwrap();
    assert!(matches!(told.body, Body::Reject { reason: Reason::UnknownPayee, .. }), "{told:?}");
    assert_eq!(pair.state(HOME, receipt.transfer).await, TransferState::Held);
}

#[tokio::test]
async fn a_node_from_an_old_backup_is_found_out_before_it_pays_twice() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 1_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    let backup = pair.worlds[AWAY].backed_up().await;
    pair.pay(AWAY, 300, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!((pair.has(HOME).await.0, pair.has(AWAY).await.0), (9_300, 700));
    // The disk of bob's node is lost; by its backup he has what he has spent.
    let federation = backup.service.federation();
    federation.connect(pair.net.end(key(&backup)), pair.net.clone());
    pair.net.state.lock().handlers.insert(key(&backup), Arc::new(federation.clone()));
    pair.worlds[AWAY] = backup;
    assert_eq!(pair.has(AWAY).await.0, 1_000);
    pair.carry().await;
    let (home, away) = (pair.row(HOME).await.frozen, pair.row(AWAY).await.frozen);
    assert!(away.as_ref().is_some_and(|why| why.contains("lost its latest state")), "{away:?}");
    assert!(home.is_some(), "the other one stops as well");
    for from in [HOME, AWAY] {
        assert_eq!(code_of(pair.pay(from, 1, Intent::Payment).await), Code::LinkFrozen);
    }
    assert_eq!(pair.has(HOME).await.0, 9_300, "and keeps what it has");

    // The operators look at what follows from both books, and sign it.
    let flows = [HOME, AWAY].map(|at| pair.worlds[at].service.flows().clone());
    let names = [HOME, AWAY].map(|at| pair.worlds[at].name.clone());
    let seen = flows[HOME].thaw_link(&names[AWAY], 0, None).await.unwrap();
    assert!(!seen.agreed && seen.lines.iter().any(|line| line.contains("7.00 from then on")), "{seen:?}");
    let other = flows[HOME].thaw_link(&names[AWAY], 0, Some("00000000")).await;
    assert_eq!(code_of(other), Code::NotFound);
    let first = flows[HOME].thaw_link(&names[AWAY], 0, Some(&seen.digest)).await.unwrap();
    assert!(first.agreed && !first.done, "one operator alone starts nothing");
    assert_eq!(code_of(pair.pay(HOME, 1, Intent::Payment).await), Code::LinkFrozen);
    let his = flows[AWAY].thaw_link(&names[HOME], 0, None).await.unwrap();
    assert!(his.lines.iter().any(|line| line.contains("is not known here: it has happened")), "{his:?}");
    assert_eq!(his.digest, seen.digest);
    assert!(flows[AWAY].thaw_link(&names[HOME], 0, Some(&his.digest)).await.unwrap().done);
    pair.pay(HOME, 50, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.row(HOME).await.owed[0].owed, "7.50");
    assert_eq!(pair.row(AWAY).await.owed[0].owed, "7.50");
    // What bob has spent twice is his own node's loss.
    assert_eq!((pair.has(HOME).await.0, pair.has(AWAY).await.0), (9_250, 1_050));
    for world in &pair.worlds {
        let report = check_ledger(&world.store).await.unwrap();
        assert!(report.findings.is_empty(), "{}: {report:#?}", world.name);
    }
}

#[tokio::test]
async fn terms_count_when_both_have_signed_the_same_and_only_then() {
    let mut pair = Pair::strangers().await;
    let (home, away) = (pair.worlds[HOME].service.flows().clone(), pair.worlds[AWAY].service.flows().clone());
    let (home_name, away_name) = (pair.worlds[HOME].name.clone(), pair.worlds[AWAY].name.clone());
    let first = home.propose_terms(&away_name, wish("10")).await.unwrap();
    pair.carry().await;
    // The operator there has seen another offer than the one that lies there by now.
    let second = home.propose_terms(&away_name, wish("20")).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.row(AWAY).await.theirs.unwrap().digest, second);
    assert_eq!(code_of(away.accept_terms(&home_name, &first).await), Code::NotFound);
    for beginning in ["", &second[..16], &second[..63]] {
        assert_eq!(code_of(away.accept_terms(&home_name, beginning).await), Code::NotFound);
    }
    assert_eq!(code_of(pair.pay(HOME, 1, Intent::Payment).await), Code::NoLink);
    away.accept_terms(&home_name, &second).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.row(HOME).await.terms.unwrap().digest, second);
    assert_eq!(code_of(pair.pay(HOME, 2_001, Intent::Payment).await), Code::LinkLimit);
    // Nobody offers terms who is not known, and none are offered to them.
    let stranger = "far.example".parse().unwrap();
    assert_eq!(code_of(home.propose_terms(&stranger, wish("1")).await), Code::NotFound);
    let other =
        CoveredWish { code: "GOLD".parse().unwrap(), is_theirs: false, scale: None, limit: "1".into() };
    let unknown = TermsWish { assets: vec![other], rates: Vec::new(), lifetime_ms: None, seen: None };
    assert_eq!(code_of(home.propose_terms(&away_name, unknown).await), Code::NotFound);
}
