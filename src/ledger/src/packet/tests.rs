//! Packets that are opened by many, by one, and by some who cheat.

use super::*;
use proptest::prelude::*;

fn id(n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    id
}

fn seed(n: u64) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[24..].copy_from_slice(&n.to_be_bytes());
    seed
}

/// Everything of a packet, in order; the ids are 0, 1, 2 and so on.
fn open(seed: &[u8; 32], total: u64, shares: u32) -> Vec<([u8; 16], u64)> {
    let mut left = total;
    let claims = (0..shares).map(|claim| {
        let claim_id = id(claim.into());
        let amount = draw(seed, claim, claim_id, left, shares - claim).unwrap();
        left -= amount;
        (claim_id, amount)
    });
    claims.collect()
}

fn promise(seed: &[u8; 32], total_minor: u64, shares: u32) -> Promise {
    Promise { packet_id: id(1), commitment: commit(seed, id(1)), total_minor, shares }
}

fn amounts(claims: &[([u8; 16], u64)]) -> Vec<u64> {
    claims.iter().map(|(_, amount)| *amount).collect()
}

/// What was promised by one version is checked by the next. The numbers were worked out by a program in another language.
#[test]
fn draws_are_the_same_for_ever() {
    let commitment: String = commit(&seed(1), id(1)).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(commitment, "b4703d16cfd74f07366631939bded6a340628420d16b91410786489984009a73");
    assert_eq!(amounts(&open(&seed(1), 1_000, 5)), [150, 331, 245, 149, 125]);
    assert_eq!(amounts(&open(&seed(2), 8, 5)), [1, 3, 2, 1, 1]);
    assert_eq!(
        amounts(&open(&seed(3), u64::MAX, 3)),
        [4_278_350_761_907_282_077, 7_594_443_504_303_610_676, 6_573_949_807_498_658_862]
    );
}

#[test]
fn equal_shares_are_equal() {
    assert_eq!(equal_share(100, 4), Ok(25));
    assert_eq!(equal_share(100, 3), Err(PacketError::Indivisible));
    assert_eq!(equal_share(2, 3), Err(PacketError::TooSmall));
    assert_eq!(equal_share(100, 0), Err(PacketError::Shares));
    assert_eq!(equal_share(1_000, SHARES_MAX + 1), Err(PacketError::Shares));
    assert_eq!(equal_total(25, 4), Ok(100));
    assert_eq!(equal_total(0, 4), Err(PacketError::TooSmall));
    assert_eq!(equal_total(25, 0), Err(PacketError::Shares));
    assert_eq!(equal_total(u64::MAX, 2), Err(PacketError::TooLarge));
}

#[test]
fn a_draw_needs_something_to_draw_from() {
    assert_eq!(draw(&seed(1), 0, id(0), 10, 0), Err(PacketError::Shares));
    assert_eq!(draw(&seed(1), 0, id(0), 1_000, SHARES_MAX + 1), Err(PacketError::Shares));
    assert_eq!(draw(&seed(1), 0, id(0), 2, 3), Err(PacketError::TooSmall));
    assert_eq!(draw(&seed(1), 0, id(0), 7, 1), Ok(7));
    assert_eq!(draw(&seed(1), 0, id(0), 3, 3), Ok(1), "what is left is for the others");
}

#[test]
fn who_cheats_is_found() {
    let (total, shares) = (10_000, 8);
    let (promise, claims) = (promise(&seed(5), total, shares), open(&seed(5), total, shares));
    assert_eq!(verify(&promise, &seed(5), &claims), Ok(()));
    assert_eq!(verify(&promise, &seed(5), &claims[..3]), Ok(()), "its time was over");
    assert_eq!(verify(&promise, &seed(5), &[]), Ok(()));
    assert_eq!(verify(&promise, &seed(6), &claims), Err(Mismatch::Seed));
    let other = Promise { packet_id: id(2), ..promise };
    assert_eq!(verify(&other, &seed(5), &claims), Err(Mismatch::Seed), "a seed is for one packet");
    for at in 0..claims.len() {
        for change in [-1, 1] {
            let mut changed = claims.clone();
            changed[at].1 = changed[at].1.checked_add_signed(change).unwrap();
            let found = Mismatch::Amount { at, due_minor: claims[at].1 };
            assert_eq!(verify(&promise, &seed(5), &changed), Err(found));
        }
        let mut replaced = claims.clone();
        replaced[at].0 = id(99);
        // Whoever is last gets what is left, under any name.
        let is_found = matches!(verify(&promise, &seed(5), &replaced), Err(Mismatch::Amount { .. }));
        assert_eq!(is_found, at + 1 < claims.len(), "claim {at}");
    }
    for at in 1..claims.len() {
        let mut swapped = claims.clone();
        swapped.swap(at - 1, at);
        assert!(matches!(verify(&promise, &seed(5), &swapped), Err(Mismatch::Amount { .. })), "{at}");
    }
    let left_out: Vec<_> = claims[1..].to_vec();
    assert!(matches!(verify(&promise, &seed(5), &left_out), Err(Mismatch::Amount { at: 0, .. })));
    let twice = [claims[0], claims[0]];
    assert_eq!(verify(&promise, &seed(5), &twice), Err(Mismatch::Repeated { at: 1 }));
    let more: Vec<_> = claims.iter().copied().chain([(id(99), 1)]).collect();
    assert_eq!(verify(&promise, &seed(5), &more), Err(Mismatch::TooManyClaims));
    let richer = Promise { total_minor: total + 1_000, ..promise };
    assert!(matches!(verify(&richer, &seed(5), &claims), Err(Mismatch::Amount { at: 0, .. })));
    let empty = Promise { shares: 0, ..promise };
    assert_eq!(verify(&empty, &seed(5), &claims), Err(Mismatch::Packet(PacketError::Shares)));
}

