"""Starting, watching and ending processes. Only processes started here are ever signalled, by their own ids."""

import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

from .settings import BenchError

TICK_HZ = os.sysconf("SC_CLK_TCK")
STOP_SECONDS_MAX = 10.0


def free_port():
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proc:
    """One program and its children, pinned to one core."""

    def __init__(self, settings, name, argv, core, env=None, stdout=None):
        self.name = name
        self.argv = ["taskset", "-c", str(core), *map(str, argv)]
        self.log = settings.work / f"{name}-{free_port()}.log"
        limit = settings.nofile

        def raise_descriptor_limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        with open(self.log, "wb") as log:
            self.started = time.monotonic()
            self.child = subprocess.Popen(
                self.argv, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                stdout=stdout or log, stderr=log, start_new_session=True, preexec_fn=raise_descriptor_limit)

    @property
    def pid(self):
        """The id of the leader."""
        return self.child.pid

    def complain(self, what):
        """An error that shows the end of the program's own log."""
        tail = self.log.read_text(errors="replace").strip().splitlines()[-8:]
        return BenchError(f"{self.name}: {what}\n  " + "\n  ".join(tail))

    def wait_port(self, port, seconds_max=20.0):
        """Returns when the port accepts; fails when the program ends or the time is over."""
        end = time.monotonic() + seconds_max
        while time.monotonic() < end:
            if self.child.poll() is not None:
                raise self.complain(f"ended with status {self.child.returncode} before it listened")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.005)
        raise self.complain(f"did not listen on port {port} within {seconds_max:.0f} s")

    def pids(self):
        """The leader and all its descendants that live."""
        found, queue = [], [self.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for task in _listed(f"/proc/{pid}/task"):
                queue.extend(int(child) for child in _read(f"/proc/{pid}/task/{task}/children").split())
        return found

    def cpu_seconds(self):
        """User and system time of the tree so far, in steps of one clock tick (10 ms as a rule)."""
        ticks = 0
        for pid in self.pids():
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if len(fields) > 12:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICK_HZ

    def rss_bytes(self):
        """Resident memory of the tree: all of the largest process, and what the others do not share with it."""
        sizes = sorted((_rollup(pid) for pid in self.pids()), reverse=True)
        return sizes[0][0] + sum(private for _, private in sizes[1:]) if sizes else 0

    def stop(self, seconds_max=STOP_SECONDS_MAX):
        """Asks the leader to end, waits, then ends what is left of its tree."""
        left = self.pids() if self.child.poll() is None else []
        if left:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds_max)
                left = []
            except subprocess.TimeoutExpired:
                _kill(left)
        self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()

    def kill9(self):
        """What `kill -9` does, to the whole tree at once."""
        _kill(self.pids())
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""  # the process has ended meanwhile


def _listed(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def _rollup(pid):
    """(resident, private) bytes of one process."""
    kib = {}
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines()[1:]:
        name, _, rest = line.partition(":")
        kib[name] = int(rest.split()[0])
    private = kib.get("Private_Clean", 0) + kib.get("Private_Dirty", 0)
    return kib.get("Rss", 0) * 1024, private * 1024


def busy_seconds():
    """CPU time that the whole machine has spent on anything, for telling a quiet run from a noisy one."""
    fields = [int(value) for value in _read("/proc/stat").splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / TICK_HZ
