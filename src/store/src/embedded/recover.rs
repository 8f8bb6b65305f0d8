//! Opening a store: what is there, is it whole, and what has to be done again.

use std::{
    any::Any,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use super::{
    Options,
    checkpoint::Checkpoint,
    disk::Disk,
    index::{Index, IndexError},
    io_error,
    journal::{Journal, Sizes},
    overlay::Overlay,
    rebuild::{APPLIED_KEY, Truth, applied_seq, applied_value},
    segment::{Link, segment_name},
    shared::{Applied, Counters, Shared, journal_dir, snapshot_dir},
    sled_index::index_dir,
    snapshot::{self, snapshot_name, snapshot_seqs},
    survey::{Survey, corrupt, segment_numbers, survey},
};
use crate::{Error, Result};

/// How long a lock may linger after the process that held it was killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// sled takes room for two of its segments of 8 MiB before it writes anything.
const INDEX_ROOM_BYTES: u64 = 16 << 20;

type Held = Box<dyn Any + Send + Sync>;

/// The folder is this process's own as long as this lives.
pub(crate) struct Lock {
    _file: Held,
    /// None where the file system locks no folders.
    _journal: Option<Held>,
}

/// An opened store before its threads run.
pub(crate) struct Recovered {
    pub shared: Shared,
    pub journal: Journal,
    pub lock: Lock,
}

/// Takes the folder for this process: the file `lock`, and the folder of the journal. A file can be removed beside whoever holds it,
/// and then says nothing any more; a folder that holds something cannot.
pub(crate) fn lock(options: &Options, dir: &Path) -> Result<Lock> {
    let disk = &*options.disk;
    let file = take(disk, &dir.join("lock"))?;
    let journal = match take(disk, &journal_dir(dir)) {
        Err(Error::Io { source, .. }) => {
            tracing::debug!(%source, "the journal's folder cannot be locked; the lock file is");
            None
        }
        taken => Some(taken?),
    };
    Ok(Lock { _file: file, _journal: journal })
}

fn take(disk: &dyn Disk, path: &Path) -> Result<Held> {
    let began = Instant::now();
    loop {
        match disk.lock(path) {
            Ok(held) => return Ok(held),
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => {
                return Err(io_error("take the lock")(error));
            }
            Err(_) if began.elapsed() >= LOCK_PATIENCE => {
                return Err(Error::Locked { path: path.to_owned() });
            }
            Err(_) => std::thread::sleep(LOCK_PAUSE),
        }
    }
}

/// Finds out what the folder holds, whether it belongs together, and brings the index up to the journal's end.
pub(crate) fn recover(dir: &Path, options: Options) -> Result<Recovered> {
    let disk = options.disk.clone();
    for dir in [dir, &journal_dir(dir), &snapshot_dir(dir)] {
        disk.create_dir(dir).map_err(io_error("make the data folder"))?;
    }
    let lock = lock(&options, dir)?;
    snapshot::sweep(&*disk, &snapshot_dir(dir))?;

    let checkpoint = Checkpoint::read(&*disk, dir)?;
    let snapshot_seq = snapshot_seqs(&*disk, &snapshot_dir(dir))?.pop().unwrap_or(0);
    let checkpoint_seq = checkpoint.map_or(0, |checkpoint| checkpoint.seq);
    let (mut since_checkpoint, mut since_snapshot) = (0, 0);
    let found = survey(&*disk, &journal_dir(dir), checkpoint_seq.max(snapshot_seq), |frame| {
        since_checkpoint += if frame.last_seq() > checkpoint_seq { frame.disk_bytes() } else { 0 };
        since_snapshot += if frame.last_seq() > snapshot_seq { frame.disk_bytes() } else { 0 };
    })?;
    if found.is_none() && (checkpoint.is_some() || snapshot_seq > 0) {
        return Err(corrupt(1, 1, 0, "the journal is missing"));
    }
    let journal = journal(&disk, dir, &options, found.as_ref())?;
    let truth = truth(dir, &options, &journal);
    belong_together(&truth, checkpoint, snapshot_seq)?;
    let counters = Counters {
        since_checkpoint: AtomicU64::new(since_checkpoint),
        since_snapshot: AtomicU64::new(since_snapshot),
        checkpoint_seq: AtomicU64::new(checkpoint_seq),
        snapshot_seq: AtomicU64::new(snapshot_seq),
        snapshot_bytes: AtomicU64::new(snapshot_len(&options, dir, snapshot_seq)),
        ..Counters::default()
    };
    let (index, generation) =
        index(&truth, checkpoint.filter(|checkpoint| checkpoint.generation > 0), &counters)?;
    let index = Overlay::over(index, &options)?;
    let applied = Applied { index, generation, link: journal.link(), end: journal.end() };
    let id = truth.id;
    drop(truth);
    let segments = journal.segments();
    Ok(Recovered {
        shared: Shared::new(dir.to_owned(), options, id, applied, segments, counters),
        journal,
        lock,
    })
}

/// The journal that was found, to be gone on with, or a new one.
fn journal(disk: &Arc<dyn Disk>, dir: &Path, options: &Options, found: Option<&Survey>) -> Result<Journal> {
    let dir = journal_dir(dir);
    let sizes = Sizes { segment_bytes: options.segment_bytes, chunk_bytes: options.chunk_bytes };
    if let Some(survey) = found {
        return Journal::resume(disk.clone(), &dir, sizes, survey);
    }
    // A first start that was cut short may have left a file without a readable header.
    for number in segment_numbers(&**disk, &dir)? {
        disk.remove(&dir.join(segment_name(number))).map_err(io_error("remove an empty segment"))?;
    }
    Journal::create(disk.clone(), &dir, sizes)
}

/// Whether journal, checkpoint and snapshot are of one store, and reach from its beginning to its end.
fn belong_together(truth: &Truth, checkpoint: Option<Checkpoint>, snapshot_seq: u64) -> Result<()> {
    if checkpoint.is_some_and(|checkpoint| checkpoint.id != truth.id) {
        return Err(Error::Folder {
            path: truth.dir.to_owned(),
            what: "checkpoint and journal belong to different stores",
        });
    }
    if truth.first_seq > snapshot_seq + 1 {
        // The index may well hold it, but nothing would be left to rebuild it from.
        let first = truth.segments.first().copied().unwrap_or(0);
        let what = "the journal starts here and no snapshot holds what came before";
        return Err(corrupt(first, truth.first_seq, 0, what));
    }
    Ok(())
}

fn snapshot_len(options: &Options, dir: &Path, seq: u64) -> u64 {
    let path = snapshot_dir(dir).join(snapshot_name(seq));
    options.disk.open(&path).and_then(|file| file.len_bytes()).unwrap_or(0)
}

/// The journal's view for replay and rebuild.
pub(crate) fn truth<'t>(dir: &'t Path, options: &'t Options, journal: &Journal) -> Truth<'t> {
    let segments = journal.segments();
    let segments = segments.lock();
    Truth {
        dir,
        options,
        id: journal.id(),
        segments: segments.iter().map(|segment| segment.number).collect(),
        first_seq: segments.first().map_or(1, |segment| segment.first_seq),
        end: journal.link(),
    }
}

/// The index, brought up to the journal's end; rebuilt if there is none or it is not what it should be.
fn index(
    truth: &Truth,
    checkpoint: Option<Checkpoint>,
    counters: &Counters,
) -> Result<(Arc<dyn Index>, u64)> {
    let opener = &*truth.options.index;
    let generations = opener.generations(truth.dir).map_err(io_error("list the indexes"))?;
    let reason = match checkpoint {
        Some(checkpoint) => match reopen(truth, checkpoint) {
            Ok(index) => {
                sweep(truth, &generations, checkpoint.generation);
                return Ok((index, checkpoint.generation));
            }
            // Damage to the journal itself is not healed by reading it again, and an index that another process has open is whole.
            Err(
                error @ (Error::Corrupt { .. } | Error::Io { .. } | Error::DiskFull | Error::Locked { .. }),
            ) => return Err(error),
            Err(_) if is_starved(truth.options, truth.dir) => return Err(Error::DiskFull),
            Err(error) => error.to_string(),
        },
        None => "no checkpoint names one".to_owned(),
    };
    if checkpoint.is_some() || truth.end != Link::START {
        tracing::warn!(reason, "rebuilding the index from the journal");
        counters.rebuilds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    // Never the number that the checkpoint names, even if that folder is gone: it is what is set aside below.
    let named = checkpoint.map_or(0, |checkpoint| checkpoint.generation);
    let generation = generations.iter().copied().max().unwrap_or(0).max(named) + 1;
    let index = truth.rebuild(generation).map_err(|error| starved(truth, generation, error))?;
    if let Some(checkpoint) = checkpoint.filter(|checkpoint| generations.contains(&checkpoint.generation)) {
        let aside = opener.set_aside(&index_dir(truth.dir, checkpoint.generation), true);
        aside.map_err(io_error("move the damaged index aside"))?;
    }
    sweep(truth, &generations, generation);
    Ok((index, generation))
}

/// Whether there is too little room for an index to be opened or built: then its errors say nothing about damage.
pub(crate) fn is_starved(options: &Options, dir: &Path) -> bool {
    options.disk.free_bytes(dir).is_ok_and(|free| free < INDEX_ROOM_BYTES)
}

/// What is left of an index that could not be built goes, for it may be what fills the disk.
fn starved(truth: &Truth, generation: u64, error: Error) -> Error {
    let starved = matches!(error, Error::Index(_)) && is_starved(truth.options, truth.dir);
    if let Err(error) = truth.options.index.remove(&index_dir(truth.dir, generation)) {
        tracing::warn!(generation, %error, "an index that was begun could not be removed");
    }
    if starved { Error::DiskFull } else { error }
}

/// Opens the index that the checkpoint names and replays what it lacks.
fn reopen(truth: &Truth, checkpoint: Checkpoint) -> Result<Arc<dyn Index>> {
    let dir = index_dir(truth.dir, checkpoint.generation);
    let index = truth.options.index.open(&dir, truth.options.cache_bytes)?;
    match applied_seq(&*index, &truth.id)? {
        // Applied is noted with every frame, so one that was synced at the checkpoint reaches at least that far.
        Some(seq) if seq >= checkpoint.seq => {
            if seq > truth.end_seq() {
                // Only what was synced in the journal is ever applied. The journal lost something.
                let last = truth.segments.last().copied().unwrap_or(0);
                return Err(corrupt(last, truth.end.next_seq, 0, "a frame that the index holds is missing"));
            }
        }
        _ => return Err(IndexError("it lacks what it held at its checkpoint".into()).into()),
    }
    truth.replay_into(&*index, checkpoint.seq, None)?;
    let applied = applied_value(&truth.id, truth.end_seq());
    index.apply(&mut std::iter::once((APPLIED_KEY, Some(applied.as_slice()))))?;
    Ok(index)
}

/// Removes indexes that nothing refers to. Failing to is no reason not to start.
fn sweep(truth: &Truth, generations: &[u64], keep: u64) {
    for generation in generations.iter().filter(|generation| **generation != keep) {
        if let Err(error) = truth.options.index.remove(&index_dir(truth.dir, *generation)) {
            tracing::warn!(generation, %error, "an old index could not be removed");
        }
    }
}
