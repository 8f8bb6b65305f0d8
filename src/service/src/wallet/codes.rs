//! Codes that payers show. Nothing is held back for one: it is an order to whoever is shown the code, of at most its amount.

use super::{
    Result, Wallet, WalletError,
    records::{
        AskedRecord, AssetRecord, CodeRecord, LastCodeRecord, OrderKeyRecord, OrderRecord, PaidRecord,
        PayerRecord, SaleRecord, TriedRecord,
    },
    sales::{check_label, sale_key},
    sheet::{Sheet, Stop},
};
use crate::{Budget, Caller, Fault, context::joined};
use weft_ledger::{Books, Freeze, Movement, Purpose, Refusal, Side, Transfer};
use weft_store::tables;
use weft_wire::{
    AccountId, Blob, Problem, TransferId, UserAddress, UserName,
    limits::{CLOCK_SKEW_MS_MAX, PAY_CODE_LIFETIME_MS},
    paycode::{PayCode, PayDigits},
    wallet::{BearerPayee, ChargeCode, CodeShown, Intent, Payee, PaymentOrder, PutCode, SaleInfo, SaleKind},
};

/// After so many sums that there was not enough for, a code is good for none: who only asks would learn what there is.
const REFUSED_MAX: u8 = 3;

/// What was read at a till.
pub(super) struct Read {
    pub digits: [u8; 32],
    /// `None`: the digits alone.
    pub code: Option<[u8; 32]>,
    /// For what.
    pub asked: AskedRecord,
}

/// From where a code is paid, with which fee, and what the payer has paid today by that.
pub(super) struct Giving {
    pub debit: AccountId,
    pub fee: u64,
    pub paid: Option<PayerRecord>,
}

impl Wallet {
    /// `POST wallet/codes`: the caller's device shows a code. Its last one ends by that. The same again gives the same answer.
    ///
    /// # Errors
    /// As `POST wallet/orders`; [`WalletError::IdConflict`] where another device shows a code of the same digits.
    pub async fn put_code(&self, caller: &Caller, request: PutCode) -> Result<CodeShown> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let row = joined(caller.name().as_str(), caller.device().0);
        let known: OrderKeyRecord =
            self.ctx.read(tables::ORDER_KEYS, &row).await?.ok_or(WalletError::NoOrderKey)?;
        let order = request.order.verify(&known.key).map_err(|_| WalletError::Signature("the order"))?;
        if order.payer != *caller.user() || order.device != caller.device() {
            return Err(WalletError::ForeignOrder);
        }
        let Payee::Bearer(bearer) = order.payee else {
            return Err(Fault::Invalid { field: "payee", why: "a code is for whoever reads it" }.into());
        };
        let is_plain = order.intent == Intent::Payment
            && order.request.is_none()
            && order.refunds.is_none()
            && order.from.is_none()
            && order.tip.is_none()
            && order.exchange.is_none();
        if !is_plain {
            return Err(Fault::Invalid { field: "intent", why: "a code is for a payment" }.into());
        }
        let (signed, counter) = (request.order, order.counter);
        self.teller
            .run(move |sheet| {
                let kept: Option<CodeRecord> = sheet.get(tables::PAY_CODES, bearer.digits)?;
                if let Some(kept) = kept {
                    if kept.order == signed {
                        return Ok(CodeShown { until_ms: kept.until_ms });
                    }
                    if kept.until_ms > sheet.now {
                        return Err(WalletError::IdConflict.into());
                    }
                }
                let known: OrderKeyRecord =
                    sheet.get(tables::ORDER_KEYS, &row)?.ok_or(WalletError::NoOrderKey)?;
                sheet.may_show(&order, &known)?;
                sheet.forget_code(&row)?;
                let until_ms = order.expires_ms.min(sheet.now + PAY_CODE_LIFETIME_MS);
                let (order, cert) = (signed.clone(), known.cert.clone());
                let record =
                    CodeRecord { order, cert, until_ms, used: false, refused: None, tried: Vec::new() };
                sheet.put(tables::PAY_CODES, bearer.digits, &record);
                sheet.put(tables::PAY_CODES_OF, &row, &LastCodeRecord { digits: bearer.digits });
                let known = OrderKeyRecord { counter, ..known };
                sheet.put(tables::ORDER_KEYS, &row, &known);
                Ok(CodeShown { until_ms })
            })
            .await
    }

    /// `POST wallet/merchants/NAME/charges`: the staff have read a customer's code of this node. The same again gives the same sale.
    ///
    /// # Errors
    /// [`WalletError::CodeInvalid`], [`WalletError::CodeLimit`], [`WalletError::AlreadyPaid`] by a code that was used,
    /// [`WalletError::OtherNode`], [`WalletError::NotStaff`], [`WalletError::ShopClosed`], [`WalletError::IdConflict`];
    /// [`WalletError::ChargeRefused`] with what was said before; rate limits.
    pub(crate) async fn charge(
        &self,
        caller: &Caller,
        shop: &UserName,
        wish: ChargeCode,
    ) -> Result<SaleInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        self.staffed(caller, shop).await?;
        check_label("bill", &wish.bill)?;
        let read = self.read_code(shop, &wish)?;
        let id = wish.id;
        let (by, name) = (caller.user().clone(), shop.clone());
        self.teller.run(move |sheet| sheet.charge(&by, &name, &wish, &read)).await?;
        self.sale(caller, shop, id).await
    }

    fn read_code(&self, shop: &UserName, wish: &ChargeCode) -> Result<Read> {
        let ChargeCode { id: sale, ref code, asset, amount, .. } = *wish;
        let asked = AskedRecord { shop: self.ctx.address(shop), sale, asset, amount };
        if let Ok(digits) = code.parse::<PayDigits>() {
            // There are few enough of them to be guessed by whoever may guess without end.
            self.ctx.limits.take_account(Budget::CodeTry, shop)?;
            return Ok(Read { digits: BearerPayee::of_digits(&digits), code: None, asked });
        }
        let code = PayCode::parse(code).map_err(|_| WalletError::CodeInvalid)?;
        if *code.node() != self.ctx.node {
            return Err(WalletError::OtherNode);
        }
        let BearerPayee { code, digits } = BearerPayee::of(&code);
        Ok(Read { digits, code: Some(code), asked })
    }
}

