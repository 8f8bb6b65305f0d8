//! What the node issues, and how it comes into the world.

use super::{
    Result, Wallet, WalletError,
    accounts::{issuance, merchant, personal},
    records::{AccountRecord, AssetRecord, FeesRecord, LinkRecord, MerchantRecord, Owner, OwnerRecord},
    sheet::{Sheet, Stop},
};
use crate::{Fault, error::within};
use weft_ledger::{Account, AccountKind, Books, Bounds, Freeze, Movement, Purpose, Transfer};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AssetId, TransferId, UserName,
    limits::{ASSET_BACKING_BYTES_MAX, ASSET_TITLE_BYTES_MAX, ASSETS_MAX},
    text,
    wallet::{
        Asset, AssetInfo, AssetList, ChangeAccount, DefineAsset, LinkedNode, MoneyFor, Proposed, SCALE_MAX,
    },
};

impl Wallet {
    /// `GET wallet/assets`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn assets(&self) -> Result<AssetList> {
        let mut assets = Vec::new();
        for record in self.assets_known().await? {
            assets.push(self.info(record).await?);
        }
        Ok(AssetList { assets, links: self.linked_nodes().await? })
    }

    /// Nodes to whose people money can go now, and which.
    async fn linked_nodes(&self) -> Result<Vec<LinkedNode>> {
        let (mut nodes, mut after) = (Vec::new(), Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::LINKS, Scan::prefix([]).after(&after)).await?;
            let Some(last) = rows.last() else { return Ok(nodes) };
            after.clone_from(&last.key);
            for row in rows {
                let LinkRecord(link) = LinkRecord::from_record(&row.value)?;
                if link.frozen.is_none() {
                    let assets = link.terms.assets.iter().map(|covered| covered.asset.id()).collect();
                    let rates = super::link_rates::of_payers(&link, self.ctx.now());
                    nodes.push(LinkedNode { node: link.peer, assets, rates });
                }
            }
        }
    }

    /// All that people here can have: what this node issues, and what the terms with others bring.
    pub(super) async fn assets_known(&self) -> Result<Vec<AssetRecord>> {
        let (mut known, mut after) = (Vec::new(), Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::ASSETS, Scan::prefix([]).after(&after)).await?;
            let Some(last) = rows.last() else { return Ok(known) };
            after.clone_from(&last.key);
            for row in rows {
                known.push(AssetRecord::from_record(&row.value)?);
            }
        }
    }

    /// The node issues something, or says anew how much of it may be moved. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// [`Fault::Invalid`], [`Fault::TooLarge`], [`Fault::TooMany`].
    pub async fn define(&self, wish: DefineAsset) -> Result<AssetInfo> {
        if wish.scale > SCALE_MAX {
            return Err(Fault::Invalid { field: "scale", why: "at most 12 decimals" }.into());
        }
        within("title", wish.title.len(), ASSET_TITLE_BYTES_MAX)?;
        within("backing", wish.backing.len(), ASSET_BACKING_BYTES_MAX)?;
        let title = text::name(&wish.title);
        if title.trim().is_empty() {
            return Err(Fault::Invalid { field: "title", why: "an asset has a title" }.into());
        }
        let known = self.assets_known().await?.into_iter().map(|record| record.asset);
        let known: Vec<Asset> = known.filter(|other| other.issuer == self.ctx.node).collect();
        let asset = Asset { issuer: self.ctx.node.clone(), code: wish.code, scale: wish.scale };
        for other in &known {
            // Two that are called alike would be taken for one another.
            if other.code == asset.code && other.scale != asset.scale {
                return Err(Fault::Invalid { field: "scale", why: "an asset keeps its scale" }.into());
            }
        }
        if known.len() >= ASSETS_MAX && !known.contains(&asset) {
            return Err(Fault::TooMany { what: "assets", max: ASSETS_MAX }.into());
        }
        let record = AssetRecord {
            asset,
            title,
            backing: text::body(&wish.backing),
            payment_max: wish.payment_max,
            day_max: wish.day_max,
        };
        let bounds =
            Bounds { floor: (wish.issue_max > 0).then(|| -i128::from(wish.issue_max)), cap: Some(0) };
        let kept = record.clone();
        self.teller.run(move |sheet| sheet.define(&kept, bounds)).await?;
        self.info(record).await
    }

    /// Brings money into the world, on a person's account; or takes it out again. Asking again moves it once. That there is such a
    /// person is for the caller to know.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Refused`], [`WalletError::IdConflict`]; [`WalletError::NeedsApproval`] for what waits
    /// as a proposal under this id, [`WalletError::ProposalOver`] once that was declined or is over.
    pub(crate) async fn issue(
        &self,
        id: TransferId,
        asset: AssetId,
        user: &UserName,
        amount: u64,
        redeem: bool,
    ) -> Result<()> {
        let (address, user, own_name) = (self.ctx.address(user), user.clone(), self.ctx.node.clone());
        self.teller
            .run(move |sheet| {
                let known: Option<AssetRecord> = sheet.get(tables::ASSETS, asset.0)?;
                // What another node issues comes from there.
                if known.is_none_or(|known| known.asset.issuer != own_name) {
                    return Err(WalletError::NotFound("asset").into());
                }
                if !redeem && sheet.entry(id)?.is_none() {
                    let wish = MoneyFor { asset, user: address.clone(), amount };
                    sheet.may_issue_alone(id, wish)?;
                }
                let (own, theirs) = (issuance(asset), sheet.personal(&user, asset)?);
                let (debit, credit, purpose) =
                    if redeem { (theirs, own, Purpose::Redeem) } else { (own, theirs, Purpose::Issue) };
                let movement = Movement::Posted { debit, credit, amount, refunds: None };
                let done = sheet.post(&[Transfer { id, movement, purpose, about: [0; 16] }])?;
                if redeem || done.replayed { Ok(()) } else { sheet.count_issued(asset, amount) }
            })
            .await
    }

    /// Stops payments from a person's or a shop's account, or lets them go on. It takes money all the same. For whoever runs the node.
    ///
    /// # Errors
    /// [`WalletError::NotFound`].
    pub async fn change_account(&self, wish: ChangeAccount) -> Result<()> {
        if !self.ctx.is_local(&wish.user) {
            return Err(WalletError::NotFound("account"));
        }
        let (name, asset) = (wish.user.name, wish.asset);
        let freeze = if wish.frozen { Freeze::Debits } else { Freeze::None };
        self.teller
            .run(move |sheet| {
                let is_shop = sheet.get::<MerchantRecord>(tables::MERCHANTS, name.as_str())?.is_some();
                let id = if is_shop { merchant(&name, asset) } else { personal(&name, asset) };
                let account = sheet.account(id)?.ok_or(WalletError::NotFound("account"))?;
                if account.freeze == freeze { Ok(()) } else { sheet.change(id, account.bounds, freeze) }
            })
            .await
    }

    pub(super) async fn info(&self, record: AssetRecord) -> Result<AssetInfo> {
        let id = record.asset.id();
        let account: Option<AccountRecord> = self.ctx.read(tables::LEDGER_ACCOUNTS, issuance(id).0).await?;
        let (issued, floor) = account
            .map_or((0, None), |AccountRecord(account)| (-account.balances.net(), account.bounds.floor));
        let issue_max = floor.map_or(0, |floor| u64::try_from(-floor).unwrap_or(u64::MAX));
        let AssetRecord { asset, title, backing, payment_max, day_max } = record;
        let issued = u64::try_from(issued.max(0)).unwrap_or(u64::MAX);
        let fees: Option<FeesRecord> = self.ctx.read(tables::FEES, id.0).await?;
        let fees = fees.unwrap_or_default().fees;
        Ok(AssetInfo { id, asset, title, backing, payment_max, day_max, issue_max, issued, fees })
    }

    pub(super) async fn asset(&self, id: AssetId) -> Result<AssetRecord> {
        self.ctx.read(tables::ASSETS, id.0).await?.ok_or(WalletError::NotFound("asset"))
    }
}

impl Sheet<'_> {
    /// Whether the owner's word alone brings so much into the world; else it waits.
    fn may_issue_alone(&mut self, id: TransferId, wish: MoneyFor) -> Result<(), Stop> {
        if self.needs_approval(wish.asset, wish.amount)? {
            self.may_mint(wish.asset, wish.amount)?;
        } else if self.proposal(id)?.is_none() {
            return Ok(());
        }
        self.await_approval(id, Proposed::Issue(wish))
    }

    fn define(&mut self, record: &AssetRecord, bounds: Bounds) -> Result<(), Stop> {
        let asset = record.asset.id();
        let id = issuance(asset);
        self.put(tables::ASSETS, asset.0, record);
        match self.get::<AccountRecord>(tables::LEDGER_ACCOUNTS, id.0)? {
            None => {
                self.open(Account { bounds, ..Account::new(id, asset, AccountKind::Issuance) })?;
                self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Node, asset });
                Ok(())
            }
            Some(AccountRecord(account)) if account.bounds != bounds => {
                self.change(id, bounds, account.freeze)
            }
            Some(_) => Ok(()),
        }
    }
}
