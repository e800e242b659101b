#!/usr/bin/env python3
"""The soak: `make soak`. Wears one gateway process down for hours and checks that it keeps its promises.

Exit status: 0 nothing was broken, 1 a promise was broken, 2 the soak could not run."""

import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The processes and the load generator of the benchmarks, and the installers of the tests, are used here too.
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(ROOT / "bench"), str(ROOT / "tests")]

from harness import machine  # noqa: E402
from harness.settings import BenchError  # noqa: E402
from parts import (checks, deferred, faults, kills, memory, outages, overload, reloads, report,  # noqa: E402
                   survival, worlds)
from parts.settings import PARTS, Row, Settings, Sizes, SoakError  # noqa: E402
from parts.stack import Gateway  # noqa: E402

# Parts that wear the one gateway process.
LIVE = {"kills": kills.run, "reloads": reloads.run, "faults": faults.run, "outages": outages.run}
STILL = {"survival": survival.run, "overload": overload.run, "deferred": deferred.run,
         "worlds": worlds.run, "seeds": checks.seeds, "fuzz": checks.fuzz}
NOFILE_STREAMS = 1_000
CANNOT_GO_ON = (SoakError, BenchError, OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError)


def options(argv):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    count = _at_least(1)
    parser.add_argument("--quick", action="store_true", help="a few minutes: does everything run?")
    parser.add_argument("--only", metavar="PART,…", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--kills", type=count, help="kill -9 of an upstream under load")
    parser.add_argument("--reloads", type=count, help="reloads under load")
    parser.add_argument("--scenarios", type=count, help="random fault scenarios")
    parser.add_argument("--outage-seconds", type=_seconds, help="how long a target is down")
    parser.add_argument("--worlds", type=count, help="seeded worlds on virtual time")
    parser.add_argument("--gateway-kills", type=count, help="kill -9 of a gateway with deferred requests")
    parser.add_argument("--cases", type=count, help="cases of each property test")
    parser.add_argument("--fuzz-minutes", type=_minutes, help="minutes for each fuzz target")
    parser.add_argument("--seed", type=int, help="of the scenarios; random if absent")
    parser.add_argument("--scenario", type=_at_least(0), help="only this one, with --seed")
    parser.add_argument("--wellhead", type=pathlib.Path, help="the program under test; built if absent")
    parser.add_argument("--load", type=pathlib.Path, help="the load generator; built if absent")
    parser.add_argument("--out", type=pathlib.Path, help="where the page goes, instead of docs/reference/soak.md")
    given = parser.parse_args(argv)
    given.parts = [part.strip() for part in given.only.split(",")] if given.only else list(PARTS)
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"--only {unknown[0]}: there is no such part; known are {', '.join(PARTS)}")
    if given.scenario is not None and given.seed is None:
        parser.error("--scenario needs the --seed that it failed with")
    return given


def _at_least(least):
    def number(text):
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text}: expected {least} or more")
        return value
    return number


def _seconds(text):
    value = float(text)
    if not 2 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text}: expected 2 to 3600")
    return value


def _minutes(text):
    value = float(text)
    if not 0 < value <= 24 * 60:
        raise argparse.ArgumentTypeError(f"{text}: expected more than 0, at most a day")
    return value


def sizes(given):
    """The sizes that were asked for."""
    chosen = Sizes.quick() if given.quick else Sizes()
    named = {"kills": given.kills, "reloads": given.reloads, "scenarios": given.scenarios, "worlds": given.worlds,
             "outage_seconds": given.outage_seconds, "gateway_kills": given.gateway_kills,
             "proptest_cases": given.cases, "fuzz_minutes": given.fuzz_minutes}
    for name, value in named.items():
        if value is not None:
            setattr(chosen, name, value)
    return chosen


def built(given):
    """(wellhead, load), built where no path was given."""
    wellhead = given.wellhead
    if wellhead is None:
        command = ["cargo", "build", "--package", "wellhead"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            raise SoakError("wellhead did not build; see cargo's message above")
        wellhead = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug" / "wellhead"
    for name, path in (("--wellhead", wellhead), ("--load", given.load)):
        if path is not None and not os.access(path, os.X_OK):
            raise SoakError(f"{name} {path}: no program there")
    return wellhead.resolve(), given.load.resolve() if given.load else machine.build_load()


def timed(part, run, *arguments):
    """Rows of a part, with the time on the first."""
    print(f"--- {part}", flush=True)
    started = time.monotonic()
    rows = run(*arguments)
    rows[0].seconds = time.monotonic() - started
    return rows


def wear(settings, parts):
    """Runs the parts; returns the rows. The gateway is one process from the first to the last live part."""
    rows = []
    live = [part for part in parts if part in LIVE]
    if live:
        gateway = Gateway(settings)
        try:
            before_bytes = memory.start(settings, gateway)
            for part in live:
                rows += _guarded(settings, part, LIVE[part], settings, gateway)
            if "memory" in parts:
                rows += _guarded(settings, "memory", memory.end, settings, gateway, before_bytes)
        finally:
            gateway.stop()
    for part in parts:
        if part in STILL:
            rows += _guarded(settings, part, STILL[part], settings)
    return rows


def _guarded(settings, part, run, *arguments):
    """A part that cannot go on (the gateway died, an upstream was not used again) is a finding; the others go on."""
    try:
        return timed(part, run, *arguments)
    except CANNOT_GO_ON as problem:
        settings.finding(part, f"{type(problem).__name__}: {problem}")
        return [Row(part, "given up", "see the broken promises", ran=False)]


def main(argv):
    """Runs, reports, and says with the exit status what came of it."""
    given = options(argv)
    chosen = sizes(given)
    whole = chosen == Sizes() and given.parts == list(PARTS) and given.scenario is None
    try:
        wellhead, load = built(given)
        seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        work = ROOT / "tests" / ".work" / f"soak-{os.getpid()}"
        work.mkdir(parents=True)
        settings = Settings(chosen, seed, wellhead, load, work, machine.descriptor_limit(NOFILE_STREAMS), cores,
                            given.scenario)
        print(f"seed {seed}, logs in {work.relative_to(ROOT)}", flush=True)
        rows = wear(settings, given.parts)
    except (SoakError, BenchError) as problem:
        print(f"soak: {problem}", file=sys.stderr)
        return 2
    done = subprocess.run([wellhead, "version", "--json"], capture_output=True, text=True, check=False)
    version = json.loads(done.stdout).get("version", "unknown") if done.returncode == 0 else "unknown"
    page = report.render(settings, rows, machine.shape(), version, report.commit(), machine.today(), whole)
    print(page)
    out = given.out or (report.PAGE if whole else None)
    if out:
        out.write_text(page)
    if settings.findings_count:
        print(f"the logs are kept in {work.relative_to(ROOT)}", file=sys.stderr)
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
