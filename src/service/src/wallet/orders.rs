//! Payment orders: who may pay what to whom, and what comes of it.

use super::{
    Result, Wallet, WalletError,
    accounts::personal,
    link_books::payment_key,
    receipts::{mark_paid, receipt},
    records::{AssetRecord, MerchantRecord, OrderKeyRecord, OrderRecord, Owner, OwnerRecord, PayerRecord},
    sales::Bought,
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined};
use ed25519_dalek::VerifyingKey;
use weft_ledger::{Books, Entry, Movement, Outcome, Purpose, Refusal, Transfer, link::Way};
use weft_store::{Scan, Table, tables};
use weft_wire::{
    AccountId, AssetId, DeviceId, Millis, Signed, TransferId, UserAddress, UserName,
    limits::CLOCK_SKEW_MS_MAX,
    wallet::{
        Answer, BankPayee, EscrowTerms, Intent, InvoicePayee, MerchantPayee, PacketTerms, Payee,
        PaymentOrder, PutOrderKey, Receipt, SubmitOrder, TransferInfo,
    },
};

pub(super) const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// How long an order may be worth something.
const ORDER_LIFETIME_MS_MAX: Millis = DAY_MS;
/// How long a transfer waits for the payee.
pub(super) const ACCEPT_MS: Millis = DAY_MS;

/// An order as it came, read once; its signature is not checked.
pub(crate) struct Submitted {
    signed: Signed<PaymentOrder>,
    order: PaymentOrder,
}

impl Submitted {
    pub(crate) fn read(request: SubmitOrder) -> Result<Self> {
        let order = request.order.peek().map_err(|_| WalletError::Signature("the order"))?;
        Ok(Submitted { signed: request.order, order })
    }

    pub(crate) fn order(&self) -> &PaymentOrder {
        &self.order
    }
}

impl Wallet {
    /// `PUT wallet/order-key`: from now on the caller's device signs its orders with this key.
    ///
    /// # Errors
    /// [`WalletError::Signature`], [`WalletError::ForeignOrder`]; [`Fault::Invalid`] for one that is older than the present one;
    /// [`WalletError::SignedOut`].
    pub async fn put_order_key(&self, caller: &Caller, request: PutOrderKey) -> Result<()> {
        let cert = request.cert.verify(&caller.session.device_key);
        let cert = cert.map_err(|_| WalletError::Signature("the order key"))?;
        if cert.user != *caller.user() || cert.device != caller.device() {
            return Err(WalletError::ForeignOrder);
        }
        if cert.created_ms > self.ctx.now() + CLOCK_SKEW_MS_MAX {
            return Err(Fault::Invalid { field: "created_ms", why: "it lies in the future" }.into());
        }
        if VerifyingKey::from_bytes(&cert.order_key).is_err() {
            return Err(Fault::Invalid { field: "order_key", why: "it is no ed25519 key" }.into());
        }
        let (row, signed) = (joined(caller.name().as_str(), caller.device().0), request.cert);
        self.teller
            .run(move |sheet| {
                // Signed out since it has asked: of the two pieces of work the later one knows of the earlier.
                if !sheet.is_free(tables::ORDER_KEYS_GONE, &row)? {
                    return Err(WalletError::SignedOut.into());
                }
                let known: Option<OrderKeyRecord> = sheet.get(tables::ORDER_KEYS, &row)?;
                if known.as_ref().is_some_and(|known| known.key == cert.order_key) {
                    return Ok(());
                }
                if known.as_ref().is_some_and(|known| known.created_ms >= cert.created_ms) {
                    let why = "this device has a newer order key";
                    return Err(Fault::Invalid { field: "created_ms", why }.into());
                }
                // The counter goes on: it is the device's.
                let counter = known.map_or(0, |known| known.counter);
                let (key, created_ms) = (cert.order_key, cert.created_ms);
                let record = OrderKeyRecord { cert: signed.clone(), key, created_ms, counter };
                sheet.put(tables::ORDER_KEYS, &row, &record);
                Ok(())
            })
            .await
    }

