//! The sources as the rules see them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Folders that are generated, installed or written at run time, for a tree that git does not know.
const SKIPPED_FOLDERS: &[&str] = &[
    ".git",
    "target",
    "data",
    "node_modules",
    "dist",
    "pkg",
    "paraglide",
    "results",
    "report",
    "corpus",
    "artifacts",
];

/// Something against a rule: where, and what.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path from the root of the repository.
    pub path: String,
    /// Line, from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl Finding {
    /// A finding about a line.
    pub fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Finding { path: path.to_owned(), line, what: what.into() }
    }

    /// A finding about a whole file.
    pub fn of(path: &str, what: impl Into<String>) -> Self {
        Finding::at(path, 0, what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Every text file of the repository, by its path with `/`.
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The repository this test is compiled in, read once.
    pub fn of_repository() -> &'static Tree {
        static TREE: OnceLock<Tree> = OnceLock::new();
        TREE.get_or_init(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut paths = listed_by_git(root).unwrap_or_default();
            if paths.is_empty() {
                walk(root, "", &mut paths);
            }
            // What is no text is no source; a file may also go while others work beside us.
            let read = |path: String| Some((path.clone(), std::fs::read_to_string(root.join(&path)).ok()?));
            Tree { files: paths.into_iter().filter_map(read).collect() }
        })
    }

    /// A made-up tree, to try a rule on.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// All files, as path and text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Files below `folder` (ends in `/`, or is empty) whose name ends in one of `endings`.
    pub fn below<'a>(
        &'a self,
        folder: &'a str,
        endings: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| {
            path.starts_with(folder) && endings.iter().any(|end| path.ends_with(end))
        })
    }

    /// The text of one file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The names of the crates' folders: `wire` for `src/wire/Cargo.toml`.
    pub fn crates(&self) -> impl Iterator<Item = &str> {
        self.files().filter_map(|(path, _)| path.strip_prefix("src/")?.strip_suffix("/Cargo.toml"))
    }
}

/// Files that are committed or could be. `None` without git, or outside a repository of it.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git")
        .args(list)
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Some(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) {
    // A folder that cannot be read holds nothing to check.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) => {
                walk(&entry.path(), &format!("{path}/"), paths)
            }
            Ok(kind) if kind.is_file() => paths.push(path),
            _ => {}
        }
    }
}

#[test]
fn the_repository_is_found() {
    let tree = Tree::of_repository();
    assert!(tree.get("Cargo.toml").is_some() && tree.get("tests/tidy/tree.rs").is_some());
    assert!(tree.crates().any(|name| name == "wire"));
    assert!(tree.files().all(|(path, _)| !path.starts_with("target/") && !path.contains("node_modules/")));
}

#[test]
fn an_archive_without_git_is_walked() {
    let mut paths = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut paths);
    assert!(paths.iter().any(|path| path == "tests/tidy/tree.rs"));
    assert!(paths.iter().all(|path| !path.starts_with("target/") && !path.starts_with(".git/")));
}

#[test]
fn a_finding_says_where() {
    assert_eq!(Finding::at("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
    assert_eq!(Finding::of("a.rs", "bad").to_string(), "a.rs: bad");
}
