#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the UDP payloads of a capture (as irregular.py writes it) from a port of its own.

usage: play_rtp.py FILE.pcap ADDRESS PORT
"""
import socket
import struct
import sys
import time


def main():
    path, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((address, 0))
    start = time.monotonic()
    with open(path, "rb") as file:
        file.read(24)
        while header := file.read(16):
            seconds, us, size, _ = struct.unpack("<IIII", header)
            payload = file.read(size)[42:]
            wait = start + seconds + us / 1e6 - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            sender.sendto(payload, (address, port))


main()
