//! Envelopes and rooms: replayed, forged, stale, of others.

use anyhow::Result;
use ed25519_dalek::SigningKey;
use hyper::Method;
use rand::rngs::OsRng;
use weft_mls::{member, openmls::prelude::OpenMlsProvider};
use weft_testkit::{
    TestNode,
    device::{Device, Room, now_ms, random},
    http,
};
use weft_wire::{
    Blob, Code, MessageId, RoomId, Signed, limits,
    rooms::{Accepted, EntryKind, Envelope, LogPage, PutItem, RoomList, SubmitCommit, SubmitMessage},
    sync::{ClientFrame, ServerFrame},
};

struct Story {
    node: TestNode,
    alice: Device,
    bob: Device,
    carol: Device,
    room: Room,
}

/// Alice and Bob have a room; Carol has an account.
async fn story() -> Result<Story> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let bob = Device::register(node.address, "bob", Some(&node.invite().await?)).await?;
    let carol = Device::register(node.address, "carol", Some(&node.invite().await?)).await?;
    bob.publish(2).await?;
    alice.befriend(&bob).await?;
    let room = alice.direct_room(&bob).await?;
    Ok(Story { node, alice, bob, carol, room })
}

impl Story {
    async fn submit(&self, who: &Device, message: &SubmitMessage) -> Result<http::Answer> {
        who.post(&format!("rooms/{}/messages", self.room.id), message).await
    }

    async fn head(&self) -> Result<u64> {
        Ok(self.alice.get(&format!("rooms/{}/log", self.room.id)).await?.value::<LogPage>()?.head)
    }
}

#[tokio::test]
async fn a_replayed_envelope_is_stored_once() -> Result<()> {
    let mut story = story().await?;
    let message = story.alice.message(&mut story.room, MessageId(random()), b"once")?;
    let first: Accepted = story.submit(&story.alice, &message).await?.value()?;
    let again: Accepted = story.submit(&story.alice, &message).await?.value()?;
    assert_eq!(first, again);
    assert_eq!(story.head().await?, first.seq);
    // By somebody else it is not theirs to send.
    let code = story.submit(&story.bob, &message).await?.code();
    assert!(matches!(code, Code::BadSignature | Code::Forbidden | Code::InvalidField), "{code:?}");
    assert_eq!(story.head().await?, first.seq);
    story.node.stop().await
}

#[tokio::test]
async fn one_id_stands_for_one_message() -> Result<()> {
    let mut story = story().await?;
    let id = MessageId(random());
    let first = story.alice.message(&mut story.room, id, b"first")?;
    let second = story.alice.message(&mut story.room, id, b"second")?;
    assert!(story.submit(&story.alice, &first).await?.status.is_success());
    assert_eq!(story.submit(&story.alice, &second).await?.code(), Code::IdConflict);
    story.node.stop().await
}

#[tokio::test]
async fn a_forged_envelope_is_refused() -> Result<()> {
    let mut story = story().await?;
    let before = story.head().await?;
    let good = story.alice.message(&mut story.room, MessageId(random()), b"good")?;
    let envelope = good.envelope.peek()?;
    let stranger = SigningKey::generate(&mut OsRng);
    let forge = |change: &dyn Fn(&mut Envelope), key: &SigningKey| {
        let mut forged = envelope.clone();
        change(&mut forged);
        SubmitMessage { envelope: Signed::sign(&forged, key) }
    };
    let alice = &story.alice;
    for (why, message) in [
        ("another key", forge(&|_| {}, &stranger)),
        ("in the name of another", forge(&|it| it.sender = story.bob.user.clone(), &alice.key)),
        ("another device", forge(&|it| it.device = story.bob.id(), &alice.key)),
        ("another room", forge(&|it| it.room = RoomId(random()), &alice.key)),
        ("an epoch to come", forge(&|it| it.epoch += 5, &alice.key)),
        ("a commit as a message", forge(&|it| it.kind = EntryKind::Commit, &alice.key)),
        ("too long", forge(&|it| it.body = Blob(vec![0; limits::MESSAGE_BYTES_MAX + 1]), &alice.key)),
    ] {
        let answer = story.submit(alice, &message).await?;
        assert!(answer.status.is_client_error(), "{why}: {}", answer.status);
        answer.problem()?;
    }
    assert_eq!(story.head().await?, before, "nothing of it was taken");
    story.node.stop().await
}

#[tokio::test]
async fn a_stale_commit_is_told_the_current_epoch() -> Result<()> {
    let mut story = story().await?;
    let (alice, room) = (&story.alice, &mut story.room);
    let winner = commit(alice, room)?;
    room.group.clear_pending_commit(alice.mls.storage())?;
    let loser = commit(alice, room)?;
    let path = format!("rooms/{}/commits", story.room.id);
    let accepted: Accepted = alice.post(&path, &winner).await?.value()?;
    let answer = alice.post(&path, &loser).await?;
    assert_eq!(answer.code(), Code::StaleEpoch);
    assert_eq!(answer.problem()?.current, Some(accepted.epoch));
    story.node.stop().await
}

#[tokio::test]
async fn garbage_as_mls_is_refused() -> Result<()> {
    let story = story().await?;
    let path = format!("rooms/{}/commits", story.room.id);
    let epoch = story.room.group.epoch().as_u64();
    for body in [vec![], vec![0; 100], random::<512>().to_vec()] {
        let commit = SubmitCommit {
            envelope: story.alice.envelope(
                story.room.id,
                EntryKind::Commit,
                epoch,
                MessageId(random()),
                body,
            ),
            group_info: Blob(vec![1, 2, 3]),
            welcome: None,
            welcome_to: vec![],
        };
        assert_eq!(story.alice.post(&path, &commit).await?.code(), Code::BadMls);
    }
    story.node.stop().await
}

