#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the telephone-events that a capture holds towards a peer, as tshark reads them (RFC 4733).

usage: dtmf.py FILE.pcapng PEER_PORT DIGITS

For each digit: one RTP timestamp, the marker on its first packet alone, a duration that grows until the end bit, and
three packets with the end bit that all carry the final duration (2.5.1.4); sequence numbers without a hole.
"""
import itertools
import subprocess
import sys

EVENTS = "0123456789*#ABCD"
FIELDS = ["rtp.seq", "rtp.timestamp", "rtp.marker", "rtp.ssrc", "rtpevent.event_id", "rtpevent.end_of_event", "rtpevent.duration"]


def truth(text):
    return text in ("1", "True", "true")


def main():
    path, ports, digits = sys.argv[1:4]
    low, high = ports.split("-") if "-" in ports else (ports, ports)
    command = ["tshark", "-r", path, "-Y", f"rtpevent && udp.dstport >= {low} && udp.dstport <= {high}", "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    packets = [line.split("\t") for line in lines]
    problems = []
    heard = ""
    for timestamp, group in itertools.groupby(packets, key=lambda p: p[1]):
        group = list(group)
        event = int(group[0][4])
        digit = EVENTS[event] if event < len(EVENTS) else "?"
        heard += digit
        durations = [int(p[6]) for p in group]
        ends = [truth(p[5]) for p in group]
        markers = [truth(p[2]) for p in group]
        sequence = [int(p[0]) for p in group]
        before = durations[: ends.index(True)] if True in ends else durations
        print(
            f"digit {digit}: {len(group)} packets at timestamp {timestamp}, durations {durations[0]}..{durations[-1]}, "
            f"{sum(ends)} end packets, {sum(markers)} markers"
        )
        if any(int(p[4]) != event for p in group):
            problems.append(f"{digit}: the event changes under one timestamp")
        if markers != [True] + [False] * (len(group) - 1):
            problems.append(f"{digit}: the marker belongs on the first packet alone")
        if sum(ends) != 3 or not all(ends[-3:]):
            problems.append(f"{digit}: {sum(ends)} end packets, three at the end are wanted")
        if len(set(durations[-3:])) != 1:
            problems.append(f"{digit}: the end packets differ in duration")
        if any(b <= a for a, b in zip(before, before[1:])) or len(before) < 2:
            problems.append(f"{digit}: the duration does not grow: {durations}")
        if before and durations[-1] < before[-1]:
            problems.append(f"{digit}: the final duration is shorter than one before it")
        if any((b - a) % 65536 != 1 for a, b in zip(sequence, sequence[1:])):
            problems.append(f"{digit}: sequence numbers jump: {sequence}")
    if heard != digits:
        problems.append(f"digits {heard!r}, wanted {digits!r}")
    if len({p[3] for p in packets}) > 1:
        problems.append("more than one SSRC")
    print("\n".join(problems) or "as RFC 4733 has it")
    return 1 if problems else 0


sys.exit(main())
