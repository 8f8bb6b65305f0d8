//! What was applied lately, in memory and in order, before it goes into the index on disk.
//!
//! A row that is written with every commit (a balance, a counter) would be written into a tree on disk with every commit. Here it is
//! written into memory, and into the tree once for many commits; and those who have just written a row find it without the tree.
//! Nothing rests on it: the journal holds all of it, and an index may lose whatever was not synced.
//!
//! Rows are `fresh` until there are enough of them; then all of them are `leaving`, while a thread writes them into the index in their
//! order. A read asks the fresh, the leaving and the index, and takes the first answer.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
    iter::Peekable,
    mem,
    ops::Bound,
    sync::Arc,
    thread::{self, JoinHandle},
};

use parking_lot::{Condvar, Mutex, RwLock};

use super::{
    Options,
    index::{Change, Handed, Index, IndexError},
    rebuild::FIRST_KEY,
};
use crate::Result;

/// Fresh rows may take this part of the memory for the index, and the leaving ones as much again.
const CACHE_FRACTION: u64 = 16;
/// And no more than so many bytes: the disk keeps room for what the index has to write yet, however large its cache is.
const FULL_BYTES_MAX: u64 = 8 << 20;
/// Fresh rows at which whoever writes waits for the leaving to be gone, in the bytes at which they should leave.
const PATIENCE: usize = 2;
/// What a row takes beside its key and value.
const ROW_BYTES: usize = 96;

/// Rows over an index; see the module.
pub(crate) struct Overlay {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    index: Arc<dyn Index>,
    /// Bytes of fresh rows at which they leave.
    full_bytes: usize,
    rows: RwLock<Rows>,
    /// Held by whoever writes into the index.
    writing: Mutex<()>,
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Default)]
struct Rows {
    fresh: Layer,
    fresh_bytes: usize,
    /// On their way into the index, which may have some of them.
    leaving: Option<Arc<Layer>>,
    /// The index has failed: nothing here is to be relied on any more.
    failed: Option<IndexError>,
}

/// `None`: the row is deleted.
type Layer = BTreeMap<Arc<[u8]>, Option<Vec<u8>>>;

#[derive(Default)]
struct Signal {
    wanted: bool,
    stop: bool,
}

impl Overlay {
    /// Puts an empty layer over an index that is up to date.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if there can be no more threads.
    pub(crate) fn over(index: Arc<dyn Index>, options: &Options) -> Result<Arc<dyn Index>> {
        let shared = Arc::new(Shared {
            index,
            full_bytes: usize::try_from((options.cache_bytes / CACHE_FRACTION).min(FULL_BYTES_MAX))
                .unwrap_or(usize::MAX),
            rows: RwLock::default(),
            writing: Mutex::default(),
            signal: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut overlay = Overlay { shared: shared.clone(), writer: None };
        if options.background {
            let writer = thread::Builder::new().name("store-index".to_owned());
            let writer = writer.spawn(move || shared.serve());
            overlay.writer = Some(writer.map_err(super::io_error("start a thread of the store"))?);
        }
        Ok(Arc::new(overlay))
    }
}

impl Drop for Overlay {
    /// What is fresh still goes into the index, as far as that takes it: the more it has, the more it can tell of a journal that was cut.
    fn drop(&mut self) {
        self.shared.signal.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(writer) = self.writer.take() {
            // It catches what the index throws; a panic of its own was reported by the panic hook.
            let _ = writer.join();
            let _ = self.shared.empty();
        }
    }
}

impl Index for Overlay {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        if let Some(row) = self.shared.rows.read().get(key)? {
            return Ok(row.cloned());
        }
        // Only who writes a row can have brought it here since, and a read does not stand beside a write.
        self.shared.index.get(key)
    }

    /// Visits rows in order. `visit` must not call the index.
    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), IndexError> {
        // Held to the end, so that no row leaves for a part of the index that the visit has behind it.
        let rows = self.shared.rows.read();
        if let Some(failed) = &rows.failed {
            return Err(failed.clone());
        }
        let mut over = rows.range(from, to, reverse).peekable();
        let mut wants_more = true;
        self.shared.index.range(from, to, reverse, &mut |key, row| {
            while wants_more
                && let Some((found, newer)) = over.next_if(|(over, _)| !comes_after(over, key, reverse))
            {
                if let Some(newer) = newer {
                    wants_more = visit(found, newer);
                }
                if found == key {
                    return wants_more;
                }
            }
            wants_more = wants_more && visit(key, row);
            wants_more
        })?;
        while wants_more && let Some((found, newer)) = over.next() {
            wants_more = newer.is_none_or(|newer| visit(found, newer));
        }
        Ok(())
    }

    fn apply(&self, changes: &mut dyn Iterator<Item = Change<'_>>) -> Result<(), IndexError> {
        self.take(&mut changes.map(|(key, row)| (key.into(), row.map(<[u8]>::to_vec))))
    }

    fn take(&self, changes: &mut dyn Iterator<Item = Handed>) -> Result<(), IndexError> {
        let mut rows = self.shared.rows.write();
        if let Some(failed) = &rows.failed {
            return Err(failed.clone());
        }
        for (key, row) in changes {
            rows.set(key, row);
        }
        Ok(())
    }

    fn make_room(&self) {
        if self.writer.is_some() {
            self.shared.make_room();
        } else if self.shared.is_full(1) {
            // Its error is kept, and is met with by whoever comes next.
            let _ = self.shared.empty();
        }
    }

    fn sync(&self) -> Result<(), IndexError> {
        self.shared.empty()?;
        self.shared.index.sync()
    }
}

