//! Whether payments between nodes are in the books as their links say.

use super::{
    Memo,
    audit::{LedgerReport, Walk, count, get},
    audit_guard::GuardLog,
    link_books::{payer_key, payment_key},
    link_settle::settled_key,
    records::{ChargeRecord, LinkRecord, OrderRecord, WaitingRecord},
    remote_codes::charge_key,
};
use crate::Fault;
use std::collections::BTreeMap;
use weft_ledger::{
    Books, Entry, Hold, Memory, Movement, Outcome, Purpose,
    link::{Aim, Link, Payment, Prepare, State, Way},
};
use weft_store::{Store, record::Record, tables};
use weft_wire::{
    NodeName, TransferId,
    wallet::{BearerPayee, MerchantPayee, Payee, PaymentOrder},
};

/// What the payments of all links come to.
#[derive(Default)]
pub(super) struct Links {
    /// Of each link: how many wait, out and in.
    waiting: BTreeMap<NodeName, (u32, u32)>,
    /// Of each payer.
    of_payers: BTreeMap<Vec<u8>, u32>,
    settled: u64,
}

impl Links {
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
        if !is_booked(books, payment) {
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
        let mut links = Walk::of(store, tables::LINKS);
        while let Some((_, LinkRecord(link))) = links.next().await? {
            let known = self.waiting.get(&link.peer).copied().unwrap_or_default();
            if known != (link.waiting_out, link.waiting_in) {
                report.find(format!("the link with {} counts other payments than wait", link.peer));
            }
            for id in corrected_guarded(books, guard, &link) {
                let peer = &link.peer;
                report
                    .find(format!("transfer {id} of a thaw with {peer} has brought in what needs approval"));
            }
        }
        Ok(())
    }
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
    if (payment.way, payment.state) != (Way::In, State::Fulfilled) {
        return false;
    }
    // What waited for a yes came by the answer.
    let by = payment.legs.last().map(|leg| [TransferId::of_answer(leg.transfer), leg.transfer]);
    let came = by.into_iter().flatten().find_map(|id| match books.entry(id) {
        Ok(entry) => entry,
    });
    came.is_some_and(|entry| guard.threshold(got.asset, entry.number) > 0)
}

/// What a thaw has brought in out of the node's own position, of an asset that had a threshold already.
fn corrected_guarded(books: &Memory, guard: &GuardLog, link: &Link) -> Vec<TransferId> {
    let own =
        link.terms.assets.iter().map(|covered| covered.asset.id()).filter(|asset| link.is_issuer(*asset));
    let positions: Vec<_> = own.map(|asset| (asset, link.position(asset))).collect();
    let corrections = books
        .entries()
        .filter(|entry| (entry.outcome, entry.transfer.purpose) == (Outcome::Done, Purpose::Correction));
    let is_guarded = |entry: &&Entry| {
        let of = |moved: &Hold| positions.iter().find(|(_, position)| moved.debit == *position);
        let asset = entry.moved.as_ref().and_then(of);
        asset.is_some_and(|(asset, _)| guard.threshold(*asset, entry.number) > 0)
    };
    corrections.filter(is_guarded).map(|entry| entry.transfer.id).collect()
}

/// Whether each of its legs was moved, is held, or was released, as it says itself.
fn is_booked(books: &Memory, payment: &Payment) -> bool {
    payment.legs.iter().all(|leg| {
        let (Ok(entry), Ok(standing)) = (books.entry(leg.transfer), books.standing(leg.transfer));
        let Some(entry) = entry.filter(|entry| entry.outcome == Outcome::Done) else { return false };
        let end = standing.and_then(|standing| standing.resolution).map(|end| end.posted > 0);
        match (entry.transfer.movement, payment.state) {
            (Movement::Posted { .. }, state) => state == State::Fulfilled,
            (_, State::Waiting) => end.is_none(),
            (_, State::Fulfilled) => end == Some(true),
            (_, State::Rejected(_)) => end == Some(false),
        }
    })
}
