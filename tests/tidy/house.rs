//! House rules: sizes, leftovers, tests that test, lints, the map.

use crate::code::{Keep, is_test_file, line_of, lines_with, offsets_of, split_at_tests, strip};
use crate::tree::{Finding, Tree};

/// Where a file stops being a small room.
const LINES_MAX: usize = 600;

const SOURCES: &[&str] = &[".rs", ".ts", ".js", ".mjs", ".svelte", ".css", ".sh"];
const SCRIPTS: &[&str] = &[".ts", ".svelte"];

/// Sources of at most [`LINES_MAX`] lines, without exception.
pub fn files_stay_small(tree: &Tree) -> Vec<Finding> {
    let long = tree.below("", SOURCES).filter(|(_, text)| text.lines().count() > LINES_MAX);
    long.map(|(path, text)| {
        Finding::of(path, format!("{} lines; split it by what it does", text.lines().count()))
    })
    .collect()
}

/// No marks such as the four below, and no bodies that are still to be written. The words are put together here, so that
/// this file does not find itself.
pub fn nothing_left_for_later(tree: &Tree) -> Vec<Finding> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let bodies = [concat!("to", "do!("), concat!("unimple", "mented!(")];
    let mut findings = Vec::new();
    // In a lock file such a word can only be part of a hash.
    for (path, text) in
        tree.files().filter(|(path, _)| !path.ends_with("lock.json") && !path.ends_with(".lock"))
    {
        for mark in marks.into_iter().chain(bodies) {
            findings.extend(lines_with(text, mark).into_iter().map(|line| Finding::at(path, line, mark)));
        }
    }
    findings
}

/// No `ignore` attribute in Rust; nothing skipped, singled out or marked as failing in TypeScript.
pub fn no_test_is_switched_off(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.below("", &[".rs"]) {
        let code = strip(path, text, Keep::Code);
        for line in lines_with(&code, "#[ignore") {
            // Not a test, but a process that a test starts from its own binary, and kills.
            let is_child =
                text.lines().nth(line - 1).is_some_and(|text| text.contains("the child of the test"));
            if !(is_child && code.contains("current_exe(")) {
                findings.push(Finding::at(path, line, "#[ignore]"));
            }
        }
    }
    let starts = ["test", "it", "describe", "test.describe"];
    let ends = ["skip", "only", "todo", "fixme", "fails", "fail", "skipIf", "runIf"];
    for (path, text) in tree.below("", &[".ts"]) {
        let code = strip(path, text, Keep::Code);
        for (start, end) in starts.iter().flat_map(|start| ends.iter().map(move |end| (start, end))) {
            let mark = format!("{start}.{end}(");
            findings.extend(
                lines_with(&code, &mark).into_iter().map(|line| Finding::at(path, line, mark.as_str())),
            );
        }
    }
    findings
}

/// No sleep in a test, unless its clock is a virtual one that jumps as soon as all wait: `start_paused = true`.
pub fn tests_wait_for_events(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.below("", &[".rs"]) {
        let (body, tests) = if is_test_file(path) { ("", text) } else { split_at_tests(text) };
        let code = strip(path, tests, Keep::Code);
        for offset in offsets_of(&code, "sleep(").filter(|offset| !is_clock_paused(&code, *offset)) {
            findings.push(Finding::at(path, body.lines().count() + line_of(&code, offset), "a sleep"));
        }
    }
    let browser = |path: &str| path.starts_with("tests/browser/") || path.ends_with(".spec.ts");
    for (path, text) in tree.below("", SCRIPTS).filter(|(path, _)| browser(path)) {
        let lines = lines_with(&strip(path, text, Keep::Code), "waitForTimeout(");
        findings.extend(lines.into_iter().map(|line| Finding::at(path, line, "a sleep")));
    }
    findings
}

/// Does the test around this offset say that its clock is paused?
fn is_clock_paused(code: &str, offset: usize) -> bool {
    let before = code.get(..offset).unwrap_or("");
    let attribute = before.rfind("::test").and_then(|start| before.get(start..)?.split_once(']'));
    attribute.is_some_and(|(attribute, _)| attribute.contains("start_paused = true"))
}

/// Every manifest takes its lints from the workspace.
pub fn lints_are_inherited(tree: &Tree) -> Vec<Finding> {
    let manifests =
        tree.below("", &["Cargo.toml"]).filter(|(path, _)| *path == "Cargo.toml" || path.starts_with("src/"));
    let bare = manifests.filter(|(_, text)| !text.contains("[lints]\nworkspace = true"));
    bare.map(|(path, _)| Finding::of(path, "no `[lints]` section with `workspace = true`")).collect()
}

