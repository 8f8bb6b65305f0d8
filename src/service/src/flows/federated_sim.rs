//! Three nodes, a group across them, and a network that loses, doubles, delays and cuts off by a seed, while nodes are killed
//! between any two steps. Afterwards every message is everywhere, once, in one order, at one epoch.
//!
//! `WEFT_SEEDS=5000` runs more; `WEFT_SEED=17` replays one.

use crate::{
    ServiceConfig,
    federation::{Directory, Round, tests::support::signing_key},
    testing::*,
};
use futures::future::BoxFuture;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::{AbortHandle, JoinSet};
use weft_mls::{
    member,
    openmls::prelude::{MlsGroup, OpenMlsProvider as _},
};
use weft_net::{
    LinkError, PeerKey,
    sim::{Faults, SimNet},
};
use weft_wire::{
    Blob, Code, NodeName, Problem, RoomId, Signed,
    contacts::{ContactAccept, ContactRequest},
    federation::NodeRecord,
    node::SignupPolicy,
    rooms::{Accepted, EntryKind, LogEntry, PutItem, RoomKind, SubmitCommit, SubmitMessage},
};

const ROOM: RoomId = RoomId([7; 16]);
/// Seeds of one test; there are [`TESTS`] of them, which run beside each other.
const SEEDS: u64 = 125;
const TESTS: u64 = 4;
/// Turns in which things go wrong, and turns in which they must come right.
const TURNS: usize = 14;
const CALM_TURNS_MAX: usize = 60;
/// Times that a courier goes in one turn.
const ROUNDS: usize = 4;

/// Nodes here are called by their keys.
struct Nowhere;

impl Directory for Nowhere {
    fn find(&self, _name: &NodeName) -> BoxFuture<'_, Result<Signed<NodeRecord>, LinkError>> {
        Box::pin(async { Err(LinkError::Unreachable) })
    }
}

struct Said {
    id: u8,
    text: String,
    request: Option<(u64, SubmitMessage)>,
    /// It has come back in the log.
    done: bool,
}

/// Somebody at their device, which does what the engine does.
struct Member {
    device: Device,
    group: Option<MlsGroup>,
    cursor: u64,
    next_id: u8,
    said: Vec<Said>,
    heard: Vec<String>,
    /// A commit, by its id, of which is not known yet what came of it.
    pending: Option<(u8, SubmitCommit)>,
}

enum Told {
    Carried,
    Said(Option<Problem>),
    Committed(usize, Result<Accepted, Problem>),
}

struct Sim {
    rng: ChaCha20Rng,
    net: SimNet,
    worlds: Vec<World>,
    members: Vec<Member>,
    items: u64,
}

fn key(world: &World) -> PeerKey {
    PeerKey(world.key.verifying_key().to_bytes())
}

fn config() -> ServiceConfig {
    ServiceConfig { signup: SignupPolicy::Open, rate_limit_factor: 0.0, ..ServiceConfig::default() }
}

impl Sim {
    async fn new(seed: u64) -> Sim {
        let net = SimNet::new(seed, Faults::none());
        let (mut worlds, mut members) = (Vec::new(), Vec::new());
        for (at, name) in ["alice", "bob", "carol"].into_iter().enumerate() {
            let signing = signing_key(seed * 3 + at as u64);
            let node = PeerKey(signing.verifying_key().to_bytes()).name();
            let world = World::named(node.as_str(), signing, config()).await;
            let device = world.sign_up(name).await;
            device.publish(&world.service, 2).await;
            let (said, heard) = (Vec::new(), Vec::new());
            members.push(Member { device, group: None, cursor: 0, next_id: 1, said, heard, pending: None });
            worlds.push(world);
        }
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let mut sim = Sim { rng, net, worlds, members, items: 0 };
        (0..3).for_each(|at| sim.attach(at));
        sim.open_room().await;
        sim
    }

