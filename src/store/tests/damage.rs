//! What was damaged from outside: the index heals by itself, the journal never does so silently.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use common::{
    Seeded,
    model::{A, B},
    seeds,
};
use weft_store::{
    Batch, Error, SCAN_ROWS_MAX, Scan, Store,
    embedded::{self, Options},
};

/// A start that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

type Rows = BTreeMap<(u8, Vec<u8>), (Vec<u8>, u64)>;

async fn load(store: &Store, batches: u64, seed: u64) {
    let mut seeded = Seeded(seed);
    for n in 0..batches {
        let (key, len) = (seeded.below(400).to_be_bytes(), seeded.below(900) as usize);
        let value = seeded.bytes(len);
        let mut batch = Batch::new().put(A, key, value.clone()).append(A, b"count", B, b"log", value);
        if n % 5 == 0 {
            batch = batch.delete(A, seeded.below(400).to_be_bytes()).idempotency(n.to_be_bytes());
        }
        store.commit(batch).await.unwrap();
    }
}

async fn dump(store: &Store) -> Rows {
    let mut rows = Rows::new();
    for table in [A, B] {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let mut scan = Scan::prefix(b"").limit(SCAN_ROWS_MAX);
            if let Some(after) = &after {
                scan = scan.after(after);
            }
            let page = store.scan(table, scan).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            rows.extend(page.into_iter().map(|row| ((table.id, row.key), (row.value, row.version.0))));
        }
    }
    rows
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn index_dir(dir: &Path) -> PathBuf {
    let mut entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("index-")).unwrap()
}

/// Does something bad to the index folder and says what.
fn damage_index(dir: &Path, seeded: &mut Seeded) -> String {
    let index = index_dir(dir);
    let kind = seeded.below(10);
    if kind == 0 {
        fs::remove_dir_all(&index).unwrap();
        return "folder removed".into();
    }
    let files = files(&index);
    // The log is what matters; the small files get their turn.
    let file = match seeded.below(4) {
        0 => files[seeded.below(files.len() as u64) as usize].clone(),
        _ => index.join("db"),
    };
    let mut bytes = fs::read(&file).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last as u64 + 1);
    let what = match kind {
        1 => {
            fs::remove_file(&file).unwrap();
            return format!("{} removed", file.display());
        }
        2..=4 => {
            bytes.truncate(seeded.below(used) as usize);
            "truncated"
        }
        5 => {
            let at = seeded.below(used) as usize;
            let len = (seeded.below(9000) as usize).min(bytes.len() - at);
            let filler = seeded.below(256) as u8;
            bytes[at..at + len].fill(filler);
            "overwritten"
        }
        _ => {
            for _ in 0..1 + seeded.below(12) {
                let at = seeded.below(used) as usize;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << seeded.below(8);
                }
            }
            "flipped"
        }
    };
    fs::write(&file, bytes).unwrap();
    format!("{} {what}", file.display())
}

#[test]
fn a_checkpoint_that_is_too_large_is_a_damaged_one() {
    let (folder, rows) = template(true);
    fs::write(folder.path().join("checkpoint"), [7; 5000]).unwrap();
    block_on(async {
        let store = embedded::open(folder.path(), common::small()).unwrap();
        assert!(dump(&store).await == rows);
        assert_eq!(store.status().index_rebuilds, 1);
    });
}

/// A folder with a snapshot, some segments and a checkpoint that is behind; and the rows in it.
fn template(orderly: bool) -> (tempfile::TempDir, Rows) {
    let dir = tempfile::tempdir().unwrap();
    let rows = block_on(async {
        let store = embedded::open(dir.path(), common::small()).unwrap();
        load(&store, 500, 7).await;
        store.checkpoint().await.unwrap();
        load(&store, 40, 8).await;
        assert!(store.status().snapshot_seq > 0);
        let rows = dump(&store).await;
        if orderly {
            store.close().await.unwrap();
        }
        rows
    });
    (dir, rows)
}

