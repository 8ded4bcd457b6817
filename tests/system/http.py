# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP interface from outside, by curl: one line for each check."""
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import checks  # noqa: E402
from checks import check  # noqa: E402
from daemon_site import Site, until  # noqa: E402

V1 = "/test_framework/v1"
RUN = V1 + "/scenarios/run_scenarios/"
GOOD = {"agent_id": 1, "scenarios": [1]}


class Client:
    def __init__(self, site):
        self.site = site
        self.keys = {}
        self.find()

    def find(self):
        """Where the daemon that was started last listens."""
        def port():
            found = re.findall(r"listening at 127\.0\.0\.1:(\d+)", self.site.log.read_text())
            return int(found[-1]) if found else None
        self.port = until(port)

    def make_key(self, label, *options):
        self.keys[label] = self.site.cli("key", "create", "--name", label, *options, code=0).stdout.strip()

    def curl(self, path, *options, key="run", header="X-CEKURA-API-KEY", body=None):
        """(status, headers, body)"""
        command = ["curl", "-s", "-S", "-i", "--path-as-is", "--max-time", "20", "-H", "Expect:", *options]
        if key:
            secret = self.keys.get(key, key)
            command += ["-H", f"{header}: {'Bearer ' if header == 'Authorization' else ''}{secret}"]
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
            command += ["-H", "Content-Type: application/json", "--data-binary", text]
        done = subprocess.run([*command, f"http://127.0.0.1:{self.port}{path}"], capture_output=True, timeout=30)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        status = int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0
        return status, {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}, content

    def json(self, path, *options, **more):
        status, _, content = self.curl(path, *options, **more)
        return status, json.loads(content)


