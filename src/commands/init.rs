//! `weft init`.

use super::{NodeArgs, advice, invite, out, small_runtime};
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;
use weft_node::{
    control::{self, Answer},
    is_set_up,
};

/// Set a node up without starting it, and print the owner's invite link.
#[derive(Debug, Args)]
pub struct Init {
    #[command(flatten)]
    node: NodeArgs,
}

pub fn run(args: &Init) -> Result<ExitCode> {
    let config = args.node.load()?;
    let data = &config.storage.data;
    if is_set_up(data) {
        bail!("there is a node in {} already; `weft invite` prints links to it", data.display());
    }
    let status = small_runtime()?.block_on(control::set_up(&config))?;
    if let Answer::Status { name, url, .. } = status {
        out::line(format_args!("node {name} in {}", data.display()));
        advice::before_others_come(&config, &url).iter().for_each(out::note);
    }
    invite::print(&config, true, 1, invite::LIFETIME_MS)
}
