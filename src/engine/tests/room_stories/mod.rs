//! Life in a room, story by story: races, losses, strangers, tampering.

mod anew;
mod contents;
use crate::sim::*;
use std::collections::BTreeSet;
use weft_engine::{
    kv::Kv,
    rooms::{self, Anew, Processed, Reason, RoomError, Skip, Stage},
};
use weft_mls::{CredentialError, MlsError, PolicyError};
use weft_wire::{
    Blob, MessageId, Signed,
    identity::IdentityError,
    limits,
    rooms::{DeviceRef, Envelope, LogEntry, RoomItem, RoomKind},
};

/// Alice's phone, bob's phone and bob's tablet in a direct room.
fn trio() -> (Hub, Device, Device, Device) {
    let mut devices =
        [Device::new("alice", "phone"), Device::new("bob", "phone"), Device::new("bob", "tablet")];
    let hub = room_of(&direct(), &mut devices);
    let [mut alice, mut bob, mut tablet] = devices;
    for device in [&mut alice, &mut bob, &mut tablet] {
        device.catch_up(&hub);
    }
    (hub, alice, bob, tablet)
}

fn message_of(processed: &Processed) -> MessageId {
    match processed {
        Processed::Message(message) => message.content.id,
        other => panic!("not a message: {other:?}"),
    }
}

fn unusable(processed: Processed) -> (Reason, bool) {
    match processed {
        Processed::Unusable { reason, resync } => (reason, resync),
        other => panic!("usable: {other:?}"),
    }
}

fn resigned(device: &Device, entry: &LogEntry, change: impl FnOnce(&mut Envelope)) -> LogEntry {
    let mut envelope = entry.envelope.peek().unwrap();
    change(&mut envelope);
    LogEntry { envelope: Signed::sign(&envelope, &device.me.key), ..entry.clone() }
}

#[test]
fn of_two_commits_one_wins_and_the_other_is_planned_anew() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let by_alice = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    let by_bob = rooms::self_update(&mut bob.ctx(), ROOM).unwrap();
    assert!(matches!(failed(rooms::self_update(&mut bob.ctx(), ROOM)), RoomError::Busy));
    alice.commit(&mut hub, &by_alice);
    assert_eq!(hub.commit(&by_bob), Err(Refusal::Stale));
    rooms::commit_refused(&mut bob.ctx(), ROOM, true).unwrap();

    let followed = bob.catch_up(&hub);
    let Processed::Commit(change) = followed.last().unwrap() else { panic!("{followed:?}") };
    assert!(change.lost_pending && !change.own);
    assert_eq!(change.by, alice.me.device_ref());
    assert!(rooms::pending(&bob.ctx(), ROOM).unwrap().is_none());

    let again = rooms::self_update(&mut bob.ctx(), ROOM).unwrap();
    bob.commit(&mut hub, &again);
    alice.catch_up(&hub);
    assert_eq!((alice.info().unwrap().epoch, bob.info().unwrap().epoch), (hub.epoch(), hub.epoch()));
    let said = bob.say(&mut hub, 1);
    assert_eq!(message_of(alice.catch_up(&hub).last().unwrap()), said);
}

#[test]
fn an_acceptance_that_was_lost_comes_by_the_log() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let submit = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    alice.persist();
    // Killed after the request had left; the answer is lost.
    let accepted = hub.commit(&submit).unwrap();
    alice.restart();
    let pending = rooms::pending(&alice.ctx(), ROOM).unwrap().unwrap();
    assert_eq!(pending.submit, submit);
    assert_eq!(hub.commit(&pending.submit).unwrap(), accepted);

    let followed = alice.catch_up(&hub);
    assert!(matches!(followed.last().unwrap(), Processed::Commit(change) if change.own));
    assert_eq!(alice.info().unwrap().epoch, hub.epoch());
    // The answer to the second try comes after all.
    assert_eq!(rooms::commit_accepted(&mut alice.ctx(), ROOM, &accepted).unwrap(), None);
    let said = bob.catch_up(&hub).len();
    assert_eq!(said, 1);
}

