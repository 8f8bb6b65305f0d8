use super::*;
use crate::{ServiceConfig, testing::*};
use weft_store::Batch;
use weft_wire::{Blob, Code, Problem, limits::CLOCK_SKEW_MS_MAX, node::SignupPolicy, sync::ServerFrame};

fn record(name: u8, version: u64, sealed: &str) -> VaultRecord {
    VaultRecord { name: [name; 32], version, sealed: Blob(sealed.as_bytes().to_vec()) }
}

#[tokio::test]
async fn the_last_writer_wins_in_any_order() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    put(vec![record(1, 5, "five"), record(2, 1, "b"), record(2, 1, "a")]).await.unwrap();
    put(vec![record(1, 4, "four"), record(2, 1, "c")]).await.unwrap();
    let page = world.service.vault().page(alice.caller(), None).await.unwrap();
    assert_eq!(page.records, [record(1, 5, "five"), record(2, 1, "c")]);
    assert!(!page.more);
    let page = world.service.vault().page(alice.caller(), Some([1; 32])).await.unwrap();
    assert_eq!(page.records, [record(2, 1, "c")]);
}

#[tokio::test]
async fn a_version_that_nobody_could_outdo_is_refused() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let put = |version| {
        let records = vec![record(1, version, "x")];
        world.service.vault().put(alice.caller(), PutVaultRecords { records })
    };
    for version in [START_MS + CLOCK_SKEW_MS_MAX + 1, u64::MAX] {
        assert!(matches!(put(version).await, Err(Fault::Invalid { field: "version", .. })));
    }
    put(START_MS + CLOCK_SKEW_MS_MAX).await.unwrap();
    // What was written while the clock was ahead can be outdone when it is right again.
    world.clock.jump_to(START_MS - 1_000_000_000);
    put(START_MS + CLOCK_SKEW_MS_MAX + 1).await.unwrap();
}

#[tokio::test]
async fn other_devices_are_told_what_changed_and_each_sees_its_own_account_only() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let mut tablet = Device::new("alice", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let mut socket = tablet.socket(&world.service, 0).await;
    let mut own = alice.socket(&world.service, 100).await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    put(vec![record(1, 1, "old"), record(2, 1, "b")]).await.unwrap();
    put(vec![record(1, 2, "new")]).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let ServerFrame::Vault { records } = next(&mut socket).await else { panic!("not the vault") };
        seen.extend(records);
    }
    assert_eq!(seen, [record(2, 1, "b"), record(1, 2, "new")]);
    assert!(is_quiet(&mut own).await, "the writer knows it already");
    let page = world.service.vault().page(bob.caller(), None).await.unwrap();
    assert_eq!(page.records, []);
}

#[tokio::test]
async fn too_much_is_refused_whole() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    let large = "x".repeat(VAULT_RECORD_BYTES_MAX + 1);
    assert_eq!(code(put(vec![record(1, 1, "a"), record(2, 1, &large)]).await.unwrap_err()), Code::TooLarge);
    assert_eq!(code(put(vec![record(1, 1, "a"); 65]).await.unwrap_err()), Code::TooMany);
    let almost = "x".repeat(VAULT_RECORD_BYTES_MAX);
    let all = (0..64).map(|n| record(n, 1, &almost)).collect();
    assert_eq!(code(put(all).await.unwrap_err()), Code::TooLarge);
    assert_eq!(world.service.vault().page(alice.caller(), None).await.unwrap().records, []);
}

/// A record of so many bytes.
fn sized(name: u8, version: u64, bytes: usize) -> VaultRecord {
    VaultRecord { name: [name; 32], version, sealed: Blob(vec![name; bytes]) }
}

async fn tight() -> (World, Device) {
    let config = ServiceConfig {
        signup: SignupPolicy::Open,
        rate_limit_factor: 0.0,
        vault_mib: 1,
        ..ServiceConfig::default()
    };
    let world = World::with(config).await;
    let alice = world.sign_up("alice").await;
    (world, alice)
}

#[tokio::test]
async fn a_full_vault_takes_only_what_makes_it_smaller() {
    let (world, alice) = tight().await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    let fill = |from, to, version| (from..to).map(|name| sized(name, version, 32 << 10)).collect();
    put(fill(0, 20, 1)).await.unwrap();
    put(fill(20, 32, 1)).await.unwrap();
    let problem: Problem = put(vec![sized(99, 1, 1)]).await.unwrap_err().into();
    assert_eq!(problem.code, Code::Quota);
    assert!(problem.detail.unwrap().contains("1 MiB"));
    // Written anew it is no larger, and an old version changes nothing.
    put(fill(0, 20, 2)).await.unwrap();
    put(vec![sized(5, 1, 1)]).await.unwrap();
    assert_eq!(code(put(vec![sized(99, 1, 1)]).await.unwrap_err()), Code::Quota);
    put(vec![sized(5, 3, 0), sized(99, 1, 32 << 10)]).await.unwrap();
    assert_eq!(code(put(vec![sized(98, 1, 1)]).await.unwrap_err()), Code::Quota);
    put(vec![sized(5, 4, 0), sized(6, 3, 100)]).await.unwrap();
    put(vec![sized(98, 1, 32_000)]).await.unwrap();
}

