//! Mandates: money of the wallet, collected again and again between people of the accounts.

use super::{Flows, Result};
use crate::{Budget, Caller, wallet::WalletError};
use weft_wire::{
    TransferId, UserAddress,
    wallet::{GiveMandate, MandateAct, MandateInfo, Payee},
};

impl Flows {
    /// `POST wallet/mandates`.
    ///
    /// # Errors
    /// See [`WalletError`]. The same form again gets the same mandate.
    pub async fn give_mandate(&self, caller: &Caller, request: GiveMandate) -> Result<MandateInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let order = request.order.peek().map_err(|_| WalletError::Signature("the order"))?;
        if let Payee::Mandate(terms) = &order.payee
            && self.ctx.is_local(&terms.creditor)
            && !self.may_get(&terms.creditor).await?
        {
            return Err(WalletError::NotFound("payee").into());
        }
        Ok(self.wallet.give_mandate(caller, request).await?)
    }

    /// `POST wallet/mandates/ID`.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn act_on_mandate(
        &self,
        caller: &Caller,
        id: TransferId,
        act: MandateAct,
    ) -> Result<MandateInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let (debtor, creditor) = self.wallet.sides_of_mandate(id).await?;
        let is_there = self.has_account(&debtor).await? && self.may_get(&creditor).await?;
        Ok(self.wallet.act_on_mandate(caller, id, act, is_there).await?)
    }

    /// Collects what is due by mandates. Gives how many collections there were.
    ///
    /// # Errors
    /// What stopped it; the next round goes on.
    pub async fn collect_due(&self) -> Result<u64> {
        let mut due = self.wallet.due_mandates().await?;
        for one in &mut due {
            one.is_there = self.has_account(&one.debtor).await? && self.may_get(&one.creditor).await?;
        }
        Ok(self.wallet.collect_due(due).await?)
    }

    /// Whether there is a person or a shop of this name. What a shop takes is for the wallet to say.
    async fn may_get(&self, user: &UserAddress) -> Result<bool> {
        Ok(self.has_account(user).await? || self.wallet.is_shop(&user.name).await?)
    }
}
