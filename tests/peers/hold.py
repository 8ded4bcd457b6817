#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what we sent to uas_hold.xml: PCMU for a second, nothing for two, PCMA for one, PCMU for one.

usage: hold.py FILE.pcapng
"""
import subprocess
import sys


def main():
    command = ["tshark", "-r", sys.argv[1], "-T", "fields", "-e", "frame.time_relative", "-e", "udp.srcport", "-e", "udp.payload"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    packets = []
    for line in text.splitlines():
        when, port, payload = line.split("\t")
        data = bytes.fromhex(payload.replace(":", ""))
        if int(port) % 2 == 0 and len(data) == 172:  # not RTCP
            packets.append((float(when), data))
    gaps = [(b[0] - a[0], i + 1) for i, (a, b) in enumerate(zip(packets, packets[1:]))]
    hold, after = max(gaps)
    payload_types = [p[1] & 0x7F for _, p in packets]
    sequences = [int.from_bytes(p[2:4], "big") for _, p in packets]
    stamps = [int.from_bytes(p[4:8], "big") for _, p in packets]
    changes = [i for i in range(1, len(packets)) if payload_types[i] != payload_types[i - 1]]
    print(f"{len(packets)} packets, the longest gap {hold:.3f} s before packet {after}, payload types change at {changes}")
    bad = []
    if not 1.9 < hold < 3:
        bad.append("the hold is not two seconds of nothing")
    if not packets[after][1][1] & 0x80:
        bad.append("no marker after the hold")
    if any(p[1] & 0x80 for i, (_, p) in enumerate(packets) if i not in (0, after)):
        bad.append("a marker elsewhere")
    if len({p[8:12] for _, p in packets}) != 1:
        bad.append("another SSRC")
    if any((b - a) & 0xFFFF != 1 for a, b in zip(sequences, sequences[1:])):
        bad.append("a sequence number left out")
    if abs(((stamps[after] - stamps[after - 1]) & 0xFFFFFFFF) / 8000 - hold) > 0.03:
        bad.append("a timestamp that does not run with the clock")
    if [payload_types[0]] + [payload_types[i] for i in changes] != [0, 8, 0] or changes[0] != after:
        bad.append(f"payload types {sorted(set(payload_types))}")
    print(*bad, sep="\n")
    return bool(bad)


sys.exit(main())
