//! Red packets between alice and bob, who are in a room that carol is not in.

use super::{
    WalletError,
    tests::{HOUR_MS, Payer, Till, euro, refused},
};
use crate::{Fault, flows::FlowError, testing::World};
use std::collections::{BTreeMap, BTreeSet};
use weft_ledger::packet;
use weft_wire::{
    RoomId, Signed, TransferId,
    limits::PAGE_MAX,
    wallet::{
        Intent, PacketInfo, PacketKind, PacketState, PacketTerms, Payee, PaymentOrder, Receipt, TransferState,
    },
};

/// Alice has 100 euros; bob nothing; carol is of the node, and not in the room.
pub(super) async fn table() -> (Till, RoomId, Payer) {
    let world = World::new().await;
    let (alice, bob, room, ..) = world.talking().await;
    let carol = Payer::new(&world, "carol", 3).await;
    (Till::of(world, alice, bob, euro()).await, room, carol)
}

pub(super) fn terms(room: RoomId, kind: PacketKind, shares: u32) -> PacketTerms {
    PacketTerms { room, kind, shares, only: None }
}

pub(super) async fn give(till: &mut Till, terms: PacketTerms, amount: u64) -> Result<Receipt, FlowError> {
    let alice = till.alice.user().clone();
    let order = till.alice.order(&till.world, &alice, till.euro.id, amount, Intent::Payment);
    let order = PaymentOrder { payee: Payee::Packet(terms), ..order };
    till.submit(&till.alice, Signed::sign(&order, &till.alice.key)).await
}

pub(super) async fn open(till: &Till, by: &Payer, packet: TransferId) -> Result<PacketInfo, FlowError> {
    till.world.service.flows().open_packet(by.device.caller(), packet, None).await
}

#[tokio::test]
async fn a_lucky_packet_is_shared_out_and_anybody_can_check_how() {
    let (mut till, room, carol) = table().await;
    let receipt = give(&mut till, terms(room, PacketKind::Lucky, 2), 1_000).await.unwrap();
    let (packet, promise) = (receipt.transfer, receipt.promise.unwrap());
    assert_eq!(till.balances().await, (9_000, 0));

    let first = open(&till, &till.bob, packet).await.unwrap();
    assert_eq!((first.state, first.seed, first.claims.len()), (PacketState::Open, None, 1));
    let again = open(&till, &till.bob, packet).await.unwrap();
    assert_eq!(again, first, "a second tap");
    let outside = open(&till, &carol, packet).await;
    assert!(matches!(outside, Err(FlowError::Wallet(WalletError::NotFound("packet")))), "{outside:?}");

    let done = open(&till, &till.alice, packet).await.unwrap();
    let amounts: Vec<u64> = done.claims.iter().map(|claim| claim.amount).collect();
    assert_eq!((done.state, done.left, amounts.iter().sum::<u64>()), (PacketState::Empty, 0, 1_000));
    assert!(amounts.iter().all(|amount| *amount >= 1));
    assert_eq!(till.balances().await, (9_000 + amounts[1], amounts[0]));

    // What was promised before anybody had a share is what was done.
    assert_eq!(done.promise, promise);
    let claims: Vec<_> =
        done.claims.iter().map(|claim| (TransferId::of_claim(packet, &claim.user).0, claim.amount)).collect();
    let promise = packet::Promise {
        packet_id: packet.0,
        commitment: promise.commitment,
        total_minor: 1_000,
        shares: 2,
    };
    packet::verify(&promise, &done.seed.unwrap().0, &claims).unwrap();
    till.is_sound().await;
}

#[tokio::test]
async fn equal_shares_are_equal_and_who_comes_late_gets_none() {
    let (mut till, room, _) = table().await;
    let receipt = give(&mut till, terms(room, PacketKind::Equal, 1), 700).await.unwrap();
    assert_eq!(open(&till, &till.bob, receipt.transfer).await.unwrap().claims[0].amount, 700);
    let late = open(&till, &till.alice, receipt.transfer).await;
    assert!(matches!(late, Err(FlowError::Wallet(WalletError::PacketEmpty))), "{late:?}");
    assert_eq!(open(&till, &till.bob, receipt.transfer).await.unwrap().left, 0, "who has some, looks again");
    till.is_sound().await;
}

