//! People on two nodes: alice is at home, bob is away.

use crate::{
    ServiceConfig,
    federation::{
        Round, Verdict,
        tests::support::{FakeNet, signing_key},
    },
    testing::*,
};
use std::sync::Arc;
use weft_net::{PeerHandler, PeerKey};
use weft_store::{Scan, tables};
use weft_wire::{
    Blob, Code, NodeName, Problem, UserAddress, codec,
    contacts::{Contact, ContactAccept, ContactRequest, ContactState, CreateContactLink},
    federation::{Answer, Batch, BatchAck, ContactStep, Event, EventResult, Question},
    node::SignupPolicy,
    sync::{InboxItem, ServerFrame},
};

pub(super) struct Two {
    pub net: Arc<FakeNet>,
    pub home: World,
    pub away: World,
    pub alice: Device,
    pub bob: Device,
}

pub(super) fn key(world: &World) -> PeerKey {
    PeerKey(world.key.verifying_key().to_bytes())
}

/// A node that refuses nothing for being too much.
pub(super) fn unlimited() -> ServiceConfig {
    ServiceConfig { signup: SignupPolicy::Open, rate_limit_factor: 0.0, ..ServiceConfig::default() }
}

pub(super) async fn node(net: &Arc<FakeNet>, name: &str, seed: u64) -> World {
    node_with(net, name, seed, unlimited()).await
}

pub(super) async fn node_with(net: &Arc<FakeNet>, name: &str, seed: u64, config: ServiceConfig) -> World {
    let world = World::named(name, signing_key(seed), config).await;
    net.publish(&world.name, seed);
    let federation = world.service.federation();
    federation.connect(net.end(key(&world)), net.clone());
    net.state.lock().handlers.insert(key(&world), Arc::new(federation.clone()));
    world
}

impl Two {
    async fn new() -> Two {
        Two::with(unlimited(), unlimited()).await
    }

    async fn with(home: ServiceConfig, away: ServiceConfig) -> Two {
        let net = FakeNet::new(1);
        let home = node_with(&net, NODE, 1, home).await;
        let away = node_with(&net, "away.example", 2, away).await;
        let (alice, bob) = (home.sign_up("alice").await, away.sign_up("bob").await);
        Two { net, home, away, alice, bob }
    }

    /// Until nothing waits on either side.
    pub async fn carry(&self) {
        for _ in 0..10 {
            let there = self.home.service.federation().round(&self.away.name).await;
            let back = self.away.service.federation().round(&self.home.name).await;
            if matches!((there, back), (Ok(Round::Idle), Ok(Round::Idle))) {
                return;
            }
        }
        panic!("it does not end");
    }

    pub fn cut(&self) {
        self.net.state.lock().away.insert(key(&self.away));
    }

    async fn ask(&self, token: Option<Blob>) -> Result<ContactState, Problem> {
        let request = ContactRequest { to: self.bob.user.clone(), sealed: sealed("hello"), token };
        let asked = self.home.service.flows().request_contact(self.alice.caller(), request).await;
        Ok(asked?.state)
    }

    async fn ask_back(&self) -> ContactState {
        let request = ContactRequest { to: self.alice.user.clone(), sealed: sealed("hi"), token: None };
        self.away.service.flows().request_contact(self.bob.caller(), request).await.unwrap().state
    }

    async fn accept(&self) {
        let accept = ContactAccept { sealed: sealed("welcome") };
        let flows = self.away.service.flows();
        flows.accept_contact(self.bob.caller(), &self.alice.user, accept).await.unwrap();
    }

    pub async fn connected() -> Two {
        Two::connected_with(unlimited(), unlimited()).await
    }

    pub async fn connected_with(home: ServiceConfig, away: ServiceConfig) -> Two {
        let two = Two::with(home, away).await;
        two.ask(None).await.unwrap();
        two.carry().await;
        two.accept().await;
        two.carry().await;
        two
    }

    /// How each sees the other.
    async fn stands(&self) -> (Option<ContactState>, Option<ContactState>) {
        let at = async |world: &World, device: &Device| {
            contacts(world, device).await.first().map(|contact| contact.state)
        };
        (at(&self.home, &self.alice).await, at(&self.away, &self.bob).await)
    }
}

