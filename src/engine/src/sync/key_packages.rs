//! KeyPackages in stock at the node, so that others can add this device while it is away.

use super::rooms;
use crate::http::{self, Failure};
use crate::jobs::Done;
use crate::rooms::{key_package, key_packages_are_old, prune_key_packages};
use crate::runtime::{Cx, State};
use weft_wire::contacts::{KeyPackageStock, PublishKeyPackages};
use weft_wire::limits::KEY_PACKAGES_PER_DEVICE_MAX;

/// Filled up when fewer are left.
pub(crate) const STOCK_MIN: u32 = 20;
/// Filled up to so many; so many new ones when the old ones have been there for long.
const STOCK: u32 = 50;
/// What is being published. Sent again as it is until the node has said something: made anew each time, the private keys of
/// those that never arrived would push out those that did.
const PUBLISHING: &[u8] = b"a/publishing";

/// Whether the node should get new ones, however many it has left.
pub(crate) fn are_old(s: &mut State) -> bool {
    rooms::with(s, |ctx| key_packages_are_old(ctx)).unwrap_or(false)
}

/// The job: enough KeyPackages are in stock, and none of them is old. Their private keys are durable before the node hears of
/// them; those that nobody needs any more go.
pub(crate) async fn stock(cx: &Cx) -> Result<Done, Failure> {
    let body = match cx.with(|s| s.load::<PublishKeyPackages>(PUBLISHING)) {
        Some(body) => body,
        None => {
            let stock: KeyPackageStock = http::get(cx, "key-packages").await?;
            let Some(body) = cx.with(|s| make(s, stock))? else { return Ok(Done::Yes) };
            body
        }
    };
    let answer = http::post::<_, KeyPackageStock>(cx, "key-packages", &body).await;
    let decided = answer.as_ref().err().is_none_or(Failure::is_final);
    cx.with(|s| {
        if decided {
            s.kv_delete(PUBLISHING);
        }
        rooms::try_with(s, prune_key_packages).map(|_| ())
    })?;
    answer.map(|_| Done::Yes)
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
