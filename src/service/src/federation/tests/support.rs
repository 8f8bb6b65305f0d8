//! Nodes in memory, and a network between them whose faults a seed decides.

use super::super::*;
use crate::{
    Entropy, Limits, ManualClock, ServiceConfig, SharedRng, context::be64, seal::Sealer, testing::START_MS,
};
use ed25519_dalek::SigningKey;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::collections::HashSet;
use tokio::sync::broadcast;
use weft_net::{LinkEvent, PeerHandler};
use weft_store::{Scan, Store, Table, Tx, tables};
use weft_wire::{
    Code, Problem, RoomId, UserAddress,
    federation::{Event, EventResult, FederationPolicy},
    rooms::Accepted,
};

/// What the bridge of the tests was told to do, in order.
pub const TAKEN: Table = Table::new(200, "test.taken");
pub const TAKEN_HEAD: Table = Table::new(201, "test.taken_head");
/// What it was told of events that left.
pub const SETTLED: Table = Table::new(202, "test.settled");
pub const SETTLED_HEAD: Table = Table::new(203, "test.settled_head");
/// From here on, what follows from an event that left is as much as hardly fits one commit.
pub const BULKY: u64 = 1_000_000;
const BULK: Table = Table::new(204, "test.bulk");
/// No test sends so many batches.
const TRIED_MAX: usize = 20_000;
/// An event that is always refused.
pub const BAD: u64 = 666;
/// An event that always meets a fault of the node.
pub const BROKEN: u64 = 77_777;

/// Writes down what happens; `later` makes it unable for a while.
#[derive(Default)]
pub struct Notebook {
    pub later: Mutex<bool>,
}

impl Bridge for Notebook {
    fn take<'a>(
        &'a self,
        tx: &'a Tx,
        _from: &'a NodeName,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<Option<EventResult>, Trouble>> {
        Box::pin(async move {
            let Event::Delivered { seq, .. } = event else { panic!("another event than was sent") };
            tx.append(TAKEN_HEAD, b"", TAKEN, b"", seq.to_be_bytes());
            if *self.later.lock() {
                return Err(Trouble::Later(Problem::new(Code::StorageUnavailable)));
            }
            match *seq {
                BAD => Err(Problem::new(Code::Forbidden).into()),
                BROKEN => Err(Fault::Internal("a fault that does not pass").into()),
                seq if seq % 3 == 0 => {
                    Ok(Some(EventResult::Accepted(Accepted { seq, time_ms: 1, epoch: 1 })))
                }
                _ => Ok(None),
            }
        })
    }

    fn answer<'a>(&'a self, _from: &'a NodeName, _question: Question) -> BoxFuture<'a, Answer> {
        Box::pin(async { Answer::Passed })
    }

    fn open<'a>(
        &'a self,
        _to: &'a NodeName,
        _item: &'a Outgoing,
        _fresh: bool,
    ) -> BoxFuture<'a, Result<Event, Fault>> {
        Box::pin(async { Err(Fault::Internal("no rooms here")) })
    }

    fn settle<'a>(
        &'a self,
        tx: &'a Tx,
        _to: &'a NodeName,
        item: &'a Outgoing,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let Outgoing::Event(event) = item else { return Ok(()) };
            let Event::Delivered { seq, .. } = event.as_ref() else { return Ok(()) };
            let line = match outcome {
                Outcome::Done => format!("{seq} done"),
                Outcome::Result(EventResult::Accepted(accepted)) => {
                    format!("{seq} accepted {}", accepted.seq)
                }
                Outcome::Result(EventResult::Refused(problem)) => format!("{seq} {}", problem.code.as_str()),
                Outcome::Expired => format!("{seq} expired"),
            };
            tx.append(SETTLED_HEAD, b"", SETTLED, b"", line.into_bytes());
            if *seq >= BULKY {
                for row in 0..2_u8 {
                    tx.put(BULK, [seq.to_be_bytes().as_slice(), &[row]].concat(), vec![7; 50 << 10]);
                }
            }
            Ok(())
        })
    }
}

