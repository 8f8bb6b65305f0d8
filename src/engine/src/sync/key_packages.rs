//! KeyPackages in stock at the node, so that others can add this device while it is away.

use super::rooms;
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::kv::Kv;
use crate::rooms::{key_package, key_packages_are_old, prune_key_packages};
use crate::runtime::{Cx, State};
use weft_wire::contacts::{KeyPackageStock, PublishKeyPackages};
use weft_wire::limits::KEY_PACKAGES_PER_DEVICE_MAX;

/// Filled up when fewer are left.
const STOCK_MIN: u32 = 20;
/// Filled up to so many; so many new ones when the old ones have been there for long.
const STOCK: u32 = 50;
/// So often in a row the node gets new ones: what was published before is published again first, and may be used up by now.
/// A node that never has any does not get them without end.
const ROUNDS_MAX: usize = 3;
/// What is being published. Sent again as it is until the node has said something: made anew each time, the private keys of
/// those that never arrived would push out those that did.
const PUBLISHING: &[u8] = b"a/publishing";

/// Whether the node should get new ones, however many it has left.
fn are_old(s: &mut State) -> bool {
    rooms::with(s, |ctx| key_packages_are_old(ctx)).unwrap_or(false)
}

/// All of the inbox is taken, and the node had so many left when it let this device in. What was being published still is.
pub(crate) fn look(s: &mut State, left: u32) {
    if left < STOCK_MIN || are_old(s) || s.kv.get(PUBLISHING).is_some() {
        s.jobs.want(Job::StockKeyPackages);
    }
}

/// The job: enough KeyPackages are in stock, and none of them is old.
pub(crate) async fn stock(cx: &Cx) -> Result<Done, Failure> {
    for _ in 0..ROUNDS_MAX {
        // Else it is looked at again once the inbox is taken ([`look`]).
        if !cx.with(|s| s.live.inbox_taken) || publish(cx).await?.is_none_or(|left| left >= STOCK_MIN) {
            break;
        }
    }
    Ok(Done::Yes)
}

/// Publishes what is missing. Private keys are durable before the node hears of them; those that nobody needs any more go.
/// Gives how many the node has then; none: nothing was missing.
async fn publish(cx: &Cx) -> Result<Option<u32>, Failure> {
    let body = match cx.with(|s| s.load::<PublishKeyPackages>(PUBLISHING)) {
        Some(body) => body,
        None => {
            let stock: KeyPackageStock = http::get(cx, "key-packages").await?;
            let Some(body) = cx.with(|s| make(s, stock))? else { return Ok(None) };
            body
        }
    };
    let answer = http::post::<_, KeyPackageStock>(cx, "key-packages", &body).await;
    let decided = answer.as_ref().err().is_none_or(Failure::is_final);
    cx.with(|s| {
        if decided {
            s.kv_delete(PUBLISHING);
        }
        // The connection may have gone meanwhile, and another Welcome have come.
        match s.live.inbox_taken {
            true => rooms::try_with(s, prune_key_packages).map(|_| ()),
            false => Ok(()),
        }
    })?;
    answer.map(|stock| Some(stock.left))
}

fn make(s: &mut State, stock: KeyPackageStock) -> Result<Option<PublishKeyPackages>, Failure> {
    let old = are_old(s);
    if stock.left >= STOCK_MIN && stock.last_resort && !old {
        return Ok(None);
    }
    let room = u32::try_from(KEY_PACKAGES_PER_DEVICE_MAX).unwrap_or(STOCK).saturating_sub(stock.left);
    let count = if old { STOCK } else { STOCK.saturating_sub(stock.left) };
    let mut packages = Vec::new();
    for _ in 0..count.min(room) {
        packages.push(rooms::try_with(s, |ctx| key_package(ctx, false))?);
    }
    let last_resort = match stock.last_resort && !old {
        true => None,
        false => Some(rooms::try_with(s, |ctx| key_package(ctx, true))?),
    };
    let body = PublishKeyPackages { packages, last_resort };
    s.store(PUBLISHING, &body);
    Ok(Some(body))
}
