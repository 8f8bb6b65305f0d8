use super::*;
use crate::ManualClock;

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

#[test]
fn a_burst_passes_then_the_steady_rate() {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let limits = Limits::new(clock.clone(), 1.0, 256);
    let alice = name("alice");
    for _ in 0..200 {
        limits.take_account(Budget::Message, &alice).unwrap();
    }
    let Err(Fault::RateLimited { retry_after_ms }) = limits.take_account(Budget::Message, &alice) else {
        panic!("the 201st at once must wait")
    };
    assert!((1..=20).contains(&retry_after_ms), "{retry_after_ms}");
    limits.take_account(Budget::Message, &name("bob")).unwrap();
    limits.take_account(Budget::Commit, &alice).unwrap();
    clock.advance(retry_after_ms);
    limits.take_account(Budget::Message, &alice).unwrap();
    assert!(limits.take_account(Budget::Message, &alice).is_err());
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting() {
    let clock = Arc::new(ManualClock::new(1_000_000_000));
    let limits = Limits::new(clock.clone(), 1.0, 256);
    let alice = name("alice");
    while limits.take_account(Budget::Message, &alice).is_ok() {}
    clock.jump_to(1_000);
    let Err(Fault::RateLimited { retry_after_ms }) = limits.take_account(Budget::Message, &alice) else {
        panic!("it was used up a moment ago")
    };
    assert!((1..=20).contains(&retry_after_ms), "{retry_after_ms}");
    clock.advance(retry_after_ms);
    limits.take_account(Budget::Message, &alice).unwrap();
}

#[test]
fn a_factor_of_nothing_lifts_all_limits() {
    let limits = Limits::new(Arc::new(ManualClock::new(0)), 0.0, 256);
    for _ in 0..10_000 {
        limits.take_account(Budget::Login, &name("alice")).unwrap();
    }
}

#[test]
fn neighbours_in_one_ipv6_network_count_as_one() {
    let limits = Limits::new(Arc::new(ManualClock::new(0)), 1.0, 256);
    let mut refused = 0;
    for host in 0..100_u32 {
        let address: IpAddr = format!("2001:db8::{host:x}").parse().unwrap();
        refused += usize::from(limits.take_address(Budget::Login, address).is_err());
    }
    assert_eq!(refused, 80);
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    assert_eq!(LimitKey::address(mapped), LimitKey::address("192.0.2.1".parse().unwrap()));
}

#[test]
fn memory_is_bounded_and_shrinks_when_budgets_are_full_again() {
    let clock = Arc::new(ManualClock::new(0));
    let limits = Limits::new(clock.clone(), 1.0, 256);
    let mut refused = 0;
    for n in 0..KEYS_MAX as u32 + 1_000 {
        refused += usize::from(limits.take_address(Budget::Login, IpAddr::from(n.to_be_bytes())).is_err());
    }
    assert!(limits.keys() <= KEYS_MAX + 1, "{}", limits.keys());
    assert_eq!(refused, 1_000 - 20, "the crowd shares one budget");
    clock.advance(3_600_000);
    limits.shrink();
    assert_eq!(limits.keys(), 0);
}

#[test]
fn a_crowd_of_names_and_addresses_locks_out_no_pair() {
    let limits = Limits::new(Arc::new(ManualClock::new(0)), 1.0, 256);
    let alice = name("alice");
    for n in 0..KEYS_MAX as u32 {
        limits.take(Budget::LoginPair, &LimitKey::pair(&alice, IpAddr::from(n.to_be_bytes()))).unwrap();
    }
    let late = LimitKey::pair(&alice, "2001:db8::1".parse().unwrap());
    for _ in 0..100 {
        limits.take(Budget::LoginPair, &late).unwrap();
    }
    assert_eq!(limits.keys(), KEYS_MAX, "and memory stays bounded");
}

#[test]
fn an_account_writes_so_much_in_a_day_and_is_told_when_there_is_room_again() {
    let clock = Arc::new(ManualClock::new(1_000_000));
    // Those who share an address have a larger factor, and the disk is no larger for that.
    let limits = Limits::new(clock.clone(), 100.0, 24);
    let alice = LimitKey::Account(name("alice"));
    for _ in 0..24 * 64 {
        limits.take_bytes(&alice, 16 << 10).unwrap();
    }
    let Err(Fault::WrittenTooMuch { retry_after_ms }) = limits.take_bytes(&alice, 48 << 10) else {
        panic!("the day's 24 MiB are written")
    };
    // A MiB an hour.
    let expected = 3_600_000 * 48 / 1024;
    assert!((expected..expected + 10).contains(&retry_after_ms), "{retry_after_ms}");
    limits.take_bytes(&LimitKey::Account(name("bob")), 48 << 10).unwrap();
    clock.advance(retry_after_ms);
    limits.take_bytes(&alice, 48 << 10).unwrap();
    assert!(limits.take_bytes(&alice, 1).is_err(), "a byte is a KiB");
    clock.advance(2 * DAY_MS);
    limits.take_bytes(&alice, 1 << 30).unwrap();
    assert!(limits.take_bytes(&alice, 1).is_err(), "what is larger than the budget takes all of it");
    let lifted = Limits::new(clock, 0.0, 1);
    (0..100).for_each(|_| lifted.take_bytes(&alice, 1 << 20).unwrap());
}
