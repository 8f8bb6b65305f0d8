//! What both formats come to: statements and their lines.

use crate::{Currency, Date, Reference};
use std::{collections::HashMap, fmt};

/// The most lines of a file, of all its statements together.
pub const LINES_MAX: usize = 100_000;
/// The most statements of a file: a year of days for two dozen accounts.
pub const STATEMENTS_MAX: usize = 10_000;
/// The most bytes of a line's text: banks carry 140 characters, some of them several times.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Which format a file is in. An account is imported in one of them: what has no bank reference has another key in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// ISO 20022, BankToCustomerStatement.
    Camt053,
    /// SWIFT, Customer Statement Message.
    Mt940,
}

/// How a bank calls an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountName {
    /// An IBAN (ISO 13616) whose check digits are right, without spaces.
    Iban(String),
    /// Anything else, as the bank writes it.
    Other(String),
}

impl AccountName {
    /// An IBAN if it is one, or else what it is. None: there is nothing in it.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        match plain.len() {
            0 => None,
            15..=34 if is_iban(&plain) => Some(AccountName::Iban(plain)),
            _ => Some(AccountName::Other(text.trim().to_owned())),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            AccountName::Iban(name) | AccountName::Other(name) => name,
        }
    }
}

/// Two letters, two check digits, and a remainder of 1 (ISO 7064, MOD 97-10).
fn is_iban(text: &str) -> bool {
    let shape = text.bytes().enumerate().all(|(at, byte)| match at {
        0 | 1 => byte.is_ascii_uppercase(),
        2 | 3 => byte.is_ascii_digit(),
        _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
    });
    let turned = text.chars().skip(4).chain(text.chars().take(4));
    let remainder = turned
        .filter_map(|c| c.to_digit(36))
        .fold(0_u32, |sum, value| (sum * if value < 10 { 10 } else { 100 } + value) % 97);
    shape && remainder == 1
}

/// What an account had at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Which day.
    pub date: Date,
    /// How much, in minor units; below zero is owed to the bank.
    pub amount_minor: i64,
}

/// What tells a line from all others of a node's accounts, whichever file it comes in: it is imported once.
///
/// It is a hash of account, currency, day, amount and the bank's own reference; where the bank gives none, of all that the line says.
/// Lines of one statement that are alike in that are counted. Two files that overlap give the same keys as long as both have all of a
/// day's statement; lines without a bank's reference that are alike to the letter, of one day but in two statements, are taken for one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey(pub [u8; 16]);

impl fmt::Display for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineKey({self})")
    }
}

/// How a payment is called by those who had it in hand. What stands for "none" (`NOTPROVIDED`, `NONREF`) is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// The bank's (AcctSvcrRef; behind `//` in tag 61).
    pub bank: Option<String>,
    /// The payer's, end to end (EndToEndId; EREF).
    pub end_to_end: Option<String>,
    /// The clearing's (TxId), or in MT940 the account owner's.
    pub transaction: Option<String>,
    /// What the payer's program put where the creditor's reference goes (CdtrRefInf): ISO 11649, or a country's own.
    pub creditor: Vec<String>,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// By it a line is imported once.
    pub key: LineKey,
    /// When the bank booked it.
    pub booked: Date,
    /// From when on it counts for interest, where the bank says so.
    pub valued: Option<Date>,
    /// How much, in minor units of [`Line::currency`]: above zero came in, below zero went out.
    pub amount_minor: i64,
    /// As that of its statement.
    pub currency: Currency,
    /// It takes an earlier one back. [`Line::amount_minor`] has its own sign already.
    pub reversal: bool,
    /// Who is at the other end, as the bank or the payer writes it: nobody has to prove that name.
    pub counterparty: Option<String>,
    /// Their account.
    pub counterparty_account: Option<AccountName>,
    /// How it is called.
    pub references: References,
    /// What the bank says that it is, in its codes (BkTxCd; tag 61 and the code before `?00`).
    pub code: Option<String>,
    /// What the payer wrote, or else what the bank says of it.
    pub text: String,
}

impl Line {
    /// Creditor references of ISO 11649 that the payer gave: first in their own field, then in the text, then as the end-to-end
    /// reference. A handful at most.
    #[must_use]
    pub fn creditor_references(&self) -> Vec<Reference> {
        let mut found: Vec<Reference> = self
            .references
            .creditor
            .iter()
            .filter_map(|text| text.parse().ok())
            .take(crate::FOUND_MAX)
            .collect();
        let texts =
            [Some(&self.text), self.references.end_to_end.as_ref(), self.references.transaction.as_ref()];
        for reference in texts.into_iter().flatten().flat_map(|text| Reference::find(text)) {
            if !found.contains(&reference) {
                found.push(reference);
            }
        }
        found
    }
}

/// What a bank says of one account over some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which format it came in.
    pub format: Format,
    /// How the bank calls it (Id; tag 20). Some banks call all of them alike.
    pub id: String,
    /// Its number (ElctrncSeqNb or LglSeqNb; tag 28C).
    pub number: Option<String>,
    /// The account.
    pub account: AccountName,
    /// Of all its amounts.
    pub currency: Currency,
    /// What the account had before the first line.
    pub opening: Option<Balance>,
    /// What it had after the last one. With both, the lines are what lies between: see [`StatementError::Unbalanced`].
    pub closing: Option<Balance>,
    /// What was booked, in the order of the file.
    pub lines: Vec<Line>,
    /// Entries that are not booked yet and may never be (PDNG): left out.
    pub pending: u32,
    /// Entries that are no bookings (INFO, FUTR): left out.
    pub informational: u32,
}

