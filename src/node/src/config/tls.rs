//! `[tls]`.

use super::{ConfigError, HttpConfig, one_or_many};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Encryption of what crosses the network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Where certificates come from.
    pub mode: TlsMode,
    /// For `files`: the certificate chain, PEM. Read anew when it changes.
    pub certificate: PathBuf,
    /// For `files`: its private key, PEM.
    pub key: PathBuf,
    /// For `acme`: the DNS names to ask for.
    #[serde(deserialize_with = "one_or_many")]
    pub acme_domains: Vec<String>,
    /// For `acme`: where the authority may write to, for example `mailto:admin@home.example`.
    pub acme_contact: String,
    /// For `acme`: the directory of the authority. Empty: Let's Encrypt.
    pub acme_directory: String,
    /// For `acme`: the root certificates, PEM, of an authority of one's own. Empty: those that browsers trust.
    pub acme_roots: PathBuf,
    /// Second of the two keys that allow plain HTTP on a public address; the other is `http.plain_on_public_address`.
    pub off_on_public_address: bool,
}

/// Where certificates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Plain HTTP: on loopback, or behind a proxy.
    #[default]
    Off,
    /// One's own files.
    Files,
    /// An authority, by ACME (RFC 8555, TLS-ALPN-01 of RFC 8737).
    Acme,
}

impl TlsConfig {
    /// Plain HTTP beyond this machine is refused unless it was said twice, in two sections: passwords are safe by OPAQUE,
    /// but session tokens and the pages themselves are not.
    pub(super) fn check(&self, http: &HttpConfig) -> Result<(), ConfigError> {
        let rule = |text: String| Err(ConfigError::Rule(text));
        match self.mode {
            TlsMode::Off => {
                let public = http.listen.iter().find(|address| !address.ip().is_loopback());
                let allowed = self.off_on_public_address && http.plain_on_public_address;
                match public {
                    Some(address) if !allowed => rule(format!(
                        "`tls.mode` is `off`, but `http.listen` names {address}, which others can reach: what they send \
                         could be read and changed on the way. Set `tls.mode` to `files` or `acme`, or listen on \
                         127.0.0.1 behind a proxy. If plain HTTP is meant, say so twice: \
                         `http.plain_on_public_address = true` and `tls.off_on_public_address = true`"
                    )),
                    _ => Ok(()),
                }
            }
            TlsMode::Files if self.certificate.as_os_str().is_empty() || self.key.as_os_str().is_empty() => {
                rule("`tls.mode` is `files`: `tls.certificate` and `tls.key` must name PEM files".to_owned())
            }
            TlsMode::Acme if self.acme_domains.is_empty() => {
                rule("`tls.mode` is `acme`: `tls.acme_domains` must name at least one DNS name".to_owned())
            }
            TlsMode::Files | TlsMode::Acme => Ok(()),
        }
    }
}
