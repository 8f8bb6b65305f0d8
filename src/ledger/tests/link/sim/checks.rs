//! What has to be so after a storm.

use super::{ISSUED, PEOPLE, Sim, account};
use std::collections::BTreeMap;
use weft_ledger::{
    AccountKind,
    link::{Aim, State, Way},
};
use weft_wire::{AccountId, TransferId, wallet::Payee};

impl Sim {
    /// Every payment has the same state on both sides.
    pub fn check_payments(&self) -> usize {
        let mut fulfilled = 0;
        for (at, disk) in self.disks.iter().enumerate() {
            for payment in disk.rows.payments.values() {
                assert_ne!(payment.state, State::Waiting, "{payment:?}");
                let there = self.names.iter().position(|name| *name == payment.peer).unwrap();
                let way = if payment.way == Way::Out { Way::In } else { Way::Out };
                let other = self.disks[there].rows.payments.get(&(self.names[at].clone(), way, payment.id));
                let state = other.map(|other| other.state);
                match payment.state {
                    State::Fulfilled => assert_eq!(state, Some(State::Fulfilled), "{payment:?}"),
                    _ => assert!(matches!(state, None | Some(State::Rejected(_))), "{payment:?} {state:?}"),
                }
                fulfilled += usize::from((payment.state, payment.way) == (State::Fulfilled, Way::In));
            }
        }
        fulfilled
    }

    /// Nothing came or went: of each asset, what its issuer owes to a peer is what the peer has with it, and
    /// what people and nodes have is what was issued.
    pub fn check_money(&self) {
        for issuer in 0..3 {
            let asset = self.asset(issuer);
            let mut there = 0;
            for (at, disk) in self.disks.iter().enumerate() {
                for link in disk.rows.links.values().filter(|link| link.terms.covered(asset).is_some()) {
                    let other = self.names.iter().position(|name| *name == link.peer).unwrap();
                    let theirs = self.disks[other].link(&link.own).account(asset);
                    assert_eq!(disk.net(link.account(asset)), -self.disks[other].net(theirs), "{link:?}");
                    there += disk.net(link.position(asset));
                }
                for name in PEOPLE[at] {
                    there += disk.net(account(&name.parse().unwrap(), asset));
                }
            }
            assert_eq!(there, 2 * i128::from(ISSUED), "of {}", self.names[issuer]);
        }
        for disk in &self.disks {
            for account in disk.rows.accounts.values() {
                let balances = account.balances;
                assert_eq!((balances.debits_pending, balances.credits_pending), (0, 0), "{account:?}");
            }
        }
    }

    /// What was given back of each payment, by the word of whoever took it.
    pub(super) fn given_back(&self) -> BTreeMap<TransferId, u64> {
        let mut sums = BTreeMap::new();
        for payment in self.disks.iter().flat_map(|disk| disk.rows.payments.values()) {
            let Some(prepare) = payment.prepare.as_ref().filter(|_| payment.way == Way::In) else { continue };
            if let (Some(original), State::Fulfilled) = (prepare.refunds, payment.state) {
                *sums.entry(original).or_default() += prepare.give.amount;
            }
        }
        sums
    }

    /// Everybody has what they began with, less what they paid, more what they got, by the payee's word
    /// alone.
    pub(super) fn check_people(&self) {
        let mut has: BTreeMap<(usize, AccountId), i128> = BTreeMap::new();
        for (at, people) in PEOPLE.iter().enumerate() {
            for name in people {
                let own = account(&name.parse().unwrap(), self.asset(at));
                has.insert((at, own), i128::from(ISSUED));
            }
        }
        for (from, to, source, prepare) in &self.asked {
            let key = (self.names[*from].clone(), Way::In, prepare.payment);
            let Some(record) = self.disks[*to].rows.payments.get(&key) else { continue };
            if record.state != State::Fulfilled {
                continue;
            }
            assert!(record.decided_ms < Some(prepare.expires_ms), "accepted too late: {record:?}");
            let Aim::Payment { payee: Payee::Person(payee), .. } = &prepare.aim else { continue };
            *has.entry((*from, source.unwrap())).or_default() -= i128::from(prepare.give.amount);
            let got = prepare.got();
            *has.entry((*to, account(&payee.name, got.asset))).or_default() += i128::from(got.amount);
        }
        for (original, back) in self.given_back() {
            let paid = self.asked.iter().find(|asked| asked.3.payment == original).unwrap();
            assert!(back <= paid.3.give.amount, "{back} of {:?}", paid.3);
        }
        let mut asked: BTreeMap<_, _> = self.asked.iter().map(|asked| (asked.3.payment, 0)).collect();
        for disk in &self.disks {
            for payment in disk.rows.payments.values().filter(|payment| payment.way == Way::In) {
                // None came from nowhere, and each came to one node only.
                *asked.get_mut(&payment.id).unwrap() += 1;
            }
            for ((at, account), net) in &has {
                assert_eq!(self.disks[*at].net(*account), *net, "{account:?} at {at}");
            }
            for account in disk.rows.accounts.values().filter(|account| account.kind == AccountKind::User) {
                assert!(account.balances.net() >= 0, "{account:?}");
            }
        }
        assert!(asked.values().all(|times| *times <= 1));
    }
}
