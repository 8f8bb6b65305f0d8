//! What is tried with the money between two nodes: by members who only ask, by a node that wants to be remembered, and by one that
//! offers terms after which no others could come.

use super::{
    FlowError,
    federated_tests::{node, node_with, unlimited},
    link_tests::{AWAY, HOME, Pair, code_of},
};
use crate::{
    Fault, ServiceConfig,
    federation::{Verdict, tests::support::FakeNet},
    testing::{NODE, START_MS},
    wallet::{CoveredWish, LinkPost, TermsWish, tests::Payer},
};
use weft_ledger::link::Terms;
use weft_wire::{
    Blob, Code, NodeName, RequestId, Signed,
    federation::Answer,
    wallet::{Intent, InvoiceLine, SendInvoice},
};

fn limited() -> ServiceConfig {
    ServiceConfig { rate_limit_factor: 1.0, written_mib_per_day: 1, ..unlimited() }
}

/// Alice's node has limits, bob's has none.
async fn limited_home() -> Pair {
    let net = FakeNet::new(1);
    let worlds = [node_with(&net, NODE, 1, limited()).await, node(&net, "away.example", 2).await];
    for (own, other) in [(HOME, AWAY), (AWAY, HOME)] {
        let federation = worlds[own].service.federation();
        federation.meet(&worlds[other].name).await.unwrap();
        federation.judge(&worlds[other].name, Verdict::Trust).await.unwrap();
    }
    let people = [Payer::new(&worlds[HOME], "alice", 1).await, Payer::new(&worlds[AWAY], "bob", 2).await];
    let pair = Pair::of(net, worlds, people).await;
    pair.agree("100").await;
    pair
}

impl Pair {
    /// Alice asks for what is not there.
    async fn peep(&self, nth: u8) -> Code {
        let flows = self.worlds[HOME].service.flows();
        let (alice, away) = (self.people[HOME].device.caller(), &self.worlds[AWAY].name);
        let name = "corner".parse().unwrap();
        match nth % 2 {
            0 => code_of(flows.shop(alice, &name, Some(away)).await),
            _ => code_of(flows.invoice(alice, &name, RequestId([nth; 16]), Some(away)).await),
        }
    }

    /// Bob's node says something to alice's.
    async fn hears(&self, post: &LinkPost) -> Result<Answer, FlowError> {
        let flows = self.worlds[HOME].service.flows();
        flows.answer_link(&self.worlds[AWAY].name, &Blob(weft_wire::encode(post))).await
    }
}

#[tokio::test]
async fn what_members_ask_another_node_does_not_hold_up_payments() {
    let mut pair = Pair::strangers_with(limited()).await;
    pair.agree("100").await;
    let mut told = Vec::new();
    while told.len() < 2_000 && told.last() != Some(&Code::RateLimited) {
        told.push(pair.peep(told.len() as u8).await);
    }
    assert_eq!(told.pop(), Some(Code::RateLimited), "bob's node hears no more questions of alice's");
    pair.pay(HOME, 500, Intent::Payment).await.unwrap();
    pair.carry().await;
    assert_eq!((pair.has(HOME).await, pair.has(AWAY).await), ((9_500, 0, 0), (500, 0, 0)));
}

#[tokio::test]
async fn a_member_asks_other_nodes_so_often_and_no_oftener() {
    let pair = limited_home().await;
    let asked = async |shop_or_invoice: u8| {
        let mut asked = 0;
        while asked < 2_000 && pair.peep(shop_or_invoice).await != Code::RateLimited {
            asked += 1;
        }
        asked
    };
    for later in [false, true] {
        // The one does not use up the other.
        assert!((30..=300).contains(&asked(1).await), "{later}");
        assert!((30..=300).contains(&asked(0).await), "{later}");
        assert_eq!((asked(0).await, asked(1).await), (0, 0));
        pair.worlds[HOME].clock.advance(60_000);
    }
}

