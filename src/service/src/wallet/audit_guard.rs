//! Whether all that had to be approved was: the changes of the guard one after the other, and against each what was issued.

use super::{
    accounts::issuance,
    audit::all,
    audit::{LedgerReport, get},
    audit_links::thawed_exchanges,
    bank_import::transfer_of,
    bank_records::BankLineRecord,
    guard::GUARD,
    guard_records::{GuardChange, GuardChangeRecord, GuardRecord, GuardedRecord, ProposalRecord},
    orders::DAY_MS,
};
use crate::Fault;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use weft_ledger::{AccountKind, Books, Entry, Memory, Movement, Outcome, Purpose};
use weft_store::{Store, tables};
use weft_wire::{
    AssetId, BankLineId, TransferId, UserName,
    wallet::{AssetAmount, Proposed},
};

/// All that the guard has said, as its log makes it.
pub(super) struct GuardLog {
    /// Who approved after each change; the first: before any.
    approvers: Vec<BTreeSet<UserName>>,
    /// From which event of the ledger on which threshold holds, of each asset.
    thresholds: BTreeMap<AssetId, Vec<(u64, u64)>>,
    approved: BTreeMap<TransferId, Proposed>,
}

impl GuardLog {
    /// What an approved proposal says.
    pub(super) fn approved(&self, id: TransferId) -> Option<&Proposed> {
        self.approved.get(&id)
    }

    /// The threshold that held when an event came.
    pub(super) fn threshold(&self, asset: AssetId, event: u64) -> u64 {
        let known = self.thresholds.get(&asset).into_iter().flatten();
        known.take_while(|(since, _)| *since < event).last().map_or(0, |(_, amount)| *amount)
    }
}