# What is wrong with a request, and what is said about which field. A list is the whole answer.
BAD = [
    ({}, {"scenarios": "is missing"}),
    ({"agent_id": 1}, {"scenarios": "is missing"}),
    ({"agent_id": 1, "scenarios": []}, {"scenarios": "selects nothing"}),
    ({"agent_id": 1, "scenarios": [99]}, {"scenarios": "there is no scenario 99"}),
    ({"agent_id": 1, "scenarios": [98, 99]}, {"scenarios": "there is no scenario 98"}),
    ({"agent_id": 1, "scenarios": ["x"]}, {"scenarios": "whole number"}),
    ({"agent_id": 1, "scenarios": [1.5]}, {"scenarios": "whole number"}),
    ({"agent_id": 1, "scenarios": 0}, {"scenarios": ""}),
    ({"agent_id": 1, "scenarios": -3}, {"scenarios": ""}),
    ({"agent_id": 1, "scenarios": {"a": 1}}, {"scenarios": "expected a list"}),
    ({"agent_id": 1, "scenarios": True}, {"scenarios": "expected a list"}),
    ({"agent_id": 1, "scenarios": "No.Such"}, {"project_id": "is missing"}),
    ({"agent_id": 1, "scenarios": "No.Such", "project_id": 1376}, {"scenarios": "selects nothing"}),
    ({"scenarios": 2}, {"agent_id": ""}),
    ({"scenarios": "all"}, {"agent_id": ""}),
    ({"agent_id": 77, "scenarios": [1]}, {"agent_id": "there is no agent 77"}),
    ({"agent_id": "one", "scenarios": [1]}, {"agent_id": "whole number"}),
    ({"agent_id": [1], "scenarios": [1]}, {"agent_id": "whole number"}),
    ({"assistant_id": "asst_x", "scenarios": [1]}, {"assistant_id": "there is no agent"}),
    ({"assistant_id": 5, "scenarios": [1]}, {"assistant_id": ""}),
    ({**GOOD, "project_id": 5}, {"project_id": "there is no project 5"}),
    ({**GOOD, "folder_path": "A.B", "project_id": 1376}, {"folder_path": "can't be combined"}),
    ({"agent_id": 1, "tags": ["nope"]}, {"tags": "selects nothing"}),
    ({"agent_id": 1, "tags": []}, {"tags": "selects nothing"}),
    ({"agent_id": 1, "tags": "nope"}, {"tags": ""}),
    ({"agent_id": 1, "folder_path": "A.B"}, {"project_id": "is missing"}),
    ({"agent_id": 1, "folder_path": "A..B", "project_id": 1376}, {"folder_path": ""}),
    ({**GOOD, "frequency": 0}, {"frequency": ""}),
    ({**GOOD, "frequency": -1}, {"frequency": ""}),
    ({**GOOD, "frequency": 1.5}, {"frequency": "whole number"}),
    ({**GOOD, "frequency": "many"}, {"frequency": "whole number"}),
    ({**GOOD, "name": ["x"]}, {"name": ""}),
    ({**GOOD, "agent_number": "call me"}, {"agent_number": "not a telephone number"}),
    ({**GOOD, "agent_number": 15550100001}, {"agent_number": ""}),
    ({**GOOD, "outbound_phone_number": "+1"}, {"outbound_phone_number": "not a telephone number"}),
    ({**GOOD, "agent_number": "+15550100001", "outbound_phone_number": "+15550100002"},
     {"outbound_phone_number": "differs from agent_number", "agent_id": "can't be dialled"}),
    ({**GOOD, "sip_endpoint": "agent@host"}, {"sip_endpoint": "not a SIP URI"}),
    ({**GOOD, "sip_endpoint": "sip:x@192.0.2.9"}, {"allow": "does not allow dialling"}),
    ({**GOOD, "personality_ids": [9]}, {"personality_ids": "there is no personality 9"}),
    ({**GOOD, "personality_id": "x"}, {"personality_id": "whole number"}),
    ({**GOOD, "personality_ids": [2]}, ["Invalid personalities provided."]),
    ({**GOOD, "personality_id": 2}, ["Invalid personalities provided."]),
    ({**GOOD, "personality_id": 2, "frequency": 0}, {"personality_id": "Invalid personalities", "frequency": ""}),
    ({**GOOD, "test_profile_ids": [9]}, {"test_profile_ids": "there is no test profile 9"}),
    ({**GOOD, "test_profile_id": {}}, {"test_profile_id": "whole number"}),
    ({**GOOD, "mode": "any"}, {"mode": ""}),
    ({**GOOD, "mode": 1}, {"mode": ""}),
    ({**GOOD, "concurrency_limit": 0}, {"concurrency_limit": ""}),
    ({**GOOD, "concurrency_limit": "two"}, {"concurrency_limit": "whole number"}),
    ({**GOOD, "mock_tool_names": "x"}, {"mock_tool_names": ""}),
    ({**GOOD, "mock_tool_names": [1]}, {"mock_tool_names": ""}),
    ({**GOOD, "calls_per_second": 0}, {"calls_per_second": ""}),
    ({**GOOD, "calls_per_second": "fast"}, {"calls_per_second": ""}),
    ({**GOOD, "seed": "x"}, {"seed": ""}),
    ({**GOOD, "seed": -1}, {"seed": ""}),
    ({**GOOD, "retries": 101}, {"retries": ""}),
    ({**GOOD, "retry_after_dial": "yes"}, {"retry_after_dial": ""}),
    ({**GOOD, "start_at": "tomorrow"}, {"start_at": ""}),
    ({**GOOD, "priority": "high"}, {"priority": "whole number"}),
    ({**GOOD, "graceful_stop": "soon"}, {"graceful_stop": ""}),
    ({**GOOD, "codecs": ["mp3"]}, {"codecs": ""}),
    ({**GOOD, "codecs": "opus"}, {"codecs": ""}),
    ({**GOOD, "recording": {"format": "mp3"}}, {"recording": "format: "}),
    ({**GOOD, "reuse_numbers": 1}, {"reuse_numbers": ""}),
    ({**GOOD, "mode": "different_numbers", "frequency": 2}, {"mode": ""}),
    ({**GOOD, "thresholds": [{"metric": "no_such", "below": 1}]}, {"thresholds": ""}),
    ({**GOOD, "thresholds": [{"metric": "success_rate"}]}, {"thresholds": ""}),
    ({**GOOD, "load": {"shape": "spiral"}}, {"load": "shape"}),
    ({**GOOD, "load": []}, {"load": ""}),
    ({**GOOD, "nonsense": 1}, {"nonsense": "unknown key"}),
    ({**GOOD, "frequenzy": 2}, {"frequenzy": "did you mean 'frequency'"}),
    ({"agent_id": 77, "scenarios": [99], "frequency": 0, "x": 1},
     {"agent_id": "no agent", "scenarios": "no scenario", "frequency": "", "x": "unknown"}),
]
# What is no request at all: Content-Type, body, status.
ODD = [
    ("application/json", "", 400), ("application/json", "{", 400), ("application/json", "[]", 400),
    ("application/json", '"x"', 400), ("application/json", "null", 400), ("application/json", "nonsense", 400),
    ("application/json", '{"agent_id": 1, "agent_id": 1, "scenarios": [1]}', 400),
    ("application/json", '{"agent_id": 1e999, "scenarios": [1]}', 400),
    ("application/json", "[" * 5000, 400), ("application/json", '{"a":' * 5000, 400),
    ("text/yaml", "agent_id: 1\nscenarios: [1]\n", 415), ("application/xml", "<a/>", 415), ("x", "x", 415),
    ("multipart/form-data", "x", 400), ("multipart/form-data; boundary=b", "x", 400),
    ("application/x-www-form-urlencoded", "agent_id=%zz", 400),
    ("application/x-www-form-urlencoded", "agent_id=1&scenarios=[99]", 400),
    ("application/json", '{"x": "' + "a" * (1 << 20) + '"}', 413),
]


