//! KeyPackages of this device: made here, put in stock at the node, claimed by whoever adds the device.
//!
//! Which of them somebody has claimed the node does not say, and a claimed one may never be used. So private keys are let go
//! by age and by number. A Welcome that comes for one of them later does not open: the room is joined by external commit
//! instead, and what was said in it before is not read. A Welcome may wait in this device's inbox for years: nothing is let go
//! before the inbox is taken (`sync/key_packages.rs` sees to that). For those still to be sent, private keys are kept for longer
//! than an honest node hands their KeyPackages out, and for more of them than it takes.

use super::{RoomCtx, RoomError};
use crate::shelf::sorted;
use crate::{
    kv::{Kv, prefix},
    mls_store::Slot,
};
use openmls::prelude::KeyPackageRef;
use openmls_traits::OpenMlsProvider as _;
use serde::{Deserialize, Serialize};
use weft_mls::{config::KEY_PACKAGE_LIFETIME_MS, key_packages};
use weft_wire::{Blob, DeviceId, Millis, decode, encode, identity::UserIdentity, limits};

const DAY_MS: Millis = 24 * 3_600_000;
/// So long somebody who has claimed a KeyPackage may take until the Welcome to it is in the inbox: they commit at once, or when
/// they have a network again. How long it waits there does not count.
const UNDER_WAY_MS: Millis = 30 * DAY_MS;
/// After so long the node gets new ones, before it stops handing the old ones out.
const FRESH_MS: Millis = KEY_PACKAGE_LIFETIME_MS / 2;
/// Private keys of single-use ones that are kept: a full stock and as many that were claimed.
const SINGLE_MAX: usize = 2 * limits::KEY_PACKAGES_PER_DEVICE_MAX;
/// The last-resort one in stock and those before it, for Welcomes that are under way.
const LAST_RESORT_MAX: usize = 3;
const RECORD_BYTES_MAX: usize = 256;

/// What is known of one that was made here.
#[derive(Clone, Serialize, Deserialize)]
struct Known {
    reference: KeyPackageRef,
    made_ms: Millis,
    last_resort: bool,
}

fn key(reference: &KeyPackageRef) -> Vec<u8> {
    [prefix::KEY_PACKAGES, reference.as_slice()].concat()
}

/// Makes a KeyPackage for others to add this device by; its private keys are kept here.
///
/// # Errors
/// [`RoomError::Mls`].
pub fn key_package(ctx: &mut RoomCtx<'_>, last_resort: bool) -> Result<Blob, RoomError> {
    ctx.atomic(|ctx| {
        let me = ctx.me;
        let made = key_packages::make(&ctx.provider(Slot::Current), me.identity(), last_resort)?;
        let known = Known { reference: made.reference, made_ms: ctx.now, last_resort };
        ctx.kv.put(&key(&known.reference), encode(&known));
        Ok(Blob(made.key_package))
    })
}

/// Whether a KeyPackage is good now, and one of this person's device.
pub fn is_key_package_of(
    ctx: &mut RoomCtx<'_>,
    package: &Blob,
    identity: &UserIdentity,
    device: DeviceId,
) -> bool {
    let now = ctx.now;
    let opened = key_packages::open(ctx.provider(Slot::Current).crypto(), package.as_slice(), now);
    opened.is_ok_and(|(_, cert)| {
        cert.user == identity.user && cert.identity_key == identity.identity_key && cert.device == device
    })
}

/// Those that are known, the newest first.
fn known(kv: &dyn Kv) -> Vec<Known> {
    let rows = kv.scan(prefix::KEY_PACKAGES);
    let known: Vec<Known> =
        rows.iter().filter_map(|(_, value)| decode(value, RECORD_BYTES_MAX).ok()).collect();
    sorted(known, |known| format!("{:020}", u64::MAX - known.made_ms))
}

/// Whether those at the node have been there for so long that it should get new ones.
pub fn key_packages_are_old(ctx: &RoomCtx<'_>) -> bool {
    known(ctx.kv).first().is_none_or(|newest| newest.made_ms.saturating_add(FRESH_MS) <= ctx.now)
}

/// Lets go of private keys that nobody needs any more: of single-use ones past their life time, of last-resort ones that
/// were replaced long ago, and of whatever is too much. Gives how many. Only for a device that has taken its inbox: a Welcome
/// in there may be to any of them.
///
/// # Errors
/// [`RoomError::Mls`].
pub fn prune_key_packages(ctx: &mut RoomCtx<'_>) -> Result<usize, RoomError> {
    let (mut single, mut last_resort) = (0, 0);
    // When the next newer last-resort one took the place of the one that is looked at.
    let mut replaced_ms = None;
    let mut forgotten = 0;
    for known in known(ctx.kv) {
        let over = if known.last_resort {
            let replaced = replaced_ms.replace(known.made_ms);
            last_resort += 1;
            last_resort > LAST_RESORT_MAX
                || replaced.is_some_and(|at| at.saturating_add(UNDER_WAY_MS) <= ctx.now)
        } else {
            single += 1;
            single > SINGLE_MAX
                || known.made_ms.saturating_add(KEY_PACKAGE_LIFETIME_MS + UNDER_WAY_MS) <= ctx.now
        };
        forgotten += usize::from(ctx.atomic(|ctx| forget(ctx, &known, over))?);
    }
    Ok(forgotten)
}

/// Forgets one that is over, and that there was one that was used up.
fn forget(ctx: &mut RoomCtx<'_>, known: &Known, over: bool) -> Result<bool, RoomError> {
    let kept = key_packages::is_kept(&ctx.provider(Slot::Current), &known.reference)?;
    if over && kept {
        key_packages::forget(&ctx.provider(Slot::Current), &known.reference)?;
    }
    if over || !kept {
        ctx.kv.delete(&key(&known.reference));
    }
    Ok(over && kept)
}
