//! MT940, Customer Statement Message of SWIFT (Standards MT, category 9), with its envelope (`{1:…}{4:…-}`) or without, as banks
//! hand it to their customers.
//!
//! A file is a row of messages, each of them one page of a statement. Pages that follow each other (62M, then 60M) become one
//! [`Statement`]. Every page has to add up by itself.
//!
//! The format has no way to tell what a payer wrote from what the bank did: it is lines of text, and a bank that lets a payer's text begin
//! a line with `:61:` lets them write entries. The balances find one that is alone. Where a bank offers camt.053, that is the one to take.

use crate::{
    AccountName, Balance, BankError, Currency, Date, DateError, Format, LINES_MAX, Line, MoneyError,
    STATEMENTS_MAX, Statement, StatementError, encoding, statement,
};

mod details;
mod entry;
mod fields;

use fields::{Field, Fields};

/// The most bytes of one field with all its lines; tag 86 has six lines of 65, and banks that take more.
pub const FIELD_BYTES_MAX: usize = 8 * 1024;

/// The most fields 86 of one entry: there is one, and some banks send two or three.
const DETAILS_MAX: usize = 8;

/// What is wrong with an MT940 file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MtError {
    /// There is no tag 20 in it.
    #[error("there is no statement in it")]
    NoStatement,
    /// The envelope says that it is another message.
    #[error("the message is not of type 940")]
    MessageType,
    /// A line that belongs to no field.
    #[error("a line outside the fields")]
    Stray,
    /// A tag that MT940 does not have.
    #[error("a tag that MT940 does not have")]
    UnknownTag,
    /// A tag where it has no place, or for the second time.
    #[error("tag {0} has no place here")]
    Misplaced(&'static str),
    /// A tag is not there, or empty; also where the file was cut off.
    #[error("tag {0} is missing")]
    Missing(&'static str),
    /// A field is not written as it has to be.
    #[error("tag {0} is malformed")]
    Malformed(&'static str),
    /// More than [`FIELD_BYTES_MAX`].
    #[error("a field has more than {FIELD_BYTES_MAX} bytes")]
    FieldTooLong,
    /// An amount or a currency is not right.
    #[error("tag {1}: {0}")]
    Money(#[source] MoneyError, &'static str),
    /// A date is not right.
    #[error("tag {1}: {0}")]
    Date(#[source] DateError, &'static str),
    /// The balances are in two currencies.
    #[error("tag {0} is in another currency than the statement")]
    OtherCurrency(&'static str),
    /// A page does not begin with what the one before ended with.
    #[error(
        "a page is missing: the balance before is {before_minor}, this one's is {here_minor} minor units"
    )]
    PageGap {
        /// 62M of the page before.
        before_minor: i64,
        /// 60M of this one.
        here_minor: i64,
    },
    /// More than [`STATEMENTS_MAX`].
    #[error("more than {STATEMENTS_MAX} statements in one file")]
    TooManyStatements,
    /// More than [`LINES_MAX`].
    #[error("more than {LINES_MAX} entries in one file")]
    TooManyLines,
    /// The sums are not right.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// Reads a file: its statements, each with all its pages that are in it.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Statement>, BankError> {
    let text = encoding::of_swift(bytes);
    let mut fields = Fields::of(&text);
    statements(&mut fields).map_err(|error| BankError::Mt940 { line: fields.line(), error })
}

fn statements(fields: &mut Fields<'_>) -> Result<Vec<Statement>, MtError> {
    let mut statements: Vec<Statement> = Vec::new();
    // Whether the last one goes on with a further page.
    let mut goes_on = false;
    let mut entries = 0;
    while let Some(first) = fields.begin_message()? {
        let page = Page::read(first, fields, &mut entries)?;
        let count = statements.len();
        let before = statements.last_mut().filter(|before| goes_on && page.continues(before));
        goes_on = !page.is_last;
        match before {
            Some(before) => page.join(before)?,
            None if count >= STATEMENTS_MAX => return Err(MtError::TooManyStatements),
            None => statements.push(page.statement),
        }
    }
    if statements.is_empty() {
        return Err(MtError::NoStatement);
    }
    // Lines that are alike are counted over all pages.
    statements
        .iter_mut()
        .for_each(|statement| statement::give_keys(&statement.account, &mut statement.lines));
    Ok(statements)
}

/// One message.
struct Page {
    statement: Statement,
    opening: Balance,
    closing: Balance,
    is_first: bool,
    is_last: bool,
}

impl Page {
    /// The fields of a message in their order (Standards MT, MT 940, format specifications).
    fn read(first: Field<'_>, fields: &mut Fields<'_>, entries: &mut usize) -> Result<Self, MtError> {
        let id = first.value().and_then(statement::one_line).ok_or(MtError::Missing("20"))?;
        let mut field = fields.expect("25")?;
        if matches!(field.tag, "21") {
            field = fields.expect("25")?;
        }
        let account = match field.tag {
            // With the bank's own code on a second line (25P).
            "25" | "25P" => field.lines.first().copied().and_then(statement::one_line),
            _ => return Err(MtError::Missing("25")),
        };
        field = fields.expect("28C")?;
        let number = match field.tag {
            "28C" | "28" => field.value().and_then(statement::one_line),
            _ => return Err(MtError::Missing("28C")),
        };
        field = fields.expect("60F")?;
        let is_first = match field.tag {
            "60F" => true,
            "60M" => false,
            _ => return Err(MtError::Missing("60F")),
        };
        let (opening, currency) = balance(&field, "60F")?;
        let account = account.and_then(|text| account_of(&text, currency)).ok_or(MtError::Missing("25"))?;
        let (lines, last) = Self::lines(fields, currency, entries)?;
        let is_last = match last.tag {
            "62F" => true,
            "62M" => false,
            _ => return Err(MtError::Missing("62F")),
        };
        let (closing, currency_after) = balance(&last, "62F")?;
        if currency_after != currency {
            return Err(MtError::OtherCurrency("62F"));
        }
        Self::rest(fields)?;
        statement::check_balance(Some(opening), Some(closing), &lines)?;
        let statement = Statement {
            format: Format::Mt940,
            id,
            number,
            account,
            currency,
            opening: Some(opening),
            closing: Some(closing),
            lines,
            pending: 0,
            informational: 0,
        };
        Ok(Page { statement, opening, closing, is_first, is_last })
    }

    /// All entries, and the field behind them.
    fn lines<'a>(
        fields: &mut Fields<'a>,
        currency: Currency,
        entries: &mut usize,
    ) -> Result<(Vec<Line>, Field<'a>), MtError> {
        let mut lines: Vec<Line> = Vec::new();
        let mut details = 0;
        loop {
            let field = fields.expect("62F")?;
            match field.tag {
                "61" => {
                    *entries += 1;
                    if *entries > LINES_MAX {
                        return Err(MtError::TooManyLines);
                    }
                    details = 0;
                    lines.push(entry::line(&field, currency)?);
                }
                "86" => {
                    details += 1;
                    let line = lines.last_mut().filter(|_| details <= DETAILS_MAX);
                    let line = line.ok_or(MtError::Misplaced("86"))?;
                    details::add(line, &field);
                }
                _ => return Ok((lines, field)),
            }
        }
    }

    /// What may stand behind the closing balance: others, by which nothing is counted, and a word to the account's owner.
    fn rest(fields: &mut Fields<'_>) -> Result<(), MtError> {
        while let Some(field) = fields.next()? {
            match field.tag {
                "64" | "65" => drop(balance(&field, "64")?),
                "86" => {}
                "61" => return Err(MtError::Misplaced("61")),
                "62F" | "62M" => return Err(MtError::Misplaced("62F")),
                _ => return Err(MtError::Misplaced("64")),
            }
        }
        Ok(())
    }

    fn continues(&self, before: &Statement) -> bool {
        !self.is_first
            && before.account == self.statement.account
            && before.currency == self.statement.currency
    }

    fn join(self, before: &mut Statement) -> Result<(), MtError> {
        let before_minor = before.closing.map_or(0, |closing| closing.amount_minor);
        let here_minor = self.opening.amount_minor;
        if before_minor != here_minor {
            return Err(MtError::PageGap { before_minor, here_minor });
        }
        before.closing = Some(self.closing);
        before.lines.extend(self.statement.lines);
        Ok(())
    }
}

/// Some banks write the currency behind the IBAN.
fn account_of(text: &str, currency: Currency) -> Option<AccountName> {
    let without = text.strip_suffix(currency.code()).and_then(AccountName::of_text);
    let iban = without.filter(|account| matches!(account, AccountName::Iban(_)));
    iban.or_else(|| AccountName::of_text(text))
}

/// `C240305EUR1234,56`: 1!a6!n3!a15d.
fn balance(field: &Field<'_>, tag: &'static str) -> Result<(Balance, Currency), MtError> {
    let malformed = || MtError::Malformed(tag);
    let text = field.value().ok_or(MtError::Missing(tag))?;
    let (mark, rest) = text.split_at_checked(1).ok_or_else(malformed)?;
    let (day, rest) = rest.split_at_checked(6).ok_or_else(malformed)?;
    let (code, amount) = rest.split_at_checked(3).ok_or_else(malformed)?;
    let date = Date::of_short(day).map_err(|error| MtError::Date(error, tag))?;
    let currency = Currency::of_code(code).map_err(|error| MtError::Money(error, tag))?;
    let minor = minor(amount, currency, tag)?;
    let amount_minor = match mark {
        "C" => minor,
        "D" => -minor,
        _ => return Err(malformed()),
    };
    Ok((Balance { date, amount_minor }, currency))
}

/// `1234,56`: 15d, which has a digit before its comma, and a comma.
fn minor(text: &str, currency: Currency, tag: &'static str) -> Result<i64, MtError> {
    if !text.contains(',') || text.starts_with(',') {
        return Err(MtError::Malformed(tag));
    }
    currency.minor(text, ',').map_err(|error| MtError::Money(error, tag))
}