impl Shared {
    /// Writes fresh rows into the index whenever that is wanted.
    fn serve(&self) {
        loop {
            {
                let mut signal = self.signal.lock();
                while !signal.wanted && !signal.stop {
                    self.changed.wait(&mut signal);
                }
                if signal.stop {
                    return;
                }
                signal.wanted = false;
            }
            // Its error is kept, and is met with by whoever comes next.
            let _ = self.empty();
        }
    }

    fn is_full(&self, times: usize) -> bool {
        let rows = self.rows.read();
        rows.failed.is_none() && rows.fresh_bytes >= self.full_bytes.saturating_mul(times)
    }

    fn make_room(&self) {
        if !self.is_full(1) {
            return;
        }
        let mut signal = self.signal.lock();
        signal.wanted = true;
        self.changed.notify_all();
        while !signal.stop && self.is_full(PATIENCE) {
            self.changed.wait(&mut signal);
        }
    }

    /// Writes all that is fresh by now into the index.
    fn empty(&self) -> Result<(), IndexError> {
        let _alone = self.writing.lock();
        let leaving = {
            let mut rows = self.rows.write();
            if let Some(failed) = &rows.failed {
                return Err(failed.clone());
            }
            rows.fresh_bytes = 0;
            let leaving = Arc::new(mem::take(&mut rows.fresh));
            rows.leaving = Some(leaving.clone());
            leaving
        };
        let written = self.index.apply(&mut rows_then_notes(&leaving));
        {
            let mut rows = self.rows.write();
            match &written {
                Ok(()) => rows.leaving = None,
                Err(error) => rows.failed = Some(error.clone()),
            }
        }
        // Whoever waits looks at the rows while it holds the signal, so that it does not miss this.
        drop(self.signal.lock());
        self.changed.notify_all();
        written
    }
}

impl Rows {
    fn set(&mut self, key: Arc<[u8]>, row: Option<Vec<u8>>) {
        let row_bytes = row.as_ref().map_or(0, Vec::len);
        match self.fresh.entry(key) {
            Entry::Occupied(mut known) => {
                let known_bytes = known.insert(row).map_or(0, |known| known.len());
                self.fresh_bytes = (self.fresh_bytes + row_bytes).saturating_sub(known_bytes);
            }
            Entry::Vacant(place) => {
                self.fresh_bytes += place.key().len() + row_bytes + ROW_BYTES;
                place.insert(row);
            }
        }
    }

    /// What is known here of a key: its row, or that there is none; `None` if the index has to be asked.
    fn get(&self, key: &[u8]) -> Result<Option<Option<&Vec<u8>>>, IndexError> {
        match &self.failed {
            Some(failed) => Err(failed.clone()),
            None => {
                let leaving = || self.leaving.as_ref().and_then(|leaving| leaving.get(key));
                Ok(self.fresh.get(key).or_else(leaving).map(Option::as_ref))
            }
        }
    }

    /// The rows of a range, each once and as it was written last.
    fn range<'r>(
        &'r self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
    ) -> impl Iterator<Item = Over<'r>> {
        let layers = [Some(&self.fresh), self.leaving.as_deref()];
        let [fresh, leaving] = layers.map(|layer| ordered(layer, from, to, reverse).peekable());
        Merged { fresh, leaving, reverse }
    }
}

/// The changes of a layer in their order, but what the index notes of itself last: how far it was applied. An index that loses the end of
/// what was written must not say that it has it.
fn rows_then_notes(layer: &Layer) -> impl Iterator<Item = Change<'_>> {
    let rows = layer.range::<[u8], _>((Bound::Included(FIRST_KEY), Bound::Unbounded));
    let notes = layer.range::<[u8], _>((Bound::Unbounded, Bound::Excluded(FIRST_KEY)));
    let changes = rows.chain(notes);
    changes.map(|(key, row)| (&**key, row.as_deref()))
}

/// A key, and its row or that there is none.
type Over<'r> = (&'r [u8], Option<&'r [u8]>);

/// One layer's part of a range, in the order that is asked for.
fn ordered<'r>(
    layer: Option<&'r Layer>,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
    reverse: bool,
) -> Box<dyn Iterator<Item = Over<'r>> + 'r> {
    let Some(layer) = layer.filter(|_| !is_empty(from, to)) else { return Box::new(std::iter::empty()) };
    let rows = layer.range::<[u8], _>((from, to)).map(|(key, row)| (&**key, row.as_deref()));
    if reverse { Box::new(rows.rev()) } else { Box::new(rows) }
}

/// Whether nothing can lie between two bounds. A map takes such bounds for a mistake.
fn is_empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
    }
}

/// Whether `one` comes after `other` on the way.
fn comes_after(one: &[u8], other: &[u8], reverse: bool) -> bool {
    match one.cmp(other) {
        Ordering::Equal => false,
        Ordering::Greater => !reverse,
        Ordering::Less => reverse,
    }
}

struct Merged<I: Iterator> {
    fresh: Peekable<I>,
    leaving: Peekable<I>,
    reverse: bool,
}

impl<'r, I: Iterator<Item = Over<'r>>> Iterator for Merged<I> {
    type Item = Over<'r>;

    fn next(&mut self) -> Option<Over<'r>> {
        let (Some((fresh, _)), Some((leaving, _))) = (self.fresh.peek(), self.leaving.peek()) else {
            return self.fresh.next().or_else(|| self.leaving.next());
        };
        if comes_after(fresh, leaving, self.reverse) {
            return self.leaving.next();
        }
        if fresh == leaving {
            // Written again since.
            self.leaving.next();
        }
        self.fresh.next()
    }
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
