//! Inside `service` a folder is a feature, and features do not know each other.

use crate::code::{Keep, is_test_file, line_of, offsets_of, split_at_tests, strip};
use crate::tree::{Finding, Tree};
use std::collections::{BTreeMap, BTreeSet};

const ROOT: &str = "src/service/src/";

/// Folders that are no features. These stand above the features and may use them: `flows` (what spans two), `federation`
/// (its inbox hands on), `sync` (one stream of every feature's news). `limits` stands below and is used by all.
const ABOVE: &[&str] = &["flows", "federation", "sync"];
const SHARED: &[&str] = &["limits"];

/// Every import of another feature (or of what stands above them) within a feature or a shared folder. Tests may: a test
/// of a room needs an account.
pub fn import_no_features(tree: &Tree) -> Vec<Finding> {
    let folders: BTreeSet<&str> = tree
        .below(ROOT, &[".rs"])
        .filter_map(|(path, _)| path.strip_prefix(ROOT)?.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let reexported =
        tree.get("src/service/src/lib.rs").map(|text| reexports(text, &folders)).unwrap_or_default();
    let mut findings = Vec::new();
    for (path, text) in tree.below(ROOT, &[".rs"]) {
        let Some((own, _)) = path.strip_prefix(ROOT).and_then(|rest| rest.split_once('/')) else { continue };
        if ABOVE.contains(&own) || is_test_file(path) {
            continue;
        }
        let code = strip(path, split_at_tests(text).0, Keep::Code);
        for Import { line, from_root, name } in imported(&code) {
            let folder = reexported.get(name.as_str()).map_or(name.as_str(), String::as_str);
            // A module of the feature's own may be called like another feature: `rooms/sync.rs` beside `sync/`.
            let own_module = format!("{ROOT}{own}/{name}");
            let is_own = tree.files().any(|(other, _)| {
                other.strip_prefix(&own_module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
            if folder != own
                && folders.contains(folder)
                && !SHARED.contains(&folder)
                && (from_root || !is_own)
            {
                findings.push(Finding::at(path, line, format!("feature {own} uses {folder}")));
            }
        }
    }
    findings
}

struct Import {
    line: usize,
    /// `crate::…` rather than `super::…`.
    from_root: bool,
    name: String,
}

/// The names behind every `crate::…` and `super::…`; groups in braces are opened one level.
fn imported(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for (prefix, from_root) in [("crate::", true), ("super::", false)] {
        for offset in offsets_of(code, prefix) {
            let rest = code.get(offset + prefix.len()..).unwrap_or("");
            let line = line_of(code, offset);
            let names = rest.strip_prefix('{').map_or_else(|| vec![first_word(rest)], group_members);
            found.extend(names.into_iter().map(|name| Import { line, from_root, name }));
        }
    }
    found
}

/// The first word of each member of `a::{b, c}, d}`: a and d.
fn group_members(group: &str) -> Vec<String> {
    let mut depth = 1;
    let mut members = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => members.push(String::new()),
            _ if depth == 1 => members.iter_mut().last().into_iter().for_each(|member| member.push(c)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    members.iter().map(|member| first_word(member.trim())).filter(|word| !word.is_empty()).collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What lib.rs re-exports, with the feature it comes from: `pub use rooms::Rooms` must not be a back door.
fn reexports(lib: &str, folders: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for statement in strip("lib.rs", lib, Keep::Code).split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let Some((folder, names)) = path.trim().split_once("::") else { continue };
        if !folders.contains(folder) {
            continue;
        }
        let names = names.trim().trim_start_matches('{').trim_end_matches('}');
        found.extend(names.split(',').map(|name| (name.trim().to_owned(), folder.to_owned())));
    }
    found
}

#[cfg(test)]
fn tried(text: &str) -> Vec<Finding> {
    import_no_features(&Tree::of(&[
        ("src/service/src/lib.rs", "pub use wallet::{Wallet, Money};"),
        ("src/service/src/rooms/mod.rs", text),
        ("src/service/src/rooms/sync.rs", ""),
        ("src/service/src/rooms/tests.rs", "use crate::accounts::Account;"),
        ("src/service/src/accounts/mod.rs", ""),
        ("src/service/src/wallet/mod.rs", ""),
        ("src/service/src/sync/mod.rs", ""),
        ("src/service/src/limits/mod.rs", ""),
        ("src/service/src/flows/mod.rs", "use crate::{rooms, wallet};"),
    ]))
}

#[test]
fn a_feature_that_uses_another_is_found() {
    for bad in [
        "use crate::accounts::Account;",
        "use crate::{\n  error::Fault,\n  wallet::{Purse, rooms},\n};",
        "fn f() { super::wallet::pay() }",
        "use crate::Wallet;",
        "use crate::{Caller, Money};",
        "use crate::sync::Sync;",
        "use crate::flows::gift;",
    ] {
        assert_eq!(tried(bad).len(), 1, "{bad}: {:?}", tried(bad));
    }
}

#[test]
fn a_feature_that_keeps_to_itself_passes() {
    for good in [
        "use crate::rooms::sync::A; use super::sync::B; use crate::limits::Limits; use crate::error::Fault;",
        "// crate::accounts\nlet text = \"crate::accounts\"; let accounts = 1;",
        "use weft_wire::accounts::Account;",
        "fn a() {}\n#[cfg(test)]\nmod tests { use crate::accounts::Account; }",
    ] {
        assert_eq!(tried(good), [], "{good}");
    }
}
