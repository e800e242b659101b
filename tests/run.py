#!/usr/bin/env python3
"""Runs the test suites: everything that gates (`make test`), or the quick loop (`make check`).

    tests/run.py                all suites
    tests/run.py --check        format, lint, tidy, unit tests
    tests/run.py --only NAME    one suite, or several with commas
    tests/run.py --list         the suites with their shares of the time

Installs what is missing first. The last line is `N passed, N failed`; the exit status is 0 only if nothing failed.
"""

import argparse
import os
import shutil
import sys
import time

from runner import execute, install, machine, paths, report, suites


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="the quick loop")
    parser.add_argument("--only", metavar="NAMES", help="names of suites, with commas")
    parser.add_argument("--list", action="store_true", help="show the suites and stop")
    return parser.parse_args()


def chosen(options):
    """The suites that were asked for, in their order."""
    if options.only is None:
        return [suite for suite in suites.SUITES if suite.in_check or not options.check]
    names = options.only.split(",")
    known = [suite.name for suite in suites.SUITES]
    for name in names:
        if name not in known:
            sys.exit(f"no suite {name!r}; there are: {', '.join(known)}")
    return [suite for suite in suites.SUITES if suite.name in names]


def set_up(rows, check):
    """Prerequisites and packages, as the first row of the table."""
    started = time.monotonic()
    machine.require_tools()
    problem = ""
    try:
        if not check:
            install.python_packages()
            install.node_packages()
    except install.InstallError as error:
        problem = str(error)
    seconds = time.monotonic() - started
    state = "FAILED" if problem else "ok"
    rows.append(report.Row("set-up", state, seconds, 600, 0 if problem else 1, 1 if problem else 0, problem))


def run_suite(suite, seconds_left):
    """One suite, from its heading to its row."""
    print(f"\n=== {suite.name} " + "=" * (70 - len(suite.name)), flush=True)
    started = time.monotonic()
    try:
        if suite.prepare:
            suite.prepare()
        command = suite.argv()
    except suites.Skip as reason:
        print(f"skipped: {reason}", flush=True)
        return report.Row(suite.name, "skipped", time.monotonic() - started, suite.share_s, 0, 0, str(reason))
    preparation_s = time.monotonic() - started
    limit = max(1, min(suite.share_s, seconds_left - preparation_s))
    print("+", " ".join(map(str, command)), flush=True)
    log = paths.LOGS / f"{suite.name}.log"
    outcome = execute.run(command, log, limit, cwd=paths.ROOT, env=suites.environment(suite))
    row = report.judge(suite, outcome)
    row.seconds += preparation_s
    return row


def tidy_up():
    """Removes what runs before this one left; a server directory carries the number of the process that made it."""
    shutil.rmtree(paths.LOGS, ignore_errors=True)
    paths.LOGS.mkdir(parents=True)
    for directory in paths.WORK.glob("stack-*"):
        try:
            os.kill(int(directory.name.removeprefix("stack-")), 0)
        except ProcessLookupError:
            shutil.rmtree(directory, ignore_errors=True)
        except PermissionError:
            continue


def main():
    options = arguments()
    if options.list:
        for suite in suites.SUITES:
            print(f"{suite.name:<14} {report.clock(suite.share_s):>6}  {'check, test' if suite.in_check else 'test'}")
        return 0
    wanted = chosen(options)
    tidy_up()
    os.chdir(paths.ROOT)
    started = time.monotonic()
    rows = []
    set_up(rows, options.check)
    if rows[0].failed == 0:
        for suite in wanted:
            rows.append(run_suite(suite, suites.ALL_SECONDS_MAX - (time.monotonic() - started)))
    logs = paths.LOGS.relative_to(paths.ROOT)
    print(f"\n{report.table(rows)}\n\nlogs: {logs}\n{report.last_line(rows)}", flush=True)
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
