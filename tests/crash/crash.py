# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon is killed (SIGKILL) at random instants, round after round; afterwards nothing may be lost or doubled.

usage: crash.py LINECHECK SCRATCH ROUNDS [SEED]

What was dialled is not asked of linecheck: a relay between it and the agent notes the X-Run-Id and Call-ID of every
INVITE that left.
"""
import json
import pathlib
import random
import re
import select
import socket
import sqlite3
import sys
import threading
import time
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import checks  # noqa: E402
from checks import check  # noqa: E402
from daemon_site import Site, until  # noqa: E402


class Relay:
    """A UDP port that passes SIP on to the agent, and its answers back, and remembers the INVITEs."""

    def __init__(self, agent_port):
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.agent = ("127.0.0.1", agent_port)
        self.behind = {}  # a socket for each address that calls
        self.dialled = {}  # run id -> Call-IDs
        self.over = False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.over:
            ready, _, _ = select.select([self.front, *self.behind.values()], [], [], 0.2)
            for one in ready:
                try:
                    packet, source = one.recvfrom(65536)
                except OSError:
                    continue
                if one is self.front:
                    self.note(packet)
                    if source not in self.behind:
                        self.behind[source] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    self.behind[source].sendto(packet, self.agent)
                else:
                    caller = next(address for address, behind in self.behind.items() if behind is one)
                    self.front.sendto(packet, caller)

    def note(self, packet):
        if not packet.startswith(b"INVITE "):
            return
        text = packet.decode(errors="replace")
        run = re.search(r"(?mi)^X-Run-Id:\s*(\d+)", text)
        call = re.search(r"(?mi)^(?:Call-ID|i):\s*(\S+)", text)
        self.dialled.setdefault(int(run.group(1)), set()).add(call.group(1))

    def close(self):
        self.over = True
        self.thread.join()


def one_round(site, dice, number, submitted, dropped):
    site.start()
    good = (site.root / "catalog/scenarios/1.yaml").read_text()
    until_death = time.monotonic() + dice.uniform(0.05, 2.5)
    step = 0
    while time.monotonic() < until_death:
        step += 1
        name = f"r{number}-{step}"
        what = dice.random()
        calls = dice.randint(1, 3)
        text = site.job(name, scenarios=[dice.choice([1, 1, 2])], frequency=calls, concurrency_limit=2)
        try:
            if len(submitted) + len(dropped) < 3 * (number + 1) and what < 0.35:
                submitted[name] = [calls, False]  # whether it was accepted is not known before the answer
                site.ask(command="run", name=name, text=text, key="key:" + name)
                submitted[name][1] = True
            elif len(submitted) + len(dropped) < 3 * (number + 1) and what < 0.7:
                dropped[name + ".yaml"] = calls
                site.drop(name + ".yaml", text)
            elif what < 0.8:
                broken = dice.random() < 0.5
                (site.root / "catalog/scenarios/1.yaml").write_text(good + ("broken: [" if broken else "# a comment\n"))
                site.ask(command="reload")
        except (OSError, ValueError):
            pass
        finally:
            (site.root / "catalog/scenarios/1.yaml").write_text(good)
        time.sleep(dice.uniform(0, 0.3))
    site.kill()


def verify(site, relay, submitted, dropped):
    site.start()
    check("all results come to their end", until(lambda: site.idle(), 120), site.status())
    until(lambda: not site.names("accepted"), 10)
    database = sqlite3.connect(f"file:{site.state}/linecheck.db?mode=ro", uri=True)
    results = database.execute("SELECT id, name, total_calls, first_run_id FROM results").fetchall()
    names = [name for _, name, _, _ in results]
    wanted = {name for name, (_, accepted) in submitted.items() if accepted} | {n.removesuffix(".yaml") for n in dropped}
    check("no accepted job is lost", wanted <= set(names), wanted - set(names))
    check("none is doubled", len(names) == len(set(names)), names)
    outcomes = database.execute("SELECT run_id, result_id, status, category, reason, document FROM outcomes").fetchall()
    runs = {first + i for _, _, total, first in results for i in range(total)}
    check("every run has exactly one outcome", sorted(r[0] for r in outcomes) == sorted(runs),
          set(runs) ^ {r[0] for r in outcomes})
    lost = {r[0] for r in outcomes if r[4] == "lost"}
    # Of a machine that is too busy to send in time this test wants to know nothing.
    other = [r[:5] for r in outcomes if r[0] not in lost and r[2] != "completed" and "kept time badly" not in r[4]]
    check("what did not complete was lost in a crash, and nothing else", not other, other)
    twice = {run: calls for run, calls in relay.dialled.items() if len(calls) > 1}
    check("no run was dialled twice", not twice, twice)
    undialled = {r[0] for r in outcomes if r[2] == "completed"} - set(relay.dialled)
    check("every completed run was really dialled", not undialled, undialled)
    described = [r[0] for r in outcomes if r[0] in lost and '"lost' not in r[5]]
    check("every lost run says so in its document", not described, described)
    reports = [id for id, *_ in results if not (site.state / f"results/{id}/result.json").exists()]
    check("every result has its report", not reports, reports)
    bad = []
    recordings = list((site.state / "recordings").rglob("*.wav"))
    for path in recordings:
        try:
            with wave.open(str(path)) as sound:
                if sound.getnchannels() != 2:
                    bad.append(path)
        except (wave.Error, EOFError) as error:
            bad.append((path, error))
    check("every recording can be opened", not bad and recordings, bad)
    places = {name: [f for f in ("", "accepted", "done", "failed") if (site.jobs / f / name).exists()] for name in dropped}
    astray = {name: where for name, where in places.items() if where != ["done"]}
    check("every file of the watch directory is in done/ and nowhere else", not astray, astray)
    bare = [name for name in dropped if not (site.jobs / f"done/{name}.json").exists()]
    check("each beside its report", not bare, bare)
    print(f"    {len(results)} results, {len(runs)} runs, {len(lost)} lost, {len(relay.dialled)} dialled,"
          f" {len(recordings)} recordings")
    check("it ends with 0", site.stop() == 0)


rounds = int(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())
print(f"    {rounds} rounds, seed {seed}")
dice = random.Random(seed)
site = Site(sys.argv[1], sys.argv[2])
relay = Relay(site.port)
(site.root / "catalog/agents/one.yaml").write_text(
    f"id: 1\nname: Agent\nsip_endpoint: sip:polite@127.0.0.1:{relay.port}\n")
submitted, dropped = {}, {}
try:
    for number in range(rounds):
        if number % 25 == 24:
            site.start_agent()
        one_round(site, dice, number, submitted, dropped)
    verify(site, relay, submitted, dropped)
finally:
    site.close()
    relay.close()
    if checks.failed:
        print(f"    replay: tests/crash/crash_test.sh with LINECHECK_CRASH_SEED={seed}")
        print("    " + site.log.read_text()[-4000:].replace("\n", "\n    "))
sys.exit(checks.failed)
