#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference agent as one that dials out. Usage: outbound.py LINECHECK SCRATCH. One line for each check."""
import collections
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import checks  # noqa: E402
from checks import check  # noqa: E402
from daemon_site import Site, free_port  # noqa: E402

AGENT = "+16665550100"


class OutboundSite(Site):
    """Agent 1 is known by its number alone, agent 2 sends back its X-Run-Id; both are the one reference agent."""

    def write_config(self, extra="", trunk=""):
        self.own_port = free_port()
        self.config.write_text(f"""catalog: catalog
state: s
media: {{ports: 12000-12999, bind: 127.0.0.1}}
sip:
  endpoints: [{{name: main, listen: "udp:127.0.0.1:{self.own_port}", incoming: {{from: ["127.0.0.1"], calls_per_second: 500}}}}]
trunks:
  - {{name: each, caller_numbers: [{{range: "+15550100100-+15550100149"}}]}}
  - {{name: shared, caller_numbers: ["+15550100001"]}}
limits: {{min_free_disk: 1MiB, calls_per_second: 200}}
""")

    def start_agent(self):
        (self.root / "agent.yaml").write_text(f"""listen: udp:127.0.0.1:0
truth_log: {self.root}/truth.jsonl
ports: 13000-13599
outbound: {{listen: "127.0.0.1:0", target: "sip:127.0.0.1:{self.own_port}"}}
behaviours:
  - greeting: {{say: "Hello.", after: 100ms}}
    reply: {{after: 600ms, says: ["Good."]}}
""")
        self.agent = subprocess.Popen([self.binary, "agent", "-c", str(self.root / "agent.yaml")], stdout=subprocess.PIPE,
                                      stderr=(self.root / "agent.log").open("wb"), text=True)
        ready = self.agent.stdout.readline().split()
        assert ready[:1] == ["ready"] and len(ready) == 3, (self.root / "agent.log").read_text()
        for number, trunk, more in ((1, "each", ""), (2, "shared", "sends_run_id: true\n")):
            (self.root / f"catalog/agents/{number}.yaml").write_text(
                f'id: {number}\nname: Agent\ninbound: false\ncontact_number: "{AGENT}"\ntrunk: {trunk}\n'
                f"trigger_url: {ready[2]}\ndial_window: 20\n{more}")
        (self.root / "catalog/agents/one.yaml").unlink(missing_ok=True)

    def run(self, name, agent, **fields):
        """`linecheck run`, started."""
        file = self.root / f"{name}.yaml"
        file.write_text(json.dumps({"name": name, "agent_id": agent, "scenarios": [agent], **fields}))
        return subprocess.Popen([self.binary, "run", str(file), "-c", str(self.config), "--quiet", "--json",
                                 str(self.root / f"{name}.json")], stdout=(self.root / f"{name}.log").open("wb"),
                                stderr=subprocess.STDOUT)

    def result(self, name, process):
        process.wait(90)
        file = self.root / f"{name}.json"
        runs = list(json.loads(file.read_text())["runs"].values()) if file.exists() else []
        return runs, (self.root / f"{name}.log").read_text(errors="replace")


def called(runs, count):
    """All were answered, and ended by our caller. Whether this machine kept time is not what is asked here."""
    return len(runs) == count and all(
        run["timing"]["answered_ms"] is not None and run["metadata"]["ended_reason"] == "caller-ended-call" for run in runs)


def same_call(site, runs):
    """Every run's call is one that the agent made, and was the agent's side of the conversation of."""
    spoke = collections.defaultdict(int)
    for line in (site.root / "truth.jsonl").read_text().splitlines():
        event = json.loads(line)
        spoke[event["call_id"]] += event["event"] == "speech_start"
    ids = [run["metadata"]["call_id"] for run in runs]
    return len(set(ids)) == len(ids) and all(spoke[one] >= 1 for one in ids)


def most_at_once(site, runs):
    ids = {run["metadata"]["call_id"] for run in runs}
    spans = collections.defaultdict(list)
    for line in (site.root / "truth.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["call_id"] in ids:
            spans[event["call_id"]].append(event["mono_ns"])
    changes = sorted([(min(s), 1) for s in spans.values()] + [(max(s), -1) for s in spans.values()])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def about(runs, log):
    return collections.Counter((run["status"], run["error_message"]) for run in runs) or log


def main():
    site = OutboundSite(sys.argv[1], sys.argv[2])
    site.write_scenario(2, "Short too", "Goodbye. <endcall/>")
    text = (site.root / "catalog/scenarios/2.yaml").read_text()
    (site.root / "catalog/scenarios/2.yaml").write_text(text.replace("agent: 1", "agent: 2"))
    try:
        runs, log = site.result("alone", site.run("alone", 1, frequency=2))
        check("outbound: alone, the agent calls after the webhook, once for each run", called(runs, 2), about(runs, log))
        check("outbound: one after the other at one number", {run["outbound_number"] for run in runs} == {"+15550100100"} and
              most_at_once(site, runs) == 1, about(runs, log))
        check("outbound: each run had its own call", same_call(site, runs))

        site.start()
        each = site.run("each", 1, mode="different_numbers", frequency=50)
        shared = site.run("shared", 2, frequency=50)
        for name, process, numbers in (("each", each, 50), ("shared", shared, 1)):
            runs, log = site.result(name, process)
            check(f"outbound: 50 at once, {numbers} of our numbers: all were called", called(runs, 50),
                  about(runs, log))
            check(f"outbound: 50 at once, {numbers} of our numbers: as the mode says",
                  len({run["outbound_number"] for run in runs}) == numbers, about(runs, log))
            check(f"outbound: 50 at once, {numbers} of our numbers: each run had its own call", same_call(site, runs))
            check(f"outbound: 50 at once, {numbers} of our numbers: at once", most_at_once(site, runs) >= 25,
                  most_at_once(site, runs))
        stopped = site.daemon.terminate() or site.daemon.wait(30)
        check("outbound: the daemon ends well", stopped == 0, site.log.read_text())
        site.agent.terminate()
        check("outbound: and so does the agent", site.agent.wait(30) == 0, (site.root / "agent.log").read_text())
    finally:
        for process in (site.daemon, site.agent):
            if process and process.poll() is None:
                process.kill()
                process.wait()


main()
sys.exit(checks.failed)
