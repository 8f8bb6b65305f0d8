//! The layer over the index against a map, also while rows are on their way from one into the other.

use std::sync::mpsc;

use proptest::prelude::*;

use super::*;
use crate::embedded::rebuild::APPLIED_KEY;

/// An index in memory, that can be stopped in the middle of a change and can fail.
#[derive(Default)]
struct Plain {
    rows: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// Asked for before each change, if there is one.
    go_on: Mutex<Option<mpsc::Receiver<()>>>,
    fails: Mutex<bool>,
}

impl Index for Plain {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.rows.lock().get(key).cloned())
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), IndexError> {
        let rows: Vec<_> = self.rows.lock().clone().into_iter().collect();
        let lies_in =
            |key: &[u8]| !is_empty(from, Bound::Included(key)) && !is_empty(Bound::Included(key), to);
        let mut found: Vec<_> = rows.into_iter().filter(|(key, _)| lies_in(key)).collect();
        if reverse {
            found.reverse();
        }
        let _ = found.iter().all(|(key, row)| visit(key, row));
        Ok(())
    }

    fn apply(&self, changes: &mut dyn Iterator<Item = Change<'_>>) -> Result<(), IndexError> {
        let go_on = self.go_on.lock();
        for (key, row) in changes {
            if let Some(go_on) = &*go_on {
                go_on.recv().unwrap();
            }
            if *self.fails.lock() {
                return Err(IndexError("full".into()));
            }
            match row {
                Some(row) => drop(self.rows.lock().insert(key.to_vec(), row.to_vec())),
                None => drop(self.rows.lock().remove(key)),
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

fn over(plain: &Arc<Plain>, cache_bytes: u64, background: bool) -> Arc<dyn Index> {
    let options = Options { cache_bytes, background, ..Options::default() };
    Overlay::over(plain.clone(), &options).unwrap()
}

fn rows_of(
    index: &dyn Index,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
    reverse: bool,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    index
        .range(from, to, reverse, &mut |key, row| {
            found.push((key.to_vec(), row.to_vec()));
            true
        })
        .unwrap();
    found
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u8, Option<u8>)>),
    Sync,
    Read(u8),
    Range { from: u8, to: u8, open: (bool, bool), reverse: bool, upto: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = proptest::collection::vec((0..24_u8, proptest::option::of(any::<u8>())), 1..8);
    let range = (0..24_u8, 0..24_u8, any::<(bool, bool)>(), any::<bool>(), 1..30_usize);
    let range = range.prop_map(|(a, b, open, reverse, upto)| Step::Range {
        from: a.min(b),
        to: a.max(b),
        open,
        reverse,
        upto,
    });
    let step = prop_oneof![
        4 => write.prop_map(Step::Write),
        1 => Just(Step::Sync),
        2 => (0..24_u8).prop_map(Step::Read),
        4 => range,
    ];
    proptest::collection::vec(step, 1..60)
}

fn bound(key: &[u8], is_open: bool) -> Bound<&[u8]> {
    if is_open { Bound::Excluded(key) } else { Bound::Included(key) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn it_reads_as_one_map(steps in steps(), background in any::<bool>(), room in 1..40_u64) {
        let plain = Arc::new(Plain::default());
        let index = over(&plain, room * 10 * CACHE_FRACTION, background);
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Write(writes) => {
                    let writes: Vec<_> =
                        writes.into_iter().map(|(key, row)| (vec![key], row.map(|row| vec![row; 3]))).collect();
                    index.make_room();
                    let mut changes = writes.iter().map(|(key, row)| (key.as_slice(), row.as_deref()));
                    index.apply(&mut changes).unwrap();
                    for (key, row) in writes {
                        match row {
                            Some(row) => drop(model.insert(key, row)),
                            None => drop(model.remove(&key)),
                        }
                    }
                }
                Step::Sync => {
                    index.sync().unwrap();
                    prop_assert_eq!(&*plain.rows.lock(), &model, "all of it is in the index");
                }
                Step::Read(key) => prop_assert_eq!(index.get(&[key]).unwrap(), model.get(&[key][..]).cloned()),
                Step::Range { from, to, open, reverse, upto } => {
                    let (from, to) = ([from], [to]);
                    let (from, to) = (bound(&from, open.0), bound(&to, open.1));
                    let mut expected: Vec<_> = if is_empty(from, to) {
                        Vec::new()
                    } else {
                        model.range::<[u8], _>((from, to)).map(|(k, v)| (k.clone(), v.clone())).collect()
                    };
                    if reverse {
                        expected.reverse();
                    }
                    prop_assert_eq!(rows_of(&*index, from, to, reverse), expected.clone());
                    let mut some = Vec::new();
                    index.range(from, to, reverse, &mut |key, _| {
                        some.push(key.to_vec());
                        some.len() < upto
                    }).unwrap();
                    let first: Vec<_> = expected.into_iter().take(upto).map(|(key, _)| key).collect();
                    prop_assert_eq!(some, first, "no row more than was asked for");
                }
            }
        }
    }
}

#[test]
fn rows_on_their_way_are_read_as_they_are() {
    let plain = Arc::new(Plain::default());
    let index = over(&plain, 1 << 20, true);
    let set = |key: u8, row: Option<&[u8]>| index.apply(&mut std::iter::once((&[key][..], row))).unwrap();
    (1..=3).for_each(|key| set(key, Some(b"old")));
    index.sync().unwrap();
    set(2, None);
    set(4, Some(b"new"));
    let (go, go_on) = mpsc::channel();
    *plain.go_on.lock() = Some(go_on);
    thread::scope(|scope| {
        let syncing = scope.spawn(|| index.sync());
        // One change is done, the other is not: the index is half of each.
        go.send(()).unwrap();
        while plain.rows.lock().len() == 3 {
            thread::yield_now();
        }
        set(3, Some(b"newest"));
        let expected = [(1, &b"old"[..]), (3, b"newest"), (4, b"new")].map(|(k, v)| (vec![k], v.to_vec()));
        assert_eq!(rows_of(&*index, Bound::Unbounded, Bound::Unbounded, false), expected);
        assert_eq!(index.get(&[2]).unwrap(), None);
        assert_eq!(index.get(&[4]).unwrap().as_deref(), Some(&b"new"[..]));
        go.send(()).unwrap();
        syncing.join().unwrap().unwrap();
    });
    *plain.go_on.lock() = None;
    assert_eq!(
        plain.rows.lock().get(&[3][..]).map(Vec::as_slice),
        Some(&b"old"[..]),
        "it came after the sync began"
    );
    assert_eq!(index.get(&[3]).unwrap().as_deref(), Some(&b"newest"[..]));
}

#[test]
fn how_far_it_was_applied_is_noted_last() {
    let plain = Arc::new(Plain::default());
    let index = over(&plain, 1 << 20, true);
    let changes = [(APPLIED_KEY, 9), (&[1][..], 1), (&[200][..], 2)].map(|(key, row)| (key, vec![row]));
    index.apply(&mut changes.iter().map(|(key, row)| (*key, Some(row.as_slice())))).unwrap();
    let (go, go_on) = mpsc::channel();
    *plain.go_on.lock() = Some(go_on);
    thread::scope(|scope| {
        let syncing = scope.spawn(|| index.sync());
        (0..2).for_each(|_| go.send(()).unwrap());
        while plain.rows.lock().len() < 2 {
            thread::yield_now();
        }
        assert!(!plain.rows.lock().contains_key(APPLIED_KEY), "a crash here loses nothing that was noted");
        go.send(()).unwrap();
        syncing.join().unwrap().unwrap();
    });
    assert!(plain.rows.lock().contains_key(APPLIED_KEY));
}

#[test]
fn whoever_writes_too_much_waits_and_goes_on() {
    let plain = Arc::new(Plain::default());
    let index = over(&plain, 1_000 * CACHE_FRACTION, true);
    for n in 0..2_000_u32 {
        index.make_room();
        index.apply(&mut std::iter::once((&n.to_be_bytes()[..], Some(&[7; 100][..])))).unwrap();
    }
    assert!(plain.rows.lock().len() >= 1_900, "what is fresh stays within its bounds");
    assert_eq!(rows_of(&*index, Bound::Unbounded, Bound::Unbounded, false).len(), 2_000);
}

#[test]
fn however_large_the_cache_is_only_so_much_waits_for_the_index() {
    for background in [false, true] {
        let plain = Arc::new(Plain::default());
        // A sixteenth of it would be 64 MiB.
        let index = over(&plain, 1 << 30, background);
        let row = vec![7; 64 << 10];
        let each = row.len() + 4 + ROW_BYTES;
        let bound = FULL_BYTES_MAX as usize;
        let (mut written, mut most) = (0_u32, 0);
        let waits = |written: u32| (written as usize - plain.rows.lock().len()) * each;
        while (written as usize) * each < 6 * bound {
            index.make_room();
            most = most.max(waits(written));
            index.apply(&mut std::iter::once((&written.to_be_bytes()[..], Some(&row[..])))).unwrap();
            written += 1;
            if (written as usize) * each < bound {
                assert!(plain.rows.lock().is_empty(), "until then nothing is written");
            }
        }
        // Beside a thread that writes, so many times as much is fresh, and as much leaves.
        let most_of_all = if background { 2 * PATIENCE * bound } else { bound };
        assert!(most < most_of_all + 2 * each, "{most} bytes waited, of {most_of_all}");
        assert!(!plain.rows.lock().is_empty());
        assert_eq!(rows_of(&*index, Bound::Unbounded, Bound::Unbounded, false).len(), written as usize);
    }
}

#[test]
fn what_the_index_refuses_is_not_hidden() {
    for background in [false, true] {
        let plain = Arc::new(Plain::default());
        let index = over(&plain, CACHE_FRACTION, background);
        *plain.fails.lock() = true;
        let write = || index.apply(&mut std::iter::once((&b"key"[..], Some(&b"row"[..]))));
        write().unwrap();
        index.make_room();
        // In the background it may be told a moment later.
        while background && index.get(b"key").is_ok() {
            thread::yield_now();
        }
        assert!(write().is_err() && index.get(b"key").is_err() && index.sync().is_err());
        let read = index.range(Bound::Unbounded, Bound::Unbounded, false, &mut |_, _| true);
        assert!(read.is_err(), "half of it may be there");
        // Nobody waits for room that there will not be.
        index.make_room();
    }
}