#[tokio::test]
async fn what_nobody_takes_of_a_packet_goes_back_after_a_day() {
    let (mut till, room, _) = table().await;
    let packet = give(&mut till, terms(room, PacketKind::Equal, 2), 600).await.unwrap().transfer;
    open(&till, &till.bob, packet).await.unwrap();
    till.world.clock.advance(24 * HOUR_MS);
    let late = open(&till, &till.alice, packet).await;
    assert!(matches!(late, Err(FlowError::Wallet(WalletError::PacketOver))), "{late:?}");
    for rounds in [1, 0] {
        assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), rounds);
    }
    let over = till.world.service.flows().packet(till.bob.device.caller(), packet, None).await.unwrap();
    assert_eq!((over.state, over.left, over.seed.is_some()), (PacketState::Expired, 0, true));
    assert_eq!(till.balances().await, (9_700, 300));
    let hers = till.history(&till.alice).await;
    let back = (true, 300, TransferState::Done);
    assert_eq!(hers[..2], [back, (false, 600, TransferState::Done)]);
    till.is_sound().await;
}

#[tokio::test]
async fn a_packet_for_one_is_for_that_one() {
    let (mut till, room, carol) = table().await;
    let only = Some(carol.user().clone());
    let for_carol = PacketTerms { only, ..terms(room, PacketKind::Equal, 1) };
    let packet = give(&mut till, for_carol, 500).await.unwrap().transfer;
    let bobs = open(&till, &till.bob, packet).await;
    assert!(matches!(bobs, Err(FlowError::Wallet(WalletError::Forbidden))), "{bobs:?}");
    assert_eq!(open(&till, &carol, packet).await.unwrap().claims[0].user, *carol.user());
    till.is_sound().await;
}

#[tokio::test]
async fn a_packet_that_cannot_be_is_refused_and_costs_nothing() {
    let (mut till, room, carol) = table().await;
    let invalid = |error: WalletError| matches!(error, WalletError::Fault(Fault::Invalid { .. }));
    for (kind, shares, amount) in [
        (PacketKind::Lucky, 0, 100),
        (PacketKind::Lucky, 501, 1_000),
        (PacketKind::Lucky, 101, 100),
        (PacketKind::Equal, 3, 100),
        (PacketKind::Equal, 1, 0),
    ] {
        let error = refused(give(&mut till, terms(room, kind, shares), amount).await);
        assert!(invalid(error.clone()), "{kind:?} {shares} {amount}: {error:?}");
    }
    let many = PacketTerms { only: Some(carol.user().clone()), ..terms(room, PacketKind::Equal, 2) };
    assert!(invalid(refused(give(&mut till, many, 100).await)));
    let elsewhere = refused(give(&mut till, terms(RoomId([9; 16]), PacketKind::Equal, 1), 100).await);
    assert!(matches!(elsewhere, WalletError::NotFound("payee")), "{elsewhere:?}");
    let poor = refused(give(&mut till, terms(room, PacketKind::Equal, 1), 10_001).await);
    assert!(matches!(poor, WalletError::Refused(weft_ledger::Refusal::Floor)), "{poor:?}");
    // What was not paid is no packet, and nothing that a worker would have to give back.
    let unpaid =
        PaymentOrder::transfer_of(till.alice.user(), weft_wire::OrderId([till.alice.counter as u8; 16]));
    let unpaid = till.world.service.flows().packet(till.alice.device.caller(), unpaid, None).await;
    assert!(matches!(unpaid, Err(FlowError::Wallet(WalletError::NotFound("packet")))), "{unpaid:?}");
    till.world.clock.advance(25 * HOUR_MS);
    assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), 0);
    let nothing = till.world.service.flows().packet(carol.device.caller(), TransferId([7; 16]), None).await;
    assert!(matches!(nothing, Err(FlowError::Wallet(WalletError::NotFound("packet")))));
    assert_eq!(till.balances().await, (10_000, 0));
    till.is_sound().await;
}

