//! What two operators settle, as subcommands of `weft peer`, and the statement of a link.

use super::{ask, out};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use std::{fs::File, io::Read as _};
use weft_node::{
    Config,
    control::{Answer, Request},
};
use weft_wire::{
    NodeName, TransferId,
    links::{LinkStatement, SettlementRow, SettlementState, StatementAsset, StatementLine},
    time,
    wallet::AssetCode,
};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Say that this node owes less: it was paid elsewhere, or is set off. It counts once the other operator confirms it
    Settle {
        /// The other node
        node: NodeName,
        /// An asset of this node, and how much less of it is owed: EUR=120.00
        #[arg(value_name = "CODE=AMOUNT")]
        sum: String,
        /// Set it off against what the other node owes of this asset of its own, at the rate of the terms
        #[arg(long, value_name = "CODE")]
        against: Option<AssetCode>,
        /// Where and how it was paid: the other operator looks for it
        #[arg(long, default_value = "")]
        note: String,
        /// The id that was said the first time: the same settlement again is one
        #[arg(long)]
        id: Option<TransferId>,
    },
    /// What was settled with a node, and what waits for either operator
    Settlements {
        /// The other node
        node: NodeName,
    },
    /// The other operator has settled something, and it is so
    Confirm {
        /// The other node
        node: NodeName,
        /// Which, as `settlements` names it
        id: TransferId,
        /// How much has come, as this operator sees it; of what is set off, as it was proposed
        amount: String,
    },
    /// The other operator has settled something, and it is not so
    Deny {
        /// The other node
        node: NodeName,
        /// Which, as `settlements` names it
        id: TransferId,
    },
    /// What moved what the two nodes owe each other
    Statement {
        /// The other node
        node: NodeName,
        /// The first day: 2026-11-01 (UTC)
        #[arg(long, value_name = "DAY", value_parser = day)]
        from: Option<u64>,
        /// The last day
        #[arg(long, value_name = "DAY", value_parser = day)]
        until: Option<u64>,
        /// As a table for other programs (RFC 4180)
        #[arg(long)]
        csv: bool,
    },
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub async fn run(config: &Config, action: &Action) -> Result<()> {
    match action {
        Action::Settle { node, sum, against, note, id } => {
            let (asset, amount) = sum.split_once('=').with_context(|| format!("{sum}: CODE=AMOUNT"))?;
            let asset = asset.parse().with_context(|| sum.clone())?;
            let (node, against) = (node.clone(), against.clone());
            let id = id.map_or_else(new_id, Ok)?;
            // Said before it is asked for: whatever comes between, it can be asked for again.
            out::note(format_args!("settlement {id}: to ask for it again, add --id {id}"));
            let settled = Request::Settle {
                node: node.clone(),
                id,
                asset,
                amount: amount.into(),
                against,
                note: note.clone(),
            };
            ask(config, settled).await.with_context(|| format!("node {node}"))?;
            out::line(format_args!("said to {node}; nothing has moved until its operator confirms it"));
        }
        Action::Settlements { node } => {
            let answer = ask(config, Request::Settlements { node: node.clone() }).await;
            let Answer::Settlements(list) = answer.with_context(|| format!("node {node}"))? else {
                bail!("the node gave another answer")
            };
            if list.settlements.is_empty() {
                out::line(format_args!("nothing was settled with {node}"));
            }
            list.settlements.iter().for_each(|row| print(node, row));
        }
        Action::Confirm { node, id, amount } => {
            let (id, amount) = (*id, Some(amount.clone()));
            let request = Request::DecideSettlement { node: node.clone(), id, amount };
            ask(config, request).await.with_context(|| format!("node {node}"))?;
            out::line("so it is: less is owed from now on");
        }
        Action::Deny { node, id } => {
            let request = Request::DecideSettlement { node: node.clone(), id: *id, amount: None };
            ask(config, request).await.with_context(|| format!("node {node}"))?;
            out::line("it is not so: nothing has moved");
        }
        Action::Statement { node, from, until, csv } => {
            let until_ms = until.map_or(u64::MAX, |day| day.saturating_add(DAY_MS));
            let request = Request::LinkStatement { node: node.clone(), from_ms: from.unwrap_or(0), until_ms };
            let answer = ask(config, request).await.with_context(|| format!("node {node}"))?;
            let Answer::LinkStatement(statement) = answer else { bail!("the node gave another answer") };
            if *csv { table(&statement) } else { statement.assets.iter().for_each(show) }
        }
    }
    Ok(())
}

