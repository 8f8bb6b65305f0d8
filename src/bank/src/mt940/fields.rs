//! Lines to fields: `:tag:value`, and the lines below that belong to it.

use super::{FIELD_BYTES_MAX, MtError};
use std::{iter::Peekable, str::Lines};

/// The tags of MT940, with those that banks add; the tag 940 stands at the beginning of some files.
const TAGS: [&str; 18] = [
    "940", "20", "21", "25", "25P", "28", "28C", "60F", "60M", "61", "86", "62F", "62M", "64", "65", "13",
    "13D", "NS",
];
/// What banks add of their own accord, and a time: nothing is counted by it.
const PASSED_OVER: [&str; 3] = ["13", "13D", "NS"];
/// How many lines a bank may put before a message of its own accord: `ABNANL2A`, `940`, `ABNANL2A`.
const PREAMBLE_LINES_MAX: usize = 4;
/// And how long they are.
const PREAMBLE_BYTES_MAX: usize = 64;

/// One field.
pub(super) struct Field<'a> {
    pub(super) tag: &'static str,
    /// The value, and the lines below it, without their ends.
    pub(super) lines: Vec<&'a str>,
}

impl<'a> Field<'a> {
    /// The value of a field of one line, if it has one.
    pub(super) fn value(&self) -> Option<&'a str> {
        match self.lines.as_slice() {
            [line, rest @ ..] if rest.iter().all(|line| line.is_empty()) => {
                Some(line.trim()).filter(|text| !text.is_empty())
            }
            _ => None,
        }
    }
}

/// What a line is.
enum Kind<'a> {
    /// It begins a field.
    Tag(&'static str, &'a str),
    /// The message ends with it.
    End,
    /// The envelope around messages.
    Envelope,
    /// It looks like a tag and is none.
    Unknown,
    /// Anything else.
    Text,
}

/// The fields of a file, one after the other.
pub(super) struct Fields<'a> {
    lines: Peekable<Lines<'a>>,
    /// How many lines were taken.
    taken: u32,
    /// In which line the field begins that was read last.
    at: u32,
}

impl<'a> Fields<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        // Some files keep the marks of a transmission around each message (SOH, ETX). `lines` knows LF and CR LF.
        let text = text.trim_start_matches(char::is_control);
        Fields { lines: text.lines().peekable(), taken: 0, at: 0 }
    }

    /// The line of the field that was read last, from 1.
    pub(super) fn line(&self) -> u32 {
        self.at.max(1)
    }

    fn take(&mut self) -> Option<&'a str> {
        let line = self.lines.next()?;
        self.taken = self.taken.saturating_add(1);
        Some(line)
    }

    /// The tag 20 of the next message, if there is one.
    pub(super) fn begin_message(&mut self) -> Result<Option<Field<'a>>, MtError> {
        let mut preamble = 0;
        while let Some(line) = self.lines.peek().copied() {
            self.at = self.taken.saturating_add(1);
            match kind(line) {
                Kind::Tag(tag @ "20", value) => {
                    self.take();
                    return self.field(tag, value).map(Some);
                }
                Kind::Tag("940", _) | Kind::End => {}
                Kind::Envelope => check_type(line)?,
                Kind::Tag(..) => return Err(MtError::Missing("20")),
                Kind::Unknown => return Err(MtError::UnknownTag),
                Kind::Text if line.trim().is_empty() => {}
                Kind::Text => {
                    preamble += 1;
                    if preamble > PREAMBLE_LINES_MAX || line.len() > PREAMBLE_BYTES_MAX {
                        return Err(MtError::Stray);
                    }
                }
            }
            self.take();
        }
        Ok(None)
    }

    /// The next field of the message, or `None` at its end.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, MtError> {
        loop {
            let Some(line) = self.lines.peek().copied() else { return Ok(None) };
            match kind(line) {
                // Where banks leave out the end, the next message begins.
                Kind::Tag("20" | "940", _) => return Ok(None),
                Kind::Tag(tag, value) => {
                    self.take();
                    self.at = self.taken;
                    let field = self.field(tag, value)?;
                    if !PASSED_OVER.contains(&tag) {
                        return Ok(Some(field));
                    }
                }
                Kind::End | Kind::Envelope => return Ok(None),
                Kind::Unknown => {
                    self.at = self.taken.saturating_add(1);
                    return Err(MtError::UnknownTag);
                }
                Kind::Text if line.trim().is_empty() => drop(self.take()),
                Kind::Text => {
                    self.at = self.taken.saturating_add(1);
                    return Err(MtError::Stray);
                }
            }
        }
    }

    /// The next field, where the message cannot be over. `tag` is what is missing if it is.
    pub(super) fn expect(&mut self, tag: &'static str) -> Result<Field<'a>, MtError> {
        self.next()?.ok_or(MtError::Missing(tag))
    }

    /// A field with the lines below it.
    fn field(&mut self, tag: &'static str, value: &'a str) -> Result<Field<'a>, MtError> {
        let mut field = Field { tag, lines: vec![value] };
        let mut len = value.len();
        while let Some(line) = self.lines.peek().copied() {
            match kind(line) {
                Kind::Text => {}
                // Free text may hold what only looks like a tag.
                Kind::Unknown if tag == "86" => {}
                _ => break,
            }
            len += line.len() + 1;
            if len > FIELD_BYTES_MAX {
                return Err(MtError::FieldTooLong);
            }
            field.lines.push(line);
            self.take();
        }
        if len > FIELD_BYTES_MAX { Err(MtError::FieldTooLong) } else { Ok(field) }
    }
}

fn kind(line: &str) -> Kind<'_> {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    if matches!(line.trim_end_matches(blank), "-" | "-}") || line.starts_with("-}{") {
        return Kind::End;
    }
    if line.starts_with('{') {
        return Kind::Envelope;
    }
    let Some((tag, value)) = line.strip_prefix(':').and_then(|rest| rest.split_once(':')) else {
        return Kind::Text;
    };
    if let Some(known) = TAGS.iter().find(|known| **known == tag) {
        return Kind::Tag(known, value);
    }
    let shape =
        (2..=3).contains(&tag.len()) && tag.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    if shape { Kind::Unknown } else { Kind::Text }
}

/// Block 2, the application header, has the type behind `I` (from us) or `O` (to us).
fn check_type(line: &str) -> Result<(), MtError> {
    let Some((_, header)) = line.split_once("{2:") else { return Ok(()) };
    let kind = header.get(1..4);
    if header.starts_with(['I', 'O']) && kind == Some("940") { Ok(()) } else { Err(MtError::MessageType) }
}
