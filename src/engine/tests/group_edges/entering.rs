//! Coming into a group anew, and what the hub says of it.

use crate::support::{group::*, story::*};
use weft_engine::api::{AnewView, Call, DeliveryView};
use weft_wire::Blob;

const GROUP_INFO: &str = "GET rooms/group-info";

#[test]
fn a_group_in_which_somebody_rose_meanwhile_waits_for_the_person() {
    let (mut world, chat) = trio("Lunch");
    world.set_online(1, false);
    let role = Call::SetRole { chat: chat.clone(), user: "carol".into(), role: "admin".into() };
    world.call(0, role);
    world.settle(5_000);
    forget_log(&mut world, &chat);
    send(&mut world, 1, &chat, "am I still here?");
    world.set_online(1, true);
    world.settle(60_000);
    assert!(row(&mut world, 1, &chat).group.unwrap().unsure);
    let AnewView { print, people: shown } = group(&mut world, 1, &chat).unsure.unwrap();
    let first = &shown[0];
    assert_eq!((first.user.as_str(), first.role.as_str()), ("carol@home.example", "admin"));
    assert!(first.risen && !first.new && !first.changed && shown.len() == 3, "{shown:?}");
    assert_eq!(messages(&mut world, 1, &chat).pop().unwrap().delivery, DeliveryView::Queued);
    let before = asked(&world, GROUP_INFO);
    world.settle(600_000);
    assert!(asked(&world, GROUP_INFO) <= before + 1, "it is not asked for again and again");

    world.call(1, Call::EnterAnew { chat: chat.clone(), print: "00".repeat(32) });
    world.settle(30_000);
    assert!(group(&mut world, 1, &chat).unsure.is_some(), "agreed was to something else than what is there");
    world.call(1, Call::EnterAnew { chat: chat.clone(), print });
    world.settle(30_000);
    assert_eq!(group(&mut world, 1, &chat).unsure, None);
    assert_eq!(texts(&mut world, 0, &chat), ["am I still here?"]);
    let lines = happened(&mut world, 1, &chat);
    assert_eq!(lines[lines.len() - 2..], ["resynced", "admin carol"]);
}

#[test]
fn who_came_and_went_while_a_device_could_not_follow_is_said() {
    let (mut world, chat) = trio("Lunch");
    befriend(&mut world, 0, "dave");
    world.set_online(1, false);
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    world.call(0, Call::RemoveMembers { chat: chat.clone(), users: vec!["carol".into()] });
    world.settle(5_000);
    forget_log(&mut world, &chat);
    world.set_online(1, true);
    world.settle(60_000);
    let lines = happened(&mut world, 1, &chat);
    assert_eq!(lines[lines.len() - 3..], ["resynced", "came_meanwhile dave", "went_meanwhile carol"]);
    send(&mut world, 1, &chat, "hello");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 3, &chat), ["hello"]);
}

#[test]
fn what_was_taken_before_a_device_came_in_anew_does_not_wait_for_ever() {
    let (mut world, chat) = trio("Lunch");
    befriend(&mut world, 0, "dave");
    send(&mut world, 1, &chat, "hello");
    world.settle(5_000);
    // The hub takes it, and neither its answer nor its entry reaches bob.
    world.node.rooms_are_silent = true;
    world.hosts[1].slow = Some("/messages");
    world.cast(1, Call::SendText { chat: chat.clone(), text: "did it arrive?".into(), reply_to: None });
    world.settle(5_000);
    world.kill(1);
    world.hosts[1].slow = None;
    world.node.rooms_are_silent = false;
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &chat), ["hello", "did it arrive?"]);
    forget_log(&mut world, &chat);
    world.start(1);
    world.settle(60_000);
    assert_eq!(texts(&mut world, 1, &chat), ["hello", "did it arrive?"]);
    send(&mut world, 1, &chat, "so it did");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &chat), ["hello", "did it arrive?", "so it did"]);
    let own = messages(&mut world, 1, &chat).into_iter().filter(|one| one.mine);
    assert!(
        own.map(|one| one.delivery).eq([DeliveryView::Delivered; 3]),
        "it stands among the others, with its ticks"
    );
}

