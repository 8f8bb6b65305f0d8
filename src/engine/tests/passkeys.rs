//! Paying with a passkey in place of the PIN, and whatever an interface may say that is none.

use crate::support::money::{Money, euro};
use crate::support::{World, story::*};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use weft_engine::api::{Call, PasskeyCall, PasskeyReply, PasskeyView, Reply};

const PIN: &str = "280195";
const WRONG: &str = "111112";
/// What the authenticators of alice and of somebody else give.
const SECRET: [u8; 32] = [21; 32];
const OTHER: [u8; 32] = [22; 32];

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What stands where else the PIN stands.
fn said(secret: &[u8]) -> String {
    format!("prf:{}", text(secret))
}

/// Alice has a PIN.
fn alice() -> World {
    let mut world = World::new();
    world.node.money = Money::with([7; 32]);
    for name in ["alice", "bob"] {
        let at = world.device();
        sign_up(&mut world, at, name);
    }
    world.settle(5_000);
    new_pin(&mut world);
    world
}

fn new_pin(world: &mut World) {
    world.call(0, Call::SetPin { pin: PIN.into(), password: PASSWORD.into() });
}

fn set(pin: &str) -> PasskeyCall {
    PasskeyCall::SetPasskey {
        id: text(b"credential"),
        salt: text(&[9; 32]),
        secret: text(&SECRET),
        pin: pin.into(),
    }
}

fn tell(world: &mut World, call: PasskeyCall) -> Result<(), String> {
    world.try_call(0, Call::Passkey(call)).map(drop).map_err(|error| error.code)
}

fn passkey(world: &mut World) -> Option<PasskeyView> {
    let reply = world.call(0, Call::Passkey(PasskeyCall::Passkey));
    let Reply::Passkey(PasskeyReply::Passkey(view)) = reply else { panic!("a passkey") };
    view
}

/// Pays bob; `n` names the payment.
fn pay(world: &mut World, n: u8, pin: &str) -> Result<(), String> {
    let call = Call::Pay {
        id: format!("{n:032x}"),
        user: "bob@home.example".into(),
        asset: euro().id().to_string(),
        amount: "250".into(),
        note: String::new(),
        hold: false,
        chat: None,
        request: None,
        refunds: None,
        exchange: None,
        pin: pin.into(),
    };
    world.try_call(0, call).map(drop).map_err(|error| error.code)
}

fn err(code: &str) -> Result<(), String> {
    Err(code.into())
}

#[test]
fn a_passkey_pays_as_the_pin_does_until_it_is_forgotten() {
    let mut world = alice();
    assert_eq!(passkey(&mut world), None);
    assert_eq!(pay(&mut world, 1, &said(&SECRET)), err("wrong_passkey"));
    let before = world.node.requests.clone();
    assert_eq!(tell(&mut world, set(PIN)), Ok(()));
    assert_eq!(world.node.requests, before, "the node hears nothing of it");
    world.kill(0);
    world.start(0);
    world.settle(5_000);
    let kept = PasskeyView { id: text(b"credential"), salt: text(&[9; 32]) };
    assert_eq!(passkey(&mut world), Some(kept));
    assert_eq!(pay(&mut world, 2, &said(&SECRET)), Ok(()));
    assert_eq!(pay(&mut world, 3, PIN), Ok(()));
    // Not what the authenticator gave: whoever reads all that is kept needs the authenticator still.
    let all = world.hosts[0].kept();
    assert!(!all.windows(32).any(|bytes| bytes == SECRET));
    assert!(all.windows(10).any(|bytes| bytes == b"credential"), "this is where it would be");
    assert_eq!(tell(&mut world, PasskeyCall::ForgetPasskey), Ok(()));
    assert_eq!(passkey(&mut world), None);
    assert_eq!(pay(&mut world, 4, &said(&SECRET)), err("wrong_passkey"));
    assert_eq!(pay(&mut world, 4, PIN), Ok(()));
    assert_eq!(world.node.money.paid.len(), 3);
}

