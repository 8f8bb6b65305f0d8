//! The terms of a link, as the two operators make them. Sums and rates are as people write them.
//!
//! `GET wallet/admin/links/NODE/terms` · `POST wallet/admin/links/NODE/{offer,accept,withdraw,freeze,thaw}`, for a session of the owner.
//! All take and give a [`Table`]: the engine in the browser hands it on, and need not know what is in it.

use crate::{
    Millis, NodeName,
    admin::{TermsRow, ThawRow},
    links::{Table, flag},
    wallet::AssetCode,
};
use serde::{Deserialize, Serialize};

/// Rows that a table of a wish may have: as many as terms can have assets and rates, and some more.
const ROWS_MAX: usize = 64;

/// `POST wallet/admin/links/NODE/offer`: what is to be changed in the terms that there are. What is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposeTerms {
    /// Which assets go over the link, and up to how much.
    pub assets: Vec<CoveredAsset>,
    /// At which rates one is exchanged for another.
    #[serde(default)]
    pub rates: Vec<ExchangeRate>,
    /// How long a payment may wait for its payee.
    pub lifetime_ms: Option<Millis>,
    /// The digest of the terms in force that were looked at; empty: there were none. None: nobody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// An asset of terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredAsset {
    /// What it is called.
    pub code: AssetCode,
    /// The other node issues it.
    pub theirs: bool,
    /// Decimals, for one of theirs that is not known here.
    pub scale: Option<u8>,
    /// How much of it the other one than its issuer is willing to have.
    pub limit: String,
}

/// A rate of terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// What is paid, and whether the other node issues it.
    pub give: (AssetCode, bool),
    /// What the payee gets, and whether the other node issues it.
    pub get: (AssetCode, bool),
    /// How much of it for one of the other. None: there is no such rate any more.
    pub rate: Option<String>,
    /// Until when.
    pub until_ms: Millis,
}

impl ProposeTerms {
    /// Rows `seen`, digest · `lifetime`, ms · `asset`, code, whether it is theirs, decimals, limit ·
    /// `rate`, paid, whether that is theirs, got, whether that is theirs, how much, until when (ms); nothing: for as long as the terms.
    ///
    /// # Errors
    /// The field that is not what it should be.
    pub fn read(table: &Table) -> Result<Self, &'static str> {
        if table.len() > ROWS_MAX {
            return Err("rows");
        }
        let mut wish = ProposeTerms::default();
        for row in table {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            match row.as_slice() {
                ["seen", digest] => wish.seen = Some((*digest).to_owned()),
                ["lifetime", ms] => wish.lifetime_ms = Some(ms.parse().map_err(|_| "lifetime")?),
                ["asset", code, theirs, scale, limit] => wish.assets.push(CoveredAsset {
                    code: code.parse().map_err(|_| "asset")?,
                    theirs: *theirs == "1",
                    scale: optional(scale).map_err(|_| "scale")?,
                    limit: (*limit).to_owned(),
                }),
                ["rate", give, gives_theirs, get, gets_theirs, rate, until] => {
                    wish.rates.push(ExchangeRate {
                        give: (give.parse().map_err(|_| "asset")?, *gives_theirs == "1"),
                        get: (get.parse().map_err(|_| "asset")?, *gets_theirs == "1"),
                        rate: (!rate.is_empty()).then(|| (*rate).to_owned()),
                        until_ms: optional(until).map_err(|_| "until")?.unwrap_or(Millis::MAX),
                    })
                }
                _ => return Err("rows"),
            }
        }
        Ok(wish)
    }
}

fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// The terms of a link: those in force, what is offered, and those of before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTerms {
    /// Whose books.
    pub of: NodeName,
    /// Why payments stand still, if they do, and since when.
    pub frozen: Option<(String, Millis)>,
    /// This operator has signed with what they go on; the other has not.
    pub thawing: bool,
    /// Offers first, then those in force, then those of before, the newest first.
    pub terms: Vec<SignedTerms>,
}

/// Terms that at least one of the operators has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedTerms {
    /// Where they stand.
    pub standing: TermsStanding,
    /// What they say.
    pub terms: TermsRow,
    /// Since when they are in force here, if that is known.
    pub at_ms: Option<Millis>,
    /// This node's signature (ed25519), in hex.
    pub own: Option<String>,
    /// The other's.
    pub theirs: Option<String>,
}

/// Where terms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermsStanding {
    /// The other operator has signed them, this one has not.
    Asked,
    /// This operator has signed them, the other has not.
    Offered,
    /// This operator has taken them back; until the other node has confirmed that, its operator may still sign them.
    Withdrawn,
    /// Both have signed them, and they hold.
    InForce,
    /// Both had signed them, and later ones hold.
    Past,
}

impl TermsStanding {
    /// Its name, as programs write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            TermsStanding::Asked => "asked",
            TermsStanding::Offered => "offered",
            TermsStanding::Withdrawn => "withdrawn",
            TermsStanding::InForce => "in_force",
            TermsStanding::Past => "past",
        }
    }
}

