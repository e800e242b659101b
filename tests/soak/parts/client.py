"""One chat request, streamed or not, and everything about its answer that the checker wants to know."""

import gzip
import http.client
import json
import time
import zlib
from dataclasses import dataclass, field

from .settings import APP_KEY

# Answers here are a few KiB; a faulty upstream may add a MiB of padding. More is a runaway.
ANSWER_BYTES_MAX = 16 * 1024 * 1024


@dataclass
class Answer:
    """What came back. Times are seconds from the sending of the request."""

    streamed: bool
    status: int | None = None
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    text: str = ""
    content_s: float | None = None
    quiet_s: float = 0.0
    ended_s: float = 0.0
    # How the transport ended: `clean`, `broken` (reset or cut short), `stuck` (the client's patience was over).
    end: str = "clean"
    # Of streams: what the events said.
    finish: str | None = None
    done: bool = False
    error: dict | None = None
    after_done: int = 0
    unreadable: int = 0

    def header(self, name):
        return self.headers.get(name)

    def json(self):
        """The body as an object, or None."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


def ask(port, body, seconds_max, accepts=None):
    """Sends a chat request and reads the answer to its end, or until `seconds_max` are over. A compressed answer is
    unpacked only if `accepts`, the Accept-Encoding, names gzip."""
    answer = Answer(streamed=bool(body.get("stream")))
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds_max)
    try:
        _send(connection, json.dumps(body).encode(), accepts)
        response = connection.getresponse()
        answer.status = response.status
        answer.headers = {name.lower(): value for name, value in response.getheaders()}
        _read(connection, response, answer, started, seconds_max)
    except TimeoutError:
        answer.end = "stuck"
    except (OSError, http.client.HTTPException):
        answer.end = "broken"
    finally:
        connection.close()
    answer.ended_s = time.monotonic() - started
    if not answer.streamed or answer.status != 200:
        _unpack(answer, accepts)
        _whole(answer)
    return answer


def parse(answer, raw):
    """Fills in an answer from all the bytes of a connection that carried nothing else."""
    head, split, rest = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    if not split or not status.startswith("HTTP/1.1 "):
        answer.end = "broken"
        return
    answer.status = int(status.split(" ")[1])
    answer.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if answer.header("transfer-encoding") == "chunked":
        answer.body, ended = _dechunked(rest)
    else:
        answer.body, ended = rest, len(rest) == int(answer.header("content-length") or len(rest))
    answer.end = "clean" if ended else "broken"
    if answer.streamed and answer.status == 200:
        for event in answer.body.replace(b"\r\n", b"\n").split(b"\n\n"):
            _event(answer, event, 0.0)
    else:
        _whole(answer)


def _dechunked(rest):
    """(body, whether the last chunk is there)"""
    pieces = []
    while True:
        size, split, rest = rest.partition(b"\r\n")
        if not split:
            return b"".join(pieces), False
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return b"".join(pieces), True
        pieces.append(rest[:length])
        if len(rest) < length + 2:
            return b"".join(pieces), False
        rest = rest[length + 2:]


def _send(connection, body, accepts):
    """By hand, because `request` would add an Accept-Encoding of its own."""
    connection.putrequest("POST", "/v1/chat/completions", skip_accept_encoding=True)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Authorization", f"Bearer {APP_KEY}")
    connection.putheader("Content-Length", str(len(body)))
    if accepts:
        connection.putheader("Accept-Encoding", accepts)
    connection.endheaders(body)


def _read(connection, response, answer, started, seconds_max):
    """Reads piece by piece, so that times and a broken end are seen."""
    kept, last = b"", time.monotonic()
    while True:
        left = started + seconds_max - time.monotonic()
        if left <= 0 or len(answer.body) > ANSWER_BYTES_MAX:
            answer.end = "stuck"
            return
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = response.read1(65536)
        now = time.monotonic()
        answer.quiet_s = max(answer.quiet_s, now - last)
        last = now
        if not piece:
            # read1 reports a body that ends before its length as a plain end; what is missing is in `length`.
            if response.length:
                answer.end = "broken"
            return
        answer.body += piece
        if answer.streamed and answer.status == 200:
            *events, kept = (kept + piece).replace(b"\r\n", b"\n").split(b"\n\n")
            for event in events:
                _event(answer, event, now - started)


def _event(answer, event, at_s):
    data = b"\n".join(line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:"))
    if not data:
        return
    if answer.done:
        answer.after_done += 1
    if data == b"[DONE]":
        answer.done = True
        return
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        answer.unreadable += 1
    elif "error" in value:
        answer.error = value["error"] if isinstance(value["error"], dict) else {}
    else:
        for choice in value.get("choices") or []:
            answer.finish = choice.get("finish_reason") or answer.finish
            content = (choice.get("delta") or {}).get("content")
            if content:
                answer.content_s = at_s if answer.content_s is None else answer.content_s
                answer.text += content


def _unpack(answer, accepts):
    """What cannot be unpacked stays as it is, and is no answer then."""
    if answer.header("content-encoding") == "gzip" and "gzip" in (accepts or ""):
        try:
            answer.body = gzip.decompress(answer.body)
        except (OSError, EOFError, zlib.error):
            answer.end = "broken"


def _whole(answer):
    value = answer.json() or {}
    if isinstance(value.get("error"), dict):
        answer.error = value["error"]
    choices = value.get("choices")
    if isinstance(choices, list) and choices:
        answer.finish = choices[0].get("finish_reason")
        answer.text = (choices[0].get("message") or {}).get("content") or ""
