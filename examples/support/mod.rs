//! The node of a measurement: this very program again, in a process of its own, started with `run` like the `weft` command.

mod table;

pub use table::{head, row};

use anyhow::Result;
use weft_node::{Config, Node, shutdown, telemetry};

/// When this process is meant to be the node, is it until it is told to stop.
pub fn be_the_node_if_asked() -> Result<bool> {
    if std::env::args().nth(1).as_deref() != Some("run") {
        return Ok(false);
    }
    let config = Config::load_here(None)?;
    telemetry::init(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = shutdown::Signals::listen()?;
        let node = Node::start(config).await?;
        for address in &node.addresses {
            println!("listening http://{address}");
        }
        signals.next().await;
        node.stop().await?;
        Ok(true)
    })
}
