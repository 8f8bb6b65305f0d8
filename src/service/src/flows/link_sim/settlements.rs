//! What operators settle and set off: proposed twice, too much, or decided by somebody who has not heard of it.

use super::Sim;
use weft_wire::{
    TransferId,
    links::{DecideSettlement, ProposeSettlement},
};

impl Sim {
    /// An operator says that something was paid elsewhere, or is set off.
    pub(super) async fn propose(&mut self) {
        let (from, nth) = (self.dice(2) as usize, self.proposed.len());
        let to = (from + 1 + self.dice(2) as usize) % 3;
        let code = ["EUR", "POINTS"][from];
        let against = ["EUR", "POINTS"].get(to).filter(|_| self.dice(2) == 0);
        let rows = self.worlds[from].service.wallet().links().await.unwrap();
        let rows = rows.iter().filter(|row| row.peer == self.worlds[to].name).flat_map(|row| &row.owed);
        let mut most = [0, 0];
        for owed in rows {
            most[usize::from(owed.vostro)] = weft_ledger::parse_amount(&owed.owed, 2).unwrap();
        }
        let most = if against.is_some() { most[1].min(most[0] / 2) } else { most[1] };
        // Now and then a little more than is owed.
        let amount = self.dice(most + 50) + 1;
        let amount = format!("{}.{:02}", amount / 100, amount % 100);
        let mut id = [77; 16];
        id[0] = nth as u8;
        let wish = ProposeSettlement {
            id: TransferId(id),
            asset: code.parse().unwrap(),
            amount: amount.clone(),
            against: against.map(|code| code.parse().unwrap()),
            note: "RF18".into(),
        };
        let again = self.dice(4) == 0;
        let (wallet, peer) = (self.worlds[from].service.wallet(), &self.worlds[to].name);
        for _ in 0..=usize::from(again) {
            let _ = wallet.propose_settlement(peer, wish.clone()).await;
        }
        // Also one of which only its id was heard, or nothing at all.
        self.proposed.push((to, TransferId(id), amount));
    }

    /// An operator decides what another has proposed, once or twice, now and then with another amount.
    pub(super) async fn decide(&mut self) {
        if self.proposed.is_empty() {
            return;
        }
        let (count, back) = (self.proposed.len(), self.dice(4) as usize);
        let nth = count - 1 - back.min(count - 1);
        let (to, id, amount) = self.proposed[nth].clone();
        let amount = if self.dice(8) == 0 { "0.01".to_owned() } else { amount };
        let wish = DecideSettlement { accept: self.dice(4) > 0, amount };
        for peer in self.worlds.iter().filter(|world| world.name != self.worlds[to].name) {
            let wallet = self.worlds[to].service.wallet();
            let _ = wallet.decide_settlement(&peer.name, id, wish.clone()).await;
        }
    }
}
