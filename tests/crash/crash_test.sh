#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 at random instants: while taking files, claiming, dialling, talking, evaluating, writing, reloading.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3
python3 "$REPO_ROOT/tests/crash/crash.py" "$LINECHECK" "$SCRATCH" "${LINECHECK_CRASH_ROUNDS:-20}" ${LINECHECK_CRASH_SEED:+"$LINECHECK_CRASH_SEED"}
