//! Events that are taken side by side. Each commit waits for the disk; a batch of messages from many rooms would wait for as
//! many of them. Where events have nothing to do with one another, one commit takes them all; if any of them has no effect,
//! none has, and they are taken one by one.

use super::{
    Federation,
    bridge::Trouble,
    inbox::{stage_result, stored_bytes},
};
use futures::{FutureExt, future::try_join_all};
use std::collections::{BTreeMap, BTreeSet};
use weft_store::Tx;
use weft_wire::{
    Code, Problem, RoomId,
    federation::{Batch, Event, EventResult},
};

/// Events that one commit takes, and about how many bytes: what is too much for one is not tried as one.
const RUN_MAX: usize = 64;
const RUN_BYTES_MAX: usize = 256 << 10;

/// How many of these, from the first on, may be taken together; 1: it is on its own.
pub(super) fn run(events: &[Event]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&Event| {
        bytes += stored_bytes(event);
        bytes <= RUN_BYTES_MAX
    };
    let fitting = events.iter().take(RUN_MAX).take_while(fits).count();
    let events = events.get(..fitting).unwrap_or_default();
    let messages = events.iter().take_while(|event| matches!(event, Event::Message { .. })).count();
    if messages > 0 {
        return messages;
    }
    let mut rooms = BTreeSet::new();
    let apart = |event: &&Event| small_news_of(event).is_some_and(|room| rooms.insert(room));
    events.iter().take_while(apart).count().max(1)
}

/// The room of which an event tells what changes neither who is in it nor anything of another room.
fn small_news_of(event: &Event) -> Option<RoomId> {
    match event {
        Event::Room { room, state: None, .. } | Event::Item { room, .. } | Event::Delivered { room, .. } => {
            Some(*room)
        }
        _ => None,
    }
}

fn room_of(event: &Event) -> Result<RoomId, Trouble> {
    match event {
        Event::Message { envelope, .. } => {
            let envelope = envelope.peek();
            envelope.map(|envelope| envelope.room).map_err(|_| Problem::new(Code::Malformed).into())
        }
        event => small_news_of(event).ok_or_else(|| Problem::new(Code::Internal).into()),
    }
}

impl Federation {
    /// Takes several events, all or none.
    pub(super) async fn take_several(
        &self,
        batch: &Batch,
        first: u64,
        events: &[Event],
    ) -> Result<(), Trouble> {
        self.nodes
            .ctx
            .store
            .transact(|tx| async move {
                for (number, _) in (first..).zip(events) {
                    // Somebody else has taken them meanwhile: one by one it shows how far.
                    if !self.stage_number(&tx, batch, number).await? {
                        return Err(Trouble::Later(Problem::new(Code::Conflict)));
                    }
                }
                let numbered: Vec<(u64, &Event)> = (first..).zip(events).collect();
                for (number, result) in self.effects(&tx, batch, numbered).await? {
                    stage_result(&tx, &batch.from, number, result);
                }
                Ok(())
            })
            .await
    }

    /// What the events do. Rooms side by side, those of one room in their order: a message's own commit waits for the disk
    /// together with those of other rooms.
    async fn effects(
        &self,
        tx: &Tx,
        batch: &Batch,
        events: Vec<(u64, &Event)>,
    ) -> Result<Vec<(u64, Option<EventResult>)>, Trouble> {
        let mut rooms: BTreeMap<RoomId, Vec<(u64, &Event)>> = BTreeMap::new();
        for (number, event) in events {
            rooms.entry(room_of(event)?).or_default().push((number, event));
        }
        let mut rooms_at_once = Vec::with_capacity(rooms.len());
        for events in rooms.into_values() {
            rooms_at_once.push(self.of_room(tx, batch, events).boxed());
        }
        let results = try_join_all(rooms_at_once).await?;
        Ok(results.into_iter().flatten().collect())
    }

    async fn of_room(
        &self,
        tx: &Tx,
        batch: &Batch,
        events: Vec<(u64, &Event)>,
    ) -> Result<Vec<(u64, Option<EventResult>)>, Trouble> {
        let mut results = Vec::with_capacity(events.len());
        for (number, event) in events {
            results.push((number, self.bridge.take(tx, &batch.from, event).await?));
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_wire::{UserAddress, rooms::DeviceRef};

    fn delivered(room: u8) -> Event {
        let user: UserAddress = "bob@far.example".parse().unwrap();
        Event::Delivered { room: RoomId([room; 16]), user, seq: 1, missed: Vec::new() }
    }

    fn item(room: u8, bytes: usize) -> Event {
        let user: UserAddress = "bob@far.example".parse().unwrap();
        let sealed = weft_wire::Blob(vec![0; bytes]);
        let item = weft_wire::rooms::RoomItem { user, kind: "read".to_owned(), version: 1, sealed };
        Event::Item { room: RoomId([room; 16]), item }
    }

    fn gone(room: u8) -> Event {
        let device =
            DeviceRef { user: "bob@far.example".parse().unwrap(), device: weft_wire::DeviceId([1; 16]) };
        Event::DeviceGone { room: RoomId([room; 16]), device }
    }

    #[test]
    fn only_what_has_nothing_to_do_with_one_another_is_taken_together() {
        assert_eq!(run(&[delivered(1), delivered(2), delivered(3)]), 3);
        assert_eq!(run(&[delivered(1), delivered(2), delivered(1)]), 2, "one room after the other");
        assert_eq!(run(&[delivered(1), gone(2), delivered(3)]), 1);
        assert_eq!(run(&[gone(1), delivered(2)]), 1);
        let many: Vec<Event> = (0..200).map(delivered).collect();
        assert_eq!(run(&many), RUN_MAX);
    }

    #[test]
    fn what_is_too_much_for_one_commit_is_not_tried_as_one() {
        let large: Vec<Event> = (0..8).map(|room| item(room, 100 << 10)).collect();
        assert_eq!(run(&large), 2);
        assert_eq!(run(&[item(1, RUN_BYTES_MAX), item(2, 1)]), 1, "one that is too much alone is alone");
        let small: Vec<Event> = (0..8).map(|room| item(room, 1 << 10)).collect();
        assert_eq!(run(&small), 8);
    }
}