    /// `POST wallet/orders`. `is_there`: whether there is such a payee, which an order that was carried out already does not need.
    /// `title`: what a shop of another node is called, if that is known.
    ///
    /// # Errors
    /// [`WalletError`]. An order that the ledger refuses stays refused, whatever comes.
    pub(crate) async fn pay(
        &self,
        caller: &Caller,
        submitted: Submitted,
        is_there: bool,
        title: Option<String>,
    ) -> Result<Signed<Receipt>> {
        let row = joined(caller.name().as_str(), caller.device().0);
        let known: OrderKeyRecord =
            self.ctx.read(tables::ORDER_KEYS, &row).await?.ok_or(WalletError::NoOrderKey)?;
        // Out of the teller's hands: this is the work that takes long, and many do it side by side.
        if !self.is_signed(&submitted.signed, known.key) && !self.carried_out(&submitted).await? {
            return Err(WalletError::Signature("the order"));
        }
        let Submitted { signed, order } = submitted;
        if order.payer != *caller.user() || order.device != caller.device() {
            return Err(WalletError::ForeignOrder);
        }
        let far = |shop: &UserAddress| !self.ctx.is_local(shop);
        if order.from.as_ref().is_some_and(far) {
            return Err(WalletError::OtherNode);
        }
        let to = match &order.payee {
            Payee::Person(payee) if far(payee) => To::Remote(payee.clone()),
            Payee::Person(payee) if is_there => To::Person(payee.name.clone()),
            Payee::Packet(terms) if is_there => To::Packet(terms.clone(), self.ctx.random()),
            Payee::Merchant(payee) if far(&payee.shop) => To::Remote(payee.shop.clone()),
            Payee::Merchant(payee) => To::Merchant(payee.clone()),
            Payee::Escrow(terms) if far(&terms.seller) => return Err(WalletError::OtherNode),
            Payee::Escrow(terms) if is_there => To::Escrow(terms.clone()),
            Payee::Bank(payee) => To::Bank(payee.clone()),
            Payee::CashIn(user) | Payee::CashOut(user) if far(user) => return Err(WalletError::OtherNode),
            Payee::CashIn(payee) if is_there => To::CashIn(payee.name.clone()),
            Payee::CashOut(agent) => To::CashOut(agent.name.clone()),
            Payee::Invoice(payee) if far(&payee.issuer) => To::Remote(payee.issuer.clone()),
            Payee::Invoice(payee) => To::Invoice(payee.clone()),
            _ => To::Nobody,
        };
        // Where it is looked up whether its id is new.
        let id = order.transfer();
        let mut hints = vec![(tables::LEDGER_ENTRIES, id.0.to_vec())];
        if order.max_fee > 0 {
            hints.push((tables::LEDGER_ENTRIES, TransferId::of_fee(id).0.to_vec()));
        }
        if let To::Remote(payee) = &to {
            hints.push((tables::LINK_PAYMENTS, payment_key(&payee.node, Way::Out, id)));
        }
        let work = Work { to, row, key: known.key, signed, id, order, title };
        let receipt = self.teller.run_with(hints, move |sheet| sheet.pay(&work)).await?;
        Ok(Signed::sign(&receipt, &self.key))
    }

    /// An order that was carried out when the device had another key: asked again, it gets its answer. Whoever asks must be whose
    /// it was.
    async fn carried_out(&self, submitted: &Submitted) -> Result<bool> {
        let kept: Option<OrderRecord> = self.ctx.read(tables::ORDERS, submitted.order.transfer().0).await?;
        Ok(kept.is_some_and(|kept| kept.order == submitted.signed))
    }

    /// Whether an order key has signed it.
    fn is_signed(&self, order: &Signed<PaymentOrder>, key: [u8; 32]) -> bool {
        let at_hand = self.order_keys.get(&key).or_else(|| {
            let read = VerifyingKey::from_bytes(&key).ok()?;
            self.order_keys.insert(key, read, self.order_keys.generation());
            Some(read)
        });
        at_hand.is_some_and(|key| order.check(&key).is_ok())
    }

