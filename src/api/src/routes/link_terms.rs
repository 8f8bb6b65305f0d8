//! The terms with another node, as its owner makes them: what the operator's command does, for a session of the owner.

use super::{
    path::{Node, invalid},
    wallet::owner,
};
use crate::{
    Api,
    body::{In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use weft_wire::{Code, Millis, Problem, link_terms::ProposeTerms, links::Table};

/// 16 assets and 32 rates, and their names.
const BODY_MAX: usize = 8 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/admin/links/{node}/terms", get(terms))
        .route("/wallet/admin/links/{node}/offer", post(offer))
        .route("/wallet/admin/links/{node}/accept", post(accept))
        .route("/wallet/admin/links/{node}/withdraw", post(withdraw))
        .route("/wallet/admin/links/{node}/freeze", post(freeze))
        .route("/wallet/admin/links/{node}/thaw", post(thaw))
}

async fn terms(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().link_terms(&node).await?.table()))
}

/// Signs terms, and gives by what they are named.
async fn offer(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
    In(rows): In<Table, BODY_MAX>,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    let wish = ProposeTerms::read(&rows).map_err(|field| invalid(field, "not what it should be"))?;
    let digest = api.service().flows().propose_terms(&node, wish.into()).await?;
    tracing::info!(%node, %digest, by = %caller.name(), "the owner has signed terms, and offers them");
    Ok(Out(vec![vec![digest]]))
}

/// Signs what the other operator has signed: what was looked at, and nothing else.
async fn accept(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
    In(rows): In<Table, BODY_MAX>,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    let digest = text(&rows, 0).ok_or_else(|| invalid("digest", "say which terms"))?;
    api.service().flows().accept_terms(&node, digest).await?;
    tracing::info!(%node, by = %caller.name(), "the owner has accepted terms");
    Ok(Out(Table::new()))
}

async fn withdraw(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    api.service().flows().withdraw_terms(&node).await?;
    tracing::info!(%node, by = %caller.name(), "the owner has taken back what was offered");
    Ok(Out(Table::new()))
}

async fn freeze(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    api.service().wallet().freeze_link(&node).await?;
    tracing::warn!(%node, by = %caller.name(), "the owner has stopped payments with another node");
    Ok(Out(Table::new()))
}

/// A row: since when payments are compared, and the digest of what was looked at; without one nothing is signed.
async fn thaw(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
    In(rows): In<Table, BODY_MAX>,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    let since_ms: Millis = match text(&rows, 0) {
        Some(since) => since.parse().map_err(|error| invalid("since", error))?,
        None => 0,
    };
    let named = text(&rows, 1);
    let row = api.service().flows().thaw_link(&node, since_ms, named).await.map_err(in_words)?;
    if named.is_some() {
        tracing::warn!(%node, done = row.done, by = %caller.name(), "the owner has signed a thaw");
    }
    Ok(Out(row.table()))
}

/// What follows is another thaw by now: look again.
fn in_words(error: weft_service::flows::FlowError) -> Fault {
    let problem = Problem::from(error);
    let is_other = problem.code == Code::NotFound && problem.detail.as_deref() == Some("thaw");
    Fault(if is_other { Problem::new(Code::Conflict).field("thaw_moved") } else { problem })
}

/// A text of the first row, if it says something.
fn text(rows: &Table, at: usize) -> Option<&str> {
    rows.first()?.get(at).map(String::as_str).filter(|text| !text.is_empty())
}
