//! The key that signs payment orders. It lies sealed under the payment PIN: who has the unlocked device alone cannot pay with it.
//!
//! Six digits withstand whoever taps on an open device: after a few wrong ones there is a wait. They do not withstand whoever takes
//! all of the device's storage and breaks what seals that; then the node's owner stops the account, or the device is signed out.
//!
//! A passkey may open it as well ([`super::passkey`]); a new PIN is a new key, which no passkey opens.

use super::passkey::{self, Passkey};
use crate::account::{Me, me, open_account};
use crate::error::{Refusal, call_error, field_error, internal, with_field};
use crate::http;
use crate::runtime::{Cx, State};
use crate::sealing;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use weft_wire::wallet::{OrderKeyCert, PutOrderKey};
use weft_wire::{Blob, Millis, Signed};
use zeroize::Zeroizing;

const KEY: &[u8] = b"w/key";
const PURPOSE: &[u8] = b"weft/order-key\0";
const PIN_DIGITS: usize = 6;
/// Wrong ones before there is a wait.
const TRIES: u32 = 5;
/// The first wait; each further wrong one doubles it.
const WAIT_MS: Millis = 60_000;
const WAIT_MS_MAX: Millis = 3_600_000;

/// A node that says that a device has signed so many orders which it does not know of is not believed: a counter at its end
/// would be the end of paying.
const COUNTER_JUMP_MAX: u64 = 1_000_000;

/// The key as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Its seed, sealed.
    sealed: Blob,
    salt: [u8; 16],
    cert: Signed<OrderKeyCert>,
    /// The node has it, as far as is known.
    installed: bool,
    /// That of the last order.
    counter: u64,
    /// Wrong PINs since the last right one.
    #[serde(default)]
    wrong: u32,
    /// No PIN is looked at before.
    #[serde(default)]
    locked_until_ms: Millis,
    /// What opens it beside the PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passkey: Option<Passkey>,
}

/// Whether this device can sign payments.
pub(super) fn is_set(s: &mut State) -> bool {
    s.load::<Kept>(KEY).is_some()
}

/// Makes a new order key under a new PIN. Whoever wants that knows the account's password.
pub(super) async fn set_pin(cx: &Cx, pin: &str, password: &str) -> Result<(), Refusal> {
    check(pin)?;
    let me = cx.with(|s| me(s))?;
    open_account(cx, &me.user, password).await.map_err(|mut error| {
        if error.code == "wrong_credentials" {
            error.field = Some("password".into());
        }
        error
    })?;
    cx.with(|s| make(s, &me, pin))?;
    install(cx).await
}

fn make(s: &mut State, me: &Me, pin: &str) -> Result<(), Refusal> {
    let seed = Zeroizing::new(s.random::<32>());
    let salt = s.random::<16>();
    let key = SigningKey::from_bytes(&seed);
    // Newer than the last one, whatever the node's clock has done since.
    let before = s.load::<Kept>(KEY);
    let last = before.as_ref().and_then(|kept| kept.cert.peek().ok()).map_or(0, |cert| cert.created_ms + 1);
    let created_ms = s.live.node_time(s.now).max(last);
    let order_key = key.verifying_key().to_bytes();
    let cert = OrderKeyCert { user: me.user.clone(), device: me.device, order_key, created_ms };
    let under = stretch(s, pin, &salt)?;
    let sealed = Blob(sealing::seal(&mut s.rng, &under, &purpose_of(me, PURPOSE), seed.as_slice())?);
    // The counter is the device's, not the key's.
    let counter = before.map_or(0, |kept| kept.counter);
    let cert = Signed::sign(&cert, &me.device_key);
    let kept =
        Kept { sealed, salt, cert, installed: false, counter, wrong: 0, locked_until_ms: 0, passkey: None };
    s.store(KEY, &kept);
    Ok(())
}

/// Brings the key to the node, if that does not have it.
pub(super) async fn install(cx: &Cx) -> Result<(), Refusal> {
    let kept = cx.with(|s| s.load::<Kept>(KEY)).ok_or_else(no_pin)?;
    if kept.installed {
        return Ok(());
    }
    let request = PutOrderKey { cert: kept.cert.clone() };
    http::tell(cx, "PUT", "wallet/order-key", Some(&request)).await?;
    cx.with(|s| {
        if let Some(now) = s.load::<Kept>(KEY).filter(|now| now.cert == kept.cert) {
            s.store(KEY, &Kept { installed: true, ..now });
        }
    });
    Ok(())
}

