"""What is running (see tests/tools/stack.py), and questions to it that the SDK has no part in."""

import json
import os
import re
import time
import urllib.request
from pathlib import Path

# How long a fact may take to show up in another process's log or metrics.
SEEN_SECONDS_MAX = 5
POLL_SECONDS = 0.02


def fetch(url, data=None):
    """The body of a plain HTTP request: GET, or POST when there is something to send."""
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read().decode()


def eventually(question, what):
    """Asks until the answer is true; gives that answer."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not seen within {SEEN_SECONDS_MAX} s: {what}"
        time.sleep(POLL_SECONDS)


class Stack:
    """The servers of this run."""

    def __init__(self, facts):
        self.facts = facts
        self.direct = facts["mode"] == "direct"
        self.gateway_url = facts["gateway_url"]
        self.base_url = f"{self.gateway_url}/v1"

    @classmethod
    def load(cls):
        path = os.environ.get("WELLHEAD_STACK")
        if path is None:
            raise SystemExit("run this through tests/tools/stack.py, which starts the servers")
        return cls(json.loads(Path(path).read_text()))

    def key(self, app="suite"):
        return self.facts["apps"][app]

    def spare(self, kind):
        """A model that no other test uses: `fault-N`, `down-N`, `slow-N` or `rescue-N`."""
        for number in range(self.facts["spares"]):
            claim = Path(self.facts["claims"]) / str(number)
            try:
                claim.touch(exist_ok=False)
            except FileExistsError:
                continue
            return f"{kind}-{number}"
        raise AssertionError("no spare models are left: raise SPARES in tests/tools/test_config.py")

    def upstream_requests(self, sim="steady"):
        """What a simulator saw, newest last; header names are in lower case."""
        entries = json.loads(fetch(f"{self.facts['sims'][sim]}/_sim/requests"))["requests"]
        for entry in entries:
            entry["headers"] = {name.lower(): value for name, value in entry["headers"]}
        return entries

    def upstream_request(self, marker, sim="steady"):
        """The one request whose body has `marker` in it."""
        seen = [entry for entry in self.upstream_requests(sim) if marker in entry["body"]]
        assert len(seen) == 1, f"{len(seen)} requests with {marker!r}"
        return seen[0]

    def upstream_requests_of(self, model):
        """What came in for a spare `fault-N` or `slow-N`: its provider has a key of its own."""
        key = f"sk-fault-{model.rpartition('-')[2]}"
        return [entry for entry in self.upstream_requests("faulty") if entry["key"] == key]

    def inject(self, model, fault, times=None):
        """Makes the provider of a spare model misbehave, with a fault that a header cannot say."""
        number = model.rpartition("-")[2]
        rule = {"match": {"key": f"sk-fault-{number}"}, "fault": fault, "times": times}
        fetch(f"{self.facts['sims']['faulty']}/_sim/faults", data=json.dumps(rule).encode())

    def gateway_requests(self, route):
        """How many requests the gateway has counted for a route."""
        total = 0
        for line in fetch(f"{self.facts['admin_url']}/metrics").splitlines():
            found = re.match(r"wellhead_requests_total\{(.*)\} (\d+)", line)
            if found and f'route="{route}"' in found[1]:
                total += int(found[2])
        return total

    def llama_is_busy(self):
        """Whether a slot of the llama.cpp server is working."""
        return any(slot["is_processing"] for slot in json.loads(fetch(f"{self.facts['llama_url']}/slots")))
