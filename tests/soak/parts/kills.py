"""kill -9 of the first of two upstreams under load, again and again: no request that had not yet received content may
be lost, and one that had received some must end with an error that is one."""

import time

from .client import ask
from .settings import MODEL, Row, SoakError
from .stack import Sim, provider
from .streams import REQUEST, Streams

# An answer takes as long to its first token as from there to its end, so that at any moment half of the streams have
# not received content yet: those are what the promise is about.
FIRST_TOKEN_MS, PACE_MS, TOKENS = 600, 12, 48
ANSWER_SECONDS = (FIRST_TOKEN_MS + PACE_MS * TOKENS) / 1000
LOAD_SECONDS = 4.0
DOWN_SECONDS = 1.0
# Rests double up to 30 s, half as much again with jitter; a restarted upstream must be in use by then.
RECOVERY_SECONDS_MAX = 60.0
FIRST_LOAD_SECONDS_MAX = 15.0


def run(settings, gateway):
    """All kills; one row with what they hit."""
    first, second = sims = [
        Sim(settings, f"kill-{n}", "--pace", f"{PACE_MS}ms", "--tokens", TOKENS,
            "--fault", f"slow-first-token:{FIRST_TOKEN_MS}").start() for n in (1, 2)]
    total = dict.fromkeys(("streams", "whole", "broken off after content", "lost or dishonest", "under way at a kill",
                           "failed attempts"), 0)
    recoveries = []
    try:
        gateway.reload(gateway.document(
            {"first": provider(first, "sk-soak-first"), "second": provider(second, "sk-soak-second")},
            {MODEL: {"targets": [
                {"provider": "first", "model": MODEL}, {"provider": "second", "model": MODEL, "tier": 1}]}}))
        chunks = whole_chunks(settings, second)
        rng, resumed = settings.random("kills"), gateway.resumed()
        for number in range(1, settings.sizes.kills + 1):
            recoveries.append(_in_use_again(gateway, number))
            _kill_once(settings, gateway, first, chunks, rng.random() * ANSWER_SECONDS, total, number)
            print(f"  kill {number} of {settings.sizes.kills}: {total}", flush=True)
    finally:
        for sim in sims:
            sim.stop()
    total["resumed"] = gateway.resumed() - resumed
    begun = total["resumed"] + total["broken off after content"]
    if begun == 0 or total["failed attempts"] <= begun:
        settings.finding("kills", f"the kills did not meet streams both before and after their first content: {total}")
    figures = ", ".join(f"{count} {what}" for what, count in total.items())
    figures += f"; in use again {max(recoveries[1:], default=0):.1f} s after the load at the latest"
    what = f"kill -9 of the first of two upstreams under {settings.sizes.streams} streams, {settings.sizes.kills} times"
    return [Row("kills", what, figures)]


def whole_chunks(settings, sim):
    """Content events of a whole answer, asked from the upstream itself."""
    fates = Streams(settings, f"http://127.0.0.1:{sim.port}/v1/chat/completions", None).fates()
    counts = {fate["chunks"] for fate in fates if fate["complete"]}
    if len(counts) != 1 or not all(fate["complete"] for fate in fates):
        raise SoakError(f"the simulator itself does not answer alike: {fates[:3]}")
    return counts.pop()


def _in_use_again(gateway, number):
    """Seconds until the first upstream answers again."""
    started = time.monotonic()
    while True:
        answer = ask(gateway.port, REQUEST, 30)
        if (answer.header("x-wellhead-target") or "").startswith("first/"):
            return time.monotonic() - started
        if answer.status != 200:
            raise SoakError(f"before kill {number} the gateway answered {answer.status} {answer.body[:200]!r}")
        if time.monotonic() - started > RECOVERY_SECONDS_MAX:
            raise SoakError(f"the first upstream was not used again {RECOVERY_SECONDS_MAX} s after its restart")


def _kill_once(settings, gateway, first, chunks, jitter_s, total, number):
    """One kill under load, and the fates of all streams around it."""
    failures = gateway.failures("first")
    half = settings.sizes.streams // 2
    waves = [Streams(settings, gateway.url, LOAD_SECONDS, chunks, half)]
    try:
        # Streams that start together stay in step. Two waves half an answer apart: whenever the kill comes, one of
        # them is waiting for its first content and the other one is receiving.
        time.sleep(ANSWER_SECONDS / 2)
        waves.append(Streams(settings, gateway.url, LOAD_SECONDS, chunks, settings.sizes.streams - half))
        total["under way at a kill"] += _busy(settings, first)
        time.sleep(jitter_s)
        first.kill9()
        time.sleep(DOWN_SECONDS)
        first.start()
        fates = [fate for wave in waves for fate in wave.fates()]
    finally:
        for wave in waves:
            wave.proc.stop()
    gateway.alive()
    failures = gateway.failures("first") - failures
    total["failed attempts"] += failures
    total["streams"] += len(fates)
    for fate in fates:
        verdict = judge(fate)
        total[{"whole": "whole", "honest": "broken off after content"}.get(verdict, "lost or dishonest")] += 1
        if verdict not in ("whole", "honest"):
            settings.finding("kills", f"kill {number}: {verdict}: {fate}")
    if failures == 0:
        settings.finding("kills", f"kill {number} made no attempt fail, so it tested nothing")


def judge(fate):
    """`whole`, `honest` (broken off after content, with an error event), or what promise was broken."""
    if fate["complete"]:
        return "whole"
    if not fate["got_content"]:
        return f"lost before any content ({fate['error']})"
    if fate["error"] == "error-in-stream":
        return "honest"
    return f"broken off without an honest error ({fate['error']})"


def _busy(settings, first):
    """Waits until most streams are with the first upstream; how many are."""
    end = time.monotonic() + FIRST_LOAD_SECONDS_MAX
    in_flight = 0
    while time.monotonic() < end:
        in_flight = (first.state() or {}).get("in_flight", 0)
        if in_flight > settings.sizes.streams * 0.8:
            return in_flight
        time.sleep(0.02)
    raise SoakError(f"the first upstream has {in_flight} of {settings.sizes.streams} streams; it should have most")
