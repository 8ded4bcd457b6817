#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp asks for packets of 40 and 60 ms: tshark sees them, numbered on, with timestamps and departures of that step.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox tshark python3
can_capture || {
  skip "packets of 40 and 60 ms" "packets cannot be captured by this user"
  exit 0
}

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" trim 0 20
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"
for ptime in 40 60; do
  port=$(free_port)
  settle "PORT=$port"
  sed "s/a=ptime:20/a=ptime:$ptime/" "$REPO_ROOT/tests/peers/uas_tone.xml" >"$SCRATCH/uas.xml"
  rm -rf "$SCRATCH/dumpcap.out" "$SCRATCH/out"
  capture "$SCRATCH/$ptime.pcapng" "udp and (port $port or port 6000)"
  start_sipp 127.0.0.1 "$port" "$SCRATCH/uas.xml"
  run_job keys
  end_capture
  tshark -r "$SCRATCH/$ptime.pcapng" -Y "rtp && !rtpevent && udp.dstport == 6000" -T fields -e frame.time_epoch -e rtp.seq \
    -e rtp.timestamp -e udp.length 2>/dev/null >"$SCRATCH/packets"
  check "packets of $ptime ms, as tshark sees them" python3 - "$SCRATCH/packets" "$ptime" <<'END'
import sys
packets = [(float(a), int(b), int(c), int(d) - 8 - 12) for a, b, c, d in (line.split() for line in open(sys.argv[1]))]
step = int(sys.argv[2]) * 8
whole = [n for n, p in enumerate(packets) if p[3] == step]
print(len(packets), "packets,", len(whole), "of", step, "bytes")
assert len(packets) >= 20
assert len(packets) - len(whole) <= 5, "only a key may cut one short, and the end of the call"
assert all(p[3] % 160 == 0 for p in packets)
pairs = [(packets[n], packets[n + 1]) for n in whole[:-1] if packets[n + 1][1] == (packets[n][1] + 1) % 65536]
assert all((b[2] - a[2]) % 2**32 == step for a, b in pairs)
gaps = sorted(1000 * (b[0] - a[0]) for a, b in pairs if b[3] == step)
print("median gap", gaps[len(gaps) // 2], "ms")
assert abs(gaps[len(gaps) // 2] - step / 8) < 1
END
  check "packets of $ptime ms: the result says so" test "$(of_result 'run["rtp"]["send"]["ptime_ms"]')" = "$ptime"
  check "packets of $ptime ms: keys go on as they were" "$REPO_ROOT/tests/peers/dtmf.py" "$SCRATCH/$ptime.pcapng" 6000 '12#'
done
tap_exit
