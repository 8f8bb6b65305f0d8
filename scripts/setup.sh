#!/usr/bin/env bash
# Finds what Weft is built with and installs what is missing: `setup.sh build` for `make run`, `setup.sh test` for the
# tests as well, `setup.sh audit` for the check of our dependencies. Debian packages are installed only as root or with sudo; elsewhere it says what to install.
. "$(dirname "$0")/lib.sh"

NEXTEST_VERSION=0.9.151
DENY_VERSION=0.20.2
apt_updated=no

# cargo_tool CRATE VERSION DIR BINARY FEATURES…: build a tool from source into DIR. Quick to build beats quick to run
# here: a few seconds of use would never win back the minutes of a fully optimised build.
cargo_tool() {
  local crate=$1 version=$2 dir=$3 bin=$4
  shift 4
  local command=(cargo install "$crate" --version "=$version" --root "$dir" --bin "$bin" "$@")
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=false
  say "building $crate $version into $dir (once, some minutes)"
  # The tool's own lock file first. It can name a version that was withdrawn since; cargo then chooses the next best.
  "${command[@]}" --locked || "${command[@]}" || die "could not build $crate $version; see cargo's message above"
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# apt_install PACKAGE…: or say what is missing where that cannot be done.
apt_install() {
  local package missing=() sudo=()
  for package in "$@"; do
    if ! have dpkg-query || ! installed "$package"; then missing+=("$package"); fi
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  if ! have apt-get; then
    die "missing: ${missing[*]} (Debian's names). Install them with your system's package manager, then try again."
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! have sudo; then die "missing: ${missing[*]}. As root: apt-get install ${missing[*]}"; fi
    say "with sudo: apt-get install ${missing[*]}"
    sudo=(sudo)
    if [ ! -t 0 ]; then sudo+=(-n); fi
  else
    say "apt-get install ${missing[*]}"
  fi
  say "(apt-get is quiet while it downloads and unpacks; this can take minutes)"
  if [ "$apt_updated" = no ]; then
    "${sudo[@]}" apt-get update -qq || say "apt-get update failed; trying with the lists at hand"
    apt_updated=yes
  fi
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install ${missing[*]}"
}

# What cannot be installed for people: a Rust and a Node of their choice. All that is missing is said at once.
need_basics() {
  local missing=() rust_min node_min
  rust_min=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
  node_min=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' "$ROOT/web/package.json")
  if ! have cargo || ! have rustc; then
    missing+=("Rust $rust_min or newer (rustup, or Debian's rustc-web and cargo-web)")
  elif ! at_least "$(rustc --version | cut -d ' ' -f 2)" "$rust_min"; then
    missing+=("Rust $rust_min or newer; found $(rustc --version)")
  fi
  if ! have node || ! have npm; then
    missing+=("Node.js $node_min or newer, with npm")
  elif ! at_least "$(node --version | tr -d v)" "$node_min"; then
    missing+=("Node.js $node_min or newer; found $(node --version)")
  fi
  if [ ${#missing[@]} != 0 ]; then die "Weft needs, and this machine does not have:" "${missing[@]/#/  - }"; fi
  have cc || apt_install gcc libc6-dev
}

need_wasm_target() {
  case $(wasm_toolchain) in
    rust) say "wasm compiler: $(rustc --version), its own wasm32-unknown-unknown" ;;
    debian)
      apt_install rustc-web cargo-web rust-web-src lld
      say "wasm compiler: Debian's $(/usr/bin/rustc --version), standard library from source"
      ;;
    none)
      if have rustup && rustup target add wasm32-unknown-unknown; then
        say "wasm compiler: $(rustc --version), wasm32-unknown-unknown added by rustup"
      else
        say "no wasm32-unknown-unknown from rustup: taking Debian's rustc-web"
        apt_install rustc-web cargo-web rust-web-src lld
        say "wasm compiler: Debian's $(/usr/bin/rustc --version), standard library from source"
      fi
      ;;
    *) die "WEFT_WASM_TOOLCHAIN is \"$WEFT_WASM_TOOLCHAIN\"; it can be rust or debian" ;;
  esac
}

