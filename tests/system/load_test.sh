#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Load shapes, start times and retries of a daemon, from outside.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3
python3 "$REPO_ROOT/tests/system/load.py" "$LINECHECK" "$SCRATCH"