impl Statement {
    /// Whether opening balance and lines were seen to make the closing balance.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.opening.is_some() && self.closing.is_some()
    }
}

/// Why a statement is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The lines do not make one balance of the other: something is missing or was changed.
    #[error(
        "the opening balance and the entries make {expected_minor}, the closing balance is {found_minor} minor units"
    )]
    Unbalanced {
        /// Opening balance and lines.
        expected_minor: i64,
        /// What the bank says.
        found_minor: i64,
    },
    /// A sum leaves the numbers.
    #[error("a sum is too large")]
    TooLarge,
}

/// Opening + lines = closing, if both are there.
pub(crate) fn check_balance(
    opening: Option<Balance>,
    closing: Option<Balance>,
    lines: &[Line],
) -> Result<(), StatementError> {
    let (Some(opening), Some(closing)) = (opening, closing) else { return Ok(()) };
    let mut amounts = lines.iter().map(|line| line.amount_minor);
    let sum = amounts.try_fold(opening.amount_minor, i64::checked_add).ok_or(StatementError::TooLarge)?;
    let found_minor = closing.amount_minor;
    if sum == found_minor {
        Ok(())
    } else {
        Err(StatementError::Unbalanced { expected_minor: sum, found_minor })
    }
}

impl LineKey {
    /// What a line has in the place of its key until [`give_keys`]: a hash of all that it says, for those without a bank's reference.
    pub(crate) fn seed<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        LineKey([0; 16]).and(parts)
    }

    /// The same with what more it says.
    pub(crate) fn and<'a>(self, parts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/bank-line-says/1");
        absorb(&mut hasher, &self.0);
        parts.into_iter().for_each(|part| absorb(&mut hasher, part.unwrap_or("").as_bytes()));
        front(&hasher.finalize())
    }
}

/// With its length before it, so that what stands side by side does not run together.
fn absorb(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
}

fn front(hash: &blake3::Hash) -> LineKey {
    let mut key = [0; 16];
    key.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    LineKey(key)
}

/// Gives the lines of a statement their keys. It is done once for all, since lines that are alike are counted.
pub(crate) fn give_keys(account: &AccountName, lines: &mut [Line]) {
    let mut alike: HashMap<blake3::Hash, u32> = HashMap::new();
    for line in lines {
        let hash = fingerprint(account, line);
        let ordinal = alike.entry(hash).or_default();
        let mut hasher = blake3::Hasher::new_derive_key("weft/bank-line/1");
        hasher.update(hash.as_bytes()).update(&ordinal.to_be_bytes());
        line.key = front(&hasher.finalize());
        *ordinal += 1;
    }
}

/// What tells lines apart. The amount and the day stand beside the bank's reference, for there are banks that give the parts of a batch, or
/// a payment and its fee, the same one; what the payer wrote does not, for some banks tell more of it in a later file.
fn fingerprint(account: &AccountName, line: &Line) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("weft/bank-line-fingerprint/1");
    let (booked, amount) = (line.booked.to_string(), line.amount_minor.to_string());
    for part in [account.as_str(), line.currency.code(), &booked, &amount] {
        absorb(&mut hasher, part.as_bytes());
    }
    match &line.references.bank {
        Some(bank) => absorb(&mut hasher, bank.as_bytes()),
        None => absorb(&mut hasher, &line.key.0),
    }
    hasher.finalize()
}

/// A reference of a bank, unless it says that there is none.
pub(crate) fn reference(text: &str) -> Option<String> {
    let text = weft_wire::text::name(text.trim());
    let none = ["", "NOTPROVIDED", "NOT PROVIDED", "NONREF", "NOREF", "NON REF"];
    if none.contains(&text.to_ascii_uppercase().as_str()) { None } else { Some(text) }
}

/// A name of somebody, in one line and harmless to show. None if nothing is left of it.
pub(crate) fn one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(weft_wire::text::name(&words.join(" "))).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_are_told_from_other_accounts() {
        for text in [
            "DE89370400440532013000",
            "NL91ABNA0417164300",
            "CH93 0076 2011 6238 5295 7",
            "GB82WEST12345698765432",
        ] {
            let plain = text.replace(' ', "");
            assert_eq!(AccountName::of_text(text), Some(AccountName::Iban(plain)));
        }
        for text in ["DE88370400440532013000", "37040044/0532013000", "0532013000", "de89370400440532013000"]
        {
            assert_eq!(AccountName::of_text(text), Some(AccountName::Other(text.to_owned())));
        }
        assert_eq!(AccountName::of_text("  "), None);
    }

    #[test]
    fn what_says_none_is_none() {
        for text in ["", " ", "NOTPROVIDED", "notprovided", "NONREF", "\u{200b}NONREF"] {
            assert_eq!(reference(text), None, "{text:?}");
        }
        assert_eq!(reference(" 2024-77 ").as_deref(), Some("2024-77"));
        assert_eq!(one_line("Alice \n  Example\u{202e}").as_deref(), Some("Alice Example"));
    }
}
