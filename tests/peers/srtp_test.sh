#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Encrypted calls: baresip has an SRTP of its own (libre's, not libsrtp), SIPp has none at all.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs baresip sipp sox tshark python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 3 sine 1004 gain -n -16.99 pad 1 3

# trunk LINE...: the trunk to be, with these lines.
trunk() {
  rm -rf "$SCRATCH/site" "$SCRATCH/out"
  settle "PORT=$port"
  local line
  for line in "$@"; do
    sed -i "s|^    codecs: .*|&\n    $line|" "$SCRATCH/site/linecheck.yaml"
  done
}

# encrypted WHAT SUITE TAG: the call that has just run was encrypted with that suite.
encrypted() {
  if [[ ! -f "$SCRATCH/out/result.json" ]]; then
    not_ok "$1: the call completed" "$(cat "$RUN_LOG")"
    return
  fi
  check "$1: the call completed" test "$(of_result 'run["status"]')" = completed
  check "$1: the result names the suite" test "$(of_result 'run["metadata"]["srtp"]')" = "$2"
  check "$1: the recording holds the tone" "$REPO_ROOT/tests/peers/tone.py" "$(recording)" 1 1004 -20 3000
  check "$1: every packet was authentic" \
    test "$(of_result '[run["rtp"]["receive"][k] for k in ("forged", "replayed", "lost", "malformed")]')" = "[0, 0, 0, 0]"
  check "$1: no key in the trace" \
    test "$(of_result 'all("inline:*" in m["message"] or "inline:" not in m["message"] for m in run["sip"])')" = True
  if [[ "$captured" == yes ]]; then
    check "$1: packets on the wire are encrypted and of the right length" \
      "$REPO_ROOT/tests/peers/srtp.py" "$SCRATCH/$1.pcapng" 6100-6140 "$3"
  else
    skip "$1: packets on the wire are encrypted and of the right length" "packets cannot be captured by this user"
  fi
}

captured=no
! can_capture || captured=yes
call() { # WHAT SUITE TAG LINE...
  local what="$1" suite="$2" tag="$3"
  shift 3
  rm -rf "$SCRATCH/baresip"
  port=$(free_port)
  BARESIP_MEDIAENC=srtp start_baresip "$port" "$SCRATCH/tone.wav"
  trunk "$@"
  if [[ "$captured" == yes ]]; then
    rm -f "$SCRATCH/dumpcap.out"
    capture "$SCRATCH/$what.pcapng" "udp and portrange 6100-6140"
  fi
  run_job listen
  [[ "$captured" == no ]] || end_capture
  encrypted "$what" "$suite" "$tag"
}

call "baresip, AES_CM_128 with the long tag" AES_CM_128_HMAC_SHA1_80 10 \
  "srtp: require" "srtp_suites: [AES_CM_128_HMAC_SHA1_80]"
call "baresip, AES_CM_128 with the short tag" AES_CM_128_HMAC_SHA1_32 4 \
  "srtp: require" "srtp_suites: [AES_CM_128_HMAC_SHA1_32]"
call "baresip, AEAD_AES_256_GCM" AEAD_AES_256_GCM 16 \
  "srtp: require" "srtp_suites: [AES_256_CM_HMAC_SHA1_80, AEAD_AES_256_GCM]"
call "baresip, a wish under RTP-AVP" AES_CM_128_HMAC_SHA1_80 10 "srtp: offer"
# RTCP under the _32 suite keeps the tag of 80 bits (RFC 4568, 6.2.2); baresip's own SRTP expects 32 there.
check "baresip: it encrypted, and could decrypt what we sent" python3 - "$SCRATCH/baresip.log" <<'END'
import sys
log = open(sys.argv[1], errors="replace").read()
print(log)
sys.exit(log.count("SRTP is Enabled") < 4 or "failed to decrypt RTP packet" in log
         or log.count("failed to decrypt RTCP") > 2)
END

sox "$SCRATCH/tone.wav" -t ul "$SCRATCH/tone.ul"
port=$(free_port)
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
trunk "srtp: offer"
run_job listen
check "an agent without SRTP: a wish goes in the clear" \
  test "$(of_result '(run["status"], run["metadata"]["srtp"], run["rtp"]["send"]["packets"] > 0)')" = "('completed', None, True)"

port=$(free_port)
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_tone.xml"
trunk "srtp: require"
run_job listen
check "an agent without SRTP: a condition fails the call, in plain words" test "$(of_result \
  '(run["success"], run["failure"]["category"], "is not encrypted" in run["failure"]["reason"], run["rtp"]["send"]["packets"])')" = \
  "(False, 'agent', True, 0)"
tap_exit
