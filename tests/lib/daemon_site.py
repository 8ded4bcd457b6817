# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon on loopback for tests: its site, its life, its service manager, and the agent that it calls."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

SCENARIO = """id: {id}
name: {name}
agent: 1
max_duration: 12
conditional_actions:
  role: You call
  conditions:
    - {{id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: ""}}
    - {{id: 1, condition: 0, type: action_followup, fixed_message: true, action: "{action}"}}
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=20.0):
    """The condition's value once it is true, or its last one."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


class Site:
    """Files of a daemon, an agent to call, and the daemon itself as often as it is started."""

    def __init__(self, binary, scratch, extra=""):
        self.binary = binary
        self.root = pathlib.Path(scratch)
        self.jobs = self.root / "jobs"
        self.state = self.root / "s"
        self.port = free_port()
        self.config = self.root / "linecheck.yaml"
        self.daemon = None
        self.manager = None
        self.log = self.root / "daemon.log"
        for folder in ("catalog/agents", "catalog/scenarios"):
            (self.root / folder).mkdir(parents=True)
        self.write_config(extra)
        (self.root / "catalog/agents/one.yaml").write_text(
            f"id: 1\nname: Agent\nsip_endpoint: sip:polite@127.0.0.1:{self.port}\n")
        self.write_scenario(1, "Short", "Goodbye. <endcall/>")
        self.write_scenario(2, "Long", "<silence time=\\\"3s\\\"/>Goodbye. <endcall/>")
        agent = self.root / "agent.yaml"
        agent.write_text(f"""listen: udp:127.0.0.1:{self.port}
truth_log: {self.root}/truth.jsonl
ports: 13000-13599
behaviours:
  - match: {{user: polite}}
    greeting: {{say: "Hello.", after: 100ms}}
    reply: {{after: 600ms, says: ["Good."]}}
""")
        self.agent = None
        self.start_agent()

    def start_agent(self):
        """A new one, which has forgotten the calls whose other end died."""
        if self.agent:
            self.agent.kill()
            self.agent.wait()
        self.agent = subprocess.Popen([self.binary, "agent", "-c", str(self.root / "agent.yaml")], stdout=subprocess.PIPE,
                                      stderr=(self.root / "agent.log").open("wb"), text=True)
        assert self.agent.stdout.readline().startswith("ready"), (self.root / "agent.log").read_text()

    def write_config(self, extra="", trunk=""):
        self.config.write_text(f"""catalog: catalog
state: s
watch: {{directory: jobs, poll: 5s}}
media: {{ports: 12000-12999, bind: 127.0.0.1}}
sip: {{endpoints: [{{name: main, listen: "udp:127.0.0.1:0"}}]}}
trunks:
  - {{name: peer, caller_numbers: ["1001"], allow: ["sip:*@127.0.0.1"]{trunk}}}
limits: {{min_free_disk: 1MiB{extra}}}
""")

    def write_scenario(self, number, name, action):
        (self.root / f"catalog/scenarios/{number}.yaml").write_text(
            SCENARIO.format(id=number, name=name, action=action))

    def job(self, name, **fields):
        fields.setdefault("scenarios", [1])
        return json.dumps({"name": name, "agent_id": 1, **fields})

    def start(self, watchdog_s=None, wrap=()):
        """Starts the daemon and waits until it is ready."""
        path = self.root / "notify"
        path.unlink(missing_ok=True)
        if self.manager:
            self.manager.close()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(path))
        self.manager.setblocking(False)
        self.told = []
        environment = dict(os.environ, NOTIFY_SOCKET=str(path))
        if watchdog_s:
            environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self.daemon = subprocess.Popen([*wrap, self.binary, "serve", "-c", str(self.config)], env=environment,
                                       stdout=subprocess.DEVNULL, stderr=self.log.open("ab"))
        assert until(lambda: self.daemon.poll() is not None or self.heard("READY=1")), "not ready"
        assert self.daemon.poll() is None, self.log.read_text()[-2000:]

    def heard(self, word):
        """Whether the service manager was told so, ever since the start."""
        while True:
            try:
                self.told.append(self.manager.recv(4096).decode())
            except BlockingIOError:
                return any(word in text for text in self.told)

    def cli(self, *words, code=None):
        if self.manager:
            self.heard("")  # the kernel keeps ten datagrams for us and no more
        done = subprocess.run([self.binary, *map(str, words), "-c", str(self.config)], capture_output=True,
                              text=True, timeout=90)
        if code is not None:
            assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def ask(self, **request):
        """Through the admin socket; the whole reply."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.state / "admin.sock"))
            client.sendall(json.dumps(request).encode() + b"\n")
            reply = b""
            while not reply.endswith(b"\n"):
                part = client.recv(65536)
                if not part:
                    raise ConnectionError("the daemon has gone")
                reply += part
        return json.loads(reply)

    def status(self):
        return self.ask(command="status")["answer"]

    def idle(self):
        status = self.status()
        return not status["results"] and not status["active_calls"]

    def drop(self, name, text):
        """As it should be done: written under another name, renamed into place."""
        (self.jobs / f".{name}.tmp").write_text(text)
        (self.jobs / f".{name}.tmp").rename(self.jobs / name)

    def names(self, folder):
        return sorted(p.name for p in (self.jobs / folder).iterdir() if p.is_file() or p.is_symlink())

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        """SIGTERM, and the exit code."""
        self.daemon.terminate()
        return self.daemon.wait(timeout=60)

    def close(self):
        for process in (self.daemon, self.agent):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