#[test]
fn a_new_pin_and_signing_out_end_a_passkey() {
    let mut world = alice();
    tell(&mut world, set(PIN)).unwrap();
    new_pin(&mut world);
    assert_eq!(passkey(&mut world), None);
    assert_eq!(pay(&mut world, 1, &said(&SECRET)), err("wrong_passkey"), "it is another key");
    tell(&mut world, set(PIN)).unwrap();
    world.call(0, Call::SignOut);
    world.settle(5_000);
    world.call(0, Call::SignIn { name: "alice".into(), password: PASSWORD.into() });
    world.settle(5_000);
    assert_eq!(passkey(&mut world), None);
    assert_eq!(tell(&mut world, set(PIN)), err("no_pin"));
    assert_eq!(pay(&mut world, 2, &said(&SECRET)), err("wrong_passkey"));
}

#[test]
fn what_is_no_passkey_is_refused_and_harms_nothing() {
    let mut world = alice();
    tell(&mut world, set(PIN)).unwrap();
    let garbage = ["", "!", "====", "280195", "å", &"A".repeat(100_000)];
    let texts = garbage.iter().map(|text| format!("prf:{text}"));
    let others = [&OTHER[..], &SECRET[..31], &[21; 33]].map(said);
    for wrong in texts.chain(others).chain([text(&SECRET), format!("PRF:{}", text(&SECRET))]) {
        let code = if wrong.starts_with("prf:") { "wrong_passkey" } else { "wrong_pin" };
        assert_eq!(pay(&mut world, 1, &wrong), err(code), "{}", &wrong[..wrong.len().min(60)]);
    }
    let bad = |id: &[u8], salt: &[u8], secret: &[u8]| PasskeyCall::SetPasskey {
        id: text(id),
        salt: text(salt),
        secret: text(secret),
        pin: PIN.into(),
    };
    for call in [
        bad(b"", &[9; 32], &OTHER),
        bad(&[1; 1024], &[9; 32], &OTHER),
        bad(b"id", &[9; 31], &OTHER),
        bad(b"id", &[9; 32], &OTHER[1..]),
    ] {
        assert_eq!(tell(&mut world, call), err("bad_input"));
    }
    assert_eq!(passkey(&mut world).unwrap().id, text(b"credential"), "the one before still holds");
    assert_eq!(pay(&mut world, 2, &said(&SECRET)), Ok(()));
    assert_eq!(pay(&mut world, 3, PIN), Ok(()));
}

#[test]
fn a_passkey_is_set_by_the_pin_alone_and_wrong_ones_feed_no_lock_out() {
    let mut world = alice();
    assert_eq!(tell(&mut world, set(WRONG)), err("wrong_pin"));
    tell(&mut world, set(PIN)).unwrap();
    assert_eq!(tell(&mut world, set(&said(&SECRET))), err("wrong_pin"), "one does not bring in another");
    for n in 10..30 {
        assert_eq!(pay(&mut world, n, &said(&OTHER)), err("wrong_passkey"));
    }
    assert_eq!(pay(&mut world, 1, PIN), Ok(()), "there is no wait");
    // Nor does a wait after wrong PINs keep the passkey out; it does not end the wait, either.
    for n in 30..34 {
        assert_eq!(pay(&mut world, n, WRONG), err("wrong_pin"));
    }
    assert_eq!(pay(&mut world, 34, WRONG), err("pin_locked"));
    assert_eq!(pay(&mut world, 2, &said(&SECRET)), Ok(()));
    assert_eq!(pay(&mut world, 3, PIN), err("pin_locked"));
    assert_eq!(tell(&mut world, set(PIN)), err("pin_locked"));
    world.settle(61_000);
    assert_eq!(pay(&mut world, 3, PIN), Ok(()));
}
