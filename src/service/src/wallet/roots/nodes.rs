//! The rows of trees on disk.

use super::super::{Result, Wallet};
use crate::Fault;
use weft_ledger::proof::{ROW_NODES, Row, row_path};
use weft_store::{Batch, Scan, Store, tables};
use weft_wire::{AssetId, limits::BALANCE_PROOF_DAYS, wallet::TreeNode};

const NODE_BYTES: usize = 48;
/// Rows of one commit: some 400 kB.
const ROWS_MAX: usize = 32;
/// Rows that one commit deletes.
const PRUNED_MAX: usize = 500;
/// In place of an asset: the tree over events.
pub(in super::super) const EVENTS: AssetId = AssetId([0; 16]);

/// One of a day's trees.
#[derive(Clone, Copy)]
pub(in super::super) struct Tree {
    pub day: u64,
    pub asset: AssetId,
}

impl Tree {
    fn key(&self, level: u8, index: u64) -> Vec<u8> {
        [self.day.to_be_bytes().as_slice(), &self.asset.0, &[level], &index.to_be_bytes()].concat()
    }

    /// Keeps rows in place of what is there.
    pub(super) async fn keep(&self, store: &Store, rows: Vec<Row>) -> Result<(), Fault> {
        for rows in rows.chunks(ROWS_MAX) {
            let mut batch = Batch::new();
            for row in rows {
                let bytes: Vec<u8> = row.nodes.iter().flat_map(TreeNode::as_bytes).copied().collect();
                batch = batch.put(tables::ROOT_NODES, self.key(row.level, row.index), bytes);
            }
            store.commit(batch).await?;
        }
        Ok(())
    }

    /// A row, if it is still kept.
    pub(in super::super) async fn row(
        &self,
        store: &Store,
        level: u8,
        index: u64,
    ) -> Result<Option<Vec<TreeNode>>, Fault> {
        let row = store.get(tables::ROOT_NODES, &self.key(level, index)).await?;
        Ok(row.map(|row| {
            row.value.as_chunks::<NODE_BYTES>().0.iter().map(|node| TreeNode::of_bytes(*node)).collect()
        }))
    }

    /// The way from a leaf to the root. None: it is not kept any more.
    pub(super) async fn path(
        &self,
        store: &Store,
        index: u64,
        leaves: u64,
    ) -> Result<Option<Vec<TreeNode>>, Fault> {
        let (mut index, mut size, mut way, mut level) = (index, leaves, Vec::new(), 0);
        loop {
            let row = self.row(store, level, index / ROW_NODES as u64).await?;
            let Some(part) = row.and_then(|row| row_path(&row, index)) else { return Ok(None) };
            way.extend(part);
            (index, size) = (index / ROW_NODES as u64, size.div_ceil(ROW_NODES as u64));
            level += 1;
            if size <= 1 {
                return Ok(Some(way));
            }
        }
    }

    /// The place of a leaf by its hash; leaves stand in the order of their hashes. With it the leaf.
    pub(super) async fn find(
        &self,
        store: &Store,
        hash: &[u8],
        leaves: u64,
    ) -> Result<Option<(u64, TreeNode)>, Fault> {
        let (mut low, mut high) = (0, leaves.div_ceil(ROW_NODES as u64));
        while low < high {
            let middle = low.midpoint(high);
            let Some(row) = self.row(store, 0, middle).await? else { return Ok(None) };
            let (Some(first), Some(last)) = (row.first(), row.last()) else { return Ok(None) };
            if hash < first.hash() {
                high = middle;
            } else if hash > last.hash() {
                low = middle + 1;
            } else {
                let place = row.iter().zip(middle * ROW_NODES as u64..).find(|(leaf, _)| leaf.hash() == hash);
                return Ok(place.map(|(leaf, index)| (index, *leaf)));
            }
        }
        Ok(None)
    }
}

impl Wallet {
    /// Forgets the trees over accounts of a day that is long over. What is over events stays: an entry can always be shown.
    pub(super) async fn prune_nodes(&self, newest: u64) -> Result<()> {
        let Some(day) = newest.checked_sub(BALANCE_PROOF_DAYS) else { return Ok(()) };
        let last = Tree { day, asset: EVENTS }.key(u8::MAX, u64::MAX);
        loop {
            let scan = Scan::prefix(day.to_be_bytes()).after(&last).limit(PRUNED_MAX);
            let rows = self.ctx.store.scan(tables::ROOT_NODES, scan).await.map_err(Fault::from)?;
            if rows.is_empty() {
                return Ok(());
            }
            let batch =
                rows.iter().fold(Batch::new(), |batch, row| batch.delete(tables::ROOT_NODES, &row.key));
            self.ctx.store.commit(batch).await.map_err(Fault::from)?;
        }
    }
}
