use crate::PeerKey;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::RangeInclusive;

/// How bad the network is. Rates are in thousandths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The way there, and again the way back, in milliseconds.
    pub delay_ms: RangeInclusive<u64>,
    /// Calls that never arrive.
    pub requests_lost: u32,
    /// Answers that never arrive, though the work was done.
    pub answers_lost: u32,
    /// Calls that arrive twice.
    pub duplicated: u32,
    /// Calls that are held up, so that later ones overtake them.
    pub overtaken: u32,
    /// For how long those are held up, in milliseconds.
    pub held_up_ms: RangeInclusive<u64>,
    /// A call ends with [`crate::LinkError::TimedOut`] after so many milliseconds.
    pub timeout_ms: u64,
}

impl Faults {
    /// A good network: nothing is lost, and nothing overtakes.
    pub fn none() -> Self {
        Faults {
            delay_ms: 5..=5,
            requests_lost: 0,
            answers_lost: 0,
            duplicated: 0,
            overtaken: 0,
            held_up_ms: 0..=0,
            timeout_ms: 10_000,
        }
    }

    /// A bad one: about every fifth call meets with something.
    pub fn bad() -> Self {
        Faults {
            delay_ms: 1..=400,
            requests_lost: 60,
            answers_lost: 60,
            duplicated: 60,
            overtaken: 60,
            held_up_ms: 500..=20_000,
            timeout_ms: 10_000,
        }
    }

    /// What happens to the n-th call between two nodes.
    pub(super) fn fate(&self, seed: u64, from: PeerKey, to: PeerKey, nth: u64) -> Fate {
        // One generator a call, seeded with all that tells calls apart, so that no call depends on the order of others.
        let mut own = [0; 32];
        let mix = from.0.iter().zip(to.0.iter().rev()).map(|(from, to)| from.rotate_left(3) ^ to);
        own.iter_mut().zip(mix).for_each(|(byte, mixed)| *byte = mixed);
        let told = seed.to_be_bytes().into_iter().chain(nth.to_be_bytes());
        own.iter_mut().zip(told).for_each(|(byte, told)| *byte = byte.wrapping_mul(31).wrapping_add(told));
        let mut random = ChaCha8Rng::from_seed(own);
        // All are drawn each time: a rate that changes does not change what the others give.
        let mut chance = |rate: u32| random.gen_range(0..1_000) < rate;
        let lost = chance(self.requests_lost);
        let answer_lost = chance(self.answers_lost);
        let duplicated = chance(self.duplicated);
        let overtaken = chance(self.overtaken);
        let mut delay = || random.gen_range(self.delay_ms.clone());
        let (there, back, again) = (delay(), delay(), delay());
        let held_up = random.gen_range(self.held_up_ms.clone());
        Fate {
            there_ms: (!lost).then_some(if overtaken { there + held_up } else { there }),
            again_ms: duplicated.then_some(there + again),
            back_ms: (!answer_lost).then_some(back),
        }
    }
}

/// What happens to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// `None`: it is lost.
    pub(super) there_ms: Option<u64>,
    /// Another time.
    pub(super) again_ms: Option<u64>,
    /// `None`: the answer is lost.
    pub(super) back_ms: Option<u64>,
}
