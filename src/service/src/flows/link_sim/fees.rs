//! What the nodes take for what goes to others: held while it is under way, earned once it is there, and back with what comes back.

use super::Sim;
use weft_wire::{
    AssetId, TransferId,
    wallet::{Fee, FeeKind, PaymentOrder, SetFee, TransferState, fee_due},
};

/// What each node takes of what it issues.
const FEES: [Fee; 2] = [
    Fee { kind: FeeKind::Remote, fixed: 7, points: 200, least: 0, most: 20 },
    Fee { kind: FeeKind::Remote, fixed: 0, points: 150, least: 3, most: 0 },
];

/// The fee of a payment that was asked for.
pub(super) struct Asked {
    payment: TransferId,
    /// Whose people pay, and what.
    from: usize,
    asset: usize,
    due: u64,
}

impl Sim {
    pub(super) async fn set_fee(&self, at: usize) {
        let wish = SetFee { asset: self.assets[at], fee: FEES[at] };
        self.worlds[at].service.wallet().set_fee(wish).await.unwrap();
    }

    /// The order allows what is due, and now and then a cent less than that.
    pub(super) fn allow(&mut self, from: usize, order: PaymentOrder) -> PaymentOrder {
        let asset = self.assets.iter().position(|asset| *asset == order.asset).unwrap();
        // A node takes nothing of what others issue.
        let due = match order.fee_kind() {
            Some(kind) if asset == from => fee_due(&FEES[asset..=asset], kind, order.amount),
            _ => 0,
        };
        self.asked.push(Asked { payment: order.transfer(), from, asset, due });
        let is_poor = self.asked.len().is_multiple_of(10);
        PaymentOrder { max_fee: due.saturating_sub(u64::from(is_poor)), ..order }
    }

    /// The order of a code allows what is due for it at another node, and now and then a cent less.
    pub(super) fn allow_code(&mut self, from: usize, order: PaymentOrder) -> PaymentOrder {
        let due = self.due_over(from, order.asset, order.amount);
        let is_poor = self.dice(10) == 0;
        PaymentOrder { max_fee: due.saturating_sub(u64::from(is_poor)), ..order }
    }

    /// So much was charged by a code.
    pub(super) fn note_charged(&mut self, from: usize, payment: TransferId, asset: AssetId, amount: u64) {
        let due = self.due_over(from, asset, amount);
        let asset = self.assets.iter().position(|known| *known == asset).unwrap();
        self.asked.push(Asked { payment, from, asset, due });
    }

    fn due_over(&self, from: usize, asset: AssetId, amount: u64) -> u64 {
        let is_own = self.assets.get(from) == Some(&asset);
        if is_own { fee_due(&FEES[from..=from], FeeKind::Remote, amount) } else { 0 }
    }

    /// Nothing is held any more, and what was earned is what the payments owe that have gone over. Adds it to what people have.
    pub(super) async fn count_fees(&self, sums: &mut [i128; 2]) -> u64 {
        let mut earned = [0; 2];
        for at in 0..2 {
            let account = self.worlds[at].service.wallet().fees_earned(self.assets[at]).await.unwrap();
            assert_eq!((account.incoming, account.outgoing), (0, 0), "a fee is held for nothing");
            earned[at] = account.available;
            sums[at] += i128::from(account.available);
        }
        let mut owed = [0; 2];
        for asked in &self.asked {
            if self.state(asked.from, asked.payment).await == Some(TransferState::Done) {
                owed[asked.asset] += asked.due;
            }
        }
        assert_eq!(earned, owed, "what was taken, and what was due");
        earned.iter().sum()
    }
}
