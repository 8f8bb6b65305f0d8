//! Codes that people show in shops of other nodes: read once or again, in time or too late, for what they allow or a little more.

use super::{Sim, shop};
use crate::Clock;
use rand_chacha::rand_core::RngCore;
use weft_wire::{
    RequestId, Signed, TransferId,
    paycode::PayCode,
    wallet::{BearerPayee, ChargeCode, Intent, Payee, PaymentOrder, PutCode, SaleState, TransferState},
};

/// What a shop has charged, or tried to.
pub(super) struct Charge {
    /// Whose code, and where it was read.
    from: usize,
    to: usize,
    transfer: TransferId,
    wish: ChargeCode,
}

impl Sim {
    pub(super) async fn charge(&mut self) {
        let known = self.charges.len() as u64;
        let nth = match self.dice(3) {
            0 if known > 0 => self.dice(known) as usize,
            _ => self.show().await,
        };
        let Charge { to, ref wish, .. } = self.charges[nth];
        let wish = wish.clone();
        let (flows, caller) = (self.worlds[to].service.flows(), self.people[to].device.caller());
        let _ = flows.charge(caller, &shop(&self.worlds[to]).name, wish).await;
        self.see_charges().await;
    }

    /// A code is shown, and somebody is about to read it; now and then the one before, for another sale.
    async fn show(&mut self) -> usize {
        let ((from, to), asset, cap) = (self.two(), self.dice(2) as usize, self.dice(900) + 1);
        let amount = self.dice(cap + cap / 10 + 1) + 1;
        let mut id = [98; 16];
        id[0] = self.charges.len() as u8;
        let mut transfer = None;
        let mut code = PayCode::new(self.worlds[from].name.clone(), id).unwrap();
        match self.charges.last() {
            Some(last) if last.from == from && self.rng.next_u64().is_multiple_of(3) => {
                code = last.wish.code.parse().unwrap();
                transfer = Some(last.transfer);
            }
            _ => {}
        }
        if transfer.is_none() {
            let (payee, asset) = (self.people[to].user().clone(), self.assets[asset]);
            let order = self.people[from].order(&self.worlds[from], &payee, asset, cap, Intent::Payment);
            let expires_ms = self.worlds[from].clock.now_ms() + 60_000;
            let payee = Payee::Bearer(BearerPayee::of(&code));
            let order = self.allow_code(from, PaymentOrder { payee, expires_ms, ..order });
            transfer = Some(order.transfer());
            let payer = &self.people[from];
            let order = Signed::sign(&order, &payer.key);
            let wallet = self.worlds[from].service.wallet();
            let _ = wallet.put_code(payer.device.caller(), PutCode { order }).await;
        }
        let (id, asset, bill) = (RequestId(id), self.assets[asset], String::new());
        let (code, transfer) = (code.to_string(), transfer.unwrap());
        self.charges.push(Charge { from, to, transfer, wish: ChargeCode { id, code, asset, amount, bill } });
        self.charges.len() - 1
    }

    /// What has become a payment is one like the others.
    pub(super) async fn see_charges(&mut self) {
        for at in 0..self.charges.len() {
            let Charge { from, transfer, .. } = self.charges[at];
            let is_known = self.sent.iter().any(|sent| sent.2 == transfer);
            if is_known || self.state(from, transfer).await.is_none() {
                continue;
            }
            // Of two shops that have read one code, it went to one.
            let wallet = self.worlds[from].service.wallet();
            let info = wallet.transfer(self.people[from].device.caller(), transfer).await.unwrap();
            let to = self.worlds.iter().position(|world| world.name == info.payee.node).unwrap();
            self.note_charged(from, transfer, info.asset.id(), info.amount);
            self.sent.push((from, to, transfer));
        }
    }

    /// Each charge is paid or is not, by both nodes alike, and each code was used once. Gives how many are paid.
    pub(super) async fn charges_are_decided(&self) -> usize {
        let mut paid = Vec::new();
        for Charge { from, to, transfer, wish } in &self.charges {
            let (wallet, caller) = (self.worlds[*to].service.wallet(), self.people[*to].device.caller());
            // It was not begun.
            let Ok(sale) = wallet.sale(caller, &shop(&self.worlds[*to]).name, wish.id).await else {
                continue;
            };
            assert_ne!(sale.state, SaleState::Open, "{:?}", wish.id);
            let Some(by) = sale.paid else { continue };
            assert_eq!((by.transfer, sale.amount), (*transfer, wish.amount));
            assert_eq!(self.state(*from, *transfer).await, Some(TransferState::Done), "{transfer}");
            paid.push(*transfer);
        }
        let count = paid.len();
        paid.sort_unstable();
        paid.dedup();
        assert_eq!(paid.len(), count, "a code was used twice");
        let done = self.charges.iter().filter(|charge| !paid.contains(&charge.transfer));
        for Charge { from, transfer, .. } in done {
            assert_ne!(
                self.state(*from, *transfer).await,
                Some(TransferState::Done),
                "{transfer}: for no sale"
            );
        }
        count
    }
}
