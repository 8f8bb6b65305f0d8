//! A ledger that members can check: what a node signs at the end of a day, and how anybody finds out whether theirs is in it.
//!
//! A [`weft_wire::wallet::DayRoot`] names two kinds of trees. One is over the events of the day in their order: an event that is changed, left out or
//! put in afterwards gives another root. One for each asset is over all accounts in which there is something: its root carries their
//! sum, and a sum of what is not negative cannot leave anybody out who looks for themselves. The roots are a chain, and other nodes sign
//! what they have seen of it, so that there are no two stories.
//!
//! What it cannot show: that the node has what it says stands behind an asset; nor anything of accounts whose owners never look.

mod check;
mod leaves;
mod rows;
mod tree;

pub use check::{Flaw, balance, check_chain, check_root, entry, moved};
pub use leaves::{Piece, event_leaf, part_of, pieces};
pub use rows::{ROW_NODES, Row, Rows, row_path};
pub use tree::{climb, join, leaf, path, root};