#[test]
fn a_commit_that_was_refused_for_good_is_dropped() {
    let (mut hub, mut alice, ..) = trio();
    rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    rooms::commit_refused(&mut alice.ctx(), ROOM, false).unwrap();
    assert!(rooms::pending(&alice.ctx(), ROOM).unwrap().is_none());
    let submit = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    alice.commit(&mut hub, &submit);
}

#[test]
fn a_commit_merged_when_accepted_is_told_once() {
    let (mut hub, mut alice, mut bob, _) = trio();
    bob.say(&mut hub, 1);
    let submit = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    let accepted = hub.commit(&submit).unwrap();
    let change = rooms::commit_accepted(&mut alice.ctx(), ROOM, &accepted).unwrap().unwrap();
    assert!(change.own);
    let followed = alice.catch_up(&hub);
    assert!(matches!(followed[0], Processed::Message(_)), "{followed:?}");
    assert!(matches!(followed[1], Processed::Own { .. }), "{followed:?}");
}

#[test]
fn a_welcome_is_used_once() {
    let (mut hub, mut alice, mut bob, mut tablet) = trio();
    let (seq, welcome) = hub.inbox[&bob.id()][0].clone();
    let twice = rooms::join_welcome(&mut bob.ctx(), ROOM, None, seq, &welcome);
    assert!(matches!(failed(twice), RoomError::StaleWelcome));

    // On a device that lost its state the KeyPackage is gone: it joins by itself.
    let mut wiped = Device::new("bob", "phone");
    let late = rooms::join_welcome(&mut wiped.ctx(), ROOM, None, seq, &welcome);
    assert!(matches!(failed(late), RoomError::Mls(MlsError::NoKeyPackage)));
    let submit =
        rooms::external_join(&mut wiped.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default())
            .unwrap();
    wiped.commit(&mut hub, &submit);
    assert_eq!(wiped.info().unwrap().stage, Stage::Active);

    // A last-resort KeyPackage would open an old Welcome again; reading on from there would show everything twice.
    let mut laptop = Device::new("alice", "laptop");
    let last_resort = rooms::key_package(&mut laptop.ctx(), true).unwrap();
    alice.catch_up(&hub);
    let submit = rooms::add_devices(&mut alice.ctx(), ROOM, &[last_resort]).unwrap();
    alice.commit(&mut hub, &submit);
    let (seq, welcome) = hub.inbox[&laptop.id()][0].clone();
    rooms::join_welcome(&mut laptop.ctx(), ROOM, Some(&direct()), seq, &welcome).unwrap().unwrap();
    alice.say(&mut hub, 1);
    laptop.catch_up(&hub);
    let submit = rooms::remove_devices(&mut alice.ctx(), ROOM, &[laptop.id()]).unwrap();
    alice.commit(&mut hub, &submit);
    laptop.catch_up(&hub);
    let again = rooms::join_welcome(&mut laptop.ctx(), ROOM, None, seq, &welcome);
    assert!(matches!(failed(again), RoomError::StaleWelcome));
    tablet.catch_up(&hub);
    assert_eq!(tablet.info().unwrap().epoch, hub.epoch());
}

#[test]
fn a_welcome_that_overtakes_the_log_waits_for_it() {
    let (mut hub, mut alice, mut bob, mut tablet) = trio();
    let before = alice.say(&mut hub, 1);
    let submit = rooms::remove_devices(&mut bob.ctx(), ROOM, &[tablet.id()]);
    bob.catch_up(&hub);
    let submit = submit.or_else(|_| rooms::remove_devices(&mut bob.ctx(), ROOM, &[tablet.id()])).unwrap();
    bob.commit(&mut hub, &submit);
    bob.say(&mut hub, 2);
    let package = tablet.key_package();
    let submit = rooms::add_devices(&mut bob.ctx(), ROOM, &[package]).unwrap();
    bob.commit(&mut hub, &submit);
    let after = bob.say(&mut hub, 3);

    // The inbox comes first; the tablet has not heard that it was removed.
    let (seq, welcome) = hub.inbox[&tablet.id()].last().unwrap().clone();
    assert_eq!(rooms::join_welcome(&mut tablet.ctx(), ROOM, None, seq, &welcome).unwrap(), None);
    tablet.persist();
    tablet.restart();
    let followed = tablet.catch_up(&hub);
    assert_eq!(message_of(&followed[0]), before);
    assert!(matches!(&followed[1], Processed::Commit(change) if change.removed_me));
    assert!(matches!(followed[2], Processed::Skipped(Skip::BeforeJoin)));
    assert!(matches!(&followed[3], Processed::Commit(change) if !change.removed_me));
    assert_eq!(message_of(&followed[4]), after);
}

