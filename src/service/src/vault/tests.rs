use super::*;
use crate::testing::*;
use weft_wire::{Blob, Code, sync::ServerFrame};

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
