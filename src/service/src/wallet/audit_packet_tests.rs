//! What the audit says of a red packet that is not what was moved, and that it says nothing of one that is.

use super::{
    accounts::{envelope, personal},
    check_ledger,
    packet_tests::{give, open, table, terms},
    records::{ClaimRecord, PacketRecord},
    tests::{HOUR_MS, Payer, Till},
};
use weft_ledger::{Movement, Purpose, Transfer};
use weft_store::{Batch, Row, Scan, Table, record::Record, tables};
use weft_wire::{TransferId, wallet::PacketKind};

/// Bob has a share of a packet of three, of nine euros.
async fn opened() -> (Till, Payer, TransferId) {
    let (mut till, room, carol) = table().await;
    let packet = give(&mut till, terms(room, PacketKind::Equal, 3), 900).await.unwrap().transfer;
    open(&till, &till.bob, packet).await.unwrap();
    till.is_sound().await;
    (till, carol, packet)
}

async fn only(till: &Till, table: Table) -> Row {
    till.world.store.scan(table, Scan::prefix([])).await.unwrap().pop().unwrap()
}

async fn put<R: Record>(till: &Till, table: Table, key: &[u8], record: &R) {
    till.world.store.commit(Batch::new().put(table, key, record.to_record())).await.unwrap();
}

async fn finds(till: &Till, what: &[String]) {
    assert_eq!(check_ledger(&till.world.store).await.unwrap().findings, what);
}

#[tokio::test]
async fn packets_that_are_open_empty_or_over_have_no_finding() {
    let (mut till, room, _) = table().await;
    for kind in [PacketKind::Equal, PacketKind::Lucky] {
        for opened in 0..=2 {
            let packet = give(&mut till, terms(room, kind, 2), 200).await.unwrap().transfer;
            till.is_sound().await;
            for by in [&till.alice, &till.bob].into_iter().take(opened) {
                open(&till, by, packet).await.unwrap();
                till.is_sound().await;
            }
        }
    }
    till.world.clock.advance(24 * HOUR_MS);
    till.is_sound().await;
    assert_eq!(crate::Worker::Payments.run_once(&till.world.service).await.unwrap(), 4);
    till.is_sound().await;
}

#[tokio::test]
async fn a_packet_that_says_something_else_is_left_in_it_is_found() {
    let (till, _, id) = opened().await;
    let row = only(&till, tables::PACKETS).await;
    let packet = PacketRecord::from_record(&row.value).unwrap();
    put(&till, tables::PACKETS, &row.key, &PacketRecord { left: 601, ..packet }).await;
    let sum = format!("packet {id} does not add up");
    finds(&till, &[sum, format!("packet {id} does not hold what is left in it")]).await;
}

#[tokio::test]
async fn a_packet_that_was_given_by_nobody_or_is_gone_is_found() {
    let (till, _, id) = opened().await;
    let row = only(&till, tables::PACKETS).await;
    let packet = PacketRecord::from_record(&row.value).unwrap();
    let other = PacketRecord { total: 901, left: 601, ..packet };
    put(&till, tables::PACKETS, &row.key, &other).await;
    let paid = format!("packet {id} was not paid by one order");
    finds(&till, &[paid, format!("packet {id} does not hold what is left in it")]).await;
    till.world.store.commit(Batch::new().delete(tables::PACKETS, &row.key)).await.unwrap();
    let claim = TransferId::of_claim(id, till.bob.user());
    finds(&till, &[id, claim].map(|id| format!("transfer {id} is of no packet"))).await;
}

#[tokio::test]
async fn a_share_that_is_not_written_down_is_found() {
    let (till, _, id) = opened().await;
    let row = only(&till, tables::PACKET_CLAIMS).await;
    till.world.store.commit(Batch::new().delete(tables::PACKET_CLAIMS, &row.key)).await.unwrap();
    let claim = TransferId::of_claim(id, till.bob.user());
    let found = [
        format!("packet {id} has 0 shares taken of 1"),
        format!("packet {id} does not add up"),
        format!("transfer {claim} out of packet {id} is nobody's share"),
    ];
    finds(&till, &found).await;
}

