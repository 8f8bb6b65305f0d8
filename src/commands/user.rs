//! `weft user`.

use super::{NodeArgs, ask, out, small_runtime};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use std::process::ExitCode;
use weft_node::{
    Config,
    control::{Answer, Request, UserRow},
};
use weft_wire::{UserName, accounts::Role, time};

/// List accounts, end their sessions, lock them out.
#[derive(Debug, Args)]
pub struct User {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All accounts, by name
    List,
    /// End all sessions of an account: its devices have to ask for new ones
    EndSessions {
        /// The name, without the node
        name: UserName,
    },
    /// Lock an account out
    Disable {
        /// The name, without the node
        name: UserName,
    },
    /// Let a locked-out account in again
    Enable {
        /// The name, without the node
        name: UserName,
    },
}

pub fn run(args: &User) -> Result<ExitCode> {
    let config = args.node.load()?;
    small_runtime()?.block_on(async {
        match &args.action {
            Action::List => list(&config).await?,
            Action::EndSessions { name } => {
                let answer = ask(&config, Request::EndSessions { name: name.clone() }).await;
                let answer = answer.with_context(|| format!("account {name}"))?;
                let Answer::Ended(count) = answer else { bail!("the node gave another answer") };
                out::line(format_args!("{count} sessions of {name} ended"));
            }
            Action::Disable { name } => set_disabled(&config, name, true).await?,
            Action::Enable { name } => set_disabled(&config, name, false).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(config: &Config) -> Result<()> {
    let mut after = None;
    let mut headed = false;
    loop {
        let answer = ask(config, Request::Users { after }).await?;
        let Answer::Users { users, more } = answer else { bail!("the node gave another answer") };
        if !users.is_empty() && !std::mem::replace(&mut headed, true) {
            // On standard error: what a script counts is people.
            out::note(row("NAME", "ROLE", "SINCE (UTC)", "DEVICES", ""));
        }
        users.iter().for_each(print);
        after = users.last().map(|last| last.user.name.clone());
        if !more || after.is_none() {
            return Ok(());
        }
    }
}

fn print(user: &UserRow) {
    let role = match user.role {
        Role::Owner => "owner",
        Role::Member => "member",
    };
    let state = if user.disabled { "locked out" } else { "" };
    let devices = user.devices.to_string();
    out::line(row(user.user.name.as_str(), role, &time::minute(user.created_ms), &devices, state));
}

fn row(name: &str, role: &str, since: &str, devices: &str, state: &str) -> String {
    format!("{name:<32} {role:<6}  {since:<16}  {devices:>7}  {state}").trim_end().to_owned()
}

async fn set_disabled(config: &Config, name: &UserName, disabled: bool) -> Result<()> {
    let asked = ask(config, Request::SetDisabled { name: name.clone(), disabled }).await;
    asked.with_context(|| format!("account {name}"))?;
    out::line(format_args!("{name} is {}", if disabled { "locked out" } else { "let in again" }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_stand_above_their_columns() {
        let head = row("NAME", "ROLE", "SINCE (UTC)", "DEVICES", "");
        let alice = row("alice", "owner", "2026-11-21 03:05", "12", "locked out");
        assert_eq!(head.find("ROLE"), alice.find("owner"));
        assert_eq!(head.find("SINCE"), alice.find("2026"));
        assert_eq!(head.len(), alice.find("12").unwrap() + 2);
    }
}
