#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIPp calls in, after a webhook, a MESSAGE, a REFER: who is let in, and what everybody else is told on the wire and in the
# result.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
needs sipp sox python3

sox -n -r 8000 -c 1 -b 16 "$SCRATCH/tone.wav" synth 2 sine 1004 gain -n -16.99
sox "$SCRATCH/tone.wav" -t raw -e mu-law "$SCRATCH/tone.ul"
timeout -k 5 120 python3 "$REPO_ROOT/tests/peers/called.py" "$LINECHECK" "$SCRATCH"
