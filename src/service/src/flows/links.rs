//! Payments between nodes: what the wallet has to say goes to the other node, and what that says comes to the wallet.
//!
//! A node asks ([`Question::Link`]) with all that the other has not confirmed, and the answer is the other's turn to do so. What is
//! lost on the way is said again: the wallet's own rows know what is not confirmed, so that nothing else is kept here.

use super::{FlowError, Flows, Result};
use crate::{
    Fault, LimitKey,
    federation::{FederationError, PeerRecord},
    wallet::{Heard, Letter, LinkPost, LinkTrouble, MESSAGES_MAX, Memo, TermsWish, WalletError, hex},
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use weft_ledger::link::{Aim, Body, Link, Prepare};
use weft_wire::{
    Blob, NodeName, Problem, UserAddress, UserName, codec,
    federation::{Answer, Question},
    limits::LINK_POST_BYTES_MAX,
    wallet::Payee,
};

/// What was said and is not confirmed after so long is said again.
const AGAIN: Duration = Duration::from_secs(2);

/// What the rows of a payment cost beside what is said of it.
const ROWS_BYTES: usize = 512;

/// What one round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkRound {
    /// There is nothing to say, or only what is on its way; of that, when it is time to say it again.
    Idle(Option<Duration>),
    /// Something was said and heard; there may be more.
    Went,
    /// The other node answered, and did not take what was said.
    Stuck,
}

/// What was said to each node since the start. Nothing depends on it but how often something is said.
#[derive(Clone, Default)]
pub(crate) struct Voices(Arc<Mutex<HashMap<NodeName, Voice>>>);

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Voice {
    /// It was spoken with.
    greeted: bool,
    /// The era, and up to which of its messages it was told that they were taken.
    acked: (u32, u64),
    /// It was told that the link stands still.
    told_frozen: bool,
    /// The last message that was said, and when.
    said: Option<(u64, Instant)>,
    /// It lacks the terms that are in force here, by what it says itself.
    lacks_terms: bool,
    /// Answers to it that are being made.
    answering: u32,
}

impl Voices {
    fn of(&self, peer: &NodeName) -> Voice {
        self.0.lock().get(peer).copied().unwrap_or_default()
    }

    /// How many nodes it is known of.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    fn change(&self, peer: &NodeName, change: impl FnOnce(&mut Voice)) {
        let mut voices = self.0.lock();
        let voice = voices.entry(peer.clone()).or_default();
        change(voice);
        // Names that are keys are free to make: of whom there is nothing to know, nothing is kept.
        if *voice == Voice::default() {
            voices.remove(peer);
        }
    }
}

/// An answer is being made, until this is dropped: also where nobody waits for the answer any more.
struct Answering<'a>(&'a Voices, &'a NodeName);

impl<'a> Answering<'a> {
    fn begin(voices: &'a Voices, peer: &'a NodeName) -> Self {
        voices.change(peer, |voice| voice.answering += 1);
        Answering(voices, peer)
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.change(self.1, |voice| voice.answering = voice.answering.saturating_sub(1));
    }
}

impl Voice {
    /// Whether there is something to say: at once, or after a while.
    fn wants(&self, link: Option<&Link>, untold: bool) -> Option<Duration> {
        let at_once = Some(Duration::ZERO);
        if untold {
            return at_once;
        }
        let link = link?;
        if self.answering > 0 {
            return Some(AGAIN);
        }
        if !self.greeted || link.frozen.is_some() != self.told_frozen {
            return at_once;
        }
        if link.frozen.is_some() {
            return None;
        }
        if self.acked != (link.era, link.taken.seq) {
            return at_once;
        }
        if link.sent.seq <= link.confirmed.seq {
            return None;
        }
        match self.said {
            Some((upto, at)) if upto >= link.sent.seq.min(link.confirmed.seq + MESSAGES_MAX as u64) => {
                Some(AGAIN.saturating_sub(at.elapsed()))
            }
            _ => at_once,
        }
    }

    /// This was said just now.
    fn said(&mut self, link: Option<&Link>, messages: usize) {
        let Some(link) = link else { return };
        self.greeted = true;
        self.acked = (link.era, link.taken.seq);
        self.told_frozen = link.frozen.is_some();
        self.said = Some((link.confirmed.seq + messages as u64, Instant::now()));
    }
}

