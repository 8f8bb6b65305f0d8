//! Rates of exchange between the assets of a link, as people write them: how much of the one for one of the other.

use super::{LinkTrouble, Result, Wallet, WalletError, records::OfferRecord};
use crate::Fault;
use std::collections::BTreeMap;
use weft_ledger::link::{Link, Rate, Terms, TermsError, gain_across};
use weft_store::tables;
use weft_wire::{
    AssetId, Millis, NodeName,
    wallet::{Asset, LinkedRate},
};

/// Decimals of a rate.
const DECIMALS_MAX: usize = 9;

impl Wallet {
    /// Terms by which one comes round to more through another link of this node, as it is or may come to be, are not signed: each link
    /// alone would not show it.
    ///
    /// # Errors
    /// [`LinkTrouble::Terms`].
    pub(super) async fn no_ring(&self, peer: &NodeName, terms: &Terms) -> Result<()> {
        let mut others = Vec::new();
        for other in self.linked().await?.into_iter().filter(|other| other != peer) {
            let record: Option<OfferRecord> = self.ctx.read(tables::LINK_OFFERS, other.as_str()).await?;
            let OfferRecord { ours, withdrawn, rivals, .. } = record.unwrap_or_default();
            // The other may still sign any of them, and nobody here is asked again.
            let signed = ours.iter().chain(&withdrawn).chain(&rivals).filter_map(|signed| signed.peek().ok());
            let present = self.link(&other).await?.map(|link| link.terms);
            let (signed, latest) = (signed.collect(), ours.last().and_then(|signed| signed.peek().ok()));
            others.push(Standing { present, latest, signed });
        }
        let known = others.iter().flat_map(|link| link.present.iter().chain(&link.signed)).chain([terms]);
        let covered = known.flat_map(|terms| &terms.assets).map(|covered| &covered.asset);
        let assets: BTreeMap<AssetId, &Asset> = covered.map(|asset| (asset.id(), asset)).collect();
        let is_own = |id| assets.get(&id).is_some_and(|asset| asset.issuer == self.ctx.node);
        let now = self.ctx.now();
        for mut rates in ways_to_be(&others, now) {
            // One that was there before is not of these terms: they can be changed all the same.
            if gain_across(&rates, is_own).is_some() {
                continue;
            }
            rates.push(rates_of(terms, now));
            if let Some(ring) = gain_across(&rates, is_own) {
                let ring = ring.iter().filter_map(|id| assets.get(id).map(|asset| Asset::clone(asset)));
                return Err(WalletError::Link(LinkTrouble::Terms(TermsError::Gain(ring.collect()))));
            }
        }
        Ok(())
    }
}

/// What is in force between this node and another one, and what may be: this node's operator has signed it.
struct Standing {
    present: Option<Terms>,
    latest: Option<Terms>,
    signed: Vec<Terms>,
}

/// The rates of all links as they may stand beside each other: as they are; one of them as it may come to be; and each of them by what
/// was signed last.
fn ways_to_be(links: &[Standing], now: Millis) -> Vec<Vec<Vec<Rate>>> {
    let of = |terms: Option<&Terms>| terms.map(|terms| rates_of(terms, now)).unwrap_or_default();
    let present: Vec<_> = links.iter().map(|link| of(link.present.as_ref())).collect();
    let latest = links.iter().map(|link| of(link.latest.as_ref().or(link.present.as_ref()))).collect();
    let mut ways = vec![present.clone(), latest];
    for (at, link) in links.iter().enumerate() {
        ways.extend(link.signed.iter().map(|terms| {
            let change = |(nth, rates): (usize, &Vec<Rate>)| {
                if nth == at { rates_of(terms, now) } else { rates.clone() }
            };
            present.iter().enumerate().map(change).collect()
        }));
    }
    ways
}

/// Those that are not over.
fn rates_of(terms: &Terms, now: Millis) -> Vec<Rate> {
    terms.rates.iter().filter(|rate| now < rate.until_ms).copied().collect()
}

