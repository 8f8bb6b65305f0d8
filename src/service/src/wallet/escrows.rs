//! Escrow: money that is held for a seller. It goes over by what the buyer has signed, and back by the seller's word or by time.

use super::{
    Result, Wallet, WalletError,
    accounts::{escrow, personal},
    orders::DAY_MS,
    records::{EscrowEndRecord, EscrowRecord, MerchantRecord, OrderKeyRecord, OrderRecord},
    sheet::{Sheet, Stop},
};
use crate::{Budget, Caller, Fault, context::joined};
use weft_ledger::{Books, Freeze, Movement, Outcome, Purpose, Refusal, Side, Transfer};
use weft_store::{Scan, tables};
use weft_wire::{
    AccountId, Millis, Signed, TransferId, UserAddress, UserName,
    limits::{ESCROW_MS_MAX, ESCROW_MS_MIN, ESCROW_NOTE_BYTES_MAX, PAGE_MAX},
    wallet::{
        EscrowAct, EscrowInfo, EscrowList, EscrowState, EscrowTerms, Intent, Payee, PaymentOrder, ShopName,
    },
};

impl Wallet {
    /// `POST wallet/escrows/ID`. The same again gives the same answer.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`], [`WalletError::AlreadyDecided`], [`Fault::Invalid`]; of the buyer's order
    /// those of `POST wallet/orders`.
    pub async fn act_on_escrow(&self, caller: &Caller, id: TransferId, act: EscrowAct) -> Result<EscrowInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let by = caller.user().clone();
        match act {
            EscrowAct::Settle { order: signed } => {
                let row = joined(caller.name().as_str(), caller.device().0);
                let known: Option<OrderKeyRecord> = self.ctx.read(tables::ORDER_KEYS, &row).await?;
                let key = known.ok_or(WalletError::NoOrderKey)?.key;
                let order = signed.verify(&key).map_err(|_| WalletError::Signature("the order"))?;
                if order.payer != by || order.device != caller.device() {
                    return Err(WalletError::ForeignOrder);
                }
                check_settling(&order, id)?;
                self.teller.run(move |sheet| sheet.settle(id, &order, &signed, &row, &key)).await?;
            }
            EscrowAct::Accept { to_seller } => {
                self.teller.run(move |sheet| sheet.accept(&by, id, to_seller)).await?;
            }
            _ => return Err(Fault::Invalid { field: "act", why: "not known here" }.into()),
        }
        self.escrow(caller, id).await
    }

    /// `GET wallet/escrows/ID`, for both sides.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for everybody else.
    pub async fn escrow(&self, caller: &Caller, id: TransferId) -> Result<EscrowInfo> {
        let none = || WalletError::NotFound("escrow");
        let record: EscrowRecord = self.ctx.read(tables::ESCROWS, id.0).await?.ok_or_else(none)?;
        let shop = if record.of_shop { Some(self.merchant(&record.seller.name).await?) } else { None };
        let is_seller = match &shop {
            Some(shop) => shop.role(caller.user()).is_some(),
            None => record.seller == *caller.user(),
        };
        if !is_seller && record.buyer != *caller.user() {
            return Err(none());
        }
        let state = record.state();
        let is_open = state == EscrowState::Open;
        let by = record.end.and_then(|end| end.by);
        let refunded = match by {
            Some(by) => self.standing(by).await?.map_or(0, |standing| standing.refunded),
            None => 0,
        };
        Ok(EscrowInfo {
            id,
            shop: shop.map(|shop| ShopName { shop: record.seller.clone(), title: shop.details.title }),
            asset: self.asset(record.asset).await?.asset,
            total: record.total,
            made_ms: record.made_ms,
            until_ms: record.until_ms,
            state,
            offered: record.offered().filter(|_| is_open),
            asked: record.asked.filter(|_| is_open),
            ended_ms: record.end.map(|end| end.at_ms),
            to_seller: record.end.map_or(0, |end| end.to_seller),
            by,
            refunded,
            buyer: record.buyer,
            seller: record.seller,
            note: record.note,
        })
    }

    /// `GET wallet/escrows?shop=NAME&before=ID`: the newest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`].
    pub async fn escrows(
        &self,
        caller: &Caller,
        shop: Option<&UserName>,
        before: Option<TransferId>,
    ) -> Result<EscrowList> {
        if let Some(shop) = shop {
            self.staffed(caller, shop).await?;
        }
        let of = shop.unwrap_or(caller.name());
        let mut scan = Scan::prefix(joined(of.as_str(), [])).reverse().limit(PAGE_MAX + 1);
        if let Some(before) = before {
            let known: Option<EscrowRecord> = self.ctx.read(tables::ESCROWS, before.0).await?;
            let known = known.ok_or(WalletError::NotFound("escrow"))?;
            scan = scan.after(list_key(of, known.made_ms, before));
        }
        let rows = self.ctx.store.scan(tables::ESCROWS_LIST, scan).await?;
        let mut escrows = Vec::with_capacity(rows.len().min(PAGE_MAX));
        for row in rows.iter().take(PAGE_MAX) {
            let id = row.key.last_chunk().copied().map(TransferId);
            escrows.push(
                self.escrow(caller, id.ok_or(Fault::Internal("an escrow's key without an id"))?).await?,
            );
        }
        Ok(EscrowList { escrows, more: rows.len() > PAGE_MAX })
    }
}

