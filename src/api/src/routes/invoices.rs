//! Invoices: sending them, taking them back, and seeing what was sent and what is to be paid.

use super::{
    path::{Invoice, Issuer, Query, invalid},
    wallet::reads,
};
use crate::{
    Api,
    body::{In, Out},
    error::Fault,
    session::Authed,
};
use axum::{Router, extract::State, routing::get};
use weft_service::wallet::InvoiceBox;
use weft_wire::{
    NodeName, UserAddress,
    wallet::{InvoiceInfo, InvoiceList, SendInvoice},
};

/// An invoice with all its lines.
const BODY_MAX: usize = 16 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/invoices", get(invoices).post(send))
        .route("/wallet/invoices/{issuer}/{invoice}", get(invoice).delete(cancel))
}

async fn invoices(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<InvoiceList>, Fault> {
    reads(&api, &caller)?;
    let sent = match query.text("box") {
        None | Some("received") => false,
        Some("sent") => true,
        Some(_) => return Err(invalid("box", "received or sent")),
    };
    let node: Option<NodeName> = query.get("node")?;
    let node = node.unwrap_or_else(|| caller.user().node.clone());
    let before = match (query.get("of")?, query.get("before")?) {
        (Some(issuer), Some(id)) => Some((UserAddress::new(issuer, node), id)),
        (None, None) => None,
        _ => return Err(invalid("before", "an id, with `of`")),
    };
    let wish = InvoiceBox { shop: query.get("shop")?, sent, before };
    Ok(Out(api.service().flows().invoices(&caller, wish).await?))
}

async fn send(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<SendInvoice, BODY_MAX>,
) -> Result<Out<InvoiceInfo>, Fault> {
    Ok(Out(api.service().flows().send_invoice(&caller, request).await?))
}

async fn invoice(
    State(api): State<Api>,
    Authed(caller): Authed,
    Issuer(issuer): Issuer,
    Invoice(id): Invoice,
    query: Query,
) -> Result<Out<InvoiceInfo>, Fault> {
    reads(&api, &caller)?;
    let node: Option<NodeName> = query.get("node")?;
    Ok(Out(api.service().flows().invoice(&caller, &issuer, id, node.as_ref()).await?))
}

async fn cancel(
    State(api): State<Api>,
    Authed(caller): Authed,
    Issuer(issuer): Issuer,
    Invoice(id): Invoice,
) -> Result<Out<InvoiceInfo>, Fault> {
    Ok(Out(api.service().wallet().cancel_invoice(&caller, &issuer, id).await?))
}
