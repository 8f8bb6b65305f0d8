//! What alice was shown of a fee is what her orders allow, of each kind of payment, and nothing else is.

use crate::support::money::{Money, euro};
use crate::support::{World, story::*};
use weft_engine::api::{Call, FeeCall, FeeReply, GuardCall, GuardReply, Reply, ShopCall};
use weft_wire::OrderId;
use weft_wire::wallet::{Fee, FeeKind};

const PIN: &str = "280195";
const BOB: &str = "bob@home.example";
const CAROL: &str = "carol@away.example";
const SHOP: &str = "corner@home.example";
const FAR_SHOP: &str = "corner@away.example";
/// What there is at the other node.
const POINTS: &str = "00000000000000000000000000000009";

fn fee(kind: FeeKind, fixed: u64, points: u32) -> Fee {
    Fee { kind, fixed, points, least: 0, most: 0 }
}

struct Purse {
    world: World,
    forms: u8,
}

/// Something that is paid for: to whom, how much, a tip, and what they get instead.
type Sum = (&'static str, u64, u64, Option<u64>);
/// What is asked, what is due of that, what is paid, and what comes of it.
type Row = ((&'static str, u64), u64, Sum, Result<u64, String>);

impl Purse {
    /// To a person 10 cents are taken, in a shop 1 %, over a link 2 % and 5 cents.
    fn new() -> Purse {
        let mut world = World::new();
        world.node.money = Money::with([7; 32]);
        world.node.money.fees =
            vec![fee(FeeKind::Person, 10, 0), fee(FeeKind::Shop, 0, 100), fee(FeeKind::Remote, 5, 200)];
        for name in ["alice", "bob"] {
            let at = world.device();
            sign_up(&mut world, at, name);
        }
        world.settle(5_000);
        world.call(0, Call::SetPin { pin: PIN.into(), password: PASSWORD.into() });
        Purse { world, forms: 0 }
    }

    /// She looks at what is taken.
    fn ask(&mut self, kind: &str, amount: u64) -> u64 {
        let (kind, asset, amount) = (kind.into(), euro().id().to_string(), amount.to_string());
        let call = GuardCall::Fee(FeeCall::Fee { kind, asset, amount });
        let reply = self.world.call(0, Call::Guard(call));
        let Reply::Guard(GuardReply::Fee(FeeReply::Fee(due))) = reply else { panic!("{reply:?}") };
        due.parse().unwrap()
    }

    /// She pays. Gives what the order has allowed, or why the node did not take it.
    fn pay(&mut self, (to, amount, tip, got): Sum) -> Result<u64, String> {
        self.forms += 1;
        let (id, asset) = (format!("{:032x}", self.forms), euro().id().to_string());
        let exchange = got.map(|got| (POINTS.to_owned(), got.to_string()));
        let (amount, tip, pin) = (amount.to_string(), tip.to_string(), PIN.to_owned());
        let call = if to.starts_with("corner") {
            let (shop, sale, till) = (to.to_owned(), None, None);
            Call::Shop(ShopCall::PayShop { id, shop, asset, amount, tip, sale, till, exchange, pin })
        } else {
            let (user, note, hold) = (to.to_owned(), String::new(), false);
            let (chat, request, refunds) = (None, None, None);
            Call::Pay { id, user, asset, amount, note, hold, chat, request, refunds, exchange, pin }
        };
        let paid = self.world.try_call(0, call).map(drop).map_err(|error| error.code);
        let mut id = [0; 16];
        id[15] = self.forms;
        let order = self.world.node.money.paid.get(&OrderId(id));
        assert_eq!(paid.is_ok(), order.is_some(), "{paid:?}");
        paid.map(|()| order.unwrap().max_fee)
    }

    /// She shows a code. Gives what its order has allowed.
    fn show(&mut self, cap: u64) -> Result<u64, String> {
        let (asset, cap, pin) = (euro().id().to_string(), cap.to_string(), PIN.into());
        let call = Call::Shop(ShopCall::ShowCode { asset, cap, pin });
        self.world.try_call(0, call).map_err(|error| error.code)?;
        Ok(self.world.node.money.codes.last().unwrap().max_fee)
    }
}

fn low() -> Result<u64, String> {
    Err("fee_too_low".into())
}

#[test]
fn each_kind_of_payment_allows_what_was_shown_of_it_and_nothing_else() {
    let rows: [Row; 17] = [
        (("person", 250), 10, (BOB, 250, 0, None), Ok(10)),
        (("person", 250), 10, (BOB, 251, 0, None), low()),
        (("person", 251), 10, (BOB, 250, 0, None), low()),
        (("shop", 250), 3, (BOB, 250, 0, None), low()),
        (("shop", 1_000), 10, (SHOP, 1_000, 0, None), Ok(10)),
        (("person", 1_000), 10, (SHOP, 1_000, 0, None), low()),
        // On a tip the fee is due as well: what is asked about is the sum and the tip.
        (("shop", 1_150), 12, (SHOP, 1_000, 150, None), Ok(12)),
        (("shop", 1_000), 10, (SHOP, 1_000, 150, None), low()),
        (("remote", 250), 10, (CAROL, 250, 0, None), Ok(10)),
        (("person", 250), 10, (CAROL, 250, 0, None), low()),
        (("remote", 917), 23, (FAR_SHOP, 900, 17, None), Ok(23)),
        (("remote", 900), 23, (FAR_SHOP, 900, 17, None), low()),
        (("shop", 917), 9, (FAR_SHOP, 900, 17, None), low()),
        // At a rate: what is given is what counts, and a tip is within what the shop gets.
        (("remote", 918), 23, (CAROL, 918, 0, Some(1_000)), Ok(23)),
        (("remote", 1_000), 25, (CAROL, 918, 0, Some(1_000)), low()),
        (("remote", 918), 23, (FAR_SHOP, 918, 100, Some(1_000)), Ok(23)),
        (("remote", 1_018), 25, (FAR_SHOP, 918, 100, Some(1_000)), low()),
    ];
    for ((kind, amount), due, sum, comes) in rows {
        let mut purse = Purse::new();
        assert_eq!(purse.ask(kind, amount), due, "{kind} {amount}");
        assert_eq!(purse.pay(sum), comes, "{kind} {amount}: {sum:?}");
    }
    let mut purse = Purse::new();
    assert_eq!(purse.pay((BOB, 250, 0, None)), low(), "nothing was shown at all");
}

#[test]
fn a_code_allows_the_fee_of_its_cap() {
    let mut purse = Purse::new();
    // Whoever reads it may be a shop of this node, or of another one: the larger of both fees.
    assert_eq!(purse.ask("code", 1_900), 43);
    assert_eq!(purse.show(2_000), low());
    assert_eq!(purse.ask("code", 2_000), 45);
    assert_eq!(purse.show(2_000), Ok(45));
    assert_eq!(purse.world.node.money.codes.len(), 1, "the other one never was");
}

#[test]
fn what_was_shown_last_is_what_is_allowed() {
    let mut purse = Purse::new();
    let bob = (BOB, 250, 0, None);
    purse.ask("person", 250);
    purse.world.node.money.fees = vec![fee(FeeKind::Person, 11, 0)];
    assert_eq!(purse.pay(bob), low(), "it was raised since");
    assert_eq!((purse.ask("person", 250), purse.pay(bob)), (11, Ok(11)));
    purse.world.node.money.fees = vec![fee(FeeKind::Person, 4, 0)];
    assert_eq!((purse.ask("person", 250), purse.pay(bob)), (4, Ok(4)));
}

#[test]
fn after_sixteen_questions_the_first_is_forgotten_and_asked_again() {
    let mut purse = Purse::new();
    for amount in 1..=16 {
        purse.ask("person", amount * 100);
    }
    assert_eq!(purse.pay((BOB, 100, 0, None)), Ok(10), "sixteen are remembered");
    purse.ask("person", 1_700);
    assert_eq!(purse.pay((BOB, 100, 0, None)), low(), "nothing is paid that is not known");
    for amount in [200, 1_600, 1_700] {
        assert_eq!(purse.pay((BOB, amount, 0, None)), Ok(10), "{amount}");
    }
    assert_eq!((purse.ask("person", 100), purse.pay((BOB, 100, 0, None))), (10, Ok(10)));
}
