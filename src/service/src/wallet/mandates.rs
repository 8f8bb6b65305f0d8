//! Mandates: who gives them, who sees them, and how they end. That there is such a creditor is for the caller to know.
//!
//! A mandate stands on the signature that it was given with, as what is held in escrow does: that the device has another order key since, or
//! was signed out, changes nothing, for the rent is to be paid from a new phone, too. The debtor sees it and ends it from any device,
//! without a PIN, and at once. An account that is frozen pays and gets nothing as long as it is.

use super::{
    Result, Wallet, WalletError,
    mandate_records::{CollectionRecord, LiveRecord, MandateEnd, MandateEndRecord, MandateRecord},
    orders::DAY_MS,
    records::{AssetRecord, MerchantRecord, OrderKeyRecord, OrderRecord},
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined};
use weft_ledger::Books;
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    Millis, Signed, TransferId, UserAddress, UserName,
    limits::{
        MANDATE_AHEAD_DAYS_MAX, MANDATE_COLLECTIONS_SHOWN, MANDATE_DAYS_MAX, MANDATE_PERIODS_MAX,
        MANDATE_PURPOSE_BYTES_MAX, MANDATES_LIVE_MAX, PAGE_MAX, ZONE_MINUTES_MAX,
    },
    text,
    wallet::{
        GiveMandate, Intent, MandateAct, MandateCollection, MandateInfo, MandateList, MandatePeriod,
        MandateState, MandateTerms, Payee, PaymentOrder, ShopName,
    },
};

impl Wallet {
    /// `POST wallet/mandates`. The same form again gives the same mandate. What is due by then is collected at once.
    ///
    /// # Errors
    /// Those of `POST wallet/orders`; [`WalletError::ShopClosed`], [`Fault::Invalid`], [`Fault::TooMany`].
    pub(crate) async fn give_mandate(&self, caller: &Caller, request: GiveMandate) -> Result<MandateInfo> {
        let row = joined(caller.name().as_str(), caller.device().0);
        let known: Option<OrderKeyRecord> = self.ctx.read(tables::ORDER_KEYS, &row).await?;
        let key = known.ok_or(WalletError::NoOrderKey)?.key;
        let signed = request.order;
        let order = signed.verify(&key).map_err(|_| WalletError::Signature("the order"))?;
        if order.payer != *caller.user() || order.device != caller.device() {
            return Err(WalletError::ForeignOrder);
        }
        let Payee::Mandate(terms) = order.payee.clone() else {
            return Err(Fault::Invalid { field: "payee", why: "it gives no mandate" }.into());
        };
        if !self.ctx.is_local(&terms.creditor) {
            return Err(WalletError::OtherNode);
        }
        check_form(&order, &terms)?;
        let id = order.transfer();
        self.teller.run(move |sheet| sheet.give_mandate(&order, &terms, &signed, &row, &key)).await?;
        self.mandate(caller, id).await
    }

    /// `POST wallet/mandates/ID`. `is_there`: whether both sides still have what the money goes from and to.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`], [`WalletError::MandateOver`], [`WalletError::NotDue`],
    /// [`WalletError::AlreadyPaid`], [`Fault::Invalid`], and what a payment is refused for.
    pub(crate) async fn act_on_mandate(
        &self,
        caller: &Caller,
        id: TransferId,
        act: MandateAct,
        is_there: bool,
    ) -> Result<MandateInfo> {
        let by = caller.user().clone();
        match act {
            MandateAct::Collect { period, amount } => {
                self.teller.run(move |sheet| sheet.ask_collection(&by, id, period, amount, is_there)).await?;
            }
            MandateAct::End => self.teller.run(move |sheet| sheet.end_mandate(&by, id)).await?,
            _ => return Err(Fault::Invalid { field: "act", why: "not known here" }.into()),
        }
        self.mandate(caller, id).await
    }

    /// Whose money a mandate is about, and who gets it.
    pub(crate) async fn sides_of_mandate(&self, id: TransferId) -> Result<(UserAddress, UserAddress)> {
        let record: Option<MandateRecord> = self.ctx.read(tables::MANDATES, id.0).await?;
        let record = record.ok_or(WalletError::NotFound("mandate"))?;
        Ok((record.debtor, record.terms.creditor))
    }

    /// `GET wallet/mandates/ID`, for both sides.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for everybody else.
    pub async fn mandate(&self, caller: &Caller, id: TransferId) -> Result<MandateInfo> {
        self.mandate_info(caller, id, MANDATE_COLLECTIONS_SHOWN).await
    }

