//! Paths, methods, headers, and who may see what.

use anyhow::Result;
use hyper::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use weft_testkit::{TestNode, http, within};
use weft_wire::Code;

/// Sends a path as it is: clients tidy up what looks like traversal.
async fn raw_get(node: &TestNode, path: &str, headers: &str) -> Result<String> {
    let mut tcp = TcpStream::connect(node.address).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n", node.address);
    tcp.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    within("an answer", tcp.read_to_end(&mut answer)).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn nothing_outside_the_user_interface_can_be_read() -> Result<()> {
    let node = TestNode::start().await?;
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../../../../etc/passwd",
        "/assets/..%5c..%5cetc/passwd",
        "//etc/passwd",
        "/.git/config",
        "/assets/%00",
        "/index.html%00.js",
    ] {
        let answer = raw_get(&node, path, "accept: application/json\r\n").await?;
        assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("\"not_found\""), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}");
    }
    node.stop().await
}

#[tokio::test]
async fn unknown_routes_and_methods_are_told() -> Result<()> {
    let node = TestNode::start().await?;
    for (method, path) in [
        (Method::GET, "/api/v1/nothing"),
        (Method::GET, "/api/v2/node"),
        (Method::GET, "/api"),
        (Method::DELETE, "/api/v1/node"),
        (Method::PUT, "/"),
        (Method::POST, "/index.html"),
        (Method::TRACE, "/"),
    ] {
        let request =
            http::request(node.address, method.clone(), path, &[("accept", "application/json")], "");
        let answer = http::send(node.address, request).await?;
        assert_eq!(answer.code(), Code::NoRoute, "{method} {path}");
    }
    node.stop().await
}

#[tokio::test]
async fn ids_and_addresses_in_paths_are_checked() -> Result<()> {
    let node = TestNode::start().await?;
    let alice =
        weft_testkit::device::Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    for (path, field) in [
        ("rooms/not-an-id/log", "room"),
        ("rooms/00000000000000000000000000000000/log?after=x", "after"),
        ("rooms?after=zz", "after"),
        ("users/nobody", "user"),
        ("contacts?after=%ff", "after"),
        ("vault/records?after=short", "after"),
    ] {
        let answer = alice.get(path).await?;
        let problem = answer.problem()?;
        assert!(matches!(problem.code, Code::InvalidField | Code::Malformed), "{path}: {problem:?}");
        assert_eq!(problem.field.as_deref().unwrap_or_default(), field, "{path}");
    }
    node.stop().await
}

#[tokio::test]
async fn every_answer_has_the_security_headers() -> Result<()> {
    let node = TestNode::start().await?;
    for path in ["/", "/api/v1/node", "/api/v1/devices", "/nothing.js", "/healthz"] {
        let answer = http::get(node.address, path, None).await?;
        assert_eq!(answer.header("content-security-policy"), weft_api::CONTENT_SECURITY_POLICY, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("camera=(self)"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "plain HTTP promises no TLS");
    }
    let policy = weft_api::CONTENT_SECURITY_POLICY;
    assert!(policy.starts_with("default-src 'none'"));
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    node.stop().await
}

#[tokio::test]
async fn metrics_are_on_their_own_listener_only() -> Result<()> {
    let node = TestNode::start_with(|config| {
        config.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.http.metrics_listen = vec!["127.0.0.1:0".parse().unwrap()];
    })
    .await?;
    // A proxy on this machine looks like this machine, and need not say for whom it asks.
    for header in ["", "x-forwarded-for: 203.0.113.7\r\n", "x-forwarded-for: 127.0.0.1\r\n"] {
        let answer = raw_get(&node, "/metrics", &format!("{header}accept: application/json\r\n")).await?;
        assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("\"no_route\""), "{header}: {answer}");
    }
    let own = node.running().metrics_addresses[0];
    let numbers = http::get(own, "/metrics", None).await?;
    assert!(numbers.status.is_success() && String::from_utf8_lossy(&numbers.body).contains("weft_sockets"));
    assert_eq!(http::get(own, "/api/v1/node", None).await?.code(), Code::NoRoute);
    node.stop().await
}

#[tokio::test]
async fn a_request_names_one_host() -> Result<()> {
    let node = TestNode::start().await?;
    for (version, hosts, wanted) in [
        ("1.1", "host: home.example\r\n", "200"),
        ("1.0", "", "200"),
        ("1.1", "", "400"),
        ("1.1", "host:\r\n", "400"),
        ("1.1", "host: home.example\r\nhost: home.example\r\n", "400"),
        ("1.1", "host: home.example\r\nhost: evil.example\r\n", "400"),
        ("1.0", "host: home.example\r\nhost: evil.example\r\n", "400"),
        ("1.1", "host: home.example/evil\r\n", "400"),
    ] {
        let mut tcp = TcpStream::connect(node.address).await?;
        // The second request of a smuggler gets no answer: a refused connection ends.
        let request = format!("GET /healthz HTTP/{version}\r\naccept: application/json\r\n{hosts}\r\n");
        let close = "GET /healthz HTTP/1.1\r\nhost: home.example\r\nconnection: close\r\n\r\n";
        tcp.write_all([request.as_str(), close].concat().as_bytes()).await?;
        let mut answer = Vec::new();
        let _ = within("an answer", tcp.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(answer.split(' ').nth(1), Some(wanted), "{version} {hosts:?}: {answer}");
        if wanted == "400" {
            assert!(answer.contains("\"malformed\"") && !answer.contains("ok\n"), "{hosts:?}: {answer}");
        }
    }
    node.stop().await
}
