//! Terms with other nodes: an operator signs what they offer, the other one's signature puts it into force.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    link_post::LinkOffer,
    link_rates as rates,
    records::{AgreedRecord, AssetNote, AssetRecord, OfferRecord},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use std::sync::Arc;
use weft_ledger::link::{
    Agreed, Covered, Digest, Link, LinkBooks, Terms, change_terms, expect_terms, open_link, prefer_terms,
};
use weft_store::tables;
use weft_wire::{
    Blob, Millis, NodeName, Signed,
    limits::{ASSET_BACKING_BYTES_MAX, ASSET_TITLE_BYTES_MAX},
    text,
    wallet::{Asset, AssetCode, SCALE_MAX},
};

/// How long a payment may wait, if the operator says nothing.
const LIFETIME_MS: Millis = 7 * 24 * 60 * 60 * 1000;
/// Terms of one version that this operator has signed, of which the other may still sign any.
const OURS_MAX: usize = 4;
/// What is kept of offers of one node and to it: a value of the store holds a little more.
const OFFERS_BYTES_MAX: usize = 60 << 10;

/// What an operator wants to be changed in the terms with a node. What is not named stays as it is.
#[derive(Debug, Clone, Default)]
pub struct TermsWish {
    /// Which assets go over the link, and up to how much.
    pub assets: Vec<CoveredWish>,
    /// At which rates one asset is exchanged for another.
    pub rates: Vec<RateWish>,
    /// How long a payment may wait for its payee.
    pub lifetime_ms: Option<Millis>,
    /// The digest, in hex, of the terms in force that were looked at; empty: there were none. None: nobody has looked.
    pub seen: Option<String>,
}

/// A rate of the terms: what people of the one node get for what people of the other pay.
#[derive(Debug, Clone)]
pub struct RateWish {
    /// What is paid.
    pub give: AssetCode,
    /// The other node issues what is paid.
    pub gives_theirs: bool,
    /// What the payee gets: it is of the payee's node.
    pub get: AssetCode,
    /// The other node issues it.
    pub gets_theirs: bool,
    /// How much of it is got for one of the other, as people write it: 1.09. None: there is no such rate any more.
    pub rate: Option<String>,
    /// Until when it holds.
    pub until_ms: Millis,
}

/// An asset of the terms.
#[derive(Debug, Clone)]
pub struct CoveredWish {
    /// What it is called.
    pub code: AssetCode,
    /// The other node issues it.
    pub is_theirs: bool,
    /// Decimals; needed for one of theirs that is not known here as yet.
    pub scale: Option<u8>,
    /// How much of it the other one than the issuer is willing to have, as people write it.
    pub limit: String,
}

impl Wallet {
    /// The operator signs terms and has them offered to the other one. Gives by what they are named.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an asset that this node does not issue, [`Fault::Invalid`], [`Fault::TooMany`],
    /// [`WalletError::Link`] for what cannot be terms, or where others are in force than those that were looked at.
    pub async fn propose_terms(&self, peer: &NodeName, wish: TermsWish) -> Result<Digest> {
        if *peer == self.ctx.node {
            return Err(Fault::Invalid { field: "node", why: "that is this node itself" }.into());
        }
        let terms = self.terms_of(peer, wish).await?;
        terms.check(self.ctx.now()).map_err(|error| WalletError::Link(LinkTrouble::Terms(error)))?;
        self.no_ring(peer, &terms).await?;
        let (digest, signed) = (terms.digest(), Signed::sign(&terms, &self.key));
        let (own, peer) = (self.ctx.node.clone(), peer.clone());
        self.teller.run(move |sheet| sheet.propose(&own, &peer, &signed)).await?;
        Ok(digest)
    }

    /// The operator signs what the other one has signed: from now on it is in force here. `named`: the digest of what was looked at,
    /// in hex, and all of it: who writes an offer can find two that begin alike. What is in force already is signed once.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] if nothing, or something else, is offered; [`WalletError::Link`].
    pub async fn accept_terms(&self, peer: &NodeName, named: &str) -> Result<()> {
        let record: OfferRecord =
            self.ctx.read(tables::LINK_OFFERS, peer.as_str()).await?.unwrap_or_default();
        let none = || WalletError::NotFound("offer");
        let is_it =
            |signed: &Signed<Terms>| named_as(signed).is_some_and(|is| is == named.to_ascii_lowercase());
        if record.agreed.as_ref().is_some_and(|agreed| is_it(&agreed.one)) {
            return Ok(());
        }
        let theirs = record.theirs.filter(is_it).ok_or_else(none)?;
        let terms = theirs.peek().map_err(|_| none())?;
        self.no_ring(peer, &terms).await?;
        let ours = Signed::sign(&terms, &self.key);
        if ours.body() != theirs.body() {
            return Err(WalletError::Link(LinkTrouble::Refused(
                "the offer is not written as it should be".into(),
            )));
        }
        let (own, peer) = (self.ctx.node.clone(), peer.clone());
        let agreed = Arc::new(Agreed { one: ours, other: theirs });
        self.teller
            .run(move |sheet| {
                let mut record = sheet.offers(&peer)?;
                if record.agreed.as_ref().is_some_and(|known| known.one.body() == agreed.one.body()) {
                    return Ok(());
                }
                if record.theirs.as_ref() != Some(&agreed.other) {
                    return Err(WalletError::NotFound("offer").into());
                }
                let rivals = record.signed_alone();
                sheet.agree(&own, &peer, &agreed, &mut record)?;
                sheet.rival(&peer, &mut record, rivals)?;
                record.told = false;
                sheet.put_offers(&peer, &record)
            })
            .await
    }

