#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp plays a stream with each irregularity that RTP knows: all are counted as they were sent, and a tone behind it is
# recorded where it should be.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp python3
if [[ "$(id -u)" != 0 ]]; then
  skip "RTP irregularities played by SIPp" "SIPp plays captures through raw sockets, which only root may open"
  exit 0
fi

python3 "$REPO_ROOT/tests/peers/irregular.py" "$SCRATCH/rtp" "$@"
calls="$(find "$SCRATCH/rtp" -name '*.pcap' | wc -l)"
port=$(free_port)
settle "PORT=$port"
sed -i "s|caller_numbers: .*|caller_numbers: [{range: \"+15550100001-+15550100099\"}]|" "$SCRATCH/site/linecheck.yaml"
echo "frequency: $calls" >>"$SCRATCH/site/jobs/listen.yaml"
start_sipp 127.0.0.1 "$port" "$SCRATCH/rtp/uas.xml" -m "$calls"
run_job listen
if [[ -f "$SCRATCH/out/result.json" ]]; then
  "$REPO_ROOT/tests/peers/irregular_check.py" "$SCRATCH/rtp" "$SCRATCH/out/result.json" || TAP_FAILED=1
else
  not_ok "calls with irregular RTP end" "$(cat "$RUN_LOG")"
fi
tap_exit
