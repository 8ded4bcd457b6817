#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what linecheck made of the streams of irregular.py: its counters, and where the tones are in its recordings.

usage: irregular_check.py FOLDER RESULT.json

For each stream one line of a test: `ok - ...` or `not ok - ...`.
"""
import array
import json
import os
import sys
import wave

LOUD = 1000  # of 32768; the tone has 10000
TONE_MS, DISTANCE_MS, CLOSE_MS = 500, 2000, 1.0


def tones(path):
    """Beginning and end of everything loud in the agent's channel, ms. Pauses under 5 ms are inside."""
    with wave.open(path) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))[1::channels]
    found = []
    for i, sample in enumerate(samples):
        if abs(sample) < LOUD:
            continue
        ms = i * 1000 / rate
        if found and ms - found[-1][1] < 5:
            found[-1][1] = ms
        else:
            found.append([ms, ms])
    return found


def problems_of(run, entry, folder):
    receive = run["rtp"]["receive"]
    out = []
    for key, wanted in entry.items():
        if key in ("name", "restarts"):
            continue
        if receive[key] != wanted:
            out.append(f"{key} is {receive[key]}, not {wanted}")
    if run["engine"]["clock_map_restarts"] != entry["restarts"]:
        out.append(f"the clock map restarted {run['engine']['clock_map_restarts']} times, not {entry['restarts']}")
    series = receive["series"]
    if sum(series["packets"]) != entry["packets"] - entry["duplicate"] or sum(series["lost"]) != entry["lost"]:
        out.append(f"the series sum to {sum(series['packets'])} packets and {sum(series['lost'])} lost")
    path = run["voice_recording_url"]
    heard = tones(path if os.path.isabs(path) else os.path.join(folder, path))
    if len(heard) != 2:
        return out + [f"{len(heard)} tones: {heard}"], heard
    for begin, end in heard:
        if abs(end - begin - TONE_MS) > CLOSE_MS:
            out.append(f"a tone of {end - begin:.2f} ms")
    if abs(heard[1][0] - heard[0][0] - DISTANCE_MS) > CLOSE_MS:
        out.append(f"the second tone is {heard[1][0] - heard[0][0]:.2f} ms behind the first, not {DISTANCE_MS}")
    return out, heard


def main():
    folder, result_path = sys.argv[1:3]
    with open(os.path.join(folder, "expected.json")) as file:
        expected = json.load(file)
    with open(result_path) as file:
        runs = {str(run["rtp"]["receive"]["ssrc"]): run for run in json.load(file)["runs"].values()}
    bad = 0
    for ssrc, entry in expected.items():
        name = f"RTP with {entry['name']}: counted as sent, and the recording stays on the clock"
        if ssrc not in runs:
            print(f"not ok - {name}\n    no call received the stream")
            bad = 1
            continue
        problems, heard = problems_of(runs[ssrc], entry, os.path.dirname(result_path))
        shift = f"{heard[1][0] - heard[0][0] - DISTANCE_MS:+.2f} ms" if len(heard) == 2 else "?"
        print(f"{'not ok' if problems else 'ok'} - {name}")
        print(f"    second tone off by {shift}", *[f"    {p}" for p in problems], sep="\n")
        bad = bad or int(bool(problems))
    return bad


sys.exit(main())
