#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes one capture for each irregularity of an RTP stream, for SIPp to play, and a scenario that plays one a call.

usage: irregular.py FOLDER [NAME...]

In every stream a 1 kHz tone sounds from 1000 to 1500 ms and from 3000 to 3500 ms; what is irregular happens in the silence
between, except for the packet times, which hold for the whole stream. FOLDER/expected.json says, by the SSRC that the
stream ends with, what has to be counted of it. Linear, reproducible, without any library.
"""
import json
import math
import os
import struct
import sys

RATE = 8000
TONES_MS = [(1000, 1500), (3000, 3500)]
LENGTH_MS = 4200
PCMU, CN, UNKNOWN = 0, 13, 77


def mulaw(sample):
    """ITU-T G.711."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


def audio():
    samples = bytearray(mulaw(0) for _ in range(LENGTH_MS * RATE // 1000))
    for begin, end in TONES_MS:
        for i in range((end - begin) * RATE // 1000):
            # A cosine: loud from its very first sample.
            samples[begin * RATE // 1000 + i] = mulaw(round(10000 * math.cos(2 * math.pi * 1000 * i / RATE)))
    return bytes(samples)


class Packet:
    def __init__(self, at_ms, sequence, timestamp, ssrc, payload, payload_type=PCMU, marker=False):
        self.at_ms, self.sequence, self.timestamp, self.ssrc = at_ms, sequence, timestamp, ssrc
        self.payload, self.payload_type, self.marker = payload, payload_type, marker

    def bytes(self):
        second = self.payload_type | (0x80 if self.marker else 0)
        return struct.pack(">BBHII", 0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc) + self.payload


def stream(ssrc, ptime=20, sequence=1000, timestamp=160000):
    whole, step = audio(), ptime * RATE // 1000
    packets = []
    for i in range(len(whole) // step):
        packets.append(Packet(i * ptime, sequence + i, timestamp + i * step, ssrc, whole[i * step : (i + 1) * step], marker=i == 0))
    return packets


def between(packets, begin_ms, end_ms):
    return [p for p in packets if begin_ms <= p.at_ms < end_ms]


def loss(ssrc):
    packets = stream(ssrc)
    silent = between(packets, 1800, 2800)
    gone = silent[2:3] + silent[6:8] + silent[20:25]  # runs of 1, 2 and 5
    return [p for p in packets if p not in gone], {"lost": 8, "longest_burst": 5, "bursts": [1, 1, 0, 0, 1, 0, 0, 0]}


def reorder(ssrc):
    packets = stream(ssrc)
    for i in range(100, 120, 4):
        packets[i].at_ms += 25  # overtaken by one: nothing comes before it was made
    return sorted(packets, key=lambda p: p.at_ms), {"reordered": 5}


def duplicate(ssrc):
    packets = stream(ssrc)
    return sorted(packets + between(packets, 2000, 2200), key=lambda p: p.at_ms), {"duplicate": 10}


def change_ssrc(ssrc):
    packets = stream(ssrc)
    for p in between(packets, 2200, LENGTH_MS):
        p.ssrc, p.sequence, p.timestamp = ssrc + 0x1000, p.sequence + 31000, p.timestamp + 0x40000000
    return packets, {"ssrc_changes": 1, "ssrc": ssrc + 0x1000, "restarts": 1}


def sequence_jump(ssrc):
    packets = stream(ssrc)
    for p in between(packets, 2200, LENGTH_MS):
        p.sequence += 20000
    return packets, {"sequence_restarts": 1}


def timestamp_jump(ssrc):
    packets = stream(ssrc)
    for p in between(packets, 2200, LENGTH_MS):
        p.timestamp += 1000000
    return packets, {"restarts": 1}


def wrap(ssrc):
    # Both wrap at 2200 ms.
    return stream(ssrc, sequence=65536 - 110, timestamp=2**32 - 110 * 160), {}


def unknown_payload(ssrc):
    packets = stream(ssrc)
    for p in between(packets, 2000, 2200):
        p.payload_type = UNKNOWN
    return packets, {"unknown_payload": 10}


def comfort_noise(ssrc):
    packets = stream(ssrc)
    # RFC 3389: a description of the noise when the talk ends and now and then, and no packets else; the sequence numbers
    # know nothing of the pause, the timestamps do, and the next talk spurt begins with the marker.
    kept = [p for p in packets if not 1800 <= p.at_ms < 2800 or p.at_ms in (1800, 2300)]
    for i, p in enumerate(kept):
        p.sequence = 1000 + i
        if 1800 <= p.at_ms < 2800:
            p.payload_type, p.payload = CN, bytes([70])
        p.marker = p.marker or p.at_ms == 2800
    return kept, {"comfort_noise": 2}


def packet_time(ptime):
    return lambda ssrc: (stream(ssrc, ptime), {"ptime_ms": ptime})


def hold_up(ssrc):
    # The network sits on ten packets and lets them go all at once.
    packets = stream(ssrc)
    for p in between(packets, 2000, 2200):
        p.at_ms = 2190
    return packets, {"discarded": 8}  # more than 40 ms late


KINDS = {
    "nothing": lambda ssrc: (stream(ssrc), {}),
    "loss": loss,
    "reordering": reorder,
    "duplicates": duplicate,
    "another SSRC": change_ssrc,
    "a sequence jump": sequence_jump,
    "a timestamp jump": timestamp_jump,
    "wraps": wrap,
    "an unknown payload type": unknown_payload,
    "comfort noise": comfort_noise,
    "10 ms packets": packet_time(10),
    "30 ms packets": packet_time(30),
    "40 ms packets": packet_time(40),
    "60 ms packets": packet_time(60),
    "packets held up": hold_up,
    "another source port": lambda ssrc: (stream(ssrc), {"other_source": "all"}),
}
COUNTERS = ["lost", "reordered", "duplicate", "unknown_payload", "comfort_noise", "malformed", "late", "ssrc_changes", "sequence_restarts", "longest_burst"]


def write_pcap(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for p in packets:
            rtp = p.bytes()
            udp = struct.pack(">HHHH", 4000, 4000, 8 + len(rtp), 0) + rtp
            address = bytes([127, 0, 0, 1])
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + address + address
            frame = bytes(12) + b"\x08\x00" + ip + udp
            us = round(p.at_ms * 1000)
            file.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(frame), len(frame)) + frame)


def actions(names, folder):
    """What the scenario does once its call is answered: the n-th call plays the n-th capture."""
    lines = []
    for i, name in enumerate(names):
        lines.append(f'<nop><action><test assign_to="is{i}" variable="mine" compare="equal" value="{i + 1}"/></action></nop>')
        lines.append(f'<nop next="play{i}" test="is{i}"/>')
    for i, name in enumerate(names):
        pcap = os.path.join(folder, f"{i}.pcap")
        if name == "another source port":
            player = os.path.join(os.path.dirname(os.path.abspath(__file__)), "play_rtp.py")
            play = f'<exec command="{sys.executable} {player} {pcap} 127.0.0.1 [$port]"/>'
        else:
            play = f'<exec play_pcap_audio="{pcap}"/>'
        lines.append(f'<label id="play{i}"/>\n  <nop next="end"><action>{play}</action></nop>')
    return "\n  ".join(lines), ",".join(f"is{i}" for i in range(len(names)))


def main():
    folder = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or list(KINDS)
    os.makedirs(folder, exist_ok=True)
    expected = {}
    for i, name in enumerate(names):
        ssrc = 0x00A00000 + i
        packets, counts = KINDS[name](ssrc)
        write_pcap(os.path.join(folder, f"{i}.pcap"), packets)
        entry = {"name": name, "packets": len(packets), "restarts": 0, "ptime_ms": 20, "bursts": [0] * 8, "other_source": 0}
        entry.update({key: 0 for key in COUNTERS})
        entry.update(counts)
        if entry["other_source"] == "all":
            entry["other_source"] = len(packets)
        expected[entry.pop("ssrc", ssrc)] = entry
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "uas_irregular.xml")) as file:
        template = file.read()
    play, flags = actions(names, folder)
    with open(os.path.join(folder, "uas.xml"), "w") as file:
        file.write(template.replace("<!-- PLAY -->", play).replace("FLAGS", flags))


main()
