//! Whether exchanging round a ring of rates makes more than there was before.

use super::Rate;
use std::cmp::Ordering;
use weft_wire::AssetId;

/// A way from one asset to another, and what comes of one by it: a ratio of whole numbers. Nothing is rounded, so that what is even is told
/// from what is a little more.
#[derive(Clone)]
struct Walk {
    assets: Vec<AssetId>,
    gain: (Whole, Whole),
}

impl Walk {
    fn begin(at: AssetId) -> Self {
        Walk { assets: vec![at], gain: (Whole::one(), Whole::one()) }
    }

    fn of(rate: &Rate) -> Self {
        let one = Whole::one();
        Walk {
            assets: vec![rate.give, rate.get],
            gain: (one.times(rate.numerator), one.times(rate.denominator)),
        }
    }

    /// The two in a row.
    fn then(&self, next: &Walk) -> Self {
        let assets = self.assets.iter().chain(next.assets.iter().skip(1)).copied().collect();
        let ((numerator, denominator), (by, of)) = (&self.gain, &next.gain);
        Walk { assets, gain: (numerator.product(by), denominator.product(of)) }
    }

    fn is_above(&self, other: &Walk) -> bool {
        let ((numerator, denominator), (other_numerator, other_denominator)) = (&self.gain, &other.gain);
        numerator.product(other_denominator) > other_numerator.product(denominator)
    }
}

/// The assets of a shortest ring by which one has more than before, if there is one.
///
/// For each asset the best walk of one rate more, until no ring could be longer: at most 16 × 16 × 32 steps for terms as large as they
/// may be. The first walk that comes back with more is of a ring, as a shorter one in it would have been found before.
pub(super) fn gain(rates: &[Rate]) -> Option<Vec<AssetId>> {
    ring(&rates.iter().map(Walk::of).collect::<Vec<_>>())
}

/// The same through several links of one node: `links` are the rates of each. Assets that more than one link can have (`is_shared`),
/// which are those that the node issues, join them. Where each link for itself has no ring, what is found goes through several.
#[must_use]
pub fn gain_across(links: &[Vec<Rate>], is_shared: impl Fn(AssetId) -> bool) -> Option<Vec<AssetId>> {
    ring(&links.iter().flat_map(|rates| through(rates, &is_shared)).collect::<Vec<_>>())
}

/// The best ways through one link from one shared asset to another.
fn through(rates: &[Rate], is_shared: &impl Fn(AssetId) -> bool) -> Vec<Walk> {
    let steps: Vec<Walk> = rates.iter().map(Walk::of).collect();
    let starts = starts(&steps);
    let mut ways = Vec::new();
    for start in starts.iter().filter(|start| is_shared(**start)) {
        let (mut walks, mut found) = (vec![Walk::begin(*start)], Vec::new());
        for _ in 0..starts.len() {
            walks = further(&walks, &steps);
            let there = |walk: &&Walk| walk.assets.last().is_some_and(|end| end != start && is_shared(*end));
            found = best_of(found.into_iter().chain(walks.iter().filter(there).cloned()));
        }
        ways.append(&mut found);
    }
    ways
}

/// The assets from which one can go on.
fn starts(steps: &[Walk]) -> Vec<AssetId> {
    let mut starts: Vec<AssetId> = Vec::new();
    for start in steps.iter().filter_map(|step| step.assets.first()) {
        if !starts.contains(start) {
            starts.push(*start);
        }
    }
    starts
}

/// Each walk one step longer, and of those that start and end alike the best.
fn further(walks: &[Walk], steps: &[Walk]) -> Vec<Walk> {
    best_of(walks.iter().flat_map(|walk| {
        let next = steps.iter().filter(|step| walk.assets.last() == step.assets.first());
        next.map(|step| walk.then(step))
    }))
}

