# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon from outside: jobs by its socket and by its directory, reload, limits, drain. One line for each check."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import checks  # noqa: E402
from checks import check  # noqa: E402
from daemon_site import Site, until  # noqa: E402


def jobs_by_socket(site):
    job = site.root / "job.yaml"
    job.write_text(site.job("by socket", frequency=2))
    done = site.cli("run", job, "--json", site.root / "out.json", "--junit", site.root / "out.xml", "--quiet")
    check("run hands its job to the daemon and ends with its verdict", done.returncode == 0, done)
    result = json.loads((site.root / "out.json").read_text())
    check("its report has both calls", result["completed_runs_count"] == 2 and (site.root / "out.xml").exists(), result)
    run = next(iter(result["runs"].values()))
    recording = (site.root / run["voice_recording_url"].removeprefix("file://"))
    check("the recording is where the report says", recording.exists(), recording)
    job.write_text("agent_id: 1\nscenarios: [99]\nnonsense: 1\n")
    done = site.cli("run", job)
    check("a bad job is refused with its places, all at once",
          done.returncode == 2 and f"{job}:2:13: scenarios[0]" in done.stderr and ":3:1: nonsense" in done.stderr, done)
    listed = json.loads(site.cli("results", "--json", code=0).stdout)
    check("results lists it", [r["name"] for r in listed] == ["by socket"], listed)
    shown = json.loads(site.cli("show", run["id"], "--json", code=0).stdout)
    check("show has the run", shown["id"] == run["id"] and shown["status"] == "completed", shown["status"])
    status = json.loads(site.cli("status", "--json", code=0).stdout)
    check("status is that of a daemon at rest", status["state"] == "running" and not status["results"], status)
    check("what makes no sense is refused in words",
          "did you mean 'status'" in site.ask(command="statu")["error"] and not site.ask(nothing=1)["ok"])
    mode = (site.state / "admin.sock").stat().st_mode & 0o777
    check("only its user and group may command the daemon", mode & 0o007 == 0, oct(mode))


def jobs_by_directory(site):
    site.drop("renamed.yaml", site.job("renamed"))
    outside = site.root / "outside.yaml"
    outside.write_text(site.job("linked"))
    os.link(outside, site.jobs / "linked.yaml")
    with (site.jobs / "slow.yaml").open("w") as slow:
        text = site.job("slow")
        slow.write(text[:20])
        slow.flush()
        site.drop("bad.yaml", "agent_id: 1\nscenarios: [1\n")
        os.symlink(outside, site.jobs / "symlink.yaml")
        (site.jobs / "ignored.yaml.part").write_text("x")
        until(lambda: len(site.names("failed")) == 4)
        check("a file that is still being written is not taken", (site.jobs / "slow.yaml").exists())
        slow.write(text[20:])
    wanted = sorted(f"{n}.yaml{e}" for n in ("renamed", "linked", "slow") for e in ("", ".json"))
    until(lambda: site.names("done") == wanted, 30)
    check("what is dropped by rename, by hard link and by writing ends in done/ beside its report",
          site.names("done") == wanted, site.names("done"))
    report = json.loads((site.jobs / "done/slow.yaml.json").read_text())
    check("the report is that of the job", report["name"] == "slow" and report["status"] == "completed", report["status"])
    check("what is refused ends in failed/ beside its problems",
          site.names("failed") == ["bad.yaml", "bad.yaml.error", "symlink.yaml", "symlink.yaml.error"],
          site.names("failed"))
    error = (site.jobs / "failed/bad.yaml.error").read_text()
    check("the problems have file, line and column", f"{site.jobs}/bad.yaml:" in error and error.count(":") >= 3, error)
    check("nothing else is touched", [p.name for p in site.jobs.iterdir() if p.is_file()] == ["ignored.yaml.part"])
    site.drop("renamed.yaml", site.job("renamed"))
    until(lambda: "renamed.yaml.2" in site.names("done"), 10)
    names = [r["name"] for r in site.ask(command="results")["answer"]]
    check("the same file again is not called again", names.count("renamed") == 1 and "renamed.yaml.2.json" in
          site.names("done"), (names, site.names("done")))


