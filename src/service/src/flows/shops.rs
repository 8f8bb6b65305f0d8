//! Shops of other nodes: what a member learns of one before they pay there, and what this node tells of its own.
//!
//! The answer comes over a stream that the other node's pinned key has opened, and has to name that key: under it, and under nothing
//! that the answer says by itself, the member's device verifies the shop's codes. It is the key that the terms of the two nodes are
//! signed with, and every payment that goes between them.

use super::{Flows, Result};
use crate::{
    Budget, Caller,
    federation::FederationError,
    wallet::{LinkTrouble, WalletError, is_shop_title},
};
use std::time::Duration;
use weft_wire::{
    NodeName, RequestId, UserAddress, UserName,
    federation::{Answer, Question, ShopAnswer},
    wallet::{SaleInfo, ShopInfo},
};

/// How long a payment waits for what the shop is called.
const TITLE_WAIT: Duration = Duration::from_secs(2);

impl Flows {
    /// `GET wallet/merchants/NAME?node=NODE`, for every member. `node`: whose shop it is, if another's.
    ///
    /// # Errors
    /// [`WalletError::NotFound`]; [`WalletError::Link`] where the two nodes have agreed on no payments; what kept the other from
    /// answering.
    pub async fn shop(&self, caller: &Caller, shop: &UserName, node: Option<&NodeName>) -> Result<ShopInfo> {
        match node.filter(|node| **node != self.ctx.node) {
            None => Ok(self.wallet.shop(shop).await?),
            Some(node) => Ok(self.shop_there(caller.user(), shop, node, None).await?.info),
        }
    }

    /// `GET wallet/merchants/NAME/sales/ID?node=NODE`, for whoever knows its id.
    ///
    /// # Errors
    /// As [`Self::shop`].
    pub async fn sale(
        &self,
        caller: &Caller,
        shop: &UserName,
        sale: RequestId,
        node: Option<&NodeName>,
    ) -> Result<SaleInfo> {
        let Some(node) = node.filter(|node| **node != self.ctx.node) else {
            return Ok(self.wallet.sale(caller, shop, sale).await?);
        };
        let answer = self.shop_there(caller.user(), shop, node, Some(sale)).await?;
        Ok(answer.sale.ok_or(FederationError::Nonsense { node: node.clone() })?)
    }

    /// Somebody of another node asks for a shop of this one.
    pub(super) async fn answer_shop(
        &self,
        by: &UserAddress,
        shop: &UserName,
        sale: Option<RequestId>,
    ) -> Result<Answer> {
        if self.wallet.link(&by.node).await?.is_none() {
            return Err(WalletError::Link(LinkTrouble::NoLink).into());
        }
        let info = self.wallet.shop(shop).await?;
        let sale = match sale {
            Some(sale) => Some(self.wallet.sale_for(by, shop, sale).await?),
            None => None,
        };
        Ok(Answer::Shop(ShopAnswer { info, sale }))
    }

    /// What a shop of another node is called, if it says so now. Nothing depends on it but what the payer reads in their history.
    pub(super) async fn title_there(&self, by: &UserAddress, shop: &UserAddress) -> Option<String> {
        let asked = self.shop_there(by, &shop.name, &shop.node, None);
        let answer = tokio::time::timeout(TITLE_WAIT, asked).await.ok()?.ok()?;
        Some(answer.info.details.title)
    }

    async fn shop_there(
        &self,
        by: &UserAddress,
        shop: &UserName,
        node: &NodeName,
        sale: Option<RequestId>,
    ) -> Result<ShopAnswer> {
        self.ctx.limits.take_account(Budget::FarVisit, &by.name)?;
        self.may_pay_at(node).await?;
        let question = Question::Shop { by: by.clone(), shop: shop.clone(), sale };
        let address = UserAddress::new(shop.clone(), node.clone());
        let peer = self.nodes.peers.get(node).await?.ok_or(FederationError::NotFound)?;
        let nonsense = || FederationError::Nonsense { node: node.clone() };
        let Answer::Shop(answer) = self.nodes.ask(node, &question).await? else {
            return Err(nonsense().into());
        };
        let is_title = is_shop_title(&answer.info.details.title);
        let is_shop = answer.info.shop == address && answer.info.key == peer.key && is_title;
        let is_sale = match (&answer.sale, sale) {
            (Some(told), Some(asked)) => told.id == asked && told.shop == address,
            (told, asked) => told.is_none() && asked.is_none(),
        };
        if is_shop && is_sale { Ok(answer) } else { Err(nonsense().into()) }
    }
}
