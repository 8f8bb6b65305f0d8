//! Coming into a group anew: what the hub says of it against what this device knew of it last.

use super::*;
use openmls_rust_crypto::OpenMlsRustCrypto;
use weft_engine::rooms::{Changes, Found, Unsure};
use weft_mls::{DeviceIdentity, member};
use weft_wire::rooms::{GroupInfoAnswer, RoomRole};

/// Alice's group with bob and carol.
fn three() -> (Hub, Device, Device, Device) {
    let mut devices =
        [Device::new("alice", "phone"), Device::new("bob", "phone"), Device::new("carol", "phone")];
    let hub = room_of(&RoomKind::Group, &mut devices);
    let [mut alice, mut bob, mut carol] = devices;
    for device in [&mut alice, &mut bob, &mut carol] {
        device.catch_up(&hub);
    }
    (hub, alice, bob, carol)
}

/// The same; bob could not follow any more.
fn bob_is_behind() -> (Hub, Device, Device, Device) {
    let (hub, alice, mut bob, carol) = three();
    rooms::skip_to(&mut bob.ctx(), ROOM, 2).unwrap();
    assert_eq!(bob.info().unwrap().stage, Stage::Broken);
    (hub, alice, bob, carol)
}

fn change(device: &mut Device, hub: &mut Hub, changes: &Changes<'_>) {
    let submit = rooms::change_group(&mut device.ctx(), ROOM, changes).unwrap();
    device.commit(hub, &submit);
}

fn enter(device: &mut Device, hub: &Hub, anew: &Anew) -> Result<weft_wire::rooms::SubmitCommit, RoomError> {
    rooms::external_join(&mut device.ctx(), ROOM, None, &hub.group_info(), anew)
}

fn unsure(error: RoomError) -> Unsure {
    match error {
        RoomError::Unsure(unsure) => *unsure,
        other => panic!("{other:?}"),
    }
}

fn of<'a>(unsure: &'a Unsure, name: &str) -> &'a Found {
    unsure.people.iter().find(|one| one.user == address(name)).unwrap()
}

/// A group of the same name, made up by mallory, who is with the hub. The KeyPackage is one that the hub had in stock.
fn made_up(package: Blob) -> Hub {
    let mut mallory = Device::new("mallory", "phone");
    let request =
        rooms::create(&mut mallory.ctx(), (ROOM, weft_wire::RoomNonce([0; 16])), &RoomKind::Group).unwrap();
    let mut hub = Hub::create(&request);
    change(&mut mallory, &mut hub, &Changes { add: &[package], ..Changes::default() });
    hub
}

#[test]
fn a_group_that_the_hub_made_up_is_not_entered_by_itself() {
    let (_, mut alice, mut bob, _) = bob_is_behind();
    let hub = made_up(alice.key_package());
    let shown = unsure(enter(&mut bob, &hub, &Anew::default()).unwrap_err());
    let mallory = of(&shown, "mallory");
    assert!(mallory.new && mallory.risen && mallory.role == RoomRole::Owner);
    assert!(!of(&shown, "alice").new && !of(&shown, "bob").new, "nobody else is new");
    assert!(rooms::pending(&bob.ctx(), ROOM).unwrap().is_none());

    // What was agreed to is what was shown, and nothing else.
    let agreed = Anew { agreed: Some(shown.print), ..Anew::default() };
    let other = made_up(Device::new("carol", "phone").key_package());
    assert_ne!(unsure(enter(&mut bob, &other, &agreed).unwrap_err()).print, shown.print);
    enter(&mut bob, &hub, &agreed).unwrap();
}

#[test]
fn a_welcome_by_somebody_who_was_not_there_is_not_taken_by_a_device_that_was() {
    let (_, _, mut bob, _) = bob_is_behind();
    let hub = made_up(bob.key_package());
    let (_, welcome) = hub.inbox[&bob.id()][0].clone();
    let before = bob.info();
    let shown = unsure(failed(rooms::join_welcome(&mut bob.ctx(), ROOM, None, 9, &welcome)));
    assert!(of(&shown, "mallory").new);
    assert_eq!(bob.info(), before, "the old state is there as it was");
    // On a device that never was in a group of this name, it is a Welcome like any other.
    rooms::forget(&mut bob.ctx(), ROOM);
    rooms::join_welcome(&mut bob.ctx(), ROOM, None, 9, &welcome).unwrap().unwrap();
}

#[test]
fn who_came_and_went_meanwhile_is_told() {
    let (mut hub, mut alice, mut bob, carol) = bob_is_behind();
    let dave = Device::new("dave", "phone").key_package();
    change(&mut alice, &mut hub, &Changes { add: &[dave], remove: &[carol.id()], ..Changes::default() });
    let submit = enter(&mut bob, &hub, &Anew::default()).unwrap();
    let accepted = hub.commit(&submit).unwrap();
    let change = rooms::commit_accepted(&mut bob.ctx(), ROOM, &accepted).unwrap().unwrap();
    assert_eq!((change.came, change.went), (vec![address("dave")], vec![address("carol")]));
    assert!(change.roles_before.is_some_and(|roles| roles.of(&address("alice")) == RoomRole::Owner));
}

