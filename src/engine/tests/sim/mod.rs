//! A hub and devices in one process: what the tests of rooms are played with.
//!
//! [`Hub`] does what the node does (compare-and-set on the epoch, the log, Welcomes, the same answer to the same request)
//! over the real [`HubGroup`]. [`Device`] keeps its state as a host would: what was staged is durable only when the output
//! was taken, and a restart sees nothing else.

pub mod storm;

use ed25519_dalek::SigningKey;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rand_chacha::ChaCha20Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};
use weft_engine::{
    host::Write,
    kv::MemoryKv,
    rooms::{self, Anew, Me, Pins, Processed, RoomCtx, RoomError},
};
use weft_mls::{HubGroup, MlsError, Submission, config::PAST_EPOCHS_MAX, policy};
use weft_wire::{
    Blob, DeviceId, MessageId, Millis, RoomId, RoomNonce, Signed, UserAddress,
    content::Content,
    identity::DeviceCert,
    rooms::{
        Accepted, CreateRoom, DeviceRef, EntryKind, Envelope, GroupInfoAnswer, LogEntry, RoomKind,
        SubmitCommit,
    },
};

/// What happened in a run, so that a test that no longer tests anything is seen.
#[derive(Default, Debug)]
pub struct Tally {
    pub messages: AtomicU64,
    pub commits: AtomicU64,
    pub external: AtomicU64,
    pub late: AtomicU64,
    pub refused: AtomicU64,
    pub role_changes: AtomicU64,
    pub left: AtomicU64,
}

/// Far from the system clock: nothing may depend on it.
pub const NOW: Millis = 1_000_000;
pub const LATER: Millis = 2_000_000_000;
pub const ROOM: RoomId = RoomId([0xA7; 16]);

pub fn address(name: &str) -> UserAddress {
    format!("{name}@home.example").parse().unwrap()
}

pub fn signing_key(text: &str) -> SigningKey {
    let mut seed = [0x5C; 32];
    seed.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    SigningKey::from_bytes(&seed)
}

/// Who was pinned for whom: everybody's real identity key, unless a test says otherwise.
#[derive(Default, Clone)]
pub struct Book {
    pub other: BTreeMap<UserAddress, Option<[u8; 32]>>,
}

impl Pins for Book {
    fn pinned(&self, user: &UserAddress) -> Option<[u8; 32]> {
        match self.other.get(user) {
            Some(pinned) => *pinned,
            None => Some(identity_key(user.name.as_str()).verifying_key().to_bytes()),
        }
    }
}

pub fn identity_key(name: &str) -> SigningKey {
    signing_key(&format!("identity of {name}"))
}

/// A device with its memory and its disk.
pub struct Device {
    pub me: Me,
    pub pins: Book,
    pub kv: MemoryKv,
    pub disk: BTreeMap<Vec<u8>, Vec<u8>>,
    pub rng: ChaCha20Rng,
    pub now: Millis,
}

pub fn me(name: &str, device: &str, identity: &SigningKey, expires_ms: Millis) -> Me {
    let key = signing_key(&format!("{name}/{device}"));
    let device_key = key.verifying_key().to_bytes();
    let identity_key = identity.verifying_key().to_bytes();
    let cert = DeviceCert {
        user: address(name),
        identity_key,
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: 1,
        expires_ms,
    };
    Me {
        user: cert.user.clone(),
        device: cert.device,
        key,
        cert: Signed::sign(&cert, identity),
        identity_key,
    }
}

impl Device {
    pub fn new(name: &str, device: &str) -> Self {
        Self::with(me(name, device, &identity_key(name), LATER))
    }

    pub fn with(me: Me) -> Self {
        // A device that lost its state has not lost its luck: never the same keys twice.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let rng = ChaCha20Rng::seed_from_u64(NEXT.fetch_add(1, Ordering::Relaxed));
        Device { me, pins: Book::default(), kv: MemoryKv::default(), disk: BTreeMap::new(), rng, now: NOW }
    }

    pub fn id(&self) -> DeviceId {
        self.me.device
    }

