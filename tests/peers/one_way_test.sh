#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp answers with an address that is not its own, and sends nothing: the result says in words which addresses were told.
# In a network namespace of its own, where 10.0.0.5 is this machine.
if [[ -z "${LINECHECK_IN_NETNS:-}" ]]; then
  if unshare -rn true 2>/dev/null; then LINECHECK_IN_NETNS=yes exec unshare -rn "$0"; fi
  echo "skip - one_way_test.sh # no network namespace can be made here"
  exit 0
fi
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp python3 ip
ip link set lo up
ip address add 10.0.0.5/32 dev lo

port=$(free_port)
settle "PORT=$port"
sed -i 's|action: ".*"|action: "<silence time=\\"500ms\\"/>Goodbye. <endcall/>"|' "$SCRATCH/site/catalog/scenarios/"*.yaml
sed 's|c=IN .*|c=IN IP4 10.0.0.5|' "$REPO_ROOT/tests/peers/uas_no_rtp.xml" >"$SCRATCH/elsewhere.xml"
start_sipp 127.0.0.1 "$port" "$SCRATCH/elsewhere.xml" -mp 6000
run_job listen
expect() { check "one way: $1" test "$(of_result "$2" 2>&1)" = "$3" || printf '# %s\n' "$(of_result "$2" 2>&1)"; }
check "one way: the run fails" test "$RUN_CODE" -eq 1
ours="$(of_result 'run["metadata"]["own_media"]')"
expect "the result says what was told and what came" 'run["error_message"]' \
  "The agent answered but sent no RTP: its SDP said 10.0.0.5:6000, ours said $ours; no RTP came."
expect "the agent is to blame" 'run["failure"]["category"]' agent
tap_exit
