//! Checkpoint, snapshot, deletion, backup, restore, check, locks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]

mod common;

use std::{path::Path, sync::Arc};

use common::{
    Seeded,
    model::{A, B},
    sim::SimDisk,
};
use weft_store::{
    Batch, Error, Row, SCAN_ROWS_MAX, Scan, Store, Table,
    embedded::{self, IndexState, OpenIndex as _, Options, SledIndex},
};

async fn load(store: &Store, batches: u64, seed: u64) {
    let mut seeded = Seeded(seed);
    for _ in 0..batches {
        let (key, len) = (seeded.below(100).to_be_bytes(), seeded.below(900) as usize);
        store
            .commit(Batch::new().put(A, key, seeded.bytes(len)).append(B, b"n", B, b"log", b"entry"))
            .await
            .unwrap();
    }
}

async fn dump(store: &Store) -> Vec<(u8, Row)> {
    let mut rows = Vec::new();
    for table in [A, B] {
        let found = store.scan(table, Scan::prefix(b"").limit(SCAN_ROWS_MAX)).await.unwrap();
        rows.extend(found.into_iter().map(|row| (table.id, row)));
    }
    rows
}

#[tokio::test]
async fn the_journal_stays_short_and_nothing_is_lost_with_what_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let mut before = Vec::new();
    for life in 0..4 {
        let store = embedded::open(dir.path(), common::small()).unwrap();
        assert!(dump(&store).await == before);
        load(&store, 800, life).await;
        store.checkpoint().await.unwrap();
        let status = store.status();
        assert!(status.snapshot_seq > 0 && status.checkpoint_seq == status.seq, "{status:?}");
        assert!(status.segments <= 3 && status.journal_bytes < 200 << 10, "{status:?}");
        before = dump(&store).await;
    }
    // Snapshot and journal alone carry everything.
    let generation = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    for index in generation.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("index")) {
        std::fs::remove_dir_all(index).unwrap();
    }
    let store = embedded::open(dir.path(), common::small()).unwrap();
    assert!(dump(&store).await == before);
    assert_eq!(store.status().index_rebuilds, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_while_commits_go_on_holds_a_state_that_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(&dir.path().join("data"), common::small()).unwrap();
    load(&store, 300, 1).await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move { load(&store, 600, 2).await }
    });
    let mut backups = Vec::new();
    while !writer.is_finished() {
        let to = dir.path().join(format!("backup-{}", backups.len()));
        backups.push((store.backup(&to, "a store").await.unwrap(), to));
    }
    writer.await.unwrap();
    assert!(backups.len() > 1);
    for (n, (seq, from)) in backups.iter().enumerate() {
        let into = dir.path().join(format!("restored-{n}"));
        let restored = embedded::restore(from, &into).unwrap();
        assert_eq!((restored.seq, restored.of.as_deref()), (*seq, Some("a store")));
        let restored = embedded::open(&into, common::small()).unwrap();
        assert_eq!(restored.status().seq, *seq);
        // One entry of the log for each commit: a state that was, whole.
        let log = restored.scan(B, Scan::prefix(b"log").limit(SCAN_ROWS_MAX)).await.unwrap();
        assert_eq!(log.len() as u64, *seq);
        assert!(log.iter().all(store_version_is));
    }
    // Neither over a folder that holds something.
    assert!(matches!(store.backup(&backups[0].1, "").await, Err(Error::Folder { .. })));
    assert!(matches!(embedded::restore(&backups[0].1, &dir.path().join("data")), Err(Error::Folder { .. })));
}

/// The commit that wrote the entry has the entry's number.
fn store_version_is(row: &Row) -> bool {
    u64::from_be_bytes(*row.key.last_chunk().unwrap()) == row.version.0
}

#[tokio::test]
async fn a_backup_into_the_store_itself_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = embedded::open(&data, common::small()).unwrap();
    store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap();
    std::os::unix::fs::symlink(data.join("journal"), dir.path().join("link")).unwrap();
    for inside in ["data", "data/backup", "data/snapshots/b", "link/backup", "other/../data/b"] {
        let refused = store.backup(&dir.path().join(inside), "").await;
        assert!(matches!(&refused, Err(Error::Folder { .. })), "{inside}: {refused:?}");
    }
    assert!(!data.join("backup").exists() && !dir.path().join("other").exists());
    assert_eq!(store.backup(&dir.path().join("data-2"), "").await.unwrap(), 1);
}

