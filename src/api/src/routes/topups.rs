//! Money that comes in over a bank and goes out over one; and what is between this node and others, for its owner to see.

use super::{
    path::{BankLine as Line, Query, Transfer},
    wallet::{owner, reads},
};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::request::Parts,
    routing::{delete, get, post},
};
use weft_service::Caller;
use weft_wire::{
    admin::LinkList,
    limits::BANK_FILE_BYTES_MAX,
    wallet::{
        BankAccount, BankAccountList, BankImport, BankLineList, DecideBankLine, DecideWithdrawal, ImportBank,
        TopUpList, WithdrawalList,
    },
};

/// An account, a decision.
const BODY_MAX: usize = 4 << 10;
/// A file, and what is around it.
const FILE_BODY_MAX: usize = BANK_FILE_BYTES_MAX + (1 << 10);

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/top-ups", get(top_ups))
        .route("/wallet/withdrawals", get(withdrawals))
        .route("/wallet/withdrawals/{transfer}", delete(take_back_withdrawal))
        .route("/wallet/admin/bank", get(accounts).put(put_account))
        .route("/wallet/admin/bank/files", post(import))
        .route("/wallet/admin/bank/lines", get(lines))
        .route("/wallet/admin/bank/lines/{line}", post(decide_line))
        .route("/wallet/admin/withdrawals", get(waiting))
        .route("/wallet/admin/withdrawals/{transfer}", post(decide_withdrawal).put(begin_withdrawal))
        .route("/wallet/admin/links", get(links))
}

/// The owner's session, known before anything of a body is read.
struct Owner(Caller);

impl FromRequestParts<Api> for Owner {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Fault> {
        let Authed(caller) = Authed::from_request_parts(parts, api).await?;
        owner(api, &caller)?;
        Ok(Owner(caller))
    }
}

async fn top_ups(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<TopUpList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().top_ups(&caller).await?))
}

async fn withdrawals(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<WithdrawalList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().withdrawals(&caller).await?))
}

async fn take_back_withdrawal(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(id): Transfer,
) -> Result<Done, Fault> {
    reads(&api, &caller)?;
    api.service().wallet().take_back_withdrawal(&caller, id).await?;
    Ok(Done)
}

async fn accounts(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<BankAccountList>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().bank_accounts().await?))
}

async fn put_account(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<BankAccount, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let asset = request.asset;
    api.service().wallet().put_bank_account(request).await?;
    tracing::info!(%asset, by = %caller.name(), "the owner has named the account that backs an asset");
    Ok(Done)
}

async fn import(
    State(api): State<Api>,
    Owner(caller): Owner,
    In(request): In<ImportBank, FILE_BODY_MAX>,
) -> Result<Out<BankImport>, Fault> {
    let done = api.service().wallet().import_bank(request.file.0).await?;
    tracing::info!(?done, by = %caller.name(), "the owner has imported a bank's file");
    Ok(Out(done))
}

async fn lines(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<BankLineList>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().bank_lines(query.get("after")?).await?))
}

async fn decide_line(
    State(api): State<Api>,
    Authed(caller): Authed,
    Line(line): Line,
    In(wish): In<DecideBankLine, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    api.service().flows().decide_bank_line(line, wish).await?;
    tracing::info!(%line, by = %caller.name(), "the owner has decided a line of a bank's file");
    Ok(Done)
}

async fn waiting(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<WithdrawalList>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().withdrawals_waiting(query.get("after")?).await?))
}

async fn begin_withdrawal(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(id): Transfer,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    api.service().wallet().begin_withdrawal(id).await?;
    tracing::info!(%id, by = %caller.name(), "the owner is about to pay a withdrawal");
    Ok(Done)
}

async fn decide_withdrawal(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(id): Transfer,
    In(DecideWithdrawal { paid }): In<DecideWithdrawal, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    api.service().wallet().decide_withdrawal(id, paid).await?;
    tracing::info!(%id, paid, by = %caller.name(), "the owner has decided a withdrawal");
    Ok(Done)
}

async fn links(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<LinkList>, Fault> {
    owner(&api, &caller)?;
    let links = api.service().wallet().links().await?;
    Ok(Out(LinkList { links }))
}
