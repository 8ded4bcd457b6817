#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tones that sox makes and SIPp plays, as the result has them: an answering machine's beep, a busy tone, fax.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox python3

# piece MS [HZ...]: adds that to the sound, silence without a frequency.
PIECES=()
piece() {
  local ms="$1" file="$SCRATCH/piece.${#PIECES[@]}.wav" hz
  local -a synth=(trim 0 "0.$(printf %03d $((ms % 1000)))")
  shift
  ((ms < 1000)) || synth=(trim 0 "$((ms / 1000)).$(printf %03d $((ms % 1000)))")
  if [[ $# -gt 0 ]]; then
    synth=(synth "${synth[2]}")
    for hz in "$@"; do synth+=(sin "$hz"); done
    synth+=(remix - norm -12)
  fi
  sox -n -r 8000 -c 1 -b 16 "$file" "${synth[@]}"
  PIECES+=("$file")
}

piece 1000
piece 500 1000 # 1.0 s: a beep
piece 1000
for _ in 1 2 3 4; do
  piece 500 480 620 # 2.5 s: busy, United States
  piece 500
done
piece 1500
sox "${PIECES[@]}" -t raw -e mu-law "$SCRATCH/tone.ul"

port=$(free_port)
settle "PORT=$port"
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
run_job tones
check "tones: a scenario that expects a beep and a busy tone has them" \
  test "$(of_result '[e["passed"] for e in run["expect"]]')" = "[True, True]"
check "tones: which, where, and their cadence" python3 - "$SCRATCH/out/result.json" <<'END'
import json, sys
run = next(iter(json.load(open(sys.argv[1]))["runs"].values()))
beep, busy = run["tones"]
print(beep, busy)
first = beep["start_ms"]
assert beep["tone"] == "beep" and abs(beep["end_ms"] - first - 500) <= 20 and abs(beep["frequencies_hz"][0] - 1000) < 5
assert busy["tone"] == "busy" and busy["bursts"] == 4 and "us" in busy["countries"].split()
assert abs(busy["start_ms"] - first - 1500) <= 20 and abs(busy["end_ms"] - first - 5000) <= 20
assert [round(hz) for hz in busy["frequencies_hz"]] == [480, 620]
assert abs(beep["level_dbm0"] - (-12 + 3.14)) < 1
END
check "tones: they are nobody's speech" test "$(of_result '[t for t in run["turns"] if t["who"] == "agent"]')" = "[]"
tap_exit
