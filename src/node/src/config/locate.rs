//! Lines of keys in a TOML file: serde's errors speak of keys, operators look for lines.

use super::{ConfigError, Place};
use figment::value::{Dict, Value};
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// A configuration file beyond this is none of ours.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file and its text.
pub(super) struct Source {
    pub path: PathBuf,
    text: String,
}

impl Source {
    pub fn read(path: &Path) -> Result<Source, ConfigError> {
        let fault = |source| ConfigError::Read { path: path.to_owned(), source };
        let bytes = std::fs::metadata(path).map_err(fault)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(ConfigError::Syntax {
                place: whole(path),
                message: format!("{bytes} bytes are too many"),
            });
        }
        Ok(Source { path: path.to_owned(), text: std::fs::read_to_string(path).map_err(fault)? })
    }

    /// The values, for figment.
    pub fn values(&self) -> Result<Dict, ConfigError> {
        let table: toml::Table = toml::from_str(&self.text).map_err(|error| ConfigError::Syntax {
            place: Place::File {
                path: self.path.clone(),
                line: error.span().map_or(0, |span| self.line_at(span.start)),
            },
            message: error.message().to_owned(),
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

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

fn whole(path: &Path) -> Place {
    Place::File { path: path.to_owned(), line: 0 }
}
