//! Each of the two nodes has money of its own: alice has euros, bob dollars, and the operators have signed at which rates the one is
//! given for the other. And what came over a link goes back over it.

use super::{
    FlowError,
    link_tests::{AWAY, HOME, Pair, code_of, wish},
};
use crate::wallet::{
    CoveredWish, RateWish, TermsWish, WalletError, check_ledger,
    guard_records::GuardChangeRecord,
    tests::{Payer, euro},
};
use weft_ledger::link::{Body, Message, Reason};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    AssetId, Blob, Code, Signed, TransferId,
    links::{DecideSettlement, ProposeSettlement, StatementKind},
    wallet::{Answer, DefineAsset, Exchange, Intent, PaymentOrder, Rejection, TransferState},
};

/// The dollars of bob's node.
pub(super) struct Two {
    pub pair: Pair,
    pub dollar: AssetId,
}

fn rate(give: (&str, bool), get: (&str, bool), rate: Option<&str>) -> RateWish {
    RateWish {
        give: give.0.parse().unwrap(),
        gives_theirs: give.1,
        get: get.0.parse().unwrap(),
        gets_theirs: get.1,
        rate: rate.map(Into::into),
        until_ms: u64::MAX,
    }
}

/// For a euro 1.09 dollars, for a dollar 0.91 euros.
fn rates() -> Vec<RateWish> {
    let (euro, dollar) = (("EUR", false), ("USD", true));
    vec![rate(euro, dollar, Some("1.09")), rate(dollar, euro, Some("0.91"))]
}

impl Two {
    pub(super) async fn new() -> Two {
        let pair = Pair::strangers().await;
        let dollar = DefineAsset { code: "USD".parse().unwrap(), ..euro() };
        let dollar = pair.worlds[AWAY].service.wallet().define(dollar).await.unwrap().id;
        let (id, bob) = (TransferId([2; 16]), pair.people[AWAY].user());
        pair.worlds[AWAY].service.flows().issue(id, dollar, bob, 10_000, false).await.unwrap();
        let two = Two { pair, dollar };
        let theirs = CoveredWish {
            code: "USD".parse().unwrap(),
            is_theirs: true,
            scale: Some(2),
            limit: "100".into(),
        };
        let TermsWish { mut assets, .. } = wish("100");
        assets.push(theirs);
        two.agree(TermsWish { assets, rates: rates(), lifetime_ms: None, seen: None }).await;
        two
    }

    async fn agree(&self, wish: TermsWish) {
        let pair = &self.pair;
        pair.worlds[HOME].service.wallet().propose_terms(&pair.worlds[AWAY].name, wish).await.unwrap();
        pair.carry().await;
        let offer = pair.row(AWAY).await.theirs.expect("the offer has come");
        let wallet = pair.worlds[AWAY].service.wallet();
        wallet.accept_terms(&pair.worlds[HOME].name, &offer.digest).await.unwrap();
        pair.carry().await;
    }

    fn exchanged(&mut self, amount: u64, got: u64) -> PaymentOrder {
        let exchange = Some(Exchange { asset: self.dollar, amount: got });
        PaymentOrder { exchange, ..self.pair.order(HOME, amount, Intent::Payment) }
    }

    /// What somebody has of euros and of dollars.
    async fn has(&self, who: usize) -> [u64; 2] {
        let pair = &self.pair;
        let wallet = pair.worlds[who].service.wallet();
        let accounts = wallet.accounts(pair.people[who].device.caller()).await.unwrap().accounts;
        let of = |asset| {
            accounts.iter().find(|account| account.asset.id == asset).map_or(0, |account| account.balance)
        };
        [of(pair.euro.id), of(self.dollar)]
    }

    async fn owed(&self, at: usize) -> Vec<(String, String)> {
        let owed = self.pair.row(at).await.owed.into_iter();
        owed.map(|owed| (owed.owed, owed.position)).collect()
    }
}

fn texts(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(one, other)| (String::from(*one), String::from(*other))).collect()
}

