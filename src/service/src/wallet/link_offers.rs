//! What operators see of terms with another node, and how they take back what they have offered.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    link_look::terms_row,
    link_terms::{CoveredWish, RateWish, TermsWish},
    records::{AgreedRecord, OfferRecord},
    sheet::Sheet,
};
use crate::context::joined;
use weft_ledger::link::{Agreed, Digest, Terms};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    NodeName, Signed,
    limits::PAGE_MAX,
    link_terms::{LinkTerms, ProposeTerms, SignedTerms, TermsStanding},
};

impl From<ProposeTerms> for TermsWish {
    fn from(ProposeTerms { assets, rates, lifetime_ms, seen }: ProposeTerms) -> Self {
        let covered = assets.into_iter().map(|asset| CoveredWish {
            code: asset.code,
            is_theirs: asset.theirs,
            scale: asset.scale,
            limit: asset.limit,
        });
        let rates = rates.into_iter().map(|rate| RateWish {
            give: rate.give.0,
            gives_theirs: rate.give.1,
            get: rate.get.0,
            gets_theirs: rate.get.1,
            rate: rate.rate,
            until_ms: rate.until_ms,
        });
        TermsWish { assets: covered.collect(), rates: rates.collect(), lifetime_ms, seen }
    }
}

impl Wallet {
    /// The terms with a node: what either has offered, what is in force, and what was, the newest first.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn link_terms(&self, peer: &NodeName) -> Result<LinkTerms> {
        let record: OfferRecord =
            self.ctx.read(tables::LINK_OFFERS, peer.as_str()).await?.unwrap_or_default();
        let link = self.link(peer).await?;
        let frozen = link.as_ref().and_then(|link| link.frozen.as_ref());
        let mut told = LinkTerms {
            of: self.ctx.node.clone(),
            frozen: frozen.map(|frozen| (frozen.why.to_string(), frozen.at_ms)),
            thawing: frozen.is_some() && (record.thawing.is_some() || record.thaw.is_some()),
            terms: Vec::new(),
        };
        told.terms
            .extend(record.theirs.iter().filter_map(|signed| row(TermsStanding::Asked, None, Some(signed))));
        let newest_first = |standing, signed: &[Signed<Terms>]| -> Vec<SignedTerms> {
            signed.iter().rev().filter_map(|signed| row(standing, Some(signed), None)).collect()
        };
        told.terms.extend(newest_first(TermsStanding::Offered, &record.ours));
        told.terms.extend(newest_first(TermsStanding::Withdrawn, &record.withdrawn));
        let mut agreed = self.agreed_terms(peer).await?;
        // Those of before they were kept.
        if let Some(known) =
            record.agreed.filter(|known| agreed.first().is_none_or(|first| first.0 != *known))
        {
            agreed.insert(0, (known, None));
        }
        let mut standing = TermsStanding::InForce;
        for (Agreed { one, other }, at_ms) in &agreed {
            let signed = row(standing, Some(one), Some(other));
            told.terms.extend(signed.map(|signed| SignedTerms { at_ms: *at_ms, ..signed }));
            standing = TermsStanding::Past;
        }
        Ok(told)
    }

    /// What both have signed, the newest first: at most a page of it.
    async fn agreed_terms(&self, peer: &NodeName) -> Result<Vec<(Agreed<Terms>, Option<u64>)>> {
        let scan = Scan::prefix(joined(peer.as_str(), [])).reverse().limit(PAGE_MAX);
        let mut agreed = Vec::new();
        for kept in self.ctx.store.scan(tables::LINK_TERMS, scan).await? {
            let AgreedRecord { agreed: both, at_ms } = AgreedRecord::from_record(&kept.value)?;
            agreed.push((both, Some(at_ms)));
        }
        Ok(agreed)
    }

    /// The operator takes back all that this node has offered and the other operator has not signed. Until the other node has confirmed
    /// it, that one may still sign it: then it is in force.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] if nothing is offered.
    pub async fn withdraw_terms(&self, peer: &NodeName) -> Result<()> {
        let peer = peer.clone();
        self.teller
            .run(move |sheet: &mut Sheet<'_>| {
                let mut record = sheet.offers(&peer)?;
                if record.ours.is_empty() && record.withdrawn.is_empty() {
                    return Err(WalletError::NotFound("offer").into());
                }
                record.withdrawn.append(&mut record.ours);
                record.told = false;
                sheet.put_offers(&peer, &record)
            })
            .await
    }

    /// The other operator takes back what this one has not signed. Gives those that cannot be signed here any more.
    pub(crate) async fn take_withdrawal(&self, peer: &NodeName, taken: Vec<Digest>) -> Result<Vec<Digest>> {
        crate::error::at_most("withdrawn offers", taken.len(), WITHDRAWN_MAX)?;
        let peer = peer.clone();
        self.teller
            .run(move |sheet: &mut Sheet<'_>| {
                let mut record = sheet.offers(&peer)?;
                let is_taken = |signed: &Signed<Terms>| {
                    super::link_terms::digest_of(signed).is_some_and(|digest| taken.contains(&digest))
                };
                if record.theirs.as_ref().is_some_and(is_taken) {
                    (record.theirs, record.notes) = (None, Vec::new());
                    sheet.put_offers(&peer, &record)?;
                }
                let in_force = record.agreed.as_ref();
                let in_force = in_force.and_then(|agreed| super::link_terms::digest_of(&agreed.other));
                let is_gone = |digest: &&Digest| Some(**digest) != in_force;
                Ok(taken.iter().filter(is_gone).copied().collect())
            })
            .await
    }

    /// What was looked at before it is signed is still what is asked for.
    pub(super) fn is_seen(seen: Option<&str>, in_force: &str) -> Result<()> {
        match seen {
            Some(seen) if seen.to_ascii_lowercase() != in_force => {
                Err(WalletError::Link(LinkTrouble::TermsMoved))
            }
            _ => Ok(()),
        }
    }
}

/// Offers that are taken back at once.
const WITHDRAWN_MAX: usize = 16;

fn row(
    standing: TermsStanding,
    own: Option<&Signed<Terms>>,
    theirs: Option<&Signed<Terms>>,
) -> Option<SignedTerms> {
    let hex = |signed: &Signed<Terms>| signed.signature().iter().map(|byte| format!("{byte:02x}")).collect();
    let terms = own.or(theirs)?.peek().ok()?;
    let (own, theirs) = (own.map(hex), theirs.map(hex));
    Some(SignedTerms { standing, terms: terms_row(&terms), at_ms: None, own, theirs })
}