/// Outside tests nobody allows what the workspace denies because input could reach it, unless the attribute itself says
/// why it cannot be: `#[allow(clippy::…, reason = "…")]`.
pub fn panic_lints_stay_on(tree: &Tree) -> Vec<Finding> {
    let lints = [
        "unwrap_used",
        "expect_used",
        "indexing_slicing",
        "panic",
        "todo",
        "unimplemented",
        "await_holding_lock",
    ];
    let mut findings = Vec::new();
    for (path, text) in
        tree.below("src/", &[".rs"]).filter(|(path, _)| !is_test_file(path) && !is_support(path))
    {
        let code = strip(path, split_at_tests(text).0, Keep::Code);
        for offset in offsets_of(&code, "allow(").chain(offsets_of(&code, "expect(")) {
            let list = code.get(offset..).and_then(|rest| rest.split_once(')')).map_or("", |(list, _)| list);
            if list.contains("reason =") {
                continue;
            }
            for lint in lints.iter().filter(|lint| list.contains(&format!("clippy::{lint}"))) {
                findings.push(Finding::at(
                    path,
                    line_of(&code, offset),
                    format!("clippy::{lint} is allowed"),
                ));
            }
        }
    }
    findings
}

/// What only tests and benches are built with.
fn is_support(path: &str) -> bool {
    path.starts_with("src/testkit/") || path.contains("/benches/") || path.contains("/examples/")
}

/// ARCHITECTURE.md, once it is there, names every crate's folder.
pub fn map_names_every_crate(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.get("ARCHITECTURE.md") else { return Vec::new() };
    let missing = tree.crates().filter(|name| lines_with(map, &format!("src/{name}")).is_empty());
    missing.map(|name| Finding::of("ARCHITECTURE.md", format!("does not mention src/{name}"))).collect()
}

/// Every entry of the catalogue says what it holds.
pub fn tables_are_documented(tree: &Tree) -> Vec<Finding> {
    let path = "src/store/src/tables.rs";
    let Some(text) = tree.get(path) else { return vec![Finding::of(path, "the catalogue is not here")] };
    let code = strip(path, text, Keep::Code);
    let block =
        code.find("\ntables! {").and_then(|start| Some((start, code.get(start..)?.find("\n}")? + start)));
    let Some((start, end)) = block else { return vec![Finding::of(path, "no `tables! { … }` to check")] };
    let mut findings = Vec::new();
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        let offset: usize = text.lines().take(index).map(|line| line.len() + 1).sum();
        let within = offset > start && offset < end && line.starts_with(' ');
        if !within || line.trim_start().starts_with("//") || line.trim().is_empty() {
            continue;
        }
        count += 1;
        for part in ["key: \"", "record: \"", "owner: \""] {
            if line.split_once(part).is_none_or(|(_, rest)| rest.starts_with('"')) {
                let part = part.trim_end_matches(": \"");
                findings.push(Finding::at(path, index + 1, format!("a table that does not say its {part}")));
            }
        }
    }
    if count == 0 {
        findings.push(Finding::of(path, "no table was found: has its form changed?"));
    }
    findings
}

#[test]
fn a_long_file_is_found() {
    let (long, short) = ("x\n".repeat(LINES_MAX + 1), "x\n".repeat(LINES_MAX));
    let tree = Tree::of(&[("src/a.rs", &long), ("src/b.rs", &short), ("docs/c.md", &long)]);
    assert_eq!(files_stay_small(&tree).len(), 1);
}

#[test]
fn marks_are_found_as_words() {
    let bad = [
        concat!("// TO", "DO later"),
        concat!("# FIX", "ME"),
        concat!("to", "do!()"),
        concat!("unimple", "mented!()"),
    ];
    for text in bad {
        assert_eq!(nothing_left_for_later(&Tree::of(&[("a.md", text)])).len(), 1, "{text}");
    }
    let good = concat!("mktemp a.XX", "XXXX; let todo = 1; // autoTO", "DOS");
    assert_eq!(
        nothing_left_for_later(&Tree::of(&[("a.sh", good), ("package-lock.json", concat!("XX", "X"))])),
        []
    );
}

