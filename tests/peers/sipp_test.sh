#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp answers and plays a known tone: what we recorded of it, and what tshark thinks of our packets.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox tshark python3

# The tone's RMS is -20 dBov; a second of silence before it, enough after it for the whole call.
sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 3 sine 1004 gain -n -16.99 pad 1 16
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"

port=$(free_port)
settle "PORT=$port"
captured=no
if can_capture; then
  captured=yes
  capture "$SCRATCH/call.pcapng" "udp and (port $port or port 6000)"
fi
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
run_job listen
[[ "$captured" == no ]] || end_capture

sipp_code=0
wait "$SIPP_PID" || sipp_code=$?
check "SIPp saw a whole call" test "$sipp_code" -eq 0
if [[ -f "$SCRATCH/out/result.json" ]]; then
  check "SIPp: the call completed" test "$(of_result 'run["status"]')" = completed
  check "SIPp: the recording holds the tone" "$REPO_ROOT/tests/peers/tone.py" "$(recording)" 1 1004 -20 3000
  check "SIPp: nothing lost on the way to us" test "$(of_result 'run["rtp"]["receive"]["lost"]')" = 0
else
  not_ok "SIPp: the call completed" "$(cat "$RUN_LOG")"
fi
if [[ "$captured" == yes ]]; then
  check "SIPp: our packets arrive whole and in time, says tshark" \
    "$REPO_ROOT/tests/peers/streams.py" "$SCRATCH/call.pcapng" 6000 300 "$SCRATCH/out/result.json"
else
  skip "SIPp: our packets arrive whole and in time, says tshark" "packets cannot be captured by this user"
fi
tap_exit
