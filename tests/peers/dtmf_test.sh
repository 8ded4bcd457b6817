#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The keys that a scenario presses, as tshark reads them from the wire on the way to SIPp and to baresip.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp baresip sox tshark python3
can_capture || {
  skip "telephone-events as tshark reads them" "packets cannot be captured by this user"
  exit 0
}

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" trim 0 20
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"

port=$(free_port)
settle "PORT=$port"
capture "$SCRATCH/sipp.pcapng" "udp and (port $port or port 6000)"
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
run_job keys
end_capture
check "DTMF to SIPp is as RFC 4733 has it" "$REPO_ROOT/tests/peers/dtmf.py" "$SCRATCH/sipp.pcapng" 6000 '12#'
rm -rf "$SCRATCH/dumpcap.out" "$SCRATCH/out"

port=$(free_port)
settle "PORT=$port"
capture "$SCRATCH/baresip.pcapng" "udp and (port $port or portrange 6100-6140)"
start_baresip "$port" "$SCRATCH/tone.wav"
run_job keys
end_capture
check "DTMF to baresip is as RFC 4733 has it" "$REPO_ROOT/tests/peers/dtmf.py" "$SCRATCH/baresip.pcapng" 6100-6140 '12#'
tap_exit
