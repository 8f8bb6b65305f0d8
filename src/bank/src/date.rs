//! Days as banks write them.

use std::fmt;
use weft_wire::Millis;

const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// The first and the last year that a bank is believed.
const YEARS: std::ops::RangeInclusive<u16> = 1970..=2199;

/// A text that is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the calendar between {} and {}", YEARS.start(), YEARS.end())]
pub struct DateError;

/// A day of the calendar, as a bank books on it. It is no point of time: banks do not say in which zone their days begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that there is.
    ///
    /// # Errors
    /// [`DateError`] for a 30th of February, and for years that no statement is from.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, DateError> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        let known = YEARS.contains(&year) && (1..=last).contains(&day);
        if known { Ok(Date { year, month, day }) } else { Err(DateError) }
    }

    /// `2024-03-05`, also with a time or a zone behind it (xs:date and xs:dateTime): the day is the bank's own.
    pub(crate) fn of_iso(text: &str) -> Result<Self, DateError> {
        let (day, rest) = text.split_at_checked(10).ok_or(DateError)?;
        if !(rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-'])) || rest.len() > 32 {
            return Err(DateError);
        }
        let mut parts = day.split('-');
        let mut part = |len: usize| number(parts.next().filter(|part| part.len() == len));
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        Self::of_parts(year, month, day)
    }

    /// `240305` (SWIFT's 6!n): from 80 on it is the last century.
    pub(crate) fn of_short(text: &str) -> Result<Self, DateError> {
        let (year, rest) = text.split_at_checked(2).ok_or(DateError)?;
        let (month, day) = rest.split_at_checked(2).filter(|(_, day)| day.len() == 2).ok_or(DateError)?;
        let year = number(Some(year))?;
        Self::of_parts(
            if year < 80 { 2000 + year } else { 1900 + year },
            number(Some(month))?,
            number(Some(day))?,
        )
    }

    /// The same for a day on which interest begins: banks whose months have 30 days write a 30th of February, which is its last day here.
    pub(crate) fn of_short_value(text: &str) -> Result<Self, DateError> {
        let last = |day: &str| Self::of_short(&format!("{}{day}", text.get(..4).unwrap_or("")));
        match text.get(2..) {
            Some("0229" | "0230") => Self::of_short(text).or_else(|_| last("29")).or_else(|_| last("28")),
            _ => Self::of_short(text),
        }
    }

    /// `0305` (SWIFT's 4!n), in the year in which it is nearest to another day: an entry of 31 December may be of value in January.
    pub(crate) fn of_day(text: &str, near: Date) -> Result<Self, DateError> {
        let (month, day) = text.split_at_checked(2).filter(|(_, day)| day.len() == 2).ok_or(DateError)?;
        let (month, day) = (number(Some(month))?, number(Some(day))?);
        let years = [near.year, near.year.saturating_sub(1), near.year.saturating_add(1)];
        let days = years.into_iter().filter_map(|year| Self::of_parts(year, month, day).ok());
        days.min_by_key(|date| date.start_ms().abs_diff(near.start_ms())).ok_or(DateError)
    }

    fn of_parts(year: u16, month: u16, day: u16) -> Result<Self, DateError> {
        let small = |part: u16| u8::try_from(part).map_err(|_| DateError);
        Self::new(year, small(month)?, small(day)?)
    }

    /// The day's midnight in UTC, so that days sort and show beside points of time.
    #[must_use]
    pub fn start_ms(self) -> Millis {
        // Howard Hinnant's days_from_civil, for years after 1970: what weft_wire::time::date turns back.
        let (year, month) = (u64::from(self.year), u64::from(self.month));
        let year = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + u64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (era * 146_097 + day_of_era).saturating_sub(719_468) * DAY_MS
    }
}

/// Digits only: `parse` would take a sign as well.
fn number(text: Option<&str>) -> Result<u16, DateError> {
    let text = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or(DateError)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_read_as_they_are_meant() {
        let day = |text: &str| Date::of_iso(text).map(|date| date.to_string());
        for text in ["2024-02-29", "2024-02-29Z", "2024-02-29+01:00", "2024-02-29T23:59:59.999-05:00"] {
            assert_eq!(day(text).as_deref(), Ok("2024-02-29"), "{text}");
        }
        for text in [
            "",
            "2023-02-29",
            "2024-2-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "1969-12-31",
            "9999-12-31",
            "20240229",
            "2024-02-290",
            "+024-02-29",
            "2024-02-2x",
            "２０２４-02-29",
        ] {
            assert_eq!(day(text), Err(DateError), "{text}");
        }
    }

    #[test]
    fn short_days_have_a_century_and_a_year() {
        assert_eq!(Date::of_short("240305"), Date::new(2024, 3, 5));
        assert_eq!(Date::of_short("791231"), Date::new(2079, 12, 31));
        assert_eq!(Date::of_short("800101"), Date::new(1980, 1, 1));
        for text in ["", "24035", "2403055", "24 305", "+40305", "240230"] {
            assert_eq!(Date::of_short(text), Err(DateError), "{text}");
        }
        assert_eq!(Date::of_short_value("240230"), Date::new(2024, 2, 29));
        assert_eq!(Date::of_short_value("230230"), Date::new(2023, 2, 28));
        assert_eq!(Date::of_short_value("230229"), Date::new(2023, 2, 28));
        assert_eq!(Date::of_short_value("230231"), Err(DateError));
        for (entry, value, booked) in [
            ("1231", (2025, 1, 2), (2024, 12, 31)),
            ("0102", (2024, 12, 31), (2025, 1, 2)),
            ("0305", (2024, 3, 1), (2024, 3, 5)),
            ("0229", (2025, 3, 1), (2024, 2, 29)),
        ] {
            let date = |(year, month, day)| Date::new(year, month, day);
            assert_eq!(Date::of_day(entry, date(value).unwrap()), date(booked), "{entry}");
        }
        assert_eq!(Date::of_day("0229", Date::new(2022, 3, 1).unwrap()), Err(DateError));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_day_is_the_same_in_millis(year in YEARS, month in 1..=12_u8, day in 1..=31_u8) {
            if let Ok(date) = Date::new(year, month, day) {
                prop_assert_eq!(weft_wire::time::date(date.start_ms()), date.to_string());
                prop_assert_eq!(Date::of_iso(&date.to_string()), Ok(date));
            }
        }

        #[test]
        fn no_text_panics(text in "([0-9]{2}|-|\\PC){0,8}") {
            let _ = (Date::of_iso(&text), Date::of_short(&text), Date::of_day(&text, Date::new(2024, 1, 1).unwrap()));
        }
    }
}
