//! What was put into a red packet is what was taken, went back and is left: after each step of many packets, over a link as well.

use super::{
    link_tests::{AWAY, HOME, HOUR_MS},
    packet_tests::Table,
};
use crate::wallet::{
    WalletError, check_ledger,
    records::{ClaimRecord, PacketRecord},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use std::collections::BTreeMap;
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    TransferId, UserAddress,
    wallet::{PacketKind, PacketState},
};

/// At most forty cents each, for which alice's hundred euros and the limit of the link are enough.
const HISTORIES: u64 = 200;

impl Table {
    async fn finds(&self, what: &[String]) {
        let report = check_ledger(&self.pair.worlds[HOME].store).await.unwrap();
        assert_eq!(report.findings, what);
    }

    async fn claim(&self, packet: TransferId, user: &UserAddress) -> Result<(), WalletError> {
        self.pair.worlds[HOME].service.wallet().claim(packet, user).await
    }

    async fn end_of_day(&self) {
        self.pair.worlds.iter().for_each(|world| world.clock.advance(24 * HOUR_MS));
        self.pair.worlds[HOME].service.wallet().expire().await.unwrap();
    }
}

/// What one packet has come to.
struct Packet {
    id: TransferId,
    total: u64,
    /// What alice has had before.
    before: u64,
}

impl Packet {
    /// What alice has again is told by her account, not by the packet.
    async fn adds_up(&self, table: &Table) -> PacketState {
        let seen = table.pair.worlds[HOME].service.wallet().packet(self.id).await.unwrap();
        let claimed: u64 = seen.claims.iter().filter(|claim| !claim.returned).map(|claim| claim.amount).sum();
        let refunded = table.pair.has(HOME).await.0 + self.total - self.before;
        assert_eq!(self.total, claimed + refunded + seen.left, "{refunded}: {seen:?}");
        assert!(seen.state == PacketState::Open || seen.left == 0, "{seen:?}");
        seen.state
    }
}

#[tokio::test]
async fn whatever_happens_to_a_packet_nothing_of_it_is_lost_or_made() {
    let mut table = Table::linked("100").await;
    let mut rng = ChaCha20Rng::seed_from_u64(20);
    let mut seen = BTreeMap::<String, u32>::new();
    for history in 0..HISTORIES {
        let kind = if rng.next_u32().is_multiple_of(2) { PacketKind::Equal } else { PacketKind::Lucky };
        let shares = 1 + rng.next_u32() % 4;
        let total = u64::from(shares * (1 + rng.next_u32() % 10));
        let before = table.pair.has(HOME).await.0;
        let id = table.give(kind, shares, None, total).await.unwrap().transfer;
        let packet = Packet { id, total, before };
        let mut users: Vec<UserAddress> = Vec::new();
        for step in 0..2 + rng.next_u32() % 6 {
            let user: UserAddress = match rng.next_u32() % 8 {
                0..=2 => format!("guest{step}@home.example").parse().unwrap(),
                3 => table.pair.people[AWAY].user().clone(),
                // There is nobody of this name: the share comes back.
                4 => format!("nobody{step}@away.example").parse().unwrap(),
                5 => match users.last() {
                    Some(user) => user.clone(),
                    None => continue,
                },
                6 => {
                    table.pair.carry().await;
                    packet.adds_up(&table).await;
                    continue;
                }
                _ => {
                    table.end_of_day().await;
                    packet.adds_up(&table).await;
                    continue;
                }
            };
            let again = users.contains(&user);
            let claims = table.look(HOME, id).await.claims;
            let told = match table.claim(id, &user).await {
                Ok(()) if again => "again",
                Ok(()) => "taken",
                Err(WalletError::PacketEmpty) => "empty",
                Err(WalletError::PacketOver) => "over",
                Err(error) => panic!("{history}: {user}: {error:?}"),
            };
            *seen.entry(told.to_owned()).or_default() += 1;
            if told == "taken" {
                users.push(user);
            } else {
                assert_eq!(table.look(HOME, id).await.claims, claims, "{told}");
            }
            packet.adds_up(&table).await;
        }
        table.pair.carry().await;
        let state = packet.adds_up(&table).await;
        *seen.entry(format!("{state:?}")).or_default() += 1;
        if state == PacketState::Open {
            table.end_of_day().await;
            assert_eq!(packet.adds_up(&table).await, PacketState::Expired);
        }
        let back = table.look(HOME, id).await.claims.iter().filter(|claim| claim.returned).count();
        *seen.entry("returned".to_owned()).or_default() += back as u32;
        if history % 50 == 49 {
            table.pair.is_sound().await;
        }
    }
    let enough = seen.len() == 8 && seen.values().all(|count| *count > 10);
    assert!(enough, "each of it has happened: {seen:?}");
}

#[tokio::test]
async fn a_share_that_is_held_for_another_node_is_not_left_and_not_lost() {
    let mut table = Table::linked("100").await;
    let id = table.give(PacketKind::Equal, 3, None, 900).await.unwrap().transfer;
    let nobody: UserAddress = "nobody@away.example".parse().unwrap();
    table.open(AWAY, id).await.unwrap();
    table.claim(id, &nobody).await.unwrap();
    table.finds(&[]).await;
    table.pair.carry().await;
    table.finds(&[]).await;
    let store = table.pair.worlds[HOME].store.clone();
    let rows = store.scan(tables::PACKET_CLAIMS, Scan::prefix([])).await.unwrap();
    // What came back is said to have stayed there, and the other way.
    for (row, user) in rows.iter().zip([table.pair.people[AWAY].user(), &nobody]) {
        let claim = ClaimRecord::from_record(&row.value).unwrap();
        assert_eq!((&claim.user, claim.returned), (user, *user == nobody));
        let other = ClaimRecord { returned: !claim.returned, ..claim };
        let batch = Batch::new().put(tables::PACKET_CLAIMS, &row.key, other.to_record());
        store.commit(batch).await.unwrap();
        let mut found = vec![format!("packet {id}: the share of {user} is not what was moved")];
        if *user == nobody {
            let back = TransferId::of_packet_return(TransferId::of_claim(id, user));
            found.push(format!("transfer {back} out of packet {id} is nobody's share"));
        }
        table.finds(&found).await;
        store.commit(Batch::new().put(tables::PACKET_CLAIMS, &row.key, row.value.clone())).await.unwrap();
    }
    table.end_of_day().await;
    table.finds(&[]).await;
    let row = store.scan(tables::PACKETS, Scan::prefix([])).await.unwrap().remove(0);
    let packet = PacketRecord::from_record(&row.value).unwrap();
    let open = PacketRecord { state: PacketState::Open, left: 300, ..packet };
    store.commit(Batch::new().put(tables::PACKETS, &row.key, open.to_record())).await.unwrap();
    let back = TransferId::of_packet_return(id);
    let found = [
        format!("packet {id} does not add up"),
        format!("packet {id} does not hold what is left in it"),
        format!("transfer {back} out of packet {id} is nobody's share"),
    ];
    table.finds(&found).await;
}
