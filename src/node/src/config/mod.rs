//! `node.toml`: every key with its default, overridden by `WEFT_SECTION__KEY` in the environment.
//!
//! A key that is unknown or of another type stops the start, with the file, the line and what was expected: a limit that
//! an operator believes to have set must never be silently the default.

mod error;
mod federation;
mod http;
mod limits;
mod locate;
mod log;
mod node;
mod ranges;
mod storage;
mod tls;
mod webhooks;

pub use error::{ConfigError, Place, printable};
pub(crate) use federation::check_name;
pub use federation::{DnsTrust, FederationConfig, PeerConfig};
pub use http::HttpConfig;
pub use limits::{LimitsConfig, SocketConfig};
pub use log::{LogConfig, LogFormat};
pub use node::NodeSection;
pub use ranges::range_of;
pub use storage::StorageConfig;
pub use tls::{TlsConfig, TlsMode};
pub use webhooks::{ProviderConfig, WebhooksConfig};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::Serialized,
    value::{Dict, Map, Value},
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

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
    /// Other nodes.
    pub federation: FederationConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// Payment providers of the operator.
    pub webhooks: WebhooksConfig,
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
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Config, ConfigError> {
        Config::read(file, env).map_err(ConfigError::printable)
    }

    fn read(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Config, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        let mut source = None;
        if let Some(path) = file {
            let read = locate::Source::read(path)?;
            figment = figment.merge(TomlText { path: path.display().to_string(), dict: read.values()? });
            source = Some(read);
        }
        let mut variables = Vec::new();
        for (name, value) in env {
            if let Some(variable) = Variable::of(&name, &value)? {
                variables.push(variable.name.clone());
                figment = figment.merge(variable);
            }
        }
        let config: Config =
            figment.extract().map_err(|error| error::explain(error, source.as_ref(), &variables))?;
        config.check().map_err(|error| error.at(&figment, source.as_ref()))?;
        Ok(config)
    }

    /// [`Config::load`] with the environment of this process.
    ///
    /// # Errors
    /// As there.
    pub fn load_here(file: Option<&Path>) -> Result<Config, ConfigError> {
        Config::load(file, std::env::vars_os())
    }

    /// Bounds of single keys, and what no single key can know.
    ///
    /// # Errors
    /// [`ConfigError::Value`], [`ConfigError::Rule`].
    pub fn check(&self) -> Result<(), ConfigError> {
        ranges::check(self)?;
        self.node.check()?;
        self.storage.check()?;
        self.http.check()?;
        self.tls.check(&self.http)?;
        self.federation.check(self.node.name().as_ref())?;
        self.webhooks.check()?;
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
    /// Variables without a section (`WEFT_BIN`) are not configuration, unless they look as if they were meant to be.
    fn of(name: &OsStr, value: &OsStr) -> Result<Option<Variable>, ConfigError> {
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(ENV_PREFIX)) else {
            return Ok(None);
        };
        let (name, key) = (format!("{ENV_PREFIX}{rest}"), rest.to_ascii_lowercase());
        if !key.contains("__") {
            return match meant(&key) {
                None => Ok(None),
                Some(suggestion) => Err(ConfigError::UnknownVariable { name, suggestion }),
            };
        }
        let key = key.replace("__", ".");
        let Some(text) = value.to_str() else {
            let message = "the value is not text (UTF-8)".to_owned();
            return Err(ConfigError::Value { place: Place::Variable(name), key, message });
        };
        let value = text.parse().unwrap_or_else(|never| match never {});
        Ok(Some(Variable { name, key, value }))
    }
}

/// Whether a variable that names no key was meant to: it begins with a section, or is a letter or two from a key. Then the
/// variable that it is nearest to, if one is near.
fn meant(rest: &str) -> Option<Option<String>> {
    let keys = ranges::keys();
    let nearest = keys
        .iter()
        .map(|key| (strsim::damerau_levenshtein(&key.replace('.', "_"), rest), key))
        .min_by_key(|(distance, _)| *distance)?;
    let sectioned = keys.iter().filter_map(|key| key.split_once('.')).any(|(section, _)| {
        rest.strip_prefix(section).is_some_and(|rest| rest.starts_with('_') && rest.len() > 1)
    });
    if !sectioned && nearest.0 > 2 {
        return None;
    }
    let (distance, key) = nearest;
    let variable = || format!("{ENV_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase());
    Some((distance <= key.len() / 3).then(variable))
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