#[tokio::test]
async fn euros_become_dollars_at_the_rate_that_both_operators_have_signed() {
    let mut two = Two::new().await;
    let row = two.pair.row(AWAY).await.terms.unwrap();
    let told: Vec<_> = row.rates.iter().map(|rate| (rate.give.code.as_str(), rate.rate.as_str())).collect();
    assert_eq!(told, [("EUR", "1.09"), ("USD", "0.91")], "the operator has seen them");
    let links = two.pair.worlds[HOME].service.wallet().assets().await.unwrap().links;
    let [rate] = links[0].rates.as_slice() else { panic!("what alice can pay with: {links:?}") };
    assert_eq!(
        (rate.give, rate.get.id(), rate.numerator, rate.denominator),
        (two.pair.euro.id, two.dollar, 109, 100)
    );
    let order = two.exchanged(1_200, 1_308);
    let receipt = two.pair.submit(HOME, &order).await.unwrap();
    assert_eq!(receipt.exchange, order.exchange);
    two.pair.carry().await;
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([8_800, 0], [0, 11_308]));
    // Bob's node has twelve euros with alice's, and has given dollars for them.
    assert_eq!(two.owed(AWAY).await, texts(&[("12.00", "12.00"), ("0.00", "-13.08")]));
    assert_eq!(two.owed(HOME).await, texts(&[("12.00", "0.00"), ("0.00", "0.00")]));
    let wallet = two.pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(two.pair.people[HOME].device.caller(), receipt.transfer).await.unwrap();
    let got = info.exchange.expect("what bob got");
    assert_eq!((info.amount, got.amount, got.asset.id()), (1_200, 1_308, two.dollar));
    let wallet = two.pair.worlds[AWAY].service.wallet();
    let info = wallet.transfer(two.pair.people[AWAY].device.caller(), receipt.transfer).await.unwrap();
    let given = info.exchange.expect("what alice gave");
    assert_eq!((info.amount, given.amount, given.asset.id()), (1_308, 1_200, two.pair.euro.id));
    let told = wallet.link_account(&two.pair.worlds[HOME].name, 0, u64::MAX).await.unwrap();
    assert_eq!((told.assets[0].lines[0].kind, told.assets[1].lines.len()), (StatementKind::Exchange, 0));
    // One cent of a euro is one cent of a dollar and nine hundredths of one, which nobody can have.
    let order = two.exchanged(1, 1);
    two.pair.submit(HOME, &order).await.unwrap();
    two.pair.carry().await;
    assert_eq!(two.has(AWAY).await, [0, 11_309]);
    two.pair.is_sound().await;
}

#[tokio::test]
async fn another_result_than_that_of_the_rate_is_refused_on_both_sides() {
    let mut two = Two::new().await;
    for (given, got) in [(1_200, 1_309), (1_200, 1_307), (1_200, 0), (1, 2), (1_200, u64::MAX)] {
        let order = two.exchanged(given, got);
        let code = code_of(two.pair.submit(HOME, &order).await);
        assert!(code == Code::RateChanged || (got == 0 && code == Code::PaymentRefused), "{got}: {code:?}");
    }
    // Of one's own euros for euros, of an asset that is not exchanged, and for somebody here.
    let own = Exchange { asset: two.pair.euro.id, amount: 1_200 };
    let order = PaymentOrder { exchange: Some(own), ..two.exchanged(1_200, 1_308) };
    assert_eq!(code_of(two.pair.submit(HOME, &order).await), Code::RateChanged);
    let order = two.exchanged(1_200, 1_308);
    let here = weft_wire::wallet::Payee::Person(weft_wire::UserAddress::new(
        "carol".parse().unwrap(),
        two.pair.worlds[HOME].name.clone(),
    ));
    two.pair.worlds[HOME].sign_up("carol").await;
    assert_eq!(
        code_of(two.pair.submit(HOME, &PaymentOrder { payee: here, ..order.clone() }).await),
        Code::InvalidField
    );
    // Above what bob's node is willing to have of euros.
    let much = two.exchanged(10_001, 10_901);
    assert_eq!(code_of(two.pair.submit(HOME, &much).await), Code::InsufficientFunds);
    // Alice's node lies to bob's: it rejects that by itself, and no dollar moves.
    let order = two.exchanged(1_200, 1_308);
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    let wallet = two.pair.worlds[HOME].service.wallet();
    let mut said = wallet.say(&two.pair.worlds[AWAY].name, false).await.unwrap().post;
    let mut message: Message = said.messages[0].peek().unwrap();
    let Body::Prepare(prepare) = &mut message.body else { panic!("not what was expected") };
    prepare.get.as_mut().unwrap().amount = 1_309;
    said.messages = vec![Signed::sign(&message, &two.pair.worlds[HOME].key)];
    let bytes = Blob(weft_wire::encode(&said));
    let flows = two.pair.worlds[AWAY].service.flows();
    flows.answer_link(&two.pair.worlds[HOME].name, &bytes).await.unwrap();
    assert_eq!(two.has(AWAY).await, [0, 10_000]);
    let wallet = two.pair.worlds[AWAY].service.wallet();
    let answer = wallet.say(&two.pair.worlds[HOME].name, false).await.unwrap();
    let told: Message = answer.post.messages[0].peek().unwrap();
    let rejected = Body::Reject { payment: sent.transfer, reason: Reason::Rate };
    assert_eq!(told.body, rejected);
}

