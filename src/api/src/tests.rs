//! What surrounds every handler, tried with handlers that misbehave.

use crate::{Api, Config, Peer, routes};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use http_body_util::BodyExt;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use weft_service::{Deps, NodeIdentity, Service, ServiceConfig, SystemClock, SystemEntropy};
use weft_store::Store;
use weft_wire::{Code, Problem};

async fn api() -> Api {
    let service = Service::open(Deps {
        store: Store::memory(),
        clock: Arc::new(SystemClock),
        entropy: Box::new(SystemEntropy),
        identity: NodeIdentity {
            key: ed25519_dalek::SigningKey::from_bytes(&[7; 32]),
            name: "home.example".parse().unwrap(),
        },
        config: ServiceConfig::default(),
    });
    let second = Duration::from_secs(1);
    let config = Config {
        trusted_proxies: vec![],
        origins: vec![],
        strict_transport: false,
        connections_max: 10,
        connections_per_address_max: 10,
        header_timeout: second,
        body_timeout: second,
        request_timeout: second,
        hello_timeout: second,
        write_timeout: second,
        idle_timeout: second,
        shutdown_timeout: second,
        webhooks: crate::Webhooks::default(),
    };
    Api::new(service.await.unwrap(), config, None, CancellationToken::new())
}

async fn ask(path: &str) -> (StatusCode, Problem, bool) {
    let api = api().await;
    #[allow(unreachable_code)]
    let misbehaving = Router::new()
        .route("/panic", get(async || -> &'static str { panic!("with a secret in it") }))
        .route("/never", get(async || -> &'static str { std::future::pending().await }));
    let mut request = Request::get(path)
        .header("host", "x")
        .header("accept", "application/json")
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(Peer("127.0.0.1:9".parse().unwrap()));
    let response = routes::surround(&api, misbehaving).oneshot(request).await.unwrap();
    let (status, guarded) = (response.status(), response.headers().contains_key("content-security-policy"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap(), guarded)
}

#[tokio::test]
async fn a_panic_is_answered_without_what_it_said() {
    let (status, problem, guarded) = ask("/panic").await;
    assert_eq!((status.as_u16(), problem.code, guarded), (500, Code::Internal, true));
    assert!(!format!("{problem:?}").contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_answers_is_given_up() {
    let (status, problem, guarded) = ask("/never").await;
    assert_eq!((status.as_u16(), problem.code, guarded), (500, Code::Internal, true));
}
