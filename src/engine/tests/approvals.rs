//! What an approver sees of a proposal, and what they sign.

use crate::support::money::{Money, euro};
use crate::support::{World, story::*};
use weft_engine::api::{Call, GuardCall, GuardReply, ProposalView, Reply};
use weft_wire::TransferId;
use weft_wire::wallet::{Asset, MoneyFor, ProposalInfo, ProposalState, Proposed};

const PIN: &str = "280195";

/// Alice is asked to approve that bob gets 500 euros.
fn asked() -> World {
    let mut world = World::new();
    world.node.money = Money::with([7; 32]);
    let at = world.device();
    sign_up(&mut world, at, "alice");
    world.settle(5_000);
    world.call(0, Call::SetPin { pin: PIN.into(), password: PASSWORD.into() });
    let user = "bob@home.example".parse().unwrap();
    let what = Proposed::Issue(MoneyFor { user, asset: euro().id(), amount: 50_000 });
    world.node.money.guard.waiting = vec![ProposalInfo {
        id: TransferId([3; 16]),
        what,
        asset: Some(euro()),
        at_ms: 1_000,
        until_ms: u64::MAX,
        state: ProposalState::Waiting,
        mine: true,
        by: None,
    }];
    world
}

fn seen(world: &mut World) -> ProposalView {
    let Reply::Guard(GuardReply::Guard(mut view)) = world.call(0, Call::Guard(GuardCall::Guard)) else {
        panic!("proposals")
    };
    view.waiting.remove(0)
}

fn approve(seen: &ProposalView) -> Call {
    let (id, print) = (seen.id.clone(), seen.print.clone());
    Call::Guard(GuardCall::DecideProposal { id, print, accept: true, pin: PIN.into() })
}

#[test]
fn what_was_looked_at_is_signed() {
    let mut world = asked();
    let known = seen(&mut world);
    assert!(known.mine);
    world.call(0, approve(&known));
    let [said] = &world.node.money.approvals[..] else { panic!("one approval") };
    assert_eq!((&said.what, said.approve), (&world.node.money.guard.waiting[0].what, true));
}

#[test]
fn a_node_that_shows_other_decimals_or_another_proposal_gets_no_signature() {
    // With six decimals, 500 euros look like five cents.
    let finer = Some(Asset { scale: 6, ..euro() });
    for shown in [finer, None] {
        let mut world = asked();
        world.node.money.guard.waiting[0].asset = shown;
        let known = seen(&mut world);
        assert!(!known.mine, "nothing to press");
        assert_eq!(world.try_call(0, approve(&known)).unwrap_err().code, "proposal_changed");
        assert!(world.node.money.approvals.is_empty());
    }
    let mut world = asked();
    let known = seen(&mut world);
    if let Proposed::Issue(of) = &mut world.node.money.guard.waiting[0].what {
        of.amount += 1;
    }
    assert_eq!(world.try_call(0, approve(&known)).unwrap_err().code, "proposal_changed");
    assert!(world.node.money.approvals.is_empty());
}
