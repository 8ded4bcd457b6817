#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Kamailio as a carrier in front of us: registrar and proxy with digest, also for BYE, Record-Route, TLS, a redirect, an
# overload, silence. baresip is registered behind it and answers.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs kamailio baresip sox openssl python3

modules="$(find /usr/lib -type d -path '*kamailio/modules' -print -quit 2>/dev/null)"
if [[ -z "$modules" || ! -f "$modules/tls.so" ]]; then
  skip "kamailio" "Kamailio's TLS module is not installed (Debian: kamailio-tls-modules)"
  exit 0
fi

port=$(free_port)
tls_port=$(free_port)
baresip_port=$(free_port)
site="$SCRATCH/carrier"
mkdir -p "$site"
(
  cd "$SCRATCH"
  key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
  openssl req -x509 "${key[@]}" -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
  openssl req "${key[@]}" -subj /CN=carrier -keyout carrier.key -out carrier.csr
  echo "subjectAltName=DNS:carrier.example" >carrier.ext
  openssl x509 -req -days 2 -in carrier.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile carrier.ext -out carrier.pem
) 2>/dev/null
sed -e "s|@PORT@|$port|g" -e "s|@TLSPORT@|$tls_port|" -e "s|@MODULES@|$modules/|" -e "s|@CERT@|$SCRATCH/carrier.pem|" \
  -e "s|@KEY@|$SCRATCH/carrier.key|" "$REPO_ROOT/tests/peers/kamailio/kamailio.cfg" >"$SCRATCH/kamailio.cfg"
mkdir -p "$SCRATCH/run"
kamailio -f "$SCRATCH/kamailio.cfg" -DD -E -m 32 -M 4 -Y "$SCRATCH/run" -w "$SCRATCH" >"$SCRATCH/kamailio.log" 2>&1 &
OWN_PIDS+=("$!")
wait_until 10 udp_bound 127.0.0.1 "$port" || {
  cat "$SCRATCH/kamailio.log" >&2
  die "Kamailio does not start"
}

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 2 sine 1004 gain -n -16.99 pad 0.3 8
BARESIP_ACCOUNT="<sip:tone@127.0.0.1:$port>;auth_user=tone;auth_pass=secret;regint=60;answermode=auto;audio_codecs=PCMU/8000/1" \
  start_baresip "$baresip_port" "$SCRATCH/tone.wav"

echo secret >"$SCRATCH/password"
echo wrong >"$SCRATCH/wrong"
# carrier NAME FILE ENDPOINT PROXY PASSWORD: a configuration with one trunk.
carrier() {
  mkdir -p "$site/$1"
  cp -r "$REPO_ROOT/tests/site/catalog" "$site/$1/"
  sed -i "s|sip_endpoint:.*|sip_endpoint: sip:tone@127.0.0.1:$port|" "$site/$1/catalog/agents/peer.yaml"
  cat >"$site/$1/linecheck.yaml" <<YAML
catalog: catalog
state: state
media: {ports: @MEDIA@, bind: 127.0.0.1}
sip: {endpoints: [$2]}
trunks:
  - name: peer
    endpoint: main
    proxy: $3
    ${5:-}
    domain: "127.0.0.1:$port"
    auth: {username: alice, password_file: $SCRATCH/$4}
    register: true
    register_expires: 60s
    keep_alive: 1s
    identity: pai
    redirects: follow
    caller_numbers: ["+15550100001"]
    allow: ["sip:*@127.0.0.1", "sip:*@127.0.0.1:$port"]
providers: {voices: [{name: local, type: flite}]}
YAML
}
# call NAME USER MEDIA: a job to that user in the background.
call() {
  sed "s|@MEDIA@|$3|" -i "$site/$1/linecheck.yaml"
  cat >"$site/$1/$2.yaml" <<YAML
agent_id: 1
scenarios: [11]
sip_endpoint: sip:$2@127.0.0.1:$port
YAML
  (
    code=0
    timeout -k 5 90 "$LINECHECK" run "$site/$1/$2.yaml" -c "$site/$1/linecheck.yaml" --out "$SCRATCH/$1-$2" \
      --json "$SCRATCH/$1-$2/result.json" --quiet --no-color >"$SCRATCH/$1-$2.log" 2>&1 || code=$?
    echo "$code" >"$SCRATCH/$1-$2.code"
  ) &
  CALLS+=("$!")
}
# expect NAME EXPRESSION WANTED WHAT
expect() {
  local got
  got="$(SCRATCH="$SCRATCH/$1" python3 -c '
import json, os, sys
result = json.load(open(os.environ["SCRATCH"] + "/result.json"))
run = next(iter(result["runs"].values()))
trace = [(m["direction"], m["start_line"], m["message"]) for m in run.get("sip", [])]
sent = [l for d, l, m in trace if d == "sent"]
print(eval(sys.argv[1]))' "$2" 2>&1)" || true
  check "Kamailio: $4" test "$got" = "$3" || printf '# got %s; %s\n' "$got" "$(tail -n 3 "$SCRATCH/$1.log")"
}

udp='{name: main, listen: "udp:127.0.0.1:0"}'
tls="{name: main, listen: \"tls:127.0.0.1:0\", tls: {ca: $SCRATCH/ca.pem}}"
CALLS=()
for name in good moved overloaded drop; do carrier "$name" "$udp" "sip:127.0.0.1:$port" password; done
carrier secured "$tls" "sip:carrier.example:$tls_port;transport=tls" password "address: 127.0.0.1"
carrier stranger "$udp" "sip:127.0.0.1:$port" wrong
call good tone 12000-12099
call moved moved 12100-12199
call overloaded overloaded 12200-12299
call drop drop 12300-12399
call secured tone 12400-12499
call stranger tone 12500-12599
wait "${CALLS[@]}"

expect good-tone 'run["status"], result["status"]' "('completed', 'completed')" "registered, the call is answered through it"
expect good-tone 'len([l for l in sent if l.startswith("INVITE")]), len([l for l in sent if l.startswith("BYE")])' "(2, 2)" \
  "INVITE and BYE are each sent again with credentials"
expect good-tone 'all("Route: <sip:127.0.0.1" in m for d, l, m in trace if d == "sent" and l.startswith(("ACK", "BYE")) and "tone@" in l)' \
  True "what follows goes by its Record-Route"
expect moved-moved 'run["status"], [l.split("@")[0] for l in sent if l.startswith("INVITE")][-1]' \
  "('completed', 'INVITE sip:tone')" "a redirect is followed to the better contact"
expect overloaded-overloaded 'run["failure"]["category"], run["failure"]["sip_status"], run["failure"]["retry_after"], run["failure"]["q850"]' \
  "('network', 503, 17, 34)" "an overload is the trunk's fault"
expect drop-drop 'run["failure"]["category"], run["failure"]["sip_status"]' "('network', None)" "silence is the network's fault"
expect secured-tone 'run["status"], {m["transport"] for m in run["sip"]}' "('completed', {'tls'})" \
  "over TLS, for the name that the certificate is for"
expect stranger-tone 'run["failure"]["category"], run["metadata"]["ended_reason"], len(sent)' "('network', 'trunk-down', 0)" \
  "without a registration nothing is dialled"
expect stranger-tone '"registration was refused with 401" in run["failure"]["reason"]' True "and the result says why"
tap_exit
