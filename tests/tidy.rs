//! The house rules as tests: import arrows, sizes, leftovers, secrets of the machine. Each rule is a function from the
//! sources to its findings, stands in `tests/tidy/`, and is tried there on a bad sample, so that it cannot rot into a yes.
//! The shape that is held here is described in `ARCHITECTURE.md`.

// A rule that cannot be checked fails the test there and then, also outside a `#[test]` function.
#![allow(clippy::expect_used)]

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/features.rs"]
mod features;
#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/leaks.rs"]
mod leaks;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/programs.rs"]
mod programs;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/web.rs"]
mod web;

use tree::{Finding, Tree};

/// Fails with every finding on its own line, so that one run shows all there is to mend.
fn expect_none(rule: &str, findings: Vec<Finding>) {
    let list: Vec<String> = findings.iter().map(|finding| format!("  {finding}")).collect();
    assert!(list.is_empty(), "{rule}\n{}\n", list.join("\n"));
}

#[test]
fn crates_import_one_way() {
    let rule = "main → node → api → service → {store, net, mls, ledger, bank} → wire; {client, wasm} → engine → {mls, ledger} → wire.";
    expect_none(rule, arrows::crates_import_one_way(&manifests::workspace()));
}

#[test]
fn sled_and_libp2p_have_one_owner_each() {
    let rule = "Only weft-store names sled, only weft-net names libp2p.";
    let mut findings = arrows::owned_dependencies(&manifests::workspace());
    findings.extend(arrows::owned_names(Tree::of_repository()));
    expect_none(rule, findings);
}

#[test]
fn the_browser_crates_stay_clean() {
    let rule = "What runs in the browser has no I/O: no runtime, no sockets, no store.";
    expect_none(rule, arrows::browser_crates_stay_clean(&manifests::workspace()));
}

#[test]
fn the_wasm_build_watches_all_it_is_made_of() {
    let rule = "WASM_CRATES in scripts/lib.sh must name every crate that weft-wasm is built from, or a stale engine is served.";
    expect_none(rule, arrows::wasm_crates_are_watched(Tree::of_repository(), &manifests::workspace()));
}

#[test]
fn every_file_of_tests_belongs_to_a_program() {
    let rule = "With `autotests = false` a file under tests/ runs only if its program names it: `mod NAME;`.";
    expect_none(rule, programs::files_of_tests_are_named(Tree::of_repository()));
}

#[test]
fn features_of_the_service_import_no_features() {
    let rule = "What spans two features of the service belongs into service/flows/.";
    expect_none(rule, features::import_no_features(Tree::of_repository()));
}

#[test]
fn every_crate_inherits_the_lints() {
    let rule = "Every crate has `[lints] workspace = true`.";
    expect_none(rule, house::lints_are_inherited(Tree::of_repository()));
}

#[test]
fn lints_against_panics_are_not_switched_off() {
    let rule = "No panic can be reached from input: outside tests these lints stay on.";
    expect_none(rule, house::panic_lints_stay_on(Tree::of_repository()));
}

#[test]
fn files_stay_small() {
    expect_none(
        "Small rooms: a source file has at most 600 lines.",
        house::files_stay_small(Tree::of_repository()),
    );
}

#[test]
fn nothing_is_left_for_later() {
    let rule = "What is to do stands in an issue, not in the sources.";
    expect_none(rule, house::nothing_left_for_later(Tree::of_repository()));
}

#[test]
fn no_test_is_switched_off() {
    expect_none("A test runs or is removed.", house::no_test_is_switched_off(Tree::of_repository()));
}

#[test]
fn tests_wait_for_events() {
    let rule = "A test waits for the event, not for the clock.";
    expect_none(rule, house::tests_wait_for_events(Tree::of_repository()));
}

#[test]
fn the_map_names_every_crate() {
    expect_none(
        "ARCHITECTURE.md is the map and stays true.",
        house::map_names_every_crate(Tree::of_repository()),
    );
}

#[test]
fn every_table_is_documented() {
    let rule = "src/store/src/tables.rs is the catalogue: each table says its key, its record and its owner.";
    expect_none(rule, house::tables_are_documented(Tree::of_repository()));
}

#[test]
fn nothing_of_the_machine_is_in_the_sources() {
    let rule = "No home folder and no package registry by name: the sources build wherever they are.";
    expect_none(rule, leaks::of_the_machine(Tree::of_repository()));
}

#[test]
fn no_key_is_in_the_sources() {
    expect_none(
        "A private key in the repository is a key that everybody has.",
        leaks::private_keys(Tree::of_repository()),
    );
}

#[test]
fn the_web_ui_imports_one_way() {
    let rule = "features → {state, ui}, state → {engine, client} → wire; features do not import each other.";
    expect_none(rule, web::imports_one_way(Tree::of_repository()));
}

#[test]
fn only_the_client_folder_talks_to_the_node() {
    let rule = "web/src/client/ has the only fetch and the only WebSocket.";
    expect_none(rule, web::only_client_talks(Tree::of_repository()));
}

#[test]
fn no_raw_html_in_the_web_ui() {
    let rule = "What a person or a peer wrote is text; nothing is put into the page as HTML.";
    expect_none(rule, web::no_raw_html(Tree::of_repository()));
}

#[test]
fn no_other_host_in_the_web_ui() {
    let rule = "The UI loads nothing from another host.";
    expect_none(rule, web::no_other_host(Tree::of_repository()));
}
