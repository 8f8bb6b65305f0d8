//! Payments to and from people of other nodes: how they are asked for, answered and shown.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    link_books::{payment_key, read_due, read_rejected},
    orders::{ACCEPT_MS, both},
    receipts::mark_paid,
    records::{EntryRecord, MerchantRecord, Owner, OwnerRecord, RejectedRecord},
    remote_bills::may_pay,
    remote_shops::{SHOP_MS, may_buy},
    sales::Bought,
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined};
use serde::{Deserialize, Serialize};
use weft_ledger::{
    Books, Entry,
    link::{self, Aim, LinkBooks, Payment, Prepare, Reason, Sent, State, Sum, Way},
};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AccountId, Blob, Millis, NodeName, OrderId, RequestId, TransferId, UserAddress, decode, encode,
    wallet::{
        Answer, Exchange, Exchanged, Intent, Payee, PaymentOrder, Receipt, Rejection, TransferInfo,
        TransferState,
    },
};

/// How long it is kept that a payment was refused as it came, for the operators to look at.
const REJECTED_MS: Millis = 7 * 24 * 60 * 60 * 1000;

/// What the payer's node says of a payment beside what the link has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memo {
    /// The payer's order: the payment's id follows from it and from who pays, so that no other node can take the id.
    pub order: OrderId,
    /// What it is paid for, if somebody has asked for the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// It is a share of the red packet that the order has filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// What of that which a shop gets is a tip, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<u64>,
    /// Who has signed for the shop that pays: the order is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserAddress>,
}

/// A share of a red packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Of which.
    pub packet: TransferId,
    /// How many were taken before.
    pub claim: u32,
}

impl Memo {
    /// What stands in a payment; none if it is not of this form, or the payment's id does not follow from it.
    pub fn of(prepare: &Prepare) -> Option<Memo> {
        let memo: Memo = decode(prepare.memo.as_slice(), link::MEMO_BYTES_MAX).ok()?;
        let Aim::Payment { payer, payee, .. } = &prepare.aim else { return None };
        let by = memo.by.as_ref().unwrap_or(payer);
        let ordered = PaymentOrder::transfer_of(by, memo.order);
        let is_it = match (memo.share, payee) {
            (None, _) => ordered == prepare.payment,
            (Some(Share { packet, .. }), Payee::Person(payee)) => {
                ordered == packet && TransferId::of_claim(packet, payee) == prepare.payment
            }
            _ => false,
        };
        // What a shop's staff signs is of the shop's node as well.
        (is_it && by.node == payer.node).then_some(memo)
    }
}

/// A payment over a link between two people, or a person and a shop.
pub(super) struct Remote {
    pub payer: UserAddress,
    pub payee: UserAddress,
    /// The payee is a shop.
    pub sold: bool,
    /// It is for an invoice, of a person or a shop.
    pub billed: bool,
    pub intent: Intent,
    pub sum: Sum,
    /// On the other side, if that is another asset.
    pub other: Option<Sum>,
    /// The payment that it gives back, or a part of it.
    pub refunds: Option<TransferId>,
    pub state: TransferState,
    pub until_ms: Option<Millis>,
    pub request: Option<RequestId>,
    /// The red packet of which it is a share.
    pub packet: Option<TransferId>,
}

impl Remote {
    /// None: it is between nodes, or nothing is known of it any more.
    pub fn of(payment: &Payment) -> Option<Remote> {
        let prepare = payment.prepare.as_ref()?;
        let Aim::Payment { payer, payee, intent } = &prepare.aim else { return None };
        let memo = Memo::of(prepare);
        Some(Remote {
            payer: payer.clone(),
            payee: payee.address()?.clone(),
            sold: matches!(payee, Payee::Merchant(_)),
            billed: matches!(payee, Payee::Invoice(_)),
            intent: *intent,
            sum: if payment.way == Way::Out { prepare.give } else { prepare.got() },
            other: prepare.get.map(|get| if payment.way == Way::Out { get } else { prepare.give }),
            refunds: prepare.refunds,
            state: state_of(payment),
            until_ms: (*intent == Intent::Transfer).then_some(prepare.expires_ms),
            request: memo.as_ref().and_then(|memo| memo.request),
            packet: memo.and_then(|memo| memo.share).map(|share| share.packet),
        })
    }
}

