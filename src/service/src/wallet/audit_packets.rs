//! Red packets once more from what was moved into their envelopes and out of them.

use super::{
    LedgerReport,
    accounts::{envelope, personal},
    audit::get,
    records::{ClaimRecord, Owner, OwnerRecord, PacketRecord},
};
use crate::Fault;
use std::collections::{BTreeMap, BTreeSet};
use weft_ledger::{AccountKind, Books, Entry, Hold, Memory, Movement, Outcome, Purpose};
use weft_store::{Scan, Store, record::Record, tables};
use weft_wire::{AccountId, TransferId, wallet::PacketState};

/// What the books have of an envelope.
#[derive(Default)]
struct Envelope {
    /// What was put in.
    into: Vec<TransferId>,
    /// What was taken out, or is held for somebody.
    out: BTreeSet<TransferId>,
}

/// Whether what was put into each packet is what was taken, went back and is left, each share went to the one who has opened it,
/// once, and nothing went to anybody else.
pub(super) async fn check_packets(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let mut envelopes = envelopes(books);
    let mut after = Vec::new();
    loop {
        let rows = store.scan(tables::PACKETS, Scan::prefix([]).after(&after)).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.key);
        for row in rows {
            let packet = PacketRecord::from_record(&row.value)?;
            let Ok(id) = TransferId::from_slice(&row.key) else {
                report.find("a packet has no name".to_owned());
                continue;
            };
            let known = envelopes.remove(&envelope(id, packet.asset)).unwrap_or_default();
            check_packet(store, books, report, (id, &packet), known).await?;
        }
    }
    for id in envelopes.into_values().flat_map(|known| known.into.into_iter().chain(known.out)) {
        report.find(format!("transfer {id} is of no packet"));
    }
    Ok(())
}

/// Of each account of a packet that anything has moved.
fn envelopes(books: &Memory) -> BTreeMap<AccountId, Envelope> {
    let kinds = books.accounts().filter(|account| account.kind == AccountKind::Envelope);
    let ids: BTreeSet<AccountId> = kinds.map(|account| account.id).collect();
    let mut envelopes: BTreeMap<AccountId, Envelope> = BTreeMap::new();
    for entry in books.entries().filter(|entry| entry.outcome == Outcome::Done) {
        // What is held and then posted or released is one transfer.
        let (Movement::Posted { debit, credit, .. } | Movement::Pending { debit, credit, .. }) =
            entry.transfer.movement
        else {
            continue;
        };
        if ids.contains(&debit) {
            envelopes.entry(debit).or_default().out.insert(entry.transfer.id);
        }
        if ids.contains(&credit) {
            envelopes.entry(credit).or_default().into.push(entry.transfer.id);
        }
    }
    envelopes
}

async fn check_packet(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
    (id, packet): (TransferId, &PacketRecord),
    mut known: Envelope,
) -> Result<(), Fault> {
    let account = envelope(id, packet.asset);
    let maker = personal(&packet.maker.name, packet.asset);
    let is_paid = done(books, id).is_some_and(|entry| {
        let moved = entry.moved.is_some_and(|moved| (moved.credit, moved.amount) == (account, packet.total));
        entry.is_posted() && entry.transfer.purpose == Purpose::PacketFund && moved
    });
    if !is_paid || known.into != [id] {
        report.find(format!("packet {id} was not paid by one order"));
    }
    let (mut users, mut places, mut sum, mut after) = (BTreeSet::new(), 0_u32, 0, Vec::new());
    loop {
        let rows = store.scan(tables::PACKET_CLAIMS, Scan::prefix(id.0).after(&after)).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.key);
        for row in rows {
            let claim = ClaimRecord::from_record(&row.value)?;
            let (user, transfer) = (&claim.user, TransferId::of_claim(id, &claim.user));
            if row.key.get(16..) != Some(places.to_be_bytes().as_slice()) {
                report.find(format!("packet {id}: the share at {places} is missing"));
            }
            (places, sum) = (places.saturating_add(1), sum + u128::from(claim.amount));
            if !users.insert(claim.user.clone()) {
                report.find(format!("packet {id}: {user} has two shares"));
            }
            known.out.remove(&transfer);
            if claim.returned {
                known.out.remove(&TransferId::of_packet_return(transfer));
            }
            if !is_given(store, books, (transfer, packet, &claim), (account, maker)).await? {
                report.find(format!("packet {id}: the share of {user} is not what was moved"));
            }
        }
    }
    if places != packet.claims || places > packet.terms.shares {
        report.find(format!("packet {id} has {places} shares taken of {}", packet.claims));
    }
    let back = TransferId::of_packet_return(id);
    if packet.state == PacketState::Expired {
        known.out.remove(&back);
    }
    let returned = done(books, back).and_then(|entry| posted(&entry, account, maker)).unwrap_or(0);
    if sum + u128::from(returned) + u128::from(packet.left) != u128::from(packet.total) {
        report.find(format!("packet {id} does not add up"));
    }
    // What is held for people of other nodes is theirs.
    let Ok(kept) = books.account(account);
    if kept.is_none_or(|kept| kept.balances.lowest() != i128::from(packet.left)) {
        report.find(format!("packet {id} does not hold what is left in it"));
    }
    let is_ended = packet.state != PacketState::Open;
    let is_empty = packet.state == PacketState::Empty;
    if (is_ended && packet.left > 0) || is_empty != (packet.claims == packet.terms.shares) {
        report.find(format!("packet {id} has not ended as it says"));
    }
    for transfer in known.out {
        report.find(format!("transfer {transfer} out of packet {id} is nobody's share"));
    }
    Ok(())
}

/// Whether a share went, or is on its way, to the one who has it; or came back from their node, and is the giver's.
async fn is_given(
    store: &Store,
    books: &Memory,
    (transfer, packet, claim): (TransferId, &PacketRecord, &ClaimRecord),
    (account, maker): (AccountId, AccountId),
) -> Result<bool, Fault> {
    let (Some(entry), Ok(standing)) = (done(books, transfer), books.standing(transfer)) else {
        return Ok(false);
    };
    let Some(Hold { debit, credit, amount }) = entry.moved else { return Ok(false) };
    if (debit, amount) != (account, claim.amount) {
        return Ok(false);
    }
    if claim.user.node == packet.maker.node {
        let is_theirs = credit == personal(&claim.user.name, packet.asset);
        return Ok(is_theirs && entry.is_posted() && !claim.returned);
    }
    let owner = get::<OwnerRecord>(store, tables::OWNERS, &credit.0).await?.map(|known| known.owner);
    let ended = standing.and_then(|standing| standing.resolution).map(|end| end.posted);
    let is_over = match ended {
        Some(0) => {
            let back = done(books, TransferId::of_packet_return(transfer));
            let back = back.and_then(|entry| posted(&entry, account, maker));
            claim.returned && back == Some(amount)
        }
        Some(posted) => !claim.returned && posted == amount,
        None => !claim.returned && !entry.is_posted(),
    };
    Ok(is_over && owner == Some(Owner::Peer(claim.user.node.clone())))
}

fn done(books: &Memory, id: TransferId) -> Option<Entry> {
    let Ok(entry) = books.entry(id);
    entry.filter(|entry| entry.outcome == Outcome::Done)
}

/// How much moved from one to the other.
fn posted(entry: &Entry, debit: AccountId, credit: AccountId) -> Option<u64> {
    let moved = entry.moved.filter(|_| entry.is_posted())?;
    ((moved.debit, moved.credit) == (debit, credit)).then_some(moved.amount)
}
