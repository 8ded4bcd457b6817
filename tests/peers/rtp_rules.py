#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges our RTP and RTCP towards a peer in a capture, as tshark reads them (RFC 3550, RFC 3551, RFC 4733).

usage: rtp_rules.py FILE.pcapng PEER_RTP_PORTS MIN_SECONDS RTCP: "rtcp" or "no-rtcp"

RTP: one SSRC and CNAME; sequence numbers count by one; audio timestamps run with the sequence, 160 a packet, and with the
clock; the marker is on the first audio packet, on the first after frames that a late tick left out, on the first of each event, and
nowhere else; an event's packets carry the timestamp of its begin.
RTCP: to the odd port; compounds begin with SR or RR and have a CNAME; the first within 3.1 s, then 2 to 6.2 s apart; an
SR's NTP time is the capture's, its RTP time that of the packets around it, its counts those of the packets before it; the
last says BYE, and no RTP follows it. Its report blocks say of the peer's stream how far it had come, that nothing of it was
lost, and which SR of the peer came last, how long before.
"""
import subprocess
import sys

NTP_EPOCH = 2208988800


def fields(path, display_filter, names):
    command = ["tshark", "-r", path, "-Y", display_filter, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;"]
    command += ["--enable-heuristic", "rtp_udp", "--enable-heuristic", "rtcp_udp"]
    for name in names:
        command += ["-e", name]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [dict(zip(names, line.split("\t"))) for line in text.splitlines()]


def numbers(text):
    return [int(value, 0) for value in text.split(";") if value]


def check_rtp(packets, problems):
    ssrc = {p["rtp.ssrc"] for p in packets}
    if len(ssrc) != 1:
        problems.append(f"several SSRCs: {ssrc}")
    first_audio, last, event = None, None, None
    audio_before = None  # its timestamp, where the packet before is audio too
    for p in packets:
        sequence, timestamp = int(p["rtp.seq"]), int(p["rtp.timestamp"])
        marker = p["rtp.marker"] in ("1", "True")
        at = float(p["frame.time_epoch"])
        if last is not None and (sequence - last) % 65536 != 1:
            problems.append(f"sequence {last} -> {sequence}")
        last = sequence
        if p["rtpevent.event_id"]:
            if marker != (timestamp != event):
                problems.append(f"event at {timestamp}: marker {marker}")
            event, audio_before = timestamp, None
            continue
        left_out = 0 if audio_before is None else (timestamp - audio_before) % 2**32 // 160 - 1
        audio_before = timestamp
        if left_out:
            print(f"sequence {sequence}: {left_out} frames left out before it")
        if marker != (first_audio is None or left_out > 0):
            problems.append(f"sequence {sequence}: marker {marker}")
        if first_audio is None:
            first_audio = (at, timestamp)
        steps = (timestamp - first_audio[1]) % 2**32
        if steps % 160:
            problems.append(f"sequence {sequence}: timestamp {steps} after the first is no multiple of 160")
        # How far the packet is off the clock; a busy machine may hold it up, but nothing sends it early.
        if not -0.002 < at - first_audio[0] - steps / 8000 < 0.2:
            problems.append(f"sequence {sequence}: {steps / 8000:.3f} s by timestamp, {at - first_audio[0]:.3f} s by the clock")
    return ssrc


def check_rtcp(reports, packets, ssrc, problems):
    times = [float(r["frame.time_epoch"]) for r in reports]
    begin, end = float(packets[0]["frame.time_epoch"]), float(packets[-1]["frame.time_epoch"])
    gaps = [b - a for a, b in zip([begin] + times, times)]
    print("RTCP " + ", ".join(f"{gap:.2f} s" for gap in gaps) + " apart")
    if gaps and not (0.9 < gaps[0] < 3.2 or len(gaps) == 1):
        problems.append(f"the first report came after {gaps[0]:.2f} s")
    if any(not 2.0 <= gap <= 6.3 for gap in gaps[1:-1]) or gaps[-1] > 6.3:
        problems.append("reports too close or too far apart")
    names = set()
    for r, at in zip(reports, times):
        types = numbers(r["rtcp.pt"])
        last = r is reports[-1]
        if types[0] not in (200, 201) or 202 not in types or (203 in types) != last:
            problems.append(f"a compound of {types}")
        names.update(r["rtcp.sdes.text"].split(";"))
        if not {f"{n:#010x}" for n in numbers(r["rtcp.senderssrc"])} <= {f"{int(s, 0):#010x}" for s in ssrc}:
            problems.append(f"sender {r['rtcp.senderssrc']}, RTP has {ssrc}")
        if types[0] != 200:
            continue
        ntp = numbers(r["rtcp.timestamp.ntp.msw"])[0] - NTP_EPOCH + numbers(r["rtcp.timestamp.ntp.lsw"])[0] / 2**32
        before = [p for p in packets if float(p["frame.time_epoch"]) <= at]
        audio = [p for p in before if not p["rtpevent.event_id"]]
        by_rtp = ((numbers(r["rtcp.timestamp.rtp"])[0] - int(audio[0]["rtp.timestamp"])) % 2**32) / 8000
        by_ntp = ntp - float(audio[0]["frame.time_epoch"])
        print(f"SR: NTP {1000 * (at - ntp):.2f} ms before its capture, RTP and NTP {1000 * (by_rtp - by_ntp):+.2f} ms apart")
        if not -0.005 < at - ntp < 0.2 or abs(by_rtp - by_ntp) > 0.2:
            problems.append(f"SR: NTP {at - ntp:.3f} s off, RTP time {by_rtp - by_ntp:.3f} s off")
        if abs(numbers(r["rtcp.sender.packetcount"])[0] - len(before)) > 1:
            problems.append(f"SR: {r['rtcp.sender.packetcount']} packets, {len(before)} were sent")
    if len(names) != 1:
        problems.append(f"names {names}")
    if end > times[-1]:
        problems.append("RTP after BYE")


def check_blocks(reports, theirs, their_reports, problems):
    for r in reports:
        at = float(r["frame.time_epoch"])
        before = [p for p in theirs if float(p["frame.time_epoch"]) <= at]
        if not r["rtcp.ssrc.ext_high"] or not before:
            continue
        highest = numbers(r["rtcp.ssrc.ext_high"])[0]
        behind = (int(before[-1]["rtp.seq"]) - highest) % 65536
        if behind > 3 or numbers(r["rtcp.ssrc.fraction"])[0] or numbers(r["rtcp.ssrc.cum_nr"])[0]:
            problems.append(f"a block {behind} packets behind, {r['rtcp.ssrc.fraction']}/256 and {r['rtcp.ssrc.cum_nr']} lost")
        last, since = numbers(r["rtcp.ssrc.lsr"])[0], numbers(r["rtcp.ssrc.dlsr"])[0] / 65536
        senders = [s for s in their_reports if s["rtcp.timestamp.ntp.msw"] and float(s["frame.time_epoch"]) <= at - 0.25]
        if not senders:
            continue
        middles = [
            numbers(s["rtcp.timestamp.ntp.msw"])[0] << 16 & 0xFFFF0000 | numbers(s["rtcp.timestamp.ntp.lsw"])[0] >> 16 for s in senders
        ]
        ago = at - float(senders[-1]["frame.time_epoch"])
        print(f"block: {behind} packets behind the capture, its SR {1000 * since:.1f} ms ago, by the capture {1000 * ago:.1f} ms")
        if last not in middles or (last == middles[-1] and abs(since - ago) > 0.1):
            problems.append(f"LSR {last:#x}, DLSR {since:.3f} s; the last SR came {ago:.3f} s before")


def main():
    path, ports, least, rtcp = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4] == "rtcp"
    low, high = (int(p) for p in (ports.split("-") if "-" in ports else (ports, ports)))
    to_peer = f"udp.dstport >= {low} && udp.dstport <= {high + 1}"
    packets = fields(path, f"rtp && {to_peer}", ["frame.time_epoch", "rtp.seq", "rtp.timestamp", "rtp.marker", "rtp.ssrc", "rtpevent.event_id"])
    packets = [p for p in packets if p["rtp.seq"]]
    problems = []
    if len(packets) < least * 50 * 0.95:
        problems.append(f"{len(packets)} packets, {least * 50:.0f} are wanted")
    if packets:
        ssrc = check_rtp(packets, problems)
        print(f"{len(packets)} packets of RTP")
    if rtcp and packets:
        reports = fields(
            path,
            f"rtcp && {to_peer} && !icmp",
            ["frame.time_epoch", "udp.dstport", "rtcp.pt", "rtcp.senderssrc", "rtcp.timestamp.ntp.msw", "rtcp.timestamp.ntp.lsw",
             "rtcp.timestamp.rtp", "rtcp.sender.packetcount", "rtcp.sdes.text", "rtcp.ssrc.ext_high", "rtcp.ssrc.fraction", "rtcp.ssrc.cum_nr", "rtcp.ssrc.lsr", "rtcp.ssrc.dlsr"],
        )
        if any(int(r["udp.dstport"]) % 2 == 0 for r in reports):
            problems.append("RTCP to an even port")
        if reports:
            check_rtcp(reports, packets, ssrc, problems)
            from_peer = f"udp.srcport >= {low} && udp.srcport <= {high + 1} && !icmp"
            theirs = [p for p in fields(path, f"rtp && {from_peer}", ["frame.time_epoch", "rtp.seq"]) if p["rtp.seq"]]
            names = ["frame.time_epoch", "rtcp.timestamp.ntp.msw", "rtcp.timestamp.ntp.lsw"]
            check_blocks(reports, theirs, fields(path, f"rtcp && {from_peer}", names), problems)
        else:
            problems.append("no RTCP")
    print("\n".join(problems[:20]) or "all rules hold")
    return 1 if problems else 0


sys.exit(main())
