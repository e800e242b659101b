"""The overload of the integration tests at full length: five times the capacity for minutes, and an outage of a minute."""

import re

from runner import install

from .checks import TOOL_SECONDS_MAX, logged
from .settings import Row

SECONDS_MAX = 3600
TEST = "resilience::overload"


def run(settings):
    """Runs the tests against the program under test."""
    extent = {"WELLHEAD_OVERLOAD": "full"} if settings.sizes.full_overload else {}
    environment = {**install.tool_environment(), "WELLHEAD_BIN": str(settings.wellhead), "RUST_BACKTRACE": "0", **extent}
    if install.cargo_tool("nextest", TOOL_SECONDS_MAX):
        command = ["cargo", "nextest", "run", "--package", "wellhead-it", "--no-fail-fast", "--test-threads", "1", TEST]
    else:
        command = ["cargo", "test", "--package", "wellhead-it", TEST, "--", "--test-threads", "1"]
    log = settings.work / "overload.log"
    status = logged(command, log, environment, SECONDS_MAX)
    text = log.read_text(errors="replace")
    found = broken(text)
    for promise in found:
        settings.finding("overload", promise)
    if status != 0 and not found:
        settings.finding("overload", f"cargo ended with status {status}: {text[-800:]}")
    what = "two minutes at five times the capacity; an outage of a minute" if extent else "scaled down"
    return [Row("overload", what, f"{len(found)} broken promises")]


def broken(text):
    """What the failed tests said, each once; nextest shows the output of a failed test twice."""
    said = re.findall(r"^\s*thread '\S*overload::(\w+)'[^\n]*panicked at [^\n]*\n\s*(.*)$", text, re.M)
    return list(dict.fromkeys(f"{test}: {message}" for test, message in said))
