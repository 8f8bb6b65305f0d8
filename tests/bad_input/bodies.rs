//! Bodies that are too large, cut off, slow, of another kind, or nonsense.

use anyhow::Result;
use hyper::Method;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use weft_testkit::{TestNode, http, within};
use weft_wire::{Code, limits};

/// The kinds of body that the node reads.
const KINDS: [&str; 2] = ["application/cbor", "application/json"];

const LOGIN: &str = "/api/v1/accounts/login/start";

async fn post(node: &TestNode, headers: &[(&str, &str)], body: Vec<u8>) -> Result<http::Answer> {
    let headers = if headers.is_empty() { &[("content-type", "application/cbor")] } else { headers };
    http::send(node.address, http::request(node.address, Method::POST, LOGIN, headers, body)).await
}

#[tokio::test]
async fn an_oversized_body_is_refused_before_it_is_read() -> Result<()> {
    let node = TestNode::start().await?;
    let mut tcp = TcpStream::connect(node.address).await?;
    // Only announced: the answer comes though not a byte of the body was sent.
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\ncontent-type: application/cbor\r\ncontent-length: 1000000000000\r\n\r\n",
        node.address
    );
    tcp.write_all(head.as_bytes()).await?;
    let mut answer = vec![0; 4096];
    let count = within("an answer", tcp.read(&mut answer)).await?;
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    node.stop().await
}

#[tokio::test]
async fn a_chunked_body_is_cut_off_at_the_limit() -> Result<()> {
    let node = TestNode::start().await?;
    let mut tcp = TcpStream::connect(node.address).await?;
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\ncontent-type: application/cbor\r\ntransfer-encoding: chunked\r\n\r\n",
        node.address
    );
    tcp.write_all(head.as_bytes()).await?;
    let (mut read, mut write) = tcp.into_split();
    let writing = tokio::spawn(async move {
        let chunk = [b"1000\r\n".as_slice(), &[0x5a; 4096], b"\r\n"].concat();
        let mut sent = 0_u64;
        while sent < 1 << 30 && write.write_all(&chunk).await.is_ok() {
            sent += 4096;
        }
        sent
    });
    let mut answer = vec![0; 4096];
    let count = within("an answer", read.read(&mut answer)).await?;
    assert!(String::from_utf8_lossy(&answer[..count]).contains("too_large"));
    drop(read);
    let sent = within("the node stops reading", writing).await?;
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    node.stop().await
}

#[tokio::test]
async fn each_route_has_a_limit_that_fits_it() -> Result<()> {
    let node = TestNode::start().await?;
    let answer = post(&node, &[], vec![0; 100 << 10]).await?;
    assert_eq!(answer.code(), Code::TooLarge);
    const { assert!(100 << 10 < limits::REQUEST_BYTES_MAX, "a sign-in is far smaller than the largest request") };
    node.stop().await
}

