//! The index on sled 0.34.7. The only file that names it.
//!
//! What sled is not trusted with, and what stands in for it (measurements in `docs/decisions/0001-store.md`):
//!
//!  - `flush()` does not reach the disk: [`SledIndex`] syncs every file itself.
//!  - It may panic on damaged files, in any call and in `drop`: every call is caught, and a panic is an error like another.
//!  - Its cache takes much more memory than it counts: pages cost about 1.6 times their stored size, and glibc keeps what one
//!    thread freed for that thread, so that with four threads a full cache is paid for more than twice. It is given less than a fifth
//!    of the budget; what it misses, the kernel's page cache has.
//!  - It takes note of accesses in blocks of 64, in each of the 256 parts of its cache, and lets go of pages only when a block is
//!    full: up to 16,384 leaves of 16 rows lie there before the first one goes, gigabytes if the rows are long. So whoever comes
//!    by a long row asks for it again and again until the block is full: [`Sled::touch`].
//!  - After a kill it reads its whole log, a segment of 8 MiB at a time, and glibc maps and unmaps each of these buffers,
//!    which costs ten times the reading: [`settle_allocator`].

use std::{
    fs::{self, File},
    hint::black_box,
    io,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::index::{Change, Index, IndexError, OpenIndex, index_dir_name};
use crate::Error;

/// A leaf of 64 KiB values stays below a quarter of this, so that nothing goes to sled's `blobs/`, which it never syncs.
const SEGMENT_BYTES: usize = 8 << 20;
/// How long sled's own lock may linger after a kill.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Above this size of its log the allocator is settled before sled opens.
const SETTLE_ABOVE_BYTES: u64 = 256 << 20;
const CACHE_PERCENT: u64 = 18;
/// Accesses that sled collects before it looks at the size of its cache.
const ACCESSES_PER_BLOCK: usize = 64;
/// A row is asked for once more for so many of its bytes. Then a part of the cache holds some 16 KiB of leaves that wait for their
/// block to be full times the 16 rows of a leaf, whatever the length of the rows.
const BYTES_PER_TOUCH: usize = 256;
/// On a way through many rows each leaf is met once, and not once for each of its 16 rows.
const BYTES_PER_TOUCH_IN_RANGE: usize = 16 * BYTES_PER_TOUCH;

/// Opens indexes on sled.
#[derive(Debug, Default, Clone, Copy)]
pub struct SledIndex;

struct Sled {
    /// `None` only while dropping.
    db: Option<sled::Db>,
    dir: PathBuf,
}

impl OpenIndex for SledIndex {
    fn open(&self, dir: &Path, cache_bytes: u64) -> crate::Result<Arc<dyn Index>> {
        if fs::metadata(dir.join("db")).is_ok_and(|db| db.len() > SETTLE_ABOVE_BYTES) {
            settle_allocator();
        }
        // sled makes its files with whatever rights the process's mask leaves; nobody else gets to them through this folder.
        let made = crate::private::make_folder(dir, &["db"]);
        made.map_err(|error| IndexError(format!("folder of the index: {error}")))?;
        let began = Instant::now();
        loop {
            let config = sled::Config::new()
                .path(dir)
                .cache_capacity(cache_bytes / 100 * CACHE_PERCENT)
                .segment_size(SEGMENT_BYTES)
                .flush_every_ms(None);
            match catch(|| config.open()) {
                Ok(db) => return Ok(Arc::new(Sled { db: Some(db), dir: dir.to_owned() })),
                // sled reports a lock that is held as `Other`, with this text.
                Err(error) if error.0.contains("acquire lock") => {
                    if began.elapsed() >= LOCK_PATIENCE {
                        return Err(Error::Locked { path: dir.to_owned() });
                    }
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn generations(&self, dir: &Path) -> io::Result<Vec<u64>> {
        let mut generations = Vec::new();
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name();
            let number: Option<u64> =
                name.to_str().and_then(|name| name.strip_prefix("index-")).and_then(|n| n.parse().ok());
            generations.extend(number);
        }
        Ok(generations)
    }

    fn remove(&self, dir: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(dir))
    }

    fn set_aside(&self, dir: &Path, keep: bool) -> io::Result<()> {
        let aside = dir.with_file_name("index-damaged");
        absent_is_fine(fs::remove_dir_all(&aside))?;
        if keep { absent_is_fine(fs::rename(dir, aside)) } else { Ok(()) }
    }
}

impl Sled {
    fn db(&self) -> Result<&sled::Db, IndexError> {
        self.db.as_ref().ok_or_else(|| IndexError("closed".into()))
    }

    /// Makes room: what is asked for so often is known to be here, and what has not been asked for lately goes.
    fn touch(db: &sled::Db, key: &[u8], times: usize) -> sled::Result<()> {
        for _ in 0..times.min(ACCESSES_PER_BLOCK) {
            db.contains_key(key)?;
        }
        Ok(())
    }
}

impl Index for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let db = self.db()?;
        catch(|| {
            let Some(value) = db.get(key)? else { return Ok(None) };
            Sled::touch(db, key, value.len() / BYTES_PER_TOUCH)?;
            Ok(Some(value.to_vec()))
        })
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), IndexError> {
        let db = self.db()?;
        catch(|| {
            let mut rows = db.range::<&[u8], _>((from, to));
            let mut bytes = 0;
            while let Some(row) = if reverse { rows.next_back() } else { rows.next() } {
                let (key, value) = row?;
                bytes += value.len();
                Sled::touch(db, &key, bytes / BYTES_PER_TOUCH_IN_RANGE)?;
                bytes %= BYTES_PER_TOUCH_IN_RANGE;
                if !visit(&key, &value) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn apply(&self, changes: &mut dyn Iterator<Item = Change<'_>>) -> Result<(), IndexError> {
        let db = self.db()?;
        catch(|| {
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        db.insert(key, value)?;
                        Sled::touch(db, key, value.len() / BYTES_PER_TOUCH)?;
                    }
                    None => drop(db.remove(key)?),
                }
            }
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), IndexError> {
        let db = self.db()?;
        catch(|| db.flush())?;
        sync_tree(&self.dir).map_err(|error| IndexError(format!("sync of the index: {error}")))
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        let db = self.db.take();
        // sled flushes and syncs when it goes, and unwraps the result.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(db)));
    }
}

/// A call of sled: its error or its panic as an [`IndexError`].
fn catch<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| IndexError(error.to_string())),
        Err(_) => Err(IndexError("sled panicked".into())),
    }
}

fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_data()?;
        }
    }
    File::open(dir)?.sync_all()
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Makes glibc keep buffers of sled's segment size on its heap instead of mapping fresh zero pages for each.
///
/// glibc raises its threshold for `mmap` to the size of the largest mapped block that was freed, up to 32 MiB, and its
/// threshold for giving memory back to twice that. One such block, never touched, taken and given back, is enough, and
/// opening 2.9 GB of sled's log falls from over 4 s to about 1 s. It is no larger than it must be, because every thread's
/// heap may keep twice as much. With another allocator this does nothing.
fn settle_allocator() {
    drop(black_box(Vec::<u8>::with_capacity(SEGMENT_BYTES + (2 << 20))));
}

/// Folder of a generation below a store's folder.
pub(crate) fn index_dir(dir: &Path, generation: u64) -> PathBuf {
    dir.join(index_dir_name(generation))
}
