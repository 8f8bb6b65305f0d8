//! Two million messages: how long a start takes after a kill, and what memory and disk they need.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use weft_store::{
    Batch, Scan, Store, Table,
    embedded::{self, Options},
};

const LOG: Table = Table::new(201, "log");
const COUNTERS: Table = Table::new(202, "counters");
const MESSAGE_BYTES: usize = 700;
const ROOMS: u64 = 1_000;
const BATCH: u64 = 16;
const WRITERS: u64 = 16;

pub fn run(args: &[String]) {
    let number = |at: usize, default| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    match args[0].as_str() {
        "--large-load" => load(Path::new(&args[1]), number(2, 0)),
        "--large-open" => open(Path::new(&args[1]), number(2, 0)),
        _ => parent(number(1, 2_000_000)),
    }
}

fn parent(messages: u64) {
    let base = std::env::var_os("WEFT_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(base).unwrap();
    let began = Instant::now();
    let mut loader = child("--large-load", dir.path(), messages);
    let mut lines = BufReader::new(loader.stdout.take().unwrap()).lines();
    // The loader says how it goes; after its last line it goes on writing until it is killed.
    for line in lines.by_ref() {
        let line = line.unwrap();
        println!("{line}");
        if line.starts_with("loaded") {
            break;
        }
    }
    println!("loading took {:.0} s", began.elapsed().as_secs_f64());
    lines.next().unwrap().unwrap();
    loader.kill().unwrap();
    loader.wait().unwrap();
    for _ in 0..2 {
        let mut opener = child("--large-open", dir.path(), messages);
        for line in BufReader::new(opener.stdout.take().unwrap()).lines() {
            println!("{}", line.unwrap());
        }
        assert!(opener.wait().unwrap().success());
    }
    let raw = messages * MESSAGE_BYTES as u64;
    let used = disk_bytes(dir.path());
    println!("disk after checkpoint: {} MiB, {:.2} times the messages", used >> 20, used as f64 / raw as f64);
    for entry in std::fs::read_dir(dir.path()).unwrap().flatten() {
        println!("  {}: {} MiB", entry.file_name().to_string_lossy(), disk_bytes(&entry.path()) >> 20);
    }
}

fn child(mode: &str, dir: &Path, messages: u64) -> std::process::Child {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new(exe);
    command.arg(mode).arg(dir).arg(messages.to_string()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn load(dir: &Path, messages: u64) {
    runtime().block_on(async {
        let store = embedded::open(dir, Options::default()).unwrap();
        let began = Instant::now();
        let per_writer = messages / WRITERS;
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer, per_writer))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let rate = messages as f64 / began.elapsed().as_secs_f64();
        println!("loaded {messages} messages of {MESSAGE_BYTES} B, {rate:.0}/s, {}", memory());
        // Killed in the middle of work, some way behind a checkpoint.
        write(store.clone(), 0, 20_000).await;
        println!("more");
        std::io::stdout().flush().unwrap();
        write(store, 1, u64::MAX).await;
    });
}

async fn write(store: Store, writer: u64, messages: u64) {
    let mut state = writer.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut written = 0;
    while written < messages {
        let mut batch = Batch::new();
        for _ in 0..BATCH {
            let room = (next() % ROOMS).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            let message: Vec<u8> =
                (0..MESSAGE_BYTES / 8 + 1).flat_map(|_| next().to_be_bytes()).take(MESSAGE_BYTES).collect();
            batch = batch.append(COUNTERS, room, LOG, room, message);
        }
        store.commit(batch).await.unwrap();
        written += BATCH;
    }
}

fn open(dir: &Path, messages: u64) {
    let began = Instant::now();
    let store = embedded::open(dir, Options::default()).unwrap();
    println!("reopened in {:.2} s, {}", began.elapsed().as_secs_f64(), memory());
    runtime().block_on(async {
        let mut found = 0;
        let mut after: Vec<u8> = Vec::new();
        loop {
            let rows = store.scan(LOG, Scan::prefix(b"").after(&after).limit(1000)).await.unwrap();
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            found += rows.len() as u64;
        }
        assert!(found >= messages, "{found} of {messages} messages");
        println!("scanned {found} messages, {}", memory());
        store.checkpoint().await.unwrap();
        println!("after checkpoint and snapshot: {}, {:?}", memory(), store.status());
        store.close().await.unwrap();
    });
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib >> 10)
    };
    format!("RSS {} MiB (peak {} MiB)", mib("VmRSS").unwrap_or(0), mib("VmHWM").unwrap_or(0))
}

fn disk_bytes(path: &Path) -> u64 {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.blocks() * 512;
    }
    std::fs::read_dir(path).unwrap().flatten().map(|entry| disk_bytes(&entry.path())).sum()
}
