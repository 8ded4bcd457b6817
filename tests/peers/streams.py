#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges, on tshark's `-z rtp,streams`, the streams of a capture that go to or come from a peer.

usage: streams.py FILE.pcapng PEER_PORT MIN_PACKETS RESULT.json

Ours is each stream whose destination port is the peer's (or lies in the peer's range LOW-HIGH). It must be there, have
at least MIN_PACKETS packets, none lost, and no gap over 60 ms but one that the result owns up to (the machine kept the engine
waiting: it says by how much); its mean gap must be 20 ms within 0.1 ms.
"""
import json
import re
import subprocess
import sys

ROW = re.compile(
    r"^\s*(?P<start>[\d.]+)\s+(?P<end>[\d.]+)\s+(?P<source>\S+)\s+(?P<source_port>\d+)\s+(?P<target>\S+)\s+(?P<target_port>\d+)"
    r"\s+(?P<ssrc>0x[0-9A-Fa-f]+)\s+(?P<payload>.+?)\s+(?P<packets>\d+)\s+(?P<lost>-?\d+) \([-\d.]+%\)"
    r"\s+(?P<min_gap>[\d.]+)\s+(?P<mean_gap>[\d.]+)\s+(?P<max_gap>[\d.]+)\s"
)


def main():
    path, ports, least = sys.argv[1], sys.argv[2], int(sys.argv[3])
    runs = json.load(open(sys.argv[4]))["runs"].values()
    owned = max((run["engine"]["pacing_ms"]["max"] or 0 for run in runs), default=0)
    low, high = (int(p) for p in (ports.split("-") if "-" in ports else (ports, ports)))
    text = subprocess.run(["tshark", "-q", "-r", path, "-z", "rtp,streams"], capture_output=True, text=True, check=True).stdout
    ours = [m for m in map(ROW.match, text.splitlines()) if m and low <= int(m["target_port"]) <= high]
    if not ours:
        print(text)
        print(f"no stream to port {ports}")
        return 1
    bad = 0
    for m in ours:
        print(
            f"{m['payload']} to {m['target']}:{m['target_port']}: {m['packets']} packets, {m['lost']} lost, "
            f"gaps of {m['min_gap']} / {m['mean_gap']} / {m['max_gap']} ms, the engine's own delay at most {owned} ms"
        )
        bad |= (
            int(m["packets"]) < least
            or int(m["lost"]) != 0
            or float(m["max_gap"]) > max(60, 20 + owned + 1)
            or abs(float(m["mean_gap"]) - 20) > 0.1
        )
    return bad


sys.exit(main())
