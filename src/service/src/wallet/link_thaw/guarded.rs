//! Whether a thaw brings in what does not come into the world by one person's word (decision 0018). As with exchanges nobody is there
//! to approve it, and a peer that says what its operator likes costs nothing: so it is refused.

use super::super::{
    LinkTrouble, Result, Wallet, WalletError,
    link_books::payment_key,
    sheet::{Place, Sheet, Stop},
};
use weft_ledger::{
    Books, format_amount,
    link::{Aim, LinkBooks, Payment, Prepare, State, Thaw, Way},
};
use weft_store::tables;
use weft_wire::{AssetId, NodeName};

impl Wallet {
    /// How much of what, if a thaw brings such money in.
    pub(super) async fn thaw_guarded(&self, peer: &NodeName, thaw: &Thaw) -> Result<Option<String>> {
        let (rows, of, thaw) = (payments(&self.ctx.node, peer, thaw), peer.clone(), thaw.clone());
        self.teller.run_with(rows, move |sheet: &mut Sheet<'_>| sheet.thaw_guarded(&of, &thaw)).await
    }
}

/// The rows that it takes to know.
pub(super) fn payments(own: &NodeName, peer: &NodeName, thaw: &Thaw) -> Vec<Place> {
    let done = thaw.verdicts.iter().filter(|verdict| verdict.done);
    let key = |payer: &NodeName, id| payment_key(peer, if payer == own { Way::Out } else { Way::In }, id);
    done.map(|verdict| (tables::LINK_PAYMENTS, key(&verdict.payer, verdict.payment))).collect()
}

impl Sheet<'_> {
    /// Refuses a thaw that brings such money in.
    pub(super) fn guard_thaw(&self, peer: &NodeName, thaw: &Thaw) -> Result<(), Stop> {
        match self.thaw_guarded(peer, thaw)? {
            Some(sum) => Err(WalletError::Link(LinkTrouble::Guarded(sum)).into()),
            None => Ok(()),
        }
    }

    fn thaw_guarded(&self, peer: &NodeName, thaw: &Thaw) -> Result<Option<String>, Stop> {
        let link = self.link(peer)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let is_guarded = |asset| Ok::<_, Stop>(link.is_issuer(asset) && self.guarded(asset)?.threshold > 0);
        let mut waiting = None;
        for (asset, owed) in thaw.owed.iter().copied() {
            if !is_guarded(asset)? {
                continue;
            }
            if waiting.is_none() {
                waiting = Some(self.done_of_waiting(&link.own, peer, thaw)?);
            }
            let account = self.account(link.account(asset))?;
            let booked = account.map_or(0, |account| account.balances.net());
            let waiting = waiting.iter().flatten();
            let (moved, given) = waiting.fold((0, 0), |(moved, given), (way, prepare)| {
                let (more, gives) = moves(*way, prepare, asset);
                (moved + more, given + gives)
            });
            // What goes over the node's own position, and what is exchanged out of it.
            let brings = (i128::from(owed) - booked - moved).max(0) + given;
            if brings > 0 {
                let asset = link.terms.covered(asset).map(|covered| covered.asset.clone());
                return Ok(asset.map(|asset| format!("{} {asset}", format_amount(brings, asset.scale))));
            }
        }
        Ok(None)
    }

    /// What waits and has happened, as the thaw says.
    fn done_of_waiting(
        &self,
        own: &NodeName,
        peer: &NodeName,
        thaw: &Thaw,
    ) -> Result<Vec<(Way, Prepare)>, Stop> {
        let mut waiting = Vec::new();
        for verdict in thaw.verdicts.iter().filter(|verdict| verdict.done) {
            let way = if verdict.payer == *own { Way::Out } else { Way::In };
            let known = self.payment(peer, way, verdict.payment)?;
            if let Some(Payment { state: State::Waiting, prepare: Some(prepare), .. }) = known {
                waiting.push((way, prepare));
            }
        }
        Ok(waiting)
    }
}

/// By how much more of an asset of this node is owed by a payment, and how much is given out of the node's position for it.
fn moves(way: Way, prepare: &Prepare, asset: AssetId) -> (i128, i128) {
    let sum = |sum: weft_ledger::link::Sum| if sum.asset == asset { i128::from(sum.amount) } else { 0 };
    let (give, get) = (sum(prepare.give), prepare.get.map_or(0, sum));
    match (&prepare.aim, way) {
        (Aim::Settlement, _) => (-give - get, 0),
        (Aim::Payment { .. }, Way::Out) => (give, 0),
        (Aim::Payment { .. }, Way::In) => (-give, get),
    }
}
