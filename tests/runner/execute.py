"""Runs one command with a time limit, shows and keeps what it prints, and counts the tests in it."""

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

# How long a command that was told to stop may take before it is killed.
STOP_GRACE_S = 10

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# What each test runner prints at its end: (passed, failed) as a pair of patterns.
SUMMARIES = (
    # cargo nextest: "Summary [   1.2s] 10 tests run: 9 passed (1 slow), 1 failed, 0 skipped"
    (r"^ *Summary \[.*?tests? run: (\d+) passed", r"^ *Summary \[.*?(\d+) failed"),
    # cargo test, once per binary
    (r"^test result: \w+\. (\d+) passed", r"^test result: \w+\. \d+ passed; (\d+) failed"),
    # pytest: "=== 3 failed, 10 passed, 1 skipped, 1 error in 1.2s ===", without the rulers when quiet
    (r"^(?:=+ )?(?:\d+ .*, )?(\d+) passed\b.* in \d", r"^(?:=+ )?(\d+) failed\b.* in \d"),
    (r"(?!)", r"^(?:=+ )?(?:\d+ .*, )?(\d+) errors?\b.* in \d"),
    # our own scripts: "checks: 5 passed, 0 failed"
    (r"^checks: (\d+) passed", r"^checks: \d+ passed, (\d+) failed"),
    # node --test with the spec reporter
    (r"^\S* ?pass (\d+)$", r"^\S* ?fail (\d+)$"),
)


@dataclass
class Outcome:
    """How a command ended."""

    status: int
    seconds: float
    timed_out: bool
    passed: int
    failed: int


def count(text):
    """Tests passed and failed, by the summaries in the output; (0, 0) when it has none."""
    plain = ANSI.sub("", text)
    total = [0, 0]
    for patterns in SUMMARIES:
        for side, pattern in enumerate(patterns):
            total[side] += sum(int(number) for number in re.findall(pattern, plain, re.MULTILINE))
    return tuple(total)


def stop(process):
    """Ends the command and what it started: it has a process group of its own."""
    for send in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, send)
        except ProcessLookupError:
            return
        try:
            process.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            continue


def run(command, log, seconds_max, cwd, env):
    """Runs `command`; its output goes to the terminal and to `log`."""
    started = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    timed_out = threading.Event()

    def expire():
        timed_out.set()
        stop(process)

    timer = threading.Timer(seconds_max, expire)
    timer.start()
    lines = []
    try:
        with log.open("w") as file:
            for line in process.stdout:
                print(line, end="", flush=True)
                file.write(line)
                lines.append(line)
        status = process.wait()
    except BaseException:
        stop(process)
        raise
    finally:
        timer.cancel()
    passed, failed = count("".join(lines))
    return Outcome(status, time.monotonic() - started, timed_out.is_set(), passed, failed)
