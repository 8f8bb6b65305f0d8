//! Errors of the configuration, told to the operator: where, what, and what was expected.

use super::locate::Source;
use figment::error::Kind;
use std::{fmt, io, path::PathBuf};

/// The name under which figment knows variables of the environment.
pub(super) const VARIABLE: &str = "variable";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file, from 1; 0 when the line is not known.
    File {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// None of the two: a default, or a rule that spans keys.
    Unknown,
}

/// Why the configuration was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: the configuration cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{place}: this is not TOML: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        message: String,
    },
    /// A key that does not exist.
    #[error("{place}: there is no key `{key}`{}; known here: {known}", hint(suggestion.as_deref()))]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key with its section.
        key: String,
        /// A key that is spelt nearly so.
        suggestion: Option<String>,
        /// The keys that exist there.
        known: String,
    },
    /// A value of another type, or out of bounds.
    #[error("{place}: `{key}`: {message}")]
    Value {
        /// Where.
        place: Place,
        /// The key with its section.
        key: String,
        /// What was found and what was expected.
        message: String,
    },
    /// Keys that contradict each other.
    #[error("{0}")]
    Rule(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line: 0 } => write!(f, "{}", path.display()),
            Place::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Place::Variable(name) => write!(f, "the variable {name}"),
            Place::Unknown => f.write_str("the configuration"),
        }
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// Turns what figment says into what an operator needs.
pub(super) fn explain(error: figment::Error, source: Option<&Source>) -> ConfigError {
    let mut path = error.path.clone();
    // figment names the key itself in the path of some of its errors and not in others.
    if let Kind::UnknownField(field, _) = &error.kind
        && path.last() != Some(field)
    {
        path.push(field.clone());
    }
    let key = path.join(".");
    let place = place(&error, &path, source);
    match error.kind {
        Kind::UnknownField(field, expected) => {
            let suggestion = expected
                .iter()
                .map(|known| (strsim::jaro_winkler(known, &field), *known))
                .filter(|(likeness, _)| *likeness > 0.8)
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, known)| known.to_owned());
            let known = expected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            ConfigError::UnknownKey { place, key, suggestion, known }
        }
        Kind::InvalidType(found, expected) => {
            let message = format!("found {found}, expected {expected}");
            ConfigError::Value { place, key, message }
        }
        Kind::InvalidValue(found, expected) => {
            let message = format!("found {found}, expected {expected}");
            ConfigError::Value { place, key, message }
        }
        kind => ConfigError::Value { place, key, message: kind.to_string() },
    }
}

fn place(error: &figment::Error, path: &[String], source: Option<&Source>) -> Place {
    let from = error.metadata.as_ref();
    let variable = from
        .filter(|metadata| metadata.name == VARIABLE)
        .and_then(|metadata| metadata.source.as_ref())
        .and_then(figment::Source::custom);
    if let Some(variable) = variable {
        return Place::Variable(variable.to_owned());
    }
    // An unknown key carries no metadata of its own; the file is asked whether it holds it, then the environment.
    if let Some(source) = source
        && let Some(line) = source.line_of(path)
    {
        return Place::File { path: source.path.clone(), line };
    }
    let name = format!("{}{}", super::ENV_PREFIX, path.join("__").to_ascii_uppercase());
    if std::env::var_os(&name).is_some() || source.is_none() {
        return Place::Variable(name);
    }
    Place::Unknown
}
