//! Tag 61, an entry: `6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]`, and on a second line `[34x]`.

use super::{MtError, fields::Field, minor};
use crate::{
    Currency, Date, Line, LineKey, References,
    statement::{one_line, reference},
};

const TAG: &str = "61";

pub(super) fn line(field: &Field<'_>, currency: Currency) -> Result<Line, MtError> {
    let text = field.lines.first().copied().unwrap_or("");
    let date = |error| MtError::Date(error, TAG);
    let (day, rest) = text.split_at_checked(6).ok_or(MtError::Malformed(TAG))?;
    let valued = Date::of_short_value(day).map_err(date)?;
    let (booked, rest) = match rest.split_at_checked(4) {
        Some((day, rest)) if day.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Date::of_day(day, valued).map_err(date)?, rest)
        }
        // Some banks leave four spaces where they have no entry date.
        Some(("    ", rest)) => (valued, rest),
        _ => (valued, rest),
    };
    let Mark { credit, reversal, rest } = Mark::of(rest)?;
    let end = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b',').count();
    let (amount, rest) = rest.split_at_checked(end).ok_or(MtError::Malformed(TAG))?;
    let minor = minor(amount, currency, TAG)?;
    // N for a transfer, F or S for others, and a code of three, which some banks leave blank: NTRF, NMSC, S103.
    let (code, rest) = rest.split_at_checked(4).ok_or(MtError::Malformed(TAG))?;
    if !code.starts_with(['N', 'F', 'S'])
        || !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
    {
        return Err(MtError::Malformed(TAG));
    }
    let (own, bank) = rest.split_once("//").unwrap_or((rest, ""));
    // These say that tag 86 has it, under their name.
    let own = reference(own).filter(|own| !matches!(own.as_str(), "EREF" | "PREF" | "MARF" | "KREF+"));
    let references = References { bank: reference(bank), transaction: own, ..References::default() };
    // What stands on the second line is the bank's; tag 86 says more.
    let text = field.lines.get(1..).unwrap_or_default().join(" ");
    Ok(Line {
        // Of the lines as they stand, so that what is read out of them may change some day.
        key: LineKey::seed(field.lines.iter().map(|line| Some(line.trim_end()))),
        booked,
        valued: Some(valued),
        amount_minor: if credit { minor } else { -minor },
        currency,
        reversal,
        counterparty: None,
        counterparty_account: None,
        references,
        code: Some(code.trim_end().to_owned()),
        text: one_line(&text).unwrap_or_default(),
    })
}

/// Which way the money went.
struct Mark<'a> {
    credit: bool,
    reversal: bool,
    rest: &'a str,
}

impl<'a> Mark<'a> {
    /// C, D, RC (a credit is taken back: money goes out) or RD; then may stand the third letter of the currency, which says nothing.
    fn of(text: &'a str) -> Result<Self, MtError> {
        let marks = [("RC", false, true), ("RD", true, true), ("C", true, false), ("D", false, false)];
        let mut found = marks.into_iter().filter_map(|(mark, credit, reversal)| {
            text.strip_prefix(mark).map(|rest| Mark { credit, reversal, rest })
        });
        let mark = found.next().ok_or(MtError::Malformed(TAG))?;
        let rest = mark.rest.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or(mark.rest);
        Ok(Mark { rest, ..mark })
    }
}