    /// The orders of a device that was signed out are worth nothing any more, and it gets no key again: it does not come back.
    pub(crate) async fn forget_key(&self, name: &UserName, device: DeviceId) -> Result<()> {
        let row = joined(name.as_str(), device.0);
        self.teller
            .run(move |sheet| {
                sheet.delete(tables::ORDER_KEYS, &row);
                sheet.mark(tables::ORDER_KEYS_GONE, &row);
                // A stolen device is locked out also where the disk is full.
                sheet.urgent();
                sheet.forget_code(&row)
            })
            .await
    }

    /// `POST wallet/transfers/ID`: the payee takes what waits, or gives it back.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] if nothing waits for the caller under this id, [`WalletError::AlreadyDecided`].
    pub async fn answer(
        &self,
        caller: &Caller,
        transfer: TransferId,
        answer: Answer,
    ) -> Result<TransferInfo> {
        match self.arrived(caller, transfer).await? {
            Some(payment) => self.decide(payment, answer).await?,
            None => {
                let name = caller.name().clone();
                self.teller.run(move |sheet| sheet.answer(&name, transfer, answer)).await?;
            }
        }
        self.transfer(caller, transfer).await
    }

    /// Gives back what nobody has accepted in time, what is left in packets, and what was held in escrow for long enough. Gives how many of them.
    ///
    /// # Errors
    /// The last thing that went wrong, after all else was done: what cannot be read holds up nothing beside it.
    pub(crate) async fn expire(&self) -> Result<u64> {
        let mut rounds = vec![self.sweep_links().await, self.forget_rejected().await.map(|_| 0)];
        for table in [tables::LEDGER_DUE, tables::PACKETS_DUE, tables::ESCROWS_DUE, tables::ORDERS_REFUSED] {
            rounds.push(self.end_due(table).await);
        }
        rounds.into_iter().reduce(both).unwrap_or(Ok(0))
    }

    /// Ends what is due by a table of times. Gives how many.
    ///
    /// A transfer that comes back too early is sent again, and what is left of a packet was promised to nobody. But a seller has sent
    /// the goods because the money is held: by a clock that has jumped no escrow is over (see [`crate::aging`]). After a long pause it
    /// is held for longer.
    async fn end_due(&self, table: Table) -> Result<u64> {
        let (mut done, mut after) = (0, Vec::new());
        loop {
            let rows = self.ctx.store.scan(table, Scan::prefix([]).after(&after)).await?;
            let mut now = self.ctx.now();
            let is_for_good = matches!(table, tables::ESCROWS_DUE | tables::ORDERS_REFUSED);
            // Where nothing is due by any clock, nothing is written, also not how far things have aged.
            if is_for_good && rows.iter().any(|row| due(&row.key, now).is_some()) {
                now = now.min(self.ctx.aged().await?);
            }
            let due: Vec<TransferId> = rows.iter().filter_map(|row| due(&row.key, now)).collect();
            let Some(last) = rows.last().filter(|_| !due.is_empty()) else { return Ok(done) };
            after.clone_from(&last.key);
            for id in due {
                let work = move |sheet: &mut Sheet<'_>| match table {
                    tables::PACKETS_DUE => sheet.end_packet(id),
                    tables::ESCROWS_DUE => sheet.end_escrow(id),
                    tables::ORDERS_REFUSED => sheet.forget_refused(id),
                    _ => sheet.let_go(id),
                };
                match self.teller.run(work).await {
                    Ok(was_there) => done += u64::from(was_there),
                    Err(WalletError::Fault(fault @ Fault::Store(_))) => return Err(fault.into()),
                    // One that cannot be given back must not hold up the others. It is tried again in the next round.
                    Err(error) => tracing::warn!(%id, %error, "what is due was not given back"),
                }
            }
        }
    }
}

/// Until when an order is kept that was refused. It is worth nothing any more a day before.
fn refused_key(order: &PaymentOrder) -> Vec<u8> {
    let until_ms = order.expires_ms.saturating_add(DAY_MS);
    [until_ms.to_be_bytes().as_slice(), &order.transfer().0].concat()
}

