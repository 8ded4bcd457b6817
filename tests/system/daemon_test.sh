#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon: its socket, its directory, reload, live control, drain and what the service manager is told.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3
python3 "$REPO_ROOT/tests/system/daemon.py" "$LINECHECK" "$SCRATCH"
