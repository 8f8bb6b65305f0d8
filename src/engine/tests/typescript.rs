//! The user interface's types are generated from `api.rs`, and committed. They must be those of this very version.
//!
//! `WEFT_BLESS=1 cargo nextest run -p weft-engine typescript` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use ts_rs::{Config, TS};
use weft_engine::api::{Call, CallError, Event, Reply};

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
    };
    fs::read_dir(folder).unwrap().map(entry).filter(|(name, _)| name.ends_with(".ts")).collect()
}

#[test]
fn the_committed_types_are_those_of_the_api() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/wire");
    let fresh = tempfile::tempdir().unwrap();
    let config = Config::new().with_out_dir(fresh.path());
    Call::export_all(&config).unwrap();
    Reply::export_all(&config).unwrap();
    CallError::export_all(&config).unwrap();
    Event::export_all(&config).unwrap();
    let generated = files(fresh.path());
    assert!(generated.len() > 10, "{:?}", generated.keys());
    if std::env::var_os("WEFT_BLESS").is_some() {
        for (name, text) in &generated {
            fs::write(committed.join(name), text).unwrap();
        }
    }
    let committed = files(&committed);
    for (name, text) in &generated {
        assert_eq!(
            committed.get(name),
            Some(text),
            "web/src/wire/{name} is not that of api.rs: see this test's head"
        );
    }
    for name in committed.keys() {
        assert!(generated.contains_key(name), "web/src/wire/{name} is of no type of api.rs");
    }
}