#[tokio::test]
async fn a_second_share_of_somebody_and_one_that_nobody_got_are_found() {
    let (till, carol, id) = opened().await;
    let row = only(&till, tables::PACKET_CLAIMS).await;
    let claim = ClaimRecord::from_record(&row.value).unwrap();
    let second = [&id.0[..], &1_u32.to_be_bytes()].concat();
    put(&till, tables::PACKET_CLAIMS, &second, &claim).await;
    let (count, sum) =
        (format!("packet {id} has 2 shares taken of 1"), format!("packet {id} does not add up"));
    let twice = format!("packet {id}: {} has two shares", till.bob.user());
    finds(&till, &[twice, count.clone(), sum.clone()]).await;
    // Written down for carol, who was given nothing.
    put(&till, tables::PACKET_CLAIMS, &second, &ClaimRecord { user: carol.user().clone(), ..claim }).await;
    let hers = format!("packet {id}: the share of {} is not what was moved", carol.user());
    finds(&till, &[hers, count, sum]).await;
}

#[tokio::test]
async fn a_share_of_another_amount_or_that_did_not_come_back_is_found() {
    let (till, _, id) = opened().await;
    let row = only(&till, tables::PACKET_CLAIMS).await;
    let claim = ClaimRecord::from_record(&row.value).unwrap();
    let his = format!("packet {id}: the share of {} is not what was moved", till.bob.user());
    let other = ClaimRecord { amount: 299, ..claim.clone() };
    put(&till, tables::PACKET_CLAIMS, &row.key, &other).await;
    finds(&till, &[his.clone(), format!("packet {id} does not add up")]).await;
    put(&till, tables::PACKET_CLAIMS, &row.key, &ClaimRecord { returned: true, ..claim }).await;
    finds(&till, &[his]).await;
}

#[tokio::test]
async fn money_out_of_an_envelope_to_anybody_is_found() {
    let (till, carol, id) = opened().await;
    let (asset, taken) = (till.euro.id, TransferId([77; 16]));
    let name = carol.user().name.clone();
    let theft = move |sheet: &mut super::sheet::Sheet<'_>| {
        sheet.personal(&name, asset)?;
        let (debit, credit) = (envelope(id, asset), personal(&name, asset));
        let movement = Movement::Posted { debit, credit, amount: 300, refunds: None };
        sheet.post(&[Transfer { id: taken, movement, purpose: Purpose::PacketClaim, about: id.0 }])?;
        Ok(())
    };
    till.world.service.wallet().teller.run(theft).await.unwrap();
    let hold = format!("packet {id} does not hold what is left in it");
    finds(&till, &[hold, format!("transfer {taken} out of packet {id} is nobody's share")]).await;
    // Also where the packet says that there is less in it.
    let row = only(&till, tables::PACKETS).await;
    let packet = PacketRecord::from_record(&row.value).unwrap();
    put(&till, tables::PACKETS, &row.key, &PacketRecord { left: 300, ..packet }).await;
    let sum = format!("packet {id} does not add up");
    finds(&till, &[sum, format!("transfer {taken} out of packet {id} is nobody's share")]).await;
}

#[tokio::test]
async fn a_packet_that_has_ended_and_has_something_left_is_found() {
    use weft_wire::wallet::PacketState;
    let (till, _, id) = opened().await;
    let row = only(&till, tables::PACKETS).await;
    let packet = PacketRecord::from_record(&row.value).unwrap();
    for state in [PacketState::Empty, PacketState::Expired] {
        put(&till, tables::PACKETS, &row.key, &PacketRecord { state, ..packet.clone() }).await;
        finds(&till, &[format!("packet {id} has not ended as it says")]).await;
    }
}
