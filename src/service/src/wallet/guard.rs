//! Dual control: what brings much money into the world, or weakens this rule, waits for somebody else than the owner (decision 0018).

use super::{
    Result, Wallet, WalletError,
    guard_records::{GuardChange, GuardChangeRecord, GuardRecord, GuardedRecord, ProposalRecord},
    orders::DAY_MS,
    records::AssetRecord,
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault};
use weft_ledger::Books;
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AssetId, Millis, TransferId, UserName,
    limits::{APPROVERS_MAX, ASSETS_MAX, PROPOSALS_TOLD_MAX, PROPOSALS_WAITING_MAX},
    wallet::{AssetAmount, ChangeApprover, GuardInfo, ProposalInfo, ProposalState, Proposed, ThresholdInfo},
};

/// The key of the one row of its table.
pub(super) const GUARD: &[u8] = b"guard";
/// How long a proposal waits.
const PROPOSAL_MS: Millis = 7 * DAY_MS;

impl Wallet {
    /// `GET wallet/guard`: all of it for the owner and for approvers, and for who is asked to be one, that.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn guard(&self, caller: &Caller) -> Result<GuardInfo> {
        self.guard_for((!caller.is_owner()).then_some(caller.name())).await
    }

    /// The same for somebody; for nobody: as the owner sees it.
    pub(super) async fn guard_for(&self, viewer: Option<&UserName>) -> Result<GuardInfo> {
        let guard: GuardRecord = self.ctx.read(tables::GUARD, GUARD).await?.unwrap_or_default();
        let sees_all = viewer.is_none_or(|name| guard.approvers.contains(name));
        let mut info = GuardInfo::default();
        for id in &guard.waiting {
            let told = self.told(*id, &guard, viewer).await?;
            if told.state == ProposalState::Waiting && (sees_all || told.mine) {
                info.waiting.push(told);
            }
        }
        if !sees_all {
            return Ok(info);
        }
        for id in guard.decided.iter().chain(&guard.waiting).rev() {
            let told = self.told(*id, &guard, viewer).await?;
            if told.state != ProposalState::Waiting && info.decided.len() < PROPOSALS_TOLD_MAX {
                info.decided.push(told);
            }
        }
        info.approvers = guard.approvers.iter().map(|name| self.ctx.address(name)).collect();
        let rows = self.ctx.store.scan(tables::GUARDED, Scan::prefix([]).limit(ASSETS_MAX)).await?;
        for row in rows {
            let record = GuardedRecord::from_record(&row.value)?;
            let asset = AssetId::from_slice(&row.key).map_err(|_| Fault::Internal("a threshold's key"))?;
            let today = record.on(self.ctx.now() / DAY_MS);
            if record.threshold > 0 {
                info.thresholds.push(ThresholdInfo { asset, amount: record.threshold, today });
            }
        }
        Ok(info)
    }

    async fn told(
        &self,
        id: TransferId,
        guard: &GuardRecord,
        viewer: Option<&UserName>,
    ) -> Result<ProposalInfo> {
        let record: Option<ProposalRecord> = self.ctx.read(tables::PROPOSALS, id.0).await?;
        let record = record.ok_or(Fault::Internal("a proposal that is not there"))?;
        let asset = match record.what.asset() {
            Some(asset) => Some(self.asset(asset).await?.asset),
            None => None,
        };
        let state = record.state(self.ctx.now());
        let mine = state == ProposalState::Waiting
            && viewer.is_some_and(|name| guard.may_decide(&record.what, name));
        Ok(ProposalInfo {
            id,
            asset,
            at_ms: record.at_ms,
            until_ms: record.until_ms,
            state,
            mine,
            by: record.decision.map(|decision| self.ctx.address(&decision.by)),
            what: record.what,
        })
    }

    /// `PUT wallet/admin/guard/threshold`. For whoever runs the node; the caller is not looked at. A lower one holds at once.
    ///
    /// # Errors
    /// [`WalletError::NeedsApproval`] for a higher one, or none: it waits. [`Fault::Invalid`] where nobody could approve.
    pub async fn set_threshold(&self, wish: AssetAmount) -> Result<()> {
        let (own, id) = (self.ctx.node.clone(), TransferId(self.ctx.random()));
        self.teller
            .run(move |sheet| {
                let known: Option<AssetRecord> = sheet.get(tables::ASSETS, wish.asset.0)?;
                if known.is_none_or(|known| known.asset.issuer != own) {
                    return Err(WalletError::NotFound("asset").into());
                }
                sheet.wish_threshold(id, &wish)
            })
            .await
    }

    /// `POST wallet/admin/guard/approvers`. For whoever runs the node; that there is such a member, and that they are not the owner, is
    /// for the caller to know.
    ///
    /// # Errors
    /// [`WalletError::NeedsApproval`]: it waits, for the first one to agree, else for an approver.
    pub(crate) async fn change_approver(&self, wish: ChangeApprover) -> Result<()> {
        let id = TransferId(self.ctx.random());
        self.teller
            .run(move |sheet| {
                let guard = sheet.guard()?;
                if guard.approvers.contains(&wish.user.name) == wish.appoint {
                    return Ok(());
                }
                if wish.appoint && guard.approvers.len() >= APPROVERS_MAX {
                    return Err(Fault::TooMany { what: "approvers", max: APPROVERS_MAX }.into());
                }
                let user = wish.user.clone();
                let what = if wish.appoint { Proposed::Appoint(user) } else { Proposed::Dismiss(user) };
                sheet.await_approval(id, what)
            })
            .await
    }

    /// `DELETE wallet/admin/guard/proposals/ID`: the owner takes a proposal back.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::ProposalOver`].
    pub async fn withdraw_proposal(&self, id: TransferId) -> Result<()> {
        self.teller
            .run(move |sheet| {
                let record = sheet.proposal(id)?.ok_or(WalletError::NotFound("proposal"))?;
                if record.withdrawn {
                    return Ok(());
                }
                if record.state(sheet.now) != ProposalState::Waiting {
                    return Err(WalletError::ProposalOver.into());
                }
                sheet.put(tables::PROPOSALS, id.0, &ProposalRecord { withdrawn: true, ..record });
                let mut guard = sheet.guard()?;
                guard.settle(id);
                sheet.put(tables::GUARD, GUARD, &guard);
                Ok(())
            })
            .await
    }
}

