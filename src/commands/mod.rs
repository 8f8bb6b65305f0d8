//! The subcommands, one file each.
//!
//! Exit codes: 0 done, 1 it could not be done, 2 the command line or the configuration is not valid, 3 `weft check` found
//! damage.

mod advice;
mod backup;
mod bank;
mod chat;
mod check;
mod config;
mod fees;
mod guard;
mod init;
mod invite;
mod ledger;
pub mod out;
mod peer;
mod restore;
mod run;
mod settle;
mod terms;
mod user;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use weft_node::{
    Config, ConfigError,
    control::{self, Answer, ControlError, Request},
};

/// The configuration that is read when none is named.
const CONFIG_FILE: &str = "node.toml";

/// For so long data that somebody else holds is waited for, and this often it is looked at.
const TAKEN_TIME: Duration = Duration::from_secs(15);
const TAKEN_STEP: Duration = Duration::from_millis(50);

/// An everything-app for a community, on its own machine.
#[derive(Debug, Parser)]
#[command(name = "weft", version, about, arg_required_else_help = true, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the node
    Run(run::Run),
    /// Check the configuration, and say what it comes to
    Config(config::ConfigCheck),
    /// Set a node up without starting it, and print the owner's invite link
    Init(init::Init),
    /// Print a link by which people may join the node
    Invite(invite::Invite),
    /// List accounts, end their sessions, lock them out
    User(user::User),
    /// List other nodes; trust, block and limit them
    Peer(peer::Peer),
    /// Write the books of a node for other programs, or see what its links owe and which days it has signed
    Ledger(ledger::Ledger),
    /// Name the account at a bank that backs an asset, and take the bank's files
    Bank(bank::Bank),
    /// Say what the node takes for payments, and see what it has earned
    Fees(fees::Fees),
    /// Name who has to approve what the owner issues, and above which amount; list cash agents
    Guard(guard::Guard),
    /// Verify the data of a node that does not run
    Check(check::Check),
    /// Copy the data of a node, running or not, into an empty folder
    Backup(backup::Backup),
    /// Put a backup into an empty data folder
    Restore(restore::Restore),
    /// Talk from the terminal
    Chat(chat::Chat),
}

/// Which node is meant.
#[derive(Debug, Default, Args)]
struct NodeArgs {
    /// The configuration; ./node.toml where there is one, else the defaults. WEFT_SECTION__KEY overrides single keys
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl NodeArgs {
    fn load(&self) -> Result<Config, ConfigError> {
        let here = Path::new(CONFIG_FILE);
        let file = self.config.as_deref().or_else(|| here.is_file().then_some(here));
        Config::load_here(file)
    }
}

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever it ran into, with its causes.
pub fn dispatch(cli: Cli) -> Result<ExitCode> {
    // What any command writes is for the user alone who runs it, by whichever library it is written.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Invite(args) => invite::run(&args),
        Command::User(args) => user::run(&args),
        Command::Peer(args) => peer::run(&args),
        Command::Ledger(args) => ledger::run(&args),
        Command::Bank(args) => bank::run(&args),
        Command::Fees(args) => fees::run(&args),
        Command::Guard(args) => guard::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Chat(args) => chat::run(&args),
    }
}

/// A mistake in the configuration is the operator's to mend, like one on the command line.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let config = error.chain().any(|cause| cause.is::<ConfigError>());
    ExitCode::from(if config { 2 } else { 1 })
}

/// Asks the node of this configuration. One that is just starting holds its data before it answers: it is waited for, and so
/// is another command.
async fn ask(config: &Config, request: Request) -> Result<Answer, ControlError> {
    let until = Instant::now() + TAKEN_TIME;
    let mut told = false;
    loop {
        match control::ask(config, request.clone()).await {
            Err(error) if error.is_taken() && Instant::now() < until => {
                if !told {
                    out::note("the node is starting, or another command is at work on its data: waiting");
                }
                told = true;
                tokio::time::sleep(TAKEN_STEP).await;
            }
            answer => return answer,
        }
    }
}

/// A runtime for commands that only ask and wait.
fn small_runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
