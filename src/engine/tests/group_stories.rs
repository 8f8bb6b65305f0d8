//! Stories of groups: people who make one, talk, come and go, against a node in memory that follows groups as every hub does.

use crate::support::{World, group::*, story::*};
use weft_engine::api::{BodyView, Call, DeliveryView, Event, MessageView, Reply};

#[test]
fn three_people_talk_in_a_group_and_everybody_is_known_by_name() {
    let (mut world, chat) = trio("Lunch");
    for at in 0..3 {
        let view = group(&mut world, at, &chat);
        assert_eq!((view.name.as_str(), view.state.as_str()), ("Lunch", "active"), "at {at}");
        assert_eq!(names(&view), ["alice owner", "bob member", "carol member"]);
        assert_eq!(row(&mut world, at, &chat).title, "Lunch");
    }
    send(&mut world, 1, &chat, "soup?");
    world.settle(10_000);
    send(&mut world, 2, &chat, "yes");
    world.settle(10_000);
    for at in 0..3 {
        assert_eq!(texts(&mut world, at, &chat), ["soup?", "yes"], "at {at}");
    }
    assert_eq!(happened(&mut world, 0, &chat), ["created by ALICE", "added BOB CAROL by ALICE"]);
    assert_eq!(happened(&mut world, 1, &chat), ["added BOB by ALICE"]);
    // Bob and carol do not know each other: each is called as they have said in here.
    let said = |message: &MessageView| message.sender_name.clone();
    let at_bob = messages(&mut world, 1, &chat).iter().filter_map(said).collect::<Vec<_>>();
    assert_eq!(at_bob, ["BOB", "CAROL"]);
    assert_eq!(row(&mut world, 0, &chat).unread, 2, "what is not shown is not unread");
}

#[test]
fn delivered_and_read_are_those_of_all_others() {
    let (mut world, chat) = trio("Lunch");
    world.set_online(2, false);
    send(&mut world, 0, &chat, "soup?");
    world.settle(10_000);
    let delivery = |world: &mut World| messages(world, 0, &chat).last().unwrap().delivery;
    assert_eq!(delivery(&mut world), DeliveryView::Sent, "carol does not have it");
    world.set_online(2, true);
    world.settle(60_000);
    assert_eq!(delivery(&mut world), DeliveryView::Delivered);
    for at in [1, 2] {
        assert_eq!(delivery(&mut world), DeliveryView::Delivered);
        let order = messages(&mut world, at, &chat).last().unwrap().order;
        world.call(at, Call::MarkRead { chat: chat.clone(), order });
        world.settle(5_000);
    }
    assert_eq!(delivery(&mut world), DeliveryView::Read);
    // What all have is kept.
    world.kill(0);
    world.start(0);
    assert_eq!(delivery(&mut world), DeliveryView::Read);
}

#[test]
fn a_group_without_a_name_is_called_by_its_people() {
    let (mut world, chat) = trio("");
    assert_eq!(row(&mut world, 0, &chat).title, "BOB, CAROL");
    send(&mut world, 2, &chat, "hi");
    world.settle(10_000);
    assert_eq!(row(&mut world, 1, &chat).title, "ALICE, CAROL");
    world.call(0, Call::RenameGroup { chat: chat.clone(), name: " Lunch\u{202e} ".into() });
    world.settle(10_000);
    for at in 0..3 {
        assert_eq!(row(&mut world, at, &chat).title, "Lunch");
        assert_eq!(happened(&mut world, at, &chat).last().unwrap(), "named Lunch by ALICE");
    }
    let rename = |name: &str| Call::RenameGroup { chat: chat.clone(), name: name.into() };
    assert_eq!(world.try_call(1, rename("Mine")).unwrap_err().code, "not_allowed");
    assert_eq!(world.try_call(0, rename("\u{200b}")).unwrap_err().code, "bad_input");
}

