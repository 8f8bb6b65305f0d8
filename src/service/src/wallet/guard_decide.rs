//! An approver decides what the owner has proposed, and what was approved is done in the same commit.

use super::{
    Result, Wallet, WalletError,
    accounts::issuance,
    guard::GUARD,
    guard_records::{DecisionRecord, GuardChange, ProposalRecord},
    records::OrderKeyRecord,
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined};
use weft_ledger::{Books, Movement, Purpose, Refusal, Transfer};
use weft_store::tables;
use weft_wire::{
    AssetId, Signed, TransferId,
    limits::APPROVERS_MAX,
    wallet::{Approval, DecideProposal, MoneyFor, ProposalState, Proposed},
};

/// A decision whose signature is good.
struct Word {
    approval: Approval,
    signed: Signed<Approval>,
    /// The key that has signed it, and where it is kept.
    key: [u8; 32],
    row: Vec<u8>,
}

impl Wallet {
    /// What a proposal says, for whoever has to know whether that is still possible.
    pub(crate) async fn proposed(&self, id: TransferId) -> Result<Proposed> {
        let record: Option<ProposalRecord> = self.ctx.read(tables::PROPOSALS, id.0).await?;
        Ok(record.ok_or(WalletError::NotFound("proposal"))?.what)
    }

    /// `POST wallet/guard/proposals/ID`. Asking again decides it once.
    ///
    /// # Errors
    /// [`WalletError::OwnProposal`], [`WalletError::NotApprover`], [`WalletError::ProposalOver`], [`WalletError::ProposalChanged`],
    /// [`WalletError::Signature`], [`WalletError::ForeignOrder`]; and what the books say to it: then it goes on waiting.
    pub(crate) async fn decide_proposal(
        &self,
        caller: &Caller,
        id: TransferId,
        wish: DecideProposal,
    ) -> Result<()> {
        if caller.is_owner() {
            return Err(WalletError::OwnProposal);
        }
        let row = joined(caller.name().as_str(), caller.device().0);
        let known: OrderKeyRecord =
            self.ctx.read(tables::ORDER_KEYS, &row).await?.ok_or(WalletError::NoOrderKey)?;
        let approval =
            wish.approval.verify(&known.key).map_err(|_| WalletError::Signature("the approval"))?;
        if approval.by != *caller.user() || approval.device != caller.device() {
            return Err(WalletError::ForeignOrder);
        }
        if approval.proposal != id {
            return Err(WalletError::ProposalChanged);
        }
        let word = Word { approval, signed: wish.approval, key: known.key, row };
        self.teller.run(move |sheet| sheet.decide_proposal(&word)).await
    }
}

impl Sheet<'_> {
    fn decide_proposal(&mut self, word: &Word) -> Result<(), Stop> {
        let (id, by) = (word.approval.proposal, &word.approval.by.name);
        let record = self.proposal(id)?.ok_or(WalletError::NotFound("proposal"))?;
        if let Some(known) = &record.decision
            && (&known.by, known.approved) == (by, word.approval.approve)
        {
            return Ok(());
        }
        let mut guard = self.guard()?;
        if !guard.may_decide(&record.what, by) {
            return Err(WalletError::NotApprover.into());
        }
        if record.state(self.now) != ProposalState::Waiting {
            return Err(WalletError::ProposalOver.into());
        }
        if record.what != word.approval.what || record.at_ms != word.approval.proposed_ms {
            return Err(WalletError::ProposalChanged.into());
        }
        let key: OrderKeyRecord = self.get(tables::ORDER_KEYS, &word.row)?.ok_or(WalletError::NoOrderKey)?;
        if key.key != word.key {
            return Err(WalletError::Signature("the approval").into());
        }
        let decision = DecisionRecord {
            approval: word.signed.clone(),
            cert: key.cert,
            by: by.clone(),
            approved: word.approval.approve,
            at_ms: self.now,
            change: guard.changes,
        };
        guard.settle(id);
        self.put(tables::GUARD, GUARD, &guard);
        let what = record.what.clone();
        self.put(tables::PROPOSALS, id.0, &ProposalRecord { decision: Some(decision), ..record });
        if word.approval.approve { self.carry_out(id, &what) } else { Ok(()) }
    }

    fn carry_out(&mut self, id: TransferId, what: &Proposed) -> Result<(), Stop> {
        let mut guard = self.guard()?;
        match what {
            Proposed::Issue(wish) => self.issue_approved(id, wish),
            // It is handed in once more.
            Proposed::File(_) => Ok(()),
            Proposed::Threshold(wish) => self.set_threshold(wish, Some(id)),
            Proposed::Appoint(user) => {
                if guard.approvers.len() >= APPROVERS_MAX {
                    return Err(Fault::TooMany { what: "approvers", max: APPROVERS_MAX }.into());
                }
                if !guard.approvers.contains(&user.name) {
                    guard.approvers.push(user.name.clone());
                }
                self.log_guard(guard, GuardChange::Appointed(user.name.clone()), Some(id))
            }
            Proposed::Dismiss(user) => {
                guard.approvers.retain(|name| *name != user.name);
                self.log_guard(guard, GuardChange::Dismissed(user.name.clone()), Some(id))
            }
            Proposed::Float(wish) => self.float_approved(id, wish),
            Proposed::Settle(wish) => self.settle_approved(id, wish),
            _ => Err(Fault::Invalid { field: "proposal", why: "not known here" }.into()),
        }
    }

    fn issue_approved(&mut self, id: TransferId, wish: &MoneyFor) -> Result<(), Stop> {
        self.may_mint(wish.asset, wish.amount)?;
        let (debit, credit) = (issuance(wish.asset), self.personal(&wish.user.name, wish.asset)?);
        let movement = Movement::Posted { debit, credit, amount: wish.amount, refunds: None };
        let transfer = Transfer { id, movement, purpose: Purpose::Issue, about: [0; 16] };
        self.undone_if_refused(&transfer)
    }

    /// Whether so much more may be in the world. It is asked before: what the ledger has refused once it refuses for ever.
    pub(super) fn may_mint(&self, asset: AssetId, amount: u64) -> Result<(), Stop> {
        let account = self.account(issuance(asset))?.ok_or(WalletError::NotFound("asset"))?;
        if account.available() < u128::from(amount) {
            return Err(WalletError::Refused(Refusal::Floor).into());
        }
        Ok(())
    }

    /// Posts one transfer; should the ledger refuse it, nothing is kept of it, and it can be asked for once more.
    pub(super) fn undone_if_refused(&mut self, transfer: &Transfer) -> Result<(), Stop> {
        match self.post(&[*transfer]) {
            Err(Stop::Kept(error)) => Err(Stop::Undone(error)),
            outcome => outcome.map(drop),
        }
    }
}
