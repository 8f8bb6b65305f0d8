//! When a simulation has come to rest, and what must be true then.

use super::{
    ALICE, Sim,
    person::{Fate, Person},
};
use std::collections::{BTreeMap, BTreeSet};
use weft_store::Version;
use weft_wire::rooms::LogEntry;

impl Sim {
    /// What is in the log of somebody's node, from when they came.
    async fn log(&self, who: usize) -> Vec<LogEntry> {
        let (person, rooms) = (&self.people[who], self.worlds[self.people[who].home].service.rooms());
        let room = rooms.load(self.room).await.unwrap();
        let mut after = room.member(&person.device.user).unwrap().since;
        let mut all = Vec::new();
        loop {
            let page = rooms.log(person.device.caller(), self.room, after, 256).await.unwrap();
            let Some(last) = page.entries.last() else { return all };
            after = last.seq;
            all.extend(page.entries);
        }
    }

    pub async fn is_quiet(&self) -> bool {
        for (at, world) in self.worlds.iter().enumerate() {
            for other in (0..self.nodes()).filter(|other| *other != at) {
                let waiting = world.service.federation().waiting(&self.worlds[other].name).await.unwrap();
                if waiting > 0 {
                    return false;
                }
            }
        }
        let hub = self.worlds[0].service.rooms().load(self.room).await.unwrap();
        let settled = |one: &Person| {
            let is_in = hub.member(&one.device.user).is_some();
            one.is_done() && one.epoch() == is_in.then_some(hub.record.epoch)
        };
        hub.record.gone.is_empty() && self.people.iter().all(settled)
    }

    pub async fn check(&self) {
        let hub = self.worlds[0].service.rooms().load(self.room).await.unwrap();
        let whole = self.log(ALICE).await;
        for (who, person) in self.people.iter().enumerate() {
            if person.group.is_none() {
                continue;
            }
            let log = self.log(who).await;
            assert!(whole.ends_with(&log), "the copy of {} differs", person.device.name());
            assert_eq!(person.cursor, whole.last().unwrap().seq);
            let room = self.worlds[person.home].service.rooms().load(self.room).await.unwrap();
            assert_eq!(room.record.epoch, hub.record.epoch);
            assert_eq!(room.devices().collect::<Vec<_>>(), hub.devices().collect::<Vec<_>>());
            assert_eq!(room.record.gone, []);
            assert!(
                room.record.left.iter().all(|left| room.member(left).is_none()),
                "has left, and is there"
            );
            if !self.moving {
                assert_eq!(self.items(person.home).await, self.items(0).await, "what has been read");
            }
        }
        self.check_texts();
    }

    /// One order for all, nothing twice, nothing lost of what was taken.
    fn check_texts(&self) {
        let mut all: BTreeMap<u64, &String> = BTreeMap::new();
        for (seq, text) in self.people.iter().flat_map(|person| &person.heard) {
            let Some(text) = text else { continue };
            assert_eq!(*all.entry(*seq).or_insert(text), text, "two texts under one number");
        }
        let alice: Vec<_> =
            self.people[ALICE].heard.iter().map(|(seq, text)| (*seq, text.as_ref())).collect();
        assert_eq!(alice, all.iter().map(|(seq, text)| (*seq, Some(*text))).collect::<Vec<_>>());
        for person in &self.people {
            assert!(person.heard.is_sorted_by(|(one, _), (other, _)| one < other), "twice, or out of order");
            let name = format!("{}-", person.device.name());
            let own: Vec<_> = all.values().copied().filter(|text| text.starts_with(&name)).collect();
            let done: Vec<_> =
                person.said.iter().filter(|said| own.contains(&&said.text)).map(|said| &said.text).collect();
            assert_eq!(own, done, "each once, in the order in which it was written");
            for said in person.said.iter().filter(|said| said.fate == Fate::Done) {
                assert!(own.contains(&&said.text), "{} is lost", said.text);
            }
        }
    }

    async fn items(&self, at: usize) -> BTreeSet<(String, u64)> {
        let (items, _) = self.worlds[at].service.rooms().items_since(self.room, Version(0)).await.unwrap();
        items.iter().map(|(item, _)| (item.user.to_string(), item.version)).collect()
    }
}
