//! Red packets of alice, in a group whose people are at her node and at bob's. Carol is at a third one, and not in the group.

use super::{
    FlowError,
    link_tests::{AWAY, HOME, HOUR_MS, Pair, code_of},
    trio::{ROOM, Trio},
};
use crate::{testing::*, wallet::tests::Payer};
use weft_ledger::packet;
use weft_wire::{
    Code, TransferId, UserAddress,
    wallet::{Intent, PacketInfo, PacketKind, PacketState, PacketTerms, Payee, PaymentOrder, Receipt},
};

pub(super) struct Table {
    pub pair: Pair,
    carol: (World, Device),
}

impl Table {
    /// Alice has 100 euros. The nodes have agreed on nothing.
    pub async fn new() -> Table {
        let Trio { net, mut worlds, mut people, .. } = Trio::new().await;
        let carol = (worlds.remove(2), people.remove(2));
        let (bob, alice) = (people.remove(1), people.remove(0));
        let (away, home) = (worlds.remove(1), worlds.remove(0));
        let people = [Payer::of(&home, alice, 1).await, Payer::of(&away, bob, 2).await];
        Table { pair: Pair::of(net, [home, away], people).await, carol }
    }

    /// Bob's node is willing to have so many euros.
    pub async fn linked(limit: &str) -> Table {
        let table = Table::new().await;
        table.pair.agree(limit).await;
        table
    }

    pub async fn give(
        &mut self,
        kind: PacketKind,
        shares: u32,
        only: Option<UserAddress>,
        amount: u64,
    ) -> Result<Receipt, FlowError> {
        let payee = Payee::Packet(PacketTerms { room: ROOM, kind, shares, only });
        let order = PaymentOrder { payee, ..self.pair.order(HOME, amount, Intent::Payment) };
        self.pair.submit(HOME, &order).await
    }

    pub async fn open(&self, who: usize, packet: TransferId) -> Result<PacketInfo, FlowError> {
        let node = Some(&self.pair.worlds[HOME].name);
        let caller = self.pair.people[who].device.caller();
        self.pair.worlds[who].service.flows().open_packet(caller, packet, node).await
    }

    pub async fn look(&self, who: usize, packet: TransferId) -> PacketInfo {
        let node = Some(&self.pair.worlds[HOME].name);
        let caller = self.pair.people[who].device.caller();
        self.pair.worlds[who].service.flows().packet(caller, packet, node).await.unwrap()
    }
}

#[tokio::test]
async fn who_is_at_another_node_opens_a_packet_of_the_group_once() {
    let mut table = Table::linked("100").await;
    let receipt = table.give(PacketKind::Lucky, 2, None, 1_000).await.unwrap();
    let packet = receipt.transfer;
    assert_eq!(table.look(AWAY, packet).await.state, PacketState::Open);
    let first = table.open(AWAY, packet).await.unwrap();
    assert_eq!(table.open(AWAY, packet).await.unwrap(), first, "a second tap");
    let share = first.claims[0].amount;
    table.pair.carry().await;
    assert_eq!(table.pair.has(AWAY).await, (share, 0, 0));
    let line = table.pair.history(AWAY).await.remove(0);
    assert_eq!((line.purpose.as_str(), line.packet, line.amount), ("packet_claim", Some(packet), share));
    assert_eq!(line.other.as_ref(), Some(table.pair.people[HOME].user()));

    let done = table.open(HOME, packet).await.unwrap();
    assert_eq!((done.state, done.left), (PacketState::Empty, 0));
    assert_eq!(table.pair.has(HOME).await, (10_000 - share, 0, 0));
    assert_eq!(table.look(AWAY, packet).await, done, "both see the same");
    // He can check at his node what hers has promised.
    let claims: Vec<_> =
        done.claims.iter().map(|claim| (TransferId::of_claim(packet, &claim.user).0, claim.amount)).collect();
    let promise = packet::Promise {
        packet_id: packet.0,
        commitment: receipt.promise.unwrap().commitment,
        total_minor: 1_000,
        shares: 2,
    };
    packet::verify(&promise, &done.seed.unwrap().0, &claims).unwrap();
    table.pair.is_sound().await;
}

