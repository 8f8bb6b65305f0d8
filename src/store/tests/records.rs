//! Records: old data opens for ever, foreign data is refused, and the bytes on disk change only by decision.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use weft_store::record::{First, Record, RecordError, Versioned};

mod v1 {
    use super::{Deserialize, First, Serialize, Versioned};

    #[derive(Serialize, Deserialize)]
    pub struct Account {
        pub name: String,
    }

    impl Versioned for Account {
        const VERSION: u8 = 1;
        type Previous = First;
        fn migrate(previous: First) -> Self {
            match previous {}
        }
    }
}

mod v2 {
    use super::{Deserialize, Serialize, Versioned, v1};

    #[derive(Serialize, Deserialize)]
    pub struct Account {
        pub name: String,
        pub owner: bool,
    }

    impl Versioned for Account {
        const VERSION: u8 = 2;
        type Previous = v1::Account;
        fn migrate(previous: v1::Account) -> Self {
            Account { name: previous.name, owner: false }
        }
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Account {
    names: Vec<String>,
    owner: bool,
    #[serde(default)]
    since: u64,
}

impl Versioned for Account {
    const VERSION: u8 = 3;
    type Previous = v2::Account;
    fn migrate(previous: v2::Account) -> Self {
        Account { names: vec![previous.name], owner: previous.owner, since: 0 }
    }
}

fn ada(owner: bool) -> Account {
    Account { names: vec!["Ada".into()], owner, since: 0 }
}

#[test]
fn every_older_version_opens() {
    assert_eq!(Account::from_record(&v1::Account { name: "Ada".into() }.to_record()), Ok(ada(false)));
    assert_eq!(
        Account::from_record(&v2::Account { name: "Ada".into(), owner: true }.to_record()),
        Ok(ada(true))
    );
    assert_eq!(Account::from_record(&ada(true).to_record()), Ok(ada(true)));
    // The bytes that version 1 wrote, frozen.
    assert_eq!(v1::Account { name: "Ada".into() }.to_record(), b"\x01\xa1dnamecAda");
    assert_eq!(Account::from_record(b"\x01\xa1dnamecAda"), Ok(ada(false)));
}

#[test]
fn what_is_newer_or_no_record_is_refused() {
    assert_eq!(Account::from_record(b""), Err(RecordError::Empty));
    assert_eq!(Account::from_record(b"\x04\xa0"), Err(RecordError::Version { found: 4, newest: 3 }));
    assert_eq!(Account::from_record(b"\x00\xa0"), Err(RecordError::Version { found: 0, newest: 3 }));
    assert!(matches!(Account::from_record(b"\x03\xa0"), Err(RecordError::Decode(_))));
    let trailing = [ada(true).to_record(), vec![0]].concat();
    assert!(matches!(Account::from_record(&trailing), Err(RecordError::Decode(_))));
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0u8..5) {
        let _ = Account::from_record(&bytes);
        let _ = Account::from_record(&[&[version][..], &bytes].concat());
    }
}
