# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process costs: CPU of its whole tree, resident memory, how busy a core was, how late the machine itself is."""
import contextlib
import os
import pathlib
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CGROUPS = {"v1": pathlib.Path("/sys/fs/cgroup/cpuacct"), "v2": pathlib.Path("/sys/fs/cgroup")}


def stat_of(pid):
    """(parent, CPU seconds with those of reaped children, resident bytes), or None when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS, int(fields[21]) * PAGE


def tree(root):
    """CPU seconds and resident bytes of a process and its descendants."""
    stats = {int(p): s for p in os.listdir("/proc") if p.isdigit() and (s := stat_of(p))}
    cpu = memory = 0.0
    todo = [root]
    while todo:
        pid = todo.pop()
        if pid not in stats:
            continue
        cpu += stats[pid][1]
        memory += stats[pid][2]
        todo += [child for child, s in stats.items() if s[0] == pid]
    return cpu, memory


def threads(pid):
    """CPU seconds by thread name: sip 1, media 1, ..."""
    seconds = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name, _, rest = task.joinpath("stat").read_text().partition("(")[2].rpartition(")")
            fields = rest.split()
            seconds[name] = seconds.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def core_times(core):
    """(busy, all) clock ticks of a core since it booted."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            ticks = list(map(int, fields[1:9]))
            return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
    return 0, 0


class Group:
    """A control group of its own where one can be made, so that kernel threads that work for it are counted too."""

    def __init__(self, name):
        self.path = self.usage = None
        if (CGROUPS["v1"] / "cpuacct.usage").is_file():
            root, file = CGROUPS["v1"], "cpuacct.usage"
        elif (CGROUPS["v2"] / "cgroup.controllers").is_file():
            root, file = CGROUPS["v2"], "cpu.stat"
        else:
            return
        path = root / f"linecheck-bench-{os.getpid()}-{name}"
        try:
            path.mkdir()
        except OSError:
            return
        if (path / file).is_file():
            self.path, self.usage = path, path / file

    def enter(self):
        """In the child, before it becomes the program."""
        if self.path:
            with contextlib.suppress(OSError):
                (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self, pid):
        if self.usage:
            text = self.usage.read_text()
            if self.usage.name == "cpuacct.usage":
                used = int(text) / 1e9
            else:
                used = int(text.split()[1]) / 1e6
            if used > 0:
                return used
        return tree(pid)[0]

    def close(self):
        if self.path:
            with contextlib.suppress(OSError):
                self.path.rmdir()


class Program:
    """A child process on a core of its own, in a control group of its own."""

    def __init__(self, name, command, core, log, **options):
        self.name, self.group, self.log = name, Group(name), log

        def prepare():
            self.group.enter()
            if core is not None:
                os.sched_setaffinity(0, {core})

        with open(log, "w") as sink:
            options.setdefault("stdout", sink)
            self.process = subprocess.Popen(command, stderr=sink, preexec_fn=prepare, **options)
        self.pid = self.process.pid

    def cpu(self):
        return self.group.seconds(self.pid)

    def resident(self):
        stat = stat_of(self.pid)
        return stat[2] if stat else 0

    def ended(self):
        return self.process.poll() is not None

    def stop(self, *signals, patience=30):
        """Sends the signals one after the other; SIGKILL when all patience is gone."""
        for number in signals:
            if self.ended():
                break
            self.process.send_signal(number)
            time.sleep(0.3)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.group.close()

    def complaint(self):
        return pathlib.Path(self.log).read_text(errors="replace")[-3000:]


def machine_lateness_ms(core, seconds=2.0):
    """How late a bare thread at SCHED_FIFO wakes on that core, with nothing of ours running: (p50, p99, max) in ms.

    None where SCHED_FIFO is not permitted.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.sched_setaffinity(0, {core})
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
            late, due = [], time.clock_gettime_ns(time.CLOCK_MONOTONIC) + 1_000_000
            for _ in range(int(seconds * 1000)):
                time.sleep(max(0, due - time.clock_gettime_ns(time.CLOCK_MONOTONIC)) / 1e9)
                late.append(time.clock_gettime_ns(time.CLOCK_MONOTONIC) - due)
                due += 1_000_000
            late.sort()
            text = " ".join(str(late[min(len(late) - 1, int(len(late) * share))] / 1e6) for share in (0.5, 0.99, 1))
            os.write(writing, text.encode())
        except OSError:
            pass
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        words = answer.read().split()
    os.waitpid(child, 0)
    return tuple(round(float(w), 3) for w in words) if words else None


TERMINATE = (signal.SIGTERM,)
HANG_UP_ALL = (signal.SIGINT, signal.SIGINT)
