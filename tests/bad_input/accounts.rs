//! Names, passwords, invites, certificates, tokens.

use anyhow::Result;
use ed25519_dalek::SigningKey;
use hyper::Method;
use rand::rngs::OsRng;
use weft_engine::api::Call;
use weft_node::control::{Answer, Request};
use weft_testkit::{
    Cast, Person, TestNode,
    device::{Device, certify, now_ms, prepare_registration, random},
    http, within,
};
use weft_wire::{
    Blob, Code, Signed,
    accounts::{RegisterFinish, RegisterStart, SessionRequest},
};

async fn finish(node: &TestNode, request: &RegisterFinish) -> Result<http::Answer> {
    http::call(node.address, Method::POST, "/api/v1/accounts/register/finish", None, request).await
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() -> Result<()> {
    let node = TestNode::start().await?;
    let _alice = node.sign_up(Cast::Alice).await?;
    let client = weft_client::Client::start(weft_client::Options::memory(node.url())).await?;
    for name in [Cast::Alice.name(), "nobody-here"] {
        let call = Call::SignIn { name: name.to_owned(), password: "a guess of mine".to_owned() };
        assert_eq!(client.call(call).await.unwrap_err().code, "wrong_credentials", "{name}");
    }
    assert!(Person::sign_in(node.url(), Cast::Alice).await.is_ok(), "the right one still opens");
    node.stop().await
}

#[tokio::test]
async fn a_taken_name_is_refused() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let invite = node.invite().await?;
    let again = Device::register(node.address, "Alice", Some(&invite)).await.err().unwrap().to_string();
    assert!(again.contains("NameTaken"), "{again}");
    assert!(alice.get("devices").await?.status.is_success());
    // The invite was not used up by the attempt.
    Device::register(node.address, "alicia", Some(&invite)).await?;
    node.stop().await
}

#[tokio::test]
async fn an_ill_formed_name_is_refused() -> Result<()> {
    let node = TestNode::start().await?;
    for name in ["", "a", "-alice", "alice!", "alice@home.example", "a name", "名字", &"a".repeat(33)] {
        let body = serde_json::json!({ "name": name, "opaque_request": "AAAA" }).to_string();
        let headers = [("content-type", "application/json")];
        let request =
            http::request(node.address, Method::POST, "/api/v1/accounts/register/start", &headers, body);
        let answer = http::send(node.address, request).await?;
        assert!(matches!(answer.code(), Code::Malformed | Code::InvalidField), "{name:?}");
    }
    node.stop().await
}

#[tokio::test]
async fn used_unknown_and_missing_invites_are_refused() -> Result<()> {
    let node = TestNode::start().await?;
    let invite = node.invite().await?;
    Device::register(node.address, "alice", Some(&invite)).await?;
    for (invite, wanted) in [
        (Some(invite.as_str()), "InviteInvalid"),
        (Some("AAAAAAAAAAAAAAAAAAAAAA"), "InviteInvalid"),
        (None, "InviteRequired"),
    ] {
        let told = Device::register(node.address, "mallory", invite).await.err().unwrap().to_string();
        assert!(told.contains(wanted), "{invite:?}: {told}");
    }
    node.stop().await
}

