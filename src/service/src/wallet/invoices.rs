//! Invoices: who sends them, who sees them, and that each is paid once. That there is somebody to send one to is for the caller to know.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    bank_accounts::reference_of,
    records::{
        AssetRecord, FarInvoiceRecord, InvoicePaidRecord, InvoiceRecord, MerchantRecord, NumbersRecord,
    },
    remote_bills::{far_key, may_pay},
    sheet::{Sheet, Stop},
};
use crate::{Budget, Caller, Fault, context::joined};
use weft_ledger::link::{LinkBooks, Reason};
use weft_store::{Scan, tables};
use weft_wire::{
    AccountId, AssetId, Millis, RequestId, TransferId, UserAddress, UserName,
    limits::{INVOICE_DUE_MS_MAX, INVOICE_LINES_MAX, INVOICE_NOTE_BYTES_MAX, PAGE_MAX},
    text,
    wallet::{
        InvoiceInfo, InvoiceList, InvoicePaid, InvoicePayee, InvoiceState, InvoiceSums, PaymentOrder,
        SendInvoice, ShopName,
    },
};

/// In which of somebody's lists an invoice stands: a byte of the list's key.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Folder {
    Received = b'r',
    Sent = b's',
}

/// Which invoices are asked for.
#[derive(Clone)]
pub struct InvoiceBox {
    /// Of a shop where the caller works: what it has sent. None: the caller's own.
    pub shop: Option<UserName>,
    /// What they have sent, and not what they are to pay.
    pub sent: bool,
    /// Older than this one: its issuer and id.
    pub before: Option<(UserAddress, RequestId)>,
}

impl Wallet {
    /// `POST wallet/invoices`. The same again gives the same invoice. `is_quiet`: whoever is to pay wants to hear nothing of the sender,
    /// who does not learn it.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`], [`WalletError::ShopClosed`], [`WalletError::PaymentMax`],
    /// [`WalletError::IdConflict`], [`WalletError::OtherNode`] for a shop of one, [`WalletError::Link`] where the asset does not go to
    /// whoever is to pay, [`Fault::Invalid`].
    pub(crate) async fn send_invoice(
        &self,
        caller: &Caller,
        wish: SendInvoice,
        is_quiet: bool,
    ) -> Result<InvoiceInfo> {
        let far = |user: &UserAddress| !self.ctx.is_local(user);
        if wish.shop.as_ref().is_some_and(far) {
            return Err(WalletError::OtherNode);
        }
        let issuer = wish.shop.as_ref().map_or(caller.name(), |shop| &shop.name).clone();
        let (id, by) = (wish.id, caller.user().clone());
        let invoice = InvoiceRecord { quiet: is_quiet, ..InvoiceRecord::of(wish, &by)? };
        let name = issuer.clone();
        self.teller.run(move |sheet| sheet.send_invoice(&by, &name, id, &invoice)).await?;
        self.invoice(caller, &issuer, id).await
    }

