//! Three to five nodes, a group across them, and a network that loses, doubles, delays and cuts off by a seed, while nodes are
//! killed between any two steps, and people come, go and are sent away. Afterwards every message is everywhere, once, in one
//! order, at one epoch.
//!
//! `WEFT_SEEDS=5000` runs more; `WEFT_SEED=17` replays one.

mod checks;
mod person;

use crate::{
    ServiceConfig,
    contacts::{Stand, records::ContactRecord},
    federation::{Directory, Round, tests::support::signing_key},
    inbox::{Inbox, Item},
    rooms::RoomError,
    testing::*,
};
use futures::future::BoxFuture;
use person::Person;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{sync::Arc, time::Duration};
use tokio::task::{AbortHandle, JoinSet};
use weft_mls::Roles;
use weft_net::{
    LinkError, PeerKey,
    sim::{Faults, SimNet},
};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    Blob, Code, DeviceId, NodeName, Problem, RoomId, Signed,
    federation::NodeRecord,
    node::SignupPolicy,
    rooms::{Accepted, PutItem, RoomKind, RoomRole, SubmitCommit},
    sync::InboxItem,
};

/// Seeds of one test; there are [`TESTS`] of them, which run beside each other.
const SEEDS: u64 = 125;
const TESTS: u64 = 4;
/// Turns in which things go wrong, and turns in which they must come right.
const TURNS: usize = 14;
const CALM_TURNS_MAX: usize = 60;
/// Times that a courier goes in one turn.
const ROUNDS: usize = 4;
/// Who makes the group, at the node that is its hub, and stays.
const ALICE: usize = 0;

/// Nodes here are called by their keys.
struct Nowhere;

