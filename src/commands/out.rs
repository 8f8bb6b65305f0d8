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
