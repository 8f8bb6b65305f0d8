//! Days that nodes show each other: this one's to those with which it has a link, and theirs to this one.

use super::{
    super::{LinkTrouble, Result, Wallet, WalletError},
    DAY_MS, opened,
    records::{RootRecord, SeenRecord},
};
use crate::{Fault, context::joined};
use weft_ledger::proof::{check_chain, check_root};
use weft_store::{Batch, Error, Scan, record::Record, tables};
use weft_wire::{
    NodeName, Signed,
    limits::BALANCE_PROOF_DAYS,
    wallet::{DayRoot, Hash, RootInfo, Witness, WitnessWord},
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
    /// [`WalletError::Link`] without a link, or as long as days between what was seen and this one are not shown;
    /// [`WalletError::Signature`] for a root that is not right in itself, and [`WalletError::IdConflict`] for a second story, which is
    /// kept as evidence beside the first.
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
        let seen = match self.seen(from, Some(day)).await? {
            Some(seen) if seen.root.body() == shown.body() => seen,
            Some(seen) => return Err(self.two_stories(from, day, seen, shown).await?),
            None => {
                self.adjoins(from, &root, &shown).await?;
                self.see(from, day, shown).await?
            }
        };
        let (by, root) = (self.ctx.node.clone(), Hash::of_root(&seen.root));
        let word = Witness { node: from.clone(), day, root, by, at_ms: seen.at_ms };
        Ok(Signed::sign(&word, &self.key))
    }

    async fn seen(&self, from: &NodeName, day: Option<u64>) -> Result<Option<SeenRecord>, Fault> {
        match day {
            Some(day) => self.ctx.read(tables::ROOTS_SEEN, seen_key(from, day)).await,
            None => Ok(None),
        }
    }

    /// A day of which nothing is known goes on from the day before, and the day after from it. If neither is known there must be
    /// nothing else that could be shown: whoever leaves out days could have rewritten those before them.
    async fn adjoins(&self, from: &NodeName, root: &DayRoot, shown: &Signed<DayRoot>) -> Result<()> {
        let (day, today) = (root.day, self.ctx.now() / DAY_MS);
        let before = self.seen(from, day.checked_sub(1)).await?;
        let after = self.seen(from, day.checked_add(1)).await?;
        if before.is_none() && after.is_none() {
            let scan = Scan::prefix(joined(from.as_str(), [])).reverse().limit(1);
            let rows = self.ctx.store.scan(tables::ROOTS_SEEN, scan).await.map_err(Fault::from)?;
            let Some(newest) = rows.first() else { return Ok(()) };
            let seen = opened(&SeenRecord::from_record(&newest.value)?.root)?.day;
            let is_gone = seen.saturating_add(BALANCE_PROOF_DAYS) < today;
            return if is_gone { Ok(()) } else { Err(WalletError::Link(LinkTrouble::DaysBetween { seen })) };
        }
        if let Some(before) = before.filter(|before| check_chain(root, &before.root).is_err()) {
            return Err(self.two_stories(from, day.saturating_sub(1), before, shown.clone()).await?);
        }
        let Some(after) = after else { return Ok(()) };
        if check_chain(&opened(&after.root)?, shown).is_err() {
            return Err(self.two_stories(from, day.saturating_add(1), after, shown.clone()).await?);
        }
        Ok(())
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
    ) -> Result<WalletError, Fault> {
        if seen.other.is_none() {
            tracing::error!(node = %from, day, "a node has signed two stories of its ledger: both are kept");
            let (seen, key) = (SeenRecord { other: Some(other), ..seen }, seen_key(from, day));
            let batch = Batch::new().put(tables::ROOTS_SEEN, key, seen.to_record());
            self.ctx.store.commit(batch).await?;
        }
        Ok(WalletError::IdConflict)
    }

    /// Roots of the last days that a node has not witnessed, the oldest first.
    pub(crate) async fn unseen_by(&self, peer: &NodeName) -> Result<Vec<Signed<DayRoot>>> {
        let mut unseen = Vec::new();
        for info in self.last_days().await? {
            let by = |word: &WitnessWord| word.word.peek().is_ok_and(|word| word.by == *peer);
            if !info.witnesses.iter().any(by) {
                unseen.push(info.root);
            }
        }
        unseen.truncate(SHOWN_MAX);
        Ok(unseen)
    }

    /// Roots of the days that others still take, the oldest first.
    pub(crate) async fn last_days(&self) -> Result<Vec<RootInfo>> {
        let (mut days, mut before, today) = (Vec::new(), None, self.ctx.now() / DAY_MS);
        loop {
            let page = self.roots(before).await?;
            for info in page.roots {
                let day = opened(&info.root)?.day;
                if day.saturating_add(BALANCE_PROOF_DAYS) > today {
                    days.push(info);
                }
                before = Some(day);
            }
            if !page.more || before.is_none_or(|day| day.saturating_add(BALANCE_PROOF_DAYS) <= today) {
                days.reverse();
                return Ok(days);
            }
        }
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
