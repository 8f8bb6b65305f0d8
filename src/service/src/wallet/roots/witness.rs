//! Days that nodes show each other: this one's to those with which it has a link, and theirs to this one.

use super::{
    super::{LinkTrouble, Result, Wallet, WalletError},
    DAY_MS, opened,
    records::{RootRecord, SeenRecord},
};
use crate::{Fault, context::joined};
use weft_ledger::proof::{check_chain, check_root};
use weft_store::{Batch, Error, Scan, Version, record::Record, tables};
use weft_wire::{
    NodeName, Signed,
    limits::BALANCE_PROOF_DAYS,
    wallet::{DayRoot, Hash, RootInfo, Witness, WitnessWord},
};

/// Words for one day that are kept.
const WITNESSES_MAX: usize = 64;
/// Days that are shown in one round.
const SHOWN_MAX: usize = 8;

/// Tries of a root at whose days something else was shown at the same moment.
const TRIES_MAX: u32 = 8;

/// What was seen of a day when it was looked at.
struct Looked {
    day: u64,
    key: Vec<u8>,
    version: Option<Version>,
    seen: Option<SeenRecord>,
}

impl Looked {
    /// It goes through only as long as that is so.
    fn is_still(&self, batch: Batch) -> Batch {
        match self.version {
            Some(version) => batch.assert_version(tables::ROOTS_SEEN, &self.key, version),
            None => batch.assert_absent(tables::ROOTS_SEEN, &self.key),
        }
    }
}

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
        let mut tries = 1;
        let seen = loop {
            match self.see(from, &root, &shown).await {
                // Something was shown at the same moment: it is looked at as well.
                Err(WalletError::Fault(Fault::Store(Error::Conflict { .. }))) if tries < TRIES_MAX => {
                    tries += 1
                }
                seen => break seen?,
            }
        };
        let (by, root) = (self.ctx.node.clone(), Hash::of_root(&seen.root));
        let word = Witness { node: from.clone(), day, root, by, at_ms: seen.at_ms };
        Ok(Signed::sign(&word, &self.key))
    }

    /// What was seen of a day: this root, from now on, if it fits to what was seen of that day and of those beside it. They are the same
    /// when it is written: of two stories that are shown at once the one that comes second is held against the first.
    async fn see(&self, from: &NodeName, root: &DayRoot, shown: &Signed<DayRoot>) -> Result<SeenRecord> {
        let day = root.day;
        let own = self.look(from, day).await?;
        if let Some(seen) = &own.seen {
            return match seen.root.body() == shown.body() {
                true => Ok(seen.clone()),
                false => Err(self.two_stories(from, &own, shown).await?),
            };
        }
        // Before the first day there is none that could have been shown.
        let (before, after) =
            (self.look(from, day.wrapping_sub(1)).await?, self.look(from, day.wrapping_add(1)).await?);
        if before.seen.is_none() && after.seen.is_none() {
            self.begins(from).await?;
        }
        if before.seen.as_ref().is_some_and(|before| check_chain(root, &before.root).is_err()) {
            return Err(self.two_stories(from, &before, shown).await?);
        }
        if let Some(seen) = &after.seen
            && check_chain(&opened(&seen.root)?, shown).is_err()
        {
            return Err(self.two_stories(from, &after, shown).await?);
        }
        let seen = SeenRecord { root: shown.clone(), at_ms: self.ctx.now(), other: None };
        let looked = [&own, &before, &after].into_iter();
        let batch = looked.fold(Batch::new(), |batch, looked| looked.is_still(batch));
        let batch = batch.put(tables::ROOTS_SEEN, &own.key, seen.to_record());
        self.ctx.store.commit(batch).await.map_err(Fault::from)?;
        Ok(seen)
    }

    async fn look(&self, from: &NodeName, day: u64) -> Result<Looked, Fault> {
        let key = seen_key(from, day);
        let row = self.ctx.store.get(tables::ROOTS_SEEN, &key).await?;
        let version = row.as_ref().map(|row| row.version);
        let seen = row.map(|row| SeenRecord::from_record(&row.value)).transpose()?;
        Ok(Looked { day, key, version, seen })
    }

    /// A day of which nothing is known goes on from the day before, and the day after from it. If neither is known there must be
    /// nothing else that could be shown: whoever leaves out days could have rewritten those before them.
    async fn begins(&self, from: &NodeName) -> Result<()> {
        let scan = Scan::prefix(joined(from.as_str(), [])).reverse().limit(1);
        let rows = self.ctx.store.scan(tables::ROOTS_SEEN, scan).await.map_err(Fault::from)?;
        let Some(newest) = rows.first() else { return Ok(()) };
        let seen = opened(&SeenRecord::from_record(&newest.value)?.root)?.day;
        let is_gone = seen.saturating_add(BALANCE_PROOF_DAYS) < self.ctx.now() / DAY_MS;
        if is_gone { Ok(()) } else { Err(WalletError::Link(LinkTrouble::DaysBetween { seen })) }
    }

    /// Keeps what a node has signed against its own signature. What is kept first stays.
    async fn two_stories(
        &self,
        from: &NodeName,
        looked: &Looked,
        other: &Signed<DayRoot>,
    ) -> Result<WalletError, Fault> {
        if let Some(seen) = looked.seen.clone().filter(|seen| seen.other.is_none()) {
            let day = looked.day;
            let record = SeenRecord { other: Some(other.clone()), ..seen };
            let batch = looked.is_still(Batch::new());
            let batch = batch.put(tables::ROOTS_SEEN, &looked.key, record.to_record());
            self.ctx.store.commit(batch).await?;
            tracing::error!(node = %from, day, "a node has signed two stories of its ledger: both are kept");
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
