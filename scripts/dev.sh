#!/usr/bin/env bash
# The fast loop: a debug node, and Vite's server, which reloads the UI as it is edited and hands /api on to the node.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh build
scripts/build-wasm.sh
npm_ci web
say "node: building (debug)"
cargo build --bin weft
# Its own data, so that an experiment cannot spoil what `make run` keeps in ./data; and the origin that Vite serves from.
export WEFT_STORAGE__DATA=$TARGET/dev-data
export WEFT_HTTP__ORIGINS='["http://localhost:5173", "http://127.0.0.1:5173"]'
"$TARGET/debug/weft" run --config node.toml "$@" &
node=$!
# Both stop together: Vite on Ctrl+C, then the node, which is given the time it needs to close its journal.
trap 'kill "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true' EXIT
say "UI: Vite prints its address below; edit web/src and see. After a change in Rust: make wasm, or start again."
npm --prefix web run --silent dev -- --port 5173 --strictPort
