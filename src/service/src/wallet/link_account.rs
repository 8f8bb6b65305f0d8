//! The statement of a link: what was owed at the beginning of a time, what moved it, and what is owed at the end, for operators to
//! compare and to keep.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    link_books::payment_key,
    link_settle::note_of,
    records::{EntryRecord, RemoteRecord},
    sheet::{Sheet, Stop},
};
use crate::Fault;
use std::collections::BTreeMap;
use weft_ledger::{
    Account, Books, Entry, Purpose, format_amount,
    link::{Aim, LinkBooks, Payment, Way},
};
use weft_store::{Scan, tables};
use weft_wire::{
    AccountId, Millis, NodeName, TransferId,
    limits::STATEMENT_LINES_MAX,
    links::{LinkStatement, StatementAsset, StatementKind, StatementLine, StatementSum},
    wallet::Asset,
};

/// Rows of an account's history that are looked through, from the newest back to the beginning of the time.
const ROWS_MAX: usize = 500_000;

/// An account between the two nodes, as of one event of the ledger.
struct Start {
    asset: Asset,
    account: AccountId,
    is_issuer: bool,
    /// What is owed.
    owed: i128,
}

/// What is told of one asset, while it is gathered from the newest back.
struct Gathered {
    /// What is owed before all that was gathered.
    owed: i128,
    closing: i128,
    lines: Vec<StatementLine>,
    sums: BTreeMap<StatementKind, (u64, u128, u128)>,
    whole: bool,
}

impl Wallet {
    /// What moved what the two nodes owe each other from one time up to another, of each asset of the terms.
    ///
    /// # Errors
    /// [`WalletError::Link`] if there is no link, [`Fault::Invalid`], [`Fault::TooMany`] if the beginning is too far away.
    pub async fn link_account(
        &self,
        peer: &NodeName,
        from_ms: Millis,
        until_ms: Millis,
    ) -> Result<LinkStatement> {
        if from_ms >= until_ms {
            return Err(Fault::Invalid { field: "until", why: "it is after the beginning" }.into());
        }
        let named = peer.clone();
        let (newest, starts) = self.teller.run(move |sheet| sheet.link_starts(&named)).await?;
        let mut assets = Vec::with_capacity(starts.len());
        for start in starts {
            let gathered = self.gather(peer, &start, newest, (from_ms, until_ms)).await?;
            assets.push(told(start.asset, gathered));
        }
        let (of, with) = (self.ctx.node.clone(), peer.clone());
        Ok(LinkStatement { of, with, from_ms, until_ms, assets })
    }

    async fn gather(
        &self,
        peer: &NodeName,
        start: &Start,
        newest: u64,
        (from_ms, until_ms): (Millis, Millis),
    ) -> Result<Gathered> {
        let (owed, mut rows_seen) = (start.owed, 0);
        let mut all = Gathered { owed, closing: owed, lines: Vec::new(), sums: BTreeMap::new(), whole: true };
        let mut scan = Scan::prefix(start.account.0).reverse();
        loop {
            let rows = self.ctx.store.scan(tables::LEDGER_HISTORY, scan.clone()).await?;
            let Some(last) = rows.last() else { return Ok(all) };
            scan = scan.after(&last.key);
            rows_seen += rows.len();
            if rows_seen > ROWS_MAX {
                return Err(Fault::TooMany { what: "transfers since then", max: ROWS_MAX }.into());
            }
            for row in rows {
                let id = row.key.last_chunk::<16>().ok_or(Fault::Internal("a history's key"))?;
                let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id).await?;
                let EntryRecord(entry) = entry.ok_or(Fault::Internal("a history without its transfer"))?;
                if entry.number > newest {
                    continue;
                }
                // A clock that was set back is no end of the history; but what is this old is.
                if entry.at_ms < from_ms {
                    return Ok(all);
                }
                let Some((more, amount)) = moved(start, &entry) else { continue };
                if entry.at_ms < until_ms {
                    let (kind, id, text) = self.told_as(peer, start, &entry, more).await?;
                    all.add(start, (entry.at_ms, kind, id, text), (more, amount));
                }
                all.owed -= if more { i128::from(amount) } else { -i128::from(amount) };
                if entry.at_ms >= until_ms {
                    all.closing = all.owed;
                }
            }
        }
    }

    /// What an entry of the account is called.
    async fn told_as(
        &self,
        peer: &NodeName,
        start: &Start,
        entry: &Entry,
        more: bool,
    ) -> Result<(StatementKind, TransferId, String)> {
        let about = TransferId(entry.transfer.about);
        if entry.transfer.purpose == Purpose::Correction {
            return Ok((StatementKind::Correction, entry.transfer.id, String::new()));
        }
        // What our people pay makes the issuer owe more, if that is this node, and less if not.
        let likely = if more == start.is_issuer { Way::Out } else { Way::In };
        let other = if likely == Way::Out { Way::In } else { Way::Out };
        for way in [likely, other] {
            let record: Option<RemoteRecord> =
                self.ctx.read(tables::LINK_PAYMENTS, payment_key(peer, way, about)).await?;
            let Some(RemoteRecord(payment)) = record else { continue };
            let mut legs = payment.legs.iter().chain(&payment.undone);
            if legs.any(|leg| [leg.debit, leg.credit].contains(&start.account)) {
                let (kind, text) = kind_of(&payment);
                return Ok((kind, about, text));
            }
        }
        Err(Fault::Internal("a transfer between nodes without its payment").into())
    }
}

