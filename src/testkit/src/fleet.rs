//! Many devices at once, in pairs that have a room each: for the load generator and for measurements.

use crate::device::{Device, Room};
use anyhow::{Context as _, Result};
use futures::{StreamExt, TryStreamExt, stream};
use std::net::SocketAddr;

/// Devices that are made at the same time: enough to keep both ends busy, few enough not to be a flood.
const AT_ONCE: usize = 16;

/// Two people with a room, both of them in it.
pub struct Pair {
    /// The two.
    pub devices: [Device; 2],
    /// The room, as each of them has it.
    pub rooms: [Room; 2],
}

/// Makes accounts with a device each. The first invite is the owner's, so one account is made before the others.
///
/// # Errors
/// When the node says no.
pub async fn register(
    node: SocketAddr,
    prefix: &str,
    count: usize,
    invite: impl AsyncFn() -> Result<String>,
) -> Result<Vec<Device>> {
    let name = |number: usize| format!("{prefix}{number}");
    let mut devices = Vec::with_capacity(count);
    if count > 0 {
        devices.push(Device::register(node, &name(0), Some(&invite().await?)).await?);
    }
    let mut number = 1;
    while number < count {
        // An invite serves a hundred people.
        let link = invite().await?;
        let batch = number..count.min(number + 100);
        number = batch.end;
        let more = stream::iter(batch.map(|number| {
            let (name, link) = (name(number), link.clone());
            async move { Device::register(node, &name, Some(&link)).await }
        }))
        .buffered(AT_ONCE);
        devices.extend(more.try_collect::<Vec<_>>().await?);
    }
    Ok(devices)
}

/// Makes the devices contacts two by two, with a room that both are in.
///
/// # Errors
/// When the node says no.
pub async fn pair_up(devices: Vec<Device>) -> Result<Vec<Pair>> {
    let mut devices = devices.into_iter();
    let mut twos = Vec::new();
    while let (Some(first), Some(second)) = (devices.next(), devices.next()) {
        twos.push((first, second));
    }
    stream::iter(twos.into_iter().map(|(first, second)| async move {
        second.publish(1).await?;
        first.befriend(&second).await?;
        let here = first.direct_room(&second).await.context("a room")?;
        let (there, _) = second.join().await.context("the Welcome")?;
        Ok(Pair { devices: [first, second], rooms: [here, there] })
    }))
    .buffer_unordered(AT_ONCE)
    .try_collect()
    .await
}
