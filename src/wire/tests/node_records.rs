//! Who a node is: only its own key may say so, and a name that is a peer id belongs to one key.
#![allow(clippy::unwrap_used)]

mod common;
use common::{key, node_record};
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

#[test]
fn addresses_are_bounded() {
    let many = vec!["/ip4/192.0.2.1/tcp/1".to_owned(); limits::PEER_ADDRESSES_MAX + 1];
    assert_eq!(signed(|record| record.addresses = many).open().unwrap_err(), NodeRecordError::Addresses);
    let long = vec!["x".repeat(limits::PEER_ADDRESS_BYTES_MAX + 1)];
    assert_eq!(signed(|record| record.addresses = long).open().unwrap_err(), NodeRecordError::Addresses);
}
