//! Who says that they go, who goes without a word, and who does not go after all.

use crate::support::{group::*, node::problem, story::*};
use weft_engine::api::{Call, DeliveryView};
use weft_wire::Code;

fn leave(chat: &str) -> Call {
    Call::LeaveGroup { chat: chat.into() }
}

fn leaving(world: &mut crate::support::World, at: usize, chat: &str) -> Vec<String> {
    let members = group(world, at, chat).members;
    members.into_iter().filter(|member| member.leaving).map(|member| member.name).collect()
}

#[test]
fn who_says_that_they_go_and_stays_is_seen_and_sent_away() {
    let (mut world, chat) = trio("Lunch");
    send(&mut world, 1, &chat, "bye");
    world.settle(5_000);
    // His node never hears of it, or his client does not tell it.
    world.node.refuse_leaving = Some(problem(Code::StorageUnavailable));
    world.cast(1, leave(&chat));
    world.settle(30_000);
    for at in [0, 2] {
        assert_eq!(leaving(&mut world, at, &chat), ["BOB"], "he still reads along");
        assert_eq!(happened(&mut world, at, &chat).last().unwrap(), "left BOB");
    }
    world.settle(60_000);
    let devices = at_hub(&mut world, &chat).devices();
    assert!(devices.iter().all(|device| device.user != address("bob")));
    for at in [0, 2] {
        assert_eq!(names(&group(&mut world, at, &chat)), ["alice owner", "carol member"]);
        assert_eq!(happened(&mut world, at, &chat).last().unwrap(), "left BOB", "and no second line");
    }
    assert_eq!(state(&mut world, 1, &chat), "left");
}

#[test]
fn who_is_not_let_go_says_that_they_are_still_there() {
    let (mut world, chat) = trio("Lunch");
    send(&mut world, 1, &chat, "bye");
    world.settle(5_000);
    world.node.refuse_leaving = Some(problem(Code::Forbidden));
    assert_eq!(world.try_call(1, leave(&chat)).unwrap_err().code, "last_owner");
    world.settle(120_000);
    for at in [0, 1, 2] {
        assert!(leaving(&mut world, at, &chat).is_empty(), "at {at}");
        assert_eq!(names(&group(&mut world, at, &chat)).len(), 3, "at {at}: nobody has sent him away");
    }
}

#[test]
fn what_the_hub_would_refuse_is_not_said_to_the_others() {
    let (mut world, chat) = trio("Lunch");
    let role = Call::SetRole { chat: chat.clone(), user: "bob".into(), role: "owner".into() };
    world.call(0, role);
    world.settle(5_000);
    world.call(1, Call::SignOut);
    world.settle(0);
    // On paper there is another owner; nobody could follow him any more.
    assert_eq!(world.try_call(0, leave(&chat)).unwrap_err().code, "last_owner");
    world.settle(60_000);
    let lines = happened(&mut world, 2, &chat);
    assert!(!lines.iter().any(|line| line.starts_with("left")), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "gone bob", "and who has said nothing has not left");
    assert_eq!(asked(&world, "POST rooms/leave"), 0);
}

#[test]
fn where_nobody_is_left_to_hear_it_one_just_goes() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    let chat = create(&mut world, 0, "Lunch", &["bob"]);
    world.settle(10_000);
    world.call(0, Call::SignOut);
    world.settle(10_000);
    let before = world.hosts[1].outputs;
    world.call(1, leave(&chat));
    world.settle(1_000);
    assert_eq!(state(&mut world, 1, &chat), "left");
    assert!(world.hosts[1].outputs < before + 40, "{}", world.hosts[1].outputs - before);
}

#[test]
fn a_message_that_does_not_get_through_holds_nobody_for_long_nor_keeps_them_busy() {
    let (mut world, chat) = trio("Lunch");
    let mut later = problem(Code::RateLimited);
    later.retry_after_ms = Some(600_000);
    world.node.refuse_messages = Some(later);
    world.cast(1, leave(&chat));
    world.settle(10_000);
    let before = world.hosts[1].outputs;
    world.settle(4_000);
    assert!(world.hosts[1].outputs < before + 4, "it waits, and does not ask again and again");
    world.settle(30_000);
    assert_eq!(state(&mut world, 1, &chat), "left");
    assert_eq!(happened(&mut world, 0, &chat).last().unwrap(), "gone BOB", "he could not say it");
}

#[test]
fn a_node_that_takes_no_new_group_is_said_to_have_taken_none() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.node.refuse_rooms = Some(problem(Code::Quota));
    world.set_online(0, false);
    let chat = create(&mut world, 0, "Lunch", &["bob"]);
    send(&mut world, 0, &chat, "hello?");
    world.set_online(0, true);
    world.settle(60_000);
    assert_eq!(state(&mut world, 0, &chat), "not_made");
    assert_eq!(happened(&mut world, 0, &chat), ["created by ALICE", "not_made quota"]);
    assert_eq!(messages(&mut world, 0, &chat).pop().unwrap().delivery, DeliveryView::Failed);
    let say = Call::SendText { chat, text: "hello?".into(), reply_to: None };
    assert_eq!(world.try_call(0, say).unwrap_err().code, "not_in_group");
}
