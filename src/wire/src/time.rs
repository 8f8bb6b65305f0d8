//! Points of time as people read them, in UTC.

use crate::Millis;

const DAY_MS: Millis = 24 * 60 * 60 * 1000;

/// The day: `2026-11-21`.
#[must_use]
pub fn date(ms: Millis) -> String {
    // Days since 1970 to a date: Howard Hinnant's civil_from_days, for years after 1970.
    let shifted = ms / DAY_MS + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
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
}
