//! Arrows and safety in the web UI.

use crate::code::{Keep, line_of, lines_with, offsets_of, strip};
use crate::tree::{Finding, Tree};

const ROOT: &str = "web/src/";
const SOURCES: &[&str] = &[".ts", ".svelte"];

/// A folder of web/src and those it may import. The engine's worker carries out what the engine asks for, hence its client.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("client", &["wire"]),
    ("engine", &["client", "wire"]),
    ("state", &["engine", "client", "wire"]),
    ("ui", &[]),
    ("features", &["state", "ui", "wire"]),
];

/// Folders follow [`ARROWS`]; a feature imports nothing of another feature. Tests may import what they like.
pub fn imports_one_way(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.below(ROOT, SOURCES).filter(|(path, _)| !path.ends_with(".spec.ts")) {
        let Some((layer, inner)) = path.strip_prefix(ROOT).and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let Some((_, below)) = ARROWS.iter().find(|(name, _)| *name == layer) else { continue };
        for (line, target) in imports(path, text) {
            let Some((other, rest)) = target.strip_prefix(ROOT).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            if !ARROWS.iter().any(|(name, _)| *name == other) {
                continue;
            }
            if other != layer && !below.contains(&other) {
                findings.push(Finding::at(path, line, format!("{layer} must not import {other}")));
            }
            let feature = |rest: &str| rest.split_once('/').map(|(name, _)| name.to_owned());
            if layer == "features" && other == "features" && feature(inner) != feature(rest) {
                findings.push(Finding::at(path, line, "a feature must not import another feature"));
            }
        }
    }
    findings
}

/// Relative imports of a file, with their lines, as paths from the root: static, dynamic, re-exports, workers.
fn imports(path: &str, text: &str) -> Vec<(usize, String)> {
    let code = strip(path, text, Keep::CodeAndStrings);
    let mut found = Vec::new();
    for before in ["from", "import", "import(", "new URL("] {
        for offset in offsets_of(&code, before) {
            let rest = code.get(offset + before.len()..).unwrap_or("").trim_start();
            let Some(quote) = rest.chars().next().filter(|c| *c == '\'' || *c == '"') else { continue };
            let specifier =
                rest.get(1..).and_then(|rest| rest.split_once(quote)).map_or("", |(specifier, _)| specifier);
            if specifier.starts_with('.') {
                found.push((line_of(&code, offset), resolve(path, specifier)));
            }
        }
    }
    found
}

fn resolve(path: &str, specifier: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// No fetch, socket or beacon elsewhere. The service worker answers the browser's own requests, so it has to fetch.
pub fn only_client_talks(tree: &Tree) -> Vec<Finding> {
    let home = |path: &str| {
        path.starts_with("web/src/client/") || path == "web/src/sw.ts" || path.ends_with(".spec.ts")
    };
    let mut findings = Vec::new();
    for (path, text) in tree.below(ROOT, SOURCES).filter(|(path, _)| !home(path)) {
        let code = strip(path, text, Keep::Code);
        for call in ["fetch(", "new WebSocket", "new EventSource", "new XMLHttpRequest", "sendBeacon("] {
            findings.extend(lines_with(&code, call).into_iter().map(|line| Finding::at(path, line, call)));
        }
    }
    findings
}

/// None of the ways in which text becomes markup or code.
pub fn no_raw_html(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.below("web/", SOURCES) {
        let code = strip(path, text, Keep::Code);
        for way in [
            "{@html",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function(",
        ] {
            findings.extend(lines_with(&code, way).into_iter().map(|line| Finding::at(path, line, way)));
        }
    }
    findings
}

/// No address of another host where the page would load it. (A link that a person follows is an `href` made from data.)
pub fn no_other_host(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = tree.below("web/src/", &[".svelte", ".css"]).chain(tree.below("web/index.html", &[""]));
    for (path, text) in files {
        let loads = [
            "src=\"http",
            "src=\"//",
            "url(http",
            "url(\"http",
            "url('http",
            "@import \"http",
            "<link href=\"http",
        ];
        for load in loads {
            let hits = text.match_indices(load).map(|(offset, _)| line_of(text, offset));
            findings.extend(hits.map(|line| Finding::at(path, line, load)));
        }
    }
    findings
}

#[cfg(test)]
fn tried(path: &str, text: &str) -> usize {
    imports_one_way(&Tree::of(&[(path, text)])).len()
}

#[test]
fn imports_against_the_arrows_are_found() {
    assert_eq!(tried("web/src/ui/Button.svelte", "import { me } from '../state/me.svelte';"), 1);
    assert_eq!(tried("web/src/client/http.ts", "import type { A } from \"../engine/protocol\";"), 1);
    assert_eq!(tried("web/src/features/chats/List.svelte", "import x from '../contacts/Row.svelte'"), 1);
    assert_eq!(
        tried("web/src/features/chats/List.svelte", "import {\n  a,\n} from\n  '../../engine/host'"),
        1
    );
    assert_eq!(tried("web/src/state/chats.svelte.ts", "const m = await import('../features/chats/x');"), 1);
    assert_eq!(tried("web/src/wire/a.ts", "export * from '../client/http';"), 1);
}

#[test]
fn imports_along_the_arrows_pass() {
    assert_eq!(
        tried(
            "web/src/features/chats/a/b.ts",
            "import '../c'; import x from '../../../state/y'; // from '../../me/z'"
        ),
        0
    );
    assert_eq!(
        tried(
            "web/src/state/chats.svelte.ts",
            "import { open } from '../engine/open'; import { m } from '$messages';"
        ),
        0
    );
    assert_eq!(tried("web/src/app.ts", "import './features/chats/x'; import './engine/y';"), 0);
    assert_eq!(tried("web/src/ui/Button.spec.ts", "import '../state/x';"), 0);
}

#[test]
fn talk_outside_the_client_is_found() {
    let call = "const a = await fetch('/api'); const b = new WebSocket(url);";
    let tree = Tree::of(&[
        ("web/src/state/a.ts", call),
        ("web/src/client/http.ts", call),
        ("web/src/ui/b.ts", "prefetch(1) // fetch("),
    ]);
    assert_eq!(only_client_talks(&tree).len(), 2);
}

#[test]
fn raw_html_is_found() {
    let tree = Tree::of(&[
        ("web/src/ui/A.svelte", "<p>{@html text}</p>\n"),
        ("web/src/ui/b.ts", "node.innerHTML = text;"),
    ]);
    assert_eq!(no_raw_html(&tree).len(), 2);
    assert_eq!(no_raw_html(&Tree::of(&[("web/src/ui/b.ts", "// innerHTML is not used\nretrieval(1)")])), []);
}

#[test]
fn another_host_is_found() {
    let bad = [
        ("web/src/ui/A.svelte", "<img src=\"https://x.example/a.png\">"),
        ("web/src/theme.css", "a { b: url(https://x) }"),
    ];
    assert_eq!(no_other_host(&Tree::of(&bad)).len(), 2);
}
