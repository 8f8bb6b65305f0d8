//! `weft ledger`.

use super::{NodeArgs, ask, out, settle::day, small_runtime, terms};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use std::{path::PathBuf, process::ExitCode};
use weft_node::{
    Config,
    control::{Answer, Request},
};
use weft_wire::{
    NodeName, time,
    wallet::{Hash, RootInfo},
};

/// The books of a node.
#[derive(Debug, Args)]
pub struct Ledger {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write all that ever moved into a new file, so that another program can add it up again. It names who has how much
    Export {
        /// How it is written
        #[arg(long, value_enum, default_value_t = Format::Hledger)]
        format: Format,
        /// A file that does not exist
        file: PathBuf,
    },
    /// What this node and others owe each other, what is under way, and what stands still
    Links {
        /// The other node; without it, all
        node: Option<NodeName>,
    },
    /// What the node has signed of its days: the hash of each, by which another node knows what it has seen, and which have seen it
    Roots {
        /// Days before this one (UTC); without it, the last
        #[arg(long, value_name = "DAY", value_parser = day)]
        before: Option<u64>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A journal for `hledger -f FILE check` and `hledger -f FILE balance`
    Hledger,
}

pub fn run(args: &Ledger) -> Result<ExitCode> {
    let config = args.node.load()?;
    let (format, file) = match &args.action {
        Action::Export { format, file } => (format, file),
        Action::Links { node } => {
            small_runtime()?.block_on(terms::show(&config, node.as_ref()))?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::Roots { before } => {
            small_runtime()?.block_on(roots(&config, before.map(|ms| ms / time::DAY_MS)))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let Format::Hledger = format;
    // The running node may have another working directory.
    let file = std::path::absolute(file).context("the file's path")?;
    let answer = small_runtime()?.block_on(ask(&config, Request::ExportLedger { file: file.clone() }))?;
    let Answer::Exported(events) = answer else { bail!("the node gave another answer") };
    out::line(format_args!("wrote {events} events of the ledger into {}", file.display()));
    Ok(ExitCode::SUCCESS)
}

async fn roots(config: &Config, before: Option<u64>) -> Result<()> {
    let Answer::Roots(list) = ask(config, Request::Roots { before }).await? else {
        bail!("the node gave another answer")
    };
    if list.roots.is_empty() {
        out::line("no day was signed yet: that is done when a day (UTC) with money in it is over");
    }
    for row in &list.roots {
        root(row)?;
    }
    if list.more {
        out::note("there are older ones: --before");
    }
    Ok(())
}

fn root(row: &RootInfo) -> Result<()> {
    let day = row.root.peek().context("what the node has signed")?;
    let seen = row.witnesses.iter().filter_map(|seen| seen.word.peek().ok()).map(|word| word.by.to_string());
    let seen = match seen.collect::<Vec<_>>() {
        by if by.is_empty() => "seen by no other node yet".to_owned(),
        by => format!("seen by {}", by.join(", ")),
    };
    let (date, events, hash) =
        (time::date(day.day * time::DAY_MS), day.events.sum(), Hash::of_root(&row.root));
    out::line(format_args!("{date} {} {events} events, {seen}", hex::encode(hash.0)));
    Ok(())
}
