//! Shops: who they are, what they sell, and the codes that customers show.

use super::{
    path::{Query, Sale, Shop, invalid},
    wallet::reads,
};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use weft_wire::wallet::{
    ChangeShop, ChargeCode, CodeShown, OpenSale, OpenShop, PutCode, SaleInfo, SaleList, ShopInfo, ShopList,
    ShopSign,
};

/// A sale, a charge, a signed order, what a shop says of itself; and what is around it.
const BODY_MAX: usize = 4 << 10;
/// The same with all the addresses of a shop's staff.
const STAFF_BODY_MAX: usize = 32 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/merchants", get(shops).post(open))
        .route("/wallet/merchants/{shop}", get(shop).post(change))
        .route("/wallet/merchants/{shop}/sign", get(sign))
        .route("/wallet/merchants/{shop}/sales", get(sales).post(sell))
        .route("/wallet/merchants/{shop}/sales/{sale}", get(sale).delete(cancel))
        .route("/wallet/merchants/{shop}/charges", post(charge))
        .route("/wallet/codes", post(put_code))
}

async fn shops(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<ShopList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().shops(&caller).await?))
}

async fn open(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<OpenShop, BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().flows().open_shop(&caller, request).await?;
    Ok(Done)
}

async fn shop(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    query: Query,
) -> Result<Out<ShopInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().flows().shop(&caller, &shop, query.get("node")?.as_ref()).await?))
}

async fn change(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    In(request): In<ChangeShop, STAFF_BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().flows().change_shop(&caller, &shop, request).await?;
    Ok(Done)
}

async fn sign(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    query: Query,
) -> Result<Out<ShopSign>, Fault> {
    reads(&api, &caller)?;
    let asset = query.get("asset")?.ok_or_else(|| invalid("asset", "which?"))?;
    let till = query.text("till").map(str::to_owned);
    Ok(Out(api.service().wallet().sign(&caller, &shop, asset, till).await?))
}

async fn sales(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    query: Query,
) -> Result<Out<SaleList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().sales(&caller, &shop, query.get("before")?).await?))
}

async fn sell(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    In(request): In<OpenSale, BODY_MAX>,
) -> Result<Out<SaleInfo>, Fault> {
    Ok(Out(api.service().wallet().open_sale(&caller, &shop, request).await?))
}

async fn sale(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    Sale(sale): Sale,
    query: Query,
) -> Result<Out<SaleInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().flows().sale(&caller, &shop, sale, query.get("node")?.as_ref()).await?))
}

async fn cancel(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    Sale(sale): Sale,
) -> Result<Done, Fault> {
    reads(&api, &caller)?;
    api.service().wallet().cancel_sale(&caller, &shop, sale).await?;
    Ok(Done)
}

async fn charge(
    State(api): State<Api>,
    Authed(caller): Authed,
    Shop(shop): Shop,
    In(request): In<ChargeCode, BODY_MAX>,
) -> Result<Out<SaleInfo>, Fault> {
    Ok(Out(api.service().flows().charge(&caller, &shop, request).await?))
}

async fn put_code(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<PutCode, BODY_MAX>,
) -> Result<Out<CodeShown>, Fault> {
    Ok(Out(api.service().wallet().put_code(&caller, request).await?))
}
