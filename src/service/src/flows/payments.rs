//! Payments: money of the wallet, between people of the accounts.

use super::{Flows, Result};
use crate::{Budget, Caller, wallet::WalletError};
use weft_wire::{
    AssetId, Signed, TransferId, UserAddress,
    wallet::{Payee, Receipt, SubmitOrder},
};

impl Flows {
    /// `POST wallet/orders`.
    ///
    /// # Errors
    /// See [`WalletError`]. The same order again gets the first answer again.
    pub async fn pay(&self, caller: &Caller, request: SubmitOrder) -> Result<Signed<Receipt>> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let order = request.order.peek().map_err(|_| WalletError::Signature("the order"))?;
        let is_there = match &order.payee {
            Payee::Person(user) => self.has_account(user).await?,
            _ => false,
        };
        Ok(self.wallet.pay(caller, request, is_there).await?)
    }

    /// Brings money into the world on somebody's account, or takes it out again. For whoever runs the node; the caller is not
    /// looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn issue(
        &self,
        id: TransferId,
        asset: AssetId,
        user: &UserAddress,
        amount: u64,
        redeem: bool,
    ) -> Result<()> {
        if !self.has_account(user).await? {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.issue(id, asset, &user.name, amount, redeem).await?)
    }

    /// Whether somebody is of this node and not locked out.
    async fn has_account(&self, user: &UserAddress) -> Result<bool> {
        if !self.ctx.is_local(user) {
            return Ok(false);
        }
        Ok(self.accounts.account(&user.name).await?.is_some_and(|account| !account.disabled))
    }
}
