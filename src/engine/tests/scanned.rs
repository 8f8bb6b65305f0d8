//! What is scanned or pasted: the amount of a code, and whom a payto link is for.

use crate::support::money::{Money, euro};
use crate::support::{World, story::*};
use weft_engine::api::{Call, Reply, ScannedView, ShopCall, ShopReply};
use weft_wire::emv::{Currency, MerchantQr};
use weft_wire::wallet::LinkedNode;

fn people() -> World {
    let mut world = World::new();
    world.node.money = Money::with([7; 32]);
    let at = world.device();
    sign_up(&mut world, at, "alice");
    world.settle(5_000);
    world
}

fn read(world: &mut World, text: &str) -> Result<ScannedView, String> {
    let call = Call::Shop(ShopCall::ReadCode { text: text.into() });
    match world.try_call(0, call) {
        Ok(Reply::Shop(ShopReply::Scanned(seen))) => Ok(seen),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code),
    }
}

#[test]
fn the_amount_of_a_shop_s_code_is_as_fine_as_its_asset() {
    let mut world = people();
    let mut scan = |amount: &str| {
        let shop = "corner@home.example".parse().unwrap();
        let mut qr = MerchantQr::new(shop, Currency::Asset(euro().id()), "DE", "Corner", "Berlin");
        qr.amount = Some(amount.parse().unwrap());
        read(&mut world, &qr.encode().unwrap()).map(|seen| match seen {
            ScannedView::Merchant(shop) => shop.amount.unwrap(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(scan("2.5").as_deref(), Ok("250"));
    assert_eq!(scan("2.505").unwrap_err(), "code_damaged");
}

#[test]
fn the_amount_of_a_payto_link_is_as_fine_as_its_asset() {
    let mut world = people();
    let mut scan = |amount: &str| {
        let text = format!("payto://weft/bob@home.example?amount={amount}");
        read(&mut world, &text).map(|seen| match seen {
            ScannedView::Payto(payto) => (payto.asset.map(|asset| asset.code), payto.amount),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(scan("EUR:12.5").unwrap(), (Some("EUR".into()), Some("1250".into())));
    assert_eq!(scan("EUR:12.505").unwrap_err(), "code_damaged");
    // How fine money is that nobody has here, nobody knows here.
    assert_eq!(scan("XYZ:12.505").unwrap(), (None, None));
}

#[test]
fn a_payto_link_for_somebody_of_another_node_goes_where_a_link_goes() {
    let mut world = people();
    let text = "payto://weft/carol@far.example?amount=EUR:12.50&message=lunch";
    assert_eq!(read(&mut world, text).unwrap_err(), "no_link");
    let mut link =
        LinkedNode { node: "far.example".parse().unwrap(), assets: vec![euro().id()], rates: Vec::new() };
    world.node.money.links = vec![link.clone()];
    let Ok(ScannedView::Payto(payto)) = read(&mut world, text) else { panic!("a proposal") };
    assert_eq!((payto.person.user.as_str(), payto.message.as_str()), ("carol@far.example", "lunch"));
    assert_eq!(
        (payto.asset.map(|asset| asset.code), payto.amount),
        (Some("EUR".into()), Some("1250".into()))
    );
    // What the link does not carry is not proposed: whoever pays chooses something else.
    link.assets = Vec::new();
    world.node.money.links = vec![link];
    let Ok(ScannedView::Payto(payto)) = read(&mut world, text) else { panic!("a proposal") };
    assert_eq!((payto.asset.is_none(), payto.amount), (true, None));
}
