#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outbound agents, played by SIPp. Usage: called.py LINECHECK SCRATCH (which holds tone.ul)."""
import json
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import checks  # noqa: E402
from checks import check  # noqa: E402
from daemon_site import free_port  # noqa: E402
from webhook_server import WebhookServer  # noqa: E402

PEERS = pathlib.Path(__file__).resolve().parent
LINECHECK, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2])
OURS, SECOND = "+15550100001", "+15550100002"
AGENT = "+16665550100"
WINDOW = 4
processes = []


class Sipp:
    """One SIPp, one call by default."""
    number = 0

    def __init__(self, scenario, remote, caller=AGENT, called=OURS, local="127.0.0.1", calls=1, options=(), **fill):
        Sipp.number += 1
        self.log = SCRATCH / f"sipp{Sipp.number}.msg"
        text = (PEERS / scenario).read_text()
        for key, value in {"HEADERS": "", "OTHER": "699", **fill}.items():
            text = text.replace(f"@{key}@", value)
        file = SCRATCH / f"sipp{Sipp.number}.xml"
        file.write_text(text)
        media = str(6300 + 20 * Sipp.number)
        command = ["sipp", "-sf", str(file), "-i", local, "-mi", local, "-p", str(free_port()), "-nostdin", "-m", str(calls),
                   "-timeout", "40s", "-timeout_error", "-trace_msg", "-message_file", str(self.log), "-s", called,
                   "-mp", media, "-key", "caller", caller, "-l", str(calls), "-r", "200", *options]
        if remote:
            command.append(f"127.0.0.1:{remote}")
        self.port = int(command[command.index("-p") + 1])
        self.process = subprocess.Popen(command, cwd=SCRATCH, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        processes.append(self.process)

    def messages(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def until(self, text, seconds=15):
        end = time.monotonic() + seconds
        while text not in self.messages() and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.02)
        return text in self.messages()

    def good(self):
        """It saw what its scenario asks for."""
        try:
            return self.process.wait(45) == 0
        except subprocess.TimeoutExpired:
            return False


class Job:
    """`linecheck run` of one job, with a site of its own."""

    def __init__(self, name, agent, job, words, networks='["127.0.0.0/8"]', rate=100, allow="[]", port=None):
        self.root = SCRATCH / name
        self.port = port or free_port()
        for folder in ("catalog/agents", "catalog/scenarios"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "linecheck.yaml").write_text(f"""catalog: catalog
state: state
media: {{ports: 11000-11999, bind: 127.0.0.1}}
sip:
  endpoints: [{{name: main, listen: "udp:127.0.0.1:{self.port}", incoming: {{from: {networks}, calls_per_second: {rate}}}}}]
trunks: [{{name: peer, endpoint: main, caller_numbers: ["{OURS}", "{SECOND}"], allow: {allow}}}]
providers: {{voices: [{{name: local, type: flite}}]}}
""")
        (self.root / "catalog/agents/a.yaml").write_text(
            f'id: 1\nname: An agent that dials\ninbound: false\ncontact_number: "{AGENT}"\n{agent}\n')
        (self.root / "catalog/scenarios/s.yaml").write_text(f"""id: 1
name: Be called
agent: 1
max_duration: 20
conditional_actions:
  role: You are called
  conditions: [{{id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: '{words}'}}]
""")
        (self.root / "job.yaml").write_text(f"agent_id: 1\nscenarios: [1]\n{job}\n")
        self.log = open(self.root / "run.log", "wb")
        self.process = subprocess.Popen(
            [LINECHECK, "run", "job.yaml", "-c", "linecheck.yaml", "--out", "out", "--json", "result.json", "--no-color"],
            cwd=self.root, stdout=self.log, stderr=subprocess.STDOUT)
        processes.append(self.process)

    def end(self):
        """The exit code; self.result and self.runs hold what came of it."""
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            code = -1
        file = self.root / "result.json"
        self.result = json.loads(file.read_text()) if file.exists() else {"runs": {}, "refused_calls": []}
        self.runs = sorted(self.result["runs"].values(), key=lambda run: run["id"])
        return code

    def said(self):
        return (self.root / "run.log").read_text(errors="replace")

    def refused(self, status, called, caller):
        return [c["reason"] for c in self.result["refused_calls"]
                if (c["status"], c["called"], c["caller"]) == (status, called, caller)]


def ended_well(run):
    """Whatever is thought of it: a busy machine's calls are excused."""
    return run["timing"]["answered_ms"] is not None and run["metadata"]["ended_reason"] == "caller-ended-call"


def who_is_let_in(hook):
    """Two runs, each with a number and a dial window of its own."""
    job = Job("wrong", f"trigger_url: {hook.url()}\ndial_window: {WINDOW}",
              "mode: different_numbers\nfrequency: 2", '<silence time="6s"/>Goodbye. <endcall/>',
              networks='["127.0.0.1", "127.0.0.3"]', rate=10)
    asked = [hook.next(), hook.next()]
    opened = time.monotonic()
    bodies = sorted((one["body"] for one in asked), key=lambda body: body["to_number"])
    check("called: a webhook for each run says who is to call whom",
          [(b["from_number"], b["to_number"]) for b in bodies] == [(AGENT, OURS), (AGENT, SECOND)] and
          asked[0]["type"] == "application/json" and all(b["dynamic_variables"]["X-Run-Id"].isdigit() for b in bodies), asked)
    call = Sipp("uac_call.xml", job.port, called=SECOND)
    up = call.until("SIP/2.0 200 OK")
    refused = {
        "the wrong caller": Sipp("uac_refused.xml", job.port, "+17775550100", OURS, STATUS="403"),
        "the wrong number": Sipp("uac_refused.xml", job.port, AGENT, "+15550100009", STATUS="404"),
        "a call that nobody asked for": Sipp("uac_refused.xml", job.port, "+17775550100", "+15550100008", STATUS="404"),
        "a second call": Sipp("uac_refused.xml", job.port, AGENT, SECOND, STATUS="486"),
        "a stranger": Sipp("uac_refused.xml", job.port, AGENT, OURS, "127.0.0.2", STATUS="403"),
        "too many a second": Sipp("uac_refused.xml", job.port, "+17775550100", "+15550100007", "127.0.0.3", 30, STATUS="503",
                                  OTHER="404"),
    }
    for name, one in refused.items():
        check(f"called: {name} is refused on the wire", one.good(), one.messages())
    # The window was open before the webhook came.
    time.sleep(max(0.0, opened + WINDOW + 0.2 - time.monotonic()))
    late = Sipp("uac_refused.xml", job.port, AGENT, OURS, STATUS="480")
    check("called: who is late is refused on the wire", late.good(), late.messages())
    check("called: SIPp had a whole call", up and call.good(), call.messages())
    code = job.end()
    # 3: this machine was too busy for the other one, which is then excused.
    check("called: the job fails, because one run was not called", code in (1, 3), job.said())
    if len(job.runs) != 2:
        return check("called: both runs are in the result", False, job.said())
    waited, had = job.runs
    check("called: that run timed out",
          waited["status"] == "timeout" and waited["success"] is False and
          waited["metadata"]["ended_reason"] == "dial-window-passed" and
          waited["error_message"].startswith(f"The agent did not call {OURS} within its dial window of {WINDOW}s. Refused meanwhile: ")
          and ", the last one: called +155501" in waited["error_message"] and
          waited["outbound_dial_window_seconds"] == WINDOW, waited["error_message"])
    check("called: the other run had its call",
          had["metadata"]["ended_reason"] == "caller-ended-call" and
          had["outbound_number"] == SECOND and had["agent_number"] == AGENT and had["rtp"]["receive"]["packets"] > 50,
          {k: had[k] for k in ("status", "metadata", "outbound_number", "agent_number", "error_message")})
    lines = [m["start_line"].split(" sip:")[0] for m in had["sip"]]
    check("called: with every message", lines[0] == "INVITE" and "SIP/2.0 180 Ringing" in lines and "SIP/2.0 200 OK" in lines and
          "ACK" in lines and "BYE" in lines, lines)
    reasons = {
        (403, OURS, "+17775550100"): f"called {OURS}, expected from {AGENT}, came from +17775550100",
        (404, "+15550100008", "+17775550100"):
            "called +15550100008, came from +17775550100: no run waits for a call to that number",
        (486, SECOND, AGENT): f"called {SECOND}, expected from {AGENT}, came from {AGENT}: run {had['id']} has its call already",
        (403, OURS, AGENT): "127.0.0.2 may not call here",
        (480, OURS, AGENT): f"called {OURS}, expected from {AGENT}, came from {AGENT}: run {waited['id']} waits no longer: its "
                            "dial window has passed",
    }
    for key, reason in reasons.items():
        check(f"called: the result says why {key[1]} from {key[2]} was refused with {key[0]}", reason in job.refused(*key),
              job.refused(*key))
    astray = job.refused(404, "+15550100009", AGENT)
    check("called: and who should have called where", astray and astray[0].startswith("called +15550100009, expected at +1555010000")
          and astray[0].endswith(f", expected from {AGENT}, came from {AGENT}"), astray)
    check("called: the same reason was on the wire", f'text="{reasons[403, OURS, "+17775550100"]}"' in
          refused["the wrong caller"].messages())
    flood = refused["too many a second"].messages()
    check("called: a source that calls too often is told when to come back",
          "too many calls a second from 127.0.0.3" in flood and "Retry-After: 1" in flood)
    check("called: and its calls are counted",
          job.refused(503, "+15550100007", "+17775550100") and
          job.result["refused_calls_count"] == len(job.result["refused_calls"]) == 36, job.result.get("refused_calls_count"))


def known_by_header(hook):
    """Two runs at one number at the same time."""
    job = Job("header", f"trigger_url: {hook.url()}\nsends_run_id: true", "frequency: 2", '<silence time="2s"/>Goodbye. <endcall/>')
    ids = [hook.next()["body"]["dynamic_variables"]["X-Run-Id"] for _ in range(2)]
    nobody = Sipp("uac_refused.xml", job.port, STATUS="403")
    check("called: without the X-Run-Id that would tell it apart, a call is refused", nobody.good(), nobody.messages())
    odd = Sipp("uac_refused.xml", job.port, STATUS="404", HEADERS="\n      X-Run-Id: 1e3")
    check("called: and so is one with a strange one", odd.good(), odd.messages())
    calls = [Sipp("uac_call.xml", job.port, HEADERS=f"\n      x-run-id: {one}") for one in reversed(ids)]
    check("called: two calls to one number, each to its run", all([call.good() for call in calls]), calls[0].messages())
    job.end()
    call_ids = {str(run["id"]): run["metadata"]["call_id"] for run in job.runs}
    check("called: and each in its run's result",
          len(job.runs) == 2 and all(call_ids[one] in call.messages() for one, call in zip(reversed(ids), calls)) and
          all(ended_well(run) for run in job.runs), call_ids)


def asked_by_sip(method):
    """A SIPp that is asked to call by SIP, at an address that the trunk allows."""
    message = method == "MESSAGE"
    port = free_port()
    agent = Sipp("uas_asked.xml", None, options=("-key", "to_port", str(port)), METHOD=method,
                 WHERE="body" if message else "hdr", HEADER="" if message else 'header="Refer-To:"',
                 PATTERN=f"&quot;to_number&quot;:&quot;[+]{OURS[1:]}&quot;" if message else f"sip:[+]{OURS[1:]}@127.0.0.1:{port}",
                 ANSWER="200 OK" if message else "202 Accepted")
    uri = f"sip:dialler@127.0.0.1:{agent.port}"
    job = Job(method.lower(), f"trigger: {method.lower()}\ntrigger_url: {uri}", "", '<silence time="1s"/>Goodbye. <endcall/>',
              allow=f'["{uri}"]', port=port)
    return agent, job


def by_sip():
    for method, (agent, job) in [(one, asked_by_sip(one)) for one in ("MESSAGE", "REFER")]:
        check(f"called: a {method} has SIPp call", agent.good(), agent.messages())
        job.end()
        check(f"called: and that call is the run's", job.runs and ended_well(job.runs[0]), job.said())


def refused_by_webhook(hook):
    for path, why in (("/fail", " answered 500"), ("/redirect", " answered 302: redirects are not followed")):
        job = Job(path[1:], f"trigger_url: {hook.url(path)}", "", "Goodbye. <endcall/>")
        code = job.end()
        text = job.runs[0]["error_message"] if job.runs else job.said()
        check(f"called: a webhook that{why} is the agent's failure",
              code == 1 and text == f"The agent could not be asked to call: {hook.url(path)}{why}.", text)


hook = WebhookServer()
try:
    who_is_let_in(hook)
    known_by_header(hook)
    by_sip()
    refused_by_webhook(hook)
finally:
    for process in processes:
        if process.poll() is None:
            process.terminate()
            process.wait(10)
sys.exit(checks.failed)
