#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How our number, and the one that is dialled, stand in the INVITE that SIPp sees: the four identities of a trunk, and its rules
# for numbers. The allow list judges numbers as they are written in the job.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp python3

sed 's/@LINE@/486 Busy Here/' "$REPO_ROOT/tests/peers/uas_reject.xml" >"$SCRATCH/busy.xml"

# invite IDENTITY: one call over a trunk of that identity; its INVITE, without carriage returns, in $SCRATCH/IDENTITY.invite
invite() {
  local identity="$1" port site="$SCRATCH/$1" code=0
  port=$(free_port)
  mkdir -p "$site"
  cp -r "$REPO_ROOT/tests/site/." "$site/"
  cat >"$site/linecheck.yaml" <<YAML
catalog: catalog
state: state
media: {ports: 11000-11999, bind: 127.0.0.1}
sip: {endpoints: [{name: main, listen: "udp:127.0.0.1:0"}]}
trunks:
  - name: peer
    proxy: sip:127.0.0.1:$port
    domain: lines.example.net
    caller_numbers: ["+15550100001"]
    identity: $identity
    number_format: {called: [{prefix: "+1", replace: ""}, {prefix: "+", replace: "011"}], caller: [{prefix: "+", replace: ""}]}
    allow: ["+49*"]
providers: {voices: [{name: local, type: flite}]}
YAML
  sed -i 's|^sip_endpoint:.*|contact_number: "+4930123456"|' "$site/catalog/agents/peer.yaml"
  start_sipp 127.0.0.1 "$port" "$SCRATCH/busy.xml" -timeout 10s -trace_msg -message_file "$SCRATCH/$identity.messages"
  "$LINECHECK" run "$site/jobs/listen.yaml" -c "$site/linecheck.yaml" --out "$SCRATCH/out.$identity" --quiet --no-color \
    >"$SCRATCH/$identity.log" 2>&1 || code=$?
  check "identity $identity: busy is what run ends with" test "$code" = 1
  check "identity $identity: SIPp's scenario is through" wait "$SIPP_PID"
  tr -d '\r' <"$SCRATCH/$identity.messages" | awk '/^INVITE /{on=1} on' | awk 'NF==0{exit} {print}' >"$SCRATCH/$identity.invite"
}
# has IDENTITY WHAT PATTERN...: lines of that INVITE; a pattern that begins with ! must be in none.
has() {
  local identity="$1" what="$2" pattern
  shift 2
  for pattern in "$@"; do
    if [[ "$pattern" == !* ]]; then
      ! grep -qE "${pattern#!}" "$SCRATCH/$identity.invite" && continue
    elif grep -qE "$pattern" "$SCRATCH/$identity.invite"; then
      continue
    fi
    not_ok "identity $identity: $what" "$(printf '%s\n' "$pattern" && cat "$SCRATCH/$identity.invite" "$SCRATCH/$identity.log")"
    return 0
  done
  ok "identity $identity: $what"
}

for identity in from pai rpid privacy; do invite "$identity"; done
own='sip:15550100001@lines\.example\.net'
has from "the number that is dialled, after the trunk's rules" '^INVITE sip:0114930123456@127\.0\.0\.1:[0-9]+ SIP/2\.0$' \
  '^To: .*<sip:0114930123456@127\.0\.0\.1'
has from "our number is in From alone" "^From: .*<$own>" '!^(P-Asserted-Identity|Remote-Party-ID|Privacy):'
has pai "it is asserted too (RFC 3325)" "^From: .*<$own>" "^P-Asserted-Identity: <$own>$" '!^(Remote-Party-ID|Privacy):'
has rpid "it is in Remote-Party-ID too" "^From: .*<$own>" "^Remote-Party-ID: <$own>;party=calling;screen=yes;privacy=off$" \
  '!^(P-Asserted-Identity|Privacy):'
has privacy "From is anonymous, the carrier is told (RFC 3323)" '^From: "?Anonymous"? ?<sip:anonymous@anonymous\.invalid>' \
  "^P-Asserted-Identity: <$own>$" '^Privacy: id$' '!^From: .*15550100001' '!^Contact: .*15550100001'
tap_exit