/// A node.
pub struct TestNode {
    pub name: NodeName,
    pub key: PeerKey,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub config: ServiceConfig,
    pub notebook: Arc<Notebook>,
    pub federation: Federation,
    pub net: Arc<FakeNet>,
    seed: u64,
}

/// A name that is the node's key.
pub fn signing_key(seed: u64) -> SigningKey {
    SigningKey::from_bytes(blake3::hash(&seed.to_be_bytes()).as_bytes())
}

pub fn config() -> ServiceConfig {
    ServiceConfig { rate_limit_factor: 0.0, ..ServiceConfig::default() }
}

impl TestNode {
    pub fn new(net: &Arc<FakeNet>, seed: u64) -> TestNode {
        let key = PeerKey(signing_key(seed).verifying_key().to_bytes());
        Self::with(net, seed, key.name(), config())
    }

    pub fn with(net: &Arc<FakeNet>, seed: u64, name: NodeName, config: ServiceConfig) -> TestNode {
        let clock = Arc::new(ManualClock::new(START_MS));
        Self::on(net, seed, name, config, Store::memory(), clock)
    }

    fn on(
        net: &Arc<FakeNet>,
        seed: u64,
        name: NodeName,
        config: ServiceConfig,
        store: Store,
        clock: Arc<ManualClock>,
    ) -> TestNode {
        let signing = signing_key(seed);
        let key = PeerKey(signing.verifying_key().to_bytes());
        let entropy: Box<dyn Entropy> =
            Box::new(SharedRng::new(ChaCha20Rng::seed_from_u64(seed << 32 | store.status().seq)));
        let ctx = Arc::new(Ctx {
            store: store.clone(),
            clock: clock.clone(),
            entropy,
            node: name.clone(),
            limits: Limits::new(clock.clone(), config.rate_limit_factor, config.written_mib_per_day),
            config: config.clone(),
            sealer: Sealer::of_node(&signing),
            aging: crate::aging::Aging::new(0),
        });
        let notebook = Arc::new(Notebook::default());
        let federation = Federation::new(Nodes::new(ctx), notebook.clone());
        federation.connect(net.end(key), net.clone());
        net.state.lock().handlers.insert(key, Arc::new(federation.clone()));
        let net = net.clone();
        TestNode { name, key, store, clock, config, notebook, federation, net, seed }
    }

    /// The same node after a restart.
    pub fn restarted(&self) -> TestNode {
        self.started_on(self.store.clone())
    }

    pub fn started_on(&self, store: Store) -> TestNode {
        let (name, config) = (self.name.clone(), self.config.clone());
        Self::on(&self.net, self.seed, name, config, store, self.clock.clone())
    }

    /// All rows, as a backup holds them.
    pub async fn backup(&self) -> Store {
        let copy = Store::memory();
        for table in tables::ALL.iter().copied().filter(|table| table.id >= 8).chain([
            TAKEN,
            TAKEN_HEAD,
            SETTLED,
            SETTLED_HEAD,
        ]) {
            for row in self.store.scan(table, Scan::prefix([]).limit(10_000)).await.unwrap() {
                copy.commit(Batch::new().put(table, &row.key, row.value)).await.unwrap();
            }
        }
        copy
    }

    /// Stages an event that is known by its number.
    pub async fn say(&self, to: &TestNode, seq: u64) {
        let batch = self.federation.nodes.stage(Batch::new(), &to.name, item(seq)).await.unwrap();
        self.store.commit(batch).await.unwrap();
    }

    pub async fn round(&self, to: &TestNode) -> Result<courier::Round> {
        self.federation.round(&to.name).await
    }

    /// Rounds until nothing waits; every failure must be one that ends.
    pub async fn finish(&self, to: &TestNode) {
        for _ in 0..50 {
            if matches!(self.round(to).await, Ok(courier::Round::Idle)) {
                return;
            }
        }
        panic!("it does not end");
    }

    /// The numbers that took effect here, in order.
    pub async fn taken(&self) -> Vec<u64> {
        let rows = self.store.scan(TAKEN, Scan::prefix([]).limit(10_000)).await.unwrap();
        rows.iter().map(|row| be64(&row.value).unwrap()).collect()
    }

