//! Groups: roles as the group itself names them, and leaving.

use super::*;
use crate::testing::*;
use weft_mls::{
    Roles,
    member::{self, Plan, Prepared},
    openmls::prelude::{MlsGroup, OpenMlsProvider as _},
};
use weft_wire::{
    Blob, Code, DeviceId, Problem,
    rooms::{CreateRoom, RoomKind, RoomMember, RoomRole},
};

const ROOM: RoomId = IDS[3];

fn refused<T: std::fmt::Debug, E: Into<Problem> + std::fmt::Debug>(
    result: std::result::Result<T, E>,
) -> Problem {
    result.unwrap_err().into()
}

fn plan(
    by: &Device,
    group: &mut MlsGroup,
    add: &[Blob],
    remove: &[DeviceId],
    roles: Option<&Roles>,
) -> Prepared {
    let add: Vec<&[u8]> = add.iter().map(Blob::as_slice).collect();
    member::prepare_plan(&by.provider, by.me(), group, Plan { add: &add, remove, roles }, START_MS).unwrap()
}

/// Hands a commit in and merges it, or drops it when it is refused.
async fn hand_in(
    world: &World,
    by: &Device,
    group: &mut MlsGroup,
    prepared: &Prepared,
    id: u8,
) -> Option<Code> {
    let submit = by.commit(ROOM, prepared, id);
    match world.service.flows().submit_commit(by.caller(), ROOM, submit).await {
        Ok(_) => {
            group.merge_pending_commit(&by.provider).unwrap();
            None
        }
        Err(error) => {
            group.clear_pending_commit(by.provider.storage()).unwrap();
            Some(code(error))
        }
    }
}

async fn members(world: &World, of: &Device) -> Vec<(String, RoomRole)> {
    let rooms = world.service.rooms().list(of.caller(), None).await.unwrap().rooms;
    let named = |member: &RoomMember| (member.user.name.to_string(), member.role);
    rooms
        .iter()
        .filter(|state| state.room == ROOM)
        .flat_map(|state| state.members.iter().map(named))
        .collect()
}

/// Alice owns a group in which bob is an admin.
async fn group(world: &World) -> (Device, MlsGroup, Device, MlsGroup, Roles) {
    let (alice, bob) = world.two_contacts().await;
    let (request, mut at_alice) = alice.create_request(RoomKind::Group, ROOM);
    world.service.flows().create_room(alice.caller(), request).await.unwrap();
    let mut roles = Roles::of_creator(alice.user.clone());
    roles.set(&bob.user, RoomRole::Admin);
    let adding = plan(&alice, &mut at_alice, &[bob.key_package(false)], &[], Some(&roles));
    assert_eq!(hand_in(world, &alice, &mut at_alice, &adding, 1).await, None);
    let at_bob = member::join(&bob.provider, ROOM, adding.welcome.as_deref().unwrap()).unwrap();
    (alice, at_alice, bob, at_bob, roles)
}

#[tokio::test]
async fn a_room_is_what_its_group_says_it_is() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let (group, _) = alice.create_request(RoomKind::Group, ROOM);
    let (direct, _) = alice.create_request(alice.direct_kind(&bob.user), IDS[4]);
    let wrong = [
        CreateRoom { kind: direct.kind.clone(), ..group.clone() },
        CreateRoom { kind: group.kind.clone(), ..direct.clone() },
    ];
    for request in wrong {
        assert_eq!(
            code(world.service.flows().create_room(alice.caller(), request).await.unwrap_err()),
            Code::Forbidden
        );
    }
    for request in [group, direct] {
        world.service.flows().create_room(alice.caller(), request).await.unwrap();
    }
}

#[tokio::test]
async fn the_hub_reads_roles_from_the_group_and_lets_only_owners_change_them() {
    let world = World::new().await;
    let (alice, mut at_alice, bob, mut at_bob, mut roles) = group(&world).await;
    let both = |bob| vec![("alice".to_owned(), RoomRole::Owner), ("bob".to_owned(), bob)];
    assert_eq!(members(&world, &bob).await, both(RoomRole::Admin));
    assert_eq!(members(&world.restarted().await, &bob).await, both(RoomRole::Admin));

    let mut higher = roles.clone();
    higher.set(&bob.user, RoomRole::Owner);
    let by_himself = plan(&bob, &mut at_bob, &[], &[], Some(&higher));
    assert_eq!(hand_in(&world, &bob, &mut at_bob, &by_himself, 2).await, Some(Code::Forbidden));
    let throwing_out = plan(&bob, &mut at_bob, &[], &[alice.id()], None);
    assert_eq!(hand_in(&world, &bob, &mut at_bob, &throwing_out, 3).await, Some(Code::Forbidden));
    assert_eq!(members(&world, &bob).await, both(RoomRole::Admin));

    // He does not keep his role for the day he comes back.
    let keeping = plan(&alice, &mut at_alice, &[], &[bob.id()], None);
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &keeping, 4).await, Some(Code::Forbidden));
    roles.set(&bob.user, RoomRole::Member);
    let removing = plan(&alice, &mut at_alice, &[], &[bob.id()], Some(&roles));
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &removing, 5).await, None);
    assert_eq!(members(&world, &alice).await, [("alice".to_owned(), RoomRole::Owner)]);
}