#[test]
fn who_comes_later_is_added_by_name_and_reads_from_there_on() {
    let (mut world, chat) = trio("Lunch");
    befriend(&mut world, 0, "dave");
    send(&mut world, 0, &chat, "before");
    world.settle(5_000);
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    world.settle(10_000);
    send(&mut world, 1, &chat, "after");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 3, &chat), ["after"]);
    assert_eq!(row(&mut world, 3, &chat).title, "Lunch", "the name was said again");
    assert_eq!(happened(&mut world, 3, &chat), ["added DAVE by ALICE"]);
    assert_eq!(happened(&mut world, 1, &chat).last().unwrap(), "added dave by ALICE", "he has said nothing");
    let at_dave = messages(&mut world, 3, &chat).pop().unwrap();
    assert_eq!(at_dave.sender_name.as_deref(), Some("BOB"), "said again, since somebody came");
    // Once more changes nothing.
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into(), "bob".into()] });
    assert_eq!(group(&mut world, 0, &chat).members.len(), 4);
}

#[test]
fn nobody_adds_whom_they_do_not_know_or_without_the_role() {
    let (mut world, chat) = trio("Lunch");
    let add = |user: &str| Call::AddMembers { chat: chat.clone(), users: vec![user.into()] };
    assert_eq!(world.try_call(0, add("nobody")).unwrap_err().code, "unknown_contact");
    assert_eq!(world.try_call(1, add("alice")).unwrap_err().code, "not_allowed");
    world.set_online(0, false);
    assert_eq!(world.try_call(0, add("bob")).unwrap_err().code, "offline");
}

#[test]
fn who_has_no_device_is_named_and_the_others_come_in() {
    let (mut world, chat) = trio("Lunch");
    befriend(&mut world, 0, "dave");
    befriend(&mut world, 0, "erin");
    let erin: weft_wire::UserAddress = "erin@home.example".parse().unwrap();
    for device in world.node.account(&erin).unwrap().devices.values_mut() {
        device.key_packages.clear();
        device.last_resort = None;
    }
    let add = Call::AddMembers { chat: chat.clone(), users: vec!["dave".into(), "erin".into()] };
    let error = world.try_call(0, add).unwrap_err();
    assert_eq!((error.code.as_str(), error.message.contains("erin")), ("no_device", true), "{error:?}");
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 4);
}

#[test]
fn a_member_is_sent_away_and_reads_what_was_but_nothing_more() {
    let (mut world, chat) = trio("Lunch");
    send(&mut world, 0, &chat, "before");
    world.settle(5_000);
    let remove = |user: &str| Call::RemoveMembers { chat: chat.clone(), users: vec![user.into()] };
    assert_eq!(world.try_call(1, remove("carol")).unwrap_err().code, "not_allowed");
    world.call(0, remove("bob"));
    world.settle(5_000);
    send(&mut world, 2, &chat, "after");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat), ["before"]);
    assert_eq!(happened(&mut world, 1, &chat).last().unwrap(), "removed_me");
    assert_eq!(row(&mut world, 1, &chat).group.unwrap().state, "removed");
    let say = Call::SendText { chat: chat.clone(), text: "hey".into(), reply_to: None };
    assert_eq!(world.try_call(1, say).unwrap_err().code, "not_in_group");
    for at in [0, 2] {
        let bob = if at == 0 { "BOB" } else { "bob" };
        assert_eq!(happened(&mut world, at, &chat).last().unwrap(), &format!("removed {bob} by ALICE"));
        assert_eq!(names(&group(&mut world, at, &chat)), ["alice owner", "carol member"]);
    }
    assert_eq!(world.try_call(0, remove("bob")).unwrap_err().code, "not_in_group");
    // And is brought in again.
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["bob".into()] });
    world.settle(10_000);
    send(&mut world, 2, &chat, "again");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat), ["before", "again"]);
    assert_eq!(row(&mut world, 1, &chat).group.unwrap().state, "active");
}

#[test]
fn who_leaves_is_said_to_leave_once_and_is_gone() {
    let (mut world, chat) = trio("Lunch");
    send(&mut world, 1, &chat, "bye");
    world.settle(5_000);
    world.call(1, Call::LeaveGroup { chat: chat.clone() });
    world.settle(30_000);
    assert_eq!(row(&mut world, 1, &chat).group.unwrap().state, "left");
    assert_eq!(happened(&mut world, 1, &chat).last().unwrap(), "left_me");
    assert_eq!(texts(&mut world, 1, &chat), ["bye"]);
    send(&mut world, 0, &chat, "alone?");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat), ["bye"]);
    for at in [0, 2] {
        let lines = happened(&mut world, at, &chat);
        assert_eq!(lines.iter().filter(|line| line.contains("BOB")).count(), if at == 0 { 2 } else { 1 });
        assert_eq!(lines.last().unwrap(), "left BOB", "at {at}");
        assert_eq!(names(&group(&mut world, at, &chat)), ["alice owner", "carol member"]);
    }
    let room = chat.parse().unwrap();
    let devices = world.node.rooms[&room].group.as_ref().unwrap().devices();
    assert!(devices.iter().all(|device| device.user.name.as_str() != "bob"), "somebody took his leaves out");
    assert_eq!(world.hosts[1].count(b"r/"), 0, "no key stays");
}

