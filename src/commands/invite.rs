//! `weft invite`.

use super::{NodeArgs, advice, ask, out, small_runtime};
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;
use weft_node::{
    Config,
    control::{Answer, Request},
};
use weft_wire::time;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// How long the owner's invite lives.
pub const LIFETIME_MS: u64 = 7 * DAY_MS;

/// Print a link by which people may join the node. As long as nobody owns it, the link is the owner's.
#[derive(Debug, Args)]
pub struct Invite {
    #[command(flatten)]
    node: NodeArgs,
    /// The owner's link, and nothing else: fails when the node has an owner
    #[arg(long, conflicts_with = "uses")]
    owner: bool,
    /// How many people may use it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    uses: u32,
    /// For how many days
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=30))]
    days: u64,
}

pub fn run(args: &Invite) -> Result<ExitCode> {
    print(&args.node.load()?, args.owner, args.uses, args.days * DAY_MS)
}

/// The link on standard output, alone on its line, for scripts; what it is on standard error; a QR code for people.
pub fn print(config: &Config, owner: bool, uses: u32, lifetime_ms: u64) -> Result<ExitCode> {
    let request = Request::Invite { owner, uses, lifetime_ms };
    let answer = small_runtime()?.block_on(ask(config, request))?;
    let Answer::Invite { link, owner, expires_ms } = answer else { bail!("the node gave another answer") };
    let until = time::minute(expires_ms);
    match owner {
        true => out::note(format_args!(
            "whoever opens this link first becomes the owner of the node (until {until} UTC):"
        )),
        false => out::note(format_args!("an invite for {uses}, until {until} UTC:")),
    }
    out::line(&link);
    if out::is_terminal() {
        out::qr(&link);
    }
    advice::of_link(&link);
    Ok(ExitCode::SUCCESS)
}
