//! Red packets: a sum for the first so many who take a share of it. Lucky shares are drawn, and anybody can check afterwards that
//! they were drawn fairly.
//!
//! Who makes a packet (in Weft, the node that holds its money) takes a random seed of 32 bytes, publishes [`commit`] of it with
//! the packet, and the seed itself when the packet is over. The amount of a claim is [`draw`]n from the seed, the claim's place
//! and its id. The seed is fixed before there is a claim, and nobody else knows it before there is none to come: neither side
//! alone can choose an amount, and [`verify`] finds whoever tried.
//!
//! What it cannot find is the holder of the seed being in league with somebody who claims: those two may try out ids, or wait for
//! a good place. Nor does it know in which order the claims came in, or which were left out: that is the log's to show.
//!
//! Each share is at least one minor unit and about twice the average of what is left at most, the "double average" that people
//! know from WeChat. Its mean is exactly that average, so that every place may expect the same, first or last.

use std::collections::BTreeSet;

/// The most shares of one packet: as many as a room has members.
pub const SHARES_MAX: u32 = 500;

const DRAW: &str = "weft/packet-draw/1";
const SEED: &str = "weft/packet-seed/1";

/// Why there is no such packet or no such draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// None, or more than [`SHARES_MAX`].
    #[error("a packet has 1 to {SHARES_MAX} shares")]
    Shares,
    /// Less than one minor unit a share.
    #[error("the sum is too small for so many shares")]
    TooSmall,
    /// Equal shares have to be equal.
    #[error("the sum cannot be divided into equal shares")]
    Indivisible,
    /// More than the numbers hold.
    #[error("the sum is too large")]
    TooLarge,
}

/// What was promised when a packet was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// Its id.
    pub packet_id: [u8; 16],
    /// [`commit`] of its seed.
    pub commitment: [u8; 32],
    /// What is in it, in minor units.
    pub total_minor: u64,
    /// Among how many.
    pub shares: u32,
}

/// What a packet's claims have against its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The seed is not the one that was promised.
    #[error("the seed is not the one that was promised")]
    Seed,
    /// There can be no such packet.
    #[error("the packet is impossible: {0}")]
    Packet(#[from] PacketError),
    /// More claims than shares.
    #[error("there are more claims than shares")]
    TooManyClaims,
    /// Two claims of one id.
    #[error("claim {at} was there before")]
    Repeated {
        /// The second one, counted from 0.
        at: usize,
    },
    /// Another amount was due.
    #[error("claim {at} got another amount than {due_minor}")]
    Amount {
        /// Which claim, counted from 0.
        at: usize,
        /// What the draw gives, in minor units.
        due_minor: u64,
    },
}

/// What everyone gets of a packet with equal shares, in minor units.
///
/// # Errors
/// [`PacketError`] where that is no whole number, too.
pub fn equal_share(total_minor: u64, shares: u32) -> Result<u64, PacketError> {
    check(total_minor, shares)?;
    let shares = u64::from(shares);
    if total_minor.is_multiple_of(shares) { Ok(total_minor / shares) } else { Err(PacketError::Indivisible) }
}

/// What is in a packet of which everyone gets so much, in minor units.
///
/// # Errors
/// [`PacketError`].
pub fn equal_total(each_minor: u64, shares: u32) -> Result<u64, PacketError> {
    let total_minor = each_minor.checked_mul(u64::from(shares)).ok_or(PacketError::TooLarge)?;
    check(total_minor, shares).map(|()| total_minor)
}

/// What is published when a packet is made: BLAKE3 in its mode `derive_key`, of the seed and the packet's id. It tells nothing of
/// a random seed, and no other seed, and no other packet, has the same.
#[must_use]
pub fn commit(seed: &[u8; 32], packet_id: [u8; 16]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(SEED);
    hasher.update(seed).update(&packet_id);
    *hasher.finalize().as_bytes()
}