impl GuardRecord {
    /// Whether somebody may decide a proposal: an approver; where there is none, whoever is to become the first.
    pub(super) fn may_decide(&self, what: &Proposed, name: &UserName) -> bool {
        match what {
            Proposed::Appoint(user) if self.approvers.is_empty() => user.name == *name,
            _ => self.approvers.contains(name),
        }
    }

    /// A proposal waits no longer.
    pub(super) fn settle(&mut self, id: TransferId) {
        self.waiting.retain(|waiting| *waiting != id);
        self.decided.push(id);
        let more = self.decided.len().saturating_sub(PROPOSALS_TOLD_MAX);
        self.decided.drain(..more);
    }
}

impl ProposalRecord {
    pub(super) fn state(&self, now: Millis) -> ProposalState {
        match &self.decision {
            Some(decision) if decision.approved => ProposalState::Approved,
            Some(_) => ProposalState::Declined,
            None if self.withdrawn => ProposalState::Withdrawn,
            None if now >= self.until_ms => ProposalState::Expired,
            None => ProposalState::Waiting,
        }
    }
}

impl Sheet<'_> {
    pub(super) fn guard(&self) -> Result<GuardRecord, Stop> {
        Ok(self.get(tables::GUARD, GUARD)?.unwrap_or_default())
    }

    pub(super) fn proposal(&self, id: TransferId) -> Result<Option<ProposalRecord>, Stop> {
        self.get(tables::PROPOSALS, id.0)
    }

    pub(super) fn guarded(&self, asset: AssetId) -> Result<GuardedRecord, Stop> {
        Ok(self.get(tables::GUARDED, asset.0)?.unwrap_or_default())
    }

    /// Whether so much more of an asset cannot come into the world today without approval.
    pub(super) fn needs_approval(&self, asset: AssetId, amount: u64) -> Result<bool, Stop> {
        let known = self.guarded(asset)?;
        let today = known.on(self.now / DAY_MS);
        Ok(known.threshold > 0 && today.checked_add(amount).is_none_or(|sum| sum > known.threshold))
    }

    /// So much has come into the world without approval.
    pub(super) fn count_issued(&mut self, asset: AssetId, amount: u64) -> Result<(), Stop> {
        let known = self.guarded(asset)?;
        if known.threshold > 0 {
            let day = self.now / DAY_MS;
            let issued = known.on(day).saturating_add(amount);
            self.put(tables::GUARDED, asset.0, &GuardedRecord { day, issued, ..known });
        }
        Ok(())
    }

    /// What cannot be done alone waits from now on, or waits already: never `Ok`.
    pub(super) fn await_approval(&mut self, id: TransferId, what: Proposed) -> Result<(), Stop> {
        let mut guard = self.guard()?;
        let mut known = self.proposal(id)?.map(|record| (id, record));
        for waiting in &guard.waiting {
            let record = self.proposal(*waiting)?.ok_or(Fault::Internal("a proposal that is not there"))?;
            let is_same = record.what == what && !matches!(what, Proposed::Issue(_) | Proposed::Settle(_));
            if is_same && record.state(self.now) == ProposalState::Waiting {
                known = Some((*waiting, record));
            }
        }
        if let Some((_, record)) = known {
            let is_file = matches!(what, Proposed::File(_));
            return Err(match record.state(self.now) {
                _ if record.what != what && !is_file => WalletError::IdConflict,
                ProposalState::Waiting if record.what == what => WalletError::NeedsApproval,
                // Of a file, more or less was booked since: what waits is what it says now.
                ProposalState::Waiting | ProposalState::Expired | ProposalState::Withdrawn if is_file => {
                    guard.waiting.retain(|waiting| *waiting != id);
                    return self.put_proposal(id, what, guard);
                }
                _ => WalletError::ProposalOver,
            }
            .into());
        }
        self.put_proposal(id, what, guard)
    }

    fn put_proposal(&mut self, id: TransferId, what: Proposed, mut guard: GuardRecord) -> Result<(), Stop> {
        // Where nobody can approve, there is nothing to wait for.
        if guard.approvers.is_empty() && !matches!(what, Proposed::Appoint(_)) {
            return Err(Fault::Invalid { field: "approvers", why: "nobody can approve it" }.into());
        }
        for waiting in guard.waiting.clone() {
            if self.proposal(waiting)?.is_none_or(|record| record.state(self.now) != ProposalState::Waiting) {
                guard.settle(waiting);
            }
        }
        if guard.waiting.len() >= PROPOSALS_WAITING_MAX {
            return Err(Fault::TooMany { what: "proposals that wait", max: PROPOSALS_WAITING_MAX }.into());
        }
        guard.decided.retain(|decided| *decided != id);
        guard.waiting.push(id);
        self.put(tables::GUARD, GUARD, &guard);
        let (at_ms, until_ms) = (self.now, self.now + PROPOSAL_MS);
        let record = ProposalRecord { what, at_ms, until_ms, withdrawn: false, decision: None };
        self.put(tables::PROPOSALS, id.0, &record);
        Err(Stop::Kept(WalletError::NeedsApproval))
    }

    fn wish_threshold(&mut self, id: TransferId, wish: &AssetAmount) -> Result<(), Stop> {
        let before = self.guarded(wish.asset)?.threshold;
        if before == wish.amount {
            return Ok(());
        }
        if self.guard()?.approvers.is_empty() {
            return Err(Fault::Invalid { field: "approvers", why: "appoint an approver first" }.into());
        }
        if wish.amount > 0 && (before == 0 || wish.amount < before) {
            return self.set_threshold(wish, None);
        }
        self.await_approval(id, Proposed::Threshold(wish.clone()))
    }

    pub(super) fn set_threshold(
        &mut self,
        wish: &AssetAmount,
        proposal: Option<TransferId>,
    ) -> Result<(), Stop> {
        let known = self.guarded(wish.asset)?;
        let record = match known.threshold {
            // From here on it is counted.
            0 => GuardedRecord { threshold: wish.amount, day: 0, issued: 0 },
            _ => GuardedRecord { threshold: wish.amount, ..known },
        };
        self.put(tables::GUARDED, wish.asset.0, &record);
        let guard = self.guard()?;
        self.log_guard(guard, GuardChange::Threshold { asset: wish.asset, amount: wish.amount }, proposal)
    }

    /// Writes a change down, and the guard as it is then.
    pub(super) fn log_guard(
        &mut self,
        mut guard: GuardRecord,
        change: GuardChange,
        proposal: Option<TransferId>,
    ) -> Result<(), Stop> {
        guard.changes += 1;
        let record = GuardChangeRecord { at_ms: self.now, event: self.newest()?, change, proposal };
        self.put(tables::GUARD_LOG, guard.changes.to_be_bytes(), &record);
        self.put(tables::GUARD, GUARD, &guard);
        Ok(())
    }
}
