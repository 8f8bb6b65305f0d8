//! Links and addresses as people paste and scan them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weft_wire::{UserAddress, invites::Link};

fuzz_target!(|text: &str| {
    if let Ok(link) = Link::parse(text) {
        assert_eq!(Link::parse(&link.to_url("https://home.example")), Ok(link));
    }
    if let Ok(user) = text.parse::<UserAddress>() {
        assert_eq!(user.to_string().parse(), Ok(user));
    }
});