/// Whether an order is about what is held there, and about nothing else.
fn check_settling(order: &PaymentOrder, id: TransferId) -> Result<()> {
    let is_plain = order.intent == Intent::Payment
        && order.request.is_none()
        && order.refunds.is_none()
        && order.from.is_none()
        && order.tip.is_none();
    match &order.payee {
        Payee::Settle(payee) if payee.escrow == id && is_plain => Ok(()),
        _ => Err(Fault::Invalid { field: "payee", why: "it does not settle this escrow" }.into()),
    }
}

impl EscrowRecord {
    fn state(&self) -> EscrowState {
        match self.end {
            None => EscrowState::Open,
            Some(end) if end.expired => EscrowState::Expired,
            Some(end) if end.to_seller == self.total => EscrowState::Released,
            Some(end) if end.to_seller == 0 => EscrowState::Returned,
            Some(_) => EscrowState::Split,
        }
    }

    /// How much the buyer offers the seller.
    fn offered(&self) -> Option<u64> {
        self.offer.as_ref().and_then(|kept| kept.order.peek().ok()).map(|order| order.amount)
    }
}

/// Where an escrow stands in somebody's list.
fn list_key(of: &UserName, made_ms: Millis, id: TransferId) -> Vec<u8> {
    joined(of.as_str(), [made_ms.to_be_bytes().as_slice(), &id.0].concat())
}

fn due_key(until_ms: Millis, id: TransferId) -> Vec<u8> {
    [until_ms.to_be_bytes().as_slice(), &id.0].concat()
}