impl Flows {
    /// Says to a node what there is to say, and hears its answer.
    ///
    /// # Errors
    /// [`FederationError::Unreachable`] and the like: it is tried again later.
    pub(crate) async fn link_round(&self, peer: &NodeName) -> Result<LinkRound> {
        let voice = self.voices.of(peer);
        let said = self.wallet.say(peer, voice.lacks_terms).await?;
        match voice.wants(said.link.as_ref(), said.untold) {
            None => return Ok(LinkRound::Idle(None)),
            Some(wait) if !wait.is_zero() => return Ok(LinkRound::Idle(Some(wait))),
            Some(_) => {}
        }
        let (link, count) = (said.link, said.post.messages.len());
        let offer = said.post.offer.as_ref().map(|offer| offer.terms.clone());
        let withdraws = !said.post.withdraws.is_empty();
        let question = Question::Link { from: self.ctx.node.clone(), post: Blob(codec::encode(&said.post)) };
        self.voices.change(peer, |voice| voice.said(link.as_ref(), count));
        let answer = match self.nodes.ask_for(&LimitKey::Peer(peer.clone()), peer, &question).await {
            Ok(Answer::Link(bytes)) => codec::decode::<LinkPost>(bytes.as_slice(), LINK_POST_BYTES_MAX),
            Ok(_) => return Err(FederationError::Nonsense { node: peer.clone() }.into()),
            Err(error) => {
                self.voices
                    .change(peer, |voice| *voice = Voice { answering: voice.answering, ..Voice::default() });
                return Err(error.into());
            }
        };
        let answer = answer.map_err(|_| FederationError::Nonsense { node: peer.clone() })?;
        if offer.is_some() || withdraws {
            self.wallet.offer_told(peer, offer, answer.gone.clone()).await?;
        }
        let heard = self.hear(peer, answer).await?;
        if let Some(trouble) = &heard.trouble {
            tracing::debug!(node = %peer, %trouble, "what a node says of payments was not taken");
        }
        let moved = heard.news || heard.frozen.is_some() || count == 0;
        Ok(if moved { LinkRound::Went } else { LinkRound::Stuck })
    }

    /// Whether there is as much to say that was not said as goes at once.
    pub(super) async fn fills_a_post(&self, peer: &NodeName) -> bool {
        let Ok(Some(link)) = self.wallet.link(peer).await else { return false };
        let said = self.voices.of(peer).said.map_or(0, |(upto, _)| upto);
        link.sent.seq.saturating_sub(said.max(link.confirmed.seq)) >= MESSAGES_MAX as u64
    }

    /// A node says something of payments: it is taken, and answered with what there is to say to it.
    pub(super) async fn answer_link(&self, from: &NodeName, post: &Blob) -> Result<Answer> {
        let malformed = |_| Problem::new(weft_wire::Code::Malformed);
        let post: LinkPost = codec::decode(post.as_slice(), LINK_POST_BYTES_MAX)
            .map_err(|error| FederationError::Refused(malformed(error)))?;
        // What is heard is not said back by a round of its own before the answer has said it.
        let _answering = Answering::begin(&self.voices, from);
        Ok(Answer::Link(Blob(codec::encode(&self.try_answer_link(from, post).await?))))
    }

    async fn try_answer_link(&self, from: &NodeName, post: LinkPost) -> Result<LinkPost> {
        if post.wants_statement.is_some() || post.thaw.is_some() {
            return self.answer_thaw(from, post).await;
        }
        let heard = self.hear(from, post).await?;
        if let Some(trouble) = &heard.trouble {
            tracing::debug!(node = %from, %trouble, "what a node says of payments was not taken");
        }
        if let (Some(fault), false) = (heard.over, heard.news) {
            return Err(fault.into());
        }
        let said = self.wallet.say(from, self.voices.of(from).lacks_terms).await?;
        let count = said.post.messages.len();
        self.voices.change(from, |voice| voice.said(said.link.as_ref(), count));
        Ok(LinkPost { gone: heard.gone, ..said.post })
    }

    /// Checks who has signed, and has it taken.
    async fn hear(&self, from: &NodeName, post: LinkPost) -> Result<Heard> {
        crate::error::at_most("messages", post.messages.len(), MESSAGES_MAX)?;
        let peer = self.nodes.peers.get(from).await?.ok_or(FederationError::NotFound)?;
        let gone = match post.withdraws {
            none if none.is_empty() => none,
            taken => self.wallet.take_withdrawal(from, taken).await?,
        };
        if let Some(offer) = post.offer {
            // Names that are keys are free to make: what they write here would stay.
            if self.nodes.is_stranger(from).await? {
                return Err(FederationError::NotAllowed { node: from.clone() }.into());
            }
            if let Err(error) = self.wallet.take_offer(from, &peer.key, offer).await {
                tracing::warn!(node = %from, %error, "terms were offered that cannot be taken");
            }
        }
        let bad = |_| WalletError::Signature("the other node");
        let ack = post.ack.as_ref().map(|ack| ack.verify(&peer.key)).transpose().map_err(bad)?;
        // Without a link there is nothing to take: whoever asks costs no more than that.
        let Some(link) = self.wallet.link(from).await? else { return Ok(Heard { gone, ..Heard::default() }) };
        let lacks_terms = ack.is_none_or(|ack| ack.terms != link.terms.digest());
        self.voices.change(from, |voice| voice.lacks_terms = lacks_terms);
        let (mut messages, mut known) = (Vec::with_capacity(post.messages.len()), HashMap::new());
        let mut over = None;
        for message in post.messages {
            let said = message.verify(&peer.key).map_err(bad)?;
            let is_new = (said.era, said.seq) > (link.era, link.taken.seq);
            if is_new && let Err(fault) = self.charge_written(from, &peer, &said.body, message.body().len()) {
                over = Some(fault);
                break;
            }
            let takes = match said.body {
                Body::Prepare(prepare) => self.takes(&prepare, &mut known).await?,
                _ => false,
            };
            messages.push((message, takes));
        }
        let heard = self.wallet.hear(from, Letter { ack: post.ack, messages }).await?;
        Ok(Heard { over, gone, ..heard })
    }