#[tokio::test]
async fn an_expired_invite_is_refused() -> Result<()> {
    let node = TestNode::start().await?;
    Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let request = Request::Invite { owner: false, uses: 5, lifetime_ms: 1 };
    let Answer::Invite { link, expires_ms, .. } = node.running().control().handle(request).await else {
        panic!("no invite");
    };
    within("the invite is over", async {
        while now_ms() <= expires_ms {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let told = Device::register(node.address, "mallory", Some(&link)).await.err().unwrap().to_string();
    assert!(told.contains("InviteInvalid"), "{told}");
    // Also in the second step, which a client may call without the first.
    let good = weft_testkit::device::invite_code(&node.invite().await?);
    let (mut late, ..) = prepare_registration(node.address, "mallory", good).await?;
    late.invite = weft_testkit::device::invite_code(&link);
    assert_eq!(finish(&node, &late).await?.code(), Code::InviteInvalid);
    node.stop().await
}

#[tokio::test]
async fn a_closed_node_takes_nobody_even_with_an_invite() -> Result<()> {
    let node =
        TestNode::start_with(|config| config.node.signup = weft_wire::node::SignupPolicy::Closed).await?;
    // The owner may come in whatever the policy is: somebody has to run the node.
    Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let told = Device::register(node.address, "bob", None).await.err().unwrap().to_string();
    assert!(told.contains("SignupClosed"), "{told}");
    node.stop().await
}

#[tokio::test]
async fn a_foreign_device_certificate_is_refused() -> Result<()> {
    let node = TestNode::start().await?;
    let invite = weft_testkit::device::invite_code(&node.invite().await?);
    let (mut request, identity, key) = prepare_registration(node.address, "mallory", invite).await?;
    let user = request.identity.peek()?.user;
    let right = request.device.clone();
    let stranger = SigningKey::generate(&mut OsRng);
    for (why, cert) in [
        ("signed by another identity", certify(&user, &stranger, &key, now_ms() + 60_000)),
        (
            "for another person",
            certify(&"alice@elsewhere.example".parse()?, &identity, &key, now_ms() + 60_000),
        ),
        ("expired", certify(&user, &identity, &key, now_ms() - 500)),
    ] {
        request.device = cert;
        assert_eq!(finish(&node, &request).await?.code(), Code::BadCertificate, "{why}");
    }
    // Nothing came of it: name and invite are free.
    request.device = right;
    assert!(finish(&node, &request).await?.status.is_success());
    node.stop().await
}

#[tokio::test]
async fn tokens_that_are_none_are_refused() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let mut cut = alice.token.clone();
    cut.pop();
    for token in [None, Some(""), Some("x"), Some(cut.as_str()), Some(&"A".repeat(5000))] {
        let answer = http::get(node.address, "/api/v1/devices", token).await?;
        assert_eq!(answer.code(), Code::Unauthenticated, "{token:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    node.stop().await
}

#[tokio::test]
async fn a_replayed_session_request_counts_once() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let request = |time_ms| SessionRequest {
        user: alice.user.clone(),
        device: alice.id(),
        time_ms,
        nonce: Blob(random::<16>().to_vec()),
    };
    let good = Signed::sign(&request(now_ms()), &alice.key);
    assert!(alice.post("sessions", &good).await?.status.is_success());
    let replay = alice.post("sessions", &good).await?;
    assert!(!replay.status.is_success(), "a request counts once");
    let old = Signed::sign(&request(now_ms() - 11 * 60 * 1000), &alice.key);
    assert!(!alice.post("sessions", &old).await?.status.is_success(), "a clock that is far off");
    let forged = Signed::sign(&request(now_ms()), &SigningKey::generate(&mut OsRng));
    assert!(!alice.post("sessions", &forged).await?.status.is_success(), "another's signature");
    node.stop().await
}

#[tokio::test]
async fn many_sign_ins_from_one_address_are_slowed_down() -> Result<()> {
    let node = TestNode::start_with(|config| config.limits.rate_multiplier = 1.0).await?;
    let request = RegisterStart { name: "mallory".parse()?, invite: None, opaque_request: Blob(vec![0; 32]) };
    for _ in 0..200 {
        let answer =
            http::call(node.address, Method::POST, "/api/v1/accounts/login/start", None, &request).await?;
        if answer.code() == Code::RateLimited {
            assert!(answer.problem()?.retry_after_ms.unwrap() > 0);
            assert!(answer.header("retry-after").parse::<u64>()? > 0);
            return node.stop().await;
        }
    }
    panic!("200 sign-ins in a row were let through");
}