need_wasm_bindgen() {
  local version bin
  version=$(locked_version wasm-bindgen)
  bin=$(wasm_bindgen_bin)
  # The generated JavaScript fits one version only, hence the pin to Cargo.lock.
  if [ -x "$bin" ]; then return; fi
  cargo_tool wasm-bindgen-cli "$version" "$CACHE/wasm-bindgen-$version" wasm-bindgen
}

need_wasm_opt() {
  local dir
  dir=$(wasm_opt_dir)
  if [ -x "$(wasm_opt_bin)" ]; then return; fi
  say "installing wasm-opt (npm binaryen) into $dir"
  mkdir -p "$dir"
  cp "$ROOT"/scripts/wasm-opt/package*.json "$dir/"
  (cd "$dir" && npm ci --silent --no-audit --no-fund)
}

need_nextest() {
  if [ -x "$CACHE/bin/cargo-nextest" ] || cargo nextest --version >/dev/null 2>&1; then return; fi
  # Without its self-update, which pulls in an HTTP client and a TLS library.
  cargo_tool cargo-nextest "$NEXTEST_VERSION" "$CACHE" cargo-nextest --no-default-features
}

need_deny() {
  if [ -x "$CACHE/bin/cargo-deny" ] || cargo deny --version >/dev/null 2>&1; then return; fi
  cargo_tool cargo-deny "$DENY_VERSION" "$CACHE" cargo-deny
}

need_rust_components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  have rustup && rustup component add rustfmt clippy && return
  die "rustfmt or clippy is missing: rustup component add rustfmt clippy"
}

need_browser() {
  if [ -z "$(chromium_bin)" ]; then apt_install chromium; fi
  # Chinese text in screenshots would be boxes without a font that has it.
  if ! have fc-list || [ -z "$(fc-list :lang=zh family)" ]; then apt_install fontconfig fonts-noto-cjk; fi
  if [ -z "$(chromium_bin)" ]; then die "no Chromium found: install one, or name it in WEFT_CHROMIUM"; fi
}

# An authority to get certificates from, for tests/acme.rs; elsewhere than on Debian that test says that it was not run.
need_authority() {
  have pebble || ! have apt-get || (apt_install pebble) || say "no pebble here: tests/acme.rs will not be run"
}

# A program that adds ledgers up, for src/ledger/tests/plain_text.rs and what tests/wallet.rs, tests/wallet_killed.rs and tests/fees.rs
# end with; elsewhere than on Debian they say that it was not run.
need_bookkeeper() {
  have hledger || ! have apt-get || (apt_install hledger) || say "no hledger here: no test will have a ledger added up again"
}

# A program that reads codes in pictures, for tests/browser/stories/shop*.spec.ts; without it they read them with the app alone.
need_scanner() {
  have zbarimg || ! have apt-get || (apt_install zbar-tools) || say "no zbarimg here: codes will be read by the app alone"
}

# Networks of their own, for tests/namespaces.rs; where they cannot be made that test says that it was not run.
need_networks() {
  if have ip && have nft; then return; fi
  ! have apt-get || apt_install iproute2 nftables || say "no ip or nft here: tests/namespaces.rs will not be run"
}

need_build() {
  need_basics
  need_wasm_target
  need_wasm_bindgen
  need_wasm_opt
}

case ${1:-build} in
  build) need_build ;;
  test)
    need_build
    need_rust_components
    have shellcheck || apt_install shellcheck
    need_browser
    need_authority
    need_bookkeeper
    need_scanner
    need_networks
    need_nextest
    ;;
  audit)
    need_basics
    need_deny
    ;;
  *) die "usage: setup.sh build|test|audit" ;;
esac
