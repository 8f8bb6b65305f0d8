#!/usr/bin/env bash
# Licences, bans, sources and known advisories. Not part of `make test`: cargo-deny takes minutes to build, and the
# advisory databases need a network that a build machine may not have.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

scripts/setup.sh audit
PATH=$CACHE/bin:$PATH
failed=no unchecked=()
cargo deny --workspace check licenses bans sources || failed=yes
# The advisory databases are fetched. Where they cannot be, the audit is not passed.
if cargo deny --workspace fetch db >/dev/null 2>&1; then
  cargo deny --workspace check advisories || failed=yes
else
  unchecked+=(Rust)
fi
for dir in web tests/browser scripts/wasm-opt; do
  report=$(cd "$dir" && npm audit --json 2>/dev/null) && say "npm audit in $dir: nothing" && continue
  if [[ $report == *'"auditReportVersion"'* ]]; then
    (cd "$dir" && npm audit) || failed=yes
  else
    unchecked+=("$dir")
  fi
done
[ "$failed" = no ] || die "the audit found something; see above"
if [ ${#unchecked[@]} -gt 0 ]; then
  die "licences, bans and sources are in order; advisories were NOT checked, their databases did not answer: ${unchecked[*]}"
fi
say "audit: nothing found"
