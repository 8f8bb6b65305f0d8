//! Tag 86, what is known of an entry. SWIFT leaves its contents open; three ways to write it are read, and all else is text:
//!
//! - German banks (Deutsche Kreditwirtschaft, appendix 3 to the agreement on data transmission): a code of three digits, then
//!   subfields `?20` to `?29` and `?60` to `?63` with the remittance, `?31` account, `?32` and `?33` name. The remittance may be
//!   cut into `EREF+…`, `SVWZ+…` and others.
//! - `/KEY/value/KEY/value`, as Dutch and many other banks write it: `/EREF/…/NAME/…/REMI/…`.
//! - Text.
//!
//! A payer who puts such a mark into the remittance changes what is shown of the payment, never its amount.

use super::fields::Field;
use crate::{
    AccountName, Line,
    statement::{one_line, reference},
};

/// How many characters a German subfield has; a longer text goes on in the next one without a space.
const SUBFIELD_CHARS: usize = 27;
/// And a line of SWIFT: 65, of which some banks leave one.
const LINE_CHARS: usize = 64;

/// The codes that stand between slashes.
const SLASHED: [&str; 28] = [
    "ACCW", "ADDR", "BENM", "BIC", "BREF", "CHGS", "CNTP", "CSID", "EREF", "EXCH", "IBAN", "ID", "ISDT",
    "KREF", "MARF", "NAME", "OCMT", "ORDP", "PREF", "PURP", "REMI", "RTRN", "SVCL", "TRCD", "TRTP", "UCRD",
    "ULTC", "ULTD",
];
/// The codes that stand before a plus.
const PLUSSED: [&str; 15] = [
    "ABWA", "ABWE", "BIC", "BREF", "COAM", "CRED", "DEBT", "EREF", "IBAN", "KREF", "MREF", "OAMT", "PURP",
    "RREF", "SVWZ",
];

/// What was found.
#[derive(Default)]
struct Details {
    end_to_end: Option<String>,
    creditor: Option<String>,
    name: Option<String>,
    account: Option<String>,
    code: Option<String>,
    text: String,
}

/// Adds a field to its entry. Some banks send several: then the text of all of them counts.
pub(super) fn add(line: &mut Line, field: &Field<'_>) {
    let details = Details::of(&field.lines);
    line.key = line.key.and(field.lines.iter().map(|line| Some(line.trim_end())));
    if let Some(code) = details.code {
        line.code = Some(line.code.take().map_or_else(|| code.clone(), |first| format!("{first}+{code}")));
    }
    let account = details.account.as_deref().and_then(one_line);
    line.counterparty = details.name.as_deref().and_then(one_line).or(line.counterparty.take());
    line.counterparty_account =
        account.as_deref().and_then(AccountName::of_text).or(line.counterparty_account.take());
    line.references.end_to_end =
        details.end_to_end.as_deref().and_then(reference).or(line.references.end_to_end.take());
    line.references.creditor.extend(details.creditor.as_deref().and_then(reference));
    let text = one_line(&details.text).unwrap_or_default();
    line.text = match (line.text.is_empty(), text.is_empty()) {
        (_, true) => std::mem::take(&mut line.text),
        (true, false) => text,
        (false, false) => format!("{} {text}", line.text),
    };
}

impl Details {
    fn of(lines: &[&str]) -> Self {
        let whole = joined(lines, LINE_CHARS);
        if let Some((code, separator)) = german(&whole) {
            // Its lines are cut anywhere, also within a subfield.
            return Self::of_german(code, separator, &lines.concat());
        }
        // The first of them stands at the very beginning, or it is a text with slashes in it.
        let marks = marks(&whole);
        if marks.first().is_some_and(|(at, ..)| *at == 0) {
            Self::of_slashed(&whole, &marks)
        } else {
            Details { text: whole, ..Details::default() }
        }
    }

    fn of_german(code: &str, separator: char, text: &str) -> Self {
        let mut details = Details { code: Some(code.to_owned()), ..Details::default() };
        let (mut remittance, mut name) = (Vec::new(), Vec::new());
        let mut booking = "";
        for part in subfields(text, separator) {
            let Some((number, value)) = part.split_at_checked(2) else { continue };
            match number {
                "00" => booking = value,
                "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "60" | "61" | "62"
                | "63" => {
                    remittance.push(value);
                }
                "31" => details.account = Some(value.to_owned()),
                "32" | "33" => name.push(value),
                _ => {}
            }
        }
        details.name = Some(joined(&name, SUBFIELD_CHARS));
        details.plussed(&remittance);
        if details.text.is_empty() {
            details.text = booking.to_owned();
        }
        details
    }

