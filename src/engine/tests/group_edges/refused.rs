//! A leaving that the node does not do, for no reason that the client knows.

use crate::support::{group::*, node::problem, story::*};
use weft_engine::api::Call;
use weft_wire::Code;

#[test]
fn a_leaving_that_is_refused_is_asked_for_again_and_not_taken_for_done() {
    let (mut world, chat) = trio("Lunch");
    send(&mut world, 1, &chat, "bye");
    world.settle(5_000);
    // Nobody is there who would send him away.
    world.set_online(0, false);
    world.set_online(2, false);
    world.node.refuse_leaving = Some(problem(Code::InvalidField));
    world.cast(1, Call::LeaveGroup { chat: chat.clone() });
    world.settle(20_000);
    assert_eq!(asked(&world, "POST rooms/leave"), 1);
    assert_eq!(at_hub(&mut world, &chat).left, [], "it is not done");
    world.settle(30_000);
    assert_eq!(asked(&world, "POST rooms/leave"), 1, "nor is it asked for at once");
    world.settle(40_000);
    assert_eq!(asked(&world, "POST rooms/leave"), 2);
    world.node.refuse_leaving = None;
    world.settle(60_000);
    assert_eq!(at_hub(&mut world, &chat).left, [address("bob")]);
    assert_eq!(asked(&world, "POST rooms/leave"), 3, "and then no more");
}
