//! Opening the account by its password, and setting another one.

use super::secret::AccountSecret;
use super::sign_in::open_keyring;
use super::sign_up::{keyring_key, keyring_purpose, register};
use super::{check_password, me};
use crate::error::{Refusal, call_error, internal};
use crate::http::{self, Failure};
use crate::runtime::Cx;
use crate::sealing;
use opaque_ke::{ClientLogin, ClientLoginFinishParameters, ClientRegistration, CredentialResponse};
use weft_wire::accounts::{
    AccountOpened, LoginChallenge, LoginFinish, LoginStart, PasswordFinish, PasswordStart, RegisterChallenge,
};
use weft_wire::opaque::{CONTEXT, Suite, identifiers};
use weft_wire::{Blob, UserAddress};

/// Where a new password is put.
pub(super) const FINISH: &str = "accounts/password/finish";

/// Changes the password of the account that is signed in here. The old one is asked for although the keys are here: who finds
/// a browser open must not be able to shut its owner out.
pub(crate) async fn change_password(cx: &Cx, old: &str, new: &str) -> Result<(), Refusal> {
    let me = cx.with(|s| me(s))?;
    check_password(new, "new_password")?;
    let (secret, opened) = open_by_password(cx, &me.user, old).await.map_err(|mut error| {
        if error.code == "wrong_credentials" {
            error.field = Some("old_password".into());
        }
        error
    })?;
    // Under the new password must lie what this device lives by, and not what somebody else has put there meanwhile.
    if secret.as_bytes() != me.secret.as_bytes() {
        return Err(call_error(
            "state_damaged",
            "The account's keys on the node are not those of this device.",
        ));
    }
    let request = prepare(cx, &me.user, &me.secret, &opened.ticket, new).await?;
    // With the session: the node ends those of all other devices, which come back by their keys.
    match http::tell(cx, "POST", FINISH, Some(&request)).await {
        Err(Failure::NoAnswer) => Err(call_error(
            "password_unsure",
            "The node did not answer the last step: either password may hold.",
        )),
        other => Ok(other?),
    }
}

/// Whether this is the password of the account.
///
/// # Errors
/// `wrong_credentials`.
pub(crate) async fn open_account(cx: &Cx, user: &UserAddress, password: &str) -> Result<(), Refusal> {
    open_by_password(cx, user, password).await.map(drop)
}

/// Opens the account at the node, as a sign-in does, and gives what lies in it.
pub(super) async fn open_by_password(
    cx: &Cx,
    user: &UserAddress,
    password: &str,
) -> Result<(AccountSecret, AccountOpened), Refusal> {
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
    let secret = open_keyring(&opened, user, &key, &keyring_purpose(user))?;
    Ok((secret, opened))
}

/// What is to be sent to [`FINISH`]: the new password as OPAQUE has it, and the account secret sealed under it. The ticket says
/// that the account was opened.
pub(super) async fn prepare(
    cx: &Cx,
    user: &UserAddress,
    secret: &AccountSecret,
    ticket: &Blob,
    new_password: &str,
) -> Result<PasswordFinish, Refusal> {
    let start = cx
        .with(|s| ClientRegistration::<Suite>::start(&mut s.rng, new_password.as_bytes()))
        .map_err(|_| internal("OPAQUE"))?;
    let request = Blob(start.message.serialize().to_vec());
    let body = PasswordStart { ticket: ticket.clone(), opaque_request: request };
    let challenge: RegisterChallenge = http::open_post(cx, "accounts/password/start", &body).await?;
    let (upload, export_key) = register(cx, start.state, new_password, &user.name, &challenge)?;
    let keyring = cx
        .with(|s| {
            let key = keyring_key(&export_key);
            sealing::seal(&mut s.rng, &key, &keyring_purpose(user), secret.as_bytes())
        })
        .map_err(|_| internal("sealing"))?;
    Ok(PasswordFinish { ticket: ticket.clone(), opaque_upload: Blob(upload), keyring: Blob(keyring) })
}
