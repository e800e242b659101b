"""Starts servers for tests, waits until they answer, and stops exactly those that it started."""

import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

# A server that has not come up by then never will; cold machines are slow.
READY_SECONDS_MAX = 30
# Wellhead as a service keeps accepting for a while after the first request to end.
DRAIN_SECONDS_MAX = 1
STOP_SECONDS_MAX = 10
POLL_SECONDS = 0.02


class NotReady(Exception):
    """A server did not come up; the text carries the end of its log."""


class Server:
    """A child process with its output in a file."""

    def __init__(self, name, command, log, env=None):
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env
            )

    def output(self):
        return self.log.read_text(errors="replace")

    def wait_until(self, condition, what):
        """Returns what `condition` returns as soon as it is true."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            value = condition()
            if value:
                return value
            status = self.process.poll()
            if status is not None:
                raise NotReady(f"{self.name} ended with status {status} before {what}:\n{self.output()[-4000:]}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name}: no {what} in {READY_SECONDS_MAX} s:\n{self.output()[-4000:]}")
            time.sleep(POLL_SECONDS)

    def wait_for_line(self, pattern):
        """The first match of `pattern` in the output."""
        return self.wait_until(lambda: re.search(pattern, self.output()), f"line that matches {pattern!r}")

    def wait_for_status(self, url, status=200):
        """Polls `url` until it answers with `status`."""
        self.wait_until(lambda: http_status(url) == status, f"status {status} from {url}")

    def stop(self):
        """Asks it to end; asks again, which means at once, when it waits for its clients; then insists."""
        for seconds in (DRAIN_SECONDS_MAX, STOP_SECONDS_MAX):
            if self.process.poll() is not None:
                return
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def http_status(url):
    """The status of a GET, or None when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def free_port():
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RefusingPort:
    """A port that is held but does not listen: connections to it are refused for as long as this lives."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()