impl LinkTerms {
    /// `link`, why it stands still, since when, whether a thaw is signed here; then for each terms `terms`, standing, digest, version, lifetime,
    /// since when, this node's signature, the other's; then its assets: `asset`, code, whether it is theirs, decimals, limit; then its rates: `rate`,
    /// paid, whether that is theirs, got, whether that is theirs, how much, until when. Times in ms; nothing: none is known, or none is set.
    #[must_use]
    pub fn table(&self) -> Table {
        let (why, since) = self.frozen.clone().unzip();
        let text = |ms: Option<Millis>| ms.map(|ms| ms.to_string()).unwrap_or_default();
        let theirs = |issuer: &NodeName| flag(*issuer != self.of);
        let mut rows =
            vec![vec!["link".to_owned(), why.unwrap_or_default(), text(since), flag(self.thawing)]];
        for SignedTerms { standing, terms, at_ms, own, theirs: other } in &self.terms {
            rows.push(vec![
                "terms".to_owned(),
                standing.code().to_owned(),
                terms.digest.clone(),
                terms.version.to_string(),
                terms.lifetime_ms.to_string(),
                text(*at_ms),
                own.clone().unwrap_or_default(),
                other.clone().unwrap_or_default(),
            ]);
            rows.extend(terms.assets.iter().map(|(asset, limit)| {
                let (code, scale) = (asset.code.to_string(), asset.scale.to_string());
                vec!["asset".to_owned(), code, theirs(&asset.issuer), scale, limit.clone()]
            }));
            rows.extend(terms.rates.iter().map(|rate| {
                let until = (rate.until_ms < Millis::MAX).then_some(rate.until_ms);
                vec![
                    "rate".to_owned(),
                    rate.give.code.to_string(),
                    theirs(&rate.give.issuer),
                    rate.get.code.to_string(),
                    theirs(&rate.get.issuer),
                    rate.rate.clone(),
                    text(until),
                ]
            }));
        }
        rows
    }
}

impl ThawRow {
    /// `thaw`, digest, whether this operator has signed it, whether it is done; where an approver is needed for it, `guarded`, for how much of
    /// what; then `line`, what an operator has to know, one a row.
    #[must_use]
    pub fn table(&self) -> Table {
        let head = vec!["thaw".to_owned(), self.digest.clone(), flag(self.agreed), flag(self.done)];
        let guarded = self.guarded.iter().map(|sum| vec!["guarded".to_owned(), sum.clone()]);
        let lines = self.lines.iter().map(|line| vec!["line".to_owned(), line.clone()]);
        std::iter::once(head).chain(guarded).chain(lines).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        rows.iter().map(|row| row.iter().map(|text| (*text).to_owned()).collect()).collect()
    }

    #[test]
    fn a_wish_is_read_from_its_rows() {
        let wish = ProposeTerms::read(&table(&[
            &["seen", ""],
            &["lifetime", "86400000"],
            &["asset", "EUR", "", "", "500.00"],
            &["asset", "USD", "1", "2", "100"],
            &["rate", "EUR", "", "USD", "1", "1.09", "7"],
            &["rate", "USD", "1", "EUR", "", "", ""],
        ]));
        let wish = wish.unwrap();
        assert_eq!((wish.seen.as_deref(), wish.lifetime_ms), (Some(""), Some(86_400_000)));
        assert_eq!((wish.assets[0].theirs, wish.assets[0].scale), (false, None));
        assert_eq!((wish.assets[1].theirs, wish.assets[1].scale), (true, Some(2)));
        assert_eq!((wish.rates[0].rate.as_deref(), wish.rates[0].until_ms), (Some("1.09"), 7));
        assert_eq!((wish.rates[1].rate.as_deref(), wish.rates[1].until_ms), (None, Millis::MAX));
    }

    #[test]
    fn that_a_thaw_needs_an_approver_is_a_row_of_its_own() {
        let row = ThawRow {
            digest: "d0".to_owned(),
            lines: vec!["something".to_owned()],
            guarded: Some("10.00 EUR@a.example".to_owned()),
            agreed: false,
            done: false,
        };
        let rows = [&["thaw", "d0", "", ""][..], &["guarded", "10.00 EUR@a.example"], &["line", "something"]];
        assert_eq!(row.table(), table(&rows));
        assert_eq!(ThawRow { guarded: None, ..row }.table(), table(&[rows[0], rows[2]]));
    }

    #[test]
    fn rows_that_are_none_are_named() {
        for (row, field) in [
            (&["asset", "eur", "", "", "5"][..], "asset"),
            (&["asset", "EUR", "1", "x", "5"], "scale"),
            (&["asset", "EUR", "1", "-2", "5"], "scale"),
            (&["asset", "EUR"], "rows"),
            (&["rate", "EUR", "", "usd", "1", "1", ""], "asset"),
            (&["rate", "EUR", "", "USD", "1", "1", "soon"], "until"),
            (&["lifetime", "-1"], "lifetime"),
            (&["something"], "rows"),
            (&[], "rows"),
        ] {
            assert_eq!(ProposeTerms::read(&table(&[row])), Err(field), "{row:?}");
        }
        let long = vec![vec!["seen".to_owned(), String::new()]; ROWS_MAX + 1];
        assert_eq!(ProposeTerms::read(&long), Err("rows"));
    }
}
