//! What a payer, a node and two operators do to a link that is not meant to jam: too many payments that wait, too much that is said,
//! terms that are accepted on both sides at once.

use super::{
    FlowError, LinkRound,
    federated_tests::{key, unlimited},
    link_tests::{AWAY, HOME, HOUR_MS, Pair, code_of, wish},
};
use crate::{
    ServiceConfig,
    federation::{FederationError, Verdict},
    testing::*,
    wallet::{CoveredWish, TermsWish, WalletError, check_ledger, tests::Payer},
};
use std::sync::Arc;
use weft_ledger::link::{
    Body, Message, PAYER_TRANSFERS_MAX, PAYER_WAITING_MAX, Reason, TRANSFERS_MAX, compare,
};
use weft_store::{Scan, tables};
use weft_wire::{
    Code, OrderId, Signed, TransferId, UserAddress,
    wallet::{Answer, Intent, Payee, PaymentOrder, SubmitOrder, TransferState},
};

/// So many of them as a link needs that none has too many.
const CROWD: usize = (TRANSFERS_MAX / PAYER_TRANSFERS_MAX) as usize;

impl Pair {
    /// Somebody of one node sends somebody of the other so much, who has to accept it.
    async fn send(
        &self,
        from: usize,
        by: &mut Payer,
        to: &UserAddress,
        amount: u64,
    ) -> Result<(), FlowError> {
        let order = by.order(&self.worlds[from], to, self.euro.id, amount, Intent::Transfer);
        let order = Signed::sign(&order, &by.key);
        self.worlds[from].service.flows().pay(by.device.caller(), SubmitOrder { order }).await.map(drop)
    }

    /// People of a node, each with a euro.
    async fn crowd(&mut self, at: usize) -> Vec<Payer> {
        let mut people = Vec::new();
        for n in 0..CROWD {
            let payer = Payer::new(&self.worlds[at], &format!("crowd{n}"), 10 + n as u8).await;
            let id = TransferId([100 + n as u8; 16]);
            match at {
                HOME => {
                    let flows = self.worlds[HOME].service.flows();
                    flows.issue(id, self.euro.id, payer.user(), 100, false).await.unwrap();
                }
                _ => {
                    let order = PaymentOrder {
                        payee: Payee::Person(payer.user().clone()),
                        ..self.order(HOME, 100, Intent::Payment)
                    };
                    self.submit(HOME, &order).await.unwrap();
                }
            }
            people.push(payer);
        }
        self.carry().await;
        people
    }

    /// A node dies and comes back.
    async fn restart(&mut self, at: usize) {
        self.worlds[at].engine.take_commits();
        let world = self.worlds[at].restarted().await;
        let federation = world.service.federation();
        federation.connect(self.net.end(key(&world)), self.net.clone());
        self.net.state.lock().handlers.insert(key(&world), Arc::new(federation.clone()));
        self.worlds[at] = world;
    }

    async fn books_are_sound(&self) {
        for world in &self.worlds {
            let report = check_ledger(&world.store).await.unwrap();
            assert!(report.findings.is_empty(), "{}: {report:#?}", world.name);
        }
    }
}

#[tokio::test]
async fn one_payer_does_not_shut_a_link_for_all() {
    let mut pair = Pair::new().await;
    let mut carol = Payer::new(&pair.worlds[HOME], "carol", 3).await;
    let flows = pair.worlds[HOME].service.flows().clone();
    flows.issue(TransferId([2; 16]), pair.euro.id, carol.user(), 100, false).await.unwrap();
    let mut sent = Vec::new();
    for _ in 0..PAYER_TRANSFERS_MAX {
        sent.push(pair.pay(HOME, 1, Intent::Transfer).await.unwrap().transfer);
    }
    pair.carry().await;
    let busy = pair.pay(HOME, 1, Intent::Transfer).await;
    assert!(
        busy.as_ref().is_err_and(|error| error.to_string().contains("too many payments wait")),
        "{busy:?}"
    );
    assert_eq!(code_of(busy), Code::LinkLimit);
    pair.pay(HOME, 1, Intent::Payment).await.unwrap();
    pair.carry().await;
    let bob = pair.people[AWAY].user().clone();
    pair.send(HOME, &mut carol, &bob, 1).await.unwrap();
    // Bob answers one of alice's: she may send the next.
    let (wallet, him) = (pair.worlds[AWAY].service.wallet(), pair.people[AWAY].device.caller());
    wallet.answer(him, sent[0], Answer::Accept).await.unwrap();
    pair.carry().await;
    pair.pay(HOME, 1, Intent::Transfer).await.unwrap();
    pair.carry().await;
    pair.is_sound().await;
}

