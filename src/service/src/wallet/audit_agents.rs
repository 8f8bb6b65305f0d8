//! Whether the floats of cash agents are bound as the list says, and whether that was approved where it had to be.

use super::{
    accounts::agent,
    agent_records::{AgentBook, AgentRecord},
    audit::LedgerReport,
    audit::all,
    audit_guard::GuardLog,
    orders::DAY_MS,
};
use crate::Fault;
use std::collections::BTreeSet;
use weft_ledger::{Books, Entry, Freeze, Memory, Outcome, Purpose};
use weft_store::{Store, tables};
use weft_wire::{AccountId, AssetId, UserName, wallet::Proposed};

/// Compares the agents with the books as their events make them.
pub(super) async fn check_agents(
    store: &Store,
    books: &Memory,
    guard: &GuardLog,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut listed = BTreeSet::new();
    for (key, book) in all::<AgentBook>(store, tables::AGENT_BOOKS).await? {
        if let Ok(asset) = AssetId::from_slice(&key) {
            listed.extend(book.agents.into_iter().map(|name| (name, asset)));
        }
    }
    let mut kept = BTreeSet::new();
    for (key, record) in all::<AgentRecord>(store, tables::AGENTS).await? {
        let Some((name, asset)) = of_key(&key) else {
            report.find("an agent without a name".to_owned());
            continue;
        };
        if !is_bound(books, &name, asset, &record) {
            report.find(format!("the float of {name} is not bound as it is kept"));
        }
        if !is_approved(guard, &name, asset, &record) {
            report.find(format!("the limit of {name}'s float was not approved"));
        }
        let sums = turnover(books, agent(&name, asset), &record);
        if sums != (record.cash_in, record.cash_out) {
            report.find(format!("the turnover of {name} on the last day is not that of the books"));
        }
        kept.insert((name, asset));
    }
    if listed != kept {
        report.find("the lists of cash agents differ".to_owned());
    }
    Ok(())
}

fn of_key(key: &[u8]) -> Option<(UserName, AssetId)> {
    let (front, asset) = key.split_last_chunk::<16>()?;
    let name = std::str::from_utf8(front.strip_suffix(&[0])?).ok()?;
    Some((name.parse().ok()?, AssetId(*asset)))
}

fn is_bound(books: &Memory, name: &UserName, asset: AssetId, record: &AgentRecord) -> bool {
    let Ok(account) = books.account(agent(name, asset));
    account.is_some_and(|account| {
        account.bounds.floor == Some(-i128::from(record.limit))
            && account.bounds.cap.is_none()
            && (account.freeze == Freeze::All) == record.frozen
    })
}

/// What is lent comes into the world: where there was a threshold, somebody has signed for it.
fn is_approved(guard: &GuardLog, name: &UserName, asset: AssetId, record: &AgentRecord) -> bool {
    match record.proposal {
        Some(id) => matches!(guard.approved(id), Some(Proposed::Float(wish))
            if (&wish.user.name, wish.asset) == (name, asset) && record.limit <= wish.amount),
        None => record.limit == 0 || guard.threshold(asset, record.event + 1) == 0,
    }
}

/// Cash in and out on the last day.
fn turnover(books: &Memory, float: AccountId, record: &AgentRecord) -> (u64, u64) {
    let (mut taken, mut given) = (0_u64, 0_u64);
    let is_of = |entry: &&Entry| {
        let is_then = entry.number > record.since && entry.at_ms / DAY_MS == record.day;
        entry.outcome == Outcome::Done && is_then
    };
    for entry in books.entries().filter(is_of) {
        let Some(moved) = entry.moved else { continue };
        match entry.transfer.purpose {
            Purpose::CashIn if moved.debit == float => taken = taken.saturating_add(moved.amount),
            Purpose::CashOut if moved.credit == float => given = given.saturating_add(moved.amount),
            _ => {}
        }
    }
    (taken, given)
}