async fn contacts(world: &World, device: &Device) -> Vec<Contact> {
    world.service.contacts().list(device.caller(), None).await.unwrap().contacts
}

/// What a device is told of contacts: how it stands, and what came along.
async fn told(world: &World, device: &Device) -> Vec<(Option<ContactState>, Option<Blob>)> {
    let mut socket = device.socket(&world.service, 0).await;
    let mut told = Vec::new();
    while let Ok(frame) = tokio::time::timeout(std::time::Duration::from_millis(50), socket.next()).await {
        let ServerFrame::Inbox { items } = frame.unwrap() else { continue };
        for entry in items {
            if let InboxItem::Contact { state, sealed, .. } = entry.item {
                told.push((state, sealed));
            }
        }
    }
    told
}

use ContactState::{Accepted, Blocked, Incoming, Outgoing};

#[tokio::test]
async fn two_people_of_two_nodes_become_contacts_and_reach_each_other() {
    let two = Two::new().await;
    let found = two.home.service.flows().lookup(two.alice.caller(), &two.bob.user, &[]).await.unwrap();
    assert_eq!(found.identity, two.bob.identity());
    two.bob.publish(&two.away.service, 1).await;
    let claim =
        async || two.home.service.flows().claim_key_packages(two.alice.caller(), &two.bob.user, None).await;
    assert_eq!(code(claim().await.unwrap_err()), Code::NoConsent);

    assert_eq!(two.ask(None).await, Ok(Outgoing));
    assert_eq!(two.stands().await, (Some(Outgoing), None), "true here before it has arrived there");
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Outgoing), Some(Incoming)));
    assert_eq!(code(claim().await.unwrap_err()), Code::NoConsent);
    // Nor does it help to say otherwise.
    let question =
        Question::Claim { by: two.alice.user.clone(), user: two.bob.user.name.clone(), room: None };
    let answer = two.away.service.federation().query(key(&two.home), codec::encode(&question)).await;
    let Answer::Problem(problem) = codec::decode(&answer, 4096).unwrap() else { panic!("handed out") };
    assert_eq!(problem.code, Code::NoConsent);

    two.accept().await;
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)));
    let hello = (Some(Incoming), Some(sealed("hello")));
    assert_eq!(told(&two.away, &two.bob).await, [hello, (Some(Accepted), Some(sealed("hello")))]);
    let welcome = (Some(Accepted), Some(sealed("welcome")));
    assert_eq!(told(&two.home, &two.alice).await, [(Some(Outgoing), None), welcome]);
    assert_eq!(contacts(&two.home, &two.alice).await[0].identity, two.bob.identity());

    let claimed = claim().await.unwrap();
    assert_eq!((claimed.identity, claimed.packages.len()), (two.bob.identity(), 1));
    assert_eq!(claimed.packages[0].device, two.bob.id());
}

#[tokio::test]
async fn a_request_waits_for_a_node_that_is_away_and_is_taken_back_when_it_waits_too_long() {
    let two = Two::new().await;
    let lookup = async || two.home.service.flows().lookup(two.alice.caller(), &two.bob.user, &[]).await;
    lookup().await.unwrap();
    two.cut();
    let problem = Problem::from(lookup().await.unwrap_err());
    assert_eq!((problem.code, problem.detail.as_deref()), (Code::NodeUnreachable, Some("away.example")));
    // Who was looked up before can be asked; it leaves later.
    assert_eq!(two.ask(None).await, Ok(Outgoing));
    let federation = two.home.service.federation();
    assert!(federation.round(&two.away.name).await.is_err());
    assert_eq!(federation.waiting(&two.away.name).await.unwrap(), 1);
    two.home.clock.advance(two.home.config.peer_retention_ms + 1);
    assert!(matches!(federation.round(&two.away.name).await, Ok(Round::Idle)));
    assert_eq!(two.stands().await, (None, None));
    assert_eq!(told(&two.home, &two.alice).await, [(Some(Outgoing), None), (None, None)]);

    assert_eq!(two.ask(None).await, Ok(Outgoing), "and may be asked again");
    two.net.back(key(&two.away));
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Outgoing), Some(Incoming)));
}

