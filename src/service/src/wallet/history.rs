//! What a member sees of their accounts.

use super::{
    Result, Wallet, WalletError,
    receipts::{paid_prefix, state},
    records::{
        AccountRecord, EntryRecord, EscrowRecord, MerchantRecord, OrderKeyRecord, OrderRecord, Owner,
        OwnerRecord, StandingRecord,
    },
    remote::{Remote, purpose, state_by},
};
use crate::{Caller, Fault, context::joined};
use weft_ledger::{Account, Entry, Freeze, Movement, Purpose, Standing, link::Way};
use weft_store::{Row, Scan, tables};
use weft_wire::{
    AccountId, AssetId, NodeName, RequestId, TransferId, UserAddress,
    limits::PAGE_MAX,
    wallet::{AccountList, AccountView, History, HistoryLine, RequestPayments, ShopName, TransferInfo},
};

impl Wallet {
    /// `GET wallet/accounts`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn accounts(&self, caller: &Caller) -> Result<AccountList> {
        let mut accounts = Vec::new();
        for asset in self.assets_of(caller.name()).await? {
            accounts.push(self.view(super::accounts::personal(caller.name(), asset)).await?);
        }
        let key: Option<OrderKeyRecord> =
            self.ctx.read(tables::ORDER_KEYS, joined(caller.name().as_str(), caller.device().0)).await?;
        Ok(AccountList { accounts, counter: key.map_or(0, |key| key.counter) })
    }

    /// `GET wallet/history?account=ID&before=NUMBER`: the newest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an account that is not the caller's.
    pub async fn history(&self, caller: &Caller, account: AccountId, before: Option<u64>) -> Result<History> {
        self.own_account(caller, account).await?;
        let mut lines = Vec::new();
        let mut scan = Scan::prefix(account.0).reverse();
        if let Some(before) = before {
            scan = scan.after([account.0.as_slice(), &before.to_be_bytes()].concat());
        }
        loop {
            let rows = self.ctx.store.scan(tables::LEDGER_HISTORY, scan.clone()).await?;
            let Some(last) = rows.last() else { return Ok(History { lines, more: false }) };
            scan = scan.after(&last.key);
            for row in rows {
                let Some(line) = self.line(account, &row).await? else { continue };
                // A payment and its fee are one event, and one is asked for what comes after an event.
                let is_same = lines.last().is_some_and(|last: &HistoryLine| last.place() == line.place());
                if lines.len() >= PAGE_MAX && !is_same {
                    return Ok(History { lines, more: true });
                }
                lines.push(line);
            }
        }
    }

    /// Whose account it is, if it is the caller's, or of a shop that they lead.
    pub(super) async fn own_account(&self, caller: &Caller, account: AccountId) -> Result<Party> {
        let party = self.party(account).await?.ok_or(WalletError::NotFound("account"))?;
        let is_theirs = match &party.shop {
            Some(shop) => shop.is_led_by(caller.user()),
            None => party.user == *caller.user(),
        };
        if is_theirs { Ok(party) } else { Err(WalletError::NotFound("account")) }
    }

    pub(super) async fn view(&self, id: AccountId) -> Result<AccountView> {
        let record: Option<AccountRecord> = self.ctx.read(tables::LEDGER_ACCOUNTS, id.0).await?;
        let AccountRecord(account) = record.ok_or(Fault::Internal("a wallet without its account"))?;
        let Account { asset, freeze, balances, .. } = &account;
        let asset = self.info(self.asset(*asset).await?).await?;
        Ok(AccountView {
            id,
            asset,
            balance: shown(balances.net().max(0).unsigned_abs()),
            available: shown(account.available()),
            incoming: shown(balances.credits_pending),
            outgoing: shown(balances.debits_pending),
            frozen: *freeze != Freeze::None,
        })
    }

    /// `GET wallet/transfers/ID`: a transfer between people, also of two nodes, for one of the two.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for one that is none of the caller's.
    pub async fn transfer(&self, caller: &Caller, id: TransferId) -> Result<TransferInfo> {
        let none = WalletError::NotFound("transfer");
        let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id.0).await?;
        let Some(EntryRecord(entry)) = entry else {
            let arrived = self.arrived(caller, id).await?;
            return self.remote_info(arrived.ok_or(none)?).await;
        };
        let until_ms = match entry.transfer.movement {
            Movement::Post { .. } | Movement::Void { .. } => return Err(none),
            Movement::Posted { .. } => None,
            Movement::Pending { expires_ms, .. } => expires_ms,
        };
        let Some(moved) = entry.moved else { return Err(none) };
        if entry.transfer.purpose == Purpose::Remote {
            let is_theirs = self.party(moved.debit).await?.is_some_and(|payer| payer.is_for(caller));
            let Some(peer) = self.peer_of(moved.credit).await?.filter(|_| is_theirs) else {
                return Err(none);
            };
            let payment = self.remote(&peer, Way::Out, id).await?;
            return self.remote_info(payment.ok_or(none)?).await;
        }
        let (payer, payee) = (self.party(moved.debit).await?, self.party(moved.credit).await?);
        let (Some(payer), Some(payee)) = (payer, payee) else { return Err(none) };
        if !payer.is_for(caller) && !payee.is_for(caller) {
            return Err(none);
        }
        let order: Option<OrderRecord> = self.ctx.read(tables::ORDERS, id.0).await?;
        let mut shop = [&payer, &payee].into_iter().find_map(Party::name);
        if let (Some(shop), Some(title)) = (&mut shop, order.as_ref().and_then(|kept| kept.title.clone())) {
            shop.title = title;
        }
        let request = order.and_then(|kept| kept.order.peek().ok()).and_then(|order| order.request);
        Ok(TransferInfo {
            id,
            asset: self.asset(payer.asset).await?.asset,
            payer: payer.user,
            payee: payee.user,
            amount: moved.amount,
            refunded: self.refunded(&entry).await?,
            request,
            shop,
            state: state(&entry, self.standing(id).await?),
            at_ms: entry.at_ms,
            until_ms,
            exchange: None,
            rejection: None,
            refunds: match entry.transfer.movement {
                Movement::Posted { refunds, .. } | Movement::Pending { refunds, .. } => refunds,
                _ => None,
            },
        })
    }

    /// `GET wallet/requests/ID?asset=ASSET`: what was paid for it, by the caller or to them, the largest first. `None`: of all assets.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn request(
        &self,
        caller: &Caller,
        request: RequestId,
        asset: Option<AssetId>,
    ) -> Result<RequestPayments> {
        let assets = match asset {
            Some(asset) => vec![asset],
            None => self.assets_of(caller.name()).await?,
        };
        let most = (PAGE_MAX / assets.len().max(1)).max(1);
        let mut prefixes: Vec<_> = assets
            .into_iter()
            .map(|asset| (tables::REQUESTS_SUMS, paid_prefix(caller.name(), request, asset)))
            .collect();
        // Of before: a request that is older than this order.
        prefixes.push((tables::REQUESTS_PAID, joined(caller.name().as_str(), request.0)));
        let mut payments = Vec::new();
        for (table, prefix) in prefixes {
            for row in self.ctx.store.scan(table, Scan::prefix(prefix).limit(most)).await? {
                let id = row.key.last_chunk().copied().map(TransferId);
                let id = id.ok_or(Fault::Internal("a payment's key without a transfer"))?;
                payments.push(self.transfer(caller, id).await?);
            }
        }
        payments.truncate(PAGE_MAX);
        Ok(RequestPayments { payments })
    }

    /// A line of a history. That a transfer which waited was accepted or returned is part of its own line, and one that was accepted
    /// stands where the money went over: whoever reads back to a time has then read all that counts since.
    async fn line(&self, account: AccountId, row: &Row) -> Result<Option<HistoryLine>> {
        let id = row.key.last_chunk::<16>().map(|id| TransferId(*id));
        let id = id.ok_or(Fault::Internal("a history's key without a transfer"))?;
        let entry: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, id.0).await?;
        let EntryRecord(entry) = entry.ok_or(Fault::Internal("a history without its transfer"))?;
        match entry.transfer.movement {
            Movement::Void { .. } => Ok(None),
            Movement::Posted { .. } => self.line_of(account, entry, None).await,
            Movement::Post { pending, .. } => {
                let held: Option<EntryRecord> = self.ctx.read(tables::LEDGER_ENTRIES, pending.0).await?;
                let EntryRecord(held) = held.ok_or(Fault::Internal("an answer without what waited"))?;
                self.line_of(account, held, Some(&entry)).await
            }
            Movement::Pending { .. } => {
                let standing = self.standing(id).await?;
                let end = standing.and_then(|standing| standing.resolution);
                if end.is_some_and(|end| end.posted > 0) {
                    return Ok(None);
                }
                self.line_of(account, entry, None).await
            }
        }
    }

    /// The line of a transfer; `answer`: by which it went over, if it waited.
    async fn line_of(
        &self,
        account: AccountId,
        entry: Entry,
        answer: Option<&Entry>,
    ) -> Result<Option<HistoryLine>> {
        let id = entry.transfer.id;
        let (until_ms, refunds) = match entry.transfer.movement {
            Movement::Pending { expires_ms, refunds, .. } => (expires_ms, refunds),
            Movement::Posted { refunds, .. } => (None, refunds),
            Movement::Post { .. } | Movement::Void { .. } => return Ok(None),
        };
        let moved = entry.moved.ok_or(Fault::Internal("a history with a refused transfer"))?;
        let credit = moved.credit == account;
        let across = if credit { moved.debit } else { moved.credit };
        if matches!(entry.transfer.purpose, Purpose::Remote | Purpose::Correction)
            && let Some(peer) = self.peer_of(across).await?
            && let Some(line) = self.remote_line(&peer, &entry, answer, (moved.amount, credit)).await?
        {
            return Ok(Some(line));
        }
        let other = match self.party(across).await? {
            None => self.other_of_escrow(across, entry.transfer.purpose).await?,
            other => other,
        };
        let mut shop = other.as_ref().and_then(Party::name).map(|shop| shop.title);
        if shop.is_some() {
            // As it was called then: a title can be changed to that of another shop afterwards.
            let order: Option<OrderRecord> = self.ctx.read(tables::ORDERS, id.0).await?;
            shop = order.and_then(|kept| kept.title).or(shop);
        }
        let packet = match entry.transfer.purpose {
            Purpose::PacketFund => Some(id),
            Purpose::PacketClaim | Purpose::PacketReturn => Some(TransferId(entry.transfer.about)),
            _ => None,
        };
        Ok(Some(HistoryLine {
            number: entry.number,
            transfer: id,
            at_ms: entry.at_ms,
            purpose: entry.transfer.purpose.code().to_owned(),
            credit,
            amount: moved.amount,
            other: other.map(|other| other.user),
            shop,
            packet,
            refunds,
            fee_of: (entry.transfer.purpose == Purpose::Fee && !credit)
                .then_some(TransferId(entry.transfer.about)),
            refunded: self.refunded(&entry).await?,
            state: state(&entry, self.standing(id).await?),
            until_ms,
            settled_ms: answer.map(|answer| answer.at_ms),
            settled_by: answer.map(|answer| answer.number),
            exchange: None,
        }))
    }

    /// A line of a payment to or from another node. It is called by the name that both nodes know. `None`: it is what a thaw has found,
    /// of which nobody knows any more who paid it.
    async fn remote_line(
        &self,
        peer: &NodeName,
        entry: &Entry,
        answer: Option<&Entry>,
        (amount, credit): (u64, bool),
    ) -> Result<Option<HistoryLine>> {
        let (way, id) = (if credit { Way::In } else { Way::Out }, TransferId(entry.transfer.about));
        let none = || Fault::Internal("a transfer between nodes without its payment");
        let payment = self.remote(peer, way, id).await?;
        let known = payment.and_then(|payment| Some((Remote::of(&payment)?, payment)));
        let (remote, payment) = match known {
            Some(known) => known,
            None if entry.transfer.purpose == Purpose::Correction => return Ok(None),
            None => return Err(none().into()),
        };
        let state = state_by(&payment, entry.transfer.id);
        let other = if credit { &remote.payer } else { &remote.payee };
        let shop = self.remote_shop(&payment, &remote).await?.filter(|shop| shop.shop == *other);
        Ok(Some(HistoryLine {
            number: entry.number,
            transfer: id,
            at_ms: entry.at_ms,
            purpose: purpose(&remote).to_owned(),
            credit,
            amount,
            other: Some(other.clone()),
            packet: remote.packet,
            refunds: remote.refunds,
            fee_of: None,
            refunded: self.refunded(entry).await?,
            state,
            until_ms: remote.until_ms,
            settled_ms: answer.map(|answer| answer.at_ms),
            settled_by: answer.map(|answer| answer.number),
            shop: shop.map(|shop| shop.title),
            exchange: self.exchanged(remote.other).await?,
        }))
    }

    pub(super) async fn standing(&self, id: TransferId) -> Result<Option<Standing>> {
        let kept: Option<StandingRecord> = self.ctx.read(tables::LEDGER_STANDINGS, id.0).await?;
        Ok(kept.map(|kept| kept.0))
    }

    /// What of a transfer went back since. One that waited went over by its answer.
    pub(super) async fn refunded(&self, entry: &Entry) -> Result<u64> {
        let by = match entry.transfer.movement {
            Movement::Pending { .. } => TransferId::of_answer(entry.transfer.id),
            _ => entry.transfer.id,
        };
        Ok(self.standing(by).await?.map_or(0, |standing| standing.refunded))
    }

    /// Who stands behind an account of escrow: the seller, and to the seller the buyer.
    async fn other_of_escrow(&self, account: AccountId, purpose: Purpose) -> Result<Option<Party>> {
        let owner: Option<OwnerRecord> = self.ctx.read(tables::OWNERS, account.0).await?;
        let Some(OwnerRecord { owner: Owner::Escrow(id), asset }) = owner else { return Ok(None) };
        let Some(record) = self.ctx.read::<EscrowRecord>(tables::ESCROWS, id.0).await? else {
            return Ok(None);
        };
        if purpose == Purpose::EscrowRelease {
            return Ok(Some(Party { user: record.buyer, asset, shop: None }));
        }
        let shop = if record.of_shop { Some(self.merchant(&record.seller.name).await?) } else { None };
        Ok(Some(Party { user: record.seller, asset, shop }))
    }

    /// Whose account it is, if a person's or a shop's, and of what.
    pub(super) async fn party(&self, account: AccountId) -> Result<Option<Party>> {
        let owner: Option<OwnerRecord> = self.ctx.read(tables::OWNERS, account.0).await?;
        Ok(match owner {
            Some(OwnerRecord { owner: Owner::Person(name), asset }) => {
                Some(Party { user: self.ctx.address(&name), asset, shop: None })
            }
            // A float is its agent's.
            Some(OwnerRecord { owner: Owner::Agent(name), asset }) => {
                Some(Party { user: self.ctx.address(&name), asset, shop: None })
            }
            Some(OwnerRecord { owner: Owner::Merchant(name), asset }) => {
                let shop = Some(self.merchant(&name).await?);
                Some(Party { user: self.ctx.address(&name), asset, shop })
            }
            _ => None,
        })
    }
}

/// Whoever has an account.
pub(super) struct Party {
    pub(super) user: UserAddress,
    pub(super) asset: AssetId,
    /// If it is a shop.
    pub(super) shop: Option<MerchantRecord>,
}

impl Party {
    /// Whether the caller may know of its payments.
    pub(super) fn is_for(&self, caller: &Caller) -> bool {
        match &self.shop {
            Some(shop) => shop.role(caller.user()).is_some(),
            None => self.user == *caller.user(),
        }
    }

    /// How the shop is called, if it is one.
    fn name(&self) -> Option<ShopName> {
        let title = self.shop.as_ref()?.details.title.clone();
        Some(ShopName { shop: self.user.clone(), title })
    }
}

/// A sum as it is told. No account comes near the end of these numbers: it would take all that can be issued, many times over.
fn shown(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
