//! What is printed for people. The only place that writes to the terminal, besides the log.

use fast_qr::{ECL, QRBuilder};
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};
use weft_wire::text;

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

/// A name, an address, a code or a sentence of the node, made harmless: see [`text::name`].
pub fn plain(text: &str) -> String {
    text::name(text)
}

/// What others wrote, made harmless: see [`text::body`]. Lines after the first stand further in, so that none can pass for a
/// line of this program.
pub fn body(text: &str) -> String {
    text::body(text).replace('\n', "\n    ")
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

    proptest! {
        #[test]
        fn nothing_drives_the_terminal_or_passes_for_a_line_of_this_program(text in r"[a\n\r\t\x{1b}\x{9b}\x{85}\x{2028}\x{202e}]{0,9}") {
            prop_assert!(plain(&text).chars().all(|c| c == 'a'));
            let shown = body(&text);
            prop_assert!(shown.chars().all(|c| matches!(c, 'a' | '\n' | ' ')), "{}", shown.escape_unicode());
            prop_assert!(shown.split('\n').skip(1).all(|line| line.starts_with("    ")));
        }
    }

    #[test]
    fn dates_are_right() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(951_782_340_000), "2000-02-28 23:59");
        assert_eq!(time(951_868_800_000), "2000-03-01 00:00");
        assert_eq!(time(1_795_230_333_000), "2026-11-21 03:05");
    }

    #[test]
    fn what_others_write_cannot_drive_the_terminal() {
        let text = "hi\x1b[2J\x07\u{202e}there";
        assert_eq!((plain(text).as_str(), body(text).as_str()), ("hi[2Jthere", "hi[2Jthere"));
        assert_eq!(body("one\ntwo"), "one\n    two");
        assert_eq!(plain("bo\u{fe00}b\n* bob is a contact"), "bob* bob is a contact");
    }

    #[test]
    fn what_others_write_is_shown_as_it_was_written() {
        for text in ["👩\u{200d}👩\u{200d}👧", "می\u{200c}روم", "❤\u{fe0f}"] {
            assert_eq!(body(text), text);
        }
    }
}
