//! One MLS group a room, as a device lives in it: a pure state machine over the engine's keys and values.
//!
//! The rules that make it survive crashes, races and a hub that lies:
//!
//! - **The log drives the state.** [`process_entry`] takes entries in order, exactly once: a room's cursor moves in the same
//!   staged writes as the ratchet, the epoch and whatever the caller does with the result. An entry that was passed already
//!   is skipped, a gap is an error, and an entry that cannot be used is set aside with its reason.
//! - **An own commit is pending until the hub has taken it.** It is stored before it is sent, so a retry sends the same
//!   bytes. It is merged by [`commit_accepted`], or when it comes back in the log, whichever is first. When somebody else
//!   wins the epoch, following the winner drops it, and the caller plans anew.
//! - **A message is encrypted once an epoch.** [`encrypt`] stores the envelope; asked again it gives the same bytes, until
//!   the epoch has moved on. Then it encrypts anew under the same message id, so that devices that came in meanwhile can read
//!   it. A hub that answers `id_conflict` has taken an earlier try: the message is accepted. Its entry may lie before the
//!   cursor, if this device was out of the group in between.
//! - **Joining anew** ([`external_join`]) is kept aside until accepted. The old state goes on until then, and stays readable
//!   for the few epochs whose messages may still be under way.
//! - **What the hub says of a group is compared with what was known of it** when a device comes in anew ([`Unsure`]): a hub that
//!   makes up a group of the same name finds nobody in it who was not shown to the person first.
//! - **Nobody comes in whose certificate does not chain to the pinned identity** ([`Pins`]), whatever the hub says.
//! - **Nobody is promoted but by an owner's own commit.** Roles stand in the group context; that they are there is also what
//!   makes a room a group, whatever the hub says it is for.
//!
//! Every verb is all or nothing: on an error nothing is changed.

mod anew;
mod commits;
mod error;
mod items;
mod join;
mod key_packages;
mod log;
mod messages;
mod record;

pub use anew::{Anew, Found, Unsure};
pub use commits::{
    Changes, add_devices, change_group, commit_accepted, commit_refused, create, pending, remove_devices,
    self_update,
};
pub use error::{Reason, RoomError};
pub use items::{open_ephemeral, open_item, seal_ephemeral, seal_item};
pub use join::{external_join, join_welcome, resume};
pub use key_packages::{is_key_package_of, key_package, key_packages_are_old, prune_key_packages};
pub use log::process_entry;
pub use messages::{encrypt, forget_message};
pub use record::{Info, Stage, forget, info, members, roles, set_kind, skip_to};

use crate::{
    kv::{Kv, Overlay},
    mls_store::{MlsProvider, Slot},
};
use ed25519_dalek::SigningKey;
use rand_core::CryptoRngCore;
use weft_mls::{DeviceIdentity, Roles};
use weft_wire::{
    DeviceId, MessageId, Millis, Signed, UserAddress,
    content::Content,
    identity::DeviceCert,
    rooms::{DeviceRef, SubmitCommit},
};

/// Everything that a room needs from outside.
pub struct RoomCtx<'a> {
    /// The engine's state; changes are staged in the current output.
    pub kv: &'a mut dyn Kv,
    /// Randomness.
    pub rng: &'a mut dyn CryptoRngCore,
    /// The clock.
    pub now: Millis,
    /// Who acts.
    pub me: &'a Me,
    /// Whom to trust.
    pub pins: &'a dyn Pins,
}

/// This device.
pub struct Me {
    /// Whose it is.
    pub user: UserAddress,
    /// Its id.
    pub device: DeviceId,
    /// Signs leaves, commits and envelopes. Erased when dropped.
    pub key: SigningKey,
    /// The certificate for it.
    pub cert: Signed<DeviceCert>,
    /// The own identity key; every device of this account must be certified by it.
    pub identity_key: [u8; 32],
}

impl Me {
    /// Me, in terms of the room.
    pub fn device_ref(&self) -> DeviceRef {
        DeviceRef { user: self.user.clone(), device: self.device }
    }

    fn identity(&self) -> DeviceIdentity<'_> {
        DeviceIdentity { key: &self.key, cert: &self.cert }
    }
}

