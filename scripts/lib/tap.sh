# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# How a check that is not a doctest case reports: one line each, which scripts/test counts.
#
#   ok - NAME
#   not ok - NAME
#   skip - NAME # REASON
#
# Anything else that is printed is for the reader.

TAP_FAILED=0

ok() { printf 'ok - %s\n' "$1"; }
not_ok() {
  TAP_FAILED=1
  printf 'not ok - %s\n' "$1"
  [[ $# -lt 2 ]] || printf '%s\n' "${@:2}" | tail -n 60 | sed 's/^/    /'
}
skip() { printf 'skip - %s # %s\n' "$1" "$2"; }

# check NAME COMMAND...: ok when the command succeeds; what it printed (figures, or why not) is shown below.
check() {
  local name="$1" output
  shift
  if output="$("$@" 2>&1)"; then
    ok "$name"
    [[ -z "$output" ]] || printf '    %s\n' "${output//$'\n'/$'\n'    }"
  else
    not_ok "$name" "$output"
  fi
}

# Ends a script that reports this way.
tap_exit() { exit "$TAP_FAILED"; }
