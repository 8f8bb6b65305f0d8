//! Sales: what a shop is to be paid for, by a code for it alone or by the one at its counter, and its till roll.

use super::{
    Result, Wallet, WalletError,
    records::{AssetRecord, MerchantRecord, PaidRecord, SaleRecord},
    remote_shops::may_buy,
    sheet::{Sheet, Stop},
    shops::{code, unfit},
};
use crate::{Budget, Caller, Fault, context::joined};
use weft_ledger::format_amount;
use weft_store::{Scan, tables};
use weft_wire::{
    AccountId, AssetId, Millis, RequestId, TransferId, UserAddress, UserName,
    emv::{Initiation, Request, Tip},
    limits::{PAGE_MAX, SALE_LIFETIME_MS, SALE_LIFETIME_MS_MAX},
    wallet::{MerchantPayee, OpenSale, PaymentOrder, SaleInfo, SaleKind, SaleList, SalePaid, SaleState},
};

/// Characters of a bill's number and of a till.
const LABEL_CHARS_MAX: usize = 25;

impl Wallet {
    /// `POST wallet/merchants/NAME/sales`, by the staff. The same again gives the same sale.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`], [`WalletError::ShopClosed`], [`WalletError::PaymentMax`],
    /// [`WalletError::IdConflict`], [`Fault::Invalid`].
    pub async fn open_sale(&self, caller: &Caller, shop: &UserName, wish: OpenSale) -> Result<SaleInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let record = self.staffed(caller, shop).await?;
        let id = wish.id;
        let sale = SaleRecord::of(&wish, caller.user(), self.ctx.now())?;
        // Whether it fits into a code, before it is kept.
        self.code(&record, shop, id, &sale).await?;
        let (by, name) = (caller.user().clone(), shop.clone());
        self.teller.run(move |sheet| sheet.open_sale(&by, &name, id, &sale)).await?;
        self.sale(caller, shop, id).await
    }

    /// `DELETE wallet/merchants/NAME/sales/ID`: the shop takes it back.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`], [`WalletError::AlreadyPaid`].
    pub async fn cancel_sale(&self, caller: &Caller, shop: &UserName, id: RequestId) -> Result<SaleInfo> {
        let (by, name) = (caller.user().clone(), shop.clone());
        self.teller
            .run(move |sheet| {
                sheet.shop_of(&name, &by)?;
                let key = sale_key(&name, id);
                let sale: SaleRecord =
                    sheet.get(tables::SALES, &key)?.ok_or(WalletError::NotFound("sale"))?;
                if sale.paid.is_some() {
                    return Err(WalletError::AlreadyPaid.into());
                }
                if !sale.cancelled {
                    sheet.put(tables::SALES, key, &SaleRecord { cancelled: true, ..sale });
                }
                Ok(())
            })
            .await?;
        self.sale(caller, shop, id).await
    }

    /// `GET wallet/merchants/NAME/sales/ID`, for whoever knows its id. Who has paid it, only the staff and the payer learn.
    ///
    /// # Errors
    /// [`WalletError::NotFound`].
    pub async fn sale(&self, caller: &Caller, shop: &UserName, id: RequestId) -> Result<SaleInfo> {
        self.sale_for(caller.user(), shop, id).await
    }

    /// The same, for somebody of whatever node.
    pub(crate) async fn sale_for(
        &self,
        user: &UserAddress,
        shop: &UserName,
        id: RequestId,
    ) -> Result<SaleInfo> {
        let record = self.merchant(shop).await?;
        self.sale_info(user, shop, &record, id).await
    }

    /// `GET wallet/merchants/NAME/sales?before=ID`: the till roll, the newest first, for the staff.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`].
    pub async fn sales(
        &self,
        caller: &Caller,
        shop: &UserName,
        before: Option<RequestId>,
    ) -> Result<SaleList> {
        let record = self.staffed(caller, shop).await?;
        let mut scan = Scan::prefix(joined(shop.as_str(), [])).reverse().limit(PAGE_MAX + 1);
        if let Some(before) = before {
            let sale: Option<SaleRecord> = self.ctx.read(tables::SALES, sale_key(shop, before)).await?;
            let sale = sale.ok_or(WalletError::NotFound("sale"))?;
            scan = scan.after(list_key(shop, sale.made_ms, before));
        }
        let rows = self.ctx.store.scan(tables::SALES_LIST, scan).await?;
        let mut sales = Vec::with_capacity(rows.len());
        for row in rows.iter().take(PAGE_MAX) {
            let id = row.key.last_chunk().copied().map(RequestId);
            let id = id.ok_or(Fault::Internal("a sale's key without an id"))?;
            sales.push(self.sale_info(caller.user(), shop, &record, id).await?);
        }
        Ok(SaleList { sales, more: rows.len() > PAGE_MAX })
    }

    async fn sale_info(
        &self,
        user: &UserAddress,
        shop: &UserName,
        record: &MerchantRecord,
        id: RequestId,
    ) -> Result<SaleInfo> {
        let sale: Option<SaleRecord> = self.ctx.read(tables::SALES, sale_key(shop, id)).await?;
        let sale = sale.ok_or(WalletError::NotFound("sale"))?;
        let state = sale.state(self.ctx.now());
        let is_staff = record.role(user).is_some();
        let code = match (is_staff, state) {
            (true, SaleState::Open) if sale.kind == SaleKind::Dynamic => {
                Some(self.code(record, shop, id, &sale).await?)
            }
            _ => None,
        };
        let paid = match &sale.paid {
            Some(paid) if is_staff || paid.payer == *user => {
                let (by, at_rate) = self.moved_by(&paid.payer, paid.transfer).await?;
                Some(SalePaid {
                    payer: paid.payer.clone(),
                    transfer: paid.transfer,
                    at_ms: paid.at_ms,
                    tip: paid.tip,
                    refunded: self.standing(by).await?.map_or(0, |standing| standing.refunded),
                    at_rate,
                })
            }
            _ => None,
        };
        Ok(SaleInfo {
            id,
            shop: self.ctx.address(shop),
            asset: self.asset(sale.asset).await?.asset,
            amount: sale.amount,
            tip_allowed: sale.tip_allowed,
            bill: sale.bill,
            till: sale.till,
            kind: sale.kind,
            state,
            made_ms: sale.made_ms,
            expires_ms: sale.expires_ms,
            code,
            by: sale.by.filter(|_| is_staff),
            paid,
            refused: sale.refused.filter(|_| is_staff),
        })
    }

    /// The code of a sale that waits: signed, and the same whenever it is asked for.
    async fn code(
        &self,
        record: &MerchantRecord,
        shop: &UserName,
        id: RequestId,
        sale: &SaleRecord,
    ) -> Result<String> {
        let asset = self.asset(sale.asset).await?.asset;
        let expires_ms = sale.expires_ms.ok_or(Fault::Internal("a sale without an end"))?;
        let mut qr = code(&self.ctx.address(shop), &record.details, sale.asset);
        qr.initiation = Initiation::Dynamic(Request { id, expires_ms });
        qr.amount = Some(format_amount(i128::from(sale.amount), asset.scale).parse().map_err(unfit)?);
        qr.tip = sale.tip_allowed.then_some(Tip::Prompt);
        qr.account.till.clone_from(&sale.till);
        qr.additional.bill_number = Some(sale.bill.clone()).filter(|bill| !bill.is_empty());
        qr.encode_signed(&self.key).map_err(unfit)
    }
}

