use super::*;
use crate::{ServiceConfig, testing::*};
use weft_wire::{Code, node::SignupPolicy};

async fn by_invitation() -> World {
    let config = ServiceConfig { rate_limit_factor: 0.0, ..ServiceConfig::default() };
    World::with(config).await
}

#[tokio::test]
async fn the_owner_comes_by_the_owners_invite_and_invites_others() {
    let world = by_invitation().await;
    let first = world.service.invites().owner_invite().await.unwrap();
    let second = world.service.invites().owner_invite().await.unwrap();
    let mut alice = Device::new("alice", 1);
    assert_eq!(code(alice.sign_up(&world.service, None).await.unwrap_err()), Code::InviteRequired);
    // Only the newest counts: the link of an earlier start may have been seen by somebody.
    let error = alice.sign_up(&world.service, Some(first.code)).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
    alice.sign_up(&world.service, Some(second.code.clone())).await.unwrap();
    assert!(alice.caller().is_owner());
    assert!(matches!(world.service.invites().owner_invite().await, Err(InviteError::Claimed)));

    let mut bob = Device::new("bob", 1);
    let used = bob.sign_up(&world.service, Some(second.code)).await.unwrap_err();
    assert_eq!(code(used), Code::InviteInvalid);
    let create = CreateInvite { uses: 2, lifetime_ms: DAY_MS };
    let invite = world.service.invites().create(alice.caller(), create).await.unwrap();
    bob.sign_up(&world.service, Some(invite.code.clone())).await.unwrap();
    assert!(!bob.caller().is_owner());
    Device::new("carol", 1).sign_up(&world.service, Some(invite.code.clone())).await.unwrap();
    let error = Device::new("dave", 1).sign_up(&world.service, Some(invite.code)).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
}

#[tokio::test]
async fn an_invite_for_one_lets_one_in_even_at_the_same_moment() {
    let world = by_invitation().await;
    let invite = world.service.invites().owner_invite().await.unwrap();
    let mut attempts = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (service, code) = (world.service.clone(), invite.code.clone());
        attempts
            .spawn(async move { Device::new(&format!("person{n}"), 1).sign_up(&service, Some(code)).await });
    }
    let results = attempts.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(world.service.health().numbers().await.unwrap().accounts, 1);
}

#[tokio::test]
async fn a_taken_name_leaves_the_invite_unused() {
    let world = by_invitation().await;
    let owner = world.service.invites().owner_invite().await.unwrap();
    let mut alice = Device::new("alice", 1);
    alice.sign_up(&world.service, Some(owner.code)).await.unwrap();
    let create = CreateInvite { uses: 1, lifetime_ms: DAY_MS };
    let invite = world.service.invites().create(alice.caller(), create).await.unwrap();
    let mut other = Device::new("alice", 2);
    let error = other.sign_up(&world.service, Some(invite.code.clone())).await.unwrap_err();
    assert_eq!(code(error), Code::NameTaken);
    Device::new("bob", 1).sign_up(&world.service, Some(invite.code)).await.unwrap();
}

#[tokio::test]
async fn invites_end_by_time_by_hand_and_are_swept() {
    let world = by_invitation().await;
    let invites = world.service.invites();
    let create = CreateInvite { uses: 1, lifetime_ms: 1_000 };
    let short = invites.create_by_operator(create.clone()).await.unwrap();
    let long = invites.create_by_operator(CreateInvite { lifetime_ms: DAY_MS, ..create }).await.unwrap();
    world.clock.advance(1_000);
    let error = Device::new("alice", 1).sign_up(&world.service, Some(short.code)).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
    let listed = invites.list(None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(crate::Worker::Sweep.run_once(&world.service).await.unwrap(), 1);
    invites.revoke(&listed[0].hash).await.unwrap();
    assert!(matches!(invites.revoke(&listed[0].hash).await, Err(InviteError::NotFound)));
    let error = Device::new("alice", 1).sign_up(&world.service, Some(long.code)).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
}

#[tokio::test]
async fn policies_and_odd_numbers() {
    let closed = ServiceConfig {
        signup: SignupPolicy::Closed,
        members_invite: false,
        rate_limit_factor: 0.0,
        ..ServiceConfig::default()
    };
    let world = World::with(closed).await;
    let owner = world.service.invites().owner_invite().await.unwrap();
    let mut alice = Device::new("alice", 1);
    // A closed node that nobody owns still lets its owner in.
    alice.sign_up(&world.service, Some(owner.code)).await.unwrap();
    let error = Device::new("bob", 1).sign_up(&world.service, None).await.unwrap_err();
    assert_eq!(code(error), Code::SignupClosed);

    let open = ServiceConfig { signup: SignupPolicy::Open, ..world.config.clone() };
    let world = World::with(open).await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let create = CreateInvite { uses: 1, lifetime_ms: DAY_MS };
    let invites = world.service.invites();
    invites.create(alice.caller(), create.clone()).await.unwrap();
    assert_eq!(code(invites.create(bob.caller(), create).await.unwrap_err()), Code::Forbidden);
    for (uses, lifetime_ms) in [(0, DAY_MS), (101, DAY_MS), (1, 0), (1, 31 * DAY_MS)] {
        let error = invites.create(alice.caller(), CreateInvite { uses, lifetime_ms }).await.unwrap_err();
        assert_eq!(code(error), Code::InvalidField);
    }
    for nonsense in ["", "???", &"A".repeat(5_000)] {
        assert!(matches!(invites.check(Some(nonsense)).await, Err(InviteError::Invalid)));
    }
}

#[tokio::test]
async fn a_member_brings_in_a_few_a_day_and_the_owner_as_many_as_ever() {
    let world = World::with(ServiceConfig::default()).await;
    let invites = world.service.invites();
    let link = CreateInvite { uses: MEMBER_INVITE_USES_MAX, lifetime_ms: DAY_MS };
    let party = CreateInvite { uses: 100, ..link.clone() };
    let mut owner = Device::new("alice", 1);
    owner.sign_up(&world.service, Some(invites.owner_invite().await.unwrap().code)).await.unwrap();
    for _ in 0..20 {
        invites.create(owner.caller(), party.clone()).await.unwrap();
    }
    let invite = invites.create_by_operator(party.clone()).await.unwrap();
    let mut member = Device::new("bob", 1);
    member.sign_up(&world.service, Some(invite.code)).await.unwrap();

    let many = CreateInvite { uses: MEMBER_INVITE_USES_MAX + 1, ..link.clone() };
    for too_many in [party, many] {
        let error = invites.create(member.caller(), too_many).await.unwrap_err();
        assert_eq!(code(error), Code::InvalidField);
    }
    for _ in 0..5 {
        invites.create(member.caller(), link.clone()).await.unwrap();
    }
    let refused: weft_wire::Problem = invites.create(member.caller(), link.clone()).await.unwrap_err().into();
    assert_eq!(refused.code, Code::RateLimited);
    let wait = refused.retry_after_ms.unwrap();
    assert!((DAY_MS / 5 - 60_000..=DAY_MS / 5).contains(&wait), "{wait}");
    world.clock.advance(wait);
    invites.create(member.caller(), link).await.unwrap();
}
