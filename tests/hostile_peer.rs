//! A node that means harm, over the real network: it lies about who it is and for whom it speaks, says things again, asks for
//! everybody, and sends nonsense. It gets nowhere, and honest nodes do not notice. Nor does it get money over a link.

use crate::payments::{agree, link, pay, transfer};
use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use futures::future::BoxFuture;
use std::{collections::BTreeMap, sync::Arc};
use weft_ledger::link::{Body, Digest, Mark, Message, Sum};
use weft_net::{Net, NetConfig, NodeKey, PeerHandler, PeerKey, PeerLink};
use weft_testkit::{
    Cast, Cluster, Person, TestNode,
    money::{balance, issue, set_pin, wallet},
};
use weft_wire::{
    Blob, Code, NodeName, RoomId, RoomNonce, Signed, UserAddress, codec,
    federation::{Answer, Batch, BatchAck, ContactStep, Event, EventResult, Question},
    identity::UserIdentity,
    limits::PEER_BATCH_BYTES_MAX,
    rooms::{RoomItem, RoomKind, RoomState},
};

const BYTES_MAX: usize = 8 << 20;

/// Answers nothing.
struct Silent;

impl PeerHandler for Silent {
    fn deliver(&self, _from: PeerKey, _batch: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async { Vec::new() })
    }

    fn query(&self, _from: PeerKey, _question: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async { Vec::new() })
    }
}

/// Somebody with a key and a network, and no manners.
struct Stranger {
    net: Net,
    name: NodeName,
    victim: PeerKey,
    next: u64,
}

impl Stranger {
    async fn before(node: &TestNode, seed: u8) -> Result<Stranger> {
        Stranger::with_key(node, [seed; 32]).await
    }

    /// With the key of a node that was honest.
    async fn with_key(node: &TestNode, mut secret: [u8; 32]) -> Result<Stranger> {
        let peer = node.as_peer().await?;
        let (_, victim) = peer.identity().unwrap();
        let name = NodeName::of_key(SigningKey::from_bytes(&secret).verifying_key().as_bytes());
        let config = NetConfig::quiet(vec!["/ip4/127.0.0.1/tcp/0".to_owned()]);
        let net = Net::start(config, NodeKey::take(&mut secret), Arc::new(Silent)).await?;
        net.learn(victim, peer.addresses);
        Ok(Stranger { net, name, victim, next: 1 })
    }

    async fn deliver(&self, bytes: Vec<u8>) -> BatchAck {
        let answer = self.net.deliver(self.victim, bytes).await.unwrap();
        codec::decode(&answer, BYTES_MAX).unwrap()
    }

    fn batch(&self, from: &NodeName, first: u64, events: Vec<Event>) -> Vec<u8> {
        codec::encode(&Batch { from: from.clone(), run: [1; 16], first, events })
    }

    /// What came of an event that it says under its own name.
    async fn say(&mut self, event: Event) -> Option<Code> {
        let ack = self.deliver(self.batch(&self.name, self.next, vec![event])).await;
        assert_eq!(ack.upto, self.next, "{:?}", ack.problem);
        self.next += 1;
        ack.results.into_iter().find_map(|(_, result)| match result {
            EventResult::Refused(problem) => Some(problem.code),
            EventResult::Accepted(_) => None,
        })
    }

    async fn ask(&self, question: &Question) -> Answer {
        let answer = self.net.query(self.victim, codec::encode(question)).await.unwrap();
        codec::decode(&answer, BYTES_MAX).unwrap()
    }

    fn person(&self, name: &str) -> UserAddress {
        UserAddress::new(name.parse().unwrap(), self.name.clone())
    }
}

fn identity(user: &UserAddress, seed: u8) -> Signed<UserIdentity> {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let identity = UserIdentity {
        user: user.clone(),
        identity_key: key.verifying_key().to_bytes(),
        seal_key: [3; 32],
        created_ms: 1,
    };
    Signed::sign(&identity, &key)
}

fn asks(from: &UserAddress, to: &str, identity: Signed<UserIdentity>) -> Event {
    let step = ContactStep::Ask { sealed: Blob(vec![1; 64]), token: None };
    Event::Contact { from: from.clone(), to: to.parse().unwrap(), identity, step }
}