/// What somebody pays in a shop, of this node or of another.
#[derive(Clone)]
pub(super) struct Bought {
    pub payer: UserAddress,
    /// By what both nodes call it.
    pub transfer: TransferId,
    /// What the shop gets.
    pub asset: AssetId,
    pub amount: u64,
    /// Of that.
    pub tip: u64,
    /// The payer gives another asset for it.
    pub at_rate: bool,
}

impl Bought {
    pub(super) fn of(order: &PaymentOrder) -> Bought {
        let (asset, amount) =
            order.exchange.map_or((order.asset, order.amount), |got| (got.asset, got.amount));
        let (payer, transfer, tip) = (order.payer.clone(), order.transfer(), order.tip.unwrap_or(0));
        Bought { payer, transfer, asset, amount, tip, at_rate: order.exchange.is_some() }
    }

    /// What can be known to be wrong of it without the shop.
    pub(super) fn check(&self, payee: &MerchantPayee) -> Result<()> {
        if self.tip >= self.amount {
            return Err(Fault::Invalid { field: "tip", why: "it is a part of the amount" }.into());
        }
        check_label("till", payee.till.as_deref().unwrap_or_default())
    }
}

impl SaleRecord {
    fn of(wish: &OpenSale, by: &UserAddress, now: Millis) -> Result<SaleRecord> {
        let lifetime = if wish.lifetime_ms == 0 { SALE_LIFETIME_MS } else { wish.lifetime_ms };
        if lifetime > SALE_LIFETIME_MS_MAX {
            return Err(Fault::Invalid { field: "lifetime_ms", why: "at most a day" }.into());
        }
        check_label("bill", &wish.bill)?;
        check_label("till", wish.till.as_deref().unwrap_or_default())?;
        Ok(SaleRecord {
            asset: wish.asset,
            amount: wish.amount,
            tip_allowed: wish.tip_allowed,
            bill: wish.bill.clone(),
            till: wish.till.clone(),
            kind: SaleKind::Dynamic,
            made_ms: now,
            expires_ms: Some(now + lifetime),
            by: Some(by.clone()),
            code: None,
            cancelled: false,
            paid: None,
            refused: None,
        })
    }

