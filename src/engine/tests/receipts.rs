//! Receipts: checked with the node's key as it is pinned, and kept.

use crate::support::money::{Money, euro, signer};
use crate::support::{World, story::*};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use weft_engine::api::{
    Call, NodeKeyView, ReceiptCall, ReceiptReply, ReceiptView, Reply, ShopCall, TransferView,
};
use weft_wire::emv::{Currency, Initiation, MerchantQr, Request};
use weft_wire::{NodeName, RequestId};

const PIN: &str = "280195";
const KEY: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];

fn people() -> World {
    let mut world = World::new();
    world.node.money = Money::with(KEY);
    for name in ["alice", "bob"] {
        let at = world.device();
        sign_up(&mut world, at, name);
    }
    world.settle(5_000);
    world.call(0, Call::SetPin { pin: PIN.into(), password: PASSWORD.into() });
    world
}

fn pay(n: u8) -> Call {
    Call::Pay {
        id: format!("{n:032x}"),
        user: "bob@home.example".into(),
        asset: euro().id().to_string(),
        amount: "250".into(),
        note: String::new(),
        hold: false,
        chat: None,
        request: None,
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    }
}

fn paid(world: &mut World, n: u8) -> TransferView {
    let Reply::Transfer(transfer) = world.call(0, pay(n)) else { panic!("a transfer") };
    transfer
}

fn refused(world: &mut World, call: Call) -> String {
    world.try_call(0, call).expect_err("a refusal").code
}

fn receipt(world: &mut World, id: &str) -> ReceiptView {
    let call = Call::Receipt(ReceiptCall::Receipt { id: id.into() });
    let Reply::Receipt(ReceiptReply::Receipt(receipt)) = world.call(0, call) else { panic!("a receipt") };
    receipt
}

fn node_key(world: &mut World, call: ReceiptCall) -> NodeKeyView {
    let Reply::Receipt(ReceiptReply::NodeKey(key)) = world.call(0, Call::Receipt(call)) else {
        panic!("a key")
    };
    key
}

fn print(seed: [u8; 32]) -> String {
    NodeName::of_key(signer(seed).verifying_key().as_bytes()).to_string()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_receipt_is_kept_and_anybody_can_check_it() {
    let mut world = people();
    let transfer = paid(&mut world, 1);
    world.kill(0);
    world.start(0);
    world.settle(5_000);
    let kept = receipt(&mut world, &transfer.id);
    assert_eq!((kept.node.as_str(), kept.number, kept.state.as_str()), ("home.example", 7.0, "done"));
    assert_eq!((kept.key, kept.current), (print(KEY), true));
    let key = VerifyingKey::from_bytes(signer(KEY).verifying_key().as_bytes()).unwrap();
    let signature = Signature::from_slice(&bytes(&kept.signature)).unwrap();
    assert!(key.verify(&bytes(&kept.signed), &signature).is_ok());
    let other = Call::Receipt(ReceiptCall::Receipt { id: format!("{:032x}", 9) });
    assert_eq!(refused(&mut world, other), "not_found");
}

#[test]
fn what_is_signed_with_another_key_is_no_receipt() {
    let mut world = people();
    world.node.money.signs = Some(OTHER);
    assert_eq!(refused(&mut world, pay(1)), "payment_unsure");
    world.settle(30_000);
    // It is asked again until the node signs with its own key.
    world.node.money.signs = Some(KEY);
    world.settle(90_000);
    let id = world.node.money.paid.values().next().unwrap().transfer().to_string();
    assert!(receipt(&mut world, &id).current);
}

#[test]
fn another_key_counts_once_it_was_accepted() {
    let mut world = people();
    let before = paid(&mut world, 1);
    assert_eq!(node_key(&mut world, ReceiptCall::NodeKey).new_key, None);
    (world.node.money.shows, world.node.money.signs) = (Some(OTHER), Some(OTHER));
    assert_eq!(refused(&mut world, pay(2)), "node_key_changed");
    assert_eq!(world.node.money.paid.len(), 2, "it was made, and there is no receipt of it");
    assert_eq!(refused(&mut world, pay(3)), "node_key_changed");
    assert_eq!(world.node.money.paid.len(), 2, "nothing is sent any more");
    let key = node_key(&mut world, ReceiptCall::NodeKey);
    assert_eq!((key.key, key.new_key), (print(KEY), Some(print(OTHER))));
    let wrong = Call::Receipt(ReceiptCall::AcceptNodeKey { print: print([9; 32]) });
    assert_eq!(refused(&mut world, wrong), "bad_input");
    let key = node_key(&mut world, ReceiptCall::AcceptNodeKey { print: print(OTHER) });
    assert_eq!((key.key, key.new_key), (print(OTHER), None));
    world.settle(90_000);
    let ids: Vec<_> = world.node.money.paid.values().map(|order| order.transfer().to_string()).collect();
    let current: Vec<_> = ids.iter().map(|id| receipt(&mut world, id).current).collect();
    assert_eq!(current.iter().filter(|current| **current).count(), 1, "{current:?}");
    assert_eq!((receipt(&mut world, &before.id).key, paid(&mut world, 3).amount), (print(KEY), "250".into()));
}

#[test]
fn codes_of_shops_are_checked_with_the_pinned_key() {
    let mut world = people();
    let code = |world: &World, seed: [u8; 32]| {
        let shop = "corner@home.example".parse().unwrap();
        let mut qr = MerchantQr::new(shop, Currency::Asset(euro().id()), "DE", "Corner", "Berlin");
        let expires_ms = world.now + 60_000;
        qr.initiation = Initiation::Dynamic(Request { id: RequestId([3; 16]), expires_ms });
        qr.amount = Some("2.50".parse().unwrap());
        let text = qr.encode_signed(&signer(seed)).unwrap();
        Call::Shop(ShopCall::ReadCode { text })
    };
    let (good, forged) = (code(&world, KEY), code(&world, OTHER));
    assert_eq!(refused(&mut world, forged.clone()), "code_forged");
    assert_eq!(refused(&mut world, good), "not_found", "the signature is good, and there is no such sale");
    // A node that shows the forger's key beside the shop does not make the code a good one.
    world.node.money.shows = Some(OTHER);
    assert_eq!(refused(&mut world, forged), "node_key_changed");
}
