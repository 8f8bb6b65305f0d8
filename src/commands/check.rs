//! `weft check`.

use super::{NodeArgs, out, small_runtime};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::ExitCode;
use weft_node::archive::{self, ArchiveError};
use weft_store::{
    Error,
    embedded::{IndexState, Report},
    tables,
};

/// Verify the data of a node that does not run: journal, index, every record.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    node: NodeArgs,
}

/// Damage was found.
const DAMAGED: u8 = 3;

pub fn run(args: &Check) -> Result<ExitCode> {
    let config = args.node.load()?;
    let data = &config.storage.data;
    let report = match archive::check(&config) {
        Ok(report) => report,
        Err(ArchiveError::Store(damage @ (Error::Corrupt { .. } | Error::BadSnapshot { .. }))) => {
            out::line(format_args!("damaged: {damage}"));
            return Ok(ExitCode::from(DAMAGED));
        }
        Err(damage @ ArchiveError::OtherKey { .. }) => {
            out::line(format_args!("damaged: {damage}"));
            return Ok(ExitCode::from(DAMAGED));
        }
        Err(ArchiveError::Store(Error::Locked { .. })) => {
            bail!("a node is running on {}, or another command is: stop it first", data.display())
        }
        Err(error) => return Err(error).with_context(|| format!("the data in {}", data.display())),
    };
    print(&report);
    let ledger = match report.is_ok() {
        true => small_runtime()?.block_on(archive::check_ledger(&config, &report))?,
        false => None,
    };
    if let Some(ledger) = &ledger {
        out::line(format_args!(
            "ledger: {} events, {} transfers, {} accounts, {} signed days, done once more",
            ledger.events, ledger.transfers, ledger.accounts, ledger.roots
        ));
        for finding in &ledger.findings {
            out::line(format_args!("damaged ledger: {finding}"));
        }
    }
    if report.is_ok() && ledger.is_none_or(|ledger| ledger.findings.is_empty()) {
        out::line("all is well");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(DAMAGED))
}

fn print(report: &Report) {
    out::line(format_args!(
        "journal: {} segments, {} frames, up to commit {}, whole and chained",
        report.segments, report.frames, report.seq
    ));
    out::line(format_args!("records: {}", report.rows));
    for (id, rows) in &report.rows_of_tables {
        let name = tables::by_id(*id).map_or("(a table of another version)", |table| table.name);
        out::line(format_args!("  {rows:>10}  {name}"));
    }
    match &report.index {
        IndexState::Same => out::line("index: as the journal says"),
        IndexState::Absent => out::line("index: none; the next start builds it"),
        IndexState::Unreadable(why) => {
            out::line(format_args!(
                "index: cannot be read ({why}); the next start builds it anew, nothing is lost"
            ));
        }
        IndexState::Different(rows) => out::line(format_args!(
            "index: {rows} records differ from the journal; it is built anew from it, nothing is lost"
        )),
    }
    for bad in &report.bad_records {
        out::line(format_args!("damaged record in {}: {}", bad.table.name, bad.what));
    }
    let unlisted = report.bad_records_count.saturating_sub(report.bad_records.len() as u64);
    if unlisted > 0 {
        out::line(format_args!("… and {unlisted} more"));
    }
}
