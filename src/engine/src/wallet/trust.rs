//! The node's key. What the node signs, receipts and the codes of its shops, counts under the key that is pinned here, and under no
//! other.
//!
//! It is pinned where it is first seen: with the account, or, on a device from before there was this, before the next payment. A
//! node that is named by its key can show no other one. Where the key changes, nothing of what the node signs counts, and nothing is
//! paid, until somebody has accepted the new one: only the operator can tell whether it was them.

use crate::api::{Event, NodeKeyView};
use crate::error::{Refusal, call_error, field_error};
use crate::http::{self, Failure};
use crate::jobs::Job;
use crate::runtime::{Cx, State};
use serde::{Deserialize, Serialize};
use weft_wire::node::NodeInfo;
use weft_wire::{NodeName, Signed, signed::Signable};

const PINNED: &[u8] = b"w/node";

type Key = [u8; 32];

#[derive(Serialize, Deserialize)]
struct Pinned {
    key: Key,
    /// What the node shows now, if that is another one.
    #[serde(default)]
    other: Option<Key>,
}

/// The node has said who it is.
pub(crate) fn saw(s: &mut State, node: &NodeInfo) {
    let is_own = s.live.me.as_ref().is_some_and(|me| me.user.node == node.name);
    let key = node.key.as_ref().and_then(|key| Key::try_from(key.as_slice()).ok());
    let Some(key) = key.filter(|_| is_own && node.name.key().is_none()) else { return };
    let Some(pinned) = s.load::<Pinned>(PINNED) else {
        return s.store(PINNED, &Pinned { key, other: None });
    };
    let other = Some(key).filter(|key| *key != pinned.key);
    if other != pinned.other {
        s.store(PINNED, &Pinned { other, ..pinned });
        s.event(Event::Wallet);
    }
}

/// Asks the node who it is.
async fn ask(cx: &Cx) -> Result<(), Failure> {
    let node: NodeInfo = http::open_get(cx, "node").await?;
    cx.with(|s| saw(s, &node));
    Ok(())
}

/// What is pinned, with what the node shows instead.
fn known(s: &mut State) -> Option<(NodeName, Pinned)> {
    let node = s.live.me.as_ref()?.user.node.clone();
    let pinned = match node.key() {
        Some(key) => Pinned { key, other: None },
        None => s.load(PINNED)?,
    };
    Some((node, pinned))
}

async fn pinned(cx: &Cx) -> Result<(NodeName, Pinned), Failure> {
    if cx.with(|s| known(s).is_none()) {
        ask(cx).await?;
    }
    cx.with(known).ok_or(Failure::Nonsense("the node's key"))
}

/// The key that counts.
pub(super) async fn key(cx: &Cx) -> Result<Key, Failure> {
    Ok(pinned(cx).await?.1.key)
}

/// Whether this is the key that counts.
pub(super) fn is_current(s: &mut State, key: &Key) -> bool {
    known(s).is_some_and(|(_, pinned)| pinned.key == *key)
}

/// Pays nothing to a node that may not be the one of before.
pub(super) async fn check(cx: &Cx) -> Result<(), Refusal> {
    match pinned(cx).await?.1.other {
        None => Ok(()),
        Some(_) => Err(changed()),
    }
}

/// Reads what the node has signed.
pub(super) async fn read<T: Signable>(cx: &Cx, signed: &Signed<T>) -> Result<T, Failure> {
    match signed.verify(&key(cx).await?) {
        Ok(record) => Ok(record),
        Err(_) => {
            doubted(cx).await?;
            Err(Failure::Nonsense("the node's signature"))
        }
    }
}

/// Something was signed with another key. Gives whether the node shows another one, too.
pub(super) async fn doubted(cx: &Cx) -> Result<bool, Failure> {
    ask(cx).await?;
    Ok(cx.with(has_other))
}

pub(super) fn has_other(s: &mut State) -> bool {
    known(s).is_some_and(|(_, pinned)| pinned.other.is_some())
}

pub(super) fn changed() -> Refusal {
    call_error("node_key_changed", "The node signs with another key than the one that this device knows.")
}

/// As interfaces and operators write it.
pub(super) fn print(key: &Key) -> String {
    NodeName::of_key(key).to_string()
}

pub(super) async fn view(cx: &Cx) -> Result<NodeKeyView, Refusal> {
    let (node, Pinned { key, other }) = pinned(cx).await?;
    let new_key = other.as_ref().map(print);
    Ok(NodeKeyView { node: node.to_string(), key: print(&key), new_key })
}

/// Somebody has made sure that the new key is the node's. What waits is asked for again, and read with it.
pub(super) async fn accept(cx: &Cx, shown: &str) -> Result<NodeKeyView, Refusal> {
    let (_, Pinned { other, .. }) = pinned(cx).await?;
    let key = other.filter(|key| print(key) == shown);
    let key = key.ok_or_else(|| field_error("print", "the node shows no such key"))?;
    cx.with(|s| {
        s.store(PINNED, &Pinned { key, other: None });
        s.jobs.want(Job::Pay);
        s.event(Event::Wallet);
    });
    view(cx).await
}
