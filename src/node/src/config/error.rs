//! Errors of the configuration, told to the operator: where, what, and what was expected.

use super::{locate::Source, ranges};
use figment::error::{Actual, Kind};
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
    /// A variable that is spelt nearly like one of ours, and would otherwise do nothing.
    #[error("the variable {name}: there is no such key; {}", meant(suggestion.as_deref()))]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The variable that was probably meant.
        suggestion: Option<String>,
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

/// A text with its control characters written out, lines left as they are.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn meant(suggestion: Option<&str>) -> String {
    let instead = suggestion.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    format!(
        "{instead}Two underscores stand between section and key. Unset it if it is not meant for the node"
    )
}

impl ConfigError {
    /// A value that its section does not accept. Where it came from is filled in by whoever has read it.
    pub(crate) fn value(key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError::Value { place: Place::Unknown, key: key.to_owned(), message: message.into() }
    }

    /// The same, to be shown on a terminal: what stands in the file or the environment must not steer it.
    pub(super) fn printable(self) -> ConfigError {
        let safe = |text: String| printable(&text);
        let place_of = |place| match place {
            Place::Variable(name) => Place::Variable(printable(&name)),
            other => other,
        };
        match self {
            ConfigError::Read { path, source } => ConfigError::Read { path, source },
            ConfigError::Syntax { place, message } => {
                ConfigError::Syntax { place: place_of(place), message: safe(message) }
            }
            ConfigError::UnknownKey { place, key, suggestion, known } => {
                ConfigError::UnknownKey { place: place_of(place), key: safe(key), suggestion, known }
            }
            ConfigError::Value { place, key, message } => {
                ConfigError::Value { place: place_of(place), key: safe(key), message: safe(message) }
            }
            ConfigError::UnknownVariable { name, suggestion } => {
                ConfigError::UnknownVariable { name: safe(name), suggestion }
            }
            ConfigError::Rule(text) => ConfigError::Rule(safe(text)),
        }
    }

    /// Fills in where a value came from.
    pub(super) fn at(self, figment: &figment::Figment, source: Option<&Source>) -> ConfigError {
        match self {
            ConfigError::Value { place: Place::Unknown, key, message } => {
                let path: Vec<String> = key.split('.').map(str::to_owned).collect();
                let place = place(figment.find_metadata(&key), &path, source, &[]);
                ConfigError::Value { place, key, message }
            }
            other => other,
        }
    }
}

/// Turns what figment says into what an operator needs. `variables` are those of the environment that were read.
pub(super) fn explain(error: figment::Error, source: Option<&Source>, variables: &[String]) -> ConfigError {
    let mut path = error.path.clone();
    // figment names the key itself in the path of some of its errors and not in others.
    if let Kind::UnknownField(field, _) = &error.kind
        && path.last() != Some(field)
    {
        path.push(field.clone());
    }
    let key = path.join(".");
    let place = place(error.metadata.as_ref(), &path, source, variables);
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
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            let message = format!("found {}, expected {}", in_words(&found), wanted(&key, &expected));
            ConfigError::Value { place, key, message }
        }
        Kind::UnknownVariant(found, known) => {
            let known: Vec<_> = known.iter().map(|word| format!("\"{word}\"")).collect();
            let found = found.escape_debug();
            ConfigError::Value {
                place,
                key,
                message: format!("found \"{found}\", expected one of {}", known.join(", ")),
            }
        }
        kind => {
            let expected = ranges::expected(&key).map(|words| format!("; expected {words}"));
            let message = format!("{kind}{}", expected.unwrap_or_default());
            ConfigError::Value { place, key, message }
        }
    }
}

/// What was found, without the names of a programming language.
fn in_words(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => format!("`{value}`"),
        Actual::Unsigned(value) => format!("`{value}`"),
        Actual::Signed(value) => format!("`{value}`"),
        Actual::Float(value) => format!("`{value}`"),
        Actual::Str(text) => format!("the text \"{}\"", text.escape_debug()),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a section".to_owned(),
        other => other.to_string(),
    }
}

fn wanted(key: &str, expected: &str) -> String {
    ranges::expected(key).unwrap_or_else(|| {
        let words = match expected {
            "a boolean" => "`true` or `false`",
            "a string" | "path string" => "a text in quotes",
            section if section.starts_with("struct ") => "a section with keys of its own",
            other => other,
        };
        words.to_owned()
    })
}

fn place(
    from: Option<&figment::Metadata>,
    path: &[String],
    source: Option<&Source>,
    variables: &[String],
) -> Place {
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
    if variables.contains(&name) { Place::Variable(name) } else { Place::Unknown }
}
