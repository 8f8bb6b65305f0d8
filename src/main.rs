//! The `weft` command: a node, and what its operator and its people do from a terminal.

mod commands;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    match commands::dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            commands::out::complain(&error);
            commands::exit_code(&error)
        }
    }
}