#[test]
fn a_device_by_another_identity_stays_out() {
    let (mut hub, mut alice, mut bob, _) = trio();
    // Certified for bob, but by somebody else: an operator who adds a device silently.
    let mut planted = Device::with(me("bob", "planted", &identity_key("mallory"), LATER));
    planted.pins.other.insert(address("bob"), None);
    let package = planted.key_package();
    let refused = failed(rooms::add_devices(&mut alice.ctx(), ROOM, std::slice::from_ref(&package)));
    assert!(matches!(refused, RoomError::KeyChanged { user } if user == address("bob")));
    assert!(rooms::pending(&alice.ctx(), ROOM).unwrap().is_none());

    // Nor by itself: neither hub nor members take it.
    let join =
        rooms::external_join(&mut planted.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default());
    assert!(
        matches!(failed(join), RoomError::KeyChanged { .. }),
        "its own identity is not that of bob's phone"
    );
    let stranger = me("carol", "phone", &identity_key("carol"), LATER);
    let mut carol = Device::with(stranger);
    let join =
        rooms::external_join(&mut carol.ctx(), ROOM, None, &hub.group_info(), &Anew::default()).unwrap();
    assert!(matches!(hub.commit(&join), Err(Refusal::Forbidden(_))));
    // A hub that lets her in all the same: alice does not follow.
    hub.kind = RoomKind::Direct { members: (address("bob"), address("carol")) };
    hub.commit(&join).unwrap();
    let (reason, resync) = unusable(alice.process(&hub.log[1]));
    let expected = PolicyError::NotOfTheTwo(address("carol"));
    assert!(matches!(reason, Reason::Refused(RoomError::Policy(found)) if found == expected));
    assert!(!resync);
    assert_eq!(alice.info().unwrap().stage, Stage::Broken);
    let content = text(alice.id(), 1);
    assert!(matches!(failed(rooms::encrypt(&mut alice.ctx(), ROOM, &content)), RoomError::NotActive));
    assert_eq!(bob.info().unwrap().stage, Stage::Active);
}

#[test]
fn a_changed_or_unknown_identity_is_an_alarm() {
    let (hub, mut alice, ..) = trio();
    let (seq, welcome) = hub.inbox[&Device::new("bob", "phone").id()][0].clone();
    let package_of = |device: &mut Device| device.key_package();

    // A new device of bob's whose pin for alice is another one.
    let mut wary = Device::new("bob", "wary");
    let other = identity_key("mallory").verifying_key().to_bytes();
    wary.pins.other.insert(address("alice"), Some(other));
    let join =
        rooms::external_join(&mut wary.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default());
    assert!(matches!(failed(join), RoomError::KeyChanged { user } if user == address("alice")));
    wary.pins.other.insert(address("alice"), None);
    let join =
        rooms::external_join(&mut wary.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default());
    assert!(matches!(failed(join), RoomError::NotPinned { user } if user == address("alice")));
    assert!(wary.info().is_none());

    // By Welcome the same; the KeyPackage is not used up by a refusal.
    let package = package_of(&mut wary);
    let submit = rooms::add_devices(&mut alice.ctx(), ROOM, &[package]).unwrap();
    let welcomed = submit.welcome.unwrap();
    let join = rooms::join_welcome(&mut wary.ctx(), ROOM, Some(&direct()), 2, &welcomed);
    assert!(matches!(failed(join), RoomError::NotPinned { .. }));
    wary.pins.other.clear();
    rooms::join_welcome(&mut wary.ctx(), ROOM, Some(&direct()), 2, &welcomed).unwrap().unwrap();
    assert_ne!((seq, welcome), (2, welcomed));
}

