#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Agents and machines that misbehave: each ends in the contract's exit code, with a reason in plain words, and what was
# recorded until then is kept. The cases run side by side, each with its own peer, ports and folder.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox python3
peers="$REPO_ROOT/tests/peers"

# silence and a tone that never ends, as raw mu-law
sox -n -r 8000 -c 1 -b 16 "$SCRATCH/silence.wav" trim 0 20
sox "$SCRATCH/silence.wav" -t raw -e mu-law "$SCRATCH/silence.ul"

# expect_run CODE STATUS CATEGORY SUCCESS: of the only run; `-` is no matter, `none` is null.
expect_run() {
  local problem=()
  [[ "$RUN_CODE" -eq "$1" ]] || problem+=("exit code $RUN_CODE, $1 is wanted")
  if [[ -f "$SCRATCH/out/result.json" ]]; then
    local status category success
    status="$(of_result 'run["status"]')"
    category="$(of_result '(run["failure"] or {}).get("category", "none")')"
    success="$(of_result 'str(run["success"]).lower()')"
    [[ "$2" == - || "$status" == "$2" ]] || problem+=("status $status, $2 is wanted")
    [[ "$3" == - || "$category" == "$3" ]] || problem+=("category $category, $3 is wanted")
    [[ "$4" == - || "$success" == "$4" ]] || problem+=("success $success, $4 is wanted")
    echo "$CASE: $(of_result 'run["error_message"]')"
    [[ "$success" == true || "$status" == cancelled || -n "$(of_result 'run["error_message"] or ""')" ]] || problem+=("no reason is given")
  else
    problem+=("no result.json")
  fi
  if [[ ${#problem[@]} -eq 0 ]]; then ok "$CASE"; else not_ok "$CASE" "${problem[@]}" "$(tail -n 30 "$RUN_LOG")"; fi
}
keeps_recording() {
  local path
  path="$(recording)" || true
  check "$CASE: the recording is kept" test -s "$path"
}

# against SCENARIO [SIPP OPTION...]: starts the peer and runs the job `converse` against it.
against() {
  local scenario="$1"
  shift
  settle "PORT=$PORT"
  start_sipp 127.0.0.1 "$PORT" "$scenario" -mp "$MEDIA_PORT" "$@"
  run_job converse
}
refusing() { # STATUS LINE
  sed "s/@LINE@/$1/" "$peers/uas_reject.xml" >"$SCRATCH/reject.xml"
  against "$SCRATCH/reject.xml"
}

case_486() {
  refusing '486 Busy Here'
  expect_run 1 failed agent false
  check "$CASE: the status is kept" test "$(of_result 'run["failure"]["sip_status"]')" = 486
}
case_503() {
  refusing '503 Service Unavailable'
  expect_run 3 failed network none
}
case_302() {
  refusing '302 Moved Temporarily'
  expect_run 1 failed agent false
}
case_nobody_there() {
  settle "PORT=$PORT"
  run_job converse
  expect_run 3 failed network none
}
case_hangs_up_at_once() {
  against "$peers/uas_hangup.xml"
  expect_run 1 failed agent false
}
case_no_rtp() {
  against "$peers/uas_no_rtp.xml"
  expect_run 1 completed agent false
  keeps_recording
}
case_never_speaks() {
  cp "$COMMON/silence.ul" "$SCRATCH/tone.ul"
  against "$peers/uas_endless.xml"
  expect_run 1 completed agent false
  keeps_recording
}
case_wrong_payload() {
  cp "$COMMON/silence.ul" "$SCRATCH/tone.ul"
  against "$peers/uas_wrong_payload.xml"
  expect_run 1 completed agent false
}
case_wrong_answer() {
  against "$peers/uas_wrong_answer.xml"
  expect_run 1 - agent false
}
case_never_stops() {
  cat >"$SCRATCH/agent.yaml" <<YAML
listen: udp:127.0.0.1:$PORT
truth_log: $SCRATCH/truth.jsonl
ports: $MEDIA_PORT-$((MEDIA_PORT + 19))
behaviours:
  - match: {user: tone}
    greeting: {say: "$(printf 'I could go on about this for a very long time. %.0s' {1..12})", after: 100ms}
    yield: never
YAML
  start_agent "$SCRATCH/agent.yaml"
  settle "PORT=$PORT"
  run_job interrupt
  expect_run 1 completed agent false
  keeps_recording
}
case_port_in_use() {
  settle "PORT=$PORT"
  sed -i "s|udp:127.0.0.1:0|udp:127.0.0.1:$PORT|" "$SCRATCH/site/linecheck.yaml"
  start_sipp 127.0.0.1 "$PORT" "$peers/uas_no_rtp.xml"
  run_job converse
  if [[ "$RUN_CODE" -eq 3 ]] && grep -q "$PORT" "$RUN_LOG"; then
    ok "$CASE"
  else
    not_ok "$CASE" "exit code $RUN_CODE" "$(cat "$RUN_LOG")"
  fi
}
case_full_folder() {
  settle "PORT=$PORT"
  sed -i 's|^state:.*|&\nlimits: {min_free_disk: 900TiB}|; s|900TiB|900000GiB|' "$SCRATCH/site/linecheck.yaml"
  run_job converse
  if [[ "$RUN_CODE" -eq 3 ]] && grep -qiE 'disk|space' "$RUN_LOG"; then
    ok "$CASE"
  else
    not_ok "$CASE" "exit code $RUN_CODE" "$(cat "$RUN_LOG")"
  fi
}
# The folder fills up while the call goes on.
case_folder_fills() {
  if ! { [[ $EUID -eq 0 ]] && mkdir "$SCRATCH/small" && mount -t tmpfs -o size=200k tmpfs "$SCRATCH/small" 2>/dev/null; }; then
    skip "$CASE" "no small file system can be mounted by this user"
    return
  fi
  trap 'umount -l "$SCRATCH/small"; harness_cleanup' EXIT
  cp "$COMMON/silence.ul" "$SCRATCH/tone.ul"
  settle "PORT=$PORT"
  sed -i 's|^state:.*|&\nlimits: {min_free_disk: 0}|' "$SCRATCH/site/linecheck.yaml"
  start_sipp 127.0.0.1 "$PORT" "$peers/uas_endless.xml" -mp "$MEDIA_PORT"
  RUN_CODE=0
  RUN_LOG="$SCRATCH/run.log"
  timeout -k 5 60 "$LINECHECK" run "$SCRATCH/site/jobs/converse.yaml" -c "$SCRATCH/site/linecheck.yaml" \
    --out "$SCRATCH/small" --json "$SCRATCH/result.json" --no-color >"$RUN_LOG" 2>&1 || RUN_CODE=$?
  if [[ "$RUN_CODE" -eq 3 ]] && grep -qiE 'disk|space|full' "$RUN_LOG"; then
    ok "$CASE"
  else
    not_ok "$CASE" "exit code $RUN_CODE" "$(tail -n 30 "$RUN_LOG")"
  fi
}
recorded() { [[ -n "$(find "$SCRATCH/out" -name '*.wav' -size +24k 2>/dev/null)" ]]; }
# A signal while the call goes on. Once: it ends as it would; twice: it is hung up at once.
interrupted() { # TIMES
  cp "$COMMON/silence.ul" "$SCRATCH/tone.ul"
  settle "PORT=$PORT"
  start_sipp 127.0.0.1 "$PORT" "$peers/uas_endless.xml" -mp "$MEDIA_PORT"
  # A job of two calls, one at a time: the second must not begin.
  sed -i '$a frequency: 2\nconcurrency_limit: 1' "$SCRATCH/site/jobs/converse.yaml"
  RUN_LOG="$SCRATCH/run.log"
  RUN_CODE=0
  # In a process group of its own, as behind a shell with job control, where SIGINT is not ignored.
  python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$LINECHECK" run "$SCRATCH/site/jobs/converse.yaml" -c "$SCRATCH/site/linecheck.yaml" \
    --out "$SCRATCH/out" --json "$SCRATCH/out/result.json" --no-color >"$RUN_LOG" 2>&1 &
  local pid=$! i begun
  OWN_PIDS+=("$pid")
  # The recording grows: the call is up.
  wait_until 20 recorded || not_ok "$CASE: the call began"
  begun=$(now_ms)
  for ((i = 0; i < $1; i++)); do
    kill -INT "$pid"
    wait_until 1 grep -qiE 'interrupt|ctrl|stop|finish|hang' "$RUN_LOG" || true
  done
  wait "$pid" || RUN_CODE=$?
  TAKEN=$(($(now_ms) - begun))
}
case_ctrl_c_once() {
  interrupted 1
  expect_run 130 - - -
  check "$CASE: the call in progress was let finish" test "$(of_result 'run["status"]')" = completed
  check "$CASE: the second call never began" test "$(of_result 'len([r for r in result["runs"].values() if r["sip"]])')" = 1
  keeps_recording
}
case_ctrl_c_twice() {
  interrupted 2
  expect_run 130 cancelled - none
  check "$CASE: it ended at once" test "$TAKEN" -lt 4000
  check "$CASE: the peer was hung up cleanly" wait "$SIPP_PID"
  keeps_recording
}

# Side by side. What a case prints is shown when it has ended, in this order.
COMMON="$SCRATCH"
cases=(486 503 302 nobody_there hangs_up_at_once no_rtp never_speaks wrong_payload wrong_answer never_stops port_in_use
  full_folder folder_fills ctrl_c_once ctrl_c_twice)
number=0
pids=()
for name in "${cases[@]}"; do
  number=$((number + 1))
  (
    trap harness_cleanup EXIT
    OWN_PIDS=()
    CASE="${name//_/ }"
    SCRATCH="$COMMON/$name"
    mkdir "$SCRATCH"
    PORT=$((7000 + number))
    MEDIA_PORT=$((7100 + 20 * number))
    "case_$name" >"$COMMON/$name.tap" 2>&1
    [[ "$TAP_FAILED" -eq 0 ]]
  ) &
  pids+=("$!")
done
for i in "${!cases[@]}"; do
  code=0
  wait "${pids[i]}" || code=$?
  cat "$COMMON/${cases[i]}.tap"
  ((code == 0)) || TAP_FAILED=1
  ((code == 0)) || grep -q '^not ok' "$COMMON/${cases[i]}.tap" || not_ok "${cases[i]}: the test ended with $code"
done
tap_exit
