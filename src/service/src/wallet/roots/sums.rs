//! What is in all accounts at the end of a day.

use super::{
    super::{Result, Wallet, records::AccountRecord},
    nodes::Tree,
    records::BalanceRecord,
};
use crate::Fault;
use std::collections::{BTreeMap, HashMap};
use weft_ledger::{
    AccountKind,
    proof::{Row, Rows, pieces},
};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    AccountId, AssetId,
    wallet::{AssetSum, Sum, TreeNode},
};

/// Rows of one commit.
const ROWS_MAX: usize = 500;
/// Accounts in which nothing is any more that one day forgets.
const FORGOTTEN_MAX: usize = 1_000;

/// What there is of an asset.
#[derive(Default)]
struct Weight {
    issued: u128,
    abroad: u128,
    own: u128,
    leaves: Vec<TreeNode>,
}

impl Weight {
    /// One account more. Money of people is never below nothing; should it be, the node is short of it.
    fn add(&mut self, kind: AccountKind, net: i128, salt: impl Fn() -> [u8; 32], account: AccountId) {
        let Ok(balance @ 1..) = u128::try_from(net) else {
            let given = match kind {
                AccountKind::Issuance => &mut self.issued,
                AccountKind::Nostro => &mut self.abroad,
                _ => &mut self.own,
            };
            *given = given.saturating_add(net.unsigned_abs());
            return;
        };
        self.leaves.extend(pieces(&salt(), account, balance).map(|piece| piece.leaf));
    }

    fn is_nothing(&self) -> bool {
        self.issued == 0 && self.abroad == 0 && self.own == 0 && self.leaves.is_empty()
    }
}

impl Wallet {
    /// The accounts on which something moved, as they are at the end of the day.
    pub(super) async fn changed(
        &self,
        day: u64,
        moved: &HashMap<AccountId, i128>,
    ) -> Result<HashMap<AccountId, BalanceRecord>> {
        let mut changed = HashMap::with_capacity(moved.len());
        for (id, change) in moved {
            let known: Option<BalanceRecord> = self.ctx.read(tables::ROOT_BALANCES, id.0).await?;
            let (asset, kind, before) = match known {
                Some(known) => (known.asset, known.kind, known.before(day)),
                None => {
                    let row: Option<AccountRecord> = self.ctx.read(tables::LEDGER_ACCOUNTS, id.0).await?;
                    let AccountRecord(account) =
                        row.ok_or(Fault::Internal("an entry without its account"))?;
                    (account.asset, account.kind, 0)
                }
            };
            let net = before.saturating_add(*change);
            changed.insert(*id, BalanceRecord::new(asset, kind, day, (before, net)));
        }
        Ok(changed)
    }

    /// Adds up all accounts by asset, and keeps the trees. 96 bytes for each account that holds something are in memory meanwhile: its
    /// leaves have to be put in the order of their hashes.
    pub(super) async fn weigh(
        &self,
        day: u64,
        changed: &HashMap<AccountId, BalanceRecord>,
    ) -> Result<Vec<AssetSum>> {
        let mut weights: BTreeMap<AssetId, Weight> = BTreeMap::new();
        let mut add = |id: AccountId, record: &BalanceRecord, net: i128| {
            weights.entry(record.asset).or_default().add(record.kind, net, || self.salt(day, id), id);
        };
        let (mut after, mut empty) = (Vec::new(), Vec::new());
        loop {
            let scan = Scan::prefix([]).after(&after);
            let page = self.ctx.store.scan(tables::ROOT_BALANCES, scan).await.map_err(Fault::from)?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.key);
            let mut put_back = HashMap::new();
            for row in page {
                let id = AccountId::from_slice(&row.key).map_err(|_| Fault::Internal("an account's key"))?;
                let record = BalanceRecord::from_record(&row.value)?;
                if changed.contains_key(&id) {
                    continue;
                }
                let net = record.before(day);
                if net == 0 && record.day < day && empty.len() < FORGOTTEN_MAX {
                    empty.push(row.key);
                }
                if net != record.net() {
                    let record = BalanceRecord::new(record.asset, record.kind, day, (net, net));
                    put_back.insert(id, record);
                }
                add(id, &record, net);
            }
            // This day was cut off, and an event that was in it then is of a later one now: see [`Wallet::read_day`].
            self.keep_balances(&put_back).await?;
            tokio::task::yield_now().await;
        }
        changed.iter().for_each(|(id, record)| add(*id, record, record.net()));
        for keys in empty.chunks(ROWS_MAX) {
            let batch = keys.iter().fold(Batch::new(), |batch, key| batch.delete(tables::ROOT_BALANCES, key));
            self.ctx.store.commit(batch).await.map_err(Fault::from)?;
        }
        let mut sums = Vec::new();
        for (asset, weight) in weights.into_iter().filter(|(_, weight)| !weight.is_nothing()) {
            sums.push(self.sum(Tree { day, asset }, weight).await?);
        }
        Ok(sums)
    }

    async fn sum(&self, tree: Tree, weight: Weight) -> Result<AssetSum> {
        let Weight { issued, abroad, own, leaves } = weight;
        let count = leaves.len() as u64;
        let grown = tokio::task::spawn_blocking(move || grow(leaves)).await;
        let grown = grown.map_err(|_| Fault::Internal("a day's tree was not made"))?;
        let (held, rows) = grown.ok_or(Fault::Internal("a day's sum is no number"))?;
        tree.keep(&self.ctx.store, rows).await?;
        let sum = AssetSum {
            asset: tree.asset,
            issued: Sum(issued),
            abroad: Sum(abroad),
            own: Sum(own),
            held,
            leaves: count,
        };
        // Double entry: it cannot be otherwise, but what is signed is looked at.
        if sum.is_even() {
            Ok(sum)
        } else {
            Err(Fault::Internal("what was given out is not what is held").into())
        }
    }

    /// Forgets what a first day has left that was cut off: made again, it may be another one.
    pub(super) async fn forget_balances(&self) -> Result<()> {
        loop {
            let scan = Scan::prefix([]).limit(ROWS_MAX);
            let page = self.ctx.store.scan(tables::ROOT_BALANCES, scan).await.map_err(Fault::from)?;
            if page.is_empty() {
                return Ok(());
            }
            let rows = page.iter();
            let batch = rows.fold(Batch::new(), |batch, row| batch.delete(tables::ROOT_BALANCES, &row.key));
            self.ctx.store.commit(batch).await.map_err(Fault::from)?;
        }
    }

    pub(super) async fn keep_balances(&self, changed: &HashMap<AccountId, BalanceRecord>) -> Result<()> {
        let rows: Vec<_> = changed.iter().collect();
        for rows in rows.chunks(ROWS_MAX) {
            let batch = rows.iter().fold(Batch::new(), |batch, (id, record)| {
                batch.put(tables::ROOT_BALANCES, id.0, record.to_record())
            });
            self.ctx.store.commit(batch).await.map_err(Fault::from)?;
        }
        Ok(())
    }
}

/// The tree over the leaves in the order of their hashes.
fn grow(mut leaves: Vec<TreeNode>) -> Option<(TreeNode, Vec<Row>)> {
    leaves.sort_unstable();
    let mut rows = Rows::default();
    leaves.into_iter().try_for_each(|leaf| rows.push(leaf))?;
    rows.finish()
}