    /// `GET wallet/mandates?shop=NAME&before=ID`: the newest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`].
    pub async fn mandates(
        &self,
        caller: &Caller,
        shop: Option<&UserName>,
        before: Option<TransferId>,
    ) -> Result<MandateList> {
        if let Some(shop) = shop {
            self.staffed(caller, shop).await?;
        }
        let of = shop.unwrap_or(caller.name());
        let mut scan = Scan::prefix(joined(of.as_str(), [])).reverse().limit(PAGE_MAX + 1);
        if let Some(before) = before {
            let known: Option<MandateRecord> = self.ctx.read(tables::MANDATES, before.0).await?;
            let known = known.ok_or(WalletError::NotFound("mandate"))?;
            scan = scan.after(list_key(of, known.made_ms, before));
        }
        let rows = self.ctx.store.scan(tables::MANDATES_LIST, scan).await?;
        let mut mandates = Vec::with_capacity(rows.len().min(PAGE_MAX));
        for row in rows.iter().take(PAGE_MAX) {
            let id = row.key.last_chunk().copied().map(TransferId);
            let id = id.ok_or(Fault::Internal("a mandate's key without an id"))?;
            mandates.push(self.mandate_info(caller, id, 1).await?);
        }
        Ok(MandateList { mandates, more: rows.len() > PAGE_MAX })
    }

    async fn mandate_info(&self, caller: &Caller, id: TransferId, shown: u32) -> Result<MandateInfo> {
        let none = || WalletError::NotFound("mandate");
        let record: MandateRecord = self.ctx.read(tables::MANDATES, id.0).await?.ok_or_else(none)?;
        let creditor = &record.terms.creditor;
        let shop = if record.of_shop { Some(self.merchant(&creditor.name).await?) } else { None };
        let is_creditor = match &shop {
            Some(shop) => shop.role(caller.user()).is_some(),
            None => creditor == caller.user(),
        };
        if !is_creditor && record.debtor != *caller.user() {
            return Err(none());
        }
        let now = self.ctx.now();
        let state = record.state(now);
        let collections = self.collections(id, &record, now, shown).await?;
        let current = record.terms.period_at(now);
        let is_done =
            collections.first().is_some_and(|last| Some(last.period) == current && last.transfer.is_some());
        let next = match current {
            None => 0,
            Some(period) => period.saturating_add(u32::from(is_done)),
        };
        let next = Some(next).filter(|next| state == MandateState::Live && record.terms.has(*next));
        Ok(MandateInfo {
            id,
            shop: shop.map(|shop| ShopName { shop: creditor.clone(), title: shop.details.title }),
            asset: self.asset(record.asset).await?.asset,
            amount: record.amount,
            made_ms: record.made_ms,
            state,
            ended_ms: record.end.map(|end| end.at_ms),
            next,
            next_day: next.map(|next| day(&record.terms, next)),
            due: next.is_some() && next == current,
            collections,
            debtor: record.debtor,
            terms: record.terms,
        })
    }

    /// What came of the last periods, the newest first. Of a standing mandate also those in which the node has not tried.
    async fn collections(
        &self,
        id: TransferId,
        record: &MandateRecord,
        now: Millis,
        shown: u32,
    ) -> Result<Vec<MandateCollection>> {
        let scan = Scan::prefix(id.0).reverse().limit(shown as usize);
        let rows = self.ctx.store.scan(tables::COLLECTIONS, scan).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let period = row.key.last_chunk::<4>().map(|period| u32::from_be_bytes(*period));
            let period = period.ok_or(Fault::Internal("a collection's key without its period"))?;
            let CollectionRecord { amount, at_ms, refused } = CollectionRecord::from_record(&row.value)?;
            let transfer = refused.is_none().then(|| TransferId::of_collection(id, period));
            let (day, at_ms) = (day(&record.terms, period), Some(at_ms));
            found.push(MandateCollection { period, day, amount, transfer, at_ms, refused });
        }
        let until = record.end.map_or(now, |end| end.at_ms.min(now));
        if let Some(current) = record.terms.period_at(until).filter(|_| record.terms.standing) {
            for period in current.saturating_sub(shown)..current {
                let is_known = found.iter().any(|one| one.period == period);
                if !is_known && record.terms.has(period) {
                    let (day, amount) = (day(&record.terms, period), record.amount);
                    let (transfer, at_ms, refused) = (None, None, None);
                    found.push(MandateCollection { period, day, amount, transfer, at_ms, refused });
                }
            }
            found.sort_by_key(|one| std::cmp::Reverse(one.period));
            found.truncate(shown as usize);
        }
        Ok(found)
    }
}

