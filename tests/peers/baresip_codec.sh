# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A call to baresip in one wide-band codec: what we recorded of its file, and what tshark thinks of our packets.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"

# call_in OURS THEIRS NAME [TOLERANCE]: the codec as our files, baresip and the result name it; by how many dB the tone
# may come out at another level.
call_in() {
  local ours="$1" theirs="$2" name="$3" port captured=no
  needs baresip sox tshark python3
  # 5 kHz: no narrow-band codec lets it through.
  sox -n -r 16000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 3 sine 5000 gain -n -16.99 pad 1 16
  port=$(free_port)
  settle "PORT=$port"
  echo "codecs: [$ours, pcmu]" >>"$SCRATCH/site/jobs/listen.yaml"
  if can_capture; then
    captured=yes
    capture "$SCRATCH/call.pcapng" "udp and (port $port or portrange 6100-6140)"
  fi
  start_baresip "$port" "$SCRATCH/tone.wav" 16000 "$theirs"
  run_job listen
  [[ "$captured" == no ]] || end_capture

  if [[ -f "$SCRATCH/out/result.json" ]]; then
    check "baresip, $name: the call completed" test "$(of_result 'run["status"]')" = completed
    check "baresip, $name: that was the codec" test \
      "$(of_result 'run["metadata"]["codec"], run["rtp"]["send"]["codec"], run["rtp"]["receive"]["codec"]')" = \
      "('$name', '$name', '$name')"
    check "baresip, $name: the recording holds the file's tone" \
      "$REPO_ROOT/tests/peers/tone.py" "$(recording)" 1 5000 -20 3000 "${4:-0.5}"
    check "baresip, $name: the tone begins a second after the first packet" at_one_second "$(recording)"
    check "baresip, $name: nothing lost on the way to us" test "$(of_result 'run["rtp"]["receive"]["lost"]')" = 0
  else
    not_ok "baresip, $name: the call completed" "$(cat "$RUN_LOG")"
  fi
  if [[ "$captured" == yes ]]; then
    check "baresip, $name: our packets arrive whole and in time, says tshark" \
      "$REPO_ROOT/tests/peers/streams.py" "$SCRATCH/call.pcapng" 6100-6140 300 "$SCRATCH/out/result.json"
  else
    skip "baresip, $name: our packets arrive whole and in time, says tshark" "packets cannot be captured by this user"
  fi
}

# The file has a second of silence before its tone. baresip plays it in blocks of its own, and its codec delays: 25 ms before and 60 ms after.
at_one_second() {
  python3 - "$1" "$(of_result '[e["t_ms"] for e in run["timeline"] if e["what"] == "first_rtp"][0]')" <<'PYTHON'
import array, sys, wave
with wave.open(sys.argv[1]) as file:
    rate = file.getframerate()
    assert rate == 16000, rate
    agent = array.array("h", file.readframes(file.getnframes()))[1::2]
first = next(i for i, s in enumerate(agent) if abs(s) > 2000) * 1000 / rate
after = first - float(sys.argv[2])
print(f"the tone begins {after:.1f} ms after the first packet came")
sys.exit(0 if 975 <= after <= 1060 else 1)
PYTHON
}
