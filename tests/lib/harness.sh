# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034  # several of the variables are for the tests that read this file
# What the tests against real peers share: a scratch folder, processes that are ended by their own id, peers that are
# known to listen before anything is sent to them, captures that are whole, and runs of linecheck.
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
source "$REPO_ROOT/scripts/lib/tap.sh"

LINECHECK="${LINECHECK:-$REPO_ROOT/build/release/engine/linecheck}"
SCRATCH="$(mktemp -d "${TMPDIR:-/tmp}/linecheck-test.XXXXXX")"
OWN_PIDS=()

harness_cleanup() {
  local pid
  for pid in "${OWN_PIDS[@]}"; do
    kill -TERM "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$SCRATCH"
}
trap harness_cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# Ends the script with one skip when a command is missing.
needs() {
  local command
  for command in "$@"; do
    if ! command -v "$command" >/dev/null; then
      skip "$(basename "$0")" "$command is not installed"
      exit 0
    fi
  done
}

# A UDP port of 127.0.0.1 that is free now. Peers that cannot bind port 0 themselves need one.
free_port() {
  python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_until SECONDS COMMAND...: for conditions that nothing announces.
wait_until() {
  local deadline=$(($(now_ms) + $1 * 1000))
  shift
  until "$@"; do
    (($(now_ms) < deadline)) || return 1
    read -r -t 0.02 <> <(:) || true
  done
}

udp_bound() { # ADDRESS PORT
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  grep -qiF "$(printf '%02X%02X%02X%02X:%04X' "$d" "$c" "$b" "$a" "$2")" /proc/net/udp
}

# start_sipp ADDRESS PORT SCENARIO [OPTION...]: one call answered (or placed), bounded in time. Sets SIPP_PID.
start_sipp() {
  local address="$1" port="$2" scenario="$3"
  shift 3
  (cd "$SCRATCH" && exec sipp -sf "$scenario" -i "$address" -mi "$address" -p "$port" -nostdin -m 1 -timeout 60s \
    -timeout_error -trace_err -error_file "$SCRATCH/sipp.err" "$@" >"$SCRATCH/sipp.log" 2>&1) &
  SIPP_PID=$!
  OWN_PIDS+=("$SIPP_PID")
  wait_until 10 udp_bound "$address" "$port" || {
    cat "$SCRATCH/sipp.log" >&2
    die "sipp does not listen on $address:$port"
  }
}

# start_baresip PORT WAV [RATE CODEC]: answers every call at once, plays the file (of RATE Hz, else 8000), hangs up at
# its end. Media on 6100-6140. CODEC as baresip names it, else PCMU/8000/1. BARESIP_MEDIAENC: how it encrypts its media.
# BARESIP_ACCOUNT: address and registration of its account, where that is to register.
start_baresip() {
  local dir="$SCRATCH/baresip" line
  mkdir -p "$dir"
  sed -e "s|@PORT@|$1|" -e "s|@WAV@|$2|" -e "s|@RATE@|${3:-8000}|" "$REPO_ROOT/tests/peers/baresip.config" >"$dir/config"
  echo "${BARESIP_ACCOUNT:-<sip:tone@127.0.0.1>;regint=0};answermode=auto;audio_codecs=${4:-PCMU/8000/1}${BARESIP_MEDIAENC:+;mediaenc=$BARESIP_MEDIAENC}" >"$dir/accounts"
  : >"$dir/contacts"
  mkfifo "$dir/out"
  stdbuf -oL baresip -f "$dir" -t 60 </dev/null >"$dir/out" 2>&1 &
  OWN_PIDS+=("$!")
  exec {baresip_out}<"$dir/out"
  while IFS= read -r -t 10 -u "$baresip_out" line; do
    printf '%s\n' "$line" >>"$SCRATCH/baresip.log"
    [[ "$line" != *"baresip is ready"* ]] || {
      # Its meter fills the pipe otherwise.
      grep -ai --line-buffered srtp <&"$baresip_out" >>"$SCRATCH/baresip.log" &
      OWN_PIDS+=("$!")
      return 0
    }
  done
  cat "$SCRATCH/baresip.log" >&2
  die "baresip does not start"
}

# start_agent CONFIGURATION: the built-in reference agent, once it listens.
start_agent() {
  local line
  mkfifo "$SCRATCH/agent.out"
  "$LINECHECK" agent -c "$1" >"$SCRATCH/agent.out" 2>"$SCRATCH/agent.log" &
  AGENT_PID=$!
  OWN_PIDS+=("$AGENT_PID")
  exec {agent_out}<"$SCRATCH/agent.out"
  if ! read -r -t 60 -u "$agent_out" line || [[ "$line" != ready* ]]; then
    cat "$SCRATCH/agent.log" >&2
    die "the reference agent does not start"
  fi
}

# Whether packets can be captured here (root, or dumpcap set up for this user).
can_capture() { dumpcap -D 2>/dev/null | grep -qw lo; }

# capture FILE FILTER: from when it returns, loopback packets that match go to FILE, for 60 s and 200,000 at most.
capture() {
  local line
  CAPTURE_FILE="$1"
  mkfifo "$SCRATCH/dumpcap.out"
  dumpcap -q -i lo -f "($2) or (udp and dst host 127.0.0.1 and dst port 9)" -a duration:60 -a packets:200000 -w "$1" \
    2>"$SCRATCH/dumpcap.out" >/dev/null &
  CAPTURE_PID=$!
  OWN_PIDS+=("$CAPTURE_PID")
  exec {capture_out}<"$SCRATCH/dumpcap.out"
  while IFS= read -r -t 10 -u "$capture_out" line; do
    [[ "$line" != File:* ]] || return 0
  done
  die "dumpcap does not start: $line"
}

# Ends the capture once a packet sent now has arrived in the file: then so has everything before it.
end_capture() {
  local mark="end-of-capture-$$"
  printf '%s' "$mark" >/dev/udp/127.0.0.1/9
  wait_until 10 grep -qaF "$mark" "$CAPTURE_FILE" || true
  kill -INT "$CAPTURE_PID" 2>/dev/null || true
  wait "$CAPTURE_PID" 2>/dev/null || true
}

# settle NAME=VALUE...: copies tests/site to SCRATCH/site, with @NAME@ replaced.
settle() {
  local site="$SCRATCH/site" pair
  mkdir -p "$site"
  cp -r "$REPO_ROOT/tests/site/." "$site/"
  for pair in "$@"; do
    find "$site" -name '*.yaml' -exec sed -i "s|@${pair%%=*}@|${pair#*=}|g" {} +
  done
}

# run_job NAME [OPTION...]: runs SCRATCH/site/jobs/NAME.yaml; leaves SCRATCH/out/result.json, and RUN_CODE, RUN_LOG.
run_job() {
  local name="$1"
  shift
  RUN_LOG="$SCRATCH/run.log"
  RUN_CODE=0
  timeout -k 5 90 "$LINECHECK" run "$SCRATCH/site/jobs/$name.yaml" -c "$SCRATCH/site/linecheck.yaml" --out "$SCRATCH/out" \
    --json "$SCRATCH/out/result.json" --no-color "$@" >"$RUN_LOG" 2>&1 || RUN_CODE=$?
}

# of_result EXPRESSION: prints a Python expression over `result` (the JSON) and `run` (its first run).
of_result() {
  python3 -c '
import json, sys
result = json.load(open(sys.argv[1]))
run = next(iter(result["runs"].values()), None)
print(eval(sys.argv[2]))' "$SCRATCH/out/result.json" "$1"
}

recording() {
  local path
  path="$(of_result 'run["voice_recording_url"]')"
  path="${path#file://}"
  [[ "$path" == /* ]] || path="$SCRATCH/out/$path"
  printf '%s' "$path"
}
