//! `weft restore`.

use super::{NodeArgs, out, small_runtime};
use anyhow::{Context, Result};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use weft_node::archive::{self, Restored};

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
    let Restored { store, node } =
        small_runtime()?.block_on(archive::restore(&args.dir, data)).with_context(|| {
            let (backup, data) = (args.dir.display(), data.display());
            format!(
                "{backup} was not restored, and {data} is as it was. Where the backup is damaged, take another copy of it, or an \
                 older one"
            )
        })?;
    out::line(format_args!(
        "restored to commit {} ({} bytes) in {}; `weft check` verifies it, `weft run` starts it",
        store.seq,
        store.bytes,
        data.display()
    ));
    match store.of {
        Some(_) => out::line(format_args!("the node is {node}")),
        None => out::line(format_args!(
            "this backup is of an earlier version, and cannot tell whether its node.key is whole: by that the node is {node}. \
             Compare it with what others know it by"
        )),
    }
    Ok(ExitCode::SUCCESS)
}
