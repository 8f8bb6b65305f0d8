//! `weft restore`.

use super::{NodeArgs, out, small_runtime};
use anyhow::{Context, Result};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use weft_node::archive;

/// Put a backup into an empty data folder.
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    node: NodeArgs,
    /// The folder that `weft backup` wrote
    dir: PathBuf,
}

pub fn run(args: &Restore) -> Result<ExitCode> {
    let config = args.node.load()?;
    let data = &config.storage.data;
    let restored = small_runtime()?
        .block_on(archive::restore(&args.dir, data))
        .with_context(|| format!("{} was not restored into {}", args.dir.display(), data.display()))?;
    out::line(format_args!(
        "restored to commit {} ({} bytes) in {}; `weft check` verifies it, `weft run` starts it",
        restored.seq,
        restored.bytes,
        data.display()
    ));
    Ok(ExitCode::SUCCESS)
}
