"""Seeded worlds: the data plane on virtual time, each in a fraction of a second (docs/reference/simulation.md)."""

import re

from runner import install

from .checks import BUILD_SECONDS_MAX, logged
from .settings import Row

# A world takes some tenths of a second; ten times that is a machine that does other things too.
WORLD_SECONDS_MAX = 2


def run(settings):
    """Plays as many worlds as asked for, beginning at the seed of the run, so that every run plays others."""
    count = settings.sizes.worlds
    command = ["cargo", "run", "--quiet", "--profile", "bench-quick", "--package", "wellhead-world", "--",
               "--seeds", f"{settings.seed}..{settings.seed + count}"]
    log = settings.work / "worlds.log"
    status = logged(command, log, install.tool_environment(), BUILD_SECONDS_MAX + count * WORLD_SECONDS_MAX)
    text = log.read_text(errors="replace")
    found = broken(text)
    for promise in found:
        settings.finding("worlds", promise)
    if not found and (status != 0 or figures(text) is None):
        settings.finding("worlds", f"cargo ended with status {status}: {text[-800:]}")
    what = f"{count:,} worlds on virtual time, from seed {settings.seed} on"
    return [Row("worlds", what, figures(text) or "see the broken promises")]


def figures(text):
    """Requests and broken worlds, or nothing if the run did not come so far."""
    requests = sum(int(number) for number in re.findall(r"^ *(\d+) [a-z]+/[a-z-]+$", text, re.M))
    line = re.search(r"^(\d+) worlds, (\d+) of them break promises$", text, re.M)
    return f"{requests:,} requests; {line.group(2)} worlds break promises" if line else None


def broken(text):
    """The worlds that break promises: each with its first promise and the command that plays it again."""
    return [" ".join(found.split()) for found in re.findall(r"^seed \d+ .*breaks promises: .*(?:\n  .*)?", text, re.M)]
