//! Sign-up, and the 24 words that it makes.

use super::secret::{AccountSecret, PHRASE_WORDS, PhraseEntropy};
use super::{ACCOUNT, Account, account, check_password, display_name, new_device, opening};
use crate::api::Event;
use crate::error::{Refusal, call_error, field_error, internal};
use crate::http;
use crate::runtime::{Cx, State};
use crate::sealing;
use crate::wallet::trust;
use opaque_ke::{ClientRegistration, ClientRegistrationFinishParameters, RegistrationResponse};
use weft_mls::sets::set;
use weft_wire::accounts::{Recovery, RegisterChallenge, RegisterFinish, RegisterStart, Role};
use weft_wire::identity::UserIdentity;
use weft_wire::invites::Link;
use weft_wire::node::NodeInfo;
use weft_wire::opaque::{Suite, identifiers};
use weft_wire::{Blob, Signed, UserAddress, UserName};
use zeroize::Zeroizing;

/// What a keyring is for, and whose it is.
pub(super) fn keyring_purpose(user: &UserAddress) -> Vec<u8> {
    [b"weft/keyring\0".as_slice(), user.to_string().as_bytes()].concat()
}

/// As [`keyring_purpose`], for the copy under the recovery phrase.
pub(super) fn recovery_purpose(user: &UserAddress) -> Vec<u8> {
    [b"weft/recovery\0".as_slice(), user.to_string().as_bytes()].concat()
}

/// The key that OPAQUE's export key gives for the keyring.
pub(super) fn keyring_key(export_key: &[u8]) -> Zeroizing<[u8; 32]> {
    super::secret::derive(export_key, b"weft/keyring/1")
}

/// Makes an account.
pub(crate) async fn sign_up(
    cx: &Cx,
    name: &str,
    shown: &str,
    password: &str,
    invite: Option<&str>,
) -> Result<(), Refusal> {
    let name: UserName = name.parse().map_err(|error| field_error("name", error))?;
    let shown = if shown.trim().is_empty() { name.to_string() } else { display_name(shown)? };
    check_password(password, "password")?;
    let invite = invite.map(str::trim).filter(|text| !text.is_empty()).map(invite_code);
    if super::opening::resume_pending(cx).await? {
        return match cx.with(|s| s.live.me.clone()) {
            Some(me) if me.user.name == name => Ok(()),
            _ => Err(call_error("already_signed_in", "Somebody is signed in here.")),
        };
    }
    let node: NodeInfo = http::open_get(cx, "node").await?;
    let opened = ask(cx, &name, password, invite.as_deref()).await?;
    let (account, finish) = cx.with(|s| make(s, &node, name, shown, invite, opened))?;
    opening::finish(cx, account, "accounts/register/finish", &finish).await?;
    cx.with(|s| trust::saw(s, &node));
    Ok(())
}

/// What OPAQUE gives for a new password: the upload, and the export key.
type Registered = (Vec<u8>, Zeroizing<Vec<u8>>);

/// The first half: whether the name is free, and the node's part of OPAQUE.
async fn ask(cx: &Cx, name: &UserName, password: &str, invite: Option<&str>) -> Result<Registered, Refusal> {
    let start = cx
        .with(|s| ClientRegistration::<Suite>::start(&mut s.rng, password.as_bytes()))
        .map_err(|_| internal("OPAQUE"))?;
    let request = RegisterStart {
        name: name.clone(),
        invite: invite.map(str::to_owned),
        opaque_request: Blob(start.message.serialize().to_vec()),
    };
    let challenge: RegisterChallenge = http::open_post(cx, "accounts/register/start", &request).await?;
    register(cx, start.state, password, name, &challenge)
}