impl Wallet {
    /// Whether there is such a transfer in the books.
    pub(crate) async fn knows(&self, id: TransferId) -> Result<bool> {
        Ok(self.ctx.store.get(tables::LEDGER_ENTRIES, &id.0).await?.is_some())
    }

    /// A payment from another node to the caller.
    pub(super) async fn arrived(&self, caller: &Caller, id: TransferId) -> Result<Option<Payment>> {
        for row in self.ctx.store.scan(tables::LINK_ARRIVED, Scan::prefix(id.0)).await? {
            let peer =
                row.key.get(id.0.len()..).and_then(|name| std::str::from_utf8(name).ok()?.parse().ok());
            let peer: NodeName = peer.ok_or(Fault::Internal("a payment's key without a node"))?;
            let payment = self.remote(&peer, Way::In, id).await?;
            let Some(payment) = payment else { continue };
            let Some(Remote { payee, sold, billed, .. }) = Remote::of(&payment) else { continue };
            let shop: Option<MerchantRecord> = match sold || billed {
                true => self.ctx.read(tables::MERCHANTS, payee.name.as_str()).await?,
                false => None,
            };
            let works_there = shop.is_some_and(|shop| shop.role(caller.user()).is_some());
            if works_there || (!sold && payee == *caller.user()) {
                return Ok(Some(payment));
            }
        }
        Ok(None)
    }

    /// The payee takes it, or gives it back.
    pub(super) async fn decide(&self, payment: Payment, answer: Answer) -> Result<()> {
        let Payment { id, peer, .. } = payment;
        self.teller
            .run(move |sheet| {
                let now = sheet.now;
                match answer {
                    Answer::Accept => taken(link::accept(sheet, &peer, id, now)?),
                    Answer::Return => Ok(link::decline(sheet, &peer, id, now).map(drop)?),
                }
            })
            .await
    }

    /// What `GET wallet/transfers/ID` says of it.
    pub(super) async fn remote_info(&self, payment: Payment) -> Result<TransferInfo> {
        let none = WalletError::NotFound("transfer");
        let Some(remote) = Remote::of(&payment) else { return Err(none) };
        // Where people's money is: the last of what it moves here.
        let leg = payment.legs.last().or(payment.undone.last()).map(|leg| leg.transfer);
        let entry: Option<EntryRecord> = match leg {
            Some(leg) => self.ctx.read(tables::LEDGER_ENTRIES, leg.0).await?,
            None => None,
        };
        let refunded = match entry {
            Some(EntryRecord(entry)) => self.refunded(&entry).await?,
            None => 0,
        };
        let shop = self.remote_shop(&payment, &remote).await?;
        Ok(TransferInfo {
            id: payment.id,
            payer: remote.payer,
            payee: remote.payee,
            asset: self.asset(remote.sum.asset).await?.asset,
            amount: remote.sum.amount,
            refunded,
            request: remote.request,
            shop,
            state: remote.state,
            at_ms: payment.at_ms,
            until_ms: remote.until_ms,
            exchange: self.exchanged(remote.other).await?,
            refunds: remote.refunds,
            rejection: rejection(payment.state),
        })
    }

    /// What stands on the other side of a payment, if it is another asset.
    pub(super) async fn exchanged(&self, other: Option<Sum>) -> Result<Option<Exchanged>> {
        let Some(Sum { asset, amount }) = other else { return Ok(None) };
        Ok(Some(Exchanged { asset: self.asset(asset).await?.asset, amount }))
    }

    /// The other node of an account between nodes.
    pub(super) async fn peer_of(&self, account: AccountId) -> Result<Option<NodeName>> {
        let owner: Option<OwnerRecord> = self.ctx.read(tables::OWNERS, account.0).await?;
        Ok(owner.and_then(|owner| match owner.owner {
            Owner::Peer(node) => Some(node),
            _ => None,
        }))
    }

