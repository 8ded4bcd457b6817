#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what scripts/demo left behind, from outside: the result's counts, the calls in progress as the SIP messages
tell them, and each latency against what the reference agent wrote down when its packets left.

usage: check_demo.py OUT_DIR TRUTH_LOG

Prints lines of tests/lib (ok - ..., not ok - ...); the exit code is 1 when one is not ok.
"""
import bisect
import collections
import json
import pathlib
import re
import statistics
import sys
import xml.etree.ElementTree

FAILED = []


def check(name, problems):
    """One line; `problems` is what is wrong, empty when nothing is."""
    print(("not ok - " if problems else "ok - ") + name)
    for problem in problems:
        print("    " + problem)
    FAILED.extend(problems)


def counts(result):
    runs = list(result["runs"].values())
    succeeded = [r for r in runs if r["success"] is True]
    failed = [r for r in runs if r["success"] is False]
    wanted = {
        "total_runs_count": len(runs),
        "completed_runs_count": sum(r["status"] == "completed" for r in runs),
        "success_runs_count": len(succeeded),
        "failed_runs_count": len(failed),
    }
    problems = [f"{k} is {result[k]}, its runs say {v}" for k, v in wanted.items() if result[k] != v]
    rate = len(succeeded) / (len(succeeded) + len(failed)) if succeeded or failed else None
    if rate is None or abs(result["success_rate"] - rate) > 0.0005:
        problems.append(f"success_rate is {result['success_rate']}, its runs say {rate}")
    if len(runs) != 12:
        problems.append(f"{len(runs)} runs, 12 are wanted")
    problems += [f"run {r['id']} is {r['status']}: {r['error_message']}" for r in runs if r["status"] != "completed"]
    return problems


def numbers(result):
    seen = collections.Counter(r["inbound_number"] for r in result["runs"].values())
    if len(seen) == len(result["runs"]) and None not in seen:
        return []
    return [f"{n} different inbound numbers: {dict(seen)}" for n in [len(seen)]]


def interval(run):
    """When the first INVITE left and when the answer to the BYE crossed the wire, ns on CLOCK_MONOTONIC."""
    origin = run["timing"]["origin_mono_ns"]
    begun = [m["t_ms"] for m in run["sip"] if m["start_line"].startswith("INVITE ")]
    ended = [
        m["t_ms"]
        for m in run["sip"]
        if re.match(r"SIP/2\.0 [2-6]", m["start_line"]) and re.search(r"(?im)^CSeq:\s*\d+\s+BYE\b", m["message"])
    ]
    if not begun or not ended:
        return None
    return origin + min(begun) * 1e6, origin + max(ended) * 1e6


def most_at_once(intervals):
    """Ends count before beginnings at the same instant: a call that has ended makes room."""
    moments = sorted([(b, 1) for b, _ in intervals] + [(e, -1) for _, e in intervals], key=lambda m: (m[0], m[1]))
    now = most = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


def in_progress(result, cap):
    intervals = {r["id"]: interval(r) for r in result["runs"].values()}
    problems = [f"run {i}: no INVITE, or no answer to a BYE, among its SIP messages" for i, v in intervals.items() if not v]
    if len(problems) == len(intervals):
        return problems
    most = most_at_once([v for v in intervals.values() if v])
    print(f"calls in progress at once, from the SIP messages: {most} at most (cap {cap})")
    taken = (max(v[1] for v in intervals.values() if v) - min(v[0] for v in intervals.values() if v)) / 1e9
    print(f"the calls took {taken:.1f} s in all")
    if taken >= 90:
        problems.append(f"the calls took {taken:.1f} s in all, under 90 s is wanted")
    if most > cap:
        problems.append(f"{most} calls at once, {cap} allowed")
    if most < 2:
        problems.append("never two calls at once: the cap was not put to the test")
    return problems


class Truth:
    """The reference agent's log: when the first audible sample of each of its turns left."""

    def __init__(self, path):
        self.starts = collections.defaultdict(list)
        clock = collections.defaultdict(list)
        for line in pathlib.Path(path).read_text().splitlines():
            event = json.loads(line)
            if event["event"] != "speech_start":
                continue
            # mono_ns is when the packet left; the sample comes its place in the packet later, 125 us each.
            sample = event["mono_ns"] + event["sample_in_packet"] * 125_000
            skew = sample - event["rtp_timestamp"] * 125_000
            self.starts[event["call_id"]].append((sample, event["ssrc"], skew))
            clock[event["call_id"], event["ssrc"]].append(skew)
        # A packet that left late stands later than the earliest ones of its stream by more than 5 ms.
        self.earliest = {key: min(values) for key, values in clock.items()}
        for events in self.starts.values():
            events.sort()

    def nearest(self, call_id, mono_ns):
        """(mono_ns, whether the agent's own tick was late) of the start that lies closest, or None within 500 ms."""
        events = self.starts.get(call_id, [])
        at = bisect.bisect([e[0] for e in events], mono_ns)
        best = min(events[max(0, at - 1) : at + 1], key=lambda e: abs(e[0] - mono_ns), default=None)
        if best is None or abs(best[0] - mono_ns) > 500e6:
            return None
        late = best[2] - self.earliest[call_id, best[1]] > 5e6
        return best[0], late


