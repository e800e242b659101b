"""The gateway and the simulators as processes, and their control interfaces.

There is one gateway for the whole soak: its configuration changes from part to part, the process does not, so that
what it loses or leaks in one part shows in the next."""

import http.client
import json
import os
import re
import signal
import time
import urllib.request

from harness.procs import Proc, free_port

from .settings import APP_KEY, SoakError

# A simulator or gateway that is not there by then never will be; a debug build on a busy machine is slow.
START_SECONDS_MAX = 30
# A changed file is taken over within a second, a SIGHUP at once; the rest is for a busy machine.
RELOAD_SECONDS_MAX = 20
POLL_SECONDS = 0.02


class Sim:
    """One simulator process on a port that it keeps over restarts."""

    def __init__(self, settings, name, *options):
        self.settings, self.name, self.options = settings, name, options
        self.port = free_port()
        self.proc = None

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self):
        argv = [self.settings.wellhead, "sim", "--addr", f"127.0.0.1:{self.port}", "--threads", 1, *self.options]
        self.proc = Proc(self.settings, self.name, argv, self.settings.load_core)
        self.proc.wait_port(self.port, START_SECONDS_MAX)
        return self

    def kill9(self):
        self.proc.kill9()

    def freeze(self):
        """Stops the process where it stands: the system goes on accepting for it, and nothing is answered."""
        os.kill(self.proc.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.proc.pid, signal.SIGCONT)

    def stop(self):
        if self.proc:
            self.proc.stop()

    def state(self):
        """In-flight requests, totals, rules; None while it is dead."""
        try:
            return self.control("GET", "/_sim/state")
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def control(self, method, path, body=None):
        """One control call."""
        return call(self.port, method, path, body)


class Gateway:
    """The gateway under test."""

    def __init__(self, settings):
        self.settings = settings
        self.port, self.admin_port = free_port(), free_port()
        self.file = settings.work / "gateway.yaml"
        self.access_log = settings.work / "access.log"
        self.proc = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    def start(self, document):
        self.write(document)
        argv = [self.settings.wellhead, "serve", "--config", self.file, "--data-dir", self.settings.work / "data"]
        self.proc = Proc(self.settings, "gateway", argv, self.settings.load_core)
        self.proc.wait_port(self.port, START_SECONDS_MAX)
        self.proc.wait_port(self.admin_port, START_SECONDS_MAX)
        return self

    def document(self, providers, models):
        """A whole configuration around these providers and models."""
        return {
            "version": 1,
            "listen": {"gateway": f"127.0.0.1:{self.port}", "admin": f"127.0.0.1:{self.admin_port}"},
            "server": {"drain_min": "0s", "drain_max": "5s"},
            "telemetry": {"access_log": str(self.access_log)},
            "providers": providers,
            "models": models,
            "apps": {"soak": {"keys": [APP_KEY]}},
        }

    def write(self, document):
        """Replaces the file at once (JSON is YAML), as editors and config maps do."""
        self.write_text(json.dumps(document, indent=1))

    def write_text(self, text):
        beside = self.file.with_suffix(".new")
        beside.write_text(text)
        os.replace(beside, self.file)

    def hang_up(self):
        os.kill(self.proc.pid, signal.SIGHUP)

    def config(self):
        """`config` of /status: generation, last_reload_ok, last_reload_errors."""
        return call(self.admin_port, "GET", "/status", headers={"Accept": "application/json"})["config"]

    def failures(self, provider_name):
        """Attempts at the targets of a provider that have failed so far, before or after their first content."""
        counted = re.findall(r"^wellhead_upstream_attempts_total\{([^}]*)\} (\S+)", self.metrics(), re.M)
        return sum(round(float(count)) for labels, count in counted
                   if f'target="{provider_name}/' in labels and 'result="ok"' not in labels)

    def transitions(self, provider_name, to):
        """How often a target of a provider has come to a state."""
        counted = re.findall(r"^wellhead_breaker_transitions_total\{([^}]*)\} (\S+)", self.metrics(), re.M)
        return sum(round(float(count)) for labels, count in counted
                   if f'target="{provider_name}/' in labels and f'to="{to}"' in labels)

    def resumed(self):
        """Streams that broke off after their first content so far and were finished by somebody else."""
        with self.access_log.open(encoding="utf-8") as records:
            return sum('"rung":"resumed"' in record for record in records)

    def reload(self, document):
        """Takes over `document` by SIGHUP and returns when it is in force."""
        before = self.config()["generation"]
        self.write(document)
        self.hang_up()
        self.wait_config(lambda config: config["generation"] > before, f"a generation above {before}")

    def wait_config(self, condition, what):
        """Polls /status until the condition holds; returns it."""
        end = time.monotonic() + RELOAD_SECONDS_MAX
        while True:
            self.alive()
            config = self.config()
            if condition(config):
                return config
            if time.monotonic() > end:
                raise SoakError(f"the gateway did not come to {what} in {RELOAD_SECONDS_MAX} s; it says {config}")
            time.sleep(POLL_SECONDS)

    def models(self):
        """The names that /v1/models lists."""
        answer = call(self.port, "GET", "/v1/models", headers={"Authorization": f"Bearer {APP_KEY}"})
        return {entry["id"] for entry in answer["data"]}

    def in_flight(self):
        """Requests under way, by the gateway's own count."""
        found = re.search(r"^wellhead_in_flight (\S+)", self.metrics(), re.M)
        return float(found.group(1)) if found else None

    def metrics(self):
        """/metrics as text."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def alive(self):
        """Fails when the process has ended: nothing that an upstream or a file does may end it."""
        if self.proc.child.poll() is not None:
            raise self.proc.complain(f"the gateway ended with status {self.proc.child.returncode}")

    def log_text(self):
        return self.proc.log.read_text(errors="replace")

    def stop(self):
        if self.proc:
            self.proc.stop()


def provider(sim, key):
    """A provider in front of a simulator."""
    return {"kind": "openai-compatible", "base_url": sim.base_url, "keys": [key]}


def call(port, method, path, body=None, headers=None, timeout=15):
    """One JSON call on loopback; any status but 200 is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        sent = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=sent)
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise SoakError(f"{method} {path} on port {port}: {response.status} {text[:300]!r}")
        return json.loads(text)
    finally:
        connection.close()
