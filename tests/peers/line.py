#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a capture of packets that went to a peer against what linecheck says of its simulated line.

usage: line.py FILE.pcap RESULT.json PEER_PORT

Loss, reordering, duplicates and the RFC 3550 jitter are worked out here, from sequence numbers, timestamps and times of
the capture alone.
"""
import json
import subprocess
import sys

CLOCK = 8000


def packets(path, port):
    out = subprocess.run(
        ["tshark", "-r", path, "-d", f"udp.port=={port},rtp", "-Y", f"rtp && udp.dstport=={port}", "-T", "fields",
         "-e", "frame.time_epoch", "-e", "rtp.seq", "-e", "rtp.timestamp"],
        capture_output=True, text=True, check=True).stdout
    for row in out.splitlines():
        time, sequence, timestamp = row.split("\t")
        yield float(time), int(sequence), int(timestamp)


def main():
    path, result, port = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
    run = next(iter(result["runs"].values()))
    (period,) = run["network_simulation"]["send"]
    asked, said = period["asked"], period["achieved"]
    sent = list(packets(path, port))
    first = sent[0][1]
    numbers = [(sequence - first + 0x8000) % 0x10000 - 0x8000 for _, sequence, _ in sent]
    unique = set(numbers)
    span = max(unique) - min(unique) + 1
    loss = 100 * (span - len(unique)) / span
    jitters, last = [], None
    jitter = 0.0
    for time, _, timestamp in sent:
        transit = time * CLOCK - timestamp
        if last is not None:
            jitter += (abs(transit - last) - jitter) / 16
            jitters.append(jitter * 1000 / CLOCK)
        last = transit
    mean = sum(jitters[64:]) / len(jitters[64:])
    print(f"{len(sent)} packets, {loss:.2f} % lost (said {said['packet_loss']}, asked {asked['packet_loss']}), "
          f"{mean:.2f} ms jitter (said {said['jitter']}, asked {asked['jitter']}), "
          f"{len(sent) - len(unique)} twice (said {said['duplicated']})")
    bad = abs(len(unique) - said["left"]) > 2
    bad |= abs(loss - said["packet_loss"]) > 0.5
    bad |= abs(loss - asked["packet_loss"]) > 0.25 * asked["packet_loss"] + 0.5
    bad |= asked["jitter"] > 0 and abs(mean / asked["jitter"] - 1) > 0.15
    bad |= len(sent) - len(unique) != said["duplicated"]
    bad |= run["rtp"]["send"]["packets"] != len(sent)
    return 1 if bad else 0


sys.exit(main())
