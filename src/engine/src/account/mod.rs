//! Who is signed in here: the account, this device, its session.

pub mod secret;

pub(crate) mod devices;
mod opening;
mod password;
pub(crate) mod session;
mod sign_in;
mod sign_up;

pub(crate) use opening::resume_pending;
pub(crate) use password::{change_password, open_account};
pub(crate) use sign_in::{recover, sign_in};
pub(crate) use sign_up::{confirm_phrase, phrase, sign_up};

use crate::api::{Event, MeView};
use crate::error::{OpenError, Refusal, call_error};
use crate::kv::Kv;
use crate::runtime::State;
use crate::{connection, rooms, sync, vault};
use ed25519_dalek::SigningKey;
use secret::{AccountSecret, PhraseEntropy};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use weft_wire::accounts::Role;
use weft_wire::identity::{DeviceCert, UserIdentity};
use weft_wire::{Blob, DeviceId, Millis, Signed, UserAddress, limits};
use zeroize::Zeroize;

const ACCOUNT: &[u8] = b"a/me";
const PENDING: &[u8] = b"a/pending";
const SYNC: &[u8] = b"a/sync";

/// A password has at least so many characters; the interface says more about its strength.
const PASSWORD_CHARS_MIN: usize = 10;
/// Argon2 takes any length; a pasted file is a mistake.
const PASSWORD_BYTES_MAX: usize = 1024;

/// The account as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub user: UserAddress,
    pub display_name: String,
    pub role: Role,
    /// The account secret.
    secret: Blob,
    /// Seed of the device key.
    device: Blob,
    pub cert: Signed<DeviceCert>,
    pub identity: Signed<UserIdentity>,
    /// The 24 words, until the person has shown that they wrote them down.
    #[serde(default)]
    phrase: Option<Blob>,
}

impl Drop for Account {
    fn drop(&mut self) {
        self.secret.0.zeroize();
        self.device.0.zeroize();
        if let Some(phrase) = &mut self.phrase {
            phrase.0.zeroize();
        }
    }
}

/// How far this device has got with what the node has for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SyncState {
    /// The last inbox item that was processed.
    pub inbox_after: u64,
    /// Contacts were read once.
    pub contacts_pulled: bool,
    /// Rooms were read once.
    #[serde(default)]
    pub rooms_listed: bool,
}

/// What is needed at every turn, opened once.
pub(crate) struct Me {
    pub user: UserAddress,
    pub device: DeviceId,
    pub device_key: SigningKey,
    pub secret: AccountSecret,
    /// The same device, as rooms know it.
    pub room: rooms::Me,
    pub identity_key: [u8; 32],
    pub seal_key: x25519_dalek::StaticSecret,
}

impl Account {
    fn open(&self) -> Option<Me> {
        let secret = AccountSecret::new(array(&self.secret)?);
        let mut seed = array(&self.device)?;
        let device_key = SigningKey::from_bytes(&seed);
        seed.zeroize();
        let device = DeviceId::of_key(&device_key.verifying_key().to_bytes());
        let identity_key = secret.identity_key().verifying_key().to_bytes();
        let room = rooms::Me {
            user: self.user.clone(),
            device,
            key: device_key.clone(),
            cert: self.cert.clone(),
            identity_key,
        };
        let seal_key = secret.seal_key();
        Some(Me { user: self.user.clone(), device, identity_key, seal_key, device_key, secret, room })
    }

    fn view(&self) -> MeView {
        let device = self.cert.peek().map(|cert| cert.device.to_string()).unwrap_or_default();
        let role = match self.role {
            Role::Owner => "owner",
            Role::Member => "member",
        };
        MeView {
            user: self.user.to_string(),
            name: self.user.name.to_string(),
            display_name: self.display_name.clone(),
            device,
            role: role.into(),
            phrase_confirmed: self.phrase.is_none(),
        }
    }

    fn phrase(&self) -> Option<PhraseEntropy> {
        array(self.phrase.as_ref()?).map(PhraseEntropy::new)
    }
}

fn array(blob: &Blob) -> Option<[u8; 32]> {
    blob.as_slice().try_into().ok()
}

/// The kept account.
pub(crate) fn account(s: &mut State) -> Option<Account> {
    s.load(ACCOUNT)
}

/// How the account looks to a person.
pub(crate) fn view(s: &mut State) -> Option<MeView> {
    account(s).map(|account| account.view())
}

