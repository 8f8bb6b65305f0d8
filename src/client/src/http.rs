//! Requests: CBOR in, CBOR out, one bound on time and one on size.

use crate::address::Address;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::time::Duration;
use weft_engine::host::{NoAnswer, Response};

/// As `weft_engine::host::Effect::Request` promises.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer is a page of log entries.
const RESPONSE_BYTES_MAX: usize = 32 << 20;

/// One request, as the engine wants it.
pub(crate) struct Ask {
    pub method: &'static str,
    pub path: String,
    pub token: Option<String>,
    pub body: Option<Vec<u8>>,
}

/// A pool of connections to one node.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Address,
}

impl Http {
    pub fn new(address: Address, tls: rustls::ClientConfig) -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client =
            Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(60)).build(connector);
        Http { client, address }
    }

    /// Sends a request and reads the whole answer. Whatever goes wrong on the way is the same to the engine: no answer.
    pub async fn ask(&self, ask: Ask) -> Result<Response, NoAnswer> {
        match tokio::time::timeout(REQUEST_TIMEOUT, self.try_ask(ask)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no answer");
                Err(NoAnswer)
            }
            Err(_) => Err(NoAnswer),
        }
    }

    async fn try_ask(&self, ask: Ask) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = Request::builder()
            .method(ask.method)
            .uri(self.address.http(&ask.path))
            .header(header::ACCEPT, "application/cbor");
        if let Some(token) = ask.token {
            let mut value = header::HeaderValue::from_str(&format!("Bearer {token}"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/cbor");
        }
        let request = request.body(Full::from(ask.body.unwrap_or_default()))?;
        let answer = self.client.request(request).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), RESPONSE_BYTES_MAX).collect().await?.to_bytes().to_vec();
        Ok(Response { status, body })
    }
}