impl Directory for Nowhere {
    fn find(&self, _name: &NodeName) -> BoxFuture<'_, Result<Signed<NodeRecord>, LinkError>> {
        Box::pin(async { Err(LinkError::Unreachable) })
    }
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
    people: Vec<Person>,
    room: RoomId,
    items: u64,
    /// Whether people come and go.
    moving: bool,
    /// How many have come and gone after the beginning, so that a simulation in which nobody does is noticed.
    moves: usize,
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
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let nodes = 3 + rng.next_u32() as usize % 3;
        let (mut worlds, mut people) = (Vec::new(), Vec::new());
        let names = ["alice", "bob", "carol", "dave", "erin"];
        for (at, name) in names.into_iter().enumerate().take(nodes) {
            let signing = signing_key(seed * 5 + at as u64);
            let node = PeerKey(signing.verifying_key().to_bytes()).name();
            let world = World::named(node.as_str(), signing, config()).await;
            worlds.push(world);
            let room = nonces(&worlds[0].name)[7].0;
            people.push(Person::new(worlds[at].sign_up(name).await, at, room));
        }
        // One node has two people.
        let crowded = rng.next_u32() as usize % nodes;
        let room = people[ALICE].room;
        people.push(Person::new(worlds[crowded].sign_up("frank").await, crowded, room));
        let moving = !seed.is_multiple_of(3);
        let mut sim = Sim { rng, net, worlds, people, room, items: 0, moving, moves: 0 };
        (0..nodes).for_each(|at| sim.attach(at));
        sim.open_room().await;
        sim
    }

    fn attach(&mut self, at: usize) {
        let federation = self.worlds[at].service.federation();
        let link = self.net.attach(key(&self.worlds[at]), Arc::new(federation.clone()));
        federation.connect(Arc::new(link), Arc::new(Nowhere));
    }

    fn dice(&mut self, below: usize) -> usize {
        self.rng.next_u32() as usize % below
    }

    fn nodes(&self) -> usize {
        self.worlds.len()
    }

    /// Everybody knows everybody. Alice has a group with some of them, of whom bob is an admin.
    async fn open_room(&mut self) {
        for me in &self.people {
            let mut batch = Batch::new();
            for them in self.people.iter().filter(|them| them.device.user != me.device.user) {
                let (stand, identity) = (Stand::Accepted, them.device.identity());
                let record = ContactRecord { stand, identity, sealed: None, since_ms: START_MS };
                let key = crate::context::joined(me.device.name().as_str(), them.device.user.to_string());
                batch = batch.put(tables::CONTACTS, key, record.to_record());
            }
            self.worlds[me.home].store.commit(batch).await.unwrap();
        }
        let first = if self.moving { 2 + self.dice(self.people.len() - 2) } else { self.people.len() };
        let alice = &self.people[ALICE].device;
        let (request, group) = alice.create_request(RoomKind::Group, self.room);
        self.worlds[0].service.flows().create_room(alice.caller(), request).await.unwrap();
        let mut roles = Roles::of_creator(alice.user.clone());
        roles.set(&self.people[1].device.user, RoomRole::Admin);
        let packages: Vec<_> =
            self.people[1..first].iter().map(|them| them.device.key_package(false)).collect();
        self.people[ALICE].group = Some(group);
        for whom in 1..first {
            self.agree(ALICE, whom).await;
        }
        let submit = self.people[ALICE].prepare(&packages, &[], Some(&roles));
        let (flows, caller) = (self.worlds[0].service.flows().clone(), self.people[ALICE].device.caller());
        self.net.run_until(flows.submit_commit(caller, self.room, submit)).await.unwrap();
        for to in 1..self.nodes() {
            let name = self.worlds[to].name.clone();
            let federation = self.worlds[0].service.federation();
            while self.net.run_until(federation.round(&name)).await.unwrap() != Round::Idle {}
        }
        for who in 0..self.people.len() {
            self.catch_up(who).await;
        }
        assert_eq!(self.people.iter().filter(|one| one.group.is_some()).count(), first);
    }

    /// One turn: people do things, couriers go, and perhaps a node is killed in the middle of it.
    async fn turn(&mut self, rough: bool) {
        let mut tasks = JoinSet::new();
        let mut handles: Vec<(usize, AbortHandle)> = Vec::new();
        self.catch_up_all().await;
        for who in 0..self.people.len() {
            let at = self.people[who].home;
            if self.people[who].group.is_none() {
                continue;
            }
            if rough && self.moving && self.dice(16) == 0 && self.leave(who).await {
                continue;
            }
            let person = &mut self.people[who];
            if rough && person.pending.is_none() && self.rng.next_u32().is_multiple_of(2) {
                person.write();
            }
            if let Some(work) = self.hand_in(who) {
                handles.push((at, tasks.spawn(work)));
            } else if let Some(work) = self.commit(who, rough).await {
                handles.push((at, tasks.spawn(work)));
            }
            if rough && self.dice(3) == 0 {
                self.read(who).await;
            }
        }
        for at in 0..self.nodes() {
            for to in (0..self.nodes()).filter(|to| *to != at) {
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
        let crash = (rough && self.dice(3) == 0).then(|| (self.dice(self.nodes()), self.dice(60)));
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
        let apart = 1 + self.dice(keys.len() - 1);
        match self.dice(6) {
            0 | 1 => self.net.partition(&[&keys[..apart], &keys[apart..]]),
            2 => self.net.partition(&keys.iter().map(std::slice::from_ref).collect::<Vec<_>>()),
            3 => {}
            _ => self.net.heal(),
        }
    }

    /// Everything that is to go out, in order, as a task.
    fn hand_in(&mut self, who: usize) -> Option<impl Future<Output = Told> + use<>> {
        let person = &mut self.people[who];
        let requests = person.requests();
        if requests.is_empty() {
            return None;
        }
        let (flows, caller) =
            (self.worlds[person.home].service.flows().clone(), person.device.caller().clone());
        let room = self.room;
        Some(async move {
            for request in requests {
                match flows.submit_message(&caller, room, request).await.map_err(Problem::from) {
                    // What was written later follows it, as it waits in one outbox.
                    Ok(_) => {}
                    Err(problem) if matches!(problem.code, Code::NodeUnreachable | Code::IdConflict) => {}
                    Err(problem) => return Told::Said(Some(problem)),
                }
            }
            Told::Said(None)
        })
    }

    async fn commit(&mut self, who: usize, rough: bool) -> Option<impl Future<Output = Told> + use<>> {
        let submit = match &self.people[who].pending {
            Some((_, submit)) => submit.clone(),
            None if !self.people[who].is_done() => return None,
            None => {
                let gone = self.gone(who).await;
                let what = if rough { self.dice(8) } else { 8 };
                if !gone.is_empty() && (what == 0 || (!rough && who == ALICE)) {
                    self.people[who].prepare(&[], &gone, None)
                } else if what == 1 && self.moving {
                    self.bring_in(who).await?
                } else if what == 2 && self.moving {
                    self.send_away(who)?
                } else if what == 3 {
                    self.people[who].prepare(&[], &[], None)
                } else {
                    return None;
                }
            }
        };
        let person = &self.people[who];
        let (flows, caller) =
            (self.worlds[person.home].service.flows().clone(), person.device.caller().clone());
        let room = self.room;
        Some(async move {
            Told::Committed(who, flows.submit_commit(&caller, room, submit).await.map_err(Problem::from))
        })
    }

    /// Leaves of people who have left, as somebody's node tells and their own group has them.
    async fn gone(&self, who: usize) -> Vec<DeviceId> {
        let person = &self.people[who];
        let Ok(room) = self.worlds[person.home].service.rooms().load(self.room).await else {
            return Vec::new();
        };
        let (sees, me) = (person.sees(), &person.device.user);
        let gone = room.record.gone.iter().filter(|gone| gone.user != *me && sees.contains(&gone.user));
        gone.map(|gone| gone.device).collect()
    }

    /// As by taking KeyPackages for the group.
    async fn agree(&self, who: usize, whom: usize) {
        let (by, person) = (&self.people[who].device.user, &self.people[whom]);
        let contacts = self.worlds[person.home].service.contacts();
        contacts.note_consent(person.device.name(), by, self.room).await.unwrap();
    }

    async fn bring_in(&mut self, who: usize) -> Option<SubmitCommit> {
        let (person, sees) = (&self.people[who], self.people[who].sees());
        if person.role() < Some(RoomRole::Admin) {
            return None;
        }
        let out: Vec<usize> =
            (0..self.people.len()).filter(|other| !sees.contains(&self.people[*other].device.user)).collect();
        let whom = *out.get(self.dice(out.len().max(1)))?;
        self.moves += 1;
        self.agree(who, whom).await;
        let package = self.people[whom].device.key_package(false);
        Some(self.people[who].prepare(&[package], &[], None))
    }

    fn send_away(&mut self, who: usize) -> Option<SubmitCommit> {
        let (role, roles, sees) =
            (self.people[who].role(), self.people[who].roles(), self.people[who].sees());
        if role < Some(RoomRole::Admin) {
            return None;
        }
        let may = |whom: &RoomRole| *whom == RoomRole::Member || role == Some(RoomRole::Owner);
        let others: Vec<usize> = (1..self.people.len())
            .filter(|other| *other != who && sees.contains(&self.people[*other].device.user))
            .filter(|other| may(&roles.of(&self.people[*other].device.user)))
            .collect();
        let whom = *others.get(self.dice(others.len().max(1)))?;
        self.moves += 1;
        let (user, device) = (self.people[whom].device.user.clone(), self.people[whom].device.id());
        let mut after = roles.clone();
        after.set(&user, RoomRole::Member);
        let changed = after != roles;
        Some(self.people[who].prepare(&[], &[device], changed.then_some(&after)))
    }

    /// Somebody without a role goes, if nothing of theirs is under way.
    async fn leave(&mut self, who: usize) -> bool {
        let person = &mut self.people[who];
        if person.role() != Some(RoomRole::Member) || person.pending.is_some() {
            return false;
        }
        let flows = self.worlds[person.home].service.flows();
        match flows.leave_room(person.device.caller(), self.room).await.map_err(Problem::from) {
            Ok(()) => self.moves += 1,
            // Sent away at the same moment.
            Err(problem) => assert_eq!(problem.code, Code::NotFound),
        }
        person.out();
        true
    }

    async fn read(&mut self, who: usize) {
        self.items += 1;
        let sealed = Blob(self.items.to_be_bytes().to_vec());
        let item = PutItem { kind: "read".to_owned(), version: START_MS + self.items, sealed };
        let person = &self.people[who];
        let put = self.worlds[person.home].service.rooms().put_item(person.device.caller(), self.room, item);
        if let Err(error) = put.await {
            assert!(matches!(error, RoomError::NotFound), "{error:?}");
        }
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Carried | Told::Said(None) => {}
            // They do not know yet that they were sent away.
            Told::Said(Some(problem)) => {
                let known = [Code::StaleEpoch, Code::NotFound, Code::Forbidden];
                assert!(known.contains(&problem.code), "{problem:?}");
            }
            // The log will tell.
            Told::Committed(_, Ok(_)) => {}
            Told::Committed(who, Err(problem)) => match problem.code {
                Code::NodeUnreachable => {}
                Code::StaleEpoch | Code::NotFound => self.people[who].give_commit_up(),
                other => panic!("a commit was refused: {other:?} {problem:?}"),
            },
        }
    }

    async fn catch_up(&mut self, who: usize) {
        let person = &mut self.people[who];
        let world = &self.worlds[person.home];
        let rooms = world.service.rooms();
        while person.group.is_some() {
            let page = match rooms.log(person.device.caller(), self.room, person.cursor, 64).await {
                Err(RoomError::NotFound) => {
                    person.out();
                    break;
                }
                // Sent away and brought in again before they heard of it: a Welcome is there, or comes.
                Err(RoomError::CursorLost { .. }) => {
                    let room = rooms.load(self.room).await.unwrap();
                    assert!(room.member(&person.device.user).unwrap().since >= person.cursor, "a gap");
                    person.out();
                    break;
                }
                page => page.unwrap(),
            };
            if page.entries.is_empty() {
                break;
            }
            for entry in &page.entries {
                person.take(entry);
                if person.group.is_none() {
                    break;
                }
            }
        }
        let inbox = Inbox::new(Arc::new(world.context()));
        let (name, device) = (person.device.name(), person.device.id());
        let page = inbox.page(name, device, person.inbox_after, 64).await.unwrap();
        let (mut last, mut newest) = (person.inbox_after, None);
        for entry in page {
            match entry.item {
                Item::Ready(InboxItem::Welcome { seq, welcome, .. }) => newest = Some((seq, welcome)),
                Item::Welcome { device, message, welcome, .. } => {
                    newest = Some((rooms.find(self.room, device, message).await.unwrap().unwrap(), welcome));
                }
                Item::Ready(_) => {}
            }
            last = entry.seq;
        }
        // The log comes first: it says how it ended the last time.
        let Some((seq, welcome)) = newest.filter(|(seq, _)| *seq > person.cursor) else { return };
        if rooms.head(self.room).await.unwrap() >= seq
            && rooms.is_in(self.room, &person.device.user).await.unwrap()
        {
            assert!(person.group.is_none(), "{name} was brought in twice");
            person.inbox_after = last;
            person.enter(seq, welcome.as_slice());
            Box::pin(self.catch_up(who)).await;
        }
    }

    async fn catch_up_all(&mut self) {
        for who in 0..self.people.len() {
            self.catch_up(who).await;
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

/// Gives how many came and went.
async fn run(seed: u64) -> usize {
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
            sim.check().await;
            return sim.moves;
        }
    }
    let hub = sim.worlds[0].service.rooms().load(sim.room).await.unwrap();
    let open: Vec<_> = sim
        .people
        .iter()
        .map(|one| {
            (
                one.device.name(),
                one.epoch(),
                one.is_done(),
                one.cursor,
                hub.member(&one.device.user).is_some(),
            )
        })
        .collect();
    panic!("it does not come to rest: {open:?} epoch {} gone {:?}", hub.record.epoch, hub.record.gone);
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
    let mut moves = 0;
    for seed in (0..seeds).map(|nth| nth * TESTS + part) {
        moves += run(seed).await;
    }
    assert!(moves > 0, "nobody came or went");
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