    /// `DELETE wallet/invoices/ISSUER/ID`: whoever has sent it takes it back.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::AlreadyPaid`].
    pub async fn cancel_invoice(
        &self,
        caller: &Caller,
        issuer: &UserName,
        id: RequestId,
    ) -> Result<InvoiceInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let (by, name) = (caller.user().clone(), issuer.clone());
        self.teller.run(move |sheet| sheet.cancel_invoice(&by, &name, id)).await?;
        self.invoice(caller, issuer, id).await
    }

    /// `GET wallet/invoices/ISSUER/ID`, for who is to pay it and for those whose it is.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for everybody else.
    pub async fn invoice(&self, caller: &Caller, issuer: &UserName, id: RequestId) -> Result<InvoiceInfo> {
        self.invoice_for(caller.user(), issuer, id).await
    }

    /// The same, for somebody of whatever node.
    pub(super) async fn invoice_for(
        &self,
        user: &UserAddress,
        issuer: &UserName,
        id: RequestId,
    ) -> Result<InvoiceInfo> {
        let none = || WalletError::NotFound("invoice");
        let record: Option<InvoiceRecord> = self.ctx.read(tables::INVOICES, invoice_key(issuer, id)).await?;
        let record = record.ok_or_else(none)?;
        let shop = if record.of_shop { Some(self.merchant(issuer).await?) } else { None };
        let address = self.ctx.address(issuer);
        let is_issuer = match &shop {
            Some(shop) => shop.role(user).is_some(),
            None => *user == address,
        };
        if !is_issuer && record.to != *user {
            return Err(none());
        }
        let state = record.state(self.ctx.now());
        let paid = match record.paid {
            Some(InvoicePaidRecord { transfer, at_ms }) => {
                let (by, at_rate) = self.moved_by(&record.to, transfer).await?;
                let refunded = self.standing(by).await?.map_or(0, |standing| standing.refunded);
                Some(InvoicePaid { transfer, at_ms, refunded, at_rate })
            }
            None => None,
        };
        Ok(InvoiceInfo {
            id,
            reference: reference(&address, record.number),
            shop: shop.map(|shop| ShopName { shop: address.clone(), title: shop.details.title }),
            issuer: address,
            to: record.to,
            number: record.number,
            asset: self.asset(record.asset).await?.asset,
            sums: InvoiceSums::of(&record.lines).ok_or(Fault::Internal("an invoice that does not add up"))?,
            lines: record.lines,
            note: record.note,
            made_ms: record.made_ms,
            due_ms: record.due_ms,
            state,
            by: record.by.filter(|_| is_issuer),
            paid,
            rejection: None,
        })
    }

    /// `GET wallet/invoices?box=received|sent&shop=NAME&of=ISSUER&before=ID`: the newest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`].
    pub async fn invoices(&self, caller: &Caller, wish: InvoiceBox) -> Result<InvoiceList> {
        let (of, kind) = match &wish.shop {
            Some(shop) => {
                self.staffed(caller, shop).await?;
                (shop, Folder::Sent)
            }
            None => (caller.name(), if wish.sent { Folder::Sent } else { Folder::Received }),
        };
        let prefix = joined(of.as_str(), [kind as u8]);
        let mut scan = Scan::prefix(&prefix).reverse().limit(PAGE_MAX + 1);
        if let Some((issuer, id)) = wish.before {
            scan = scan.after(self.place_of(of, kind, &issuer, id).await?);
        }
        let rows = self.ctx.store.scan(tables::INVOICES_LIST, scan).await?;
        let mut invoices = Vec::with_capacity(rows.len().min(PAGE_MAX));
        for row in rows.iter().take(PAGE_MAX) {
            // Behind the time: whose it is, a zero byte and the id.
            let rest = row.key.get(prefix.len() + 8..).and_then(|rest| rest.split_last_chunk::<16>());
            let (issuer, id) = rest.ok_or(Fault::Internal("an invoice's key without an id"))?;
            let issuer = issuer.strip_suffix(&[0]).and_then(|name| std::str::from_utf8(name).ok());
            let none = Fault::Internal("an invoice's key without its issuer");
            let (issuer, id) = (issuer.ok_or(none.clone())?, RequestId(*id));
            invoices.push(match issuer.parse::<UserAddress>() {
                Ok(issuer) => self.far_invoice(caller.user(), &issuer, id).await?.ok_or(none)?,
                Err(_) => self.invoice(caller, &issuer.parse().map_err(|_| none)?, id).await?,
            });
        }
        Ok(InvoiceList { invoices, more: rows.len() > PAGE_MAX })
    }

    /// Where an invoice stands in somebody's list.
    async fn place_of(
        &self,
        of: &UserName,
        kind: Folder,
        issuer: &UserAddress,
        id: RequestId,
    ) -> Result<Vec<u8>> {
        let none = WalletError::NotFound("invoice");
        if !self.ctx.is_local(issuer) {
            let known: Option<FarInvoiceRecord> =
                self.ctx.read(tables::INVOICES_FAR, far_key(of, issuer, id)).await?;
            return Ok(list_key(of, kind, known.ok_or(none)?.kept_ms, &issuer.to_string(), id));
        }
        let known: Option<InvoiceRecord> =
            self.ctx.read(tables::INVOICES, invoice_key(&issuer.name, id)).await?;
        Ok(list_key(of, kind, known.ok_or(none)?.made_ms, issuer.name.as_str(), id))
    }
}

/// The creditor reference of an issuer's invoice: the same whenever it is asked for.
pub(super) fn reference(issuer: &UserAddress, number: u64) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("weft/invoice-reference/1");
    let hash = hasher.update(issuer.to_string().as_bytes()).update(&[0]).update(&number.to_be_bytes());
    reference_of(&hash.finalize()).as_str().to_owned()
}

