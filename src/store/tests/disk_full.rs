//! A disk that is really full: a small tmpfs. Where it may not be mounted the test says so and passes; the simulated disk
//! (`simulated_disk.rs`) fills up everywhere.
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
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use common::{Seeded, model::A, sim::SimDisk};
use weft_store::{
    Batch, Error, Scan, Store,
    embedded::{self, Options},
};

struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(dir: &Path, mib: u64) -> Option<Tmpfs> {
        fs::create_dir_all(dir).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(dir);
        match command.output() {
            Ok(output) if output.status.success() => Some(Tmpfs(dir.to_owned())),
            _ => None,
        }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn options() -> Options {
    Options { reserve_bytes: 20 << 20, segment_bytes: 1 << 20, chunk_bytes: 128 << 10, ..common::small() }
}

async fn write_until_full(
    store: &Store,
    seeded: &mut Seeded,
    acknowledged: &mut Vec<(u64, Vec<u8>)>,
) -> Error {
    loop {
        let (n, value) = (acknowledged.len() as u64, seeded.bytes(20_000));
        match store.commit(Batch::new().put(A, n.to_be_bytes(), value.clone())).await {
            Ok(_) => acknowledged.push((n, value)),
            Err(error) => return error,
        }
        assert!(acknowledged.len() < 100_000, "the disk never fills");
    }
}

async fn all_there(store: &Store, acknowledged: &[(u64, Vec<u8>)]) {
    for (n, value) in acknowledged {
        let row = store.get(A, &n.to_be_bytes()).await.unwrap().expect("an acknowledged row is missing");
        assert!(row.value == *value);
    }
    let beyond = (acknowledged.len() as u64 - 1).to_be_bytes();
    assert_eq!(store.scan(A, Scan::prefix(b"").after(beyond)).await.unwrap(), [], "a refused row is there");
}

#[tokio::test]
async fn a_full_disk_refuses_commits_keeps_reading_and_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let Some(mounted) = Tmpfs::mount(&temp.path().join("small"), 96) else {
        println!("skipped: this user may not mount a tmpfs");
        return;
    };
    let (data, filler) = (mounted.0.join("data"), mounted.0.join("filler"));
    let mut seeded = Seeded(1);
    let mut acknowledged = Vec::new();

    // Filled by ourselves.
    let store = embedded::open(&data, options()).unwrap();
    let error = write_until_full(&store, &mut seeded, &mut acknowledged).await;
    assert!(matches!(error, Error::DiskFull), "{error:?}");
    assert!(store.status().disk_full && acknowledged.len() > 100);
    all_there(&store, &acknowledged).await;
    drop(store);

    // Filled to the last byte by somebody else, under a store that runs, then ended.
    let store = embedded::open(&data, options()).unwrap();
    all_there(&store, &acknowledged).await;
    fill(&filler);
    let error = store.commit(Batch::new().put(A, b"x", b"y")).await.unwrap_err();
    assert!(matches!(error, Error::DiskFull), "{error:?}");
    all_there(&store, &acknowledged).await;
    drop(store);

    // Room again: after a restart, and then without one.
    fs::remove_file(&filler).unwrap();
    let roomier = Options { reserve_bytes: 8 << 20, ..options() };
    let store = embedded::open(&data, roomier.clone()).unwrap();
    all_there(&store, &acknowledged).await;
    let ballast = mounted.0.join("ballast");
    let free = free_bytes(&mounted.0);
    fs::write(&ballast, vec![1; usize::try_from(free.saturating_sub(9 << 20)).unwrap()]).unwrap();
    let error = write_until_full(&store, &mut seeded, &mut acknowledged).await;
    assert!(matches!(error, Error::DiskFull), "{error:?}");
    fs::remove_file(&ballast).unwrap();
    let n = acknowledged.len() as u64;
    store.commit(Batch::new().put(A, n.to_be_bytes(), b"after")).await.unwrap();
    acknowledged.push((n, b"after".to_vec()));
    drop(store);
    let store = embedded::open(&data, roomier).unwrap();
    all_there(&store, &acknowledged).await;
}

