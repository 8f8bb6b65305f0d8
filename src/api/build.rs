//! Watches the built user interface, so that a new build of it is embedded.

use std::{env, fs, path::Path};

fn main() {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web/dist");
    // Cargo takes a watched path that does not exist for one that always changes; an empty folder is quiet, and the node
    // serves a page that says how to build the user interface.
    if let Err(error) = fs::create_dir_all(&dist) {
        println!("cargo:warning=web/dist cannot be made: {error}");
    }
    println!("cargo:rerun-if-changed={}", dist.display());
    println!("cargo:rerun-if-changed=build.rs");
}
