#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A simulated bad line to SIPp: what left, as tshark counts it, against what was asked for and what is said of it.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox tshark python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 3 sine 1004 gain -n -16.99 pad 1 16
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"
port=$(free_port)
settle "PORT=$port"
for file in "$SCRATCH"/site/catalog/personalities/*.yaml; do
  echo 'network_simulation: {send: {packet_loss: 10, jitter: 30, latency: 80, duplicate: 5}}' >>"$file"
done
echo 'recording: {pcap: true}' >>"$SCRATCH/site/jobs/listen.yaml"
captured=no
if can_capture; then
  captured=yes
  capture "$SCRATCH/call.pcapng" "udp and port 6000"
fi
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
run_job listen --seed 5
[[ "$captured" == no ]] || end_capture
wait "$SIPP_PID" || true
if [[ -f "$SCRATCH/out/result.json" ]]; then
  check "bad line: the call completed" test "$(of_result 'run["status"]')" = completed
  check "bad line: our own capture has what is said" "$REPO_ROOT/tests/peers/line.py" \
    "$SCRATCH/out/$(of_result 'run["pcap_url"]')" "$SCRATCH/out/result.json" 6000
  if [[ "$captured" == yes ]]; then
    check "bad line: so does one of the network" "$REPO_ROOT/tests/peers/line.py" \
      "$SCRATCH/call.pcapng" "$SCRATCH/out/result.json" 6000
  else
    skip "bad line: so does one of the network" "packets cannot be captured by this user"
  fi
  check "bad line: nothing is lost on the way to us" test "$(of_result 'run["rtp"]["receive"]["lost"]')" = 0
else
  not_ok "bad line: the call completed" "$(cat "$RUN_LOG")"
fi
tap_exit
