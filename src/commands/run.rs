//! `weft run`.

use super::{NodeArgs, advice, out};
use anyhow::{Context, Result};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use weft_node::{
    Config, Node, RunningNode,
    control::{Answer, Request},
    shutdown, telemetry,
};

/// Start the node.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    node: NodeArgs,
    /// Write the `listening …` lines into this file once the node answers, for whoever started it
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Interrupted a second time: 128 + SIGINT.
const IMPATIENT: u8 = 130;

pub fn run(args: &Run) -> Result<ExitCode> {
    let config = args.node.load()?;
    telemetry::init(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stopped = runtime.block_on(async {
        let mut signals = shutdown::Signals::listen()?;
        let node = Node::start(config.clone()).await?;
        announce(&node, args.ready_file.as_deref())?;
        invite_owner(&node, &config).await;
        if let Some(advice) = advice::of_plain_http(&node.url) {
            tracing::warn!("{advice}");
        }
        let signal = signals.next().await;
        tracing::info!(signal, "asked to stop");
        tokio::select! {
            stopped = node.stop() => {
                stopped.context("the store did not come to rest; nothing that was acknowledged is lost")?;
                anyhow::Ok(true)
            }
            _ = signals.next() => Ok(false),
        }
    })?;
    if let Some(file) = &args.ready_file {
        let _ = std::fs::remove_file(file);
    }
    // What is left over (a reader of the store that hangs on a dead disk) must not keep the process.
    runtime.shutdown_background();
    Ok(if stopped { ExitCode::SUCCESS } else { ExitCode::from(IMPATIENT) })
}

/// Says where the node listens, in a form that programs read as well.
fn announce(node: &RunningNode, ready_file: Option<&Path>) -> Result<()> {
    let scheme = node.url.split_once("://").map_or("http", |(scheme, _)| scheme);
    let lines: Vec<String> =
        node.addresses.iter().map(|address| format!("listening {scheme}://{address}")).collect();
    lines.iter().for_each(out::line);
    for address in &node.metrics_addresses {
        out::line(format!("metrics http://{address}/metrics"));
    }
    if let Some(path) = ready_file {
        // Renamed into place: whoever waits for the file finds it whole.
        let beside = path.with_extension("new");
        std::fs::write(&beside, lines.join("\n") + "\n")
            .and_then(|()| std::fs::rename(&beside, path))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// As long as nobody owns the node, shows the way to become its owner: to a person at the terminal only, for whoever reads
/// a log file must not own the node.
async fn invite_owner(node: &RunningNode, config: &Config) {
    let status = node.control().handle(Request::Status).await;
    if !matches!(status, Answer::Status { claimed: false, .. }) {
        return;
    }
    if !out::is_terminal() {
        tracing::warn!("nobody owns this node yet: `weft invite --owner` prints the owner's link");
        return;
    }
    let request = Request::Invite { owner: true, uses: 1, lifetime_ms: super::invite::LIFETIME_MS };
    match node.control().handle(request).await {
        Answer::Invite { link, .. } => {
            out::line("\nNobody owns this node yet. Open this link to become its owner (it works once):\n");
            out::line(&link);
            out::qr(&link);
            for advice in advice::before_others_come(config, &node.url) {
                out::line(format_args!("* {advice}"));
            }
        }
        Answer::Refused(why) => tracing::warn!(why, "no invite for the owner"),
        _ => {}
    }
}