    fn attach(&mut self, at: usize) {
        let federation = self.worlds[at].service.federation();
        let link = self.net.attach(key(&self.worlds[at]), Arc::new(federation.clone()));
        federation.connect(Arc::new(link), Arc::new(Nowhere));
    }

    fn dice(&mut self, below: u32) -> u32 {
        self.rng.next_u32() % below
    }

    /// Alice knows bob and carol, and has a group with both.
    async fn open_room(&mut self) {
        for other in [1, 2] {
            let (alice, them) = (&self.members[0].device, &self.members[other].device);
            let request = ContactRequest { to: them.user.clone(), sealed: sealed("hello"), token: None };
            let flows = self.worlds[0].service.flows();
            self.net.run_until(flows.request_contact(alice.caller(), request)).await.unwrap();
            self.carry(0, other).await;
            let accept = ContactAccept { sealed: sealed("welcome") };
            let flows = self.worlds[other].service.flows();
            flows.accept_contact(them.caller(), &alice.user, accept).await.unwrap();
            self.carry(other, 0).await;
        }
        let alice = &self.members[0].device;
        let (request, mut group) = alice.create_request(RoomKind::Group, ROOM);
        self.worlds[0].service.flows().create_room(alice.caller(), request).await.unwrap();
        let flows = self.worlds[0].service.flows();
        let mut packages = Vec::new();
        for other in [1, 2] {
            let user = &self.members[other].device.user;
            let claimed =
                self.net.run_until(flows.claim_key_packages(alice.caller(), user, None)).await.unwrap();
            packages.extend(claimed.packages.into_iter().map(|package| package.key_package));
        }
        let prepared = alice.prepare(&mut group, &packages, &[]);
        flows.submit_commit(alice.caller(), ROOM, alice.commit(ROOM, &prepared, 0xff)).await.unwrap();
        group.merge_pending_commit(&alice.provider).unwrap();
        self.members[0].group = Some(group);
        for other in [1, 2] {
            self.carry(0, other).await;
            let them = &mut self.members[other];
            let welcome = prepared.welcome.as_deref().unwrap();
            them.group = Some(member::join(&them.device.provider, ROOM, welcome).unwrap());
        }
        self.members.iter_mut().for_each(|member| member.cursor = 1);
    }

    async fn carry(&self, from: usize, to: usize) {
        let name = self.worlds[to].name.clone();
        while self.net.run_until(self.worlds[from].service.federation().round(&name)).await.unwrap()
            != Round::Idle
        {}
    }

