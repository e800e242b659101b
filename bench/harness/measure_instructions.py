"""Instructions per request on the direct path, by callgrind: the slope between two numbers of requests.

The slope leaves out start-up and shutdown. Unlike time it does not depend on the machine's mood, so it is what
speed regressions are judged by (within 1 %).
"""

import re
import shutil
import subprocess

from . import clients
from .gateways import Shape, probe
from .settings import BenchError
from .upstreams import canned

START_SECONDS_MAX = 120.0
# Everything is some fifty times slower under callgrind, the drain and the writing of the profile too.
STOP_SECONDS_MAX = 90.0
FUNCTIONS_SHOWN = 15
LINE = re.compile(r"^\s*([\d,]+) \(\s*([\d.]+)%\)\s+(\S.*)$")


def measure(settings, gateway):
    """Instructions per request, and the functions that cost most in the longer run."""
    if not shutil.which("valgrind"):
        raise BenchError("valgrind is not installed (apt-get install valgrind)")
    sizes = settings.sizes
    upstream, port = canned(settings)
    with upstream:
        low, _ = count(settings, gateway, port, sizes.instructions_low)
        high, out = count(settings, gateway, port, sizes.instructions_high)
    slope = (high - low) / (sizes.instructions_high - sizes.instructions_low)
    return {"per_request": round(slope), "low": low, "high": high, "functions": functions(out)}


def count(settings, gateway, upstream_port, requests):
    """(instructions of one whole life with this many requests, the profile's file)"""
    out = settings.work / f"callgrind-{gateway.key}-{requests}.out"
    wrapper = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}")
    shape = Shape(first=upstream_port, single_process=True, wrapper=wrapper)
    running = gateway.start(settings, shape, seconds_max=START_SECONDS_MAX)
    try:
        probe(running)
        report = clients.load(settings, "calls", running.url, "--requests", requests, seconds=600)
    finally:
        running.proc.stop(STOP_SECONDS_MAX)
    if report["ok"] != requests:
        raise BenchError(f"{gateway.key}: {report['ok']} of {requests} requests under callgrind: {report['errors']}")
    for line in out.read_text(errors="replace").splitlines():
        if line.startswith(("totals:", "summary:")):
            return int(line.split()[1]), out
    raise running.proc.complain("callgrind wrote no total: the gateway did not end by itself when asked to")


def functions(out):
    """The most expensive functions by their own instructions: [{"share", "function"}]"""
    done = subprocess.run(["callgrind_annotate", "--threshold=90", str(out)], capture_output=True, text=True,
                          check=False, timeout=300)
    rows = []
    for line in done.stdout.splitlines():
        match = LINE.match(line)
        if match and "PROGRAM TOTALS" not in line:
            # "file:function [object]" without the machine's paths
            name = re.sub(r"\s*\[[^\]]*\]$", "", match.group(3)).rpartition("/")[2]
            rows.append({"share": float(match.group(2)), "function": name.partition(":")[2] or name})
    return rows[:FUNCTIONS_SHOWN]
