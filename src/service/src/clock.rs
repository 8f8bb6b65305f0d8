//! Time comes in through a trait, so that a seeded test can drive it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use weft_wire::Millis;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch. May stand still or jump.
    fn now_ms(&self) -> Millis;

    /// Milliseconds since some moment of this run: goes on evenly, whatever the other does.
    fn steady_ms(&self) -> Millis;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> Millis {
        // A clock before 1970 is a broken machine; zero makes every certificate "not yet valid" rather than "still valid".
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn steady_ms(&self) -> Millis {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that a test moves.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicU64,
    steady: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at this time.
    pub fn new(now_ms: Millis) -> Self {
        ManualClock { now: AtomicU64::new(now_ms), steady: AtomicU64::new(0) }
    }

    /// Moves it forward.
    pub fn advance(&self, by_ms: Millis) {
        self.now.fetch_add(by_ms, Ordering::SeqCst);
        self.steady.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Sets it to another time, while none passes.
    pub fn jump_to(&self, now_ms: Millis) {
        self.now.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> Millis {
        self.now.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> Millis {
        self.steady.load(Ordering::SeqCst)
    }
}
