//! Whether payments between nodes are in the books as their links say.

use super::{
    Memo,
    accounts::{envelope, merchant, personal},
    audit::{LedgerReport, Walk, all, count, get},
    audit_guard::GuardLog,
    link_books::{payer_key, payment_key},
    link_settle::settled_key,
    records::{ChargeRecord, LinkRecord, OrderRecord, Owner, OwnerRecord, WaitingRecord},
    remote_codes::charge_key,
};
use crate::Fault;
use std::collections::{BTreeMap, HashMap, HashSet};
use weft_ledger::{
    AccountKind, Books, Entry, Hold, Memory, Movement, Outcome, Purpose,
    link::{Aim, Leg, Link, Payment, Prepare, State, Way, is_as_asked, owed_by},
};
use weft_store::{Store, record::Record, tables};
use weft_wire::{
    AccountId, AssetId, NodeName, TransferId,
    wallet::{BearerPayee, MerchantPayee, Payee, PaymentOrder},
};

/// What the payments of all links come to.
pub(super) struct Links {
    /// All links of this node, by the other one.
    links: BTreeMap<NodeName, Link>,
    /// By which transfers they move what is between two nodes.
    legs: HashSet<TransferId>,
    /// Of each link: how many wait, out and in.
    waiting: BTreeMap<NodeName, (u32, u32)>,
    /// Of each link: what its payments leave owed of each asset; nothing where one moves what is not known.
    owed: BTreeMap<NodeName, Option<BTreeMap<AssetId, i128>>>,
    /// Of each payer.
    of_payers: BTreeMap<Vec<u8>, u32>,
    settled: u64,
}

impl Links {
    pub(super) async fn begin(store: &Store) -> Result<Self, Fault> {
        let links = all::<LinkRecord>(store, tables::LINKS).await?.into_iter();
        Ok(Links {
            links: links.map(|(_, LinkRecord(link))| (link.peer.clone(), link)).collect(),
            legs: HashSet::new(),
            waiting: BTreeMap::new(),
            owed: BTreeMap::new(),
            of_payers: BTreeMap::new(),
            settled: 0,
        })
    }

    /// Compares one with the books as their events make them.
    pub(super) async fn payment(
        &mut self,
        store: &Store,
        (books, guard): (&Memory, &GuardLog),
        payment: &Payment,
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        let (id, peer) = (payment.id, &payment.peer);
        if payment.state == State::Waiting {
            let (out, into) = self.waiting.entry(peer.clone()).or_default();
            *(if payment.way == Way::Out { out } else { into }) += 1;
            if let Some(Aim::Payment { payer, .. }) = payment.prepare.as_ref().map(|prepare| &prepare.aim) {
                *self.of_payers.entry(payer_key(peer, payment.way, payer)).or_default() += 1;
            }
        }
        self.settled += u64::from(settled_key(payment).is_some());
        self.count_owed(payment);
        self.legs.extend(payment.legs.iter().chain(&payment.undone).map(|leg| leg.transfer));
        if !is_booked(books, payment) || !self.is_right(store, payment).await? {
            report.find(format!("payment {id} with {peer} is not booked so"));
        }
        if brings_guarded(books, guard, payment) {
            report.find(format!("payment {id} with {peer} was exchanged for what needs approval"));
        }
        if !is_as_ordered(store, payment).await? {
            report.find(format!("payment {id} with {peer} is not what was ordered"));
        }
        Ok(())
    }

    /// After the last one: compares what is counted beside them.
    pub(super) async fn end(
        self,
        store: &Store,
        (books, guard): (&Memory, &GuardLog),
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        check_charges(store, report).await?;
        self.check_moved(books, report);
        self.check_owed(books, report);
        // Nobody is kept from paying by more than waits. What waits since before it was counted is less there.
        let mut counts = Walk::of(store, tables::LINK_WAITING);
        while let Some((key, WaitingRecord(count))) = counts.next().await? {
            if count > self.of_payers.get(&key).copied().unwrap_or_default() {
                report.find(format!("{}: more payments are counted than wait", key.escape_ascii()));
            }
        }
        if count(store, tables::LINK_SETTLEMENTS).await? != self.settled {
            report.find("the list of settlements is not that of the payments between nodes".to_owned());
        }
        for link in self.links.values() {
            let known = self.waiting.get(&link.peer).copied().unwrap_or_default();
            if known != (link.waiting_out, link.waiting_in) {
                report.find(format!("the link with {} counts other payments than wait", link.peer));
            }
            for id in corrected_guarded(books, guard, link) {
                let peer = &link.peer;
                report
                    .find(format!("transfer {id} of a thaw with {peer} has brought in what needs approval"));
            }
        }
        Ok(())
    }

