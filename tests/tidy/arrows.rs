//! Arrows between crates.

use crate::code::{Keep, lines_with, strip};
use crate::manifests::Crate;
use crate::tree::{Finding, Tree};
use std::collections::BTreeSet;

/// A crate and those that stand directly below it. Whatever is below these may be used as well.
const BELOW: &[(&str, &[&str])] = &[
    ("weft-wire", &[]),
    ("weft-mls", &["weft-wire"]),
    ("weft-ledger", &["weft-wire"]),
    ("weft-bank", &["weft-wire"]),
    ("weft-store", &["weft-wire"]),
    ("weft-net", &["weft-wire"]),
    ("weft-engine", &["weft-mls", "weft-ledger"]),
    ("weft-client", &["weft-engine"]),
    ("weft-wasm", &["weft-engine"]),
    ("weft-service", &["weft-store", "weft-net", "weft-mls", "weft-ledger", "weft-bank"]),
    ("weft-api", &["weft-service"]),
    ("weft-node", &["weft-api"]),
    ("weft", &["weft-node", "weft-client"]),
    // Test support may use everything; nothing but tests may use it.
    ("weft-testkit", &["weft"]),
];

/// A library and the one crate that may name it.
const OWNERS: &[(&str, &str)] = &[("sled", "weft-store"), ("libp2p", "weft-net")];

/// Crates that run in the browser.
const BROWSER: &[&str] = &["weft-wire", "weft-mls", "weft-ledger", "weft-engine", "weft-wasm"];

/// What cannot, or must not, run in a browser.
const NATIVE_ONLY: &[&str] = &[
    "tokio",
    "tokio-util",
    "axum",
    "hyper",
    "hyper-util",
    "tower",
    "tower-http",
    "sled",
    "libp2p",
    "rustls",
    "tokio-rustls",
    "rustls-acme",
    "reqwest",
    "tempfile",
    "weft-store",
    "weft-net",
    "weft-service",
    "weft-api",
    "weft-node",
];

/// All that stands below a crate, near or far. `None` for a crate that the table does not know.
fn allowed(name: &str) -> Option<BTreeSet<&'static str>> {
    let (_, direct) = BELOW.iter().find(|(known, _)| *known == name)?;
    let mut found: BTreeSet<&'static str> = direct.iter().copied().collect();
    for below in *direct {
        found.extend(allowed(below).into_iter().flatten());
    }
    Some(found)
}

/// Dependencies among our own crates follow the table. Dev-dependencies may not: a test spans levels.
pub fn crates_import_one_way(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in crates {
        let Some(allowed) = allowed(&member.name) else {
            findings.push(Finding::of(
                &member.manifest(),
                format!("{} has no place in BELOW, tests/tidy/arrows.rs", member.name),
            ));
            continue;
        };
        for dependency in
            member.dependencies.iter().filter(|name| *name == "weft" || name.starts_with("weft-"))
        {
            if !allowed.contains(dependency.as_str()) {
                findings.push(Finding::of(
                    &member.manifest(),
                    format!("{} must not depend on {dependency}", member.name),
                ));
            }
        }
    }
    findings
}

/// The libraries of [`OWNERS`] are dependencies of nobody else, not even in tests.
pub fn owned_dependencies(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in crates {
        for name in member.dependencies.iter().chain(&member.dev_dependencies) {
            if let Some((library, owner)) =
                OWNERS.iter().find(|(library, owner)| library == name && member.name != *owner)
            {
                findings.push(Finding::of(&member.manifest(), format!("{library} belongs to {owner} alone")));
            }
        }
    }
    findings
}

/// Nor do others name them in code.
pub fn owned_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.below("", &[".rs"]) {
        for (library, owner) in OWNERS {
            let home = format!("src/{}/", owner.trim_start_matches("weft-"));
            if path.starts_with(&home) {
                continue;
            }
            for line in lines_with(&strip(path, text, Keep::Code), library) {
                findings.push(Finding::at(path, line, format!("{library} belongs to {owner} alone")));
            }
        }
    }
    findings
}