    pub fn ctx(&mut self) -> RoomCtx<'_> {
        RoomCtx { kv: &mut self.kv, rng: &mut self.rng, now: self.now, me: &self.me, pins: &self.pins }
    }

    /// The host has made the output durable.
    pub fn persist(&mut self) {
        for write in self.kv.take_writes() {
            match write {
                Write::Put { key, value, .. } => drop(self.disk.insert(key, value)),
                Write::Delete { key, .. } => drop(self.disk.remove(&key)),
                Write::Wipe => self.disk.clear(),
            }
        }
    }

    /// What was not durable is gone.
    pub fn restart(&mut self) {
        self.kv = MemoryKv::from_rows(self.disk.clone());
    }

    pub fn key_package(&mut self) -> Blob {
        rooms::key_package(&mut self.ctx(), false).unwrap()
    }

    pub fn info(&mut self) -> Option<rooms::Info> {
        rooms::info(&self.ctx(), ROOM).unwrap()
    }

    pub fn members(&mut self) -> BTreeSet<DeviceId> {
        rooms::members(&mut self.ctx(), ROOM).unwrap().into_iter().map(|cert| cert.device).collect()
    }

    pub fn encrypt(&mut self, content: &Content) -> Signed<Envelope> {
        rooms::encrypt(&mut self.ctx(), ROOM, content).unwrap()
    }

    pub fn process(&mut self, entry: &LogEntry) -> Processed {
        rooms::process_entry(&mut self.ctx(), ROOM, entry).unwrap()
    }

    /// Reads the log to its end; gives what became of each entry.
    pub fn catch_up(&mut self, hub: &Hub) -> Vec<Processed> {
        let after = self.info().unwrap().cursor;
        hub.log.iter().filter(|entry| entry.seq > after).map(|entry| self.process(entry)).collect()
    }

    /// Hands a planned commit in and merges it.
    pub fn commit(&mut self, hub: &mut Hub, submit: &SubmitCommit) -> Accepted {
        let accepted = hub.commit(submit).unwrap();
        rooms::commit_accepted(&mut self.ctx(), ROOM, &accepted).unwrap();
        accepted
    }

    /// Joins from outside; where that is not plainly the group that it knew, its person has looked, and all is as it should be.
    pub fn join_externally(&mut self, answer: &GroupInfoAnswer) -> Result<SubmitCommit, RoomError> {
        let mut join =
            |anew| rooms::external_join(&mut self.ctx(), ROOM, Some(&RoomKind::Group), answer, &anew);
        match join(Anew::default()) {
            Err(RoomError::Unsure(unsure)) => join(Anew { agreed: Some(unsure.print), ..Anew::default() }),
            joined => joined,
        }
    }

    /// Sends a message that the hub takes.
    pub fn say(&mut self, hub: &mut Hub, n: u8) -> MessageId {
        let content = text(self.id(), n);
        let envelope = self.encrypt(&content);
        hub.message(&envelope).unwrap();
        content.id
    }
}

/// A message whose id tells sender and number.
pub fn text(sender: DeviceId, n: u8) -> Content {
    let mut id = sender.0;
    id[15] = n;
    Content {
        id: MessageId(id),
        sent_ms: NOW,
        kind: "text".into(),
        body: Blob(vec![n; 3]),
        fallback: String::new(),
        reply_to: None,
    }
}

/// Why a hub refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Stale,
    Conflict,
    Forbidden(String),
}

pub struct Hub {
    pub kind: RoomKind,
    pub group: HubGroup,
    pub group_info: Blob,
    pub log: Vec<LogEntry>,
    /// Devices in the group at each epoch.
    pub members_at: Vec<BTreeSet<DeviceId>>,
    /// How often a device was removed by somebody else, at each epoch: what it read before does not carry over.
    pub removals_at: Vec<BTreeMap<DeviceId, u32>>,
    pub inbox: BTreeMap<DeviceId, Vec<(u64, Blob)>>,
    pub gone: Vec<DeviceRef>,
    /// People who have left and whose devices are all among `gone`.
    pub left: BTreeSet<UserAddress>,
    /// How often roles have changed, and people have left.
    pub role_changes: u64,
    pub leavings: u64,
    answers: BTreeMap<(DeviceId, MessageId), (Signed<Envelope>, Accepted)>,
    keys: BTreeMap<DeviceId, [u8; 32]>,
}