    /// What became of what left here.
    pub async fn settled(&self) -> Vec<String> {
        let rows = self.store.scan(SETTLED, Scan::prefix([]).limit(10_000)).await.unwrap();
        rows.into_iter().map(|row| String::from_utf8(row.value).unwrap()).collect()
    }
}

/// Each in a room of its own, so that a batch of them is taken in few commits.
pub fn item(seq: u64) -> Outgoing {
    let user: UserAddress = "alice@home.example".parse().unwrap();
    let room = RoomId(u128::from(seq).to_be_bytes());
    Outgoing::Event(Box::new(Event::Delivered { room, user, seq, missed: vec![] }))
}

/// A network that loses, doubles and delays by a seed.
pub struct FakeNet {
    pub state: Mutex<NetState>,
}

pub struct NetState {
    pub handlers: HashMap<PeerKey, Arc<dyn PeerHandler>>,
    pub ends: HashMap<PeerKey, Arc<End>>,
    /// Signed records by name.
    pub records: HashMap<NodeName, Signed<NodeRecord>>,
    rng: ChaCha20Rng,
    /// In a hundred: that something goes wrong with a batch.
    pub faults: u32,
    /// In a hundred: that something goes wrong with a question.
    pub query_faults: u32,
    /// Batches that come again later, or for the first time.
    late: Vec<(PeerKey, PeerKey, Vec<u8>)>,
    /// Cut off.
    pub away: HashSet<PeerKey>,
    /// They can be called, and hang up after each batch; and whether they answer before.
    pub hang_up: HashMap<PeerKey, bool>,
    /// Batches that somebody tried to send.
    pub tried: usize,
    /// Batches that were sent.
    pub sent: usize,
    /// Where peers are, as was told.
    pub learned: HashMap<PeerKey, Vec<String>>,
}

impl FakeNet {
    pub fn new(seed: u64) -> Arc<FakeNet> {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let state = NetState {
            handlers: HashMap::new(),
            ends: HashMap::new(),
            records: HashMap::new(),
            rng,
            faults: 0,
            query_faults: 0,
            late: Vec::new(),
            away: HashSet::new(),
            hang_up: HashMap::new(),
            tried: 0,
            sent: 0,
            learned: HashMap::new(),
        };
        Arc::new(FakeNet { state: Mutex::new(state) })
    }

    pub fn end(self: &Arc<Self>, me: PeerKey) -> Arc<End> {
        let mut state = self.state.lock();
        let make = || Arc::new(End { net: self.clone(), me, events: broadcast::Sender::new(16) });
        state.ends.entry(me).or_insert_with(make).clone()
    }

    pub fn dice(&self, below: u32) -> u32 {
        self.state.lock().rng.next_u32() % below
    }

    /// A peer is there again, as the others see it.
    pub fn back(&self, peer: PeerKey) {
        let mut state = self.state.lock();
        state.away.remove(&peer);
        for end in state.ends.values() {
            let _ = end.events.send(LinkEvent::Connected(peer));
        }
    }

    /// What a node says of itself under a DNS name.
    pub fn publish(&self, name: &NodeName, seed: u64) {
        self.publish_at(name, seed, &[]);
    }

    pub fn publish_at(&self, name: &NodeName, seed: u64, addresses: &[&str]) {
        let key = signing_key(seed);
        let record = NodeRecord {
            name: name.clone(),
            key: key.verifying_key().to_bytes(),
            addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
            protocols: vec![1],
            policy: FederationPolicy::Open,
            created_ms: 1,
        };
        self.state.lock().records.insert(name.clone(), Signed::sign(&record, &key));
    }

    pub async fn hand(&self, from: PeerKey, to: PeerKey, batch: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let handler = {
            let mut state = self.state.lock();
            if state.away.contains(&to) || state.away.contains(&from) {
                return Err(LinkError::Unreachable);
            }
            state.sent += 1;
            state.handlers.get(&to).cloned().ok_or(LinkError::Unreachable)?
        };
        Ok(handler.deliver(from, batch).await)
    }

