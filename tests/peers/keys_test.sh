#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Keys by SIP INFO and by their sound: to and from SIPp, with sox making the sound and multimon-ng hearing ours.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox multimon-ng python3

# keypad FILE TEXT: TEXT as sound, raw mu-law at 8 kHz; a letter of the keypad is 100 ms of it, a dot 100 ms of silence.
keypad() {
  python3 - "$1" "$2" <<'END'
import subprocess, sys
HZ = {k: (r, c) for r, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D")) for k, c in zip(row, (1209, 1336, 1477, 1633))}
path, text = sys.argv[1:3]
pieces = []
for n, key in enumerate(text):
    piece = f"{path}.{n}.wav"
    if key == ".":
        subprocess.run(["sox", "-n", "-r", "8000", "-b", "16", piece, "trim", "0", "0.1"], check=True)
    else:
        low, high = HZ[key]
        subprocess.run(["sox", "-n", "-r", "8000", "-b", "16", piece, "synth", "0.1", "sin", str(low), "sin", str(high),
                        "remix", "-", "norm", "-13"], check=True)
    pieces.append(piece)
subprocess.run(["sox", *pieces, "-t", "raw", "-e", "mu-law", path], check=True)
END
}

# heard_by_multimon WAV [EFFECT...]: the keys that it hears.
heard_by_multimon() {
  local wav="$1"
  shift
  sox "$wav" -t raw -r 22050 -e signed -b 16 -c 1 "$SCRATCH/heard.raw" "$@" 2>/dev/null
  multimon-ng -q -a DTMF -t raw "$SCRATCH/heard.raw" 2>/dev/null | sed -n 's/^DTMF: //p' | tr -d '\n'
}

keys_by() { # PARTY
  of_result "[(d['digit'], d['transport'], d['also'], d['duration_ms'] and round(d['duration_ms']), d['level_dbm0'] and round(d['level_dbm0'])) for d in run['dtmf'] if d['by'] == '$1']"
}

# 5 and 5 are heard twice each, by sound and by INFO; 9 by INFO alone.
keypad "$SCRATCH/tone.ul" "...5.5............................................................"
port=$(free_port)
settle "PORT=$port"
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_info.xml"
run_job keys_info
code=0
wait "$SIPP_PID" || code=$?
check "keys by INFO: SIPp takes 1, 2 and #, in order" test "$code" = 0
check "keys by INFO: what we sent" test "$(keys_by caller)" = \
  "[('1', 'info', [], 100, None), ('2', 'info', [], 100, None), ('#', 'info', [], 100, None)]"
check "keys by INFO and by sound are one key, and two presses two" test "$(of_result \
  '[(d["digit"], d["transport"], d["also"]) for d in run["dtmf"] if d["by"] == "agent"]')" = \
  "[('5', 'inband', ['info']), ('5', 'inband', ['info']), ('9', 'info', [])]"
check "keys by INFO: the trace has them where the result has them" test "$(of_result \
  '[round(m["t_ms"]) for m in run["sip"] if m["start_line"].startswith("INFO") and m["direction"] == "sent"] == [round(d["start_ms"]) for d in run["dtmf"] if d["by"] == "caller"]')" = True
rm -rf "$SCRATCH/out"

keypad "$SCRATCH/tone.ul" "..........4.4.7.*.0.D................................................"
port=$(free_port)
settle "PORT=$port"
captured=no
if command -v tshark >/dev/null && can_capture; then
  captured=yes
  capture "$SCRATCH/inband.pcapng" "udp and (port $port or port 6000)"
fi
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
run_job keys_inband
[[ "$captured" == no ]] || end_capture
check "keys by sound: those of SIPp are heard" test "$(of_result \
  '"".join(d["digit"] for d in run["dtmf"] if d["by"] == "agent")')" = 447*0D
check "keys by sound: where and how long they were, to 4 ms, and how loud" python3 - "$SCRATCH/out/result.json" "$SCRATCH/inband.pcapng" "$captured" <<'END'
import json, subprocess, sys
run = next(iter(json.load(open(sys.argv[1]))["runs"].values()))
keys = [d for d in run["dtmf"] if d["by"] == "agent"]
for d in keys:
    print(d)
wanted = [0, 200, 400, 600, 800, 1000]  # after the first
# Until SIPp was in time for once, all of its sound lies too late: by how much, the capture says.
late = 0
if sys.argv[3] == "yes":
    fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "rtp.timestamp"]
    rows = subprocess.run(["tshark", "-r", sys.argv[2], "-Y", "rtp && udp.srcport == 6000", *fields],
                          capture_output=True, text=True, check=True).stdout.split()
    held = [float(t) * 1000 - int(ts) / 8 for t, ts in zip(rows[::2], rows[1::2])]
    late = min(held[:50]) - min(held[:150])
    print(f"{len(held)} packets, those before the first key all late by {late:.1f} ms")
starts = [d["start_ms"] - keys[0]["start_ms"] for d in keys]
assert all(abs(a - b) <= 4 + late for a, b in zip(starts, wanted)), starts
assert all(abs(d["duration_ms"] - 100) <= 5 + late for d in keys)
level = -13 + 3.14 - 3.01  # two tones whose sum peaks at -13 dBFS
assert all(abs(d["level_dbm0"] - level) < 1 for d in keys), level
assert all(d["transport"] == "inband" for d in keys)
END
check "keys by sound: multimon-ng hears ours in the recording" test "$(heard_by_multimon "$(recording)" remix 1)" = 12#
if [[ "$captured" == yes ]]; then
  tshark -r "$SCRATCH/inband.pcapng" -Y "rtp && udp.dstport == 6000" -T fields -e rtp.payload 2>/dev/null |
    python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read().replace(":", "")))' >"$SCRATCH/wire.raw"
  sox -t raw -r 8000 -e mu-law -c 1 "$SCRATCH/wire.raw" "$SCRATCH/wire.wav"
  check "keys by sound: multimon-ng hears ours on the wire" test "$(heard_by_multimon "$SCRATCH/wire.wav")" = 12#
  check "keys by sound: no telephone-event leaves" test -z "$(tshark -r "$SCRATCH/inband.pcapng" -Y rtpevent 2>/dev/null)"
else
  skip "keys by sound: on the wire" "packets cannot be captured by this user"
fi
rm -rf "$SCRATCH/out" "$SCRATCH/dumpcap.out"

# The reference agent's menu understands all three.
port=$(free_port)
cat >"$SCRATCH/agent.yaml" <<END
listen: udp:127.0.0.1:$port
truth_log: $SCRATCH/truth.jsonl
ports: 11000-11999
behaviours:
  - menu: {say: "Press a key.", digits: {"#": "Thank you."}}
END
start_agent "$SCRATCH/agent.yaml"
settle "PORT=$port"
for job in keys keys_info keys_inband; do
  run_job "$job"
  check "the reference agent hears the keys of $job" test "$RUN_CODE" = 0
  rm -rf "$SCRATCH/out"
done
check "the reference agent hears each key once" test "$(python3 -c '
import json, sys
print("".join(e["text"] for e in map(json.loads, open(sys.argv[1])) if e["event"] == "digit"))' "$SCRATCH/truth.jsonl")" = 12#12#12#
tap_exit
