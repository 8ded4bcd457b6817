#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The capture that linecheck makes of a call, read by tshark; recordings in the formats that can be asked for.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox tshark python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 3 sine 1004 gain -n -16.99 pad 1 16
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"
port=$(free_port)
settle "PORT=$port"
for format in ulaw flac opus; do
  case "$format" in
    ulaw) choice='{format: ulaw, pcap: true}' ;;
    *) choice="{after: $format}" ;;
  esac
  cp "$REPO_ROOT/tests/site/jobs/listen.yaml" "$SCRATCH/site/jobs/$format.yaml"
  echo "recording: $choice" >>"$SCRATCH/site/jobs/$format.yaml"
  rm -rf "$SCRATCH/out"
  start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
  run_job "$format"
  wait "$SIPP_PID" || true
  if [[ ! -f "$SCRATCH/out/result.json" ]]; then
    not_ok "$format: the call completed" "$(cat "$RUN_LOG")"
    continue
  fi
  check "$format: the call completed" test "$(of_result 'run["status"]')" = completed
  file="$(recording)"
  case "$format" in
    ulaw)
      check "ulaw: sox says what it is" test "$(soxi -e "$file")" = u-law
      pcap="$SCRATCH/out/$(of_result 'run["pcap_url"]')"
      check "tshark reads the capture: SIP, both streams, checksums" \
        "$REPO_ROOT/tests/peers/capture.py" "$pcap" "$SCRATCH/out/result.json"
      check "the capture is its owner's only" test "$(stat -c %a "$pcap")" = 600
      ;;
    *)
      check "$format: the packed file is the only one" test "${file##*.}" = "$format" -a ! -e "${file%.*}.wav"
      ;;
  esac
  if [[ "$format" == opus ]]; then
    # No sox of Debian 12 reads Opus; that the sound is where it was, kept_files_test sees with libsndfile.
    check "opus: the file is Ogg Opus" grep -q OpusHead "$file"
    continue
  fi
  sox "$file" -r 8000 -b 16 -e signed "$SCRATCH/$format.wav"
  check "$format: the recording holds the tone where it was" "$REPO_ROOT/tests/peers/tone.py" "$SCRATCH/$format.wav" 1 1004 -20 3000
done
tap_exit
