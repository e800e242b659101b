"""The first minutes: what Wellhead prints without a configuration works when it is pasted."""

import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS / "tools"))

import procs  # noqa: E402

PROGRAM = Path(os.environ.get("WELLHEAD_BIN") or TESTS.parent / "target" / "debug" / "wellhead")


class FirstRun:
    """Wellhead without a configuration, in a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        self.server = None

    def start(self):
        """Starts it on free ports; gives what it printed."""
        gateway, admin = procs.free_port(), procs.free_port()
        command = [PROGRAM, "serve", "--data-dir", self.directory / "data"]
        command += ["--listen", f"127.0.0.1:{gateway}", "--admin", f"127.0.0.1:{admin}"]
        # Keys of vendors that the person who tests happens to have are no part of this.
        env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        self.server = procs.Server("wellhead", command, self.directory / "output", env=env)
        self.server.wait_for_line(r"ready in \d+ ms")
        self.admin_url = f"http://127.0.0.1:{admin}"
        return self.server.output()

    def stop(self):
        if self.server:
            self.server.stop()


@pytest.fixture
def first_run(tmp_path):
    run = FirstRun(tmp_path)
    yield run
    run.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_line(first_run):
    (line,) = re.findall(r"^ *(curl .*)$", first_run.start(), re.MULTILINE)
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True).stdout

    assert '"content"' in answer
    assert '"error"' not in answer


def test_the_python_snippet(first_run):
    output = first_run.start()
    snippet = re.search(r"^ *from openai import OpenAI$.*?(?=^\S|\Z)", output, re.MULTILINE | re.DOTALL)[0]
    command = [sys.executable, "-c", textwrap.dedent(snippet)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stderr
    assert len(result.stdout) > 20


def test_the_key_is_shown_once_and_kept_nowhere(first_run):
    (key,) = set(re.findall(r"wh_live_[0-9a-f]+", first_run.start()))
    first_run.stop()
    kept = [path for path in (first_run.directory / "data").rglob("*") if path.is_file()]

    assert kept
    assert not [path for path in kept if key.encode() in path.read_bytes()]
    assert "wh_live_" not in first_run.start()


def test_the_data_directory_is_private(first_run):
    first_run.start()
    data = first_run.directory / "data"

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for path in data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_health_and_status_without_a_key(first_run):
    first_run.start()

    for path in ("/livez", "/readyz", "/healthz", "/status", "/metrics"):
        assert procs.http_status(first_run.admin_url + path) == 200, path


def test_a_second_gateway_on_the_same_ports_fails_loudly(first_run):
    first_run.start()
    same_ports = first_run.server.process.args[4:]
    command = [PROGRAM, "serve", "--data-dir", first_run.directory / "other", *same_ports]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert result.returncode == 1
    assert "in use" in result.stdout + result.stderr