fn survives(template: &Path, expected: &Rows, seed: u64) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    copy_tree(template, dir.path());
    let mut seeded = Seeded(seed);
    let what = damage_index(dir.path(), &mut seeded);
    let options = Options { checkpoint_bytes: 1 << 30, snapshot_bytes: 1 << 30, ..common::small() };
    let mut rebuilt = false;
    block_on(async {
        let store =
            embedded::open(dir.path(), options.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
        // Either first: what the damage hides must come back whichever way it is looked for.
        for ((table, key), (value, version)) in expected.iter().filter(|_| seed.is_multiple_of(2)) {
            let table = if *table == A.id { A } else { B };
            let row = store.get(table, key).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let row = row.unwrap_or_else(|| panic!("{what}: a row is missing"));
            assert_eq!((&row.value, row.version.0), (value, *version), "{what}");
        }
        assert!(dump(&store).await == *expected, "{what}: the rows differ");
        rebuilt |= store.status().index_rebuilds > 0;
        load(&store, 20, seed).await;
        let later = dump(&store).await;
        // The snapshot adds everything up once more.
        store.checkpoint().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        rebuilt |= store.status().index_rebuilds > 0;
        store.close().await.unwrap();
        drop(store);
        let store = embedded::open(dir.path(), options).unwrap();
        assert!(dump(&store).await == later, "{what}: the rows differ later");
    });
    (rebuilt, what)
}

#[test]
fn a_damaged_index_costs_no_row() {
    let templates = [template(true), template(false)];
    let mut rebuilt = 0;
    let seeds = seeds(220);
    for seed in &seeds {
        let (dir, rows) = &templates[(seed % 2) as usize];
        let (path, rows, seed) = (dir.path().to_owned(), rows.clone(), *seed);
        let (done, outcome) = mpsc::channel();
        let run = std::thread::spawn(move || done.send(survives(&path, &rows, seed)));
        match outcome.recv_timeout(PATIENCE) {
            Ok((was_rebuilt, _)) => rebuilt += usize::from(was_rebuilt),
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("seed {seed} hangs; replay with WEFT_SEED={seed}"),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                panic!("seed {seed} failed; replay with WEFT_SEED={seed}")
            }
        }
        let _ = run.join();
    }
    println!("{} damaged indexes, {rebuilt} rebuilt, no row lost", seeds.len());
    assert!(seeds.len() == 1 || rebuilt > seeds.len() / 3);
}

// The journal.

struct Frame {
    segment: String,
    at: usize,
    len: usize,
    first_seq: u64,
}

/// The frames of a journal, found by their layout as it is drawn in `frame.rs`.
fn frames(dir: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    for path in files(&dir.join("journal")) {
        let bytes = fs::read(&path).unwrap();
        let mut at = 512;
        while bytes.get(at..at + 4) == Some(b"WfF1") {
            let payload = u32::from_be_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
            let first_seq = u64::from_be_bytes(bytes[at + 16..at + 24].try_into().unwrap());
            let segment = path.file_name().unwrap().to_str().unwrap().to_owned();
            frames.push(Frame { segment, at, len: 80 + payload, first_seq });
            at += (80 + payload).div_ceil(512) * 512;
        }
    }
    frames
}

/// A journal of several segments, none of them deleted, and a backup of it.
fn journal_template() -> (tempfile::TempDir, Rows) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { snapshot_bytes: 1 << 30, ..common::small() };
    let rows = block_on(async {
        let store = embedded::open(&dir.path().join("data"), options).unwrap();
        load(&store, 200, 9).await;
        let rows = dump(&store).await;
        assert_eq!(store.backup(&dir.path().join("backup"), "").await.unwrap(), store.status().seq);
        rows
    });
    (dir, rows)
}

