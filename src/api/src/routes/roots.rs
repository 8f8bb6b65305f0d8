//! The days' roots, and what shows a member that theirs is in them.

use super::path::{Account, Query, Transfer};
use crate::{Api, body::Out, error::Fault, session::Authed};
use axum::{Router, extract::State, routing::get};
use weft_service::{Budget, Caller};
use weft_wire::wallet::{AccountProof, RootList, TransferProof};

/// What an account's proof costs, in looks into the wallet: it reads a few hundred rows.
const ACCOUNT_LOOKS: u32 = 4;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/roots", get(roots))
        .route("/wallet/proofs/{transfer}", get(transfer))
        .route("/wallet/proofs/accounts/{account}", get(account))
}

fn reads(api: &Api, caller: &Caller, looks: u32) -> Result<(), Fault> {
    for _ in 0..looks {
        api.service().limits().take_account(Budget::Read, caller.name())?;
    }
    Ok(())
}

async fn roots(State(api): State<Api>, Authed(caller): Authed, query: Query) -> Result<Out<RootList>, Fault> {
    reads(&api, &caller, 1)?;
    Ok(Out(api.service().wallet().roots(query.get("before")?).await?))
}

async fn transfer(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(transfer): Transfer,
) -> Result<Out<TransferProof>, Fault> {
    reads(&api, &caller, 1)?;
    Ok(Out(api.service().wallet().transfer_proof(&caller, transfer).await?))
}

async fn account(
    State(api): State<Api>,
    Authed(caller): Authed,
    Account(account): Account,
    query: Query,
) -> Result<Out<AccountProof>, Fault> {
    reads(&api, &caller, ACCOUNT_LOOKS)?;
    let day = query.get("day")?.ok_or_else(|| super::path::invalid("day", "which?"))?;
    let proof = api.service().wallet().account_proof(&caller, account, day, query.get("after")?).await?;
    Ok(Out(proof))
}