/// The due day of a period that is told of. None of them comes near the end of these numbers.
fn day(terms: &MandateTerms, period: u32) -> u32 {
    u32::try_from(terms.due_day(period)).unwrap_or(u32::MAX)
}

/// Whether an order gives a mandate and does nothing else, as far as that can be told of it alone.
fn check_form(order: &PaymentOrder, terms: &MandateTerms) -> Result<()> {
    let invalid = |field, why| Err(Fault::Invalid { field, why }.into());
    let is_plain = order.intent == Intent::Payment
        && order.request.is_none()
        && order.refunds.is_none()
        && order.from.is_none()
        && order.tip.is_none();
    if !is_plain {
        return invalid("payee", "a mandate is given by an order that does nothing else");
    }
    if terms.creditor == order.payer {
        return invalid("creditor", "that is you");
    }
    if order.amount == 0 {
        return invalid("amount", "an amount is at least 1");
    }
    if !matches!(terms.period, MandatePeriod::Week | MandatePeriod::Month) {
        return invalid("period", "not known here");
    }
    if terms.purpose.len() > MANDATE_PURPOSE_BYTES_MAX {
        return invalid("purpose", "at most 128 bytes");
    }
    if terms.zone.unsigned_abs() > ZONE_MINUTES_MAX {
        return invalid("zone", "no days begin so far from UTC");
    }
    if terms.count.is_some_and(|count| count == 0 || count > MANDATE_PERIODS_MAX) {
        return invalid("count", "1 to 5200");
    }
    let days = terms.last_day.map(|last| last.checked_sub(terms.first_day));
    if days.is_some_and(|days| days.is_none_or(|days| days > MANDATE_DAYS_MAX)) {
        return invalid("last_day", "not before the first day, and within a hundred years of it");
    }
    Ok(())
}

impl MandateRecord {
    pub(super) fn state(&self, now: Millis) -> MandateState {
        match self.end.map(|end| end.by) {
            Some(MandateEnd::Debtor) => MandateState::Ended,
            Some(MandateEnd::Creditor) => MandateState::GivenUp,
            Some(MandateEnd::Time) => MandateState::Over,
            None if self.is_over(now) => MandateState::Over,
            None => MandateState::Live,
        }
    }

    /// Whether its last period is over.
    pub(super) fn is_over(&self, now: Millis) -> bool {
        self.terms.period_at(now).is_some_and(|period| !self.terms.has(period))
    }

    /// Whether two were made by the same form.
    fn is_as(&self, order: &PaymentOrder, terms: &MandateTerms) -> bool {
        self.debtor == order.payer
            && (self.asset, self.amount) == (order.asset, order.amount)
            && self.order.order.peek().is_ok_and(|kept| kept.payee == Payee::Mandate(terms.clone()))
    }
}

/// Where a mandate stands in somebody's list.
fn list_key(of: &UserName, made_ms: Millis, id: TransferId) -> Vec<u8> {
    joined(of.as_str(), [made_ms.to_be_bytes().as_slice(), &id.0].concat())
}

pub(super) fn due_key(look_ms: Millis, id: TransferId) -> Vec<u8> {
    [look_ms.to_be_bytes().as_slice(), &id.0].concat()
}

