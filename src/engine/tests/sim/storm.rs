//! A room in a storm: requests, answers and log entries are lost, doubled and reordered; devices are killed before their
//! writes are durable, or after that but before anything was sent. Then it calms down, and everything under way comes to its
//! end.

use super::*;
use rand::{Rng, rngs::StdRng, seq::SliceRandom};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};
use weft_engine::{
    kv::Kv,
    rooms::{self, Change, Changes, Processed, RoomError, Skip, Stage},
};
use weft_mls::{MlsError, config::PAST_EPOCHS_MAX};
use weft_wire::{
    Blob, DeviceId, MessageId, Signed, UserAddress,
    content::Content,
    decode, encode,
    rooms::{Accepted, EntryKind, Envelope, GroupInfoAnswer, LogEntry, RoomKind, RoomRole, SubmitCommit},
};

const STEPS: usize = 140;
const LOSS_PERCENT: u32 = 15;
const DOUBLE_PERCENT: u32 = 15;
const CRASH_PERCENT: u32 = 6;

/// The application's side of a device's state, in the same keys and values, so that it is staged together.
const OUTGOING: &[u8] = b"q/";
const READ: &[u8] = b"t/";

#[derive(Clone)]
enum Packet {
    // To the hub.
    Message(Signed<Envelope>),
    Commit(SubmitCommit),
    AskGroupInfo,
    AskLog(u64),
    // To the device.
    MessageAnswer(MessageId, Result<Accepted, Refusal>),
    CommitAnswer(MessageId, Result<Accepted, Refusal>),
    GroupInfo(GroupInfoAnswer),
    Entry(LogEntry),
    Welcome(u64, Blob),
}

/// Who takes part, and what they do besides talking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Five devices of three people, in a room that only changes by its devices.
    Devices,
    /// Ten devices of five people: they are brought in and removed, get and lose roles, and leave.
    Group,
}

impl Life {
    fn cast(self) -> Vec<(&'static str, &'static str)> {
        let people = ["alice", "bob", "carol", "dave", "erin"];
        match self {
            Life::Devices => vec![
                ("alice", "phone"),
                ("alice", "tablet"),
                ("bob", "phone"),
                ("bob", "tablet"),
                ("carol", "phone"),
            ],
            Life::Group => people.iter().flat_map(|name| [(*name, "phone"), (*name, "tablet")]).collect(),
        }
    }
}

struct World {
    life: Life,
    rng: StdRng,
    hub: Hub,
    devices: Vec<Device>,
    /// KeyPackages that each device has published.
    packages: BTreeMap<DeviceId, Vec<Blob>>,
    network: Vec<(usize, Packet)>,
    written: Vec<u8>,
    /// Wants to join anew at the next chance.
    resync: Vec<bool>,
    /// Epochs at which a device came in by external commit with no state from before: it reads from there on only, even
    /// when somebody had added it already and the Welcome was still under way.
    fresh: BTreeMap<DeviceId, Vec<u64>>,
    calm: bool,
    /// Commits that the hub refused for what they do.
    refused: u64,
}

impl World {
    fn new(seed: u64, life: Life) -> Self {
        let cast = life.cast();
        let mut devices: Vec<_> = cast.iter().map(|(name, device)| Device::new(name, device)).collect();
        for (n, device) in devices.iter_mut().enumerate() {
            device.rng = ChaCha20Rng::seed_from_u64(seed * 100 + n as u64);
        }
        let mut rng = rng(seed);
        let first = rng.gen_range(1..=devices.len());
        let hub = room_of(&RoomKind::Group, &mut devices[..first]);
        let mut packages = BTreeMap::new();
        for device in &mut devices {
            let mut stock: Vec<_> = (0..8).map(|_| device.key_package()).collect();
            stock.insert(0, rooms::key_package(&mut device.ctx(), true).unwrap());
            packages.insert(device.id(), stock);
            device.persist();
        }
        let count = devices.len();
        World {
            life,
            rng,
            hub,
            devices,
            packages,
            network: Vec::new(),
            written: vec![0; count],
            resync: vec![false; count],
            fresh: BTreeMap::new(),
            calm: false,
            refused: 0,
        }
    }

