//! `weft fees`.

use super::{NodeArgs, ask, out, small_runtime};
use anyhow::{Result, bail};
use clap::{ArgGroup, Args, Subcommand};
use std::process::ExitCode;
use weft_node::{
    Config,
    control::{Answer, FeeRow, Request},
};
use weft_wire::wallet::{AssetCode, FeeKind};

/// What the node takes for payments, beside the amount and from whoever pays
#[derive(Debug, Args)]
pub struct Fees {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What is taken, and what was earned
    Show,
    /// From now on so much is taken for payments of a kind. What is not named is nothing
    Set(Set),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true).args(["fixed", "percent", "least", "free"])))]
struct Set {
    /// The asset's code: EUR
    code: AssetCode,
    /// For what: person (of this node), shop (invoices as well), remote (to other nodes) or out (over a bank)
    kind: FeeKind,
    /// For each payment: 0.10
    #[arg(long, default_value = "0", hide_default_value = true)]
    fixed: String,
    /// Of the amount: 1.5
    #[arg(long, default_value = "0", hide_default_value = true)]
    percent: String,
    /// No less than this
    #[arg(long, default_value = "0", hide_default_value = true)]
    least: String,
    /// No more than this
    #[arg(long, default_value = "0", hide_default_value = true)]
    most: String,
    /// Nothing is taken any more
    #[arg(long, conflicts_with_all = ["fixed", "percent", "least", "most"])]
    free: bool,
}

pub fn run(args: &Fees) -> Result<ExitCode> {
    let config = args.node.load()?;
    small_runtime()?.block_on(async {
        match &args.action {
            Action::Show => show(&config).await?,
            Action::Set(set) => {
                let Set { code, kind, fixed, percent, least, most, .. } = set;
                let [fixed, percent, least, most] = [fixed, percent, least, most].map(String::clone);
                let fee = FeeRow { kind: *kind, fixed, percent, least, most };
                let Answer::Done = ask(&config, Request::SetFee { code: code.clone(), fee }).await? else {
                    bail!("the node gave another answer")
                };
                out::line("done");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn show(config: &Config) -> Result<()> {
    let Answer::Fees(rows) = ask(config, Request::Fees).await? else { bail!("the node gave another answer") };
    if rows.is_empty() {
        out::line("this node issues nothing, and so takes no fees");
    }
    for row in rows {
        out::line(format_args!("{:<8} earned {}", row.asset.code.as_str(), row.earned));
        for kind in FeeKind::ALL {
            let taken = row.fees.iter().find(|fee| fee.kind == kind);
            out::line(format_args!("    {:<8} {}", kind.word(), taken.map_or("free".to_owned(), in_words)));
        }
    }
    Ok(())
}

fn in_words(fee: &FeeRow) -> String {
    let is_some = |text: &str| text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let parts = [
        (&fee.fixed, fee.fixed.clone()),
        (&fee.percent, format!("{} %", fee.percent)),
        (&fee.least, format!("at least {}", fee.least)),
        (&fee.most, format!("at most {}", fee.most)),
    ];
    let said: Vec<_> = parts.into_iter().filter(|(sum, _)| is_some(sum)).map(|(_, said)| said).collect();
    said.join(", ")
}