impl InvoiceRecord {
    fn of(wish: SendInvoice, by: &UserAddress) -> Result<InvoiceRecord> {
        if wish.lines.len() > INVOICE_LINES_MAX {
            return Err(Fault::TooMany { what: "lines", max: INVOICE_LINES_MAX }.into());
        }
        let mut lines = wish.lines;
        for line in &mut lines {
            line.text = text::name(&line.text);
        }
        let invalid = |field, why| WalletError::from(Fault::Invalid { field, why });
        let sums = InvoiceSums::of(&lines).ok_or_else(|| {
            invalid("lines", "a text, a quantity, a price and at most 1000 ‰ tax each; together at least 1")
        })?;
        if sums.total != wish.total {
            return Err(invalid("total", "not what the lines come to"));
        }
        if wish.note.len() > INVOICE_NOTE_BYTES_MAX {
            return Err(invalid("note", "at most 512 bytes"));
        }
        if wish.shop.is_none() && wish.to == *by {
            return Err(invalid("to", "that is you"));
        }
        Ok(InvoiceRecord {
            number: 0,
            of_shop: wish.shop.is_some(),
            by: wish.shop.is_some().then(|| by.clone()),
            to: wish.to,
            asset: wish.asset,
            lines,
            total: sums.total,
            note: text::name(&wish.note),
            made_ms: 0,
            due_ms: wish.due_ms,
            quiet: false,
            cancelled: false,
            paid: None,
        })
    }

    fn state(&self, now: Millis) -> InvoiceState {
        match (&self.paid, self.cancelled) {
            (Some(_), _) => InvoiceState::Paid,
            (None, true) => InvoiceState::Cancelled,
            (None, false) if now >= self.due_ms => InvoiceState::Overdue,
            (None, false) => InvoiceState::Open,
        }
    }

    /// Whether two are of one wish.
    fn is_as(&self, other: &InvoiceRecord) -> bool {
        let sum = |one: &InvoiceRecord| (one.asset, one.total, one.due_ms, one.of_shop);
        sum(self) == sum(other)
            && (&self.to, &self.lines, &self.note) == (&other.to, &other.lines, &other.note)
    }
}

pub(super) fn invoice_key(issuer: &UserName, id: RequestId) -> Vec<u8> {
    joined(issuer.as_str(), id.0)
}

/// Where an invoice stands in one of somebody's lists. `issuer`: a name here, an address elsewhere.
pub(super) fn list_key(of: &UserName, kind: Folder, at_ms: Millis, issuer: &str, id: RequestId) -> Vec<u8> {
    let rest = [[kind as u8].as_slice(), &at_ms.to_be_bytes(), &joined(issuer, id.0)].concat();
    joined(of.as_str(), rest)
}

/// What somebody pays for an invoice, of this node or of another.
pub(super) struct Billed<'a> {
    pub payer: &'a UserAddress,
    /// What the issuer gets.
    pub asset: AssetId,
    pub amount: u64,
    /// The payer gives another asset for it.
    pub at_rate: bool,
}

