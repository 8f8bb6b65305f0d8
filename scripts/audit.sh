#!/usr/bin/env bash
# Licences, bans, sources and known advisories. Not part of `make test`: cargo-deny takes minutes to build, and the
# advisory databases need a network that a build machine may not have.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh audit
PATH=$CACHE/bin:$PATH
failed=no
cargo deny --workspace check licenses bans sources || failed=yes
# The advisory databases are fetched. Where they cannot be, that is said, and it is no finding.
if cargo deny --workspace fetch db >/dev/null 2>&1; then
  cargo deny --workspace check advisories || failed=yes
else
  say "advisories for Rust: not checked, the database could not be fetched"
fi
for dir in web tests/browser scripts/wasm-opt; do
  report=$(cd "$dir" && npm audit --json 2>/dev/null) && say "npm audit in $dir: nothing" && continue
  if [[ $report == *'"auditReportVersion"'* ]]; then
    (cd "$dir" && npm audit) || failed=yes
  else
    say "advisories for $dir: not checked, the registry did not answer"
  fi
done
[ "$failed" = no ] || die "the audit found something; see above"
say "audit: nothing found"