/// The identity keys that were pinned on first contact or verified by QR.
pub trait Pins {
    /// The key pinned for a person; none when there was no contact yet.
    fn pinned(&self, user: &UserAddress) -> Option<[u8; 32]>;
}

/// What became of a log entry. The cursor is past it.
#[derive(Debug)]
pub enum Processed {
    /// A message to show.
    Message(Box<Message>),
    /// An own message or commit that came back: it is accepted.
    Own {
        /// Which.
        message_id: MessageId,
    },
    /// The group has moved on.
    Commit(Box<Change>),
    /// Nothing to do.
    Skipped(Skip),
    /// It cannot be used; to be shown as such.
    Unusable {
        /// Why.
        reason: Reason,
        /// Whether the group cannot be followed any more: the caller joins anew by [`external_join`], with a cap.
        resync: bool,
    },
}

/// An application message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in the log.
    pub seq: u64,
    /// When the hub took it.
    pub time_ms: Millis,
    /// Who sent it, authenticated by MLS and by the envelope.
    pub from: DeviceRef,
    /// What it says.
    pub content: Content,
}

/// A step of the group from one epoch to the next.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The epoch after it.
    pub epoch: u64,
    /// Who committed. Of an external commit: who joined. Of a Welcome: who added this device.
    pub by: DeviceRef,
    /// Whether this device did.
    pub own: bool,
    /// Devices that came in, the joiner of an external commit included.
    pub added: Vec<DeviceCert>,
    /// Devices that went. One that is among `added` too has joined anew.
    pub removed: Vec<DeviceRef>,
    /// The owners and admins from now on, if that has changed or this device has just come in.
    #[serde(default)]
    pub roles: Option<Roles>,
    /// People who had no device in the group before, as far as this device knew; nobody where it has come in for the first time.
    #[serde(default)]
    pub came: Vec<UserAddress>,
    /// People who have none in it any more.
    #[serde(default)]
    pub went: Vec<UserAddress>,
    /// The owners and admins before it; none of a direct room, and where this device has come in for the first time.
    #[serde(default)]
    pub roles_before: Option<Roles>,
    /// Whether this device is out of the group now. Nothing of it is left here.
    pub removed_me: bool,
    /// Whether an own pending commit lost to this one: plan it anew if it is still needed.
    pub lost_pending: bool,
}

/// Why nothing was to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Its number is at or before the cursor.
    Duplicate,
    /// Its content was read before, under another number.
    Replayed,
    /// It is from before this device was in the group.
    BeforeJoin,
}

/// An own commit that waits for the hub.
#[derive(Debug, Clone)]
pub struct PendingCommit {
    /// To be sent, and sent again: the same bytes each time.
    pub submit: SubmitCommit,
    /// Whether this is [`external_join`].
    pub external: bool,
    /// The hub has refused it as stale: wait for the winner to come by the log.
    pub refused: bool,
    /// The hub has accepted it under this number; the log is not there yet.
    pub accepted: Option<u64>,
}

impl RoomCtx<'_> {
    /// Runs an operation on an overlay, which is handed on only when it succeeds.
    fn atomic<T, E>(&mut self, f: impl FnOnce(&mut RoomCtx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut overlay = Overlay::new(&mut *self.kv);
        let done = f(&mut RoomCtx {
            kv: &mut overlay,
            rng: &mut *self.rng,
            now: self.now,
            me: self.me,
            pins: self.pins,
        })?;
        overlay.commit();
        Ok(done)
    }

    fn provider(&mut self, slot: Slot) -> MlsProvider<'_> {
        MlsProvider::new(&mut *self.kv, &mut *self.rng, slot)
    }

    /// Whether this key is the one that is pinned for a person.
    fn is_pinned_as(&self, user: &UserAddress, key: &[u8; 32]) -> bool {
        self.pins.pinned(user).as_ref() == Some(key)
    }

    /// Whether a certificate chains to the identity key that is pinned for its person. `Ok(false)`: nobody was pinned.
    fn is_pinned(&self, cert: &DeviceCert) -> Result<bool, RoomError> {
        let pinned =
            if cert.user == self.me.user { Some(self.me.identity_key) } else { self.pins.pinned(&cert.user) };
        match pinned {
            Some(key) if key == cert.identity_key => Ok(true),
            Some(_) => Err(RoomError::KeyChanged { user: cert.user.clone() }),
            None => Ok(false),
        }
    }
}
