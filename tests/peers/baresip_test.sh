#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# baresip answers by itself and plays a file: what we recorded of it, and what tshark thinks of our packets.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs baresip sox tshark python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 3 sine 1004 gain -n -16.99 pad 1 16

port=$(free_port)
settle "PORT=$port"
captured=no
if can_capture; then
  captured=yes
  capture "$SCRATCH/call.pcapng" "udp and (port $port or portrange 6100-6140)"
fi
start_baresip "$port" "$SCRATCH/tone.wav"
run_job listen
[[ "$captured" == no ]] || end_capture

if [[ -f "$SCRATCH/out/result.json" ]]; then
  check "baresip: the call completed" test "$(of_result 'run["status"]')" = completed
  check "baresip: the recording holds the file's tone" "$REPO_ROOT/tests/peers/tone.py" "$(recording)" 1 1004 -20 3000
  check "baresip: nothing lost on the way to us" test "$(of_result 'run["rtp"]["receive"]["lost"]')" = 0
else
  not_ok "baresip: the call completed" "$(cat "$RUN_LOG")"
fi
if [[ "$captured" == yes ]]; then
  check "baresip: our packets arrive whole and in time, says tshark" \
    "$REPO_ROOT/tests/peers/streams.py" "$SCRATCH/call.pcapng" 6100-6140 300 "$SCRATCH/out/result.json"
else
  skip "baresip: our packets arrive whole and in time, says tshark" "packets cannot be captured by this user"
fi
tap_exit
