//! What two nodes say to each other of payments: taken by the teller all at once, and said from what is committed.

use super::{
    Result, Wallet, WalletError,
    link_books::payment_key,
    link_terms::digest_of,
    records::{AssetNote, LinkRecord, OfferRecord, OutgoingRecord, RemoteRecord},
    sheet::{Place, Sheet, Stop},
};
use crate::{Fault, context::joined};
use serde::{Deserialize, Serialize};
use weft_ledger::link::{
    Ack, Body, Digest, Freeze, Link, Message, Notice, Received, State, Statement, Terms, Thaw, Way, receive,
    receive_ack,
};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{Millis, NodeName, Signed, TransferId, encode};

/// Messages that are said at once.
pub(crate) const MESSAGES_MAX: usize = 128;

/// What a node has to say to another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LinkPost {
    /// Terms that its operator has signed, as long as the other has not heard of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<LinkOffer>,
    /// How far it is; none as long as there is no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Signed<Ack>>,
    /// Messages in their order, at most [`MESSAGES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Signed<Message>>,
    /// The operator wants to see what the other has in its books of the link, which stands still: of payments since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants_statement: Option<Millis>,
    /// The answer to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Signed<Statement>>,
    /// With what the link begins anew, as the operator has signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw: Option<Signed<Thaw>>,
    /// Terms that its operator has signed, and takes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdraws: Vec<Digest>,
    /// The answer to that: those that the other operator has not signed, and cannot sign any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Digest>,
}

/// Terms that one operator has signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LinkOffer {
    pub terms: Signed<Terms>,
    /// What the node says of the assets that it issues itself.
    pub notes: Vec<AssetNote>,
}

/// A post that is checked: signatures are the other node's.
pub(crate) struct Letter {
    pub ack: Option<Signed<Ack>>,
    /// With whether the payee, if it is a payment, takes it.
    pub messages: Vec<(Signed<Message>, bool)>,
}

/// What came of a post.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Something in it was new.
    pub news: bool,
    /// The link stands still because of it.
    pub frozen: Option<Freeze>,
    /// Why something in it was not taken.
    pub trouble: Option<WalletError>,
    /// The other node has written as much as it may: what comes after that was not looked at.
    pub over: Option<Fault>,
    /// Offers that the other's operator has taken back, and this one's has not signed.
    pub gone: Vec<Digest>,
}

/// A post and what is to be known of it.
pub(crate) struct Said {
    pub post: LinkPost,
    pub link: Option<Link>,
    /// The other has not heard of the offer, or of what was taken back.
    pub untold: bool,
}

/// One part of a letter.
enum Part {
    Ack(Signed<Ack>),
    Message(Signed<Message>, bool),
}

impl Part {
    /// Rows that it takes to hear it, as far as they can be named before.
    fn rows(&self, peer: &NodeName) -> Vec<Place> {
        let Part::Message(message, _) = self else { return Vec::new() };
        let Ok(message) = message.peek() else { return Vec::new() };
        let (way, id) = match &message.body {
            Body::Prepare(prepare) => (Way::In, prepare.payment),
            Body::Status { payment } => (Way::In, *payment),
            Body::Fulfil { payment, .. } | Body::Reject { payment, .. } | Body::Waiting { payment } => {
                (Way::Out, *payment)
            }
        };
        let mut rows = vec![(tables::LINK_PAYMENTS, payment_key(peer, way, id))];
        if way == Way::Out {
            let answer = TransferId::of_answer(id);
            rows.extend([id, answer].map(|id| (tables::LEDGER_ENTRIES, id.0.to_vec())));
            rows.push((tables::LEDGER_STANDINGS, id.0.to_vec()));
        }
        rows
    }
}

impl Wallet {
    /// The link with a node.
    ///
    /// # Errors
    /// [`crate::Fault`], as for all that follows.
    pub(crate) async fn link(&self, peer: &NodeName) -> Result<Option<Link>> {
        let record: Option<LinkRecord> = self.ctx.read(tables::LINKS, peer.as_str()).await?;
        Ok(record.map(|record| record.0))
    }

