//! Certificates from an authority, by ACME (RFC 8555): Debian's pebble on loopback, which checks as a real one does.

// Tests and their helpers fail where something is not as it should be.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use anyhow::{Context, Result};
use hyper::Method;
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use weft_node::{StartError, config::TlsMode, tls::TlsError};
use weft_testkit::{TestNode, http, tls, within};

/// An authority of one's own.
struct Authority {
    child: Child,
    folder: TempDir,
    certificate: CertificateDer<'static>,
    directory: SocketAddr,
    management: SocketAddr,
}

impl Authority {
    /// Starts it; it will look for the node on this port. None: it is not installed.
    async fn start(node: SocketAddr) -> Result<Option<Authority>> {
        let files = tls::Files::new()?;
        let certificate = files.renew()?;
        let folder = tempfile::tempdir()?;
        let (directory, management) = (free()?, free()?);
        let config = serde_json::json!({ "pebble": {
            "listenAddress": directory.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": files.path("cert.pem"),
            "privateKey": files.path("key.pem"),
            "httpPort": 1,
            "tlsPort": node.port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let path = folder.path().join("pebble.json");
        std::fs::write(&path, config.to_string())?;
        std::fs::copy(files.path("cert.pem"), folder.path().join("roots.pem"))?;
        let started = Command::new("pebble")
            .arg("-config")
            .arg(&path)
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let child = match started {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            started => started?,
        };
        // It says where it listens a moment before it does.
        for address in [directory, management] {
            within("the authority listens", reachable(address)).await;
        }
        Ok(Some(Authority { child, folder, certificate, directory, management }))
    }

    async fn end(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The file of roots by which a node knows the authority itself.
    fn roots(&self) -> PathBuf {
        self.folder.path().join("roots.pem")
    }

    /// The root from which its certificates come; another one at each start.
    async fn root(&self) -> Result<CertificateDer<'static>> {
        let stream = tls::connect(self.management, &self.certificate, &[]).await?;
        let request = http::request(self.management, Method::GET, "/roots/0", &[], "");
        let answer = http::Line::over(stream).await?.send(request).await?;
        Ok(CertificateDer::from_pem_slice(&answer.body)?)
    }
}

/// An address on loopback on which nobody listens.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

async fn reachable(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// Asks the node for its health once it shows a certificate that comes from this root.
async fn healthy(node: &TestNode, root: &CertificateDer<'static>) -> Result<bool> {
    let stream = within("a certificate of the authority", async {
        loop {
            match tls::connect(node.address, root, &[]).await {
                Ok(stream) => return stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    let request = http::request(node.address, Method::GET, "/healthz", &[("host", "localhost")], "");
    Ok(http::Line::over(stream).await?.send(request).await?.status.is_success())
}

#[tokio::test]
async fn a_certificate_is_fetched_from_an_authority_and_kept() -> Result<()> {
    let address = free()?;
    let Some(mut authority) = Authority::start(address).await? else {
        eprintln!("NOT RUN: pebble, an authority for tests of ACME, is not installed");
        return Ok(());
    };
    let root = authority.root().await?;
    let node = TestNode::start_with(|config| {
        config.http.listen = vec![address];
        config.tls.mode = TlsMode::Acme;
        config.tls.acme_domains = vec!["localhost".to_owned()];
        config.tls.acme_directory = format!("https://localhost:{}/dir", authority.directory.port());
        config.tls.acme_roots = authority.roots();
    })
    .await?;
    assert!(healthy(&node, &root).await?);

    // Without the authority a node starts, too, with what it had from it.
    authority.end().await?;
    let node = node.restart().await?;
    assert!(healthy(&node, &root).await?);
    node.stop().await
}

#[tokio::test]
async fn roots_that_are_none_stop_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("roots.pem");
    for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        tls::put(&path, text)?;
        let start = TestNode::start_with(|config| {
            config.tls.mode = TlsMode::Acme;
            config.tls.acme_domains = vec!["localhost".to_owned()];
            config.tls.acme_roots.clone_from(&path);
        });
        let error = start.await.err().context("it started")?;
        assert!(matches!(error.downcast_ref(), Some(StartError::Tls(TlsError::Pem { .. }))), "{error:?}");
    }
    Ok(())
}
