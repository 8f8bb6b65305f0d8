//! TLS by rustls (ring): certificates from files that are read anew when they change, or from an authority by ACME.

mod acme;
mod files;

pub use files::FileCertificate;

use crate::config::{ConfigError, TlsConfig, TlsMode, printable};
use futures::{FutureExt, future::BoxFuture};
use rustls::{ServerConfig, crypto::CryptoProvider, server::ResolvesServerCert};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use weft_api::server::{Secure, Secured};

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// RFC 8737: connections of the authority that checks whether this node answers for its name.
const ACME: &[u8] = b"acme-tls/1";

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that holds no certificate or key in PEM, or none that can be used.
    #[error("{}: {what}", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// Key and certificate do not belong together, or are of a kind that rustls does not take.
    #[error("the certificate and its key cannot be used")]
    Rustls(#[from] rustls::Error),
    /// The authority's directory, or the domains, are not usable.
    #[error("`tls`: {0}")]
    Acme(String),
}

/// Makes what the configuration asks for; none when TLS is off. ACME keeps account and certificates below `data`.
///
/// # Errors
/// [`TlsError`].
pub fn secure(config: &TlsConfig, data: &Path) -> Result<Option<Arc<dyn Secure>>, TlsError> {
    let resolver: Arc<dyn ResolvesServerCert> = match config.mode {
        TlsMode::Off => return Ok(None),
        TlsMode::Files => Arc::new(FileCertificate::open(&config.certificate, &config.key)?),
        TlsMode::Acme => acme::resolver(config, data)?,
    };
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    server.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    if config.mode == TlsMode::Acme {
        server.alpn_protocols.push(ACME.to_vec());
    }
    Ok(Some(Arc::new(Tls(TlsAcceptor::from(Arc::new(server))))))
}

/// Whether what `tls.acme_roots` names can be used, before a node is started with it.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn check(config: &TlsConfig) -> Result<(), ConfigError> {
    if config.mode != TlsMode::Acme {
        return Ok(());
    }
    acme::check(config).map_err(|error| {
        let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
        ConfigError::value("tls.acme_roots", printable(&format!("{error}{why}")))
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

struct Tls(TlsAcceptor);

impl Secure for Tls {
    fn accept(&self, tcp: TcpStream) -> BoxFuture<'static, io::Result<Option<Secured>>> {
        let handshake = self.0.accept(tcp);
        async move {
            let stream = handshake.await?;
            let protocol = stream.get_ref().1.alpn_protocol();
            if protocol == Some(ACME) {
                return Ok(None);
            }
            let http2 = protocol == Some(HTTP2);
            Ok(Some(Secured { stream: Box::new(stream), http2 }))
        }
        .boxed()
    }
}