    /// One turn: people do things, couriers go, and perhaps a node is killed in the middle of it.
    async fn turn(&mut self, rough: bool) {
        let mut tasks = JoinSet::new();
        let mut handles: Vec<(usize, AbortHandle)> = Vec::new();
        for at in 0..3 {
            self.catch_up(at).await;
        }
        for at in 0..3 {
            let member = &mut self.members[at];
            if rough && member.pending.is_none() && self.rng.next_u32().is_multiple_of(2) {
                member.write();
            }
            if let Some(work) = self.hand_in(at) {
                handles.push((at, tasks.spawn(work)));
            } else if (self.members[at].pending.is_some() || (rough && self.dice(4) == 0))
                && let Some(work) = self.commit(at)
            {
                handles.push((at, tasks.spawn(work)));
            }
            if rough && self.dice(3) == 0 {
                self.read(at).await;
            }
            for to in (0..3).filter(|to| *to != at) {
                let (federation, name) =
                    (self.worlds[at].service.federation().clone(), self.worlds[to].name.clone());
                let rounds = async move {
                    for _ in 0..ROUNDS {
                        if !matches!(federation.round(&name).await, Ok(Round::Went)) {
                            break;
                        }
                    }
                    Told::Carried
                };
                handles.push((at, tasks.spawn(rounds)));
            }
        }
        let crash = (rough && self.dice(3) == 0).then(|| (self.dice(3) as usize, self.dice(60)));
        let mut steps = 0;
        while !tasks.is_empty() {
            while let Some(told) = tasks.try_join_next() {
                match told {
                    Ok(told) => self.told(told),
                    Err(error) => assert!(error.is_cancelled(), "{error}"),
                }
            }
            if let Some((victim, after)) = crash
                && after == steps
            {
                handles.iter().filter(|(at, _)| *at == victim).for_each(|(_, handle)| handle.abort());
                self.kill(victim).await;
            }
            steps += 1;
            if self.net.step().await.is_none() {
                // Nobody calls: somebody waits for the time, which flies here, or for the store.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn kill(&mut self, at: usize) {
        self.net.detach(key(&self.worlds[at]));
        // What was aborted ends before the node starts again, as a process does.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        self.worlds[at] = self.worlds[at].restarted().await;
        self.attach(at);
    }

    fn weather(&mut self) {
        let keys: Vec<PeerKey> = self.worlds.iter().map(key).collect();
        match self.dice(6) {
            0 => self.net.partition(&[&keys[..1], &keys[1..]]),
            1 => self.net.partition(&[&keys[..2], &keys[2..]]),
            2 => self.net.partition(&[&keys[..1], &keys[1..2], &keys[2..]]),
            3 => {}
            _ => self.net.heal(),
        }
    }

    /// Everything that is to go out, in order, as a task.
    fn hand_in(&mut self, at: usize) -> Option<impl Future<Output = Told> + use<>> {
        let member = &mut self.members[at];
        let requests = member.requests();
        if requests.is_empty() {
            return None;
        }
        let (flows, caller) = (self.worlds[at].service.flows().clone(), member.device.caller().clone());
        Some(async move {
            for request in requests {
                match flows.submit_message(&caller, ROOM, request).await.map_err(Problem::from) {
                    // What was written later follows it, as it waits in one outbox.
                    Ok(_) => {}
                    Err(problem) if matches!(problem.code, Code::NodeUnreachable | Code::IdConflict) => {}
                    Err(problem) => return Told::Said(Some(problem)),
                }
            }
            Told::Said(None)
        })
    }

    fn commit(&mut self, at: usize) -> Option<impl Future<Output = Told> + use<>> {
        let member = &mut self.members[at];
        let submit = match &member.pending {
            Some((_, submit)) => submit.clone(),
            None if member.said.iter().any(|said| !said.done) => return None,
            None => {
                let id = member.take_id();
                let prepared = member.device.prepare(member.group.as_mut().unwrap(), &[], &[]);
                let submit = member.device.commit(ROOM, &prepared, id);
                member.pending = Some((id, submit.clone()));
                submit
            }
        };
        let (flows, caller) = (self.worlds[at].service.flows().clone(), member.device.caller().clone());
        Some(async move {
            Told::Committed(at, flows.submit_commit(&caller, ROOM, submit).await.map_err(Problem::from))
        })
    }

    async fn read(&mut self, at: usize) {
        self.items += 1;
        let sealed = Blob(self.items.to_be_bytes().to_vec());
        let item = PutItem { kind: "read".to_owned(), version: START_MS + self.items, sealed };
        let caller = self.members[at].device.caller();
        self.worlds[at].service.rooms().put_item(caller, ROOM, item).await.unwrap();
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Carried | Told::Said(None) => {}
            Told::Said(Some(problem)) => assert_eq!(problem.code, Code::StaleEpoch, "{problem:?}"),
            // The log will tell.
            Told::Committed(_, Ok(_)) => {}
            Told::Committed(at, Err(problem)) => match problem.code {
                Code::NodeUnreachable => {}
                Code::StaleEpoch => self.members[at].give_commit_up(),
                other => panic!("a commit was refused: {other:?} {problem:?}"),
            },
        }
    }

    async fn catch_up(&mut self, at: usize) {
        let member = &mut self.members[at];
        loop {
            let rooms = self.worlds[at].service.rooms();
            let page = rooms.log(member.device.caller(), ROOM, member.cursor, 64).await.unwrap();
            if page.entries.is_empty() {
                return;
            }
            page.entries.iter().for_each(|entry| member.take(entry));
        }
    }

    async fn log(&self, at: usize) -> Vec<LogEntry> {
        let caller = self.members[at].device.caller();
        let (mut all, mut after) = (Vec::new(), 1);
        loop {
            let page = self.worlds[at].service.rooms().log(caller, ROOM, after, 256).await.unwrap();
            let Some(last) = page.entries.last() else { return all };
            after = last.seq;
            all.extend(page.entries);
        }
    }

    async fn is_quiet(&self) -> bool {
        for (at, world) in self.worlds.iter().enumerate() {
            for other in (0..3).filter(|other| *other != at) {
                let waiting = world.service.federation().waiting(&self.worlds[other].name).await.unwrap();
                if waiting > 0 {
                    return false;
                }
            }
        }
        let epoch = self.members[0].epoch();
        self.members.iter().all(|member| member.is_done() && member.epoch() == epoch)
    }

    async fn check(&self) {
        let log = self.log(0).await;
        for at in 1..3 {
            assert!(self.log(at).await == log, "the copy of node {at} differs");
        }
        let hub = self.worlds[0].service.rooms().load(ROOM).await.unwrap();
        let (items, _) =
            self.worlds[0].service.rooms().items_since(ROOM, weft_store::Version(0)).await.unwrap();
        let items: BTreeSet<_> =
            items.iter().map(|(item, _)| (item.user.to_string(), item.version)).collect();
        for world in &self.worlds {
            let room = world.service.rooms().load(ROOM).await.unwrap();
            assert_eq!(room.record.epoch, hub.record.epoch);
            assert_eq!(room.devices().collect::<Vec<_>>(), hub.devices().collect::<Vec<_>>());
            let (own, _) = world.service.rooms().items_since(ROOM, weft_store::Version(0)).await.unwrap();
            let own: BTreeSet<_> =
                own.iter().map(|(item, _)| (item.user.to_string(), item.version)).collect();
            assert_eq!(own, items, "what has been read");
        }
        let heard = &self.members[0].heard;
        for member in &self.members {
            assert_eq!(member.epoch(), hub.record.epoch);
            assert_eq!(&member.heard, heard, "one order for all");
            let own: Vec<_> =
                heard.iter().filter(|text| text.starts_with(member.device.name().as_str())).collect();
            let said: Vec<_> = member.said.iter().map(|said| &said.text).collect();
            assert_eq!(own, said, "each once, in the order in which it was written");
        }
    }
}

impl Member {
    fn epoch(&self) -> u64 {
        self.group.as_ref().unwrap().epoch().as_u64()
    }

