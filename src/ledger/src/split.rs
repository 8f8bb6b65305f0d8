//! Splitting a bill, so that the parts are the whole to the last minor unit.
//!
//! Whose turn it is for an odd unit follows from the order in which the people are given, and from nothing else: whoever splits the
//! same bill again gets the same parts.

/// The most people who share one bill: as many as a room has.
pub const PEOPLE_MAX: usize = 500;

/// Why a bill is not split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Nobody is there to pay.
    #[error("there is nobody to share with")]
    NoPeople,
    /// More than [`PEOPLE_MAX`].
    #[error("at most {PEOPLE_MAX} people share a bill")]
    TooManyPeople,
    /// Less than one minor unit a head.
    #[error("the total is too small for so many people")]
    TooSmall,
    /// Who has no part is left out before.
    #[error("the part of person {at} is nothing")]
    Nothing {
        /// Whose, counted from 0.
        at: usize,
    },
    /// The given amounts are another sum.
    #[error("the parts are not the total")]
    SumsDiffer {
        /// What they are, in minor units.
        sum: u128,
    },
}

/// The same for everyone. The odd units go to the first ones, one each: 100 among three is 34, 33, 33.
///
/// # Errors
/// [`SplitError::NoPeople`], [`SplitError::TooManyPeople`], [`SplitError::TooSmall`].
pub fn equally(total_minor: u64, people: usize) -> Result<Vec<u64>, SplitError> {
    let count = heads(total_minor, people)?;
    let (each, odd) = (total_minor / count, total_minor % count);
    Ok((0..count).map(|at| each + u64::from(at < odd)).collect())
}

/// In the proportion of the weights, by the method of the largest remainder (Hamilton's): everyone gets the whole units of their
/// exact part, and the units that are left over go to the largest fractions, one each; of equal ones the earlier person comes
/// first. Nobody is a whole unit away from their exact part, and nobody of greater weight gets less. A small weight may come to
/// zero, for which nothing is to be asked.
///
/// # Errors
/// [`SplitError::NoPeople`], [`SplitError::TooManyPeople`], [`SplitError::TooSmall`], [`SplitError::Nothing`] for a weight of zero.
pub fn by_weights(total_minor: u64, weights: &[u64]) -> Result<Vec<u64>, SplitError> {
    heads(total_minor, weights.len())?;
    all_something(weights)?;
    let sum: u128 = weights.iter().copied().map(u128::from).sum();
    // Two factors below 2^64 each: the product stays below 2^128.
    let exact = |weight: u64| u128::from(total_minor) * u128::from(weight);
    let wholes = weights.iter().map(|weight| exact(*weight) / sum);
    // None is above the total, so that it is a number of 64 bits.
    let mut parts: Vec<u64> = wholes.map(|whole| u64::try_from(whole).unwrap_or(u64::MAX)).collect();
    let mut fractions: Vec<(usize, u128)> =
        weights.iter().map(|weight| exact(*weight) % sum).enumerate().collect();
    // A stable sort: equal fractions stay in their order.
    fractions.sort_by_key(|(_, fraction)| std::cmp::Reverse(*fraction));
    let given: u128 = parts.iter().copied().map(u128::from).sum();
    let left = usize::try_from(u128::from(total_minor) - given).unwrap_or(usize::MAX);
    for (at, _) in fractions.into_iter().take(left) {
        if let Some(part) = parts.get_mut(at) {
            *part += 1;
        }
    }
    Ok(parts)
}

/// Amounts that somebody typed.
///
/// # Errors
/// [`SplitError::NoPeople`], [`SplitError::TooManyPeople`], [`SplitError::TooSmall`], [`SplitError::Nothing`] for an amount of
/// zero, [`SplitError::SumsDiffer`].
pub fn by_amounts(total_minor: u64, amounts_minor: &[u64]) -> Result<(), SplitError> {
    heads(total_minor, amounts_minor.len())?;
    all_something(amounts_minor)?;
    let sum: u128 = amounts_minor.iter().copied().map(u128::from).sum();
    if sum == u128::from(total_minor) { Ok(()) } else { Err(SplitError::SumsDiffer { sum }) }
}

/// How many there are, if the total is enough for so many.
fn heads(total_minor: u64, people: usize) -> Result<u64, SplitError> {
    if people == 0 {
        return Err(SplitError::NoPeople);
    }
    let count = u64::try_from(people).ok().filter(|_| people <= PEOPLE_MAX);
    let count = count.ok_or(SplitError::TooManyPeople)?;
    if total_minor < count { Err(SplitError::TooSmall) } else { Ok(count) }
}

