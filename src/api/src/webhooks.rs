//! Payment providers of the operator: who may say that money has come in, and whether it is they who say it.
//!
//! A provider and the node share a secret. Each notice carries the time at which it was sent and an HMAC-SHA256 over that time, a dot and
//! the body as it is sent. An old notice is refused by its time; one that comes twice within that time is counted once by its id.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{fmt, sync::Arc};
use weft_wire::Millis;

/// The fewest bytes of a secret.
pub const SECRET_BYTES_MIN: usize = 32;
/// Against which the signatures of providers that are not there are checked, so that it takes as long.
const NOBODYS: [u8; SECRET_BYTES_MIN] = [0; SECRET_BYTES_MIN];

/// The providers of a node.
#[derive(Clone, Default)]
pub struct Webhooks {
    providers: Arc<[Provider]>,
    tolerance_ms: Millis,
}

/// One provider.
#[derive(Clone)]
pub struct Provider {
    /// What stands in the path.
    pub name: String,
    /// What it signs with; at least [`SECRET_BYTES_MIN`] bytes.
    pub secret: Arc<[u8]>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.providers.iter().map(|provider| &provider.name)).finish()
    }
}

/// Why a notice is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// The signature is not one of the provider, or there is no such provider.
    Signature,
    /// It was sent too long ago, or will be.
    Time,
}

impl Webhooks {
    /// `tolerance_ms`: how far the time of a notice may be from that of the node.
    pub fn new(providers: Vec<Provider>, tolerance_ms: Millis) -> Webhooks {
        Webhooks { providers: providers.into(), tolerance_ms }
    }

    /// Whether a provider has sent this body, lately. `seconds`: since 1970, as the header has it; `signature`: `v1=` and 64 hexadecimal
    /// digits.
    pub(crate) fn check(
        &self,
        name: &str,
        (seconds, signature): (&str, &str),
        body: &[u8],
        now: Millis,
    ) -> Result<(), Unproven> {
        let provider = self.providers.iter().find(|provider| provider.name == name);
        let secret = provider.map_or(NOBODYS.as_slice(), |provider| &provider.secret);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Unproven::Signature)?;
        mac.update(seconds.as_bytes());
        mac.update(b".");
        mac.update(body);
        let digits = signature.strip_prefix("v1=").and_then(|digits| hex::decode(digits).ok());
        // In constant time; what is no signature is compared, too.
        let is_it = mac.verify_slice(&digits.unwrap_or_default()).is_ok();
        if !is_it || provider.is_none() {
            return Err(Unproven::Signature);
        }
        let sent = seconds.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000));
        let is_fresh = sent.is_some_and(|sent| sent.abs_diff(now) <= self.tolerance_ms);
        if is_fresh { Ok(()) } else { Err(Unproven::Time) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_800_000_000_000;

    fn signed(secret: &[u8], seconds: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(&[seconds.as_bytes(), b".", body].concat());
        format!("v1={}", hex::encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn only_the_provider_is_believed_and_only_for_a_while() {
        let secret: &[u8] = b"a secret that bob and the node share";
        let bob = Provider { name: "bobpay".into(), secret: secret.into() };
        let hooks = Webhooks::new(vec![bob], 300_000);
        let (at, body) = ("1800000000", b"{}");
        let good = signed(secret, at, body);
        let check = |name: &str, at: &str, signature: &str, body: &[u8]| {
            hooks.check(name, (at, signature), body, NOW)
        };
        assert_eq!(check("bobpay", at, &good, body), Ok(()));
        let upper = good.to_uppercase().replace("V1", "v1");
        assert_eq!(check("bobpay", at, &upper, body), Ok(()));
        for (name, at, signature, body) in [
            ("carolpay", at, good.as_str(), &b"{}"[..]),
            ("bobpay", "1800000001", &good, b"{}"),
            ("bobpay", at, &good, b"{ }"),
            ("bobpay", at, good.trim_start_matches("v1="), b"{}"),
            ("bobpay", at, &good[..good.len() - 2], b"{}"),
            ("bobpay", at, "v1=", b"{}"),
            ("bobpay", at, "", b"{}"),
            ("carolpay", at, &signed(&NOBODYS, at, b"{}"), b"{}"),
        ] {
            assert_eq!(check(name, at, signature, body), Err(Unproven::Signature), "{name} {at} {signature}");
        }
        for (seconds, is_fresh) in [(1_799_999_700, true), (1_799_999_699, false), (1_800_000_301, false)] {
            let at = seconds.to_string();
            let outcome = hooks.check("bobpay", (&at, &signed(secret, &at, body)), body, NOW);
            assert_eq!(outcome.is_ok(), is_fresh, "{seconds}");
        }
        for at in ["", "soon", "-1", "99999999999999999999"] {
            assert_eq!(check("bobpay", at, &signed(secret, at, body), body), Err(Unproven::Time));
        }
    }

    #[test]
    fn a_secret_is_written_nowhere() {
        let bob = Provider { name: "bobpay".into(), secret: b"hunter2".as_slice().into() };
        assert_eq!(format!("{:?}", Webhooks::new(vec![bob], 1)), "[\"bobpay\"]");
    }
}