/// The node has forgotten the key: it comes from a backup.
pub(super) fn forgotten(s: &mut State) {
    if let Some(kept) = s.load::<Kept>(KEY) {
        s.store(KEY, &Kept { installed: false, ..kept });
    }
}

/// Opens the key with the PIN, or with what a passkey gives where one is set: [`passkey::PREFIX`] stands before that.
pub(super) fn unlock(s: &mut State, pin: &str) -> Result<SigningKey, Refusal> {
    let seed = match pin.strip_prefix(passkey::PREFIX) {
        Some(secret) => passkey::open(s, secret),
        None => by_pin(s, pin),
    };
    seed.map(|seed| SigningKey::from_bytes(&seed))
}

/// Opens the key's seed with the PIN and nothing else.
pub(super) fn by_pin(s: &mut State, pin: &str) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let purpose = purpose(s, PURPOSE)?;
    let kept: Kept = s.load(KEY).ok_or_else(no_pin)?;
    if s.now < kept.locked_until_ms {
        return Err(locked(kept.locked_until_ms - s.now));
    }
    check(pin).map_err(|_| wrong())?;
    let under = stretch(s, pin, &kept.salt)?;
    let Ok(seed) = sealing::open(&under, &purpose, kept.sealed.as_slice()) else {
        let wrong_now = kept.wrong.saturating_add(1);
        let wait = wait_ms(wrong_now);
        s.store(KEY, &Kept { wrong: wrong_now, locked_until_ms: s.now + wait, ..kept });
        return Err(if wait > 0 { locked(wait) } else { wrong() });
    };
    if kept.wrong > 0 {
        s.store(KEY, &Kept { wrong: 0, locked_until_ms: 0, ..kept });
    }
    self::seed(&seed)
}

/// A seed that was opened.
pub(super) fn seed(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    bytes.try_into().map(Zeroizing::new).map_err(|_| internal("order key"))
}

/// The passkey that opens it.
pub(super) fn passkey(s: &mut State) -> Option<Passkey> {
    s.load::<Kept>(KEY)?.passkey
}

/// Lets a passkey open it, or none.
pub(super) fn set_passkey(s: &mut State, passkey: Option<Passkey>) {
    if let Some(kept) = s.load::<Kept>(KEY) {
        s.store(KEY, &Kept { passkey, ..kept });
    }
}

/// The counter of the next order. `last`: what the node says that the last one was.
pub(super) fn count(s: &mut State, last: u64) -> Option<u64> {
    let kept: Kept = s.load(KEY)?;
    if last > kept.counter.saturating_add(COUNTER_JUMP_MAX) {
        return None;
    }
    let counter = kept.counter.max(last).checked_add(1)?;
    s.store(KEY, &Kept { counter, ..kept });
    Some(counter)
}

/// How long no PIN is looked at after so many wrong ones.
fn wait_ms(wrong: u32) -> Millis {
    match wrong.checked_sub(TRIES) {
        None => 0,
        Some(more) => WAIT_MS.checked_shl(more.min(16)).unwrap_or(WAIT_MS_MAX).min(WAIT_MS_MAX),
    }
}

fn check(pin: &str) -> Result<(), Refusal> {
    if pin.len() == PIN_DIGITS && pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(field_error("pin", "a PIN has six digits"))
}

fn stretch(s: &State, pin: &str, salt: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    s.stretching.stretch(pin.as_bytes(), salt).ok_or_else(|| internal("argon2"))
}

/// What a copy of the seed is sealed for: this device, and what opens it.
pub(super) fn purpose(s: &mut State, by: &[u8]) -> Result<Vec<u8>, Refusal> {
    let me = me(s)?;
    Ok(purpose_of(&me, by))
}

fn purpose_of(me: &Me, by: &[u8]) -> Vec<u8> {
    [by, me.device.as_bytes(), me.user.to_string().as_bytes()].concat()
}

fn no_pin() -> Refusal {
    call_error("no_pin", "This device has no payment PIN.")
}

fn wrong() -> Refusal {
    with_field("pin", call_error("wrong_pin", "The payment PIN is wrong."))
}

fn locked(wait: Millis) -> Refusal {
    let mut error = with_field("pin", call_error("pin_locked", "The payment PIN was wrong too often."));
    error.retry_after_ms = Some(wait as f64);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_after_a_few_wrong_pins_and_grow_to_an_hour() {
        let waits: Vec<_> = (0..=12).map(wait_ms).collect();
        let minutes: Vec<_> = waits.iter().map(|wait| wait / 60_000).collect();
        assert_eq!(minutes, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait_ms(u32::MAX), WAIT_MS_MAX);
    }
}
