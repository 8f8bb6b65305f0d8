//! People and their devices, each with its own storage; the hub's side is what is tested.
#![allow(dead_code, clippy::unwrap_used)]

use ed25519_dalek::SigningKey;
use openmls::prelude::{MlsGroup, OpenMlsProvider as _};
use openmls_rust_crypto::OpenMlsRustCrypto;
use weft_mls::{DeviceIdentity, HubGroup, MlsError, Submission, key_packages, member, member::Prepared};
use weft_wire::{DeviceId, Millis, RoomId, Signed, UserAddress, identity::DeviceCert};

/// Far from the system clock: nothing may depend on it.
pub const NOW: Millis = 1_000_000;
pub const LATER: Millis = 2_000_000_000;
pub const ROOM: RoomId = RoomId([0xA7; 16]);

pub struct Device {
    pub key: SigningKey,
    pub cert: Signed<DeviceCert>,
    pub provider: OpenMlsRustCrypto,
}

pub fn address(name: &str) -> UserAddress {
    format!("{name}@home.example").parse().unwrap()
}

fn key(text: &str) -> SigningKey {
    let mut seed = [0x5C; 32];
    seed.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    SigningKey::from_bytes(&seed)
}

/// `device("alice", "phone")`, certified by alice's identity key.
pub fn device(name: &str, device: &str) -> Device {
    certified(name, device, &format!("identity of {name}"), LATER)
}

/// A device whose certificate is signed by any identity key and ends at any time.
pub fn certified(name: &str, device: &str, identity: &str, expires_ms: Millis) -> Device {
    let (identity, key) = (key(identity), key(&format!("{name}/{device}")));
    let device_key = key.verifying_key().to_bytes();
    let cert = DeviceCert {
        user: address(name),
        identity_key: identity.verifying_key().to_bytes(),
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: 1,
        expires_ms,
    };
    Device { key, cert: Signed::sign(&cert, &identity), provider: OpenMlsRustCrypto::default() }
}

impl Device {
    pub fn me(&self) -> DeviceIdentity<'_> {
        DeviceIdentity { key: &self.key, cert: &self.cert }
    }

    pub fn id(&self) -> DeviceId {
        self.cert.peek().unwrap().device
    }

    pub fn key_package(&self) -> Vec<u8> {
        key_packages::build(&self.provider, self.me(), false).unwrap()
    }

    pub fn create(&self) -> (MlsGroup, HubGroup) {
        let (group, group_info) = member::create(&self.provider, self.me(), ROOM).unwrap();
        let (hub, creator) = HubGroup::create(ROOM, &group_info, NOW).unwrap();
        assert_eq!(creator, self.cert.peek().unwrap());
        (group, hub)
    }

    pub fn prepare(&self, group: &mut MlsGroup, add: &[Vec<u8>], remove: &[DeviceId]) -> Prepared {
        member::prepare(&self.provider, self.me(), group, add, remove, NOW).unwrap()
    }

    pub fn join_externally(&self, group_info: &[u8]) -> (MlsGroup, Prepared) {
        member::join_externally(&self.provider, self.me(), ROOM, group_info).unwrap()
    }

    pub fn merge(&self, group: &mut MlsGroup) {
        group.merge_pending_commit(&self.provider).unwrap();
    }

    pub fn follow(&self, group: &mut MlsGroup, commit: &[u8]) {
        let (_, staged) = member::stage(&self.provider, group, commit, NOW).unwrap();
        group.merge_staged_commit(&self.provider, *staged).unwrap();
    }

    pub fn group_info(&self, group: &MlsGroup, with_tree: bool) -> Vec<u8> {
        let info = group.export_group_info(self.provider.crypto(), &self.me(), with_tree).unwrap();
        weft_mls::messages::to_bytes(info).unwrap()
    }
}

pub fn submission(prepared: &Prepared) -> Submission<'_> {
    Submission {
        commit: &prepared.commit,
        group_info: &prepared.group_info,
        welcome: prepared.welcome.as_deref(),
    }
}

/// The hub takes it: checked, applied, and through its stored form.
pub fn accept(hub: &mut HubGroup, prepared: &Prepared) -> weft_mls::CommitFacts {
    let checked = hub.check_commit(&submission(prepared), NOW).unwrap();
    let facts = hub.apply(checked).unwrap();
    *hub = HubGroup::from_bytes(ROOM, &hub.to_bytes()).unwrap();
    facts
}

pub fn refusal(hub: &HubGroup, prepared: &Prepared) -> MlsError {
    hub.check_commit(&submission(prepared), NOW).unwrap_err()
}