async fn requests(person: &Person) -> Result<Vec<String>> {
    use weft_engine::api::{Call, Reply};
    let Reply::Contacts(contacts) = person.call(Call::Contacts).await? else { panic!("no contacts") };
    Ok(contacts.into_iter().filter(|one| one.state == "incoming").map(|one| one.user).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lies_gets_nowhere() -> Result<()> {
    let cluster = Cluster::start(2).await?;
    let (home, away) = (cluster.node(0)?, cluster.node(1)?);
    let alice = home.sign_up(Cast::Alice).await?;
    let bob = away.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    alice.say(&bob.address, "hello").await?;
    bob.hears(&alice.address, "hello").await?;
    let mut mallory = Stranger::before(home, 66).await?;
    let bobs: UserAddress = bob.address.parse()?;

    // Under the name of another node, and of the node itself.
    for name in [bobs.node.clone(), home.name().await?] {
        let ack = mallory.deliver(mallory.batch(&name, 1, Vec::new())).await;
        assert_eq!(ack.problem.unwrap().code, Code::BadSignature, "{name}");
    }
    // Under its own name for people of others, and for its own people with the keys of others.
    assert_eq!(mallory.say(asks(&bobs, "alice", identity(&bobs, 7))).await, Some(Code::Forbidden));
    let eve = mallory.person("eve");
    assert_eq!(mallory.say(asks(&eve, "alice", identity(&bobs, 7))).await, Some(Code::BadCertificate));
    assert_eq!(requests(&alice).await?, Vec::<String>::new());

    // Once is once, however often it comes; and another identity for the same person is refused.
    let number = mallory.next;
    assert_eq!(mallory.say(asks(&eve, "alice", identity(&eve, 7))).await, None);
    let again = mallory.batch(&mallory.name, number, vec![asks(&eve, "alice", identity(&eve, 7))]);
    for _ in 0..3 {
        assert_eq!(mallory.deliver(again.clone()).await.upto, number);
    }
    assert_eq!(mallory.say(asks(&eve, "alice", identity(&eve, 8))).await, Some(Code::BadCertificate));
    let gap = mallory.batch(&mallory.name, 900, vec![asks(&eve, "alice", identity(&eve, 7))]);
    assert_eq!(mallory.deliver(gap).await.problem.unwrap().code, Code::CursorLost);

    // About rooms of others, and a room for alice with nobody she knows.
    let item = RoomItem { user: eve.clone(), kind: "read".to_owned(), version: 1, sealed: Blob(vec![1]) };
    assert_eq!(mallory.say(Event::Item { room: RoomId([9; 16]), item }).await, Some(Code::NotFound));
    let nonce = RoomNonce([9; 16]);
    let room = RoomId::of_hub(&mallory.name, nonce);
    let state = RoomState {
        room,
        nonce: Some(nonce),
        kind: RoomKind::Group,
        hub: mallory.name.clone(),
        epoch: 1,
        head: 0,
        tail: 1,
        members: Vec::new(),
        items: Vec::new(),
        gone: Vec::new(),
        asking: 0,
    };
    let says =
        |room, state| Event::Room { room, state: Some(state), devices: Vec::new(), entries: Vec::new() };
    assert_eq!(mallory.say(says(room, state.clone())).await, Some(Code::NoConsent));
    // And one under an id that is another node's.
    let taken = RoomId::of_hub(&home.name().await?, nonce);
    let state = RoomState { room: taken, ..state };
    assert_eq!(mallory.say(says(taken, state)).await, Some(Code::InvalidField));

    // Nonsense, small and as large as may be.
    for bytes in [Vec::new(), vec![0xff; 100], vec![0x9b; PEER_BATCH_BYTES_MAX]] {
        assert_eq!(mallory.deliver(bytes).await.problem.unwrap().code, Code::Malformed);
    }
    // Her one request is there; and nothing of all that is between alice and bob.
    let asked = async |me: &Person| Ok((!requests(me).await?.is_empty()).then_some(()));
    alice.until("eve's request", asked).await?;
    assert_eq!(requests(&alice).await?, [eve.to_string()]);
    bob.say(&alice.address, "still here").await?;
    alice.hears(&bob.address, "still here").await?;
    mallory.net.shutdown().await;
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_everybody_is_told_to_wait_and_others_are_not() -> Result<()> {
    let cluster = Cluster::start_with(2, |_, config| config.limits.rate_multiplier = 1.0).await?;
    let alice = cluster.node(0)?.sign_up(Cast::Alice).await?;
    let bob = cluster.node(1)?.sign_up(Cast::Bob).await?;
    let mallory = Stranger::before(cluster.node(0)?, 66).await?;
    let (mut found, mut limited) = (0, 0);
    for nth in 0..2_000_u32 {
        // Each time as somebody else: it may make up as many people as it likes.
        let by = mallory.person(&format!("somebody{nth}"));
        let user = if nth % 100 == 0 { "alice".to_owned() } else { format!("guess{nth}") };
        match mallory.ask(&Question::Person { by, user: user.parse()? }).await {
            Answer::Person(_) => found += 1,
            Answer::Problem(problem) if problem.code == Code::RateLimited => limited += 1,
            Answer::Problem(problem) => assert_eq!(problem.code, Code::NotFound),
            other => panic!("{other:?}"),
        }
    }
    assert!(limited > 1_000 && found < 10, "{limited} were limited, {found} found");
    bob.connect(&alice).await?;
    bob.say(&alice.address, "hello").await?;
    alice.hears(&bob.address, "hello").await?;
    mallory.net.shutdown().await;
    cluster.end().await
}

/// What a node says over a link, as it is encoded.
fn post(messages: &[Signed<Message>]) -> Vec<u8> {
    codec::encode(&BTreeMap::from([("messages", messages)]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_link_that_turns_hostile_moves_no_money() -> Result<()> {
    let mut cluster = Cluster::start(2).await?;
    cluster.acquaint().await?;
    let (here, there) = (cluster.node(0)?, cluster.node(1)?);
    let (alice, bob) = (here.sign_up(Cast::Alice).await?, there.sign_up(Cast::Bob).await?);
    bob.connect(&alice).await?;
    set_pin(&alice, Cast::Alice).await?;
    let euro = issue(&alice, &[(&alice, 10_000)]).await?;
    agree(here, there).await?;
    let sent = transfer(&alice, pay(&bob, &euro, 3_000, true, None)).await?;
    let incoming = async |me: &Person| {
        Ok(wallet(me).await?.accounts.into_iter().find(|account| account.incoming == "3000"))
    };
    bob.until("the money", incoming).await?;
    let confirmed = async |_: &Person| Ok(link(here).await?.filter(|row| row.confirmed == 1));
    let stood = alice.until("that it is known there", confirmed).await?;
    assert_eq!((stood.sent, stood.taken, stood.waiting_out, &stood.frozen), (1, 0, 1, &None));

    // Bob's node is somebody else's now.
    let secret: [u8; 32] = std::fs::read(there.data().join("node.key"))?.try_into().unwrap();
    drop(bob);
    cluster.stop(1).await?;
    let here = cluster.node(0)?;
    let mallory = Stranger::with_key(here, secret).await?;
    let says = async |post: Vec<u8>| {
        mallory.ask(&Question::Link { from: mallory.name.clone(), post: Blob(post) }).await
    };
    let digest = stood.terms.clone().context("no terms")?.digest;
    let terms = std::array::from_fn(|at| u8::from_str_radix(&digest[at * 2..at * 2 + 2], 16).unwrap());
    let sum = Sum { asset: euro.parse()?, amount: 9_000 };
    let payment = sent.id.parse()?;
    let lie = Message {
        from: mallory.name.clone(),
        to: here.name().await?,
        era: 0,
        seq: 1,
        before: Mark::START.hash,
        seen: Mark::START,
        confirmed: 0,
        terms: Digest(terms),
        body: Body::Fulfil { payment, given: sum, got: sum },
    };
    let signed = |lie: &Message, secret| Signed::sign(lie, &SigningKey::from_bytes(&secret));

    // Nonsense, and what it has not signed or is not next or not for this node: nothing is as if it were taken.
    for bytes in [Vec::new(), vec![0xff; 100], vec![0x9b; 100_000]] {
        let answer = says(bytes).await;
        assert!(matches!(&answer, Answer::Problem(problem) if problem.code == Code::Malformed), "{answer:?}");
    }
    let answer = says(post(&[signed(&lie, [66; 32])])).await;
    assert!(matches!(&answer, Answer::Problem(problem) if problem.code == Code::BadSignature), "{answer:?}");
    for astray in [Message { seq: 7, ..lie.clone() }, Message { to: mallory.name.clone(), ..lie.clone() }] {
        says(post(&[signed(&astray, secret)])).await;
    }
    assert_eq!(link(here).await?, Some(stood.clone()), "the link stands as it stood");

    // That bob took three times as much: it proves a lie, and the link stands still.
    says(post(&[signed(&lie, secret)])).await;
    let row = link(here).await?.context("no link")?;
    let why = row.frozen.as_deref().unwrap_or_default();
    assert!(why.ends_with("is fulfilled with other amounts"), "{row:?}");
    assert_eq!((&row.owed, row.taken, row.waiting_out), (&stood.owed, 0, 1));
    let own = transfer(&alice, weft_engine::api::Call::Transfer { id: sent.id.clone() }).await?;
    assert_eq!((own.state.as_str(), balance(&alice).await?), ("held", 7_000));
    // The node lives: whoever is here is paid as before.
    let carol = here.sign_up(Cast::Carol).await?;
    transfer(&alice, pay(&carol, &euro, 500, false, None)).await?;
    assert_eq!((balance(&alice).await?, balance(&carol).await?), (6_500, 500));
    mallory.net.shutdown().await;
    cluster.end().await
}