#[test]
fn a_flipped_bit_in_the_middle_of_the_journal_stops_the_start_and_is_named() {
    let (template, rows) = journal_template();
    for seed in seeds(120) {
        let mut seeded = Seeded(seed);
        let dir = tempfile::tempdir().unwrap();
        copy_tree(&template.path().join("data"), dir.path());
        let frames = frames(dir.path());
        let frame = &frames[seeded.below(frames.len() as u64 - 1) as usize];
        let path = dir.path().join("journal").join(&frame.segment);
        let mut bytes = fs::read(&path).unwrap();
        bytes[frame.at + seeded.below(frame.len as u64) as usize] ^= 1 << seeded.below(8);
        fs::write(&path, &bytes).unwrap();
        let before: Vec<_> =
            files(dir.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
        let error = embedded::open(dir.path(), common::small()).err().expect("it must not start");
        let Error::Corrupt { segment, frame: named, offset, .. } = &error else {
            panic!("seed {seed}: {error:?}")
        };
        assert_eq!(
            (segment, *named, *offset),
            (&frame.segment, frame.first_seq, frame.at as u64),
            "seed {seed}"
        );
        let said = error.to_string();
        assert!(said.contains("weft restore") && said.contains(segment.as_str()), "{said}");
        let after: Vec<_> =
            files(dir.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
        assert!(before == after, "seed {seed}: a refused start changed the folder");
        assert!(matches!(
            embedded::check(dir.path(), &common::small(), &|_, _, _| Ok(())),
            Err(Error::Corrupt { .. })
        ));
    }
    let dir = tempfile::tempdir().unwrap();
    embedded::restore(&template.path().join("backup"), &dir.path().join("data")).unwrap();
    let store = embedded::open(&dir.path().join("data"), common::small()).unwrap();
    assert!(block_on(dump(&store)) == rows);
}

#[test]
fn a_missing_or_headless_segment_stops_the_start() {
    let (template, _) = journal_template();
    let names: Vec<_> = files(&template.path().join("data/journal"));
    assert!(names.len() >= 4);
    for (at, name) in names.iter().enumerate() {
        for remove in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            copy_tree(&template.path().join("data"), dir.path());
            let path = dir.path().join("journal").join(name.file_name().unwrap());
            if remove {
                fs::remove_file(&path).unwrap();
            } else {
                let mut bytes = fs::read(&path).unwrap();
                bytes[20] ^= 4;
                fs::write(&path, bytes).unwrap();
            }
            let opened = embedded::open(dir.path(), common::small());
            // Without its last segment the journal ends before the checkpoint, or before what the index was applied to.
            assert!(matches!(opened, Err(Error::Corrupt { .. })), "{at} {remove}");
        }
    }
}

#[test]
fn a_headless_journal_is_never_taken_for_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    block_on(async {
        let options = Options { snapshot_bytes: 1 << 30, segment_bytes: 64 << 20, ..common::small() };
        let store = embedded::open(dir.path(), options).unwrap();
        load(&store, 50, 3).await;
        store.close().await.unwrap();
    });
    // Whatever else told of the store is gone.
    fs::remove_dir_all(index_dir(dir.path())).unwrap();
    fs::remove_file(dir.path().join("checkpoint")).unwrap();
    let path = files(&dir.path().join("journal")).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut damaged = Vec::new();
    for at in [0, 8, 60, 113] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        damaged.push(bytes);
    }
    damaged.extend([vec![0; 513], vec![0; whole.len()], whole[1..512].to_vec(), b"x".to_vec()]);
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        for _ in 0..2 {
            let opened = embedded::open(dir.path(), common::small()).map(|store| store.status().seq);
            assert!(matches!(opened, Err(Error::Corrupt { .. })), "{} bytes: {opened:?}", bytes.len());
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "a refused start changed the journal");
    }
    fs::write(&path, &whole).unwrap();
    let store = embedded::open(dir.path(), common::small()).unwrap();
    assert_eq!(store.status().seq, 50);
}

#[test]
fn a_first_start_that_a_crash_cut_short_is_begun_again() {
    for left in [None, Some(0), Some(512)] {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("journal")).unwrap();
        let path = dir.path().join("journal/0000000000000001.journal");
        left.iter().for_each(|len| fs::write(&path, vec![0; *len]).unwrap());
        let store = embedded::open(dir.path(), common::small()).unwrap();
        assert_eq!(store.status().seq, 0);
    }
}

