//! Three nodes with a link between any two, and people who pay each other, through a network that loses,
//! doubles, delays, mixes up and cuts off by a seed, while nodes are killed before and after any commit, and
//! rows cannot be read. Afterwards every payment was decided once, the same on both sides, and no money came
//! or went.
//!
//! `WEFT_SEEDS=20000` runs more; `WEFT_SEED=17` replays one.

mod checks;

use super::{
    asset,
    memory::{Disk, Missing, Outcome, Rows, Sheet, account},
    node, terms,
};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use weft_ledger::link::{
    Aim, LinkError, Payment, Prepare, Reason, Received, State, Sum, Terms, Way, accept, ack, ask,
    change_terms, decline, expire, open_link, receive, receive_ack, send, settle, unconfirmed,
};
use weft_wire::{
    AccountId, AssetId, Blob, Millis, NodeName, TransferId, UserAddress, encode,
    wallet::{Intent, Payee},
};

/// Seeds of one test; there are two, which run beside each other.
const SEEDS: u64 = 500;
/// Things that happen while everything may go wrong.
const STEPS: usize = 160;
/// Rounds in which everything must come right.
const CALM_MAX: usize = 60;
pub const PEOPLE: [[&str; 2]; 3] = [["alice", "anna"], ["bob", "bill"], ["carol", "chris"]];
const ISSUED: u64 = 400;

struct Packet {
    from: usize,
    to: usize,
    due_ms: Millis,
    is_ack: bool,
    body: Vec<u8>,
}

pub struct Sim {
    pub rng: ChaCha8Rng,
    pub now: Millis,
    pub names: Vec<NodeName>,
    pub disks: Vec<Disk>,
    /// How far the clocks are off.
    skew: Vec<Millis>,
    wire: Vec<Packet>,
    cut: BTreeSet<(usize, usize)>,
    /// What was asked for, so that it can be asked for again.
    asked: Vec<(usize, usize, Option<AccountId>, Prepare)>,
    /// Nothing goes wrong any more.
    pub calm: bool,
    /// The operators change terms.
    pub changing: bool,
    pub seen: BTreeMap<String, u32>,
}

