#!/usr/bin/env python3
"""Side-by-side speed and memory of Wellhead and its neighbours on this machine, behind `make bench`.

Needs Linux, two cores, Rust; installs nginx, HAProxy, wrk and valgrind from Debian when run as root. Everything
stays on 127.0.0.1. See bench/README.md.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import (bars, clients, gateways, machine, measure_failover, measure_instructions,  # noqa: E402
                     measure_json, measure_memory, measure_startup, measure_stream, report)
from harness.machine import say  # noqa: E402
from harness.settings import REPO, BenchError, Settings, Sizes, check_fixtures  # noqa: E402

# In the order in which they run. Those of ROUNDS are measured in interleaved rounds.
PARTS = {
    "json": measure_json.measure, "stream": measure_stream.measure,
    "translated": measure_stream.translated, "startup": measure_startup.measure,
    "idle": measure_memory.idle_streams, "uploads": measure_memory.uploads, "stopped": measure_memory.slow_readers,
    "failover": measure_failover.measure, "instructions": measure_instructions.measure,
}
ROUNDS = ("json", "stream", "translated", "failover")
PUBLISHED = REPO / "docs" / "reference" / "benchmarks.md"
LATEST = REPO / "bench" / "results" / "latest.json"


def arguments():
    """The command line."""
    keys = [gateway.key for gateway in gateways.ALL]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wellhead", type=pathlib.Path, help="binary (default: build the release profile)")
    parser.add_argument("--without-wellhead", action="store_true", help="measure only the others")
    parser.add_argument("--with-litellm", action="store_true", help="install LiteLLM into bench/.venv and measure it")
    parser.add_argument("--gateways", type=words(keys), default=keys, help=f"of {','.join(keys)}")
    parser.add_argument("--only", type=words(PARTS), default=list(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="short and small: does everything run?")
    parser.add_argument("--seconds", type=float, help="per JSON measurement (default 10)")
    parser.add_argument("--rounds", type=int, help="default 2")
    parser.add_argument("--gateway-core", type=int, help="default: the last usable core")
    parser.add_argument("--load-core", type=int, help="default: the first usable core")
    parser.add_argument("--out", type=pathlib.Path, help="write benchmarks.md and latest.json there instead")
    parser.add_argument("--strict", action="store_true", help="exit 2 when a bar is not met")
    return parser.parse_args()


def words(allowed):
    """A comma-separated subset."""
    def parse(text):
        chosen = [word for word in text.split(",") if word]
        wrong = [word for word in chosen if word not in allowed]
        if wrong or not chosen:
            raise argparse.ArgumentTypeError(f"{', '.join(wrong) or 'nothing'}: expected some of {', '.join(allowed)}")
        return chosen
    return parse


def prepare(args, work):
    """Checks and installs everything; returns the settings and why some rows are missing."""
    check_fixtures()
    machine.install_missing()
    sizes = Sizes.quick() if args.quick else Sizes()
    sizes.seconds = args.seconds or sizes.seconds
    sizes.rounds = args.rounds or sizes.rounds
    if sizes.seconds < 1 or sizes.rounds < 1:
        raise BenchError("--seconds and --rounds: at least 1")
    gateway_core, load_core = machine.cores(args.gateway_core, args.load_core)
    wanted = "wellhead" in args.gateways and not args.without_wellhead
    wellhead = find_wellhead(args.wellhead) if wanted else None
    litellm, why = machine.install_litellm() if args.with_litellm else (None, None)
    load = machine.build_load()
    nofile = machine.descriptor_limit(sizes.idle_streams)
    # The harness itself stays off the gateway's core.
    os.sched_setaffinity(0, {load_core})
    settings = Settings(sizes, gateway_core, load_core, load, wellhead, litellm, work, nofile)
    return settings, {"litellm": why} if why else {}


def find_wellhead(path):
    """The binary that was named, or one built now, so that a stale one is never measured."""
    if not path:
        return machine.build_wellhead()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise BenchError(f"--wellhead {path}: no such program")
    return path.resolve()


def run(settings, args, skipped):
    """Measures every chosen part of every chosen gateway. One that fails is reported and left out of that part."""
    results = {part: {} for part in PARTS}
    chosen = []
    for gateway in gateways.ALL:
        why = gateway.missing(settings)
        if why and gateway.key in args.gateways:
            skipped.setdefault(gateway.key, why)
        elif gateway.key in args.gateways:
            chosen.append(gateway)
    for part, measure in PARTS.items():
        for turn in range(settings.sizes.rounds if part in ROUNDS else 1):
            for gateway in (gateway for gateway in chosen if part in gateway.parts and part in args.only):
                say(f"{part} {turn + 1}: {gateway.key}")
                try:
                    figures = measure(settings, gateway)
                except (BenchError, OSError, ValueError, subprocess.SubprocessError) as why:
                    say(f"  {why}")
                    skipped[f"{part}, {gateway.key}"] = settings.shown([str(why).partition("\n")[0]])
                    continue
                if part in ROUNDS:
                    results[part].setdefault(gateway.key, []).append(figures)
                else:
                    results[part][gateway.key] = figures
    return results


def describe(settings, results, skipped):
    """Adds what a reader of the figures must know."""
    commands = {}
    for part in ROUNDS:
        for key, rounds in results[part].items():
            commands.setdefault(key, rounds[0]["command"])
    commands["client"] = settings.shown(clients.wrk_command(settings, "URL", settings.sizes.seconds))
    about = {"date": machine.today(), "machine": machine.shape(), "versions": machine.versions(settings),
             "sizes": settings.sizes_json(), "commands": commands, "skipped": skipped}
    return {**about, **results, "bars": bars.judge(results)}


def destination(args):
    """Where the page and the figures go; only a whole run of full length with Wellhead replaces the published ones."""
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        return args.out / "benchmarks.md", args.out / "latest.json"
    whole = not (args.quick or args.seconds or args.rounds or args.without_wellhead)
    every = {gateway.key for gateway in gateways.ALL} == set(args.gateways) and set(args.only) == set(PARTS)
    return (PUBLISHED, LATEST) if whole and every else (None, None)


def main():
    """Runs, prints, writes; 0 unless something could not be done (1) or, with --strict, a bar was missed (2)."""
    args = arguments()
    # Ending the harness must end what it started, and only an exception runs the clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="wellhead-bench-") as work:
        os.chmod(work, 0o755)
        settings, skipped = prepare(args, pathlib.Path(work))
        results = describe(settings, run(settings, args, skipped), skipped)
    page = report.render(results)
    print(page)
    page_path, figures_path = destination(args)
    if page_path:
        for path, text in ((page_path, page), (figures_path, json.dumps(results, indent=1, ensure_ascii=False) + "\n")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            say(f"written: {gateways.relative(path)}")
    else:
        say("nothing written: only a whole run of full length is published (or use --out)")
    return 2 if args.strict and any(row["met"] is False for row in results["bars"]) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as problem:
        say(f"bench: {problem}")
        sys.exit(1)