/// The assets of a shortest ring of these by which one has more than before.
fn ring(steps: &[Walk]) -> Option<Vec<AssetId>> {
    let starts = starts(steps);
    let mut best: Vec<Vec<Walk>> = starts.iter().map(|start| vec![Walk::begin(*start)]).collect();
    for _ in 0..starts.len() {
        for (start, walks) in starts.iter().zip(&mut best) {
            *walks = further(walks, steps);
            let back = walks.iter().find(|walk| walk.assets.last() == Some(start));
            if let Some(ring) = back.filter(|back| back.is_above(&Walk::begin(*start))) {
                return ring.assets.split_last().map(|(_, ring)| ring.to_vec());
            }
        }
    }
    None
}

/// Whether one comes back to what was given with more than before, by this rate and then by others, or none.
pub(super) fn gains(rates: &[Rate], rate: &Rate) -> bool {
    let steps: Vec<Walk> = rates.iter().map(Walk::of).collect();
    let mut walks = vec![Walk::of(rate)];
    // No ring is longer than there are rates.
    for _ in 0..rates.len() {
        let back = walks.iter().find(|walk| walk.assets.last() == Some(&rate.give));
        if back.is_some_and(|back| back.is_above(&Walk::begin(rate.give))) {
            return true;
        }
        walks = further(&walks, &steps);
    }
    false
}

/// Of those that end alike the one by which most comes.
fn best_of(walks: impl Iterator<Item = Walk>) -> Vec<Walk> {
    let mut best: Vec<Walk> = Vec::new();
    for walk in walks {
        match best.iter_mut().find(|known| known.assets.last() == walk.assets.last()) {
            Some(known) if walk.is_above(known) => *known = walk,
            Some(_) => {}
            None => best.push(walk),
        }
    }
    best
}

/// A whole number of any size: its digits to the base 2^64, the lowest first, no zero above them.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Whole(Vec<u64>);

impl Whole {
    fn one() -> Self {
        Whole(vec![1])
    }

    fn times(&self, by: u64) -> Self {
        let mut carry: u128 = 0;
        let times = |digit: &u64| {
            let sum = u128::from(*digit) * u128::from(by) + carry;
            carry = sum >> 64;
            sum as u64
        };
        let mut digits: Vec<u64> = self.0.iter().map(times).collect();
        digits.push(carry as u64);
        Whole::of(digits)
    }

    fn product(&self, other: &Whole) -> Self {
        let mut digits = vec![0_u64; self.0.len() + other.0.len() + 1];
        for (at, by) in other.0.iter().enumerate() {
            let (part, mut carry) = (self.times(*by), 0_u128);
            let above = std::iter::repeat(&0);
            for (digit, more) in digits.iter_mut().skip(at).zip(part.0.iter().chain(above)) {
                let sum = u128::from(*digit) + u128::from(*more) + carry;
                (*digit, carry) = (sum as u64, sum >> 64);
            }
        }
        Whole::of(digits)
    }

    fn of(mut digits: Vec<u64>) -> Self {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Whole(digits)
    }
}

impl Ord for Whole {
    fn cmp(&self, other: &Self) -> Ordering {
        let highest_first = || self.0.iter().rev().cmp(other.0.iter().rev());
        self.0.len().cmp(&other.0.len()).then_with(highest_first)
    }
}

impl PartialOrd for Whole {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_any_size_are_exact() {
        let (most, one) = (Whole(vec![u64::MAX]), Whole::one());
        // (2^64 - 1)^2 = 2^128 - 2^65 + 1.
        let square = Whole(vec![1, u64::MAX - 1]);
        assert_eq!((most.times(u64::MAX), most.product(&most)), (square.clone(), square.clone()));
        let cube = square.times(u64::MAX);
        assert_eq!((most.product(&square), square.product(&most)), (cube.clone(), cube.clone()));
        assert_eq!(cube.product(&one), cube);
        assert_eq!(cube.times(0), Whole(Vec::new()));
        assert!(one < most && most < square && Whole(vec![2, u64::MAX - 1]) > square && cube > square);
    }
}
