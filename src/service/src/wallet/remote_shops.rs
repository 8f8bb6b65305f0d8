//! Shops that are paid from other nodes, or are of other nodes: see decision 0014.

use super::{
    Memo, Result, Wallet, WalletError,
    records::{MerchantRecord, OrderRecord, SaleRecord},
    remote::Remote,
    sales::{Bought, sale_key},
    sheet::{Sheet, Stop},
};
use crate::Fault;
use weft_ledger::link::{LinkBooks, Payment, Prepare, Reason, Sum, Way};
use weft_store::tables;
use weft_wire::{
    AccountId, Millis, NodeName, TransferId, UserAddress,
    limits::SHOP_TITLE_CHARS_MAX,
    text,
    wallet::{Intent, MerchantPayee, PaymentOrder, ShopName},
};

/// Within what time a shop of another node has to have taken a payment: who has left without the goods gets the money back. The clocks of
/// the two may differ by as much.
pub(super) const SHOP_MS: Millis = 60 * 60 * 1000;

impl Wallet {
    /// What the shop is called that is paid, or gives back: one of this node as it is called now, another one as it was called when it
    /// was paid, if that was known.
    pub(super) async fn remote_shop(&self, payment: &Payment, remote: &Remote) -> Result<Option<ShopName>> {
        // What gives back is a shop where the payment before was to one.
        let (shop, paid) = match remote.refunds {
            _ if remote.sold || remote.billed => (&remote.payee, Some(payment.id)),
            Some(original) => (&remote.payer, Some(original)),
            None => return Ok(None),
        };
        let title = if self.ctx.is_local(shop) {
            let record: Option<MerchantRecord> = self.ctx.read(tables::MERCHANTS, shop.name.as_str()).await?;
            record.map(|record| record.details.title)
        } else {
            let order: Option<OrderRecord> = match paid {
                Some(paid) => self.ctx.read(tables::ORDERS, paid.0).await?,
                None => None,
            };
            order.and_then(|order| order.title)
        };
        let bare = || remote.sold.then(|| shop.name.to_string());
        Ok(title.or_else(bare).map(|title| ShopName { shop: shop.clone(), title }))
    }

    /// By which transfer the money of a payment came to a shop, and whether something else was given for it.
    pub(super) async fn moved_by(
        &self,
        payer: &UserAddress,
        transfer: TransferId,
    ) -> Result<(TransferId, bool)> {
        if self.ctx.is_local(payer) {
            return Ok((transfer, false));
        }
        let payment = self.remote(&payer.node, Way::In, transfer).await?;
        let Some(payment) = payment else { return Ok((transfer, false)) };
        let at_rate = payment.prepare.as_ref().is_some_and(|prepare| prepare.get.is_some());
        // What a thaw has turned has come all the same.
        let leg = payment.legs.last().or(payment.undone.last());
        Ok((leg.map_or(transfer, |leg| leg.transfer), at_rate))
    }
}

impl Sheet<'_> {
    /// The account of a shop that is paid from another node, if it is to be paid so.
    pub(super) fn sold_over(
        &mut self,
        prepare: &Prepare,
        payer: &UserAddress,
        payee: &MerchantPayee,
    ) -> Result<Result<AccountId, Reason>, Stop> {
        let Some((bought, memo)) = Bought::over(prepare, payer).zip(Memo::of(prepare)) else {
            return Ok(Err(Reason::Memo));
        };
        // What is bought gives nothing back, and was not asked for in a chat.
        if prepare.refunds.is_some() {
            return Ok(Err(Reason::Refund));
        }
        if memo.request.is_some() || memo.share.is_some() || self.is_too_much(prepare, payee, &bought)? {
            return Ok(Err(Reason::Asked));
        }
        match self.sold_for(&bought, payee) {
            Ok(account) => Ok(Ok(account)),
            Err(stop) => why_not(stop).map(Err),
        }
    }

    /// Whether less, at the rate, would have been enough for what a sale asks for: nobody is to pay more for want of a better bill, and
    /// what was exchanged cannot be given back.
    fn is_too_much(&self, prepare: &Prepare, payee: &MerchantPayee, bought: &Bought) -> Result<bool, Stop> {
        let Some(id) = payee.sale.filter(|_| prepare.get.is_some()) else { return Ok(false) };
        let Some(sale) = self.get::<SaleRecord>(tables::SALES, sale_key(&payee.shop.name, id))? else {
            return Ok(false);
        };
        match sale.amount.checked_add(bought.tip) {
            Some(asked) => self.would_less_do(prepare, &bought.payer.node, asked),
            None => Ok(false),
        }
    }

    /// Whether less of what is exchanged would have been enough for so much.
    pub(super) fn would_less_do(&self, prepare: &Prepare, peer: &NodeName, asked: u64) -> Result<bool, Stop> {
        let Some(got) = prepare.get else { return Ok(false) };
        let link = self.link(peer)?.ok_or(Fault::Internal("a payment without a link"))?;
        let give = prepare.give;
        let of_less = link.terms.exchange(give.asset, give.amount.saturating_sub(1), got.asset, self.now);
        Ok(of_less.is_some_and(|of_less| of_less >= asked))
    }
}

/// Whether another node can mean that a shop is called so: as one here may be.
pub(crate) fn is_shop_title(title: &str) -> bool {
    text::name(title) == title && !title.trim().is_empty() && title.chars().count() <= SHOP_TITLE_CHARS_MAX
}

impl Bought {
    /// What another node says that somebody there buys.
    pub(super) fn over(prepare: &Prepare, payer: &UserAddress) -> Option<Bought> {
        let (Sum { asset, amount }, tip) = (prepare.got(), Memo::of(prepare)?.tip.unwrap_or(0));
        let at_rate = prepare.get.is_some();
        Some(Bought { payer: payer.clone(), transfer: prepare.payment, asset, amount, tip, at_rate })
    }
}

/// What can be known to be wrong about an order for something that is bought, without the shop: it may be of another node.
pub(super) fn may_buy(order: &PaymentOrder, payee: &MerchantPayee) -> Result<(), Stop> {
    if order.intent != Intent::Payment || order.refunds.is_some() || order.request.is_some() {
        return Err(Fault::Invalid { field: "intent", why: "what is bought is paid at once" }.into());
    }
    Ok(Bought::of(order).check(payee)?)
}

/// What another node hears of why a shop, or whoever has sent an invoice, does not take something. What is not the shop's to say goes on stopping.
pub(super) fn why_not(stop: Stop) -> Result<Reason, Stop> {
    Ok(match stop {
        Stop::Undone(WalletError::NotFound(_)) => Reason::UnknownPayee,
        Stop::Undone(WalletError::ShopClosed) => Reason::Closed,
        Stop::Undone(WalletError::AlreadyPaid) => Reason::Paid,
        Stop::Undone(WalletError::SaleOver | WalletError::InvoiceCancelled) => Reason::Over,
        Stop::Undone(WalletError::IdConflict | WalletError::Fault(Fault::Invalid { .. })) => Reason::Asked,
        stop => return Err(stop),
    })
}