#[tokio::test]
async fn another_users_room_looks_as_if_it_were_not_there() -> Result<()> {
    let mut story = story().await?;
    let carol = &story.carol;
    let room = story.room.id;
    for path in [format!("rooms/{room}/log"), format!("rooms/{room}/group-info")] {
        assert_eq!(carol.get(&path).await?.code(), Code::NotFound, "{path}");
        let nowhere = path.replace(&room.to_string(), &RoomId(random()).to_string());
        assert_eq!(
            carol.get(&nowhere).await?.body,
            carol.get(&path).await?.body,
            "the answers do not differ"
        );
    }
    let item = PutItem { kind: "read".to_owned(), version: 1, sealed: Blob(vec![1]) };
    let path = format!("/api/v1/rooms/{room}/items");
    let put = http::call(story.node.address, Method::PUT, &path, Some(&carol.token), &item).await?;
    assert_eq!(put.code(), Code::NotFound);
    let theirs = story.alice.message(&mut story.room, MessageId(random()), b"not yours")?;
    let mine = Signed::sign(
        &Envelope { sender: carol.user.clone(), device: carol.id(), ..theirs.envelope.peek()? },
        &carol.key,
    );
    let answer = carol.post(&format!("rooms/{room}/messages"), &SubmitMessage { envelope: mine }).await?;
    assert_eq!(answer.code(), Code::NotFound);
    assert!(carol.get("rooms").await?.value::<RoomList>()?.rooms.is_empty());

    let mut socket = carol.socket().await?;
    socket.send(&ClientFrame::Follow { rooms: vec![(room, 0)] }).await?;
    let told = loop {
        match socket.next().await? {
            ServerFrame::Problem { problem, room: about, .. } => break (problem.code, about),
            ServerFrame::Entries { .. } | ServerFrame::Room { .. } => panic!("Carol sees the room"),
            _ => {}
        }
    };
    assert_eq!(told, (Code::NotFound, Some(room)));
    story.node.stop().await
}

#[tokio::test]
async fn another_users_mailbox_is_out_of_reach() -> Result<()> {
    let story = story().await?;
    // Carol takes no KeyPackage of somebody who has not agreed, whether they exist or not.
    for user in [story.bob.user.to_string(), format!("nobody@{}", story.bob.node_name())] {
        let answer = story.carol.post(&format!("users/{user}/key-packages"), &()).await?;
        assert_eq!(answer.code(), Code::NoConsent, "{user}");
    }
    // She signs no device of others out, and acknowledges nothing of theirs.
    let path = format!("/api/v1/devices/{}", story.bob.id());
    let answer = http::call(story.node.address, Method::DELETE, &path, Some(&story.carol.token), &()).await?;
    assert_eq!(answer.code(), Code::NotFound);
    let mut hers = story.carol.socket().await?;
    hers.send(&ClientFrame::Ack { inbox: Some(u64::MAX), rooms: vec![(story.room.id, u64::MAX)] }).await?;
    hers.send(&ClientFrame::Ping).await?;
    while !matches!(hers.next().await, Ok(ServerFrame::Pong) | Err(_)) {}
    let (room, _) = story.bob.join().await?;
    assert_eq!(room.id, story.room.id, "Bob's Welcome is still there");
    story.node.stop().await
}

/// A commit that renews the device's own leaf; it stays pending in the group.
fn commit(device: &Device, room: &mut Room) -> Result<SubmitCommit> {
    let none: [Vec<u8>; 0] = [];
    let prepared = member::prepare(&device.mls, device.me(), &mut room.group, &none, &[], now_ms())?;
    Ok(SubmitCommit {
        envelope: device.envelope(
            room.id,
            EntryKind::Commit,
            prepared.epoch,
            MessageId(random()),
            prepared.commit,
        ),
        group_info: Blob(prepared.group_info),
        welcome: None,
        welcome_to: vec![],
    })
}

#[tokio::test]
async fn the_largest_message_gets_through_in_both_formats() -> Result<()> {
    let mut story = story().await?;
    let content = vec![7; limits::MESSAGE_BYTES_MAX - 1024];
    let path = format!("/api/v1/rooms/{}/messages", story.room.id);
    let bearer = format!("Bearer {}", story.alice.token);
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let address = story.node.address;
    let post = async |body: Vec<u8>| {
        http::send(address, http::request(address, Method::POST, &path, &headers, body)).await
    };
    let first = story.alice.message(&mut story.room, MessageId(random()), &content)?;
    assert!(story.submit(&story.alice, &first).await?.status.is_success());
    let second = story.alice.message(&mut story.room, MessageId(random()), &content)?;
    let json = serde_json::to_vec(&second)?;
    assert!(json.len() > limits::MESSAGE_BYTES_MAX + (8 << 10), "{} bytes show nothing", json.len());
    let answer = post(json).await?;
    assert!(answer.status.is_success(), "{:?}", answer.problem());
    // What is too large stays so, whatever it is written in.
    let epoch = story.room.group.epoch().as_u64();
    let body = vec![7; limits::MESSAGE_BYTES_MAX + (2 << 10)];
    let envelope = story.alice.envelope(story.room.id, EntryKind::Message, epoch, MessageId(random()), body);
    let large = SubmitMessage { envelope };
    assert_eq!(story.submit(&story.alice, &large).await?.code(), Code::TooLarge);
    assert_eq!(post(serde_json::to_vec(&large)?).await?.code(), Code::TooLarge);
    assert_eq!(post(vec![b' '; 80 << 10]).await?.code(), Code::TooLarge);
    story.node.stop().await
}
