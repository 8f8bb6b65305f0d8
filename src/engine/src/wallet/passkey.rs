//! Opening the order key without the PIN: its seed lies sealed a second time under what an authenticator of the browser gives for one
//! credential and one salt (WebAuthn's PRF extension), after it has seen a finger, a face or a PIN of its own. Decision 0020.
//!
//! What it gives is 32 bytes that nobody guesses: so there is no counting of wrong ones, and no wait.

use super::key;
use crate::account::secret::derive;
use crate::api::{PasskeyCall, PasskeyReply, PasskeyView, Reply};
use crate::error::{Refusal, call_error, field_error, with_field};
use crate::runtime::{Cx, State};
use crate::sealing;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use weft_wire::Blob;
use zeroize::Zeroizing;

/// What stands before the secret where else a PIN stands. No PIN begins like that.
pub(super) const PREFIX: &str = "prf:";
/// As WebAuthn bounds it.
const ID_BYTES_MAX: usize = 1023;

/// The passkey as it is kept beside the key.
#[derive(Serialize, Deserialize)]
pub(super) struct Passkey {
    id: Blob,
    salt: [u8; 32],
    /// The order key's seed.
    sealed: Blob,
}

/// Answers a call about the passkey.
pub(super) fn answer(cx: &Cx, call: PasskeyCall) -> Result<Reply, Refusal> {
    match call {
        PasskeyCall::Passkey => {
            let view = cx.with(key::passkey).map(|passkey| PasskeyView {
                id: URL_SAFE_NO_PAD.encode(passkey.id.as_slice()),
                salt: URL_SAFE_NO_PAD.encode(passkey.salt),
            });
            return Ok(Reply::Passkey(PasskeyReply::Passkey(view)));
        }
        PasskeyCall::SetPasskey { id, salt, secret, pin } => {
            let (secret, pin) = (Zeroizing::new(secret), Zeroizing::new(pin));
            cx.with(|s| set(s, &id, &salt, &secret, &pin))?;
        }
        PasskeyCall::ForgetPasskey => cx.with(|s| key::set_passkey(s, None)),
    }
    Ok(Reply::Done)
}

fn set(s: &mut State, id: &str, salt: &str, secret: &str, pin: &str) -> Result<(), Refusal> {
    let id = URL_SAFE_NO_PAD.decode(id).ok().filter(|id| (1..=ID_BYTES_MAX).contains(&id.len()));
    let id = Blob(id.ok_or_else(|| field_error("id", "no id of a credential"))?);
    let salt = *bytes(salt).ok_or_else(|| field_error("salt", "a salt has 32 bytes"))?;
    let secret = bytes(secret).ok_or_else(|| field_error("secret", "a secret has 32 bytes"))?;
    let seed = key::by_pin(s, pin)?;
    let (under, purpose) = (under(&secret), key::purpose(s, PURPOSE)?);
    let sealed = Blob(sealing::seal(&mut s.rng, &under, &purpose, seed.as_slice())?);
    key::set_passkey(s, Some(Passkey { id, salt, sealed }));
    Ok(())
}

/// Opens the seed with what stood behind [`PREFIX`].
pub(super) fn open(s: &mut State, secret: &str) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let passkey = key::passkey(s).ok_or_else(wrong)?;
    let secret = bytes(secret).ok_or_else(wrong)?;
    let purpose = key::purpose(s, PURPOSE)?;
    let seed = sealing::open(&under(&secret), &purpose, passkey.sealed.as_slice()).map_err(|_| wrong())?;
    key::seed(&seed)
}

const PURPOSE: &[u8] = b"weft/order-key/prf\0";

fn under(secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    derive(secret, b"weft/order-key/prf")
}

fn bytes(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

/// There is none, or this is another's. Which one is not said.
fn wrong() -> Refusal {
    with_field("pin", call_error("wrong_passkey", "The passkey does not open the order key."))
}
