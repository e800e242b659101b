"""The fault matrix of the integration tests with every pair of faults, instead of each pair of classes."""

import re

from runner import install

from .checks import TOOL_SECONDS_MAX, logged
from .settings import Row

# The whole matrix takes four minutes on two cores; what is beyond is for building.
SECONDS_MAX = 3600
TEST = "survival::the_fault_matrix"


def run(settings):
    """Runs the matrix against the program under test."""
    extent = {"WELLHEAD_SURVIVAL": "all"} if settings.sizes.all_pairs else {}
    environment = {**install.tool_environment(), "WELLHEAD_BIN": str(settings.wellhead), "RUST_BACKTRACE": "0", **extent}
    if install.cargo_tool("nextest", TOOL_SECONDS_MAX):
        command = ["cargo", "nextest", "run", "--package", "wellhead-it", "--success-output", "immediate", TEST]
    else:
        command = ["cargo", "test", "--package", "wellhead-it", TEST, "--", "--nocapture"]
    log = settings.work / "survival.log"
    status = logged(command, log, environment, SECONDS_MAX)
    text = log.read_text(errors="replace")
    found = broken(text)
    for promise in found:
        settings.finding("survival", promise)
    if not found and (status != 0 or figures(text) is None):
        settings.finding("survival", f"cargo ended with status {status}: {text[-800:]}")
    what = "every pair of faults" if settings.sizes.all_pairs else "each pair of classes of faults"
    return [Row("survival", f"every fault alone, and {what}", figures(text) or "see the broken promises")]


def figures(text):
    """`N cases in S s, N broken promises`, or nothing if it did not come so far."""
    line = re.search(r"^\s*survival: (.*)$", text, re.M)
    return line.group(1) if line else None


def broken(text):
    """The broken promises, each with its case; nextest shows the output of a failed test twice."""
    return list(dict.fromkeys(re.findall(r"^\s*(\S.* / .*, (?:whole|streamed): .*)$", text, re.M)))
