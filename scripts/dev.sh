#!/usr/bin/env bash
# The fast loop: a debug node, and Vite's server, which reloads the UI as it is edited and hands /api on to the node.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh build
scripts/build-wasm.sh
npm_ci web
say "node: building (debug)"
cargo build --bin weft
"$TARGET/debug/weft" run --config node.toml "$@" &
node=$!
# Both stop together: Vite on Ctrl+C, then the node, which is given the time it needs to close its journal.
trap 'kill "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true' EXIT
say "UI: Vite prints its address below; edit web/src and see"
(cd web && npm run --silent dev)
