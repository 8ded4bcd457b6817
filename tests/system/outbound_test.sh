#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The reference agent is asked by webhook to call, and calls: alone from `linecheck run`; then twice 50 at once from the
# daemon, in both number modes.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3
python3 "$REPO_ROOT/tests/system/outbound.py" "$LINECHECK" "$SCRATCH"