#[tokio::test]
async fn malformed_cbor_and_json_are_told_without_quoting_them() -> Result<()> {
    let node = TestNode::start().await?;
    let deep = [vec![0x81; 10_000], vec![0]].concat();
    let huge = vec![0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let trailing = [weft_wire::codec::encode(&serde_json::json!({})), vec![0]].concat();
    for body in [vec![], vec![0xff], b"secret-canary".to_vec(), deep, huge, trailing] {
        let answer = post(&node, &[], body).await?;
        assert_eq!(answer.code(), Code::Malformed);
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary"));
    }
    for body in [
        "",
        "{",
        "[]",
        "\"secret-canary\"",
        "{\"name\":\"secret-canary\",\"opaque_request\":7}",
        &"[".repeat(5000),
    ] {
        let answer = post(&node, &[("content-type", "application/json")], body.as_bytes().to_vec()).await?;
        assert_eq!(answer.code(), Code::Malformed);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary"), "{:?}", answer.body);
    }
    node.stop().await
}

#[tokio::test]
async fn another_kind_of_body_is_refused() -> Result<()> {
    let node = TestNode::start().await?;
    let unsaid = http::request(node.address, Method::POST, LOGIN, &[], vec![0xa0]);
    assert_eq!(
        http::send(node.address, unsaid).await?.code(),
        Code::Malformed,
        "what is not said is not guessed"
    );
    for kind in
        ["text/plain", "multipart/form-data", "application/cborish", "application/x-www-form-urlencoded"]
    {
        assert_eq!(
            post(&node, &[("content-type", kind)], vec![0xa0]).await?.code(),
            Code::Malformed,
            "{kind}"
        );
    }
    node.stop().await
}

#[tokio::test]
async fn random_bytes_never_make_a_fault_of_the_node() -> Result<()> {
    let node = TestNode::start().await?;
    let seed = std::env::var("WEFT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7_u64);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let paths = [
        LOGIN,
        "/api/v1/accounts/register/start",
        "/api/v1/accounts/register/finish",
        "/api/v1/accounts/login/finish",
        "/api/v1/accounts/recover/start",
        "/api/v1/accounts/recover/finish",
        "/api/v1/accounts/password/start",
        "/api/v1/accounts/password/finish",
        "/api/v1/devices",
        "/api/v1/sessions",
    ];
    for round in 0..400 {
        let len = rng.gen_range(0..600);
        let body: Vec<u8> = (0..len).map(|_| rng.r#gen()).collect();
        let path = paths[rng.gen_range(0..paths.len())];
        let kind = [("content-type", KINDS[round % KINDS.len()])];
        let answer =
            http::send(node.address, http::request(node.address, Method::POST, path, &kind, body)).await?;
        assert!(answer.status.is_client_error(), "seed {seed}, round {round}, {path}: {}", answer.status);
    }
    node.stop().await
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() -> Result<()> {
    let node = TestNode::start_with(|config| config.http.body_timeout_s = 1).await?;
    let mut tcp = TcpStream::connect(node.address).await?;
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\ncontent-type: application/cbor\r\ncontent-length: 100\r\n\r\nx",
        node.address
    );
    tcp.write_all(head.as_bytes()).await?;
    let mut answer = vec![0; 4096];
    let count = within("an answer", tcp.read(&mut answer)).await?;
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("slow_reader"), "{answer}");
    node.stop().await
}

#[tokio::test]
async fn headers_that_trickle_are_cut_off() -> Result<()> {
    let node = TestNode::start_with(|config| config.http.header_timeout_s = 1).await?;
    for beginning in [&b""[..], b"GET", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut tcp = TcpStream::connect(node.address).await?;
        tcp.write_all(beginning).await?;
        let mut rest = Vec::new();
        // The end, whatever it says on the way: the connection is given up.
        let _ = within("the connection is closed", tcp.read_to_end(&mut rest)).await;
    }
    let answer = http::get(node.address, "/healthz", None).await?;
    assert_eq!(answer.status.as_u16(), 200);
    node.stop().await
}

/// hyper refuses these heads before there is a request, and takes no body for its refusal: see ARCHITECTURE.md. This
/// test is to fail on the day that it does.
#[tokio::test]
async fn a_head_that_is_no_http_is_refused_without_a_body() -> Result<()> {
    let node = TestNode::start().await?;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(70_000));
    for (head, wanted) in
        [("GET / HTTP/9.9\r\n\r\n", "400"), ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"), (&long, "4")]
    {
        let mut tcp = TcpStream::connect(node.address).await?;
        let _ = tcp.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = within("the connection is closed", tcp.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        // Closed with bytes unread, it may be reset, and the refusal with it.
        if answer.is_empty() && head.len() > 60_000 {
            continue;
        }
        assert!(answer.starts_with(&format!("HTTP/1.1 {wanted}")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    node.stop().await
}

#[tokio::test]
async fn too_many_and_too_large_headers_are_refused() -> Result<()> {
    let node = TestNode::start().await?;
    for (headers, wanted) in [
        ("x: y\r\n".repeat(40), "200"),
        (format!("x: {}\r\n", "y".repeat(30_000)), "200"),
        ("x: y\r\n".repeat(200), "431"),
        (format!("x: {}\r\n", "y".repeat(34_000)), "431"),
        (format!("x: {}\r\n", "y".repeat(100_000)), "431"),
        (format!("x: {}\r\n", "y".repeat(200_000)), "431"),
    ] {
        let mut tcp = TcpStream::connect(node.address).await?;
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        let _ = tcp.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = within("the connection is closed", tcp.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        // A connection that is closed with bytes unread is reset, and may take the refusal with it.
        let refused = wanted == "431" && answer.is_empty();
        assert!(refused || answer.starts_with(&format!("HTTP/1.1 {wanted}")), "{}: {answer}", headers.len());
    }
    node.stop().await
}