    /// Takes what the other operator has signed. With terms that this one's has signed as well they come into force.
    ///
    /// # Errors
    /// [`WalletError::Signature`], [`WalletError::Link`], [`Fault::TooLarge`].
    pub(crate) async fn take_offer(&self, peer: &NodeName, key: &[u8; 32], offer: LinkOffer) -> Result<()> {
        let terms = offer.terms.verify(key).map_err(|_| WalletError::Signature("the terms"))?;
        terms.check(self.ctx.now()).map_err(|error| WalletError::Link(LinkTrouble::Terms(error)))?;
        if !terms.is_between(&self.ctx.node, peer) {
            return Err(WalletError::Link(LinkTrouble::Refused("the terms are between other nodes".into())));
        }
        let notes = tidy(offer.notes, &terms, peer)?;
        let (own, peer, signed) = (self.ctx.node.clone(), peer.clone(), offer.terms);
        self.teller.run(move |sheet| sheet.take_offer(&own, &peer, (&signed, &terms), &notes)).await
    }

    /// The other node has heard of this offer, or of what was taken back; `gone`: what its operator cannot sign any more.
    pub(crate) async fn offer_told(
        &self,
        peer: &NodeName,
        told: Option<Signed<Terms>>,
        gone: Vec<Digest>,
    ) -> Result<()> {
        let peer = peer.clone();
        self.teller
            .run(move |sheet| {
                let known = sheet.offers(&peer)?;
                let mut record = known.clone();
                record
                    .withdrawn
                    .retain(|taken| digest_of(taken).is_some_and(|digest| !gone.contains(&digest)));
                record.told |= record.offered() == told.as_ref();
                if record != known {
                    sheet.put(tables::LINK_OFFERS, peer.as_str(), &record);
                }
                Ok(())
            })
            .await
    }

    /// The next terms, as the operator wants them.
    async fn terms_of(&self, peer: &NodeName, wish: TermsWish) -> Result<Terms> {
        let own = &self.ctx.node;
        let (a, b) = if own < peer { (own, peer) } else { (peer, own) };
        let fresh = Terms {
            a: a.clone(),
            b: b.clone(),
            version: 0,
            assets: Vec::new(),
            rates: Vec::new(),
            lifetime_ms_max: LIFETIME_MS,
        };
        let mut terms = self.link(peer).await?.map_or(fresh, |link| link.terms);
        let in_force = if terms.version == 0 { String::new() } else { hex(&terms.digest()) };
        Self::is_seen(wish.seen.as_deref(), &in_force)?;
        terms.version = terms.version.saturating_add(1);
        terms.lifetime_ms_max = wish.lifetime_ms.unwrap_or(terms.lifetime_ms_max);
        for wish in wish.assets {
            let issuer = if wish.is_theirs { peer } else { own };
            let known = self.assets_known().await?.into_iter().map(|record| record.asset);
            let mut known = known.chain(terms.assets.iter().map(|covered| covered.asset.clone()));
            let asset = match known.find(|asset| asset.issuer == *issuer && asset.code == wish.code) {
                Some(asset) => asset,
                None if !wish.is_theirs => return Err(WalletError::NotFound("asset")),
                None => {
                    let scale = wish.scale.filter(|scale| *scale <= SCALE_MAX);
                    let why = "say how many decimals it has, at most 12: CODE:DECIMALS";
                    let scale = scale.ok_or(Fault::Invalid { field: "asset", why })?;
                    Asset { issuer: issuer.clone(), code: wish.code, scale }
                }
            };
            let limit = weft_ledger::parse_amount(&wish.limit, asset.scale);
            let limit =
                limit.map_err(|_| Fault::Invalid { field: "limit", why: "it is no amount of the asset" })?;
            match terms.assets.iter_mut().find(|covered| covered.asset == asset) {
                Some(covered) => covered.limit = limit,
                None => terms.assets.push(Covered { asset, limit }),
            }
        }
        for wish in wish.rates {
            let named = |code: &AssetCode, is_theirs: bool| {
                let issuer = if is_theirs { peer } else { own };
                let mut covered = terms.assets.iter().map(|covered| &covered.asset);
                let found = covered.find(|asset| asset.issuer == *issuer && asset.code == *code);
                found.cloned().ok_or(WalletError::NotFound("asset"))
            };
            let (give, get) = (named(&wish.give, wish.gives_theirs)?, named(&wish.get, wish.gets_theirs)?);
            terms.rates.retain(|rate| (rate.give, rate.get) != (give.id(), get.id()));
            if let Some(written) = &wish.rate {
                terms.rates.push(rates::read(&give, &get, written, wish.until_ms)?);
            }
        }
        Ok(terms)
    }
}