#[test]
fn an_expired_certificate_neither_comes_in_nor_speaks() {
    let mut devices = [
        Device::new("alice", "phone"),
        Device::with(me("bob", "phone", &identity_key("bob"), NOW + 10)),
        Device::new("bob", "tablet"),
    ];
    let mut hub = room_of(&direct(), &mut devices);
    let [mut alice, mut bob, mut tablet] = devices;
    let mut short = Device::with(me("bob", "short", &identity_key("bob"), NOW));
    let refused = failed(rooms::add_devices(&mut alice.ctx(), ROOM, &[short.key_package()]));
    let RoomError::Mls(MlsError::Credential(CredentialError::Identity(IdentityError::Expired))) = refused
    else {
        panic!("{refused:?}");
    };

    let in_time = bob.say(&mut hub, 1);
    bob.say(&mut hub, 2);
    hub.log[2].time_ms = NOW + 10;
    let followed = alice.catch_up(&hub);
    assert_eq!(message_of(&followed[0]), in_time);
    assert!(matches!(followed[1], Processed::Unusable { reason: Reason::Expired, resync: false }));
    // It does not lock anybody out: others still join a group that it is in.
    let mut laptop = Device::new("alice", "laptop");
    laptop.now = NOW + 20;
    let submit =
        rooms::external_join(&mut laptop.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default())
            .unwrap();
    laptop.commit(&mut hub, &submit);
    tablet.now = NOW + 20;
    tablet.catch_up(&hub);
    assert_eq!(tablet.info().unwrap().epoch, hub.epoch());
}

#[test]
fn what_was_read_is_not_read_again() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let said = alice.say(&mut hub, 1);
    let entry = hub.log.last().unwrap().clone();
    assert_eq!(message_of(&bob.process(&entry)), said);
    assert!(matches!(bob.process(&entry), Processed::Skipped(Skip::Duplicate)));
    // The hub numbers it a second time.
    let replayed = LogEntry { seq: entry.seq + 1, ..entry.clone() };
    assert!(matches!(bob.process(&replayed), Processed::Skipped(Skip::Replayed)));
    let commit = LogEntry { seq: entry.seq + 2, ..hub.log[0].clone() };
    assert!(matches!(bob.process(&commit), Processed::Skipped(Skip::Replayed)));
    assert_eq!(bob.info().unwrap().stage, Stage::Active);
}

#[test]
fn a_gap_changes_nothing() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let (first, second) = (alice.say(&mut hub, 1), alice.say(&mut hub, 2));
    let cursor = bob.info().unwrap().cursor;
    bob.persist();
    let gap = failed(rooms::process_entry(&mut bob.ctx(), ROOM, &hub.log[2]));
    assert!(
        matches!(gap, RoomError::Gap { expected, found } if expected == cursor + 1 && found == cursor + 2)
    );
    assert!(!bob.kv.has_writes());
    let followed = bob.catch_up(&hub);
    assert_eq!(followed.iter().map(message_of).collect::<Vec<_>>(), [first, second]);
}

#[test]
fn tampering_is_set_aside_and_nothing_is_lost() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let said = alice.say(&mut hub, 1);
    let good = hub.log.pop().unwrap();
    let tampered = |change: &dyn Fn(&mut Envelope)| resigned(&alice, &good, change);
    let number = |seq: u64, entry: LogEntry| LogEntry { seq, ..entry };

    // Ciphertext, at its end and in its middle.
    for (n, at) in [1, 40].into_iter().enumerate() {
        let bad = tampered(&|envelope| {
            let len = envelope.body.0.len();
            envelope.body.0[len - at] ^= 1;
        });
        let (reason, resync) = unusable(bob.process(&number(good.seq + n as u64, bad)));
        assert!(matches!(reason, Reason::Refused(RoomError::Mls(_))), "{reason:?}");
        assert!(!resync);
    }
    // Another id, another sender, another room, no envelope signature of the sender's.
    let seq = good.seq + 2;
    let bad = tampered(&|envelope| envelope.message_id = MessageId([9; 16]));
    assert!(matches!(unusable(bob.process(&number(seq, bad))), (Reason::Malformed, false)));
    let bad = tampered(&|envelope| envelope.sender = address("bob"));
    assert!(matches!(unusable(bob.process(&number(seq + 1, bad))), (Reason::Signature, false)));
    let bad = tampered(&|envelope| envelope.room = weft_wire::RoomId([1; 16]));
    assert!(matches!(unusable(bob.process(&number(seq + 2, bad))), (Reason::Malformed, false)));
    let bad = resigned(&bob, &good, |_| {});
    assert!(matches!(unusable(bob.process(&number(seq + 3, bad))), (Reason::Signature, false)));
    let bad = tampered(&|envelope| envelope.body = Blob(vec![0; 10]));
    assert!(matches!(unusable(bob.process(&number(seq + 4, bad))), (Reason::Refused(_), false)));
    let bad = tampered(&|envelope| envelope.epoch += 1);
    assert!(matches!(unusable(bob.process(&number(seq + 5, bad))), (Reason::Malformed, false)));

    // The good one still opens: no key was used up.
    assert_eq!(message_of(&bob.process(&number(seq + 6, good))), said);
    assert_eq!(bob.info().unwrap().stage, Stage::Active);
}

