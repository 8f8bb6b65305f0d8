//! The handle that everything above the store holds.

use std::{path::Path, sync::Arc};

use crate::{
    Batch, Committed, Engine, Error, MemoryEngine, Result, Row, Scan, Status, Table, Tx, Watch, transact,
};

/// Ordered tables with atomic commits. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<dyn Engine>);

impl Store {
    /// A store that forgets everything when it is dropped, for tests.
    #[must_use]
    pub fn memory() -> Store {
        Store::new(Arc::new(MemoryEngine::default()))
    }

    /// A store on an engine.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>) -> Store {
        Store(engine)
    }

    /// The row of a key.
    ///
    /// # Errors
    /// [`Error::Index`] if the index is broken and cannot be rebuilt, [`Error::Closed`].
    pub async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>> {
        self.0.get(table, key).await
    }

    /// The rows of a range, in order. One scan sees one state: a batch is in it whole or not at all.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a limit above the bound; as [`Store::get`].
    pub async fn scan(&self, table: Table, scan: Scan) -> Result<Vec<Row>> {
        scan.validate()?;
        self.0.scan(table, scan).await
    }

    /// Applies a batch, whole or not at all, and answers when it is on disk. A future that is dropped before it answers
    /// leaves open whether the batch was applied; an idempotency key makes it safe to try again.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::TooLarge`], [`Error::CounterOverflow`], [`Error::NotACounter`], [`Error::DiskFull`]: not
    /// applied. [`Error::Failed`], [`Error::Closed`]: not known.
    pub async fn commit(&self, batch: Batch) -> Result<Committed> {
        batch.validate()?;
        self.0.commit(batch).await
    }

    /// Tells of every commit from now on that touches a key under a prefix.
    #[must_use]
    pub fn watch(&self, table: Table, prefix: impl AsRef<[u8]>) -> Watch {
        self.0.watch(table, prefix.as_ref())
    }

    /// Runs `work` until its batch commits without a conflict, at most 24 times with a growing random pause between.
    ///
    /// `work` reads and writes through the [`Tx`]: every key that it gets (a missing one too) is asserted at commit to be as
    /// it was read. It may run several times, so it must do nothing that cannot be done twice. (It takes the [`Tx`] by value
    /// because an `async` closure over `&mut Tx` makes futures that rustc cannot prove to be `Send`; borrow what it uses
    /// from outside with `let name = &name;` before.)
    ///
    /// ```
    /// # use weft_store::{Error, Store, Table};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
    /// const T: Table = Table::new(200, "t");
    /// let store = Store::memory();
    /// let len = store.transact(|tx| async move {
    ///     let mut value = tx.get(T, b"k").await?.map(|row| row.value).unwrap_or_default();
    ///     value.push(7);
    ///     tx.put(T, b"k", value.clone());
    ///     Ok::<_, Error>(value.len())
    /// }).await?;
    /// assert_eq!(len, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Whatever `work` returns, at once and with nothing written; [`Error::Contended`] when every attempt met a conflict;
    /// as [`Store::commit`].
    pub async fn transact<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        transact::run(self, work).await.map(|(value, _)| value)
    }

    /// [`Store::transact`] that also gives the answer to the commit, with the numbers of its appends.
    ///
    /// # Errors
    /// As [`Store::transact`].
    pub async fn transact_committed<T, E, F, Fut>(&self, work: F) -> Result<(T, Committed), E>
    where
        F: FnMut(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        transact::run(self, work).await
    }

    /// How the engine is doing. Cheap.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Waits for what was committed to be folded into the index on disk and into a snapshot, so that the next start is
    /// quick and the journal short. The engine does this by itself; call it before measuring or copying.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Failed`], [`Error::Io`].
    pub async fn checkpoint(&self) -> Result<()> {
        self.0.checkpoint().await
    }

    /// Writes a consistent copy into `dir` while commits go on, and gives the sequence number up to which it reaches. `of` says
    /// whose data it is, in a line that is given back when it is restored.
    ///
    /// # Errors
    /// [`Error::Folder`] if `dir` holds something, [`Error::Io`], [`Error::DiskFull`].
    pub async fn backup(&self, dir: &Path, of: &str) -> Result<u64> {
        self.0.backup(dir, of).await
    }

    /// Finishes what waits, brings everything to rest on disk and lets go of the folder. Later calls get
    /// [`Error::Closed`]. A node that ends without it loses nothing; its next start takes a little longer.
    ///
    /// # Errors
    /// As [`Store::checkpoint`].
    pub async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}
