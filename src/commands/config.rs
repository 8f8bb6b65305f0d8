//! `weft config`.

use super::{NodeArgs, advice, out};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;
use weft_node::{check_own, config::printable, configured_key, configured_name, configured_url, tls};

/// Check the configuration, and say what it comes to: the node's name and PEER-ID first. Changes no data.
#[derive(Debug, Args)]
pub struct ConfigCheck {
    #[command(flatten)]
    node: NodeArgs,
}

pub fn run(args: &ConfigCheck) -> Result<ExitCode> {
    let config = args.node.load()?;
    tls::check(&config.tls)?;
    check_own(&config)?;
    let url = configured_url(&config);
    let key = match configured_key(&config) {
        Some(key) => key.to_string(),
        None => "(of the key that the first start makes, or that another user may read)".to_owned(),
    };
    let name = match configured_name(&config) {
        Some(name) => name.to_string(),
        None => "(the peer id of the node's key)".to_owned(),
    };
    let federation = &config.federation;
    let reached = match federation.is_on() {
        false => "(by no other node: federation.policy is \"closed\")".to_owned(),
        true if federation.external.is_empty() => "(found out while it runs: `weft peer list`)".to_owned(),
        true => federation.external.join(", "),
    };
    let listen: Vec<String> = config.http.listen.iter().map(ToString::to_string).collect();
    out::line("the configuration is in order");
    for (what, value) in [
        ("node", name.clone()),
        ("PEER-ID", key),
        ("reached at", reached),
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
