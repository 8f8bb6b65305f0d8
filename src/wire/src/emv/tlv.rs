//! Data objects: an id of two digits, a length of two digits, and that many characters (EMVCo MPM). The value of a template
//! is such a list again; there is no deeper nesting, so that nothing here calls itself.

use std::fmt::Write as _;

/// Characters of one value, since its length has two digits.
pub const VALUE_CHARS_MAX: usize = 99;

/// Why a text is no list of data objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// Four digits should stand here: the id and the length.
    #[error("byte {at}: an id and a length of two digits each are expected")]
    Header {
        /// Where, in bytes of the list.
        at: usize,
    },
    /// A value has 1 to 99 characters.
    #[error("field {id:02} is empty")]
    Empty {
        /// Of which object.
        id: u8,
    },
    /// The text ends before the value does.
    #[error("field {id:02} is cut off")]
    Cut {
        /// Of which object.
        id: u8,
    },
    /// An id stands at most once in a list.
    #[error("field {id:02} stands there twice")]
    Duplicate {
        /// Which object.
        id: u8,
    },
}

/// One data object, where it stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// 0 to 99.
    pub(crate) id: u8,
    /// Its first byte in the list, that of the id.
    pub(crate) at: usize,
    /// 1 to 99 characters.
    pub(crate) value: &'a str,
}

/// Reads a whole list. There are at most a hundred objects, as no id stands there twice.
pub(crate) fn parse(list: &str) -> Result<Vec<Field<'_>>, TlvError> {
    let (mut fields, mut seen, mut at) = (Vec::new(), 0_u128, 0);
    while let Some(rest) = list.get(at..).filter(|rest| !rest.is_empty()) {
        let (id, chars, behind) = header(rest).ok_or(TlvError::Header { at })?;
        if chars == 0 {
            return Err(TlvError::Empty { id });
        }
        let value = front(behind, chars).ok_or(TlvError::Cut { id })?;
        if seen & (1 << id) != 0 {
            return Err(TlvError::Duplicate { id });
        }
        seen |= 1 << id;
        fields.push(Field { id, at, value });
        at += 4 + value.len();
    }
    Ok(fields)
}

/// The value of one object of a list.
pub(crate) fn find<'a>(fields: &[Field<'a>], id: u8) -> Option<&'a str> {
    fields.iter().find(|field| field.id == id).map(|field| field.value)
}

/// Writes one object. `false`, and nothing written, where the value is empty or too long.
#[must_use]
pub(crate) fn write(list: &mut String, id: u8, value: &str) -> bool {
    let chars = value.chars().count();
    (1..=VALUE_CHARS_MAX).contains(&chars) && id <= 99 && write!(list, "{id:02}{chars:02}{value}").is_ok()
}

/// The id, the length, and what stands behind them.
fn header(text: &str) -> Option<(u8, usize, &str)> {
    let (digits, behind) = text.split_at_checked(4)?;
    let [a, b, c, d] = <[u8; 4]>::try_from(digits.as_bytes()).ok()?.map(|digit| digit.wrapping_sub(b'0'));
    let is_digits = [a, b, c, d].into_iter().all(|digit| digit <= 9);
    is_digits.then(|| (a * 10 + b, usize::from(c * 10 + d), behind))
}

/// The first so many characters, if there are so many.
fn front(text: &str, chars: usize) -> Option<&str> {
    let last = text.char_indices().nth(chars.checked_sub(1)?)?;
    text.get(..last.0 + last.1.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_of_characters() {
        let fields = parse("0002ZH0104最佳运输0202北京").unwrap();
        let values: Vec<_> = fields.iter().map(|field| (field.id, field.at, field.value)).collect();
        assert_eq!(values, [(0, 0, "ZH"), (1, 6, "最佳运输"), (2, 22, "北京")]);
        assert_eq!(find(&fields, 1), Some("最佳运输"));
        assert_eq!(find(&fields, 3), None);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (list, error) in [
            ("0", TlvError::Header { at: 0 }),
            ("000", TlvError::Header { at: 0 }),
            ("0002ZH01", TlvError::Header { at: 6 }),
            ("+102ZH", TlvError::Header { at: 0 }),
            ("00 2ZH", TlvError::Header { at: 0 }),
            ("０１02ZH", TlvError::Header { at: 0 }),
            ("北京", TlvError::Header { at: 0 }),
            ("0000", TlvError::Empty { id: 0 }),
            ("9901", TlvError::Cut { id: 99 }),
            ("0003ZH", TlvError::Cut { id: 0 }),
            ("0003北京", TlvError::Cut { id: 0 }),
            ("0001a0001b", TlvError::Duplicate { id: 0 }),
            ("9901a0001a9901a", TlvError::Duplicate { id: 99 }),
        ] {
            assert_eq!(parse(list).map(|fields| fields.len()), Err(error), "{list:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut list = String::new();
        assert!(
            !write(&mut list, 0, "")
                && !write(&mut list, 0, &"北".repeat(100))
                && !write(&mut list, 100, "a")
        );
        assert_eq!(list, "");
        assert!(write(&mut list, 7, &"北".repeat(99)));
        assert_eq!(parse(&list).map(|fields| fields.len()), Ok(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(list in "\\PC{0,60}") {
            let _ = parse(&list);
        }

        #[test]
        fn what_is_like_a_list_does_not_panic(list in "([0-9]{4}[a北]{0,4}){0,6}") {
            let _ = parse(&list);
        }

        #[test]
        fn what_was_written_is_read(values in proptest::collection::btree_map(0..=99_u8, "\\PC{1,99}", 0..20)) {
            let mut list = String::new();
            for (id, value) in &values {
                prop_assert!(write(&mut list, *id, value));
            }
            let read: Vec<_> = parse(&list).unwrap().iter().map(|field| (field.id, field.value.to_owned())).collect();
            prop_assert_eq!(read, values.into_iter().collect::<Vec<_>>());
        }
    }
}
