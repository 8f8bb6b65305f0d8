//! `[webhooks]`: payment providers that report money which came in.

use super::ConfigError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io::Read, path::PathBuf};
use weft_api::{Provider, SECRET_BYTES_MIN, Webhooks};

const KEY: &str = "webhooks.providers";
/// Providers of one node.
const PROVIDERS_MAX: usize = 16;
/// A file of a secret, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 10;
/// The name of one, in bytes.
const NAME_BYTES_MAX: usize = 32;

/// Payment providers of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Who may report money.
    pub providers: Vec<ProviderConfig>,
    /// How far the time of a notice may be from the node's.
    pub tolerance_s: u64,
}

/// A provider: `[[webhooks.providers]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The last part of the address that it calls.
    pub name: String,
    /// Where the secret lies that it signs with. It stands in no other place.
    pub secret_file: PathBuf,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        WebhooksConfig { providers: Vec::new(), tolerance_s: 300 }
    }
}

impl WebhooksConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.providers.len() > PROVIDERS_MAX {
            return Err(ConfigError::value(KEY, format!("at most {PROVIDERS_MAX} providers")));
        }
        let mut names = BTreeSet::new();
        for ProviderConfig { name, .. } in &self.providers {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) {
                let why = format!("the name \"{name}\": expected small letters, digits and -, at most 32");
                return Err(ConfigError::value(KEY, why));
            }
            if !names.insert(name) {
                return Err(ConfigError::value(KEY, format!("\"{name}\" stands here twice")));
            }
        }
        Ok(())
    }

    /// The providers with their secrets, which are read from their files.
    ///
    /// # Errors
    /// [`ConfigError::Value`]: a file that cannot be read, or with a secret that is too short.
    pub(crate) fn open(&self) -> Result<Webhooks, ConfigError> {
        let mut providers = Vec::with_capacity(self.providers.len());
        for ProviderConfig { name, secret_file } in &self.providers {
            let wrong = |why: String| {
                ConfigError::value(
                    KEY,
                    format!("the secret of \"{name}\" in {}: {why}", secret_file.display()),
                )
            };
            let file = std::fs::File::open(secret_file).map_err(|error| wrong(error.to_string()))?;
            let mut secret = Vec::new();
            file.take(FILE_BYTES_MAX).read_to_end(&mut secret).map_err(|error| wrong(error.to_string()))?;
            let secret = secret.trim_ascii();
            if secret.len() < SECRET_BYTES_MIN {
                return Err(wrong(format!(
                    "it has {} bytes, expected {SECRET_BYTES_MIN} or more",
                    secret.len()
                )));
            }
            providers.push(Provider { name: name.clone(), secret: secret.into() });
        }
        Ok(Webhooks::new(providers, self.tolerance_s * 1000))
    }
}
