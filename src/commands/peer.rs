//! `weft peer`.

use super::{NodeArgs, ask, out, small_runtime};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use std::process::ExitCode;
use weft_node::{
    Config,
    control::{Answer, PeerRow, Request, Wish},
};
use weft_wire::{NodeName, time};

/// List other nodes; trust, block and limit them.
#[derive(Debug, Args)]
pub struct Peer {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Who this node is, for others: name, PEER-ID and addresses. Then all nodes that it has met, by name
    List,
    /// The line for DNS by which others find this node where it does not answer under its name over HTTPS
    Dns,
    /// Name a node, trust it, and call it
    Add {
        /// The right half of its people's addresses
        name: NodeName,
        /// The peer id of its key; without it a DNS name is asked
        #[arg(long, value_name = "PEER-ID")]
        key: Option<String>,
        /// A multiaddress at which it is reached; may be given several times
        #[arg(long = "address", value_name = "MULTIADDR")]
        addresses: Vec<String>,
    },
    /// Put a node on the list of those that are allowed
    Trust {
        /// Its name
        name: NodeName,
    },
    /// Shut a node out; `reset` or `trust` lets it in again. Its pinned key is kept, that it was trusted is not
    Block {
        /// Its name
        name: NodeName,
    },
    /// Treat a node as every other: lifts a block and a limit, takes it off the list. One that was trusted before it was blocked needs `trust`
    Reset {
        /// Its name
        name: NodeName,
    },
    /// Give a node less, or more, than the usual budgets
    Limit {
        /// Its name
        name: NodeName,
        /// Per cent of the usual
        #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
        percent: u32,
    },
    /// Money between this node and another: what the operators have agreed on
    Terms {
        #[command(subcommand)]
        action: super::terms::Action,
    },
    #[command(flatten)]
    Settle(super::settle::Action),
    /// A node speaks with another key: the new one counts from now on
    AcceptKey {
        /// Its name
        name: NodeName,
    },
    /// A node speaks with another key: that is somebody else
    RejectKey {
        /// Its name
        name: NodeName,
    },
}

pub fn run(args: &Peer) -> Result<ExitCode> {
    let config = args.node.load()?;
    if !config.federation.is_on() {
        out::note(
            "federation.policy is \"closed\": this node speaks with no others, whatever is said of them here",
        );
    }
    small_runtime()?.block_on(async {
        match &args.action {
            Action::List => list(&config).await?,
            Action::Dns => match ask(&config, Request::ZoneLine).await? {
                Answer::ZoneLine(line) => out::line(format_args!("{line}")),
                _ => bail!("the node gave another answer"),
            },
            Action::Add { name, key, addresses } => {
                let (key, addresses) = (key.clone(), addresses.clone());
                let request = Request::AddPeer { name: name.clone(), key, addresses };
                ask(&config, request).await.with_context(|| format!("node {name}"))?;
                out::line(format_args!("{name} is trusted"));
            }
            Action::Trust { name } => judge(&config, name, Wish::Trust, "is trusted").await?,
            Action::Block { name } => judge(&config, name, Wish::Block, "is shut out").await?,
            Action::Reset { name } => {
                judge(&config, name, Wish::Ordinary, "is a node as every other").await?
            }
            Action::Limit { name, percent } => {
                let said = format!("has {percent} % of the usual budgets");
                judge(&config, name, Wish::Limit(*percent), &said).await?;
            }
            Action::Terms { action } => super::terms::run(&config, action).await?,
            Action::Settle(action) => super::settle::run(&config, action).await?,
            Action::AcceptKey { name } => {
                judge(&config, name, Wish::AcceptKey, "is known by its new key").await?;
            }
            Action::RejectKey { name } => judge(&config, name, Wish::RejectKey, "keeps its key").await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn judge(config: &Config, name: &NodeName, wish: Wish, said: &str) -> Result<()> {
    let asked = ask(config, Request::JudgePeer { name: name.clone(), wish }).await;
    asked.with_context(|| format!("node {name}"))?;
    out::line(format_args!("{name} {said}"));
    Ok(())
}

async fn list(config: &Config) -> Result<()> {
    own(config).await?;
    let mut after = None;
    loop {
        let answer = ask(config, Request::Peers { after: after.clone() }).await?;
        let Answer::Peers { peers, more } = answer else { bail!("the node gave another answer") };
        if after.is_none() && !peers.is_empty() {
            out::line("");
        }
        peers.iter().for_each(print);
        after = peers.last().map(|last| last.name.clone());
        if !more || after.is_none() {
            return Ok(());
        }
    }
}

/// What the operator of another node needs to name this one.
async fn own(config: &Config) -> Result<()> {
    let answer = ask(config, Request::Status).await?;
    let Answer::Status { name, peer_id, addresses, .. } = answer else {
        bail!("the node gave another answer")
    };
    out::line(format_args!("this node is {name}"));
    out::line(format_args!("    PEER-ID {peer_id}"));
    addresses.iter().for_each(|address| out::line(format_args!("    reached at {}", out::plain(address))));
    if addresses.is_empty() && config.federation.is_on() {
        out::line("    it knows no address at which others reach it, or does not run");
    }
    Ok(())
}

fn print(row: &PeerRow) {
    let state = match row {
        PeerRow { blocked: true, .. } => "blocked",
        PeerRow { new_key: Some(_), .. } => "NEW KEY",
        PeerRow { trusted: true, .. } => "trusted",
        _ => "pinned",
    };
    let link = match &row.connected {
        Some(_) if row.relayed => "connected over a relay".to_owned(),
        Some(address) => format!("connected at {}", out::plain(address)),
        None if row.last_contact_ms == 0 => "never heard".to_owned(),
        None => format!("last heard {}", time::minute(row.last_contact_ms)),
    };
    let limit = row.limit.map(|percent| format!("  {percent} %")).unwrap_or_default();
    out::line(format_args!("{:<32} {state:<8} {link}  {} waiting{limit}", row.name, row.waiting));
    if row.name.as_str() != row.key {
        out::line(format_args!("    key {}", row.key));
    }
    if let Some(key) = &row.new_key {
        out::line(format_args!(
            "    wants to speak with the key {key}: `weft peer accept-key` or `reject-key`"
        ));
    }
    if let Some(error) = &row.last_error {
        out::line(format_args!("    {}", out::plain(error)));
    }
}