#[tokio::test]
async fn store_backup_and_restored_store_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| dir.path().join(name));
    for folder in [&data, &data.join("journal"), &backup, &restored] {
        std::fs::create_dir(folder).unwrap();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let store = embedded::open(&data, common::small()).unwrap();
    store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap();
    store.backup(&backup, "").await.unwrap();
    store.close().await.unwrap();
    embedded::restore(&backup, &restored).unwrap();
    let mut folders = vec![data, backup, restored];
    while let Some(folder) = folders.pop() {
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            // sled's own files follow the mask of the process; their folder is closed.
            if name == "index-1" {
                assert_eq!(mode(&entry.path()), 0o700);
            } else if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                assert_eq!(mode(&entry.path()), 0o600, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_backup_that_was_tampered_with_or_not_finished_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(&dir.path().join("data"), common::small()).unwrap();
    load(&store, 200, 1).await;
    store.checkpoint().await.unwrap();
    load(&store, 20, 2).await;
    let make = async |name: &str| {
        let backup = dir.path().join(name);
        store.backup(&backup, "a store").await.unwrap();
        backup
    };
    let refused = |backup: &Path| {
        let into = tempfile::tempdir().unwrap();
        embedded::restore(backup, &into.path().join("data")).unwrap_err()
    };
    for folder in ["journal", "snapshots"] {
        let backup = make(folder).await;
        let file = std::fs::read_dir(backup.join(folder)).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(refused(&backup), Error::BadSnapshot { .. }));
    }
    let backup = make("unfinished").await;
    std::fs::remove_file(backup.join("weft-backup.txt")).unwrap();
    assert!(matches!(refused(&backup), Error::Folder { .. }));
    // One whose data it is not, or that does not say it.
    for (was, is) in [("of a store", "of another"), ("of a store\n", "")] {
        let backup = make(&format!("whose-{}", is.len())).await;
        let text = std::fs::read_to_string(backup.join("weft-backup.txt")).unwrap();
        assert!(text.contains(was), "{text}");
        std::fs::write(backup.join("weft-backup.txt"), text.replacen(was, is, 1)).unwrap();
        assert!(matches!(refused(&backup), Error::BadSnapshot { .. }));
    }
    // A manifest that names a place outside, with a right hash.
    let backup = make("outside").await;
    let text = std::fs::read_to_string(backup.join("weft-backup.txt")).unwrap();
    let body = text.rsplit_once("end ").unwrap().0.replacen(" journal/", " journal/../../", 1);
    let forged = format!("{body}end {}\n", blake3_of(&body));
    std::fs::write(backup.join("weft-backup.txt"), forged).unwrap();
    assert!(matches!(refused(&backup), Error::BadSnapshot { .. }));
}

fn blake3_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_string()
}

#[tokio::test]
async fn check_finds_what_is_wrong_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = common::small();
    let store = embedded::open(dir.path(), options.clone()).unwrap();
    load(&store, 300, 1).await;
    store.commit(Batch::new().put(Table::new(250, "mine"), b"k", b"broken")).await.unwrap();
    let (rows, seq) = (dump(&store).await, store.status().seq);
    assert!(matches!(embedded::check(dir.path(), &options, &|_, _, _| Ok(())), Err(Error::Locked { .. })));
    drop(store);
    let good = embedded::check(dir.path(), &options, &|_, _, _| Ok(())).unwrap();
    assert!(good.is_ok() && good.index == IndexState::Same && good.seq == seq, "{good:?}");
    assert_eq!(good.rows_of_tables[&A.id] + good.rows_of_tables[&B.id], rows.len() as u64);
    let validator =
        |_: Table, _: &[u8], value: &[u8]| if value == b"broken" { Err("not CBOR".into()) } else { Ok(()) };
    let bad = embedded::check(dir.path(), &options, &validator).unwrap();
    assert!(!bad.is_ok());
    assert_eq!((bad.bad_records_count, bad.bad_records[0].key.as_slice()), (1, &b"k"[..]));
    let store = embedded::open(dir.path(), options).unwrap();
    assert!(dump(&store).await == rows);
}