fn signed_order(record: &CodeRecord) -> Result<PaymentOrder, Stop> {
    Ok(record.order.peek().map_err(|_| Fault::Internal("a code without its order"))?)
}

impl Sheet<'_> {
    /// The code of a device, if it shows one, is worth nothing any more. `row`: where its order key is kept.
    pub(super) fn forget_code(&mut self, row: &[u8]) -> Result<(), Stop> {
        if let Some(LastCodeRecord { digits }) = self.get(tables::PAY_CODES_OF, row)? {
            self.delete(tables::PAY_CODES, digits);
            self.delete(tables::PAY_CODES_OF, row);
        }
        Ok(())
    }

    fn may_show(&self, order: &PaymentOrder, known: &OrderKeyRecord) -> Result<(), Stop> {
        if order.expires_ms <= self.now
            || order.expires_ms > self.now + PAY_CODE_LIFETIME_MS + CLOCK_SKEW_MS_MAX
        {
            return Err(WalletError::Expired.into());
        }
        if order.counter <= known.counter {
            return Err(WalletError::Counter { last: known.counter }.into());
        }
        if self.entry(order.transfer())?.is_some() {
            return Err(WalletError::IdConflict.into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, order.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        if order.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        if asset.payment_max > 0 && order.amount > asset.payment_max {
            return Err(WalletError::PaymentMax { max: asset.payment_max }.into());
        }
        // For less it is no more.
        self.fee_of(order, order.amount).map(drop)
    }

    fn charge(
        &mut self,
        by: &UserAddress,
        shop: &UserName,
        wish: &ChargeCode,
        read: &Read,
    ) -> Result<(), Stop> {
        let record = self.shop_of(shop, by)?;
        let mut sale = SaleRecord {
            asset: wish.asset,
            amount: wish.amount,
            tip_allowed: false,
            bill: wish.bill.clone(),
            till: None,
            kind: SaleKind::Code,
            made_ms: self.now,
            expires_ms: None,
            by: Some(by.clone()),
            code: Some(Blob(read.digits.to_vec())),
            cancelled: false,
            paid: None,
            refused: None,
        };
        if let Some(known) = self.get::<SaleRecord>(tables::SALES, sale_key(shop, wish.id))? {
            return if known.is_as(&sale) { Ok(()) } else { Err(WalletError::IdConflict.into()) };
        }
        if !record.is_open() {
            return Err(WalletError::ShopClosed.into());
        }
        let (code, order) = self.shown(read)?;
        if order.asset != wish.asset {
            return Err(Fault::Invalid { field: "asset", why: "the code is for another one" }.into());
        }
        if wish.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        if wish.amount > order.amount {
            return Err(WalletError::CodeLimit.into());
        }
        // An order that was carried out in the meantime brings no money a second time.
        if self.entry(order.transfer())?.is_some() {
            return Err(WalletError::CodeInvalid.into());
        }
        let taken = self.take(shop, &order, wish.amount);
        let transfer = taken.map_err(|stop| self.not_given(read, &code, stop))?;
        self.put(
            tables::ORDERS,
            transfer.0,
            &OrderRecord {
                order: code.order.clone(),
                cert: code.cert.clone(),
                title: Some(record.details.title),
            },
        );
        self.put(tables::PAY_CODES, read.digits, &CodeRecord { used: true, ..code });
        sale.paid = Some(PaidRecord { payer: order.payer, transfer, at_ms: self.now, tip: 0 });
        self.put_sale(shop, wish.id, &sale);
        Ok(())
    }

    /// A code that can be used now, and what its payer has signed. Of what there was not enough for, the same is said again, and it is
    /// no other try.
    pub(super) fn shown(&self, read: &Read) -> Result<(CodeRecord, PaymentOrder), Stop> {
        let kept: Option<CodeRecord> = self.get(tables::PAY_CODES, read.digits)?;
        let kept = kept.ok_or(WalletError::CodeInvalid)?;
        let order = signed_order(&kept)?;
        let Payee::Bearer(bearer) = order.payee else {
            return Err(Fault::Internal("a code for somebody").into());
        };
        // Hashes of what is secret are compared, and not the secrets: how long it takes tells nothing of them.
        if read.code.is_some_and(|code| code != bearer.code) {
            return Err(WalletError::CodeInvalid.into());
        }
        if let Some(tried) = kept.tried.iter().find(|tried| tried.asked == read.asked) {
            return Err(WalletError::ChargeRefused(tried.why).into());
        }
        if self.now >= kept.until_ms || kept.refused.is_some_and(|times| times >= REFUSED_MAX) {
            return Err(WalletError::CodeInvalid.into());
        }
        if kept.used {
            return Err(WalletError::AlreadyPaid.into());
        }
        let row = joined(order.payer.name.as_str(), order.device.0);
        let key: OrderKeyRecord = self.get(tables::ORDER_KEYS, row)?.ok_or(WalletError::CodeInvalid)?;
        if key.cert != kept.cert {
            return Err(WalletError::CodeInvalid.into());
        }
        Ok((kept, order))
    }

    /// An account that did not give as much: the code can still be used for less, a few times.
    pub(super) fn not_given(&mut self, read: &Read, code: &CodeRecord, stop: Stop) -> Stop {
        let Stop::Undone(error @ (WalletError::Refused(_) | WalletError::DayMax { .. })) = stop else {
            return stop;
        };
        let mut code = code.clone();
        code.refused = Some(code.refused.unwrap_or(0).saturating_add(1));
        let why = Problem::from(error.clone()).code;
        code.tried.push(TriedRecord { asked: read.asked.clone(), why });
        self.put(tables::PAY_CODES, read.digits, &code);
        Stop::Kept(error)
    }

    /// The account of a code, and the day's payments with this one, if it gives as much. What the ledger would refuse is not brought to
    /// it.
    pub(super) fn giving(
        &mut self,
        order: &PaymentOrder,
        amount: u64,
        fee: Result<u64, Stop>,
    ) -> Result<Giving, Stop> {
        let asset: AssetRecord =
            self.get(tables::ASSETS, order.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        let debit = self.personal(&order.payer.name, order.asset)?;
        let account = self.account(debit)?.ok_or(Fault::Internal("an account that was just opened"))?;
        if account.freeze != Freeze::None {
            return Err(WalletError::Refused(Refusal::Frozen(Side::Debit)).into());
        }
        // What the payer has not seen is not the shop's to hear of: a code made anew has it.
        let fee = fee.map_err(|stop| match stop {
            Stop::Undone(WalletError::FeeTooLow { .. }) => WalletError::CodeInvalid.into(),
            stop => stop,
        })?;
        if account.available() < u128::from(amount) + u128::from(fee) {
            return Err(WalletError::Refused(Refusal::Floor).into());
        }
        let paid = self.within_limits(&asset, debit, amount)?;
        Ok(Giving { debit, fee, paid })
    }

    /// Moves a customer's money.
    fn take(&mut self, shop: &UserName, order: &PaymentOrder, amount: u64) -> Result<TransferId, Stop> {
        let fee = self.fee_of(order, amount);
        let Giving { debit, fee, paid } = self.giving(order, amount, fee)?;
        let credit = self.merchant_account(shop, order.asset)?;
        let id = order.transfer();
        let movement = Movement::Posted { debit, credit, amount, refunds: None };
        let payment = Transfer { id, movement, purpose: Purpose::Payment, about: order.id.0 };
        let chain = self.with_fee(payment, fee)?;
        self.post(&chain)?;
        if let Some(paid) = paid {
            self.put(tables::PAYERS, debit.0, &paid);
        }
        Ok(id)
    }
}
