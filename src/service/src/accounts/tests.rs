use crate::testing::*;
use ed25519_dalek::SigningKey;
use weft_wire::{Blob, Code, Problem, Signed, accounts::*, identity::DeviceCert, limits::CLOCK_SKEW_MS_MAX};

#[tokio::test]
async fn a_person_signs_up_and_in_and_the_first_is_the_owner() {
    let world = World::new().await;
    assert!(!world.service.node_info().await.unwrap().claimed);
    let alice = world.sign_up("alice").await;
    let bob = world.sign_up("bob").await;
    assert_eq!((alice.caller().session.role, bob.caller().session.role), (Role::Owner, Role::Member));
    assert!(world.service.node_info().await.unwrap().claimed);

    let mut tablet = Device::new("alice", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let devices = world.service.accounts().devices(alice.caller()).await.unwrap().devices;
    assert_eq!(devices.len(), 2);
    assert!(devices.iter().any(|info| info.device == tablet.id() && info.cert == tablet.cert));

    let restarted = world.restarted().await;
    let mut laptop = Device::new("alice", 3);
    laptop.sign_in(&restarted.service).await.unwrap();
    let again = restarted.service.accounts().authenticate(&alice.token, FROM).await.unwrap();
    assert_eq!(again.session, alice.caller().session);
    let listed = restarted.service.accounts().list(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|account| account.devices).collect::<Vec<_>>(), [3, 1]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let world = World::new().await;
    world.sign_up("alice").await;
    let mut shapes = Vec::new();
    for name in ["alice", "nobody"] {
        let mut device = Device::new(name, 2);
        device.password = "battery staple".to_owned();
        let start = opaque_ke::ClientLogin::<weft_wire::opaque::Suite>::start(&mut device.rng, b"x").unwrap();
        let opaque_request = Blob(start.message.serialize().to_vec());
        let start = LoginStart { name: device.name().clone(), opaque_request };
        let challenge = world.service.accounts().login_start(FROM, start).await.unwrap();
        // The sealed state holds the name; the rest is of one length.
        shapes.push((challenge.opaque_response.len(), challenge.state.len() - name.len()));
        let error = device.open_account(&world.service).await.unwrap_err();
        assert_eq!(error, Problem::new(Code::WrongCredentials));
    }
    assert_eq!(shapes[0], shapes[1]);
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_or_is_forged_starts_again() {
    let world = World::new().await;
    let mut alice = world.sign_up("alice").await;
    let opened = alice.open_account(&world.service).await.unwrap();
    world.clock.advance(10 * 60 * 1000);
    let add = AddDevice { ticket: opened.ticket, device: Device::new("alice", 2).cert };
    assert_eq!(code(world.service.flows().add_device(FROM, add.clone()).await.unwrap_err()), Code::Expired);
    let mut forged = add;
    forged.ticket = Blob(vec![1; 200]);
    assert_eq!(code(world.service.flows().add_device(FROM, forged).await.unwrap_err()), Code::Expired);
    let finish = LoginFinish { state: Blob(vec![0; 100]), opaque_finalization: Blob(vec![0; 64]) };
    assert_eq!(code(world.service.accounts().login_finish(FROM, finish).await.unwrap_err()), Code::Expired);
}

#[tokio::test]
async fn a_ticket_adds_one_device() {
    let world = World::new().await;
    let mut alice = world.sign_up("alice").await;
    let opened = alice.open_account(&world.service).await.unwrap();
    let add = |number| AddDevice { ticket: opened.ticket.clone(), device: Device::new("alice", number).cert };
    world.service.flows().add_device(FROM, add(2)).await.unwrap();
    assert_eq!(code(world.service.flows().add_device(FROM, add(3)).await.unwrap_err()), Code::Expired);
}

#[tokio::test]
async fn a_foreign_forged_or_expired_certificate_opens_nothing() {
    let world = World::new().await;
    let mut alice = world.sign_up("alice").await;
    let bob = world.sign_up("bob").await;
    let key = SigningKey::from_bytes(&[5; 32]);
    let mut forged = cert(&alice.user, &alice.identity_key, &key, START_MS + 1000).peek().unwrap();
    forged.device = bob.id();
    let certs: [Signed<DeviceCert>; 5] = [
        bob.cert.clone(),
        cert(&alice.user, &bob.identity_key, &key, START_MS + 1000),
        cert(&bob.user, &alice.identity_key, &key, START_MS + 1000),
        cert(&alice.user, &alice.identity_key, &key, START_MS),
        Signed::sign(&forged, &alice.identity_key),
    ];
    for device in certs {
        let ticket = alice.open_account(&world.service).await.unwrap().ticket;
        let error = world.service.flows().add_device(FROM, AddDevice { ticket, device }).await.unwrap_err();
        assert_eq!(code(error), Code::BadCertificate);
    }
    assert_eq!(world.service.accounts().devices(alice.caller()).await.unwrap().devices.len(), 1);
}

#[tokio::test]
async fn devices_are_capped() {
    let world = World::new().await;
    world.sign_up("alice").await;
    for number in 2..=16 {
        Device::new("alice", number).sign_in(&world.service).await.unwrap();
    }
    let error = Device::new("alice", 17).sign_in(&world.service).await.unwrap_err();
    assert_eq!(error.code, Code::TooMany);
}

#[tokio::test]
async fn a_name_is_taken_once_even_at_the_same_moment() {
    let world = World::new().await;
    let mut attempts = tokio::task::JoinSet::new();
    for number in 1..=8 {
        let service = world.service.clone();
        attempts.spawn(async move { Device::new("alice", number).sign_up(&service, None).await });
    }
    let results = attempts.join_all().await;
    let codes: Vec<_> = results.into_iter().filter_map(|result| result.err().map(code)).collect();
    assert_eq!(codes, [Code::NameTaken; 7]);
    assert_eq!(world.service.health().numbers().await.unwrap().accounts, 1);
}

#[tokio::test]
async fn the_owner_is_one_even_at_the_same_moment() {
    let world = World::new().await;
    let mut attempts = tokio::task::JoinSet::new();
    for n in 0..8 {
        let service = world.service.clone();
        attempts.spawn(async move {
            let mut device = Device::new(&format!("person{n}"), 1);
            device.sign_up(&service, None).await.unwrap();
            device.caller().is_owner()
        });
    }
    assert_eq!(attempts.join_all().await.into_iter().filter(|owner| *owner).count(), 1);
}

#[tokio::test]
async fn an_identity_must_be_the_persons_own() {
    let world = World::new().await;
    let (mut alice, bob) = (Device::new("alice", 1), Device::new("bob", 1));
    let (opaque_request, state) = alice.register_start();
    let start = RegisterStart { name: alice.name().clone(), invite: None, opaque_request };
    let answer = world.service.flows().register_start(FROM, start).await.unwrap();
    let upload = alice.register_upload(state, &answer.opaque_response);
    let good = alice.register_finish(None, upload);
    let mut foreign = good.clone();
    foreign.identity = bob.identity();
    let error = world.service.flows().register_finish(FROM, foreign).await.unwrap_err();
    assert_eq!(code(error), Code::BadSignature);
    let mut forged = alice.identity().peek().unwrap();
    forged.seal_key = [8; 32];
    let mut tampered = good.clone();
    tampered.identity = Signed::sign(&forged, &bob.identity_key);
    let error = world.service.flows().register_finish(FROM, tampered).await.unwrap_err();
    assert_eq!(code(error), Code::BadSignature);
    let mut large = good.clone();
    large.keyring = Blob(vec![0; 5_000]);
    assert_eq!(code(world.service.flows().register_finish(FROM, large).await.unwrap_err()), Code::TooLarge);
    let mut garbage = good.clone();
    garbage.opaque_upload = Blob(vec![0; 192]);
    assert_eq!(
        code(world.service.flows().register_finish(FROM, garbage).await.unwrap_err()),
        Code::Malformed
    );
    world.service.flows().register_finish(FROM, good).await.unwrap();
}

#[tokio::test]
async fn a_device_renews_its_session_and_a_replay_does_not() {
    let world = World::new().await;
    let mut alice = world.sign_up("alice").await;
    let accounts = world.service.accounts();
    let request = alice.session_request(START_MS);
    let granted = accounts.renew_session(FROM, request.clone()).await.unwrap();
    assert_eq!(code(accounts.authenticate(&alice.token, FROM).await.unwrap_err()), Code::Unauthenticated);
    accounts.authenticate(&granted.token, FROM).await.unwrap();
    assert_eq!(code(accounts.renew_session(FROM, request.clone()).await.unwrap_err()), Code::Expired);

    for time in [START_MS - CLOCK_SKEW_MS_MAX - 1, START_MS + CLOCK_SKEW_MS_MAX + 1] {
        let error: Problem =
            accounts.renew_session(FROM, alice.session_request(time)).await.unwrap_err().into();
        assert_eq!((error.code, error.current), (Code::Expired, Some(START_MS)));
    }
    // Also after the list of used nonces was swept, the replay is refused: by its time.
    world.clock.advance(3 * CLOCK_SKEW_MS_MAX);
    crate::Worker::Sweep.run_once(&world.service).await.unwrap();
    assert_eq!(code(accounts.renew_session(FROM, request).await.unwrap_err()), Code::Expired);

    let mut stranger = Device::new("alice", 9);
    let now = START_MS + 3 * CLOCK_SKEW_MS_MAX;
    let error = accounts.renew_session(FROM, stranger.session_request(now)).await.unwrap_err();
    assert_eq!(code(error), Code::Unauthenticated);
    let mut thief = Device::new("alice", 1);
    thief.key = SigningKey::from_bytes(&[1; 32]);
    let mut claimed = thief.session_request(now).peek().unwrap();
    claimed.device = alice.id();
    let error = accounts.renew_session(FROM, Signed::sign(&claimed, &thief.key)).await.unwrap_err();
    assert_eq!(code(error), Code::BadSignature);
}

#[tokio::test]
async fn tokens_end_and_nonsense_is_no_token() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let accounts = world.service.accounts();
    for token in ["", "x", "ä", &"A".repeat(43), &"A".repeat(10_000), &alice.token[1..]] {
        let error = accounts.authenticate(token, FROM).await.unwrap_err();
        assert_eq!(code(error), Code::Unauthenticated, "{token:.20}");
    }
    world.clock.advance(world.config.session_lifetime_ms);
    assert_eq!(code(accounts.authenticate(&alice.token, FROM).await.unwrap_err()), Code::Unauthenticated);
}

#[tokio::test]
async fn a_new_password_ends_other_sessions_and_older_tickets() {
    let world = World::new().await;
    let mut alice = world.sign_up("alice").await;
    let mut tablet = Device::new("alice", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let accounts = world.service.accounts();
    let stolen = tablet.open_account(&world.service).await.unwrap().ticket;
    let ticket = alice.open_account(&world.service).await.unwrap().ticket;

    alice.password = "a better one".to_owned();
    let (opaque_request, state) = alice.register_start();
    let start = PasswordStart { ticket: ticket.clone(), opaque_request };
    let answer = accounts.password_start(FROM, start).await.unwrap();
    let opaque_upload = alice.register_upload(state, &answer.opaque_response);
    let finish = PasswordFinish { ticket: ticket.clone(), opaque_upload, keyring: sealed("new keyring") };
    accounts.password_finish(FROM, Some(alice.caller()), finish.clone()).await.unwrap();

    accounts.authenticate(&alice.token, FROM).await.unwrap();
    assert_eq!(code(accounts.authenticate(&tablet.token, FROM).await.unwrap_err()), Code::Unauthenticated);
    assert_eq!(code(accounts.password_finish(FROM, None, finish).await.unwrap_err()), Code::Expired);
    let add = |ticket, number| AddDevice { ticket, device: Device::new("alice", number).cert };
    let error = world.service.flows().add_device(FROM, add(stolen, 3)).await.unwrap_err();
    assert_eq!(code(error), Code::Expired);
    // The ticket that changed the password still signs the device in.
    world.service.flows().add_device(FROM, add(ticket, 4)).await.unwrap();
    assert_eq!(tablet.open_account(&world.service).await.unwrap_err().code, Code::WrongCredentials);
    assert_eq!(alice.open_account(&world.service).await.unwrap().sealed, sealed("new keyring"));
}

#[tokio::test]
async fn the_recovery_phrase_opens_the_account_once_a_challenge() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let accounts = world.service.accounts();
    let recover = async |name: &str, key: &SigningKey| {
        let name: weft_wire::UserName = name.parse().unwrap();
        let challenge =
            accounts.recover_start(FROM, RecoverStart { name: name.clone() }).await.unwrap().challenge;
        let proof = RecoverProof { name, node: NODE.parse().unwrap(), challenge };
        RecoverFinish { proof: Signed::sign(&proof, key) }
    };
    let good = recover("alice", &alice.recovery_key()).await;
    let opened = accounts.recover_finish(FROM, good.clone()).await.unwrap();
    assert_eq!(opened.sealed, sealed("recovery"));
    assert_eq!(code(accounts.recover_finish(FROM, good).await.unwrap_err()), Code::Expired);

    let wrong = recover("alice", &SigningKey::from_bytes(&[1; 32])).await;
    let unknown = recover("nobody", &alice.recovery_key()).await;
    for finish in [wrong, unknown] {
        let error: Problem = accounts.recover_finish(FROM, finish).await.unwrap_err().into();
        assert_eq!(error, Problem::new(Code::WrongRecovery));
    }
    let late = recover("alice", &alice.recovery_key()).await;
    world.clock.advance(2 * 60 * 1000);
    assert_eq!(code(accounts.recover_finish(FROM, late).await.unwrap_err()), Code::Expired);
}

#[tokio::test]
async fn who_is_locked_out_stays_out() {
    let world = World::new().await;
    let mut alice = world.sign_up("alice").await;
    let accounts = world.service.accounts();
    accounts.set_disabled(alice.name(), true).await.unwrap();
    assert_eq!(code(accounts.authenticate(&alice.token, FROM).await.unwrap_err()), Code::Unauthenticated);
    assert_eq!(alice.open_account(&world.service).await.unwrap_err().code, Code::Forbidden);
    let error = accounts.renew_session(FROM, alice.session_request(START_MS)).await.unwrap_err();
    assert_eq!(code(error), Code::Forbidden);
    accounts.set_disabled(alice.name(), false).await.unwrap();
    accounts.renew_session(FROM, alice.session_request(START_MS)).await.unwrap();
    let nobody = "nobody".parse().unwrap();
    assert_eq!(code(accounts.set_disabled(&nobody, true).await.unwrap_err()), Code::NotFound);
}

/// A node with its rate limits in force.
async fn limited() -> World {
    let signup = weft_wire::node::SignupPolicy::Open;
    World::with(crate::ServiceConfig { signup, ..Default::default() }).await
}

/// An address of a network of its own.
fn stranger(n: u32) -> std::net::IpAddr {
    std::net::Ipv6Addr::from((0x2001_0db8_u128 << 96) | (u128::from(n) << 64)).into()
}

/// Tries a password: the node's first answer is all that it takes.
async fn guess(world: &World, name: &str, from: std::net::IpAddr) -> Result<(), Problem> {
    let mut guesser = Device::new(name, 99);
    let start =
        opaque_ke::ClientLogin::<weft_wire::opaque::Suite>::start(&mut guesser.rng, b"guess").unwrap();
    let opaque_request = Blob(start.message.serialize().to_vec());
    let start = LoginStart { name: guesser.name().clone(), opaque_request };
    Ok(world.service.accounts().login_start(from, start).await.map(|_| ())?)
}

#[tokio::test]
async fn one_address_tries_one_name_a_few_times_and_does_not_lock_out_others() {
    let world = limited().await;
    world.sign_up("alice").await;
    let tries = |from| {
        let world = &world;
        async move {
            let mut tried = 0;
            loop {
                match guess(world, "alice", from).await {
                    Ok(()) => tried += 1,
                    Err(problem) => {
                        assert_eq!(problem.code, Code::RateLimited);
                        assert!(problem.retry_after_ms.is_some_and(|wait| wait > 0));
                        break tried;
                    }
                }
            }
        }
    };
    // Three addresses do not drain what a fourth one needs.
    for n in 1..=3 {
        assert_eq!(tries(stranger(n)).await, 10);
    }
    assert_eq!(guess(&world, "alice", stranger(4)).await, Ok(()));
    assert_eq!(guess(&world, "bob", stranger(1)).await, Ok(()), "another name has a budget of its own");
}

#[tokio::test]
async fn strangers_together_try_a_bounded_number_of_passwords_and_nobody_is_locked_out_at_home() {
    let world = limited().await;
    let mut alice = world.sign_up("alice").await;
    alice.socket(&world.service, 0).await;
    let attack = async || {
        let mut tried = 0;
        for n in 1..=500 {
            tried += u32::from(guess(&world, "alice", stranger(n)).await.is_ok());
        }
        tried
    };
    assert_eq!(attack().await, 100, "however many the addresses are");
    world.clock.advance(3_600_000);
    assert_eq!(attack().await, 100, "a further hundred an hour");
    // Where Alice signed in lately, nothing of that is noticed.
    alice.open_account(&world.service).await.unwrap();
    Device::new("alice", 2).sign_in(&world.service).await.unwrap();
    // A guesser in her own house is bounded by the house.
    let mut tried = 0;
    while guess(&world, "alice", FROM).await.is_ok() {
        tried += 1;
        assert!(tried <= 20);
    }
    assert_eq!(guess(&world, "bob", FROM).await, Ok(()));
}

#[tokio::test]
async fn a_device_is_at_home_where_its_socket_or_its_renewal_comes_from() {
    for by_socket in [true, false] {
        let world = limited().await;
        let mut alice = world.sign_up("alice").await;
        // After a restart nothing is known until a device says hello or renews its session.
        let world = world.restarted().await;
        for n in 1..=500 {
            let _ = guess(&world, "alice", stranger(n)).await;
        }
        assert_eq!(alice.open_account(&world.service).await.unwrap_err().code, Code::RateLimited);
        if by_socket {
            alice.socket(&world.service, 0).await;
        } else {
            let request = alice.session_request(START_MS);
            world.service.accounts().renew_session(FROM, request).await.unwrap();
        }
        alice.open_account(&world.service).await.unwrap();
        // Whoever changed the password may have had reason to: the old addresses count no more.
        world.service.accounts().end_sessions(alice.name()).await.unwrap();
        assert_eq!(alice.open_account(&world.service).await.unwrap_err().code, Code::RateLimited);
    }
}

#[tokio::test]
async fn nonsense_costs_its_address_and_no_name() {
    let world = limited().await;
    world.sign_up("alice").await;
    for n in 1..=200 {
        let nonsense = LoginStart { name: "alice".parse().unwrap(), opaque_request: Blob(vec![0; 32]) };
        let error = world.service.accounts().login_start(stranger(n), nonsense).await.unwrap_err();
        assert_eq!(code(error), Code::Malformed);
    }
    assert_eq!(guess(&world, "alice", stranger(1_000)).await, Ok(()));
    let mut refused = None;
    for _ in 0..40 {
        let forged = LoginFinish { state: Blob(vec![0; 100]), opaque_finalization: Blob(vec![0; 64]) };
        let error = code(world.service.accounts().login_finish(stranger(1_000), forged).await.unwrap_err());
        if error == Code::RateLimited {
            refused = Some(error);
            break;
        }
        assert_eq!(error, Code::Expired);
    }
    assert!(refused.is_some(), "forged second steps are counted by address");
}

/// The API serves requests on many threads.
#[allow(dead_code)]
fn verbs_can_move_between_threads(service: &crate::Service, device: &Device) {
    fn send(_: impl Send) {}
    let (caller, user) = (device.caller().clone(), device.user.clone());
    let room = IDS[0];
    send(service.accounts().authenticate("", FROM));
    send(service.flows().sign_out(&caller, device.id()));
    send(service.flows().claim_key_packages(&caller, &user, None));
    send(service.flows().remove_contact(&caller, &user));
    send(service.rooms().log(&caller, room, 0, 1));
    send(service.rooms().list(&caller, None));
    send(async {
        let mut session = service.sync().open(FROM).unwrap();
        session.on_frame(weft_wire::sync::ClientFrame::Ping).await.unwrap();
        session.next().await.unwrap();
        session.close().await;
    });
}
