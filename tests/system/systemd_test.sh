#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The unit is one that systemd understands, with little left to be attacked. No systemd needs to run for that.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs systemd-analyze

unit="$SCRATCH/linecheck.service"
sed "s|/usr/bin/linecheck|$LINECHECK|" "$REPO_ROOT/systemd/linecheck.service" >"$unit"
understood() {
  local said
  said="$(systemd-analyze verify --man=no "$unit" 2>&1 | grep -F linecheck.service || true)"
  [[ -z "$said" ]] || {
    echo "$said"
    return 1
  }
}
exposed_little() {
  local score
  score="$(systemd-analyze security --offline=true "$unit" 2>/dev/null | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')"
  echo "exposure: $score"
  [[ -n "$score" ]] && awk -v score="$score" 'BEGIN { exit !(score <= 2.0) }'
}
# The real-time threads need it, and nothing else may be had.
one_capability() { [[ "$(sed -n 's/^CapabilityBoundingSet=//p' "$unit")" == CAP_SYS_NICE ]]; }
check "systemd understands the unit" understood
check "its exposure is at most 2.0" exposed_little
check "it has one capability" one_capability
tap_exit
