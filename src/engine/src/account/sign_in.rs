//! Sign-in by password, and recovery by the 24 words.

use super::secret::{AccountSecret, PhraseEntropy};
use super::sign_up::{keyring_key, keyring_purpose, recovery_purpose, register};
use super::{Account, check_password, new_device, opening};
use crate::api::CallError;
use crate::error::{call_error, field_error, internal};
use crate::http;
use crate::runtime::Cx;
use crate::sealing;
use opaque_ke::{ClientLogin, ClientLoginFinishParameters, ClientRegistration, CredentialResponse};
use weft_wire::accounts::{
    AccountOpened, AddDevice, LoginChallenge, LoginFinish, LoginStart, PasswordFinish, PasswordStart,
    RecoverChallenge, RecoverFinish, RecoverProof, RecoverStart, RegisterChallenge, Role,
};
use weft_wire::node::NodeInfo;
use weft_wire::opaque::{CONTEXT, Suite, identifiers};
use weft_wire::{Blob, Signed, UserAddress, UserName};
use zeroize::Zeroizing;

/// Signs in with the password.
pub(crate) async fn sign_in(cx: &Cx, name: &str, password: &str) -> Result<(), CallError> {
    let (node, user) = prepare(cx, name).await?;
    let Some(user) = user else { return Ok(()) };
    let name = &user.name;
    let start = cx
        .with(|s| ClientLogin::<Suite>::start(&mut s.rng, password.as_bytes()))
        .map_err(|_| internal("OPAQUE"))?;
    let request = Blob(start.message.serialize().to_vec());
    let challenge: LoginChallenge = http::open_post(
        cx,
        "accounts/login/start",
        &LoginStart { name: name.clone(), opaque_request: request },
    )
    .await?;
    let response = CredentialResponse::<Suite>::deserialize(challenge.opaque_response.as_slice())
        .map_err(|_| internal("OPAQUE"))?;
    let finish = cx.with(|s| {
        let stretching = s.stretching;
        let params = ClientLoginFinishParameters::new(Some(CONTEXT), identifiers(name), Some(&stretching));
        // Here the password is stretched. That it is the wrong one shows on this side first.
        start
            .state
            .finish(&mut s.rng, password.as_bytes(), response, params)
            .map_err(|_| call_error("wrong_credentials", "The name or the password is wrong."))
    });
    let finish = match finish {
        Ok(finish) => finish,
        Err(error) => {
            // The node counts attempts by the second step; one that is never finished would be a free guess.
            let body = LoginFinish { state: challenge.state, opaque_finalization: Blob(vec![0; 64]) };
            let _ = http::open_post::<_, AccountOpened>(cx, "accounts/login/finish", &body).await;
            return Err(error);
        }
    };
    let body = LoginFinish {
        state: challenge.state,
        opaque_finalization: Blob(finish.message.serialize().to_vec()),
    };
    let opened: AccountOpened = http::open_post(cx, "accounts/login/finish", &body).await?;
    let key = keyring_key(&finish.export_key);
    let secret = open_keyring(&opened, &user, &key, &keyring_purpose(&user))?;
    add_device(cx, &node, user, secret, opened).await
}

/// Opens the account by its words and sets a new password.
pub(crate) async fn recover(cx: &Cx, name: &str, phrase: &str, new_password: &str) -> Result<(), CallError> {
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

    let start = cx
        .with(|s| ClientRegistration::<Suite>::start(&mut s.rng, new_password.as_bytes()))
        .map_err(|_| internal("OPAQUE"))?;
    let request = Blob(start.message.serialize().to_vec());
    let body = PasswordStart { ticket: opened.ticket.clone(), opaque_request: request };
    let challenge: RegisterChallenge = http::open_post(cx, "accounts/password/start", &body).await?;
    let (upload, export_key) = register(cx, start.state, new_password, &name, &challenge)?;
    let keyring = cx
        .with(|s| {
            let key = keyring_key(&export_key);
            sealing::seal(&mut s.rng, &key, &keyring_purpose(&user), secret.as_bytes())
        })
        .map_err(|_| internal("sealing"))?;
    let body =
        PasswordFinish { ticket: opened.ticket.clone(), opaque_upload: Blob(upload), keyring: Blob(keyring) };
    http::open_tell(cx, "accounts/password/finish", &body).await?;
    add_device(cx, &node, user, secret, opened).await
}

/// The node, and who is meant. No address: the pending sign-in of before has turned out to have succeeded.
async fn prepare(cx: &Cx, text: &str) -> Result<(NodeInfo, Option<UserAddress>), CallError> {
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
fn open_keyring(
    opened: &AccountOpened,
    user: &UserAddress,
    key: &Zeroizing<[u8; 32]>,
    purpose: &[u8],
) -> Result<AccountSecret, CallError> {
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
) -> Result<(), CallError> {
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
    Ok(opening::finish(cx, account, "devices", &body).await?)
}
