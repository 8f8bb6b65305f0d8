//! Payments: money of the wallet, between people of the accounts.

use super::{Flows, Result};
use crate::{
    Budget, Caller, LimitKey,
    federation::FederationError,
    wallet::{Submitted, WalletError},
};
use weft_wire::{
    AssetId, BankLineId, NodeName, Signed, TransferId, UserAddress, UserName,
    accounts::Role,
    federation::{Answer, Question},
    limits::SHOP_STAFF_MAX,
    wallet::{
        ChangeApprover, ChangeShop, DecideBankLine, DecideProposal, InvoiceInfo, InvoicePayee, MerchantPayee,
        MoneyFor, OpenShop, PacketInfo, PacketTerms, Payee, Proposed, Receipt, SendInvoice, SetAgent,
        SubmitOrder,
    },
};

impl Flows {
    /// `POST wallet/orders`.
    ///
    /// # Errors
    /// See [`WalletError`]. The same order again gets the first answer again.
    pub async fn pay(&self, caller: &Caller, request: SubmitOrder) -> Result<Signed<Receipt>> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let submitted = Submitted::read(request)?;
        let order = submitted.order();
        let far = match &order.payee {
            Payee::Person(user)
            | Payee::Merchant(MerchantPayee { shop: user, .. })
            | Payee::Invoice(InvoicePayee { issuer: user, .. }) => Some(user),
            _ => None,
        };
        let far = far.filter(|user| !self.ctx.is_local(user));
        if let Some(user) = far {
            // One that was carried out is answered again, whatever has become of that node since.
            let is_new = !self.wallet.knows(order.transfer()).await?;
            if is_new {
                self.may_pay_at(&user.node).await?;
            }
            let title = match &order.payee {
                Payee::Merchant(_) if is_new => self.title_there(caller.user(), user).await,
                Payee::Invoice(payee) if is_new => self.wallet.billed_by(caller.user(), payee).await?,
                _ => None,
            };
            // Whether they are there, their own node says.
            return Ok(self.wallet.pay(caller, submitted, true, title).await?);
        }
        let is_there = match &order.payee {
            Payee::Person(user) => self.has_account(user).await?,
            Payee::Packet(terms) => self.may_give(caller, terms).await?,
            Payee::Merchant(_) | Payee::Invoice(_) => true,
            Payee::CashIn(user) | Payee::CashOut(user) => self.has_account(user).await?,
            Payee::Escrow(terms) => {
                let seller = &terms.seller;
                !self.ctx.is_local(seller)
                    || self.has_account(seller).await?
                    || self.wallet.is_shop(&seller.name).await?
            }
            _ => false,
        };
        Ok(self.wallet.pay(caller, submitted, is_there, None).await?)
    }

    /// Brings money into the world on somebody's account, or takes it out again. For whoever runs the node; the caller is not
    /// looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn issue(
        &self,
        id: TransferId,
        asset: AssetId,
        user: &UserAddress,
        amount: u64,
        redeem: bool,
    ) -> Result<()> {
        if !self.has_account(user).await? {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.issue(id, asset, &user.name, amount, redeem).await?)
    }

    /// Gives somebody what a thaw with another node has found to be theirs. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn pay_found(&self, peer: &NodeName, payment: TransferId, user: &UserAddress) -> Result<()> {
        if !self.has_account(user).await? {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.pay_found(peer, payment, &user.name).await?)
    }

    /// `POST wallet/admin/fees/take/TRANSFER`. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn take_fees(&self, id: TransferId, wish: MoneyFor) -> Result<()> {
        if !self.has_account(&wish.user).await? {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.take_fees(id, wish).await?)
    }

    /// `POST wallet/admin/guard/approvers`. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn change_approver(&self, wish: ChangeApprover) -> Result<()> {
        if !self.ctx.is_local(&wish.user) {
            return Err(WalletError::NotFound("user").into());
        }
        if wish.appoint {
            let account = self.accounts.account(&wish.user.name).await?.filter(|account| !account.disabled);
            let account = account.ok_or(WalletError::NotFound("user"))?;
            if account.role == Role::Owner {
                return Err(WalletError::OwnProposal.into());
            }
        }
        Ok(self.wallet.change_approver(wish).await?)
    }

    /// `PUT wallet/admin/agents`. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn set_agent(&self, wish: SetAgent) -> Result<()> {
        let is_there = match wish.end || wish.frozen {
            true => self.ctx.is_local(&wish.user),
            false => self.has_account(&wish.user).await?,
        };
        if !is_there {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.set_agent(wish).await?)
    }

    /// `POST wallet/guard/proposals/ID`.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn decide_proposal(&self, caller: &Caller, id: TransferId, wish: DecideProposal) -> Result<()> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        if let Proposed::Issue(MoneyFor { user, .. })
        | Proposed::Float(MoneyFor { user, .. })
        | Proposed::Appoint(user) = self.wallet.proposed(id).await?
            && wish.approval.peek().is_ok_and(|approval| approval.approve)
            && !self.has_account(&user).await?
        {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.decide_proposal(caller, id, wish).await?)
    }

    /// What becomes of a line of a bank's file that waits. For whoever runs the node; the caller is not looked at.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn decide_bank_line(&self, id: BankLineId, wish: DecideBankLine) -> Result<()> {
        if let DecideBankLine::Assign(user) = &wish
            && !self.has_account(user).await?
        {
            return Err(WalletError::NotFound("user").into());
        }
        Ok(self.wallet.decide_bank_line(id, wish).await?)
    }

    /// `POST wallet/merchants`.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn open_shop(&self, caller: &Caller, request: OpenShop) -> Result<()> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        Ok(self.wallet.open_shop(caller, request.name, request.details).await?)
    }

    /// `POST wallet/merchants/NAME`.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn change_shop(&self, caller: &Caller, name: &UserName, wish: ChangeShop) -> Result<()> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let staff = wish.staff.as_deref().unwrap_or_default().iter().map(|member| &member.user);
        let one = wish.member.as_ref().filter(|member| member.role.is_some()).map(|member| &member.user);
        let known = self.wallet.staff_of(name).await?;
        // Whoever is there stays, or goes, also if their account was disabled since.
        let is_new = |user: &&UserAddress| known.iter().all(|one| one.user != **user);
        for user in staff.take(SHOP_STAFF_MAX).chain(one).filter(is_new) {
            // Who wants to hear nothing of the caller is not asked either.
            if !self.has_account(user).await? || self.contacts.has_blocked(&user.name, caller.user()).await? {
                return Err(WalletError::NotFound("user").into());
            }
        }
        Ok(self.wallet.change_shop(caller, name, wish).await?)
    }

    /// `POST wallet/invoices`.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub async fn send_invoice(&self, caller: &Caller, request: SendInvoice) -> Result<InvoiceInfo> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        // The largest thing that a member writes into the wallet; whoever is to pay has not asked for it.
        self.ctx.limits.take_bytes(&LimitKey::caller(caller), weft_wire::encode(&request).len())?;
        let is_here = self.ctx.is_local(&request.to);
        if !is_here {
            self.may_pay_at(&request.to.node).await?;
        } else if !self.has_account(&request.to).await? {
            return Err(WalletError::NotFound("user").into());
        }
        let is_quiet = is_here && self.contacts.has_blocked(&request.to.name, caller.user()).await?;
        Ok(self.wallet.send_invoice(caller, request, is_quiet).await?)
    }

    /// `GET wallet/packets/ID?node=NAME`, for members of the room that it was given in. `node`: whose packet it is, if another's.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for everybody else.
    pub async fn packet(
        &self,
        caller: &Caller,
        packet: TransferId,
        node: Option<&NodeName>,
    ) -> Result<PacketInfo> {
        match node.filter(|node| **node != self.ctx.node) {
            None => self.packet_here(caller.user(), packet, false).await,
            Some(node) => self.packet_there(caller, packet, node, false).await,
        }
    }

    /// `POST wallet/packets/ID?node=NAME`: opens it.
    ///
    /// # Errors
    /// [`WalletError::PacketEmpty`], [`WalletError::PacketOver`], [`WalletError::Forbidden`] where it is for somebody else,
    /// [`WalletError::NotFound`] for whoever is not in the room, [`WalletError::Link`] where there are no terms between the nodes.
    pub async fn open_packet(
        &self,
        caller: &Caller,
        packet: TransferId,
        node: Option<&NodeName>,
    ) -> Result<PacketInfo> {
        match node.filter(|node| **node != self.ctx.node) {
            None => self.packet_here(caller.user(), packet, true).await,
            Some(node) => {
                self.ctx.limits.take_account(Budget::Payment, caller.name())?;
                self.may_pay_at(node).await?;
                self.packet_there(caller, packet, node, true).await
            }
        }
    }

    /// Somebody of another node asks for a packet of this one.
    pub(super) async fn answer_packet(
        &self,
        by: &UserAddress,
        packet: TransferId,
        open: bool,
    ) -> Result<Answer> {
        Ok(Answer::Packet(self.packet_here(by, packet, open).await?))
    }

    async fn packet_here(&self, user: &UserAddress, packet: TransferId, open: bool) -> Result<PacketInfo> {
        self.in_its_room(user, packet).await?;
        if open {
            self.wallet.claim(packet, user).await?;
        }
        Ok(self.wallet.packet(packet).await?)
    }

    async fn packet_there(
        &self,
        caller: &Caller,
        packet: TransferId,
        node: &NodeName,
        open: bool,
    ) -> Result<PacketInfo> {
        let budget = if open { Budget::FarVisit } else { Budget::FarLook };
        self.ctx.limits.take_account(budget, caller.name())?;
        let question = Question::Packet { by: caller.user().clone(), packet, open };
        match self.nodes.ask(node, &question).await? {
            Answer::Packet(info) if info.id == packet && info.maker.node == *node => Ok(info),
            _ => Err(FederationError::Nonsense { node: node.clone() }.into()),
        }
    }

    /// Whether somebody may know of a packet: who gave it, for whom it is, and who is in its room.
    async fn in_its_room(&self, user: &UserAddress, packet: TransferId) -> Result<()> {
        let (maker, terms) = self.wallet.packet_of(packet).await?;
        let is_theirs = maker == *user || terms.only.as_ref() == Some(user);
        if !is_theirs && !self.rooms.is_in(terms.room, user).await? {
            return Err(WalletError::NotFound("packet").into());
        }
        Ok(())
    }

    /// Whether there is somebody who may open such a packet: a room of the giver, or the one for whom it is.
    async fn may_give(&self, caller: &Caller, terms: &PacketTerms) -> Result<bool> {
        match &terms.only {
            Some(only) if !self.ctx.is_local(only) => self.may_pay_at(&only.node).await.map(|()| true),
            Some(only) => self.has_account(only).await,
            None => Ok(self.rooms.is_in(terms.room, caller.user()).await?),
        }
    }

    /// Whether somebody is of this node and not locked out.
    pub(super) async fn has_account(&self, user: &UserAddress) -> Result<bool> {
        if !self.ctx.is_local(user) {
            return Ok(false);
        }
        Ok(self.accounts.account(&user.name).await?.is_some_and(|account| !account.disabled))
    }
}
