//! TLS from one's own files: handshakes, reload, refusals.

use anyhow::Result;
use hyper::{Method, Request};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use weft_node::{StartError, tls::TlsError};
use weft_testkit::{
    TestNode, http,
    tls::{Files, connect, put},
    within,
};

/// The status of the node's health, and whether it says that TLS is to be used from now on.
async fn status(stream: TlsStream<TcpStream>) -> Result<(u16, String)> {
    let address = stream.get_ref().0.peer_addr()?;
    let request = http::request(address, Method::GET, "/healthz", &[("host", "localhost")], "");
    let answer = http::Line::over(stream).await?.send(request).await?;
    Ok((answer.status.as_u16(), answer.header("strict-transport-security")))
}

#[tokio::test]
async fn own_files_are_served_and_read_anew_when_they_change() {
    let files = Files::new().unwrap();
    let first = files.renew().unwrap();
    let node = TestNode::start_with(|config| files.adapt(config)).await.unwrap();
    assert!(node.url().starts_with("https://"));
    let (code, transport) =
        status(connect(node.address, &first, &["http/1.1"]).await.unwrap()).await.unwrap();
    assert_eq!((code, transport.as_str()), (200, "max-age=63072000"));

    let second = files.renew().unwrap();
    within("the new certificate is served", async {
        while connect(node.address, &second, &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(connect(node.address, &first, &[]).await.is_err(), "the old certificate is served no more");
    node.stop().await.unwrap();
}

#[tokio::test]
async fn a_broken_renewal_leaves_the_former_certificate_in_force() {
    let files = Files::new().unwrap();
    let first = files.renew().unwrap();
    let node = TestNode::start_with(|config| files.adapt(config)).await.unwrap();
    put(&files.path("cert.pem"), "no certificate").unwrap();
    // The files are looked at once a second, so this takes in at least one look.
    let until = tokio::time::Instant::now() + std::time::Duration::from_millis(1500);
    while tokio::time::Instant::now() < until {
        assert_eq!(status(connect(node.address, &first, &[]).await.unwrap()).await.unwrap().0, 200);
    }
    let third = files.renew().unwrap();
    within("the mended certificate is served", async {
        while connect(node.address, &third, &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    node.stop().await.unwrap();
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_asked_for() {
    let files = Files::new().unwrap();
    let certificate = files.renew().unwrap();
    let node = TestNode::start_with(|config| files.adapt(config)).await.unwrap();
    let stream = connect(node.address, &certificate, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    let driver = tokio::spawn(connection);
    let request = Request::get(format!("https://localhost:{}/healthz", node.address.port()))
        .body(String::new())
        .unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    driver.abort();
    node.stop().await.unwrap();
}

#[tokio::test]
async fn plain_http_gets_nothing_from_a_tls_listener() {
    let files = Files::new().unwrap();
    files.renew().unwrap();
    let node = TestNode::start_with(|config| files.adapt(config)).await.unwrap();
    assert!(http::get(node.address, "/healthz", None).await.is_err());
    node.stop().await.unwrap();
}

#[tokio::test]
async fn files_that_do_not_belong_together_stop_the_start() {
    let files = Files::new().unwrap();
    files.renew().unwrap();
    let CertifiedKey { key_pair, .. } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    put(&files.path("key.pem"), &key_pair.serialize_pem()).unwrap();
    let error = TestNode::start_with(|config| files.adapt(config)).await.err().unwrap();
    assert!(matches!(error.downcast_ref(), Some(StartError::Tls(TlsError::Rustls(_)))), "{error:?}");
}

#[tokio::test]
async fn a_certificate_without_an_end_is_not_read_to_it() {
    let files = Files::new().unwrap();
    files.renew().unwrap();
    for endless in ["certificate", "key"] {
        let start = TestNode::start_with(|config| {
            files.adapt(config);
            match endless {
                "key" => config.tls.key = "/dev/zero".into(),
                _ => config.tls.certificate = "/dev/zero".into(),
            }
        });
        let error = start.await.err().unwrap();
        let Some(StartError::Tls(TlsError::Read { source, .. })) = error.downcast_ref() else {
            panic!("{error:?}")
        };
        assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge);
    }
}

#[tokio::test]
async fn plain_http_on_a_public_address_is_refused() {
    let start = TestNode::start_with(|config| config.http.listen = vec!["0.0.0.0:0".parse().unwrap()]).await;
    let told = start.err().unwrap().to_string();
    assert!(told.contains("tls.off_on_public_address"), "{told}");
}