#[tokio::test]
async fn what_needs_a_second_person_is_given_by_no_exchange() {
    let mut two = Two::new().await;
    // Bob owns his node; carol approves.
    let carol = Payer::new(&two.pair.worlds[AWAY], "carol", 3).await;
    carol.guard(&two.pair.worlds[AWAY], two.dollar, 1_000_000).await;
    let order = two.exchanged(1_200, 1_308);
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    two.pair.carry().await;
    let wallet = two.pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(two.pair.people[HOME].device.caller(), sent.transfer).await.unwrap();
    assert_eq!(info.state, TransferState::Returned);
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([10_000, 0], [0, 10_000]));
    // What alice's node owes is no new money of bob's, and goes on as before.
    two.pair.pay(HOME, 500, Intent::Payment).await.unwrap();
    two.pair.carry().await;
    assert_eq!(two.has(AWAY).await, [500, 10_000]);
    two.pair.is_sound().await;
}

#[tokio::test]
async fn what_waited_for_a_yes_before_there_was_a_threshold_gets_none_after() {
    let mut two = Two::new().await;
    let before = two.exchanged(100, 109);
    two.pair.submit(HOME, &before).await.unwrap();
    let order = PaymentOrder { intent: Intent::Transfer, ..two.exchanged(1_200, 1_308) };
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    two.pair.carry().await;
    let carol = Payer::new(&two.pair.worlds[AWAY], "carol", 3).await;
    carol.guard(&two.pair.worlds[AWAY], two.dollar, 1_000_000).await;
    let (bob, wallet) = (two.pair.people[AWAY].device.caller(), two.pair.worlds[AWAY].service.wallet());
    let refused = wallet.answer(bob, sent.transfer, Answer::Accept).await.map_err(FlowError::from);
    assert_eq!(code_of(refused), Code::PaymentRefused);
    two.pair.carry().await;
    let wallet = two.pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(two.pair.people[HOME].device.caller(), sent.transfer).await.unwrap();
    assert_eq!((info.state, info.rejection), (TransferState::Returned, Some(Rejection::Guarded)));
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([9_900, 0], [0, 10_109]));
    two.pair.is_sound().await;
    // Had there been a threshold from the beginning, the first one should not be in the books.
    let store = &two.pair.worlds[AWAY].store;
    for row in store.scan(tables::GUARD_LOG, Scan::prefix([])).await.unwrap() {
        let change = GuardChangeRecord::from_record(&row.value).unwrap();
        let earlier = GuardChangeRecord { event: 0, ..change }.to_record();
        store.commit(Batch::new().put(tables::GUARD_LOG, row.key, earlier)).await.unwrap();
    }
    let report = check_ledger(store).await.unwrap();
    assert!(report.findings.iter().any(|finding| finding.contains("exchanged for what needs")), "{report:?}");
}