/// What two rounds have done. Of two errors the later one is told by whoever asked for the rounds, the other one here.
pub(super) fn both(earlier: Result<u64>, later: Result<u64>) -> Result<u64> {
    if let (Err(error), Err(_)) = (&earlier, &later) {
        tracing::warn!(%error, "something that is due has to wait");
    }
    Ok(later? + earlier?)
}

/// The transfer of a row of [`tables::LEDGER_DUE`], if its time is over.
fn due(key: &[u8], now: Millis) -> Option<TransferId> {
    let (time, id) = key.split_first_chunk::<8>()?;
    (Millis::from_be_bytes(*time) <= now).then(|| TransferId::from_slice(id).ok()).flatten()
}

/// An order whose signature is good.
struct Work {
    order: PaymentOrder,
    /// Its transfer.
    id: TransferId,
    signed: Signed<PaymentOrder>,
    /// The key that has signed it, and where it is kept.
    key: [u8; 32],
    row: Vec<u8>,
    to: To,
    /// Of a shop of another node.
    title: Option<String>,
}

/// Where the money is to go.
pub(super) enum To {
    Person(UserName),
    /// Of another node, which says whether there is such a payee.
    Remote(UserAddress),
    /// With the seed of its shares.
    Packet(PacketTerms, [u8; 32]),
    Merchant(MerchantPayee),
    /// Out of the world, over a bank.
    Bank(BankPayee),
    Invoice(InvoicePayee),
    Escrow(EscrowTerms),
    /// From the payer's float as a cash agent.
    CashIn(UserName),
    /// To a cash agent's float.
    CashOut(UserName),
    /// There is no such payee.
    Nobody,
}