#[tokio::test]
async fn a_link_on_which_as_many_wait_as_may_goes_on_and_also_after_a_stop_in_between() {
    let mut pair = Pair::new().await;
    let (alice, bob) = (pair.people[HOME].user().clone(), pair.people[AWAY].user().clone());
    let mut crowds = [pair.crowd(HOME).await, pair.crowd(AWAY).await];
    for (from, to) in [(HOME, &bob), (AWAY, &alice)] {
        for payer in &mut crowds[from] {
            for _ in 0..PAYER_TRANSFERS_MAX {
                pair.send(from, payer, to, 1).await.unwrap();
            }
        }
        pair.carry().await;
    }
    for at in [HOME, AWAY] {
        let row = pair.row(at).await;
        assert_eq!((row.waiting_out, row.waiting_in), (TRANSFERS_MAX, TRANSFERS_MAX));
    }
    let names = [HOME, AWAY].map(|at| pair.worlds[at].name.clone());
    pair.worlds[HOME].service.wallet().freeze_link(&names[AWAY]).await.unwrap();
    pair.carry().await;
    let home = pair.worlds[HOME].service.flows().clone();
    let seen = home.thaw_link(&names[AWAY], START_MS + HOUR_MS, None).await.unwrap();
    assert!(home.thaw_link(&names[AWAY], START_MS + HOUR_MS, Some(&seen.digest)).await.unwrap().agreed);
    // The other node dies when some of it is done.
    let away = pair.worlds[AWAY].service.flows().clone();
    let agrees = away.thaw_link(&names[HOME], START_MS + HOUR_MS, None).await.unwrap();
    assert_eq!(agrees.digest, seen.digest);
    pair.worlds[AWAY].engine.refuse_commits_after(12);
    away.thaw_link(&names[HOME], START_MS + HOUR_MS, Some(&seen.digest)).await.unwrap_err();
    pair.restart(AWAY).await;
    let half = pair.row(AWAY).await;
    assert!(half.frozen.is_some() && half.waiting_in + half.waiting_out > 0, "{half:?}");
    assert!(
        half.waiting_in < TRANSFERS_MAX || half.waiting_out < TRANSFERS_MAX,
        "some of it is done: {half:?}"
    );
    pair.worlds[AWAY].service.flows().finish_thaw(&names[HOME]).await.unwrap();
    let again = home.thaw_link(&names[AWAY], START_MS + HOUR_MS, Some(&seen.digest)).await;
    assert!(again.is_ok_and(|row| row.done) || pair.row(HOME).await.frozen.is_none());
    for at in [HOME, AWAY] {
        let row = pair.row(at).await;
        assert_eq!((row.waiting_out, row.waiting_in, row.frozen, row.era), (0, 0, None, 1));
    }
    pair.books_are_sound().await;
    for (from, to) in [(HOME, &bob), (AWAY, &alice)] {
        let first = &mut crowds[from][0];
        pair.send(from, first, to, 100).await.unwrap();
    }
    pair.carry().await;
    pair.is_sound().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_node_asks_for_costs_it_and_what_was_refused_is_forgotten() {
    let small = ServiceConfig { rate_limit_factor: 1.0, written_mib_per_day: 1, ..unlimited() };
    let mut pair = Pair::strangers_with(small).await;
    pair.agree("100").await;
    let (federation, home) = (pair.worlds[AWAY].service.federation(), pair.worlds[HOME].name.clone());
    federation.judge(&home, Verdict::Limit(20)).await.unwrap();
    let nobody: UserAddress = "nobody@away.example".parse().unwrap();
    let mut over = None;
    for _ in 0..20 {
        for _ in 0..PAYER_WAITING_MAX {
            let order =
                PaymentOrder { payee: Payee::Person(nobody.clone()), ..pair.order(HOME, 1, Intent::Payment) };
            let order = PaymentOrder { id: OrderId(u128::from(order.counter).to_be_bytes()), ..order };
            // Of what is not taken any more, as many wait as may.
            let _ = pair.submit(HOME, &order).await;
        }
        // What is not confirmed is said again after a while.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        if let Err(error) = pair.round(HOME).await {
            over = Some(error);
            break;
        }
    }
    let Some(FlowError::Federation(FederationError::Refused(problem))) = over else { panic!("{over:?}") };
    assert!(problem.code == Code::RateLimited && problem.retry_after_ms.is_some(), "{problem:?}");
    let rows = async |pair: &Pair, table| {
        pair.worlds[AWAY].store.scan(table, Scan::prefix([]).limit(10_000)).await.unwrap()
    };
    let kept = rows(&pair, tables::LINK_PAYMENTS).await;
    assert!(
        kept.len() > 50 && kept.len() < 250,
        "a mebibyte, of which each costs five times as much: {}",
        kept.len()
    );
    assert!(kept.iter().all(|row| row.value.len() < 256), "neither names nor what was said");
    // The next day there is room again.
    for world in &pair.worlds {
        world.clock.advance(24 * HOUR_MS);
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    pair.carry().await;
    assert_eq!(pair.has(HOME).await, (10_000, 0, 0));
    assert_eq!(pair.row(HOME).await.waiting_out, 0);
    pair.is_sound().await;
    // And some days later nothing is left of it at the payee's node.
    for world in &pair.worlds {
        world.clock.advance(8 * 24 * HOUR_MS);
        world.service.wallet().expire().await.unwrap();
    }
    for table in [tables::LINK_PAYMENTS, tables::LINK_REJECTED] {
        assert_eq!(rows(&pair, table).await.len(), 0, "{}", table.name);
    }
    let mut statements = Vec::new();
    for at in [HOME, AWAY] {
        let wallet = pair.worlds[at].service.wallet();
        statements.push(wallet.link_statement(&pair.worlds[1 - at].name, 0).await.unwrap());
    }
    assert!(statements[0].lines.len() > 50 && statements[1].lines.is_empty());
    assert_eq!(compare(&statements[0], &statements[1]), []);
}

#[tokio::test]
async fn what_is_refused_is_kept_until_the_other_node_knows() {
    let mut pair = Pair::new().await;
    let nobody: UserAddress = "nobody@away.example".parse().unwrap();
    let order = PaymentOrder { payee: Payee::Person(nobody), ..pair.order(HOME, 1, Intent::Payment) };
    pair.submit(HOME, &order).await.unwrap();
    let said = pair.worlds[HOME].service.wallet().say(&pair.worlds[AWAY].name, false).await.unwrap().post;
    let bytes = weft_wire::Blob(weft_wire::encode(&said));
    let away = pair.worlds[AWAY].service.flows().clone();
    away.answer_link(&pair.worlds[HOME].name, &bytes).await.unwrap();
    let count = async |pair: &Pair| {
        let scan = Scan::prefix([]);
        pair.worlds[AWAY].store.scan(tables::LINK_PAYMENTS, scan).await.unwrap().len()
    };
    pair.worlds[AWAY].clock.advance(30 * 24 * HOUR_MS);
    pair.worlds[AWAY].service.wallet().expire().await.unwrap();
    assert_eq!(count(&pair).await, 1, "the answer was lost, as far as is known");
    pair.carry().await;
    pair.worlds[AWAY].service.wallet().expire().await.unwrap();
    assert_eq!(count(&pair).await, 0);
    // What was said then is taken no more, and nothing comes of it.
    away.answer_link(&pair.worlds[HOME].name, &bytes).await.unwrap();
    pair.carry().await;
    assert_eq!(count(&pair).await, 0);
    pair.is_sound().await;
}

#[tokio::test]
async fn terms_that_were_given_up_for_others_do_not_come_back() {
    let mut could = 0;
    for limit in ["10", "11", "12", "13"] {
        let mut pair = Pair::strangers().await;
        let names = [HOME, AWAY].map(|at| pair.worlds[at].name.clone());
        let flows = [HOME, AWAY].map(|at| pair.worlds[at].service.flows().clone());
        pair.agree("5").await;
        // This operator offers a large limit; the other does not sign it and offers less, which this one signs.
        let large = flows[HOME].propose_terms(&names[AWAY], wish("9000")).await.unwrap();
        pair.carry().await;
        let offer = pair.worlds[HOME].service.wallet().say(&names[AWAY], true).await.unwrap().post.offer;
        let small = flows[AWAY].propose_terms(&names[HOME], counter_wish(limit)).await.unwrap();
        pair.carry().await;
        flows[HOME].accept_terms(&names[AWAY], &small).await.unwrap();
        pair.carry().await;
        pair.pay(HOME, 100, Intent::Payment).await.unwrap();
        pair.carry().await;
        for at in [HOME, AWAY] {
            assert_eq!(pair.row(at).await.terms.unwrap().digest, small);
        }
        // Both have spoken under these terms; and then the other has signed the large ones after all.
        let mut offer = offer.unwrap();
        offer.terms = Signed::sign(&offer.terms.peek().unwrap(), &pair.worlds[AWAY].key);
        let key = pair.worlds[AWAY].key.verifying_key().to_bytes();
        let _ = pair.worlds[HOME].service.wallet().take_offer(&names[AWAY], &key, offer).await;
        assert_eq!(pair.row(HOME).await.terms.unwrap().digest, small, "{limit}");
        could += usize::from(large < small);
    }
    assert!(could > 0, "of two that are signed at the same moment these would not have counted anyway");
}

/// Terms as the other node proposes them: about the euros of [`HOME`] as well.
fn counter_wish(limit: &str) -> TermsWish {
    let code = "EUR".parse().unwrap();
    let covered = CoveredWish { code, is_theirs: true, scale: Some(2), limit: limit.into() };
    TermsWish { assets: vec![covered], rates: Vec::new(), lifetime_ms: None, seen: None }
}

#[tokio::test]
async fn terms_that_both_accept_at_the_same_moment_end_as_the_same() {
    let mut winners = [0; 2];
    for (first, limits) in
        [(HOME, ["10", "20"]), (AWAY, ["10", "20"]), (HOME, ["30", "40"]), (AWAY, ["50", "40"])]
    {
        let mut pair = Pair::strangers().await;
        let names = [HOME, AWAY].map(|at| pair.worlds[at].name.clone());
        let flows = [HOME, AWAY].map(|at| pair.worlds[at].service.flows().clone());
        // Twice: for the first terms, and for later ones.
        for version in 1..=2 {
            let ours = flows[HOME].propose_terms(&names[AWAY], wish(limits[0])).await.unwrap();
            pair.carry().await;
            let theirs = flows[AWAY].propose_terms(&names[HOME], counter_wish(limits[1])).await.unwrap();
            pair.carry().await;
            flows[HOME].accept_terms(&names[AWAY], &theirs).await.unwrap();
            flows[AWAY].accept_terms(&names[HOME], &ours).await.unwrap();
            assert_ne!(
                pair.row(HOME).await.terms.unwrap().digest,
                pair.row(AWAY).await.terms.unwrap().digest
            );
            // What is paid in between arrives, whichever way it goes first.
            pair.pay(HOME, 100, Intent::Payment).await.unwrap();
            if version == 2 {
                pair.pay(AWAY, 10, Intent::Payment).await.unwrap();
            }
            let _ = pair.round(first).await;
            pair.carry().await;
            let winner = ours.clone().min(theirs.clone());
            winners[usize::from(winner == theirs)] += 1;
            for at in [HOME, AWAY] {
                let row = pair.row(at).await;
                let terms = row.terms.unwrap();
                assert_eq!((&terms.digest, terms.version), (&winner, version), "{first} {limits:?}");
            }
            assert_eq!(pair.row(HOME).await.waiting_out, 0);
            assert!(matches!(pair.round(first).await, Ok(LinkRound::Idle(_))));
        }
        assert_eq!(pair.has(AWAY).await.0, 190);
        pair.is_sound().await;
    }
    assert!(winners.iter().all(|count| *count > 0), "either may win: {winners:?}");
}

#[tokio::test]
async fn a_node_that_goes_away_with_what_waits_there_decides_it_when_it_is_back() {
    let mut pair = Pair::new().await;
    let taken = pair.pay(HOME, 400, Intent::Transfer).await.unwrap().transfer;
    let late = pair.pay(HOME, 300, Intent::Transfer).await.unwrap().transfer;
    assert!(matches!(pair.round(HOME).await, Ok(LinkRound::Went)));
    assert_eq!(pair.has(AWAY).await, (0, 0, 700), "both have arrived");
    let away = key(&pair.worlds[AWAY]);
    pair.net.state.lock().away.insert(away);
    // Bob takes one of them, which alice's node does not hear of.
    let (wallet, bob) = (pair.worlds[AWAY].service.wallet(), pair.people[AWAY].device.caller());
    wallet.answer(bob, taken, Answer::Accept).await.unwrap();
    for _ in 0..4 {
        pair.worlds[HOME].clock.advance(7 * 24 * HOUR_MS);
        pair.worlds[HOME].service.wallet().expire().await.unwrap();
        assert!(pair.round(HOME).await.is_err(), "there is nobody");
        assert_eq!(pair.has(HOME).await, (9_300, 700, 0), "it is neither paid nor given back");
        assert_eq!(pair.has(AWAY).await, (400, 0, 300));
        pair.books_are_sound().await;
    }
    pair.worlds[AWAY].clock.advance(28 * 24 * HOUR_MS);
    let too_late =
        pair.worlds[AWAY].service.wallet().answer(pair.people[AWAY].device.caller(), late, Answer::Accept);
    assert!(matches!(too_late.await, Err(WalletError::AlreadyDecided)));
    pair.worlds[AWAY].service.wallet().expire().await.unwrap();
    assert_eq!(pair.has(HOME).await, (9_300, 700, 0), "what was decided there is not known here");
    pair.net.back(away);
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_600, 0, 0), (400, 0, 0)));
    for (transfer, state) in [(taken, TransferState::Done), (late, TransferState::Expired)] {
        for at in [HOME, AWAY] {
            let caller = pair.people[at].device.caller();
            let info = pair.worlds[at].service.wallet().transfer(caller, transfer).await.unwrap();
            assert_eq!(info.state, state, "{at}");
        }
    }
    assert_eq!(pair.row(HOME).await.waiting_out, 0);
    pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_sends_more_than_was_agreed_is_refused_by_the_other_itself() {
    for (amount, is_taken) in [(4_000, true), (4_001, false), (u64::MAX, false)] {
        let mut pair = Pair::new().await;
        pair.pay(HOME, 6_000, Intent::Transfer).await.unwrap();
        pair.carry().await;
        pair.pay(HOME, 1, Intent::Payment).await.unwrap();
        // What alice's node would say if it did not keep to the terms.
        let wallet = pair.worlds[HOME].service.wallet();
        let mut said = wallet.say(&pair.worlds[AWAY].name, false).await.unwrap().post;
        let mut message: Message = said.messages[0].peek().unwrap();
        let Body::Prepare(prepare) = &mut message.body else { panic!("not what was expected") };
        prepare.give.amount = amount;
        said.messages = vec![Signed::sign(&message, &pair.worlds[HOME].key)];
        let bytes = weft_wire::Blob(weft_wire::encode(&said));
        let flows = pair.worlds[AWAY].service.flows();
        flows.answer_link(&pair.worlds[HOME].name, &bytes).await.unwrap();
        let paid = if is_taken { amount } else { 0 };
        assert_eq!(pair.has(AWAY).await, (paid, 0, 6_000), "{amount}");
        let answer = pair.worlds[AWAY].service.wallet().say(&pair.worlds[HOME].name, false).await.unwrap();
        let told: Message = answer.post.messages[0].peek().unwrap();
        match told.body {
            Body::Fulfil { .. } => assert!(is_taken, "{amount}"),
            Body::Reject { reason, .. } => assert_eq!((reason, is_taken), (Reason::Limit, false), "{amount}"),
            other => panic!("{amount}: {other:?}"),
        }
        pair.books_are_sound().await;
    }
}
