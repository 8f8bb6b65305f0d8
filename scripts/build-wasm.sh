#!/usr/bin/env bash
# Builds the engine for the browser into web/src/engine/pkg/, unless what is there was made from these very sources.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

# One at a time: whoever comes second finds it done.
mkdir -p "$TARGET"
exec 9>"$TARGET/wasm.lock"
if have flock; then flock 9; fi

toolchain=$(wasm_toolchain)
case $toolchain in
  rust) cargo=cargo rustc=rustc ;;
  debian) cargo=/usr/bin/cargo rustc=/usr/bin/rustc ;;
  *) die "no compiler for wasm yet: run scripts/setup.sh build" ;;
esac

paths=(Cargo.toml Cargo.lock scripts/build-wasm.sh scripts/wasm-opt/package-lock.json)
for crate in $WASM_CRATES; do
  if [ -d "src/$crate" ]; then paths+=("src/$crate"); fi
done
hash=$({
  fingerprint "${paths[@]}"
  "$rustc" --version --verbose
} | sha256sum | cut -d ' ' -f 1)

report() {
  local wasm=$PKG/weft_wasm_bg.wasm
  say "engine: $1, $(kb "$(stat -c %s "$wasm")") wasm, $(kb "$(gzip_size "$wasm")") gzip"
}

if [ -f "$PKG/weft_wasm_bg.wasm" ] && fresh wasm "$hash"; then
  report "up to date"
  exit 0
fi

say "engine: compiling with $("$rustc" --version)"
# No path of the machine that built it ends in the file: two builders get the same bytes, and no home folder leaks.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--remap-path-prefix=$ROOT=weft --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
target_dir=$TARGET
extra=()
if [ "$toolchain" = debian ]; then
  export RUSTC=$rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/bin/wasm-ld
  # The standard library is built here too; it outlives `make clean`.
  target_dir=$CACHE/target-debian
  extra=(-Z "build-std=std,panic_abort")
fi
# `cargo rustc --crate-type` rather than a cdylib in the manifest: native builds need not link a library nobody loads.
"$cargo" rustc -p weft-wasm --lib --crate-type cdylib --profile wasm --target wasm32-unknown-unknown \
  --target-dir "$target_dir" "${extra[@]}"

say "engine: making it small (wasm-bindgen, wasm-opt; half a minute)"
work=$(mktemp -d "$TARGET/wasm-pkg.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$(wasm_bindgen_bin)" --target web --out-dir "$work" \
  "$target_dir/wasm32-unknown-unknown/wasm/weft_wasm.wasm"
# No --enable-… flags: wasm-opt reads from the file which features the compiler used.
"$(wasm_opt_bin)" -Os -g -o "$work/named.wasm" "$work/weft_wasm_bg.wasm"
# By name, so that what was made of the same generic code stands together: gzip looks 32 kB back, and finds 2 % more. The names
# themselves go, for want of -g.
"$(wasm_opt_bin)" --reorder-functions-by-name -o "$work/weft_wasm_bg.wasm" "$work/named.wasm"
rm "$work/named.wasm"

# Whole or not at all: a build that was stopped must not leave half a package.
rm -rf "$PKG"
mkdir -p "$(dirname "$PKG")"
chmod 755 "$work"
mv "$work" "$PKG"
stamp wasm "$hash"
report built
