//! `weft peer terms`, and what `weft ledger links` shows.

use super::{ask, out};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use weft_node::{
    Config,
    control::{Answer, LinkRow, RateRow, Request, TermsRow},
};
use weft_wire::{
    NodeName, TransferId, UserName,
    link_terms::{CoveredAsset, ExchangeRate, ProposeTerms, SignedTerms, TermsStanding},
    time,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// What is in force, and what is offered by either side
    Show {
        /// The other node; without it, all
        node: Option<NodeName>,
    },
    /// Sign terms and offer them to the other node's operator. What is not named stays as it is
    Propose {
        /// The other node
        node: NodeName,
        /// An asset of this node, and how much of it the other node is willing to have: EUR=500.00
        #[arg(long = "asset", value_name = "CODE=LIMIT")]
        ours: Vec<String>,
        /// An asset of the other node, and how much of it this one is willing to have: POINTS:0=1000, with its decimals
        #[arg(long = "theirs", value_name = "CODE[:DECIMALS]=LIMIT")]
        theirs: Vec<String>,
        /// How long a payment may wait for its payee
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=366))]
        days: Option<u64>,
        /// What people of the one node get for what people of the other pay: EUR/their:USD=1.09. An asset of the other node begins with
        /// `their:`; nothing after the `=`: there is no such rate any more
        #[arg(long = "rate", value_name = "PAID/GOT=RATE")]
        rates: Vec<String>,
        /// The last day on which these rates hold (UTC)
        #[arg(long, value_name = "DAY", value_parser = super::settle::day)]
        rates_until: Option<u64>,
    },
    /// Take back all that was offered and the other node's operator has not signed
    Withdraw {
        /// The other node
        node: NodeName,
    },
    /// All terms with a node that either operator has signed, the newest first, with the signatures
    History {
        /// The other node
        node: NodeName,
    },
    /// Sign what the other node's operator has signed: it is in force from now on
    Accept {
        /// The other node
        node: NodeName,
        /// By what `show` names the offer
        digest: String,
    },
    /// Start payments again that stand still: see what follows from the books of both nodes, then sign it
    Thaw {
        /// The other node
        node: NodeName,
        /// By what it was shown; without it nothing is signed
        digest: Option<String>,
        /// Compare payments since then, in milliseconds since 1970; both operators have to name the same
        #[arg(long, value_name = "MS", default_value_t = 0)]
        since: u64,
    },
    /// Give somebody here what a thaw has found to be theirs: it is in this node's own position until then
    Pay {
        /// The other node
        node: NodeName,
        /// The payment, as the thaw named it
        payment: TransferId,
        /// Whom; of a payment that these books know, whoever it was paid to
        name: UserName,
    },
    /// Stop payments to and from the other node. Only both operators together start them again
    Freeze {
        /// The other node
        node: NodeName,
    },
}

