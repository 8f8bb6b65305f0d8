//! `weft config`.

use super::{NodeArgs, advice, out};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;
use weft_node::{config::printable, configured_url, tls};

/// Check the configuration, and say what it comes to. Touches no data.
#[derive(Debug, Args)]
pub struct ConfigCheck {
    #[command(flatten)]
    node: NodeArgs,
}

pub fn run(args: &ConfigCheck) -> Result<ExitCode> {
    let config = args.node.load()?;
    tls::check(&config.tls)?;
    let url = configured_url(&config);
    let name = match config.node.name() {
        Some(name) => name.to_string(),
        None => "(the peer id of the node's key)".to_owned(),
    };
    let listen: Vec<String> = config.http.listen.iter().map(ToString::to_string).collect();
    out::line("the configuration is in order");
    for (what, value) in [
        ("addresses", format!("alice@{name}")),
        ("links", url.clone()),
        ("listens on", listen.join(", ")),
        ("data", config.storage.data.display().to_string()),
    ] {
        out::line(format_args!("  {what:<10}  {}", printable(&value)));
    }
    advice::before_others_come(&config, &url).iter().for_each(out::note);
    Ok(ExitCode::SUCCESS)
}
