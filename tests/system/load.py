# SPDX-License-Identifier: GPL-3.0-or-later
"""Load shapes, start times and retries, seen by a peer that notes when each INVITE comes. One line for each check."""
import datetime
import json
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import checks  # noqa: E402
from checks import check  # noqa: E402
from daemon_site import Site, until  # noqa: E402


class Refuser(threading.Thread):
    """Answers every INVITE with a status, after as long as it is told, and notes when each call came."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.came = {}
        self.statuses = []
        self.ring = 0.0
        self.start()

    def reset(self, statuses=(), ring=0.0):
        self.came, self.statuses, self.ring = {}, list(statuses), ring

    def times(self):
        return sorted(self.came.values())

    def run(self):
        while True:
            data, peer = self.socket.recvfrom(65536)
            now = time.monotonic()
            lines = data.decode(errors="replace").split("\r\n\r\n")[0].split("\r\n")
            if not lines[0].startswith("INVITE"):
                continue
            kept = [line for line in lines[1:] if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
            call = next(line for line in kept if line.startswith("Call-ID"))
            again = call in self.came
            self.came.setdefault(call, now)
            if again:
                continue
            to = next(line for line in lines if line.startswith("To:")) + ";tag=r"
            status = self.statuses.pop(0) if self.statuses else "486 Busy Here"
            reply = "\r\n".join([f"SIP/2.0 {status}", *kept, to, "Content-Length: 0", "", ""]).encode()
            if self.ring:
                self.answer("SIP/2.0 180 Ringing", kept, to, peer)
                threading.Timer(self.ring, self.socket.sendto, (reply, peer)).start()
            else:
                self.socket.sendto(reply, peer)

    def answer(self, status, kept, to, peer):
        self.socket.sendto("\r\n".join([status, *kept, to, "Content-Length: 0", "", ""]).encode(), peer)


def prepare(site, refuser):
    """A second agent, which turns every call down as its scenario wants it."""
    (site.root / "catalog/agents/two.yaml").write_text(
        f"id: 2\nname: Refuser\nsip_endpoint: sip:busy@127.0.0.1:{refuser.port}\n")
    (site.root / "catalog/scenarios/refused.yaml").write_text("""id: 9
name: Refused
agent: 2
max_duration: 10
conditional_actions:
  role: You call
  conditions:
    - {id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: ""}
expect:
  - {sip_status: 486}
""")


def run(site, **fields):
    """The job's result once it is over."""
    text = json.dumps({"agent_id": 2, "scenarios": [9], **fields})
    reply = site.ask(command="run", name=fields["name"], text=text)
    assert reply["ok"], reply
    number = reply["answer"]["result"]
    answer = until(lambda: (lambda a: a if a["over"] else None)(site.ask(command="result", result=number)["answer"]), 60)
    return json.loads(pathlib.Path(answer["json"]).read_text())


def runs_of(result):
    return list(result["runs"].values())


def arrival_rate(site, refuser):
    refuser.reset()
    result = run(site, name="ramp", load={"shape": "ramping-arrival-rate", "stages": [{"duration": 4, "target": 20}]})
    times = refuser.times()
    exact = [(2 * n * 4 / 20) ** 0.5 for n in range(40)]
    offsets = sorted(t - e for t, e in zip(times, exact))
    check("a ramp starts as many calls as it has starts", len(times) == 40 and result["total_runs_count"] == 40,
          (len(times), result["total_runs_count"]))
    late = sum(1 for o in offsets if o - offsets[0] > 0.02)
    check("each comes at its exact time, or is counted as late with its cause",
          late <= result["engine"]["late_starts"] + 2 and
          sum(result["engine"]["late_starts_by"].values()) == result["engine"]["late_starts"],
          (late, offsets[-5:], result["engine"]))
    check("none was dropped", result["engine"]["dropped_starts"] == 0 and result["status"] == "completed", result["engine"])


