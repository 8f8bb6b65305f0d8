//! The committer: the one thread that writes.
//!
//! It takes what waits as one group, checks each batch against the index and the batches before it in the group, appends
//! one frame for all, syncs once, applies the frame to the index, wakes watchers, and only then answers. A batch that is
//! refused leaves no trace, and the others in its group do not notice.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::oneshot;

use super::{
    digest::Digest,
    frame::FrameBuilder,
    index::{Index, IndexError, get_row},
    journal::{AppendError, Journal},
    keeper::{self, Hindered},
    overlay::Overlay,
    queue::Request,
    rebuild::{APPLIED_KEY, applied_value},
    recover::truth,
    row::{RowRef, encode_checked, row_crc},
    shared::Shared,
};
use crate::{
    Batch, Committed, Error, Result,
    resolve::{Cell, Outcome, Remembered, View, resolve},
    tables,
};

/// Rebuilds of the index for one group. A second one that fails the same way will not be cured by a third.
const HEALS_PER_GROUP: u32 = 2;

pub(crate) struct Committer {
    shared: Arc<Shared>,
    journal: Journal,
    names: Remembered,
}

/// What the disk has room for. The index writes when it likes and takes a full disk badly. So the journal stops first, while
/// there is room left for what the index still holds in memory.
#[derive(Clone, Copy)]
struct Room {
    free_bytes: u64,
    reserve_bytes: u64,
}

impl Room {
    /// Whether anything may be written.
    fn is_ample(self) -> bool {
        self.free_bytes >= self.reserve_bytes
    }

    fn takes(self, batch: &Batch) -> bool {
        self.is_ample() || (batch.is_urgent() && self.free_bytes >= self.reserve_bytes / 2)
    }
}

/// One write with what it does to the digest.
struct Planned {
    key: Arc<[u8]>,
    /// As the index is to hold it, until it is handed over.
    row: Option<Vec<u8>>,
    old: Option<u128>,
    new: Option<u128>,
}