impl Sheet<'_> {
    fn send_invoice(
        &mut self,
        by: &UserAddress,
        issuer: &UserName,
        id: RequestId,
        wish: &InvoiceRecord,
    ) -> Result<(), Stop> {
        let shop = if wish.of_shop { Some(self.shop_of(issuer, by)?) } else { None };
        if let Some(known) = self.get::<InvoiceRecord>(tables::INVOICES, invoice_key(issuer, id))? {
            return if known.is_as(wish) { Ok(()) } else { Err(WalletError::IdConflict.into()) };
        }
        if shop.is_some_and(|shop| !shop.is_open()) {
            return Err(WalletError::ShopClosed.into());
        }
        if wish.due_ms <= self.now || wish.due_ms > self.now + INVOICE_DUE_MS_MAX {
            return Err(Fault::Invalid { field: "due_ms", why: "later than now, within two years" }.into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, wish.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        if asset.payment_max > 0 && wish.total > asset.payment_max {
            return Err(WalletError::PaymentMax { max: asset.payment_max }.into());
        }
        if wish.to.node != by.node {
            let link = self.link(&wish.to.node)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
            if link.terms.covered(wish.asset).is_none() {
                return Err(WalletError::Link(LinkTrouble::Payment(Reason::UnknownAsset)).into());
            }
        }
        let row = joined(issuer.as_str(), []);
        let numbers: NumbersRecord = self.get(tables::INVOICE_NUMBERS, &row)?.unwrap_or_default();
        let number = numbers.last + 1;
        self.put(tables::INVOICE_NUMBERS, &row, &NumbersRecord { last: number });
        let record = InvoiceRecord { number, made_ms: self.now, ..wish.clone() };
        self.put(tables::INVOICES, invoice_key(issuer, id), &record);
        self.list((issuer, by), id, &record);
        Ok(())
    }

    /// Puts an invoice into the lists of both sides. Who is of another node hears of it in their chat.
    fn list(&mut self, (issuer, by): (&UserName, &UserAddress), id: RequestId, record: &InvoiceRecord) {
        let key = |of, folder| list_key(of, folder, record.made_ms, issuer.as_str(), id);
        self.mark(tables::INVOICES_LIST, key(issuer, Folder::Sent));
        if !record.quiet && record.to.node == by.node {
            self.mark(tables::INVOICES_LIST, key(&record.to.name, Folder::Received));
        }
    }

    fn cancel_invoice(&mut self, by: &UserAddress, issuer: &UserName, id: RequestId) -> Result<(), Stop> {
        let none = || Stop::from(WalletError::NotFound("invoice"));
        let key = invoice_key(issuer, id);
        let record: InvoiceRecord = self.get(tables::INVOICES, &key)?.ok_or_else(none)?;
        let is_issuer = match record.of_shop {
            true => self.shop(issuer)?.role(by).is_some(),
            false => by.name == *issuer,
        };
        if !is_issuer {
            return Err(none());
        }
        if record.paid.is_some() {
            return Err(WalletError::AlreadyPaid.into());
        }
        // Written once more, so that both sides hear of it.
        self.list((issuer, by), id, &record);
        self.put(tables::INVOICES, key, &InvoiceRecord { cancelled: true, ..record });
        Ok(())
    }

    /// The account of whoever has sent an invoice, if this order may pay it.
    pub(super) fn invoiced(&mut self, order: &PaymentOrder, payee: &InvoicePayee) -> Result<AccountId, Stop> {
        may_pay(order)?;
        let (payer, asset, amount) = (&order.payer, order.asset, order.amount);
        Ok(self.billed(&Billed { payer, asset, amount, at_rate: false }, payee)?.0)
    }

    /// The same, whoever says what is paid: another node may say anything. With it, what the invoice comes to.
    pub(super) fn billed(
        &mut self,
        billed: &Billed<'_>,
        payee: &InvoicePayee,
    ) -> Result<(AccountId, u64), Stop> {
        let issuer = &payee.issuer.name;
        let record = self.get::<InvoiceRecord>(tables::INVOICES, invoice_key(issuer, payee.invoice))?;
        // Nobody else learns that there is one.
        let record = record.filter(|record| record.to == *billed.payer);
        let record = record.ok_or(WalletError::NotFound("invoice"))?;
        if record.paid.is_some() {
            return Err(WalletError::AlreadyPaid.into());
        }
        if record.cancelled {
            return Err(WalletError::InvoiceCancelled.into());
        }
        if record.asset != billed.asset {
            return Err(Fault::Invalid { field: "asset", why: "not that of the invoice" }.into());
        }
        // What is paid at a rate cannot always be met to the unit.
        let is_it =
            if billed.at_rate { billed.amount >= record.total } else { billed.amount == record.total };
        if !is_it {
            return Err(Fault::Invalid { field: "amount", why: "not that of the invoice" }.into());
        }
        if !record.of_shop {
            return Ok((self.personal(issuer, record.asset)?, record.total));
        }
        // What was invoiced is due also while a shop takes no new orders, but not once the node's owner has closed it.
        if self.get::<MerchantRecord>(tables::MERCHANTS, issuer.as_str())?.is_none_or(|shop| shop.stopped) {
            return Err(WalletError::ShopClosed.into());
        }
        Ok((self.merchant_account(issuer, record.asset)?, record.total))
    }

    /// The money has gone over: the invoice is paid, once. `transfer`: by what both sides call it.
    pub(super) fn invoice_paid(&mut self, transfer: TransferId, payee: &InvoicePayee) -> Result<(), Stop> {
        let key = invoice_key(&payee.issuer.name, payee.invoice);
        let record: Option<InvoiceRecord> = self.get(tables::INVOICES, &key)?;
        let record = record.ok_or(Fault::Internal("an invoice that is gone"))?;
        if let Some(before) = record.paid {
            // Nothing is done rather than that the money of one of the two is for nothing.
            let is_same = before.transfer == transfer;
            return if is_same { Ok(()) } else { Err(WalletError::AlreadyPaid.into()) };
        }
        let paid = Some(InvoicePaidRecord { transfer, at_ms: self.now });
        self.put(tables::INVOICES, key, &InvoiceRecord { paid, ..record });
        Ok(())
    }
}
