"""What a cell of the table works with: its client, its model, and the simulator's log."""

import functools
import itertools
import json
import time
import urllib.request

import readers
import table
from config import app_key

# How long a fact may take to show up in another process's log.
SEEN_SECONDS_MAX = 5
POLL_SECONDS = 0.01

# The SDKs' own names of what went wrong.
NAMED = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    503: "InternalServerError",
}
# Anthropic has a name for this one.
UNAVAILABLE = dict.fromkeys(["anthropic-python", "anthropic-node"], "ServiceUnavailableError")
GOOGLE = {"genai-python": ("ClientError", "ServerError"), "genai-node": ("ApiError", "ApiError")}


# What this file asks by itself is no part of the log that is looked at.
OWN = "x-compat-own"


def fetch(url, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", OWN: "yes"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


class World:
    """The servers and clients of this run."""

    def __init__(self, sim_url, tee, drivers):
        self.sim_url, self.tee, self.drivers = sim_url, tee, drivers
        self.numbers = itertools.count(1)
        self.results = {}
        # Every request of the gateway to a target, for the tests of the wire.
        self.traffic = []

    def log(self):
        """Every request of the gateway that the simulator saw since the last `forget`."""
        entries = fetch(f"{self.sim_url}/_sim/requests")["requests"]
        for entry in entries:
            entry["headers"] = {name.lower(): value for name, value in entry["headers"]}
        return [entry for entry in entries if OWN not in entry["headers"]]

    def forget(self):
        """Empties the log, so that reading it stays quick."""
        self.traffic += self.log()
        fetch(f"{self.sim_url}/_sim/requests", method="DELETE")

    @functools.cache
    def truth(self, said, model):
        """What the simulator says to a question, without anybody in between."""
        body = {"model": model, "messages": [{"role": "user", "content": said}]}
        return fetch(f"{self.sim_url}/v1/chat/completions", body)


class Cell:
    """One client at one target in one scenario."""

    def __init__(self, world, client, target, scenario):
        self.world, self.client, self.target, self.scenario = world, client, target, scenario
        self.model = table.model(client, target, scenario)
        # Found in the simulator's log by this; the practice model repeats the last words of a question.
        self.mark = f"mark{next(world.numbers):05}"

    def say(self, text):
        return f"{text} {self.mark}"

    def key(self, app):
        return app_key(app)

    def truth(self, said):
        return self.world.truth(said, "practice")

    def expected(self, said):
        """The text that an answer to this has, whoever asks."""
        return self.truth(said)["choices"][0]["message"]["content"]

    def expected_usage(self, said):
        return self.truth(said)["usage"]

    def try_to(self, **question):
        """Asks; whatever comes back."""
        return self.world.drivers[self.client].ask({"model": self.model} | question)

    def ask(self, **question):
        """Asks, and wants an answer."""
        answer = self.try_to(**question)
        if "unsayable" in answer:
            raise Unsayable(answer["unsayable"])
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def fails(self, status, attempts=True, **question):
        """Asks, and wants the SDK's own error for this status; gives it."""
        error = self.try_to(turns=[{"role": "user", "text": self.say("Hello?")}], **question).get("error")
        assert error, "there was an answer"
        assert error["status"] == status, error
        if google := GOOGLE.get(self.client):
            assert error["class"] == google[status >= 500]
        else:
            named = UNAVAILABLE.get(self.client, NAMED[status]) if status == 503 else NAMED[status]
            assert error["class"] == named
        assert error["message"]
        assert bool(self.entries()) == attempts
        return error

    def entries(self):
        """This cell's requests at the gateway's targets."""
        return [entry for entry in self.world.log() if self.mark in entry["body"]]

    def asked(self, times=None):
        """What the target was asked, in the words of `readers`."""
        entries = self.entries()
        assert len(entries) == times if times else entries
        row = table.TARGETS[self.target]
        for entry in entries:
            name, scheme = row.key
            assert entry["headers"][name] == f"{scheme}sk-{self.target}"
        return [readers.read(row.readers, entry) for entry in entries]

    def asked_once(self):
        return self.asked(1)[0]

    def when_ended(self):
        """The log's entry of the cell's one request, once it has ended."""
        deadline = time.monotonic() + SEEN_SECONDS_MAX
        while True:
            (entry,) = self.entries()
            if entry["ended"]:
                return entry
            assert time.monotonic() < deadline, "the target's answer has not ended"
            time.sleep(POLL_SECONDS)


class Unsayable(Exception):
    """The client's dialect has no such parameter."""


class Refused(Exception):
    """The SDK raised; the argument is its error as a dictionary."""