impl Hub {
    pub fn create(request: &CreateRoom) -> Self {
        let (group, creator) =
            HubGroup::create(request.room, request.group_info.as_slice(), NOW).expect("a good new group");
        Hub {
            kind: request.kind.clone(),
            group,
            group_info: request.group_info.clone(),
            log: Vec::new(),
            members_at: vec![BTreeSet::from([creator.device])],
            removals_at: vec![BTreeMap::new()],
            inbox: BTreeMap::new(),
            gone: Vec::new(),
            left: BTreeSet::new(),
            role_changes: 0,
            leavings: 0,
            answers: BTreeMap::new(),
            keys: BTreeMap::from([(creator.device, creator.device_key)]),
        }
    }

    pub fn epoch(&self) -> u64 {
        self.group.epoch()
    }

    pub fn members(&self) -> &BTreeSet<DeviceId> {
        self.members_at.last().unwrap()
    }

    pub fn group_info(&self) -> GroupInfoAnswer {
        GroupInfoAnswer {
            epoch: self.epoch(),
            head: self.log.len() as u64,
            group_info: self.group_info.clone(),
        }
    }

    fn before(&self, envelope: &Signed<Envelope>) -> Option<Result<Accepted, Refusal>> {
        let id = envelope.peek().unwrap();
        let (kept, accepted) = self.answers.get(&(id.device, id.message_id))?;
        Some(if kept == envelope { Ok(accepted.clone()) } else { Err(Refusal::Conflict) })
    }

    fn take(&mut self, envelope: &Signed<Envelope>) -> Accepted {
        let seq = self.log.len() as u64 + 1;
        let time_ms = NOW + seq;
        self.log.push(LogEntry { seq, time_ms, envelope: envelope.clone() });
        let accepted = Accepted { seq, time_ms, epoch: self.epoch() };
        let id = envelope.peek().unwrap();
        self.answers.insert((id.device, id.message_id), (envelope.clone(), accepted.clone()));
        accepted
    }

    /// Somebody leaves: nothing of theirs is taken any more, and any member removes their devices.
    pub fn leave(&mut self, user: &UserAddress) {
        let present = self.group.members().unwrap();
        let present: Vec<DeviceRef> = present.iter().map(weft_mls::commit::device_ref).collect();
        let roles = self.group.roles().unwrap().unwrap();
        let alone = present.iter().all(|device| device.user == *user);
        if alone || policy::may_leave(&present, roles.named(), &self.gone, user).is_err() {
            return;
        }
        let theirs = present.into_iter().filter(|device| device.user == *user);
        let news: Vec<_> = theirs.filter(|device| !self.gone.contains(device)).collect();
        self.gone.extend(news);
        self.left.insert(user.clone());
        self.leavings += 1;
    }

    pub fn message(&mut self, signed: &Signed<Envelope>) -> Result<Accepted, Refusal> {
        if let Some(answer) = self.before(signed) {
            return answer;
        }
        let forbidden = |why: &str| Refusal::Forbidden(why.into());
        let envelope = signed.peek().unwrap();
        let key = self.keys.get(&envelope.device).ok_or(forbidden("unknown"))?;
        signed.verify(key).map_err(|_| forbidden("signature"))?;
        if self.left.contains(&envelope.sender) {
            return Err(forbidden("left"));
        }
        if !self.members().contains(&envelope.device) {
            return Err(forbidden("not a member"));
        }
        if envelope.kind != EntryKind::Message || envelope.epoch > self.epoch() {
            return Err(forbidden("no message"));
        }
        if envelope.epoch + PAST_EPOCHS_MAX < self.epoch() {
            return Err(Refusal::Stale);
        }
        Ok(self.take(signed))
    }