#[test]
fn tests_that_are_off_are_found() {
    let rust = "#[test]\n#[ignore = \"slow\"]\nfn a() {}";
    let tree =
        Tree::of(&[("src/a.rs", rust), ("b.spec.ts", "it.skip('x', f);\ntest.describe.only('y', g);\n")]);
    let lines: Vec<_> = no_test_is_switched_off(&tree).iter().map(|f| (f.path.clone(), f.line)).collect();
    assert!(
        lines.contains(&("src/a.rs".to_owned(), 2)) && lines.contains(&("b.spec.ts".to_owned(), 1)),
        "{lines:?}"
    );
    assert!(lines.contains(&("b.spec.ts".to_owned(), 2)), "{lines:?}");
    let good = [
        ("src/a.rs", "list.iter().skip(1); // #[ignore"),
        ("b.spec.ts", "list.only(1); 'it.skip('; edit.skip(2);"),
    ];
    assert_eq!(no_test_is_switched_off(&Tree::of(&good)), []);
}

#[test]
fn sleeps_in_tests_are_found() {
    let tail = "async fn f() { tokio::time::sleep(d).await }\n#[cfg(test)]\nmod tests {\n fn a() { std::thread::sleep(d) }\n}\n";
    let browser = "await page.waitForTimeout(500);";
    let tree = Tree::of(&[
        ("src/a.rs", tail),
        ("tests/b.rs", "sleep(d)"),
        ("tests/browser/c.ts", browser),
        ("src/d.rs", "sleep(d)"),
    ]);
    let places: Vec<_> = tests_wait_for_events(&tree).iter().map(|f| (f.path.clone(), f.line)).collect();
    let expected = [("src/a.rs", 4), ("tests/b.rs", 1), ("tests/browser/c.ts", 1)];
    assert_eq!(places, expected.map(|(path, line)| (path.to_owned(), line)));
    let paused = "#[tokio::test(start_paused = true)]\nasync fn f() { sleep(d).await }\n";
    let mixed = format!("{paused}#[tokio::test]\nasync fn g() {{ sleep(d).await }}\n");
    assert_eq!(tests_wait_for_events(&Tree::of(&[("tests/b.rs", paused)])), []);
    assert_eq!(
        tests_wait_for_events(&Tree::of(&[("tests/b.rs", &mixed)])),
        [Finding::at("tests/b.rs", 4, "a sleep")]
    );
}

#[test]
fn a_crate_without_the_lints_is_found() {
    let tree =
        Tree::of(&[("src/a/Cargo.toml", "[package]"), ("src/b/Cargo.toml", "[lints]\nworkspace = true\n")]);
    assert_eq!(
        lints_are_inherited(&tree).iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
        ["src/a/Cargo.toml"]
    );
}

#[test]
fn a_lint_that_is_off_is_found() {
    let bad = "#![allow(clippy::pedantic,\n clippy::unwrap_used)]\n#[expect(clippy::panic)]\n";
    let good = "#[allow(clippy::indexing_slicing, reason = \"found just above\")]\n";
    let tests = "a.expect(\"clippy::panic\");\n#[cfg(test)]\nmod tests { #![allow(clippy::unwrap_used)] }\n";
    let tree = Tree::of(&[
        ("src/a/src/lib.rs", bad),
        ("src/b/src/lib.rs", tests),
        ("src/b/tests/x.rs", bad),
        ("src/c.rs", good),
    ]);
    let places: Vec<_> = panic_lints_stay_on(&tree).iter().map(|f| (f.path.clone(), f.line)).collect();
    assert_eq!(places, [("src/a/src/lib.rs".to_owned(), 1), ("src/a/src/lib.rs".to_owned(), 3)]);
}

#[test]
fn a_crate_off_the_map_is_found() {
    let files = [
        ("src/wire/Cargo.toml", ""),
        ("src/store/Cargo.toml", ""),
        ("ARCHITECTURE.md", "| `src/wire` | what travels |"),
    ];
    let found = map_names_every_crate(&Tree::of(&files));
    assert_eq!(found, [Finding::of("ARCHITECTURE.md", "does not mention src/store")]);
}

#[test]
fn a_table_without_words_is_found() {
    let catalogue =
        |row: &str| format!("macro_rules! tables {{\n}}\ntables! {{\n    // owner\n    {row}\n}}\n");
    let tried = |row: &str| tables_are_documented(&Tree::of(&[("src/store/src/tables.rs", &catalogue(row))]));
    assert_eq!(tried("A = 1, \"a\", key: \"id\", record: \"v1\", owner: \"store\";"), []);
    assert_eq!(tried("A = 1, \"a\", key: \"id\", record: \"\", owner: \"store\";").len(), 1);
    assert_eq!(tried("A = 1, \"a\", key: \"id\";").len(), 2);
    assert_eq!(tried("").len(), 1);
}
