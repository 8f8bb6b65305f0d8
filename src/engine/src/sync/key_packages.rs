//! KeyPackages in stock at the node, so that others can add this device while it is away.

use super::rooms;
use crate::http::{self, Failure};
use crate::jobs::Done;
use crate::rooms::key_package;
use crate::runtime::Cx;
use weft_wire::contacts::{KeyPackageStock, PublishKeyPackages};

/// Filled up when fewer are left.
pub(crate) const STOCK_MIN: u32 = 20;
/// Filled up to so many.
const STOCK: u32 = 50;

/// The job: enough KeyPackages are in stock. Their private keys are durable before the node hears of them.
pub(crate) async fn stock(cx: &Cx) -> Result<Done, Failure> {
    let stock: KeyPackageStock = http::get(cx, "key-packages").await?;
    if stock.left >= STOCK_MIN && stock.last_resort {
        return Ok(Done::Yes);
    }
    let count = if stock.left < STOCK_MIN { STOCK - stock.left } else { 0 };
    let body = cx.with(|s| -> Result<_, Failure> {
        let mut packages = Vec::new();
        for _ in 0..count {
            packages.push(rooms::try_with(s, |ctx| key_package(ctx, false))?);
        }
        let last_resort = match stock.last_resort {
            true => None,
            false => Some(rooms::try_with(s, |ctx| key_package(ctx, true))?),
        };
        Ok(PublishKeyPackages { packages, last_resort })
    })?;
    http::post::<_, KeyPackageStock>(cx, "key-packages", &body).await?;
    Ok(Done::Yes)
}
