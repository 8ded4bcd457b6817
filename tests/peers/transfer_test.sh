#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp plays a tone before it answers, then hands its caller on to one that is busy and to a third SIPp. Early media is in the recording, the
# NOTIFYs tell the first peer how the transfer goes, and the call goes on with the third.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 2 sine 1004 gain -n -16.99 pad 0.3 0
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"
port=$(free_port)
busy=$(free_port)
next=$(free_port)
settle "PORT=$port"
cat >"$SCRATCH/site/catalog/scenarios/transfer.yaml" <<'YAML'
id: 90
name: Be handed on
agent: 1
project: 1
personality: 1
scenario_type: conditional_actions
max_duration: 20
conditional_actions:
  role: You wait
  conditions:
    - {id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: "<silence time=\"3s\"/>Goodbye. <endcall/>"}
expect:
  - {transferred_to: "sales"}
YAML
printf 'agent_id: 1\nscenarios: [90]\n' >"$SCRATCH/site/jobs/transfer.yaml"
start_sipp 127.0.0.1 "$next" "$REPO_ROOT/tests/peers/uas_no_rtp.xml" -mp 6200
second=$SIPP_PID
sed 's/@LINE@/486 Busy Here/' "$REPO_ROOT/tests/peers/uas_reject.xml" >"$SCRATCH/busy.xml"
start_sipp 127.0.0.1 "$busy" "$SCRATCH/busy.xml" -mp 6210
start_sipp 127.0.0.1 "$port" "$REPO_ROOT/tests/peers/uas_transfers.xml" -key busy_port "$busy" -key next_port "$next"
first=$SIPP_PID
run_job transfer
first_code=0
wait "$first" || first_code=$?
check "transfer: the peer that transfers is told how it goes, and hung up" test "$first_code" -eq 0
kill -TERM "$second" 2>/dev/null || true
expect() { check "transfer: $1" test "$(of_result "$2" 2>&1)" = "$3" || printf '# %s\n' "$(of_result "$2" 2>&1)"; }
expect "early media was heard" '"early_media" in [e["what"] for e in run["timeline"]]' True
check "transfer: and is in the recording" "$REPO_ROOT/tests/peers/tone.py" "$(recording)" 1 1004 -20 2000
expect "the result says where to" 'run["metadata"]["transferred_to"]' "sip:sales@127.0.0.1:$next"
expect "the one that failed is in the timeline" '[e["what"] for e in run["timeline"] if e["what"].startswith("transfer")]' \
  "['transfer_asked', 'transfer_failed', 'transfer_asked', 'transferred']"
expect "and the check agrees" '[c["passed"] for c in run["expect"]]' "[True]"
expect "the second leg is ours to end" 'run["metadata"]["ended_reason"]' "caller-ended-call"
expect "messages of all legs are kept" \
  'sum(1 for m in run["sip"] if m["direction"] == "sent" and m["start_line"].startswith("INVITE")), sum(1 for m in run["sip"] if m["direction"] == "sent" and m["start_line"].startswith("BYE"))' "(3, 2)"
tap_exit
