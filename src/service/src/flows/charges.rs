//! Codes of customers, of this node and of others.
//!
//! Of another node: the shop's node opens a sale and asks the customer's to pay it; the money comes over the link as it does for any sale,
//! and the shop's node alone decides whether it is taken. So whatever is lost on the way, the charge ends with the sale: paid, refused,
//! taken back at the till, or over.

use super::{Flows, Result};
use crate::{
    Budget, Caller, LimitKey,
    federation::{FederationError, is_passing},
    wallet::WalletError,
};
use std::time::Duration;
use weft_wire::{
    Code, NodeName, Signed, UserName,
    federation::{Answer, Question},
    wallet::{ChargeCode, CodeCharge, SaleInfo, SaleState},
};

/// How long a till waits for the customer's node. After that it is not known what became of it, until its sale is.
const ANSWER_WAIT: Duration = Duration::from_secs(8);

impl Flows {
    /// `POST wallet/merchants/NAME/charges`: the staff have read a customer's code. The same again gives the same sale. That of a code of
    /// another node may be open: the money is under way, or that node has not answered.
    ///
    /// # Errors
    /// [`WalletError::CodeInvalid`], [`WalletError::CodeLimit`], [`WalletError::AlreadyPaid`] by a code that was used,
    /// [`WalletError::NotStaff`], [`WalletError::ShopClosed`], [`WalletError::IdConflict`]; [`WalletError::ChargeRefused`] with what another
    /// node says, [`WalletError::Link`] where it has no payments with this one; rate limits.
    pub async fn charge(&self, caller: &Caller, shop: &UserName, wish: ChargeCode) -> Result<SaleInfo> {
        let Some(code) = self.wallet.far_code(&wish.code) else {
            return Ok(self.wallet.charge(caller, shop, wish).await?);
        };
        let (node, id) = (code.node().clone(), wish.id);
        // One that was begun goes on, whatever has become of that node since.
        if !self.wallet.has_sale(shop, id).await? {
            self.may_pay_at(&node).await?;
            self.wallet.is_running(&node).await?;
        }
        if let Some(charge) = self.wallet.begin_charge(caller, shop, &wish, code).await?
            && let Some(why) = self.ask_charge(&node, charge).await
        {
            self.wallet.end_charge(shop, id, why).await?;
        }
        let sale = self.wallet.sale(caller, shop, id).await?;
        match sale.refused {
            Some(why) if sale.state != SaleState::Paid => Err(WalletError::ChargeRefused(why).into()),
            _ => Ok(sale),
        }
    }

    /// Asks a customer's node to pay. Gives why it will not; none: it does, or it is not known.
    async fn ask_charge(&self, node: &NodeName, charge: Signed<CodeCharge>) -> Option<Code> {
        let question = Question::Charge { from: self.ctx.node.clone(), charge };
        let asked = tokio::time::timeout(ANSWER_WAIT, self.nodes.ask(node, &question)).await;
        match asked {
            Ok(Err(FederationError::Refused(problem))) => why_not(problem.code),
            Ok(Ok(Answer::Charged)) => None,
            Ok(Ok(_)) => {
                tracing::debug!(%node, "a charge was answered with something else");
                None
            }
            Ok(Err(error)) => {
                tracing::debug!(%node, %error, "it is not known what became of a charge");
                None
            }
            Err(_) => None,
        }
    }

    /// A shop of another node charges somebody here by a code.
    pub(super) async fn answer_charge(&self, from: &NodeName, charge: Signed<CodeCharge>) -> Result<Answer> {
        let peer = self.nodes.peers.get(from).await?.ok_or(FederationError::NotFound)?;
        let limits = &self.ctx.limits;
        limits.take_several(Budget::PeerCharge, &LimitKey::Peer(from.clone()), peer.cost(1))?;
        self.wallet.charge_over(from, &peer.key, charge).await?;
        Ok(Answer::Charged)
    }
}

/// Why a charge is over by what the customer's node says. None: it cannot now, and may have paid when it was asked before.
fn why_not(code: Code) -> Option<Code> {
    match code {
        code if is_passing(code) => None,
        Code::CodeInvalid
        | Code::CodeLimit
        | Code::AlreadyPaid
        | Code::InsufficientFunds
        | Code::AccountFrozen
        | Code::PaymentLimit
        | Code::NoLink
        | Code::LinkFrozen
        | Code::LinkLimit
        | Code::RateChanged => Some(code),
        // An earlier version does not know the question.
        Code::Malformed => Some(Code::OtherNode),
        _ => Some(Code::PaymentRefused),
    }
}