#[tokio::test]
async fn who_leaves_is_out_at_once_and_tidied_away_by_anybody() {
    let world = World::new().await;
    let (alice, mut at_alice, bob, mut at_bob, mut roles) = group(&world).await;
    let rooms = world.service.rooms();
    assert_eq!(
        refused(world.service.flows().leave_room(alice.caller(), ROOM).await).code,
        Code::Forbidden,
        "the last owner"
    );
    let carol = world.sign_up("carol").await;
    assert_eq!(refused(world.service.flows().leave_room(carol.caller(), ROOM).await).code, Code::NotFound);

    let late = bob.message(&mut at_bob, ROOM, 1, "too late");
    world.service.flows().leave_room(bob.caller(), ROOM).await.unwrap();
    world.service.flows().leave_room(bob.caller(), ROOM).await.unwrap();
    let bob_after = [
        refused(rooms.submit_message(bob.caller(), ROOM, late).await).code,
        refused(rooms.log(bob.caller(), ROOM, 1, 9).await).code,
        refused(rooms.group_info(bob.caller(), ROOM).await).code,
    ];
    assert_eq!(bob_after, [Code::NotFound; 3]);
    let staying = bob.prepare(&mut at_bob, &[], &[]);
    assert_eq!(hand_in(&world, &bob, &mut at_bob, &staying, 2).await, Some(Code::NotFound));
    assert_eq!(members(&world, &bob).await, []);
    assert_eq!(members(&world.restarted().await, &alice).await, [("alice".to_owned(), RoomRole::Owner)]);

    let state = &rooms.list(alice.caller(), None).await.unwrap().rooms[0];
    assert_eq!(state.gone, [bob.caller().device_ref()]);
    roles.set(&bob.user, RoomRole::Member);
    let tidying = plan(&alice, &mut at_alice, &[], &[bob.id()], Some(&roles));
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &tidying, 3).await, None);
    assert_eq!(rooms.list(alice.caller(), None).await.unwrap().rooms[0].gone, []);

    // And he may be brought in again; alone, alice may close the door behind her.
    let again = plan(&alice, &mut at_alice, &[bob.key_package(false)], &[], None);
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &again, 4).await, None);
    assert_eq!(members(&world, &bob).await.len(), 2);
    let removing = plan(&alice, &mut at_alice, &[], &[bob.id()], None);
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &removing, 5).await, None);
    world.service.flows().leave_room(alice.caller(), ROOM).await.unwrap();
    assert_eq!(members(&world, &alice).await, []);
}

#[tokio::test]
async fn who_left_is_brought_back_before_the_leaf_is_gone_only_by_consent() {
    let world = World::new().await;
    let (alice, mut at_alice, bob, ..) = group(&world).await;
    let rooms = world.service.rooms();
    world.service.flows().leave_room(bob.caller(), ROOM).await.unwrap();
    // In one commit the old leaf goes and the same device comes in again.
    world.service.flows().remove_contact(bob.caller(), &alice.user).await.unwrap();
    let back = plan(&alice, &mut at_alice, &[bob.key_package(false)], &[bob.id()], None);
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &back, 2).await, Some(Code::NoConsent));
    world.connect(&alice, &bob).await;
    let back = plan(&alice, &mut at_alice, &[bob.key_package(false)], &[bob.id()], None);
    assert_eq!(hand_in(&world, &alice, &mut at_alice, &back, 3).await, None);
    assert_eq!(members(&world, &bob).await.len(), 2);
    let mut at_bob = member::join(&bob.provider, ROOM, back.welcome.as_deref().unwrap()).unwrap();
    let hello = bob.message(&mut at_bob, ROOM, 9, "here again");
    rooms.submit_message(bob.caller(), ROOM, hello).await.unwrap();
}

#[tokio::test]
async fn a_direct_room_is_not_left() {
    let world = World::new().await;
    let (alice, _, room, ..) = world.talking().await;
    let error = world.service.flows().leave_room(alice.caller(), room).await.unwrap_err();
    assert_eq!(code(error), Code::Forbidden);
}
