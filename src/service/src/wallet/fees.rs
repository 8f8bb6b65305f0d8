//! Fees (decision 0019): what the node takes for a payment, beside its amount and from whoever pays.
//!
//! A fee is a transfer of its own, whose id follows from that of the payment. It is in the payment's chain, so that both are done or
//! neither is; what is held for the payee holds its fee, and both end by one chain as well. Of a payment to another node the link ends
//! what is held, and the fee with it, in the same commit.

use super::{
    Result, Wallet, WalletError,
    accounts::earnings,
    records::{AccountRecord, AssetRecord, FeesRecord},
    sheet::{Sheet, Stop},
};
use crate::Fault;
use weft_ledger::{AccountKind, Books, Entry, Movement, Outcome, Purpose, Transfer};
use weft_store::tables;
use weft_wire::{
    AccountId, AssetId, TransferId,
    wallet::{
        AccountView, FEE_POINTS_MAX, Fee, FeeKind, MoneyFor, PaymentOrder, Receipt, SetFee, TransferState,
        fee_due,
    },
};

/// What a part of a fee may be at most, in minor units: what is more was mistyped.
const FEE_MAX: u64 = 1_000_000_000_000_000;

impl Wallet {
    /// `PUT wallet/admin/fees`: what is taken for payments of a kind from now on. For whoever runs the node; the caller is not looked
    /// at.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an asset of others, [`Fault::Invalid`].
    pub async fn set_fee(&self, wish: SetFee) -> Result<()> {
        check(&wish.fee)?;
        let own = self.ctx.node.clone();
        self.teller
            .run(move |sheet| {
                let known: Option<AssetRecord> = sheet.get(tables::ASSETS, wish.asset.0)?;
                if known.is_none_or(|known| known.asset.issuer != own) {
                    return Err(WalletError::NotFound("asset").into());
                }
                let mut fees = sheet.fees(wish.asset)?;
                fees.retain(|fee| fee.kind != wish.fee.kind);
                if !wish.fee.is_nothing() {
                    fees.push(wish.fee);
                }
                fees.sort_by_key(|fee| fee.kind);
                sheet.put(tables::FEES, wish.asset.0, &FeesRecord { fees });
                Ok(())
            })
            .await
    }

    /// `GET wallet/admin/fees/ASSET`: the account of what was earned.
    ///
    /// # Errors
    /// [`WalletError::NotFound`].
    pub async fn fees_earned(&self, asset: AssetId) -> Result<AccountView> {
        let (id, asset) = (earnings(asset), self.info(self.asset(asset).await?).await?);
        let account: Option<AccountRecord> = self.ctx.read(tables::LEDGER_ACCOUNTS, id.0).await?;
        if account.is_some() {
            return self.view(id).await;
        }
        let (balance, available, incoming, outgoing) = (0, 0, 0, 0);
        Ok(AccountView { id, asset, balance, available, incoming, outgoing, frozen: false })
    }

    /// `POST wallet/admin/fees/take/TRANSFER`: what was earned goes to a person's account. Asking again takes it once. Nothing comes into the
    /// world by that, so that nobody else has to agree. That there is such a person is for the caller to know.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] where there was no fee yet, [`WalletError::Refused`] for more than was earned,
    /// [`WalletError::IdConflict`].
    pub(crate) async fn take_fees(&self, id: TransferId, wish: MoneyFor) -> Result<()> {
        self.teller.run(move |sheet| sheet.take_fees(id, &wish)).await
    }
}

/// Whether a fee is one that somebody may mean.
fn check(fee: &Fee) -> Result<()> {
    let invalid = |field, why| Err(Fault::Invalid { field, why }.into());
    if fee.points > FEE_POINTS_MAX {
        return invalid("points", "at most 10000 basis points, which is all of it");
    }
    for (field, sum) in [("fixed", fee.fixed), ("least", fee.least), ("most", fee.most)] {
        if sum > FEE_MAX {
            return invalid(field, "a fee is at most 10^15 minor units");
        }
    }
    if fee.most > 0 && fee.most < fee.least.max(fee.fixed) {
        return invalid("most", "it is below the least that is taken");
    }
    Ok(())
}

