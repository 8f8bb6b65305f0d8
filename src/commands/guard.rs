//! `weft guard`.

use super::{NodeArgs, ask, out, small_runtime};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use std::process::ExitCode;
use weft_node::{
    Config,
    control::{Answer, Request},
};
use weft_wire::{TransferId, UserName, wallet::AssetCode};

/// Dual control: above a threshold, what the owner issues waits until an approver has signed for it
#[derive(Debug, Args)]
pub struct Guard {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Who approves, the thresholds, and what waits
    Show,
    /// Propose a member as approver: the first one has to agree, each further one needs an approver's yes
    Appoint {
        /// The member's name
        name: UserName,
    },
    /// Propose that a member is an approver no longer: an approver has to agree
    Dismiss {
        /// The member's name
        name: UserName,
    },
    /// How much of an asset may be issued in a day without approval. A lower one holds at once, a higher one needs approval
    Threshold {
        /// The asset's code: EUR
        code: AssetCode,
        /// 250.00; 0: any amount
        amount: String,
    },
    /// Take back what waits
    Withdraw {
        /// As `weft guard show` names it
        id: TransferId,
    },
    /// The cash agents, what they owe, and what went through their hands today
    Agents,
}

pub fn run(args: &Guard) -> Result<ExitCode> {
    let config = args.node.load()?;
    small_runtime()?.block_on(async {
        match &args.action {
            Action::Show => show(&config).await?,
            Action::Agents => agents(&config).await?,
            Action::Appoint { name } => {
                tell(&config, Request::ChangeApprover { name: name.clone(), appoint: true }).await?;
            }
            Action::Dismiss { name } => {
                tell(&config, Request::ChangeApprover { name: name.clone(), appoint: false }).await?;
            }
            Action::Threshold { code, amount } => {
                tell(&config, Request::SetThreshold { code: code.clone(), amount: amount.clone() }).await?;
            }
            Action::Withdraw { id } => tell(&config, Request::WithdrawProposal { id: *id }).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn tell(config: &Config, request: Request) -> Result<()> {
    match ask(config, request).await? {
        Answer::Waits => out::line("it waits for approval: `weft guard show` says for whose"),
        Answer::Done => out::line("done"),
        _ => bail!("the node gave another answer"),
    }
    Ok(())
}

async fn show(config: &Config) -> Result<()> {
    let Answer::Guard(rows) = ask(config, Request::Guard).await? else {
        bail!("the node gave another answer")
    };
    if rows.approvers.is_empty() {
        out::line("nobody approves: `weft guard appoint` proposes somebody");
    }
    for user in rows.approvers {
        out::line(format_args!("approver {user}"));
    }
    for (asset, amount, today) in rows.thresholds {
        out::line(format_args!("{:<8} {amount} a day without approval, {today} of it today", asset.code));
    }
    for (id, what) in rows.waiting {
        out::line(format_args!("waits {id}: {}", out::plain(&what)));
    }
    Ok(())
}

async fn agents(config: &Config) -> Result<()> {
    let Answer::Agents(rows) = ask(config, Request::Agents).await? else {
        bail!("the node gave another answer")
    };
    if rows.is_empty() {
        out::line("no cash agents: the web page Cash agents names them");
    }
    for row in rows {
        let (stopped, (taken, given)) = (if row.frozen { ", stopped" } else { "" }, row.today);
        out::line(format_args!(
            "{:<8} {} owes {} of {}{stopped}",
            row.asset.code, row.user, row.owed, row.limit
        ));
        out::line(format_args!("    today {taken} in, {given} out"));
    }
    Ok(())
}
