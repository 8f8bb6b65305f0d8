//! A small raw HTTP client, for tests that say what no well-behaved client would.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
};
use weft_wire::{Code, Problem, codec};

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as the CBOR value that a successful answer holds.
    ///
    /// # Errors
    /// When it is no success, or not such a value.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T> {
        ensure!(self.status.is_success(), "{}: {:?}", self.status, self.problem().ok());
        Ok(codec::decode(&self.body, usize::MAX)?)
    }

    /// The body as a problem, in whichever of the two encodings it says it is in.
    ///
    /// # Errors
    /// When it is none.
    pub fn problem(&self) -> Result<Problem> {
        let kind = self.header("content-type");
        match kind.as_str() {
            "application/problem+cbor" => Ok(codec::decode(&self.body, usize::MAX)?),
            "application/problem+json" => Ok(serde_json::from_slice(&self.body)?),
            other => anyhow::bail!("{} with {other:?} is no problem: {:?}", self.status, self.body),
        }
    }

    /// The code of the problem; panics with what came instead, since only tests ask.
    #[track_caller]
    pub fn code(&self) -> Code {
        match self.problem() {
            Ok(problem) => {
                assert_eq!(self.status.as_u16(), problem.code.status(), "status and code disagree");
                problem.code
            }
            Err(error) => unreachable_answer(&error),
        }
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

#[track_caller]
#[allow(clippy::panic)] // test support: the message is the point
fn unreachable_answer(error: &anyhow::Error) -> Code {
    panic!("{error:#}")
}

/// A connection on which requests follow one another.
pub struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

impl Line {
    /// Connects.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn connect(address: SocketAddr) -> Result<Line> {
        let tcp = TcpStream::connect(address).await.context("connect")?;
        tcp.set_nodelay(true)?;
        Line::over(tcp).await
    }

    /// Speaks over a stream that is there already, such as one of TLS.
    ///
    /// # Errors
    /// When the other side does not.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Line> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection).abort_handle();
        Ok(Line { sender, driver })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Sends one request on a connection of its own.
///
/// # Errors
/// When there is no connection or no answer.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer> {
    Line::connect(address).await?.send(request).await
}

/// A request with headers and any bytes as its body.
pub fn request(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body.into()));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap_or_default();
    let host = address.to_string();
    for (name, value) in [("host", host.as_str())].iter().chain(headers) {
        if let (Ok(name), Ok(value)) = (name.parse::<hyper::header::HeaderName>(), value.parse()) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

/// A CBOR request, as every client of Weft makes it.
pub fn cbor<T: Serialize>(
    address: SocketAddr,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: &T,
) -> Request<Full<Bytes>> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/cbor"), ("accept", "application/cbor")];
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer));
    }
    request(address, method, path, &headers, codec::encode(body))
}

/// Sends a CBOR request on a connection of its own.
///
/// # Errors
/// As [`send`].
pub async fn call<T: Serialize>(
    address: SocketAddr,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: &T,
) -> Result<Answer> {
    send(address, cbor(address, method, path, token, body)).await
}

/// A GET.
///
/// # Errors
/// As [`send`].
pub async fn get(address: SocketAddr, path: &str, token: Option<&str>) -> Result<Answer> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("accept", "application/cbor")];
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer));
    }
    send(address, request(address, Method::GET, path, &headers, Bytes::new())).await
}
