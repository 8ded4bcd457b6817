# SPDX-License-Identifier: GPL-3.0-or-later
"""The three programs of `bench/media`: the reflector that both sides call, linecheck, and SIPp."""
import json
import os
import pathlib
import random
import shlex
import subprocess

from lib.cost import Program

HERE = pathlib.Path(__file__).resolve().parent.parent
RAMP = 50  # calls a second, both sides


class Reflector:
    def __init__(self, site, core, port, codec):
        self.sip, self.media = port, port + 2
        command = [os.environ["LINECHECK_REFLECTOR"], "127.0.0.1", str(self.sip), str(self.media), codec]
        self.program = Program("reflector", command, core, site / "reflector.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.program.process.stdout.readline().strip() != "ready":
            self.program.stop(patience=5)
            raise SystemExit("the reflector does not start: " + self.program.complaint())

    def _say(self, word):
        self.program.process.stdin.write(word + "\n")
        self.program.process.stdin.flush()

    def begin(self):
        self._say("begin")

    def end(self):
        self._say("end")
        return json.loads(self.program.process.stdout.readline())

    def stop(self):
        self.program.process.stdin.close()
        self.program.stop(patience=5)


def write_site(site, calls, seconds, sip_port, first_port, options, at_once=None, action=None):
    """`action`: what the caller does in its only turn, instead of talking for `seconds`."""
    at_once = at_once or calls
    exchanges = max(1, round(seconds / 6)) + 5  # more than fit: the call ends when its time is over
    conditions = ['{id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: ""}']
    conditions += [
        f"{{id: {i}, condition: {i - 1}, type: action_followup, fixed_message: true, "
        'action: "I would like to change the time of my appointment, please."}'
        for i in range(1, exchanges + 1)
    ]
    if action:
        conditions = [f'{{id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: "{action}"}}']
    files = {
        "linecheck.yaml": f"""
catalog: catalog
state: state
limits: {{concurrent_calls: {at_once}, calls_per_second: {options.ramp}}}
media: {{ports: {first_port}-{first_port + 2 * at_once + options.ramp * 5 + 199}, bind: 127.0.0.1}}
sip: {{endpoints: [{{name: main, listen: "udp:127.0.0.1:0"}}]}}
trunks:
  - {{name: loop, endpoint: main, caller_numbers: ["+15550100001"], codecs: [{options.codec}], allow: ["sip:*@127.0.0.1"]}}
""",
        "catalog/agents/bench.yaml": f"""
id: 1
name: Reflector
inbound: true
sip_endpoint: sip:bench@127.0.0.1:{sip_port}
trunk: loop
""",
        "catalog/personalities/plain.yaml": "id: 1\nname: Plain\nlanguage: en-US\n",
        "catalog/test-profiles/none.yaml": "id: 1\nname: None\ninformation: {testing_agent_variables: {name: Jane}}\n",
        "catalog/scenarios/talk.yaml": f"""
id: 1
name: Talk
agent: 1
personality: 1
test_profile: 1
scenario_type: conditional_actions
max_duration: {max(10, seconds)}
conditional_actions:
  role: You keep talking
  conditions:
"""
        + "".join(f"    - {c}\n" for c in conditions),
        "job.yaml": f"name: bench\nagent_id: 1\nscenarios: [1]\nfrequency: {calls}\nconcurrency_limit: {at_once}\n",
    }
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())


def start_linecheck(site, calls, seconds, reflector, options, **what):
    write_site(site, calls, seconds, reflector.sip, options.port_base + 10, options, **what)
    command = [os.environ["LINECHECK"], "run", str(site / "job.yaml"), "-c", str(site / "linecheck.yaml")]
    command += ["--out", str(site / "out"), "--json", str(site / "result.json"), "--no-color"]
    return Program("linecheck", command, options.core, site / "run.log")


def start_sipp(site, calls, seconds, reflector, options):
    # mu-law noise: what is in the packets costs neither side anything.
    (site / "talk.ul").write_bytes(random.Random(1).randbytes(8000 * 10))
    values = {
        "scenario": HERE / "peers/uac_media.xml",
        "remote": f"127.0.0.1:{reflector.sip}",
        "port": reflector.sip + 1,
        "media": options.port_base + 10,
        "calls": calls,
        "rate": options.ramp,
        "milliseconds": seconds * 1000,
    }
    template = (HERE / "peers/sipp.command").read_text()
    command = shlex.split(template.format(**values), comments=True)
    return Program("sipp", command, options.core, site / "sipp.log", cwd=site)
