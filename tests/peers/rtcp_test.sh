#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A call of a quarter of a minute with baresip, which has an RTCP of its own: our RTP and RTCP as tshark reads them, and
# what baresip's reports tell us of our stream.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs baresip sox tshark python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" trim 0 25
port=$(free_port)
settle "PORT=$port"
sed -i 's|action: "<silence time=\\"6s\\"/>Goodbye. |action: "<silence time=\\"14s\\"/><dtmf digits=\\"15#\\"/><silence time=\\"1s\\"/>|' \
  "$SCRATCH/site/catalog/scenarios/listen.yaml"
captured=no
if can_capture; then
  captured=yes
  capture "$SCRATCH/call.pcapng" "udp and (port $port or portrange 6100-6141)"
fi
start_baresip "$port" "$SCRATCH/tone.wav"
run_job listen
[[ "$captured" == no ]] || end_capture

if [[ -f "$SCRATCH/out/result.json" ]]; then
  check "RTCP: the call completed" test "$(of_result 'run["status"]')" = completed
  check "RTCP: baresip's reports come, and tell the loss and the round trip of our stream" python3 -c '
import json, sys
run = next(iter(json.load(open(sys.argv[1]))["runs"].values()))
rtp = run["rtp"]
rtcp, send = rtp["rtcp"], rtp["send"]
print(rtcp)
print({key: send[key] for key in ("packets", "lost", "expected", "loss_percent", "jitter_mean_ms", "round_trip_ms")})
assert rtcp["received"] >= 2 and rtcp["malformed"] == 0 and rtcp["sent"] >= 3 and rtcp["send_failures"] == 0
assert send["lost"] == 0 and send["loss_percent"] == 0 and send["expected"] > 100
assert 0 <= send["round_trip_ms"] < 100 and send["jitter_mean_ms"] < 20
of = {metric["key"]: metric for metric in run["evaluation"]["metrics"]}
assert of["mos_cqe.send"]["value"] > 4.3 and "one way" in of["mos_cqe.send"]["explanation"][0], of["mos_cqe.send"]
series = rtp["receive"]["series"]
assert sum(series["packets"]) == rtp["receive"]["packets"] and sum(rtp["send"]["series"]["packets"]) > 700
' "$SCRATCH/out/result.json"
else
  not_ok "RTCP: the call completed" "$(cat "$RUN_LOG")"
fi
if [[ "$captured" == yes ]]; then
  check "our RTP and RTCP keep the rules, says tshark" \
    "$REPO_ROOT/tests/peers/rtp_rules.py" "$SCRATCH/call.pcapng" 6100-6140 14 rtcp
else
  skip "our RTP and RTCP keep the rules, says tshark" "packets cannot be captured by this user"
fi
tap_exit
