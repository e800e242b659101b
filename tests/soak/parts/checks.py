"""The two long searches for input that breaks a promise: property tests with many cases, and every fuzz target."""

import os
import re
import shutil
import subprocess

from runner import install

from .settings import REPO, Row

# The crates without clock, sockets and files: their tests are as good on a busy machine as on an idle one.
PURE_CRATES = ("types", "policy", "catalog", "config", "resilience", "quota", "http", "wire")
# One case that takes longer is a finding; the targets see at most 4 KiB each.
FUZZ_CASE_SECONDS_MAX = 10
FUZZ_RSS_MIB_MAX = 1024
# Beyond the planned time, for building.
BUILD_SECONDS_MAX = 1800
TOOL_SECONDS_MAX = 12 * 60


def seeds(settings):
    """Property tests of the pure crates, with fresh seeds and many cases."""
    cases = settings.sizes.proptest_cases
    packages = [option for crate in PURE_CRATES for option in ("--package", f"wellhead-{crate}")]
    environment = {**install.tool_environment(), "PROPTEST_CASES": str(cases),
                   "WELLHEAD_ROUND_TRIPS": str(settings.sizes.round_trips)}
    if install.cargo_tool("nextest", TOOL_SECONDS_MAX):
        command = ["cargo", "nextest", "run", "--no-fail-fast", "--no-tests=pass", *packages]
    else:
        command = ["cargo", "test", "--no-fail-fast", "--lib", *packages]
    log = settings.work / "seeds.log"
    status = logged(command, log, environment, None)
    text = log.read_text(errors="replace")
    if status != 0:
        settings.finding("seeds", f"cargo ended with status {status}: {failed(text) or text[-800:]}")
    return [Row("seeds", f"property tests of the pure crates, PROPTEST_CASES={cases}, "
                f"{settings.sizes.round_trips:,} conversations per dialect", passed(text))]


def failed(text):
    """The tests that failed, and what proptest said about each (the seed is in the crate's proptest-regressions)."""
    tests = {name for name in re.findall(r"^\s+(?:FAIL|TIMEOUT|SIG\w+) \[.*?\]\s+(?:\(.*?\) )?(.*)$", text, re.M)}
    inputs = dict.fromkeys(line.strip() for line in re.findall(r"Test failed: .*|minimal failing input: .*", text))
    return "; ".join([*sorted(tests), *inputs])


def passed(text):
    """`N tests passed, M failed` from the report of nextest or cargo test."""
    summary = re.search(r"Summary \[.*?\] (\d+)(?:/\d+)? tests? run: (.*)$", text, re.M)
    if summary:
        return f"{summary.group(1)} tests: {summary.group(2)}"
    results = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed", text, re.M)
    good, bad = (sum(int(result[index]) for result in results) for index in (0, 1))
    return f"{good + bad} tests: {good} passed, {bad} failed"


def fuzz(settings):
    """Every fuzz target for the same time, one after another; one row each."""
    environment = install.tool_environment()
    if not install.cargo_tool("fuzz", TOOL_SECONDS_MAX):
        missing = "cargo-fuzz is missing and could not be installed"
        return [Row("fuzz", "every fuzz target", f"not run: {missing}", ran=False)]
    listed = subprocess.run(["cargo", "fuzz", "list"], cwd=REPO, env=environment, capture_output=True, text=True,
                            check=True)
    return [_fuzz_one(settings, target, environment) for target in listed.stdout.split()]


def _fuzz_one(settings, target, environment):
    seconds = max(1, round(settings.sizes.fuzz_minutes * 60))
    command = ["cargo", "fuzz", "run", target, "-s", "none", "--", f"-max_total_time={seconds}",
               f"-timeout={FUZZ_CASE_SECONDS_MAX}", f"-rss_limit_mb={FUZZ_RSS_MIB_MAX}", "-print_final_stats=1"]
    log = settings.work / f"fuzz-{target}.log"
    status = logged(command, log, environment, seconds + BUILD_SECONDS_MAX)
    text = log.read_text(errors="replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    runs = int(runs.group(1)) if runs else 0
    if status != 0:
        kept = re.search(r"Test unit written to (\S+)", text)
        where = f"input kept in {os.path.relpath(kept.group(1), REPO)}" if kept else text[-600:]
        settings.finding("fuzz", f"{target} ended with status {status}; {where}")
    elif runs == 0:
        settings.finding("fuzz", f"{target} ran no input")
    return Row("fuzz", f"{target}, {seconds} s", f"{runs:,} inputs, {'nothing found' if status == 0 else 'FAILED'}")


def logged(command, log, environment, seconds_max):
    """Runs in the root of the project with output to a file; the status, or -1 when the time is over."""
    print("  " + " ".join(command), flush=True)
    if not shutil.which("cargo", path=environment["PATH"]):
        return 127
    with log.open("wb") as output:
        try:
            return subprocess.run(command, cwd=REPO, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=seconds_max, check=False).returncode
        except subprocess.TimeoutExpired:
            return -1
