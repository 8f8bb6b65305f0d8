//! Every decoder that faces a peer, a member or a disk: no panic, and what decodes encodes to something that decodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_round_trip::round_trip;
use weft_wire::{accounts::*, contacts::*, content::*, identity::*, invites::*, node::*, rooms::*, sync::*, vault::*};
use weft_wire::{Problem, Signed};

mod serde_round_trip {
    use weft_wire::codec::{Decodable, decode, encode};

    pub fn round_trip<T: Decodable + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
        if let Ok(value) = decode::<T>(bytes, 1 << 20) {
            assert_eq!(decode::<T>(&encode(&value), 1 << 20).as_ref(), Ok(&value));
        }
    }
}

macro_rules! all {
    ($bytes:expr, $($type:ty),* $(,)?) => { $(round_trip::<$type>($bytes);)* };
}

fuzz_target!(|bytes: &[u8]| {
    all!(
        bytes, Problem, NodeInfo, RegisterStart, RegisterFinish, LoginStart, LoginChallenge, LoginFinish, AccountOpened,
        RecoverFinish, PasswordFinish, AddDevice, DeviceList, CreateInvite, Link, UserLookup, ContactRequest,
        ContactList, CreateContactLink, PublishKeyPackages, ClaimedKeyPackages, Content, Greeting, Ephemeral, Envelope,
        LogPage, CreateRoom, SubmitMessage, SubmitCommit, GroupInfoAnswer, PutItem, RoomList, PutVaultRecords,
        VaultPage, ClientFrame, ServerFrame,
    );
    if let Ok(cert) = weft_wire::decode::<Signed<DeviceCert>>(bytes, 1 << 20) {
        let _ = cert.open(0);
    }
    if let Ok(identity) = weft_wire::decode::<Signed<UserIdentity>>(bytes, 1 << 20) {
        let _ = identity.open();
    }
});
