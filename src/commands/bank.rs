//! `weft bank`.

use super::{NodeArgs, ask, out, small_runtime};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use std::{path::PathBuf, process::ExitCode};
use weft_node::{
    Config,
    control::{Answer, Request},
};
use weft_wire::wallet::{AssetCode, BankImport};

/// The operator's account at a bank, which backs an asset of this node. Weft is no bank and talks to none
#[derive(Debug, Args)]
pub struct Bank {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Take a file that the bank gave: camt.053 or MT940. What is known already is not booked again
    Import {
        /// The file
        file: PathBuf,
    },
    /// Name the account that backs an asset. Members see it where they top up
    Set {
        /// The asset's code, which is that of the account's currency: EUR
        code: AssetCode,
        /// The IBAN, or how else the bank's files call the account
        #[arg(long)]
        account: String,
        /// Whose account it is
        #[arg(long)]
        holder: String,
        /// A BIC, or the bank's name
        #[arg(long, default_value = "")]
        bank: String,
    },
    /// No account backs an asset any more
    Unset {
        /// The asset's code
        code: AssetCode,
    },
    /// The accounts, what the bank said last, and what waits for the owner
    Show,
}

pub fn run(args: &Bank) -> Result<ExitCode> {
    let config = args.node.load()?;
    small_runtime()?.block_on(async {
        match &args.action {
            Action::Import { file } => {
                // The running node may have another working directory.
                let file = std::path::absolute(file).context("the file's path")?;
                let answer = ask(&config, Request::ImportBank { file }).await?;
                let Answer::Imported(done) = answer else { bail!("the node gave another answer") };
                told(&done);
            }
            Action::Set { code, account, holder, bank } => {
                let (code, holder) = (code.clone(), holder.clone());
                let (account, bank) = (account.clone(), bank.clone());
                ask(&config, Request::PutBankAccount { code, holder, account, bank }).await?;
                out::line("done");
            }
            Action::Unset { code } => {
                let (code, nothing) = (code.clone(), String::new());
                let (holder, account, bank) = (nothing.clone(), nothing.clone(), nothing);
                ask(&config, Request::PutBankAccount { code, holder, account, bank }).await?;
                out::line("done");
            }
            Action::Show => show(&config).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn told(done: &BankImport) {
    out::line(format_args!("{} statements", done.statements));
    for (count, what) in [
        (done.credited, "credited to members by their references"),
        (done.paid, "withdrawals of members, paid"),
        (done.waiting, "wait for the owner: the web page Reconciliation has them"),
        (done.known, "were known"),
        (done.above, "NOT BOOKED: more than may be issued; raise that, and import the file again"),
        (done.left_out, "left out: not booked by the bank, or moving nothing"),
        (done.foreign, "statements left out: of accounts that back no asset here"),
        (done.unproved, "statements without both balances: nobody can tell whether something is missing"),
    ] {
        if count > 0 {
            out::line(format_args!("{count:>7} {what}"));
        }
    }
}

async fn show(config: &Config) -> Result<()> {
    let answer = ask(config, Request::BankAccounts).await?;
    let Answer::BankAccounts { accounts, lines, withdrawals, due } = answer else {
        bail!("the node gave another answer")
    };
    if accounts.is_empty() {
        out::line("no account backs an asset: `weft bank set` names one");
    }
    for row in accounts {
        let (code, account, holder) = (&row.asset.code, &row.account, out::plain(&row.holder));
        out::line(format_args!("{code:<8} {} {holder}", out::plain(account)));
        out::line(format_args!("    in the world {}, of it in suspense {}", row.issued, row.suspense));
        if let Some((day, amount)) = &row.closing {
            out::line(format_args!("    at the bank {amount} at the end of {day}"));
        }
    }
    out::line(format_args!("waiting for the owner: {lines} lines, {withdrawals} withdrawals"));
    for row in due {
        let state = if row.paying { "being paid" } else { "not begun" };
        let (code, amount, user, reference) = (row.asset.code, row.amount, row.user, row.reference);
        out::line(format_args!("    {amount} {code} to {user}, {reference}: {state}"));
    }
    Ok(())
}