pub async fn run(config: &Config, action: &Action) -> Result<()> {
    match action {
        Action::Show { node } => show(config, node.as_ref()).await?,
        Action::Propose { node, ours, theirs, days, rates, rates_until } => {
            let ours = ours.iter().map(|text| covered(text, false));
            let assets = ours.chain(theirs.iter().map(|text| covered(text, true)));
            let assets = assets.collect::<Result<_>>()?;
            let lifetime_ms = days.map(|days| days * DAY_MS);
            let until_ms = rates_until.map_or(u64::MAX, |day| day.saturating_add(DAY_MS));
            let rates = rates.iter().map(|text| rate(text, until_ms)).collect::<Result<_>>()?;
            let wish = ProposeTerms { assets, rates, lifetime_ms, seen: None };
            let request = Request::ProposeTerms { node: node.clone(), wish };
            let answer = ask(config, request).await.with_context(|| format!("node {node}"))?;
            let Answer::Offered(digest) = answer else { bail!("the node gave another answer") };
            out::line(format_args!("offered to {node}: {}", digest));
        }
        Action::Withdraw { node } => {
            let request = Request::WithdrawTerms { node: node.clone() };
            ask(config, request).await.with_context(|| format!("node {node}"))?;
            out::line(format_args!(
                "taken back; until {node} has confirmed it (`weft peer terms history {node}`), its operator may still sign it"
            ));
        }
        Action::History { node } => {
            let answer = ask(config, Request::LinkTerms { node: node.clone() }).await;
            let Answer::LinkTerms(told) = answer.with_context(|| format!("node {node}"))? else {
                bail!("the node gave another answer")
            };
            if told.terms.is_empty() {
                out::line(format_args!("no terms with {node}, and no offer of any"));
            }
            told.terms.iter().for_each(signed);
        }
        Action::Accept { node, digest } => {
            let request = Request::AcceptTerms { node: node.clone(), digest: digest.clone() };
            ask(config, request).await.with_context(|| format!("node {node}"))?;
            out::line(format_args!("in force with {node}"));
        }
        Action::Thaw { node, digest, since } => {
            let request = Request::ThawLink { node: node.clone(), since_ms: *since, digest: digest.clone() };
            let answer = ask(config, request).await.with_context(|| format!("node {node}"))?;
            let Answer::Thaw(row) = answer else { bail!("the node gave another answer") };
            row.lines.iter().for_each(|line| out::line(out::plain(line)));
            let digest = &row.digest;
            if let Some(sum) = &row.guarded {
                out::line(format_args!(
                    "nothing is signed: this would bring {} into the world, which needs an approver; with their word \
                     lift the threshold, thaw, and set it again",
                    out::plain(sum)
                ));
                return Ok(());
            }
            match (row.agreed, row.done) {
                (_, true) => out::line(format_args!("payments to and from {node} go on")),
                (true, false) => out::line(format_args!(
                    "signed here; they go on when the operator of {node} has signed {digest} as well"
                )),
                (false, false) => out::line(format_args!(
                    "nothing is signed: `weft peer terms thaw {node} {digest}` signs this"
                )),
            }
        }
        Action::Pay { node, payment, name } => {
            let (payment, to) = (*payment, name.clone());
            let request = Request::PayFound { node: node.clone(), payment, name: to };
            ask(config, request).await.with_context(|| format!("node {node}"))?;
            out::line(format_args!("{name} has it"));
        }
        Action::Freeze { node } => {
            let request = Request::FreezeLink { node: node.clone() };
            ask(config, request).await.with_context(|| format!("node {node}"))?;
            out::line(format_args!("payments to and from {node} are stopped"));
        }
    }
    Ok(())
}

/// All links, or that with one node.
pub async fn show(config: &Config, node: Option<&NodeName>) -> Result<()> {
    let Answer::Links(rows) = ask(config, Request::Links).await? else {
        bail!("the node gave another answer")
    };
    let mut rows = rows.iter().filter(|row| node.is_none_or(|node| row.peer == *node)).peekable();
    if rows.peek().is_none() {
        out::line("no terms with another node, and no offer of any");
    }
    rows.for_each(print);
    Ok(())
}

fn print(row: &LinkRow) {
    let state = match (&row.frozen, &row.terms) {
        (Some(_), _) => "STOPPED",
        (None, Some(_)) => "running",
        (None, None) => "no terms",
    };
    out::line(format_args!("{:<32} {state}", row.peer));
    if let (Some(why), Some(at_ms)) = (&row.frozen, row.frozen_ms) {
        out::line(format_args!("    since {}: {}", time::minute(at_ms), out::plain(why)));
    }
    if let Some(terms) = &row.terms {
        out::line(format_args!("    in force: {}", of(terms)));
        for owed in &row.owed {
            let side = if owed.vostro { "vostro: owed to them" } else { "nostro: owed by them" };
            out::line(format_args!(
                "    {} {side} {} of at most {}, under way +{} -{}",
                owed.asset, owed.owed, owed.limit, owed.more, owed.less
            ));
            if owed.position.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
                out::line(format_args!(
                    "        this node's own, by exchange and settlements: {}",
                    owed.position
                ));
            }
        }
        out::line(format_args!(
            "    waiting: {} to them, {} from them; messages: {} sent, {} confirmed, {} taken",
            row.waiting_out, row.waiting_in, row.sent, row.confirmed, row.taken
        ));
    }
    if let Some(terms) = &row.ours {
        out::line(format_args!("    offered to them: {}", of(terms)));
    }
    if let Some(terms) = &row.theirs {
        let (peer, digest) = (&row.peer, &terms.digest);
        out::line(format_args!("    they offer: {}", of(terms)));
        out::line(format_args!("        `weft peer terms accept {peer} {digest}`"));
    }
}