    /// Ends what nobody has accepted in time, and asks after what the other node should have decided by now. Gives how many.
    ///
    /// # Errors
    /// Of one payment that cannot be read, after the others.
    pub(super) async fn sweep_links(&self) -> Result<u64> {
        let (mut done, mut after) = (Ok(0), Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::LINK_DUE, Scan::prefix([]).after(&after)).await?;
            let now = self.ctx.now();
            let due = rows.iter().map_while(|row| read_due(&row.key).filter(|(at_ms, ..)| *at_ms <= now));
            let works: Vec<_> = due
                .map(|(_, way, id, peer)| {
                    move |sheet: &mut Sheet<'_>| {
                        let now = sheet.now;
                        match way {
                            Way::In => link::expire(sheet, &peer, id, now).map(drop)?,
                            Way::Out => link::ask(sheet, &peer, id, now)?,
                        }
                        Ok(())
                    }
                })
                .collect();
            let Some(last) = rows.last().filter(|_| !works.is_empty()) else { return done };
            after.clone_from(&last.key);
            for outcome in self.teller.run_all(works).await {
                match outcome {
                    Ok(()) => done = both(done, Ok(1)),
                    Err(WalletError::Fault(fault @ Fault::Store(_))) => return Err(fault.into()),
                    Err(error @ WalletError::Fault(_)) => done = both(done, Err(error)),
                    // A link that stands still, or a journal that is full: it is tried again in the next round.
                    Err(error) => tracing::debug!(%error, "what is due between nodes has to wait"),
                }
            }
        }
    }
}

impl Wallet {
    /// Forgets what was refused as it came, of which the other node has confirmed the answer, after some days. Gives how many.
    ///
    /// # Errors
    /// Of one link that cannot be read, after the others.
    pub(super) async fn forget_rejected(&self) -> Result<u64> {
        let mut done = Ok(0);
        for peer in self.linked().await? {
            done = both(done, self.forget_rejected_of(&peer).await);
        }
        done
    }

    async fn forget_rejected_of(&self, peer: &NodeName) -> Result<u64> {
        let (mut done, now) = (0, self.ctx.now());
        let Some(link) = self.link(peer).await? else { return Ok(0) };
        let is_over = |row: &weft_store::Row| -> Option<(Vec<u8>, TransferId)> {
            let (era, seq) = read_rejected(&row.key)?;
            let record = RejectedRecord::from_record(&row.value).ok()?;
            let is_confirmed = era < link.era || (era == link.era && seq <= link.confirmed.seq);
            let is_old = record.at_ms.saturating_add(REJECTED_MS) <= now;
            (is_confirmed && is_old).then(|| (row.key.clone(), record.payment))
        };
        loop {
            let scan = Scan::prefix(joined(peer.as_str(), []));
            let rows = self.ctx.store.scan(tables::LINK_REJECTED, scan).await?;
            let works: Vec<_> = rows.iter().map_while(is_over).collect();
            let count = works.len();
            let works = works.into_iter().map(|(key, payment)| {
                let peer = peer.clone();
                move |sheet: &mut Sheet<'_>| sheet.forget(&peer, &key, payment)
            });
            for outcome in self.teller.run_all(works.collect()).await {
                outcome?;
            }
            done += count as u64;
            if count == 0 || count < rows.len() {
                return Ok(done);
            }
        }
    }
}