#[tokio::test]
async fn what_was_exchanged_and_forgotten_is_not_thawed_once_there_is_a_threshold() {
    let mut two = Two::new().await;
    let order = PaymentOrder { intent: Intent::Transfer, ..two.exchanged(1_200, 1_308) };
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    two.pair.carry().await;
    let backup = two.pair.worlds[AWAY].backed_up().await;
    let (bob, wallet) = (two.pair.people[AWAY].device.caller(), two.pair.worlds[AWAY].service.wallet());
    wallet.answer(bob, sent.transfer, Answer::Accept).await.unwrap();
    two.pair.carry().await;
    two.pair.restore(AWAY, backup);
    let carol = Payer::new(&two.pair.worlds[AWAY], "carol", 3).await;
    carol.guard(&two.pair.worlds[AWAY], two.dollar, 1_000_000).await;
    two.pair.carry().await;
    let (flows, home) = (two.pair.worlds[AWAY].service.flows(), &two.pair.worlds[HOME].name);
    let seen = flows.thaw_link(home, 0, None).await.unwrap();
    assert_eq!(seen.guarded.as_deref(), Some("13.08 USD@away.example"), "{seen:?}");
    assert_eq!(code_of(flows.thaw_link(home, 0, Some(&seen.digest)).await), Code::Conflict);
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([8_800, 0], [0, 10_000]));
    let report = check_ledger(&two.pair.worlds[AWAY].store).await.unwrap();
    assert_eq!(report.findings, [""; 0]);
}

#[tokio::test]
async fn what_was_exchanged_and_forgotten_is_thawed_and_found_by_no_audit_after() {
    let mut two = Two::new().await;
    let order = PaymentOrder { intent: Intent::Transfer, ..two.exchanged(1_200, 1_308) };
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    two.pair.carry().await;
    let backup = two.pair.worlds[AWAY].backed_up().await;
    let (bob, wallet) = (two.pair.people[AWAY].device.caller(), two.pair.worlds[AWAY].service.wallet());
    wallet.answer(bob, sent.transfer, Answer::Accept).await.unwrap();
    two.pair.carry().await;
    two.pair.restore(AWAY, backup);
    two.pair.carry().await;
    two.pair.thaw().await;
    let carol = Payer::new(&two.pair.worlds[AWAY], "carol", 3).await;
    carol.guard(&two.pair.worlds[AWAY], two.dollar, 1_000_000).await;
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([8_800, 0], [0, 11_308]));
    two.pair.is_sound().await;
}

#[tokio::test]
async fn a_yes_to_a_rate_that_is_over_gives_the_money_back_and_says_why() {
    let mut two = Two::new().await;
    let order = PaymentOrder { intent: Intent::Transfer, ..two.exchanged(1_200, 1_308) };
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    two.pair.carry().await;
    let dearer = rate(("EUR", false), ("USD", true), Some("1.05"));
    two.agree(TermsWish { rates: vec![dearer], ..TermsWish::default() }).await;
    let (bob, wallet) = (two.pair.people[AWAY].device.caller(), two.pair.worlds[AWAY].service.wallet());
    let late = wallet.answer(bob, sent.transfer, Answer::Accept).await.map_err(FlowError::from);
    assert_eq!(code_of(late), Code::RateChanged);
    two.pair.carry().await;
    let wallet = two.pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(two.pair.people[HOME].device.caller(), sent.transfer).await.unwrap();
    assert_eq!((info.state, info.rejection), (TransferState::Returned, Some(Rejection::Rate)));
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([10_000, 0], [0, 10_000]));
    two.pair.is_sound().await;
}

