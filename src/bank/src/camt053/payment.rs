//! Entries and the payments in them (Ntry, NtryDtls/TxDtls).

use super::{CamtError, Head, Status, amount, date, is_credit};
use crate::{
    AccountName, Currency, Line, LineKey, References, TEXT_BYTES_MAX,
    statement::{one_line, reference},
    xml::Element,
};

/// The most references of the creditor that are kept of one payment.
const CREDITOR_REFERENCES_MAX: usize = 8;

/// The most characters of what an entry says of all its payments, each of which gets it: Max500Text, and Max35Text for codes.
const ENTRY_TEXT_CHARS_MAX: usize = 500;
const ENTRY_CODE_BYTES_MAX: usize = 140;

/// One TxDtls, as far as an entry needs it.
#[derive(Default)]
pub(super) struct Payment {
    /// Without sign; `None` if it has none in the account's currency.
    amount_minor: Option<i64>,
    /// `None`: as its entry.
    credit: Option<bool>,
    debtor: Party,
    creditor: Party,
    references: References,
    code: Option<String>,
    text: String,
}

#[derive(Default)]
struct Party {
    name: Option<String>,
    account: Option<AccountName>,
}

impl Payment {
    pub(super) fn of(details: &Element, currency: Currency) -> Result<Self, CamtError> {
        let credit = match details.at("CdtDbtInd") {
            Some(_) => Some(is_credit(details, "TxDtls/CdtDbtInd")?),
            None => None,
        };
        let value = |path: &str| details.value(path).and_then(reference);
        let structured = details.at("RmtInf").into_iter().flat_map(|info| info.all("Strd"));
        let creditor = structured.filter_map(|part| part.value("CdtrRefInf/Ref").and_then(reference));
        let references = References {
            bank: value("Refs/AcctSvcrRef"),
            end_to_end: value("Refs/EndToEndId"),
            transaction: value("Refs/TxId"),
            creditor: creditor.take(CREDITOR_REFERENCES_MAX).collect(),
        };
        Ok(Payment {
            amount_minor: own_amount(details, currency)?,
            credit,
            debtor: Party::of(details, "Dbtr", "DbtrAcct", "UltmtDbtr"),
            creditor: Party::of(details, "Cdtr", "CdtrAcct", "UltmtCdtr"),
            references,
            code: code(details),
            text: text(details)?,
        })
    }
}

/// The amount of a payment: its own (from 001.04 on) or, before that, what was moved or ordered. One in another currency is none.
fn own_amount(details: &Element, currency: Currency) -> Result<Option<i64>, CamtError> {
    let places = [Some(details), details.at("AmtDtls/TxAmt"), details.at("AmtDtls/InstdAmt")];
    for place in places.into_iter().flatten() {
        if place.at("Amt").and_then(|amount| amount.currency.as_deref()) == Some(currency.code()) {
            return amount(place, "TxDtls/Amt", currency).map(Some);
        }
    }
    Ok(None)
}

impl Party {
    fn of(details: &Element, party: &str, account_of: &str, ultimate: &str) -> Self {
        let Some(parties) = details.at("RltdPties") else { return Party::default() };
        // From 001.08 on a party may also be a bank, and a person stands one deeper.
        let name = |party: &str| {
            let party = parties.at(party)?;
            party.value("Nm").or(party.value("Pty/Nm")).and_then(one_line)
        };
        Party { name: name(party).or_else(|| name(ultimate)), account: account(parties, account_of) }
    }
}

/// The account in an element: `Id` in `Acct`, or `DbtrAcct` with its `Id`.
pub(super) fn account(element: &Element, name: &str) -> Option<AccountName> {
    let found = element.at(name)?;
    let id = found.at("Id").filter(|_| name != "Id").unwrap_or(found);
    let text = id.value("IBAN").or(id.value("Othr/Id"))?;
    AccountName::of_text(&one_line(text)?)
}

/// What the payer wrote; where that is nothing, what the bank says.
fn text(details: &Element) -> Result<String, CamtError> {
    let info = details.at("RmtInf");
    let free = info.into_iter().flat_map(|info| info.all("Ustrd"));
    let structured =
        info.into_iter().flat_map(|info| info.all("Strd")).flat_map(|part| part.all("AddtlRmtInf"));
    let parts: Vec<&str> =
        free.chain(structured).map(Element::text).filter(|text| !text.is_empty()).collect();
    let text =
        if parts.is_empty() { details.value("AddtlTxInf").unwrap_or("").to_owned() } else { parts.join(" ") };
    if text.len() > TEXT_BYTES_MAX { Err(CamtError::TextTooLong) } else { Ok(weft_wire::text::body(&text)) }
}

/// `PMNT/RCDT/ESCT` of ISO's own codes, or the bank's.
fn code(element: &Element) -> Option<String> {
    let code = element.at("BkTxCd")?;
    let parts = ["Domn/Cd", "Domn/Fmly/Cd", "Domn/Fmly/SubFmlyCd"];
    let parts: Vec<&str> = parts.iter().filter_map(|path| code.value(path)).collect();
    let proprietary = || code.value("Prtry/Cd").map(str::to_owned);
    Some(parts.join("/"))
        .filter(|code| !code.is_empty())
        .or_else(proprietary)
        .and_then(|code| one_line(&code))
}