    /// Takes what another node says. Each part is taken or not by itself, in their order; all come to the teller together.
    pub(crate) async fn hear(&self, peer: &NodeName, letter: Letter) -> Result<Heard> {
        let messages = letter.messages.into_iter().map(|(message, takes)| Part::Message(message, takes));
        let parts = letter.ack.map(Part::Ack).into_iter().chain(messages);
        let works = parts.map(|part| {
            let peer = peer.clone();
            (part.rows(&peer), move |sheet: &mut Sheet<'_>| sheet.hear(&peer, &part))
        });
        let mut heard = Heard::default();
        for outcome in self.teller.run_all_with(works.collect()).await {
            match outcome {
                Ok(Received::Taken(_)) => heard.news = true,
                Ok(Received::Again) => {}
                Ok(Received::Frozen(why)) => heard.frozen = Some(why),
                Err(WalletError::Fault(fault)) => return Err(fault.into()),
                Err(error) => {
                    heard.trouble.get_or_insert(error);
                }
            }
        }
        Ok(heard)
    }

    /// What there is to say to another node, as it is committed.
    pub(crate) async fn say(&self, peer: &NodeName, offer_again: bool) -> Result<Said> {
        let record: OfferRecord =
            self.ctx.read(tables::LINK_OFFERS, peer.as_str()).await?.unwrap_or_default();
        let link = self.link(peer).await?;
        let mut post = LinkPost::default();
        let untold = !record.told && (record.offered().is_some() || !record.withdrawn.is_empty());
        post.withdraws = record.withdrawn.iter().filter_map(digest_of).collect();
        if let Some(terms) = record.offered().filter(|_| untold || offer_again) {
            post.offer = Some(LinkOffer { terms: terms.clone(), notes: self.own_notes(terms).await? });
        }
        if let Some(link) = &link {
            post.ack = Some(Signed::sign(&link.ack(), &self.key));
            if link.frozen.is_none() {
                post.messages = self.unconfirmed(link).await?;
            }
        }
        Ok(Said { post, link, untold })
    }

    async fn unconfirmed(&self, link: &Link) -> Result<Vec<Signed<Message>>> {
        let prefix = joined(link.peer.as_str(), []);
        let after = joined(link.peer.as_str(), link.confirmed.seq.to_be_bytes());
        let scan = Scan::prefix(prefix).after(after).limit(MESSAGES_MAX);
        let rows = self.ctx.store.scan(tables::LINK_OUTGOING, scan).await?;
        let sign = |row: &weft_store::Row| -> Result<Signed<Message>> {
            let OutgoingRecord(outgoing) = OutgoingRecord::from_record(&row.value)?;
            Ok(Signed::sign_encoded(outgoing.body.as_slice(), &self.key))
        };
        rows.iter().map(sign).collect()
    }

    async fn own_notes(&self, terms: &Signed<Terms>) -> Result<Vec<AssetNote>> {
        let Ok(terms) = terms.peek() else { return Ok(Vec::new()) };
        let known = self.assets_known().await?.into_iter();
        let own = known.filter(|record| record.asset.issuer == self.ctx.node);
        let covered = own.filter(|record| terms.covered(record.asset.id()).is_some());
        let note = |record: super::records::AssetRecord| AssetNote {
            asset: record.asset.id(),
            title: record.title,
            backing: record.backing,
        };
        Ok(covered.map(note).collect())
    }

    /// Nodes with which there is a link, or an offer.
    pub(crate) async fn linked(&self) -> Result<Vec<NodeName>> {
        let mut nodes = std::collections::BTreeSet::new();
        for table in [tables::LINKS, tables::LINK_OFFERS] {
            let mut after = Vec::new();
            loop {
                let rows = self.ctx.store.scan(table, Scan::prefix([]).after(&after)).await?;
                let Some(last) = rows.last() else { break };
                after.clone_from(&last.key);
                let names = rows.iter().filter_map(|row| std::str::from_utf8(&row.key).ok()?.parse().ok());
                nodes.extend(names);
            }
        }
        Ok(nodes.into_iter().collect())
    }

    /// A payment over a link.
    pub(super) async fn remote(
        &self,
        peer: &NodeName,
        way: Way,
        id: TransferId,
    ) -> Result<Option<weft_ledger::link::Payment>> {
        let key = payment_key(peer, way, id);
        let record: Option<RemoteRecord> = self.ctx.read(tables::LINK_PAYMENTS, key).await?;
        Ok(record.map(|record| record.0))
    }
}

impl Sheet<'_> {
    fn hear(&mut self, peer: &NodeName, part: &Part) -> Result<Received, Stop> {
        let now = self.now;
        let received = match part {
            Part::Ack(ack) => receive_ack(self, peer, ack.body(), now)?,
            Part::Message(message, takes) => {
                self.takes = *takes;
                receive(self, peer, message.body(), now)?
            }
        };
        match received {
            Received::Taken(Some(Notice::Answered(id, State::Fulfilled))) => self.note_paid(peer, id)?,
            // Its row has what was said; here is who has signed it.
            Received::Frozen(_) => {
                let signed = match part {
                    Part::Ack(ack) => encode(ack),
                    Part::Message(message, _) => encode(message),
                };
                self.keep_evidence(peer, signed)?;
            }
            _ => {}
        }
        Ok(received)
    }
}
