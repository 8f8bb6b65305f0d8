//! Links to a group: who may come by them, and when they are over.

use crate::support::{World, group::*, story::*};
use weft_engine::api::{Call, Reply};

#[test]
fn a_hub_that_makes_up_who_asks_brings_nobody_in() {
    let (mut world, chat) = trio("Lunch");
    let url = link(&mut world, 0, &chat, false);
    let dave = newcomer(&mut world, "dave");
    newcomer(&mut world, "mallory");
    world.set_online(0, false);
    world.call(dave, Call::JoinGroup { text: url });
    // The hub has seen what dave showed, and what opens the door.
    let identity = world.node.account(&address("mallory")).unwrap().identity.clone();
    let requests = &mut at_hub(&mut world, &chat).requests;
    let forged = weft_wire::rooms::JoinRequest { user: address("mallory"), identity, ..requests[0].clone() };
    requests.push(forged);
    world.set_online(0, true);
    world.settle(60_000);
    let view = group(&mut world, 0, &chat);
    assert_eq!(names(&view), ["alice owner", "bob member", "carol member", "dave member"]);
    assert_eq!(view.asking.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["mallory"]);
}

/// Who waits for somebody to agree.
fn asking(world: &mut World, at: usize, chat: &str) -> Vec<String> {
    group(world, at, chat).asking.into_iter().map(|one| one.name.to_lowercase()).collect()
}

#[test]
fn whoever_has_no_part_in_a_link_leaves_its_guests_to_a_person() {
    let (mut world, chat) = trio("Lunch");
    let role = Call::SetRole { chat: chat.clone(), user: "bob".into(), role: "admin".into() };
    world.call(0, role);
    world.settle(5_000);
    let (by_alice, _) = (link(&mut world, 0, &chat, false), link(&mut world, 1, &chat, false));
    world.set_online(0, false);
    let dave = newcomer(&mut world, "dave");
    world.call(dave, Call::JoinGroup { text: by_alice });
    world.settle(60_000);
    assert_eq!(group(&mut world, 1, &chat).asking.len(), 1, "bob decides, or alice when she comes");
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 3);
    world.set_online(0, true);
    world.settle(60_000);
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 4);
}

#[test]
fn an_older_link_that_is_still_good_lets_in_as_well() {
    let (mut world, chat) = trio("Lunch");
    let first = link(&mut world, 0, &chat, false);
    world.off_for(8 * 24 * 3_600_000);
    world.settle(10_000);
    let second = link(&mut world, 0, &chat, false);
    assert_ne!(first, second);
    let dave = newcomer(&mut world, "dave");
    world.call(dave, Call::JoinGroup { text: first });
    world.settle(60_000);
    assert_eq!(names(&group(&mut world, dave, &chat)).len(), 4);
}

#[test]
fn a_link_that_was_ended_elsewhere_is_not_shown_any_more() {
    let (mut world, chat) = trio("Lunch");
    let phone = sign_in(&mut world, "alice");
    let first = link(&mut world, phone, &chat, true);
    assert_eq!(link(&mut world, phone, &chat, true), first);
    world.call(0, Call::EndGroupLinks { chat: chat.clone() });
    world.settle(10_000);
    let second = link(&mut world, phone, &chat, true);
    assert_ne!(second, first);
    // A fresh one on another device ends those of before, too; what all say of it is not shown as a message.
    let call = Call::GroupLink {
        chat: chat.clone(),
        approval: false,
        base_url: "https://home.example".into(),
        fresh: true,
    };
    let Reply::GroupLink(fresh) = world.call(0, call) else { panic!("a link") };
    world.settle(10_000);
    assert_ne!(link(&mut world, phone, &chat, true), second);
    assert_eq!(link(&mut world, 0, &chat, false), fresh.url, "the fresh one stays");
    assert_eq!(messages(&mut world, 1, &chat).len(), 1, "nobody sees a message of it");
}

#[test]
fn a_link_of_somebody_who_lost_their_role_is_not_shown_again() {
    let (mut world, chat) = trio("Lunch");
    let role = |role: &str| Call::SetRole { chat: chat.clone(), user: "bob".into(), role: role.into() };
    world.call(0, role("admin"));
    world.settle(5_000);
    let before = link(&mut world, 1, &chat, true);
    world.call(0, role("member"));
    world.settle(5_000);
    world.call(0, role("admin"));
    world.settle(5_000);
    assert_ne!(link(&mut world, 1, &chat, true), before);
}

/// Sends away, and comes by the link again.
fn sent_away_and_back(world: &mut World, chat: &str, who: usize, url: &str) {
    let user = address(["alice", "bob", "carol"][who]).to_string();
    world.call(0, Call::RemoveMembers { chat: chat.into(), users: vec![user] });
    world.settle(10_000);
    assert_eq!(state(world, who, chat), "removed");
    world.call(who, Call::JoinGroup { text: url.into() });
    world.settle(60_000);
}

#[test]
fn who_was_sent_away_comes_back_by_an_open_link_only_when_somebody_agrees() {
    let (mut world, chat) = trio("Lunch");
    let url = link(&mut world, 0, &chat, false);
    sent_away_and_back(&mut world, &chat, 1, &url);
    assert_eq!(asking(&mut world, 0, &chat), ["bob"], "it waits as any other request");
    assert_eq!(state(&mut world, 1, &chat), "removed");
    // The device does not forget it.
    world.off_for(60_000);
    world.settle(60_000);
    assert_eq!(asking(&mut world, 0, &chat), ["bob"]);
    // Whom nobody sent away needs nobody's agreement.
    let dave = newcomer(&mut world, "dave");
    world.call(dave, Call::JoinGroup { text: url.clone() });
    world.settle(60_000);
    let (in_now, bob) = (names(&group(&mut world, 0, &chat)), address("bob").to_string());
    assert_eq!(in_now, ["alice owner", "carol member", "dave member"]);
    world.call(0, Call::AnswerJoin { chat: chat.clone(), user: bob, accept: true });
    world.settle(60_000);
    assert_eq!(state(&mut world, 1, &chat), "active");
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 4);
    // That was forgiven: who then goes by himself comes back by himself.
    world.call(1, Call::LeaveGroup { chat: chat.clone() });
    world.settle(30_000);
    world.call(1, Call::JoinGroup { text: url });
    world.settle(60_000);
    assert_eq!(state(&mut world, 1, &chat), "active");
}

#[test]
fn whom_another_admin_sent_away_the_one_with_the_link_does_not_let_in() {
    let (mut world, chat) = trio("Lunch");
    world.call(0, Call::SetRole { chat: chat.clone(), user: "bob".into(), role: "admin".into() });
    world.settle(5_000);
    let url = link(&mut world, 1, &chat, false);
    // Bob's device reads of it in the log.
    world.set_online(1, false);
    sent_away_and_back(&mut world, &chat, 2, &url);
    world.set_online(1, true);
    world.settle(60_000);
    assert_eq!(asking(&mut world, 1, &chat), ["carol"]);
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 2);
}
