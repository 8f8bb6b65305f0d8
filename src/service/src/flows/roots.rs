//! Nodes that pay each other show each other what they have signed of their ledgers.

use super::{FlowError, Flows, Result};
use crate::{LimitKey, federation::FederationError};
use weft_wire::{
    Code, NodeName, Signed,
    federation::{Answer, Question},
    wallet::DayRoot,
};

impl Flows {
    /// Shows each node with which there is a link the days that it has not seen. Gives how many words came back. A node that
    /// does not answer is asked in the next round; it holds up no other.
    pub(crate) async fn show_roots(&self) -> Result<u64> {
        let mut heard = 0;
        for peer in self.wallet.linked().await? {
            if self.wallet.link(&peer).await?.is_none() || self.shuts_out(&peer).await? {
                continue;
            }
            let mut shown = self.show_days(&peer, self.wallet.unseen_by(&peer).await?, &mut heard).await;
            // It lacks days that it has witnessed: it was restored from a backup, say.
            if let Err(FlowError::Federation(FederationError::Refused(problem))) = &shown
                && problem.code == Code::Conflict
            {
                let days = self.wallet.last_days().await?.into_iter().map(|info| info.root);
                shown = self.show_days(&peer, days, &mut heard).await;
            }
            if let Err(error) = shown {
                tracing::debug!(node = %peer, %error, "a node does not witness a day");
            }
        }
        Ok(heard)
    }

    /// Shows days in their order, until one is not taken.
    async fn show_days(
        &self,
        peer: &NodeName,
        days: impl IntoIterator<Item = Signed<DayRoot>>,
        heard: &mut u64,
    ) -> Result<()> {
        for root in days {
            *heard += u64::from(self.show_root(peer, root).await?);
        }
        Ok(())
    }

    async fn show_root(&self, peer: &NodeName, root: Signed<DayRoot>) -> Result<bool> {
        let question = Question::Root { from: self.ctx.node.clone(), root: root.clone() };
        let answer = self.nodes.ask_for(&LimitKey::Peer(peer.clone()), peer, &question).await?;
        let Answer::Root(word) = answer else {
            return Err(FederationError::Nonsense { node: peer.clone() }.into());
        };
        let known = self.nodes.peers.get(peer).await?.ok_or(FederationError::NotFound)?;
        Ok(self.wallet.witnessed(peer, known.key, (&root, word)).await?)
    }

    /// A node shows a day of its own.
    pub(super) async fn answer_root(&self, from: &NodeName, root: Signed<DayRoot>) -> Result<Answer> {
        let peer = self.nodes.peers.get(from).await?.ok_or(FederationError::NotFound)?;
        Ok(Answer::Root(self.wallet.witness(from, &peer.key, root).await?))
    }
}