impl Sheet<'_> {
    fn fees(&self, asset: AssetId) -> Result<Vec<Fee>, Stop> {
        Ok(self.get::<FeesRecord>(tables::FEES, asset.0)?.unwrap_or_default().fees)
    }

    /// What is due now for an order that moves so much.
    ///
    /// # Errors
    /// [`WalletError::FeeTooLow`]: whoever has signed has seen less.
    pub(super) fn fee_of(&self, order: &PaymentOrder, amount: u64) -> Result<u64, Stop> {
        let Some(kind) = order.fee_kind() else { return Ok(0) };
        self.fee_allowed(order, kind, amount)
    }

    /// The same where a code is charged from another node: who showed it did not know where it would be read.
    pub(super) fn fee_over(&self, order: &PaymentOrder, amount: u64) -> Result<u64, Stop> {
        self.fee_allowed(order, FeeKind::Remote, amount)
    }

    fn fee_allowed(&self, order: &PaymentOrder, kind: FeeKind, amount: u64) -> Result<u64, Stop> {
        let due = fee_due(&self.fees(order.asset)?, kind, amount);
        if due > order.max_fee { Err(WalletError::FeeTooLow { due }.into()) } else { Ok(due) }
    }

    /// The chain of a payment and its fee, which is held where the payment is.
    pub(super) fn with_fee(&mut self, payment: Transfer, fee: u64) -> Result<Vec<Transfer>, Stop> {
        let debit = match payment.movement {
            Movement::Posted { debit, .. } | Movement::Pending { debit, .. } if fee > 0 => debit,
            _ => return Ok(vec![payment]),
        };
        let is_held = matches!(payment.movement, Movement::Pending { .. });
        let fee = self.fee_transfer(payment.id, debit, (asset_of(self, debit)?, fee), is_held)?;
        Ok(vec![payment, fee])
    }

    /// The transfer of a fee. It is about the payment, and ends with it: by no clock of its own.
    fn fee_transfer(
        &mut self,
        payment: TransferId,
        debit: AccountId,
        (asset, amount): (AssetId, u64),
        is_held: bool,
    ) -> Result<Transfer, Stop> {
        let credit = self.node_account(AccountKind::Fee, asset)?;
        let movement = if is_held {
            Movement::Pending { debit, credit, amount, expires_ms: None, refunds: None }
        } else {
            Movement::Posted { debit, credit, amount, refunds: None }
        };
        Ok(Transfer { id: TransferId::of_fee(payment), movement, purpose: Purpose::Fee, about: payment.0 })
    }

    /// The fee of a payment, if there is one.
    fn fee_entry(&self, payment: TransferId) -> Result<Option<Entry>, Stop> {
        let entry = self.entry(TransferId::of_fee(payment))?;
        Ok(entry.filter(|entry| entry.outcome == Outcome::Done && entry.transfer.purpose == Purpose::Fee))
    }

    /// The chain that ends a payment which is held, and its fee with it.
    pub(super) fn with_fee_end(
        &self,
        end: Transfer,
        held: &Entry,
        is_taken: bool,
    ) -> Result<Vec<Transfer>, Stop> {
        // It stands alone: there was no fee.
        if held.chain_len < 2 {
            return Ok(vec![end]);
        }
        let fee = self.fee_entry(held.transfer.id)?;
        let fee = fee.and_then(|fee| fee_end(&fee, TransferId::of_answer(fee.transfer.id), is_taken));
        Ok([end].into_iter().chain(fee).collect())
    }

    /// Gives back what was held as the fee of a payment whose time is over.
    pub(super) fn expire_fee(&mut self, held: &Entry) -> Result<(), Stop> {
        if held.chain_len < 2 {
            return Ok(());
        }
        self.end_fee(held.transfer.id, TransferId::of_expiry, false)
    }

    /// Whether there is enough for the fee of a payment to another node as well: what is held there is held without it. If not, it is
    /// the ledger that says so, under the order's transfer: what was refused once stays refused.
    pub(super) fn covers_fee(
        &mut self,
        order: &PaymentOrder,
        debit: AccountId,
        fee: u64,
    ) -> Result<(), Stop> {
        let account = self.account(debit)?.ok_or(Fault::Internal("an account that was just opened"))?;
        let amount = order.amount.saturating_add(fee);
        let is_fee_missing =
            account.available() >= u128::from(order.amount) && account.available() < u128::from(amount);
        if fee == 0 || !is_fee_missing {
            return Ok(());
        }
        let credit = self.node_account(AccountKind::Fee, order.asset)?;
        let movement = Movement::Posted { debit, credit, amount, refunds: None };
        let both = Transfer { id: order.transfer(), movement, purpose: Purpose::Remote, about: order.id.0 };
        self.post(&[both])?;
        Err(Fault::Internal("more than there is was paid").into())
    }

    /// Holds the fee of a payment to another node, for as long as that is under way.
    pub(super) fn hold_fee(&mut self, order: &PaymentOrder, debit: AccountId, fee: u64) -> Result<(), Stop> {
        if fee == 0 {
            return Ok(());
        }
        let held = self.fee_transfer(order.transfer(), debit, (order.asset, fee), true)?;
        self.post(&[held]).map(drop).map_err(undone)
    }

    /// A payment to another node has gone over, or come back: so has its fee.
    pub(super) fn end_fee_over(&mut self, payment: TransferId, is_taken: bool) -> Result<(), Stop> {
        self.end_fee(payment, TransferId::of_answer, is_taken)
    }

    fn end_fee(
        &mut self,
        payment: TransferId,
        by: fn(TransferId) -> TransferId,
        is_taken: bool,
    ) -> Result<(), Stop> {
        let fee = self.fee_entry(payment)?;
        match fee.and_then(|fee| fee_end(&fee, by(fee.transfer.id), is_taken)) {
            Some(end) => self.post(&[end]).map(drop).map_err(undone),
            None => Ok(()),
        }
    }

    /// A receipt of what was done before says what was taken for it.
    pub(super) fn with_fee_taken(&self, receipt: Receipt) -> Result<Receipt, Stop> {
        if matches!(receipt.state, TransferState::Returned | TransferState::Expired) {
            return Ok(receipt);
        }
        let fee = self.fee_entry(receipt.transfer)?.and_then(|entry| entry.moved);
        Ok(Receipt { fee: fee.map_or(0, |moved| moved.amount), ..receipt })
    }

    fn take_fees(&mut self, id: TransferId, wish: &MoneyFor) -> Result<(), Stop> {
        let MoneyFor { asset, amount, .. } = *wish;
        let debit = earnings(asset);
        if self.account(debit)?.is_none() {
            return Err(WalletError::NotFound("fees").into());
        }
        if amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        let credit = self.personal(&wish.user.name, asset)?;
        let movement = Movement::Posted { debit, credit, amount, refunds: None };
        self.post(&[Transfer { id, movement, purpose: Purpose::Fee, about: [0; 16] }]).map(drop)
    }
}

fn asset_of(sheet: &Sheet<'_>, account: AccountId) -> Result<AssetId, Stop> {
    let account = sheet.account(account)?.ok_or(Fault::Internal("a payment without its account"))?;
    Ok(account.asset)
}

/// What ends a fee that is held.
fn fee_end(fee: &Entry, id: TransferId, is_taken: bool) -> Option<Transfer> {
    let Movement::Pending { amount, .. } = fee.transfer.movement else { return None };
    let pending = fee.transfer.id;
    let movement = if is_taken { Movement::Post { pending, amount } } else { Movement::Void { pending } };
    Some(Transfer { id, movement, purpose: Purpose::Fee, about: fee.transfer.about })
}

/// The payment has not gone without its fee, nor ended: nothing of it is kept.
fn undone(stop: Stop) -> Stop {
    match stop {
        Stop::Kept(error) => Stop::Undone(error),
        stop => stop,
    }
}
