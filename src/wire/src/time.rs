//! Points of time as people read them, in UTC.

use crate::Millis;

/// A day, as clocks without leap seconds count.
pub const DAY_MS: Millis = 24 * 60 * 60 * 1000;

/// The year, month (1 to 12) and day of the month of a day, counted in days since 1970.
#[must_use]
pub fn civil(days: u64) -> (u64, u64, u64) {
    // Howard Hinnant's civil_from_days, for years after 1970.
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// The day, since 1970, of a date from then on. A day that the month does not have is its last.
#[must_use]
pub fn days(year: u64, month: u64, day: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.clamp(1, last) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

/// The day: `2026-11-21`.
#[must_use]
pub fn date(ms: Millis) -> String {
    let (year, month, day) = civil(ms / DAY_MS);
    format!("{year:04}-{month:02}-{day:02}")
}

/// When a day begins that is written like [`date`] writes it. None: there is no such day, or it is before 1970.
#[must_use]
pub fn day(text: &str) -> Option<Millis> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // The last day of a month stands for days that it does not have: those are written otherwise.
    let ms = days(year, month, day).checked_mul(DAY_MS)?;
    (date(ms) == text).then_some(ms)
}

/// The minute: `2026-11-21 03:05`.
#[must_use]
pub fn minute(ms: Millis) -> String {
    let minutes = ms % DAY_MS / 60_000;
    format!("{} {:02}:{:02}", date(ms), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(minute(0), "1970-01-01 00:00");
        assert_eq!(minute(951_782_340_000), "2000-02-28 23:59");
        assert_eq!(minute(951_868_800_000), "2000-03-01 00:00");
        assert_eq!(minute(1_795_230_333_000), "2026-11-21 03:05");
        assert_eq!(date(1_795_230_333_000), "2026-11-21");
        assert!(!date(Millis::MAX).is_empty());
    }

    #[test]
    fn a_date_is_the_day_that_it_came_from() {
        for day in 0..80_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(days(2027, 2, 31)), (2027, 2, 28));
        assert_eq!(civil(days(2028, 2, 31)), (2028, 2, 29));
        assert_eq!(civil(days(2100, 2, 29)), (2100, 2, 28));
        assert_eq!(civil(days(2026, 4, 31)), (2026, 4, 30));
    }

    #[test]
    fn days_are_read_as_they_are_written() {
        for ms in [0, 951_782_400_000, 951_868_800_000, 1_795_219_200_000] {
            assert_eq!(day(&date(ms)), Some(ms));
        }
        for bad in
            ["", "2026", "2026-02-30", "2026-13-01", "1969-12-31", "2026-1-1", "2026-11-00", "99999-01-01"]
        {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
