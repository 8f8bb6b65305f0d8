//! The routes of the API, one file a feature. `weft_wire`'s modules document what each takes and gives.

mod accounts;
mod admin;
mod agents;
mod approvals;
mod contacts;
mod devices;
mod escrows;
mod fees;
pub(crate) mod health;
mod invites;
mod invoices;
mod key_packages;
mod link_terms;
mod links;
mod mandates;
mod node;
mod path;
mod rooms;
mod roots;
mod shops;
mod sync;
mod topups;
mod users;
mod vault;
mod wallet;
mod webhooks;

use crate::{Api, Fault, guard, headers, host, metrics, negotiate, session, ui};
use axum::{Router, middleware, routing};
use weft_wire::{API_PREFIX, Code};

/// Everything a listener for people answers. The first layer named is the innermost.
pub(crate) fn router(api: &Api) -> Router {
    let v1 = Router::new()
        .merge(node::routes())
        .merge(accounts::routes())
        .merge(admin::routes())
        .merge(devices::routes())
        .merge(invites::routes())
        .merge(users::routes())
        .merge(contacts::routes())
        .merge(key_packages::routes())
        .merge(rooms::routes())
        .merge(vault::routes())
        .merge(wallet::routes())
        .merge(shops::routes())
        .merge(invoices::routes())
        .merge(escrows::routes())
        .merge(mandates::routes())
        .merge(topups::routes())
        .merge(webhooks::routes())
        .merge(approvals::routes())
        .merge(agents::routes())
        .merge(fees::routes())
        .merge(links::routes())
        .merge(link_terms::routes())
        .merge(roots::routes())
        .merge(sync::routes())
        .method_not_allowed_fallback(no_route)
        .layer(middleware::from_fn_with_state(api.clone(), session::limit_layer));
    let router = Router::new()
        .nest(API_PREFIX, v1)
        .merge(health::routes())
        .route("/.well-known/weft", routing::get(node::well_known))
        // Not here, and not a page of the user interface either: `metrics_router` has them.
        .route("/metrics", routing::any(no_route))
        .fallback(ui::serve)
        .method_not_allowed_fallback(no_route);
    surround(api, router)
}

/// `/metrics` alone.
pub(crate) fn metrics_router(api: &Api) -> Router {
    surround(api, Router::new().route("/metrics", routing::get(metrics::route)).fallback(no_route))
}

/// The layers that every answer passes through.
pub(crate) fn surround(api: &Api, router: Router<Api>) -> Router {
    router
        .layer(middleware::from_fn_with_state(api.clone(), guard::layer))
        .layer(middleware::from_fn_with_state(api.clone(), session::address_layer))
        .layer(middleware::from_fn(host::layer))
        .layer(middleware::from_fn(negotiate::layer))
        .layer(middleware::from_fn_with_state(api.clone(), headers::layer))
        .with_state(api.clone())
}

async fn no_route() -> Fault {
    Fault::new(Code::NoRoute)
}
