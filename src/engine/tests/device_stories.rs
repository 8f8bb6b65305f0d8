//! Stories of accounts that have several devices, lose one, or come back to none.

use crate::support::{World, story::*};
use weft_engine::api::{Call, DeliveryView, Reply};

#[test]
fn a_second_device_has_contacts_pins_and_rooms() {
    let (mut world, chat) = talking();
    world.call(0, Call::SetVerified { user: "bob@home.example".into(), verified: true });
    world.call(0, Call::SetDisplayName { name: "Alice A.".into() });
    world.settle(10_000);
    let phone = sign_in(&mut world, "alice");
    assert!(contact(&mut world, phone, "bob").unwrap().verified);
    let Reply::Me(Some(me)) = world.call(phone, Call::Me) else { panic!("me") };
    assert_eq!(me.display_name, "Alice A.");
    assert_eq!(contact(&mut world, 1, "alice").unwrap().display_name, "Alice A.");
    assert!(notices(&world, 0).contains(&"device_added"));
    assert!(!notices(&world, 0).contains(&"foreign_device"));

    send(&mut world, 1, &chat, "to both of you");
    world.settle(5_000);
    send(&mut world, phone, &chat, "from my phone");
    world.settle(5_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "to both of you", "from my phone"]);
    assert_eq!(texts(&mut world, 1, &chat), ["first", "to both of you", "from my phone"]);
    assert_eq!(texts(&mut world, phone, &chat), ["to both of you", "from my phone"]);
    assert!(messages(&mut world, 0, &chat).last().unwrap().mine);
    assert!(lines(&mut world, 1, &chat).contains(&"device_added".to_owned()));
    assert!(lines(&mut world, phone, &chat).contains(&"joined".to_owned()));
}

#[test]
fn what_is_written_while_the_other_is_signed_out_everywhere_waits_for_their_next_device() {
    let (mut world, chat) = talking();
    world.call(1, Call::SignOut);
    world.settle(30_000);
    send(&mut world, 0, &chat, "while you were away");
    world.settle(60_000);
    let waiting = messages(&mut world, 0, &chat).pop().unwrap();
    assert_eq!(waiting.delivery, DeliveryView::Queued, "nobody could read it");
    let phone = sign_in(&mut world, "bob");
    world.settle(60_000);
    assert_eq!(texts(&mut world, phone, &chat), ["while you were away"]);
    assert_eq!(messages(&mut world, 0, &chat).pop().unwrap().delivery, DeliveryView::Delivered);
}

/// Bob's next device can read what alice wrote, and it is the last thing in her chat.
fn waits_for_bob(world: &mut World, chat: &str, text: &str) {
    world.settle(120_000);
    let waiting = messages(world, 0, chat).pop().unwrap();
    assert_eq!(waiting.delivery, DeliveryView::Queued, "nobody could read it");
    let phone = sign_in(world, "bob");
    world.settle(60_000);
    assert_eq!(texts(world, phone, chat), [text]);
    assert_eq!(messages(world, 0, chat).pop().unwrap().delivery, DeliveryView::Delivered);
}

#[test]
fn who_was_away_when_the_other_signed_out_everywhere_sends_nothing_to_nobody() {
    for restarted in [false, true] {
        let (mut world, chat) = talking();
        world.set_online(0, false);
        world.call(1, Call::SignOut);
        world.settle(30_000);
        send(&mut world, 0, &chat, "while we were both away");
        if restarted {
            world.kill(0);
            world.start(0);
        }
        world.set_online(0, true);
        waits_for_bob(&mut world, &chat, "while we were both away");
    }
}

#[test]
fn what_came_too_late_for_a_group_is_not_sent_to_the_one_without_the_other() {
    let (mut world, chat) = talking();
    let phone = sign_in(&mut world, "alice");
    world.set_online(phone, false);
    world.node.messages_are_late = true;
    send(&mut world, 0, &chat, "too late");
    world.settle(1_000);
    world.set_online(0, false);
    world.set_online(phone, true);
    world.call(1, Call::SignOut);
    world.settle(60_000);
    let room = world.node.rooms.values_mut().next().unwrap();
    assert_eq!(room.epoch, 3, "the phone has removed bob's device");
    room.gone.clear();
    room.version += 1;
    world.node.messages_are_late = false;
    world.set_online(0, true);
    waits_for_bob(&mut world, &chat, "too late");
}

