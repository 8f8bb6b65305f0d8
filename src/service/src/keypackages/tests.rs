use super::*;
use crate::testing::*;
use std::collections::BTreeSet;
use weft_wire::Code;

#[tokio::test]
async fn each_package_is_handed_out_once_even_at_the_same_moment() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    bob.publish(&world.service, 8).await;
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (service, caller, user) = (world.service.clone(), alice.caller().clone(), bob.user.clone());
        claims.spawn(async move { service.flows().claim_key_packages(&caller, &user, None).await.unwrap() });
    }
    let claimed: Vec<_> = claims.join_all().await.into_iter().flat_map(|claimed| claimed.packages).collect();
    assert_eq!(claimed.len(), 12);
    let distinct: BTreeSet<_> = claimed.iter().map(|package| package.key_package.0.clone()).collect();
    // Eight of them once, and then the last-resort one.
    assert_eq!(distinct.len(), 9);
    let stock = world.service.key_packages().stock(bob.caller()).await.unwrap();
    assert_eq!(stock, KeyPackageStock { left: 0, last_resort: true });
}

#[tokio::test]
async fn publishing_again_does_not_bring_back_what_was_handed_out() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let request = PublishKeyPackages {
        packages: vec![bob.key_package(false), bob.key_package(false)],
        last_resort: None,
    };
    let packages = world.service.key_packages();
    assert_eq!(packages.publish(bob.caller(), request.clone()).await.unwrap().left, 2);
    let claim = || world.service.flows().claim_key_packages(alice.caller(), &bob.user, None);
    assert_eq!(claim().await.unwrap().packages.len(), 1);
    assert_eq!(packages.publish(bob.caller(), request).await.unwrap().left, 1);
    assert_eq!(claim().await.unwrap().packages.len(), 1);
    assert_eq!(claim().await.unwrap().packages.len(), 0);
}

#[tokio::test]
async fn only_ones_own_sound_packages_are_taken() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let put = |packages, last_resort| {
        world.service.key_packages().publish(alice.caller(), PublishKeyPackages { packages, last_resort })
    };
    assert_eq!(code(put(vec![bob.key_package(false)], None).await.unwrap_err()), Code::BadCertificate);
    assert_eq!(code(put(vec![alice.key_package(true)], None).await.unwrap_err()), Code::InvalidField);
    assert_eq!(code(put(vec![], Some(alice.key_package(false))).await.unwrap_err()), Code::InvalidField);
    assert_eq!(code(put(vec![Blob(vec![1; 100])], None).await.unwrap_err()), Code::BadMls);
    assert_eq!(code(put(vec![Blob(vec![1; 9_000])], None).await.unwrap_err()), Code::TooLarge);
    let mut flipped = alice.key_package(false);
    let middle = flipped.len() / 2;
    flipped.0[middle] ^= 1;
    assert_eq!(code(put(vec![flipped], None).await.unwrap_err()), Code::BadMls);
    let many = (0..101).map(|_| Blob(vec![1])).collect();
    assert_eq!(code(put(many, None).await.unwrap_err()), Code::TooMany);
    assert_eq!(world.service.key_packages().stock(alice.caller()).await.unwrap().left, 0);
}

#[tokio::test]
async fn strangers_get_none_and_do_not_learn_who_exists() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    bob.publish(&world.service, 1).await;
    for user in
        [&bob.user, &"nobody@home.example".parse().unwrap(), &"bob@elsewhere.example".parse().unwrap()]
    {
        let error = world.service.flows().claim_key_packages(alice.caller(), user, None).await.unwrap_err();
        assert_eq!(weft_wire::Problem::from(error), weft_wire::Problem::new(Code::NoConsent));
    }
    // One's own other devices need no consent; the asking one is left out.
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let claimed = world.service.flows().claim_key_packages(tablet.caller(), &bob.user, None).await.unwrap();
    assert_eq!(claimed.packages.iter().map(|package| package.device).collect::<Vec<_>>(), [bob.id()]);
}

#[tokio::test]
async fn packages_of_an_expired_certificate_are_not_handed_out() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    bob.publish(&world.service, 2).await;
    world.clock.advance(366 * 86_400_000);
    let claimed = world.service.flows().claim_key_packages(alice.caller(), &bob.user, None).await.unwrap();
    assert_eq!(claimed.packages, []);
}

#[tokio::test]
async fn what_was_published_long_ago_makes_room_and_is_not_handed_out() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let packages = world.service.key_packages();
    let fresh = |count: usize| PublishKeyPackages {
        packages: (0..count).map(|_| bob.key_package(false)).collect(),
        last_resort: None,
    };
    let last_resort = bob.key_package(true);
    let first = PublishKeyPackages { last_resort: Some(last_resort.clone()), ..fresh(60) };
    packages.publish(bob.caller(), first).await.unwrap();
    world.clock.advance(KEY_PACKAGE_LIFETIME_MS - 1);
    let error = packages.publish(bob.caller(), fresh(60)).await.unwrap_err();
    assert_eq!(code(error), Code::TooMany);
    world.clock.advance(1);
    let second = fresh(60);
    let stock = packages.publish(bob.caller(), second.clone()).await.unwrap();
    assert_eq!(stock, KeyPackageStock { left: 60, last_resort: true });
    let claim = || world.service.flows().claim_key_packages(alice.caller(), &bob.user, None);
    assert!(second.packages.contains(&claim().await.unwrap().packages[0].key_package));
    assert_eq!(packages.stock(bob.caller()).await.unwrap().left, 59);
    world.clock.advance(KEY_PACKAGE_LIFETIME_MS);
    assert_eq!(
        packages.stock(bob.caller()).await.unwrap().left,
        0,
        "a client that asks is to bring new ones"
    );
    assert_eq!(claim().await.unwrap().packages[0].key_package, last_resort, "that one has no end");
}