#[tokio::test]
async fn all_open_it_at_once_and_it_gives_out_what_was_in_it() {
    let (mut till, room, _) = table().await;
    let packet = give(&mut till, terms(room, PacketKind::Lucky, 1), 900).await.unwrap().transfer;
    let mut tasks = Vec::new();
    for n in 0..40 {
        let by = if n % 2 == 0 { &till.alice } else { &till.bob };
        let (service, caller) = (till.world.service.clone(), by.device.caller().clone());
        tasks.push(tokio::spawn(async move {
            service.flows().open_packet(&caller, packet, None).await.map(|info| info.claims)
        }));
    }
    let mut seen = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(claims) => seen.push(claims),
            Err(error) => assert!(matches!(error, FlowError::Wallet(WalletError::PacketEmpty)), "{error:?}"),
        }
    }
    assert!(seen.len() >= 20 && seen.iter().all(|claims| claims.len() == 1 && *claims == seen[0]));
    let (alice, bob) = till.balances().await;
    assert_eq!(alice + bob, 10_000);
    till.is_sound().await;
}

/// Five shares and eight people, each of whom taps six times at once.
#[tokio::test]
async fn many_open_it_at_once_and_nobody_has_two_shares() {
    for kind in [PacketKind::Lucky, PacketKind::Equal] {
        let (mut till, room, _) = table().await;
        let packet = give(&mut till, terms(room, kind, 5), 1_000).await.unwrap().transfer;
        let people: Vec<weft_wire::UserAddress> =
            (0..8).map(|n| format!("guest{n}@{}", till.world.name).parse().unwrap()).collect();
        let mut tasks = Vec::new();
        for n in 0..48 {
            let (service, user) = (till.world.service.clone(), people[n * 5 % 8].clone());
            tasks.push(tokio::spawn(async move { (service.wallet().claim(packet, &user).await, user) }));
        }
        let (mut have, mut late) = (BTreeMap::new(), BTreeSet::new());
        for task in tasks {
            match task.await.unwrap() {
                (Ok(()), user) => *have.entry(user).or_insert(0) += 1,
                (Err(WalletError::PacketEmpty), user) => {
                    late.insert(user);
                }
                (Err(error), user) => panic!("{user}: {error:?}"),
            }
        }
        // Who has a share is told so each time, and who has none is never told otherwise.
        assert!(have.len() == 5 && have.values().all(|told| *told == 6), "{have:?}");
        assert!(late.len() == 3 && late.iter().all(|user| !have.contains_key(user)), "{late:?}");
        let seen = till.world.service.wallet().packet(packet).await.unwrap();
        let takers: BTreeSet<_> = seen.claims.iter().map(|claim| &claim.user).collect();
        assert!(seen.claims.len() == 5 && takers.into_iter().eq(have.keys()), "{seen:?}");
        assert_eq!(seen.claims.iter().map(|claim| claim.amount).sum::<u64>(), 1_000);
        assert_eq!((seen.state, seen.left, till.balances().await), (PacketState::Empty, 0, (9_000, 0)));
        till.is_sound().await;
    }
}

#[tokio::test]
async fn a_packet_for_hundreds_shows_all_who_have_opened_it() {
    let (mut till, room, _) = table().await;
    let packet = give(&mut till, terms(room, PacketKind::Lucky, 300), 1_000).await.unwrap().transfer;
    let wallet = till.world.service.wallet().clone();
    for n in 0..300 {
        let user = format!("guest{n}@{}", till.world.name).parse().unwrap();
        wallet.claim(packet, &user).await.unwrap();
    }
    let seen = wallet.packet(packet).await.unwrap();
    assert_eq!((seen.claims.len(), seen.state), (300, PacketState::Empty));
    assert_eq!(seen.claims.iter().map(|claim| claim.amount).sum::<u64>(), 1_000);
}