impl OfferRecord {
    /// What this operator has signed last.
    pub(super) fn offered(&self) -> Option<&Signed<Terms>> {
        self.ours.last().or(self.agreed.as_ref().map(|agreed| &agreed.one))
    }

    /// What it has signed and the other's may sign too, taken out.
    fn signed_alone(&mut self) -> Vec<Signed<Terms>> {
        let mut signed = std::mem::take(&mut self.ours);
        signed.append(&mut self.withdrawn);
        signed
    }
}

impl Sheet<'_> {
    /// Keeps it, if it is no more than a row may have.
    pub(super) fn put_offers(&mut self, peer: &NodeName, record: &OfferRecord) -> Result<(), Stop> {
        crate::error::within("offers", weft_wire::encode(record).len(), OFFERS_BYTES_MAX)?;
        self.put(tables::LINK_OFFERS, peer.as_str(), record);
        Ok(())
    }

    /// Keeps what the link was frozen for, if there is room.
    pub(super) fn keep_evidence(&mut self, peer: &NodeName, signed: Vec<u8>) -> Result<(), Stop> {
        let record = OfferRecord { evidence: Some(Blob(signed)), ..self.offers(peer)? };
        self.put_offers(peer, &record).or(Ok(()))
    }

    pub(super) fn offers(&self, peer: &NodeName) -> Result<OfferRecord, Stop> {
        Ok(self.get(tables::LINK_OFFERS, peer.as_str())?.unwrap_or_default())
    }

    fn propose(&mut self, own: &NodeName, peer: &NodeName, signed: &Signed<Terms>) -> Result<(), Stop> {
        let mut record = self.offers(peer)?;
        let version = signed.peek().map_or(0, |terms| terms.version);
        if self.link(peer)?.map_or(1, |link| link.terms.version.saturating_add(1)) != version {
            return Err(WalletError::Link(LinkTrouble::TermsMoved).into());
        }
        record.ours.retain(|earlier| earlier != signed);
        record.withdrawn.retain(|earlier| earlier != signed);
        if record.ours.len() + record.withdrawn.len() >= OURS_MAX {
            return Err(Fault::TooMany { what: "offers that the other may accept", max: OURS_MAX }.into());
        }
        match record.theirs.clone().filter(|theirs| theirs.body() == signed.body()) {
            // Both have written the same.
            Some(theirs) => {
                let agreed = Agreed { one: signed.clone(), other: theirs };
                let rivals = record.signed_alone();
                self.agree(own, peer, &agreed, &mut record)?;
                self.rival(peer, &mut record, rivals)?;
            }
            None => record.ours.push(signed.clone()),
        }
        record.told = false;
        self.put_offers(peer, &record)
    }

    fn take_offer(
        &mut self,
        own: &NodeName,
        peer: &NodeName,
        (signed, terms): (&Signed<Terms>, &Terms),
        notes: &[AssetNote],
    ) -> Result<(), Stop> {
        let mut record = self.offers(peer)?;
        let is_agreed = record.agreed.as_ref().is_some_and(|agreed| agreed.other == *signed);
        if is_agreed || record.theirs.as_ref() == Some(signed) && record.notes == notes {
            return Ok(());
        }
        record.notes = notes.to_vec();
        // Whoever speaks under the terms in force has not signed others at that moment.
        if self.link(peer)?.is_some_and(|link| link.peer_terms == link.terms.digest()) {
            record.rivals.clear();
        }
        // This operator has signed what the other had offered, and the other at the same moment what this one had.
        if let Some(ours) = record.rivals.iter().find(|ours| ours.body() == signed.body()).cloned() {
            let now = self.now;
            if prefer_terms(self, peer, terms, now)? {
                let agreed = Agreed { one: ours, other: signed.clone() };
                self.keep_agreed(own, peer, &agreed, &mut record)?;
                record.told = false;
                self.put_offers(peer, &record)?;
            }
            return Ok(());
        }
        // What was taken back counts as long as the other node had not heard of that.
        let mut signed_here = record.ours.iter().chain(&record.withdrawn);
        match signed_here.find(|ours| ours.body() == signed.body()).cloned() {
            Some(ours) => {
                let agreed = Agreed { one: ours, other: signed.clone() };
                self.agree(own, peer, &agreed, &mut record)?;
            }
            None => {
                let expected =
                    self.link(peer)?.map_or(terms.version, |link| link.terms.version.saturating_add(1));
                if terms.version < expected {
                    return Err(WalletError::Link(LinkTrouble::TermsVersion { expected }).into());
                }
                record.theirs = Some(signed.clone());
            }
        }
        self.put_offers(peer, &record)
    }

    /// Puts terms into force, so that people can have their assets.
    fn agree(
        &mut self,
        own: &NodeName,
        peer: &NodeName,
        agreed: &Agreed<Terms>,
        record: &mut OfferRecord,
    ) -> Result<(), Stop> {
        let terms = agreed.one.peek().map_err(|_| Fault::Internal("terms that cannot be read"))?;
        let now = self.now;
        match self.link(peer)? {
            None => open_link(self, own, terms.clone(), now)?,
            Some(_) => change_terms(self, own, terms.clone(), now)?,
        }
        (record.ours, record.rivals, record.theirs) = (Vec::new(), Vec::new(), None);
        record.withdrawn.clear();
        self.keep_agreed(own, peer, agreed, record)
    }

    /// What this operator had offered is signed by the other one at this moment, perhaps.
    fn rival(
        &mut self,
        peer: &NodeName,
        record: &mut OfferRecord,
        rivals: Vec<Signed<Terms>>,
    ) -> Result<(), Stop> {
        let digests: Vec<Digest> = rivals.iter().filter_map(digest_of).collect();
        expect_terms(self, peer, &digests)?;
        record.rivals = rivals;
        // Without room for them the first of the two signatures that is heard counts, as it is with honest luck anyway.
        if weft_wire::encode(record).len() > OFFERS_BYTES_MAX {
            record.rivals.clear();
        }
        Ok(())
    }

    /// The assets of terms that are in force are known here from now on.
    fn keep_agreed(
        &mut self,
        own: &NodeName,
        peer: &NodeName,
        agreed: &Agreed<Terms>,
        record: &mut OfferRecord,
    ) -> Result<(), Stop> {
        let terms = agreed.one.peek().map_err(|_| Fault::Internal("terms that cannot be read"))?;
        let link: Link = self.link(peer)?.ok_or(Fault::Internal("a link that was opened just now"))?;
        self.own_link_accounts(&link);
        for Covered { asset, .. } in terms.assets.iter().filter(|covered| covered.asset.issuer != *own) {
            let note = record.notes.iter().find(|note| note.asset == asset.id());
            let (title, backing) = match note {
                Some(note) => (note.title.clone(), note.backing.clone()),
                None => (asset.code.to_string(), String::new()),
            };
            let known = AssetRecord { asset: asset.clone(), title, backing, payment_max: 0, day_max: 0 };
            self.put(tables::ASSETS, asset.id().0, &known);
        }
        record.agreed = Some(agreed.clone());
        let (key, at_ms) = (version_key(peer, terms.version), self.now);
        self.put(tables::LINK_TERMS, key, &AgreedRecord { agreed: agreed.clone(), at_ms });
        Ok(())
    }
}