#[test]
fn a_deleted_index_is_rebuilt_and_the_store_comes_to_rest_again() {
    let (dir, rows) = template(true);
    fs::remove_dir_all(index_dir(dir.path())).unwrap();
    for rebuilds in [1, 0] {
        block_on(async {
            let store = embedded::open(dir.path(), common::small()).unwrap();
            assert!(dump(&store).await == rows);
            assert_eq!(store.status().index_rebuilds, rebuilds);
            store.close().await.unwrap();
        });
        let report = embedded::check(dir.path(), &common::small(), &|_, _, _| Ok(())).unwrap();
        assert_eq!(report.index, embedded::IndexState::Same);
    }
    assert!(!dir.path().join("index-damaged").exists(), "there was nothing to set aside");
}

#[test]
fn check_of_a_folder_without_a_store_says_so_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    for there in [dir.path().join("none"), dir.path().to_owned()] {
        let checked = embedded::check(&there, &common::small(), &|_, _, _| Ok(()));
        assert!(matches!(&checked, Err(Error::Folder { .. })), "{checked:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_torn_tail_is_cut_off_after_a_crash_and_refused_after_an_orderly_stop() {
    for orderly in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (last, seq) = block_on(async {
            let store =
                embedded::open(dir.path(), Options { checkpoint_bytes: 1 << 30, ..common::small() }).unwrap();
            load(&store, 50, 3).await;
            if orderly {
                store.close().await.unwrap();
            }
            (frames(dir.path()).pop().unwrap(), store.status().seq)
        });
        // sled has seen the last frame too; take it away, so that only the journal knows.
        if !orderly {
            fs::remove_dir_all(index_dir(dir.path())).unwrap();
        }
        let path = dir.path().join("journal").join(&last.segment);
        let mut bytes = fs::read(&path).unwrap();
        bytes[last.at + 90] ^= 1;
        fs::write(&path, bytes).unwrap();
        let opened = embedded::open(dir.path(), common::small());
        if orderly {
            let error = opened.err().expect("it must not start");
            assert!(matches!(&error, Error::Corrupt { frame, .. } if *frame == last.first_seq), "{error:?}");
        } else {
            assert_eq!(opened.unwrap().status().seq, seq - 1);
        }
    }
}

#[test]
fn a_value_that_looks_like_a_frame_is_not_taken_for_one() {
    // A frame of another journal, whole and valid there, stored as a value across the sectors of a frame that is then torn.
    let other = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    block_on(async {
        let store = embedded::open(other.path(), common::small()).unwrap();
        load(&store, 60, 1).await;
    });
    let foreign = frames(other.path()).pop().unwrap();
    let bytes = fs::read(other.path().join("journal").join(&foreign.segment)).unwrap();
    let foreign = &bytes[foreign.at..foreign.at + foreign.len];
    block_on(async {
        let options = Options { checkpoint_bytes: 1 << 30, ..common::small() };
        let store = embedded::open(dir.path(), options).unwrap();
        // At every offset of a sector once, so that one of them is aligned.
        let mut value = Vec::new();
        while value.len() + foreign.len() + 600 < 60_000 {
            let shift = value.len() / (foreign.len() + 1) % 512;
            value.extend(std::iter::repeat_n(0, shift));
            value.extend_from_slice(foreign);
        }
        store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap();
        store.commit(Batch::new().put(A, b"trap", value)).await.unwrap();
    });
    fs::remove_dir_all(index_dir(dir.path())).unwrap();
    let last = frames(dir.path()).pop().unwrap();
    let path = dir.path().join("journal").join(&last.segment);
    let mut bytes = fs::read(&path).unwrap();
    bytes[last.at + 30] ^= 1;
    fs::write(&path, bytes).unwrap();
    let store = embedded::open(dir.path(), common::small()).unwrap();
    assert_eq!(store.status().seq, 1);
}