#[test]
fn the_last_owner_names_another_one_first() {
    let (mut world, chat) = trio("Lunch");
    let leave = Call::LeaveGroup { chat: chat.clone() };
    assert_eq!(world.try_call(0, leave.clone()).unwrap_err().code, "last_owner");
    let role =
        |user: &str, role: &str| Call::SetRole { chat: chat.clone(), user: user.into(), role: role.into() };
    assert_eq!(world.try_call(0, role("alice", "member")).unwrap_err().code, "last_owner");
    assert_eq!(world.try_call(1, role("bob", "owner")).unwrap_err().code, "not_allowed");
    assert_eq!(world.try_call(0, role("dave", "owner")).unwrap_err().code, "not_in_group");
    assert_eq!(world.try_call(0, role("bob", "king")).unwrap_err().code, "bad_input");
    world.call(0, role("bob", "owner"));
    world.settle(5_000);
    assert_eq!(happened(&mut world, 2, &chat).last().unwrap(), "owner bob by ALICE");
    world.call(0, leave);
    world.settle(30_000);
    assert_eq!(names(&group(&mut world, 2, &chat)), ["bob owner", "carol member"]);
    // Bob manages it now.
    world.call(1, Call::RemoveMembers { chat: chat.clone(), users: vec!["carol".into()] });
    world.settle(10_000);
    assert_eq!(row(&mut world, 2, &chat).group.unwrap().state, "removed");
    // Nobody else is there: the last one just goes.
    world.call(1, Call::LeaveGroup { chat: chat.clone() });
    world.settle(10_000);
    assert_eq!(row(&mut world, 1, &chat).group.unwrap().state, "left");
}

#[test]
fn an_admin_adds_and_sends_members_away_but_no_owner() {
    let (mut world, chat) = trio("Lunch");
    let role = Call::SetRole { chat: chat.clone(), user: "bob".into(), role: "admin".into() };
    world.call(0, role);
    world.settle(5_000);
    befriend(&mut world, 1, "dave");
    world.call(1, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into()] });
    world.settle(10_000);
    assert_eq!(row(&mut world, 3, &chat).title, "Lunch");
    let remove = |user: &str| Call::RemoveMembers { chat: chat.clone(), users: vec![user.into()] };
    assert_eq!(world.try_call(1, remove("alice")).unwrap_err().code, "not_allowed");
    world.call(1, remove("carol"));
    world.settle(5_000);
    let view = group(&mut world, 1, &chat);
    assert_eq!(names(&view), ["alice owner", "bob admin", "dave member"]);
    assert_eq!(view.members.iter().map(|member| member.removable).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn ones_other_devices_are_in_it_too_whenever_they_come() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    let early = sign_in(&mut world, "bob");
    let chat = create(&mut world, 0, "Lunch", &["bob"]);
    world.settle(10_000);
    let late = sign_in(&mut world, "bob");
    let mine = sign_in(&mut world, "alice");
    world.settle(10_000);
    send(&mut world, 0, &chat, "hello");
    world.settle(10_000);
    for at in [1, early, late, mine] {
        assert_eq!(texts(&mut world, at, &chat), ["hello"], "at {at}");
        let view = row(&mut world, at, &chat);
        assert_eq!((view.title.as_str(), view.group.unwrap().members), ("Lunch", 2), "at {at}");
    }
    assert_eq!(happened(&mut world, late, &chat), ["joined"]);
    assert_eq!(happened(&mut world, 1, &chat), ["added BOB by ALICE"], "a device is no news in a group");
    // What one of them decides holds for all of them.
    world.call(late, Call::LeaveGroup { chat: chat.clone() });
    world.settle(60_000);
    for at in [1, early, late] {
        assert_eq!(row(&mut world, at, &chat).group.unwrap().state, "left", "at {at}");
        assert_eq!(happened(&mut world, at, &chat).last().unwrap(), "left_me");
    }
    assert_eq!(names(&group(&mut world, mine, &chat)), ["alice owner"]);
}

