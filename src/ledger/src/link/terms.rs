//! What two operators agreed on: which assets go over their link, up to how much, at which rates.

use super::{Digest, rings};
use serde::{Deserialize, Serialize};
use std::fmt;
use weft_wire::{AssetId, Millis, NodeName, signed::Signable, wallet::Asset};

/// Assets of one link.
const ASSETS_MAX: usize = 16;
/// Rates of one link.
const RATES_MAX: usize = 32;
/// How long a payment may wait at most, under any terms: a year.
const LIFETIME_MS_MAX: Millis = 366 * 24 * 60 * 60 * 1000;

/// The terms of a link. Both nodes hold the same, and each message names them by their [`Terms::digest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// One of the two nodes: the one whose name is the lower.
    pub a: NodeName,
    /// The other.
    pub b: NodeName,
    /// Counted from 1. Later terms take the place of earlier ones.
    pub version: u32,
    /// What may go over the link. At most 16; later terms have all that earlier ones have.
    pub assets: Vec<Covered>,
    /// At which rates one may be given for another. At most 32.
    pub rates: Vec<Rate>,
    /// How long a payment may wait for its payee.
    pub lifetime_ms_max: Millis,
}

/// An asset that goes over a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// One of the two nodes issues it.
    pub asset: Asset,
    /// How much of it the other one is willing to have, in minor units, counting what is under way. 0:
    /// nothing more.
    pub limit: u64,
}

/// What the payee gets for what the payer gives: given × numerator / denominator, in minor units, rounded
/// down. What is left of less than one minor unit is no amount that an account could have: it is in the
/// position of the payee's node, which gives so much less than what it takes is worth.
///
/// For what the payer gives, of whichever of the two nodes, the payee gets what their own node issues. Of
/// another's it would be backed by nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// What goes over the link.
    pub give: AssetId,
    /// What the payee's node gives for it.
    pub get: AssetId,
    /// At least 1.
    pub numerator: u64,
    /// At least 1.
    pub denominator: u64,
    /// From then on it holds no more.
    pub until_ms: Millis,
}

/// What is wrong with terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// They are between others, or not in the order of their names.
    #[error("the terms are between other nodes")]
    Parties,
    /// Counted from 1.
    #[error("versions begin with 1, and not so high that no others could follow")]
    Version,
    /// None, too many, two of one id, or one of another issuer.
    #[error("the terms cover 1 to {ASSETS_MAX} assets, each once, that one of the two nodes issues")]
    Assets,
    /// Too many, of other assets, of one for itself, twice, or with a zero.
    #[error("a rate is between two assets of the terms, once, and has no zero in it")]
    Rates,
    /// There and back again, or round in a ring, is more than before: people could do that again and again, at the
    /// nodes' cost.
    #[error("whoever gives {} has more of it than before: lower a rate", Ring(.0))]
    Gain(Vec<Asset>),
    /// None, or longer than a year.
    #[error("a payment waits for up to a year")]
    Lifetime,
}

/// A ring of assets as people read it: to the first one again.
struct Ring<'a>(&'a [Asset]);

impl fmt::Display for Ring<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.0.split_first() else { return Ok(()) };
        write!(f, "{first}")?;
        rest.iter().try_for_each(|asset| write!(f, " for {asset}, that"))?;
        write!(f, " for {first}")
    }
}

impl Signable for Terms {
    const CONTEXT: &'static str = "weft/link-terms/1";
    const BYTES_MAX: usize = 32 << 10;
}

