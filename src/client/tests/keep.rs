//! The profile file: what was acknowledged is there again, whatever happens to the process or the file's end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use weft_client::{Error, keep::File};
use weft_engine::host::{Space, Write};

struct Profile {
    _dir: tempfile::TempDir,
    path: PathBuf,
    key: PathBuf,
}

impl Profile {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Profile { path: dir.path().join("alice.weft"), key: dir.path().join("alice.key"), _dir: dir }
    }

    fn open(&self) -> Result<File, Error> {
        File::open(&self.path, &self.key)
    }
}

fn put(space: Space, key: u8, value: &[u8]) -> Write {
    Write::Put { space, key: vec![key], value: value.to_vec() }
}

fn content(file: &File) -> BTreeMap<(Space, Vec<u8>), Vec<u8>> {
    file.rows()
        .as_writes()
        .map(|write| match write {
            Write::Put { space, key, value } => ((space, key), value),
            other => panic!("rows are puts, not {other:?}"),
        })
        .collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("profile");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("profile");
}

#[test]
fn what_was_applied_is_there_again() {
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    file.apply(vec![put(Space::State, 1, b"one"), put(Space::History, 1, b"hello")]).expect("apply");
    file.apply(vec![put(Space::State, 1, b"two"), Write::Delete { space: Space::History, key: vec![9] }])
        .expect("apply");
    let before = content(&file);
    drop(file);
    let file = profile.open().expect("again");
    assert_eq!(content(&file), before);
    assert_eq!(file.rows().state(), vec![(vec![1], b"two".to_vec())]);
    assert_eq!(file.rows().history(&[0], &[9], 10, true), vec![(vec![1], b"hello".to_vec())]);
    assert_eq!(file.rows().history(&[9], &[0], 10, true), vec![], "an inverted range is empty");
}

#[test]
fn the_file_shows_nothing_and_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    let secret = b"a secret that must not be readable";
    file.apply(vec![put(Space::State, 1, secret)]).expect("apply");
    let bytes = fs::read(&profile.path).expect("profile");
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    for path in [&profile.path, &profile.key] {
        assert_eq!(fs::metadata(path).expect("there").permissions().mode() & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_cut_off_end_is_dropped_at_every_byte() {
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    file.apply(vec![put(Space::State, 1, b"kept")]).expect("apply");
    let whole = fs::metadata(&profile.path).expect("there").len() as usize;
    file.apply(vec![put(Space::State, 2, b"cut")]).expect("apply");
    drop(file);
    let bytes = fs::read(&profile.path).expect("profile");
    for end in whole..bytes.len() {
        fs::write(&profile.path, &bytes[..end]).expect("cut");
        let mut file = profile.open().unwrap_or_else(|error| panic!("cut at {end}: {error}"));
        assert_eq!(file.rows().state(), vec![(vec![1], b"kept".to_vec())], "cut at {end}");
        file.apply(vec![put(Space::State, 3, b"on")]).expect("goes on");
        drop(file);
        assert_eq!(profile.open().expect("again").rows().state().len(), 2, "cut at {end}");
    }
}

#[test]
fn damage_before_the_end_is_said() {
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    file.apply(vec![put(Space::State, 1, b"first")]).expect("apply");
    let second = fs::metadata(&profile.path).expect("there").len() as usize;
    file.apply(vec![put(Space::State, 2, b"second")]).expect("apply");
    file.apply(vec![put(Space::State, 3, b"third")]).expect("apply");
    drop(file);
    flip(&profile.path, second + 20);
    match profile.open().map(drop) {
        Err(Error::Damaged { offset, .. }) => assert_eq!(offset, second as u64),
        other => panic!("{other:?}"),
    }
}

#[test]
fn frames_cannot_be_left_out() {
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    let ends: Vec<usize> = (1..=3)
        .map(|n| {
            file.apply(vec![put(Space::State, n, b"x")]).expect("apply");
            fs::metadata(&profile.path).expect("there").len() as usize
        })
        .collect();
    drop(file);
    let mut bytes = fs::read(&profile.path).expect("profile");
    bytes.drain(ends[0]..ends[1]);
    fs::write(&profile.path, bytes).expect("profile");
    assert!(matches!(profile.open().map(drop), Err(Error::Damaged { .. })));
}

#[test]
fn other_keys_and_files_are_refused_and_two_processes_too() {
    let profile = Profile::new();
    let file = profile.open().expect("new");
    assert!(matches!(profile.open().map(drop), Err(Error::InUse(_))));
    drop(file);
    fs::write(&profile.key, [1; 32]).expect("another key");
    assert!(matches!(profile.open().map(drop), Err(Error::NotAProfile(_))));
    fs::remove_file(&profile.key).expect("no key");
    assert!(matches!(profile.open().map(drop), Err(Error::Io { .. })), "a lost key is not silently replaced");
    fs::write(&profile.path, b"something else entirely").expect("another file");
    fs::write(&profile.key, [1; 32]).expect("a key");
    assert!(matches!(profile.open().map(drop), Err(Error::NotAProfile(_))));
}

#[test]
fn signing_out_leaves_nothing_behind() {
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    let fresh = fs::metadata(&profile.path).expect("there").len();
    file.apply(vec![put(Space::State, 1, &[7; 10_000])]).expect("apply");
    file.apply(vec![Write::Wipe]).expect("wipe");
    assert_eq!(fs::metadata(&profile.path).expect("there").len(), fresh, "rewritten without the old frames");
    assert!(file.rows().state().is_empty());
}

#[test]
fn the_file_stays_in_proportion() {
    let profile = Profile::new();
    let mut file = profile.open().expect("new");
    for _ in 0..200 {
        file.apply(vec![put(Space::State, 1, &[7; 100_000])]).expect("apply");
    }
    assert!(fs::metadata(&profile.path).expect("there").len() < 6 << 20);
    drop(file);
    assert_eq!(profile.open().expect("again").rows().bytes(), 100_001);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_writes_and_any_damage_of_the_last_frame(
        outputs in proptest::collection::vec(proptest::collection::vec((any::<bool>(), 0_u8..8, proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40))), 1..4), 1..8),
        at in any::<prop::sample::Index>(),
    ) {
        let profile = Profile::new();
        let mut file = profile.open().expect("new");
        let mut before = content(&file);
        let mut end = fs::metadata(&profile.path).expect("there").len() as usize;
        for output in outputs {
            before = content(&file);
            end = fs::metadata(&profile.path).expect("there").len() as usize;
            let writes = output.into_iter().map(|(state, key, value)| {
                let space = if state { Space::State } else { Space::History };
                match value {
                    Some(value) => Write::Put { space, key: vec![key], value },
                    None => Write::Delete { space, key: vec![key] },
                }
            });
            file.apply(writes.collect()).expect("apply");
        }
        let after = content(&file);
        drop(file);
        prop_assert_eq!(content(&profile.open().expect("again")), after);
        let len = fs::metadata(&profile.path).expect("there").len() as usize;
        flip(&profile.path, end + at.index(len - end));
        prop_assert_eq!(content(&profile.open().expect("the last frame is dropped")), before);
    }
}
