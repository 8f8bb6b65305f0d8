//! Invoices of other nodes: what somebody here is to pay there, and what this node tells those who are to pay here (decision 0023).
//!
//! As with shops, the answer comes over a stream that the other node's pinned key has opened, and that key has signed it. It is kept,
//! so that the list of those who are to pay shows it on each of their devices, and where that node is away.

use super::{FlowError, Flows, Result};
use crate::{
    Budget, Caller, Fault, LimitKey,
    federation::FederationError,
    wallet::{InvoiceBox, LinkTrouble, WalletError},
};
use futures::future::join_all;
use std::time::Duration;
use weft_net::LinkError;
use weft_wire::{
    NodeName, RequestId, UserAddress, UserName,
    federation::{Answer, Question},
    wallet::{InvoiceInfo, InvoiceList},
};

/// How long a list waits for what other nodes say of what stands in it.
const LIST_WAIT: Duration = Duration::from_secs(2);
/// How long somebody who opens an invoice waits for it.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// What the rows of an invoice cost beside what is said of it.
const ROWS_BYTES: usize = 512;

impl Flows {
    /// `GET wallet/invoices/ISSUER/ID?node=NODE`, for who is to pay it and for those whose it is. `node`: of which the issuer is, if
    /// another's. That one is asked; where it is away, what it has said before is told.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], also for everybody else; [`WalletError::Link`] where the two nodes have agreed on no payments;
    /// [`WalletError::IdConflict`] where the other node says something else of it than before; what kept it from answering.
    pub async fn invoice(
        &self,
        caller: &Caller,
        issuer: &UserName,
        id: RequestId,
        node: Option<&NodeName>,
    ) -> Result<InvoiceInfo> {
        let Some(node) = node.filter(|node| **node != self.ctx.node) else {
            return Ok(self.wallet.invoice(caller, issuer, id).await?);
        };
        let (user, issuer) = (caller.user(), UserAddress::new(issuer.clone(), node.clone()));
        // Whoever knows it already need not wait until it is clear that its node is away.
        let is_known = self.wallet.far_invoice(user, &issuer, id).await?.is_some();
        let wait = if is_known { LIST_WAIT } else { ANSWER_WAIT };
        let asked = tokio::time::timeout(wait, self.ask_bill(user, &issuer, id)).await;
        let asked = asked.unwrap_or_else(|_| {
            let (node, source) = (node.clone(), LinkError::TimedOut);
            Err(FederationError::Unreachable { node, source }.into())
        });
        let known = self.wallet.far_invoice(user, &issuer, id).await?;
        match (asked, known) {
            (Err(error), None) => Err(error),
            // It has lost the invoice, or says what it cannot mean: nobody should pay by what it said before.
            (Err(error), Some(info)) if info.is_due() && !is_away(&error) => Err(error),
            (_, Some(info)) => Ok(info),
            (Ok(()), None) => Err(WalletError::NotFound("invoice").into()),
        }
    }

    /// `GET wallet/invoices?box=received|sent&shop=NAME&of=ISSUER&node=NODE&before=ID`: the newest first. Of those that are to be paid at
    /// other nodes, some are asked after.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`].
    pub async fn invoices(&self, caller: &Caller, wish: InvoiceBox) -> Result<InvoiceList> {
        let listed = self.wallet.invoices(caller, wish.clone()).await?;
        let stale = self.wallet.stale_invoices(caller.user(), &listed.invoices).await?;
        if stale.is_empty() {
            return Ok(listed);
        }
        // Before it is known whether they answer: who does not must not be asked with every list, in place of others.
        self.wallet.ask_later(caller.user(), &stale).await?;
        let asked = stale.iter().map(|(issuer, id)| self.ask_bill(caller.user(), issuer, *id));
        // What has not come in time comes with the next list.
        let _ = tokio::time::timeout(LIST_WAIT, join_all(asked)).await;
        Ok(self.wallet.invoices(caller, wish).await?)
    }

    /// Somebody of another node asks for an invoice that they are to pay.
    pub(super) async fn answer_invoice(
        &self,
        by: &UserAddress,
        issuer: &UserName,
        id: RequestId,
    ) -> Result<Answer> {
        if self.wallet.link(&by.node).await?.is_none() {
            return Err(WalletError::Link(LinkTrouble::NoLink).into());
        }
        Ok(Answer::Invoice(self.wallet.signed_invoice(by, issuer, id).await?))
    }

    /// Asks the issuer's node, and keeps what it says.
    async fn ask_bill(&self, by: &UserAddress, issuer: &UserAddress, id: RequestId) -> Result<()> {
        let node = &issuer.node;
        self.ctx.limits.take_account(Budget::FarLook, &by.name)?;
        self.may_pay_at(node).await?;
        let peer = self.nodes.peers.get(node).await?.ok_or(FederationError::NotFound)?;
        let question = Question::Invoice { by: by.clone(), issuer: issuer.name.clone(), invoice: id };
        let nonsense = || FederationError::Nonsense { node: node.clone() };
        let Answer::Invoice(told) = self.nodes.ask(node, &question).await? else {
            return Err(nonsense().into());
        };
        let info = told.verify(&peer.key).map_err(|_| nonsense())?;
        if info.to != *by || !self.wallet.is_sound_invoice(&info, (issuer, id)) {
            return Err(nonsense().into());
        }
        if !self.wallet.knows_invoice(by, &told).await? {
            // It stays on this disk, by the other node's word and for somebody here, who pays for nothing of their own by it.
            self.ctx.limits.take_account(Budget::FarInvoice, &by.name)?;
            let bytes = usize::try_from(peer.cost(told.body().len() + ROWS_BYTES)).unwrap_or(usize::MAX);
            self.ctx.limits.take_bytes(&LimitKey::Peer(node.clone()), bytes)?;
        }
        Ok(self.wallet.keep_invoice(told, info).await?)
    }
}

/// Whether a node could not be asked, or has not said anything.
fn is_away(error: &FlowError) -> bool {
    match error {
        FlowError::Fault(fault) => matches!(fault, Fault::RateLimited { .. } | Fault::WrittenTooMuch { .. }),
        FlowError::Federation(error) => error.is_passing(),
        _ => false,
    }
}
