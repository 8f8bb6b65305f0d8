//! Invoices that are paid from other nodes, or are of other nodes: see decisions 0014 and 0023.

use super::{
    Memo, Result, Wallet, WalletError,
    invoices::{Billed, Folder, list_key, reference},
    records::{FarInvoiceRecord, InvoicePaidRecord},
    remote::rejection,
    remote_shops::{is_shop_title, why_not},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use weft_ledger::link::{Aim, LinkBooks, Payment, Prepare, Reason, State, Sum, Way};
use weft_store::tables;
use weft_wire::{
    AccountId, Millis, RequestId, Signed, TransferId, UserAddress, UserName,
    limits::{INVOICE_DUE_MS_MAX, INVOICE_NOTE_BYTES_MAX},
    text,
    wallet::{
        Intent, InvoiceInfo, InvoicePaid, InvoicePayee, InvoiceState, InvoiceSums, Payee, PaymentOrder,
        SCALE_MAX,
    },
};

/// How far the clock of another node may be ahead.
const AHEAD_MS: Millis = 24 * 60 * 60 * 1000;
/// For how long what another node has said of an invoice is news.
const FRESH_MS: Millis = 60 * 1000;
/// Invoices of other nodes that are asked after when somebody looks at their list.
const ASKED_MAX: usize = 8;

impl Wallet {
    /// An invoice as somebody of another node may know it: as this one signs it.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for everybody who is not to pay it.
    pub(crate) async fn signed_invoice(
        &self,
        user: &UserAddress,
        issuer: &UserName,
        id: RequestId,
    ) -> Result<Signed<InvoiceInfo>> {
        Ok(Signed::sign(&self.invoice_for(user, issuer, id).await?, &self.key))
    }

    /// Whether another node can mean what it says of an invoice of somebody there for somebody here.
    pub(crate) fn is_sound_invoice(&self, info: &InvoiceInfo, asked: (&UserAddress, RequestId)) -> bool {
        let latest = self.ctx.now().saturating_add(AHEAD_MS);
        let is_text = |said: &str| text::name(said) == said;
        let is_shop = info.shop.as_ref().is_none_or(|shop| {
            let title = &shop.title;
            shop.shop == info.issuer && is_shop_title(title)
        });
        let is_paid = match (info.state, &info.paid) {
            (InvoiceState::Paid, Some(paid)) => paid.at_ms <= latest,
            (InvoiceState::Open | InvoiceState::Overdue | InvoiceState::Cancelled, None) => true,
            _ => false,
        };
        // A day that is too far away is none that could be shown.
        let is_due = info.made_ms <= latest && info.due_ms.saturating_sub(info.made_ms) <= INVOICE_DUE_MS_MAX;
        (&info.issuer, info.id) == asked
            && info.reference == reference(&info.issuer, info.number)
            && InvoiceSums::of(&info.lines).as_ref() == Some(&info.sums)
            && info.lines.iter().all(|line| is_text(&line.text))
            && is_text(&info.note)
            && info.note.len() <= INVOICE_NOTE_BYTES_MAX
            && info.asset.scale <= SCALE_MAX
            && (info.by.is_none() && info.rejection.is_none())
            && (is_shop && is_paid && is_due)
    }

    /// Keeps what another node says of an invoice for somebody here. It stands in their list from then on.
    ///
    /// # Errors
    /// [`WalletError::IdConflict`] where that node said something else of it before: what is asked for does not change.
    pub(crate) async fn keep_invoice(&self, told: Signed<InvoiceInfo>, info: InvoiceInfo) -> Result<()> {
        self.teller.run(move |sheet| sheet.keep_invoice(&told, &info)).await
    }

    /// What is known here of an invoice of another node, if anything is: what that node has said, and how its payment stands.
    pub(crate) async fn far_invoice(
        &self,
        user: &UserAddress,
        issuer: &UserAddress,
        id: RequestId,
    ) -> Result<Option<InvoiceInfo>> {
        let key = far_key(&user.name, issuer, id);
        let Some(kept) = self.ctx.read::<FarInvoiceRecord>(tables::INVOICES_FAR, key).await? else {
            return Ok(None);
        };
        let mut info = read(&kept)?;
        if info.state == InvoiceState::Open && self.ctx.now() >= info.due_ms {
            info.state = InvoiceState::Overdue;
        }
        let key = far_key(&user.name, issuer, id);
        let taken: Option<InvoicePaidRecord> = self.ctx.read(tables::INVOICES_FAR_PAID, key).await?;
        let taken = taken.map(|taken| taken.transfer);
        let by = taken.or(kept.payment).or(info.paid.map(|paid| paid.transfer));
        let Some(by) = by else { return Ok(Some(info)) };
        let payee = InvoicePayee { issuer: issuer.clone(), invoice: id };
        let payment = self.remote(&issuer.node, Way::Out, by).await?;
        // The other node may say that something else has paid it.
        if let Some(payment) = payment.filter(|payment| is_of(payment, user, &payee)) {
            self.with_payment(&mut info, &payment).await?;
        }
        Ok(Some(info))
    }

    /// What the money that somebody here has sent for an invoice has come to: of that this node knows more than the other one.
    async fn with_payment(&self, info: &mut InvoiceInfo, payment: &Payment) -> Result<()> {
        let transfer = payment.id;
        match payment.state {
            State::Waiting if info.paid.is_none() => info.state = InvoiceState::Paying,
            State::Rejected(_) if info.paid.is_none() => info.rejection = rejection(payment.state),
            State::Fulfilled => {
                let leg = payment.legs.last().map(|leg| TransferId::of_answer(leg.transfer));
                let standing = match leg {
                    Some(leg) => self.standing(leg).await?,
                    None => None,
                };
                info.state = InvoiceState::Paid;
                info.paid = Some(InvoicePaid {
                    transfer,
                    at_ms: payment.decided_ms.unwrap_or(payment.at_ms),
                    refunded: standing.map_or(0, |standing| standing.refunded),
                    at_rate: payment.prepare.as_ref().is_some_and(|prepare| prepare.get.is_some()),
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Of these the ones of other nodes that are to be paid and were not asked after for a while, the newest.
    pub(crate) async fn stale_invoices(
        &self,
        user: &UserAddress,
        listed: &[InvoiceInfo],
    ) -> Result<Vec<(UserAddress, RequestId)>> {
        let mut stale = Vec::new();
        for info in listed {
            if self.ctx.is_local(&info.issuer) || !info.is_due() {
                continue;
            }
            let key = far_key(&user.name, &info.issuer, info.id);
            let kept: Option<FarInvoiceRecord> = self.ctx.read(tables::INVOICES_FAR, key).await?;
            if kept.is_some_and(|kept| kept.seen_ms.saturating_add(FRESH_MS) <= self.ctx.now()) {
                stale.push((info.issuer.clone(), info.id));
            }
            if stale.len() == ASKED_MAX {
                break;
            }
        }
        Ok(stale)
    }

    /// These are asked after now: whatever comes of it, not again for a while.
    pub(crate) async fn ask_later(
        &self,
        user: &UserAddress,
        asked: &[(UserAddress, RequestId)],
    ) -> Result<()> {
        let keys: Vec<_> = asked.iter().map(|(issuer, id)| far_key(&user.name, issuer, *id)).collect();
        self.teller
            .run(move |sheet| {
                for key in &keys {
                    let known: Option<FarInvoiceRecord> = sheet.get(tables::INVOICES_FAR, key)?;
                    if let Some(known) = known {
                        let seen_ms = sheet.now;
                        sheet.put(tables::INVOICES_FAR, key, &FarInvoiceRecord { seen_ms, ..known });
                    }
                }
                Ok(())
            })
            .await
    }

    /// Whether this was said before, of an invoice of another node: then it costs no room.
    pub(crate) async fn knows_invoice(&self, user: &UserAddress, told: &Signed<InvoiceInfo>) -> Result<bool> {
        let Ok(info) = told.peek() else { return Ok(false) };
        let key = far_key(&user.name, &info.issuer, info.id);
        let kept: Option<FarInvoiceRecord> = self.ctx.read(tables::INVOICES_FAR, key).await?;
        Ok(kept.is_some_and(|kept| kept.info == *told))
    }

    /// How the shop is called whose invoice of another node is to be paid, if it is a shop's.
    pub(crate) async fn billed_by(&self, user: &UserAddress, payee: &InvoicePayee) -> Result<Option<String>> {
        let info = self.far_invoice(user, &payee.issuer, payee.invoice).await?;
        Ok(info.and_then(|info| info.shop).map(|shop| shop.title))
    }
}

fn read(kept: &FarInvoiceRecord) -> Result<InvoiceInfo> {
    Ok(kept.info.peek().map_err(|_| Fault::Internal("an invoice that cannot be read"))?)
}

/// Whether a payment is of somebody here, for this invoice.
fn is_of(payment: &Payment, user: &UserAddress, invoice: &InvoicePayee) -> bool {
    bill_of(payment).is_some_and(|(payer, payee)| payer == user && payee == invoice)
}

/// Who pays which invoice by a payment, if it is for one.
pub(super) fn bill_of(payment: &Payment) -> Option<(&UserAddress, &InvoicePayee)> {
    match &payment.prepare.as_ref()?.aim {
        Aim::Payment { payer, payee: Payee::Invoice(payee), .. } => Some((payer, payee)),
        _ => None,
    }
}

/// Where an invoice of another node is kept.
pub(super) fn far_key(name: &UserName, issuer: &UserAddress, id: RequestId) -> Vec<u8> {
    joined(name.as_str(), joined(&issuer.to_string(), id.0))
}

/// Where it stands in the list of whoever is to pay it.
pub(super) fn far_list_key(name: &UserName, kept_ms: Millis, issuer: &UserAddress, id: RequestId) -> Vec<u8> {
    list_key(name, Folder::Received, kept_ms, &issuer.to_string(), id)
}

/// What can be known to be wrong about an order for an invoice without that: it may be of another node.
pub(super) fn may_pay(order: &PaymentOrder) -> Result<(), Stop> {
    if order.intent != Intent::Payment || order.refunds.is_some() || order.request.is_some() {
        return Err(Fault::Invalid { field: "intent", why: "an invoice is paid at once" }.into());
    }
    Ok(())
}

/// Whether two say the same of what is asked for. How it stands may change, and how a shop is called.
fn is_same(one: &InvoiceInfo, other: &InvoiceInfo) -> bool {
    let facts = |info: &InvoiceInfo| (info.number, info.made_ms, info.due_ms, info.shop.is_some());
    facts(one) == facts(other)
        && (&one.asset, &one.lines, &one.note) == (&other.asset, &other.lines, &other.note)
}

impl Sheet<'_> {
    fn keep_invoice(&mut self, told: &Signed<InvoiceInfo>, info: &InvoiceInfo) -> Result<(), Stop> {
        let key = far_key(&info.to.name, &info.issuer, info.id);
        let known: Option<FarInvoiceRecord> = self.get(tables::INVOICES_FAR, &key)?;
        if let Some(known) = &known
            && !is_same(&read(known)?, info)
        {
            return Err(WalletError::IdConflict.into());
        }
        let kept_ms = known.as_ref().map_or(self.now, |known| known.kept_ms);
        if known.as_ref().is_none_or(|known| known.info != *told) {
            // Whoever looks at the list hears of it.
            self.mark(tables::INVOICES_LIST, far_list_key(&info.to.name, kept_ms, &info.issuer, info.id));
        }
        let payment = known.and_then(|known| known.payment);
        let record = FarInvoiceRecord { info: told.clone(), kept_ms, seen_ms: self.now, payment };
        self.put(tables::INVOICES_FAR, key, &record);
        Ok(())
    }

    /// Money for an invoice of another node is under way: the invoice says so, unless an earlier payment of it is, or was taken.
    pub(super) fn bill_sent(&mut self, order: &PaymentOrder) -> Result<(), Stop> {
        let Payee::Invoice(payee) = &order.payee else { return Ok(()) };
        let key = far_key(&order.payer.name, &payee.issuer, payee.invoice);
        let Some(known) = self.get::<FarInvoiceRecord>(tables::INVOICES_FAR, &key)? else { return Ok(()) };
        if let Some(before) = known.payment {
            let before = self.payment(&payee.issuer.node, Way::Out, before)?;
            if before.is_some_and(|before| !matches!(before.state, State::Rejected(_))) {
                return Ok(());
            }
        }
        let payment = Some(order.transfer());
        self.put(tables::INVOICES_FAR, key, &FarInvoiceRecord { payment, ..known });
        Ok(())
    }

    /// An invoice of another node that has taken a payment for it is paid for good, by these books: also if that one has lost its own, or
    /// has given all of it back.
    pub(super) fn not_taken(&self, order: &PaymentOrder, payee: &InvoicePayee) -> Result<(), Stop> {
        let payer = order.from.as_ref().unwrap_or(&order.payer);
        let key = far_key(&payer.name, &payee.issuer, payee.invoice);
        match self.get::<InvoicePaidRecord>(tables::INVOICES_FAR_PAID, key)? {
            Some(_) => Err(WalletError::AlreadyPaid.into()),
            None => Ok(()),
        }
    }

    /// The other node has taken a payment of somebody here: if it is for an invoice, that is paid now.
    pub(super) fn bill_taken(&mut self, payment: &Payment) -> Result<(), Stop> {
        let Some((payer, payee)) = bill_of(payment) else { return Ok(()) };
        let key = far_key(&payer.name, &payee.issuer, payee.invoice);
        // Of two that the other one has taken, because it has lost what it knew of the first, the first stays.
        if self.get::<InvoicePaidRecord>(tables::INVOICES_FAR_PAID, &key)?.is_none() {
            let record = InvoicePaidRecord { transfer: payment.id, at_ms: self.now };
            self.put(tables::INVOICES_FAR_PAID, key, &record);
        }
        Ok(())
    }

    /// The account of whoever has sent an invoice that is paid from another node, if it is to be paid so.
    pub(super) fn billed_over(
        &mut self,
        prepare: &Prepare,
        payer: &UserAddress,
        payee: &InvoicePayee,
    ) -> Result<Result<AccountId, Reason>, Stop> {
        let Some(memo) = Memo::of(prepare) else { return Ok(Err(Reason::Memo)) };
        // What is billed gives nothing back.
        if prepare.refunds.is_some() {
            return Ok(Err(Reason::Refund));
        }
        let is_plain = memo.request.is_none() && memo.share.is_none() && memo.tip.is_none();
        if !is_plain || memo.by.is_some() {
            return Ok(Err(Reason::Asked));
        }
        let (Sum { asset, amount }, at_rate) = (prepare.got(), prepare.get.is_some());
        match self.billed(&Billed { payer, asset, amount, at_rate }, payee) {
            Ok((_, total)) if self.would_less_do(prepare, &payer.node, total)? => Ok(Err(Reason::Asked)),
            Ok((account, _)) => Ok(Ok(account)),
            Err(stop) => why_not(stop).map(Err),
        }
    }
}