#[test]
fn what_is_written_while_a_group_is_made_is_read_by_all_who_come() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    connect(&mut world, 0, 2);
    world.settle(5_000);
    world.set_online(0, false);
    let chat = create(&mut world, 0, "Lunch", &["bob", "carol"]);
    send(&mut world, 0, &chat, "first");
    assert_eq!(row(&mut world, 0, &chat).group.unwrap().state, "making");
    world.settle(5_000);
    world.set_online(0, true);
    world.settle(60_000);
    for at in 0..3 {
        assert_eq!(texts(&mut world, at, &chat), ["first"], "at {at}");
        assert_eq!(row(&mut world, at, &chat).group.unwrap().state, "active");
    }
}

#[test]
fn who_is_blocked_is_not_heard_in_a_group_either() {
    let (mut world, chat) = trio("Lunch");
    world.call(0, Call::BlockContact { user: "bob".into() });
    send(&mut world, 1, &chat, "can you hear me?");
    send(&mut world, 2, &chat, "I can");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &chat), ["I can"]);
    assert_eq!(texts(&mut world, 2, &chat).len(), 2);
    send(&mut world, 0, &chat, "hm");
    world.settle(10_000);
    assert_eq!(messages(&mut world, 0, &chat).last().unwrap().delivery, DeliveryView::Delivered);
}

#[test]
fn typing_is_shown_to_the_others_by_person() {
    let (mut world, chat) = trio("Lunch");
    world.call(1, Call::Typing { chat: chat.clone(), on: true });
    world.settle(1_000);
    let typing = |event: &Event| match event {
        Event::Typing { chat: of, user, on: true } if *of == chat => Some(user.clone()),
        _ => None,
    };
    for (at, expected) in [(0, 1), (1, 0), (2, 1)] {
        let heard = world.hosts[at].events.iter().filter_map(typing).collect::<Vec<_>>();
        assert_eq!(heard, vec!["bob@home.example"; expected], "at {at}");
    }
}

#[test]
fn by_a_link_people_ask_and_somebody_agrees_or_does_not() {
    let (mut world, chat) = trio("Lunch");
    let dave = newcomer(&mut world, "dave");
    let erin = newcomer(&mut world, "erin");
    let url = link(&mut world, 0, &chat, true);
    assert_eq!(link(&mut world, 0, &chat, true), url, "the same link again");
    let ask = Call::JoinGroup { text: url.clone() };
    let Reply::LinkPreview(preview) = world.call(dave, Call::ReadLink { text: url.clone() }) else {
        panic!()
    };
    let preview = preview.group.unwrap();
    assert_eq!((preview.name.as_str(), preview.node.as_str(), preview.chat), ("Lunch", "home.example", None));
    for at in [dave, erin] {
        let Reply::Joined(joined) = world.call(at, ask.clone()) else { panic!() };
        assert_eq!(joined.state, "asked");
    }
    world.settle(60_000);
    let view = group(&mut world, 0, &chat);
    assert_eq!(view.asking.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["dave", "erin"]);
    assert_eq!(row(&mut world, 0, &chat).group.unwrap().asking, 2);
    assert!(group(&mut world, 1, &chat).asking.is_empty(), "it is not his to decide");
    let answer = |user: &str, accept| Call::AnswerJoin {
        chat: chat.clone(),
        user: format!("{user}@home.example"),
        accept,
    };
    assert_eq!(world.try_call(1, answer("dave", true)).unwrap_err().code, "not_allowed");
    world.call(0, answer("dave", true));
    world.call(0, answer("erin", false));
    world.settle(10_000);
    send(&mut world, dave, &chat, "thanks");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 2, &chat), ["thanks"]);
    assert_eq!(names(&group(&mut world, 0, &chat)).len(), 4);
    assert!(group(&mut world, 0, &chat).asking.is_empty());
    let Reply::Joined(joined) = world.call(dave, ask.clone()) else { panic!() };
    assert_eq!((joined.state.as_str(), joined.chat.as_deref()), ("member", Some(chat.as_str())));
    // Ended links lead nowhere.
    world.call(0, Call::EndGroupLinks { chat: chat.clone() });
    assert_eq!(world.try_call(erin, ask).unwrap_err().code, "invite_invalid");
    assert_ne!(link(&mut world, 0, &chat, true), url);
}

