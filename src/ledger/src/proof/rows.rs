//! A tree in rows, as it is kept: the nodes of each eighth height, up to 256 beside one another. A tree of a million leaves is made from one
//! end to the other with a few rows in memory, and a proof reads one row of each.

use super::tree::{path, root};
use weft_wire::wallet::TreeNode;

/// Nodes of one row.
pub const ROW_NODES: usize = 256;

/// Nodes of one height that stand beside one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 0: leaves; 1: what stands above 256 of them; and so on.
    pub level: u8,
    /// Which of its level.
    pub index: u64,
    /// At most [`ROW_NODES`].
    pub nodes: Vec<TreeNode>,
}

/// Makes a tree of leaves in their order.
#[derive(Debug, Default)]
pub struct Rows {
    /// The row of each level that is not full.
    open: Vec<Row>,
    full: Vec<Row>,
    leaves: u64,
}

impl Rows {
    /// One more leaf. None: the sum is no number.
    pub fn push(&mut self, leaf: TreeNode) -> Option<()> {
        self.leaves += 1;
        self.put(0, leaf)
    }

    fn put(&mut self, level: usize, node: TreeNode) -> Option<()> {
        if self.open.len() == level {
            self.open.push(Row { level: u8::try_from(level).ok()?, index: 0, nodes: Vec::new() });
        }
        let row = self.open.get_mut(level)?;
        if row.nodes.len() == ROW_NODES {
            let next = Row { level: row.level, index: row.index + 1, nodes: vec![node] };
            let full = std::mem::replace(row, next);
            let above = root(&full.nodes)?;
            self.full.push(full);
            return self.put(level + 1, above);
        }
        row.nodes.push(node);
        Some(())
    }

    /// How many leaves it has so far.
    #[must_use]
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The rows that were filled since this was asked last. They do not change any more.
    pub fn take_full(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.full)
    }

    /// The root, and the rows that were not taken yet. None: the sum is no number.
    #[must_use]
    pub fn finish(mut self) -> Option<(TreeNode, Vec<Row>)> {
        let mut level = 0;
        while let Some(row) = self.open.get(level) {
            let above = root(&row.nodes)?;
            if row.index == 0 && self.open.len() == level + 1 {
                self.full.append(&mut self.open);
                return Some((above, self.full));
            }
            self.put(level + 1, above)?;
            level += 1;
        }
        Some((root(&[])?, self.full))
    }
}

/// What one row adds to a path, for the node at a place among all of its level.
#[must_use]
pub fn row_path(row: &[TreeNode], index: u64) -> Option<Vec<TreeNode>> {
    path(row, usize::try_from(index % ROW_NODES as u64).ok()?)
}