def says(answer, wanted):
    if isinstance(wanted, list):
        return answer == wanted
    return isinstance(answer, dict) and set(answer) == set(wanted) and all(
        isinstance(answer[field], list) and any(text in message for message in answer[field])
        for field, text in wanted.items())


def without_key(client):
    for path, status in (("/healthz", 200), ("/readyz", 200)):
        check(f"{path} needs no key", client.curl(path, key=None)[0] == status)
    walk = [("GET", "/version"), ("GET", "/metrics"), ("POST", RUN), ("POST", V1 + "/scenarios/run_scenarios_sip"),
            ("POST", "/test_framework/v2/scenarios/run_scenarios/"), ("GET", V1 + "/results/"), ("GET", V1 + "/results/1/"),
            ("POST", V1 + "/results/1/end_calls/"), ("GET", V1 + "/runs/"), ("GET", V1 + "/runs/1/"),
            ("GET", V1 + "/runs/bulk/?run_ids=1"), ("POST", V1 + "/runs/1/end_call/"), ("GET", V1 + "/runs/1/recording")]
    bare = [(m, p, client.curl(p, "-X", m, key=None)[0]) for m, p in walk]
    check("every other endpoint asks for a key", all(status == 401 for _, _, status in bare), bare)
    narrow = [(m, p, client.curl(p, "-X", m, key="read")[0]) for m, p in walk if m == "POST"]
    check("a key to read may not run or end anything", all(status == 403 for _, _, status in narrow), narrow)
    headers = ("X-CEKURA-API-KEY", "X-VOCERA-API-KEY", "X-API-Key", "Authorization")
    seen = [client.curl("/version", header=h)[0] for h in headers]
    check("a key is taken from each of its four headers", seen == [200] * 4, seen)
    client.make_key("short", "--expires", "1s")
    first = client.curl("/version", key="short")[0]
    check("a key ends when it expires", first == 200 and until(lambda: client.curl("/version", key="short")[0] == 401, 5), first)
    client.make_key("gone")
    number = [line.split()[0] for line in client.site.cli("key", "list", code=0).stdout.splitlines() if line.endswith("gone")]
    client.site.cli("key", "revoke", number[0], code=0)
    check("a revoked key opens nothing, at once", client.curl("/version", key="gone")[0] == 401)
    wrong = [client.curl("/version", key="lc_00000000_" + "0" * 64) for _ in range(12)]
    check("wrong keys are refused, and soon slowed down", {s for s, _, _ in wrong} == {401, 429} and
          int(wrong[-1][1].get("retry-after", 0)) > 0, [s for s, _, _ in wrong])
    check("a good key from the same address is not", client.curl("/version")[0] == 200)


