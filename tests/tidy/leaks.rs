//! What must not be in a public repository: paths of one machine, names of registries, keys.

use crate::code::line_of;
use crate::tree::{Finding, Tree};

/// Home folders and work folders of the machine a change was made on.
const HOMES: &[&str] =
    &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Package registries and mirrors: whoever builds has his own configured.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("registry.np", "mjs.org"),
    concat!("registry.ya", "rnpkg.com"),
    concat!("py", "pi.org"),
    concat!("pythonhost", "ed.org"),
    concat!("deb.deb", "ian.org"),
    concat!("security.deb", "ian.org"),
    concat!("proxy.gol", "ang.org"),
    concat!("static.rust", "-lang.org"),
];

/// Paths and hosts of [`HOMES`] and [`REGISTRIES`]. Cargo.lock is exempt: cargo itself writes the name of its index there.
pub fn of_the_machine(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for (offset, home) in HOMES.iter().flat_map(|home| text.match_indices(home)) {
            // `src/home/mod.rs` and `example.org/work/` are no paths from the root.
            let before = text.get(..offset).and_then(|part| part.chars().next_back()).unwrap_or(' ');
            if !before.is_alphanumeric() && !"._-~}/$*)".contains(before) {
                findings.push(Finding::at(
                    path,
                    line_of(text, offset),
                    format!("a path of one machine: {home}…"),
                ));
            }
        }
        for (offset, host) in REGISTRIES.iter().flat_map(|host| text.match_indices(host)) {
            findings.push(Finding::at(path, line_of(text, offset), format!("a registry's host: {host}")));
        }
    }
    findings
}

/// Private keys in PEM. Tests make their own.
pub fn private_keys(tree: &Tree) -> Vec<Finding> {
    let mark = concat!("PRIVATE", " KEY-----");
    let hits = tree
        .files()
        .flat_map(|(path, text)| text.match_indices(mark).map(move |(offset, _)| (path, text, offset)));
    hits.map(|(path, text, offset)| Finding::at(path, line_of(text, offset), "a private key")).collect()
}

#[test]
fn paths_and_hosts_are_found() {
    let bad = [
        concat!("cp /ro", "ot/x ."),
        concat!("\"/ho", "me/anna/weft\""),
        concat!("see https://crates", ".io/x"),
        concat!("\"resolved\": \"https://registry.np", "mjs.org/a\""),
    ];
    for text in bad {
        assert_eq!(of_the_machine(&Tree::of(&[("a.md", text)])).len(), 1, "{text}");
    }
    let good = concat!("src/ho", "me/mod.rs and ../wo", "rk/x and $HO", "ME/.cache");
    assert_eq!(
        of_the_machine(&Tree::of(&[("a.md", good), ("Cargo.lock", concat!("crates", ".io-index"))])),
        []
    );
}

#[test]
fn a_key_is_found() {
    let text = concat!("x\n-----BEGIN PRIVATE", " KEY-----\n");
    assert_eq!(private_keys(&Tree::of(&[("a.pem", text)])), [Finding::at("a.pem", 2, "a private key")]);
}
