//! What several test binaries use.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod model;
pub mod sim;

use std::sync::Arc;

use weft_store::embedded::{Options, RealDisk, SledIndex};

/// Everything small, so that segments rotate, checkpoints, snapshots and deletions all happen within a test.
pub fn small() -> Options {
    Options {
        cache_bytes: 8 << 20,
        segment_bytes: 32 << 10,
        chunk_bytes: 8 << 10,
        checkpoint_bytes: 24 << 10,
        snapshot_bytes: 64 << 10,
        reserve_bytes: 1 << 20,
        background: true,
        disk: Arc::new(RealDisk),
        index: Arc::new(SledIndex),
    }
}

/// A small generator that gives the same numbers for the same seed everywhere (splitmix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Seeds for a test: `WEFT_SEED=n` runs one alone, to replay a failure; `WEFT_SEEDS=n` runs so many instead of `count`.
pub fn seeds(count: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse().ok());
    match number("WEFT_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("WEFT_SEEDS").unwrap_or(count)).collect(),
    }
}
