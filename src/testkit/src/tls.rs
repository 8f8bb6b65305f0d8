//! TLS with a certificate of one's own making: the operator's files, and a client that trusts them.

use anyhow::Result;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};
use weft_node::{Config, config::TlsMode};

/// A self-made certificate for `localhost`, written as the operator's files.
pub struct Files {
    folder: TempDir,
}

impl Files {
    /// A folder without files yet.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn new() -> Result<Files> {
        Ok(Files { folder: tempfile::tempdir()? })
    }

    /// Where a file of that name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces certificate and key, and gives the new certificate.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn renew(&self) -> Result<CertificateDer<'static>> {
        let CertifiedKey { cert, key_pair } = generate_simple_self_signed(vec!["localhost".to_owned()])?;
        put(&self.path("key.pem"), &key_pair.serialize_pem())?;
        put(&self.path("cert.pem"), &cert.pem())?;
        Ok(cert.der().clone())
    }

    /// Makes a node use them.
    pub fn adapt(&self, config: &mut Config) {
        config.tls.mode = TlsMode::Files;
        config.tls.certificate = self.path("cert.pem");
        config.tls.key = self.path("key.pem");
    }
}

/// Writes a file as certificate tools do: beside, and renamed into place.
///
/// # Errors
/// When it cannot be written.
pub fn put(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)?;
    Ok(std::fs::rename(&beside, path)?)
}

/// Connects to `localhost` at an address, trusting one certificate and offering these protocols.
///
/// # Errors
/// When there is no connection or no agreement.
pub async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    alpn: &[&str],
) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone())?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let tcp = TcpStream::connect(address).await?;
    Ok(TlsConnector::from(Arc::new(config)).connect("localhost".try_into()?, tcp).await?)
}
