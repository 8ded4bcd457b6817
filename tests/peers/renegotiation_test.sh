#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp changes the session in the middle of a call: both styles of hold, resume with another codec, offers that come late.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp tshark python3

port=$(free_port)
settle "PORT=$port"
captured=no
if can_capture; then
  captured=yes
  capture "$SCRATCH/call.pcapng" "udp and src portrange 11000-11999"
fi
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_hold.xml"
run_job listen
[[ "$captured" == no ]] || end_capture
code=0
wait "$SIPP_PID" || code=$?
check "hold, resume, late offer: SIPp is content with each answer" test "$code" = 0
check "hold, resume, late offer: the call knows each change" test "$(of_result \
  '[m["message"].split("\r\no=")[1].split()[2] for m in run["sip"] if m["direction"] == "sent" and "\r\no=" in m["message"]]')" = \
  "['1', '2', '2', '3', '4']"
check "hold, resume, late offer: the codec at the end" test "$(of_result 'run["metadata"]["codec"]')" = PCMU
if [[ "$captured" == yes ]]; then
  check "hold, resume, late offer: what left" "$REPO_ROOT/tests/peers/hold.py" "$SCRATCH/call.pcapng"
else
  skip "hold, resume, late offer: what left" "packets cannot be captured by this user"
fi

agent_port=$(free_port)
cat >"$SCRATCH/agent.yaml" <<END
listen: udp:127.0.0.1:$agent_port
truth_log: $SCRATCH/truth.jsonl
ports: 11000-11999
srtp: off
behaviours:
  - match: {user: late}
    greeting: {say: "Hello.", after: 100ms}
END
start_agent "$SCRATCH/agent.yaml"
port=$(free_port)
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uac_late_offer.xml" "127.0.0.1:$agent_port" -s late
code=0
wait "$SIPP_PID" || code=$?
check "an INVITE without an offer: SIPp is content" test "$code" = 0
check "an INVITE without an offer: the agent speaks once the answer has come" grep -q speech_start "$SCRATCH/truth.jsonl"
tap_exit
