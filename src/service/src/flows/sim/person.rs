//! Somebody at their device, which does what the engine does.

use crate::testing::*;
use std::collections::BTreeSet;
use weft_mls::{
    Roles,
    member::{self, Plan},
    openmls::prelude::{MlsGroup, OpenMlsProvider as _},
};
use weft_wire::{
    Blob, DeviceId, RoomId, UserAddress,
    rooms::{EntryKind, LogEntry, RoomRole, SubmitCommit, SubmitMessage},
};

#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is known yet.
    Open,
    /// It has come back in the log.
    Done,
    /// Its author went, or was sent away, before they heard of it.
    Lost,
}

pub struct Said {
    id: u8,
    pub text: String,
    request: Option<(u64, SubmitMessage)>,
    pub fate: Fate,
}

pub struct Person {
    pub device: Device,
    pub room: RoomId,
    /// Their node.
    pub home: usize,
    /// None: not in it, as far as they know.
    pub group: Option<MlsGroup>,
    /// At which epoch they came: what was written before cannot be read.
    from_epoch: u64,
    pub cursor: u64,
    pub inbox_after: u64,
    next_id: u8,
    pub said: Vec<Said>,
    /// What they have read, by its number; none where it was written before they came.
    pub heard: Vec<(u64, Option<String>)>,
    /// A commit, by its id, of which is not known yet what came of it.
    pub pending: Option<(u8, SubmitCommit)>,
}

impl Person {
    pub fn new(device: Device, home: usize, room: RoomId) -> Person {
        Person {
            device,
            room,
            home,
            group: None,
            from_epoch: 0,
            cursor: 0,
            inbox_after: 0,
            next_id: 1,
            said: Vec::new(),
            heard: Vec::new(),
            pending: None,
        }
    }

    pub fn epoch(&self) -> Option<u64> {
        self.group.as_ref().map(|group| group.epoch().as_u64())
    }

    pub fn roles(&self) -> Roles {
        member::roles(self.group.as_ref().unwrap()).unwrap().unwrap()
    }

    pub fn role(&self) -> Option<RoomRole> {
        self.group.is_some().then(|| self.roles().of(&self.device.user))
    }

    /// Who is in the group, as they see it.
    pub fn sees(&self) -> BTreeSet<UserAddress> {
        let group = self.group.as_ref().unwrap();
        member::members(group).unwrap().into_iter().map(|cert| cert.user).collect()
    }

    fn take_id(&mut self) -> u8 {
        self.next_id += 1;
        self.next_id
    }

    pub fn write(&mut self) {
        let id = self.take_id();
        let text = format!("{}-{id}", self.device.name());
        self.said.push(Said { id, text, request: None, fate: Fate::Open });
    }

    pub fn is_done(&self) -> bool {
        self.pending.is_none() && self.said.iter().all(|said| said.fate != Fate::Open)
    }

    /// What is not in the log yet, encrypted for the epoch that is now.
    pub fn requests(&mut self) -> Vec<SubmitMessage> {
        let (Some(group), None) = (self.group.as_mut(), &self.pending) else { return Vec::new() };
        let (device, epoch) = (&self.device, group.epoch().as_u64());
        let open = self.said.iter_mut().filter(|said| said.fate == Fate::Open);
        open.map(|said| match &said.request {
            Some((of, request)) if *of == epoch => request.clone(),
            _ => {
                let request = device.message(group, self.room, said.id, &said.text);
                said.request = Some((epoch, request.clone()));
                request
            }
        })
        .collect()
    }

    /// A commit of theirs, which waits to be handed in.
    pub fn prepare(&mut self, add: &[Blob], remove: &[DeviceId], roles: Option<&Roles>) -> SubmitCommit {
        let id = self.take_id();
        let add: Vec<&[u8]> = add.iter().map(Blob::as_slice).collect();
        let plan = Plan { add: &add, remove, roles };
        let (device, group) = (&self.device, self.group.as_mut().unwrap());
        let prepared = member::prepare_plan(&device.provider, device.me(), group, plan, START_MS).unwrap();
        let submit = device.commit(self.room, &prepared, id);
        self.pending = Some((id, submit.clone()));
        submit
    }

    pub fn give_commit_up(&mut self) {
        if self.pending.take().is_some()
            && let Some(group) = &mut self.group
        {
            group.clear_pending_commit(self.device.provider.storage()).unwrap();
        }
    }

    /// Not in it any more.
    pub fn out(&mut self) {
        self.give_commit_up();
        self.group = None;
        self.said.iter_mut().filter(|said| said.fate == Fate::Open).for_each(|said| said.fate = Fate::Lost);
    }

    pub fn enter(&mut self, seq: u64, welcome: &[u8]) {
        let group = member::join(&self.device.provider, self.room, welcome).unwrap();
        self.from_epoch = group.epoch().as_u64();
        self.group = Some(group);
        self.cursor = seq;
    }

    pub fn take(&mut self, entry: &LogEntry) {
        assert_eq!(entry.seq, self.cursor + 1, "a gap");
        self.cursor = entry.seq;
        let envelope = entry.envelope.peek().unwrap();
        let own = envelope.device == self.device.id();
        match envelope.kind {
            EntryKind::Message if own => {
                let said = self.said.iter_mut().find(|said| [said.id; 16] == envelope.message_id.0).unwrap();
                assert_ne!(said.fate, Fate::Done, "{} twice", said.text);
                said.fate = Fate::Done;
                self.heard.push((entry.seq, Some(said.text.clone())));
            }
            EntryKind::Message if envelope.epoch < self.from_epoch => self.heard.push((entry.seq, None)),
            EntryKind::Message => {
                let group = self.group.as_mut().unwrap();
                let opened = member::open(&self.device.provider, group, envelope.body.as_slice()).unwrap();
                self.heard.push((entry.seq, Some(String::from_utf8(opened.content).unwrap())));
            }
            EntryKind::Commit
                if own && self.pending.as_ref().is_some_and(|(id, _)| [*id; 16] == envelope.message_id.0) =>
            {
                self.pending = None;
                self.group.as_mut().unwrap().merge_pending_commit(&self.device.provider).unwrap();
            }
            EntryKind::Commit => self.follow(envelope.body.as_slice()),
        }
    }

    fn follow(&mut self, commit: &[u8]) {
        self.give_commit_up();
        let (provider, group) = (&self.device.provider, self.group.as_mut().unwrap());
        let (facts, staged) = member::stage(provider, group, commit, START_MS).unwrap();
        if facts.removed.iter().any(|gone| gone.device == self.device.id()) {
            return self.out();
        }
        group.merge_staged_commit(provider, *staged).unwrap();
    }
}
