//! The crates and what they depend on, as `cargo metadata` tells it.

use std::process::Command;

/// One crate of the workspace and the names of what it depends on.
#[derive(Debug, Clone, Default)]
pub struct Crate {
    /// Its name: `weft-wire`.
    pub name: String,
    /// What it is built with.
    pub dependencies: Vec<String>,
    /// What only its tests, examples and benches are built with.
    pub dev_dependencies: Vec<String>,
}

impl Crate {
    /// A made-up crate, to try a rule on.
    pub fn of(name: &str, dependencies: &[&str]) -> Crate {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Crate { name: name.to_owned(), dependencies: owned(dependencies), dev_dependencies: Vec::new() }
    }

    /// Where its manifest is.
    pub fn manifest(&self) -> String {
        match self.name.strip_prefix("weft-") {
            Some(folder) => format!("src/{folder}/Cargo.toml"),
            None => "Cargo.toml".to_owned(),
        }
    }
}

/// All crates of this workspace, the root package too.
pub fn workspace() -> Vec<Crate> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    parse(&output.stdout)
}

fn parse(json: &[u8]) -> Vec<Crate> {
    let metadata: serde_json::Value = serde_json::from_slice(json).expect("cargo metadata is JSON");
    let packages = metadata.get("packages").and_then(|list| list.as_array()).expect("packages");
    packages.iter().map(parse_package).collect()
}

fn parse_package(package: &serde_json::Value) -> Crate {
    let text =
        |value: &serde_json::Value, key: &str| value.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let mut parsed = Crate { name: text(package, "name").expect("a name"), ..Crate::default() };
    for dependency in package.get("dependencies").and_then(|list| list.as_array()).into_iter().flatten() {
        let name = text(dependency, "name").expect("a name");
        // `null` is a normal dependency; `build` counts as one, since it decides what is built.
        match text(dependency, "kind").as_deref() {
            Some("dev") => parsed.dev_dependencies.push(name),
            _ => parsed.dependencies.push(name),
        }
    }
    parsed
}

#[test]
fn kinds_are_told_apart() {
    let json = br#"{"packages":[{"name":"weft-a","dependencies":[
        {"name":"b","kind":null},{"name":"c","kind":"dev"},{"name":"d","kind":"build"}]}]}"#;
    let crates = parse(json);
    assert_eq!(crates.first().map(|c| c.dependencies.clone()), Some(vec!["b".to_owned(), "d".to_owned()]));
    assert_eq!(crates.first().map(|c| c.dev_dependencies.clone()), Some(vec!["c".to_owned()]));
}

#[test]
fn the_workspace_is_read() {
    let crates = workspace();
    assert!(crates.iter().any(|c| c.name == "weft-store" && c.dependencies.iter().any(|d| d == "sled")));
    assert!(crates.iter().any(|c| c.name == "weft" && c.manifest() == "Cargo.toml"));
}
