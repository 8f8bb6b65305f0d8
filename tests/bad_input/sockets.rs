//! Sockets: of strangers, too many, deaf, dumb, from another site.

use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use futures::{SinkExt, StreamExt};
use rand::rngs::OsRng;
use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use weft_testkit::{
    NodeProcess, TestNode,
    device::{Device, random},
    http,
    socket::{Opened, Socket},
    within,
};
use weft_wire::{
    Blob, Code, MessageId, Problem, Signed, codec, limits,
    sync::{ClientFrame, ServerFrame, SocketProof},
};

#[tokio::test]
async fn a_thousand_sockets_from_one_address_are_bounded() -> Result<()> {
    let node = TestNode::start().await?;
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..1000 {
        match Socket::open(node.address, None).await? {
            Opened::Open(socket) => open.push(socket),
            Opened::Refused(response, body) => {
                let problem: Problem = codec::decode(&body, 4096)?;
                assert!(matches!(problem.code, Code::TooMany | Code::RateLimited), "{problem:?}");
                assert_eq!(response.status().as_u16(), problem.code.status());
                refused += 1;
            }
        }
    }
    assert_eq!(open.len(), limits::SOCKETS_PER_ADDRESS_MAX);
    assert_eq!(refused, 1000 - limits::SOCKETS_PER_ADDRESS_MAX);
    // Closing one makes room for one.
    open.pop();
    within("a place is free again", async {
        while matches!(Socket::open(node.address, None).await.unwrap(), Opened::Refused(..)) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(open);
    node.stop().await
}

#[tokio::test]
async fn connections_past_the_bound_are_told_so() -> Result<()> {
    let node = TestNode::start_with(|config| config.http.connections_per_address_max = 4).await?;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut tcp = TcpStream::connect(node.address).await?;
        // A whole request, so that the connection is known to be accepted.
        tcp.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await?;
        within("an answer", tcp.read_u8()).await?;
        held.push(tcp);
    }
    let mut fifth = TcpStream::connect(node.address).await?;
    let mut answer = String::new();
    within("a refusal", async {
        let _ = fifth.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut bytes = vec![0; 2048];
        let count = fifth.read(&mut bytes).await.unwrap();
        answer = String::from_utf8_lossy(&bytes[..count]).into_owned();
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too_many"), "{answer}");
    drop(held);
    node.stop().await
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket() -> Result<()> {
    let node =
        TestNode::start_with(|config| config.http.origins = vec!["http://localhost:5173".to_owned()]).await?;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://", ""] {
        let Opened::Refused(response, _) = Socket::open(node.address, Some(origin)).await? else {
            panic!("{origin} was let in");
        };
        assert_eq!(response.status().as_u16(), 403, "{origin}");
    }
    for origin in [format!("http://{}", node.address), "http://localhost:5173".to_owned()] {
        assert!(matches!(Socket::open(node.address, Some(&origin)).await?, Opened::Open(_)), "{origin}");
    }
    node.stop().await?;

    // Where people come by HTTPS, a page of the same host that came in the clear may be anybody's.
    let node =
        TestNode::start_with(|config| config.http.public_url = "https://home.example".to_owned()).await?;
    let own = |scheme| format!("{scheme}://{}", node.address);
    let Opened::Refused(response, _) = Socket::open(node.address, Some(&own("http"))).await? else {
        panic!("a page in the clear was let in");
    };
    assert_eq!(response.status().as_u16(), 403);
    assert!(matches!(Socket::open(node.address, Some(&own("https"))).await?, Opened::Open(_)));
    node.stop().await
}

#[tokio::test]
async fn a_hello_that_is_not_right_ends_the_socket() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let forge = |nonce, key: &SigningKey, token: &str| ClientFrame::Hello {
        token: token.to_owned(),
        proof: Signed::sign(&SocketProof { nonce, device: alice.id() }, key),
        inbox_after: 0,
        vault: false,
    };
    for (why, case) in
        ["another key", "another nonce", "another token", "no hello", "text", "nonsense"].iter().zip(0..)
    {
        let mut socket = Socket::connect(node.address).await?;
        let ServerFrame::Challenge { nonce } = socket.next().await? else { panic!("no challenge") };
        match case {
            0 => socket.send(&forge(nonce, &SigningKey::generate(&mut OsRng), &alice.token)).await?,
            1 => socket.send(&forge(random(), &alice.key, &alice.token)).await?,
            2 => {
                socket.send(&forge(nonce, &alice.key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).await?
            }
            3 => socket.send(&ClientFrame::Ack { inbox: Some(9), rooms: vec![] }).await?,
            4 => {
                futures::SinkExt::send(&mut socket.0, tokio_tungstenite::tungstenite::Message::text("hello"))
                    .await?
            }
            _ => socket.send_raw(vec![0xff; 100]).await?,
        }
        let code = socket.fatal().await?.code;
        assert!(
            matches!(code, Code::Unauthenticated | Code::BadSignature | Code::Malformed | Code::Forbidden),
            "{why}: {code:?}"
        );
    }
    assert!(alice.socket().await.is_ok(), "the right hello is still heard");
    node.stop().await
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed() -> Result<()> {
    let node = TestNode::start_with(|config| config.socket.hello_timeout_s = 1).await?;
    let mut socket = Socket::connect(node.address).await?;
    assert_eq!(socket.fatal().await?.code, Code::SlowReader);
    node.stop().await
}

#[tokio::test]
async fn an_oversized_frame_ends_the_socket() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let mut socket = alice.socket().await?;
    let _ = socket.send_raw(vec![0x5a; limits::SOCKET_FRAME_BYTES_MAX + 1]).await;
    let told = socket.fatal().await;
    assert!(told.as_ref().map_or(true, |problem| problem.code == Code::TooLarge), "{told:?}");
    assert!(alice.socket().await.is_ok());
    node.stop().await
}

#[tokio::test]
async fn a_socket_that_never_reads_is_closed_and_costs_little() -> Result<()> {
    let node = TestNode::start_with(|config| config.socket.write_timeout_s = 1).await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let bob = Device::register(node.address, "bob", Some(&node.invite().await?)).await?;
    bob.publish(2).await?;
    alice.befriend(&bob).await?;
    let mut room = alice.direct_room(&bob).await?;

    // Bob follows the room, and then reads nothing any more.
    let mut deaf = bob.socket().await?;
    deaf.send(&ClientFrame::Follow { rooms: vec![(room.id, 0)] }).await?;
    let mut sent = Vec::new();
    let started = Instant::now();
    let before = node.running().service.sync().sockets();
    assert_eq!(before, 1);
    // Far more than the kernel's buffers hold; the node must give the socket up, not pile the rest up in memory.
    while node.running().service.sync().sockets() > 0 {
        let id = MessageId(random());
        let message = alice.message(&mut room, id, &[0x5a; 40_000])?;
        let answer = alice.post(&format!("rooms/{}/messages", room.id), &message).await?;
        assert!(answer.status.is_success(), "others are not held up: {:?}", answer.problem());
        sent.push(id);
        assert!(started.elapsed() < weft_testkit::DEADLINE, "the deaf socket is still open");
    }
    drop(deaf);

    // Nothing is lost: a socket that reads gets every message, in order.
    let mut socket = bob.socket().await?;
    socket.send(&ClientFrame::Follow { rooms: vec![(room.id, 0)] }).await?;
    let mut got = Vec::new();
    while got.len() < sent.len() {
        if let ServerFrame::Entries { entries, .. } = socket.next().await? {
            for entry in entries {
                let envelope = entry.envelope.peek()?;
                if envelope.kind == weft_wire::rooms::EntryKind::Message {
                    got.push(envelope.message_id);
                }
            }
        }
    }
    assert_eq!(got, sent);
    node.stop().await
}

/// How many sockets the node gave up because nobody read.
async fn given_up(node: &NodeProcess) -> Result<u64> {
    let url = node.metrics.as_deref().context("no metrics")?;
    let address =
        url.strip_prefix("http://").and_then(|url| url.strip_suffix("/metrics")).context("no address")?;
    let text = http::get(address.parse()?, "/metrics", None).await?.body;
    let text = String::from_utf8_lossy(&text).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("weft_sockets_closed_total{") && line.contains("why=\"slow_reader\""));
    Ok(line.and_then(|line| line.rsplit(' ').next()).map_or(Ok(0), str::parse)?)
}

/// The messages among frames, with the number of the last entry.
fn messages(frame: &ServerFrame, got: &mut Vec<MessageId>, last: &mut u64) -> Result<()> {
    let ServerFrame::Entries { entries, .. } = frame else { return Ok(()) };
    for entry in entries {
        let envelope = entry.envelope.peek()?;
        if envelope.kind == weft_wire::rooms::EntryKind::Message {
            got.push(envelope.message_id);
        }
        *last = entry.seq;
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_comes_round_hears_why_it_is_closed_and_goes_on_where_it_was() -> Result<()> {
    // A process of its own, so that its numbers are its own.
    let node = NodeProcess::start(
        env!("CARGO_BIN_EXE_weft"),
        &[("WEFT_SOCKET__WRITE_TIMEOUT_S", "1"), ("WEFT_HTTP__METRICS_LISTEN", "127.0.0.1:0")],
    )
    .await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let bob = Device::register(node.address, "bob", Some(&node.invite().await?)).await?;
    bob.publish(2).await?;
    alice.befriend(&bob).await?;
    let mut room = alice.direct_room(&bob).await?;
    let mut socket = bob.socket().await?;
    socket.send(&ClientFrame::Follow { rooms: vec![(room.id, 0)] }).await?;
    let mut sent = Vec::new();
    within("the node gives the deaf socket up", async {
        while given_up(&node).await? == 0 {
            let id = MessageId(random());
            let message = alice.message(&mut room, id, &[0x5a; 40_000])?;
            let answer = alice.post(&format!("rooms/{}/messages", room.id), &message).await?;
            anyhow::ensure!(answer.status.is_success(), "others are not held up: {:?}", answer.problem());
            sent.push(id);
        }
        anyhow::Ok(())
    })
    .await?;

    // What was on its way comes, and then the reason.
    let (mut got, mut last) = (Vec::new(), 0);
    loop {
        match socket.next().await? {
            ServerFrame::Problem { problem, fatal: true, .. } => {
                break assert_eq!(problem.code, Code::SlowReader);
            }
            frame => messages(&frame, &mut got, &mut last)?,
        }
    }
    assert_eq!(socket.close_code().await?, 1008, "policy violation (RFC 6455, 7.4.1)");
    assert!(!got.is_empty() && got.len() < sent.len(), "{} of {}", got.len(), sent.len());

    let mut socket = bob.socket().await?;
    socket.send(&ClientFrame::Follow { rooms: vec![(room.id, last)] }).await?;
    while got.len() < sent.len() {
        messages(&socket.next().await?, &mut got, &mut last)?;
    }
    assert_eq!(got, sent, "each once, in order");
    Ok(())
}

#[tokio::test]
async fn a_device_has_a_bounded_number_of_sockets() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let bob = Device::register(node.address, "bob", Some(&node.invite().await?)).await?;
    let mut open = Vec::new();
    for _ in 0..limits::SOCKETS_PER_DEVICE_MAX {
        open.push(alice.socket().await?);
    }
    for _ in 0..100 {
        let mut socket = Socket::connect(node.address).await?;
        let hello = alice.hello(&mut socket).await?;
        socket.send(&hello).await?;
        assert_eq!(socket.fatal().await?.code, Code::TooMany);
        assert_eq!(socket.close_code().await?, 1008);
    }
    let mut others = bob.socket().await?;
    for socket in open.iter_mut().chain([&mut others]) {
        socket.send(&ClientFrame::Ping).await?;
        while socket.next().await? != ServerFrame::Pong {}
    }
    open.pop();
    within("a place is free again", async { while alice.socket().await.is_err() {} }).await;
    node.stop().await
}

#[tokio::test]
async fn a_mute_socket_costs_the_node_little() -> Result<()> {
    const SOCKETS: usize = 500;
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (mut open, mut before) = (Vec::new(), 0);
    for number in 0..SOCKETS + 100 {
        // The first hundred pay for what is needed once.
        if number == 100 {
            before = node.resident_bytes()?;
        }
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(number / 200)?);
        let mut socket = Socket::connect_from(from, node.address).await?;
        let ServerFrame::Challenge { .. } = socket.next().await? else { panic!("no challenge") };
        open.push(socket);
    }
    let each = node.resident_bytes()?.saturating_sub(before) / SOCKETS as u64;
    assert!(each < 32 << 10, "{each} bytes a socket");
    Ok(())
}

#[tokio::test]
async fn a_flood_of_frames_is_slowed_down() -> Result<()> {
    let node = TestNode::start_with(|config| config.limits.rate_multiplier = 1.0).await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let mut socket = alice.socket().await?;
    let flood = async {
        for _ in 0..5000 {
            let frame =
                ClientFrame::Ephemeral { room: weft_wire::RoomId(random()), sealed: Blob(vec![0; 64]) };
            if socket.send(&frame).await.is_err() {
                break;
            }
        }
        loop {
            match socket.next().await {
                Ok(ServerFrame::Problem { problem, .. }) if problem.code == Code::RateLimited => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    };
    assert!(within("the flood is noticed", flood).await);
    node.stop().await
}

#[tokio::test]
async fn pings_and_pongs_are_frames_and_a_flood_of_them_is_cut_off() -> Result<()> {
    let node = TestNode::start_with(|config| config.limits.rate_multiplier = 0.2).await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let ping = Message::Ping(Bytes::new());
    for control in [ping.clone(), Message::Pong(Bytes::from_static(b"unasked"))] {
        let mut socket = alice.socket().await?;
        assert_eq!(ended_by(&mut socket, &control, 300).await?, Some(Code::RateLimited), "{control:?}");
    }
    // Before hello there is no account to count for: a client has no reason to, and a few are nothing.
    let mut nobody = Socket::connect(node.address).await?;
    let ServerFrame::Challenge { .. } = nobody.next().await? else { panic!("no challenge") };
    assert_eq!(ended_by(&mut nobody, &ping, 1).await?, None);
    assert_eq!(ended_by(&mut nobody, &ping, 1).await?, Some(Code::TooMany));
    node.stop().await
}

/// Sends rounds of ten control frames, each in one piece and ending in a ping that is waited for, so that the node never closes
/// with anything unread and its reason arrives. Gives that reason; none: it answers still.
async fn ended_by(socket: &mut Socket, control: &Message, rounds: usize) -> Result<Option<Code>> {
    for _ in 0..rounds {
        for _ in 0..9 {
            socket.0.feed(control.clone()).await?;
        }
        socket.0.send(Message::Ping(Bytes::from_static(b"heard?"))).await?;
        loop {
            let message = within("an answer", socket.0.next()).await.context("the socket ended")??;
            match message {
                Message::Pong(payload) if payload.as_ref() == b"heard?" => break,
                Message::Pong(_) => {}
                Message::Binary(bytes) => {
                    let frame = codec::decode(&bytes, usize::MAX)?;
                    if let ServerFrame::Problem { problem, fatal: true, .. } = frame {
                        return Ok(Some(problem.code));
                    }
                }
                other => anyhow::bail!("not expected: {other:?}"),
            }
        }
    }
    Ok(None)
}

#[tokio::test]
async fn a_plain_request_to_the_sockets_address_is_told() -> Result<()> {
    let node = TestNode::start().await?;
    let started = Instant::now();
    assert_eq!(http::get(node.address, "/api/v1/sync", None).await?.code(), Code::Malformed);
    assert!(started.elapsed() < Duration::from_secs(5));
    node.stop().await
}
