//! Whether a pinned key is really the person's: sixty digits that two people compare, or a code that one scans.

use super::{Contact, Pin, by_address, save};
use crate::account::{Me, me};
use crate::api::SafetyView;
use crate::error::{Refusal, call_error};
use crate::runtime::State;
use crate::sync;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use weft_wire::{UserAddress, bytes};

/// As Signal's numeric fingerprints: makes finding a second key with the same digits expensive.
const ROUNDS: usize = 5_200;
const VERSION: [u8; 2] = [0, 1];
const CODE_PREFIX: &str = "weft:verify/";
const CODE_BYTES_MAX: usize = 1024;

/// What the QR code says: who shows it, with which key, and which key they hold for the one who scans.
#[derive(Serialize, Deserialize)]
struct Code {
    user: UserAddress,
    #[serde(with = "bytes::array")]
    identity_key: [u8; 32],
    peer: UserAddress,
    #[serde(with = "bytes::array")]
    peer_key: [u8; 32],
}

/// Sixty digits in twelve groups, the same for both people.
pub fn safety_number(a: (&UserAddress, &[u8; 32]), b: (&UserAddress, &[u8; 32])) -> Vec<String> {
    let (a, b) = (fingerprint(a.0, a.1), fingerprint(b.0, b.1));
    if a <= b { [a, b].concat() } else { [b, a].concat() }
}

fn fingerprint(user: &UserAddress, identity_key: &[u8; 32]) -> Vec<String> {
    let mut hash = Sha512::new()
        .chain_update(VERSION)
        .chain_update(identity_key)
        .chain_update(user.to_string().as_bytes())
        .finalize();
    for _ in 1..ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(identity_key).finalize();
    }
    // Six groups of five bytes, each reduced to five digits.
    let group = |chunk: &[u8]| chunk.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte)) % 100_000;
    hash.chunks_exact(5).take(6).map(|chunk| format!("{:05}", group(chunk))).collect()
}

/// The keys that a person would compare now: those that turned up, when they are others than the pinned ones.
fn current(contact: &Contact) -> Result<Pin, Refusal> {
    contact
        .changed
        .or(contact.pin)
        .ok_or_else(|| call_error("unknown_contact", "Nothing is known of this person's key yet."))
}

fn view_of(me: &Me, contact: &Contact) -> Result<SafetyView, Refusal> {
    let pin = current(contact)?;
    let code = Code {
        user: me.user.clone(),
        identity_key: me.identity_key,
        peer: contact.user.clone(),
        peer_key: pin.identity_key,
    };
    Ok(SafetyView {
        user: contact.user.to_string(),
        digits: safety_number((&me.user, &me.identity_key), (&contact.user, &pin.identity_key)),
        code: format!("{CODE_PREFIX}{}", URL_SAFE_NO_PAD.encode(weft_wire::encode(&code))),
        verified: contact.verified && contact.changed.is_none(),
    })
}

/// The digits and the code.
pub(crate) fn view(s: &mut State, user: &str) -> Result<SafetyView, Refusal> {
    let me = me(s)?;
    view_of(&me, &by_address(s, user)?)
}

/// Compares a scanned code. It must be by this person, and about me.
pub(crate) fn by_code(s: &mut State, user: &str, text: &str) -> Result<SafetyView, Refusal> {
    let me = me(s)?;
    let contact = by_address(s, user)?;
    let bad = || call_error("bad_link", "This is not a verification code.");
    let payload = text.trim().strip_prefix(CODE_PREFIX).ok_or_else(bad)?;
    if payload.len() > CODE_BYTES_MAX {
        return Err(bad());
    }
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| bad())?;
    let code: Code = weft_wire::decode(&bytes, CODE_BYTES_MAX).map_err(|_| bad())?;
    if code.user != contact.user || code.peer != me.user {
        return Err(call_error("bad_link", "This code is for somebody else."));
    }
    let pin = current(&contact)?;
    let theirs = code.identity_key.ct_eq(&pin.identity_key);
    let mine = code.peer_key.ct_eq(&me.identity_key);
    if !bool::from(theirs & mine) {
        return Err(call_error("key_changed", "The keys do not match: somebody may be in between."));
    }
    set(s, contact, true)
}

/// The people compared the digits themselves. With other keys than before, this is also the decision to go on with them.
pub(crate) fn set_verified(s: &mut State, user: &str, verified: bool) -> Result<SafetyView, Refusal> {
    let contact = by_address(s, user)?;
    set(s, contact, verified)
}

fn set(s: &mut State, mut contact: Contact, verified: bool) -> Result<SafetyView, Refusal> {
    let me = me(s)?;
    let pin = current(&contact)?;
    contact.pin = Some(pin);
    contact.changed = None;
    contact.verified = verified;
    // Later than whatever was decided before, however the clocks go: the newest decision counts on all devices.
    contact.verified_ms = s.live.node_time(s.now).max(contact.verified_ms.saturating_add(1));
    save(s, &contact);
    sync::contact_ready(s, &contact);
    view_of(&me, &contact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_the_same_sixty_digits() {
        let (alice, bob) = ("alice@a.example".parse().unwrap(), "bob@b.example".parse().unwrap());
        let one = safety_number((&alice, &[1; 32]), (&bob, &[2; 32]));
        let other = safety_number((&bob, &[2; 32]), (&alice, &[1; 32]));
        assert_eq!(one, other);
        assert_eq!(one.len(), 12);
        assert!(one.iter().all(|group| group.len() == 5 && group.bytes().all(|b| b.is_ascii_digit())));
    }

    #[test]
    fn another_key_or_name_gives_other_digits() {
        let (alice, bob) = ("alice@a.example".parse().unwrap(), "bob@b.example".parse().unwrap());
        let mallory = "mallory@b.example".parse().unwrap();
        let real = safety_number((&alice, &[1; 32]), (&bob, &[2; 32]));
        assert_ne!(real, safety_number((&alice, &[1; 32]), (&bob, &[3; 32])));
        assert_ne!(real, safety_number((&alice, &[1; 32]), (&mallory, &[2; 32])));
    }
}
