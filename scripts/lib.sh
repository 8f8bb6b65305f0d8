# What the scripts beside this one share. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Tools we build ourselves live outside target/, so that `make clean` does not cost ten minutes.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/weft
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
STAMPS=$TARGET/stamps
# shellcheck disable=SC2034 # read by build-wasm.sh
PKG=$ROOT/web/src/engine/pkg
# What the browser engine is made of; tests/tidy.rs checks that no crate of its closure is missing here.
# shellcheck disable=SC2034 # read by build-wasm.sh
WASM_CRATES="wire mls ledger engine wasm"

say() { printf '[weft] %s\n' "$*"; }
die() {
  printf '[weft] %s\n' "$@" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# at_least HAVE WANT: is version HAVE the same as or newer than WANT?
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# sources PATH…: every source file below, NUL-separated. Git knows what is generated; without it (an unpacked archive, a
# clone of somebody else) the usual names are left out.
sources() {
  { [ -e .git ] && git ls-files -z --cached --others --exclude-standard -- "$@" 2>/dev/null; } ||
    find "$@" \( -name node_modules -o -name dist -o -name pkg -o -name paraglide -o -name .svelte-kit \
      -o -name cache -o -name .lix -o -name .meta.json \) -prune -o -type f -print0
}

# fingerprint PATH…: one hash over names and contents of all sources below.
fingerprint() {
  # A file that git still lists and that is gone changes the hash by not being there.
  (cd "$ROOT" && sources "$@" | LC_ALL=C sort -zu | { xargs -0r sha256sum 2>/dev/null || true; }) | sha256sum | cut -d ' ' -f 1
}

# fresh NAME HASH and stamp NAME HASH: was NAME last made from exactly this?
fresh() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
stamp() {
  mkdir -p "$STAMPS"
  printf '%s\n' "$2" >"$STAMPS/$1"
}

gzip_size() { gzip -9 -c "$1" | wc -c; }
kb() { awk -v bytes="$1" 'BEGIN { printf "%.0f kB", bytes / 1000 }'; }

# The version of a crate as Cargo.lock pins it.
locked_version() { awk -v name="\"$1\"" '$1 == "name" { hit = ($3 == name) } hit && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"; }

# Which compiler makes the wasm: `rust` (the default toolchain has the target), `debian` (Debian's rustc-web with
# a standard library built from source), or `none` so far. WEFT_WASM_TOOLCHAIN=rust|debian overrides.
wasm_toolchain() {
  if [ -n "${WEFT_WASM_TOOLCHAIN:-}" ]; then
    printf '%s\n' "$WEFT_WASM_TOOLCHAIN"
  elif [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
    printf 'rust\n'
  elif [ -x /usr/bin/wasm-ld ] && [ -f "$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    printf 'debian\n'
  else
    printf 'none\n'
  fi
}

wasm_bindgen_bin() { printf '%s\n' "$CACHE/wasm-bindgen-$(locked_version wasm-bindgen)/bin/wasm-bindgen"; }
wasm_opt_dir() { printf '%s\n' "$CACHE/wasm-opt-$(sha256sum <"$ROOT/scripts/wasm-opt/package-lock.json" | head -c 16)"; }
wasm_opt_bin() { printf '%s\n' "$(wasm_opt_dir)/node_modules/.bin/wasm-opt"; }

# The Chromium that browser tests drive; empty when there is none.
chromium_bin() {
  local name
  for name in "${WEFT_CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
    if [ -n "$name" ] && have "$name"; then
      command -v "$name"
      return
    fi
  done
}

# npm_ci DIR: install what DIR's lock file says, only when that changed.
npm_ci() {
  local dir=$1 hash
  hash=$({
    cat "$ROOT/$dir/package.json" "$ROOT/$dir/package-lock.json"
    node --version
  } | sha256sum | cut -d ' ' -f 1)
  if [ "$(cat "$ROOT/$dir/node_modules/.weft-stamp" 2>/dev/null)" = "$hash" ]; then return; fi
  say "npm ci in $dir"
  (cd "$ROOT/$dir" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund)
  printf '%s\n' "$hash" >"$ROOT/$dir/node_modules/.weft-stamp"
}