#[tokio::test]
async fn a_book_of_before_bytes_were_counted_is_brought_up_to_date_once() {
    let (world, alice) = tight().await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    let book = async || {
        let row = world.store.get(tables::VAULT_BOOKS, b"alice").await.unwrap().unwrap();
        VaultBook::from_record(&row.value).unwrap()
    };
    // More rows than are read at once.
    put((0..60).map(|name| sized(name, 1, 10_000)).collect()).await.unwrap();
    assert_eq!(book().await.bytes, Some(600_000));
    let before = VaultBook { bytes: None, ..book().await };
    let batch = Batch::new().put(tables::VAULT_BOOKS, "alice", before.to_record());
    world.store.commit(batch).await.unwrap();
    let refused = put((60..120).map(|name| sized(name, 1, 10_000)).collect()).await.unwrap_err();
    assert_eq!(code(refused), Code::Quota);
    assert_eq!(book().await.bytes, Some(600_000), "counted, though the records were refused");
    put(vec![sized(0, 2, 5)]).await.unwrap();
    assert_eq!(book().await.bytes, Some(590_005));
    assert_eq!(book().await.records, 60);
}

#[tokio::test]
async fn pages_hold_all_records_and_read_no_more_than_they_hold() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    for from in [0_u16, 60, 120, 180, 240] {
        let small = (from..from + 60).map(|n| VaultRecord {
            name: *blake3::hash(&n.to_be_bytes()).as_bytes(),
            version: 1,
            sealed: Blob(vec![1; 10]),
        });
        put(small.collect()).await.unwrap();
    }
    let page = world.service.vault().page(alice.caller(), None).await.unwrap();
    assert_eq!((page.records.len(), page.more), (PAGE_MAX, true));
    let last = page.records.last().map(|record| record.name);
    let rest = world.service.vault().page(alice.caller(), last).await.unwrap();
    assert_eq!((rest.records.len(), rest.more), (300 - PAGE_MAX, false));

    let bob = world.sign_up("bob").await;
    for from in (0..100).step_by(25) {
        let records = (from..from + 25).map(|name| sized(name, 1, VAULT_RECORD_BYTES_MAX)).collect();
        world.service.vault().put(bob.caller(), PutVaultRecords { records }).await.unwrap();
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        world.engine.take_rows(tables::VAULT);
        let page = world.service.vault().page(bob.caller(), after).await.unwrap();
        let read = world.engine.take_rows(tables::VAULT);
        assert!(read <= 2 * ROWS_AT_ONCE, "{read} rows read for {}", page.records.len());
        names.extend(page.records.iter().map(|record| record.name[0]));
        after = names.last().map(|name| [*name; 32]);
        if !page.more {
            break;
        }
    }
    assert_eq!(names, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_full_vault_refuses_costs_nothing_and_what_is_short_costs_a_kib() {
    let config = ServiceConfig {
        signup: SignupPolicy::Open,
        rate_limit_factor: 100.0,
        vault_mib: 1,
        written_mib_per_day: 2,
        ..ServiceConfig::default()
    };
    let world = World::with(config).await;
    let alice = world.sign_up("alice").await;
    let put = |records| world.service.vault().put(alice.caller(), PutVaultRecords { records });
    put((0..20).map(|name| sized(name, 1, 32 << 10)).collect()).await.unwrap();
    put((20..32).map(|name| sized(name, 1, 32 << 10)).collect()).await.unwrap();
    // A mebibyte is left of the day. Sixteen times it is refused, and nothing is taken from it.
    for _ in 0..16 {
        let grown: Vec<_> = (40..42).map(|name| sized(name, 1, 32 << 10)).collect();
        assert_eq!(code(put(grown).await.unwrap_err()), Code::Quota);
        put(vec![sized(0, 1, 32 << 10)]).await.unwrap();
    }
    let mut puts = 0;
    for version in 2..40 {
        let short = (0..60).map(|name| sized(name, version, 1)).collect();
        match put(short).await {
            Ok(()) => puts += 1,
            Err(refused) => {
                assert_eq!(code(refused), Code::RateLimited);
                break;
            }
        }
    }
    assert!((15..=17).contains(&puts), "{puts} times 60 KiB of 1,024");
}

#[tokio::test]
async fn records_are_paid_for_from_the_days_budget() {
    let config = ServiceConfig {
        signup: SignupPolicy::Open,
        rate_limit_factor: 100.0,
        written_mib_per_day: 2,
        ..ServiceConfig::default()
    };
    let world = World::with(config).await;
    let alice = world.sign_up("alice").await;
    // The same record, over and over: the vault stays small, and the journal does not.
    let put = |version| {
        let records = vec![sized(1, version, 32 << 10)];
        world.service.vault().put(alice.caller(), PutVaultRecords { records })
    };
    for version in 1..=64 {
        put(version).await.unwrap();
    }
    let problem: Problem = put(65).await.unwrap_err().into();
    assert_eq!(problem.code, Code::RateLimited);
    assert!(problem.detail.is_some_and(|detail| detail.contains("in a day")));
    world.clock.advance(problem.retry_after_ms.unwrap());
    put(65).await.unwrap();
}