/// A group, checked and ready to be written.
struct Plan {
    frame: FrameBuilder,
    writes: Vec<Planned>,
    answers: Vec<Result<Committed>>,
    digest: Digest,
    names: Remembered,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, journal: Journal) -> Result<Self> {
        let mut committer = Committer { shared, journal, names: Remembered::default() };
        if let Err(error) = committer.load_names() {
            committer.heal(error.to_string())?;
        }
        Ok(committer)
    }

    /// Serves until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _last = LastWords(self.shared.clone());
        while let Some(group) = self.shared.queue.next_group() {
            let (mut batches, mut replies, mut keeps) = (Vec::new(), Vec::new(), Vec::new());
            for request in group {
                match request {
                    Request::Commit { batch, reply, permit } => {
                        batches.push(batch);
                        replies.push((reply, permit));
                    }
                    Request::Heal { generation, reason, reply } => self.serve_heal(generation, reason, reply),
                    Request::Keep { reply } => keeps.push(reply),
                }
            }
            let answers = self.commit(&batches);
            // Before the answers, so that whoever hears one knows that nothing is going on any more.
            let kept = if self.shared.options.background { Ok(()) } else { self.keep(!keeps.is_empty()) };
            for ((reply, _permit), answer) in replies.into_iter().zip(answers) {
                // Whoever asked may have gone; the commit stands.
                let _ = reply.send(answer);
            }
            for reply in keeps {
                let _ = reply.send(kept.clone());
            }
        }
    }

    /// What the keeper's thread does, between two groups.
    fn keep(&mut self, now: bool) -> Result<()> {
        match keeper::keep(&self.shared, now) {
            Err(Hindered::Damaged { error, .. }) => self.heal(error.0),
            Err(Hindered::By(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// One answer for each batch.
    fn commit(&mut self, batches: &[Batch]) -> Vec<Result<Committed>> {
        if batches.is_empty() {
            return Vec::new();
        }
        let room = self.room();
        let written = match self.shared.failure() {
            Some(reason) => Err(Error::Failed(reason)),
            None => self.plan_and_heal(batches, room).and_then(|plan| self.write(plan, room)),
        };
        // If the group was not written, no answer of it stands: a conflict or a replay may rest on a write that is not.
        written.unwrap_or_else(|error| batches.iter().map(|_| Err(error.clone())).collect())
    }

    fn room(&self) -> Room {
        let options = &self.shared.options;
        Room {
            free_bytes: options.disk.free_bytes(&self.shared.dir).unwrap_or(u64::MAX),
            reserve_bytes: options.reserve_bytes,
        }
    }

    fn plan_and_heal(&mut self, batches: &[Batch], room: Room) -> Result<Plan> {
        for _ in 0..HEALS_PER_GROUP {
            match self.plan(batches, room) {
                Err(Error::Index(reason)) => self.heal(reason.to_string())?,
                plan => return plan,
            }
        }
        self.plan(batches, room)
    }

    fn plan(&self, batches: &[Batch], room: Room) -> Result<Plan> {
        let index = self.shared.gate.read().index.clone();
        let link = self.journal.link();
        let view = GroupView { index: &*index, known: RefCell::default() };
        let mut plan = Plan {
            frame: FrameBuilder::new(link.next_seq),
            writes: Vec::new(),
            answers: Vec::with_capacity(batches.len()),
            digest: link.digest,
            names: self.names,
        };
        for batch in batches {
            let seq = plan.frame.next_seq();
            let mut names = plan.names;
            let answer = match resolve(batch, seq, &view, &mut names) {
                Err(error @ Error::Index(_)) => return Err(error),
                Err(refused) => Err(refused),
                Ok(Outcome::Replay(first)) => Ok(first),
                Ok(Outcome::Apply { writes, numbers }) if writes.is_empty() => {
                    Ok(Committed { seq: seq - 1, numbers, replayed: false })
                }
                Ok(Outcome::Apply { .. }) if !room.takes(batch) => {
                    self.tell_full(room);
                    Err(Error::DiskFull)
                }
                Ok(Outcome::Apply { writes, numbers }) => {
                    plan.names = names;
                    plan.frame.push(&writes);
                    for write in writes {
                        self.plan_write(&mut plan, &view, seq, write.key, write.value)?;
                    }
                    Ok(Committed { seq, numbers, replayed: false })
                }
            };
            plan.answers.push(answer);
        }
        Ok(plan)
    }

    fn plan_write(
        &self,
        plan: &mut Plan,
        view: &GroupView<'_>,
        seq: u64,
        key: Arc<[u8]>,
        value: Option<Arc<[u8]>>,
    ) -> Result<()> {
        let id = &self.shared.id;
        let old = view.stamp(&key)?.map(|(version, crc)| id.row_hash(&key, version, crc));
        let new = value.map(|value| Known { version: seq, crc: row_crc(&key, seq, &value), value });
        let row = new.as_ref().map(|new| encode_checked(seq, new.crc, &new.value));
        let hash = new.as_ref().map(|new| id.row_hash(&key, seq, new.crc));
        plan.digest.change(old, hash);
        view.set(key.clone(), new);
        plan.writes.push(Planned { key, row, old, new: hash });
        Ok(())
    }

    /// Journal, index, watchers; then the answers may go out.
    fn write(&mut self, mut plan: Plan, room: Room) -> Result<Vec<Result<Committed>>> {
        if plan.frame.is_empty() {
            return Ok(plan.answers);
        }
        let bytes = self.append(plan.frame, plan.digest, room)?;
        self.names = plan.names;
        if let Err(error) = self.apply(&mut plan.writes) {
            // The frame is on disk, so the rebuilt index holds it.
            self.heal(error.0)?;
        }
        self.shared.watches.notify(plan.writes.iter().map(|write| &*write.key));
        let counters = &self.shared.counters;
        let behind = counters.since_checkpoint.fetch_add(bytes, Ordering::Relaxed) + bytes;
        counters.since_snapshot.fetch_add(bytes, Ordering::Relaxed);
        if behind >= self.shared.options.checkpoint_bytes {
            self.shared.keeper.nudge();
        }
        Ok(plan.answers)
    }

    fn append(&mut self, frame: FrameBuilder, digest: Digest, room: Room) -> Result<u64> {
        match self.journal.append(frame, digest) {
            Ok(bytes) => {
                if room.is_ample() {
                    self.shared.counters.disk_full.store(false, Ordering::Relaxed);
                }
                Ok(bytes)
            }
            Err(AppendError::Full) => {
                self.tell_full(room);
                Err(Error::DiskFull)
            }
            Err(AppendError::Unknown(reason)) => Err(self.shared.fail(reason)),
        }
    }

    fn tell_full(&self, room: Room) {
        if !self.shared.counters.disk_full.swap(true, Ordering::Relaxed) {
            tracing::error!(
                free_bytes = room.free_bytes,
                "the disk is full: commits are refused until there is room"
            );
        }
    }

    fn apply(&self, writes: &mut [Planned]) -> Result<(), IndexError> {
        let link = self.journal.link();
        let applied = applied_value(&self.shared.id, link.next_seq - 1);
        let index = self.shared.gate.read().index.clone();
        index.make_room();
        let mut gate = self.shared.gate.write();
        let rows = writes.iter_mut().map(|write| (write.key.clone(), write.row.take()));
        gate.index.take(&mut rows.chain(std::iter::once((APPLIED_KEY.into(), Some(applied)))))?;
        gate.link = link;
        gate.end = self.journal.end();
        if let Some(scrub) = self.shared.scrub.lock().as_mut() {
            for write in writes.iter().filter(|write| *write.key <= *scrub.cursor) {
                scrub.digest.change(write.old, write.new);
            }
        }
        Ok(())
    }

    fn serve_heal(&mut self, generation: u64, reason: String, reply: oneshot::Sender<Result<()>>) {
        // Many readers may find the same damage; the first of them is enough.
        let healed = if self.shared.gate.read().generation != generation {
            Ok(())
        } else if let Some(reason) = self.shared.failure() {
            Err(Error::Index(reason))
        } else {
            self.heal(reason)
        };
        let _ = reply.send(healed);
    }

    /// Replaces the index by one rebuilt from snapshot and journal. Reads of the old one go on meanwhile, as far as they can.
    fn heal(&mut self, reason: String) -> Result<()> {
        tracing::warn!(reason, "the index is damaged and is rebuilt from the journal");
        let shared = self.shared.clone();
        shared.give_way.store(true, Ordering::Release);
        let _maintenance = shared.maintenance.lock();
        shared.give_way.store(false, Ordering::Release);
        let old = shared.gate.read().generation;
        let generation = old + 1;
        let rebuilt = truth(&shared.dir, &shared.options, &self.journal).rebuild(generation);
        let index = rebuilt.and_then(|index| Overlay::over(index, &shared.options)).map_err(|error| {
            shared.fail(format!("the index is damaged ({reason}) and its rebuild failed: {error}"))
        })?;
        let replaced = {
            let mut gate = shared.gate.write();
            let replaced = std::mem::replace(&mut gate.index, index);
            gate.generation = generation;
            gate.link = self.journal.link();
            gate.end = self.journal.end();
            *shared.scrub.lock() = None;
            replaced
        };
        // Not while the gate keeps readers out: it may take its time to go.
        drop(replaced);
        shared.counters.rebuilds.fetch_add(1, Ordering::Relaxed);
        shared.counters.since_checkpoint.store(0, Ordering::Relaxed);
        shared.counters.checkpoint_seq.store(self.journal.link().next_seq - 1, Ordering::Relaxed);
        if let Err(error) = shared.options.index.set_aside(&shared.index_dir(old), true) {
            tracing::warn!(%error, "the damaged index could not be moved aside");
        }
        self.load_names().map_err(|error| shared.fail(format!("the rebuilt index fails as well: {error}")))
    }

    fn load_names(&mut self) -> Result<(), IndexError> {
        use std::ops::Bound::{Excluded, Included};
        let index = self.shared.gate.read().index.clone();
        let (from, to) = ([tables::IDEMPOTENCY_ORDER.id], [tables::IDEMPOTENCY_ORDER.id + 1]);
        let edge = |reverse| -> Result<Option<Vec<u8>>, IndexError> {
            let mut found = None;
            index.range(Included(&from), Excluded(&to), reverse, &mut |key, _| {
                found = Some(key.to_vec());
                false
            })?;
            Ok(found)
        };
        self.names = Remembered::from_keys(edge(false)?.as_deref(), edge(true)?.as_deref());
        Ok(())
    }
}

/// Should the committer ever panic, those who wait must hear of it instead of waiting for ever.
struct LastWords(Arc<Shared>);

impl Drop for LastWords {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.fail("the committer ended unexpectedly".to_owned());
        }
        self.0.queue.abandon();
    }
}

/// The index, and over it what the batches of the group before did.
struct GroupView<'i> {
    index: &'i dyn Index,
    /// Asked for or written by the group.
    known: RefCell<HashMap<Arc<[u8]>, Option<Known>>>,
}