#[test]
fn what_a_hub_makes_up_does_not_break_the_group() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let submit = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    hub.commit(&submit).unwrap();
    let good = hub.log.last().unwrap().clone();
    // A message in alice's name from an epoch that never was, and a commit in her name: signed by the hub, not by her.
    let said = LogEntry { seq: good.seq, time_ms: NOW, envelope: alice.encrypt(&text(alice.id(), 1)) };
    let ahead = resigned(&bob, &said, |envelope| {
        envelope.epoch = 77;
        // MLSMessage: version and wire format (2 + 2), group id (1 + 16), epoch (8).
        envelope.body.0[28] = 77;
    });
    assert!(matches!(unusable(bob.process(&ahead)), (Reason::Signature, false)));
    let good = LogEntry { seq: good.seq + 1, ..good };
    let forged = resigned(&bob, &good, |envelope| envelope.message_id = MessageId([7; 16]));
    assert!(matches!(unusable(bob.process(&forged)), (Reason::Signature, false)));
    let followed = bob.process(&LogEntry { seq: good.seq + 1, ..good });
    assert!(matches!(followed, Processed::Commit(_)), "{followed:?}");
}

#[test]
fn who_cannot_follow_joins_anew() {
    let (mut hub, mut alice, mut bob, mut tablet) = trio();
    // Alice's own commit, damaged on its way to bob: the group has moved on, bob has not.
    let submit = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    alice.commit(&mut hub, &submit);
    let entry = hub.log.last().unwrap().clone();
    let damaged = resigned(&alice, &entry, |envelope| {
        let len = envelope.body.0.len();
        envelope.body.0[len - 1] ^= 1;
    });
    let (reason, resync) = unusable(bob.process(&damaged));
    assert!(matches!(reason, Reason::Refused(_)), "{reason:?}");
    assert!(resync);
    assert_eq!(bob.info().unwrap().stage, Stage::Broken);
    alice.say(&mut hub, 1);
    let missed = bob.catch_up(&hub);
    assert!(matches!(missed[0], Processed::Unusable { reason: Reason::Behind, resync: true }));

    let submit =
        rooms::external_join(&mut bob.ctx(), ROOM, None, &hub.group_info(), &Anew::default()).unwrap();
    let accepted = hub.commit(&submit).unwrap();
    let change = rooms::commit_accepted(&mut bob.ctx(), ROOM, &accepted).unwrap().unwrap();
    assert!(change.own);
    let said = alice_after(&mut hub, &mut alice);
    assert_eq!(message_of(bob.catch_up(&hub).last().unwrap()), said);
    // The others see one device, in and out at once.
    let followed = tablet.catch_up(&hub);
    let resynced = followed.iter().any(|processed| {
        matches!(processed, Processed::Commit(change)
            if change.added.len() == 1 && change.removed == [bob.me.device_ref()])
    });
    assert!(resynced, "{followed:?}");
}

fn alice_after(hub: &mut Hub, alice: &mut Device) -> MessageId {
    alice.catch_up(hub);
    alice.say(hub, 9)
}