    pub(super) fn state(&self, now: Millis) -> SaleState {
        match (&self.paid, self.cancelled, self.expires_ms) {
            (Some(_), ..) => SaleState::Paid,
            (None, true, _) => SaleState::Cancelled,
            (None, false, Some(expires_ms)) if now >= expires_ms => SaleState::Expired,
            (None, false, _) => SaleState::Open,
        }
    }

    /// Whether two are of one wish.
    pub(super) fn is_as(&self, other: &SaleRecord) -> bool {
        let sum = |sale: &SaleRecord| (sale.asset, sale.amount, sale.tip_allowed, sale.kind);
        let words = |sale: &SaleRecord| (sale.bill.clone(), sale.till.clone(), sale.code.clone());
        sum(self) == sum(other) && words(self) == words(other)
    }
}

/// A number or name that a code holds, or nothing.
pub(super) fn check_label(field: &'static str, label: &str) -> Result<()> {
    let is_printable = label.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_printable && label.len() <= LABEL_CHARS_MAX {
        return Ok(());
    }
    Err(Fault::Invalid { field, why: "at most 25 characters of printable ASCII" }.into())
}

pub(super) fn sale_key(shop: &UserName, id: RequestId) -> Vec<u8> {
    joined(shop.as_str(), id.0)
}

/// Where a sale stands on the till roll.
fn list_key(shop: &UserName, made_ms: Millis, id: RequestId) -> Vec<u8> {
    joined(shop.as_str(), [made_ms.to_be_bytes().as_slice(), &id.0].concat())
}

