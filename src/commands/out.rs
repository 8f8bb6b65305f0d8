//! What is printed for people. The only place that writes to the terminal, besides the log.

use fast_qr::{ECL, QRBuilder};
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

/// A line on standard output. A reader that went away (`weft user list | head`) is no fault.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
    let _ = io::stdout().flush();
}

/// A line on standard error.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The beginning of a line that the person completes.
pub fn ask(text: impl Display) {
    let _ = write!(io::stderr().lock(), "{text}");
    let _ = io::stderr().flush();
}

/// An error and its causes.
pub fn complain(error: &anyhow::Error) {
    note(format_args!("weft: {error:#}"));
}

/// Whether a person looks at standard output.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A QR code in half blocks, light on dark as terminals are.
pub fn qr(content: &str) {
    // Low error correction: a screen has no dirt, and the code of a long link stays small enough for 24 lines.
    if let Ok(code) = QRBuilder::new(content).ecl(ECL::L).build() {
        line(code.to_str());
    }
}

/// Text of others, made harmless: no control characters, so no escape sequences, and no change of writing direction that
/// could dress one name up as another.
pub fn plain(text: &str) -> String {
    let bidi =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars()
        .filter(|c| (!c.is_control() || *c == '\n') && !bidi(*c))
        .collect::<String>()
        .replace('\n', "\n    ")
}

/// Milliseconds since 1970 as `2026-11-21 03:05` UTC.
pub fn time(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (days, minute, hour) = (minutes / 1440, minutes % 60, minutes / 60 % 24);
    // Days since 1970 to a date: Howard Hinnant's civil_from_days, for years after 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(951_782_340_000), "2000-02-28 23:59");
        assert_eq!(time(951_868_800_000), "2000-03-01 00:00");
        assert_eq!(time(1_795_230_333_000), "2026-11-21 03:05");
    }

    #[test]
    fn what_others_write_cannot_drive_the_terminal() {
        assert_eq!(plain("hi\x1b[2J\x07\u{202e}there"), "hi[2Jthere");
        assert_eq!(plain("one\ntwo"), "one\n    two");
    }
}