def latencies(result, truth):
    errors, touched, problems = [], 0, []
    for run in result["runs"].values():
        origin = run["timing"]["origin_mono_ns"]
        call_id = run["metadata"]["call_id"]
        callers = [t["end_ms"] for t in run["turns"] if t["who"] == "caller"]
        for turn in run["turns"]:
            if turn["who"] != "agent" or turn["latency_ms"] is None:
                continue
            where = f"run {run['id']}, agent's turn at {turn['start_ms']:.0f} ms"
            caller_end = turn["start_ms"] - turn["latency_ms"]
            if not any(abs(end - caller_end) < 1 for end in callers):
                problems.append(f"{where}: its latency does not count from the end of a turn of the caller")
                continue
            start = truth.nearest(call_id, origin + turn["start_ms"] * 1e6)
            if start is None:
                problems.append(f"{where}: the agent's log knows of no start near it")
                continue
            if turn["touched_by_late_tick"] or start[1]:
                touched += 1
                continue
            errors.append((abs(turn["latency_ms"] - ((start[0] - origin) / 1e6 - caller_end)), where))
    if not errors:
        return problems + ["no turn to compare"]
    median, worst = statistics.median(e for e, _ in errors), max(errors)
    print(
        f"latency against the agent's log over {len(errors)} turns: median error {median:.2f} ms, maximum {worst[0]:.2f} ms "
        f"({worst[1]}); {touched} more turns were touched by a late tick"
    )
    if median > 5:
        problems.append(f"median error {median:.2f} ms, 5 allowed")
    if worst[0] > 20:
        problems += [f"error {e:.2f} ms, 20 allowed: {w}" for e, w in sorted(errors, reverse=True) if e > 20]
    if touched > len(errors):
        problems.append("late ticks touched more turns than they left: this machine is too busy to measure on")
    return problems


def recordings(result, out):
    problems = []
    for run in result["runs"].values():
        path = out / (run["voice_recording_url"] or "none").removeprefix("file://")
        if not path.is_file() or path.stat().st_size < 44 + 8000 * 4:
            problems.append(f"run {run['id']}: no recording of over a second at {path}")
    return problems


def junit(result, out):
    """A case for each run; the thresholds of the job stand in a suite of their own."""
    suites = xml.etree.ElementTree.parse(out / "junit.xml").getroot().iter("testsuite")
    cases = [c for s in suites if s.get("name") != "thresholds" for c in s.iter("testcase")]
    bad = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    wanted = (len(result["runs"]), sum(r["success"] is not True for r in result["runs"].values()))
    return [] if (len(cases), len(bad)) == wanted else [f"{len(cases)} cases with {len(bad)} bad ones, wanted {wanted}"]


def html(result, out):
    text = (out / "report.html").read_text()
    fetched = re.findall(
        r"""(?:<(?:script|img|audio|video|source|iframe|link)\b[^>]*?(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'\s>]*)|@import[^;]*|url\(\s*["']?https?:[^)]*""",
        text,
    )
    problems = [f"loads from the network: {f[:120]}" for f in fetched[:5]]
    problems += [f"does not mention {r['metadata']['call_id']}" for r in result["runs"].values() if r["metadata"]["call_id"] not in text]
    return problems


def main():
    out = pathlib.Path(sys.argv[1])
    result = json.loads((out / "result.json").read_text())
    check("12 runs, all completed, counts and success_rate right", counts(result))
    check("12 different inbound numbers", numbers(result))
    check("never more than 4 calls in progress, all done in under 90 s", in_progress(result, 4))
    check("every call has its recording", recordings(result, out))
    check("junit.xml says the same", junit(result, out))
    check("report.html loads nothing from a network", html(result, out))
    check("latency agrees with the agent's truth log", latencies(result, Truth(sys.argv[2])))
    return 1 if FAILED else 0


sys.exit(main())
