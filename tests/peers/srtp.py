#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the SRTP and SRTCP packets of a capture, of 20 ms of G.711.

usage: srtp.py FILE.pcapng PEER_PORTS(LOW-HIGH) TAG_BYTES

Each way: RTP is 12 + 160 + TAG bytes, its header can be read, its payload is neither silence nor the same twice and has every
byte value about as often. RTCP to the peer says in its index that it is encrypted, is a whole number of words plus index and
tag, and what follows its first 8 bytes differs from packet to packet.
"""
import collections
import subprocess
import sys


def packets(path, low, high):
    fields = ["udp.srcport", "udp.dstport", "udp.payload"]
    command = ["tshark", "-r", path, "-Y", "udp && !icmp", "-T", "fields"] + [x for f in fields for x in ("-e", f)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        source, target, payload = line.split("\t")
        source, target = int(source), int(target)
        if low <= source <= high:
            yield "from the peer", target, bytes.fromhex(payload.replace(":", ""))
        elif low <= target <= high:
            yield "to the peer", target, bytes.fromhex(payload.replace(":", ""))


def is_control(packet):
    return len(packet) > 1 and 192 <= packet[1] <= 223


def judge_rtp(way, found, tag):
    bad = []
    payloads = [p[12:172] for p in found]
    if not found:
        print(f"{way}: no packets")
        return True
    if {len(p) for p in found} != {12 + 160 + tag}:
        bad.append(f"lengths {sorted({len(p) for p in found})}, not {12 + 160 + tag}")
    if {p[0] for p in found} != {0x80} or {p[1] & 0x7F for p in found} != {0}:
        bad.append("headers that are not plain PCMU")
    if len(set(payloads)) != len(payloads):
        bad.append("the same payload twice")
    counts = collections.Counter(b"".join(payloads))
    share = max(counts.values()) / sum(counts.values())
    if len(counts) != 256 or share > 0.01:
        bad.append(f"{len(counts)} byte values, the most frequent {100 * share:.1f} % of all")
    print(f"{way}: {len(found)} SRTP packets of {sorted({len(p) for p in found})} bytes", *bad, sep="; ")
    return bad or len(found) < 100


def judge_rtcp(way, found, tag):
    bad = []
    tag = max(tag, 10)  # never the short one (RFC 3711, 5.2)
    for packet in found:
        # RFC 3711: index, then tag. RFC 7714: tag, then index.
        index = packet[-4:] if tag == 16 else packet[-4 - tag : -tag]
        if not index[0] & 0x80:
            bad.append("not encrypted, says its index")
        if (len(packet) - 4 - tag) % 4 or len(packet) < 8 + 4 + tag:
            bad.append(f"a length of {len(packet)}")
    if len({p[8:] for p in found}) != len(found):
        bad.append("the same content twice")
    print(f"{way}: {len(found)} SRTCP packets of {sorted({len(p) for p in found})} bytes", *bad, sep="; ")
    return bad


def main():
    path, ports, tag = sys.argv[1], sys.argv[2], int(sys.argv[3])
    low, high = map(int, ports.split("-"))
    found = collections.defaultdict(list)
    for way, _, packet in packets(path, low, high):
        found[way, is_control(packet)].append(packet)
    bad = False
    for way in ("to the peer", "from the peer"):
        bad |= bool(judge_rtp(way, found[way, False], tag))
    # baresip's own RTCP is none of ours: it has the short tag in it, and leaves before there are keys.
    bad |= bool(judge_rtcp("to the peer", found["to the peer", True], tag))
    return bad


sys.exit(main())
