//! Invoices for people of other nodes: read there or not, paid once or again, by two devices at once, taken back while a payment is under
//! way, and given back in part.

use super::{HOUR_MS, SECOND, Sim, shop};
use crate::{Clock, wallet::InvoiceBox};
use futures::future::join_all;
use weft_wire::{
    RequestId, Signed, TransferId, UserAddress,
    wallet::{
        Exchange, Intent, InvoiceInfo, InvoiceLine, InvoicePayee, InvoiceState, Payee, PaymentOrder,
        SendInvoice, SubmitOrder, TransferState,
    },
};

/// What somebody is to pay whose node is another one.
pub(super) struct Bill {
    /// Where it was made out, and where it is to be paid.
    at: usize,
    to: usize,
    issuer: UserAddress,
    wish: SendInvoice,
    /// What was signed for it, whether their node has taken it or not.
    orders: Vec<Order>,
    /// Its node has said that it is taken back.
    cancelled: bool,
}

/// What one of the payer's devices has signed for an invoice.
#[derive(Clone)]
struct Order {
    device: usize,
    id: TransferId,
    signed: Signed<PaymentOrder>,
    /// It is what the invoice asks for, or the least of something else that comes to it.
    fits: bool,
}

impl Sim {
    pub(super) async fn bill(&mut self) {
        let known = self.bills.len();
        let nth = match self.dice(3) {
            // One of the last ones, which may be about to be paid.
            0 | 1 if known > 0 => known - 1 - self.dice(known.min(3) as u64) as usize,
            _ => self.make_out().await,
        };
        match self.dice(9) {
            0 => self.take_back(nth).await,
            1 | 2 => self.give_back_of_bill(nth).await,
            3 => {
                let again = self.bills[nth].orders.last().cloned();
                self.pay_bill(nth, again.into_iter().collect()).await;
            }
            4 => {
                let orders = vec![self.bill_order(nth, 0), self.bill_order(nth, 1)];
                self.pay_bill(nth, orders).await;
            }
            _ => {
                self.read_bill(nth).await;
                let device = self.dice(2) as usize;
                let order = self.bill_order(nth, device);
                self.pay_bill(nth, vec![order]).await;
            }
        }
    }

    /// Somebody, or their shop, asks somebody of another node for money, once or twice with the same.
    async fn make_out(&mut self) -> usize {
        let ((at, to), any, total) = (self.two(), self.dice(2) as usize, self.dice(900) + 1);
        // What the payer has most of, what is got for that, or whatever.
        let asset = [to, at, any][self.dice(3) as usize] % 2;
        let of_shop = self.dice(2) == 0;
        let issuer = if of_shop { shop(&self.worlds[at]) } else { self.people[at].user().clone() };
        let mut id = [97; 16];
        id[0] = self.bills.len() as u8;
        let line = InvoiceLine { text: "tea".into(), quantity: 1_000, unit_price: total, tax_rate: None };
        let wish = SendInvoice {
            id: RequestId(id),
            shop: of_shop.then(|| issuer.clone()),
            to: self.people[to].user().clone(),
            asset: self.assets[asset],
            lines: vec![line],
            total,
            due_ms: self.worlds[at].clock.now_ms() + (self.dice(48) + 1) * HOUR_MS,
            note: String::new(),
        };
        for _ in 0..=self.dice(2) {
            let (flows, caller) = (self.worlds[at].service.flows(), self.people[at].device.caller());
            // Without terms for it there is none.
            let _ = flows.send_invoice(caller, wish.clone()).await;
        }
        self.bills.push(Bill { at, to, issuer, wish, orders: Vec::new(), cancelled: false });
        self.bills.len() - 1
    }

    async fn read_bill(&mut self, nth: usize) {
        let is_list = self.dice(3) == 0;
        let Bill { to, issuer, wish, .. } = &self.bills[nth];
        let (flows, caller) = (self.worlds[*to].service.flows(), self.people[*to].device.caller());
        if is_list {
            let _ = flows.invoices(caller, InvoiceBox { shop: None, sent: false, before: None }).await;
        }
        let _ = flows.invoice(caller, &issuer.name, wish.id, Some(&issuer.node)).await;
    }

