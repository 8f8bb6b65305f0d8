//! Sign-in by password, and recovery by the 24 words.

use super::password::{self, open_by_password};
use super::secret::{AccountSecret, PhraseEntropy};
use super::sign_up::recovery_purpose;
use super::{Account, check_password, new_device, opening};
use crate::error::{Refusal, call_error, field_error};
use crate::http;
use crate::runtime::Cx;
use crate::sealing;
use crate::wallet::trust;
use weft_wire::accounts::{
    AccountOpened, AddDevice, RecoverChallenge, RecoverFinish, RecoverProof, RecoverStart, Role,
};
use weft_wire::node::NodeInfo;
use weft_wire::{Blob, Signed, UserAddress, UserName};
use zeroize::Zeroizing;

/// Signs in with the password.
pub(crate) async fn sign_in(cx: &Cx, name: &str, password: &str) -> Result<(), Refusal> {
    let (node, user) = prepare(cx, name).await?;
    let Some(user) = user else { return Ok(()) };
    let (secret, opened) = open_by_password(cx, &user, password).await?;
    add_device(cx, &node, user, secret, opened).await
}

/// Opens the account by its words and sets a new password.
pub(crate) async fn recover(cx: &Cx, name: &str, phrase: &str, new_password: &str) -> Result<(), Refusal> {
    let wrong = || {
        let mut error = call_error("wrong_phrase", "These are not the words of the phrase.");
        error.field = Some("phrase".into());
        error
    };
    let phrase = PhraseEntropy::parse(phrase).ok_or_else(wrong)?;
    check_password(new_password, "new_password")?;
    let (node, user) = prepare(cx, name).await?;
    let Some(user) = user else { return Ok(()) };
    let name = user.name.clone();
    let challenge: RecoverChallenge =
        http::open_post(cx, "accounts/recover/start", &RecoverStart { name: name.clone() }).await?;
    let proof = RecoverProof { name: name.clone(), node: node.name.clone(), challenge: challenge.challenge };
    let proof = Signed::sign(&proof, &phrase.auth_key());
    let opened: AccountOpened =
        http::open_post(cx, "accounts/recover/finish", &RecoverFinish { proof }).await?;
    let secret = open_keyring(&opened, &user, &phrase.seal_key(), &recovery_purpose(&user))?;
    let request = password::prepare(cx, &user, &secret, &opened.ticket, new_password).await?;
    http::open_tell(cx, password::FINISH, &request).await?;
    add_device(cx, &node, user, secret, opened).await
}

/// The node, and who is meant. No address: the pending sign-in of before has turned out to have succeeded.
async fn prepare(cx: &Cx, text: &str) -> Result<(NodeInfo, Option<UserAddress>), Refusal> {
    let resumed = opening::resume_pending(cx).await?;
    let node: NodeInfo = http::open_get(cx, "node").await?;
    let text = text.trim();
    let (name, at) = text.split_once('@').map_or((text, None), |(name, node)| (name, Some(node)));
    let name: UserName = name.parse().map_err(|error| field_error("name", error))?;
    if at.is_some_and(|at| !at.eq_ignore_ascii_case(node.name.as_str())) {
        return Err(field_error("name", "this account is on another node"));
    }
    if resumed {
        return match cx.with(|s| s.live.me.clone()) {
            Some(me) if me.user.name == name => Ok((node, None)),
            _ => Err(call_error("already_signed_in", "Somebody is signed in here.")),
        };
    }
    let user = UserAddress::new(name, node.name.clone());
    Ok((node, Some(user)))
}

/// Opens the keyring, and makes sure that the node has not put another account under this name.
pub(super) fn open_keyring(
    opened: &AccountOpened,
    user: &UserAddress,
    key: &Zeroizing<[u8; 32]>,
    purpose: &[u8],
) -> Result<AccountSecret, Refusal> {
    let damaged = || call_error("state_damaged", "The account's keys on the node do not open.");
    let bytes = sealing::open(key, purpose, opened.sealed.as_slice()).map_err(|_| damaged())?;
    let mut array = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| damaged())?;
    let secret = AccountSecret::new(array);
    zeroize::Zeroize::zeroize(&mut array);
    let identity = opened.identity.open().map_err(|_| damaged())?;
    let same = identity.identity_key == secret.identity_key().verifying_key().to_bytes()
        && identity.seal_key == x25519_dalek::PublicKey::from(&secret.seal_key()).to_bytes();
    if !same || &identity.user != user || &opened.user != user {
        return Err(damaged());
    }
    Ok(secret)
}

async fn add_device(
    cx: &Cx,
    node: &NodeInfo,
    user: UserAddress,
    secret: AccountSecret,
    opened: AccountOpened,
) -> Result<(), Refusal> {
    let account = cx.with(|s| {
        let (device, cert) = new_device(s, &user, &secret, node.time_ms);
        Account {
            // Until the vault is read, which holds the real one.
            display_name: user.name.to_string(),
            user,
            role: Role::Member,
            secret: Blob(secret.as_bytes().to_vec()),
            device,
            cert,
            identity: opened.identity,
            phrase: None,
        }
    });
    let body = AddDevice { ticket: opened.ticket, device: account.cert.clone() };
    opening::finish(cx, account, "devices", &body).await?;
    cx.with(|s| trust::saw(s, node));
    Ok(())
}
