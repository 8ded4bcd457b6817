#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# baresip answers in opus, which keeps what is heard, not the waveform: its level may be off by more.
source "$(dirname "${BASH_SOURCE[0]}")/baresip_codec.sh"
call_in opus opus/48000/2 opus 2
tap_exit
