//! `weft ledger`.

use super::{NodeArgs, ask, out, small_runtime, terms};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use std::{path::PathBuf, process::ExitCode};
use weft_node::control::{Answer, Request};
use weft_wire::NodeName;

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
    };
    let Format::Hledger = format;
    // The running node may have another working directory.
    let file = std::path::absolute(file).context("the file's path")?;
    let answer = small_runtime()?.block_on(ask(&config, Request::ExportLedger { file: file.clone() }))?;
    let Answer::Exported(events) = answer else { bail!("the node gave another answer") };
    out::line(format_args!("wrote {events} events of the ledger into {}", file.display()));
    Ok(ExitCode::SUCCESS)
}