    /// What the other node asks for stays on this disk, whatever becomes of it, and nobody's account is charged for it. Taken before
    /// it is looked at; what finds nothing left comes again later. Decisions are free: they end what somebody here has asked for.
    fn charge_written(
        &self,
        from: &NodeName,
        peer: &PeerRecord,
        body: &Body,
        bytes: usize,
    ) -> Result<(), Fault> {
        if !matches!(body, Body::Prepare(_) | Body::Status { .. }) {
            return Ok(());
        }
        let cost = usize::try_from(peer.cost(bytes + ROWS_BYTES)).unwrap_or(usize::MAX);
        self.ctx.limits.take_bytes(&LimitKey::Peer(from.clone()), cost)
    }

    /// Whether somebody here takes a payment: they are there, are not locked out, have not blocked who pays, and its id is that of
    /// the payer's order. What a shop takes, and what an invoice asks for, is for the wallet to know.
    async fn takes(
        &self,
        prepare: &Prepare,
        known: &mut HashMap<(UserAddress, UserName), bool>,
    ) -> Result<bool, Fault> {
        let Aim::Payment { payer, payee, .. } = &prepare.aim else { return Ok(false) };
        let is_here = payee.address().is_some_and(|payee| self.ctx.is_local(payee));
        if Memo::of(prepare).is_none() || !is_here {
            return Ok(false);
        }
        let payee = match payee {
            Payee::Person(payee) => payee,
            // The shop is looked at together with its sale, and an invoice with who is to pay it.
            Payee::Merchant(_) | Payee::Invoice(_) => return Ok(true),
            _ => return Ok(false),
        };
        let pair = (payer.clone(), payee.name.clone());
        if let Some(takes) = known.get(&pair) {
            return Ok(*takes);
        }
        let is_there = self.has_account(payee).await.map_err(|error| match error {
            FlowError::Fault(fault) => fault,
            _ => Fault::Internal("whether there is such a person"),
        })?;
        let takes = is_there && !self.contacts.has_blocked(&payee.name, payer).await?;
        known.insert(pair, takes);
        Ok(takes)
    }

    /// The operator offers terms to a node that is known here. Gives by what they are named, in hex.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] for a node that was never met, and as the wallet's verb.
    pub async fn propose_terms(&self, peer: &NodeName, wish: TermsWish) -> Result<String> {
        self.keep_peer(peer).await?;
        Ok(hex(&self.wallet.propose_terms(peer, wish).await?))
    }

    /// The operator accepts what the other one has offered, as it is named by its digest.
    ///
    /// # Errors
    /// As [`Self::propose_terms`].
    pub async fn accept_terms(&self, peer: &NodeName, digest: &str) -> Result<()> {
        self.keep_peer(peer).await?;
        Ok(self.wallet.accept_terms(peer, digest).await?)
    }

    /// The operator takes back what was offered and the other one has not signed. The courier tells the other node.
    ///
    /// # Errors
    /// [`FederationError::NotFound`], and as the wallet's verb.
    pub async fn withdraw_terms(&self, peer: &NodeName) -> Result<()> {
        self.keep_peer(peer).await?;
        Ok(self.wallet.withdraw_terms(peer).await?)
    }

    /// The operator has to do with a node: it is no stranger any more.
    async fn keep_peer(&self, peer: &NodeName) -> Result<()> {
        if self.nodes.peers.get(peer).await?.is_none() {
            return Err(FederationError::NotFound.into());
        }
        self.ctx.store.transact(|tx| async move { self.nodes.peers.stage_use(&tx, peer).await }).await?;
        Ok(())
    }

    /// Whether money may be sent to people of a node at all.
    pub(super) async fn may_pay_at(&self, node: &NodeName) -> Result<()> {
        if self.wallet.link(node).await?.is_none() {
            let is_out = self.ctx.config.blocked_nodes.contains(node) || self.shuts_out(node).await?;
            let none = WalletError::Link(LinkTrouble::NoLink);
            let shut_out = || FederationError::NotAllowed { node: node.clone() };
            return Err(if is_out { shut_out().into() } else { none.into() });
        }
        // It is known: nobody is asked.
        self.nodes.peers.reach(&LimitKey::Peer(node.clone()), node, None).await.map(drop)?;
        Ok(())
    }

    /// Nodes to which there may be something to say.
    pub(super) async fn linked_nodes(&self) -> Result<HashSet<NodeName>> {
        Ok(self.wallet.linked().await?.into_iter().collect())
    }
}
