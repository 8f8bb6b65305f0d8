//! The doors of groups: links, those who ask, leaving.

use anyhow::Result;
use hyper::Method;
use weft_mls::member;
use weft_testkit::{TestNode, device::Device, http};
use weft_wire::{
    Blob, Code, RoomId, limits,
    rooms::{AskToJoin, CreateGroupLink, CreateRoom, JoinAnswer, JoinRequests, RoomKind},
};

struct Story {
    node: TestNode,
    alice: Device,
    bob: Device,
    room: RoomId,
}

/// Alice has a group; Bob has an account.
async fn story() -> Result<Story> {
    let node = TestNode::start().await?;
    let alice = Device::register(node.address, "alice", Some(&node.invite().await?)).await?;
    let bob = Device::register(node.address, "bob", Some(&node.invite().await?)).await?;
    let (room, nonce) = alice.new_room();
    let (_, info) = member::create_group(&alice.mls, alice.me(), room)?;
    let request = CreateRoom { room, nonce, kind: RoomKind::Group, group_info: Blob(info) };
    assert!(alice.post("rooms", &request).await?.status.is_success());
    Ok(Story { node, alice, bob, room })
}

impl Story {
    fn path(&self, what: &str) -> String {
        format!("rooms/{}/{what}", self.room)
    }

    async fn delete(&self, who: &Device, what: &str) -> Result<http::Answer> {
        let path = format!("/api/v1/{}", self.path(what));
        http::call(self.node.address, Method::DELETE, &path, Some(&who.token), &()).await
    }

    async fn asks(&self, token: Blob, at: Vec<String>) -> Result<http::Answer> {
        let ask = AskToJoin { hub: self.alice.node_name().clone(), at, token, proof: [0; 32] };
        self.bob.post(&self.path("join"), &ask).await
    }
}

fn link(token: &[u8], lifetime_ms: u64) -> CreateGroupLink {
    let token_hash = *blake3::hash(token).as_bytes();
    CreateGroupLink { token_hash, approval: true, lifetime_ms, only: false }
}

#[tokio::test]
async fn a_link_that_cannot_be_right_is_refused_and_a_stranger_finds_no_door() -> Result<()> {
    let story = story().await?;
    let (alice, bob) = (&story.alice, &story.bob);
    for lifetime_ms in [0, u64::MAX] {
        let answer = alice.post(&story.path("links"), &link(b"token", lifetime_ms)).await?;
        assert_eq!(answer.code(), Code::InvalidField);
    }
    let short: (&str, [u8; 31]) = ("token_hash", [7; 31]);
    assert_eq!(alice.post(&story.path("links"), &short).await?.code(), Code::Malformed);
    assert_eq!(alice.post(&story.path("links"), &vec![7_u8; 9 << 10]).await?.code(), Code::TooLarge);
    // To somebody who is not in it the group is not there.
    assert_eq!(bob.post(&story.path("links"), &link(b"token", 1)).await?.code(), Code::NotFound);
    assert_eq!(bob.get(&story.path("requests")).await?.code(), Code::NotFound);
    assert_eq!(bob.post(&story.path("leave"), &()).await?.code(), Code::NotFound);
    assert_eq!(story.delete(bob, "links").await?.code(), Code::NotFound);
    assert_eq!(story.delete(alice, "requests/nobody").await?.code(), Code::InvalidField);
    assert_eq!(alice.post(&story.path("leave"), &()).await?.status.as_u16(), 204, "alone, she may go");
    assert_eq!(alice.get(&story.path("requests")).await?.code(), Code::NotFound);
    story.node.stop().await
}

#[tokio::test]
async fn nobody_comes_to_a_door_by_guessing() -> Result<()> {
    let story = story().await?;
    let token = |len| Blob(vec![7; len]);
    assert!(story.alice.post(&story.path("links"), &link(&[7; 16], 60_000)).await?.status.is_success());
    for len in [0, 15, 17, 64] {
        assert_eq!(story.asks(token(len), vec![]).await?.code(), Code::InviteInvalid);
    }
    assert_eq!(story.asks(token(65), vec![]).await?.code(), Code::TooLarge);
    let many = vec!["/ip4/127.0.0.1/tcp/1".to_owned(); limits::PEER_ADDRESSES_MAX + 1];
    assert_eq!(story.asks(token(16), many).await?.code(), Code::TooMany);
    // No such room: the same answer as for a wrong token.
    let ask =
        AskToJoin { hub: story.alice.node_name().clone(), at: vec![], token: token(16), proof: [0; 32] };
    let nowhere = format!("rooms/{}/join", RoomId([9; 16]));
    assert_eq!(story.bob.post(&nowhere, &ask).await?.code(), Code::InviteInvalid);
    let asking: JoinRequests = story.alice.get(&story.path("requests")).await?.value()?;
    assert!(asking.requests.is_empty());

    assert_eq!(story.asks(token(16), vec![]).await?.value::<JoinAnswer>()?, JoinAnswer::Asked);
    let asking: JoinRequests = story.alice.get(&story.path("requests")).await?.value()?;
    assert_eq!(asking.requests.len(), 1);
    let claim = format!("users/{}/key-packages?room=x", story.bob.user);
    assert_eq!(story.alice.post(&claim, &()).await?.code(), Code::InvalidField);
    story.node.stop().await
}
