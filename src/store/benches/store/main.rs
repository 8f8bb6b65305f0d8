//! Durable batches per second, beside redb and beside a bare `write` + `fdatasync` on the same disk in the same run.
//!
//! ```text
//! cargo bench -p weft-store                          the table
//! cargo bench -p weft-store -- --large [MESSAGES]    2 million messages of 700 B: reopen after SIGKILL, memory, disk
//! ```
//! `WEFT_BENCH_DIR` chooses the disk; the default is the folder for temporary files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    missing_docs,
    reason = "a bench ends at the first error and talks to a terminal"
)]

mod large;

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redb::{Database, Durability, TableDefinition};
use weft_store::{
    Batch, Table,
    embedded::{self, Options},
};

const T: Table = Table::new(200, "bench");
const VALUE_BYTES: usize = 300;
const RUN: Duration = Duration::from_secs(4);
const WARM_UP: Duration = Duration::from_millis(500);

/// A measured run.
struct Measured {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Measured {
    fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
        Measured { per_second: latencies.len() as f64 / elapsed.as_secs_f64(), p50: at(50), p99: at(99) }
    }

    fn row(&self, name: &str, writers: usize) {
        let us = |duration: Duration| duration.as_nanos() as f64 / 1000.0;
        println!(
            "| {name} | {writers} | {:.0} | {:.0} | {:.0} |",
            self.per_second,
            us(self.p50),
            us(self.p99)
        );
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg.starts_with("--large")) {
        return large::run(&args[at..]);
    }
    let base = std::env::var_os("WEFT_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(base).unwrap();
    println!(
        "| engine | writers | durable batches/s | p50 µs | p99 µs |\n| --- | ---: | ---: | ---: | ---: |"
    );
    let bare = bare(&dir.path().join("bare"), false);
    bare.row("write + fdatasync, growing file", 1);
    bare_again(dir.path());
    let mut ours = Vec::new();
    for writers in [1, 8, 64, 256] {
        let measured = weft(&dir.path().join(format!("weft-{writers}")), writers);
        measured.row("weft-store", writers);
        ours.push(measured);
    }
    let mut theirs = Vec::new();
    for writers in [1, 8, 64, 256] {
        let measured = redb(&dir.path().join(format!("redb-{writers}")), writers);
        measured.row("redb 4, Durability::Immediate", writers);
        theirs.push(measured);
    }
    println!("\n64 writers: {:.1} times redb", ours[2].per_second / theirs[2].per_second);
    println!("1 writer: p50 {:.2} times the bare write", ours[0].p50.as_secs_f64() / bare.p50.as_secs_f64());
}

fn bare_again(dir: &Path) {
    bare(&dir.join("bare-filled"), true).row("write + fdatasync, file filled before", 1);
}

/// What the disk takes for one small durable write.
fn bare(path: &Path, filled: bool) -> Measured {
    let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).unwrap();
    if filled {
        file.write_all_at(&vec![0; 64 << 20], 0).unwrap();
        file.sync_all().unwrap();
    }
    let value = vec![7; VALUE_BYTES];
    let mut latencies = Vec::new();
    let mut at = 0;
    let began = Instant::now();
    while began.elapsed() < RUN {
        let write = Instant::now();
        file.write_all_at(&value, at).unwrap();
        file.sync_data().unwrap();
        latencies.push(write.elapsed());
        at = (at + VALUE_BYTES as u64) % (63 << 20);
    }
    Measured::of(latencies, began.elapsed())
}

fn value_of(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(VALUE_BYTES).collect()
}

fn weft(dir: &Path, writers: usize) -> Measured {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = embedded::open(dir, Options::default()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let counting = Arc::new(AtomicBool::new(false));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..writers as u64)
            .map(|writer| {
                let (store, stop, counting) = (store.clone(), stop.clone(), counting.clone());
                tokio::spawn(async move {
                    let mut latencies = Vec::new();
                    let value = value_of(writer);
                    for n in 0_u64.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let key = [writer.to_be_bytes(), n.to_be_bytes()].concat();
                        let commit = Instant::now();
                        store.commit(Batch::new().put(T, key, value.clone())).await.unwrap();
                        if counting.load(Ordering::Relaxed) {
                            latencies.push(commit.elapsed());
                        }
                    }
                    latencies
                })
            })
            .collect();
        tokio::time::sleep(WARM_UP).await;
        counting.store(true, Ordering::Relaxed);
        let began = Instant::now();
        tokio::time::sleep(RUN).await;
        stop.store(true, Ordering::Relaxed);
        let elapsed = began.elapsed();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await.unwrap());
        }
        store.close().await.unwrap();
        Measured::of(latencies, elapsed)
    })
}

/// As its documentation has it: one write transaction for one batch, `Durability::Immediate`, threads that write.
fn redb(path: &Path, writers: usize) -> Measured {
    const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("bench");
    let db = Arc::new(Database::create(path).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let counting = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..writers as u64)
        .map(|writer| {
            let (db, stop, counting) = (db.clone(), stop.clone(), counting.clone());
            std::thread::spawn(move || {
                let mut latencies = Vec::new();
                let value = value_of(writer);
                for n in 0_u64.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let key = [writer.to_be_bytes(), n.to_be_bytes()].concat();
                    let commit = Instant::now();
                    let mut transaction = db.begin_write().unwrap();
                    transaction.set_durability(Durability::Immediate).unwrap();
                    transaction.open_table(TABLE).unwrap().insert(key.as_slice(), value.as_slice()).unwrap();
                    transaction.commit().unwrap();
                    if counting.load(Ordering::Relaxed) {
                        latencies.push(commit.elapsed());
                    }
                }
                latencies
            })
        })
        .collect();
    std::thread::sleep(WARM_UP);
    counting.store(true, Ordering::Relaxed);
    let began = Instant::now();
    std::thread::sleep(RUN);
    stop.store(true, Ordering::Relaxed);
    let elapsed = began.elapsed();
    let latencies = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    Measured::of(latencies, elapsed)
}
