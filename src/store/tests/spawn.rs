//! Transactions must be usable where futures have to be `Send`: in spawned tasks, behind boxed futures, with borrowed
//! arguments. Compiling is most of the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]
use std::{future::Future, pin::Pin};
use weft_store::{Error, Scan, Store, Table};
const T: Table = Table::new(200, "t");
const U: Table = Table::new(201, "u");

struct Feature {
    store: Store,
    name: String,
}

impl Feature {
    async fn rename(&self, keys: &[Vec<u8>], name: &str) -> Result<u64, Error> {
        self.store
            .transact(|tx| async move {
                for key in keys {
                    let row = tx.get(T, key).await?;
                    let value = row.map_or(0, |r| r.version.0).to_be_bytes();
                    tx.put(T, key, value);
                    helper(&tx, name, &self.name).await?;
                }
                let rows = tx.scan(U, Scan::prefix(name.as_bytes())).await?;
                Ok(rows.len() as u64)
            })
            .await
    }

    fn boxed<'a>(
        &'a self,
        keys: &'a [Vec<u8>],
    ) -> Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'a>> {
        Box::pin(async move { self.rename(keys, "x").await })
    }
}

async fn helper(tx: &weft_store::Tx, name: &str, other: &String) -> Result<(), Error> {
    tx.get(U, name.as_bytes()).await?;
    tx.append(U, other, U, name, b"v");
    Ok(())
}

#[tokio::test]
async fn a_transaction_can_run_in_a_spawned_task() {
    let store = Store::memory();
    let key = vec![1u8];
    let feature = Feature { store: store.clone(), name: "n".into() };
    let handle = tokio::spawn(async move {
        let keys = vec![vec![3u8]];
        feature.boxed(&keys).await?;
        let key = &key;
        store
            .transact(|tx| async move {
                let row = tx.get(T, key).await?;
                tx.put(T, key, b"x");
                Ok::<_, Error>(row.map_or(0, |r| r.version.0))
            })
            .await
    });
    assert_eq!(handle.await.unwrap().unwrap(), 0);
}