/// Reads a rate like `1.09`: so much of `get` for one of `give`.
///
/// # Errors
/// [`Fault::Invalid`].
pub(super) fn read(give: &Asset, get: &Asset, text: &str, until_ms: Millis) -> Result<Rate> {
    let why = "a rate is a number like 1.09, above 0, with at most 9 decimals";
    let bad = || WalletError::from(Fault::Invalid { field: "rate", why });
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = [whole, part].concat();
    if whole.is_empty() || part.len() > DECIMALS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    let written: u128 = digits.parse().map_err(|_| bad())?;
    let power =
        |exponent: usize| u32::try_from(exponent).ok().and_then(|exponent| 10_u128.checked_pow(exponent));
    // Minor units of `get` for minor units of `give`.
    let numerator = power(get.scale.into()).and_then(|power| written.checked_mul(power)).ok_or_else(bad)?;
    let denominator = power(usize::from(give.scale) + part.len()).ok_or_else(bad)?;
    let common = divisor(numerator, denominator).max(1);
    let fits = |number: u128| u64::try_from(number / common).ok().filter(|number| *number > 0);
    let (numerator, denominator) = (fits(numerator).ok_or_else(bad)?, fits(denominator).ok_or_else(bad)?);
    Ok(Rate { give: give.id(), get: get.id(), numerator, denominator, until_ms })
}

/// Writes a rate exactly: as a number with decimals if it is one, else as a fraction.
pub(super) fn write(give: &Asset, get: &Asset, rate: &Rate) -> String {
    let power = |exponent: u8| 10_u128.checked_pow(exponent.into()).unwrap_or(1);
    // Scales have at most 12 decimals, so that these fit.
    let numerator = u128::from(rate.numerator).saturating_mul(power(give.scale));
    let denominator = u128::from(rate.denominator).saturating_mul(power(get.scale)).max(1);
    let common = divisor(numerator, denominator).max(1);
    let (numerator, denominator) = (numerator / common, denominator / common);
    let mut rest = denominator;
    for factor in [2, 5] {
        while rest % factor == 0 {
            rest /= factor;
        }
    }
    if rest != 1 {
        return format!("{numerator}/{denominator}");
    }
    let (mut left, mut text) = (numerator % denominator, (numerator / denominator).to_string());
    for at in 0..38 {
        if left == 0 {
            return text;
        }
        if at == 0 {
            text.push('.');
        }
        let Some(tens) = left.checked_mul(10) else { break };
        text.push_str(&(tens / denominator).to_string());
        left = tens % denominator;
    }
    format!("{numerator}/{denominator}")
}

/// The rates at which people here can pay people of the other node now.
pub(super) fn of_payers(link: &Link, now: Millis) -> Vec<LinkedRate> {
    let is_theirs = |rate: &&Rate| now < rate.until_ms && !link.is_issuer(rate.get);
    let rates = link.terms.rates.iter().filter(is_theirs).filter(|rate| !link.terms.gains(rate, now));
    let told = |rate: &Rate| {
        let asset = |id| link.terms.covered(id).map(|covered| &covered.asset);
        let (give, get) = (asset(rate.give)?, asset(rate.get)?);
        Some(LinkedRate {
            give: rate.give,
            get: get.clone(),
            numerator: rate.numerator,
            denominator: rate.denominator,
            rate: write(give, get, rate),
            until_ms: rate.until_ms,
        })
    };
    rates.filter_map(told).collect()
}

fn divisor(mut one: u128, mut other: u128) -> u128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(code: &str, scale: u8) -> Asset {
        Asset { issuer: "a.example".parse().unwrap(), code: code.parse().unwrap(), scale }
    }

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        let (euro, points) = (asset("EUR", 2), asset("POINTS", 0));
        for (text, one, other) in
            [("1.09", 109, 100), ("0.5", 1, 2), ("100", 100, 1), ("0.000000001", 1, 1_000_000_000)]
        {
            let rate = read(&euro, &asset("USD", 2), text, 7).unwrap();
            assert_eq!((rate.numerator, rate.denominator, rate.until_ms), (one, other, 7), "{text}");
            assert_eq!(write(&euro, &asset("USD", 2), &rate), text);
        }
        // For a euro, which is a hundred of its minor units, there are twelve points and a half.
        let rate = read(&euro, &points, "12.5", 7).unwrap();
        assert_eq!((rate.numerator, rate.denominator), (1, 8));
        assert_eq!(write(&euro, &points, &rate), "12.5");
        let third = Rate { numerator: 1, denominator: 3, ..rate };
        assert_eq!(write(&euro, &points, &third), "100/3");
        for bad in ["", ".5", "1.", "0", "0.0", "-1", "1e3", "1,5", "1.0000000001", "99999999999999999999999"]
        {
            let outcome = read(&euro, &points, bad, 7);
            assert!(outcome.is_err() || bad == "1.", "{bad}: {outcome:?}");
        }
    }
}