/// Terms, where they stand, and who has signed them.
fn signed(row: &SignedTerms) {
    let standing = match row.standing {
        TermsStanding::Asked => "they offer",
        TermsStanding::Offered => "offered to them",
        TermsStanding::Withdrawn => "taken back, not confirmed",
        TermsStanding::InForce => "in force",
        TermsStanding::Past => "no longer in force",
    };
    let since = row.at_ms.map(|at| format!(" since {}", time::minute(at))).unwrap_or_default();
    let version = row.terms.version;
    out::line(format_args!("version {version}, {standing}{since}: {}", of(&row.terms)));
    for (whose, signature) in [("this node", &row.own), ("the other", &row.theirs)] {
        if let Some(signature) = signature {
            out::line(format_args!("    signed by {whose}: {signature}"));
        }
    }
    out::line(format_args!("    {}", row.terms.digest));
}

fn of(terms: &TermsRow) -> String {
    let assets: Vec<_> = terms.assets.iter().map(|(asset, limit)| format!("{asset} up to {limit}")).collect();
    let days = terms.lifetime_ms / DAY_MS;
    let rate = |rate: &RateRow| {
        let until = (rate.until_ms < u64::MAX).then(|| format!(" before {}", time::minute(rate.until_ms)));
        let (give, get, until) = (&rate.give, &rate.get, until.unwrap_or_default());
        format!("; 1 {give} buys {} {get}{until}", rate.rate)
    };
    let rates: String = terms.rates.iter().map(rate).collect();
    format!("version {}: {}; a payment waits up to {days} days{rates}", terms.version, assets.join(", "))
}

/// `CODE=LIMIT`, `CODE:DECIMALS=LIMIT`.
fn covered(text: &str, theirs: bool) -> Result<CoveredAsset> {
    let (name, limit) = text.split_once('=').with_context(|| format!("{text}: CODE=LIMIT"))?;
    let (code, scale) = match name.split_once(':') {
        Some((code, scale)) => (code, Some(scale.parse().with_context(|| format!("{text}: the decimals"))?)),
        None => (name, None),
    };
    let code = code.parse().with_context(|| text.to_owned())?;
    Ok(CoveredAsset { code, theirs, scale, limit: limit.to_owned() })
}

/// `EUR/their:USD=1.09`.
fn rate(text: &str, until_ms: u64) -> Result<ExchangeRate> {
    let form = || format!("{text}: PAID/GOT=RATE");
    let (pair, rate) = text.split_once('=').with_context(form)?;
    let (give, get) = pair.split_once('/').with_context(form)?;
    let asset = |text: &str| -> Result<_> {
        let theirs = text.strip_prefix("their:");
        Ok((theirs.unwrap_or(text).parse().with_context(|| text.to_owned())?, theirs.is_some()))
    };
    let rate = (!rate.is_empty()).then(|| rate.to_owned());
    Ok(ExchangeRate { give: asset(give)?, get: asset(get)?, rate, until_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_names_what_is_paid_and_what_is_got() {
        let read = rate("EUR/their:USD=1.09", 7).unwrap();
        assert_eq!((read.give.0.as_str(), read.give.1), ("EUR", false));
        assert_eq!((read.get.0.as_str(), read.get.1), ("USD", true));
        assert_eq!((read.rate.as_deref(), read.until_ms), (Some("1.09"), 7));
        assert_eq!(rate("EUR/their:USD=", 7).unwrap().rate, None);
        for bad in ["EUR=1", "EUR/USD", "eur/USD=1", "/USD=1"] {
            assert!(rate(bad, 7).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_asset_is_named_with_its_limit_and_if_need_be_its_decimals() {
        let read = covered("EUR=500.00", false).unwrap();
        assert_eq!((read.code.as_str(), read.scale, read.limit.as_str()), ("EUR", None, "500.00"));
        let read = covered("POINTS:0=1000", true).unwrap();
        assert_eq!((read.code.as_str(), read.scale, read.theirs), ("POINTS", Some(0), true));
        for bad in ["EUR", "eur=5", "EUR:x=5", "=5"] {
            assert!(covered(bad, false).is_err(), "{bad}");
        }
    }
}