    /// The remittance. A piece that begins with a code goes on in the next ones as long as pieces are full, and text goes on until
    /// the next code.
    fn plussed(&mut self, pieces: &[&str]) {
        let mut groups: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
        let mut was_full = true;
        for piece in pieces {
            let begun = piece.split_once('+').filter(|(code, _)| PLUSSED.contains(code));
            match (begun, groups.last_mut()) {
                (Some((code, rest)), _) => groups.push((code, vec![rest])),
                (None, Some((code, group))) if was_full || matches!(*code, "" | "SVWZ") => group.push(piece),
                (None, _) => groups.push(("", vec![piece])),
            }
            was_full = piece.chars().count() >= SUBFIELD_CHARS;
        }
        for (code, group) in groups {
            match code {
                "EREF" => self.end_to_end = Some(group.concat()),
                "IBAN" if self.account.is_none() => self.account = Some(group.concat()),
                "ABWA" if self.name.as_deref().is_none_or(str::is_empty) => {
                    self.name = Some(joined(&group, SUBFIELD_CHARS))
                }
                "" | "SVWZ" => {
                    let text = first_joined(code, &group);
                    if !self.text.is_empty() && !text.is_empty() {
                        self.text.push(' ');
                    }
                    self.text.push_str(&text);
                }
                _ => {}
            }
        }
    }

    fn of_slashed(text: &str, marks: &[(usize, usize, &str)]) -> Self {
        let mut details = Details::default();
        for (index, (_, from, key)) in marks.iter().enumerate() {
            let to = marks.get(index + 1).map_or(text.len(), |(at, ..)| *at);
            let value =
                text.get(*from..to).unwrap_or("").trim_matches(|c: char| c == '/' || c.is_whitespace());
            match *key {
                _ if value.is_empty() => {}
                "EREF" => details.end_to_end = Some(value.to_owned()),
                "NAME" => details.name = Some(value.to_owned()),
                "IBAN" => details.account = Some(value.to_owned()),
                // Account, bank, name and place of the counterparty.
                "CNTP" => {
                    let mut parts = value.split('/');
                    details.account = parts.next().map(str::to_owned);
                    details.name = parts.nth(1).map(str::to_owned);
                }
                "REMI" => details.remittance(value),
                "TRTP" if details.code.is_none() => details.code = Some(value.to_owned()),
                _ => {}
            }
        }
        if details.text.is_empty() {
            // A payment may say whose it is also where it should not.
            details.text = text.to_owned();
        }
        details
    }

    /// `USTD//text`, `STRD/CUR/reference`, or the text as it is.
    fn remittance(&mut self, value: &str) {
        if let Some(reference) = value.strip_prefix("STRD/") {
            let reference = reference.rsplit('/').next().unwrap_or(reference);
            self.creditor = Some(reference.to_owned());
        }
        self.text = value.strip_prefix("USTD/").unwrap_or(value).trim_matches('/').to_owned();
    }
}

/// The code of three digits and the separator behind it, which the bank chooses, with two digits behind that. No comma, point or hyphen:
/// `107,50 for March` is a text.
fn german(text: &str) -> Option<(&str, char)> {
    let (code, rest) = text.split_at_checked(3)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '?' | '~' | '^' | '<' | '>' | '|' | '@'))?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let follows = rest.get(1..3).is_some_and(digits);
    (digits(code) && follows).then_some((code, separator))
}

/// What stands between separators that have two digits behind them, number and value. A separator without is part of a value.
fn subfields(text: &str, separator: char) -> Vec<&str> {
    let begins = |(at, _): &(usize, &str)| {
        text.get(at + 1..at + 3).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let starts: Vec<usize> = text.match_indices(separator).filter(begins).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).filter_map(|(from, to)| text.get(from + 1..to)).collect()
}

/// Where `/KEY/` stands with a key that is known: from where, where its value begins, and the key.
fn marks(text: &str) -> Vec<(usize, usize, &str)> {
    let mut marks: Vec<(usize, usize, &str)> = Vec::new();
    let slashes: Vec<usize> = text.match_indices('/').map(|(at, _)| at).collect();
    for pair in slashes.windows(2) {
        let [from, to] = pair else { continue };
        let key = text.get(from + 1..*to).unwrap_or("");
        if SLASHED.contains(&key) {
            marks.push((*from, to + 1, key));
        }
    }
    marks
}

/// Pieces of a text that was cut: where a piece is full, the next one goes on in the middle of a word.
fn joined(pieces: &[&str], full_chars: usize) -> String {
    let mut text = String::new();
    let mut before = full_chars;
    for piece in pieces {
        if before < full_chars && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(piece);
        before = piece.chars().count();
    }
    text
}

/// As [`joined`], where the code took a part of the first piece's room.
fn first_joined(code: &str, pieces: &[&str]) -> String {
    let Some((first, rest)) = pieces.split_first() else { return String::new() };
    let taken = if code.is_empty() { 0 } else { code.len() + 1 };
    let gap = if first.chars().count() + taken < SUBFIELD_CHARS && !rest.is_empty() { " " } else { "" };
    format!("{first}{gap}{}", joined(rest, SUBFIELD_CHARS))
}
