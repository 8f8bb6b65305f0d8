//! What the operator asks of links with other nodes.

use super::{Answer, Control};
use weft_service::{federation::FederationError, flows::FlowError, wallet::WalletError};
use weft_wire::{
    Code, Millis, NodeName, Problem, TransferId, UserAddress, UserName,
    link_terms::ProposeTerms,
    links::{DecideSettlement, ProposeSettlement},
};

impl Control {
    pub(super) async fn links(&self) -> Result<Answer, Problem> {
        Ok(Answer::Links(self.service().wallet().links().await?))
    }

    pub(super) async fn propose_terms(&self, node: &NodeName, wish: ProposeTerms) -> Result<Answer, Problem> {
        let offered = self.service().flows().propose_terms(node, wish.into()).await;
        Ok(Answer::Offered(offered.map_err(|error| in_a_sentence(node, error))?))
    }

    pub(super) async fn withdraw_terms(&self, node: &NodeName) -> Result<Answer, Problem> {
        let withdrawn = self.service().flows().withdraw_terms(node).await;
        withdrawn.map(|()| Answer::Done).map_err(|error| match error {
            FlowError::Wallet(WalletError::NotFound(_)) => {
                Problem::new(Code::Conflict).detail(format!("nothing is offered to {node}"))
            }
            error => in_a_sentence(node, error),
        })
    }

    pub(super) async fn link_terms(&self, node: &NodeName) -> Result<Answer, Problem> {
        let terms = self.service().wallet().link_terms(node).await;
        terms.map(Answer::LinkTerms).map_err(|error| in_a_sentence(node, error.into()))
    }

    pub(super) async fn accept_terms(&self, node: &NodeName, digest: &str) -> Result<Answer, Problem> {
        let accepted = self.service().flows().accept_terms(node, digest).await;
        accepted.map(|()| Answer::Done).map_err(|error| in_a_sentence(node, error))
    }

    pub(super) async fn thaw_link(
        &self,
        node: &NodeName,
        since_ms: Millis,
        digest: Option<&str>,
    ) -> Result<Answer, Problem> {
        let thawed = self.service().flows().thaw_link(node, since_ms, digest).await;
        thawed.map(Answer::Thaw).map_err(|error| in_a_sentence(node, error))
    }

    pub(super) async fn pay_found(
        &self,
        node: &NodeName,
        payment: TransferId,
        name: UserName,
    ) -> Result<Answer, Problem> {
        let user = UserAddress::new(name, self.service().node_info().await?.name);
        let paid = self.service().flows().pay_found(node, payment, &user).await;
        paid.map(|()| Answer::Done).map_err(|error| in_a_sentence(node, error))
    }

    pub(super) async fn freeze_link(&self, node: &NodeName) -> Result<Answer, Problem> {
        let frozen = self.service().wallet().freeze_link(node).await;
        frozen.map(|()| Answer::Done).map_err(|error| in_a_sentence(node, error.into()))
    }
}

impl Control {
    pub(super) async fn settle(&self, node: &NodeName, wish: ProposeSettlement) -> Result<Answer, Problem> {
        let said = self.service().wallet().propose_settlement(node, wish).await;
        said.map(|()| Answer::Done).map_err(|error| in_a_sentence(node, error.into()))
    }

    pub(super) async fn settlements(&self, node: &NodeName) -> Result<Answer, Problem> {
        let list = self.service().wallet().settlements(node).await;
        list.map(Answer::Settlements).map_err(|error| in_a_sentence(node, error.into()))
    }

    pub(super) async fn decide_settlement(
        &self,
        node: &NodeName,
        id: TransferId,
        amount: Option<String>,
    ) -> Result<Answer, Problem> {
        let wish = DecideSettlement { accept: amount.is_some(), amount: amount.unwrap_or_default() };
        let decided = self.service().wallet().decide_settlement(node, id, wish).await;
        decided.map(|()| Answer::Done).map_err(|error| in_a_sentence(node, error.into()))
    }

    pub(super) async fn link_statement(
        &self,
        node: &NodeName,
        from_ms: Millis,
        until_ms: Millis,
    ) -> Result<Answer, Problem> {
        let statement = self.service().wallet().link_account(node, from_ms, until_ms).await;
        statement.map(Answer::LinkStatement).map_err(|error| in_a_sentence(node, error.into()))
    }
}

/// For the operator, who knows nothing of codes.
fn in_a_sentence(node: &NodeName, error: FlowError) -> Problem {
    let sentence = match &error {
        FlowError::Federation(FederationError::NotFound) => {
            format!("this node was never met; `weft peer add {node}` names it, and trusts it")
        }
        FlowError::Wallet(WalletError::NotFound("offer")) => {
            format!("{node} offers nothing of that name: `weft peer terms show {node}` says what it offers")
        }
        FlowError::Wallet(WalletError::NotFound("thaw")) => {
            "what follows from the books of both is named otherwise: look again".to_owned()
        }
        FlowError::Wallet(WalletError::IdConflict) => "another settlement has that id".to_owned(),
        FlowError::Wallet(WalletError::NotFound("transfer")) => {
            format!("no thaw with {node} has found such a payment for somebody here")
        }
        FlowError::Wallet(WalletError::NotFound("user")) => "there is nobody of that name here".to_owned(),
        FlowError::Wallet(WalletError::NotFound("asset")) => {
            "this node issues no asset of that code".to_owned()
        }
        FlowError::Wallet(WalletError::NotFound("settlement")) => {
            format!("{node} has settled nothing of that name: `weft peer settlements {node}` says what")
        }
        error => error.to_string(),
    };
    let code = Problem::from(error).code;
    Problem::new(if code == Code::Internal { code } else { Code::Conflict }).detail(sentence)
}