/// Where terms that both have signed are kept.
pub(super) fn version_key(peer: &NodeName, version: u32) -> Vec<u8> {
    joined(peer.as_str(), version.to_be_bytes())
}

/// By what signed terms are named.
pub(super) fn digest_of(signed: &Signed<Terms>) -> Option<Digest> {
    signed.peek().ok().map(|terms| terms.digest())
}

/// The same, in hex.
fn named_as(signed: &Signed<Terms>) -> Option<String> {
    digest_of(signed).map(|digest| hex(&digest))
}

/// What a node says of the assets that it issues, as far as it can be shown.
fn tidy(notes: Vec<AssetNote>, terms: &Terms, peer: &NodeName) -> Result<Vec<AssetNote>> {
    let mut kept = Vec::new();
    for note in notes.into_iter().take(terms.assets.len()) {
        crate::error::within("title", note.title.len(), ASSET_TITLE_BYTES_MAX)?;
        crate::error::within("backing", note.backing.len(), ASSET_BACKING_BYTES_MAX)?;
        let is_theirs = terms.covered(note.asset).is_some_and(|covered| covered.asset.issuer == *peer);
        let title = text::name(&note.title);
        if is_theirs && !title.trim().is_empty() {
            kept.push(AssetNote { asset: note.asset, title, backing: text::body(&note.backing) });
        }
    }
    Ok(kept)
}

/// A digest as people read it.
pub fn hex(digest: &Digest) -> String {
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}
