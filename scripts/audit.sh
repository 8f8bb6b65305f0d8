#!/usr/bin/env bash
# Licences, bans, sources and known advisories of all that we depend on. Not part of `make test`: cargo-deny takes minutes
# to build, and the advisory databases need a network that a build machine may not have.
#
# It passes only when everything was checked and nothing was found: a database that did not answer has not said "nothing".
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh audit
PATH=$CACHE/bin:$PATH
checked=() found=() unchecked=()

# rust_tree NAME: licences, bans, sources and advisories of the workspace's crates.
rust_tree() {
  if ! cargo metadata --locked --all-features --format-version 1 >/dev/null; then
    unchecked+=("Rust: everything (cargo could not read the dependencies; see above)")
    return
  fi
  if cargo deny --workspace check --hide-inclusion-graph licenses bans sources; then
    checked+=("Rust: licences, bans, sources")
  else
    found+=("Rust: licences, bans or sources")
  fi
  if ! cargo deny --workspace fetch db >/dev/null 2>&1; then
    unchecked+=("Rust: advisories (the database did not answer; \`cargo deny fetch db\` says why)")
  elif cargo deny --workspace check --disable-fetch advisories; then
    checked+=("Rust: advisories")
  else
    found+=("Rust: advisories")
  fi
}

# npm_report DIR: what the registry says of DIR's lock file, as JSON; nothing where it gives no report.
npm_report() {
  local report
  report=$(cd "$1" && npm audit --json 2>/dev/null) || true
  if [[ $report == *'"auditReportVersion"'* ]]; then printf '%s\n' "$report"; fi
}

# npm_answers: does the registry know any advisory at all? Mirrors exist that answer every question with "nothing".
npm_answers() {
  local known=$1
  printf '{"name":"canary","version":"0.0.0","dependencies":{"minimist":"0.0.8"}}\n' >"$known/package.json"
  printf '{"name":"canary","version":"0.0.0","lockfileVersion":3,"packages":{"":{"name":"canary","version":"0.0.0","dependencies":{"minimist":"0.0.8"}},"node_modules/minimist":{"version":"0.0.8"}}}\n' \
    >"$known/package-lock.json"
  [[ $(npm_report "$known") == *'"GHSA-'* ]]
}

# npm_trees DIR…: advisories of what each folder's lock file names.
npm_trees() {
  local dir report canary
  canary=$(mktemp -d)
  if ! npm_answers "$canary"; then
    for dir in "$@"; do unchecked+=("npm: advisories of $dir (the registry answers no audit)"); done
    rm -rf "$canary"
    return
  fi
  rm -rf "$canary"
  for dir in "$@"; do
    report=$(npm_report "$dir")
    if [ -z "$report" ]; then
      unchecked+=("npm: advisories of $dir (no report)")
    elif (cd "$dir" && npm audit); then
      checked+=("npm: advisories of $dir")
    else
      found+=("npm: advisories of $dir")
    fi
  done
}

rust_tree
npm_trees web tests/browser scripts/wasm-opt
# Said rather than passed over in silence.
unchecked_always="never checked here: licences of npm packages, fuzz/ (not part of any binary), Debian's packages"

if [ ${#checked[@]} != 0 ]; then printf '[weft] in order:     %s\n' "${checked[@]}"; fi
if [ ${#unchecked[@]} != 0 ]; then printf '[weft] NOT checked:  %s\n' "${unchecked[@]}"; fi
if [ ${#found[@]} != 0 ]; then printf '[weft] FOUND:        %s; see above\n' "${found[@]}"; fi
say "$unchecked_always"
[ ${#found[@]} = 0 ] || die "the audit found something"
[ ${#unchecked[@]} = 0 ] || die "the audit found nothing in what it could check, and could not check all: it is not passed"
say "audit: nothing found"