    /// Nothing moves what is between two nodes, or is their own by that, but payments, and what a thaw corrects.
    fn check_moved(&self, books: &Memory, report: &mut LedgerReport) {
        let is_between =
            |kind| matches!(kind, AccountKind::Vostro | AccountKind::Nostro | AccountKind::Equity);
        let accounts = books.accounts().filter(|account| is_between(account.kind));
        let accounts: HashSet<AccountId> = accounts.map(|account| account.id).collect();
        let mut across = HashMap::new();
        for link in self.links.values() {
            for asset in link.terms.assets.iter().map(|covered| covered.asset.id()) {
                let (over, position) = (link.account(asset), link.position(asset));
                across.extend([(over, position), (position, over)]);
            }
        }
        for entry in books.entries().filter(|entry| entry.outcome == Outcome::Done) {
            // What is held and then posted or released is one transfer.
            let (Movement::Posted { debit, credit, .. } | Movement::Pending { debit, credit, .. }) =
                entry.transfer.movement
            else {
                continue;
            };
            let (id, purpose) = (entry.transfer.id, entry.transfer.purpose);
            let is_correction = purpose == Purpose::Correction && across.get(&debit) == Some(&credit);
            let is_between = [debit, credit].iter().any(|id| accounts.contains(id));
            if is_between && !is_correction && !self.legs.contains(&id) {
                report.find(format!("transfer {id} moves what is between two nodes, and is of no payment"));
            }
        }
    }

