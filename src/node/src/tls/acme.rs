//! Certificates from an authority, asked for and renewed in the background (RFC 8555).

use super::TlsError;
use crate::{bounded, config::TlsConfig};
use futures::StreamExt;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
    server::ResolvesServerCert,
};
use rustls_acme::{AcmeConfig, caches::DirCache};
use std::{path::Path, sync::Arc};

/// Account key and certificates, in the data folder.
const FOLDER: &str = "acme";

/// Starts the background work, which goes on for as long as the runtime does.
pub(super) fn resolver(config: &TlsConfig, data: &Path) -> Result<Arc<dyn ResolvesServerCert>, TlsError> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(TlsError::Acme("needs a running runtime".to_owned()));
    }
    // The production directory is the default: a staging certificate is trusted by nobody, and would only confuse.
    let mut acme = AcmeConfig::new_with_provider(&config.acme_domains, super::provider())
        .cache(DirCache::new(data.join(FOLDER)))
        .directory_lets_encrypt(true);
    if !config.acme_directory.is_empty() {
        acme = acme.directory(&config.acme_directory);
    }
    if !config.acme_roots.as_os_str().is_empty() {
        acme = acme.client_tls_config(Arc::new(trusting(&config.acme_roots)?));
    }
    if !config.acme_contact.is_empty() {
        acme = acme.contact_push(&config.acme_contact);
    }
    let mut state = acme.state();
    let resolver = state.resolver();
    tokio::spawn(async move {
        while let Some(event) = state.next().await {
            match event {
                Ok(event) => tracing::info!(?event, "ACME"),
                Err(error) => tracing::error!(%error, "ACME: no certificate yet; it is tried again"),
            }
        }
    });
    Ok(resolver)
}

/// Whether the roots can be used.
pub(super) fn check(config: &TlsConfig) -> Result<(), TlsError> {
    if config.acme_roots.as_os_str().is_empty() {
        return Ok(());
    }
    trusting(&config.acme_roots).map(drop)
}

/// How the node speaks to an authority whose own certificate comes from these roots.
fn trusting(file: &Path) -> Result<ClientConfig, TlsError> {
    let unusable = |what| TlsError::Pem { path: file.to_owned(), what };
    let pem = bounded::read(file).map_err(|source| TlsError::Read { path: file.to_owned(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| unusable("is not PEM"))?;
        roots.add(certificate).map_err(|_| unusable("holds a certificate that cannot be a root"))?;
    }
    if roots.is_empty() {
        return Err(unusable("holds no certificate"));
    }
    Ok(ClientConfig::builder_with_provider(super::provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
