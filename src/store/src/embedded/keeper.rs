//! The keeper: the thread that folds the journal into the index on disk and into snapshots, so that the next start is quick
//! and the journal short.

use std::{
    ops::Bound,
    sync::{Arc, atomic::Ordering},
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::{
    checkpoint::Checkpoint,
    digest::Digest,
    index::{IndexError, verified},
    io_error,
    rebuild::FIRST_KEY,
    segment::segment_name,
    shared::{Scrub, Shared},
    snapshot::{SnapshotWriter, snapshot_name, snapshot_seqs, sweep},
};
use crate::{Error, Result};

/// A snapshot copies all rows, so it waits until the journal behind the last one has grown to this part of it.
const SNAPSHOT_FRACTION: u64 = 3;
/// Rows and bytes that are scanned while the gate is held: short enough that no commit waits long.
const CHUNK_ROWS: usize = 256;
const CHUNK_BYTES: usize = 512 << 10;

type Waiter = oneshot::Sender<Result<()>>;

/// How the keeper is woken.
#[derive(Default)]
pub(crate) struct KeeperSignal {
    inner: Mutex<Wanted>,
    wake: Condvar,
}

#[derive(Default)]
struct Wanted {
    nudged: bool,
    waiters: Vec<Waiter>,
    stop: bool,
}

impl KeeperSignal {
    /// Enough was written; look whether something is due.
    pub(crate) fn nudge(&self) {
        self.inner.lock().nudged = true;
        self.wake.notify_one();
    }

    /// Checkpoint and snapshot now, whether due or not.
    pub(crate) fn request(&self, waiter: Waiter) {
        self.inner.lock().waiters.push(waiter);
        self.wake.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.inner.lock().stop = true;
        self.wake.notify_one();
    }

    /// Waits for work. `None`: stop.
    fn next(&self) -> Option<Vec<Waiter>> {
        let mut wanted = self.inner.lock();
        loop {
            if wanted.stop {
                return None;
            }
            if wanted.nudged || !wanted.waiters.is_empty() {
                wanted.nudged = false;
                return Some(std::mem::take(&mut wanted.waiters));
            }
            self.wake.wait(&mut wanted);
        }
    }
}

/// How a snapshot ended.
enum Ended {
    Published {
        bytes: u64,
    },
    /// The engine stops, or a rebuild is more urgent.
    GaveWay,
    /// The rows of the index do not add up to what the journal says.
    Wrong,
}

/// Why the keeper did not get done.
pub(crate) enum Hindered {
    /// The index of this generation is damaged. Whoever called has it replaced; nothing is lost by not being done.
    Damaged { generation: u64, error: IndexError },
    /// Anything else.
    By(Error),
}

impl From<Error> for Hindered {
    fn from(error: Error) -> Self {
        Hindered::By(error)
    }
}

/// Serves until it is told to stop.
pub(crate) fn run(shared: &Arc<Shared>) {
    while let Some(waiters) = shared.keeper.next() {
        let done = match keep(shared, !waiters.is_empty()) {
            Ok(()) => Ok(()),
            Err(Hindered::By(error)) => Err(error),
            Err(Hindered::Damaged { generation, error }) => heal(shared, generation, &error),
        };
        if let Err(error) = &done {
            tracing::warn!(%error, "checkpoint or snapshot failed; the journal keeps what it would have held");
        }
        for waiter in waiters {
            let _ = waiter.send(done.clone());
        }
    }
}

/// Checkpoint and snapshot, if they are due or wanted `now`.
pub(crate) fn keep(shared: &Shared, now: bool) -> Result<(), Hindered> {
    let counters = &shared.counters;
    if now || counters.since_checkpoint.load(Ordering::Relaxed) >= shared.options.checkpoint_bytes {
        checkpoint(shared)?;
    }
    let behind = counters.since_snapshot.load(Ordering::Relaxed);
    let due = shared
        .options
        .snapshot_bytes
        .max(counters.snapshot_bytes.load(Ordering::Relaxed) / SNAPSHOT_FRACTION);
    if behind >= due || (now && behind > 0) {
        take_snapshot(shared)?;
    }
    Ok(())
}

/// Brings the index to rest on disk and writes down how far it reaches.
pub(crate) fn checkpoint(shared: &Shared) -> Result<(), Hindered> {
    room(shared)?;
    let _maintenance = shared.maintenance.lock();
    let (index, generation, seq) = {
        let gate = shared.gate.read();
        (gate.index.clone(), gate.generation, gate.seq())
    };
    // What is written during the sync counts towards the next checkpoint, and so does what this one happens to catch.
    let behind = shared.counters.since_checkpoint.swap(0, Ordering::Relaxed);
    if let Err(error) = index.sync() {
        shared.counters.since_checkpoint.fetch_add(behind, Ordering::Relaxed);
        return Err(Hindered::Damaged { generation, error });
    }
    let disk = &*shared.options.disk;
    Checkpoint { id: shared.id, seq, generation }.write(disk, &shared.dir)?;
    shared.counters.checkpoint_seq.store(seq, Ordering::Relaxed);
    Ok(())
}

/// Refuses to start what needs room when there is none: the index must not run into a full disk.
fn room(shared: &Shared) -> Result<()> {
    let free = shared.options.disk.free_bytes(&shared.dir).unwrap_or(u64::MAX);
    if free < shared.options.reserve_bytes / 2 { Err(Error::DiskFull) } else { Ok(()) }
}

/// Writes a snapshot, and removes the snapshots and segments that it makes superfluous.
fn take_snapshot(shared: &Shared) -> Result<(), Hindered> {
    room(shared)?;
    let _maintenance = shared.maintenance.lock();
    let behind = shared.counters.since_snapshot.swap(0, Ordering::Relaxed);
    let (seq, generation) = {
        let gate = shared.gate.read();
        *shared.scrub.lock() = Some(Scrub { cursor: Vec::new(), digest: Digest::default() });
        (gate.seq(), gate.generation)
    };
    let ended = write_snapshot(shared, seq, generation);
    *shared.scrub.lock() = None;
    match ended {
        Ok(Ended::Published { bytes }) => {
            shared.counters.snapshot_seq.store(seq, Ordering::Relaxed);
            shared.counters.snapshot_bytes.store(bytes, Ordering::Relaxed);
            tracing::info!(seq, bytes, "snapshot written");
            Ok(trim(shared, seq)?)
        }
        other => {
            shared.counters.since_snapshot.fetch_add(behind, Ordering::Relaxed);
            sweep(&*shared.options.disk, &shared.snapshot_dir())?;
            match other {
                Err(Error::Index(reason)) => {
                    Err(Hindered::Damaged { generation, error: IndexError(reason.to_string()) })
                }
                Ok(Ended::Wrong) => {
                    let error = IndexError("its rows do not add up to the journal's digest".into());
                    Err(Hindered::Damaged { generation, error })
                }
                Err(error) => Err(error.into()),
                Ok(_) => Ok(()),
            }
        }
    }
}

fn write_snapshot(shared: &Shared, seq: u64, generation: u64) -> Result<Ended> {
    let dir = shared.snapshot_dir();
    let mut writer = SnapshotWriter::create(&*shared.options.disk, &dir, &shared.id, seq)?;
    loop {
        if shared.is_stopping() || shared.give_way.load(Ordering::Acquire) {
            return Ok(Ended::GaveWay);
        }
        let Some(chunk) = scan_chunk(shared, generation)? else { return Ok(Ended::GaveWay) };
        for (key, row) in &chunk.rows {
            writer.push(key, row)?;
        }
        match chunk.ended {
            None => {}
            Some(None) => return Ok(Ended::Wrong),
            Some(Some(end_seq)) => return Ok(Ended::Published { bytes: writer.publish(end_seq)? }),
        }
    }
}

#[derive(Default)]
struct Chunk {
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// At the end of the index: the sequence number at which its rows add up, or none if they do not.
    ended: Option<Option<u64>>,
}

/// The next rows past the scrub's cursor, added to its sum, all while the gate keeps commits out. `None` if the index was
/// replaced meanwhile.
fn scan_chunk(shared: &Shared, generation: u64) -> Result<Option<Chunk>> {
    let gate = shared.gate.read();
    let mut guard = shared.scrub.lock();
    let (Some(scrub), true) = (guard.as_mut(), gate.generation == generation) else { return Ok(None) };
    let from = match scrub.cursor.as_slice() {
        [] => Bound::Included(FIRST_KEY),
        cursor => Bound::Excluded(cursor),
    };
    let mut chunk = Chunk::default();
    let (mut bytes, mut damaged, mut full) = (0, None, false);
    let mut digest = scrub.digest;
    gate.index.range(from, Bound::Unbounded, false, &mut |key, row| {
        match verified(key, row) {
            Ok(parsed) => digest.add(shared.id.row_hash(key, parsed.version, parsed.crc)),
            Err(error) => {
                damaged = Some(error);
                return false;
            }
        }
        bytes += row.len();
        chunk.rows.push((key.to_vec(), row.to_vec()));
        full = chunk.rows.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES;
        !full
    })?;
    if let Some(error) = damaged {
        return Err(error.into());
    }
    scrub.digest = digest;
    if let Some((last, _)) = chunk.rows.last() {
        scrub.cursor.clone_from(last);
    }
    if !full {
        chunk.ended = Some((digest == gate.link.digest).then(|| gate.seq()));
    }
    Ok(Some(chunk))
}

/// Removes older snapshots, the segments that neither the snapshot nor the checkpoint needs, and a damaged index that was
/// kept for a look: what replaced it has just been proved right.
fn trim(shared: &Shared, seq: u64) -> Result<()> {
    let disk = &*shared.options.disk;
    let snapshots = shared.snapshot_dir();
    for old in snapshot_seqs(disk, &snapshots)?.into_iter().filter(|old| *old < seq) {
        disk.remove(&snapshots.join(snapshot_name(old))).map_err(io_error("remove an old snapshot"))?;
    }
    let needed = seq.min(shared.counters.checkpoint_seq.load(Ordering::Relaxed)) + 1;
    let mut segments = shared.segments.lock();
    // A segment may go if the next one starts at or before the first frame that is needed. Oldest first, so that a crash in
    // between leaves a journal without a gap.
    let superfluous =
        segments.windows(2).take_while(|pair| matches!(pair, [_, next] if next.first_seq <= needed)).count();
    for segment in segments.drain(..superfluous) {
        let path = shared.journal_dir().join(segment_name(segment.number));
        disk.remove(&path).map_err(io_error("remove an old segment"))?;
        // Each by itself: were two removals to reach the disk in the other order, a power cut would leave a gap.
        disk.sync_dir(&shared.journal_dir()).map_err(io_error("sync the journal's folder"))?;
    }
    drop(segments);
    disk.sync_dir(&snapshots).map_err(io_error("sync the snapshots' folder"))?;
    let aside = shared.options.index.set_aside(&shared.index_dir(0), false);
    aside.map_err(io_error("remove the index that was set aside"))
}

/// Hands a broken index to the committer and waits until it is replaced.
fn heal(shared: &Shared, generation: u64, reason: &IndexError) -> Result<()> {
    if shared.is_stopping() {
        return Err(reason.clone().into());
    }
    let answer = shared.ask_heal(generation, reason.0.clone())?;
    answer.blocking_recv().unwrap_or(Err(Error::Closed))
}
