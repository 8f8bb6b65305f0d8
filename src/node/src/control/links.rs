//! What the operator asks of links with other nodes.

use super::{Answer, Control, CoveredAsset};
use weft_service::{
    federation::FederationError,
    flows::FlowError,
    wallet::{CoveredWish, TermsWish, WalletError},
};
use weft_wire::{Code, Millis, NodeName, Problem};

impl Control {
    pub(super) async fn links(&self) -> Result<Answer, Problem> {
        Ok(Answer::Links(self.service().wallet().links().await?))
    }

    pub(super) async fn propose_terms(
        &self,
        node: &NodeName,
        assets: Vec<CoveredAsset>,
        lifetime_ms: Option<Millis>,
    ) -> Result<Answer, Problem> {
        let covered = |CoveredAsset { code, theirs, scale, limit }| CoveredWish {
            code,
            is_theirs: theirs,
            scale,
            limit,
        };
        let wish = TermsWish { assets: assets.into_iter().map(covered).collect(), lifetime_ms };
        let offered = self.service().flows().propose_terms(node, wish).await;
        Ok(Answer::Offered(offered.map_err(|error| in_a_sentence(node, error))?))
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

    pub(super) async fn freeze_link(&self, node: &NodeName) -> Result<Answer, Problem> {
        let frozen = self.service().wallet().freeze_link(node).await;
        frozen.map(|()| Answer::Done).map_err(|error| in_a_sentence(node, error.into()))
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
        FlowError::Wallet(WalletError::NotFound("asset")) => {
            "this node issues no asset of that code".to_owned()
        }
        error => error.to_string(),
    };
    let code = Problem::from(error).code;
    Problem::new(if code == Code::Internal { code } else { Code::Conflict }).detail(sentence)
}