impl Sheet<'_> {
    fn give_mandate(
        &mut self,
        order: &PaymentOrder,
        terms: &MandateTerms,
        signed: &Signed<PaymentOrder>,
        row: &[u8],
        key: &[u8; 32],
    ) -> Result<(), Stop> {
        let id = order.transfer();
        if let Some(known) = self.get::<MandateRecord>(tables::MANDATES, id.0)? {
            let is_same = known.is_as(order, terms);
            return if is_same { Ok(()) } else { Err(WalletError::IdConflict.into()) };
        }
        if self.entry(id)?.is_some() {
            return Err(WalletError::IdConflict.into());
        }
        let known: OrderKeyRecord = self.get(tables::ORDER_KEYS, row)?.ok_or(WalletError::NoOrderKey)?;
        if known.key != *key {
            return Err(WalletError::Signature("the order").into());
        }
        if order.expires_ms <= self.now || order.expires_ms > self.now + DAY_MS {
            return Err(WalletError::Expired.into());
        }
        if order.counter <= known.counter {
            return Err(WalletError::Counter { last: known.counter }.into());
        }
        // Somewhere it is still the day before.
        let first_ms = terms.due_ms(0);
        if first_ms + DAY_MS <= self.now || first_ms > self.now + u64::from(MANDATE_AHEAD_DAYS_MAX) * DAY_MS {
            return Err(Fault::Invalid { field: "first_day", why: "from today on, within a year" }.into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, order.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        if asset.payment_max > 0 && order.amount > asset.payment_max {
            return Err(WalletError::PaymentMax { max: asset.payment_max }.into());
        }
        let shop: Option<MerchantRecord> = self.get(tables::MERCHANTS, terms.creditor.name.as_str())?;
        if shop.as_ref().is_some_and(|shop| !shop.is_open()) {
            return Err(WalletError::ShopClosed.into());
        }
        self.count_live(&order.payer.name, 1)?;
        let (cert, of_shop) = (known.cert.clone(), shop.is_some());
        self.put(tables::ORDER_KEYS, row, &OrderKeyRecord { counter: order.counter, ..known });
        let title = shop.map(|shop| shop.details.title);
        let record = MandateRecord {
            order: OrderRecord { order: signed.clone(), cert, title },
            debtor: order.payer.clone(),
            of_shop,
            asset: order.asset,
            amount: order.amount,
            terms: MandateTerms { purpose: text::name(&terms.purpose), ..terms.clone() },
            made_ms: self.now,
            since: self.newest()?,
            look_ms: None,
            end: None,
        };
        self.look_at(id, record)
    }

    /// Keeps it, and has both sides hear of it.
    pub(super) fn put_mandate(&mut self, id: TransferId, record: &MandateRecord) {
        self.put(tables::MANDATES, id.0, record);
        for user in [&record.debtor, &record.terms.creditor] {
            self.mark(tables::MANDATES_LIST, list_key(&user.name, record.made_ms, id));
        }
    }

    pub(super) fn given(&self, id: TransferId) -> Result<MandateRecord, Stop> {
        Ok(self.get(tables::MANDATES, id.0)?.ok_or(WalletError::NotFound("mandate"))?)
    }

    /// What somebody is to a mandate: whether its debtor, and whether they speak for its creditor.
    pub(super) fn side(&self, by: &UserAddress, record: &MandateRecord) -> Result<(bool, bool), Stop> {
        let is_debtor = record.debtor == *by;
        let creditor = &record.terms.creditor;
        if !record.of_shop {
            let is_creditor = creditor == by;
            return if is_debtor || is_creditor { Ok((is_debtor, is_creditor)) } else { Err(none()) };
        }
        let shop = self.shop(&creditor.name)?;
        match (is_debtor, shop.is_led_by(by)) {
            (false, false) if shop.role(by).is_some() => Err(WalletError::NotStaff.into()),
            (false, false) => Err(none()),
            side => Ok(side),
        }
    }

    fn end_mandate(&mut self, by: &UserAddress, id: TransferId) -> Result<(), Stop> {
        let record = self.given(id)?;
        let (is_debtor, _) = self.side(by, &record)?;
        if record.end.is_some() {
            return Ok(());
        }
        let by = if is_debtor { MandateEnd::Debtor } else { MandateEnd::Creditor };
        // Nobody's money is to go on flowing because the disk is full.
        self.urgent();
        self.close_mandate(id, record, by)
    }

    /// From here on nothing is collected by it.
    pub(super) fn close_mandate(
        &mut self,
        id: TransferId,
        mut record: MandateRecord,
        by: MandateEnd,
    ) -> Result<(), Stop> {
        if let Some(look_ms) = record.look_ms.take() {
            self.delete(tables::MANDATES_DUE, due_key(look_ms, id));
        }
        record.end = Some(MandateEndRecord { at_ms: self.now, until: self.newest()?, by });
        self.count_live(&record.debtor.name, -1)?;
        self.put_mandate(id, &record);
        Ok(())
    }

    fn count_live(&mut self, debtor: &UserName, change: i32) -> Result<(), Stop> {
        let row = joined(debtor.as_str(), []);
        let known: LiveRecord = self.get(tables::MANDATES_LIVE, &row)?.unwrap_or_default();
        let live = known.live.saturating_add_signed(change);
        if live > MANDATES_LIVE_MAX {
            return Err(Fault::TooMany { what: "mandates", max: MANDATES_LIVE_MAX as usize }.into());
        }
        self.put(tables::MANDATES_LIVE, row, &LiveRecord { live });
        Ok(())
    }
}

fn none() -> Stop {
    WalletError::NotFound("mandate").into()
}