#[test]
fn a_new_device_reads_from_its_joining_on() {
    let (mut hub, mut alice, mut bob, _) = trio();
    alice.say(&mut hub, 1);
    let mut laptop = Device::new("alice", "laptop");
    let submit =
        rooms::external_join(&mut laptop.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default())
            .unwrap();
    let again =
        rooms::external_join(&mut laptop.ctx(), ROOM, Some(&direct()), &hub.group_info(), &Anew::default());
    assert!(matches!(failed(again), RoomError::Busy));
    // A message of the epoch before, taken after the joining; then the answer is lost, and the log brings it.
    let late = bob.encrypt(&text(bob.id(), 1));
    laptop.persist();
    hub.commit(&submit).unwrap();
    laptop.restart();
    hub.message(&late).unwrap();
    let followed = laptop.catch_up(&hub);
    assert!(matches!(&followed[0], Processed::Commit(change) if change.own));
    assert!(matches!(followed[1], Processed::Skipped(Skip::BeforeJoin)));
    bob.catch_up(&hub);
    let said = bob.say(&mut hub, 2);
    assert_eq!(message_of(laptop.catch_up(&hub).last().unwrap()), said);
    alice.catch_up(&hub);
    let heard = laptop.say(&mut hub, 3);
    assert_eq!(message_of(alice.catch_up(&hub).last().unwrap()), heard);
}

#[test]
fn joining_anew_while_all_is_well_loses_nothing() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let first = alice.say(&mut hub, 1);
    let submit =
        rooms::external_join(&mut bob.ctx(), ROOM, None, &hub.group_info(), &Anew::default()).unwrap();
    let late = alice.encrypt(&text(alice.id(), 2));
    let accepted = hub.commit(&submit).unwrap();
    hub.message(&late).unwrap();
    // Accepted, but the log has to be read up to it first.
    assert_eq!(rooms::commit_accepted(&mut bob.ctx(), ROOM, &accepted).unwrap(), None);
    let followed = bob.catch_up(&hub);
    assert_eq!(message_of(&followed[0]), first);
    assert!(matches!(&followed[1], Processed::Commit(change) if change.own));
    assert_eq!(message_of(&followed[2]), text(alice.id(), 2).id);
}

#[test]
fn a_removed_device_reads_no_more_and_keeps_no_key() {
    let (mut hub, mut alice, mut bob, mut tablet) = trio();
    let submit = rooms::remove_devices(&mut bob.ctx(), ROOM, &[tablet.id()]).unwrap();
    bob.commit(&mut hub, &submit);
    // A copy of the tablet's state from before its removal.
    tablet.persist();
    let mut thief = Device::new("bob", "tablet");
    thief.disk = tablet.disk.clone();
    thief.restart();

    alice.catch_up(&hub);
    alice.say(&mut hub, 1);
    let typing = rooms::seal_ephemeral(&mut alice.ctx(), ROOM, b"typing").unwrap();
    let followed = tablet.catch_up(&hub);
    assert!(matches!(&followed[0], Processed::Commit(change) if change.removed_me));
    assert!(matches!(followed[1], Processed::Skipped(Skip::BeforeJoin)));
    assert_eq!(tablet.info().unwrap().stage, Stage::Left);
    assert!(matches!(failed(rooms::members(&mut tablet.ctx(), ROOM)), RoomError::NotActive));
    let room_keys: Vec<_> =
        tablet.kv.scan(b"m/g").into_iter().chain(tablet.kv.scan(b"r/")).map(|(key, _)| key).collect();
    assert_eq!(room_keys.len(), 1, "only the cursor stays: {room_keys:?}");

    let envelope = thief.encrypt(&text(thief.id(), 1));
    // The old keys open neither, whatever the thief makes of the log.
    let message = LogEntry { seq: 2, ..hub.log[2].clone() };
    let (reason, _) = unusable(thief.process(&message));
    assert!(matches!(reason, Reason::Behind));
    let open = rooms::open_ephemeral(&thief.ctx(), ROOM, &alice.me.device_ref(), &typing);
    assert!(matches!(failed(open), RoomError::NoEpochKeys { .. }));
    // Nor does the hub take anything from it.
    assert!(matches!(hub.message(&envelope), Err(Refusal::Forbidden(_))));
}