impl Sheet<'_> {
    /// Whether a payment is exchanged for what does not come into the world by one person's word (decision 0018): an exchange
    /// brings it in, and nobody is there to approve it.
    pub(super) fn gives_guarded(&self, prepare: &Prepare) -> Result<bool, Stop> {
        match (prepare.get, &prepare.aim) {
            (Some(got), Aim::Payment { .. }) => Ok(self.guarded(got.asset)?.threshold > 0),
            _ => Ok(false),
        }
    }

    fn forget(&mut self, peer: &NodeName, key: &[u8], payment: TransferId) -> Result<(), Stop> {
        let known = self.payment(peer, Way::In, payment)?;
        // A thaw may have made something else of it.
        let is_bare = |known: &Payment| known.legs.is_empty() && known.undone.is_empty();
        if known.is_some_and(|known| is_bare(&known) && matches!(known.state, State::Rejected(_))) {
            self.delete(tables::LINK_PAYMENTS, payment_key(peer, Way::In, payment));
        }
        self.delete(tables::LINK_REJECTED, key);
        Ok(())
    }

    /// Holds what is to be paid to somebody of another node, and asks that node for it.
    pub(super) fn pay_remote(
        &mut self,
        order: &PaymentOrder,
        peer: &NodeName,
        debit: AccountId,
    ) -> Result<Entry, Stop> {
        if order.intent == Intent::Transfer && order.request.is_some() {
            return Err(Fault::Invalid { field: "intent", why: "what was asked for is a payment" }.into());
        }
        let (now, id, mut expires_ms) = (self.now, order.transfer(), self.end_over(peer)?);
        if let Payee::Merchant(payee) = &order.payee {
            may_buy(order, payee)?;
            expires_ms = expires_ms.min(now.saturating_add(SHOP_MS));
        }
        if let Payee::Invoice(payee) = &order.payee {
            may_pay(order)?;
            self.not_taken(order, payee)?;
            expires_ms = expires_ms.min(now.saturating_add(SHOP_MS));
        }
        let prepare = Prepare {
            payment: id,
            give: Sum { asset: order.asset, amount: order.amount },
            get: order.exchange.map(|Exchange { asset, amount }| Sum { asset, amount }),
            refunds: order.refunds,
            aim: Aim::Payment {
                payer: order.from.as_ref().unwrap_or(&order.payer).clone(),
                payee: order.payee.clone(),
                intent: order.intent,
            },
            expires_ms,
            memo: Blob(encode(&Memo {
                order: order.id,
                request: order.request,
                share: None,
                tip: order.tip,
                by: order.from.as_ref().map(|_| order.payer.clone()),
            })),
        };
        match link::send(self, peer, debit, prepare, now)? {
            // One that is known by a thaw alone has taken nothing from anybody here: it is not sent a second time.
            Sent::Asked(state) if self.entry(id)?.is_none() => {
                let error = match state {
                    State::Rejected(reason) => WalletError::Link(LinkTrouble::Payment(reason)),
                    _ => WalletError::AlreadyPaid,
                };
                return Err(error.into());
            }
            Sent::Asked(_) => {}
            Sent::Refused { reason: Reason::Blocked, refusal } => {
                return Err(Stop::Kept(WalletError::Refused(refusal)));
            }
            Sent::Refused { reason, .. } => return Err(refused(reason)),
        }
        let entry = self.entry(id)?.ok_or(Fault::Internal("a hold without its entry"))?;
        if let Some(request) = order.request {
            let sum = (order.asset, order.amount);
            mark_paid(self, &order.payer.name, request, sum, (entry.number, id));
        }
        self.bill_sent(order)?;
        Ok(entry)
    }

    /// Until when a payment that is sent now to somebody of another node may be taken there.
    pub(super) fn end_over(&self, peer: &NodeName) -> Result<Millis, Stop> {
        let known = self.link(peer)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        // The clock of the other node may be behind.
        Ok(self.now.saturating_add(ACCEPT_MS.min(known.terms.lifetime_ms_max / 2)))
    }

    /// The other node did not take a payment: it does not count for the day, and a share of a packet is its giver's.
    pub(super) fn came_back(&mut self, payment: &Payment) -> Result<(), Stop> {
        self.end_fee_over(payment.id, false)?;
        if let Some(entry) = self.entry(payment.id)? {
            self.uncount(&entry)?;
        }
        match payment.prepare.as_ref().and_then(Memo::of) {
            Some(Memo { share: Some(share), .. }) => self.share_returned(share),
            _ => Ok(()),
        }
    }

    /// A receipt of a payment to another node says where it stands there, as far as is known.
    pub(super) fn as_known(&self, receipt: Receipt) -> Result<Receipt, Stop> {
        let Some(payee) = receipt.payee.address() else { return Ok(receipt) };
        let payment = self.payment(&payee.node, Way::Out, receipt.transfer)?;
        let Some(remote) = payment.as_ref().and_then(Remote::of) else { return Ok(receipt) };
        let fee = if is_back(remote.state) { 0 } else { receipt.fee };
        Ok(Receipt { state: remote.state, until_ms: remote.until_ms, fee, ..receipt })
    }

    /// Somebody here was paid: a sale, an invoice, or what they have asked for.
    pub(super) fn note_paid(&mut self, peer: &NodeName, id: TransferId) -> Result<(), Stop> {
        let Some(payment) = self.payment(peer, Way::In, id)? else { return Ok(()) };
        match payment.prepare.as_ref().map(|prepare| (prepare, &prepare.aim)) {
            Some((prepare, Aim::Payment { payer, payee: Payee::Merchant(payee), .. })) => {
                let bought = Bought::over(prepare, payer).ok_or(Fault::Internal("a memo that is gone"))?;
                return self.sale_paid(&bought, payee);
            }
            Some((_, Aim::Payment { payee: Payee::Invoice(payee), .. })) => {
                return self.invoice_paid(id, payee);
            }
            _ => {}
        }
        if let Some(Remote { payee, sum, request: Some(request), .. }) = Remote::of(&payment) {
            let number = self.newest()?;
            mark_paid(self, &payee.name, request, (sum.asset, sum.amount), (number, id));
        }
        Ok(())
    }
}