#[test]
fn whoever_rose_meanwhile_is_shown_first() {
    let (mut hub, mut alice, mut bob, _) = bob_is_behind();
    change(
        &mut alice,
        &mut hub,
        &Changes { roles: &[(address("carol"), RoomRole::Admin)], ..Changes::default() },
    );
    let shown = unsure(enter(&mut bob, &hub, &Anew::default()).unwrap_err());
    let risen: Vec<_> = shown.people.iter().filter(|one| one.risen).map(|one| one.user.clone()).collect();
    assert_eq!(risen, [address("carol")]);
    let submit = enter(&mut bob, &hub, &Anew { agreed: Some(shown.print), ..Anew::default() }).unwrap();
    bob.commit(&mut hub, &submit);
    assert_eq!(bob.info().unwrap().stage, Stage::Active);
}

#[test]
fn whoever_has_another_key_meanwhile_is_shown_first() {
    let (mut hub, mut alice, mut bob, carol) = bob_is_behind();
    let mut other = Device::with(me("carol", "other", &identity_key("mallory"), LATER));
    for device in [&mut alice, &mut bob] {
        device.pins.other.insert(address("carol"), None);
    }
    change(&mut alice, &mut hub, &Changes { remove: &[carol.id()], ..Changes::default() });
    change(&mut alice, &mut hub, &Changes { add: &[other.key_package()], ..Changes::default() });
    let shown = unsure(enter(&mut bob, &hub, &Anew::default()).unwrap_err());
    assert!(of(&shown, "carol").changed && !of(&shown, "carol").new);
    // Once the new key is the pinned one, that is decided.
    bob.pins.other.insert(address("carol"), Some(other.me.identity_key));
    enter(&mut bob, &hub, &Anew::default()).unwrap();
}

#[test]
fn nobody_is_in_a_group_under_two_keys() {
    let (mallory, provider) = (Device::new("mallory", "phone"), OpenMlsRustCrypto::default());
    let me_there = DeviceIdentity { key: &mallory.me.key, cert: &mallory.me.cert };
    let (mut group, _) = member::create_group(&provider, me_there, ROOM).unwrap();
    let mut planted = Device::with(me("bob", "planted", &identity_key("mallory"), LATER));
    let packages = [Device::new("bob", "phone").key_package(), planted.key_package()];
    let prepared = member::prepare(&provider, me_there, &mut group, &packages, &[], NOW).unwrap();
    let answer = GroupInfoAnswer { epoch: 1, head: 1, group_info: Blob(prepared.group_info) };

    let mut carol = Device::new("carol", "phone");
    carol.pins.other.insert(address("bob"), None);
    let refused = rooms::external_join(&mut carol.ctx(), ROOM, None, &answer, &Anew::default());
    let expected = PolicyError::OtherIdentity(address("bob"));
    assert!(matches!(failed(refused), RoomError::Policy(found) if found == expected));
}

#[test]
fn a_device_that_was_sent_away_enters_what_its_person_has_seen() {
    let (mut hub, mut alice, mut bob, _) = bob_is_behind();
    rooms::forget(&mut bob.ctx(), ROOM);
    let ask = Anew { ask: true, ..Anew::default() };
    let shown = unsure(enter(&mut bob, &hub, &ask).unwrap_err());
    assert!(shown.people.iter().all(|one| one.new));
    let agreed = Anew { agreed: Some(shown.print), ..ask };
    alice.catch_up(&hub);
    let submit = enter(&mut bob, &hub, &agreed).unwrap();
    bob.commit(&mut hub, &submit);
    assert_eq!(bob.info().unwrap().stage, Stage::Active);
}

#[test]
fn a_hub_that_is_back_at_an_earlier_state_is_noticed_by_what_others_do_there() {
    let (mut hub, mut alice, mut bob, mut carol) = three();
    // Carol is where the hub will be again; what she does there is not what bob has followed.
    let there = enter(&mut carol, &hub, &Anew::default()).unwrap();
    let dave = Device::new("dave", "phone").key_package();
    change(&mut alice, &mut hub, &Changes { add: &[dave], ..Changes::default() });
    bob.catch_up(&hub);
    let last = hub.log.last().unwrap();
    let entry = LogEntry { seq: last.seq + 1, envelope: there.envelope, ..last.clone() };
    assert!(matches!(bob.process(&entry), Processed::Unusable { resync: true, .. }));
    assert_eq!(bob.info().unwrap().stage, Stage::Broken, "what is said there could not be read");
}
