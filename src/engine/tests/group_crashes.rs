//! The story of a group, again and again: each time a device is killed at another output, or an answer of the node is lost. In
//! the end everybody who should be in the group is, nothing is missing and nothing is doubled.

use crate::support::{Crash, World, group::*, story::*};
use weft_engine::api::{Call, Reply};

/// Outputs of one device in the story; later ones are checked to be none.
const OUTPUTS_MAX: u32 = 600;

const TOGETHER: &str = "added BOB CAROL by ALICE";

/// A person who tries again until it is so. What was done before the answer was lost is not to be done any more.
fn insist(world: &mut World, at: usize, call: &Call) {
    for _ in 0..10 {
        match world.call_once(at, call) {
            Some(Ok(_)) => return,
            Some(Err(error)) if error.code == "not_in_group" => return,
            Some(Err(error)) if error.code != "offline" => panic!("{call:?}: {error:?}"),
            Some(Err(_)) | None => world.settle(10_000),
        }
    }
    panic!("{call:?}: again and again in vain")
}

fn made(world: &mut World, at: usize) -> Option<String> {
    let Reply::Chats(chats) = world.call(at, Call::Chats) else { panic!("chats") };
    chats.into_iter().find(|chat| chat.kind == "group").map(|chat| chat.chat)
}

fn create_through(world: &mut World, at: usize) -> String {
    let members = vec!["bob".into(), "carol".into()];
    let call = Call::CreateGroup { name: "Lunch".into(), members };
    loop {
        if let Some(reply) = world.call_once(at, &call) {
            reply.unwrap();
        }
        if let Some(chat) = made(world, at) {
            return chat;
        }
    }
}

fn send_through(world: &mut World, at: usize, chat: &str, text: &str) {
    let call = Call::SendText { chat: chat.into(), text: text.into(), reply_to: None };
    while world.call_once(at, &call).is_none() {
        if texts(world, at, chat).contains(&text.to_owned()) {
            return;
        }
    }
}

/// Gives how many outputs the victim had in the story, and whether it was killed.
fn tell(victim: usize, crash: Option<fn(u32) -> Crash>, at: u32, lose_answer: Option<u32>) -> (u32, bool) {
    let mut world = signed_up(&["alice", "bob", "carol", "dave"]);
    for other in 1..4 {
        connect(&mut world, 0, other);
    }
    world.settle(10_000);
    let before = world.hosts[victim].outputs;
    world.hosts[victim].crash = crash.map(|crash| crash(before + at));
    world.node.lose_after = lose_answer;

    let chat = create_through(&mut world, 0);
    send_through(&mut world, 0, &chat, "one");
    world.settle(40_000);
    insist(&mut world, 0, &Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    insist(&mut world, 0, &Call::RenameGroup { chat: chat.clone(), name: "Dinner".into() });
    world.settle(10_000);
    send_through(&mut world, 1, &chat, "two");
    world.settle(30_000);
    insist(&mut world, 0, &Call::RemoveMembers { chat: chat.clone(), users: vec!["carol".into()] });
    world.settle(10_000);
    insist(&mut world, 1, &Call::LeaveGroup { chat: chat.clone() });
    world.settle(60_000);
    send_through(&mut world, 3, &chat, "three");
    world.settle(200_000);

    for (at, expected, state) in [
        (0, &["one", "two", "three"][..], "active"),
        (1, &["one", "two"], "left"),
        (2, &["one", "two"], "removed"),
        (3, &["two", "three"], "active"),
    ] {
        assert_eq!(texts(&mut world, at, &chat), expected, "device {at}");
        let row = row(&mut world, at, &chat);
        assert_eq!((row.title.as_str(), row.group.unwrap().state.as_str()), ("Dinner", state), "device {at}");
    }
    let mut all = happened(&mut world, 0, &chat);
    // Whose KeyPackages did not come in time comes in by another commit.
    let apart = ["added BOB by ALICE", "added CAROL by ALICE"];
    if all.iter().any(|line| line == apart[0]) && all.iter().any(|line| line == apart[1]) {
        all.retain(|line| line != apart[0]);
        all.iter_mut().filter(|line| *line == apart[1]).for_each(|line| *line = TOGETHER.into());
    }
    let expected = [
        "created by ALICE",
        TOGETHER,
        "added DAVE by ALICE",
        "named Dinner by ALICE",
        "removed CAROL by ALICE",
        "left BOB",
    ];
    assert_eq!(all, expected);
    let room = chat.parse().unwrap();
    assert_eq!(world.node.members_of(room).keys().collect::<Vec<_>>(), ["alice", "dave"]);
    let host = &world.hosts[victim];
    (host.outputs - before, host.crashes > 0)
}

fn sweep(victim: usize, crash: fn(u32) -> Crash) {
    let (outputs, _) = tell(victim, None, 0, None);
    assert!((50..OUTPUTS_MAX).contains(&outputs), "{outputs} outputs");
    // Every other one: what one misses the other sweep has.
    let first = if crash(1) == Crash::BeforeEffects(1) { 1 } else { 2 };
    for n in (first..=outputs).step_by(2) {
        let told = std::panic::catch_unwind(|| tell(victim, Some(crash), n, None));
        match told {
            Ok((_, crashed)) => assert!(crashed, "output {n} of {outputs} never came"),
            Err(_) => panic!("device {victim} killed at output {n}: {:?}", crash(n)),
        }
    }
}

#[test]
fn alice_is_killed_before_each_of_her_effects() {
    sweep(0, Crash::BeforeEffects);
}

#[test]
fn alice_is_killed_after_each_of_her_effects() {
    sweep(0, Crash::AfterEffects);
}

#[test]
fn bob_is_killed_before_each_of_his_effects() {
    sweep(1, Crash::BeforeEffects);
}

#[test]
fn every_answer_of_the_node_may_be_lost() {
    for after in 0..60 {
        let told = std::panic::catch_unwind(|| tell(0, None, 0, Some(after)));
        assert!(told.is_ok(), "answer {after} was lost");
    }
}