def reloads(site):
    def edit(name, text):
        (site.root / name).write_text(text)

    site.write_config(", concurrent_calls: 7")
    site.write_scenario(3, "New", "Hello again. Goodbye. <endcall/>")
    done = site.cli("reload")
    check("reload says what has changed", done.returncode == 0 and "limits changed" in done.stdout and
          "scenario 3 added" in done.stdout, done)
    check("the service manager heard of it", site.heard("RELOADING=1"))
    good = (site.root / "catalog/scenarios/3.yaml").read_text()
    edit("catalog/scenarios/3.yaml", good.replace("max_duration: 12", "max_duration: soon"))
    done = site.cli("reload")
    check("a broken file refuses the reload, with its place",
          done.returncode == 2 and "scenarios/3.yaml:4:15: max_duration" in done.stderr, done)
    status = site.status()
    check("status says that the last reload was refused", not status["reload"]["last_succeeded"] and
          status["reload"]["refused"] == 1, status["reload"])
    job = site.root / "job3.yaml"
    job.write_text(site.job("old catalogue", scenarios=[3]))
    check("the old catalogue stays in use", site.cli("run", job, "--quiet").returncode == 0)
    edit("catalog/scenarios/3.yaml", good)
    site.daemon.send_signal(signal.SIGHUP)
    check("SIGHUP reloads too", until(lambda: site.status()["reload"]["succeeded"] == 2, 10), site.status()["reload"])
    site.config.write_text(site.config.read_text().replace("12000-12999", "12000-12899"))
    done = site.cli("reload")
    check("what takes a restart is refused by name", done.returncode == 2 and "media" in done.stderr and
          "restart" in done.stderr, done)
    site.write_config(", concurrent_calls: 7")


def live_control(site):
    reply = site.ask(command="run", name="live", text=site.job("live", scenarios=[2], frequency=40, concurrency_limit=2))
    result = reply["answer"]["result"]

    def state():
        return site.ask(command="result", result=result)["answer"]

    until(lambda: state()["active"] == 2)
    small = site.ask(command="run", name="small", text=site.job("small"))["answer"]["result"]
    check("a small job starts beside a large one",
          until(lambda: site.ask(command="result", result=small)["answer"]["over"], 15))
    site.cli("limits", "--result", result, "--max-calls", 4, code=0)
    check("a higher limit takes effect while it runs", until(lambda: state()["active"] == 4, 10), state())
    site.cli("pause", result, code=0)
    check("a paused result starts nothing more", until(lambda: state()["active"] == 0, 15) and
          state()["state"] == "paused", state())
    site.cli("resume", result, code=0)
    check("resumed, it goes on", until(lambda: state()["active"] > 0, 10), state())
    site.cli("log-level", "calls", "debug", code=0)
    check("a level is changed while it runs", site.status()["log"]["calls"] == "debug")
    site.cli("stop", result, "--now", code=0)
    check("stopped at once, it is over soon", until(lambda: state()["over"], 10) and state()["state"] == "cancelled", state())


def drain(site):
    check("the watchdog is fed", until(lambda: site.heard("WATCHDOG=1"), 5))
    check("a status line tells what is going on", until(lambda: site.heard("STATUS="), 5), site.told)
    result = site.ask(command="run", name="last", text=site.job("last", scenarios=[2], frequency=3,
                                                              concurrency_limit=1))["answer"]["result"]
    until(lambda: site.ask(command="result", result=result)["answer"]["active"] == 1)
    until(lambda: site.status()["dialled"] and site.ask(command="result", result=result)["answer"]["calls"][0]["doing"]
          not in ("", "preparing", "dialling"))
    begun = time.monotonic()
    code = site.stop()
    took = time.monotonic() - begun
    check("told to stop, it ends with 0 after the call in progress", code == 0 and took > 1, (code, took))
    check("the service manager heard STOPPING and EXTEND_TIMEOUT_USEC",
          site.heard("STOPPING=1") and site.heard("EXTEND_TIMEOUT_USEC="), site.told)
    check("the socket is gone", not (site.state / "admin.sock").exists())
    site.start()
    check("the next process goes on with the rest",
          until(lambda: site.ask(command="result", result=result)["answer"]["over"], 30))
    answer = site.ask(command="result", result=result)["answer"]
    runs = json.loads(pathlib.Path(answer["json"]).read_text())["runs"].values()
    late = "This machine kept time badly"  # which is said of a call that was made, and no fault of the restart
    check("no call was made twice, none was lost", len(runs) == 3 and all(r["attempt"] == 1 and
          (r["status"] == "completed" or r["failure"]["reason"].startswith(late)) for r in runs), [(r["status"], r["attempt"], r["failure"]) for r in runs])


def one_at_a_time(site):
    other = subprocess.run([site.binary, "serve", "-c", str(site.config)], capture_output=True, text=True, timeout=20)
    check("a second daemon in the same state directory is refused", other.returncode == 3 and "locked" in other.stderr,
          other)


site = Site(sys.argv[1], sys.argv[2])
try:
    site.start(watchdog_s=3)
    for part in (jobs_by_socket, jobs_by_directory, reloads, live_control, one_at_a_time, drain):
        part(site)
finally:
    site.close()
    if checks.failed:
        print("    " + site.log.read_text()[-3000:].replace("\n", "\n    "))
sys.exit(checks.failed)