/// Puts the payments of an entry behind the lines that there are, if it is booked.
pub(super) fn lines_of(
    fields: &Element,
    payments: Vec<Payment>,
    head: &Head,
    lines: &mut Vec<Line>,
) -> Result<Status, CamtError> {
    let status = match fields.value("Sts/Cd").or(fields.value("Sts")) {
        Some("BOOK") => Status::Booked,
        Some("PDNG") => Status::Pending,
        Some("INFO" | "FUTR") => Status::Informational,
        Some(_) => return Err(CamtError::Value("Ntry/Sts")),
        None => return Err(CamtError::Missing("Ntry/Sts")),
    };
    if status != Status::Booked {
        return Ok(status);
    }
    let entry = Entry::of(fields, head.currency)?;
    if let [payment] = payments.as_slice() {
        // What came in counts, also where fees were kept back from what was sent. More than was sent is another's.
        let sent = payment.amount_minor.unwrap_or(entry.amount_minor);
        if sent < entry.amount_minor && !entry.reversal {
            return Err(CamtError::Batch { payments_minor: sent, entry_minor: entry.amount_minor });
        }
        lines.extend(payments.into_iter().map(|payment| entry.line(payment, entry.amount_minor, head)));
        return Ok(status);
    }
    let mut sum = 0_i64;
    for payment in payments {
        let minor = payment.amount_minor.ok_or(CamtError::Missing("TxDtls/Amt"))?;
        let credit = payment.credit.unwrap_or(entry.amount_minor >= 0);
        let amount_minor = if credit { minor } else { -minor };
        sum = sum.checked_add(amount_minor).ok_or(crate::StatementError::TooLarge)?;
        lines.push(entry.line(payment, amount_minor, head));
    }
    if sum != entry.amount_minor {
        return Err(CamtError::Batch { payments_minor: sum, entry_minor: entry.amount_minor });
    }
    Ok(status)
}

/// What an entry says of all its payments.
struct Entry {
    amount_minor: i64,
    reversal: bool,
    booked: crate::Date,
    valued: Option<crate::Date>,
    reference: Option<String>,
    code: Option<String>,
    text: Option<String>,
}

impl Entry {
    fn of(fields: &Element, currency: Currency) -> Result<Self, CamtError> {
        let minor = amount(fields, "Ntry/Amt", currency)?;
        let amount_minor = if is_credit(fields, "Ntry/CdtDbtInd")? { minor } else { -minor };
        let reversal = match fields.value("RvslInd") {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => return Err(CamtError::Value("Ntry/RvslInd")),
        };
        let valued = date(fields, "ValDt", "Ntry/ValDt")?;
        let booked =
            date(fields, "BookgDt", "Ntry/BookgDt")?.or(valued).ok_or(CamtError::Missing("Ntry/BookgDt"))?;
        // Not NtryRef: it is a number within one file, or that of a contract with the bank.
        let reference = fields.value("AcctSvcrRef").and_then(reference);
        if reference.as_ref().is_some_and(|reference| reference.len() > ENTRY_CODE_BYTES_MAX) {
            return Err(CamtError::Value("Ntry/AcctSvcrRef"));
        }
        let code = code(fields).filter(|code| code.len() <= ENTRY_CODE_BYTES_MAX);
        let text = fields.value("AddtlNtryInf").map(weft_wire::text::body);
        let text = text.map(|text| text.chars().take(ENTRY_TEXT_CHARS_MAX).collect());
        Ok(Entry { amount_minor, reversal, booked, valued, reference, code, text })
    }

    fn line(&self, payment: Payment, amount_minor: i64, head: &Head) -> Line {
        let Payment { debtor, creditor, mut references, code, text, .. } = payment;
        // Parties keep their places when a payment is taken back: the money then comes from the creditor.
        let from_debtor = (amount_minor >= 0) != self.reversal;
        let (near, far) = if from_debtor { (creditor, debtor) } else { (debtor, creditor) };
        // Some banks turn them all the same: the holder of this account is not at the other end of it.
        let turned = far.account.as_ref() == Some(&head.account) && near.account != far.account;
        let counterparty = if turned { near } else { far };
        references.bank = references.bank.or_else(|| self.reference.clone());
        let text = if text.is_empty() { self.text.clone().unwrap_or_default() } else { text };
        let code = code.or_else(|| self.code.clone());
        let account = counterparty.account.as_ref().map(AccountName::as_str);
        let valued = self.valued.map(|date| date.to_string());
        let says = [valued.as_deref(), counterparty.name.as_deref(), account, code.as_deref(), Some(&text)];
        let called = [references.end_to_end.as_deref(), references.transaction.as_deref()];
        let creditor = references.creditor.iter().map(|reference| Some(reference.as_str()));
        Line {
            key: LineKey::seed(says.into_iter().chain(called).chain(creditor)),
            booked: self.booked,
            valued: self.valued,
            amount_minor,
            currency: head.currency,
            reversal: self.reversal,
            counterparty: counterparty.name,
            counterparty_account: counterparty.account,
            references,
            code,
            text,
        }
    }
}
