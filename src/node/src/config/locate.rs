//! Lines of keys in a TOML file: serde's errors speak of keys, operators look for lines.

use super::{ConfigError, Place};
use crate::bounded;
use figment::value::{Dict, Value};
use std::{
    io,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// A file and its text.
pub(super) struct Source {
    pub path: PathBuf,
    text: String,
}

impl Source {
    pub fn read(path: &Path) -> Result<Source, ConfigError> {
        let fault = |source| ConfigError::Read { path: path.to_owned(), source };
        let bytes = bounded::read(path).map_err(fault)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| fault(io::Error::new(io::ErrorKind::InvalidData, "it is not text (UTF-8)")))?;
        Ok(Source { path: path.to_owned(), text })
    }

    /// The values, for figment.
    pub fn values(&self) -> Result<Dict, ConfigError> {
        let table: toml::Table = toml::from_str(&self.text).map_err(|error| {
            let line = error.span().map_or(0, |span| self.line_at(span.start));
            let hint = if self.lacks_quotes(line) { "; a text value stands in quotes" } else { "" };
            ConfigError::Syntax {
                place: Place::File { path: self.path.clone(), line },
                message: format!("{}{hint}", error.message()),
            }
        })?;
        let value = Value::serialize(table)
            .map_err(|error| ConfigError::Syntax { place: whole(&self.path), message: error.to_string() })?;
        Ok(value.into_dict().unwrap_or_default())
    }

    /// The line on which a key stands, from 1.
    pub fn line_of(&self, path: &[String]) -> Option<usize> {
        let document = DeTable::parse(&self.text).ok()?;
        let mut table = document.into_inner();
        let mut found = None;
        for name in path {
            let Some((key, value)) = table.remove_entry(name.as_str()) else { break };
            found = Some(self.line_at(key.span().start));
            match value.into_inner() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        found
    }

    /// Whether a value on this line begins like a word: `signup = invite`, which TOML reads as a number gone wrong.
    fn lacks_quotes(&self, line: usize) -> bool {
        let line = line.checked_sub(1).and_then(|before| self.text.lines().nth(before));
        let value = line.and_then(|line| line.split_once('=')).map(|(_, value)| value.trim_start());
        value.is_some_and(|value| value.starts_with(|c: char| c.is_alphabetic() || c == '/' || c == '.'))
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

fn whole(path: &Path) -> Place {
    Place::File { path: path.to_owned(), line: 0 }
}
