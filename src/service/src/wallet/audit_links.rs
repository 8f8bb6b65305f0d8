//! Whether payments between nodes are in the books as their links say.

use super::{
    Memo,
    accounts::{envelope, merchant, personal},
    audit::{LedgerReport, all, get},
    audit_guard::GuardLog,
    link_books::payer_key,
    link_settle::settled_key,
    records::{LinkRecord, OrderRecord, Owner, OwnerRecord, RemoteRecord, WaitingRecord},
};
use crate::Fault;
use std::collections::{BTreeMap, HashMap, HashSet};
use weft_ledger::{
    AccountKind, Books, Entry, Hold, Memory, Movement, Outcome, Purpose,
    link::{Aim, Leg, Link, Payment, Prepare, State, Way, is_as_asked, was_found},
};
use weft_store::{Scan, Store, record::Record, tables};
use weft_wire::{AccountId, NodeName, TransferId, wallet::Payee};

/// All links of this node, by the other one.
type Links = BTreeMap<NodeName, Link>;

/// Compares the payments of all links with the books as their events make them.
pub(super) async fn check_links(
    store: &Store,
    books: &Memory,
    guard: &GuardLog,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let (mut waiting, mut after) = (BTreeMap::<NodeName, (u32, u32)>::new(), Vec::new());
    let (mut of_payers, mut settled) = (BTreeMap::<Vec<u8>, u32>::new(), 0);
    let (links, mut legs) = (links(store).await?, HashSet::new());
    loop {
        let rows = store.scan(tables::LINK_PAYMENTS, Scan::prefix([]).after(&after)).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.key);
        for row in rows {
            let RemoteRecord(payment) = RemoteRecord::from_record(&row.value)?;
            if payment.state == State::Waiting {
                let (out, into) = waiting.entry(payment.peer.clone()).or_default();
                *(if payment.way == Way::Out { out } else { into }) += 1;
                if let Some(Aim::Payment { payer, .. }) = payment.prepare.as_ref().map(|prepare| &prepare.aim)
                {
                    *of_payers.entry(payer_key(&payment.peer, payment.way, payer)).or_default() += 1;
                }
            }
            settled += u64::from(settled_key(&payment).is_some());
            legs.extend(payment.legs.iter().chain(&payment.undone).map(|leg| leg.transfer));
            if !is_booked(books, &payment) || !is_right(store, &links, &payment).await? {
                report.find(format!("payment {} with {} is not booked so", payment.id, payment.peer));
            }
            let link = links.get(&payment.peer);
            if link.is_some_and(|link| brings_guarded(books, guard, link, &payment)) {
                let (id, peer) = (payment.id, &payment.peer);
                report.find(format!("payment {id} with {peer} was exchanged for what needs approval"));
            }
            if !is_as_ordered(store, &payment).await? {
                report.find(format!("payment {} with {} is not what was ordered", payment.id, payment.peer));
            }
        }
    }
    check_payers(store, &of_payers, report).await?;
    check_moved(books, &links, &legs, report);
    if super::audit::count(store, tables::LINK_SETTLEMENTS).await? != settled {
        report.find("the list of settlements is not that of the payments between nodes".to_owned());
    }
    for link in links.values() {
        let known = waiting.get(&link.peer).copied().unwrap_or_default();
        if known != (link.waiting_out, link.waiting_in) {
            report.find(format!("the link with {} counts other payments than wait", link.peer));
        }
    }
    Ok(())
}

async fn links(store: &Store) -> Result<Links, Fault> {
    let links = all::<LinkRecord>(store, tables::LINKS).await?.into_iter();
    Ok(links.map(|(_, LinkRecord(link))| (link.peer.clone(), link)).collect())
}

/// Nothing moves what is between two nodes, or is their own by that, but payments, and what a thaw corrects.
fn check_moved(books: &Memory, links: &Links, legs: &HashSet<TransferId>, report: &mut LedgerReport) {
    let is_between = |kind| matches!(kind, AccountKind::Vostro | AccountKind::Nostro | AccountKind::Equity);
    let accounts = books.accounts().filter(|account| is_between(account.kind));
    let accounts: HashSet<AccountId> = accounts.map(|account| account.id).collect();
    let mut across = HashMap::new();
    for link in links.values() {
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
        let is_correction =
            entry.transfer.purpose == Purpose::Correction && across.get(&debit) == Some(&credit);
        let id = entry.transfer.id;
        if [debit, credit].iter().any(|id| accounts.contains(id)) && !is_correction && !legs.contains(&id) {
            report.find(format!("transfer {id} moves what is between two nodes, and is of no payment"));
        }
    }
}

