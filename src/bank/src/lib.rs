//! What an operator's bank says, read strictly: statements in camt.053 (ISO 20022) and MT940 (SWIFT), and creditor references (ISO 11649).
//!
//! The operator hands in a file that the bank gave them; nothing here talks to a bank. [`read`] takes a file whole or not at all, and what it
//! gives was seen to add up. Each [`Line`] has a [`LineKey`] by which it is imported once, also from files that overlap, and says which
//! creditor references its payer gave. Whose they are, and what comes of a payment without one, is for others to decide. Encodings: see
//! `encoding.rs`; why it is as it is: `docs/decisions/0012-bank-files.md`.
//!
//! ```
//! let file = b":20:STARTUMSE\n:25:DE89370400440532013000\n:28C:1/1\n:60F:C241230EUR10,00\n\
//!     :61:2412311231C25,00NTRFNONREF//4711\n:86:for RF18 5390 0754 7034\n:62F:C241231EUR35,00\n-\n";
//! let statements = weft_bank::read(file)?;
//! let line = &statements[0].lines[0];
//! assert_eq!((line.amount_minor, line.currency.code()), (2_500, "EUR"));
//! assert_eq!(line.creditor_references(), ["RF18539007547034".parse()?]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod camt053;
mod date;
mod encoding;
mod error;
mod money;
mod mt940;
mod reference;
mod statement;
mod xml;

pub use camt053::CamtError;
pub use date::{Date, DateError};
pub use encoding::EncodingError;
pub use error::BankError;
pub use money::{Currency, MoneyError};
pub use mt940::{FIELD_BYTES_MAX, MtError};
pub use reference::{BODY_LEN_MAX, FOUND_MAX, Reference, ReferenceError, SEARCH_BYTES_MAX, TYPED_BYTES_MAX};
pub use statement::{
    AccountName, Balance, Format, LINES_MAX, Line, LineKey, References, STATEMENTS_MAX, Statement,
    StatementError, TEXT_BYTES_MAX,
};
pub use xml::{DEPTH_MAX, ELEMENT_TEXT_BYTES_MAX, ELEMENTS_MAX, TAG_BYTES_MAX, XmlError};

/// The most bytes of a file.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How far into a file its format shows at the latest.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// In which of its lines the first field of MT940 stands at the latest.
const SWIFT_LINES_MAX: usize = 10;

/// Which format a file is in, by its first bytes. That it is one shows when it is read.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let bytes = encoding::without_mark(bytes);
    let head = String::from_utf8_lossy(bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes));
    let is_xml = head.trim_start().starts_with('<');
    if is_xml && head.contains("camt.053.001.") {
        return Some(Format::Camt053);
    }
    // The first field of a message, behind an envelope or a bank's own lines.
    let is_swift = !is_xml && head.lines().take(SWIFT_LINES_MAX).any(|line| line.starts_with(":20:"));
    is_swift.then_some(Format::Mt940)
}

/// Reads a file of a bank: all its statements, or none.
///
/// # Errors
/// [`BankError`].
pub fn read(bytes: &[u8]) -> Result<Vec<Statement>, BankError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(BankError::TooLarge(bytes.len()));
    }
    match detect(bytes) {
        Some(Format::Camt053) => camt053::read(bytes),
        Some(Format::Mt940) => mt940::read(bytes),
        None => Err(BankError::UnknownFormat),
    }
}
