//! Decoders against hostile bytes: no panic, no allocation out of proportion, no forged signature.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::Visitor;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use weft_wire::{DecodeError, Signed, UserAddress, UserName, identity::DeviceCert, sync::ServerFrame};

/// Remembers the largest single allocation of this thread, so that a lying length prefix is caught.
struct Watching;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

#[allow(unsafe_code)] // a global allocator cannot be written without
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(layout.size())));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// The encoded samples, each with a decoder for its own type.
type Decoder = fn(&[u8]) -> Result<(), DecodeError>;
struct Collect(Vec<(String, Vec<u8>, Decoder)>);

impl Visitor for Collect {
    fn visit<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: T) {
        let decoder: Decoder = |bytes| weft_wire::decode::<T>(bytes, 1 << 20).map(drop);
        self.0.push((name.to_owned(), weft_wire::encode(&value), decoder));
    }
}

fn samples() -> Vec<(String, Vec<u8>, Decoder)> {
    let mut all = Collect(Vec::new());
    common::visit_all(&mut all);
    all.0
}

/// No single allocation may exceed this for inputs of a few kilobytes: serde's own cautious cap for sequences.
const ALLOCATION_MAX: usize = 2 << 20;

fn decode_all(bytes: &[u8]) {
    for (name, _, decoder) in samples() {
        LARGEST.with(|largest| largest.set(0));
        let _ = decoder(bytes);
        let largest = LARGEST.with(Cell::get);
        assert!(
            largest <= ALLOCATION_MAX,
            "{name} allocated {largest} bytes for an input of {}",
            bytes.len()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        decode_all(&bytes);
    }

    #[test]
    fn damaged_records_never_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let all = samples();
        let (_, bytes, decoder) = which.get(&all);
        let mut damaged = bytes.clone();
        if let Some(b) = damaged.get_mut(at.index(bytes.len())) { *b = byte }
        let _ = decoder(&damaged);
        prop_assert!(decoder(&bytes[..cut.index(bytes.len())]).is_err(), "a prefix is never a whole value");
    }

    #[test]
    fn names_round_trip_or_are_refused(text in "\\PC{0,40}") {
        if let Ok(name) = text.parse::<UserName>() {
            prop_assert_eq!(name.as_str().parse::<UserName>(), Ok(name));
        }
        if let Ok(user) = text.parse::<UserAddress>() {
            prop_assert_eq!(user.to_string().parse::<UserAddress>(), Ok(user));
        }
    }

    #[test]
    fn links_round_trip(name in "\\PC{0,30}", token in proptest::collection::vec(any::<u8>(), 16)) {
        let mut link = common::link();
        if let Some(person) = &mut link.person {
            person.name = name;
            person.token = token.into();
        }
        prop_assert_eq!(weft_wire::invites::Link::parse(&link.to_url("https://home.example/")), Ok(link));
    }

    #[test]
    fn any_flipped_bit_breaks_the_signature(bit in any::<prop::sample::Index>()) {
        let signed = Signed::sign(&common::cert(), &common::key(1));
        let mut bytes = weft_wire::encode(&signed);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(forged) = weft_wire::decode::<Signed<DeviceCert>>(&bytes, 4096) {
            prop_assert!(forged.open(common::cert().created_ms).is_err());
        }
    }
}

#[test]
fn length_prefixes_that_lie_cost_nothing() {
    // Byte string, text, array and map that claim 2^62 elements, alone and inside a frame.
    for major in [0x5b_u8, 0x7b, 0x9b, 0xbb] {
        let mut lie = vec![major];
        lie.extend_from_slice(&(1_u64 << 62).to_be_bytes());
        decode_all(&lie);
        let mut frame = b"\xa1\x67entries\xa2\x64room".to_vec();
        frame.extend_from_slice(&lie);
        decode_all(&frame);
    }
}

#[test]
fn nesting_is_bounded() {
    for opener in [0x81_u8, 0xa1, 0xc1, 0x9f, 0xbf, 0x5f] {
        decode_all(&vec![opener; 100_000]);
    }
}

#[test]
fn size_is_checked_first_and_trailing_bytes_are_refused() {
    let frame = weft_wire::encode(&ServerFrame::Pong);
    assert!(matches!(weft_wire::decode::<ServerFrame>(&frame, 2), Err(DecodeError::TooLarge { max: 2, .. })));
    let two = [frame.clone(), frame].concat();
    assert!(matches!(weft_wire::decode::<ServerFrame>(&two, 64), Err(DecodeError::Trailing(_))));
}

#[test]
fn a_signature_is_bound_to_its_context() {
    // The body of a device certificate, signed as something else, is no certificate.
    let cert = common::cert();
    let signed = Signed::sign(&cert, &common::key(1));
    assert!(signed.open(cert.created_ms).is_ok());
    assert!(signed.open(cert.expires_ms).is_err(), "expired");
    assert!(signed.open_for(&common::bob(), &cert.identity_key, cert.created_ms).is_err(), "another person");
    assert!(signed.open_for(&cert.user, &[9; 32], cert.created_ms).is_err(), "another identity");
    let by_other = Signed::sign(&cert, &common::key(9));
    assert!(by_other.open(cert.created_ms).is_err(), "foreign signature");
    let json = serde_json::to_string(&signed).expect("JSON");
    let as_identity: Signed<weft_wire::identity::UserIdentity> =
        serde_json::from_str(&json).expect("same shape");
    assert!(as_identity.open().is_err(), "another context");
}

#[test]
fn an_id_is_written_in_one_way() {
    let plain = "0f".repeat(16);
    assert!(plain.parse::<weft_wire::RoomId>().is_ok());
    for other in [plain.replacen("0f", "+f", 1), plain.replacen("0f", "-f", 1), plain.replacen("0f", " f", 1)]
    {
        assert!(other.parse::<weft_wire::RoomId>().is_err(), "{other}");
    }
}

#[test]
fn ill_formed_names_say_what_is_wrong() {
    for bad in
        ["", "a", "-alice", "alice-", "al ice", "álice", "a".repeat(33).as_str(), "alice@home", "../etc"]
    {
        assert!(bad.parse::<UserName>().is_err(), "{bad:?}");
    }
    for bad in ["alice", "@home.example", "alice@", "alice@-x", "alice@home..example", "alice@12D3KooWshort!"]
    {
        assert!(bad.parse::<UserAddress>().is_err(), "{bad:?}");
    }
    let peer = weft_wire::NodeName::of_key(&[5; 32]);
    assert!(peer.as_str().starts_with("12D3KooW"), "{peer}");
    assert_eq!(format!("Alice@{peer}").parse::<UserAddress>().expect("peer id").node, peer);
}