fn all_something(parts: &[u64]) -> Result<(), SplitError> {
    parts.iter().position(|part| *part == 0).map_or(Ok(()), |at| Err(SplitError::Nothing { at }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_units_go_to_the_first() {
        assert_eq!(equally(100, 3), Ok(vec![34, 33, 33]));
        assert_eq!(equally(101, 3), Ok(vec![34, 34, 33]));
        assert_eq!(equally(3, 3), Ok(vec![1, 1, 1]));
        assert_eq!(equally(u64::MAX, 1), Ok(vec![u64::MAX]));
    }

    #[test]
    fn weights_give_the_largest_remainders_their_unit() {
        assert_eq!(by_weights(100, &[1, 1, 1]), Ok(vec![34, 33, 33]));
        // Exactly 16.66, 33.33 and 50.
        assert_eq!(by_weights(100, &[1, 2, 3]), Ok(vec![17, 33, 50]));
        // Exactly 1.5, 1.5 and 7: the earlier of the two.
        assert_eq!(by_weights(10, &[3, 3, 14]), Ok(vec![2, 1, 7]));
        assert_eq!(by_weights(10, &[1, 1_000]), Ok(vec![0, 10]));
        let most = u64::MAX;
        assert_eq!(by_weights(most, &[most; 2]), Ok(vec![most / 2 + 1, most / 2]));
        assert_eq!(by_weights(most, &[most; PEOPLE_MAX]), equally(most, PEOPLE_MAX));
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        use SplitError::{NoPeople, Nothing, SumsDiffer, TooManyPeople, TooSmall};
        let many = PEOPLE_MAX + 1;
        for (total, people, error) in [
            (100, 0, NoPeople),
            (0, 0, NoPeople),
            (0, 1, TooSmall),
            (2, 3, TooSmall),
            (u64::MAX, many, TooManyPeople),
            (u64::MAX, usize::MAX, TooManyPeople),
        ] {
            assert_eq!(equally(total, people), Err(error), "{total} among {people}");
        }
        for (total, parts, error) in [
            (100, vec![], NoPeople),
            (100, vec![0], Nothing { at: 0 }),
            (100, vec![1, 0, 0], Nothing { at: 1 }),
            (2, vec![1; 3], TooSmall),
            (u64::MAX, vec![1; many], TooManyPeople),
        ] {
            assert_eq!(by_weights(total, &parts), Err(error), "{total} by {parts:?}");
            assert_eq!(by_amounts(total, &parts), Err(error), "{total} as {parts:?}");
        }
        assert_eq!(by_amounts(100, &[60, 40]), Ok(()));
        assert_eq!(by_amounts(100, &[60, 41]), Err(SumsDiffer { sum: 101 }));
        assert_eq!(by_amounts(100, &[99]), Err(SumsDiffer { sum: 99 }));
        // Modulo 2^64 it would be right.
        assert_eq!(by_amounts(2, &[u64::MAX, 3]), Err(SumsDiffer { sum: 1 << 64 | 2 }));
    }

    fn sum(parts: &[u64]) -> u128 {
        parts.iter().copied().map(u128::from).sum()
    }

    fn total() -> impl Strategy<Value = u64> {
        prop_oneof![500..2_000_u64, 500..=u64::MAX, Just(u64::MAX)]
    }

    fn weights() -> impl Strategy<Value = Vec<u64>> {
        let weight = prop_oneof![1..9_u64, 1..=u64::MAX, Just(u64::MAX)];
        proptest::collection::vec(weight, 1..=PEOPLE_MAX)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn equal_parts_are_the_whole(total in total(), people in 1..=PEOPLE_MAX) {
            let parts = equally(total, people).unwrap();
            prop_assert_eq!((parts.len(), sum(&parts)), (people, u128::from(total)));
            prop_assert!(parts.is_sorted_by(|a, b| a >= b), "the first get no less");
            prop_assert!(parts[0] - parts[people - 1] <= 1);
            prop_assert_eq!(by_weights(total, &vec![7; people]), Ok(parts.clone()));
            prop_assert_eq!(by_amounts(total, &parts), Ok(()));
        }

        #[test]
        fn weighted_parts_are_the_whole(total in total(), weights in weights()) {
            let parts = by_weights(total, &weights).unwrap();
            prop_assert_eq!((parts.len(), sum(&parts)), (weights.len(), u128::from(total)));
            let all = sum(&weights);
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = u128::from(total) * u128::from(*weight);
                let (below, is_whole) = (exact / all, exact % all == 0);
                let part = u128::from(*part);
                prop_assert!(part == below || (part == below + 1 && !is_whole), "less than a unit from its exact part");
            }
            let mut by_weight: Vec<_> = weights.iter().zip(&parts).collect();
            by_weight.sort();
            prop_assert!(by_weight.is_sorted_by(|a, b| a.0 == b.0 || a.1 <= b.1), "who weighs more gets no less");
        }

        #[test]
        fn nothing_that_is_asked_panics(total: u64, parts in proptest::collection::vec(any::<u64>(), 0..6), people: usize) {
            let _ = (equally(total, people), by_weights(total, &parts), by_amounts(total, &parts));
        }
    }
}