    fn take_id(&mut self) -> u8 {
        self.next_id += 1;
        self.next_id
    }

    fn write(&mut self) {
        let id = self.take_id();
        let text = format!("{}-{id}", self.device.name());
        self.said.push(Said { id, text, request: None, done: false });
    }

    fn is_pending(&self, message: [u8; 16]) -> bool {
        self.pending.as_ref().is_some_and(|(id, _)| [*id; 16] == message)
    }

    fn is_done(&self) -> bool {
        self.pending.is_none() && self.said.iter().all(|said| said.done)
    }

    /// What is not in the log yet, encrypted for the epoch that is now.
    fn requests(&mut self) -> Vec<SubmitMessage> {
        let epoch = self.epoch();
        if self.pending.is_some() {
            return Vec::new();
        }
        let (device, group) = (&self.device, self.group.as_mut().unwrap());
        let open = self.said.iter_mut().filter(|said| !said.done);
        open.map(|said| match &said.request {
            Some((of, request)) if *of == epoch => request.clone(),
            _ => {
                let request = device.message(group, ROOM, said.id, &said.text);
                said.request = Some((epoch, request.clone()));
                request
            }
        })
        .collect()
    }

    fn give_commit_up(&mut self) {
        if self.pending.take().is_some() {
            self.group.as_mut().unwrap().clear_pending_commit(self.device.provider.storage()).unwrap();
        }
    }