#[tokio::test]
async fn a_node_that_stands_still_is_not_read_through_again_and_again() {
    let pair = limited_home().await;
    pair.worlds[HOME].service.wallet().freeze_link(&pair.worlds[AWAY].name).await.unwrap();
    let wants = LinkPost { wants_statement: Some(u64::MAX), ..LinkPost::default() };
    let mut given = 0;
    while given < 500 && pair.hears(&wants).await.is_ok() {
        given += 1;
    }
    assert!((5..=100).contains(&given), "{given}");
    assert_eq!(code_of(pair.hears(&wants).await), Code::RateLimited);
    pair.worlds[HOME].clock.advance(60_000);
    pair.hears(&wants).await.unwrap();
}

#[tokio::test]
async fn of_nodes_that_are_not_known_nothing_is_remembered() {
    let pair = Pair::new().await;
    let flows = pair.worlds[HOME].service.flows();
    let before = flows.voices.len();
    for seed in 0..50 {
        let stranger = NodeName::of_key(&[seed; 32]);
        let said = flows.answer_link(&stranger, &Blob(weft_wire::encode(&LinkPost::default()))).await;
        assert!(said.is_err(), "{said:?}");
    }
    assert_eq!(flows.voices.len(), before);
}

#[tokio::test]
async fn terms_behind_which_no_others_could_come_do_not_come_into_force() {
    let pair = Pair::strangers().await;
    let [home, away] = [HOME, AWAY].map(|at| &pair.worlds[at]);
    let offer = async |version| {
        let wallet = away.service.wallet();
        let mut post = wallet.say(&home.name, true).await.unwrap().post;
        let offer = post.offer.as_mut().expect("bob's operator has signed");
        let terms = Terms { version, ..offer.terms.peek().unwrap() };
        offer.terms = Signed::sign(&terms, &away.key);
        post
    };
    let covered =
        CoveredWish { code: "EUR".parse().unwrap(), is_theirs: true, scale: Some(2), limit: "5".into() };
    let wish = TermsWish { assets: vec![covered], ..TermsWish::default() };
    away.service.wallet().propose_terms(&home.name, wish).await.unwrap();
    let flows = home.service.flows();
    for version in [u32::MAX, u32::MAX - 1, 1 << 31] {
        pair.hears(&offer(version).await).await.unwrap();
        let asked = pair.row(HOME).await.theirs.expect("it was offered");
        let signed = flows.accept_terms(&away.name, &asked.digest).await;
        assert_eq!(code_of(signed), Code::Conflict, "version {version}");
    }
    assert_eq!(pair.row(HOME).await.terms, None);
    pair.hears(&offer(1).await).await.unwrap();
    let asked = pair.row(HOME).await.theirs.expect("it was offered");
    flows.accept_terms(&away.name, &asked.digest).await.unwrap();
    assert_eq!(pair.row(HOME).await.terms.unwrap().version, 1);
}

#[tokio::test]
async fn who_sends_invoices_without_end_fills_no_disk() {
    let pair = limited_home().await;
    let carol = pair.worlds[HOME].sign_up("carol").await;
    let line = |_| InvoiceLine { text: "x".repeat(128), quantity: 1_000, unit_price: 1, tax_rate: None };
    let flows = pair.worlds[HOME].service.flows();
    for nth in 0..1_000_u128 {
        if nth % 50 == 0 {
            pair.worlds[HOME].clock.advance(60_000);
        }
        let wish = SendInvoice {
            id: RequestId(nth.to_be_bytes()),
            shop: None,
            to: carol.user.clone(),
            asset: pair.euro.id,
            lines: (0..32).map(line).collect(),
            total: 32,
            due_ms: START_MS + 30 * 24 * 3_600_000,
            note: "n".repeat(512),
        };
        match flows.send_invoice(pair.people[HOME].device.caller(), wish).await {
            Ok(_) => {}
            Err(FlowError::Fault(Fault::WrittenTooMuch { .. })) if nth > 50 => return,
            Err(error) => panic!("{nth}: {error:?}"),
        }
    }
    panic!("five mebibytes, of one that may be written in a day");
}