def bad_requests(client):
    before = client.json(V1 + "/results/")[1]["count"]
    wrong = []
    for body, wanted in BAD:
        status, answer = client.json(RUN, body=body)
        if status != 400 or not says(answer, wanted):
            wrong.append((body, status, answer))
    check(f"{len(BAD)} bad requests get 400 and every field at once", not wrong, "\n    ".join(map(str, wrong)))
    wrong = []
    for kind, text, wanted in ODD:
        (client.site.root / "body").write_text(text)
        status, answer = client.json(RUN, "-H", "Content-Type: " + kind, "--data-binary", f"@{client.site.root}/body")
        if status != wanted:
            wrong.append((kind, text[:60], status, answer))
    check(f"{len(ODD)} that are no requests are refused with their codes", not wrong, "\n    ".join(map(str, wrong)))
    check("nothing was started by any of them", client.json(V1 + "/results/")[1]["count"] == before)


def a_run(client):
    status, answer = client.json(RUN, body={**GOOD, "name": "by http", "frequency": 2})
    run = answer["runs"][0] if status == 201 else {}
    check("a run request is answered as the hosted product does", status == 201 and answer["agent"] == 1 and
          answer["status"] == "pending" and answer["success_rate"] is None and answer["run_as_text"] is False and
          len(answer["runs"]) == 2 and run["inbound_number"] == "1001" and run["number"] is None and
          run["scenario"] == 1 and run["scenario_name"] == "Short" and run["test_profile_data"] is None and
          "outbound_dial_window_opens_at" in run, answer)
    result = answer["id"]
    path = f"{V1}/results/{result}/"

    def over():
        return client.json(path)[1]["status"] in ("completed", "failed")
    early = client.json(path)[1]
    check("a result in progress has its runs", str(run["id"]) in early["runs"] and early["success_rate"] is None, early)
    until(over, 30)
    done = client.json(path)[1]
    check("polled, it is completed", done["status"] == "completed" and done["success_rate"] == 1 and
          done["completed_runs_count"] == 2 and len(done["runs"]) == 2, done["status"])
    one = client.json(f"{V1}/runs/{run['id']}/")[1]
    keys = {"scenario", "personality", "agent", "result_id", "status", "success", "transcript", "transcript_object", "duration",
            "voice_recording_url", "evaluation", "metadata", "inbound_number", "sip", "turns", "executed_at"}
    check("a run has its metrics, its transcript and its messages", keys <= set(one) and one["sip"] and
          "Testing Agent" in one["transcript"] and any(m["key"] == "latency_ms" for m in one["evaluation"]["metrics"]),
          keys - set(one))
    check("what is long is not in the lists", "sip" not in done["runs"][str(run["id"])])
    url = one["voice_recording_url"]
    status, head, wav = client.curl(url)
    check("its recording is a WAV file", status == 200 and wav[:4] == b"RIFF" and int(head["content-length"]) == len(wav), head)
    status, head, part = client.curl(url, "-r", "100-299")
    check("a range of it is that range", status == 206 and part == wav[100:300] and
          head["content-range"] == f"bytes 100-299/{len(wav)}", head)
    check("a range behind its end is refused", client.curl(url, "-r", f"{len(wav)}-")[0] == 416)
    check("a range of another version is the whole", client.curl(url, "-r", "0-9", "-H", 'If-Range: "x"')[2] == wav)
    listed = client.json(f"{V1}/runs/?result_id={result}&page_size=1")[1]
    check("runs are listed by page", listed["count"] == 2 and len(listed["results"]) == 1 and listed["next"] and
          client.json(listed["next"])[1]["results"][0]["id"] == run["id"] + 1, listed)
    bulk = client.json(f"{V1}/runs/bulk/?run_ids={run['id']},{run['id'] + 1},999")[1]
    check("several runs are read at once", [r["id"] for r in bulk] == [run["id"], run["id"] + 1], len(bulk))
    found = client.json(f"{V1}/results/?search=BY&agent_id=1&scenarios=1&page_size=1")[1]
    check("results are found by name, agent and scenario", found["count"] == 1 and found["results"][0]["id"] == result and
          client.json(f"{V1}/results/?search=nothing")[1]["count"] == 0, found)
    check("what there is not is not found", all(client.curl(V1 + p)[0] == 404 for p in (
        "/results/999/", "/runs/999/", "/runs/999/recording", "/results/?page=9", "/nothing", "/runs/../results/",
        "/runs/%2e%2e/", "/runs/1/recording/../../../linecheck.db")))
    check("a result that is over has no calls to end", client.curl(path + "end_calls/", "-X", "POST")[0] == 400)
    return result, run["id"]


