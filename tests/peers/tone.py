#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one channel of a recording holds a known tone: right pitch, level, length, and no hole in it.

usage: tone.py FILE.wav CHANNEL FREQUENCY_HZ LEVEL_DBOV LENGTH_MS [LEVEL_TOLERANCE_DB]

The level is that of the tone's RMS against full scale (32768): a sine whose peak is full scale is at -3.01 dBov.
"""
import array
import math
import sys
import wave

WINDOW_MS = 5


def dbov(samples):
    energy = sum(s * s for s in samples) / max(1, len(samples))
    return 10 * math.log10(energy / 32768**2) if energy else -120.0


def main():
    path, channel, frequency, level, length_ms = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:6])
    tolerance = float(sys.argv[6]) if len(sys.argv) > 6 else 0.5
    with wave.open(path) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        assert file.getsampwidth() == 2, "16 bits are expected"
        samples = array.array("h", file.readframes(file.getnframes()))[channel::channels]

    step = rate * WINDOW_MS // 1000
    levels = [dbov(samples[i : i + step]) for i in range(0, len(samples) - step + 1, step)]
    heard = [i for i, value in enumerate(levels) if value > level - 10]
    if not heard:
        print(f"no tone: the loudest {WINDOW_MS} ms are at {max(levels, default=-120):.1f} dBov")
        return 1
    first, last = heard[0], heard[-1]
    got_ms = (last - first + 1) * WINDOW_MS
    middle = samples[(first + 2) * step : (last - 1) * step]
    got_level = dbov(middle)
    crossings = sum(1 for a, b in zip(middle, middle[1:]) if a < 0 <= b)
    got_frequency = crossings * rate / max(1, len(middle))
    inner = levels[first + 2 : last - 1]
    holes = sum(1 for value in inner if abs(value - level) > 3)
    print(
        f"tone at {first * WINDOW_MS} ms for {got_ms} ms (wanted {length_ms:.0f}), {got_level:.2f} dBov (wanted {level:.2f}), "
        f"{got_frequency:.1f} Hz (wanted {frequency:.0f}), {holes} of {len(inner)} windows of {WINDOW_MS} ms off by over 3 dB"
    )
    good = (
        abs(got_ms - length_ms) <= 40
        and abs(got_level - level) <= tolerance
        and abs(got_frequency - frequency) <= 5
        and holes == 0
    )
    return 0 if good else 1


sys.exit(main())