#[test]
fn a_node_that_never_says_how_a_room_stands_holds_nobody_up_for_ever() {
    let (mut world, chat) = talking();
    world.set_online(0, false);
    send(&mut world, 0, &chat, "are you there?");
    world.node.rooms_are_silent = true;
    world.set_online(0, true);
    world.settle(30_000);
    assert_eq!(world.node.rooms.values().next().unwrap().log.len(), 2, "not yet");
    world.settle(60_000);
    assert_eq!(world.node.rooms.values().next().unwrap().log.len(), 3);
}

#[test]
fn what_the_others_lost_device_alone_could_read_stays_sent_though_they_read_on() {
    let (mut world, chat) = talking();
    for text in ["lost", "has arrived"] {
        send(&mut world, 0, &chat, text);
        world.settle(5_000);
    }
    let delivery = |world: &mut World| -> Vec<_> {
        let mine = messages(world, 0, &chat).into_iter().filter(|message| message.mine);
        mine.map(|message| message.delivery).collect()
    };
    assert_eq!(delivery(&mut world), [DeliveryView::Delivered; 2]);
    let order = messages(&mut world, 1, &chat).last().unwrap().order;
    world.call(1, Call::MarkRead { chat: chat.clone(), order });
    let room = world.node.rooms.values_mut().next().unwrap();
    (room.missed, room.version) = (vec![(2, 3)], room.version + 1);
    world.settle(5_000);
    send(&mut world, 1, &chat, "so the room is described again");
    world.settle(5_000);
    assert_eq!(delivery(&mut world), [DeliveryView::Sent, DeliveryView::Read]);
    let room = world.node.rooms.values_mut().next().unwrap();
    (room.missed, room.version) = (vec![], room.version + 1);
    send(&mut world, 1, &chat, "found again");
    world.settle(5_000);
    assert_eq!(delivery(&mut world), [DeliveryView::Read; 2]);
}

#[test]
fn a_draft_and_the_read_state_are_the_same_on_all_devices() {
    let (mut world, chat) = talking();
    let phone = sign_in(&mut world, "alice");
    send(&mut world, 1, &chat, "second");
    world.settle(5_000);
    world.call(0, Call::SetDraft { chat: chat.clone(), text: "dear b".into() });
    let order = messages(&mut world, 0, &chat).last().unwrap().order;
    world.call(0, Call::MarkRead { chat: chat.clone(), order });
    world.settle(10_000);
    let Reply::Chats(chats) = world.call(phone, Call::Chats) else { panic!("chats") };
    assert_eq!((chats[0].draft.as_str(), chats[0].unread), ("dear b", 0));
}

#[test]
fn a_revoked_device_forgets_everything_and_leaves_the_group() {
    let (mut world, chat) = talking();
    let phone = sign_in(&mut world, "alice");
    let Reply::Devices(devices) = world.call(0, Call::Devices) else { panic!("devices") };
    assert_eq!(devices.len(), 2);
    let other = devices.iter().find(|device| !device.this).unwrap().device.clone();
    world.call(0, Call::RevokeDevice { device: other });
    world.settle(60_000);
    assert!(world.hosts[phone].is_empty(), "nothing is kept");
    assert!(notices(&world, phone).contains(&"signed_out_remotely"));
    let Reply::Me(me) = world.call(phone, Call::Me) else { panic!("me") };
    assert_eq!(me, None);
    let room = world.node.rooms.values().next().unwrap();
    assert_eq!(room.log.len() as u64, room.epoch + 1, "one message; added, joined, removed");
    assert_eq!(room.epoch, 3, "one of those that are left has removed the device");
    send(&mut world, 1, &chat, "still here?");
    world.settle(5_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "still here?"]);
}

#[test]
fn a_wrong_password_opens_nothing_and_the_right_one_everything() {
    let (mut world, chat) = talking();
    let phone = world.device();
    let wrong = Call::SignIn { name: "alice".into(), password: "correct horse cattery".into() };
    assert_eq!(world.try_call(phone, wrong).unwrap_err().code, "wrong_credentials");
    let nobody = Call::SignIn { name: "mallory".into(), password: PASSWORD.into() };
    assert_eq!(world.try_call(phone, nobody).unwrap_err().code, "wrong_credentials");
    assert!(world.hosts[phone].is_empty());
    world.call(0, Call::SignOut);
    assert!(world.hosts[0].is_empty());
    world.call(0, Call::SignIn { name: "alice@home.example".into(), password: PASSWORD.into() });
    world.settle(10_000);
    send(&mut world, 1, &chat, "welcome back");
    world.settle(60_000);
    assert_eq!(texts(&mut world, 0, &chat), ["welcome back"]);
}

