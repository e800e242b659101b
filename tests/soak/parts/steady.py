"""Steady load: so many calls in every second, whether or not the earlier ones have been answered, as applications make
them. With retries each call comes back as the official SDKs do."""

import asyncio
import contextlib
import json
import random
import resource
import threading
import time
from dataclasses import dataclass, field

from .client import Answer, parse
from .settings import APP_KEY, MODEL

# As the SDKs have it: two retries, a told wait of at most a minute, else half a second and twice that.
RETRIES_MAX = 2
TOLD_S_MAX = 60.0
RETRIED = {408, 409, 429}
# Beyond the longest hold (30 s) and the longest silence within a stream that the models here allow.
ANSWER_SECONDS_MAX = 60.0
# In an outage of everybody each call waits for a minute at most, at 50 a second; each has a socket.
SOCKETS_MAX = 6_000


@dataclass
class Call:
    """One call of an application. Times are those of `time.monotonic`."""

    began: float
    streamed: bool
    ended: float = 0.0
    # The whole answer came, in the end.
    answered: bool = False
    target: str = ""
    refusals: int = 0
    # What was neither the whole answer nor an honest refusal; empty is good.
    problem: str = ""


@dataclass
class Load:
    """Load on one model under way."""

    port: int
    per_second: int
    forms: tuple
    text: str
    retries: bool = False
    calls: list = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(SOCKETS_MAX, hard)), hard))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """Ends the arrivals, waits for those under way. All calls, by the time at which they began."""
        self._stop.set()
        self._thread.join()
        return sorted(self.calls, key=lambda call: call.began)

    async def _run(self):
        tasks, number, started = set(), 0, time.monotonic()
        while not self._stop.is_set():
            tasks = {task for task in tasks if not task.done()}
            while number < (time.monotonic() - started) * self.per_second:
                tasks.add(asyncio.create_task(self._call(self.forms[number % len(self.forms)])))
                number += 1
            await asyncio.sleep(0.5 / self.per_second)
        await asyncio.gather(*tasks)

    async def _call(self, streamed):
        call = Call(time.monotonic(), streamed)
        for retry in range(RETRIES_MAX + 1 if self.retries else 1):
            answer = await ask(self.port, streamed, retry)
            call.target = answer.header("x-wellhead-target") or ""
            call.problem = wrong(answer, self.text)
            if call.problem or answer.status == 200 and answer.error is None:
                call.answered = not call.problem
                break
            call.refusals += 1
            # A stream that broke off is repeated by no SDK.
            if answer.status == 200 or not should_retry(answer):
                break
            if retry < RETRIES_MAX and self.retries:
                await asyncio.sleep(told_s(answer) or 0.5 * 2 ** retry * random.uniform(0.75, 1.0))
        call.ended = time.monotonic()
        self.calls.append(call)


def wrong(answer, text):
    """Why an answer is neither whole nor an honest refusal, or nothing."""
    if answer.end != "clean":
        return f"{answer.status}, then the transport was {answer.end}"
    if answer.status == 200 and answer.error is None:
        whole = answer.text == text and answer.finish and (answer.done or not answer.streamed)
        return "" if whole else f"a 200 with {len(answer.text)} of {len(text)} characters, end mark {answer.done}"
    error = answer.error or {}
    if not error.get("code"):
        return f"{answer.status} without a code: {answer.body[:200]!r}"
    if answer.status == 200:
        return "an error event and an end mark" if answer.done else ""
    advice = answer.header("x-should-retry")
    if advice not in ("true", "false") or advice == "true" and told_s(answer) is None:
        return f"{answer.status} {error['code']} with x-should-retry {advice} and no time that an SDK would keep"
    return ""


def told_s(answer):
    """The wait that an SDK lets itself be told, or None."""
    with contextlib.suppress(TypeError, ValueError):
        seconds = float(answer.header("retry-after-ms")) / 1000
        return seconds if 0 < seconds <= TOLD_S_MAX else None
    with contextlib.suppress(TypeError, ValueError):
        seconds = float(answer.header("retry-after"))
        return seconds if 0 < seconds <= TOLD_S_MAX else None
    return None


def should_retry(answer):
    """The rule of the SDKs."""
    advice = answer.header("x-should-retry")
    return advice == "true" or advice != "false" and (answer.status in RETRIED or answer.status >= 500)


async def ask(port, streamed, retry=0):
    """One request over a connection of its own."""
    answer = Answer(streamed=streamed)
    started = time.monotonic()
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            raw = await _exchange(port, _request(port, streamed, retry))
        parse(answer, raw)
    except TimeoutError:
        answer.end = "stuck"
    except OSError as why:
        answer.end = f"broken ({why})"
    answer.ended_s = time.monotonic() - started
    return answer


def _request(port, streamed, retry):
    body = json.dumps({"model": MODEL, "stream": streamed,
                       "messages": [{"role": "user", "content": "Tell me about rivers that change their course."}]})
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
            f"Authorization: Bearer {APP_KEY}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"x-stainless-retry-count: {retry}\r\nx-stainless-read-timeout: 600\r\n\r\n")
    return head.encode() + body.encode()


async def _exchange(port, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read(-1)
    finally:
        writer.transport.abort()


def percentile(seconds, share):
    """The value that `share` of them do not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
