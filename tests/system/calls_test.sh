#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole program, both ends of it: four calls at once from `linecheck run` to `linecheck agent`, and a clean end of
# both. scripts/test runs it with the release build and with each sanitizer's.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3

port=$(free_port)
settle "PORT=$port"
cat >"$SCRATCH/agent.yaml" <<YAML
listen: udp:127.0.0.1:$port
truth_log: $SCRATCH/truth.jsonl
ports: 12000-12099
behaviours:
  - match: {user: tone}
    greeting: {say: "Hello.", after: 200ms}
    reply: {after: 600ms, says: ["Good. What else?"]}
YAML
printf 'frequency: 4\nconcurrency_limit: 4\n' >>"$SCRATCH/site/jobs/converse.yaml"
start_agent "$SCRATCH/agent.yaml"
run_job converse --junit "$SCRATCH/out/junit.xml" --html "$SCRATCH/out/report.html"
agent_code=0
kill -TERM "$AGENT_PID"
wait "$AGENT_PID" || agent_code=$?

complaints() { grep -hE -A 30 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$RUN_LOG" "$SCRATCH/agent.log"; }
nothing_found() { ! complaints; }
check "the calls end with 0" test "$RUN_CODE" -eq 0 || true
[[ "$RUN_CODE" -eq 0 ]] || tail -n 40 "$RUN_LOG" | sed 's/^/    /'
if [[ -f "$SCRATCH/out/result.json" ]]; then
  check "four calls completed" test "$(of_result '[r["status"] for r in result["runs"].values()].count("completed")')" = 4
  check "what was said arrived: the agent spoke twice in each" \
    test "$(of_result 'min(sum(t["who"] == "agent" for t in r["turns"]) for r in result["runs"].values())')" -ge 2
fi
for file in result.json junit.xml report.html; do check "$file is written" test -s "$SCRATCH/out/$file"; done
check "the agent ends with 0 when it is told to" test "$agent_code" -eq 0
check "no sanitizer has a complaint" nothing_found
tap_exit