/// Who is signed in.
///
/// # Errors
/// `not_signed_in`.
pub(crate) fn me(s: &State) -> Result<Rc<Me>, Refusal> {
    s.live.me.clone().ok_or_else(|| call_error("not_signed_in", "Nobody is signed in here."))
}

/// Reads the account when the engine opens.
///
/// # Errors
/// [`OpenError::Account`] when there is one and it does not open.
pub(crate) fn load(s: &mut State) -> Result<(), OpenError> {
    if s.kv.get(ACCOUNT).is_some() {
        let me = account(s).and_then(|account| account.open()).ok_or(OpenError::Account)?;
        s.live.me = Some(Rc::new(me));
    }
    Ok(())
}

pub(crate) fn sync_state(s: &mut State) -> SyncState {
    s.load(SYNC).unwrap_or_default()
}

pub(crate) fn set_sync_state(s: &mut State, state: &SyncState) {
    s.store(SYNC, state);
}

/// Changes what others read, here and on the other devices.
pub(crate) fn set_display_name(s: &mut State, name: &str, from_vault: bool) -> Result<(), Refusal> {
    let name = display_name(name)?;
    let Some(mut account) = account(s) else {
        return Err(call_error("not_signed_in", "Nobody is signed in here."));
    };
    if account.display_name == name {
        return Ok(());
    }
    account.display_name = name;
    s.store(ACCOUNT, &account);
    s.event(Event::Me(Some(account.view())));
    if !from_vault {
        vault::changed(s, vault::Name::Profile);
        sync::announce_profile(s);
    }
    Ok(())
}

/// The node has ended this device: forget everything, and say so.
pub(crate) fn signed_out_remotely(s: &mut State) {
    if s.live.me.is_some() {
        forget(s);
        s.event(Event::Notice { code: "signed_out_remotely".into(), user: None });
    }
}

/// Forgets everything here.
pub(crate) fn forget(s: &mut State) {
    connection::stop(s);
    s.wipe();
    s.event(Event::Me(None));
}

fn display_name(text: &str) -> Result<String, Refusal> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() || name.len() > limits::DISPLAY_NAME_BYTES_MAX {
        let mut error = call_error("bad_input", "A display name has 1 to 128 bytes.");
        error.field = Some("display_name".into());
        return Err(error);
    }
    Ok(name)
}

fn check_password(password: &str, field: &str) -> Result<(), Refusal> {
    let mut error = call_error("weak_password", "A password has at least 10 characters.");
    error.field = Some(field.into());
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(error);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        error.code = "bad_input".into();
        error.message = "A password has at most 1,024 bytes.".into();
        return Err(error);
    }
    Ok(())
}

/// So long a device certificate lives. Sign-out ends it earlier.
const CERT_LIFETIME_MS: Millis = 10 * 365 * 24 * 3_600_000;

/// A new device of an account: its key and its certificate.
fn new_device(
    s: &mut State,
    user: &UserAddress,
    secret: &AccountSecret,
    time_ms: Millis,
) -> (Blob, Signed<DeviceCert>) {
    let mut seed: [u8; 32] = s.random();
    let device_key = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let kept = Blob(seed.to_vec());
    seed.zeroize();
    let identity = secret.identity_key();
    let cert = DeviceCert {
        user: user.clone(),
        identity_key: identity.verifying_key().to_bytes(),
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: time_ms,
        expires_ms: time_ms.saturating_add(CERT_LIFETIME_MS),
    };
    (kept, Signed::sign(&cert, &identity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_clock_at_the_end_of_time_makes_a_certificate_that_is_not_valid_and_no_overflow() {
        let rng = ChaCha20Rng::from_seed([1; 32]);
        let stretching = weft_wire::opaque::Stretching::LIGHT;
        let mut s = State::new(crate::kv::MemoryKv::default(), rng, 0, stretching);
        let secret = AccountSecret::new([2; 32]);
        let user = "alice@home.example".parse().unwrap();
        let (_, cert) = new_device(&mut s, &user, &secret, Millis::MAX);
        assert!(cert.open(0).is_err(), "it ends when it begins");
        let (_, cert) = new_device(&mut s, &user, &secret, 5);
        assert_eq!(cert.open(5).unwrap().expires_ms, 5 + CERT_LIFETIME_MS);
    }
}