impl Sheet<'_> {
    fn open_sale(
        &mut self,
        by: &UserAddress,
        shop: &UserName,
        id: RequestId,
        sale: &SaleRecord,
    ) -> Result<(), Stop> {
        let record = self.shop_of(shop, by)?;
        if let Some(known) = self.get::<SaleRecord>(tables::SALES, sale_key(shop, id))? {
            return if known.is_as(sale) { Ok(()) } else { Err(WalletError::IdConflict.into()) };
        }
        if !record.is_open() {
            return Err(WalletError::ShopClosed.into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, sale.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        if sale.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        if asset.payment_max > 0 && sale.amount > asset.payment_max {
            return Err(WalletError::PaymentMax { max: asset.payment_max }.into());
        }
        self.put_sale(shop, id, sale);
        Ok(())
    }

    /// Keeps a new sale, and puts it on the till roll.
    pub(super) fn put_sale(&mut self, shop: &UserName, id: RequestId, sale: &SaleRecord) {
        self.put(tables::SALES, sale_key(shop, id), sale);
        self.mark(tables::SALES_LIST, list_key(shop, sale.made_ms, id));
    }

    /// The account of a shop that an order pays, if it may be paid so.
    pub(super) fn sold(&mut self, order: &PaymentOrder, payee: &MerchantPayee) -> Result<AccountId, Stop> {
        may_buy(order, payee)?;
        self.sold_for(&Bought::of(order), payee)
    }

    /// The same, whoever says what is paid: another node may say anything.
    pub(super) fn sold_for(&mut self, bought: &Bought, payee: &MerchantPayee) -> Result<AccountId, Stop> {
        let Bought { transfer, asset, amount, tip, .. } = *bought;
        if !self.shop(&payee.shop.name)?.is_open() {
            return Err(WalletError::ShopClosed.into());
        }
        bought.check(payee)?;
        if let Some(id) = payee.sale {
            let sale: Option<SaleRecord> = self.get(tables::SALES, sale_key(&payee.shop.name, id))?;
            let sale = sale.ok_or(WalletError::NotFound("sale"))?;
            match sale.state(self.now) {
                SaleState::Open => {}
                SaleState::Paid => return Err(WalletError::AlreadyPaid.into()),
                _ => return Err(WalletError::SaleOver.into()),
            }
            if sale.asset != asset {
                return Err(Fault::Invalid { field: "asset", why: "not that of the sale" }.into());
            }
            if tip > 0 && !sale.tip_allowed {
                return Err(Fault::Invalid { field: "tip", why: "the shop asks for none" }.into());
            }
            // What is paid at a rate cannot always be met to the unit.
            let is_it =
                if bought.at_rate { amount - tip >= sale.amount } else { amount - tip == sale.amount };
            if !is_it {
                return Err(Fault::Invalid { field: "amount", why: "not that of the sale" }.into());
            }
        }
        // It becomes a sale of this id: one that somebody has opened under it beforehand is not written over.
        let own = sale_key(&payee.shop.name, RequestId(transfer.0));
        if payee.sale.is_none() && self.get::<SaleRecord>(tables::SALES, own)?.is_some() {
            return Err(WalletError::IdConflict.into());
        }
        self.merchant_account(&payee.shop.name, asset)
    }

    /// The money has gone over: the sale is paid, once. What nobody has asked for becomes a sale by that.
    pub(super) fn sale_paid(&mut self, bought: &Bought, payee: &MerchantPayee) -> Result<(), Stop> {
        let Bought { payer, transfer, asset, amount, tip, .. } = bought.clone();
        let shop = &payee.shop.name;
        let mut paid = PaidRecord { payer, transfer, at_ms: self.now, tip };
        if let Some(id) = payee.sale {
            let sale: Option<SaleRecord> = self.get(tables::SALES, sale_key(shop, id))?;
            let sale = sale.ok_or(Fault::Internal("a sale that is gone"))?;
            if sale.paid.as_ref().is_some_and(|before| before.transfer == paid.transfer) {
                return Ok(());
            }
            // What an exchange gives beyond the price is the shop's as well.
            paid.tip = amount - sale.amount;
            self.put(tables::SALES, sale_key(shop, id), &SaleRecord { paid: Some(paid), ..sale });
            return Ok(());
        }
        let id = RequestId(transfer.0);
        if self.get::<SaleRecord>(tables::SALES, sale_key(shop, id))?.is_some() {
            return Ok(());
        }
        let sale = SaleRecord {
            asset,
            amount: amount - tip,
            tip_allowed: true,
            bill: String::new(),
            till: payee.till.clone(),
            kind: SaleKind::Static,
            made_ms: self.now,
            expires_ms: None,
            by: None,
            code: None,
            cancelled: false,
            paid: Some(paid),
            refused: None,
        };
        self.put_sale(shop, id, &sale);
        Ok(())
    }
}
