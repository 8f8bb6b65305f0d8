//! A Merkle tree whose nodes carry sums. Its shape, its proofs and the bytes that tell leaves from what is above them are those of RFC 9162
//! (2.1); the hash is BLAKE3, and above two nodes their sums are hashed with their hashes.

use weft_wire::wallet::TreeNode;

const CONTEXT: &str = "weft/day-tree/1";
const LEAF: u8 = 0;
const ABOVE: u8 = 1;

/// A leaf. What stands above it hashes its sum, too.
#[must_use]
pub fn leaf(data: &[u8], sum: u128) -> TreeNode {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    TreeNode::new(*hasher.update(&[LEAF]).update(data).finalize().as_bytes(), sum)
}

/// What stands above two nodes. None: their sum is no number.
#[must_use]
pub fn join(left: &TreeNode, right: &TreeNode) -> Option<TreeNode> {
    let sum = left.sum().checked_add(right.sum())?;
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(&[ABOVE]).update(left.as_bytes()).update(right.as_bytes());
    Some(TreeNode::new(*hasher.finalize().as_bytes(), sum))
}

/// The root over nodes of one height; over none, the hash of nothing. None: the sum is no number.
#[must_use]
pub fn root(nodes: &[TreeNode]) -> Option<TreeNode> {
    let mut level = nodes.to_vec();
    while level.len() > 1 {
        level = above(&level)?;
    }
    let nothing = || TreeNode::new(*blake3::Hasher::new_derive_key(CONTEXT).finalize().as_bytes(), 0);
    Some(level.first().copied().unwrap_or_else(nothing))
}

/// The nodes beside the way from one of them to their root, the lowest first.
#[must_use]
pub fn path(nodes: &[TreeNode], index: usize) -> Option<Vec<TreeNode>> {
    let (mut level, mut index, mut path) = (nodes.to_vec(), index, Vec::new());
    level.get(index)?;
    while level.len() > 1 {
        // The last of an odd number goes up as it is.
        path.extend(level.get(index ^ 1));
        level = above(&level)?;
        index /= 2;
    }
    Some(path)
}

fn above(level: &[TreeNode]) -> Option<Vec<TreeNode>> {
    let pair = |pair: &[TreeNode]| match pair {
        [left, right] => join(left, right),
        one => one.first().copied(),
    };
    level.chunks(2).map(pair).collect()
}

/// The root to which a path leads from a leaf at this place of so many (RFC 9162, 2.1.3.2). None: it leads nowhere.
#[must_use]
pub fn climb(leaf: TreeNode, index: u64, size: u64, path: &[TreeNode]) -> Option<TreeNode> {
    let (mut index, mut last, mut node) = (index, size.checked_sub(1)?, leaf);
    if index > last {
        return None;
    }
    for beside in path {
        if last == 0 {
            return None;
        }
        if index % 2 == 1 || index == last {
            node = join(beside, &node)?;
            while index.is_multiple_of(2) && index != 0 {
                (index, last) = (index / 2, last / 2);
            }
        } else {
            node = join(&node, beside)?;
        }
        (index, last) = (index / 2, last / 2);
    }
    (last == 0).then_some(node)
}
