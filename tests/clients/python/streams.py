"""A streamed answer as the wire has it: nothing that a client library would hide or mend."""

import http.client
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ANSWER_SECONDS_MAX = 60


@dataclass
class Answer:
    """What a client has when a stream has ended."""

    status: int
    headers: dict
    body: bytes
    # The body had the end that HTTP demands.
    framed: bool
    seconds: float
    events: list = field(default_factory=list)
    # How often the end signal came, and whether anything came behind it.
    done: int = 0
    late: bool = False

    @property
    def choices(self):
        return [event["choices"][0] for event in self.events if event.get("choices")]

    @property
    def deltas(self):
        return [choice.get("delta", {}) for choice in self.choices]

    @property
    def pieces(self):
        """The text, event by event."""
        return [choice.get("text") or choice.get("delta", {}).get("content") or "" for choice in self.choices]

    @property
    def text(self):
        return "".join(self.pieces)

    @property
    def finishes(self):
        return [choice["finish_reason"] for choice in self.choices if choice.get("finish_reason")]

    @property
    def errors(self):
        return [event["error"] for event in self.events if event.get("error")]

    @property
    def usage(self):
        found = [event["usage"] for event in self.events if event.get("usage")]
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        return {name: found[-1][name] for name in names} if found else None

    @property
    def calls(self):
        """Tool calls as a client puts them together: (name, arguments)."""
        calls = {}
        for delta in self.deltas:
            for part in delta.get("tool_calls") or []:
                call = calls.setdefault(part["index"], ["", ""])
                call[0] += part["function"].get("name") or ""
                call[1] += part["function"].get("arguments") or ""
        return [tuple(call) for call in calls.values()]

    @property
    def seams(self):
        return [event["wellhead"] for event in self.events if "wellhead" in event]

    def named(self, member):
        return {json.dumps(event.get(member)) for event in self.events}

    def __str__(self):
        return f"{self.status} {self.headers} framed={self.framed}\n{self.body.decode(errors='replace')[-1500:]}"


def ask(base_url, path, request, key=None):
    """Sends a request and reads the answer to whatever end it comes to."""
    where = urlsplit(base_url)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=ANSWER_SECONDS_MAX)
    started = time.monotonic()
    try:
        connection.request("POST", path, json.dumps(request), headers)
        response = connection.getresponse()
        try:
            body, framed = response.read(), True
        except http.client.IncompleteRead as cut:
            body, framed = cut.partial, False
        headers = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, headers, body, framed, time.monotonic() - started)
    finally:
        connection.close()
    read_events(answer)
    return answer


def read_events(answer):
    """Every event is whole and is JSON: half of one must not reach a client."""
    *events, tail = answer.body.decode().split("\n\n")
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        return
    assert not tail.strip(), f"half an event: {tail!r}"
    for event in events:
        lines = [line for line in event.split("\n") if line and not line.startswith(":")]
        data = "".join(line.removeprefix("data:").strip() for line in lines if line.startswith("data:"))
        if not data:
            continue
        answer.late |= answer.done > 0
        if data == "[DONE]":
            answer.done += 1
        else:
            answer.events.append(json.loads(data))