#[tokio::test]
async fn a_row_that_vanished_from_the_index_is_found_by_the_snapshot_and_put_back() {
    let disk = SimDisk::new(5);
    let options = Options {
        reserve_bytes: 0,
        checkpoint_bytes: 1 << 30,
        snapshot_bytes: 1 << 30,
        disk: Arc::new(disk.clone()),
        index: Arc::new(disk.clone()),
        ..common::small()
    };
    for background in [true, false] {
        let dir = Path::new(if background { "/one" } else { "/two" });
        let options = Options { background, ..options.clone() };
        let store = embedded::open(dir, options.clone()).unwrap();
        load(&store, 100, 1).await;
        load(&store, 1, 2).await;
        let rows = dump(&store).await;
        store.checkpoint().await.unwrap();
        disk.lose_rows(dir, 3);
        load(&store, 1, 3).await;
        store.checkpoint().await.unwrap();
        assert_eq!(store.status().index_rebuilds, 1, "the sums differ");
        let healed = dump(&store).await;
        assert!(healed.len() > rows.len() - 3);
        store.checkpoint().await.unwrap();
        drop(store);
        assert_eq!(embedded::check(dir, &options, &|_, _, _| Ok(())).unwrap().index, IndexState::Same);
        disk.lose_rows(dir, 2);
        let report = embedded::check(dir, &options, &|_, _, _| Ok(())).unwrap();
        assert_eq!(report.index, IndexState::Different(2));
    }
}

#[tokio::test]
async fn a_folder_belongs_to_one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), common::small()).unwrap();
    assert!(matches!(embedded::open(dir.path(), common::small()), Err(Error::Locked { .. })));
    drop(store);
    embedded::open(dir.path(), common::small()).unwrap();
}

#[tokio::test]
async fn a_folder_whose_lock_file_was_removed_is_still_of_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), common::small()).unwrap();
    load(&store, 50, 1).await;
    store.checkpoint().await.unwrap();
    for _ in 0..2 {
        std::fs::remove_file(dir.path().join("lock")).unwrap();
        assert!(matches!(embedded::open(dir.path(), common::small()), Err(Error::Locked { .. })));
        let checked = embedded::check(dir.path(), &common::small(), &|_, _, _| Ok(()));
        assert!(matches!(checked, Err(Error::Locked { .. })), "{checked:?}");
    }
    load(&store, 50, 2).await;
    let rows = dump(&store).await;
    drop(store);
    assert!(dump(&embedded::open(dir.path(), common::small()).unwrap()).await == rows);
}

#[tokio::test]
async fn an_index_that_another_process_has_open_is_not_taken_for_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), common::small()).unwrap();
    load(&store, 50, 1).await;
    store.close().await.unwrap();
    drop(store);
    let names = || -> Vec<_> {
        let entries = std::fs::read_dir(dir.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    let before = names();
    let index = before.iter().find(|path| path.to_str().unwrap().contains("index-")).unwrap();
    // As where the file system locks no folders, and the lock file was removed.
    let held = SledIndex.open(index, 1 << 20).unwrap();
    assert!(matches!(embedded::open(dir.path(), common::small()), Err(Error::Locked { .. })));
    let checked = embedded::check(dir.path(), &common::small(), &|_, _, _| Ok(()));
    assert!(matches!(checked, Err(Error::Locked { .. })), "{checked:?}");
    assert_eq!(names(), before, "nothing was rebuilt, nothing moved aside");
    drop(held);
    let opened = embedded::open(dir.path(), common::small()).unwrap();
    assert_eq!(opened.status().index_rebuilds, 0);
}

#[tokio::test]
async fn names_are_forgotten_after_a_hundred_thousand_others() {
    let store = Store::memory();
    let named = |n: u64| Batch::new().add(A, b"n", 1).idempotency(n.to_be_bytes());
    for n in 0..100_000 {
        store.commit(named(n)).await.unwrap();
    }
    assert!(store.commit(named(0)).await.unwrap().replayed, "the last 100,000 are known");
    store.commit(named(100_000)).await.unwrap();
    assert!(!store.commit(named(0)).await.unwrap().replayed, "the oldest is forgotten");
    assert!(store.commit(named(50_000)).await.unwrap().replayed);
    assert!(store.status().rows <= 2 * 100_001 + 1);
}
