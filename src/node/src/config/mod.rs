//! `node.toml`: every key with its default, overridden by `WEFT_SECTION__KEY` in the environment.
//!
//! A key that is unknown or of another type stops the start, with the file, the line and what was expected: a limit that
//! an operator believes to have set must never be silently the default.

mod error;
mod http;
mod limits;
mod locate;
mod log;
mod node;
mod storage;
mod tls;

pub use error::{ConfigError, Place};
pub use http::HttpConfig;
pub use limits::{LimitsConfig, SocketConfig};
pub use log::{LogConfig, LogFormat};
pub use node::NodeSection;
pub use storage::StorageConfig;
pub use tls::{TlsConfig, TlsMode};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::Serialized,
    value::{Dict, Map, Value},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What variables of the environment begin with.
pub const ENV_PREFIX: &str = "WEFT_";

/// The whole configuration of a node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who the node is and who may join.
    pub node: NodeSection,
    /// Where data lies.
    pub storage: StorageConfig,
    /// Listeners and the bounds of HTTP.
    pub http: HttpConfig,
    /// Encryption of what crosses the network.
    pub tls: TlsConfig,
    /// The WebSocket of each device.
    pub socket: SocketConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

impl Config {
    /// Reads the file, if one is given, and then the variables: pairs of name and value, of which only those that begin
    /// with `WEFT_` and name a section (`WEFT_HTTP__LISTEN`) are looked at.
    ///
    /// # Errors
    /// [`ConfigError`]; its text is meant for the operator.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        let mut source = None;
        if let Some(path) = file {
            let read = locate::Source::read(path)?;
            figment = figment.merge(TomlText { path: path.display().to_string(), dict: read.values()? });
            source = Some(read);
        }
        for (name, value) in env {
            if let Some(variable) = Variable::of(name, &value) {
                figment = figment.merge(variable);
            }
        }
        let config: Config = figment.extract().map_err(|error| error::explain(error, source.as_ref()))?;
        config.check()?;
        Ok(config)
    }

    /// [`Config::load`] with the environment of this process.
    ///
    /// # Errors
    /// As there.
    pub fn load_here(file: Option<&Path>) -> Result<Config, ConfigError> {
        Config::load(file, std::env::vars())
    }

    /// What no single key can know.
    ///
    /// # Errors
    /// [`ConfigError::Rule`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.node.check()?;
        self.http.check()?;
        self.tls.check(&self.http)?;
        self.limits.check()
    }
}

/// The file as a figment provider, so that errors name it.
struct TomlText {
    path: String,
    dict: Dict,
}

impl Provider for TomlText {
    fn metadata(&self) -> Metadata {
        Metadata::from("file", figment::Source::Custom(self.path.clone()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}

/// One variable as a figment provider of its own, so that errors name it.
struct Variable {
    name: String,
    key: String,
    value: Value,
}

impl Variable {
    /// Variables without a section (`WEFT_BIN`) are not configuration.
    fn of(name: String, text: &str) -> Option<Variable> {
        let key = name.strip_prefix(ENV_PREFIX)?.to_ascii_lowercase();
        let key = key.contains("__").then(|| key.replace("__", "."))?;
        let value = text.parse().unwrap_or_else(|never| match never {});
        Some(Variable { name, key, value })
    }
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(error::VARIABLE).interpolater(|_, keys| keys.join(".")).source(self.name.as_str())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(&self.key, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

/// A list that may also be written as its only element.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    use serde::de::{Error, IntoDeserializer, value::StrDeserializer};
    let texts = match OneOrMany::deserialize(deserializer)
        .map_err(|_| D::Error::custom("expected a text or a list of texts"))?
    {
        OneOrMany::One(text) if text.is_empty() => Vec::new(),
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    texts
        .iter()
        .map(|text| {
            let value: StrDeserializer<'_, D::Error> = text.as_str().into_deserializer();
            T::deserialize(value).map_err(|error| D::Error::custom(format!("`{text}`: {error}")))
        })
        .collect()
}
