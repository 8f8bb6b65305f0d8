//! What the owner of the node sees of other nodes, and decides about them.

use crate::api::{PeerView, PeersView};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::Cx;
use weft_wire::NodeName;
use weft_wire::admin::{JudgePeer, PeerList, PeerRow, PeerWish};
use weft_wire::federation::FederationPolicy;

/// Pages of peers that are read for one view.
const PAGES_MAX: usize = 8;

/// All nodes that this one has met.
pub(crate) async fn peers(cx: &Cx) -> Result<PeersView, Refusal> {
    let mut view: Option<PeersView> = None;
    let mut path = "admin/peers".to_owned();
    for _ in 0..PAGES_MAX {
        let page: PeerList = http::get(cx, &path).await?;
        let last = page.peers.last().map(|row| row.name.clone());
        let view = view.get_or_insert_with(|| PeersView {
            policy: policy(page.policy).into(),
            addresses: page.addresses,
            peers: Vec::new(),
        });
        view.peers.extend(page.peers.into_iter().map(peer));
        match last {
            Some(last) if page.more => path = format!("admin/peers?after={last}"),
            _ => break,
        }
    }
    view.ok_or_else(|| crate::error::internal("peers"))
}

/// Decides about one.
pub(crate) async fn judge(cx: &Cx, name: &str, act: &str) -> Result<(), Refusal> {
    let name: NodeName = name.parse().map_err(|error| field_error("name", error))?;
    let wish = match act {
        "trust" => PeerWish::Trust,
        "block" => PeerWish::Block,
        "reset" => PeerWish::Ordinary,
        "accept_key" => PeerWish::AcceptKey,
        "reject_key" => PeerWish::RejectKey,
        _ => return Err(field_error("act", "trust, block, reset, accept_key or reject_key")),
    };
    Ok(http::tell(cx, "POST", &format!("admin/peers/{name}"), Some(&JudgePeer { wish })).await?)
}

fn policy(policy: FederationPolicy) -> &'static str {
    match policy {
        FederationPolicy::Open => "open",
        FederationPolicy::AllowList => "allow_list",
        FederationPolicy::Closed => "closed",
    }
}

fn peer(row: PeerRow) -> PeerView {
    let state = match &row {
        PeerRow { blocked: true, .. } => "blocked",
        PeerRow { new_key: Some(_), .. } => "new_key",
        PeerRow { trusted: true, .. } => "trusted",
        _ => "pinned",
    };
    PeerView {
        name: row.name.to_string(),
        state: state.into(),
        key: row.key,
        new_key: row.new_key,
        connected: row.connected.is_some(),
        relayed: row.relayed,
        waiting: row.waiting as f64,
        limit: row.limit,
        last_contact_ms: row.last_contact_ms as f64,
        last_error: row.last_error,
    }
}