impl Gathered {
    fn add(
        &mut self,
        start: &Start,
        (at_ms, kind, id, text): (Millis, StatementKind, TransferId, String),
        (more, amount): (bool, u64),
    ) {
        let (count, grown, shrunk) = self.sums.entry(kind).or_default();
        *count += 1;
        *(if more { grown } else { shrunk }) += u128::from(amount);
        if self.lines.len() >= STATEMENT_LINES_MAX {
            (self.whole, self.lines) = (false, Vec::new());
        }
        if self.whole {
            let shown = |sum| format_amount(sum, start.asset.scale);
            let (amount, owed) = (shown(amount.into()), shown(self.owed));
            self.lines.push(StatementLine { at_ms, kind, id, more, amount, owed, text });
        }
    }
}

impl Sheet<'_> {
    /// The newest event, and the accounts of a link as they are by it.
    fn link_starts(&self, peer: &NodeName) -> Result<(u64, Vec<Start>), Stop> {
        let link = self.link(peer)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let mut starts = Vec::new();
        for covered in &link.terms.assets {
            let asset = covered.asset.clone();
            let (account, is_issuer) = (link.account(asset.id()), link.is_issuer(asset.id()));
            let known: Option<Account> = self.account(account)?;
            let net = known.map_or(0, |known| known.balances.net());
            starts.push(Start { asset, account, is_issuer, owed: if is_issuer { net } else { -net } });
        }
        Ok((self.newest()?, starts))
    }
}

/// Whether more is owed by an entry, and how much. None: nothing has moved.
fn moved(start: &Start, entry: &Entry) -> Option<(bool, u64)> {
    let moved = entry.moved.filter(|_| entry.is_posted())?;
    let credit = moved.credit == start.account;
    Some((credit == start.is_issuer, moved.amount))
}

fn kind_of(payment: &Payment) -> (StatementKind, String) {
    let Some(prepare) = &payment.prepare else { return (StatementKind::Payment, String::new()) };
    match &prepare.aim {
        Aim::Settlement => {
            let is_netting = prepare.get.is_some();
            let kind = if is_netting { StatementKind::Netting } else { StatementKind::Settlement };
            (kind, note_of(prepare))
        }
        Aim::Payment { payer, payee, .. } => {
            let kind = match (prepare.refunds, prepare.get) {
                (Some(_), _) => StatementKind::Refund,
                (None, Some(_)) => StatementKind::Exchange,
                (None, None) => StatementKind::Payment,
            };
            let payee = payee.address().map(ToString::to_string).unwrap_or_default();
            (kind, format!("{payer} → {payee}"))
        }
    }
}

fn told(asset: Asset, gathered: Gathered) -> StatementAsset {
    let shown = |sum| format_amount(sum, asset.scale);
    let large = |sum: u128| shown(i128::try_from(sum).unwrap_or(i128::MAX));
    let sums = gathered.sums.into_iter();
    let sums = sums.map(|(kind, (count, more, less))| StatementSum {
        kind,
        count,
        more: large(more),
        less: large(less),
    });
    StatementAsset {
        opening: shown(gathered.owed),
        closing: shown(gathered.closing),
        sums: sums.collect(),
        lines: gathered.lines.into_iter().rev().collect(),
        whole: gathered.whole,
        asset,
    }
}
