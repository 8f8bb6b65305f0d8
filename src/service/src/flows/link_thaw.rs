//! The operators of two nodes start a link again that stands still: each sees what follows from the books of both, and signs it.

use super::{FlowError, Flows, Result};
use crate::{
    Budget, LimitKey,
    federation::FederationError,
    wallet::{LinkPost, LinkTrouble, WalletError},
};
use weft_ledger::link::Thaw;
use weft_wire::{
    Blob, Millis, NodeName, Signed,
    admin::ThawRow,
    codec,
    federation::{Answer, Question},
    limits::LINK_POST_BYTES_MAX,
};

impl Flows {
    /// What follows from the books of both nodes, of payments since a time that both operators name. With `named`, its
    /// digest, the operator signs it; when both have, payments go on.
    ///
    /// # Errors
    /// [`WalletError::Link`] if nothing follows, [`WalletError::NotFound`] if something else was named,
    /// [`FederationError::Unreachable`].
    pub async fn thaw_link(&self, peer: &NodeName, since_ms: Millis, named: Option<&str>) -> Result<ThawRow> {
        let known = self.nodes.peers.get(peer).await?.ok_or(FederationError::NotFound)?;
        // The other may have done what was agreed on, and its answer was lost.
        if let Some(agreed) = self.wallet.agreed_thaw(peer).await?
            && named.is_some()
            && self.say_thaw(peer, &known.key, &agreed).await?
        {
            let digest = agreed.peek().map(|thaw| crate::wallet::hex(&thaw.digest())).unwrap_or_default();
            return Ok(ThawRow { digest, lines: Vec::new(), guarded: None, agreed: true, done: true });
        }
        let wants = LinkPost { wants_statement: Some(since_ms), ..LinkPost::default() };
        let theirs = self.post(peer, &wants).await?.statement.ok_or_else(|| {
            let why = "the other node gives no statement: with it the link runs, or has too many payments";
            FlowError::from(WalletError::Link(LinkTrouble::Refused(why.to_owned())))
        })?;
        let (row, signed) = self.wallet.draw_thaw(peer, (&theirs, &known.key), since_ms, named).await?;
        let Some(signed) = signed else { return Ok(row) };
        let done = self.say_thaw(peer, &known.key, &signed).await?;
        Ok(ThawRow { agreed: true, done, ..row })
    }

    /// Goes on with what both operators have signed, where a stop came between.
    ///
    /// # Errors
    /// [`WalletError::Link`] if the books are against it.
    pub(super) async fn finish_thaw(&self, peer: &NodeName) -> Result<()> {
        Ok(self.wallet.finish_thaw(peer).await?)
    }

    /// Says what the operator has signed. Whether the other has as well, and it is done on both sides.
    async fn say_thaw(&self, peer: &NodeName, key: &[u8; 32], signed: &Signed<Thaw>) -> Result<bool> {
        let said = LinkPost { thaw: Some(signed.clone()), ..LinkPost::default() };
        match self.post(peer, &said).await?.thaw {
            Some(theirs) if theirs.body() == signed.body() => {
                Ok(self.wallet.take_thaw(peer, key, &theirs).await?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// Answers what the other operator wants to know, or has signed.
    pub(super) async fn answer_thaw(&self, from: &NodeName, post: LinkPost) -> Result<LinkPost> {
        let peer = self.nodes.peers.get(from).await?.ok_or(FederationError::NotFound)?;
        let mut answer = LinkPost::default();
        if let Some(since_ms) = post.wants_statement {
            let key = LimitKey::Peer(from.clone());
            self.ctx.limits.take_several(Budget::PeerStatement, &key, peer.cost(1))?;
            let statement = self.wallet.frozen_statement(from, since_ms).await;
            answer.statement = statement.ok().filter(|signed| signed.body().len() < LINK_POST_BYTES_MAX / 2);
        }
        if let Some(thaw) = &post.thaw {
            answer.thaw = self.wallet.take_thaw(from, &peer.key, thaw).await?;
        }
        Ok(answer)
    }

    async fn post(&self, peer: &NodeName, post: &LinkPost) -> Result<LinkPost> {
        let question = Question::Link { from: self.ctx.node.clone(), post: Blob(codec::encode(post)) };
        let answer = self.nodes.ask_for(&LimitKey::Peer(peer.clone()), peer, &question).await?;
        let nonsense = || FederationError::Nonsense { node: peer.clone() };
        let Answer::Link(bytes) = answer else { return Err(nonsense().into()) };
        Ok(codec::decode(bytes.as_slice(), LINK_POST_BYTES_MAX).map_err(|_| nonsense())?)
    }
}