#[test]
fn the_best_luck_is_the_first_of_the_highest() {
    assert_eq!(best_luck(&[3, 9, 9, 1], 4), Some(1));
    assert_eq!(best_luck(&[1, 1], 2), Some(0));
    assert_eq!(best_luck(&[3, 9, 9], 4), None, "not all are taken");
    assert_eq!(best_luck(&[9], 1), None, "nobody to compare with");
    assert_eq!(best_luck(&[], 0), None);
}

/// Every place has the same mean. Of 20 000 packets the mean of each place has a standard error of s / sqrt(20 000), s being its
/// own deviation; with the seeds fixed, none may be 4 of them away (1 in 16 000 by chance, for the 34 places together 1 in 470).
#[test]
fn every_place_may_expect_the_same() {
    const PACKETS: u32 = 20_000;
    for (total, shares) in [(1_000_u64, 10_u32), (13, 8), (100, 7), (5, 3), (17, 2), (u64::from(u32::MAX), 4)]
    {
        let (mut sums, mut squares) = (vec![0.0; shares as usize], vec![0.0; shares as usize]);
        for packet in 0..PACKETS {
            for (place, amount) in amounts(&open(&seed(packet.into()), total, shares)).into_iter().enumerate()
            {
                sums[place] += amount as f64;
                squares[place] += (amount as f64).powi(2);
            }
        }
        let expected = total as f64 / f64::from(shares);
        for place in 0..shares as usize {
            let mean = sums[place] / f64::from(PACKETS);
            let variance: f64 = squares[place] / f64::from(PACKETS) - mean * mean;
            let z = (mean - expected) / (variance / f64::from(PACKETS)).sqrt();
            assert!(z.abs() < 4.0, "{total} among {shares}: place {place} has {mean}, z = {z}");
        }
    }
}

/// The first of two shares of 17 is uniform on 1 to 16: chi-square with 15 degrees of freedom is above 44.3 once in 10 000 times.
#[test]
fn a_draw_is_uniform() {
    let mut counts = [0_u32; 16];
    for n in 0..16_000 {
        let amount = draw(&seed(n), 0, id(n), 17, 2).unwrap();
        counts[usize::try_from(amount).unwrap() - 1] += 1;
    }
    let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(chi_square < 44.3, "{chi_square}: {counts:?}");
}

/// The mean without luck: all numbers that the source can give for small packets. `up` times of `shares` the amount is 1 to
/// `floor`, else 1 to `floor - 1`.
#[test]
fn the_mean_is_exact() {
    for shares in 2..40_u64 {
        for left in shares..200 {
            let (floor, up) = (2 * left / shares, 2 * left % shares);
            // Twice the mean, times the shares: the mean of 1 to M is (M + 1) / 2.
            assert_eq!(up * (floor + 1) + (shares - up) * floor, 2 * left);
            let most = if up > 0 { floor } else { floor - 1 };
            assert!(most >= 1 && most <= left - (shares - 1), "{left} among {shares}");
        }
    }
}

fn packet() -> impl Strategy<Value = (u64, u32)> {
    (1..=SHARES_MAX).prop_flat_map(|shares| {
        let least = u64::from(shares);
        let total =
            prop_oneof![Just(least), least..least + 9, least..1_000_000, least..=u64::MAX, Just(u64::MAX)];
        (total, Just(shares))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_shares_are_the_whole((total, shares) in packet(), seed: [u8; 32]) {
        let claims = open(&seed, total, shares);
        prop_assert_eq!(claims.iter().map(|(_, amount)| u128::from(*amount)).sum::<u128>(), u128::from(total));
        let mut left = u128::from(total);
        for (k, (_, amount)) in (1..=u128::from(shares)).rev().zip(&claims) {
            let amount = u128::from(*amount);
            prop_assert!(amount >= 1);
            prop_assert!(k == 1 || amount * k <= 2 * left, "at most twice the average of what is left");
            left -= amount;
        }
        prop_assert_eq!(verify(&promise(&seed, total, shares), &seed, &claims), Ok(()));
    }

    #[test]
    fn no_draw_panics(seed: [u8; 32], claim: u32, left: u64, shares: u32) {
        let _ = draw(&seed, claim, id(0), left, shares);
        let _ = draw(&seed, claim, id(0), left, shares % 600);
    }
}
