//! Nodes with which nobody here has to do. A name that is a key is free to make, so their rows go after a day, and are bounded in
//! number: whoever makes up names only pushes out others that were made up.

use super::{FederationError, Result, peers::Peers, records::PeerRecord};
use crate::Fault;
use weft_store::{Scan, Tx, record::Record, tables};
use weft_wire::{Millis, NodeName};

/// Where [`tables::COUNTS`] keeps how many there are.
pub(super) const STRANGERS: &[u8] = b"strangers";
/// For how long a node that is not heard any more is remembered.
const LIFETIME_MS: Millis = 24 * 60 * 60 * 1000;
/// How many there are at most.
pub(super) const STRANGERS_MAX: usize = 10_000;
/// How many go at once when there are too many: a look through all of them is not for each that comes.
const GO_AT_ONCE: usize = STRANGERS_MAX / 10;
/// Rows that are looked at in one scan, and deleted in one commit.
const PAGE: usize = 256;

impl Peers {
    /// Somebody here has to do with somebody there, or the operator has spoken: the row stays.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn stage_use(&self, tx: &Tx, name: &NodeName) -> Result<(), FederationError> {
        let Some(row) = tx.get(tables::PEERS, name.as_str().as_bytes()).await? else { return Ok(()) };
        let record = PeerRecord::from_record(&row.value)?;
        if record.stranger {
            tx.put(tables::PEERS, name.as_str(), PeerRecord { stranger: false, ..record }.to_record());
            tx.add(tables::COUNTS, STRANGERS, -1);
        }
        Ok(())
    }

    /// Before one more is met.
    pub(super) async fn make_room(&self) -> Result<()> {
        if self.ctx.count(tables::COUNTS, STRANGERS).await? < STRANGERS_MAX as u64 {
            return Ok(());
        }
        let mut heard: Vec<Millis> =
            self.strangers().await?.into_iter().map(|(_, heard_ms)| heard_ms).collect();
        heard.sort_unstable();
        let Some(before) = heard.get(GO_AT_ONCE.min(heard.len().saturating_sub(1))) else { return Ok(()) };
        tracing::warn!(strangers = heard.len(), "many nodes were met with which nobody here has to do");
        self.drop_strangers(*before).await.map(drop)
    }

    /// Forgets those that were not heard for a day. Gives how many.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn sweep_strangers(&self, aged: Millis) -> Result<u64> {
        self.drop_strangers(aged.saturating_sub(LIFETIME_MS)).await
    }

    /// Who they are, and when they were last heard.
    async fn strangers(&self) -> Result<Vec<(Vec<u8>, Millis)>> {
        let (mut found, mut after) = (Vec::new(), Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::PEERS, Scan::prefix([]).after(&after).limit(PAGE)).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after.clone_from(&last.key);
            for row in rows {
                let record = PeerRecord::from_record(&row.value)?;
                if record.may_go() {
                    found.push((row.key, record.last_contact_ms.max(record.first_seen_ms)));
                }
            }
        }
    }

    /// Those that were last heard until then.
    async fn drop_strangers(&self, until_ms: Millis) -> Result<u64> {
        let mut removed = 0;
        for (key, _) in self.strangers().await?.into_iter().filter(|(_, heard_ms)| *heard_ms <= until_ms) {
            let name = std::str::from_utf8(&key).ok().and_then(|name| name.parse().ok());
            let name: NodeName = name.ok_or(Fault::Internal("a node's key is no name"))?;
            let name = &name;
            let gone =
                self.ctx.store.transact(|tx| async move { self.stage_forget(&tx, name).await }).await?;
            removed += u64::from(gone);
        }
        Ok(removed)
    }

    /// With it goes how far what it sends was taken: nothing of that had an effect here.
    async fn stage_forget(&self, tx: &Tx, name: &NodeName) -> Result<bool> {
        let Some(row) = tx.get(tables::PEERS, name.as_str().as_bytes()).await? else { return Ok(false) };
        // Read, hence asserted: something may be written for it at this moment.
        let was_told = tx.get(tables::OUTBOX_HEADS, name.as_str().as_bytes()).await?.is_some();
        if was_told || !PeerRecord::from_record(&row.value)?.may_go() {
            return Ok(false);
        }
        tx.delete(tables::PEERS, name.as_str());
        tx.add(tables::COUNTS, STRANGERS, -1);
        tx.delete(tables::INBOX_PEERS, name.as_str());
        let results = Scan::prefix(crate::context::joined(name.as_str(), [])).limit(PAGE);
        for row in tx.scan(tables::INBOX_RESULTS, results).await? {
            tx.delete(tables::INBOX_RESULTS, &row.key);
        }
        Ok(true)
    }
}
