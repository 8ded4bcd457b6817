#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Everything that can be wrong in what a user writes: refused whole, exit code 2, the place and the remedy named.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3

settle PORT=9
job="$SCRATCH/site/jobs/bad.yaml"

# refused NAME WORDS [CODE]: runs the job; wants the exit code and words (a regular expression) on stderr, and no call.
refused() {
  local problem=()
  run_job bad
  [[ "$RUN_CODE" -eq "${3:-2}" ]] || problem+=("exit code $RUN_CODE, ${3:-2} is wanted")
  grep -qE -- "$2" "$RUN_LOG" || problem+=("no '$2' in what it said")
  if [[ ${#problem[@]} -eq 0 ]]; then ok "$1"; else not_ok "$1" "${problem[@]}" "$(cat "$RUN_LOG")"; fi
}
write() { cat >"$job"; }

rm -f "$job"
refused "a job that is not there" 'bad\.yaml.*(no such file|does not exist|not found|cannot be read|could not)'
mkdir "$job"
refused "a job that is a folder" 'bad\.yaml'
rmdir "$job"
if [[ $EUID -ne 0 ]]; then
  write <<<'agent_id: 1'
  chmod 000 "$job"
  refused "a job that cannot be read" 'bad\.yaml.*ermission'
  chmod 644 "$job"
else
  skip "a job that cannot be read" "root can read everything"
fi
: >"$job"
refused "an empty job" 'bad\.yaml'
python3 -c 'print("agent_id: 1\nname: " + "x" * (1 << 20))' >"$job"
refused "a huge job" 'bad\.yaml.*(MiB|large|big|long)'
head -c 4096 /dev/urandom >"$job"
refused "a binary job" 'bad\.yaml'
python3 -c 'print("agent_id: " + "[" * 5000 + "]" * 5000)' >"$job"
refused "a deeply nested job" 'bad\.yaml:[0-9]+:[0-9]+'
write <<'YAML'
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]
agent_id: 1
YAML
refused "an alias bomb" 'bad\.yaml:[0-9]+:[0-9]+'
write <<'YAML'
agent_id: 1
agent_id: 1
scenarios: [11]
YAML
refused "a duplicate key" 'bad\.yaml:2:1: .*(duplicate|twice|already)'
write <<'YAML'
agent_id: 1
scenarois: [11]
YAML
refused "an unknown key gets a suggestion" 'bad\.yaml:2:1: .*scenarios'
write <<'YAML'
agent_id: 1
scenarios: [11, 4711]
personality_ids: [99]
frequency: 0
concurrency_limit: many
YAML
refused "all problems are named at once: frequency" 'bad\.yaml:4:[0-9]+: '
refused "all problems are named at once: unknown scenario" 'bad\.yaml:2:[0-9]+: .*4711'
refused "all problems are named at once: unknown personality" 'bad\.yaml:3:[0-9]+: .*99'
refused "all problems are named at once: wrong type" 'bad\.yaml:5:[0-9]+: '
write <<'YAML'
agent_id: 77
scenarios: all
YAML
refused "an unknown agent" 'bad\.yaml:1:[0-9]+: .*77'
write <<'YAML'
agent_id: 1
scenarios: [11]
sip_endpoint: sip:somebody@198.51.100.7
YAML
refused "a destination outside the allow-list" 'allow'
write <<'YAML'
agent_id: 1
scenarios: [11]
frequency: 3
mode: different_numbers
YAML
refused "too few caller numbers" '(1|one) .*(missing|more|few)|(missing|few).* (1|one)'
write <<'YAML'
agent_id: 1
scenarios: [11]
YAML
printf 'id: 11\nname: twice\n' >"$SCRATCH/site/catalog/scenarios/twice.yaml"
refused "a catalogue with an id twice" 'twice\.yaml:[0-9]+:[0-9]+: .*11'
rm "$SCRATCH/site/catalog/scenarios/twice.yaml"
sed -i 's/catalog: catalog/catalog: nowhere/' "$SCRATCH/site/linecheck.yaml"
refused "a catalogue that is not there" 'nowhere'
tap_exit
