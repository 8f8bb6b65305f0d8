//! TLS and HTTP/2: peers that shake hands and then say nothing, half a thing, or far too much.

use anyhow::Result;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{client::TlsStream, rustls::pki_types::CertificateDer};
use weft_testkit::{
    TestNode,
    tls::{Files, connect},
    within,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame (RFC 9113, 6.5).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const GOAWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;
/// The flags of a HEADERS frame that is a whole request.
const END_STREAM_AND_HEADERS: u8 = 5;

struct Secured {
    node: TestNode,
    certificate: CertificateDer<'static>,
    _files: Files,
}

/// A node with TLS.
async fn secured(adapt: impl FnOnce(&mut weft_node::Config)) -> Result<Secured> {
    let files = Files::new()?;
    let certificate = files.renew()?;
    let node = TestNode::start_with(|config| {
        files.adapt(config);
        adapt(config);
    })
    .await?;
    Ok(Secured { node, certificate, _files: files })
}

impl Secured {
    async fn connect(&self, protocol: &str) -> Result<TlsStream<TcpStream>> {
        connect(self.node.address, &self.certificate, &[protocol]).await
    }

    async fn http2(&self) -> Result<Http2> {
        let stream = self.connect("h2").await?;
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let ended = tokio::spawn(async move { drop(connection.await) });
        Ok(Http2 { sender, ended, address: self.node.address })
    }
}

struct Http2 {
    sender: hyper::client::conn::http2::SendRequest<String>,
    ended: tokio::task::JoinHandle<()>,
    address: SocketAddr,
}

impl Http2 {
    async fn ask(&mut self, headers: &[(&str, &str)]) -> Result<u16> {
        let mut request = Request::get(format!("https://localhost:{}/healthz", self.address.port()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(self.sender.send_request(request.body(String::new())?).await?.status().as_u16())
    }
}

/// Waits until the other side ends a connection, and gives what it said before.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut heard = Vec::new();
    // The end, whether orderly or not.
    let _ = within("the connection is ended", stream.read_to_end(&mut heard)).await;
    heard
}

#[tokio::test]
async fn a_handshake_that_no_request_follows_holds_no_connection() -> Result<()> {
    // Long enough for the one that does ask, on a busy machine.
    let secured = secured(|config| config.http.header_timeout_s = 3).await?;
    // One that asked before stays, however long the others are mute.
    let mut other = secured.http2().await?;
    assert_eq!(other.ask(&[]).await?, 200);
    let settings = [PREFACE, SETTINGS].concat();
    let half_a_head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ";
    let cases: [(&str, &str, &[u8]); 6] = [
        ("h2", "nothing", b""),
        ("h2", "half a preface", &PREFACE[..10]),
        ("h2", "a preface", PREFACE),
        ("h2", "a preface and settings", &settings),
        ("http/1.1", "nothing", b""),
        ("http/1.1", "half a head", half_a_head),
    ];
    let mut mute = Vec::new();
    for (protocol, what, said) in cases {
        let mut stream = secured.connect(protocol).await?;
        stream.write_all(said).await?;
        stream.flush().await?;
        mute.push((protocol, what, stream));
    }
    // And one that does not even shake hands.
    let mut tcp = TcpStream::connect(secured.node.address).await?;
    tcp.write_all(&[22, 3, 1]).await?;
    rest(&mut tcp).await;
    for (protocol, what, stream) in &mut mute {
        let heard = rest(stream).await;
        assert!(!heard.starts_with(b"HTTP/1.1 2"), "{protocol}, {what}");
    }
    assert_eq!(other.ask(&[]).await?, 200);
    secured.node.stop().await
}

#[tokio::test]
async fn an_http2_connection_on_which_nothing_more_is_asked_is_told_to_go() -> Result<()> {
    let secured = secured(|config| config.socket.idle_timeout_s = 1).await?;
    let mut idle = secured.http2().await?;
    assert_eq!(idle.ask(&[]).await?, 200);
    // The client answers the node's pings for as long as it likes; it is asked to go all the same.
    within("the idle connection ends", idle.ended).await?;
    assert_eq!(secured.http2().await?.ask(&[]).await?, 200, "and may come again");
    secured.node.stop().await
}

/// A frame (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET https://localhost/`, in HPACK: three entries of its static table and one literal (RFC 7541, 6).
fn request(stream: u32) -> Vec<u8> {
    frame(1, END_STREAM_AND_HEADERS, stream, b"\x82\x87\x84\x01\x09localhost")
}

/// The error code of the GOAWAY among frames.
fn goaway(mut frames: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _flags, _s0, _s1, _s2, _s3, rest @ ..] = frames {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let payload = rest.get(..length)?;
        if *kind == GOAWAY {
            return payload.get(4..8).map(|code| u32::from_be_bytes(code.try_into().unwrap()));
        }
        frames = &rest[length..];
    }
    None
}

/// Floods a connection with `abuse` of one stream after another; gives what was heard until its end.
async fn flood(secured: &Secured, abuse: impl Fn(u32) -> Vec<u8>) -> Result<Vec<u8>> {
    const STREAMS: u32 = 100_000;
    let mut stream = secured.connect("h2").await?;
    stream.write_all(&[PREFACE, SETTINGS].concat()).await?;
    let (mut read, mut write) = tokio::io::split(stream);
    let heard = tokio::spawn(async move { rest(&mut read).await });
    let mut sent = 0;
    while sent < STREAMS {
        // As many as fit into one record of TLS at a time: the node sees them at once.
        let batch: Vec<u8> = (sent..sent + 250).flat_map(|number| abuse(2 * number + 1)).collect();
        if write.write_all(&batch).await.is_err() || write.flush().await.is_err() {
            break;
        }
        sent += 250;
    }
    Ok(heard.await?)
}

#[tokio::test]
async fn streams_that_are_reset_as_fast_as_they_open_end_the_connection() -> Result<()> {
    let secured = secured(|_| {}).await?;
    const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
    let heard = flood(&secured, |stream| [request(stream), frame(3, 0, stream, &CANCEL)].concat()).await?;
    assert_eq!(goaway(&heard), Some(ENHANCE_YOUR_CALM), "CVE-2023-44487");
    assert_eq!(secured.http2().await?.ask(&[]).await?, 200, "others are not held up");
    secured.node.stop().await
}

#[tokio::test]
async fn streams_that_the_node_is_made_to_reset_end_the_connection() -> Result<()> {
    let secured = secured(|_| {}).await?;
    // A request that ends before the five bytes that it promises: an error of the stream, so the node resets it.
    let promise = b"\x82\x87\x84\x01\x09localhost\x0f\x0d\x015";
    let heard = flood(&secured, |stream| frame(1, END_STREAM_AND_HEADERS, stream, promise)).await?;
    assert_eq!(goaway(&heard), Some(ENHANCE_YOUR_CALM), "CVE-2025-8671");
    assert_eq!(secured.http2().await?.ask(&[]).await?, 200, "others are not held up");
    secured.node.stop().await
}

#[tokio::test]
async fn endless_headers_over_http2_end_the_connection() -> Result<()> {
    let secured = secured(|_| {}).await?;
    let mut stream = secured.connect("h2").await?;
    let begun = frame(1, 1, 1, b"\x82\x87\x84");
    stream.write_all(&[PREFACE, SETTINGS, &begun].concat()).await?;
    let (mut read, mut write) = tokio::io::split(stream);
    let heard = tokio::spawn(async move { rest(&mut read).await });
    // CONTINUATION without END_HEADERS, each with one literal header of 8,000 bytes: CVE-2024-27316.
    let header = [b"\x00\x01x\x7f\xc1\x3d".as_slice(), &[b'y'; 8000]].concat();
    let mut sent = 0;
    while sent < 64 << 20 && write.write_all(&frame(9, 0, 1, &header)).await.is_ok() {
        sent += header.len();
    }
    assert!(sent < 64 << 20, "{sent} bytes of headers were taken");
    heard.await?;
    secured.node.stop().await
}

#[tokio::test]
async fn header_and_authority_name_one_host() -> Result<()> {
    let secured = secured(|_| {}).await?;
    let mut http2 = secured.http2().await?;
    let own = format!("localhost:{}", secured.node.address.port());
    assert_eq!(http2.ask(&[("host", &own)]).await?, 200);
    assert_eq!(http2.ask(&[("host", "evil.example")]).await?, 400);
    assert_eq!(http2.ask(&[("host", &own), ("host", &own)]).await?, 400);
    secured.node.stop().await
}
