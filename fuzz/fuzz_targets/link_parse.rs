//! Links, addresses and payment codes as people paste and scan them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weft_wire::{
    UserAddress,
    emv::{self, Scanned},
    invites::Link,
    paycode::{PayCode, PayDigits},
    payto::{PAYTO_BYTES_MAX, Payto},
};

fuzz_target!(|text: &str| {
    if let Ok(link) = Link::parse(text) {
        assert_eq!(Link::parse(&link.to_url("https://home.example")), Ok(link));
    }
    if let Ok(user) = text.parse::<UserAddress>() {
        assert_eq!(user.to_string().parse(), Ok(user));
    }
    // Written by us it may be longer than what was read: such a code is refused, not cut.
    if let Ok(Scanned::Static(qr)) = emv::decode(text)
        && let Ok(code) = qr.encode()
    {
        assert_eq!(emv::decode(&code), Ok(Scanned::Static(qr)));
    }
    if let Ok(payto) = Payto::parse(text) {
        let uri = payto.to_string();
        assert!(uri.len() > PAYTO_BYTES_MAX || Payto::parse(&uri) == Ok(payto));
    }
    if let Ok(code) = PayCode::parse(text) {
        assert_eq!(PayCode::parse(&code.to_string()), Ok(code));
    }
    if let Ok(digits) = text.parse::<PayDigits>() {
        assert_eq!(digits.to_string().parse(), Ok(digits));
    }
});