impl Sheet<'_> {
    fn pay(&mut self, work: &Work) -> Result<Receipt, Stop> {
        let order = &work.order;
        if let Some(entry) = self.entry(work.id)? {
            return self.paid_before(work, &entry);
        }
        let known: OrderKeyRecord =
            self.get(tables::ORDER_KEYS, &work.row)?.ok_or(WalletError::NoOrderKey)?;
        if known.key != work.key {
            return Err(WalletError::Signature("the order").into());
        }
        if order.expires_ms <= self.now || order.expires_ms > self.now + ORDER_LIFETIME_MS_MAX {
            return Err(WalletError::Expired.into());
        }
        if order.counter <= known.counter {
            return Err(WalletError::Counter { last: known.counter }.into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, order.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        if order.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        if order.exchange.is_some() && !matches!(work.to, To::Remote(_)) {
            let why = "only what goes to another node is exchanged";
            return Err(Fault::Invalid { field: "exchange", why }.into());
        }
        let fee = self.fee_of(order, order.amount)?;
        let is_own = order.from.is_none();
        if is_own
            && matches!(&work.to, To::Person(payee) | To::CashIn(payee) | To::CashOut(payee) if order.payer.name == *payee)
        {
            return Err(Fault::Invalid { field: "payee", why: "that is you" }.into());
        }
        let cert = known.cert.clone();
        self.put(tables::ORDER_KEYS, &work.row, &OrderKeyRecord { counter: order.counter, ..known });
        let debit = self.debited(order, &work.to)?;
        let paid = match order.refunds {
            // A float has a limit of its own; a single payment of it is bound as any other.
            None if matches!(work.to, To::CashIn(_)) => {
                let asset = AssetRecord { day_max: 0, ..asset };
                self.within_limits(&asset, debit, order.amount)?
            }
            None if is_own => self.within_limits(&asset, debit, order.amount)?,
            // No more than has come before it; and what a shop pays out stays its owner's.
            _ => None,
        };
        let kept = OrderRecord { order: work.signed.clone(), cert, title: self.title_of(work)? };
        if let To::Remote(payee) = &work.to {
            self.put(tables::ORDERS, work.id.0, &kept);
            self.covers_fee(order, debit, fee).map_err(|stop| self.refused(order, stop))?;
            let entry =
                self.pay_remote(order, &payee.node, debit).map_err(|stop| self.refused(order, stop))?;
            if let Some(paid) = paid {
                self.put(tables::PAYERS, debit.0, &paid);
            }
            self.hold_fee(order, debit, fee)?;
            return self.as_known(Receipt { fee, ..receipt(order, &entry, None, None) });
        }
        let transfer = self.as_ordered(work, debit)?;
        self.put(tables::ORDERS, transfer.id.0, &kept);
        let chain = self.with_fee(transfer, fee)?;
        // From here on the counter is used up, whatever the ledger says to it.
        let done = self.post(&chain).map_err(|stop| self.refused(order, stop))?;
        if let Some(paid) = paid {
            self.put(tables::PAYERS, debit.0, &paid);
        }
        let entry = done.entries.first().ok_or(Fault::Internal("a chain without an entry"))?;
        self.note_ordered(work, entry)?;
        let promise = self.promise(transfer.id, &order.payee)?;
        Ok(Receipt { fee, ..receipt(order, entry, None, promise) })
    }

    /// What the shop is called that is paid or pays, if one is: it may be called otherwise later.
    fn title_of(&self, work: &Work) -> Result<Option<String>, Stop> {
        Ok(match (&work.order.from, &work.to) {
            (Some(shop), _) | (None, To::Merchant(MerchantPayee { shop, .. })) => {
                Some(self.shop(&shop.name)?.details.title)
            }
            (
                None,
                To::Invoice(InvoicePayee { issuer: payee, .. })
                | To::Escrow(EscrowTerms { seller: payee, .. }),
            ) => self
                .get::<MerchantRecord>(tables::MERCHANTS, payee.name.as_str())?
                .map(|shop| shop.details.title),
            _ => work.title.clone(),
        })
    }

    /// What is written down beside the ledger of an order that was carried out here.
    fn note_ordered(&mut self, work: &Work, entry: &Entry) -> Result<(), Stop> {
        let order = &work.order;
        self.cash_counted(order, &work.to)?;
        match &work.to {
            To::Packet(terms, seed) => self.packet_paid(order, terms, *seed),
            To::Merchant(payee) => self.sale_paid(&Bought::of(order), payee)?,
            To::Escrow(terms) => self.escrow_funded(order, terms)?,
            To::Invoice(payee) => self.invoice_paid(order.transfer(), payee)?,
            To::Bank(payee) => self.withdrawal_asked(order, payee, entry)?,
            To::Person(payee) => {
                for name in [payee, &order.payer.name] {
                    let Some(request) = order.request else { break };
                    let sum = (order.asset, order.amount);
                    mark_paid(self, name, request, sum, (entry.number, entry.transfer.id));
                }
            }
            To::CashIn(_) | To::CashOut(_) | To::Remote(_) | To::Nobody => {}
        }
        Ok(())
    }

    /// The transfer that an order asks for.
    fn as_ordered(&mut self, work: &Work, debit: AccountId) -> Result<Transfer, Stop> {
        let order = &work.order;
        let (id, amount, about) = (work.id, order.amount, order.id.0);
        let refunds = order.refunds.map(|original| self.paid_by(original)).transpose()?;
        let credit = match &work.to {
            To::Person(payee) => self.personal(payee, order.asset)?,
            To::Packet(terms, seed) => {
                if order.intent != Intent::Payment || refunds.is_some() || order.request.is_some() {
                    return Err(Fault::Invalid { field: "intent", why: "a packet is a payment" }.into());
                }
                let credit = self.new_packet(order, terms, seed)?;
                let movement = Movement::Posted { debit, credit, amount, refunds: None };
                return Ok(Transfer { id, movement, purpose: Purpose::PacketFund, about });
            }
            To::Merchant(payee) => self.sold(order, payee)?,
            To::Bank(payee) => return self.withdrawn(order, payee, debit),
            To::CashIn(payee) => return self.cash_in(order, payee, debit),
            To::CashOut(agent) => return self.cash_out(order, agent, debit),
            To::Invoice(payee) => self.invoiced(order, payee)?,
            To::Escrow(terms) => {
                let credit = self.new_escrow(order, terms)?;
                let movement = Movement::Posted { debit, credit, amount, refunds: None };
                return Ok(Transfer { id, movement, purpose: Purpose::EscrowFund, about });
            }
            To::Nobody | To::Remote(_) => return Err(WalletError::NotFound("payee").into()),
        };
        let (movement, purpose) = match order.intent {
            Intent::Payment => {
                let purpose = if refunds.is_some() { Purpose::Refund } else { Purpose::Payment };
                (Movement::Posted { debit, credit, amount, refunds }, purpose)
            }
            Intent::Transfer if order.request.is_some() => {
                return Err(Fault::Invalid { field: "intent", why: "what was asked for is a payment" }.into());
            }
            Intent::Transfer => {
                let expires_ms = Some(self.now + ACCEPT_MS);
                (Movement::Pending { debit, credit, amount, expires_ms, refunds }, Purpose::Transfer)
            }
            _ => return Err(Fault::Invalid { field: "intent", why: "not known here" }.into()),
        };
        Ok(Transfer { id, movement, purpose, about })
    }

    /// The transfer by which the money of a payment went over: of one that was accepted, the answer.
    fn paid_by(&self, original: TransferId) -> Result<TransferId, Stop> {
        let entry = self.entry(original)?.ok_or(WalletError::NotFound("transfer"))?;
        Ok(match entry.transfer.movement {
            Movement::Pending { .. } => TransferId::of_answer(original),
            _ => original,
        })
    }

    /// The same order again gets the answer of the first time, as things stand now; another one under its id gets none.
    fn paid_before(&self, work: &Work, entry: &Entry) -> Result<Receipt, Stop> {
        let kept: Option<OrderRecord> = self.get(tables::ORDERS, entry.transfer.id.0)?;
        // What was refused long ago is known by its id alone.
        let is_forgotten = kept.is_none() && entry.outcome != Outcome::Done;
        if !is_forgotten && kept.is_none_or(|kept| kept.order != work.signed) {
            return Err(WalletError::IdConflict.into());
        }
        match entry.outcome {
            Outcome::Done => {
                let promise = self.promise(entry.transfer.id, &work.order.payee)?;
                let receipt = receipt(&work.order, entry, self.standing(entry.transfer.id)?, promise);
                let receipt = self.with_fee_taken(receipt)?;
                if entry.transfer.purpose == Purpose::Remote { self.as_known(receipt) } else { Ok(receipt) }
            }
            Outcome::Refused { refusal, .. } => Err(WalletError::Refused(refusal).into()),
        }
    }

    /// If it was refused, and that is kept: the order is kept until nobody asks any more what came of it. That it was refused is part of
    /// the books for good, but no money went by the order, and it is several times as long.
    pub(super) fn refused(&mut self, order: &PaymentOrder, stop: Stop) -> Stop {
        if let Stop::Kept(_) = &stop {
            self.mark(tables::ORDERS_REFUSED, refused_key(order));
        }
        stop
    }

    /// Forgets an order that was refused. Nothing is given back by that: it does not count.
    fn forget_refused(&mut self, id: TransferId) -> Result<bool, Stop> {
        let Some(kept) = self.get::<OrderRecord>(tables::ORDERS, id.0)? else { return Ok(false) };
        let order = kept.order.peek().map_err(|_| Fault::Internal("an order that cannot be read"))?;
        let is_refused = self.entry(id)?.is_some_and(|entry| entry.outcome != Outcome::Done);
        self.delete(tables::ORDERS_REFUSED, refused_key(&order));
        if is_refused {
            self.delete(tables::ORDERS, id.0);
        }
        Ok(false)
    }

    /// Whether a payment is within what the asset allows at once and in a day. Gives the day with it, where days are counted: for
    /// when it is done.
    pub(super) fn within_limits(
        &self,
        asset: &AssetRecord,
        payer: AccountId,
        amount: u64,
    ) -> Result<Option<PayerRecord>, Stop> {
        if asset.payment_max > 0 && amount > asset.payment_max {
            return Err(WalletError::PaymentMax { max: asset.payment_max }.into());
        }
        if asset.day_max == 0 {
            return Ok(None);
        }
        let day = self.now / DAY_MS;
        let known: PayerRecord = self.get(tables::PAYERS, payer.0)?.unwrap_or_default();
        let before = if known.day == day { known.paid } else { 0 };
        let paid = before.checked_add(amount).filter(|paid| *paid <= asset.day_max);
        let paid = paid.ok_or(WalletError::DayMax { max: asset.day_max })?;
        Ok(Some(PayerRecord { day, paid }))
    }

    fn answer(&mut self, name: &UserName, id: TransferId, answer: Answer) -> Result<(), Stop> {
        let waiting = || Stop::from(WalletError::NotFound("transfer"));
        let entry = self.entry(id)?.filter(|entry| entry.outcome == Outcome::Done).ok_or_else(waiting)?;
        let Movement::Pending { credit, amount, .. } = entry.transfer.movement else { return Err(waiting()) };
        let owner: Option<OwnerRecord> = self.get(tables::OWNERS, credit.0)?;
        if owner.is_none_or(|owner| owner.owner != Owner::Person(name.clone()))
            || entry.transfer.purpose != Purpose::Transfer
            || credit != personal(name, self.asset_of(credit)?)
        {
            return Err(waiting());
        }
        let movement = match answer {
            Answer::Accept => Movement::Post { pending: id, amount },
            Answer::Return => Movement::Void { pending: id },
        };
        let returns = answer == Answer::Return;
        // One id for both answers: the second, if it is the other one, finds it taken.
        let (purpose, about) = (entry.transfer.purpose, entry.transfer.about);
        let decided = Transfer { id: TransferId::of_answer(id), movement, purpose, about };
        let chain = self.with_fee_end(decided, &entry, !returns)?;
        match self.post(&chain) {
            Ok(done) if returns && !done.replayed => self.uncount(&entry),
            Ok(_) => Ok(()),
            Err(Stop::Undone(WalletError::IdConflict)) => Err(WalletError::AlreadyDecided.into()),
            Err(Stop::Kept(WalletError::Refused(refusal))) if is_over(refusal) => {
                Err(Stop::Kept(WalletError::AlreadyDecided))
            }
            Err(stop) => Err(stop),
        }
    }

    /// Releases a transfer whose time is over. False: there was nothing to release any more; it is not looked at again.
    fn let_go(&mut self, pending: TransferId) -> Result<bool, Stop> {
        match self.expire(pending) {
            Ok(_) => {
                if let Some(entry) = self.entry(pending)? {
                    self.expire_fee(&entry)?;
                    self.uncount(&entry)?;
                }
                Ok(true)
            }
            // The clock was set back.
            Err(Stop::Undone(WalletError::Refused(Refusal::NotDue))) => Ok(false),
            Err(Stop::Undone(WalletError::Refused(_)) | Stop::Kept(WalletError::Refused(_))) => {
                self.forget_due(pending)?;
                Ok(false)
            }
            Err(stop) => Err(stop),
        }
    }

    /// What came back is not counted as paid, if that was on the same day.
    pub(super) fn uncount(&mut self, entry: &Entry) -> Result<(), Stop> {
        // A refund was not counted in the first place.
        let Movement::Pending { debit, amount, refunds: None, .. } = entry.transfer.movement else {
            return Ok(());
        };
        let Some(known) = self.get::<PayerRecord>(tables::PAYERS, debit.0)? else { return Ok(()) };
        if known.day == entry.at_ms / DAY_MS {
            let paid = known.paid.saturating_sub(amount);
            self.put(tables::PAYERS, debit.0, &PayerRecord { paid, ..known });
        }
        Ok(())
    }

    fn asset_of(&self, account: AccountId) -> Result<AssetId, Stop> {
        let account = self.account(account)?.ok_or(Fault::Internal("an entry without its account"))?;
        Ok(account.asset)
    }
}

fn is_over(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::AlreadyPosted | Refusal::AlreadyVoided | Refusal::PendingExpired)
}
