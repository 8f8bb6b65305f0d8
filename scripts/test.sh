#!/usr/bin/env bash
# Everything that is checked before a change counts as good, quick steps first. `test.sh` runs all, `test.sh NAME…` some,
# `test.sh --list` names them. All chosen steps run even when one fails, so that one run shows every finding. The last line
# is `N passed, N failed`: each test of a runner counts, and each step that is no runner counts as one. Before it stands what
# could not run.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

STEPS=(setup fmt scripts lock clippy wasm npm check vitest ui budgets nextest types doctest doc browser)
LOGS=$TARGET/test-logs
PATH=$CACHE/bin:$PATH
# A test must not rewrite the snapshot that it is compared with.
export INSTA_UPDATE=no INSTA_FORCE_PASS=0 CARGO_TERM_PROGRESS_WHEN=never

step_setup() { scripts/setup.sh test; }
step_fmt() { cargo fmt --all --check; }
step_scripts() { shellcheck scripts/*.sh .ci/run; }
step_lock() { cargo metadata --locked --format-version 1 >/dev/null; }
step_wasm() { scripts/build-wasm.sh; }
step_npm() {
  npm_ci web
  npm_ci tests/browser
}
step_check() { npm --prefix web run --silent check; }
step_vitest() { npm --prefix web test --silent; }
step_ui() { scripts/build-ui.sh; }
step_budgets() { node scripts/budgets.mjs; }
step_clippy() { cargo clippy --workspace --all-targets -- -D warnings; }
step_nextest() {
  # The types that tests generate from Rust, as they were committed; step `types` compares.
  mkdir -p "$STAMPS"
  fingerprint web/src/wire >"$STAMPS/types-before"
  cargo nextest run --workspace --profile ci
}
step_types() {
  if [ "$(cat "$STAMPS/types-before")" = "$(fingerprint web/src/wire)" ]; then return; fi
  printf 'web/src/wire was not what the Rust types generate; the tests have just rewritten it: commit that.\n'
  git --no-pager diff --stat -- web/src/wire
  return 1
}
step_doctest() { cargo test --workspace --doc; }
step_doc() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps; }
step_browser() {
  # The debug binary that nextest built already: a release build would cost minutes and show nothing more here. So would any other
  # choice of packages and targets: with other features of what they depend on, all of that is built once more.
  cargo build --workspace --bins --tests
  WEFT_BIN=$TARGET/debug/weft
  WEFT_CHROMIUM=$(chromium_bin)
  WEFT_TESTKIT=$TARGET/debug/weft-testkit
  export WEFT_BIN WEFT_TESTKIT WEFT_CHROMIUM
  npm --prefix tests/browser run --silent --if-present check
  npm --prefix tests/browser run --silent e2e
}

# count STEP OUTCOME LOG: how many passed or failed, as the step's runner says in its closing lines. Nothing for a step
# that is no runner.
count() {
  local lines items
  case $1 in
    nextest) lines='tests? run:' ;;
    doctest) lines='^test result:' ;;
    vitest) lines='^ *Tests ' ;;
    browser) lines='^ *[0-9]+ (passed|flaky|failed|interrupted|did not run)( |$)' ;;
    *) return ;;
  esac
  case $2 in
    passed) items='[0-9]+ (passed|flaky)' ;;
    failed) items='[0-9]+ (failed|timed out|exec failed|interrupted|did not run)' ;;
  esac
  # nextest says `2 passed (1 slow, 1 flaky)`: what is in brackets is counted already.
  { sed -e 's/\x1b\[[0-9;]*m//g' "$3" | grep -E "$lines" | sed -e 's/([^)]*)//g' | grep -oE "$items" || true; } |
    awk '{ sum += $1 } END { print sum + 0 }'
}

# run_step NAME: its output is shown and kept; its result goes into the table.
run_step() {
  local name=$1 log=$LOGS/$1.log started=$SECONDS status passed failed
  say "── $name"
  set +e
  (
    set -e
    "step_$name"
  ) </dev/null 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  set -e
  passed=$(count "$name" passed "$log")
  failed=$(count "$name" failed "$log")
  # A step without a runner counts as one; so does a runner that failed before, or without, any test that did.
  if [ "$status" = 0 ]; then : "${passed:=1}" "${failed:=0}"; else : "${passed:=0}" "${failed:=1}"; fi
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  # A runner that found nothing to run proves nothing. (There may be no doc tests.)
  if [ "$status" = 0 ] && [ "$passed" = 0 ] && [ "$name" != doctest ]; then failed=1; fi
  passed_total=$((passed_total + passed))
  failed_total=$((failed_total + failed))
  table+=("$(printf '%-9s %5d s %6d passed %4d failed' "$name" $((SECONDS - started)) "$passed" "$failed")")
  [ "$failed" = 0 ]
}

if [ "${1:-}" = --list ]; then
  printf '%s\n' "${STEPS[@]}"
  exit 0
fi
for name in "$@"; do
  [[ " ${STEPS[*]} " == *" $name "* ]] || die "no step \"$name\"; there are: ${STEPS[*]}"
done
# Whether tests may make networks of their own.
can_make_networks() {
  have nft && ip netns add "weft-$$" 2>/dev/null && ip netns del "weft-$$"
}

# The engine for the browser is made while clippy looks: its linking keeps one core busy for minutes. How it went is seen in its own
# turn, which waits for it.
begin_wasm() {
  scripts/build-wasm.sh </dev/null >"$LOGS/wasm-early.log" 2>&1 &
  trap 'kill $! 2>/dev/null; exit 130' INT TERM
}

if [ $# = 0 ]; then set -- "${STEPS[@]}"; fi

mkdir -p "$LOGS"
trap 'exit 130' INT TERM
table=()
passed_total=0
failed_total=0
for name in "$@"; do
  if [ "$name" = clippy ] && [[ " $* " == *" wasm "* ]]; then begin_wasm; fi
  # Without its tools the rest could only fail for the same reason again.
  run_step "$name" || [ "$name" != setup ] || break
done

say "── all: $SECONDS s"
printf '%s\n' "${table[@]}"
# A test that cannot run passes, and nextest does not show what it says then.
if [[ " $* " == *" nextest "* ]] && ! have pebble; then
  printf 'NOT RUN for want of pebble (apt install pebble): a certificate from an authority, tests/acme.rs\n'
fi
if [[ " $* " == *" nextest "* ]] && ! have hledger; then
  printf 'NOT RUN for want of hledger (apt install hledger): a ledger added up again, %s\n' \
    'src/ledger/tests/plain_text.rs, and in tests/wallet.rs, tests/wallet_killed.rs, tests/fees.rs'
fi
if [[ " $* " == *" browser "* ]] && ! have zbarimg; then
  printf 'NOT RUN for want of zbarimg (apt install zbar-tools): codes read by another program, %s\n' \
    'in tests/browser/stories/shop.spec.ts, shop_across.spec.ts, shop_away.spec.ts, paper.spec.ts'
fi
if [[ " $* " == *" nextest "* ]] && ! can_make_networks; then
  printf 'NOT RUN for want of rights, ip or nft: two nodes behind two routers, tests/namespaces.rs\n'
fi
printf '%d passed, %d failed\n' "$passed_total" "$failed_total"
[ "$failed_total" = 0 ]