#[tokio::test]
async fn who_is_not_in_the_group_gets_nothing_and_nobody_opens_it_for_others() {
    let mut table = Table::linked("100").await;
    let packet = table.give(PacketKind::Equal, 2, None, 600).await.unwrap().transfer;
    let (far, carol) = &table.carol;
    let home = &table.pair.worlds[HOME].name;
    for open in [false, true] {
        let flows = table.pair.worlds[HOME].service.flows();
        let answer = flows.answer_packet(&carol.user, packet, open).await;
        assert_eq!(code_of(answer), Code::NotFound);
    }
    let flows = far.service.flows();
    assert_eq!(code_of(flows.open_packet(carol.caller(), packet, Some(home)).await), Code::NoLink);
    let alices: TransferId = TransferId([9; 16]);
    assert_eq!(code_of(table.open(AWAY, alices).await), Code::NotFound);
    // One for alice is not for bob.
    let alice = table.pair.people[HOME].user().clone();
    let hers = table.give(PacketKind::Equal, 1, Some(alice), 100).await.unwrap().transfer;
    assert_eq!(code_of(table.open(AWAY, hers).await), Code::Forbidden);
    table.pair.is_sound().await;
}

#[tokio::test]
async fn without_terms_nothing_is_taken_and_with_them_it_still_can_be() {
    let mut table = Table::new().await;
    let packet = table.give(PacketKind::Equal, 2, None, 600).await.unwrap().transfer;
    assert_eq!(code_of(table.open(AWAY, packet).await), Code::NoLink);
    let bob = table.pair.people[AWAY].user().clone();
    let only = table.give(PacketKind::Equal, 1, Some(bob.clone()), 100).await;
    assert_eq!(code_of(only), Code::NoLink, "it could not reach him");
    table.pair.agree("2").await;
    assert_eq!(code_of(table.open(AWAY, packet).await), Code::LinkLimit, "a share is 3 euros");
    assert_eq!(table.look(AWAY, packet).await.claims, []);
    table.pair.agree("100").await;
    assert_eq!(table.open(AWAY, packet).await.unwrap().claims[0].amount, 300);
    let only = table.give(PacketKind::Equal, 1, Some(bob), 100).await.unwrap().transfer;
    table.open(AWAY, only).await.unwrap();
    table.pair.carry().await;
    assert_eq!(table.pair.has(AWAY).await, (400, 0, 0));
    table.pair.is_sound().await;
}

#[tokio::test]
async fn a_share_that_his_node_does_not_take_goes_back_to_who_gave_it() {
    let mut table = Table::linked("100").await;
    let packet = table.give(PacketKind::Equal, 2, None, 600).await.unwrap().transfer;
    // He opens it, and before the money is there he wants nothing of her any more.
    table.open(AWAY, packet).await.unwrap();
    let (alice, bob) = (table.pair.people[HOME].user(), table.pair.people[AWAY].device.caller());
    table.pair.worlds[AWAY].service.flows().block_contact(bob, alice).await.unwrap();
    table.pair.carry().await;
    let seen = table.look(HOME, packet).await;
    assert_eq!((seen.claims[0].returned, seen.left, seen.state), (true, 300, PacketState::Open));
    assert_eq!((table.pair.has(HOME).await, table.pair.has(AWAY).await), ((9_700, 0, 0), (0, 0, 0)));
    assert_eq!(table.open(AWAY, packet).await.unwrap().claims.len(), 1, "there is no second share for him");
    let line = table.pair.history(HOME).await.remove(0);
    assert_eq!((line.purpose.as_str(), line.packet, line.amount), ("packet_return", Some(packet), 300));
    // What is left comes back after a day.
    table.pair.worlds.iter().for_each(|world| world.clock.advance(24 * HOUR_MS));
    table.pair.worlds[HOME].service.wallet().expire().await.unwrap();
    assert_eq!(table.pair.has(HOME).await, (10_000, 0, 0));
    table.pair.is_sound().await;
}

#[tokio::test]
async fn a_share_that_is_under_way_when_the_time_is_over_is_his() {
    let mut table = Table::linked("100").await;
    let packet = table.give(PacketKind::Equal, 2, None, 600).await.unwrap().transfer;
    table.open(AWAY, packet).await.unwrap();
    // Bob's clock stands behind: for his node it is in time.
    table.pair.worlds[HOME].clock.advance(24 * HOUR_MS);
    table.pair.worlds[HOME].service.wallet().expire().await.unwrap();
    assert_eq!(table.look(HOME, packet).await.state, PacketState::Expired);
    assert_eq!(table.pair.has(HOME).await, (9_700, 0, 0), "what nobody took is hers again");
    table.pair.carry().await;
    assert_eq!((table.pair.has(HOME).await, table.pair.has(AWAY).await), ((9_700, 0, 0), (300, 0, 0)));
    table.pair.is_sound().await;
}