impl Sim {
    pub fn new(seed: u64) -> Sim {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let names = vec![node("a.example"), node("b.example"), node("c.example")];
        let disks = PEOPLE.iter().map(|people| Disk::new(*people)).collect();
        let skew = (0..3).map(|_| rng.gen_range(0..3_000)).collect();
        let (wire, cut, asked, seen) = (Vec::new(), BTreeSet::new(), Vec::new(), BTreeMap::new());
        let (now, calm, changing) = (10_000, false, true);
        let mut sim = Sim { rng, now, names, disks, skew, wire, cut, asked, calm, changing, seen };
        for (at, people) in PEOPLE.iter().enumerate() {
            for (n, name) in people.iter().enumerate() {
                let asset = sim.asset(at);
                sim.disks[at].issue(name, asset, ISSUED, n as u8);
            }
        }
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let limits = (sim.rng.gen_range(0..400), sim.rng.gen_range(50..400));
            let terms = terms(&sim.names[one], &sim.names[other], limits);
            for at in [one, other] {
                let (own, now) = (sim.names[at].clone(), sim.now);
                sim.disks[at].run(now, |sheet| open_link(sheet, &own, terms.clone(), now)).unwrap();
            }
        }
        sim
    }

    fn asset(&self, at: usize) -> AssetId {
        asset(&self.names[at]).id()
    }

    fn dice(&mut self, percent: u32) -> bool {
        self.rng.gen_range(0..100) < percent
    }

    fn see(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }

    fn at(&mut self) -> (usize, usize) {
        let at = self.rng.gen_range(0..3);
        (at, (at + self.rng.gen_range(1..3)) % 3)
    }

    /// A verb at a node. `None`: the node was killed, before the commit or before anybody heard of it.
    fn act<T>(
        &mut self,
        at: usize,
        verb: impl Fn(&mut Sheet<'_>, Millis) -> Outcome<T>,
    ) -> Option<Outcome<T>> {
        let now = self.now + self.skew[at];
        let (killed, late) = (!self.calm && self.dice(5), !self.calm && self.dice(5));
        let mut reads = if !self.calm && self.dice(10) { self.rng.gen_range(0..12) } else { u32::MAX };
        let (outcome, staged): (Outcome<T>, Rows) = loop {
            let mut sheet = self.disks[at].sheet(now, reads);
            match verb(&mut sheet, now) {
                // A row was not at hand: it is fetched, and all is done again.
                Err(LinkError::Books(Missing)) => reads = u32::MAX,
                outcome => break (outcome, sheet.into_staged()),
            }
        };
        if killed {
            self.see("killed before the commit");
            return None;
        }
        if outcome.is_ok() {
            self.disks[at].commit(staged);
            self.check_node(at);
        }
        if late {
            self.see("killed after the commit");
            return None;
        }
        Some(outcome)
    }

    /// No account is outside its bounds, and nobody owes more than agreed, whatever comes of what waits.
    fn check_node(&self, at: usize) {
        for account in self.disks[at].rows.accounts.values() {
            let (floor, cap) = (account.bounds.floor, account.bounds.cap);
            assert!(floor.is_none_or(|floor| account.balances.lowest() >= floor), "{account:?}");
            assert!(cap.is_none_or(|cap| account.balances.highest() <= cap), "{account:?}");
        }
        for link in self.disks[at].rows.links.values() {
            for covered in &link.terms.assets {
                let account = &self.disks[at].rows.accounts[&link.account(covered.asset.id())];
                let (balances, is_ours) = (account.balances, covered.asset.issuer == link.own);
                let owed = if is_ours { balances.highest() } else { -balances.lowest() };
                assert!(owed <= i128::from(covered.limit), "{owed} is above the limit of {covered:?}");
                let least = if is_ours { balances.lowest() } else { -balances.highest() };
                assert!(least >= 0, "{least} of {covered:?}");
            }
        }
    }

    fn put_on_wire(&mut self, from: usize, to: usize, is_ack: bool, body: Vec<u8>) {
        let times = if self.calm { 1 } else { [0, 1, 1, 1, 1, 2][self.rng.gen_range(0..6)] };
        let is_cut = !self.calm && self.cut.contains(&(from.min(to), from.max(to)));
        for _ in 0..if is_cut { 0 } else { times } {
            let delay = if self.calm { 0 } else { self.rng.gen_range(0..600) };
            let due_ms = self.now + delay;
            self.wire.push(Packet { from, to, due_ms, is_ack, body: body.clone() });
        }
    }

    /// What a node says to a peer: how far it is, and what is not confirmed.
    fn courier(&mut self, from: usize, to: usize) {
        let peer = self.names[to].clone();
        let Some(Ok(ack)) = self.act(from, |sheet, _| ack(sheet, &peer)) else { return };
        self.put_on_wire(from, to, true, encode(&ack));
        let most = if self.calm { 1_000 } else { self.rng.gen_range(1..8) };
        let Some(Ok(all)) = self.act(from, |sheet, _| unconfirmed(sheet, &peer, most)) else { return };
        for outgoing in all {
            self.put_on_wire(from, to, false, outgoing.body.0);
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.wire).into_iter().partition(|packet| packet.due_ms <= now);
        self.wire = later;
        if !self.calm {
            due.shuffle(&mut self.rng);
        }
        for Packet { from, to, is_ack, body, .. } in due {
            let peer = self.names[from].clone();
            let outcome = self.act(to, |sheet, now| {
                let receive = if is_ack { receive_ack } else { receive };
                receive(sheet, &peer, &body, now)
            });
            match outcome {
                Some(Ok(Received::Frozen(why))) => self.see(format!("frozen {why:?}")),
                Some(Ok(Received::Taken(_))) if !is_ack => self.see("taken"),
                Some(Ok(Received::Again)) if !is_ack => self.see("again"),
                Some(Err(LinkError::Gap { .. })) => self.see("gap"),
                Some(Err(LinkError::OtherTerms)) => self.see("other terms"),
                _ => {}
            }
        }
    }

    fn pay(&mut self) {
        let (from, to) = self.at();
        let person = |at: usize, which: usize, names: &[NodeName]| {
            UserAddress::new(PEOPLE[at][which].parse().unwrap(), names[at].clone())
        };
        let payer = person(from, self.rng.gen_range(0..2), &self.names);
        let mut payee = person(to, self.rng.gen_range(0..2), &self.names);
        if self.dice(3) {
            payee.name = "nobody".parse().unwrap();
        }
        // Of the peer's asset one pays what one has got before, mostly.
        let theirs = self.disks[from].net(account(&payer.name, self.asset(to))) > 0;
        let issuer = if self.dice(if theirs { 40 } else { 97 }) { from } else { to };
        let give = Sum { asset: self.asset(issuer), amount: self.rng.gen_range(1..70) };
        let mut get = None;
        if self.dice(25) {
            let (link, other) = (self.disks[from].link(&self.names[to]), self.asset(from + to - issuer));
            let mut amount = link.terms.exchange(give.asset, give.amount, other, self.now).unwrap_or(0);
            // Sometimes one who thinks that nobody looks.
            amount += u64::from(self.dice(5));
            get = Some(Sum { asset: other, amount });
        }
        let intent = if self.dice(50) { Intent::Transfer } else { Intent::Payment };
        let source = account(&payer.name, give.asset);
        let aim = Aim::Payment { payer, payee: Payee::Person(payee), intent };
        let expires_ms = self.now + self.skew[from] + self.rng.gen_range(500..20_000);
        let payment = TransferId(self.rng.r#gen());
        let prepare = Prepare { payment, give, get, refunds: None, aim, expires_ms, memo: Blob(Vec::new()) };
        self.ask_for(from, to, Some(source), prepare);
    }

    /// Somebody gives back what came to them, or a part of it, or more than that.
    fn give_back(&mut self) {
        let from = self.rng.gen_range(0..3);
        let came = |payment: &&Payment| payment.way == Way::In && payment.prepare.is_some();
        let all: Vec<Payment> = self.disks[from].rows.payments.values().filter(came).cloned().collect();
        let Some(payment) = all.choose(&mut self.rng) else { return };
        let Some(paid) = payment.prepare.clone() else { return };
        let Aim::Payment { payer, payee: Payee::Person(payee), .. } = paid.aim.clone() else { return };
        let to = self.names.iter().position(|name| *name == payment.peer).unwrap();
        let give = Sum { amount: self.rng.gen_range(1..=paid.give.amount + 2), ..paid.give };
        let intent = if self.dice(50) { Intent::Transfer } else { Intent::Payment };
        let source = account(&payee.name, give.asset);
        let expires_ms = self.now + self.skew[from] + self.rng.gen_range(500..20_000);
        let aim = Aim::Payment { payer: payee, payee: Payee::Person(payer), intent };
        let (id, memo) = (TransferId(self.rng.r#gen()), Blob(Vec::new()));
        let refunds = Some(payment.id);
        let prepare = Prepare { payment: id, give, get: None, refunds, aim, expires_ms, memo };
        self.see("gives back");
        self.ask_for(from, to, Some(source), prepare);
    }

    fn propose_settlement(&mut self) {
        let (from, to) = self.at();
        let issuer = if self.dice(50) { from } else { to };
        let give = Sum { asset: self.asset(issuer), amount: self.rng.gen_range(1..60) };
        let expires_ms = self.now + self.skew[from] + self.rng.gen_range(500..9_000);
        let (payment, memo) = (TransferId(self.rng.r#gen()), Blob(b"RF18 5390 0754 7034".to_vec()));
        let other = self.asset(from + to - issuer);
        let set_off =
            self.disks[from].link(&self.names[to]).terms.exchange(give.asset, give.amount, other, 0);
        let get = set_off.filter(|_| self.dice(40)).map(|amount| Sum { asset: other, amount });
        let prepare = Prepare { payment, give, get, refunds: None, aim: Aim::Settlement, expires_ms, memo };
        self.ask_for(from, to, None, prepare);
    }

    fn ask_for(&mut self, from: usize, to: usize, source: Option<AccountId>, prepare: Prepare) {
        if !self.asked.iter().any(|asked| asked.3.payment == prepare.payment) {
            self.asked.push((from, to, source, prepare.clone()));
        }
        let peer = self.names[to].clone();
        let outcome = self.act(from, |sheet, now| match source {
            Some(source) => send(sheet, &peer, source, prepare.clone(), now),
            None => settle(sheet, &peer, prepare.clone(), now),
        });
        match outcome {
            Some(Ok(sent)) => self.see(format!("{sent:?}")),
            Some(Err(error)) => self.see(format!("not sent: {error:?}")),
            None => {}
        }
    }

    fn payments(&self, at: usize, way: Way) -> Vec<(NodeName, TransferId)> {
        let waits = |payment: &&Payment| (payment.way, payment.state) == (way, State::Waiting);
        let all = self.disks[at].rows.payments.values().filter(waits);
        all.map(|payment| (payment.peer.clone(), payment.id)).collect()
    }

    /// Somebody to whom something was paid answers, or an operator.
    fn answer(&mut self) {
        let at = self.rng.gen_range(0..3);
        let waiting = self.payments(at, Way::In);
        let Some((peer, id)) = waiting.choose(&mut self.rng).cloned() else { return };
        let accepts = self.dice(70);
        let outcome = self.act(at, |sheet, now| {
            if accepts { accept(sheet, &peer, id, now) } else { decline(sheet, &peer, id, now) }
        });
        self.see(format!("{} {}", if accepts { "accept" } else { "decline" }, told(outcome)));
    }

    fn sweep(&mut self, at: usize) {
        for (peer, id) in self.payments(at, Way::In) {
            let outcome = self.act(at, |sheet, now| expire(sheet, &peer, id, now));
            self.see(format!("expire {}", told(outcome)));
        }
    }

    fn raise_limits(&mut self) {
        let (at, with) = self.at();
        let peer = self.names[with].clone();
        // Both have signed the second terms; each installs them in its own time.
        let link = self.disks[at].link(&peer);
        let mut next: Terms = link.terms.clone();
        if next.version > 3 {
            return;
        }
        next.version += 1;
        next.assets.iter_mut().for_each(|covered| covered.limit += 40);
        let own = self.names[at].clone();
        let outcome = self.act(at, |sheet, now| change_terms(sheet, &own, next.clone(), now));
        self.see(format!("terms {}", told(outcome)));
    }

    pub fn step(&mut self) {
        self.now += self.rng.gen_range(0..150);
        match self.rng.gen_range(0..100) {
            0..=18 => self.pay(),
            19..=21 => self.give_back(),
            22..=24 => self.propose_settlement(),
            25..=28 => {
                if let Some((from, to, source, prepare)) = self.asked.choose(&mut self.rng).cloned() {
                    self.ask_for(from, to, source, prepare);
                }
            }
            29..=47 => self.answer(),
            48..=51 => {
                let at = self.rng.gen_range(0..3);
                self.sweep(at);
            }
            52..=55 => {
                let at = self.rng.gen_range(0..3);
                let waiting = self.payments(at, Way::Out);
                if let Some((peer, id)) = waiting.choose(&mut self.rng).cloned() {
                    let outcome = self.act(at, |sheet, now| ask(sheet, &peer, id, now));
                    self.see(format!("ask {}", told(outcome)));
                }
            }
            56 if self.changing => self.raise_limits(),
            57..=58 => {
                let pair = [(0, 1), (0, 2), (1, 2)][self.rng.gen_range(0..3)];
                if !self.cut.remove(&pair) {
                    self.cut.insert(pair);
                }
            }
            59..=80 => {
                let (from, to) = self.at();
                self.courier(from, to);
                self.courier(from, 3 - from - to);
            }
            _ => self.deliver(),
        }
    }

    /// Until nothing waits and everything is confirmed. Whether it came to that.
    pub fn drain(&mut self) -> bool {
        self.calm = true;
        for _ in 0..CALM_MAX {
            self.now += 500;
            self.answer();
            (0..3).for_each(|at| self.sweep(at));
            for (from, to) in [(0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2)] {
                self.courier(from, to);
                self.deliver();
            }
            if self.disks.iter().all(is_quiet) && self.wire.is_empty() {
                return true;
            }
        }
        false
    }

    /// Operators who are behind install the terms of the other side.
    fn agree(&mut self) {
        for (at, with) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let (own, peer) = (self.names[at].clone(), self.names[with].clone());
            let theirs = self.disks[with].link(&own).terms.version;
            while self.disks[at].link(&peer).terms.version < theirs {
                let mut next = self.disks[at].link(&peer).terms.clone();
                next.version += 1;
                next.assets.iter_mut().for_each(|covered| covered.limit += 40);
                let now = self.now;
                self.disks[at].run(now, |sheet| change_terms(sheet, &own, next, now)).unwrap();
            }
        }
    }
}

/// Nothing waits, nothing is to be sent, and no link stands still.
fn is_quiet(disk: &Disk) -> bool {
    let waits = |payment: &Payment| payment.state == State::Waiting;
    let stands_still = disk.rows.links.values().any(|link| link.frozen.is_some());
    !stands_still && !disk.rows.payments.values().any(waits) && disk.rows.journal() == 0
}

fn told<T>(outcome: Option<Outcome<T>>) -> &'static str {
    match outcome {
        None => "killed",
        Some(Ok(_)) => "done",
        Some(Err(LinkError::Expired)) => "expired",
        Some(Err(LinkError::AlreadyDecided(_))) => "decided",
        Some(Err(LinkError::Frozen(_))) => "frozen",
        Some(Err(LinkError::JournalFull)) => "full",
        Some(Err(LinkError::NotDue)) => "not due",
        Some(Err(_)) => "otherwise",
    }
}

/// The seeds of a part of this run.
pub fn seeds(part: u64, most: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("WEFT_SEED") {
        Some(seed) => vec![seed],
        None => {
            let most = number("WEFT_SEEDS").map_or(most, |seeds| seeds / 2);
            (0..most).map(|n| 2 * n + part).collect()
        }
    }
}

/// Runs a seed; if it fails, says which.
pub fn with_seed(seed: u64, run: impl FnOnce()) {
    struct Named(u64);
    impl Drop for Named {
        fn drop(&mut self) {
            if std::thread::panicking() {
                println!("WEFT_SEED={} replays this", self.0);
            }
        }
    }
    let _named = Named(seed);
    run();
}

fn storm(part: u64) {
    let (mut seen, mut fulfilled) = (BTreeMap::<String, u32>::new(), 0);
    let seeds = seeds(part, SEEDS);
    for seed in &seeds {
        with_seed(*seed, || {
            let mut sim = Sim::new(*seed);
            (0..STEPS).for_each(|_| sim.step());
            sim.agree();
            assert!(sim.drain(), "something waits for ever");
            for disk in &sim.disks {
                assert!(disk.rows.links.values().all(|link| link.frozen.is_none()), "{:?}", disk.rows.links);
                assert!(disk.replays(), "the log gives another ledger");
            }
            fulfilled += sim.check_payments();
            sim.check_money();
            sim.check_people();
            let back = sim.given_back().len() as u32;
            *seen.entry("given back".into()).or_default() += back;
            for payment in sim.disks.iter().flat_map(|disk| disk.rows.payments.values()) {
                if let (State::Rejected(reason), Way::In) = (payment.state, payment.way) {
                    sim.seen.entry(format!("rejected {reason:?}")).and_modify(|n| *n += 1).or_insert(1);
                }
            }
            sim.seen.into_iter().for_each(|(what, times)| *seen.entry(what).or_default() += times);
        });
    }
    if seeds.len() > 100 {
        // A storm in which little happens would show little.
        assert!(fulfilled > 10 * seeds.len(), "{fulfilled} {seen:#?}");
        for what in EXPECTED {
            let times: u32 = seen.iter().filter(|(is, _)| is.starts_with(what)).map(|(_, times)| times).sum();
            assert!(times >= 20, "{what}: only {times} times in {seen:#?}");
        }
    }
    // The limits are kept by who sends: an honest peer is never above them.
    assert!(!seen.contains_key(&format!("rejected {:?}", Reason::Limit)), "{seen:#?}");
}

/// What a fair storm has in it.
const EXPECTED: &[&str] = &[
    "Asked(Waiting)",
    "Asked(Fulfilled)",
    "Asked(Rejected",
    "Refused { reason: Limit",
    "Refused { reason: Blocked",
    "Refused { reason: NotCovered",
    "Refused { reason: Refund",
    "not sent: Payment(Rate)",
    "not sent: Payment(Expired)",
    "not sent: Payment(Refund)",
    "given back",
    "accept done",
    "accept expired",
    "decline done",
    "expire done",
    "expire not due",
    "ask done",
    "terms done",
    "taken",
    "again",
    "gap",
    "other terms",
    "killed before",
    "killed after",
    "rejected Expired",
    "rejected Declined",
    "rejected UnknownPayee",
];

#[test]
fn whatever_goes_wrong_every_payment_is_decided_once_even_seeds() {
    storm(0);
}

#[test]
fn whatever_goes_wrong_every_payment_is_decided_once_odd_seeds() {
    storm(1);
}
