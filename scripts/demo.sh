#!/usr/bin/env bash
# Two nodes on this machine (http://127.0.0.1:8450 and :8460), three people with a short history across both. Nothing of it is
# kept.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh build
scripts/build-wasm.sh
scripts/build-ui.sh
say "demo: building"
cargo build --example demo
say "demo: two nodes, three people"
exec "$TARGET/debug/examples/demo"
