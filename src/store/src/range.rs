//! A scan as a range of full keys, and the collecting of its rows. Shared by all engines, so that they bound alike.

use std::ops::Bound;

use crate::{Row, SCAN_BYTES_MAX, Scan, Table, Version, batch::full_key, resolve::Cell};

/// First and last full key of a scan.
pub(crate) type KeyRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

pub(crate) fn key_range(table: Table, scan: &Scan) -> KeyRange {
    let prefix = full_key(table, &scan.prefix);
    let mut low = Bound::Included(prefix.clone());
    let mut high = match successor(&prefix) {
        Some(next) => Bound::Excluded(next),
        None => Bound::Unbounded,
    };
    let Some(after) = scan.after.as_ref().map(|after| full_key(table, after)) else { return (low, high) };
    if scan.reverse {
        // A cursor above the prefix excludes nothing.
        if !matches!(&high, Bound::Excluded(end) if *end <= after) {
            high = Bound::Excluded(after);
        }
    } else if after >= prefix {
        low = Bound::Excluded(after);
    }
    (low, high)
}

/// True if nothing can lie in the range. `BTreeMap::range` panics on some of these, so they are answered before.
pub(crate) fn is_empty((low, high): &KeyRange) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Excluded(high)) | (Bound::Excluded(low), Bound::Excluded(high)) => {
            low >= high
        }
        _ => false,
    }
}

/// The smallest key that is larger than every key with this prefix.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if let Some(raised) = last.checked_add(1) {
            next.push(raised);
            return Some(next);
        }
    }
    None
}

/// Takes rows until a bound is reached.
pub(crate) struct Collector {
    rows: Vec<Row>,
    limit: usize,
    bytes: usize,
}

impl Collector {
    pub(crate) fn new(limit: usize) -> Self {
        Collector { rows: Vec::new(), limit, bytes: 0 }
    }

    /// True as long as there is room for another row.
    pub(crate) fn wants_more(&self) -> bool {
        self.rows.len() < self.limit && self.bytes < SCAN_BYTES_MAX
    }

    pub(crate) fn push(&mut self, full_key: &[u8], cell: Cell) {
        let row = row(full_key, cell);
        self.bytes += row.key.len() + row.value.len();
        self.rows.push(row);
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

pub(crate) fn row(full_key: &[u8], cell: Cell) -> Row {
    let key = full_key.get(1..).unwrap_or_default().to_vec();
    Row { key, value: cell.value, version: Version(cell.version) }
}