#[test]
fn by_an_open_link_people_are_let_in_by_themselves() {
    let (mut world, chat) = trio("Lunch");
    let url = link(&mut world, 0, &chat, false);
    let dave = newcomer(&mut world, "dave");
    world.set_online(0, false);
    world.call(dave, Call::JoinGroup { text: url });
    world.settle(30_000);
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 3, "nobody is there who may");
    world.set_online(0, true);
    world.settle(60_000);
    for at in [0, 1, 2, dave] {
        assert_eq!(names(&group(&mut world, at, &chat)).len(), 4, "at {at}");
    }
    assert_eq!(row(&mut world, dave, &chat).title, "Lunch");
}

#[test]
fn who_has_not_agreed_is_named_in_a_new_group_and_the_others_are_in() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    connect(&mut world, 0, 2);
    world.settle(5_000);
    // Carol ends it, and alice does not know yet.
    world.set_online(0, false);
    world.call(2, Call::RemoveContact { user: "alice".into() });
    world.settle(5_000);
    world.node.inbox_is_slow = true;
    let chat = create(&mut world, 0, "Lunch", &["bob", "carol"]);
    world.set_online(0, true);
    world.settle(60_000);
    assert_eq!(happened(&mut world, 0, &chat), ["created by ALICE", "added BOB by ALICE", "not_added CAROL"]);
    assert_eq!(row(&mut world, 0, &chat).group.unwrap().state, "active");
}

#[test]
fn a_bad_key_package_keeps_nobody_else_out() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    connect(&mut world, 0, 2);
    world.settle(5_000);
    let carol: weft_wire::UserAddress = "carol@home.example".parse().unwrap();
    for device in world.node.account(&carol).unwrap().devices.values_mut() {
        device.key_packages.clear();
        device.last_resort = Some(weft_wire::Blob(vec![7; 400]));
    }
    let chat = create(&mut world, 0, "Lunch", &["bob", "carol"]);
    send(&mut world, 0, &chat, "hello");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat), ["hello"]);
    assert_eq!(
        row(&mut world, 0, &chat).group.unwrap().state,
        "active",
        "carol is still wanted, and holds nobody up"
    );
    world.call(0, Call::RemoveMembers { chat: chat.clone(), users: vec!["carol".into()] });
    world.settle(60_000);
    assert_eq!(row(&mut world, 0, &chat).group.unwrap().state, "active");
}

#[test]
fn who_was_away_when_sent_away_hears_it_on_coming_back() {
    let (mut world, chat) = trio("Lunch");
    world.set_online(1, false);
    world.call(0, Call::RemoveMembers { chat: chat.clone(), users: vec!["bob".into()] });
    world.settle(5_000);
    world.set_online(1, true);
    world.settle(60_000);
    assert_eq!(happened(&mut world, 1, &chat).last().unwrap(), "removed_me");
    assert_eq!(world.hosts[1].count(b"r/"), 0, "no key stays");
}

#[test]
fn the_node_never_learns_what_a_group_or_its_people_are_called() {
    let (mut world, chat) = trio("Lindenhof");
    world.call(1, Call::SetDisplayName { name: "Bobolino".into() });
    send(&mut world, 1, &chat, "soup?");
    world.settle(20_000);
    let room = &world.node.rooms[&chat.parse().unwrap()];
    let mut seen: Vec<u8> = weft_wire::encode(&room.log);
    for account in world.node.accounts.values() {
        seen.extend(account.vault.values().flat_map(|record| record.sealed.as_slice().to_vec()));
    }
    for word in ["Lindenhof", "Bobolino", "soup?"] {
        assert!(!seen.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "{word}");
    }
    assert_eq!(messages(&mut world, 2, &chat).pop().unwrap().sender_name.as_deref(), Some("Bobolino"));
}

#[test]
fn lines_say_what_happened_in_views_by_name() {
    let (mut world, chat) = trio("Lunch");
    let line = messages(&mut world, 0, &chat).pop().unwrap();
    let BodyView::System { code, by, people, .. } = line.body else { panic!() };
    assert_eq!((code.as_str(), by.unwrap().user.as_str()), ("added", "alice@home.example"));
    assert_eq!(people.len(), 2);
}