    pub fn commit(&mut self, submit: &SubmitCommit) -> Result<Accepted, Refusal> {
        if let Some(answer) = self.before(&submit.envelope) {
            return answer;
        }
        let envelope = submit.envelope.peek().unwrap();
        if self.left.contains(&envelope.sender) {
            return Err(Refusal::Forbidden("left".into()));
        }
        let submission = Submission {
            commit: envelope.body.as_slice(),
            group_info: submit.group_info.as_slice(),
            welcome: submit.welcome.as_ref().map(Blob::as_slice),
        };
        let checked = match self.group.check_commit(&submission, NOW) {
            Ok(checked) => checked,
            Err(MlsError::WrongEpoch { .. }) => return Err(Refusal::Stale),
            Err(error) => return Err(Refusal::Forbidden(format!("{error:?}"))),
        };
        let committer = &checked.facts.committer;
        assert_eq!(committer.device, envelope.device);
        submit.envelope.verify(&committer.device_key).unwrap();
        let present = self.group.members().unwrap();
        let roles = self.group.roles().unwrap().map(|roles| roles.named().clone()).unwrap_or_default();
        let rules = policy::Rules { kind: &self.kind, present: &present, roles: &roles, gone: &self.gone };
        policy::check(&rules, &checked.facts).map_err(|error| Refusal::Forbidden(error.to_string()))?;

        let facts = self.group.apply(checked).unwrap();
        self.role_changes += u64::from(facts.roles.is_some());
        let people = policy::people_after(&present, &facts);
        // Somebody who was brought in again meanwhile is back.
        let back = |user: &UserAddress| facts.added.iter().any(|cert| cert.user == *user);
        self.left.retain(|user| people.contains(user) && !back(user));
        self.gone.retain(|gone| !facts.removed.contains(gone));
        self.group = HubGroup::from_bytes(ROOM, &self.group.to_bytes()).unwrap();
        self.group_info = submit.group_info.clone();
        let accepted = self.take(&submit.envelope);
        for to in &submit.welcome_to {
            let welcome = submit.welcome.clone().unwrap();
            self.inbox.entry(to.device).or_default().push((accepted.seq, welcome));
        }
        let mut removals = self.removals_at.last().unwrap().clone();
        if !facts.external {
            facts.removed.iter().for_each(|gone| *removals.entry(gone.device).or_default() += 1);
        }
        self.removals_at.push(removals);
        let members = self.group.members().unwrap();
        self.keys.extend(members.iter().map(|cert| (cert.device, cert.device_key)));
        self.members_at.push(members.into_iter().map(|cert| cert.device).collect());
        Ok(accepted)
    }
}

/// A room of these devices, everybody in it; the first one made it.
pub fn room_of(kind: &RoomKind, devices: &mut [Device]) -> Hub {
    let request = rooms::create(&mut devices[0].ctx(), (ROOM, RoomNonce([0; 16])), kind).unwrap();
    let mut hub = Hub::create(&request);
    let packages: Vec<Blob> = devices[1..].iter_mut().map(Device::key_package).collect();
    if !packages.is_empty() {
        let submit = rooms::add_devices(&mut devices[0].ctx(), ROOM, &packages).unwrap();
        devices[0].commit(&mut hub, &submit);
        for device in &mut devices[1..] {
            let (seq, welcome) = hub.inbox[&device.id()][0].clone();
            rooms::join_welcome(&mut device.ctx(), ROOM, Some(kind), seq, &welcome).unwrap().unwrap();
        }
    }
    devices.iter_mut().for_each(Device::persist);
    hub
}

pub fn direct() -> RoomKind {
    RoomKind::Direct { members: (address("alice"), address("bob")) }
}

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

pub fn chance(rng: &mut StdRng, percent: u32) -> bool {
    rng.gen_range(0..100) < percent
}

/// For asserting what went wrong.
pub fn failed<T: std::fmt::Debug>(result: Result<T, RoomError>) -> RoomError {
    result.unwrap_err()
}
