#!/usr/bin/env bash
# Everything from sources to a running node: http://127.0.0.1:8440, data in ./data. Arguments go to `weft run`.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

# A mistake in node.toml is told before the build rather than after it, where a binary is at hand that reads the file as
# these sources do. On the very first run there is none: then the node tells, at its start.
for bin in "$TARGET/release/weft" "$TARGET/debug/weft"; do
  if [ -x "$bin" ] && [ -z "$(find src/node/src/config src/commands/config.rs Cargo.lock -newer "$bin" -print -quit)" ]; then
    "$bin" config --config node.toml >/dev/null 2>"$TARGET/config-check" || {
      cat "$TARGET/config-check" >&2
      die "nothing was built; mend node.toml (or the variable), then make run again"
    }
    break
  fi
done
if grep -q '^name = ""' node.toml && [ -z "${WEFT_NODE__NAME:-}" ] && [ ! -e data/node.key ]; then
  say "node.name in node.toml is empty, so that addresses will end in 52 characters: alice@12D3KooW…"
  say "To have alice@home.example, write your DNS name there while this builds; the first account settles it for good."
fi

say "step 1 of 4: compilers and tools (the first time some minutes)"
scripts/setup.sh build
say "step 2 of 4: the engine for the browser, in wasm (the first time some minutes)"
scripts/build-wasm.sh
say "step 3 of 4: the web pages"
scripts/build-ui.sh
say "step 4 of 4: the node (the first time some minutes; the last crate takes longest, and cargo says nothing meanwhile)"
cargo build --release --bin weft
say "starting $TARGET/release/weft (Ctrl+C stops it)"
exec "$TARGET/release/weft" run --config node.toml "$@"