    fn take(&mut self, entry: &LogEntry) {
        assert_eq!(entry.seq, self.cursor + 1, "a gap");
        self.cursor = entry.seq;
        let envelope = entry.envelope.peek().unwrap();
        let own = envelope.device == self.device.id();
        match envelope.kind {
            EntryKind::Message if own => {
                let said = self.said.iter_mut().find(|said| [said.id; 16] == envelope.message_id.0).unwrap();
                assert!(!said.done, "{} twice", said.text);
                said.done = true;
                self.heard.push(said.text.clone());
            }
            EntryKind::Message => {
                let group = self.group.as_mut().unwrap();
                let opened = member::open(&self.device.provider, group, envelope.body.as_slice()).unwrap();
                self.heard.push(String::from_utf8(opened.content).unwrap());
            }
            EntryKind::Commit if own && self.is_pending(envelope.message_id.0) => {
                self.pending = None;
                self.group.as_mut().unwrap().merge_pending_commit(&self.device.provider).unwrap();
            }
            EntryKind::Commit => {
                self.give_commit_up();
                let (provider, group) = (&self.device.provider, self.group.as_mut().unwrap());
                let (_, staged) = member::stage(provider, group, envelope.body.as_slice(), START_MS).unwrap();
                group.merge_staged_commit(provider, *staged).unwrap();
            }
        }
    }
}

/// Says the seed of a run that fails.
struct Seed(u64);

impl Drop for Seed {
    #[allow(clippy::print_stderr)] // a test's failure
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("WEFT_SEED={} replays this", self.0);
        }
    }
}

async fn run(seed: u64) {
    let _seed = Seed(seed);
    let mut sim = Sim::new(seed).await;
    sim.net.set_faults(Faults::bad());
    for _ in 0..TURNS {
        sim.weather();
        sim.turn(true).await;
    }
    sim.net.heal();
    sim.net.set_faults(Faults::none());
    for _ in 0..CALM_TURNS_MAX {
        sim.turn(false).await;
        sim.catch_up_all().await;
        if sim.is_quiet().await {
            return sim.check().await;
        }
    }
    for (at, world) in sim.worlds.iter().enumerate() {
        for other in (0..3).filter(|other| *other != at) {
            let name = &sim.worlds[other].name;
            let waiting = world.service.federation().waiting(name).await.unwrap();
            let follower: Option<crate::outgoing::FollowerRecord> = world
                .context()
                .read(weft_store::tables::ROOM_FOLLOWERS, crate::outgoing::follower_key(ROOM, name))
                .await
                .unwrap();
            let head = world.service.rooms().head(ROOM).await.unwrap();
            eprintln!("{at} to {other}: {waiting} wait, {follower:?}, head {head}");
        }
    }
    let open: Vec<_> =
        sim.members.iter().map(|member| (member.epoch(), member.pending.is_some(), member.cursor)).collect();
    panic!("it does not come to rest: {open:?}");
}

impl Sim {
    async fn catch_up_all(&mut self) {
        for at in 0..3 {
            self.catch_up(at).await;
        }
    }
}

async fn run_part(part: u64) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("WEFT_SEED") {
        if part == 0 {
            run(seed).await;
        }
        return;
    }
    let seeds = number("WEFT_SEEDS").map_or(SEEDS, |seeds| seeds.div_ceil(TESTS));
    for seed in (0..seeds).map(|nth| nth * TESTS + part) {
        run(seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_all_have_the_same_once_1() {
    run_part(0).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_all_have_the_same_once_2() {
    run_part(1).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_all_have_the_same_once_3() {
    run_part(2).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_all_have_the_same_once_4() {
    run_part(3).await;
}