    /// One of the payer's devices signs that it is paid: as it is, at a rate, and now and then for a little more.
    fn bill_order(&mut self, nth: usize, device: usize) -> Order {
        let (is_at_rate, more) = (self.dice(2) == 0, if self.dice(8) == 0 { self.dice(4) } else { 0 });
        let Bill { at, to, issuer, wish, .. } = &self.bills[nth];
        let (at, to, total, asset) = (*at, *to, wish.total, wish.asset);
        let payee = Payee::Invoice(InvoicePayee { issuer: issuer.clone(), invoice: wish.id });
        let payer = &mut self.people[to + device * SECOND];
        let order = payer.order(&self.worlds[to], issuer, asset, total, Intent::Payment);
        let mut id = order.id;
        // The two devices draw their ids by themselves.
        id.0[1] ^= device as u8;
        let (mut order, mut fits) = (PaymentOrder { id, payee, amount: total + more, ..order }, more == 0);
        if is_at_rate && at + to == 1 && asset == self.assets[at] {
            // The least for which there is enough.
            let (give, get) = if at == 1 { (2, 3) } else { (500, 333) };
            let least = |total: u64| (total * give).div_ceil(get);
            let amount = least(order.amount);
            fits = amount == least(total);
            order.exchange = Some(Exchange { asset, amount: amount * get / give });
            (order.asset, order.amount) = (self.assets[to], amount);
        }
        let order = self.allow(to, order);
        let signed = Signed::sign(&order, &self.people[to + device * SECOND].key);
        Order { device, id: order.transfer(), signed, fits }
    }

    /// The payer's devices send what they have signed, at once. What their node has as paid, it sends no money for.
    async fn pay_bill(&mut self, nth: usize, orders: Vec<Order>) {
        let Bill { at, to, .. } = self.bills[nth];
        let was_paid = !self.payments_of(nth, to).await.is_empty();
        let flows = self.worlds[to].service.flows();
        let told = orders.iter().map(|order| {
            let caller = self.people[to + order.device * SECOND].device.caller();
            flows.pay(caller, SubmitOrder { order: order.signed.clone() })
        });
        let told = join_all(told).await;
        for (order, told) in orders.into_iter().zip(told) {
            let id = order.id;
            let is_new = !self.sent.iter().any(|sent| sent.2 == id);
            if told.is_ok() && is_new {
                assert!(!was_paid, "{id}: it was paid already");
                self.sent.push((to, at, id));
            }
            let known = &mut self.bills[nth].orders;
            if known.iter().all(|known| known.id != id) {
                known.push(order);
            }
        }
    }

    async fn take_back(&mut self, nth: usize) {
        let Bill { at, ref issuer, ref wish, .. } = self.bills[nth];
        let wallet = self.worlds[at].service.wallet();
        let told = wallet.cancel_invoice(self.people[at].device.caller(), &issuer.name, wish.id).await;
        self.bills[nth].cancelled |= told.is_ok();
    }

    /// What has paid it goes back, or a part of it.
    async fn give_back_of_bill(&mut self, nth: usize) {
        let paid = self.payments_of(nth, self.bills[nth].at).await.pop();
        if let Some(paid) = self.sent.iter().position(|sent| Some(sent.2) == paid) {
            self.give_back(paid).await;
        }
    }

    /// What was ordered for it and has gone over, by the books of a node.
    async fn payments_of(&self, nth: usize, by: usize) -> Vec<TransferId> {
        let mut done = Vec::new();
        for Order { id, .. } in &self.bills[nth].orders {
            if self.state(by, *id).await == Some(TransferState::Done) {
                done.push(*id);
            }
        }
        done
    }

    pub(super) fn is_billed(&self, id: TransferId) -> bool {
        self.bills.iter().flat_map(|bill| &bill.orders).any(|order| order.id == id)
    }

    /// Each invoice is paid by one payment that both nodes have as done, or by none; and both say the same of it. Gives how many are paid.
    pub(super) async fn bills_are_decided(&self) -> usize {
        let mut count = 0;
        for (nth, bill) in self.bills.iter().enumerate() {
            let Bill { at, to, issuer, wish, orders, cancelled } = bill;
            let done = self.payments_of(nth, *to).await;
            assert_eq!(done, self.payments_of(nth, *at).await, "{:?}", wish.id);
            let (wallet, caller) = (self.worlds[*at].service.wallet(), self.people[*at].device.caller());
            let made = wallet.invoice(caller, &issuer.name, wish.id).await;
            let (flows, caller) = (self.worlds[*to].service.flows(), self.people[*to].device.caller());
            let read = flows.invoice(caller, &issuer.name, wish.id, Some(&issuer.node)).await;
            let Ok(made) = made else {
                assert!(read.is_err() && done.is_empty(), "{:?} was not made out", wish.id);
                continue;
            };
            let says =
                |info: &InvoiceInfo| info.paid.map(|paid| (paid.transfer, paid.refunded, paid.at_rate));
            let read = read.unwrap();
            assert_eq!((read.state, says(&read)), (made.state, says(&made)), "{:?}", wish.id);
            let paid: Vec<_> = made.paid.iter().map(|paid| paid.transfer).collect();
            assert_eq!(paid, done, "{:?}: paid by one, or by none", wish.id);
            assert_eq!(made.state == InvoiceState::Paid, !paid.is_empty(), "{:?}", wish.id);
            assert_eq!(made.state == InvoiceState::Cancelled, *cancelled, "{:?}", wish.id);
            let fits = |id: &TransferId| orders.iter().any(|order| order.id == *id && order.fits);
            assert!(paid.iter().all(fits), "{:?}: paid with what it does not ask for", wish.id);
            count += paid.len();
        }
        count
    }
}