/// A row that the group has come by.
#[derive(Clone)]
struct Known {
    version: u64,
    crc: u32,
    value: Arc<[u8]>,
}

impl GroupView<'_> {
    /// Version and checksum of the row of a key. What is about to be written need not be kept as it was.
    fn stamp(&self, key: &[u8]) -> Result<Option<(u64, u32)>> {
        match self.known.borrow().get(key) {
            Some(known) => Ok(known.as_ref().map(|known| (known.version, known.crc))),
            None => Ok(get_row(self.index, key, |row| (row.version, row.crc))?),
        }
    }

    fn set(&self, key: Arc<[u8]>, row: Option<Known>) {
        self.known.borrow_mut().insert(key, row);
    }
}

impl View for GroupView<'_> {
    fn cell(&self, full_key: &[u8]) -> Result<Option<Cell>> {
        let cell = |known: &Known| Cell { version: known.version, value: known.value.to_vec() };
        if let Some(known) = self.known.borrow().get(full_key) {
            return Ok(known.as_ref().map(cell));
        }
        let known = get_row(self.index, full_key, |row| {
            let RowRef { version, crc, value } = row;
            Known { version, crc, value: value.into() }
        })?;
        let found = known.as_ref().map(cell);
        self.set(full_key.into(), known);
        Ok(found)
    }
}