def busy_lines(site, refuser):
    refuser.reset(ring=1.5)
    result = run(site, name="busy", concurrency_limit=4,
                 load={"shape": "constant-arrival-rate", "rate": 5, "duration": 5})
    engine = result["engine"]
    check("starts that find no line are dropped, with the cause",
          engine["dropped_starts"] > 5 and set(engine["dropped_starts_by"]) == {"concurrency_limit"}, engine)
    check("what was started and what was dropped are all the shape has",
          len(refuser.times()) + engine["dropped_starts"] == 25 and result["total_runs_count"] == len(refuser.times()),
          (len(refuser.times()), engine, result["total_runs_count"]))
    check("a shape that is over ends the result as completed", result["status"] == "completed" and
          result["cancelled_runs_count"] == 0, result["status"])


def constant_calls(site, refuser):
    refuser.reset(ring=0.5)
    result = run(site, name="soak", load={"shape": "constant-calls", "calls": 3, "duration": 4})
    check("a calls shape makes at most a call a second for each line", len(refuser.times()) == 12 ==
          result["total_runs_count"], (len(refuser.times()), result["total_runs_count"]))
    refuser.reset(ring=2.0)
    result = run(site, name="slow soak", load={"shape": "constant-calls", "calls": 3, "duration": 5})
    check("with longer calls it makes what fits, and is over in time", 6 <= len(refuser.times()) <= 9 and
          result["total_runs_count"] == len(refuser.times()), (len(refuser.times()), result["total_runs_count"]))


def abort(site, refuser):
    refuser.reset(["404 Not Found"] * 100)
    result = run(site, name="abort", load={"shape": "constant-arrival-rate", "rate": 10, "duration": 60},
                 thresholds=[{"metric": "success_rate", "at_least": 0.9, "abort_on_fail": True}])
    check("a threshold aborts a load", result["status"] == "failed" and len(refuser.times()) < 50,
          (result["status"], len(refuser.times())))


def start_time(site, refuser):
    refuser.reset()
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    offset = time.monotonic() + (start.timestamp() - time.time())
    result = run(site, name="later", start_at=start.isoformat(timespec="milliseconds"))
    came = refuser.times()
    check("a call with a start time comes then", len(came) == 1 and -0.05 < came[0] - offset < 1.0,
          (came, offset, result["engine"]))


def retries(site, refuser):
    refuser.reset(["503 Service Unavailable", "404 Not Found", "486 Busy Here"])
    result = run(site, name="flaky", retries=3)
    one = runs_of(result)[0]
    check("a call that does not succeed is made again until it does", len(refuser.times()) == 3 and one["success"],
          (len(refuser.times()), one["status"], one["error_message"]))
    check("and is flaky", one["flaky"] and one["attempt"] == 3 and result["flaky_runs_count"] == 1,
          (one["attempt"], one["flaky"]))
    check("its result is what came of it at last", result["total_runs_count"] == 1 and result["success_rate"] == 1.0,
          result["success_rate"])
    refuser.reset(["404 Not Found"] * 10)
    result = run(site, name="hopeless", retries=2)
    one = runs_of(result)[0]
    check("not more often than the job allows", len(refuser.times()) == 3 and one["attempt"] == 3 and
          one["success"] is False and not one["flaky"], (len(refuser.times()), one["attempt"]))
    kept = sorted(p.name for p in (site.state / "recordings").rglob(f"{one['id']}/*"))
    check("attempts do not overwrite each other", len(kept) == len(set(kept)), kept)


site = Site(sys.argv[1], sys.argv[2])
refuser = Refuser()
try:
    prepare(site, refuser)
    site.start()
    for part in (arrival_rate, busy_lines, constant_calls, abort, start_time, retries):
        part(site, refuser)
finally:
    site.close()
    if checks.failed:
        print("    " + site.log.read_text()[-3000:].replace("\n", "\n    "))
sys.exit(checks.failed)
