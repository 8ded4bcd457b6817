#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The HTTP interface of a daemon, by curl: keys, run requests good and bad, results, recordings, limits, a crash.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs python3 curl
python3 "$REPO_ROOT/tests/system/http.py" "$LINECHECK" "$SCRATCH"
