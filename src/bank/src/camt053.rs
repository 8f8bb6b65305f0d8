//! camt.053, BankToCustomerStatement of ISO 20022, in the versions 001.02 to 001.13. Paths below are those of its message
//! definition report.
//!
//! `CdtDbtInd` alone says which way money went, also of a reversal: there `RvslInd` says that it takes back an earlier entry of the other
//! direction, and turns round who is the counterparty, but not the sign.

use crate::{
    AccountName, Balance, BankError, Currency, Date, DateError, EncodingError, Format, LINES_MAX, Line,
    MoneyError, STATEMENTS_MAX, Statement, StatementError, XmlError, encoding, statement,
    xml::{ELEMENTS_MAX, Element, Event, Tag, Xml},
};

mod payment;

use payment::Payment;

/// All versions have it in front of their number.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
const VERSIONS: std::ops::RangeInclusive<u8> = 2..=13;

/// What is wrong with a camt.053 file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CamtError {
    /// Its bytes are no text.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// It is no XML that is read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// There is no `Document` of camt.053 in it.
    #[error("there is no camt.053 document in it")]
    NoDocument,
    /// A version that this was not written for.
    #[error("camt.053.001.{0:?} is not a version that is read")]
    Version(String),
    /// An element is not there, or has no text.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element says something that it cannot say.
    #[error("{0} has a value that it cannot have")]
    Value(&'static str),
    /// A balance is there twice, so that it is open which one counts.
    #[error("there are two balances {0}")]
    TwoBalances(&'static str),
    /// An amount or a currency is not right.
    #[error("{1}: {0}")]
    Money(#[source] MoneyError, &'static str),
    /// An amount is in another currency than the account.
    #[error("{0} is in another currency than the statement")]
    OtherCurrency(&'static str),
    /// A date is not right.
    #[error("{1}: {0}")]
    Date(#[source] DateError, &'static str),
    /// The payments of a batch are not the entry.
    #[error("the payments of the batch make {payments_minor}, the entry is {entry_minor} minor units")]
    Batch {
        /// All payments.
        payments_minor: i64,
        /// The entry.
        entry_minor: i64,
    },
    /// More than [`crate::TEXT_BYTES_MAX`].
    #[error("the text of a payment is too long")]
    TextTooLong,
    /// More than [`STATEMENTS_MAX`].
    #[error("more than {STATEMENTS_MAX} statements in one file")]
    TooManyStatements,
    /// More than [`LINES_MAX`].
    #[error("more than {LINES_MAX} payments in one file")]
    TooManyLines,
    /// The sums are not right.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// Reads a file: all statements of all documents in it.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Statement>, BankError> {
    let text = encoding::of_xml(bytes).map_err(|error| {
        let error = error.into();
        BankError::Camt053 { statement: 0, entry: 0, line: 1, error }
    })?;
    let mut reader = Reader { xml: Xml::new(&text, NAMESPACE), statement: 0, entry: 0, payments: 0 };
    reader.file().map_err(|error| {
        let read = text.as_bytes().iter().take(reader.xml.position());
        let line = count(read.filter(|byte| **byte == b'\n').count() + 1);
        BankError::Camt053 { statement: reader.statement, entry: reader.entry, line, error }
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

struct Reader<'a> {
    xml: Xml<'a>,
    /// Which statement of the file and which entry of it is read, from 1.
    statement: u32,
    entry: u32,
    /// How many payments the file has had.
    payments: usize,
}

/// What stands in a statement before its entries.
struct Head {
    account: AccountName,
    currency: Currency,
}

impl Reader<'_> {
    /// The document may be the root, or lie in an envelope.
    fn file(&mut self) -> Result<Vec<Statement>, CamtError> {
        let mut statements = Vec::new();
        let mut documents = 0_usize;
        loop {
            match self.xml.next()? {
                Event::Start(Tag { name, version: Some(version), .. }) if name == "Document" => {
                    documents += 1;
                    self.document(&version, &mut statements)?;
                }
                Event::Start(_) | Event::Text(_) | Event::End => {}
                Event::Over if documents == 0 => return Err(CamtError::NoDocument),
                Event::Over => return Ok(statements),
            }
        }
    }

    fn document(&mut self, version: &str, statements: &mut Vec<Statement>) -> Result<(), CamtError> {
        let digits = version.len() == 2 && version.bytes().all(|byte| byte.is_ascii_digit());
        let number = Some(version).filter(|_| digits).and_then(|text| text.parse().ok());
        if !number.is_some_and(|number| VERSIONS.contains(&number)) {
            return Err(CamtError::Version(version.chars().filter(|c| !c.is_control()).take(20).collect()));
        }
        let before = statements.len();
        while let Some(tag) = self.xml.child()? {
            if tag.name != "BkToCstmrStmt" {
                self.xml.skip()?;
                continue;
            }
            while let Some(tag) = self.xml.child()? {
                match tag.name.as_str() {
                    "Stmt" if statements.len() >= STATEMENTS_MAX => return Err(CamtError::TooManyStatements),
                    "Stmt" => statements.push(self.statement()?),
                    _ => self.xml.skip()?,
                }
            }
        }
        if statements.len() == before { Err(CamtError::Missing("Stmt")) } else { Ok(()) }
    }

    fn statement(&mut self) -> Result<Statement, CamtError> {
        (self.statement, self.entry) = (self.statement.saturating_add(1), 0);
        let mut fields = Element::default();
        let mut room = ELEMENTS_MAX;
        let (mut head, mut lines) = (None, Vec::new());
        let (mut pending, mut informational) = (0, 0);
        while let Some(tag) = self.xml.child()? {
            match tag.name.as_str() {
                "Id" | "ElctrncSeqNb" | "LglSeqNb" | "Acct" | "Bal" => {
                    fields.children.push(self.xml.element(tag, &mut room)?);
                }
                "Ntry" => {
                    self.entry = self.entry.saturating_add(1);
                    // The account and the balances stand before the entries (AccountStatement).
                    let head = match &head {
                        Some(head) => head,
                        None => head.insert(Head::of(&fields)?),
                    };
                    match self.entry(head, &mut lines)? {
                        Status::Booked => {}
                        Status::Pending => pending += 1,
                        Status::Informational => informational += 1,
                    }
                }
                _ => self.xml.skip()?,
            }
        }
        self.entry = 0;
        let Head { account, currency } = match head {
            Some(head) => head,
            None => Head::of(&fields)?,
        };
        let id = fields.value("Id").and_then(statement::one_line).ok_or(CamtError::Missing("Stmt/Id"))?;
        let number = fields.value("ElctrncSeqNb").or(fields.value("LglSeqNb")).and_then(statement::one_line);
        // What was booked last before is what there is first: PRCD is the closing balance of the statement before.
        let opening = match balance(&fields, "OPBD", currency)? {
            Some(opening) => Some(opening),
            None => balance(&fields, "PRCD", currency)?,
        };
        let closing = balance(&fields, "CLBD", currency)?;
        statement::check_balance(opening, closing, &lines)?;
        statement::give_keys(&account, &mut lines);
        let format = Format::Camt053;
        Ok(Statement {
            format,
            id,
            number,
            account,
            currency,
            opening,
            closing,
            lines,
            pending,
            informational,
        })
    }

    /// One entry: a payment, or a batch of them.
    fn entry(&mut self, head: &Head, lines: &mut Vec<Line>) -> Result<Status, CamtError> {
        let mut fields = Element::default();
        let mut room = ELEMENTS_MAX;
        let mut payments = Vec::new();
        while let Some(tag) = self.xml.child()? {
            if tag.name != "NtryDtls" {
                fields.children.push(self.xml.element(tag, &mut room)?);
                continue;
            }
            self.details(head, &mut payments)?;
        }
        if payments.is_empty() {
            payments.push(Payment::default());
            self.count_payment()?;
        }
        payment::lines_of(&fields, payments, head, lines)
    }

    /// The payments of one NtryDtls. Where it says how many they are, all of them have to be there: the money of the others would be theirs.
    fn details(&mut self, head: &Head, payments: &mut Vec<Payment>) -> Result<(), CamtError> {
        let before = payments.len();
        let mut said = None;
        while let Some(tag) = self.xml.child()? {
            match tag.name.as_str() {
                "Btch" => {
                    let batch = self.xml.element(tag, &mut { ELEMENTS_MAX })?;
                    said = batch.value("NbOfTxs").map(str::parse::<usize>);
                }
                "TxDtls" => {
                    let details = self.xml.element(tag, &mut { ELEMENTS_MAX })?;
                    payments.push(Payment::of(&details, head.currency)?);
                    self.count_payment()?;
                }
                _ => self.xml.skip()?,
            }
        }
        let count = payments.len() - before;
        let all = count == 0 || said.is_none_or(|said| said == Ok(count));
        if all { Ok(()) } else { Err(CamtError::Value("NtryDtls/Btch/NbOfTxs")) }
    }

    fn count_payment(&mut self) -> Result<(), CamtError> {
        self.payments += 1;
        if self.payments > LINES_MAX { Err(CamtError::TooManyLines) } else { Ok(()) }
    }
}

impl Head {
    fn of(fields: &Element) -> Result<Self, CamtError> {
        let account = fields.at("Acct").and_then(|account| payment::account(account, "Id"));
        let account = account.ok_or(CamtError::Missing("Acct/Id"))?;
        // The currency of an account need not be said; its balances are in it.
        let of_balance = || fields.at("Bal/Amt").and_then(|amount| amount.currency.as_deref());
        let code = fields.value("Acct/Ccy").or_else(of_balance).ok_or(CamtError::Missing("Acct/Ccy"))?;
        let currency = Currency::of_code(code).map_err(|error| CamtError::Money(error, "Acct/Ccy"))?;
        Ok(Head { account, currency })
    }
}

/// Whether an entry is a booking (Sts).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Booked,
    Pending,
    Informational,
}

fn balance(fields: &Element, code: &'static str, currency: Currency) -> Result<Option<Balance>, CamtError> {
    let mut balances = fields.all("Bal").filter(|balance| balance.value("Tp/CdOrPrtry/Cd") == Some(code));
    let Some(balance) = balances.next() else { return Ok(None) };
    if balances.next().is_some() {
        return Err(CamtError::TwoBalances(code));
    }
    let minor = amount(balance, "Bal/Amt", currency)?;
    let amount_minor = if is_credit(balance, "Bal/CdtDbtInd")? { minor } else { -minor };
    let date = date(balance, "Dt", "Bal/Dt")?.ok_or(CamtError::Missing("Bal/Dt"))?;
    Ok(Some(Balance { date, amount_minor }))
}

/// The `Amt` in an element, in minor units; `place` is how an error calls it.
fn amount(element: &Element, place: &'static str, currency: Currency) -> Result<i64, CamtError> {
    let amount = only(element, "Amt", place)?.ok_or(CamtError::Missing(place))?;
    let code = amount.currency.as_deref().ok_or(CamtError::Missing("Amt/@Ccy"))?;
    let known = Currency::of_code(code).map_err(|error| CamtError::Money(error, place))?;
    if known != currency {
        return Err(CamtError::OtherCurrency(place));
    }
    currency.minor(amount.text(), '.').map_err(|error| CamtError::Money(error, place))
}

fn is_credit(element: &Element, place: &'static str) -> Result<bool, CamtError> {
    match only(element, "CdtDbtInd", place)?.map(Element::text) {
        Some("CRDT") => Ok(true),
        Some("DBIT") => Ok(false),
        Some(_) => Err(CamtError::Value(place)),
        None => Err(CamtError::Missing(place)),
    }
}

/// An element on which money depends: of two it would be open which one counts.
fn only<'a>(element: &'a Element, name: &str, place: &'static str) -> Result<Option<&'a Element>, CamtError> {
    let mut found = element.all(name);
    let first = found.next();
    if found.next().is_some() { Err(CamtError::Value(place)) } else { Ok(first) }
}

/// A day that is written as one or as a point of time.
fn date(element: &Element, name: &str, place: &'static str) -> Result<Option<Date>, CamtError> {
    let Some(date) = element.at(name) else { return Ok(None) };
    let text = date.value("Dt").or(date.value("DtTm")).ok_or(CamtError::Missing(place))?;
    Date::of_iso(text).map(Some).map_err(|error| CamtError::Date(error, place))
}
