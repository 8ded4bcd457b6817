#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demonstration, run as a user runs it, and judged from outside.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
source "$REPO_ROOT/scripts/lib/build.sh"
cd "$REPO_ROOT"

truth="$(sed -n 's/^truth_log: *\([^ #]*\).*/\1/p' configs/demo/agent.yaml)"
demo() { # OUT OPTION...: sets CODE
  local out="$1"
  shift
  CODE=0
  scripts/demo --out "$out" "$@" >"$out.log" 2>&1 || CODE=$?
}
# Where the agent's log goes, relative paths being taken from its configuration's folder or from the tree's root.
truth_file() {
  local path
  for path in "$truth" "configs/demo/$truth"; do
    [[ ! -f "$path" ]] || printf '%s' "$path"
  done
}

demo "$SCRATCH/demo"
if [[ "$CODE" -eq 0 ]]; then ok "scripts/demo exits with 0"; else not_ok "scripts/demo exits with 0" "$(tail -n 40 "$SCRATCH/demo.log")"; fi
check "a second run has nothing to build" grep -qF 'no work to do' <(cmake --build "$BUILD_ROOT/release" --target linecheck -- -n)
tests/system/check_demo.py "$SCRATCH/demo" "$(truth_file)" || TAP_FAILED=1

demo "$SCRATCH/failing" --with-failure
check "scripts/demo --with-failure exits with 1" test "$CODE" -eq 1
reasons="$(python3 -c '
import json, sys
issues = json.load(open(sys.argv[1]))["failed_reasons"]["issues"]
print("\n".join(i["reason"] for i in issues))' "$SCRATCH/failing/result.json" 2>&1)"
echo "why it failed: $reasons"
check "its report names the reason" test -n "$reasons"
while IFS= read -r reason; do
  check "the reason stands in the summary" grep -qF -- "${reason:0:40}" "$SCRATCH/failing.log"
done <<<"$reasons"
tap_exit
