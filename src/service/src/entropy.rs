//! Randomness comes in through a trait, so that a test can replay what a node did.

use parking_lot::Mutex;
use rand_core::{CryptoRng, OsRng, RngCore};

/// Gives random bytes that nobody can foresee.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        OsRng.fill_bytes(bytes);
    }
}

/// Any cryptographic generator behind a lock; with a seeded one a test replays.
pub struct SharedRng<R>(Mutex<R>);

impl<R> SharedRng<R> {
    /// Shares a generator.
    pub fn new(rng: R) -> Self {
        SharedRng(Mutex::new(rng))
    }
}

impl<R: RngCore + CryptoRng + Send + 'static> Entropy for SharedRng<R> {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill_bytes(bytes);
    }
}

/// [`Entropy`] as the generator that libraries take.
pub(crate) struct Rng<'a>(pub &'a dyn Entropy);

impl RngCore for Rng<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Rng<'_> {}