impl Sheet<'_> {
    /// The account for the money of an escrow that an order wants. That there is such a seller is for the caller to know.
    pub(super) fn new_escrow(
        &mut self,
        order: &PaymentOrder,
        terms: &EscrowTerms,
    ) -> Result<AccountId, Stop> {
        let invalid = |field, why| Err(Stop::from(Fault::Invalid { field, why }));
        if order.intent != Intent::Payment || order.refunds.is_some() || order.request.is_some() {
            return invalid("intent", "an escrow is a payment");
        }
        if terms.seller == order.payer {
            return invalid("seller", "that is you");
        }
        if terms.note.len() > ESCROW_NOTE_BYTES_MAX {
            return invalid("note", "at most 128 bytes");
        }
        if terms.until_ms < self.now + ESCROW_MS_MIN || terms.until_ms > self.now + ESCROW_MS_MAX {
            return invalid("until_ms", "an hour to half a year from now");
        }
        if self.seller(terms)?.is_some_and(|shop| !shop.is_open()) {
            return Err(WalletError::ShopClosed.into());
        }
        self.open_escrow(order.transfer(), order.asset)
    }

    /// The seller, if that is a shop.
    fn seller(&self, terms: &EscrowTerms) -> Result<Option<MerchantRecord>, Stop> {
        self.get(tables::MERCHANTS, terms.seller.name.as_str())
    }

    /// The money is there: it is held.
    pub(super) fn escrow_funded(&mut self, order: &PaymentOrder, terms: &EscrowTerms) -> Result<(), Stop> {
        let id = order.transfer();
        let record = EscrowRecord {
            buyer: order.payer.clone(),
            seller: terms.seller.clone(),
            of_shop: self.seller(terms)?.is_some(),
            asset: order.asset,
            total: order.amount,
            note: weft_wire::text::name(&terms.note),
            made_ms: self.now,
            until_ms: terms.until_ms,
            offer: None,
            asked: None,
            end: None,
        };
        self.mark(tables::ESCROWS_DUE, due_key(record.until_ms, id));
        self.put_escrow(id, &record);
        Ok(())
    }

    /// Keeps it, and has both sides hear of it.
    fn put_escrow(&mut self, id: TransferId, record: &EscrowRecord) {
        self.put(tables::ESCROWS, id.0, record);
        for user in [&record.buyer, &record.seller] {
            self.mark(tables::ESCROWS_LIST, list_key(&user.name, record.made_ms, id));
        }
    }

    fn held(&self, id: TransferId) -> Result<EscrowRecord, Stop> {
        Ok(self.get(tables::ESCROWS, id.0)?.ok_or(WalletError::NotFound("escrow"))?)
    }

    /// The buyer says how much is for the seller.
    fn settle(
        &mut self,
        id: TransferId,
        order: &PaymentOrder,
        signed: &Signed<PaymentOrder>,
        row: &[u8],
        key: &[u8; 32],
    ) -> Result<(), Stop> {
        let record = self.held(id)?;
        if record.buyer != order.payer {
            return Err(WalletError::NotFound("escrow").into());
        }
        let is_same = |kept: &OrderRecord| kept.order == *signed;
        if let Some(entry) = self.entry(order.transfer())? {
            let kept: Option<OrderRecord> = self.get(tables::ORDERS, order.transfer().0)?;
            return match entry.outcome {
                _ if !kept.as_ref().is_some_and(is_same) => Err(WalletError::IdConflict.into()),
                Outcome::Done => Ok(()),
                Outcome::Refused { refusal, .. } => Err(WalletError::Refused(refusal).into()),
            };
        }
        if record.offer.as_ref().is_some_and(is_same) {
            return Ok(());
        }
        if record.end.is_some() || self.now >= record.until_ms {
            return Err(WalletError::AlreadyDecided.into());
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
        let invalid = |field, why| Err(Stop::from(Fault::Invalid { field, why }));
        if order.asset != record.asset {
            return invalid("asset", "not that of the escrow");
        }
        if order.amount == 0 || order.amount > record.total {
            return invalid("amount", "at least 1, and no more than is held");
        }
        if !matches!(&order.payee, Payee::Settle(payee) if payee.seller == record.seller) {
            return invalid("seller", "not that of the escrow");
        }
        let own = self.account(personal(&record.buyer.name, record.asset))?;
        if own.is_some_and(|own| own.freeze != Freeze::None) {
            return Err(WalletError::Refused(Refusal::Frozen(Side::Debit)).into());
        }
        let title = if record.of_shop { Some(self.shop(&record.seller.name)?.details.title) } else { None };
        let authority = OrderRecord { order: signed.clone(), cert: known.cert.clone(), title };
        self.put(tables::ORDER_KEYS, row, &OrderKeyRecord { counter: order.counter, ..known });
        if order.amount == record.total || record.asked == Some(order.amount) {
            let ended = self.end(id, record, Some((order, authority)), false);
            return ended.map_err(|stop| self.refused(order, stop));
        }
        self.put_escrow(id, &EscrowRecord { offer: Some(authority), ..record });
        Ok(())
    }

    /// The seller says how much is enough.
    fn accept(&mut self, by: &UserAddress, id: TransferId, to_seller: u64) -> Result<(), Stop> {
        let record = self.held(id)?;
        let (is_there, may) = match record.of_shop {
            true => {
                let shop = self.shop(&record.seller.name)?;
                (shop.role(by).is_some() || record.buyer == *by, shop.is_led_by(by))
            }
            false => (record.buyer == *by, record.seller == *by),
        };
        if !may {
            let error = if is_there { WalletError::NotStaff } else { WalletError::NotFound("escrow") };
            return Err(error.into());
        }
        if let Some(end) = record.end {
            let is_same = end.to_seller == to_seller && !end.expired;
            return if is_same { Ok(()) } else { Err(WalletError::AlreadyDecided.into()) };
        }
        if self.now >= record.until_ms {
            return Err(WalletError::AlreadyDecided.into());
        }
        if to_seller >= record.total {
            return Err(Fault::Invalid {
                field: "to_seller",
                why: "less than all: all is the buyer's to give",
            }
            .into());
        }
        if to_seller == 0 {
            return self.end(id, record, None, false);
        }
        if let Some(offer) = record.offer.clone() {
            let order = offer.order.peek().map_err(|_| Fault::Internal("an offer without its order"))?;
            let row = joined(record.buyer.name.as_str(), order.device.0);
            // What was offered by a key that the device has no more, or that was used for something else since, is worth nothing. It
            // does not end with the order's time: it stands as long as the money is held.
            let key: Option<OrderKeyRecord> = self.get(tables::ORDER_KEYS, row)?;
            let stands = key.is_some_and(|known| offer.order.verify(&known.key).is_ok())
                && self.entry(order.transfer())?.is_none();
            if stands && order.amount == to_seller {
                let own = self.account(personal(&record.buyer.name, record.asset))?;
                if own.is_some_and(|own| own.freeze != Freeze::None) {
                    return Err(WalletError::Refused(Refusal::Frozen(Side::Debit)).into());
                }
                let ended = self.end(id, record, Some((&order, offer)), false);
                return ended.map_err(|stop| self.refused(&order, stop));
            }
        }
        self.put_escrow(id, &EscrowRecord { asked: Some(to_seller), ..record });
        Ok(())
    }

    /// The money goes: to the seller what the buyer has signed for, and the rest back.
    fn end(
        &mut self,
        id: TransferId,
        record: EscrowRecord,
        settled: Option<(&PaymentOrder, OrderRecord)>,
        expired: bool,
    ) -> Result<(), Stop> {
        let (debit, asset) = (escrow(id, record.asset), record.asset);
        let mut chain = Vec::with_capacity(2);
        let mut transfer = |id: TransferId, credit, amount, purpose, about| {
            let movement = Movement::Posted { debit, credit, amount, refunds: None };
            chain.push(Transfer { id, movement, purpose, about });
        };
        let to_seller = settled.as_ref().map_or(0, |(order, _)| order.amount);
        if let Some((order, _)) = &settled {
            let seller = &record.seller.name;
            let credit = if record.of_shop {
                self.merchant_account(seller, asset)?
            } else {
                self.personal(seller, asset)?
            };
            transfer(order.transfer(), credit, to_seller, Purpose::EscrowRelease, id.0);
        }
        if to_seller < record.total {
            let credit = self.personal(&record.buyer.name, asset)?;
            let rest = record.total - to_seller;
            transfer(TransferId::of_escrow_return(id), credit, rest, Purpose::EscrowReturn, id.0);
        }
        let by = settled.as_ref().map(|(order, _)| order.transfer());
        if let Some((order, authority)) = settled {
            self.put(tables::ORDERS, order.transfer().0, &authority);
        }
        self.post(&chain)?;
        self.delete(tables::ESCROWS_DUE, due_key(record.until_ms, id));
        let end = Some(EscrowEndRecord { at_ms: self.now, to_seller, by, expired });
        self.put_escrow(id, &EscrowRecord { end, ..record });
        Ok(())
    }

    /// Gives back what is held for longer than was agreed.
    pub(super) fn end_escrow(&mut self, id: TransferId) -> Result<bool, Stop> {
        let record: EscrowRecord =
            self.get(tables::ESCROWS, id.0)?.ok_or(Fault::Internal("a due escrow that is not there"))?;
        if record.end.is_some() || self.now < record.until_ms {
            return Ok(false);
        }
        self.end(id, record, None, true)?;
        Ok(true)
    }
}
