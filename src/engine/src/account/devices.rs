//! The devices of one's own account.

use super::{Me, forget, me};
use crate::api::{DeviceView, Event};
use crate::contacts::incoming;
use crate::error::{Refusal, field_error};
use crate::runtime::{Cx, State};
use crate::{http, vault};
use weft_wire::accounts::DeviceList;
use weft_wire::identity::DeviceCert;
use weft_wire::{DeviceId, Signed, limits};

const NAMES: &[u8] = b"a/device/";

/// All devices that are signed in.
pub(crate) async fn list(cx: &Cx) -> Result<Vec<DeviceView>, Refusal> {
    let me = cx.with(|s| me(s))?;
    let list: DeviceList = http::get(cx, "devices").await?;
    let views: Vec<_> = list
        .devices
        .into_iter()
        .map(|info| {
            let cert = own_cert(&me, &info.cert).filter(|cert| cert.device == info.device);
            if cert.is_none() {
                cx.with(|s| s.event(Event::Notice { code: "foreign_device".into(), user: None }));
            }
            DeviceView {
                device: info.device.to_string(),
                name: cx.with(|s| name(s, &info.device)).unwrap_or_default(),
                this: info.device == me.device,
                foreign: cert.is_none(),
                created_ms: cert.map(|cert| cert.created_ms).unwrap_or_default() as f64,
                seen_ms: info.seen_ms as f64,
            }
        })
        .collect();
    Ok(views)
}

/// A certificate by the own identity key, whatever its age: what the node says of devices is checked, not believed.
fn own_cert(me: &Me, cert: &Signed<DeviceCert>) -> Option<DeviceCert> {
    let made_ms = cert.peek().ok()?.created_ms;
    cert.open_for(&me.user, &me.identity_key, made_ms).ok()
}

/// What a device is called. The node does not learn it: the account's devices tell each other, sealed in the vault.
fn name_key(device: &DeviceId) -> Vec<u8> {
    [NAMES, device.as_bytes()].concat()
}

/// What the vault says of a device.
pub(crate) fn name(s: &mut State, device: &DeviceId) -> Option<String> {
    s.load(&name_key(device))
}

/// Takes over what a device, this or another one, calls itself. Whether that is new.
pub(crate) fn set_name(s: &mut State, device: &DeviceId, name: &str) -> bool {
    let name = incoming::tidy(name, limits::DISPLAY_NAME_BYTES_MAX);
    let new = self::name(s, device).is_none_or(|known| known != name);
    if new {
        s.store(&name_key(device), &name);
    }
    new
}

/// Names this device.
pub(crate) fn name_this(s: &mut State, name: &str) -> Result<(), Refusal> {
    let device = me(s)?.device;
    if set_name(s, &device, name) {
        vault::changed(s, vault::Name::Device(device));
    }
    Ok(())
}

/// Signs another device out.
pub(crate) async fn revoke(cx: &Cx, device: &str) -> Result<(), Refusal> {
    let me = cx.with(|s| me(s))?;
    let device: DeviceId = device.parse().map_err(|error| field_error("device", error))?;
    if device == me.device {
        return sign_out(cx).await;
    }
    Ok(http::tell::<()>(cx, "DELETE", &format!("devices/{device}"), None).await?)
}

/// Signs this device out and forgets everything. Without network the node keeps the device until it is signed out from
/// another one; the keys are gone from here in any case.
pub(crate) async fn sign_out(cx: &Cx) -> Result<(), Refusal> {
    let me = cx.with(|s| me(s))?;
    let _ = http::tell::<()>(cx, "DELETE", &format!("devices/{}", me.device), None).await;
    cx.with(|s| {
        if s.live.me.is_some() {
            forget(s);
        }
    });
    Ok(())
}

/// The node says that a device was added to this account.
pub(crate) fn added(s: &mut State, cert: &Signed<DeviceCert>) {
    let Some(me) = s.live.me.clone() else { return };
    match own_cert(&me, cert) {
        Some(cert) if cert.device == me.device => {}
        Some(_) => s.event(Event::Notice { code: "device_added".into(), user: None }),
        // Not made by whoever holds the account secret: only the node itself can have put it there.
        None => s.event(Event::Notice { code: "foreign_device".into(), user: None }),
    }
}