/// No crate of the browser depends on what only a native program has.
pub fn browser_crates_stay_clean(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in crates.iter().filter(|member| BROWSER.contains(&member.name.as_str())) {
        for name in member.dependencies.iter().filter(|name| NATIVE_ONLY.contains(&name.as_str())) {
            findings
                .push(Finding::of(&member.manifest(), format!("{name} does not belong into the browser")));
        }
    }
    findings
}

/// The script that builds the engine watches every crate that the engine is made of.
pub fn wasm_crates_are_watched(tree: &Tree, crates: &[Crate]) -> Vec<Finding> {
    let path = "scripts/lib.sh";
    let line =
        tree.get(path).and_then(|text| text.lines().find_map(|line| line.strip_prefix("WASM_CRATES=")));
    let watched: Vec<&str> = line.unwrap_or("").trim_matches('"').split(' ').collect();
    let mut findings = Vec::new();
    let mut queue = vec!["weft-wasm".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = queue.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if !watched.contains(&name.trim_start_matches("weft-")) {
            findings.push(Finding::of(path, format!("WASM_CRATES lacks {name}")));
        }
        let member = crates.iter().find(|member| member.name == name);
        let below = member.into_iter().flat_map(|member| &member.dependencies);
        queue.extend(below.filter(|name| name.starts_with("weft-")).cloned());
    }
    findings
}

#[test]
fn arrows_that_point_up_or_sideways_are_found() {
    let up = crates_import_one_way(&[Crate::of("weft-store", &["weft-service", "weft-wire", "serde"])]);
    assert_eq!(up.len(), 1, "{up:?}");
    let sideways = crates_import_one_way(&[Crate::of("weft-mls", &["weft-store"])]);
    assert_eq!(sideways.len(), 1, "{sideways:?}");
    let across = crates_import_one_way(&[Crate::of("weft-api", &["weft-engine"])]);
    assert_eq!(across.len(), 1, "{across:?}");
    let unknown = crates_import_one_way(&[Crate::of("weft-shed", &[])]);
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    let testkit = crates_import_one_way(&[Crate::of("weft-node", &["weft-testkit"])]);
    assert_eq!(testkit.len(), 1, "{testkit:?}");
}

#[test]
fn arrows_that_point_down_pass() {
    let crates = [
        Crate::of("weft", &["weft-node", "weft-client", "weft-wire"]),
        Crate::of("weft-api", &["weft-service", "weft-mls"]),
    ];
    assert_eq!(crates_import_one_way(&crates), []);
}

#[test]
fn a_second_owner_is_found() {
    let found =
        owned_dependencies(&[Crate::of("weft-store", &["sled"]), Crate::of("weft-service", &["sled"])]);
    assert_eq!(found, [Finding::of("src/service/Cargo.toml", "sled belongs to weft-store alone")]);
    let dev = Crate { dev_dependencies: vec!["libp2p".to_owned()], ..Crate::of("weft-node", &[]) };
    assert_eq!(owned_dependencies(&[dev]).len(), 1);
    let library = OWNERS.first().map_or("", |(library, _)| library);
    let sources = format!("// {library} is fine here\nuse {library}::Db;\n");
    let tree = Tree::of(&[("src/service/src/a.rs", &sources), ("src/store/src/a.rs", &sources)]);
    assert_eq!(
        owned_names(&tree).iter().map(|f| (f.path.as_str(), f.line)).collect::<Vec<_>>(),
        [("src/service/src/a.rs", 2)]
    );
}

#[test]
fn a_runtime_in_the_browser_is_found() {
    let found = browser_crates_stay_clean(&[
        Crate::of("weft-engine", &["tokio"]),
        Crate::of("weft-client", &["tokio"]),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_crate_that_is_not_watched_is_found() {
    let crates = [
        Crate::of("weft-wasm", &["weft-engine"]),
        Crate::of("weft-engine", &["weft-wire"]),
        Crate::of("weft-wire", &[]),
    ];
    let watched = |names: &str| wasm_crates_are_watched(&Tree::of(&[("scripts/lib.sh", names)]), &crates);
    assert_eq!(watched("a\nWASM_CRATES=\"wire engine wasm\"\n"), []);
    assert_eq!(
        watched("WASM_CRATES=\"wire wasm\"\n"),
        [Finding::of("scripts/lib.sh", "WASM_CRATES lacks weft-engine")]
    );
}
