//! Whether the days' roots are those of the ledger as it is done again.

use super::{
    audit::LedgerReport,
    records::{BalanceRecord, LoggedEvent, RootRecord},
    roots::{EVENTS, Tree, parts},
};
use crate::{Fault, context::key_told_by};
use std::collections::BTreeMap;
use weft_ledger::{
    AccountKind, Memory,
    proof::{Rows, check_chain, check_root, event_leaf},
};
use weft_store::{Scan, Store, record::Record, tables};
use weft_wire::{
    AccountId, AssetId, Millis, NodeName, Signed,
    wallet::{DayRoot, TreeNode},
};

/// The roots beside the events, in step with them.
pub(super) struct Roots {
    store: Store,
    /// The node's key, as the store knows it.
    key: Option<[u8; 32]>,
    /// The next root, if there is one.
    next: Option<(DayRoot, Signed<DayRoot>)>,
    before: Option<Signed<DayRoot>>,
    events: Rows,
    node: Option<NodeName>,
}

impl Roots {
    /// From the first one on.
    pub async fn begin(store: &Store) -> Result<Roots, Fault> {
        let row = store.get(tables::NODE, b"key").await?;
        let key = row.and_then(|row| key_told_by(tables::NODE, b"key", &row.value));
        let next = following(store, None).await?;
        let node = next.as_ref().map(|(root, _)| root.node.clone());
        Ok(Roots { store: store.clone(), key, next, before: None, events: Rows::default(), node })
    }

    /// One event more was done again.
    pub async fn event(
        &mut self,
        (number, at_ms): (u64, Millis),
        event: &LoggedEvent,
        books: &Memory,
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        // Those of the last day have no root as yet.
        if self.next.is_none() {
            return Ok(());
        }
        // That a transfer is missing was found already; the root then is another one.
        let parts = parts(&self.store, event).await.map(|(parts, _)| parts).unwrap_or_default();
        let _ = self.events.push(event_leaf(number, at_ms, &parts));
        while let Some((root, signed)) = self.next.take_if(|(root, _)| root.last == number) {
            self.next = following(&self.store, Some(root.day)).await?;
            self.day(&root, &signed, books, report).await?;
            self.before = Some(signed);
        }
        Ok(())
    }

    /// All events were done again.
    pub fn end(&self, report: &mut LedgerReport) {
        if let Some((root, _)) = &self.next {
            report.find(format!("the root of day {} is of events that are not there", root.day));
        }
    }

    async fn day(
        &mut self,
        root: &DayRoot,
        signed: &Signed<DayRoot>,
        books: &Memory,
        report: &mut LedgerReport,
    ) -> Result<(), Fault> {
        report.roots += 1;
        let day = root.day;
        if let (Some(key), Some(node)) = (&self.key, &self.node)
            && let Err(flaw) = check_root(signed, node, key)
        {
            report.find(format!("day {day}: {flaw}"));
        }
        let follows = match &self.before {
            Some(before) => check_chain(root, before).is_ok(),
            None => root.before.is_none(),
        };
        if !follows {
            report.find(format!("the root of day {day} does not go on from the one before"));
        }
        let is_whole = match std::mem::take(&mut self.events).finish() {
            Some((events, rows)) if events == root.events => {
                let mut is_whole = true;
                for row in rows {
                    let tree = Tree { day, asset: EVENTS };
                    is_whole &= tree.row(&self.store, row.level, row.index).await? == Some(row.nodes);
                }
                is_whole
            }
            _ => false,
        };
        if !is_whole {
            report.find(format!("the root of day {day} is not that of its events"));
        }
        self.sums(root, books, report).await?;
        if self.next.is_none() { self.balances(root, books, report).await } else { Ok(()) }
    }

    /// Whether what it says of each asset is what the books say.
    async fn sums(&self, root: &DayRoot, books: &Memory, report: &mut LedgerReport) -> Result<(), Fault> {
        let mut sums: BTreeMap<AssetId, [u128; 4]> = BTreeMap::new();
        for account in books.accounts() {
            let net = account.balances.net();
            let [issued, abroad, own, held] = sums.entry(account.asset).or_default();
            let sum = match account.kind {
                _ if net > 0 => held,
                AccountKind::Issuance => issued,
                AccountKind::Nostro => abroad,
                _ => own,
            };
            *sum = sum.saturating_add(net.unsigned_abs());
        }
        sums.retain(|_, sums| *sums != [0; 4]);
        let said: BTreeMap<_, _> = root
            .assets
            .iter()
            .map(|sum| (sum.asset, [sum.issued.0, sum.abroad.0, sum.own.0, sum.held.sum()]))
            .collect();
        if said != sums {
            report.find(format!("the root of day {} has other sums than the books", root.day));
        }
        for sum in &root.assets {
            if self
                .tree(Tree { day: root.day, asset: sum.asset }, sum.leaves)
                .await?
                .is_some_and(|node| node != sum.held)
            {
                report.find(format!(
                    "day {}: the tree over asset {} is not the one that was signed",
                    root.day, sum.asset
                ));
            }
        }
        Ok(())
    }

    /// The root of a tree as its leaves are kept; none if they are not kept any more.
    async fn tree(&self, tree: Tree, leaves: u64) -> Result<Option<TreeNode>, Fault> {
        let mut rows = Rows::default();
        for index in 0.. {
            if rows.leaves() >= leaves {
                break;
            }
            let Some(row) = tree.row(&self.store, 0, index).await?.filter(|row| !row.is_empty()) else {
                return Ok(None);
            };
            if row.into_iter().try_for_each(|leaf| rows.push(leaf)).is_none() {
                return Ok(None);
            }
        }
        Ok(rows.finish().map(|(root, _)| root))
    }

    /// Whether the balances from which the next day begins are those of the last root.
    async fn balances(&self, root: &DayRoot, books: &Memory, report: &mut LedgerReport) -> Result<(), Fault> {
        let mut known: BTreeMap<AccountId, i128> = BTreeMap::new();
        let mut after = Vec::new();
        loop {
            let rows = self.store.scan(tables::ROOT_BALANCES, Scan::prefix([]).after(&after)).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            for row in rows {
                let id = AccountId::from_slice(&row.key).map_err(|_| Fault::Internal("an account's key"))?;
                // A day that was cut off has left its rows.
                let net = BalanceRecord::from_record(&row.value)?.before(root.day + 1);
                known.extend((net != 0).then_some((id, net)));
            }
        }
        let books = books.accounts().map(|account| (account.id, account.balances.net()));
        if known != books.filter(|(_, net)| *net != 0).collect() {
            report.find(format!("the balances at the end of day {} are not those of the books", root.day));
        }
        Ok(())
    }
}

/// The root after that of a day; the first one after none.
async fn following(store: &Store, day: Option<u64>) -> Result<Option<(DayRoot, Signed<DayRoot>)>, Fault> {
    let scan = Scan::prefix([]).limit(1);
    let scan = match day {
        Some(day) => scan.after(day.to_be_bytes()),
        None => scan,
    };
    let row = store.scan(tables::ROOTS, scan).await?.into_iter().next();
    let Some(row) = row else { return Ok(None) };
    let RootRecord { root: signed, .. } = RootRecord::from_record(&row.value)?;
    let root = signed.peek().map_err(|_| Fault::Internal("a day's root cannot be read"))?;
    Ok(Some((root, signed)))
}
