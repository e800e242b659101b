"""The clients: wrk for unstreamed load, `load` for everything else. Both report one JSON object."""

import json
import resource
import subprocess

from .procs import Proc
from .settings import CLIENT_KEY, CONF, BenchError

# Beyond the planned time, for connecting and for the last answers.
GRACE_SECONDS = 60


def wrk(settings, url, seconds, body="chat-request.json"):
    """Runs wrk and returns its figures; `errors` is the sum of everything that was not a 2xx or 3xx answer."""
    argv = wrk_command(settings, url, seconds)
    env = {"BENCH_BODY": str(CONF / body), "BENCH_KEY": CLIENT_KEY}
    proc = Proc(settings, "wrk", argv, settings.load_core, env=env, stdout=subprocess.PIPE)
    with proc:
        text = _output(proc, seconds)
    lines = [line for line in text.splitlines() if line.startswith("BENCH ")]
    if not lines:
        raise proc.complain("no result line")
    figures = json.loads(lines[0][len("BENCH "):])
    figures["errors"] = sum(figures.pop(name) for name in ("connect", "read", "write", "status", "timeout"))
    return figures


def wrk_command(settings, url, seconds):
    """The command line, also for the published page."""
    sizes = settings.sizes
    return ["wrk", "-t1", f"-c{sizes.connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "30s",
            "-s", CONF / "chat.lua", url]


def load(settings, command, url, *options, body="chat-request.json", seconds=60):
    """Runs one client command of `load` to its end; returns its last line, the summary."""
    proc = load_started(settings, command, url, *options, body=body)
    with proc:
        text = _output(proc, seconds)
    lines = text.splitlines()
    if not lines:
        raise proc.complain("no report")
    return json.loads(lines[-1])


def load_started(settings, command, url, *options, body="chat-request.json"):
    """Starts one client command of `load`; `report_line` reads what it says."""
    argv = [settings.load, command, "--url", url, "--key", CLIENT_KEY]
    argv += ["--body", CONF / body] if body else []
    argv += list(map(str, options))
    return Proc(settings, f"load-{command}", argv, settings.load_core, stdout=subprocess.PIPE)


def report_line(proc):
    """The next line of a started client."""
    line = proc.child.stdout.readline()
    if not line:
        raise proc.complain("ended without a report")
    return json.loads(line)


def children_cpu_seconds():
    """CPU time of all children of this process that have ended and been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _output(proc, seconds):
    try:
        out, _ = proc.child.communicate(timeout=seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{proc.name}: did not end within {seconds + GRACE_SECONDS:.0f} s") from None
    if proc.child.returncode != 0:
        raise proc.complain(f"ended with status {proc.child.returncode}")
    return out.decode()