/// It is written down that a payment over a link is not made, and this is why.
pub(super) fn refused(reason: Reason) -> Stop {
    Stop::Kept(WalletError::Link(LinkTrouble::Payment(reason)))
}

/// What was agreed to was either taken, or has come back because it cannot be any more.
pub(super) fn taken(decided: link::Decided) -> Result<(), Stop> {
    match decided.state {
        State::Rejected(reason) => Err(refused(reason)),
        _ => Ok(()),
    }
}

/// Whether people here have the money of a payment, or have it again. By a thaw alone nobody has it as yet, or keeps it.
fn state_of(payment: &Payment) -> TransferState {
    match payment.state {
        State::Waiting => TransferState::Held,
        State::Fulfilled if payment.thawed && payment.legs.is_empty() => TransferState::Returned,
        State::Fulfilled => TransferState::Done,
        State::Rejected(_) if !payment.undone.is_empty() => TransferState::Done,
        State::Rejected(Reason::Expired) => TransferState::Expired,
        State::Rejected(_) => TransferState::Returned,
    }
}

/// What became of one movement of a payment here.
pub(super) fn state_by(payment: &Payment, transfer: TransferId) -> TransferState {
    let is_undone = payment.undone.iter().any(|leg| leg.transfer == transfer);
    match (payment.state, is_undone) {
        (State::Waiting, _) => TransferState::Held,
        (State::Fulfilled, false) | (State::Rejected(_), true) => TransferState::Done,
        (State::Rejected(Reason::Expired), false) => TransferState::Expired,
        (State::Fulfilled, true) | (State::Rejected(_), false) => TransferState::Returned,
    }
}

/// What a payer hears of why a payment has come back.
pub(super) fn rejection(state: State) -> Option<Rejection> {
    let State::Rejected(reason) = state else { return None };
    Some(match reason {
        Reason::Declined => Rejection::Declined,
        Reason::Expired => Rejection::Expired,
        Reason::Closed => Rejection::Closed,
        Reason::Paid => Rejection::Paid,
        Reason::Over => Rejection::Over,
        Reason::Asked => Rejection::Asked,
        Reason::Rate => Rejection::Rate,
        Reason::Guarded => Rejection::Guarded,
        _ => Rejection::Other,
    })
}

/// Whether the payer has it again.
fn is_back(state: TransferState) -> bool {
    matches!(state, TransferState::Returned | TransferState::Expired)
}

/// What statements call a payment over a link.
pub(super) fn purpose(remote: &Remote) -> &'static str {
    match remote.intent {
        _ if remote.refunds.is_some() => weft_ledger::Purpose::Refund.code(),
        _ if remote.packet.is_some() => weft_ledger::Purpose::PacketClaim.code(),
        Intent::Payment => "payment",
        _ => "transfer",
    }
}
