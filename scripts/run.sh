#!/usr/bin/env bash
# Everything from sources to a running node: http://127.0.0.1:8440, data in ./data. Arguments go to `weft run`.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh build
scripts/build-wasm.sh
scripts/build-ui.sh
say "node: building the release binary"
cargo build --release --bin weft
say "node: starting (Ctrl+C stops it)"
exec "$TARGET/release/weft" run --config node.toml "$@"
