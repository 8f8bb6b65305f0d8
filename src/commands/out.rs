//! What is printed for people. The only place that writes to the terminal, besides the log.

use fast_qr::{ECL, QRBuilder};
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    ops::RangeInclusive,
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

/// What steers a text rather than being part of it: Unicode's format characters (category Cf: marks and overrides of the
/// writing direction, joiners, everything of no width), and its line and paragraph separators. Control characters
/// (Cc) are asked for by [`char::is_control`].
const STEERING: [RangeInclusive<char>; 22] = [
    '\u{ad}'..='\u{ad}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    // Letters by name that show nothing: a name of them alone would be no name.
    '\u{115f}'..='\u{1160}',
    '\u{3164}'..='\u{3164}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Text of others, made harmless: nothing that drives the terminal (escape sequences begin with a control character), turns
/// the writing direction, or stands there unseen and makes two different names look alike.
pub fn plain(text: &str) -> String {
    let steers = |c: char| c.is_control() || STEERING.iter().any(|range| range.contains(&c));
    text.chars().filter(|c| *c == '\n' || !steers(*c)).collect::<String>().replace('\n', "\n    ")
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
    use proptest::prelude::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(951_782_340_000), "2000-02-28 23:59");
        assert_eq!(time(951_868_800_000), "2000-03-01 00:00");
        assert_eq!(time(1_795_230_333_000), "2026-11-21 03:05");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Against the tables of Unicode that the test's library has.
        #[test]
        fn nothing_that_steers_gets_through(text in r"[\p{Cf}\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}--\n]{1,9}") {
            prop_assert_eq!(plain(&text), "", "{}", text.escape_unicode());
        }

        #[test]
        fn letters_of_all_scripts_do(text in r"[\p{L}\p{N}\p{P}\p{Emoji_Presentation}--\u{115f}\u{1160}\u{3164}\u{ffa0}]{1,9}") {
            prop_assert_eq!(plain(&text), text.clone());
        }
    }

    #[test]
    fn one_name_cannot_look_like_another() {
        for text in [
            "bo\u{61c}b",
            "\u{202e}bob",
            "b\u{200b}o\u{200d}b",
            "bob\u{feff}\u{e0041}",
            "\u{3164}bob\u{2066}",
        ] {
            assert_eq!(plain(text), "bob", "{}", text.escape_unicode());
        }
    }

    #[test]
    fn what_others_write_cannot_drive_the_terminal() {
        assert_eq!(plain("hi\x1b[2J\x07\u{202e}there"), "hi[2Jthere");
        assert_eq!(plain("one\ntwo"), "one\n    two");
    }
}
