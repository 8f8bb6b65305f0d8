//! What a DNS name says of its node: `https://NAME/.well-known/weft`.
//!
//! The name comes from strangers. It must not lead into this machine or its network, so that only addresses of the open
//! internet are called; no redirect is followed; the answer is bounded and checked by whoever asked.

use super::dns::Txt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use weft_net::LinkError;
use weft_service::federation::Directory;
use weft_wire::{NodeName, Signed, codec, federation::NodeRecord, signed::Signable};

/// The whole look-up.
const TIME: Duration = Duration::from_secs(10);
/// One attempt to connect.
const CONNECT_TIME: Duration = Duration::from_secs(4);
/// Addresses of a name that are tried.
const TRIED_MAX: usize = 3;
/// A signed record with its frame.
const ANSWER_BYTES_MAX: usize = NodeRecord::BYTES_MAX + 1024;
const HTTPS: u16 = 443;

/// Asks names over HTTPS.
pub struct WellKnown {
    tls: TlsConnector,
    port: u16,
    /// Also into the own network.
    inward: bool,
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

impl WellKnown {
    /// As on the open internet: the usual authorities, port 443.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<WellKnown, rustls::Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Ok(WellKnown { tls: connector(roots)?, port: HTTPS, inward: false })
    }

    /// As in a closed network with an authority of its own: names may lead anywhere.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn closed(roots: RootCertStore, port: u16) -> Result<WellKnown, rustls::Error> {
        Ok(WellKnown { tls: connector(roots)?, port, inward: true })
    }

    async fn ask(&self, name: &NodeName) -> Result<Signed<NodeRecord>, Broken> {
        let stream = self.connect(name).await?;
        let server = ServerName::try_from(name.as_str().to_owned())?;
        let stream = self.tls.connect(server, stream).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::get("/.well-known/weft")
            .header(header::HOST, name.as_str())
            .header(header::ACCEPT, "application/cbor")
            .body(Empty::<Bytes>::new())?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            if answer.status() != StatusCode::OK {
                return Err(format!("the answer is {}", answer.status()).into());
            }
            Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await
        };
        tokio::pin!(connection);
        let body = tokio::select! {
            body = exchange => body?,
            ended = &mut connection => {
                ended?;
                return Err("the connection ended before the answer".into());
            }
        };
        Ok(codec::decode(&body.to_bytes(), ANSWER_BYTES_MAX)?)
    }

    async fn connect(&self, name: &NodeName) -> Result<TcpStream, Broken> {
        let found = lookup_host((name.as_str(), self.port)).await?;
        let allowed = |address: &SocketAddr| self.inward || weft_net::is_global(&address.ip());
        let mut last: Broken = "the name has no address that may be called".into();
        for address in found.filter(allowed).take(TRIED_MAX) {
            match tokio::time::timeout(CONNECT_TIME, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error.into(),
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }
}

impl Directory for WellKnown {
    fn find(&self, name: &NodeName) -> BoxFuture<'_, Result<Signed<NodeRecord>, LinkError>> {
        let name = name.clone();
        Box::pin(async move {
            match tokio::time::timeout(TIME, self.ask(&name)).await {
                Ok(Ok(record)) => Ok(record),
                Ok(Err(error)) => {
                    tracing::debug!(node = %name, %error, "a name says nothing of a node");
                    Err(LinkError::Unreachable)
                }
                Err(_) => Err(LinkError::TimedOut),
            }
        })
    }
}

/// Asks a name over HTTPS, and where nothing answers, DNS.
pub(super) struct Names {
    pub well_known: WellKnown,
    pub dns: Option<Txt>,
}

impl Directory for Names {
    fn find(&self, name: &NodeName) -> BoxFuture<'_, Result<Signed<NodeRecord>, LinkError>> {
        let name = name.clone();
        Box::pin(async move {
            let silent = match self.well_known.find(&name).await {
                Ok(record) => return Ok(record),
                Err(silent) => silent,
            };
            let Some(dns) = &self.dns else { return Err(silent) };
            let found = tokio::time::timeout(TIME, dns.find(&name)).await.unwrap_or_default();
            found.ok_or(silent)
        })
    }
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_does_not_lead_into_this_machine() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let name: NodeName = "localhost".parse().unwrap();
        let outward = WellKnown { port, ..WellKnown::new().unwrap() };
        assert_eq!(outward.find(&name).await.unwrap_err(), LinkError::Unreachable);
        let inward = WellKnown::closed(RootCertStore::empty(), port).unwrap();
        let (called, calling) = tokio::join!(listener.accept(), inward.connect(&name));
        assert!(called.is_ok() && calling.is_ok());
    }
}