    /// Ends a turn of a device: its writes become durable, then its packets leave. Or it is killed in between.
    fn end_turn(&mut self, n: usize, packets: Vec<Packet>) {
        let device = &mut self.devices[n];
        if !self.calm && chance(&mut self.rng, CRASH_PERCENT) {
            if chance(&mut self.rng, 50) {
                device.persist();
            }
            device.restart();
            device.rng = ChaCha20Rng::seed_from_u64(self.rng.r#gen());
            return;
        }
        device.persist();
        self.network.extend(packets.into_iter().map(|packet| (n, packet)));
    }

    fn step(&mut self) {
        let n = self.rng.gen_range(0..self.devices.len());
        match self.rng.gen_range(0..100) {
            0..10 => self.write_message(n),
            10..18 if self.life == Life::Group => self.plan_group(n),
            10..18 => self.plan(n),
            18..20 => self.resync[n] = self.devices[n].info().is_some(),
            20..35 => self.pump(n),
            35..36 => self.end_turn_by_crash(n),
            _ => self.deliver(),
        }
    }

    fn end_turn_by_crash(&mut self, n: usize) {
        self.devices[n].restart();
    }

    fn write_message(&mut self, n: usize) {
        if self.written[n] == u8::MAX {
            return;
        }
        self.written[n] += 1;
        let content = text(self.devices[n].id(), self.written[n]);
        let key = [OUTGOING, content.id.as_bytes()].concat();
        self.devices[n].kv.put(&key, encode(&content));
        // Only what became durable counts as written.
        self.end_turn(n, Vec::new());
    }

    /// Changes who is in the group.
    fn plan(&mut self, n: usize) {
        let ids: Vec<_> = self.devices.iter().map(|device| (device.id(), device.me.user.clone())).collect();
        let device = &mut self.devices[n];
        let Some(info) = device.info() else { return };
        if info.stage != Stage::Active || info.pending {
            return;
        }
        let members = device.members();
        let others: Vec<_> = ids.iter().filter(|(id, _)| *id != device.id()).collect();
        let planned = match self.rng.gen_range(0..10) {
            0..4 => {
                let absent: Vec<_> = others.iter().filter(|(id, _)| !members.contains(id)).collect();
                let Some((id, _)) = absent.choose(&mut self.rng) else { return };
                let stock = self.packages.get_mut(id).unwrap();
                let package = if stock.len() > 1 { stock.pop().unwrap() } else { stock[0].clone() };
                rooms::add_devices(&mut device.ctx(), ROOM, &[package])
            }
            4..7 => {
                let own = device.me.user.clone();
                let may = |user: &weft_wire::UserAddress| *user == own || own == address("alice");
                let present: Vec<_> =
                    others.iter().filter(|(id, user)| members.contains(id) && may(user)).collect();
                let Some((id, _)) = present.choose(&mut self.rng) else { return };
                rooms::remove_devices(&mut device.ctx(), ROOM, &[*id])
            }
            _ => rooms::self_update(&mut device.ctx(), ROOM),
        };
        let packets = match planned {
            Ok(submit) => vec![Packet::Commit(submit)],
            // A stranger to the one who adds: bob may not bring carol in.
            Err(RoomError::Policy(_) | RoomError::Busy) => vec![],
            Err(error) => panic!("to plan: {error:?}"),
        };
        self.end_turn(n, packets);
    }

    fn device_ids(&self, user: &UserAddress) -> Vec<DeviceId> {
        self.devices.iter().filter(|device| device.me.user == *user).map(Device::id).collect()
    }

    /// Changes who is in the group, and what they may do. Whether they may is not looked at here: who is refused was to be.
    fn plan_group(&mut self, n: usize) {
        let users: Vec<UserAddress> = self.devices.iter().map(|device| device.me.user.clone()).collect();
        let whom = users.choose(&mut self.rng).unwrap().clone();
        let own = users[n].clone();
        let ids = self.device_ids(&whom);
        let stage = self.devices[n].info().map(|info| (info.stage, info.pending));
        if stage != Some((Stage::Active, false)) {
            return;
        }
        let members = self.devices[n].members();
        let role = [RoomRole::Member, RoomRole::Admin, RoomRole::Owner][self.rng.gen_range(0..3)];
        let roles = [(whom.clone(), role)];
        let (mut add, mut remove, mut named) = (Vec::new(), Vec::new(), &roles[..0]);
        match self.rng.gen_range(0..12) {
            0..5 => {
                for id in ids.iter().filter(|id| !members.contains(id)) {
                    let stock = self.packages.get_mut(id).unwrap();
                    add.push(if stock.len() > 1 { stock.pop().unwrap() } else { stock[0].clone() });
                }
                // Brought in with a role at once, now and then.
                named = if chance(&mut self.rng, 20) { &roles } else { named };
            }
            5..7 if whom != own => remove.extend(ids.iter().filter(|id| members.contains(id))),
            7..10 => named = &roles,
            10 => return self.hub.leave(&own),
            _ => {}
        }
        let changes = Changes { add: &add, remove: &remove, roles: named };
        let packets = match rooms::change_group(&mut self.devices[n].ctx(), ROOM, &changes) {
            Ok(submit) => vec![Packet::Commit(submit)],
            Err(RoomError::Policy(_) | RoomError::Busy) => vec![],
            Err(error) => panic!("to plan: {error:?}"),
        };
        self.end_turn(n, packets);
    }

    /// Removes those who have left, as any member's device does.
    fn tidy(&mut self, n: usize) -> Option<Packet> {
        let device = &mut self.devices[n];
        let me = device.me.device_ref();
        let free = device.info().is_some_and(|info| info.stage == Stage::Active && !info.pending);
        if self.hub.gone.contains(&me) || !free {
            return None;
        }
        let members = device.members();
        let gone: Vec<_> =
            self.hub.gone.iter().map(|gone| gone.device).filter(|id| members.contains(id)).collect();
        if gone.is_empty() {
            return None;
        }
        match rooms::remove_devices(&mut device.ctx(), ROOM, &gone) {
            Ok(submit) => Some(Packet::Commit(submit)),
            Err(RoomError::Policy(_) | RoomError::Busy) => None,
            Err(error) => panic!("to tidy up: {error:?}"),
        }
    }

    /// What a device does by itself, again and again: send what waits, ask for what is missing.
    fn pump(&mut self, n: usize) {
        let can_join = self.may_join(n);
        let mut packets: Vec<_> = self.tidy(n).into_iter().collect();
        let device = &mut self.devices[n];
        for (seq, welcome) in self.hub.inbox.get(&device.id()).into_iter().flatten() {
            packets.push(Packet::Welcome(*seq, welcome.clone()));
        }
        match device.info() {
            None if can_join => packets.push(Packet::AskGroupInfo),
            None => {}
            Some(info) => {
                packets.push(Packet::AskLog(info.cursor));
                let pending = rooms::pending(&device.ctx(), ROOM).unwrap();
                let refused = pending.as_ref().is_some_and(|pending| pending.refused);
                let joins = info.stage != Stage::Active || self.resync[n];
                if joins && can_join && pending.as_ref().is_none_or(|p| p.external && p.refused) {
                    packets.push(Packet::AskGroupInfo);
                }
                if let Some(pending) = pending.filter(|p| p.accepted.is_none())
                    && !refused
                {
                    packets.push(Packet::Commit(pending.submit));
                }
                if info.stage == Stage::Active {
                    for (_, content) in device.kv.scan(OUTGOING) {
                        let content: Content = decode(&content, usize::MAX).unwrap();
                        packets.push(Packet::Message(device.encrypt(&content)));
                    }
                }
            }
        }
        self.end_turn(n, packets);
    }

    /// The hub lets a device in by itself when another device of that person is there, or itself.
    fn may_join(&self, n: usize) -> bool {
        let user = &self.devices[n].me.user;
        if self.hub.left.contains(user) {
            return false;
        }
        let present = self.hub.members();
        self.devices.iter().any(|device| device.me.user == *user && present.contains(&device.id()))
    }

    /// Delivers any packet, loses it, or delivers it twice.
    fn deliver(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let at = self.rng.gen_range(0..self.network.len());
        let (n, packet) = self.network.swap_remove(at);
        if !self.calm && chance(&mut self.rng, LOSS_PERCENT) {
            return;
        }
        if !self.calm && chance(&mut self.rng, DOUBLE_PERCENT) {
            self.network.push((n, packet.clone()));
        }
        match packet {
            Packet::Message(envelope) => {
                let answer = self.hub.message(&envelope);
                let id = envelope.peek().unwrap().message_id;
                self.network.push((n, Packet::MessageAnswer(id, answer)));
            }
            Packet::Commit(submit) => {
                let answer = self.hub.commit(&submit);
                if let Err(Refusal::Forbidden(why)) = &answer {
                    // Fair only: who is gone, or not yet there, or has not the role for it, may not commit.
                    assert!(!why.contains("GroupInfo") && !why.contains("Welcome"), "{why}");
                    self.refused += 1;
                }
                let id = submit.envelope.peek().unwrap().message_id;
                self.network.push((n, Packet::CommitAnswer(id, answer)));
            }
            Packet::AskGroupInfo => self.network.push((n, Packet::GroupInfo(self.hub.group_info()))),
            Packet::AskLog(after) => {
                let page = self.hub.log.iter().filter(|entry| entry.seq > after).take(12);
                self.network.extend(page.map(|entry| (n, Packet::Entry(entry.clone()))));
            }
            answer => self.receive(n, answer),
        }
    }

    fn receive(&mut self, n: usize, packet: Packet) {
        let device = &mut self.devices[n];
        match packet {
            // A conflict: an earlier try was taken. The log may never bring it, if this device was out of the group then.
            Packet::MessageAnswer(id, Ok(_) | Err(Refusal::Conflict)) => {
                rooms::forget_message(&mut device.ctx(), ROOM, id);
                device.kv.delete(&[OUTGOING, id.as_bytes()].concat());
            }
            Packet::MessageAnswer(_, Err(Refusal::Stale | Refusal::Forbidden(_))) => {}
            Packet::CommitAnswer(id, answer) => {
                let Some(pending) = rooms::pending(&device.ctx(), ROOM).unwrap() else { return };
                if pending.submit.envelope.peek().unwrap().message_id != id {
                    return;
                }
                let stage = device.info().unwrap().stage;
                let ctx = &mut device.ctx();
                match answer {
                    Ok(accepted) => {
                        let change = rooms::commit_accepted(ctx, ROOM, &accepted).unwrap();
                        change.into_iter().for_each(|change| self.came_in(n, stage, &change));
                    }
                    Err(Refusal::Stale) => rooms::commit_refused(ctx, ROOM, true).unwrap(),
                    Err(Refusal::Conflict) => panic!("the bytes of a commit have changed"),
                    Err(Refusal::Forbidden(_)) => rooms::commit_refused(ctx, ROOM, false).unwrap(),
                }
            }
            Packet::GroupInfo(answer) => self.join_externally(n, &answer),
            Packet::Entry(entry) => self.read(n, &entry),
            Packet::Welcome(seq, welcome) => {
                let kind = RoomKind::Group;
                match rooms::join_welcome(&mut device.ctx(), ROOM, Some(&kind), seq, &welcome) {
                    Ok(_) | Err(RoomError::StaleWelcome | RoomError::Mls(MlsError::NoKeyPackage)) => {}
                    Err(error) => panic!("a Welcome: {error:?}"),
                }
            }
            _ => unreachable!("to the hub"),
        }
        self.end_turn(n, Vec::new());
    }

    fn join_externally(&mut self, n: usize, answer: &GroupInfoAnswer) {
        let device = &mut self.devices[n];
        let (stage, pending) = match device.info() {
            Some(info) => (Some(info.stage), info.pending),
            None => (None, false),
        };
        let refused = pending && rooms::pending(&device.ctx(), ROOM).unwrap().unwrap().refused;
        if (stage == Some(Stage::Active) && !self.resync[n]) || (pending && !refused) {
            return;
        }
        match device.join_externally(answer) {
            Ok(_) | Err(RoomError::Busy) => {}
            Err(error) => panic!("an external join: {error:?}"),
        }
    }

    fn came_in(&mut self, n: usize, stage: Stage, change: &Change) {
        let id = self.devices[n].id();
        if change.own && change.added.iter().any(|cert| cert.device == id) {
            self.resync[n] = false;
            if stage != Stage::Active {
                self.fresh.entry(id).or_default().push(change.epoch);
            }
        }
    }

    /// A device takes a log entry and notes what it read, in the same writes.
    fn read(&mut self, n: usize, entry: &LogEntry) {
        let device = &mut self.devices[n];
        let Some(stage) = device.info().map(|info| info.stage) else { return };
        match rooms::process_entry(&mut device.ctx(), ROOM, entry) {
            Ok(Processed::Message(message)) => {
                let key = [READ, message.seq.to_be_bytes().as_slice()].concat();
                assert_eq!(device.kv.get(&key), None, "read twice");
                device.kv.put(&key, message.content.id.0.to_vec());
            }
            Ok(Processed::Own { message_id }) => {
                device.kv.delete(&[OUTGOING, message_id.as_bytes()].concat())
            }
            Ok(Processed::Commit(change)) => self.came_in(n, stage, &change),
            Ok(Processed::Skipped(Skip::Duplicate | Skip::BeforeJoin)) => {}
            Ok(Processed::Skipped(Skip::Replayed)) => {
                panic!("nothing was replayed, yet {:?}", entry.envelope.peek())
            }
            Ok(Processed::Unusable { reason, .. }) => panic!("everybody is honest, yet: {reason:?}"),
            Err(RoomError::Gap { .. }) => {}
            Err(error) => panic!("an entry: {error:?}"),
        }
    }

    /// The storm is over: nothing is lost any more, nobody plans anything new, and everything under way comes to its end.
    fn settle(&mut self) {
        self.calm = true;
        for round in 0.. {
            assert!(round < 60, "it does not come to rest: {}", self.describe());
            for n in 0..self.devices.len() {
                self.pump(n);
            }
            while !self.network.is_empty() {
                self.deliver();
            }
            if self.at_rest() {
                return;
            }
        }
    }

    fn at_rest(&mut self) -> bool {
        let head = self.hub.log.len() as u64;
        let members = self.hub.members().clone();
        let may_join: Vec<_> = (0..self.devices.len()).map(|n| self.may_join(n)).collect();
        self.devices.iter_mut().enumerate().all(|(n, device)| match device.info() {
            None => !may_join[n],
            Some(info) if info.stage == Stage::Active => {
                let sent = device.kv.scan(OUTGOING).is_empty();
                info.cursor == head && !info.pending && sent && members.contains(&device.id())
            }
            Some(info) => info.cursor == head && !may_join[n],
        })
    }

    fn describe(&mut self) -> String {
        let (epoch, head) = (self.hub.epoch(), self.hub.log.len());
        let infos: Vec<_> = self.devices.iter_mut().map(Device::info).collect();
        format!("hub at epoch {epoch}, log {head}; {infos:#?}")
    }

    /// Whether a device was in the group from the epoch of a message until the hub took it. Joining anew does not end that,
    /// being removed does.
    fn was_in(&self, device: DeviceId, from: u64, to: u64) -> bool {
        assert!(from + PAST_EPOCHS_MAX >= to);
        let removals = |epoch: u64| self.hub.removals_at[epoch as usize].get(&device);
        let fresh = self.fresh.get(&device).into_iter().flatten();
        self.hub.members_at[from as usize..=to as usize].iter().all(|members| members.contains(&device))
            && removals(from) == removals(to)
            && !fresh.into_iter().any(|epoch| *epoch > from && removals(*epoch) == removals(from))
    }

    fn check(&mut self) {
        let (epoch, members) = (self.hub.epoch(), self.hub.members().clone());
        let roles = self.hub.group.roles().unwrap();
        assert!(roles.as_ref().unwrap().has_owner());
        for device in &mut self.devices {
            let info = device.info();
            let active = info.as_ref().is_some_and(|info| info.stage == Stage::Active);
            assert_eq!(active, members.contains(&device.id()));
            if active {
                assert_eq!(info.unwrap().epoch, epoch);
                assert_eq!(device.members(), members);
                assert_eq!(rooms::roles(&mut device.ctx(), ROOM).unwrap(), roles);
            }
        }
        let mut ids = BTreeSet::new();
        for (entry, at) in self.hub.log.iter().zip(epochs_at(&self.hub)) {
            let envelope = entry.envelope.peek().unwrap();
            if envelope.kind != EntryKind::Message {
                continue;
            }
            assert!(ids.insert(envelope.message_id), "one message twice in the log");
            for device in &self.devices {
                let id = device.id();
                let reads = device.kv.get(&[READ, entry.seq.to_be_bytes().as_slice()].concat());
                let expected = id != envelope.device && self.was_in(id, envelope.epoch, at);
                match reads {
                    Some(read) => {
                        assert_eq!(read, envelope.message_id.0, "{} at {}", device.me.user, entry.seq)
                    }
                    None => assert!(!expected, "{} has not read {}", device.me.user, entry.seq),
                }
            }
        }
    }
}

/// The epoch that the group was at when each entry was taken.
fn epochs_at(hub: &Hub) -> Vec<u64> {
    let mut epoch = 0;
    let epochs = hub.log.iter().map(|entry| {
        let now = epoch;
        epoch += u64::from(entry.envelope.peek().unwrap().kind == EntryKind::Commit);
        now
    });
    epochs.collect()
}

fn run(seed: u64, life: Life, tally: &Tally) {
    let mut world = World::new(seed, life);
    for _ in 0..STEPS {
        // Time for packets to travel: mostly deliveries, in bursts.
        for _ in 0..3 {
            world.step();
        }
    }
    world.settle();
    world.check();
    tally.refused.fetch_add(world.refused, Ordering::Relaxed);
    tally.role_changes.fetch_add(world.hub.role_changes, Ordering::Relaxed);
    tally.left.fetch_add(world.hub.leavings, Ordering::Relaxed);
    let epochs = epochs_at(&world.hub);
    for (entry, at) in world.hub.log.iter().zip(epochs) {
        let envelope = entry.envelope.peek().unwrap();
        let kind = if envelope.kind == EntryKind::Message { &tally.messages } else { &tally.commits };
        kind.fetch_add(1, Ordering::Relaxed);
        if envelope.kind == EntryKind::Message && envelope.epoch < at {
            tally.late.fetch_add(1, Ordering::Relaxed);
        }
        let before = &world.hub.members_at[at as usize];
        if envelope.kind == EntryKind::Commit && !before.contains(&envelope.device) {
            tally.external.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Plays all seeds, or the one that `WEFT_SEED` names.
pub fn play(seeds: u64, life: Life) -> Option<Tally> {
    let tally = Tally::default();
    if let Ok(seed) = std::env::var("WEFT_SEED") {
        run(seed.parse().expect("WEFT_SEED is a number"), life, &tally);
        return None;
    }
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| work(&next, seeds, life, &tally))).collect();
        for worker in workers {
            worker.join().expect("see the seed above");
        }
    });
    println!("{tally:?}");
    Some(tally)
}

fn work(next: &AtomicU64, seeds: u64, life: Life, tally: &Tally) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds {
            return;
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, life, tally)));
        if outcome.is_err() {
            eprintln!("failed with WEFT_SEED={seed}");
            next.store(seeds, Ordering::Relaxed);
            panic!("seed {seed} failed; replay it with WEFT_SEED={seed}");
        }
    }
}
