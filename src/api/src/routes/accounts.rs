//! Sign-up, sign-in, recovery, password, sessions.

use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::{From, MaybeAuthed},
};
use axum::{Router, extract::State, routing::post};
use weft_wire::{
    Signed,
    accounts::{
        AccountOpened, LoginChallenge, LoginFinish, LoginStart, PasswordFinish, PasswordStart,
        RecoverChallenge, RecoverFinish, RecoverStart, RegisterChallenge, RegisterFinish, RegisterStart,
        SessionGranted, SessionRequest,
    },
};

/// Two OPAQUE messages, two certificates, a sealed keyring and some room.
const BODY_MAX: usize = 32 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/accounts/register/start", post(register_start))
        .route("/accounts/register/finish", post(register_finish))
        .route("/accounts/login/start", post(login_start))
        .route("/accounts/login/finish", post(login_finish))
        .route("/accounts/recover/start", post(recover_start))
        .route("/accounts/recover/finish", post(recover_finish))
        .route("/accounts/password/start", post(password_start))
        .route("/accounts/password/finish", post(password_finish))
        .route("/sessions", post(renew))
}

async fn register_start(
    State(api): State<Api>,
    From(from): From,
    In(request): In<RegisterStart, BODY_MAX>,
) -> Result<Out<RegisterChallenge>, Fault> {
    Ok(Out(api.service().flows().register_start(from, request).await?))
}

async fn register_finish(
    State(api): State<Api>,
    From(from): From,
    In(request): In<RegisterFinish, BODY_MAX>,
) -> Result<Out<SessionGranted>, Fault> {
    Ok(Out(api.service().flows().register_finish(from, request).await?))
}

async fn login_start(
    State(api): State<Api>,
    From(from): From,
    In(request): In<LoginStart, BODY_MAX>,
) -> Result<Out<LoginChallenge>, Fault> {
    Ok(Out(api.service().accounts().login_start(from, request).await?))
}

async fn login_finish(
    State(api): State<Api>,
    From(from): From,
    In(request): In<LoginFinish, BODY_MAX>,
) -> Result<Out<AccountOpened>, Fault> {
    Ok(Out(api.service().accounts().login_finish(from, request).await?))
}

async fn recover_start(
    State(api): State<Api>,
    From(from): From,
    In(request): In<RecoverStart, BODY_MAX>,
) -> Result<Out<RecoverChallenge>, Fault> {
    Ok(Out(api.service().accounts().recover_start(from, request).await?))
}

async fn recover_finish(
    State(api): State<Api>,
    From(from): From,
    In(request): In<RecoverFinish, BODY_MAX>,
) -> Result<Out<AccountOpened>, Fault> {
    Ok(Out(api.service().accounts().recover_finish(from, request).await?))
}

async fn password_start(
    State(api): State<Api>,
    From(from): From,
    In(request): In<PasswordStart, BODY_MAX>,
) -> Result<Out<RegisterChallenge>, Fault> {
    Ok(Out(api.service().accounts().password_start(from, request).await?))
}

async fn password_finish(
    State(api): State<Api>,
    From(from): From,
    MaybeAuthed(caller): MaybeAuthed,
    In(request): In<PasswordFinish, BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().accounts().password_finish(from, caller.as_ref(), request).await?;
    Ok(Done)
}

async fn renew(
    State(api): State<Api>,
    From(from): From,
    In(request): In<Signed<SessionRequest>, BODY_MAX>,
) -> Result<Out<SessionGranted>, Fault> {
    Ok(Out(api.service().accounts().renew_session(from, request).await?))
}