#[test]
fn the_words_open_the_account_and_set_a_new_password() {
    let (mut world, _) = talking();
    let Reply::Phrase(Some(words)) = world.call(0, Call::Phrase) else { panic!("words") };
    let wrong = Call::ConfirmPhrase {
        words: vec![(0, words[1].clone()), (1, words[1].clone()), (2, words[2].clone())],
    };
    assert_eq!(world.try_call(0, wrong).unwrap_err().code, "wrong_phrase");
    let asked = [3u8, 11, 20].map(|at| (at, words[usize::from(at)].to_uppercase()));
    world.call(0, Call::ConfirmPhrase { words: asked.to_vec() });
    assert_eq!(world.call(0, Call::Phrase), Reply::Phrase(None));

    let new = world.device();
    let new_password = "another long password".to_owned();
    let mut other = words.clone();
    other.swap(0, 5);
    let recover = |phrase: String| Call::Recover {
        name: "alice".into(),
        phrase,
        new_password: "another long password".into(),
    };
    assert_eq!(world.try_call(new, recover(other.join(" "))).unwrap_err().code, "wrong_phrase");
    world.call(new, recover(words.join("  ")));
    world.settle(10_000);
    assert_eq!(contact(&mut world, new, "bob").unwrap().state, "accepted");
    let third = world.device();
    let old = Call::SignIn { name: "alice".into(), password: PASSWORD.into() };
    assert_eq!(world.try_call(third, old).unwrap_err().code, "wrong_credentials");
    world.call(third, Call::SignIn { name: "alice".into(), password: new_password });
}

#[test]
fn no_secret_is_kept_once_it_has_done_its_work() {
    let (mut world, _) = talking();
    let Reply::Phrase(Some(words)) = world.call(0, Call::Phrase) else { panic!("words") };
    let asked = [0u8, 1, 2].map(|at| (at, words[usize::from(at)].clone()));
    let entropy = {
        let mnemonic = bip39::Mnemonic::parse(words.join(" ")).unwrap();
        mnemonic.to_entropy()
    };
    let holds = |world: &World, needle: &[u8]| {
        world.hosts[0].kept().windows(needle.len()).any(|window| window == needle)
    };
    assert!(holds(&world, &entropy));
    world.call(0, Call::ConfirmPhrase { words: asked.to_vec() });
    assert!(!holds(&world, &entropy), "the words are erased");
    assert!(!holds(&world, PASSWORD.as_bytes()), "the password never was there");
}

#[test]
fn a_device_that_was_away_too_long_reads_on_where_the_log_begins() {
    let (mut world, chat) = talking();
    world.set_online(0, false);
    send(&mut world, 1, &chat, "lost to alice");
    world.settle(5_000);
    let epoch = trim(&mut world);
    world.set_online(0, true);
    world.settle(120_000);
    send(&mut world, 1, &chat, "read again");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "read again"]);
    assert!(
        lines(&mut world, 0, &chat).contains(&"resynced".to_owned()),
        "it says that something is missing"
    );
    assert_eq!(trim(&mut world), epoch, "nobody came or went, so the group is where it was");
}

#[test]
fn a_device_that_missed_how_the_group_changed_joins_anew_and_reads_on() {
    let (mut world, chat) = talking();
    world.set_online(0, false);
    send(&mut world, 1, &chat, "lost to alice");
    world.settle(5_000);
    sign_in(&mut world, "bob");
    world.settle(60_000);
    let epoch = trim(&mut world);
    world.set_online(0, true);
    world.settle(120_000);
    send(&mut world, 1, &chat, "read again");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "read again"]);
    assert!(lines(&mut world, 0, &chat).contains(&"resynced".to_owned()));
    assert!(trim(&mut world) > epoch, "it came in anew");
}

/// The retention of the log has ended for everything that is in it. Gives the epoch.
fn trim(world: &mut World) -> u64 {
    let room = world.node.rooms.values_mut().next().unwrap();
    room.trimmed = room.log.len() as u64;
    room.version += 1;
    room.epoch
}

fn names(world: &mut World, at: usize) -> Vec<(String, bool)> {
    let Reply::Devices(devices) = world.call(at, Call::Devices) else { panic!("devices") };
    let mut names: Vec<_> = devices.into_iter().map(|device| (device.name, device.this)).collect();
    names.sort();
    names
}

