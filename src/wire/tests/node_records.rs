//! Who a node is: only its own key may say so, and a name that is a peer id belongs to one key.
#![allow(clippy::unwrap_used)]

mod common;
use common::{key, node_record};
use proptest::prelude::*;
use weft_wire::{
    NodeName, Signed,
    federation::{NodeRecord, NodeRecordError},
    limits,
};

fn signed(change: impl FnOnce(&mut NodeRecord)) -> Signed<NodeRecord> {
    let mut record = node_record();
    change(&mut record);
    Signed::sign(&record, &key(9))
}

#[test]
fn a_record_speaks_for_its_own_key_and_name() {
    let name: NodeName = "home.example".parse().unwrap();
    assert_eq!(signed(|_| ()).open_for(&name).unwrap(), node_record());
    let other = signed(|record| record.name = "other.example".parse().unwrap());
    assert!(matches!(other.open_for(&name), Err(NodeRecordError::Name { .. })));
    let of_another_key = signed(|record| record.key = key(8).verifying_key().to_bytes());
    assert!(matches!(of_another_key.open(), Err(NodeRecordError::Signed(_))));
}

#[test]
fn a_peer_id_belongs_to_its_key() {
    let own = NodeName::of_key(&key(9).verifying_key().to_bytes());
    assert!(own.is_peer_id());
    assert_eq!(signed(|record| record.name = own.clone()).open_for(&own).unwrap().name, own);
    let stolen = NodeName::of_key(&key(8).verifying_key().to_bytes());
    assert_eq!(signed(|record| record.name = stolen).open().unwrap_err(), NodeRecordError::Key);
}

proptest! {
    #[test]
    fn a_peer_id_is_what_decodes_to_a_key(key: [u8; 32], tail in "[1-9A-HJ-NP-Za-km-z]{43,45}|[0-9A-Za-z]{44}") {
        prop_assert!(NodeName::of_key(&key).is_peer_id());
        for text in [format!("12D3KooW{tail}"), format!("12D3Koo{tail}")] {
            let decoded = bs58::decode(&text).into_vec();
            let is_key = decoded.is_ok_and(|it| it.len() == 38 && it.starts_with(&[0, 0x24, 8, 1, 0x12, 0x20]));
            prop_assert_eq!(text.parse::<NodeName>().is_ok_and(|name| name.is_peer_id()), is_key);
        }
    }
}

#[test]
fn peer_ids_end_with_the_least_and_the_largest_key() {
    let is_peer_id = |text: &str| text.parse::<NodeName>().is_ok_and(|name| name.is_peer_id());
    for (key, beyond) in [([0; 32], "9ttwiv"), ([0xff; 32], "afQtyD")] {
        let own = NodeName::of_key(&key);
        assert!(is_peer_id(own.as_str()));
        let (head, _) = own.as_str().split_at(46);
        assert!(!is_peer_id(&format!("{head}{beyond}")), "beyond {own}");
    }
}

#[test]
fn addresses_are_bounded() {
    let many = vec!["/ip4/192.0.2.1/tcp/1".to_owned(); limits::PEER_ADDRESSES_MAX + 1];
    assert_eq!(signed(|record| record.addresses = many).open().unwrap_err(), NodeRecordError::Addresses);
    let long = vec!["x".repeat(limits::PEER_ADDRESS_BYTES_MAX + 1)];
    assert_eq!(signed(|record| record.addresses = long).open().unwrap_err(), NodeRecordError::Addresses);
}
