#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds that the fuzzers begin with: seeds.py TARGET FOLDER. Kept as this text, not as binaries."""
import pathlib
import struct
import sys


def rtp(sequence, timestamp, ssrc=1, kind=0, payload=b"\xff" * 160, marker=False, first=0x80):
    return struct.pack("!BBHII", first, kind | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def event(code, duration, end=False, volume=10):
    return struct.pack("!BBH", code, (0x80 if end else 0) | volume, duration)


def row(*datagrams):
    return b"".join(bytes([min(255, len(d)), wait]) + d[:255] for wait, d in datagrams)


def rtp_seeds():
    yield "steady", row(*[(20, rtp(n, 160 * n)) for n in range(20)])
    yield "wrap", row(*[(20, rtp(65530 + n, 2**32 - 800 + 160 * n)) for n in range(12)])
    yield "loss_and_order", row(*[(20, rtp(n, 160 * n)) for n in (1, 2, 5, 4, 4, 9, 8, 300, 301)])
    yield "ssrc", row(*[(20, rtp(n, 160 * n, ssrc=1 + n // 4)) for n in range(12)])
    yield "header", row((20, rtp(1, 0, first=0xB2, payload=b"\0" * 8 + struct.pack("!HH", 0xBEDE, 1) + b"\0\0\0\0" + b"x" * 9 + b"\2\2")))
    digit = [(20, rtp(n, 1000, kind=101, payload=event(5, 160 * n, n > 4), marker=n == 1)) for n in range(1, 8)]
    yield "digit", row((20, rtp(0, 840)), *digit)


def telephone_event_seeds():
    def press(code, step):
        return b"".join(bytes([step if n == 0 else 0, 2, code, 0x8A if n > 3 else 0x0A, n]) for n in range(6))

    yield "one", press(1, 1)
    yield "twice", press(1, 1) + press(1, 20)
    yield "no_end", press(1, 1)[:10] + press(2, 30)
    yield "other", press(40, 1)


def rtcp_seeds():
    block = struct.pack("!IIIIII", 1, 0x10000005, 70000, 12, 0x11112222, 65536)
    sender = struct.pack("!BBHIQIII", 0x81, 200, 12, 9, 1 << 60, 160, 50, 8000) + block
    receiver = struct.pack("!BBHI", 0x81, 201, 7, 9) + block
    name = struct.pack("!BBHIBB", 0x81, 202, 3, 9, 1, 3) + b"a@b" + b"\0\0\0"
    voip = struct.pack("!BBH", 7, 0, 8) + struct.pack("!I", 1) + bytes(range(28))
    report = struct.pack("!BBHI", 0x80, 207, 1 + 9, 9) + voip
    yield "sender", sender + name
    yield "receiver", receiver + name
    yield "xr", receiver + report
    yield "bye", receiver + struct.pack("!BBHI", 0x81, 203, 1, 9)
    yield "alone", struct.pack("!BBHI", 0x80, 201, 1, 9)


def sdp_seeds():
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    many = "m=audio 4000 RTP/AVP 96 9 0 8 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=rtcp-mux\r\n"
    for first in "\0\1\2":
        n = str(ord(first))
        yield "plain" + n, (first + head + "m=audio 4000 RTP/AVP 0\r\n").encode()
        yield "many" + n, (first + head + many + "m=video 0 RTP/AVP 99\r\n").encode()
        yield "sdes" + n, (first + head + f"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^20|1:4\r\n").encode()
    yield "crypto", f"\x011 AES_CM_128_HMAC_SHA1_80 inline:{key} UNENCRYPTED_SRTP".encode()


def wav_seeds():
    def wav(kind, channels, rate, bits, data, length=None):
        length = len(data) if length is None else length
        fmt = struct.pack("<HHIIHH", kind, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
        return b"RIFF" + struct.pack("<I", min(36 + length, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", length) + data

    yield "pcm16", wav(1, 1, 8000, 16, bytes(range(200)) * 2)
    yield "stereo", wav(1, 2, 44100, 16, bytes(range(240)) * 2)
    yield "mulaw", wav(7, 1, 8000, 8, bytes(range(200)))
    yield "float", wav(3, 1, 16000, 32, struct.pack("<50f", *[n / 50 for n in range(50)]))
    yield "endless", wav(1, 1, 8000, 16, bytes(100), 0xFFFFFFFF)
    yield "au", b".snd" + struct.pack(">IIIII", 24, 64, 1, 8000, 1) + bytes(range(64))


def main():
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in globals()[sys.argv[1] + "_seeds"]():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