/// A new id: nobody else makes the same.
fn new_id() -> Result<TransferId> {
    let mut id = [0; 16];
    let mut random = File::open("/dev/urandom").context("the system gives no random numbers")?;
    random.read_exact(&mut id).context("the system gives no random numbers")?;
    Ok(TransferId(id))
}

pub fn day(text: &str) -> Result<u64, String> {
    time::day(text).ok_or_else(|| "a day is 2026-11-01".to_owned())
}

fn print(node: &NodeName, row: &SettlementRow) {
    let state = match row.state {
        SettlementState::Waiting => "waits",
        SettlementState::Done => "done",
        SettlementState::Rejected => "did not come about",
    };
    let who = if row.ours { "said here" } else { "said there" };
    let against = row.against.as_ref();
    let against = against.map(|(asset, amount)| format!(" against {amount} {asset}")).unwrap_or_default();
    let (at, amount, asset) = (time::minute(row.at_ms), &row.amount, &row.asset);
    out::line(format_args!("{} {at} {who}: {amount} {asset}{against}, {state}", row.id));
    if !row.note.is_empty() {
        out::line(format_args!("    {}", out::body(&row.note)));
    }
    if let Some(why) = &row.why {
        out::line(format_args!("    {}", out::plain(why)));
    }
    if !row.ours && row.state == SettlementState::Waiting {
        out::line(format_args!("    `weft peer confirm {node} {} {amount}`, or `deny`", row.id));
    }
}

fn show(part: &StatementAsset) {
    out::line(format_args!("{}: owed at the beginning {}", part.asset, part.opening));
    for StatementLine { at_ms, kind, more, amount, owed, text, .. } in &part.lines {
        let (sign, text) = (if *more { '+' } else { '-' }, out::plain(text));
        out::line(format_args!(
            "    {} {:<10} {sign}{amount} = {owed}  {text}",
            time::minute(*at_ms),
            kind.code()
        ));
    }
    if !part.whole {
        out::line("    too many to list: choose a shorter time");
    }
    for sum in &part.sums {
        out::line(format_args!("    {} × {}: +{} -{}", sum.count, sum.kind.code(), sum.more, sum.less));
    }
    out::line(format_args!("{}: owed at the end {}", part.asset, part.closing));
}

fn table(statement: &LinkStatement) {
    let row = |fields: &[&str]| {
        let fields: Vec<_> = fields.iter().map(|text| field(text)).collect();
        out::line(format_args!("{}\r", fields.join(",")));
    };
    row(&["asset", "time", "kind", "id", "more", "less", "owed", "text"]);
    for part in &statement.assets {
        let asset = part.asset.to_string();
        row(&[&asset, "", "opening", "", "", "", &part.opening, ""]);
        for line in &part.lines {
            let (more, less) =
                if line.more { (line.amount.as_str(), "") } else { ("", line.amount.as_str()) };
            let (at, id) = (time::minute(line.at_ms), line.id.to_string());
            row(&[&asset, &at, line.kind.code(), &id, more, less, &line.owed, &line.text]);
        }
        if !part.whole {
            for sum in &part.sums {
                let text = format!("{} in all", sum.count);
                row(&[&asset, "", sum.kind.code(), "", &sum.more, &sum.less, "", &text]);
            }
        }
        row(&[&asset, "", "closing", "", "", "", &part.closing, ""]);
    }
}

/// One field as RFC 4180 writes it. What others wrote starts no formula.
fn field(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_table_stays_one_field_and_is_no_formula() {
        for (text, written) in
            [("a", "a"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("=1+1", "'=1+1")]
        {
            assert_eq!(field(text), written);
        }
    }
}
