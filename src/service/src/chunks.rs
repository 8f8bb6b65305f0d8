//! Values above the store's bound, as rows of one part each: `key ‖ index`.
//!
//! Parts are written once under a key that is never used again, and deleted whole: whoever has the key and the count reads
//! either everything or, when it was deleted meanwhile, too little, which is noticed.

use crate::Fault;
use weft_store::{Batch, Scan, Store, Table};

/// Bytes of one part: below the store's bound for a value.
const PART_BYTES: usize = 60 << 10;

/// Adds a value to a batch, in parts. Gives how many there are.
pub(crate) fn put(mut batch: Batch, table: Table, key: &[u8], value: &[u8]) -> Result<(Batch, u8), Fault> {
    let mut count: u8 = 0;
    for part in value.chunks(PART_BYTES) {
        batch = batch.put(table, part_key(key, count), part);
        count = count.checked_add(1).ok_or(Fault::Internal("a value of too many parts"))?;
    }
    Ok((batch, count))
}

/// Adds the deletion of a value of `count` parts to a batch.
pub(crate) fn delete(batch: Batch, table: Table, key: &[u8], count: u8) -> Batch {
    (0..count).fold(batch, |batch, index| batch.delete(table, part_key(key, index)))
}

/// Reads a value of `count` parts; none when it is not there any more. One scan, so that the parts are of one state.
pub(crate) async fn get(
    store: &Store,
    table: Table,
    key: &[u8],
    count: u8,
) -> Result<Option<Vec<u8>>, Fault> {
    let rows = store.scan(table, Scan::prefix(key).limit(usize::from(count))).await?;
    if rows.len() < usize::from(count) {
        return Ok(None);
    }
    Ok(Some(rows.into_iter().flat_map(|row| row.value).collect()))
}

fn part_key(key: &[u8], index: u8) -> Vec<u8> {
    let mut part = key.to_vec();
    part.push(index);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Table = Table::new(200, "test");

    #[tokio::test]
    async fn long_values_come_back_whole_or_not_at_all() {
        let store = Store::memory();
        for len in [0, 1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES + 7] {
            let value: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            let (batch, count) = put(Batch::new(), T, b"key", &value).unwrap();
            store.commit(batch).await.unwrap();
            assert_eq!(get(&store, T, b"key", count).await.unwrap(), Some(value));
            store.commit(delete(Batch::new(), T, b"key", count)).await.unwrap();
            assert_eq!(get(&store, T, b"key", count).await.unwrap().is_none(), count > 0);
        }
    }
}
