//! Golden snapshots: a change of what travels is a decision, seen in review.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::Visitor;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Write as _;

struct Golden;

impl Visitor for Golden {
    fn visit<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: T) {
        let cbor = weft_wire::encode(&value);
        let json = serde_json::to_string_pretty(&value).expect("every wire type has a JSON form");
        assert_eq!(weft_wire::decode::<T>(&cbor, 1 << 20).expect(name), value, "{name}: CBOR round trip");
        assert_eq!(serde_json::from_str::<T>(&json).expect(name), value, "{name}: JSON round trip");
        let hex = cbor.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, format!("{json}\n\n{hex}"));
        });
    }
}

#[test]
fn every_type_travels_as_it_did() {
    common::visit_all(&mut Golden);
}

#[test]
fn unknown_fields_are_ignored_and_new_fields_have_defaults() {
    #[derive(Serialize)]
    struct Newer<'a> {
        name: &'a str,
        opaque_request: weft_wire::Blob,
        colour: u8,
    }
    let newer = Newer { name: "alice", opaque_request: common::blob(3), colour: 7 };
    let read: weft_wire::accounts::RegisterStart =
        weft_wire::decode(&weft_wire::encode(&newer), 1024).expect("an older node reads a newer client");
    assert_eq!(read.invite, None);
}

#[test]
fn every_problem_code_keeps_its_name_and_status() {
    let all: Vec<_> = weft_wire::Code::ALL.iter().map(|c| format!("{} {}", c.status(), c.as_str())).collect();
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("problem_codes", all.join("\n"));
    });
    for code in weft_wire::Code::ALL {
        let text = serde_json::to_string(code).expect("a code is a string");
        assert_eq!(text, format!("\"{}\"", code.as_str()), "the name in errors is the name on the wire");
    }
    let newer: weft_wire::Code =
        serde_json::from_str("\"quota_of_the_future\"").expect("unknown codes are read");
    assert_eq!(newer, weft_wire::Code::Unknown);
}
