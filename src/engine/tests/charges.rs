//! Money that is taken once, whatever answers are lost.

use crate::support::money::{Money, euro};
use crate::support::{World, story::*};
use weft_engine::api::{Call, ChargeView, Reply, SaleView, ShopCall, ShopReply};

const PIN: &str = "280195";
const SHOP: &str = "corner@home.example";

fn till() -> World {
    let mut world = World::new();
    world.node.money = Money::with([7; 32]);
    let bob = world.device();
    sign_up(&mut world, bob, "bob");
    world.settle(5_000);
    world
}

fn charge(n: u8) -> ShopCall {
    ShopCall::Charge {
        id: format!("{n:032x}"),
        shop: SHOP.into(),
        code: format!("{n:020}"),
        asset: euro().id().to_string(),
        amount: "350".into(),
        bill: String::new(),
    }
}

fn take(world: &mut World, call: ShopCall) -> Result<SaleView, String> {
    match world.try_call(0, Call::Shop(call)) {
        Ok(Reply::Shop(ShopReply::Sale(sale))) => Ok(sale),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code),
    }
}

fn kept(world: &mut World) -> Vec<ChargeView> {
    let call = Call::Shop(ShopCall::Charges { shop: SHOP.into() });
    let Reply::Shop(ShopReply::Charges(charges)) = world.call(0, call) else { panic!("charges") };
    charges
}

fn states(world: &mut World) -> Vec<String> {
    kept(world).into_iter().map(|charge| charge.state).collect()
}

#[test]
fn a_charge_whose_answer_was_lost_is_not_made_anew() {
    let mut world = till();
    world.node.money.lose = 1;
    world.hosts[0].slow = Some("/sales/00000000000000000000000000000001?node=home.example");
    assert_eq!(take(&mut world, charge(1)).unwrap_err(), "charge_unsure");
    // The sheet is closed, and the tab with it.
    world.kill(0);
    world.start(0);
    world.settle(2_000);
    assert_eq!(states(&mut world), ["unsure"]);
    assert_eq!(take(&mut world, charge(2)).unwrap_err(), "charge_unsure");
    let id = kept(&mut world)[0].id.clone();
    assert_eq!(take(&mut world, ShopCall::ChargeAgain { id: id.clone() }).unwrap().state, "paid");
    assert_eq!(world.node.money.charged.len(), 1);
    assert!(kept(&mut world).is_empty());
    assert_eq!(take(&mut world, ShopCall::ChargeAgain { id }).unwrap_err(), "not_found");
    assert_eq!(take(&mut world, charge(2)).unwrap().amount, "350");
}

#[test]
fn a_charge_that_does_not_leave_the_device_is_none() {
    let mut world = till();
    world.set_online(0, false);
    world.settle(2_000);
    assert_eq!(take(&mut world, charge(1)).unwrap_err(), "offline");
    assert!(kept(&mut world).is_empty());
}

#[test]
fn what_became_of_a_charge_is_found_out_without_making_it() {
    let mut world = till();
    world.node.money.lose = 1;
    assert_eq!(take(&mut world, charge(1)).unwrap_err(), "charge_unsure");
    world.settle(10_000);
    assert_eq!(states(&mut world), ["made"]);
    world.node.money.ignore = 1;
    assert_eq!(take(&mut world, charge(2)).unwrap_err(), "charge_unsure");
    world.settle(60_000);
    assert_eq!(states(&mut world), ["unsure"], "it may still come, as long as the code is good");
    world.settle(60_000);
    assert_eq!(states(&mut world), ["failed"]);
    assert_eq!(take(&mut world, charge(3)).unwrap().state, "paid");
    assert!(kept(&mut world).is_empty());
    let times: Vec<_> = world.node.money.charged.values().map(|(_, times)| *times).collect();
    assert_eq!(times, [1, 1]);
}

#[test]
fn a_payment_at_the_counter_whose_answer_was_lost_is_not_made_twice() {
    let mut world = till();
    world.call(0, Call::SetPin { pin: PIN.into(), password: PASSWORD.into() });
    let pay = |n: u8| {
        Call::Shop(ShopCall::PayShop {
            id: format!("{n:032x}"),
            shop: SHOP.into(),
            asset: euro().id().to_string(),
            amount: "350".into(),
            tip: "0".into(),
            sale: None,
            till: None,
            exchange: None,
            pin: PIN.into(),
        })
    };
    world.node.money.ignore = 1;
    for n in [1, 2] {
        let refused = world.call_once(0, &pay(n)).unwrap().unwrap_err();
        assert_eq!(refused.code, "payment_unsure", "{n}");
    }
    world.settle(10_000);
    assert_eq!(world.node.money.paid.len(), 1, "the first form, and nothing else");
    world.call(0, pay(3));
    assert_eq!(world.node.money.paid.len(), 2);
}