#[tokio::test]
async fn a_rate_that_has_changed_in_between_gives_the_money_back() {
    let mut two = Two::new().await;
    let order = two.exchanged(1_200, 1_308);
    let sent = two.pair.submit(HOME, &order).await.unwrap();
    // Before the payment is said, both have signed another rate.
    let names = [HOME, AWAY].map(|at| two.pair.worlds[at].name.clone());
    let wallets = [HOME, AWAY].map(|at| two.pair.worlds[at].service.wallet().clone());
    let dearer = rate(("EUR", false), ("USD", true), Some("1.05"));
    let wish = TermsWish { rates: vec![dearer], ..TermsWish::default() };
    let named = wallets[HOME].propose_terms(&names[AWAY], wish).await.unwrap();
    let key = two.pair.worlds[HOME].key.verifying_key().to_bytes();
    let offer = wallets[HOME].say(&names[AWAY], true).await.unwrap().post.offer.unwrap();
    wallets[AWAY].take_offer(&names[HOME], &key, offer).await.unwrap();
    wallets[AWAY].accept_terms(&names[HOME], &crate::wallet::hex(&named)).await.unwrap();
    two.pair.carry().await;
    let info = wallets[HOME].transfer(two.pair.people[HOME].device.caller(), sent.transfer).await.unwrap();
    assert_eq!(info.state, TransferState::Returned);
    assert_eq!((two.has(HOME).await, two.has(AWAY).await), ([10_000, 0], [0, 10_000]));
    let old = two.exchanged(1_200, 1_308);
    assert_eq!(code_of(two.pair.submit(HOME, &old).await), Code::RateChanged);
    let new = two.exchanged(1_200, 1_260);
    two.pair.submit(HOME, &new).await.unwrap();
    two.pair.carry().await;
    assert_eq!(two.has(AWAY).await, [0, 11_260]);
    // A rate that is taken back is none.
    two.agree(TermsWish { rates: vec![rate(("EUR", false), ("USD", true), None)], ..TermsWish::default() })
        .await;
    let gone = two.exchanged(1_200, 1_260);
    assert_eq!(code_of(two.pair.submit(HOME, &gone).await), Code::RateChanged);
    two.pair.is_sound().await;
}

#[tokio::test]
async fn what_both_owe_is_set_off_at_the_rate_of_the_terms() {
    let mut two = Two::new().await;
    two.pair.pay(HOME, 5_000, Intent::Payment).await.unwrap();
    let alice = two.pair.people[HOME].user().clone();
    let bobs =
        two.pair.people[AWAY].order(&two.pair.worlds[AWAY], &alice, two.dollar, 4_000, Intent::Payment);
    two.pair.submit(AWAY, &bobs).await.unwrap();
    two.pair.carry().await;
    let netting = |id: u8, amount: &str| ProposeSettlement {
        id: TransferId([id; 16]),
        asset: "EUR".parse().unwrap(),
        amount: amount.into(),
        against: Some("USD".parse().unwrap()),
        note: String::new(),
    };
    let (home, away) = (two.pair.worlds[HOME].service.wallet(), two.pair.worlds[AWAY].service.wallet());
    let (home_name, away_name) = (&two.pair.worlds[HOME].name, &two.pair.worlds[AWAY].name);
    // Forty euros are 43.60 dollars, of which there are forty.
    assert!(home.propose_settlement(away_name, netting(9, "40.00")).await.is_err());
    home.propose_settlement(away_name, netting(10, "20.00")).await.unwrap();
    // At the same moment bob's operator sets off the other way: 20 dollars are 18.20 euros.
    let other = ProposeSettlement {
        id: TransferId([11; 16]),
        asset: "USD".parse().unwrap(),
        against: Some("EUR".parse().unwrap()),
        ..netting(11, "20.00")
    };
    away.propose_settlement(home_name, other).await.unwrap();
    two.pair.carry().await;
    let yes = || DecideSettlement { accept: true, amount: "20.00".into() };
    // One of them finds too few dollars left; which one follows from who said it first.
    let first = away.decide_settlement(home_name, TransferId([10; 16]), yes()).await;
    let second = home.decide_settlement(away_name, TransferId([11; 16]), yes()).await;
    assert!(
        first.is_err() && second.is_err(),
        "each finds the dollars held by its own: {first:?} {second:?}"
    );
    home.propose_settlement(away_name, netting(12, "20.00")).await.unwrap();
    two.pair.carry().await;
    away.decide_settlement(home_name, TransferId([12; 16]), yes()).await.unwrap();
    two.pair.carry().await;
    assert_eq!(two.owed(HOME).await, texts(&[("30.00", "20.00"), ("18.20", "-21.80")]));
    assert_eq!(two.owed(AWAY).await, texts(&[("30.00", "-20.00"), ("18.20", "21.80")]));
    // Asked for once more it is the same, also when the rate is another one by now, or none.
    let none = |from, to| rate((from, false), (to, true), None);
    two.agree(TermsWish { rates: vec![none("EUR", "USD")], ..TermsWish::default() }).await;
    let (home, away_name) = (two.pair.worlds[HOME].service.wallet(), &two.pair.worlds[AWAY].name);
    assert!(home.propose_settlement(away_name, netting(13, "1.00")).await.is_err(), "there is no rate");
    home.propose_settlement(away_name, netting(12, "20.00")).await.unwrap();
    let other = home.propose_settlement(away_name, netting(12, "19.00")).await;
    assert!(matches!(other, Err(WalletError::IdConflict)), "{other:?}");
    let told = home.link_account(away_name, 0, u64::MAX).await.unwrap();
    let kinds = told.assets.iter().map(|part| part.lines.last().map(|line| line.kind));
    assert!(kinds.eq([Some(StatementKind::Netting); 2]));
    two.pair.is_sound().await;
}

