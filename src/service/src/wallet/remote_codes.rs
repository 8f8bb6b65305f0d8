//! Codes of this node's people that are read at a till of another one: that node asks with its signature, and the money goes over the
//! link, for the one sale that it has named. See decision 0022.

use super::{
    LinkTrouble, Memo, Result, Wallet, WalletError,
    codes::{Giving, Read},
    records::{AskedRecord, ChargeRecord, CodeRecord, OrderRecord},
    remote_shops::{SHOP_MS, is_shop_title},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use weft_ledger::{
    Books,
    link::{self, Aim, LinkBooks, Prepare, Reason, Sent, Sum},
};
use weft_store::tables;
use weft_wire::{
    Blob, NodeName, RequestId, Signed, UserAddress, encode,
    wallet::{BearerPayee, CodeCharge, MerchantPayee, Payee, PaymentOrder},
};

impl Wallet {
    /// A shop's node asks for money by a code. `key`: that node's. Asked again it is done once, also after the code's time;
    /// what there was not enough for is refused as it was, and counts once.
    ///
    /// # Errors
    /// [`WalletError::Signature`], [`WalletError::ForeignOrder`] for a shop of a third node, [`WalletError::IdConflict`] for another sum or
    /// code for the same sale; [`WalletError::CodeInvalid`], [`WalletError::CodeLimit`], [`WalletError::AlreadyPaid`] by a code that was
    /// used; what the account, its limits and the link do not give; [`WalletError::ChargeRefused`] with what was said of the same before.
    pub(crate) async fn charge_over(
        &self,
        peer: &NodeName,
        key: &[u8; 32],
        signed: Signed<CodeCharge>,
    ) -> Result<()> {
        let charge = signed.verify(key).map_err(|_| WalletError::Signature("the other node"))?;
        if charge.shop.node != *peer {
            return Err(WalletError::ForeignOrder);
        }
        if *charge.code.node() != self.ctx.node {
            return Err(WalletError::CodeInvalid);
        }
        if !is_shop_title(&charge.title) {
            return Err(Fault::Invalid { field: "title", why: "1 to 64 characters" }.into());
        }
        if charge.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        self.teller.run(move |sheet| sheet.charge_over(&charge, &signed)).await
    }
}

/// Where a charge is kept.
pub(super) fn charge_key(shop: &UserAddress, sale: RequestId) -> Vec<u8> {
    joined(&shop.to_string(), sale.0)
}

impl Sheet<'_> {
    fn charge_over(&mut self, charge: &CodeCharge, signed: &Signed<CodeCharge>) -> Result<(), Stop> {
        let key = charge_key(&charge.shop, charge.sale);
        if let Some(known) = self.get::<ChargeRecord>(tables::CHARGES, &key)? {
            let before = known.charge.peek().map_err(|_| Fault::Internal("a charge that cannot be read"))?;
            // A shop may be called otherwise by now.
            let is_it = CodeCharge { title: before.title.clone(), ..charge.clone() } == before;
            return if is_it { Ok(()) } else { Err(WalletError::IdConflict.into()) };
        }
        let bearer = BearerPayee::of(&charge.code);
        let CodeCharge { ref shop, sale, asset, amount, .. } = *charge;
        let asked = AskedRecord { shop: shop.clone(), sale, asset, amount };
        let read = Read { digits: bearer.digits, code: Some(bearer.code), asked };
        let (code, order) = self.shown(&read)?;
        let (give, get) = self.price(&order, charge)?;
        if give.amount > order.amount {
            return Err(WalletError::CodeLimit.into());
        }
        // An order that was carried out in the meantime brings no money a second time.
        if self.entry(order.transfer())?.is_some() {
            return Err(WalletError::CodeInvalid.into());
        }
        let fee = self.fee_over(&order, give.amount);
        let given = self.giving(&order, give.amount, fee);
        let Giving { debit, fee, paid } = given.map_err(|stop| self.not_given(&read, &code, stop))?;
        let prepare = self.prepared(&order, charge, give, get)?;
        match link::send(self, &charge.shop.node, debit, prepare, self.now)? {
            // One that a thaw has brought into the link's books after a restore is not in those of the ledger: it pays for nothing here.
            Sent::Asked(_) if self.entry(order.transfer())?.is_none() => {
                return Err(WalletError::CodeInvalid.into());
            }
            Sent::Asked(_) => {}
            // Nothing of it is kept: the code is good for less, or for another shop.
            Sent::Refused { reason, .. } => {
                return Err(WalletError::Link(LinkTrouble::Payment(reason)).into());
            }
        }
        let (transfer, title) = (order.transfer(), Some(charge.title.clone()));
        let kept = OrderRecord { order: code.order.clone(), cert: code.cert.clone(), title };
        self.put(tables::ORDERS, transfer.0, &kept);
        self.put(tables::PAY_CODES, read.digits, &CodeRecord { used: true, ..code });
        self.put(tables::CHARGES, key, &ChargeRecord { charge: signed.clone(), transfer });
        if let Some(paid) = paid {
            self.put(tables::PAYERS, debit.0, &paid);
        }
        self.hold_fee(&order, debit, fee)
    }

    /// What the payer gives for what a shop wants to get, and what it gets if that is another asset: at a rate of the terms the least
    /// that is enough.
    fn price(&self, order: &PaymentOrder, charge: &CodeCharge) -> Result<(Sum, Option<Sum>), Stop> {
        let CodeCharge { asset, amount, .. } = *charge;
        if order.asset == asset {
            return Ok((Sum { asset, amount }, None));
        }
        let link = self.link(&charge.shop.node)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let least = link.terms.least_for(order.asset, asset, amount, self.now);
        let (given, got) = least.ok_or(WalletError::Link(LinkTrouble::Payment(Reason::Rate)))?;
        Ok((Sum { asset: order.asset, amount: given }, Some(Sum { asset, amount: got })))
    }

    fn prepared(
        &self,
        order: &PaymentOrder,
        charge: &CodeCharge,
        give: Sum,
        get: Option<Sum>,
    ) -> Result<Prepare, Stop> {
        let payee = MerchantPayee { shop: charge.shop.clone(), till: None, sale: Some(charge.sale) };
        let expires_ms = self.end_over(&charge.shop.node)?.min(self.now.saturating_add(SHOP_MS));
        let memo = Memo { order: order.id, request: None, share: None, tip: None, by: None };
        Ok(Prepare {
            payment: order.transfer(),
            give,
            get,
            refunds: None,
            aim: Aim::Payment {
                payer: order.payer.clone(),
                payee: Payee::Merchant(payee),
                intent: order.intent,
            },
            expires_ms,
            memo: Blob(encode(&memo)),
        })
    }
}