def forms_and_keys(client):
    site = client.site
    status, first = client.json(RUN, "-H", "Idempotency-Key: k1", body=GOOD)
    again = client.json(RUN, "-H", "Idempotency-Key: k1", body=GOOD)
    other = client.json(RUN, "-H", "Idempotency-Key: k1", body={**GOOD, "frequency": 2})
    check("the same Idempotency-Key is the same result", (status, again[0]) == (201, 201) and first["id"] == again[1]["id"], again)
    check("for another request it is refused", other[0] == 409, other)
    status, answer = client.json("/test_framework/v2/scenarios/run_scenarios", "-d", "agent_id=1&scenarios=1&scenarios=1&name=7")
    check("a form runs scenarios, by the second version's path too", status == 201 and answer["name"] == "7", answer)
    status, answer = client.json(V1 + "/scenarios/run_scenarios_sip/", "-F", "agent_id=1", "-F", "scenarios=[1]", "-F",
                                 f"sip_endpoint=sip:polite@127.0.0.1:{site.port}")
    check("so does a multipart form, with a SIP address", status == 201, answer)
    mine = client.json(RUN, key="ours", body=GOOD)[1]
    check("a key bound to a project sees its own results", client.json(f"{V1}/results/{mine['id']}/", key="ours")[0] == 200)
    run = mine["runs"][0]["id"]
    until(lambda: site.idle(), 30)
    paths = [f"/results/{mine['id']}/", f"/runs/{run}/", f"/runs/{run}/recording", f"/runs/?result_id={mine['id']}"]
    check("of another's it finds none, however it asks", [client.curl(V1 + p, key="theirs")[0] for p in paths] == [404] * 4 and
          client.json(V1 + "/results/", key="theirs")[1]["count"] == 0 and
          client.json(f"{V1}/runs/bulk/?run_ids={run}", key="theirs")[1] == [] and
          client.curl(V1 + "/results/?project_id=1376", key="theirs")[0] == 403)
    status, answer = client.json(RUN, key="theirs", body=GOOD)
    check("nor can it call what is not its own", status == 400 and "there is no agent 1" in answer["agent_id"][0], answer)


def ended_calls(client):
    answer = client.json(RUN, body={"agent_id": 1, "scenarios": [2], "frequency": 3})[1]
    first, second = answer["runs"][0]["id"], answer["runs"][1]["id"]

    def talking(run):
        return client.json(f"{V1}/runs/{run}/")[1].get("doing") not in (None, "preparing", "dialling")
    until(lambda: talking(first) and talking(second), 20)
    status = client.curl(f"{V1}/runs/{first}/end_call/", "-X", "POST")[0]
    check("one call is hung up", status == 200 and
          until(lambda: client.json(f"{V1}/runs/{first}/")[1]["status"] == "cancelled", 10))
    status = client.curl(f"{V1}/results/{answer['id']}/end_calls/", "-X", "POST")[0]
    check("the others are, too", status == 200 and
          until(lambda: client.json(f"{V1}/results/{answer['id']}/")[1]["status"] == "cancelled", 15), status)
    check("and cannot be twice", client.curl(f"{V1}/runs/{first}/end_call/", "-X", "POST")[0] == 400)


