//! Payments between nodes: a seeded simulation of three of them, what happens to a node from an old backup,
//! and a story for each thing that a peer may not do.

mod back;
mod backup;
mod memory;
mod sim;
mod stories;
mod terms;
mod thawed;
mod wrongs;

use memory::{Disk, Outcome, account};
use weft_ledger::link::{
    Aim, Body, Covered, Digest, LinkError, Message, Prepare, Rate, Received, Sum, Terms, ack, open_link,
    receive, receive_ack, unconfirmed,
};
use weft_wire::{
    AssetId, Blob, Millis, NodeName, TransferId, UserAddress, encode,
    wallet::{Asset, Intent, Payee},
};

const LIFETIME_MS: Millis = 60 * 60 * 1000;

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn asset(issuer: &NodeName) -> Asset {
    Asset { issuer: issuer.clone(), code: "EUR".parse().unwrap(), scale: 2 }
}

fn terms(one: &NodeName, other: &NodeName, limits: (u64, u64)) -> Terms {
    let (a, b) = if one < other { (one, other) } else { (other, one) };
    let (of_a, of_b) = (asset(a), asset(b));
    // For three of a's there is one of b's, and not quite back again.
    let rate = |give: &Asset, get: &Asset, numerator, denominator| {
        let until_ms = 1_000_000_000;
        Rate { give: give.id(), get: get.id(), numerator, denominator, until_ms }
    };
    Terms {
        rates: vec![rate(&of_a, &of_b, 1, 3), rate(&of_b, &of_a, 29, 10)],
        assets: vec![Covered { asset: of_a, limit: limits.0 }, Covered { asset: of_b, limit: limits.1 }],
        version: 1,
        lifetime_ms_max: LIFETIME_MS,
        a: a.clone(),
        b: b.clone(),
    }
}

/// Two nodes with a link, alice at the one and bob at the other.
struct Pair {
    names: [NodeName; 2],
    disks: [Disk; 2],
    now: Millis,
}

const A: usize = 0;
const B: usize = 1;

impl Pair {
    /// Alice has 1000 of a's, bob 1000 of b's; each node is willing to have 500 of the other's.
    fn new() -> Pair {
        let names = [node("a.example"), node("b.example")];
        let mut pair = Pair { disks: [Disk::new(["alice"]), Disk::new(["bob"])], names, now: 1_000 };
        pair.disks[A].issue("alice", pair.asset(A), 1_000, 1);
        pair.disks[B].issue("bob", pair.asset(B), 1_000, 1);
        let terms = terms(&pair.names[A], &pair.names[B], (500, 500));
        for at in [A, B] {
            let own = pair.names[at].clone();
            pair.run(at, |sheet, _, now| open_link(sheet, &own, terms.clone(), now)).unwrap();
        }
        pair
    }

    fn asset(&self, at: usize) -> AssetId {
        asset(&self.names[at]).id()
    }

    /// A verb at one of the two, about the other.
    fn run<T>(
        &mut self,
        at: usize,
        verb: impl FnOnce(&mut memory::Sheet<'_>, &NodeName, Millis) -> Outcome<T>,
    ) -> Outcome<T> {
        let (now, peer) = (self.now, self.names[1 - at].clone());
        self.disks[at].run(now, |sheet| verb(sheet, &peer, now))
    }

    /// A payment between alice and bob, of the asset of `of`, held for the payee.
    fn prepare(&self, from: usize, of: usize, id: u8, amount: u64) -> Prepare {
        let people = ["alice", "bob"];
        let address = |at: usize| UserAddress::new(people[at].parse().unwrap(), self.names[at].clone());
        let payee = Payee::Person(address(1 - from));
        let aim = Aim::Payment { payer: address(from), payee, intent: Intent::Transfer };
        let give = Sum { asset: self.asset(of), amount };
        let expires_ms = self.now + 10_000;
        let payment = TransferId([id; 16]);
        Prepare { payment, give, get: None, refunds: None, aim, expires_ms, memo: Blob(b"for tea".to_vec()) }
    }

    fn send(&mut self, from: usize, prepare: Prepare) -> Outcome<weft_ledger::link::Sent> {
        let source = account(&["alice", "bob"][from].parse().unwrap(), prepare.give.asset);
        self.run(from, |sheet, peer, now| weft_ledger::link::send(sheet, peer, source, prepare, now))
    }

    /// Everything that one has to say goes to the other, in order.
    fn carry(&mut self, from: usize) -> Vec<Outcome<Received>> {
        let bodies = self.bodies(from);
        bodies.into_iter().map(|body| self.hear(1 - from, &body)).collect()
    }

    fn bodies(&mut self, from: usize) -> Vec<Blob> {
        let all = self.run(from, |sheet, peer, _| unconfirmed(sheet, peer, 100)).unwrap();
        all.into_iter().map(|outgoing| outgoing.body).collect()
    }

    fn hear(&mut self, at: usize, body: &Blob) -> Outcome<Received> {
        self.run(at, |sheet, peer, now| receive(sheet, peer, &body.0, now))
    }

    fn ack(&mut self, from: usize) -> Outcome<Received> {
        let ack = self.run(from, |sheet, peer, _| ack(sheet, peer)).unwrap();
        self.run(1 - from, |sheet, peer, now| receive_ack(sheet, peer, &encode(&ack), now))
    }

    /// Until neither has something to say.
    fn settle_down(&mut self) {
        while !(self.bodies(A).is_empty() && self.bodies(B).is_empty()) {
            for at in [A, B] {
                assert!(self.carry(at).iter().all(Result::is_ok));
                self.ack(1 - at).unwrap();
            }
        }
    }

    /// What alice and bob have of an asset, and what its issuer owes by both books.
    fn money(&self, of: usize) -> (i128, i128, i128, i128) {
        let (asset, names) = (self.asset(of), ["alice".parse().unwrap(), "bob".parse().unwrap()]);
        let over = |at: usize| {
            let link = self.disks[at].link(&self.names[1 - at]);
            self.disks[at].net(link.account(asset)) * if at == of { 1 } else { -1 }
        };
        let of_person = |at: usize| self.disks[at].net(account(&names[at], asset));
        (of_person(A), of_person(B), over(of), over(1 - of))
    }

    fn state(&self, at: usize, way: weft_ledger::link::Way, id: u8) -> weft_ledger::link::State {
        self.disks[at].rows.payments[&(self.names[1 - at].clone(), way, TransferId([id; 16]))].state
    }

    /// What `from` would say next, made by hand: for lies.
    fn forge(&self, from: usize, body: Body) -> Message {
        let link = self.disks[from].link(&self.names[1 - from]);
        Message {
            from: link.own.clone(),
            to: link.peer.clone(),
            era: link.era,
            seq: link.sent.seq + 1,
            before: link.sent.hash,
            seen: link.taken,
            confirmed: link.confirmed.seq,
            terms: link.terms.digest(),
            body,
        }
    }

    fn hear_forged(&mut self, at: usize, message: &Message) -> Outcome<Received> {
        self.hear(at, &Blob(encode(message)))
    }
}

/// Hashes that are nobody's.
const NOTHING: Digest = Digest([7; 32]);

fn is_frozen<T>(outcome: &Outcome<T>) -> bool {
    matches!(outcome, Err(LinkError::Frozen(_)))
}