#[tokio::test]
async fn a_refund_is_no_more_than_was_paid_and_goes_the_same_way_back() {
    let mut till = Till::open().await;
    let paid = till.pay(1_000, Intent::Transfer).await.unwrap().transfer;
    let refund = |till: &mut Till, amount, original| {
        let alice = till.alice.user().clone();
        let order = till.bob.order(&till.world, &alice, till.euro.id, amount, Intent::Payment);
        PaymentOrder { refunds: Some(original), ..order }
    };
    let wallet = till.world.service.wallet().clone();
    // Before it is accepted there is nothing to refund: it is given back instead.
    let early = refund(&mut till, 1, paid);
    till.issue(7, till.bob.user(), 5_000).await.unwrap();
    let early = refused(till.submit(&till.bob, Signed::sign(&early, &till.bob.key)).await);
    assert!(matches!(early, WalletError::Refused(_)), "{early:?}");
    wallet.answer(till.bob.device.caller(), paid, weft_wire::wallet::Answer::Accept).await.unwrap();
    for (amount, is_done) in [(400, true), (601, false), (600, true), (1, false)] {
        let order = refund(&mut till, amount, paid);
        let outcome = till.submit(&till.bob, Signed::sign(&order, &till.bob.key)).await;
        assert_eq!(outcome.is_ok(), is_done, "{amount}: {outcome:?}");
    }
    let info = wallet.transfer(till.alice.device.caller(), paid).await.unwrap();
    assert_eq!((info.amount, info.refunded), (1_000, 1_000));
    let unknown = refund(&mut till, 1, TransferId([9; 16]));
    let unknown = refused(till.submit(&till.bob, Signed::sign(&unknown, &till.bob.key)).await);
    assert!(matches!(unknown, WalletError::NotFound("transfer")), "{unknown:?}");
    assert_eq!(till.balances().await, (10_000, 5_000));
    till.is_sound().await;
}

#[tokio::test]
async fn what_was_asked_for_shows_as_paid_to_the_two_and_nobody_else() {
    let (mut till, _, carol) = table().await;
    let request = weft_wire::RequestId([5; 16]);
    let bob = till.bob.user().clone();
    let order = till.alice.order(&till.world, &bob, till.euro.id, 250, Intent::Payment);
    let order = PaymentOrder { request: Some(request), ..order };
    till.submit(&till.alice, Signed::sign(&order, &till.alice.key)).await.unwrap();
    let wallet = till.world.service.wallet();
    for (who, payments) in [(&till.alice, 1), (&till.bob, 1), (&carol, 0)] {
        let seen = wallet.request(who.device.caller(), request, None).await.unwrap().payments;
        assert_eq!(seen.len(), payments);
        assert!(seen.iter().all(|info| info.amount == 250 && info.request == Some(request)));
    }
    let transfer = order.transfer();
    assert!(wallet.transfer(till.bob.device.caller(), transfer).await.is_ok());
    let others = wallet.transfer(carol.device.caller(), transfer).await;
    assert!(matches!(others, Err(WalletError::NotFound("transfer"))));
}

#[tokio::test]
async fn a_frozen_account_takes_and_does_not_give() {
    let mut till = Till::open().await;
    let (user, asset) = (till.alice.user().clone(), till.euro.id);
    let wallet = till.world.service.wallet().clone();
    let freeze = async |frozen| {
        let wish = weft_wire::wallet::ChangeAccount { user: user.clone(), asset, frozen };
        wallet.change_account(wish).await.unwrap();
    };
    freeze(true).await;
    let refused_now = refused(till.pay(1, Intent::Payment).await);
    assert!(matches!(refused_now, WalletError::Refused(weft_ledger::Refusal::Frozen(_))), "{refused_now:?}");
    till.issue(8, till.alice.user(), 5).await.unwrap();
    assert!(wallet.accounts(till.alice.device.caller()).await.unwrap().accounts[0].frozen);
    freeze(false).await;
    till.pay(1, Intent::Payment).await.unwrap();
    assert_eq!(till.balances().await, (10_004, 1));
    till.is_sound().await;
}

#[tokio::test]
async fn a_payment_asked_again_after_a_new_pin_gets_its_answer() {
    let mut till = Till::open().await;
    let bob = till.bob.user().clone();
    let order = till.alice.order(&till.world, &bob, till.euro.id, 700, Intent::Payment);
    let order = Signed::sign(&order, &till.alice.key);
    let receipt = till.submit(&till.alice, order.clone()).await.unwrap();
    till.alice.key = ed25519_dalek::SigningKey::from_bytes(&[77; 32]);
    let cert = weft_wire::wallet::OrderKeyCert {
        user: till.alice.user().clone(),
        device: till.alice.device.id(),
        order_key: till.alice.key.verifying_key().to_bytes(),
        created_ms: crate::testing::START_MS + 1,
    };
    let request = weft_wire::wallet::PutOrderKey { cert: Signed::sign(&cert, &till.alice.device.key) };
    till.world.service.wallet().put_order_key(till.alice.device.caller(), request).await.unwrap();
    assert_eq!(till.submit(&till.alice, order).await.unwrap(), receipt);
    // Of an order that was never carried out the old key says nothing.
    let other = till.alice.order(&till.world, &bob, till.euro.id, 700, Intent::Payment);
    let forged = Signed::sign(&other, &ed25519_dalek::SigningKey::from_bytes(&[1; 32]));
    assert!(matches!(refused(till.submit(&till.alice, forged).await), WalletError::Signature("the order")));
    assert_eq!(till.balances().await, (9_300, 700));
    till.is_sound().await;
}