/// Whether what a payment moves is what was asked for, from whoever pays it or to whoever is to have it.
async fn is_right(store: &Store, links: &Links, payment: &Payment) -> Result<bool, Fault> {
    let Some(link) = links.get(&payment.peer) else { return Ok(false) };
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

/// From which account here a payment may go, or to which it may come; none of a settlement.
fn people(prepare: &Prepare, way: Way) -> Vec<Option<AccountId>> {
    let Aim::Payment { payer, payee, .. } = &prepare.aim else { return vec![None] };
    let (give, got) = (prepare.give.asset, prepare.got().asset);
    let memo = Memo::of(prepare);
    let accounts = match (way, payee) {
        (Way::Out, _) => match memo {
            Some(Memo { share: Some(share), .. }) => vec![envelope(share.packet, give)],
            Some(Memo { by: Some(_), .. }) => vec![merchant(&payer.name, give)],
            _ => vec![personal(&payer.name, give)],
        },
        (Way::In, Payee::Person(user)) => vec![personal(&user.name, got)],
        (Way::In, Payee::Merchant(shop)) => vec![merchant(&shop.shop.name, got)],
        // Whoever has made it out: a person, or a shop.
        (Way::In, Payee::Invoice(invoice)) => {
            vec![personal(&invoice.issuer.name, got), merchant(&invoice.issuer.name, got)]
        }
        (Way::In, _) => Vec::new(),
    };
    accounts.into_iter().map(Some).collect()
}

/// By which transfers a thaw has brought in what was exchanged: what waited here, and neither was accepted nor given back.
pub(super) async fn thawed_exchanges(store: &Store) -> Result<HashSet<TransferId>, Fault> {
    let payments = all::<RemoteRecord>(store, tables::LINK_PAYMENTS).await?.into_iter();
    let thawed = payments.filter(|(_, RemoteRecord(payment))| payment.thawed && is_exchanged(payment));
    let legs = thawed.filter_map(|(_, RemoteRecord(payment))| payment.legs.last().copied());
    Ok(legs.map(|leg| TransferId::of_answer(leg.transfer)).collect())
}

/// Whether somebody here has got something else than was given.
fn is_exchanged(payment: &Payment) -> bool {
    let prepare = payment.prepare.as_ref().filter(|prepare| matches!(prepare.aim, Aim::Payment { .. }));
    (payment.way, payment.state) == (Way::In, State::Fulfilled)
        && prepare.is_some_and(|prepare| prepare.get.is_some())
}

/// Nobody is kept from paying by more than waits. What waits since before it was counted is less there.
async fn check_payers(
    store: &Store,
    waiting: &BTreeMap<Vec<u8>, u32>,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut after = Vec::new();
    loop {
        let rows = store.scan(tables::LINK_WAITING, Scan::prefix([]).after(&after)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after.clone_from(&last.key);
        for row in rows {
            let WaitingRecord(count) = WaitingRecord::from_record(&row.value)?;
            if count > waiting.get(&row.key).copied().unwrap_or_default() {
                report.find(format!("{}: more payments are counted than wait", row.key.escape_ascii()));
            }
        }
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
    let signed = order.exchange.map(|exchange| (exchange.asset, exchange.amount));
    let is_it = order.payee == *payee && order.tip == Memo::of(prepare).and_then(|memo| memo.tip);
    Ok(is_it && signed == prepare.get.map(|get| (get.asset, get.amount)) && order.refunds == prepare.refunds)
}

/// Whether it was exchanged for what does not come into the world by one person's word (decision 0018), when that was so already. What
/// both operators say of it in a thaw counts as what this one issues ([`thawed_exchanges`]).
fn brings_guarded(books: &Memory, guard: &GuardLog, link: &Link, payment: &Payment) -> bool {
    let Some(got) = payment.prepare.as_ref().and_then(|prepare| prepare.get) else { return false };
    if !is_exchanged(payment) || (payment.thawed && !was_found(link, payment)) {
        return false;
    }
    // What waited for a yes came by the answer.
    let by = payment.legs.last().map(|leg| [TransferId::of_answer(leg.transfer), leg.transfer]);
    let came = by.into_iter().flatten().find_map(|id| match books.entry(id) {
        Ok(entry) => entry,
    });
    came.is_some_and(|entry| guard.threshold(got.asset, entry.number) > 0)
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
