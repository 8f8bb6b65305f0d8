//! One story, again and again: each time a device is killed at another output, before or after its effects. In the end
//! nothing is missing, nothing is doubled, and nobody had to join anew.

use crate::support::{Crash, World, story::*};
use weft_engine::api::Call;

/// Outputs of one device in the story; later ones are checked to be none.
const OUTPUTS_MAX: u32 = 400;

fn sign_up_through(world: &mut World, at: usize, name: &str) {
    let call = Call::SignUp {
        name: name.into(),
        display_name: name.to_uppercase(),
        password: PASSWORD.into(),
        invite: None,
    };
    loop {
        match world.call_once(at, &call) {
            Some(Ok(_)) => return,
            // The crash came after the node had made the account: it is open here, or opens by the password.
            Some(Err(error)) if error.code == "already_signed_in" => return,
            Some(Err(error)) => panic!("{error:?}"),
            None => {}
        }
    }
}

fn send_through(world: &mut World, at: usize, chat: &str, text: &str) {
    let call = Call::SendText { chat: chat.into(), text: text.into(), reply_to: None };
    while world.call_once(at, &call).is_none() {
        // Queued before the crash: it goes out by itself.
        if texts(world, at, chat).contains(&text.to_owned()) {
            return;
        }
    }
}

/// Gives how many outputs the victim had, and whether it was killed.
fn tell(victim: usize, crash: Option<Crash>, lose_answer_at: Option<u32>) -> (u32, bool) {
    let mut world = World::new();
    for (at, name) in ["alice", "bob"].into_iter().enumerate() {
        world.device();
        world.hosts[at].crash = crash.filter(|_| at == victim);
        sign_up_through(&mut world, at, name);
    }
    if let Some(after) = lose_answer_at {
        world.node.lose_after = Some(after);
    }
    connect(&mut world, 0, 1);
    let chat = chat(&mut world, 0, "bob");
    assert_eq!(self::chat(&mut world, 1, "alice"), chat);
    send_through(&mut world, 0, &chat, "one");
    send_through(&mut world, 0, &chat, "two");
    world.settle(30_000);
    send_through(&mut world, 1, &chat, "three");
    world.settle(30_000);
    let order = messages(&mut world, 0, &chat).last().unwrap().order;
    world.call(0, Call::MarkRead { chat: chat.clone(), order });
    world.settle(200_000);
    for at in [0, 1] {
        assert_eq!(texts(&mut world, at, &chat), ["one", "two", "three"], "device {at}");
        assert_eq!(lines(&mut world, at, &chat), ["secured"], "device {at}");
    }
    let host = &world.hosts[victim];
    (host.outputs, host.crashes > 0)
}

fn sweep(victim: usize, crash: fn(u32) -> Crash) {
    let (outputs, _) = tell(victim, None, None);
    assert!((50..OUTPUTS_MAX).contains(&outputs), "{outputs} outputs");
    for n in 1..=outputs {
        let told = std::panic::catch_unwind(|| tell(victim, Some(crash(n)), None));
        match told {
            Ok((_, crashed)) => assert!(crashed, "output {n} of {outputs} never came"),
            Err(_) => panic!("device {victim} killed at output {n}: {:?}", crash(n)),
        }
    }
}

#[test]
fn alice_is_killed_before_each_of_her_effects() {
    sweep(0, Crash::BeforeEffects);
}

#[test]
fn alice_is_killed_after_each_of_her_effects() {
    sweep(0, Crash::AfterEffects);
}

#[test]
fn bob_is_killed_before_each_of_his_effects() {
    sweep(1, Crash::BeforeEffects);
}

#[test]
fn bob_is_killed_after_each_of_his_effects() {
    sweep(1, Crash::AfterEffects);
}

#[test]
fn every_answer_of_the_node_may_be_lost() {
    for after in 0..40 {
        let told = std::panic::catch_unwind(|| tell(0, None, Some(after)));
        assert!(told.is_ok(), "answer {after} was lost");
    }
}
