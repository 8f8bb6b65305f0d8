//! Bytes to text.
//!
//! XML is UTF-8, as ISO 20022 wants it, or says that it is US-ASCII or ISO-8859-1. MT940 does not say: what is valid UTF-8 is read as
//! that, anything else as ISO-8859-1, in which every byte is a character (SWIFT's own set is a part of both). A byte order mark of
//! UTF-8 is dropped. Anything else is refused, for to guess would be to garble names; UTF-16 is not even seen to be a bank's file.

use std::borrow::Cow;

/// The byte order mark of UTF-8.
const MARK: &[u8] = &[0xef, 0xbb, 0xbf];
/// Where an XML declaration ends at the latest.
const DECLARATION_BYTES_MAX: usize = 256;

/// Bytes that are no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// It says that it is UTF-8, or says nothing, and is not.
    #[error("not valid UTF-8 from byte {0} on")]
    Utf8(usize),
    /// It says that it is something else.
    #[error("the encoding {0:?} is not read; save the file as UTF-8")]
    Unsupported(String),
}

/// A file without its byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// The text of an XML file.
pub(crate) fn of_xml(bytes: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    let text = without_mark(bytes);
    let declared = declared(text).unwrap_or_default();
    match declared.to_ascii_uppercase().as_str() {
        "" | "UTF-8" | "UTF8" | "US-ASCII" | "ASCII" => std::str::from_utf8(text)
            .map(Cow::Borrowed)
            .map_err(|error| EncodingError::Utf8(error.valid_up_to())),
        "ISO-8859-1" | "ISO8859-1" | "LATIN1" => Ok(Cow::Owned(latin_1(text))),
        _ => Err(EncodingError::Unsupported(declared.chars().filter(|c| !c.is_control()).take(40).collect())),
    }
}

/// What the XML declaration says (XML 1.0, 4.3.3).
fn declared(bytes: &[u8]) -> Option<String> {
    let head = latin_1(bytes.get(..DECLARATION_BYTES_MAX).unwrap_or(bytes));
    let (declaration, _) = head.trim_start().strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(encoding, _)| encoding.trim().to_owned())
}

/// The text of an MT940 file.
pub(crate) fn of_swift(bytes: &[u8]) -> Cow<'_, str> {
    let text = without_mark(bytes);
    std::str::from_utf8(text).map_or_else(|_| Cow::Owned(latin_1(text)), Cow::Borrowed)
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_that_are_read() {
        assert_eq!(of_xml("<a>ä</a>".as_bytes()).as_deref(), Ok("<a>ä</a>"));
        assert_eq!(of_xml(b"\xef\xbb\xbf<a/>").as_deref(), Ok("<a/>"));
        assert!(
            of_xml(b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xe4</a>")
                .unwrap()
                .ends_with("<a>ä</a>")
        );
        assert!(of_xml("<?xml version='1.0' encoding='UTF-8'?><a>ä</a>".as_bytes()).is_ok());
        assert_eq!(of_swift(b"M\xfcller"), "Müller");
        assert_eq!(of_swift("\u{feff}Müller".as_bytes()), "Müller");
    }

    #[test]
    fn encodings_that_are_refused() {
        assert_eq!(of_xml(b"<a>\xe4</a>"), Err(EncodingError::Utf8(3)));
        let other = b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a>\x80</a>";
        assert_eq!(of_xml(other), Err(EncodingError::Unsupported("windows-1252".to_owned())));
    }
}