/// Below the reserve deletions and what is urgent go on, beside what is refused; below half of it nothing does.
#[tokio::test]
async fn half_of_the_reserve_is_for_deletions_and_what_is_urgent() {
    let disk = SimDisk::new(3);
    let options = Options {
        segment_bytes: 8 << 10,
        chunk_bytes: 2 << 10,
        reserve_bytes: 1 << 20,
        background: false,
        disk: Arc::new(disk.clone()),
        index: Arc::new(disk.clone()),
        ..common::small()
    };
    let store = embedded::open(Path::new("/simulated"), options).unwrap();
    let keys: [&[u8]; 3] = [b"a", b"b", b"c"];
    for key in keys {
        store.commit(Batch::new().put(A, key, b"old")).await.unwrap();
    }
    let free = |bytes: u64| disk.set_capacity(disk.used() + bytes);
    let put = || Batch::new().put(A, b"new", b"value");

    free(768 << 10);
    let named = put().idempotency(b"name");
    let refused =
        [put(), named.clone(), put().delete(A, b"a"), Batch::new().delete(A, b"a").idempotency(b"d")];
    for batch in refused {
        assert!(!batch.is_urgent());
        assert!(matches!(store.commit(batch).await, Err(Error::DiskFull)));
    }
    assert!(store.status().disk_full);
    // Beside one that is refused, which leaves no trace.
    let (refused, done) =
        tokio::join!(store.commit(named.clone()), store.commit(Batch::new().delete(A, b"a")));
    assert!(matches!(refused, Err(Error::DiskFull)) && done.is_ok());
    let urgent = Batch::new().urgent().merge(Batch::new().put(A, b"b", b"urgent"));
    store.commit(urgent).await.unwrap();
    assert!(store.status().disk_full, "it is still full for the others");

    free(256 << 10);
    for batch in [Batch::new().delete(A, b"b"), put().urgent()] {
        assert!(matches!(store.commit(batch).await, Err(Error::DiskFull)));
    }
    let rows = store.scan(A, Scan::prefix(b"")).await.unwrap();
    let rows: Vec<(&[u8], &[u8])> = rows.iter().map(|row| (&*row.key, &*row.value)).collect();
    assert_eq!(rows, [(&b"b"[..], &b"urgent"[..]), (b"c", b"old")]);

    disk.set_capacity(u64::MAX);
    assert!(!store.commit(named).await.unwrap().replayed, "its name was not taken down when it was refused");
    assert!(!store.status().disk_full);
}

/// A start and a check on a disk without a single free byte: an error that says so, or a store that reads; and when there is
/// room again everything is as it was.
#[tokio::test]
async fn a_start_and_a_check_on_a_full_disk_harm_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let Some(mounted) = Tmpfs::mount(&temp.path().join("small"), 96) else {
        println!("skipped: this user may not mount a tmpfs");
        return;
    };
    let (data, filler) = (mounted.0.join("data"), mounted.0.join("filler"));
    let mut acknowledged = Vec::new();
    let store = embedded::open(&data, options()).unwrap();
    let mut seeded = Seeded(2);
    for n in 0..300 {
        let value = seeded.bytes(20_000);
        store.commit(Batch::new().put(A, u64::to_be_bytes(n), value.clone())).await.unwrap();
        acknowledged.push((n, value));
    }
    store.close().await.unwrap();
    drop(store);
    for (index, checkpoint) in [(true, true), (false, true), (true, false)] {
        for entry in fs::read_dir(&data).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if !index && name.starts_with("index-") {
                fs::remove_dir_all(entry.path()).unwrap();
            } else if !checkpoint && name == "checkpoint" {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        fill(&filler);
        for _ in 0..2 {
            match embedded::open(&data, options()) {
                Ok(store) => all_there(&store, &acknowledged).await,
                Err(error) => assert!(matches!(error, Error::DiskFull), "{index} {checkpoint}: {error:?}"),
            }
            let checked = embedded::check(&data, &options(), &|_, _, _| Ok(()));
            assert!(matches!(checked, Err(Error::DiskFull)), "{index} {checkpoint}: {checked:?}");
        }
        fs::remove_file(&filler).unwrap();
        let store = embedded::open(&data, options()).unwrap();
        all_there(&store, &acknowledged).await;
        store.close().await.unwrap();
        drop(store);
        let report = embedded::check(&data, &options(), &|_, _, _| Ok(())).unwrap();
        assert_eq!(report.index, embedded::IndexState::Same);
    }
    let beginning = mounted.0.join("new");
    fill(&filler);
    let error = embedded::open(&beginning, options()).err().expect("there is no room for a new store");
    assert!(matches!(error, Error::DiskFull), "{error:?}");
    fs::remove_file(&filler).unwrap();
    assert_eq!(embedded::open(&beginning, options()).unwrap().status().seq, 0);
}

fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    let mut len = 1 << 20;
    while len > 0 {
        if file.write_all(&vec![1; len]).is_err() {
            len /= 2;
        }
    }
}

fn free_bytes(dir: &Path) -> u64 {
    use embedded::{Disk, RealDisk};
    RealDisk.free_bytes(dir).unwrap()
}