impl Terms {
    /// What messages name the terms by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("weft/link-terms-digest/1", &weft_wire::encode(self))
    }

    /// Whether they can be terms at all, from now on.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn check(&self, now: Millis) -> Result<(), TermsError> {
        if self.a >= self.b {
            return Err(TermsError::Parties);
        }
        if self.version == 0 {
            return Err(TermsError::Version);
        }
        let ids: Vec<AssetId> = self.assets.iter().map(|covered| covered.asset.id()).collect();
        let is_ours = |covered: &Covered| [&self.a, &self.b].contains(&&covered.asset.issuer);
        let is_first = |at: usize, id| !ids.iter().take(at).any(|earlier| *earlier == id);
        let each_once = ids.iter().enumerate().all(|(at, id)| is_first(at, *id));
        if !(1..=ASSETS_MAX).contains(&ids.len()) || !each_once || !self.assets.iter().all(is_ours) {
            return Err(TermsError::Assets);
        }
        let sound = |(at, rate): (usize, &Rate)| {
            let before = self.rates.iter().take(at);
            ids.contains(&rate.give)
                && ids.contains(&rate.get)
                && rate.give != rate.get
                && rate.numerator > 0
                && rate.denominator > 0
                && !before.into_iter().any(|other| (other.give, other.get) == (rate.give, rate.get))
        };
        if self.rates.len() > RATES_MAX || !self.rates.iter().enumerate().all(sound) {
            return Err(TermsError::Rates);
        }
        if let Some(ring) = rings::gain(&self.rates_at(now)) {
            let asset = |id: &AssetId| self.covered(*id).map(|covered| covered.asset.clone());
            return Err(TermsError::Gain(ring.iter().filter_map(asset).collect()));
        }
        if !(1..=LIFETIME_MS_MAX).contains(&self.lifetime_ms_max) {
            return Err(TermsError::Lifetime);
        }
        Ok(())
    }

    /// The rates that hold now.
    fn rates_at(&self, now: Millis) -> Vec<Rate> {
        self.rates.iter().filter(|rate| now < rate.until_ms).copied().collect()
    }

    /// Whether what is given at this rate comes back as more, as all hold now. An earlier version took such terms: nothing is exchanged
    /// by that rate any more.
    #[must_use]
    pub fn gains(&self, rate: &Rate, now: Millis) -> bool {
        rings::gains(&self.rates_at(now), rate)
    }

    /// Whether they are between these two.
    #[must_use]
    pub fn is_between(&self, own: &NodeName, peer: &NodeName) -> bool {
        (&self.a, &self.b) == (own, peer) || (&self.a, &self.b) == (peer, own)
    }

    /// What they say of an asset.
    #[must_use]
    pub fn covered(&self, asset: AssetId) -> Option<&Covered> {
        self.assets.iter().find(|covered| covered.asset.id() == asset)
    }

    /// What is got for so much. `None`: there is no such rate now, or it is nothing, or more than the numbers
    /// hold.
    #[must_use]
    pub fn exchange(&self, give: AssetId, given: u64, get: AssetId, now: Millis) -> Option<u64> {
        let fits = |rate: &&Rate| (rate.give, rate.get) == (give, get) && now < rate.until_ms;
        let rate = self.rates.iter().find(fits).filter(|rate| !self.gains(rate, now))?;
        let got = u128::from(given) * u128::from(rate.numerator) / u128::from(rate.denominator.max(1));
        u64::try_from(got).ok().filter(|got| *got > 0)
    }

    /// The least for which so much is got, and what is got for it: a little more where the rate does not meet it to the unit. `None`: as
    /// [`Terms::exchange`].
    #[must_use]
    pub fn least_for(&self, give: AssetId, get: AssetId, wanted: u64, now: Millis) -> Option<(u64, u64)> {
        let fits = |rate: &&Rate| (rate.give, rate.get) == (give, get) && now < rate.until_ms;
        let rate = self.rates.iter().find(fits)?;
        let given = u128::from(wanted) * u128::from(rate.denominator);
        let given = u64::try_from(given.div_ceil(u128::from(rate.numerator.max(1)))).ok()?;
        Some((given, self.exchange(give, given, get, now)?))
    }

    /// What so much is set off against: at the rate, if the terms have one, and then it is the least that this
    /// much stands for, so that nobody loses more than rounding; else the same amount of an asset that is
    /// called alike and has as many decimals, if the terms have no rate the other way either.
    #[must_use]
    pub fn set_off(&self, give: AssetId, given: u64, against: AssetId, now: Millis) -> Option<u64> {
        let has_rate = |give, get| self.rates.iter().any(|rate: &Rate| (rate.give, rate.get) == (give, get));
        if has_rate(give, against) {
            let got = self.exchange(give, given, against, now)?;
            let of_less = self.exchange(give, given.saturating_sub(1), against, now);
            return (of_less != Some(got)).then_some(got);
        }
        if has_rate(against, give) {
            return None;
        }
        let (one, other) = (&self.covered(give)?.asset, &self.covered(against)?.asset);
        let is_alike = (&one.code, one.scale) == (&other.code, other.scale) && one.issuer != other.issuer;
        (is_alike && given > 0).then_some(given)
    }
}
