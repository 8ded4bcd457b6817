#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has tshark read a capture that linecheck made: the SIP ladder, both RTP streams, headers and checksums.

usage: capture.py FILE.pcap RESULT.json
"""
import json
import re
import subprocess
import sys

ROW = re.compile(r"\s(?P<ssrc>0x[0-9A-Fa-f]+)\s+(?P<payload>.+?)\s+(?P<packets>\d+)\s+(?P<lost>-?\d+) \(")


def tshark(path, *options):
    done = subprocess.run(["tshark", "-r", path, *options], capture_output=True, text=True)
    if done.returncode != 0 or "cut short" in done.stderr or "damaged" in done.stderr:
        sys.exit(f"tshark: {done.stderr}")
    return done.stdout


def main():
    path = sys.argv[1]
    run = next(iter(json.load(open(sys.argv[2]))["runs"].values()))
    ladder = tshark(path, "-Y", "sip", "-T", "fields", "-e", "sip.Request-Line", "-e", "sip.Status-Line").splitlines()
    seen = [re.sub(r"\s+", " ", line).strip() for line in ladder]
    told = [message["start_line"] for message in run["sip"]]
    checks = [("SIP: every message, in order", seen == told)]
    kinds = [line.split(" ")[0] if not line.startswith("SIP/") else line.split(" ")[1] for line in seen]
    checks.append(("SIP: a whole call", [k for k in kinds if k in ("INVITE", "ACK", "BYE")] == ["INVITE", "ACK", "BYE"]
                   and kinds[-1] == "200"))
    streams = {int(m["ssrc"], 16): m for m in map(ROW.search, tshark(path, "-q", "-z", "rtp,streams").splitlines()) if m}
    for side in ("send", "receive"):
        rtp = run["rtp"][side]
        stream = streams.get(rtp["ssrc"])
        checks.append((f"RTP, {side}: {rtp['packets']} packets, none lost",
                       stream is not None and int(stream["packets"]) == rtp["packets"] and int(stream["lost"]) == 0))
    checks.append(("two streams", len(streams) == 2))
    wrong = tshark(path, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                   "-Y", 'ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || _ws.malformed')
    checks.append(("checksums and forms", not wrong.strip()))
    times = [float(t) for t in tshark(path, "-T", "fields", "-e", "frame.time_epoch").split()]
    checks.append(("in the order of time", times == sorted(times)))
    for name, good in checks:
        print(("  " if good else "! ") + name)
    if not all(good for _, good in checks):
        print("\n".join(seen), "\n--\n", "\n".join(told), "\n--\n", streams)
        return 1
    return 0


sys.exit(main())