#[test]
fn where_somebody_is_again_who_was_sent_away_the_person_decides() {
    let (mut world, chat) = trio("Lunch");
    let carol = vec!["carol".to_owned()];
    world.call(0, Call::RemoveMembers { chat: chat.clone(), users: carol.clone() });
    world.settle(10_000);
    world.set_online(1, false);
    world.call(0, Call::AddMembers { chat: chat.clone(), users: carol });
    world.settle(5_000);
    forget_log(&mut world, &chat);
    world.set_online(1, true);
    world.settle(60_000);
    // Alice vouches for what is there now: she may have gone in herself where a backup had brought carol back.
    let AnewView { print, people } = group(&mut world, 1, &chat).unsure.expect("bob is asked");
    let new: Vec<_> = people.iter().filter(|one| one.new).map(|one| one.user.as_str()).collect();
    assert_eq!(new, ["carol@home.example"]);
    world.call(1, Call::EnterAnew { chat: chat.clone(), print });
    world.settle(30_000);
    assert_eq!(group(&mut world, 1, &chat).unsure, None);
    // He has agreed to her being there: the next time it is no question.
    befriend(&mut world, 0, "dave");
    world.set_online(1, false);
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    world.settle(5_000);
    forget_log(&mut world, &chat);
    world.set_online(1, true);
    world.settle(60_000);
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 4);
}

#[test]
fn what_cannot_be_verified_is_shown_as_such_and_looked_at_again_when_it_changes() {
    let (mut world, chat) = trio("Lunch");
    befriend(&mut world, 0, "dave");
    world.set_online(1, false);
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    world.settle(5_000);
    forget_log(&mut world, &chat);
    let good = std::mem::replace(&mut room(&mut world, &chat).group_info, Blob(vec![7; 300]));
    world.set_online(1, true);
    world.settle(30_000);
    assert_eq!(group(&mut world, 1, &chat).unsure.unwrap().people, Vec::new());
    let before = asked(&world, GROUP_INFO);
    world.settle(600_000);
    assert!(asked(&world, GROUP_INFO) <= before + 1, "it is not asked for again and again");
    room(&mut world, &chat).group_info = good;
    room(&mut world, &chat).version += 1;
    world.settle(60_000);
    assert_eq!(group(&mut world, 1, &chat).unsure, None);
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 4);
}

#[test]
fn a_hub_does_not_undo_that_somebody_has_left() {
    let (mut world, chat) = trio("Lunch");
    world.call(1, Call::LeaveGroup { chat: chat.clone() });
    world.settle(30_000);
    let before = asked(&world, GROUP_INFO);
    at_hub(&mut world, &chat).also.push(address("bob"));
    room(&mut world, &chat).version += 1;
    world.settle(60_000);
    assert_eq!(state(&mut world, 1, &chat), "left");
    assert_eq!(group(&mut world, 1, &chat).unsure, None);
    assert_eq!((world.hosts[1].count(b"r/"), asked(&world, GROUP_INFO)), (0, before));

    // Brought in by somebody who is there, he is in again.
    at_hub(&mut world, &chat).also.clear();
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["bob".into()] });
    world.settle(30_000);
    assert_eq!(state(&mut world, 1, &chat), "active");
}

#[test]
fn whom_the_hub_alone_brings_back_is_asked() {
    let (mut world, chat) = trio("Lunch");
    world.call(0, Call::RemoveMembers { chat: chat.clone(), users: vec!["bob".into()] });
    world.settle(10_000);
    at_hub(&mut world, &chat).also.push(address("bob"));
    room(&mut world, &chat).version += 1;
    world.settle(60_000);
    assert_eq!(state(&mut world, 1, &chat), "removed");
    let shown = group(&mut world, 1, &chat).unsure.unwrap().people;
    assert!(shown.iter().all(|one| one.new) && shown.len() == 3, "{shown:?}");
    assert_eq!(world.hosts[1].count(b"r/"), 0, "nothing of it is kept");
    world.call(1, Call::LeaveGroup { chat: chat.clone() });
    world.settle(30_000);
    assert_eq!(group(&mut world, 1, &chat).unsure, None);
    assert_eq!(state(&mut world, 1, &chat), "left");
}

#[test]
fn who_was_sent_away_and_brought_in_again_while_away_misses_nothing_of_what_was_theirs() {
    for forgotten in [false, true] {
        let (mut world, chat) = trio("Lunch");
        send(&mut world, 0, &chat, "before");
        world.settle(5_000);
        world.set_online(1, false);
        world.call(0, Call::RemoveMembers { chat: chat.clone(), users: vec!["bob".into()] });
        send(&mut world, 0, &chat, "among us");
        world.settle(5_000);
        if forgotten {
            forget_log(&mut world, &chat);
        }
        world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["bob".into()] });
        send(&mut world, 0, &chat, "welcome back");
        world.settle(10_000);
        let before = asked(&world, GROUP_INFO);
        world.set_online(1, true);
        world.settle(60_000);
        assert_eq!(texts(&mut world, 1, &chat), ["before", "welcome back"], "{forgotten}");
        assert_eq!(state(&mut world, 1, &chat), "active");
        assert_eq!(asked(&world, GROUP_INFO), before, "by the Welcome, not from outside");
    }
}
