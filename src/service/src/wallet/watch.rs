//! Who wants to hear of a person's money.

use super::{
    Result, Wallet,
    accounts::{agent, merchant, personal},
    guard::GUARD,
};
use crate::{Fault, context::joined};
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use tokio::time::Instant;
use weft_store::{Scan, Watch, tables};
use weft_wire::{AccountId, AssetId, UserName, limits::PAGE_MAX};

/// What changed is told at once, and then not again for so long: a busy till has many payments in a second.
const GATHER: Duration = Duration::from_millis(100);

/// The store's watches of one person's accounts, and of those of the shops where they work.
pub(crate) struct WalletWatch {
    /// That there is one more: of whom, or a further shop, or an invoice, escrow or mandate.
    opened: Vec<(Option<UserName>, Watch)>,
    accounts: Vec<(AccountId, Watch)>,
    /// Not before.
    from: Instant,
}

impl WalletWatch {
    /// Resolves once something changed. Cancelling it loses nothing.
    pub async fn changed(&mut self) {
        tokio::time::sleep_until(self.from).await;
        let WalletWatch { opened, accounts, from } = self;
        let opened = opened.iter_mut().map(|(_, watch)| watch);
        let watches = opened.chain(accounts.iter_mut().map(|(_, watch)| watch));
        let mut changes: Vec<_> = watches.map(|watch| Box::pin(watch.changed())).collect();
        let mut any = pin!(poll_fn(move |context| {
            match changes.iter_mut().any(|change| change.as_mut().poll(context).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        any.as_mut().await;
        *from = Instant::now() + GATHER;
    }
}

impl Wallet {
    /// From now on each change of a person's accounts is noticed.
    pub(crate) async fn watch(&self, name: &UserName) -> Result<WalletWatch, Fault> {
        let shops = self.ctx.store.watch(tables::MERCHANTS_OF, joined(name.as_str(), []));
        let invoices = self.ctx.store.watch(tables::INVOICES_LIST, joined(name.as_str(), []));
        let escrows = self.ctx.store.watch(tables::ESCROWS_LIST, joined(name.as_str(), []));
        let mandates = self.ctx.store.watch(tables::MANDATES_LIST, joined(name.as_str(), []));
        let guard = self.ctx.store.watch(tables::GUARD, GUARD);
        let opened = vec![(None, shops), (None, invoices), (None, escrows), (None, mandates), (None, guard)];
        let mut watch = WalletWatch { opened, accounts: Vec::new(), from: Instant::now() };
        self.look_again(name, &mut watch).await?;
        Ok(watch)
    }

    /// Watches accounts that were opened since as well.
    pub(crate) async fn look_again(&self, name: &UserName, watch: &mut WalletWatch) -> Result<(), Fault> {
        let shops = self.places(name).await?;
        for (of, is_shop) in std::iter::once((name, false)).chain(shops.iter().map(|shop| (shop, true))) {
            if watch.opened.iter().all(|(known, _)| known.as_ref() != Some(of)) {
                let opened = self.ctx.store.watch(tables::WALLETS, joined(of.as_str(), []));
                watch.opened.push((Some(of.clone()), opened));
                if is_shop {
                    let escrows = self.ctx.store.watch(tables::ESCROWS_LIST, joined(of.as_str(), []));
                    watch.opened.push((None, escrows));
                    let mandates = self.ctx.store.watch(tables::MANDATES_LIST, joined(of.as_str(), []));
                    watch.opened.push((None, mandates));
                }
            }
            for asset in self.assets_of(of).await? {
                let own = if is_shop { merchant(of, asset) } else { personal(of, asset) };
                let float = (!is_shop).then(|| agent(of, asset));
                for id in std::iter::once(own).chain(float) {
                    if watch.accounts.iter().all(|(known, _)| *known != id) {
                        watch.accounts.push((id, self.ctx.store.watch(tables::LEDGER_ACCOUNTS, id.0)));
                    }
                }
            }
        }
        Ok(())
    }

    /// In which assets a person or a shop has an account.
    pub(super) async fn assets_of(&self, name: &UserName) -> Result<Vec<AssetId>, Fault> {
        let prefix = joined(name.as_str(), []);
        let rows = self.ctx.store.scan(tables::WALLETS, Scan::prefix(&prefix).limit(PAGE_MAX)).await?;
        let asset = |key: &[u8]| key.get(prefix.len()..).and_then(|id| AssetId::from_slice(id).ok());
        let none = Fault::Internal("an account's key without an asset");
        rows.iter().map(|row| asset(&row.key).ok_or(none.clone())).collect()
    }
}