/// The second half: all keys, those of the account sealed twice, and what the node is told of them.
fn make(
    s: &mut State,
    node: &NodeInfo,
    name: UserName,
    shown: String,
    invite: Option<String>,
    (upload, export_key): Registered,
) -> Result<(Account, RegisterFinish), Refusal> {
    let user = UserAddress::new(name.clone(), node.name.clone());
    let secret = AccountSecret::new(s.random());
    let phrase = s.random::<32>();
    let recovery = PhraseEntropy::new(phrase);
    let (device, cert) = new_device(s, &user, &secret, node.time_ms);
    let identity = UserIdentity {
        user: user.clone(),
        identity_key: secret.identity_key().verifying_key().to_bytes(),
        seal_key: x25519_dalek::PublicKey::from(&secret.seal_key()).to_bytes(),
        created_ms: node.time_ms,
    };
    let identity = Signed::sign(&identity, &secret.identity_key());
    let mut seal = |key: &[u8; 32], purpose: Vec<u8>| {
        sealing::seal(&mut s.rng, key, &purpose, secret.as_bytes()).map_err(|_| internal("sealing"))
    };
    let finish = RegisterFinish {
        name,
        invite,
        opaque_upload: Blob(upload),
        identity: identity.clone(),
        device: cert.clone(),
        keyring: Blob(seal(&keyring_key(&export_key), keyring_purpose(&user))?),
        recovery: Recovery {
            auth_key: recovery.auth_key().verifying_key().to_bytes(),
            sealed: Blob(seal(&recovery.seal_key(), recovery_purpose(&user))?),
        },
    };
    let account = Account {
        user,
        display_name: shown,
        role: Role::Member,
        secret: Blob(secret.as_bytes().to_vec()),
        device,
        cert,
        identity,
        phrase: Some(Blob(phrase.to_vec())),
    };
    Ok((account, finish))
}

/// Finishes an OPAQUE registration: the upload, and the export key. Here the password is stretched.
pub(super) fn register(
    cx: &Cx,
    state: ClientRegistration<Suite>,
    password: &str,
    name: &UserName,
    challenge: &RegisterChallenge,
) -> Result<Registered, Refusal> {
    let nonsense = || call_error("internal", "The node's answer makes no sense.");
    let response = RegistrationResponse::<Suite>::deserialize(challenge.opaque_response.as_slice())
        .map_err(|_| nonsense())?;
    cx.with(|s| {
        let stretching = s.stretching;
        let params = ClientRegistrationFinishParameters::new(identifiers(name), Some(&stretching));
        let result =
            state.finish(&mut s.rng, password.as_bytes(), response, params).map_err(|_| nonsense())?;
        Ok((result.message.serialize().to_vec(), Zeroizing::new(result.export_key.to_vec())))
    })
}

/// The code alone, out of a pasted link.
fn invite_code(text: &str) -> String {
    Link::parse(text).ok().and_then(|link| link.invite).unwrap_or_else(|| text.to_owned())
}

/// The 24 words, until they were confirmed.
pub(crate) fn phrase(cx: &Cx) -> Option<Vec<String>> {
    cx.with(|s| Some(account(s)?.phrase()?.words()))
}

/// Forgets the words for good, once the person has shown that they have them.
pub(crate) fn confirm_phrase(cx: &Cx, words: &[(u8, String)]) -> Result<(), Refusal> {
    cx.with(|s| {
        let Some(mut account) = account(s) else {
            return Err(call_error("not_signed_in", "Nobody is signed in here."));
        };
        let Some(phrase) = account.phrase() else { return Ok(()) };
        let real = Zeroizing::new(phrase.words());
        let asked = set(words.iter().map(|(at, _)| *at).filter(|at| usize::from(*at) < PHRASE_WORDS));
        let right = words.iter().all(|(at, word)| {
            real.get(usize::from(*at)).is_some_and(|real| *real == word.trim().to_lowercase())
        });
        if asked.len() < 3 || !right {
            return Err(call_error("wrong_phrase", "These are not the words of the phrase."));
        }
        account.phrase = None;
        s.store(ACCOUNT, &account);
        s.event(Event::Me(Some(account.view())));
        Ok(())
    })
}