def raw(client, data, wait=3.0, slowly=None):
    """Bytes to the socket, and what comes back until it is closed or the time is up."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=wait) as peer:
        try:
            peer.sendall(data)
            answer = b""
            while part := peer.recv(65536):
                answer += part
        except OSError:
            pass
    return answer


def odd_clients(client):
    ask = f"GET /version HTTP/1.1\r\nX-API-Key: {client.keys['read']}\r\n"
    cases = [("no HTTP", b"nonsense\r\n\r\n", b"400"), ("no host", ask.encode() + b"\r\n", b"400"),
             ("no path", b"GET version HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
             ("two lengths", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
             ("a long header", ask.encode() + b"Host: x\r\nA: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
             ("many headers", ask.encode() + b"Host: x\r\n" + b"A: aaaaaaaaaaaa\r\n" * 2000 + b"\r\n", b"431"),
             ("a body too long", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
             ("an unknown path", b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404")]
    answers = [(name, raw(client, data)[:15], code) for name, data, code in cases]
    check("odd requests get their codes", all(code in got for _, got, code in answers), answers)
    check("a truncated request starts nothing and is let go", raw(client, b"POST " + RUN.encode() + b" HTTP/1.1\r\nHost: x\r\n"
          b"Content-Length: 50\r\n\r\n{", wait=0.3) == b"")
    status, head, _ = client.curl("/version", "-X", "DELETE")
    check("a method that is not there is refused with those that are", status == 405 and head["allow"] == "GET, HEAD", head)
    pair = (ask + "Host: x\r\n\r\n" + ask + "Host: x\r\nConnection: close\r\n\r\n").encode()
    check("two requests at once are answered in turn", raw(client, pair).count(b"HTTP/1.1 200") == 2)
    idle = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(24)]
    status = client.curl("/version")[0]
    for peer in idle:
        peer.close()
    check("too many connections are turned away", status == 503, status)
    check("and there is room again", until(lambda: client.curl("/version")[0] == 200, 5))
    text = client.curl("/metrics")[2].decode()
    check("/metrics is Prometheus' text, without a call in it", 'linecheck_runs_total{outcome="passed"}' in text and
          all(re.fullmatch(r'(# (HELP|TYPE) .+)|([a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+.e0-9]+)', line)
              for line in text.splitlines()) and "run_id" not in text, text)


def crash(client):
    """Killed between the 201 and the first call."""
    site = client.site
    status, answer = client.json(RUN, "-H", "Idempotency-Key: crash", body={**GOOD, "start_at": time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))})
    truth = site.root / "truth.jsonl"
    before = truth.read_text().count('"answered"')
    site.kill()
    site.start()
    client.find()
    path = f"{V1}/results/{answer['id']}/"
    check("after kill -9 the accepted result is there", status == 201 and client.curl(path)[0] == 200)
    until(lambda: client.json(path)[1]["status"] in ("completed", "failed"), 30)
    done = client.json(path)[1]
    run = next(iter(done["runs"].values()))
    calls = truth.read_text().count('"answered"') - before
    check("and runs once, as its agent says too", done["status"] == "completed" and run["attempt"] == 1 and
          len(done["runs"]) == 1 and calls == 1, (done["status"], calls))
    drain = threading.Thread(target=lambda: [client.curl("/version") for _ in range(5)])
    drain.start()
    code = site.stop()
    drain.join()
    check("asked while it stops, the daemon ends with 0", code == 0, code)


site = Site(sys.argv[1], sys.argv[2])
try:
    with site.config.open("a") as config:
        config.write('http: {listen: "127.0.0.1:0", max_connections: 20, requests_per_second: 1000}\n')
    agent = site.root / "catalog/agents/one.yaml"
    agent.write_text(agent.read_text() + "project: 1376\nenabled_personalities: [1]\n")
    (site.root / "catalog/personalities").mkdir()
    for number in (1, 2):
        (site.root / f"catalog/personalities/{number}.yaml").write_text(f"id: {number}\nname: P{number}\n")
    site.start()
    client = Client(site)
    client.make_key("run", "--scope", "run")
    client.make_key("read")
    client.make_key("ours", "--scope", "run", "--project", 1376)
    client.make_key("theirs", "--scope", "run", "--project", 9)
    for part in (without_key, bad_requests, a_run, forms_and_keys, ended_calls, odd_clients, crash):
        part(client)
finally:
    site.close()
    if checks.failed:
        print("    " + site.log.read_text()[-3000:].replace("\n", "\n    "))
sys.exit(checks.failed)
