//! 200 times: a process that writes is killed with SIGKILL. Nothing acknowledged is missing, and no batch is half there.
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
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use common::{
    Seeded,
    model::{A, B},
};
use weft_store::{Batch, SCAN_ROWS_MAX, Scan, Store, embedded};

const ROUNDS: u64 = 200;
const WRITERS: u8 = 8;
const CHILD_DIR: &str = "WEFT_KILLED_CHILD_DIR";
const LOG: &[u8] = b"log";

/// The process that is killed: this same test binary, started with only this test and a folder.
#[test]
#[ignore = "it is the child of the test below"]
fn child() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = embedded::open(Path::new(&dir), common::small()).unwrap();
        say("opened");
        let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

/// One line for the parent. Writing it is the acknowledgement.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent may be gone; then there is nobody to tell.
    let _ = writeln!(out, "said {line}");
    let _ = out.flush();
}

async fn write(store: Store, writer: u8) {
    let mut n = number(&store, &[writer, b'x']).await;
    let mut seeded = Seeded(u64::from(writer) << 32 | n);
    loop {
        n += 1;
        let len = seeded.below(1500) as usize;
        let mut entry = [&[writer][..], &n.to_be_bytes()].concat();
        entry.extend(seeded.bytes(len));
        let mut batch = Batch::new()
            .put(A, [writer, b'x'], n.to_be_bytes())
            .put(A, [writer, b'y'], n.to_be_bytes())
            .append(A, b"count", B, LOG, entry)
            .add(A, b"total", 1)
            .delete(A, [writer, b'z', (n % 7) as u8])
            .put(A, [writer, b'z', ((n + 1) % 7) as u8], b"");
        if n.is_multiple_of(3) {
            batch = batch.idempotency([&[writer][..], &n.to_be_bytes()].concat());
        }
        store.commit(batch).await.unwrap();
        say(&format!("{writer} {n}"));
    }
}

async fn number(store: &Store, key: &[u8]) -> u64 {
    let row = store.get(A, key).await.unwrap();
    row.map_or(0, |row| u64::from_be_bytes(row.value.try_into().unwrap()))
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture"]).env(CHILD_DIR, dir);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Lets the child acknowledge so many batches, kills it, and gives what it had acknowledged, per writer.
fn load_and_kill(dir: &Path, acknowledgements: u64) -> BTreeMap<u8, u64> {
    let mut child = start(dir);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeMap::new();
    let mut heard = 0;
    let hear = |line: &str, acknowledged: &mut BTreeMap<u8, u64>| -> bool {
        // libtest talks on the same line at times.
        let Some((_, said)) = line.split_once("said ") else { return false };
        if let Some((writer, n)) = said.split_once(' ') {
            acknowledged.insert(writer.parse().unwrap(), n.parse().unwrap());
        }
        true
    };
    while heard < acknowledgements {
        let line = lines.next().expect("the child ended by itself").unwrap();
        heard += u64::from(hear(&line, &mut acknowledged));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts too. Its last line may be cut.
    for line in lines.map_while(Result::ok) {
        let whole = line.split_once("said ").is_some_and(|(_, said)| said.split(' ').count() == 2);
        if whole {
            hear_whole(&line, &mut acknowledged);
        }
    }
    acknowledged
}

/// A line after the kill: its number may be cut short, which makes it smaller and so never claims too much.
fn hear_whole(line: &str, acknowledged: &mut BTreeMap<u8, u64>) {
    let Some((writer, n)) = line.split_once("said ").and_then(|(_, said)| said.split_once(' ')) else {
        return;
    };
    if let (Ok(writer), Ok(n)) = (writer.parse(), n.parse::<u64>()) {
        let known = acknowledged.entry(writer).or_default();
        *known = n.max(*known);
    }
}

async fn verify(store: &Store, acknowledged: &BTreeMap<u8, u64>) -> u64 {
    let mut last: BTreeMap<u8, u64> = BTreeMap::new();
    let mut entries = 0;
    let mut after = LOG.to_vec();
    loop {
        let rows = store.scan(B, Scan::prefix(LOG).after(&after).limit(SCAN_ROWS_MAX)).await.unwrap();
        let Some(end) = rows.last() else { break };
        after.clone_from(&end.key);
        for row in rows {
            entries += 1;
            assert_eq!(u64::from_be_bytes(*row.key.last_chunk().unwrap()), entries, "the log has a gap");
            let (writer, n) = (row.value[0], u64::from_be_bytes(row.value[1..9].try_into().unwrap()));
            let before = last.insert(writer, n).unwrap_or(0);
            assert_eq!(n, before + 1, "writer {writer} has a gap or an echo");
        }
    }
    for writer in 0..WRITERS {
        let n = last.get(&writer).copied().unwrap_or(0);
        assert!(
            n >= acknowledged.get(&writer).copied().unwrap_or(0),
            "writer {writer}: acknowledged and lost"
        );
        assert_eq!(number(store, &[writer, b'x']).await, n, "half a batch");
        assert_eq!(number(store, &[writer, b'y']).await, n, "half a batch");
        let places = store.scan(A, Scan::prefix([writer, b'z'])).await.unwrap();
        let expected = if n == 0 { Vec::new() } else { vec![vec![writer, b'z', ((n + 1) % 7) as u8]] };
        assert_eq!(places.into_iter().map(|row| row.key).collect::<Vec<_>>(), expected, "half a batch");
    }
    assert_eq!(number(store, b"total").await, entries);
    entries
}

#[test]
fn nothing_acknowledged_is_missing_after_200_kills() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut seeded = Seeded(0x6B69_6C6C);
    let mut acknowledged = BTreeMap::new();
    let (mut entries, mut snapshots, mut segments) = (0, 0, 0);
    for round in 0..ROUNDS {
        // Now and then before it has even opened.
        let acknowledgements = if seeded.chance(10) { 0 } else { seeded.below(120) };
        for (writer, n) in load_and_kill(dir.path(), acknowledgements) {
            acknowledged.insert(writer, n);
        }
        // Every other time the next child is the one that opens what the killed one left.
        if round % 2 == 1 || round + 1 == ROUNDS {
            runtime.block_on(async {
                let store = embedded::open(dir.path(), common::small()).unwrap();
                entries = verify(&store, &acknowledged).await;
                let status = store.status();
                assert_eq!(status.index_rebuilds, 0, "a kill alone does not cost the index");
                snapshots += u64::from(status.snapshot_seq > 0);
                segments = segments.max(status.segments);
            });
        }
    }
    assert!(entries > 2_000 && snapshots > 50 && segments > 1, "{entries} entries, {snapshots} {segments}");
    println!("{ROUNDS} kills, {entries} batches, none lost");
}
