"""The runner must not call a failure a success: it is what everything else is judged by."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from runner import execute, install, machine, report, suites  # noqa: E402

NEXTEST = """\
    Starting 11 tests across 3 binaries
------------
     Summary [   1.234s] 11 tests run: 9 passed (1 slow), 2 failed, 1 skipped
"""
CARGO = """\
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.51s
"""
NODE = "\u2139 tests 7\n\u2139 suites 0\n\u2139 pass 6\n\u2139 fail 1\n\u2139 cancelled 0\n\u2139 skipped 0\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NEXTEST, (9, 2)),
        ("     Summary [   0.1s] 1 test run: 1 passed, 0 skipped\n", (1, 0)),
        (CARGO, (7, 2)),
        ("==== 3 failed, 10 passed, 1 skipped in 1.23s ====\n", (10, 3)),
        ("==== 12 passed in 0.50s ====\n", (12, 0)),
        ("12 passed, 1 warning in 0.50s\n", (12, 0)),
        ("==== 2 passed, 1 error in 0.50s ====\n", (2, 1)),
        (NODE, (6, 1)),
        ("checks: 5 passed, 2 failed\n", (5, 2)),
        ("\x1b[32m==== \x1b[1m4 passed\x1b[0m in 0.1s ====\x1b[0m\n", (4, 0)),
        ("Checking wellhead v0.1.0\n    Finished `dev` profile in 3.2s\n", (0, 0)),
    ],
)
def test_summaries_are_counted(text, expected):
    assert execute.count(text) == expected


def run(tmp_path, script, seconds_max=20):
    command = [sys.executable, "-c", script]
    return execute.run(command, tmp_path / "log", seconds_max, cwd=tmp_path, env=dict(os.environ))


def suite(share_s=20):
    return suites.Suite("example", share_s, [])


def test_a_success_counts(tmp_path):
    row = report.judge(suite(), run(tmp_path, "print('==== 2 passed in 0.1s ====')"))

    assert (row.state, row.passed, row.failed) == ("ok", 2, 0)
    assert "2 passed" in (tmp_path / "log").read_text()


def test_an_exit_status_without_a_failed_test_is_a_failure(tmp_path):
    row = report.judge(suite(), run(tmp_path, "print('==== 2 passed in 0.1s ===='); raise SystemExit(3)"))

    assert (row.state, row.passed, row.failed) == ("FAILED", 2, 1)


def test_a_failed_test_with_exit_status_0_is_a_failure(tmp_path):
    row = report.judge(suite(), run(tmp_path, "print('checks: 1 passed, 1 failed')"))

    assert (row.state, row.failed) == ("FAILED", 1)


def test_a_suite_beyond_its_share_is_stopped_with_its_children(tmp_path):
    """The child holds the other end of the pipe: if it lived on, reading the output would not end."""
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    row = report.judge(suite(), run(tmp_path, script, seconds_max=1))

    assert (row.state, row.failed) == ("TOO SLOW", 1)
    assert row.seconds < 60


def test_the_last_line_adds_up():
    rows = [report.Row("a", "ok", 1, 2, 3, 0), report.Row("b", "FAILED", 1, 2, 4, 2)]

    assert report.last_line(rows) == "7 passed, 2 failed"


def test_the_shares_are_named_and_every_suite_once():
    names = [one.name for one in suites.SUITES]

    assert len(names) == len(set(names))
    assert all(one.share_s > 0 for one in suites.SUITES)
    assert {"fmt", "clippy", "tidy", "unit"} == {one.name for one in suites.SUITES if one.in_check}


def test_what_is_missing_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    gaps = {gap.what: gap.fix() for gap in machine.missing_tools()}

    assert "rustup" in gaps["cargo"]
    assert gaps["Node 20 or newer"] == "apt-get install -y nodejs npm"
    assert "build-essential" in gaps["a C compiler (cc)"]


def test_an_installation_is_repeated_only_when_its_inputs_change(tmp_path):
    stamp, calls = tmp_path / "stamp", []
    for mark in ("one", "one", "two"):
        install.once(stamp, mark, lambda: calls.append(mark))

    assert calls == ["one", "two"]


def test_a_failed_installation_is_tried_again(tmp_path):
    def fail():
        raise install.InstallError("no network")

    with pytest.raises(install.InstallError):
        install.once(tmp_path / "stamp", "one", fail)
    assert not (tmp_path / "stamp").exists()