#[tokio::test]
async fn two_who_ask_at_the_same_moment_have_agreed() {
    let two = Two::new().await;
    two.ask(None).await.unwrap();
    two.ask_back().await;
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)));
}

#[tokio::test]
async fn a_link_agrees_at_once_and_a_wrong_one_is_as_if_nobody_had_asked() {
    let two = Two::new().await;
    let token = Blob(vec![7; 16]);
    let link = CreateContactLink {
        token_hash: *blake3::hash(token.as_slice()).as_bytes(),
        uses: 1,
        lifetime_ms: 60_000,
    };
    two.away.service.contacts().create_link(two.bob.caller(), link).await.unwrap();
    two.ask(Some(Blob(vec![8; 16]))).await.unwrap();
    two.carry().await;
    assert_eq!(two.stands().await, (None, None));
    assert_eq!(told(&two.home, &two.alice).await.last(), Some(&(None, None)), "the device is told");

    two.ask(Some(token)).await.unwrap();
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)));
}

#[tokio::test]
async fn no_is_not_told_and_an_end_is() {
    let two = Two::new().await;
    two.ask(None).await.unwrap();
    two.carry().await;
    let flows = two.away.service.flows();
    flows.decline_contact(two.bob.caller(), &two.alice.user).await.unwrap();
    two.ask(None).await.unwrap();
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Outgoing), None), "asking again does nothing");
    // Bob thinks again: what alice asked still stands.
    assert_eq!(two.ask_back().await, Outgoing);
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)));

    flows.block_contact(two.bob.caller(), &two.alice.user).await.unwrap();
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Blocked)), "who is blocked does not notice");
    flows.remove_contact(two.bob.caller(), &two.alice.user).await.unwrap();

    let two = Two::connected().await;
    two.home.service.flows().remove_contact(two.alice.caller(), &two.bob.user).await.unwrap();
    assert_eq!(two.stands().await, (None, Some(Accepted)));
    two.carry().await;
    assert_eq!(two.stands().await, (None, None), "an end is one for both");
}

#[tokio::test]
async fn a_node_speaks_for_its_own_people_and_with_their_first_keys() {
    let two = Two::connected().await;
    let run = [9; 16];
    let mut number = 0;
    let mut say = async |from: UserAddress, identity| {
        number += 1;
        let step = ContactStep::Remove;
        let event = Event::Contact { from, to: two.bob.user.name.clone(), identity, step };
        let batch = Batch { from: two.home.name.clone(), run, first: number, events: vec![event] };
        let answer = two.away.service.federation().deliver(key(&two.home), codec::encode(&batch)).await;
        let ack: BatchAck = codec::decode(&answer, 4096).unwrap();
        assert_eq!((ack.upto, &ack.problem), (number, &None));
        match ack.results.last() {
            Some((_, EventResult::Refused(problem))) => Some(problem.code),
            _ => None,
        }
    };
    let elsewhere: NodeName = "third.example".parse().unwrap();
    let carol = Device::at(&elsewhere, "carol", 1);
    assert_eq!(say(carol.user.clone(), carol.identity()).await, Some(Code::Forbidden));
    // The home node may not swap alice's keys either.
    let mut swapped = Device::at(&two.home.name, "alice", 1);
    swapped.identity_key = signing_key(77);
    assert_eq!(say(swapped.user.clone(), swapped.identity()).await, Some(Code::BadCertificate));
    let someone = Device::at(&two.home.name, "mallory", 1);
    assert_eq!(say(two.alice.user.clone(), someone.identity()).await, Some(Code::BadCertificate));
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)), "none of it had an effect");
    assert_eq!(say(two.alice.user.clone(), two.alice.identity()).await, None);
    assert_eq!(two.stands().await.1, None);
}

