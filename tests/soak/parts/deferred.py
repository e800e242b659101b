"""kill -9 of the gateway itself while it accepts and answers deferred requests: no request that got a 202 may be lost,
and none may be done twice. The test is that of the integration tests, with as many kills as the soak asks for."""

import re

from runner import install

from .checks import TOOL_SECONDS_MAX, logged
from .settings import Row

# A round takes half a second on two idle cores; what is beyond is for building and for a busy machine.
SECONDS_PER_KILL_MAX, SECONDS_BESIDE_MAX = 10, 3600
TEST = "resilience::deferred_kill"


def run(settings):
    """All kills; one row with what came of the promises."""
    kills = settings.sizes.gateway_kills
    environment = {**install.tool_environment(), "WELLHEAD_BIN": str(settings.wellhead), "RUST_BACKTRACE": "0",
                   "WELLHEAD_KILLS": str(kills), "WELLHEAD_SEED": str(settings.seed)}
    if install.cargo_tool("nextest", TOOL_SECONDS_MAX):
        command = ["cargo", "nextest", "run", "--package", "wellhead-it", "--success-output", "immediate", TEST]
    else:
        command = ["cargo", "test", "--package", "wellhead-it", TEST, "--", "--nocapture"]
    log = settings.work / "deferred.log"
    status = logged(command, log, environment, SECONDS_BESIDE_MAX + kills * SECONDS_PER_KILL_MAX)
    text = log.read_text(errors="replace")
    found = figures(text)
    if status != 0 or found is None:
        settings.finding("deferred", f"cargo ended with status {status}: {broken(text) or text[-800:]}")
    what = f"kill -9 of a gateway that accepts and answers deferred requests, {kills} times"
    return [Row("deferred", what, found or "see the broken promises")]


def figures(text):
    """`N kills, N promises, …`, or nothing if it did not come so far."""
    line = re.search(r"^\s*deferred: (.*)$", text, re.M)
    return line.group(1) if line else None


def broken(text):
    """What the test said when it failed."""
    said = re.search(r"panicked at .*deferred.*\n(.*)", text)
    return said.group(1).strip() if said else None