#[tokio::test]
async fn who_was_paid_from_another_node_gives_it_back_in_full_and_in_parts() {
    let mut pair = Pair::new().await;
    let paid = pair.pay(HOME, 3_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    let back = |pair: &mut Pair, amount| PaymentOrder {
        refunds: Some(paid.transfer),
        ..pair.order(AWAY, amount, Intent::Payment)
    };
    let order = back(&mut pair, 1_000);
    let first = pair.submit(AWAY, &order).await.unwrap();
    let order = back(&mut pair, 2_001);
    assert_eq!(code_of(pair.submit(AWAY, &order).await), Code::PaymentRefused, "what is on its way counts");
    pair.carry().await;
    assert_eq!((pair.has(HOME).await.0, pair.has(AWAY).await.0), (8_000, 2_000));
    for who in [HOME, AWAY] {
        let lines = pair.history(who).await;
        let (gave, came) = (&lines[0], &lines[1]);
        assert_eq!((gave.transfer, gave.refunds), (first.transfer, Some(paid.transfer)));
        assert_eq!((gave.purpose.as_str(), came.transfer, came.refunded), ("refund", paid.transfer, 1_000));
        let wallet = pair.worlds[who].service.wallet();
        let caller = pair.people[who].device.caller();
        assert_eq!(wallet.transfer(caller, paid.transfer).await.unwrap().refunded, 1_000);
        assert_eq!(wallet.transfer(caller, first.transfer).await.unwrap().refunds, Some(paid.transfer));
    }
    let order = back(&mut pair, 2_000);
    pair.submit(AWAY, &order).await.unwrap();
    pair.carry().await;
    let order = back(&mut pair, 1);
    assert_eq!(code_of(pair.submit(AWAY, &order).await), Code::PaymentRefused);
    assert_eq!((pair.has(HOME).await.0, pair.has(AWAY).await.0), (10_000, 0));
    // Nobody gives back what they have paid themselves, or what was given back.
    let order = PaymentOrder { refunds: Some(paid.transfer), ..pair.order(HOME, 1, Intent::Payment) };
    assert_eq!(code_of(pair.submit(HOME, &order).await), Code::PaymentRefused);
    pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_gives_back_what_was_not_paid_is_not_believed() {
    let mut pair = Pair::new().await;
    let paid = pair.pay(HOME, 3_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    let order = PaymentOrder { refunds: Some(paid.transfer), ..pair.order(AWAY, 500, Intent::Payment) };
    pair.submit(AWAY, &order).await.unwrap();
    let wallet = pair.worlds[AWAY].service.wallet();
    let mut said = wallet.say(&pair.worlds[HOME].name, false).await.unwrap().post;
    let mut message: Message = said.messages[0].peek().unwrap();
    let Body::Prepare(prepare) = &mut message.body else { panic!("not what was expected") };
    prepare.refunds = Some(TransferId([88; 16]));
    said.messages = vec![Signed::sign(&message, &pair.worlds[AWAY].key)];
    let bytes = Blob(weft_wire::encode(&said));
    pair.worlds[HOME].service.flows().answer_link(&pair.worlds[AWAY].name, &bytes).await.unwrap();
    assert_eq!(pair.has(HOME).await.0, 7_000);
    let wallet = pair.worlds[HOME].service.wallet();
    let told: Message =
        wallet.say(&pair.worlds[AWAY].name, false).await.unwrap().post.messages[0].peek().unwrap();
    assert!(matches!(told.body, Body::Reject { reason: Reason::Refund, .. }), "{told:?}");
}
