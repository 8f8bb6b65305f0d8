#!/usr/bin/env bash
# Licences, bans, sources and known advisories. Not part of `make test`: cargo-deny takes minutes to build, and the
# advisory databases need a network that a build machine may not have.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh audit
PATH=$CACHE/bin:$PATH
failed=no
cargo deny check licenses bans sources || failed=yes
# The advisory database is fetched; where it cannot be, that is said and does not count as a finding.
cargo deny check advisories || say "advisories: see above (a database that cannot be fetched is no finding)"
for dir in web tests/browser scripts/wasm-opt; do
  if [ -f "$dir/package-lock.json" ]; then
    say "npm audit in $dir"
    (cd "$dir" && npm audit --audit-level=high) || failed=yes
  fi
done
[ "$failed" = no ] || die "the audit found something; see above"
say "audit: nothing found"