#[tokio::test]
async fn what_was_changed_behind_the_ledgers_back_is_found() {
    use weft_store::{Batch, Scan, tables};
    let mut till = Till::open().await;
    till.pay(700, Intent::Payment).await.unwrap();
    till.is_sound().await;
    let store = till.world.store.clone();
    for table in [tables::LEDGER_ACCOUNTS, tables::LEDGER_ENTRIES, tables::ORDERS] {
        let row = store.scan(table, Scan::prefix([])).await.unwrap().pop().unwrap();
        store.commit(Batch::new().delete(table, &row.key)).await.unwrap();
        let report = super::check_ledger(&store).await.unwrap();
        assert!(!report.findings.is_empty(), "{}", table.name);
        store.commit(Batch::new().put(table, &row.key, row.value)).await.unwrap();
        till.is_sound().await;
    }
}

#[tokio::test]
async fn who_pays_for_a_request_many_times_hides_nobody() {
    let (mut till, _, mut carol) = table().await;
    let id = weft_wire::RequestId([5; 16]);
    let request = Some(id);
    let alice = till.alice.user().clone();
    till.issue(9, till.bob.user(), 1_000).await.unwrap();
    till.issue(10, carol.user(), 1_000).await.unwrap();
    // As if each came from somebody else: the order is not that of their names.
    for _ in 0..PAGE_MAX + 10 {
        let order = till.bob.order(&till.world, &alice, till.euro.id, 1, Intent::Payment);
        let order = PaymentOrder { request, ..order };
        till.submit(&till.bob, Signed::sign(&order, &till.bob.key)).await.unwrap();
    }
    let order = carol.order(&till.world, &alice, till.euro.id, 500, Intent::Payment);
    let held = PaymentOrder { request, intent: Intent::Transfer, ..order.clone() };
    let held = refused(till.submit(&carol, Signed::sign(&held, &carol.key)).await);
    assert!(matches!(held, WalletError::Fault(Fault::Invalid { field: "intent", .. })), "{held:?}");
    let order = PaymentOrder { request, ..order };
    till.submit(&carol, Signed::sign(&order, &carol.key)).await.unwrap();
    let wallet = till.world.service.wallet();
    for asset in [None, Some(till.euro.id)] {
        let seen = wallet.request(till.alice.device.caller(), id, asset).await.unwrap().payments;
        assert_eq!((seen.len(), &seen[0].payer, seen[0].amount), (PAGE_MAX, carol.user(), 500));
    }
    let other = Some(weft_wire::AssetId([7; 16]));
    assert!(wallet.request(till.alice.device.caller(), id, other).await.unwrap().payments.is_empty());
}

#[tokio::test]
async fn what_was_paid_for_a_request_before_payments_stood_by_their_sums_is_found() {
    use weft_store::{Batch, Scan, tables};
    let mut till = Till::open().await;
    let id = weft_wire::RequestId([5; 16]);
    let bob = till.bob.user().clone();
    let order = till.alice.order(&till.world, &bob, till.euro.id, 250, Intent::Payment);
    let order = PaymentOrder { request: Some(id), ..order };
    till.submit(&till.alice, Signed::sign(&order, &till.alice.key)).await.unwrap();
    let store = &till.world.store;
    let mut batch = Batch::new();
    for row in store.scan(tables::REQUESTS_SUMS, Scan::prefix([])).await.unwrap() {
        batch = batch.delete(tables::REQUESTS_SUMS, &row.key);
    }
    let old = [id.0.as_slice(), b"bob\0", &4_u64.to_be_bytes(), &order.transfer().0].concat();
    let old = crate::context::joined("alice", old);
    store.commit(batch.put(tables::REQUESTS_PAID, old, [])).await.unwrap();
    let seen = till.world.service.wallet().request(till.alice.device.caller(), id, None).await.unwrap();
    assert_eq!(seen.payments[0].id, order.transfer());
}