    /// What was delayed arrives, in any order.
    pub async fn deliver_late(&self) {
        loop {
            let next = {
                let mut state = self.state.lock();
                if state.late.is_empty() {
                    return;
                }
                let at = state.rng.next_u32() as usize % state.late.len();
                state.late.swap_remove(at)
            };
            let _ = self.hand(next.0, next.1, next.2).await;
        }
    }
}

impl Directory for FakeNet {
    fn find(&self, name: &NodeName) -> BoxFuture<'_, Result<Signed<NodeRecord>, LinkError>> {
        let found = self.state.lock().records.get(name).cloned().ok_or(LinkError::Unreachable);
        Box::pin(async { found })
    }
}

/// One node's end of the network.
pub struct End {
    net: Arc<FakeNet>,
    me: PeerKey,
    events: broadcast::Sender<LinkEvent>,
}

impl PeerLink for End {
    fn deliver(&self, to: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>> {
        Box::pin(async move {
            let hangs_up = {
                let mut state = self.net.state.lock();
                state.tried += 1;
                assert!(state.tried < TRIED_MAX, "there is no end to it");
                state.hang_up.get(&to).copied()
            };
            if let Some(answers) = hangs_up {
                let _ = self.events.send(LinkEvent::Connected(to));
                let answer = self.net.hand(self.me, to, batch).await;
                let _ = self.events.send(LinkEvent::Disconnected(to));
                return if answers { answer } else { Err(LinkError::Closed) };
            }
            let faults = self.net.state.lock().faults;
            if self.net.dice(100) >= faults {
                return self.net.hand(self.me, to, batch).await;
            }
            match self.net.dice(4) {
                // Never arrives.
                0 => Err(LinkError::TimedOut),
                // Arrives; the answer does not.
                1 => {
                    let _ = self.net.hand(self.me, to, batch).await;
                    Err(LinkError::Closed)
                }
                // Arrives twice, at the same time.
                2 => {
                    let (one, other) = tokio::join!(
                        self.net.hand(self.me, to, batch.clone()),
                        self.net.hand(self.me, to, batch)
                    );
                    if self.net.dice(2) == 0 { one } else { other }
                }
                // Arrives much later, when the sender has long tried again.
                _ => {
                    self.net.state.lock().late.push((self.me, to, batch));
                    Err(LinkError::TimedOut)
                }
            }
        })
    }

    fn query(&self, to: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>> {
        let state = self.net.state.lock();
        let away = state.away.contains(&to) || state.away.contains(&self.me);
        let handler = state.handlers.get(&to).cloned().filter(|_| !away);
        let faults = state.query_faults;
        drop(state);
        let fault = (faults > 0 && self.net.dice(100) < faults).then(|| self.net.dice(3));
        let me = self.me;
        Box::pin(async move {
            let handler = handler.ok_or(LinkError::Unreachable)?;
            match fault {
                None => Ok(handler.query(me, question).await),
                // Never arrives.
                Some(0) => Err(LinkError::TimedOut),
                // Arrives; the answer does not.
                Some(1) => {
                    let _ = handler.query(me, question).await;
                    Err(LinkError::Closed)
                }
                // Arrives twice, at the same time.
                Some(_) => {
                    let twice =
                        tokio::join!(handler.query(me, question.clone()), handler.query(me, question));
                    Ok(twice.0)
                }
            }
        })
    }

    fn events(&self) -> broadcast::Receiver<LinkEvent> {
        self.events.subscribe()
    }

    fn is_connected(&self, peer: PeerKey) -> bool {
        !self.net.state.lock().away.contains(&peer)
    }

    fn learn(&self, peer: PeerKey, addresses: Vec<String>) {
        if !addresses.is_empty() {
            self.net.state.lock().learned.insert(peer, addresses);
        }
    }

    fn addresses(&self, peer: PeerKey) -> Vec<String> {
        self.net.state.lock().learned.get(&peer).cloned().unwrap_or_default()
    }
}
