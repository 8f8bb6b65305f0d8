//! Certificates from an authority, by ACME (RFC 8555): Debian's pebble on loopback, which checks as a real one does.

use anyhow::{Context, Result, bail};
use hyper::Method;
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use weft_node::{StartError, config::TlsMode, tls::TlsError};
use weft_testkit::{TestNode, http, tls, within};

/// How often the start is tried, each time on other ports: between looking for a free one and listening on it another test may
/// come.
const STARTS_MAX: usize = 5;

/// An authority of one's own.
struct Authority {
    child: Child,
    folder: TempDir,
    certificate: CertificateDer<'static>,
    ports: Ports,
}

/// Where the node, the authority, and the authority's own keeper are to listen.
#[derive(Clone, Copy)]
struct Ports {
    node: SocketAddr,
    directory: SocketAddr,
    management: SocketAddr,
}

impl Ports {
    fn free() -> Result<Ports> {
        Ok(Ports { node: free()?, directory: free()?, management: free()? })
    }
}

impl Authority {
    /// Starts it; it will look for the node on its port. None: a port is taken.
    async fn start(ports: Ports) -> Result<Option<Authority>> {
        let Ports { node, directory, management } = ports;
        let files = tls::Files::new()?;
        let certificate = files.renew()?;
        let folder = tempfile::tempdir()?;
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
        let mut child = started.context("pebble")?;
        // It says where it listens a moment before it does. By its certificate it is not taken for who has its port.
        for address in [directory, management] {
            let listens = within("the authority listens or ends", async {
                tokio::select! {
                    () = answers(address, &certificate) => true,
                    _ = child.wait() => false,
                }
            });
            if !listens.await {
                return Ok(None);
            }
        }
        Ok(Some(Authority { child, folder, certificate, ports }))
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
        let stream = tls::connect(self.ports.management, &self.certificate, &[]).await?;
        let request = http::request(self.ports.management, Method::GET, "/roots/0", &[], "");
        let answer = http::Line::over(stream).await?.send(request).await?;
        Ok(CertificateDer::from_pem_slice(&answer.body)?)
    }
}

/// An address on loopback on which nobody listens.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

async fn answers(address: SocketAddr, certificate: &CertificateDer<'static>) {
    while tls::connect(address, certificate, &[]).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// Whether the authority's program is there; where not, `scripts/test.sh` says what was not run.
fn is_installed() -> bool {
    let there = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("pebble").is_file()));
    if !there {
        eprintln!("NOT RUN: pebble, an authority for tests of ACME, is not installed");
    }
    there
}

/// An authority and a node that has its certificates from there, on the first ports of these that nobody has.
async fn start_both(mut ports: impl FnMut() -> Result<Ports>) -> Result<(Authority, TestNode)> {
    for _ in 0..STARTS_MAX {
        let Some(authority) = Authority::start(ports()?).await? else { continue };
        let node = TestNode::start_with(|config| {
            config.http.listen = vec![authority.ports.node];
            config.tls.mode = TlsMode::Acme;
            config.tls.acme_domains = vec!["localhost".to_owned()];
            config.tls.acme_directory = format!("https://localhost:{}/dir", authority.ports.directory.port());
            config.tls.acme_roots = authority.roots();
        });
        match node.await {
            Ok(node) => return Ok((authority, node)),
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(error),
        }
    }
    bail!("in {STARTS_MAX} starts always a port was taken")
}

fn is_taken(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(StartError::Listen { source, .. }) if source.kind() == std::io::ErrorKind::AddrInUse
    )
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
    if !is_installed() {
        return Ok(());
    }
    // Each port is taken once; then they are free.
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    let mut tries = 0;
    let (mut authority, node) = start_both(|| {
        tries += 1;
        let ports = Ports::free()?;
        Ok(match tries {
            1 => Ports { node: address, ..ports },
            2 => Ports { directory: address, ..ports },
            3 => Ports { management: address, ..ports },
            _ => ports,
        })
    })
    .await?;
    let root = authority.root().await?;
    assert!(tries > 3, "a port that was taken was not noticed");
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
