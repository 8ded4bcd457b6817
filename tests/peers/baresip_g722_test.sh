#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# baresip answers in G722.
source "$(dirname "${BASH_SOURCE[0]}")/baresip_codec.sh"
call_in g722 G722/16000/1 G722
tap_exit