    fn count_owed(&mut self, payment: &Payment) {
        let Some(link) = self.links.get(&payment.peer) else { return };
        let owed = self.owed.entry(payment.peer.clone()).or_insert_with(|| Some(BTreeMap::new()));
        let (Some(sums), Some(by)) = (owed.as_mut(), owed_by(link, payment)) else {
            *owed = None;
            return;
        };
        for (asset, amount) in by {
            let sum = sums.entry(asset).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    /// What two nodes owe each other is what their payments come to: a thaw corrects it to just that. While a link stands still a thaw may
    /// have been done in part.
    fn check_owed(&self, books: &Memory, report: &mut LedgerReport) {
        for link in self.links.values().filter(|link| link.frozen.is_none()) {
            let sums = match self.owed.get(&link.peer) {
                Some(None) => continue,
                Some(Some(sums)) => sums.clone(),
                None => BTreeMap::new(),
            };
            for asset in link.terms.assets.iter().map(|covered| covered.asset.id()) {
                let Ok(account) = books.account(link.account(asset));
                let net = account.map_or(0, |account| account.balances.net());
                let owed = if link.is_issuer(asset) { net } else { -net };
                if sums.get(&asset).copied().unwrap_or_default() != owed {
                    let peer = &link.peer;
                    report.find(format!("of {asset} is owed with {peer} what its payments do not come to"));
                }
            }
        }
    }

    /// Whether what a payment moves is what was asked for, from whoever pays it or to whoever is to have it.
    async fn is_right(&self, store: &Store, payment: &Payment) -> Result<bool, Fault> {
        let Some(link) = self.links.get(&payment.peer) else { return Ok(false) };
        let people = match &payment.prepare {
            Some(prepare) => people(prepare, payment.way),
            // Whoever it was, it is somebody.
            None => {
                for leg in payment.legs.iter().chain(&payment.undone) {
                    let owner = get::<OwnerRecord>(store, tables::OWNERS, &leg.credit.0).await?;
                    if !matches!(owner, Some(OwnerRecord { owner: Owner::Person(_), .. })) {
                        return Ok(false);
                    }
                }
                vec![None]
            }
        };
        Ok(people.into_iter().any(|person| is_as_asked(link, payment, person)))
    }
}

/// From which account here a payment may go, or to which it may come; none of a settlement.
fn people(prepare: &Prepare, way: Way) -> Vec<Option<AccountId>> {
    let Aim::Payment { payer, payee, .. } = &prepare.aim else { return vec![None] };
    let (give, got) = (prepare.give.asset, prepare.got().asset);
    let accounts = match (way, payee) {
        (Way::Out, _) => match Memo::of(prepare) {
            Some(Memo { share: Some(share), .. }) => vec![envelope(share.packet, give)],
            Some(Memo { by: Some(_), .. }) => vec![merchant(&payer.name, give)],
            _ => vec![personal(&payer.name, give)],
        },
        (Way::In, Payee::Person(user)) => vec![personal(&user.name, got)],
        (Way::In, Payee::Merchant(shop)) => vec![merchant(&shop.shop.name, got)],
        // Whoever has made it out, a person or a shop: which, the invoice says, and it is looked at with that.
        (Way::In, Payee::Invoice(invoice)) => {
            vec![personal(&invoice.issuer.name, got), merchant(&invoice.issuer.name, got)]
        }
        (Way::In, _) => Vec::new(),
    };
    accounts.into_iter().map(Some).collect()
}

/// Whether what is exchanged, or given back, by somebody here is what they have signed.
async fn is_as_ordered(store: &Store, payment: &Payment) -> Result<bool, Fault> {
    let Some(prepare) = payment.prepare.as_ref().filter(|_| payment.way == Way::Out) else { return Ok(true) };
    let Aim::Payment { payee, .. } = &prepare.aim else { return Ok(true) };
    let is_plain = (prepare.get, prepare.refunds) == (None, None) && matches!(payee, Payee::Person(_));
    if is_plain {
        return Ok(true);
    }
    let row = store.get(tables::ORDERS, &payment.id.0).await?;
    let kept = row.map(|row| OrderRecord::from_record(&row.value)).transpose()?;
    let Some(order) = kept.and_then(|kept| kept.order.peek().ok()) else { return Ok(false) };
    if let Payee::Bearer(bearer) = order.payee {
        return is_as_charged(store, payment, prepare, &order, bearer).await;
    }
    let signed = order.exchange.map(|exchange| (exchange.asset, exchange.amount));
    let is_it = order.payee == *payee && order.tip == Memo::of(prepare).and_then(|memo| memo.tip);
    Ok(is_it && signed == prepare.get.map(|get| (get.asset, get.amount)) && order.refunds == prepare.refunds)
}

/// Whether what went by a code is what its payer allows, and what a shop's node has asked for.
async fn is_as_charged(
    store: &Store,
    payment: &Payment,
    prepare: &Prepare,
    order: &PaymentOrder,
    bearer: BearerPayee,
) -> Result<bool, Fault> {
    let Aim::Payment { payee: Payee::Merchant(MerchantPayee { shop, till: None, sale: Some(sale) }), .. } =
        &prepare.aim
    else {
        return Ok(false);
    };
    let kept: Option<ChargeRecord> = get(store, tables::CHARGES, &charge_key(shop, *sale)).await?;
    let kept = kept.filter(|kept| kept.transfer == payment.id);
    let Some(charge) = kept.and_then(|kept| kept.charge.peek().ok()) else { return Ok(false) };
    let (give, got) = (prepare.give, prepare.got());
    let is_enough =
        if prepare.get.is_some() { got.amount >= charge.amount } else { give.amount == charge.amount };
    Ok((&charge.shop, charge.sale) == (shop, *sale)
        && payment.peer == shop.node
        && BearerPayee::of(&charge.code) == bearer
        && (give.asset, got.asset) == (order.asset, charge.asset)
        && give.amount <= order.amount
        && is_enough
        && prepare.refunds.is_none()
        && Memo::of(prepare).is_some_and(|memo| memo.tip.is_none())
        && payment.at_ms < order.expires_ms)
}

/// Whether there is a payment for each charge of another node.
async fn check_charges(store: &Store, report: &mut LedgerReport) -> Result<(), Fault> {
    let mut charges = Walk::of(store, tables::CHARGES);
    while let Some((_, ChargeRecord { charge, transfer })) = charges.next().await? {
        let peer = charge.peek().map(|charge| charge.shop.node);
        let is_there = match peer {
            Ok(peer) => {
                let key = payment_key(&peer, Way::Out, transfer);
                store.get(tables::LINK_PAYMENTS, &key).await?.is_some()
            }
            Err(_) => false,
        };
        if !is_there {
            report.find(format!("a charge by a code has made no payment {transfer}"));
        }
    }
    Ok(())
}

/// Whether it was exchanged for what does not come into the world by one person's word (decision 0018), when that was so already.
fn brings_guarded(books: &Memory, guard: &GuardLog, payment: &Payment) -> bool {
    let exchanged = payment.prepare.as_ref().filter(|prepare| matches!(prepare.aim, Aim::Payment { .. }));
    let Some(got) = exchanged.and_then(|prepare| prepare.get) else { return false };
    // What waited for a yes came by the answer. What a thaw has undone since they keep all the same.
    let by =
        payment.came().and_then(<[Leg]>::last).map(|leg| [TransferId::of_answer(leg.transfer), leg.transfer]);
    let came = by.into_iter().flatten().find_map(|id| match books.entry(id) {
        Ok(entry) => entry,
    });
    came.is_some_and(|entry| guard.threshold(got.asset, entry.number) > 0)
}

/// By what a thaw lets this node owe the other more out of its own position, of an asset that had a threshold already: such a thaw is
/// refused.
fn corrected_guarded(books: &Memory, guard: &GuardLog, link: &Link) -> Vec<TransferId> {
    let own =
        link.terms.assets.iter().map(|covered| covered.asset.id()).filter(|asset| link.is_issuer(*asset));
    let positions: Vec<_> = own.map(|asset| (asset, link.position(asset), link.account(asset))).collect();
    let corrections = books
        .entries()
        .filter(|entry| (entry.outcome, entry.transfer.purpose) == (Outcome::Done, Purpose::Correction));
    let is_guarded = |entry: &&Entry| {
        let of =
            |moved: &Hold| positions.iter().find(|(_, from, to)| (moved.debit, moved.credit) == (*from, *to));
        let asset = entry.moved.as_ref().and_then(of);
        asset.is_some_and(|(asset, ..)| guard.threshold(*asset, entry.number) > 0)
    };
    corrections.filter(is_guarded).map(|entry| entry.transfer.id).collect()
}

/// Whether each of its legs was moved, is held, or was released, as it says itself; and what a thaw has undone the other way.
fn is_booked(books: &Memory, payment: &Payment) -> bool {
    let done = match payment.state {
        State::Waiting => None,
        State::Fulfilled => Some(true),
        State::Rejected(_) => Some(false),
    };
    payment.legs.iter().all(|leg| moved(books, leg) == Some(done))
        && payment.undone.iter().all(|leg| moved(books, leg) == Some(done.map(|done| !done)))
}

/// Whether the books have a leg as it stands there, and whether it has moved, or gone back.
fn moved(books: &Memory, leg: &Leg) -> Option<Option<bool>> {
    let (Ok(entry), Ok(standing)) = (books.entry(leg.transfer), books.standing(leg.transfer));
    let Leg { debit, credit, amount, .. } = *leg;
    let is_it = |entry: &Entry| entry.moved == Some(Hold { debit, credit, amount });
    let entry = entry.filter(|entry| entry.outcome == Outcome::Done && is_it(entry))?;
    let end = standing.and_then(|standing| standing.resolution).map(|end| end.posted == amount);
    match entry.transfer.movement {
        Movement::Posted { .. } => Some(Some(true)),
        Movement::Pending { .. } => Some(end),
        Movement::Post { .. } | Movement::Void { .. } => None,
    }
}
