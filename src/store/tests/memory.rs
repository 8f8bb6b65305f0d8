//! What the index keeps in memory follows its budget, and not what is stored.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]

mod common;

use common::{Seeded, model::A};
use std::fs;
use weft_store::{
    Batch, Scan, Store,
    embedded::{self, Options},
};

/// Rows of so many bytes: long beside a message, far from the longest.
const ROW_BYTES: usize = 8 << 10;
const ROWS: u64 = 24_000;
const ROWS_PER_BATCH: u64 = 40;
/// Less than is stored. One leaf in each of the 256 parts of the cache is a sixth of it; what a snapshot and the allocator need
/// for a while is in it, too, of which glibc keeps a part for each thread that wrote. Without `Sled::touch` it is twice what is stored, 376 MiB.
const RESIDENT_MIB_MAX: u64 = 210;

/// Resident memory of this process, MiB.
fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() >> 10
}

fn options() -> Options {
    Options { cache_bytes: 8 << 20, segment_bytes: 16 << 20, reserve_bytes: 1 << 20, ..Options::default() }
}

async fn write_all(store: &Store) {
    let mut seeded = Seeded(1);
    let noise = seeded.bytes(ROW_BYTES + ROWS as usize);
    for first in (0..ROWS).step_by(ROWS_PER_BATCH as usize) {
        let batch = (first..first + ROWS_PER_BATCH).fold(Batch::new(), |batch, n| {
            let at = n as usize;
            // Each key somewhere else in the order, so that leaves all over the index grow.
            batch.put(
                A,
                n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes(),
                noise[at..at + ROW_BYTES].to_vec(),
            )
        });
        store.commit(batch).await.unwrap();
    }
}

async fn read_all(store: &Store) -> u64 {
    let (mut rows, mut after) = (0, None::<Vec<u8>>);
    loop {
        let mut scan = Scan::prefix(b"").limit(16);
        if let Some(after) = &after {
            scan = scan.after(after);
        }
        let page = store.scan(A, scan).await.unwrap();
        let Some(last) = page.last() else { return rows };
        rows += page.len() as u64;
        after = Some(last.key.clone());
    }
}

#[test]
fn long_rows_stay_in_memory_no_longer_than_there_is_room_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = embedded::open(folder.path(), options()).unwrap();
        write_all(&store).await;
        let written = resident_mib();
        store.close().await.unwrap();
        drop(store);

        let store = embedded::open(folder.path(), options()).unwrap();
        assert_eq!(read_all(&store).await, ROWS);
        for n in 0..ROWS {
            let key = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            assert_eq!(store.get(A, &key).await.unwrap().unwrap().value.len(), ROW_BYTES);
        }
        let read = resident_mib();
        assert!(written.max(read) <= RESIDENT_MIB_MAX, "written: {written} MiB, read: {read} MiB");
        store.close().await.unwrap();
    });
}
