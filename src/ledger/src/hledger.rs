//! A ledger as a journal of plain text accounting, so that a program that knows nothing of Weft can add it up again:
//! <https://hledger.org/hledger.html#journal>.
//!
//! Debits are positive. What is pending stands in comments, since it has not moved. At the end every account is asserted to
//! have what Weft says that it has: `hledger check` fails where that is not so.

use crate::{Account, Entry, Movement, Outcome, Purpose, format_amount};
use std::fmt::{Result, Write};
use weft_wire::{AccountId, AssetId, Millis, time};

/// How accounts and assets are called. A character with a meaning in a journal is replaced.
pub trait Names {
    /// The commodity, for example `EUR`, and how many decimals it has.
    fn asset(&self, asset: AssetId) -> (String, u8);
    /// The account, for example `liabilities:users:alice`.
    fn account(&self, account: AccountId) -> String;
    /// What an account holds.
    fn asset_of(&self, account: AccountId) -> AssetId;
}

/// What stands before everything else.
///
/// # Errors
/// Those of the writer, as for all that follows.
pub fn begin(out: &mut impl Write, title: &str, names: &impl Names, assets: &[AssetId]) -> Result {
    writeln!(out, "; {}", comment(title))?;
    writeln!(out, "decimal-mark .")?;
    for asset in assets {
        let (commodity, scale) = names.asset(*asset);
        let sample = format_amount(1_000_i128.saturating_mul(10_i128.saturating_pow(scale.into())), scale);
        let point = if scale == 0 { "." } else { "" };
        writeln!(out, "commodity {sample}{point} {}", quoted(&commodity))?;
    }
    Ok(())
}

/// One transfer. They are written in the order of their numbers.
///
/// # Errors
/// As [`begin`].
pub fn entry(out: &mut impl Write, names: &impl Names, entry: &Entry) -> Result {
    let (Outcome::Done, Some(moved)) = (entry.outcome, entry.moved) else { return Ok(()) };
    let (commodity, scale) = names.asset(names.asset_of(moved.debit));
    let amount = |sign: i128| {
        format!("{} {}", format_amount(sign * i128::from(moved.amount), scale), quoted(&commodity))
    };
    let (debit, credit) = (account(names, moved.debit), account(names, moved.credit));
    let id = entry.transfer.id;
    match entry.transfer.movement {
        Movement::Pending { .. } => {
            return writeln!(
                out,
                "\n; {} {id} holds {} of {credit} for {debit}",
                time::minute(entry.at_ms),
                amount(-1)
            );
        }
        Movement::Void { pending } => {
            return writeln!(out, "\n; {} {id} releases {pending}", time::minute(entry.at_ms));
        }
        Movement::Posted { .. } | Movement::Post { .. } => {}
    }
    let what = purpose(entry.transfer.purpose);
    writeln!(out, "\n{} * ({id}) {what}  ; number {}", time::date(entry.at_ms), entry.number)?;
    writeln!(out, "    {debit}  {}", amount(1))?;
    writeln!(out, "    {credit}  {}", amount(-1))
}

/// What stands after everything else: what each account has. A journal is ordered by days, so that this is dated with the last of them.
///
/// # Errors
/// As [`begin`].
pub fn end<'a>(
    out: &mut impl Write,
    names: &impl Names,
    accounts: impl Iterator<Item = &'a Account>,
    last_ms: Millis,
) -> Result {
    writeln!(out, "\n{} * what every account has", time::date(last_ms))?;
    for held in accounts {
        let (commodity, scale) = names.asset(held.asset);
        let (zero, net) = (format_amount(0, scale), format_amount(-held.balances.net(), scale));
        let commodity = quoted(&commodity);
        writeln!(out, "    {}  {zero} {commodity} = {net} {commodity}", account(names, held.id))?;
    }
    Ok(())
}

/// What statements and journals call it.
#[must_use]
pub fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Issue => "issue",
        Purpose::Redeem => "redeem",
        Purpose::Transfer => "transfer",
        Purpose::Payment => "payment",
        Purpose::Remote => "between nodes",
        Purpose::Tip => "tip",
        Purpose::Fee => "fee",
        Purpose::Refund => "refund",
        Purpose::PacketFund => "red packet",
        Purpose::PacketClaim => "from a red packet",
        Purpose::PacketReturn => "back from a red packet",
        Purpose::EscrowFund => "into escrow",
        Purpose::EscrowRelease => "out of escrow",
        Purpose::EscrowReturn => "back from escrow",
        Purpose::Collection => "collected by a mandate",
        Purpose::TopUp => "top-up",
        Purpose::Withdrawal => "withdrawal",
        Purpose::CashIn => "cash-in",
        Purpose::CashOut => "cash-out",
        Purpose::Settlement => "settlement",
        Purpose::Expiry => "expired",
        Purpose::Correction => "correction",
    }
}

/// An account's name ends with two spaces, so that it may hold none; a semicolon would begin a comment.
fn account(names: &impl Names, id: AccountId) -> String {
    let harmless = |c: char| if c.is_alphanumeric() || ":@.-_".contains(c) { c } else { '-' };
    names.account(id).chars().map(harmless).collect()
}

fn quoted(commodity: &str) -> String {
    let harmless = |c: &char| !c.is_control() && !matches!(c, '"' | ';');
    format!("\"{}\"", commodity.chars().filter(harmless).collect::<String>())
}

fn comment(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
