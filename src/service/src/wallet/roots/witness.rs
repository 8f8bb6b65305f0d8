//! Days that nodes show each other: this one's to those with which it has a link, and theirs to this one.

use super::{
    super::{LinkTrouble, Result, Wallet, WalletError},
    DAY_MS, opened,
    records::{RootRecord, SeenRecord},
};
use crate::{Fault, context::joined};
use weft_ledger::proof::{check_chain, check_root};
use weft_store::{Batch, Error, record::Record, tables};
use weft_wire::{
    NodeName, Signed,
    limits::BALANCE_PROOF_DAYS,
    wallet::{DayRoot, Hash, Witness, WitnessWord},
};

/// Words for one day that are kept.
const WITNESSES_MAX: usize = 64;
/// Days that are shown in one round.
const SHOWN_MAX: usize = 8;

fn seen_key(node: &NodeName, day: u64) -> Vec<u8> {
    joined(node.as_str(), day.to_be_bytes())
}

impl Wallet {
    /// Another node shows a root of its own: this one says that it has seen it, and no other of that day. Only a node with which there
    /// is a link is heard, and of the last days only, so that what it writes here is one row a day.
    ///
    /// # Errors
    /// [`WalletError::Link`] without a link, [`WalletError::Signature`] for a root that is not right in itself, and
    /// [`WalletError::IdConflict`] for a second story, which is kept as evidence beside the first.
    pub(crate) async fn witness(
        &self,
        from: &NodeName,
        key: &[u8; 32],
        shown: Signed<DayRoot>,
    ) -> Result<Signed<Witness>> {
        if self.link(from).await?.is_none() {
            return Err(WalletError::Link(LinkTrouble::NoLink));
        }
        let root = check_root(&shown, from, key).map_err(|_| WalletError::Signature("the day's root"))?;
        let (day, today) = (root.day, self.ctx.now() / DAY_MS);
        if day > today || day.saturating_add(BALANCE_PROOF_DAYS) < today {
            return Err(WalletError::NotFound("day"));
        }
        let seen: Option<SeenRecord> = self.ctx.read(tables::ROOTS_SEEN, seen_key(from, day)).await?;
        let seen = match seen {
            Some(seen) if seen.root.body() == shown.body() => seen,
            Some(seen) => return self.two_stories(from, day, seen, shown).await,
            None => match self.seen_before(from, day).await? {
                Some(earlier) if check_chain(&root, &earlier.root).is_err() => {
                    return self.two_stories(from, day.saturating_sub(1), earlier, shown).await;
                }
                _ => self.see(from, day, shown).await?,
            },
        };
        let (by, root) = (self.ctx.node.clone(), Hash::of_root(&seen.root));
        let word = Witness { node: from.clone(), day, root, by, at_ms: seen.at_ms };
        Ok(Signed::sign(&word, &self.key))
    }

    async fn seen_before(&self, from: &NodeName, day: u64) -> Result<Option<SeenRecord>, Fault> {
        match day.checked_sub(1) {
            Some(before) => self.ctx.read(tables::ROOTS_SEEN, seen_key(from, before)).await,
            None => Ok(None),
        }
    }

    async fn see(&self, from: &NodeName, day: u64, root: Signed<DayRoot>) -> Result<SeenRecord, Fault> {
        let (seen, key) = (SeenRecord { root, at_ms: self.ctx.now(), other: None }, seen_key(from, day));
        let batch = Batch::new().assert_absent(tables::ROOTS_SEEN, &key);
        self.ctx.store.commit(batch.put(tables::ROOTS_SEEN, key, seen.to_record())).await?;
        Ok(seen)
    }

    /// Keeps what a node has signed against its own signature. What is kept first stays.
    async fn two_stories(
        &self,
        from: &NodeName,
        day: u64,
        seen: SeenRecord,
        other: Signed<DayRoot>,
    ) -> Result<Signed<Witness>> {
        if seen.other.is_none() {
            tracing::error!(node = %from, day, "a node has signed two stories of its ledger: both are kept");
            let (seen, key) = (SeenRecord { other: Some(other), ..seen }, seen_key(from, day));
            let batch = Batch::new().put(tables::ROOTS_SEEN, key, seen.to_record());
            self.ctx.store.commit(batch).await.map_err(Fault::from)?;
        }
        Err(WalletError::IdConflict)
    }

    /// Roots of the last days that a node has not witnessed, the oldest first.
    pub(crate) async fn unseen_by(&self, peer: &NodeName) -> Result<Vec<Signed<DayRoot>>> {
        let mut unseen = Vec::new();
        for info in self.roots(None).await?.roots {
            let by = |word: &WitnessWord| word.word.peek().is_ok_and(|word| word.by == *peer);
            if !info.witnesses.iter().any(by) {
                unseen.push(info.root);
            }
        }
        unseen.reverse();
        unseen.truncate(SHOWN_MAX);
        Ok(unseen)
    }

    /// Keeps what a node has said of a root. False: it is not about that, or not signed by it, or not needed.
    pub(crate) async fn witnessed(
        &self,
        by: &NodeName,
        key: [u8; 32],
        (root, word): (&Signed<DayRoot>, Signed<Witness>),
    ) -> Result<bool> {
        let (day, hash) = (opened(root)?.day, Hash::of_root(root));
        let is_right = word.verify(&key).is_ok_and(|said| {
            (said.node == self.ctx.node && said.by == *by) && (said.day, said.root) == (day, hash)
        });
        let place = day.to_be_bytes();
        let row = self.ctx.store.get(tables::ROOTS, &place).await.map_err(Fault::from)?;
        let Some(row) = row.filter(|_| is_right) else { return Ok(false) };
        let mut record = RootRecord::from_record(&row.value)?;
        let is_new = record.root == *root && !record.witnesses.iter().any(|known| known.key == key);
        if !is_new || record.witnesses.len() >= WITNESSES_MAX {
            return Ok(false);
        }
        record.witnesses.push(WitnessWord { key, word });
        let batch = Batch::new().assert_version(tables::ROOTS, place, row.version);
        match self.ctx.store.commit(batch.put(tables::ROOTS, place, record.to_record())).await {
            Ok(_) => Ok(true),
            // Another one has spoken meanwhile: this one is asked again.
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(Fault::from(error).into()),
        }
    }
}
