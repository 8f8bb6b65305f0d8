//! Crates that name their programs of tests themselves (`autotests = false`): a file that no program names is silently no test.

use crate::tree::{Finding, Tree};
use std::collections::BTreeSet;

/// Every source below `tests/` of such a crate belongs to one of its programs.
pub fn files_of_tests_are_named(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.files().filter(|(path, _)| path.ends_with("Cargo.toml"));
    manifests.flat_map(|(path, text)| unnamed(tree, path.trim_end_matches("Cargo.toml"), text)).collect()
}

fn unnamed(tree: &Tree, folder: &str, manifest: &str) -> Vec<Finding> {
    let Ok(manifest) = manifest.parse::<toml::Table>() else {
        return vec![Finding::of(&format!("{folder}Cargo.toml"), "it cannot be read")];
    };
    let finds_tests = manifest.get("package").and_then(|package| package.get("autotests"));
    if finds_tests.and_then(toml::Value::as_bool) != Some(false) {
        return Vec::new();
    }
    let programs = manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten();
    let text =
        |program: &toml::Value, key: &str| program.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let mut waiting: Vec<String> = programs
        .filter_map(|program| {
            let path = || Some(format!("tests/{}.rs", text(program, "name")?));
            text(program, "path").or_else(path).map(|path| format!("{folder}{path}"))
        })
        .collect();
    let roots: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut named = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if let Some(text) = tree.get(&path) {
            waiting
                .extend(modules(&path, roots.contains(&path), text).filter(|module| !named.contains(module)));
            named.insert(path);
        }
    }
    let below = format!("{folder}tests/");
    let sources = tree.below(&below, &[".rs"]).filter(|(path, _)| !named.contains(*path));
    sources
        .map(|(path, _)| Finding::of(path, "no `[[test]]` of its crate names it, so it never runs"))
        .collect()
}

/// Where the modules may be that a file names.
fn modules(path: &str, is_root: bool, text: &str) -> impl Iterator<Item = String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let beside = is_root || file == "mod.rs";
    let below = if beside { folder.to_owned() } else { format!("{folder}/{}", file.trim_end_matches(".rs")) };
    let mut found = Vec::new();
    let mut given = None;
    for line in text.lines().map(str::trim) {
        if let Some(at) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            given = Some(format!("{folder}/{at}"));
            continue;
        }
        let bare = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        if let Some(name) = bare.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            match given.take() {
                Some(path) => found.push(path),
                None => found.extend([format!("{below}/{name}.rs"), format!("{below}/{name}/mod.rs")]),
            }
        }
    }
    found.into_iter()
}

#[test]
fn a_forgotten_file_of_tests_is_found() {
    let tree = |manifest: &str| {
        Tree::of(&[
            ("src/a/Cargo.toml", manifest),
            ("src/a/tests/all.rs", "mod one;\n    pub mod two;\n#[path = \"four/five.rs\"]\nmod five;\n"),
            ("src/a/tests/one.rs", "mod three;\n// mod six;"),
            ("src/a/tests/one/three.rs", ""),
            ("src/a/tests/two/mod.rs", "mod seven;\n"),
            ("src/a/tests/two/seven.rs", ""),
            ("src/a/tests/four/five.rs", ""),
            ("src/a/tests/six.rs", ""),
            ("src/a/tests/two/eight.rs", ""),
            ("src/a/tests/three/mod.rs", ""),
            ("src/a/tests/other.rs", "mod six;"),
            ("src/b/tests/x.rs", ""),
        ])
    };
    let found = files_of_tests_are_named(&tree(
        "[package]\nname = \"a\"\nautotests = false\n[[test]]\nname = \"all\"\n",
    ));
    let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
    let forgotten = ["other.rs", "six.rs", "three/mod.rs", "two/eight.rs"];
    assert_eq!(paths, forgotten.map(|path| format!("src/a/tests/{path}")));
    assert_eq!(files_of_tests_are_named(&tree("[package]\nname = \"a\"\n")), []);
    let none = tree("[package]\nname = \"a\"\nautotests = false\n");
    assert_eq!(files_of_tests_are_named(&none).len(), 10, "a crate without a program runs nothing");
}
