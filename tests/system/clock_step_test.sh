#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The wall clock of linecheck's process is set forward by an hour, and back by two, while 20 calls are up: no call may
# notice, and no message may be repeated for it.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3 cc sipp

cc -O1 -shared -fPIC -o "$SCRATCH/clock_step.so" "$REPO_ROOT/tests/lib/clock_step.c"
echo 0 >"$SCRATCH/step"

port=$(free_port)
settle "PORT=$port"
cat >"$SCRATCH/site/jobs/steps.yaml" <<'YAML'
agent_id: 1
scenarios: [11]
frequency: 20
YAML
sed -i 's/<silence time=\\"6s\\"\/>/<silence time=\\"4s\\"\/>/' "$SCRATCH/site/catalog/scenarios/listen.yaml"
cd "$SCRATCH"
sipp -sn uas -i 127.0.0.1 -mi 127.0.0.1 -p "$port" -nostdin -nd >"$SCRATCH/sipp.log" 2>&1 &
OWN_PIDS+=("$!")
wait_until 10 udp_bound 127.0.0.1 "$port" || die "sipp does not listen"

code=0
LD_PRELOAD="$SCRATCH/clock_step.so" LINECHECK_CLOCK_STEP="$SCRATCH/step" timeout -k 5 90 "$LINECHECK" run \
  "$SCRATCH/site/jobs/steps.yaml" -c "$SCRATCH/site/linecheck.yaml" --out "$SCRATCH/out" --json "$SCRATCH/out/result.json" \
  --no-color >"$SCRATCH/run.log" 2>&1 &
run=$!
OWN_PIDS+=("$run")
# Calls are up once RTP comes from linecheck's ports; the file says so by its recordings, which are made as a leg opens.
all_up() { [[ "$(find "$SCRATCH/out" -name '*.wav' 2>/dev/null | wc -l)" -ge 20 ]]; }
check "clock step: 20 calls are up" wait_until 60 all_up
# What is tested is that time passes, with calls up, before each step and after it.
read -r -t 0.7 <> <(:) || true
echo 3600 >"$SCRATCH/step"
read -r -t 1.2 <> <(:) || true
echo -3600 >"$SCRATCH/step"
wait "$run" || code=$?

check "clock step: the job ended by itself" test "$code" -le 3
expect() { check "clock step: $1" test "$(of_result "$2" 2>&1)" = "$3" || printf '# %s\n' "$(of_result "$2" 2>&1)"; }
expect "no call was dropped" \
  'sorted({r["metadata"]["ended_reason"] for r in result["runs"].values()}), len(result["runs"])' "(['caller-ended-call'], 20)"
expect "no message was sent twice" \
  'sum(len(s) - len(set(s)) for s in ([m["message"] for m in r["sip"] if m["direction"] == "sent"] for r in result["runs"].values()))' 0
expect "every call lasted as long as it should" \
  'all(3500 < r["sip"][-1]["t_ms"] < 15000 for r in result["runs"].values())' True
tap_exit