/// The amount of one lucky claim, in minor units: `claim` is its place, counted from 0, `left_minor` and `shares_left` are what is
/// there before it. The last share takes what is left.
///
/// With L left for k shares, it is uniform on 1 to M, whose mean is (M + 1) / 2. For the mean to be L / k, M has to be 2L / k - 1,
/// which is seldom a whole number; so it is rounded up as often as its fraction says, and the mean is exact. M leaves a unit for
/// each share that is still to come.
///
/// # Errors
/// [`PacketError::Shares`] and [`PacketError::TooSmall`].
pub fn draw(
    seed: &[u8; 32],
    claim: u32,
    claim_id: [u8; 16],
    left_minor: u64,
    shares_left: u32,
) -> Result<u64, PacketError> {
    check(left_minor, shares_left)?;
    if shares_left == 1 {
        return Ok(left_minor);
    }
    let mut source = Source::new(seed, claim, claim_id, left_minor, shares_left);
    let shares = u64::from(shares_left);
    let (twice, divisor) = (2 * u128::from(left_minor), u128::from(shares));
    // With two shares or more it is at most what is left.
    let floor = u64::try_from(twice / divisor).unwrap_or(left_minor);
    let fraction = twice % divisor;
    let up = u128::from(source.below(shares)) < fraction;
    let most = if up { floor } else { floor - 1 };
    Ok(1 + source.below(most))
}

/// Whether the claims, in the order in which they were answered, got what they were due. They may be fewer than the shares, where
/// the packet's time was over before all were taken.
///
/// # Errors
/// The first [`Mismatch`].
pub fn verify(promise: &Promise, seed: &[u8; 32], claims: &[([u8; 16], u64)]) -> Result<(), Mismatch> {
    // Both are public by now: how long the comparison takes tells nothing.
    if commit(seed, promise.packet_id) != promise.commitment {
        return Err(Mismatch::Seed);
    }
    check(promise.total_minor, promise.shares)?;
    let (mut left_minor, mut seen) = (promise.total_minor, BTreeSet::new());
    let places = (0..promise.shares).map(Some).chain(std::iter::repeat(None));
    for ((at, (claim_id, amount_minor)), place) in claims.iter().enumerate().zip(places) {
        let place = place.ok_or(Mismatch::TooManyClaims)?;
        if !seen.insert(*claim_id) {
            return Err(Mismatch::Repeated { at });
        }
        let due_minor = draw(seed, place, *claim_id, left_minor, promise.shares - place)?;
        if *amount_minor != due_minor {
            return Err(Mismatch::Amount { at, due_minor });
        }
        left_minor -= due_minor;
    }
    Ok(())
}

/// Who had the best luck: the first of the highest amounts, once all of at least two shares are taken.
#[must_use]
pub fn best_luck(amounts_minor: &[u64], shares: u32) -> Option<usize> {
    let all_taken = shares >= 2 && u32::try_from(amounts_minor.len()) == Ok(shares);
    let most = amounts_minor.iter().max().filter(|_| all_taken)?;
    amounts_minor.iter().position(|amount| amount == most)
}

fn check(total_minor: u64, shares: u32) -> Result<(), PacketError> {
    match shares {
        0 => Err(PacketError::Shares),
        shares if shares > SHARES_MAX => Err(PacketError::Shares),
        shares if total_minor < u64::from(shares) => Err(PacketError::TooSmall),
        _ => Ok(()),
    }
}

/// The random numbers of one claim: the output of BLAKE3 over it, under a key that is made of the seed.
struct Source(blake3::OutputReader);

impl Source {
    fn new(seed: &[u8; 32], claim: u32, claim_id: [u8; 16], left_minor: u64, shares_left: u32) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(&blake3::derive_key(DRAW, seed));
        hasher.update(&claim.to_be_bytes()).update(&claim_id);
        hasher.update(&left_minor.to_be_bytes()).update(&shares_left.to_be_bytes());
        Source(hasher.finalize_xof())
    }

    /// Uniform from 0 to below `bound`, which is at least 1. The lowest numbers are thrown away, so that as many are left for each
    /// result; that is less than every second one, for any bound.
    fn below(&mut self, bound: u64) -> u64 {
        let bound = bound.max(1);
        let rejected = bound.wrapping_neg() % bound;
        loop {
            let mut bytes = [0; 8];
            self.0.fill(&mut bytes);
            let number = u64::from_be_bytes(bytes);
            if number >= rejected {
                return number % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests;
