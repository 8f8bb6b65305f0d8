//! Money: assets, accounts, orders, red packets.

use super::path::{Packet, Query, Request, Transfer};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{get, post, put},
};
use weft_service::{Budget, Caller};
use weft_wire::{
    Code, Signed,
    wallet::{
        AccountList, AnswerTransfer, AssetInfo, AssetList, ChangeAccount, DefineAsset, History, IssueAsset,
        PacketInfo, PutOrderKey, Receipt, RequestPayments, SubmitOrder, TransferInfo,
    },
};

/// A signed order, or the certificate of an order key, and what is around it.
const BODY_MAX: usize = 4 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/assets", get(assets))
        .route("/wallet/accounts", get(accounts))
        .route("/wallet/history", get(history))
        .route("/wallet/order-key", put(put_order_key))
        .route("/wallet/orders", post(pay))
        .route("/wallet/transfers/{transfer}", get(transfer).post(answer))
        .route("/wallet/requests/{request}", get(request))
        .route("/wallet/packets/{packet}", get(packet).post(open_packet))
        .route("/wallet/admin/assets", put(define))
        .route("/wallet/admin/issue", post(issue))
        .route("/wallet/admin/accounts", post(change_account))
}

/// One look into the wallet.
pub(super) fn reads(api: &Api, caller: &Caller) -> Result<(), Fault> {
    Ok(api.service().limits().take_account(Budget::Read, caller.name())?)
}

/// Only the owner goes on from here.
pub(super) fn owner(api: &Api, caller: &Caller) -> Result<(), Fault> {
    if !caller.is_owner() {
        return Err(Fault::new(Code::Forbidden));
    }
    reads(api, caller)
}

async fn assets(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<AssetList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().assets().await?))
}

async fn accounts(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<AccountList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().accounts(&caller).await?))
}

async fn history(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<History>, Fault> {
    reads(&api, &caller)?;
    let account = query.get("account")?.ok_or_else(|| super::path::invalid("account", "which?"))?;
    Ok(Out(api.service().wallet().history(&caller, account, query.get("before")?).await?))
}

async fn put_order_key(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<PutOrderKey, BODY_MAX>,
) -> Result<Done, Fault> {
    reads(&api, &caller)?;
    api.service().wallet().put_order_key(&caller, request).await?;
    Ok(Done)
}

async fn pay(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<SubmitOrder, BODY_MAX>,
) -> Result<Out<Signed<Receipt>>, Fault> {
    Ok(Out(api.service().flows().pay(&caller, request).await?))
}

async fn transfer(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(transfer): Transfer,
) -> Result<Out<TransferInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().transfer(&caller, transfer).await?))
}

async fn answer(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(transfer): Transfer,
    In(request): In<AnswerTransfer, BODY_MAX>,
) -> Result<Out<TransferInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().answer(&caller, transfer, request.answer).await?))
}

async fn request(
    State(api): State<Api>,
    Authed(caller): Authed,
    Request(request): Request,
    query: Query,
) -> Result<Out<RequestPayments>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().request(&caller, request, query.get("asset")?).await?))
}

async fn packet(
    State(api): State<Api>,
    Authed(caller): Authed,
    Packet(packet): Packet,
    query: Query,
) -> Result<Out<PacketInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().flows().packet(&caller, packet, query.get("node")?.as_ref()).await?))
}

async fn open_packet(
    State(api): State<Api>,
    Authed(caller): Authed,
    Packet(packet): Packet,
    query: Query,
) -> Result<Out<PacketInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().flows().open_packet(&caller, packet, query.get("node")?.as_ref()).await?))
}

async fn define(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<DefineAsset, BODY_MAX>,
) -> Result<Out<AssetInfo>, Fault> {
    owner(&api, &caller)?;
    let asset = api.service().wallet().define(request).await?;
    tracing::info!(asset = %asset.asset, by = %caller.name(), "the owner has defined an asset");
    Ok(Out(asset))
}

async fn issue(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<IssueAsset, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let IssueAsset { id, asset, user, amount, redeem } = request;
    api.service().flows().issue(id, asset, &user, amount, redeem).await?;
    tracing::info!(%id, by = %caller.name(), "the owner has issued or redeemed money");
    Ok(Done)
}

async fn change_account(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<ChangeAccount, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    api.service().wallet().change_account(request).await?;
    Ok(Done)
}