#[tokio::test]
async fn a_node_without_others_knows_nobody_elsewhere() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let bob: UserAddress = "bob@away.example".parse().unwrap();
    let flows = world.service.flows();
    assert_eq!(code(flows.lookup(alice.caller(), &bob, &[]).await.unwrap_err()), Code::NotFound);
    let request = ContactRequest { to: bob.clone(), sealed: sealed("hello"), token: None };
    assert_eq!(code(flows.request_contact(alice.caller(), request).await.unwrap_err()), Code::NotFound);
    assert_eq!(
        code(flows.claim_key_packages(alice.caller(), &bob, None).await.unwrap_err()),
        Code::NoConsent
    );
}

#[tokio::test]
async fn a_blocked_node_is_not_asked_and_learns_nothing() {
    let two = Two::new().await;
    two.ask(None).await.unwrap();
    two.carry().await;
    two.away.service.federation().judge(&two.home.name, Verdict::Block).await.unwrap();
    let lookup = two.home.service.flows().lookup(two.alice.caller(), &two.bob.user, &[]).await;
    assert_eq!(code(lookup.unwrap_err()), Code::Forbidden);
    let question = Question::Person { by: two.alice.user.clone(), user: two.bob.user.name.clone() };
    let answer = two.away.service.federation().query(key(&two.home), codec::encode(&question)).await;
    let Answer::Problem(problem) = codec::decode(&answer, 4096).unwrap() else { panic!("answered") };
    assert_eq!(problem.code, Code::Forbidden);
}

impl Two {
    /// Alice's node goes on to run, and tries, while bob's is away.
    async fn days(&self, days: u64) {
        for _ in 0..2 * days {
            self.home.clock.advance(12 * 60 * 60 * 1000);
            let _ = self.home.service.federation().round(&self.away.name).await;
        }
    }

    async fn remove(&self) {
        self.home.service.flows().remove_contact(self.alice.caller(), &self.bob.user).await.unwrap();
    }

    async fn waiting(&self) -> u64 {
        self.home.service.federation().waiting(&self.away.name).await.unwrap()
    }
}

#[tokio::test]
async fn an_answer_arrives_however_long_the_other_node_is_away() {
    let two = Two::new().await;
    two.ask_back().await;
    two.carry().await;
    two.cut();
    let accept = ContactAccept { sealed: sealed("welcome") };
    two.home.service.flows().accept_contact(two.alice.caller(), &two.bob.user, accept).await.unwrap();
    two.days(30).await;
    assert_eq!((two.stands().await, two.waiting().await), ((Some(Accepted), Some(Outgoing)), 1));
    two.net.back(key(&two.away));
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)));
    assert_eq!(two.home.store.scan(tables::OUTBOX_OWED, Scan::prefix([])).await.unwrap(), []);
}

#[tokio::test]
async fn an_end_waits_once_and_for_as_long_as_it_is_one() {
    let two = Two::connected().await;
    two.cut();
    for _ in 0..5 {
        two.remove().await;
        two.days(1).await;
        two.ask(None).await.unwrap();
    }
    two.remove().await;
    two.days(30).await;
    assert_eq!((two.stands().await, two.waiting().await), ((None, Some(Accepted)), 1));
    two.net.back(key(&two.away));
    two.carry().await;
    assert_eq!(two.stands().await, (None, None));

    // One that was taken back by asking again must not come after it.
    let two = Two::connected().await;
    two.cut();
    two.remove().await;
    two.days(10).await;
    two.ask(None).await.unwrap();
    assert_eq!(two.waiting().await, 2);
    two.days(5).await;
    two.net.back(key(&two.away));
    two.carry().await;
    assert_eq!(two.stands().await, (Some(Accepted), Some(Accepted)));

    // Nor does it wait for a node with which the operator wants nothing to do.
    let two = Two::connected().await;
    two.cut();
    two.remove().await;
    two.days(10).await;
    assert_eq!(two.waiting().await, 1);
    two.home.service.federation().judge(&two.away.name, Verdict::Block).await.unwrap();
    two.days(10).await;
    assert_eq!(two.waiting().await, 0);
    assert_eq!(two.home.store.scan(tables::OUTBOX_OWED, Scan::prefix([])).await.unwrap(), []);
}