/// Does the guard's log again, and holds all that came into the world against it.
pub(super) async fn check_guard(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<GuardLog, Fault> {
    let mut proposals = BTreeMap::new();
    for (key, record) in all::<ProposalRecord>(store, tables::PROPOSALS).await? {
        match TransferId::from_slice(&key) {
            Ok(id) => drop(proposals.insert(id, record)),
            Err(_) => report.find("a proposal without an id".to_owned()),
        }
    }
    let log = read_log(store, &proposals, report).await?;
    check_issued(store, books, &log, report).await?;
    for (id, what) in &log.approved {
        let made = match what {
            Proposed::Issue(_) | Proposed::Settle(_) => {
                let Ok(entry) = books.entry(*id);
                entry.is_some_and(|entry| entry.outcome == Outcome::Done)
            }
            _ => true,
        };
        if !made {
            report.find(format!("proposal {id} was approved, and is not in the books"));
        }
    }
    Ok(log)
}

async fn read_log(
    store: &Store,
    proposals: &BTreeMap<TransferId, ProposalRecord>,
    report: &mut LedgerReport,
) -> Result<GuardLog, Fault> {
    let mut log =
        GuardLog { approvers: vec![BTreeSet::new()], thresholds: BTreeMap::new(), approved: BTreeMap::new() };
    let mut number = 0_u64;
    for (key, record) in all::<GuardChangeRecord>(store, tables::GUARD_LOG).await? {
        number += 1;
        if key != number.to_be_bytes() {
            report.find(format!("the guard's log jumps at {number}"));
            break;
        }
        if !is_right(&log, number, &record, proposals) {
            report.find(format!("change {number} of the guard was not approved as it had to be"));
        }
        let mut approvers = log.approvers.last().cloned().unwrap_or_default();
        match record.change {
            GuardChange::Appointed(name) => drop(approvers.insert(name)),
            GuardChange::Dismissed(name) => drop(approvers.remove(&name)),
            GuardChange::Threshold { asset, amount } => {
                log.thresholds.entry(asset).or_default().push((record.event, amount));
            }
        }
        log.approvers.push(approvers);
    }
    let guard = get::<GuardRecord>(store, tables::GUARD, GUARD).await?.unwrap_or_default();
    let kept: BTreeSet<UserName> = guard.approvers.into_iter().collect();
    if guard.changes != number || log.approvers.last() != Some(&kept) {
        report.find("who approves is not what the guard's log says".to_owned());
    }
    for (id, record) in proposals {
        if record.decision.as_ref().is_none_or(|decision| !decision.approved) {
            continue;
        }
        match is_signed(&log, *id, record) {
            true => drop(log.approved.insert(*id, record.what.clone())),
            false => report.find(format!("proposal {id} is not signed by somebody who may approve it")),
        }
    }
    Ok(log)
}

/// Whether a change may be: a lower threshold always, all else by its proposal.
fn is_right(
    log: &GuardLog,
    number: u64,
    record: &GuardChangeRecord,
    proposals: &BTreeMap<TransferId, ProposalRecord>,
) -> bool {
    let what = match record.proposal.and_then(|id| proposals.get(&id).map(|known| (id, known))) {
        None if record.proposal.is_some() => return false,
        None => None,
        Some((id, known)) => {
            // Decided as the change before this one stood.
            let is_now = known.decision.as_ref().is_some_and(|one| one.approved && one.change + 1 == number);
            if !is_now || !is_signed(log, id, known) {
                return false;
            }
            Some(&known.what)
        }
    };
    match (&record.change, what) {
        (GuardChange::Appointed(name), Some(Proposed::Appoint(user)))
        | (GuardChange::Dismissed(name), Some(Proposed::Dismiss(user))) => user.name == *name,
        (GuardChange::Threshold { asset, amount }, Some(Proposed::Threshold(wish))) => {
            *wish == AssetAmount { asset: *asset, amount: *amount }
        }
        (GuardChange::Threshold { asset, amount }, None) => {
            let before = log.thresholds.get(asset).and_then(|known| known.last()).map_or(0, |last| last.1);
            *amount > 0 && (before == 0 || *amount < before)
        }
        _ => false,
    }
}

/// Whether a decision is signed, over what the proposal says, by somebody who could decide it then.
fn is_signed(log: &GuardLog, id: TransferId, record: &ProposalRecord) -> bool {
    let Some(decision) = &record.decision else { return false };
    let key = decision.cert.peek().ok().filter(|cert| cert.user.name == decision.by);
    let Some(word) = key.and_then(|cert| decision.approval.verify(&cert.order_key).ok()) else {
        return false;
    };
    let Some(approvers) = usize::try_from(decision.change).ok().and_then(|at| log.approvers.get(at)) else {
        return false;
    };
    let is_theirs = match &record.what {
        Proposed::Appoint(user) if approvers.is_empty() => user.name == decision.by,
        _ => approvers.contains(&decision.by),
    };
    is_theirs
        && (word.proposal, &word.by.name, word.approve) == (id, &decision.by, decision.approved)
        && (&word.what, word.proposed_ms) == (&record.what, record.at_ms)
}

/// Adds up what came into the world of each asset on each day without approval.
async fn check_issued(
    store: &Store,
    books: &Memory,
    log: &GuardLog,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut files = BTreeMap::new();
    if !log.thresholds.is_empty() {
        for (key, record) in all::<BankLineRecord>(store, tables::BANK_LINES).await? {
            if let (Ok(line), Some(proposal)) = (BankLineId::from_slice(&key), record.proposal) {
                files.insert(transfer_of(line, false), proposal);
            }
        }
    }
    let mut booked = BTreeMap::<TransferId, u64>::new();
    let thawed = match log.thresholds.is_empty() {
        true => HashSet::new(),
        false => thawed_exchanges(store).await?,
    };
    for (asset, known) in &log.thresholds {
        let comes = |entry: &&Entry| mints(entry, *asset) || is_thawed(books, entry, *asset, &thawed);
        let mut made: Vec<&Entry> = books.entries().filter(comes).collect();
        made.sort_by_key(|entry| entry.number);
        let (mut day, mut sum, mut turned_on) = (0, 0_u64, None);
        for entry in made {
            let threshold = log.threshold(*asset, entry.number);
            let on = known.iter().rev().skip_while(|(since, _)| *since >= entry.number);
            let on = on.take_while(|(_, amount)| *amount > 0).last().map(|(since, _)| *since);
            let amount = entry.moved.map_or(0, |moved| moved.amount);
            if threshold == 0 || is_approved(log, entry, amount, &files, &mut booked) {
                continue;
            }
            if day != entry.at_ms / DAY_MS || on != turned_on {
                (day, sum, turned_on) = (entry.at_ms / DAY_MS, 0, on);
            }
            sum = sum.saturating_add(amount);
            if sum > threshold {
                let id = entry.transfer.id;
                report.find(format!("transfer {id} is above the threshold, and nobody has approved it"));
            }
        }
        let kept = get::<GuardedRecord>(store, tables::GUARDED, &asset.0).await?.unwrap_or_default();
        if kept.threshold != known.last().map_or(0, |last| last.1) {
            report.find(format!("the threshold of {asset} is not what the guard's log says"));
        }
    }
    for (id, sum) in booked {
        if !matches!(log.approved(id), Some(Proposed::File(file)) if sum <= file.amount) {
            report.find(format!("more of a bank's file is booked than proposal {id} says"));
        }
    }
    Ok(())
}

/// Whether a transfer brings some of an asset into the world.
fn mints(entry: &Entry, asset: AssetId) -> bool {
    entry.outcome == Outcome::Done
        && matches!(entry.transfer.movement, Movement::Posted { .. } | Movement::Pending { .. })
        && entry.moved.is_some_and(|moved| moved.debit == issuance(asset))
}

/// Whether a transfer brings some of an asset into the world by the word of a thaw: out of the node's position goes what it owes another
/// node from then on, or what somebody here has got for something else.
fn is_thawed(books: &Memory, entry: &Entry, asset: AssetId, exchanges: &HashSet<TransferId>) -> bool {
    let Some(moved) = entry.moved.filter(|_| entry.is_posted()) else { return false };
    let (Ok(from), Ok(to)) = (books.account(moved.debit), books.account(moved.credit));
    let is_own = from.is_some_and(|from| (from.kind, from.asset) == (AccountKind::Equity, asset));
    let is_owed =
        entry.transfer.purpose == Purpose::Correction && to.is_some_and(|to| to.kind == AccountKind::Vostro);
    is_own && (is_owed || exchanges.contains(&entry.transfer.id))
}

fn is_approved(
    log: &GuardLog,
    entry: &Entry,
    amount: u64,
    files: &BTreeMap<TransferId, TransferId>,
    booked: &mut BTreeMap<TransferId, u64>,
) -> bool {
    let id = entry.transfer.id;
    if let Some(proposal) = files.get(&id) {
        let sum = booked.entry(*proposal).or_default();
        *sum = sum.saturating_add(amount);
        return matches!(log.approved(*proposal), Some(Proposed::File(_)));
    }
    let wish = match (log.approved(id), entry.transfer.purpose) {
        (Some(Proposed::Issue(wish)), Purpose::Issue) => wish,
        (Some(Proposed::Settle(wish)), Purpose::Settlement) => wish,
        _ => return false,
    };
    let credit = match entry.transfer.purpose {
        Purpose::Issue => super::accounts::personal(&wish.user.name, wish.asset),
        _ => super::accounts::agent(&wish.user.name, wish.asset),
    };
    wish.amount == amount && entry.moved.is_some_and(|moved| moved.credit == credit)
}
