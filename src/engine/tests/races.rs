//! Two things at the same moment, in every order that they can fall into.
use crate::support::World;
use crate::support::story::{PASSWORD, chat, connect, send, signed_up, texts};
use weft_engine::api::Call;

/// Lets the world go on for so many rounds.
fn rounds(world: &mut World, count: u32) {
    let mut left = count;
    world.run_until(0, |_| {
        left = left.saturating_sub(1);
        left == 0
    });
}

/// Alice writes for the first time while bob signs in on his phone. The phone comes into the new room by itself, and may be
/// there before bob's first device is added: what alice wrote must wait until both are in.
#[test]
fn a_first_message_reaches_every_device_while_another_one_signs_in() {
    for count in 1..80 {
        let mut world = signed_up(&["alice", "bob"]);
        connect(&mut world, 0, 1);
        world.settle(2_000);
        let to_bob = chat(&mut world, 0, "bob");
        let phone = world.device();
        world.call(phone, Call::SignIn { name: "bob".into(), password: PASSWORD.into() });
        rounds(&mut world, count);
        send(&mut world, 0, &to_bob, "first");
        world.settle(60_000);
        let from_alice = chat(&mut world, 1, "alice");
        assert_eq!(texts(&mut world, 1, &from_alice), ["first"], "after {count} rounds");
        send(&mut world, 0, &to_bob, "second");
        world.settle(60_000);
        for at in [1, phone] {
            assert_eq!(texts(&mut world, at, &from_alice).last().unwrap(), "second", "after {count} rounds");
        }
    }
}
