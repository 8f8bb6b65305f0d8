#!/usr/bin/env bash
# Builds the web UI into web/dist/, from which the node's binary embeds it, unless neither it nor the engine changed.
. "$(dirname "$0")/lib.sh"

npm_ci web
hash=$({
  fingerprint web
  cat "$STAMPS/wasm"
  node --version
} | sha256sum | cut -d ' ' -f 1)
if [ -f "$ROOT/web/dist/index.html" ] && fresh ui "$hash"; then
  say "UI: up to date"
  exit 0
fi
say "UI: building"
(cd "$ROOT/web" && npm run --silent build)
stamp ui "$hash"