#[test]
fn devices_tell_each_other_their_names_and_nobody_else() {
    let mut world = signed_up(&["alice"]);
    let name = |name: &str| Call::NameDevice { name: name.into() };
    world.call(0, name("Chrome on Linux"));
    world.settle(5_000);
    let phone = sign_in(&mut world, "alice");
    assert_eq!(names(&mut world, phone), [("".into(), true), ("Chrome on Linux".into(), false)]);
    world.call(phone, name(&format!("\u{202e}Ter\nminal {}", "x".repeat(500))));
    world.settle(5_000);
    let [(_, true), (told, false)] = &names(&mut world, 0)[..] else { panic!("names") };
    assert!(told.starts_with("Terminal xxx") && told.len() == 128, "tidied: {told}");
    // A kept name survives a restart, and the same again makes no record.
    world.kill(0);
    world.start(0);
    let version =
        |world: &World| world.node.accounts.values().flat_map(|a| a.vault.values()).map(|r| r.version).max();
    let before = version(&world);
    world.call(0, name("Chrome on Linux"));
    world.settle(5_000);
    assert_eq!(version(&world), before);
    let sealed = world.node.accounts.values().flat_map(|a| a.vault.values()).map(|r| r.sealed.as_slice());
    assert!(sealed.clone().count() >= 3);
    for record in sealed {
        assert!(!record.windows(6).any(|window| window == b"Chrome"), "the node sees no name");
    }
}

#[test]
fn a_full_vault_takes_what_is_smaller_and_is_asked_seldom_for_the_rest() {
    let (mut world, chat) = talking();
    world.call(0, Call::SetDisplayName { name: "Alice, who has a rather long name".into() });
    world.settle(10_000);
    let phone = sign_in(&mut world, "alice");
    world.node.vault_bytes_max = 0;
    let puts = |world: &World| world.node.requests.get("PUT vault").copied().unwrap_or(0);
    let before = puts(&world);
    world.set_online(0, false);
    world.call(0, Call::SetDraft { chat: chat.clone(), text: "a draft for which there is no room".into() });
    world.call(0, Call::SetDisplayName { name: "Al".into() });
    world.set_online(0, true);
    world.settle(20 * 60_000);
    let Reply::Me(Some(me)) = world.call(phone, Call::Me) else { panic!("me") };
    assert_eq!(me.display_name, "Al", "what is smaller gets through");
    let draft = |world: &mut World| {
        let Reply::Chats(chats) = world.call(phone, Call::Chats) else { panic!("chats") };
        chats[0].draft.clone()
    };
    assert_eq!(draft(&mut world), "");
    assert!(puts(&world) - before <= 6, "{} requests in 20 minutes", puts(&world) - before);
    world.node.vault_bytes_max = usize::MAX;
    world.settle(31 * 60_000);
    assert_eq!(draft(&mut world), "a draft for which there is no room");
}

#[test]
fn the_password_is_changed_by_who_knows_it() {
    let (mut world, chat) = talking();
    let phone = sign_in(&mut world, "alice");
    let change =
        |old: &str, new: &str| Call::ChangePassword { old_password: old.into(), new_password: new.into() };
    let new = "a much better password";
    let refused = world.try_call(0, change("correct horse cattery", new)).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.field.as_deref()),
        ("wrong_credentials", Some("old_password"))
    );
    let weak = world.try_call(0, change(PASSWORD, "short")).unwrap_err();
    assert_eq!((weak.code.as_str(), weak.field.as_deref()), ("weak_password", Some("new_password")));
    world.set_online(0, false);
    assert_eq!(world.try_call(0, change(PASSWORD, new)).unwrap_err().code, "offline");
    world.set_online(0, true);
    world.call(0, change(PASSWORD, new));
    world.settle(10_000);

    let tablet = world.device();
    let old = Call::SignIn { name: "alice".into(), password: PASSWORD.into() };
    assert_eq!(world.try_call(tablet, old).unwrap_err().code, "wrong_credentials");
    world.call(tablet, Call::SignIn { name: "alice".into(), password: new.into() });
    world.settle(30_000);
    // Whoever was signed in still is: the account's keys are the same.
    send(&mut world, 1, &chat, "after the change");
    world.settle(10_000);
    for at in [0, phone, tablet] {
        assert_eq!(texts(&mut world, at, &chat).last().unwrap(), "after the change");
    }
}
