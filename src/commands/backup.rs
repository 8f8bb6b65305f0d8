//! `weft backup`.

use super::{NodeArgs, ask, out, small_runtime};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use weft_node::control::{Answer, Request};

/// Copy the data of a node, running or not, into an empty folder. The copy is as secret as the data.
#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    node: NodeArgs,
    /// A folder that is empty or does not exist
    dir: PathBuf,
}

pub fn run(args: &Backup) -> Result<ExitCode> {
    let config = args.node.load()?;
    // The running node may have another working directory.
    let dir = std::path::absolute(&args.dir).context("the folder's path")?;
    let answer = small_runtime()?.block_on(ask(&config, Request::Backup { dir: dir.clone() }))?;
    let Answer::Backup { seq } = answer else { bail!("the node gave another answer") };
    out::line(format_args!("backed up to commit {seq} in {}", dir.display()));
    Ok(ExitCode::SUCCESS)
}
