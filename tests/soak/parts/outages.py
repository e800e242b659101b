"""A target is down for a minute under steady load and comes back: first one of two, in every way, then both at once
while the clients ask again as their SDKs do."""

import contextlib
import socket
import time
from dataclasses import dataclass

from .client import ask
from .settings import MODEL, Row, SoakError
from .stack import Sim, provider
from .steady import Load, percentile
from .streams import REQUEST

# An answer takes 80 ms: long enough that the noise of a busy machine is not what p99 measures.
PACE_MS, TOKENS = 5, 16
PER_SECOND, PER_SECOND_RETRIED = 100, 50
HEALTHY_SECONDS_MAX, AFTER_SECONDS = 20.0, 12.0
# Silence is given up after this, and connecting too: what a request costs that meets the death itself, or probes.
SILENCE_S = 2
# Failures in a row that open a target, and the schedule of its probes: 1 s, doubled up to 18 s, each ± 50 %.
FAILURES = 7
PROBE_FIRST_S, PROBE_LAST_S, PROBE_JITTER = 1.0, 18.0, 0.5
# The bars.
P99_RATIO_MAX = 1.2
BACK_SECONDS_MAX = 30.0
GOODPUT_SHARE_MIN, GOODPUT_SECONDS_MAX = 0.95, 15.0
# With fewer requests a p99 is one or two of them, and says nothing.
P99_SAMPLES_MIN = 1_000
# Goodput is counted in windows of this length.
WINDOW_SECONDS = 5.0
KNOWN_SECONDS_MAX, POLL_SECONDS = 30.0, 0.1
HOLE_TRIES_MAX = 20
STREAMED, BOTH = (True,), (False, True)


@dataclass
class Death:
    """A way to be down. The forms are those of the requests that it is tried with: an unstreamed request to a silent
    target has nothing to tell it from a slow one, and waits as long as its caller does."""

    name: str
    what: str
    forms: tuple
    fault: str | None = None

    def strike(self, sim):
        if self.fault:
            sim.control("POST", "/_sim/faults", {"fault": self.fault})
            return contextlib.nullcontext()
        if self.name == "frozen":
            sim.freeze()
            return contextlib.nullcontext()
        sim.kill9()
        return hole(sim.port) if self.name == "partition" else contextlib.nullcontext()

    def heal(self, sim):
        if self.fault:
            sim.control("DELETE", "/_sim/faults")
        elif self.name == "frozen":
            sim.thaw()
        else:
            sim.start()


DEATHS = (
    Death("gone", "kill -9", BOTH),
    Death("partition", "connections are never made and never refused", BOTH),
    Death("frozen", "SIGSTOP", STREAMED),
    Death("silent", "reads and never answers", STREAMED, "silence"),
    Death("failing", "503", BOTH, "status:503"),
    Death("resetting", "resets after the headers", BOTH, "reset-after-headers"),
)
ALL_DEATHS = tuple(death for death in DEATHS if death.name in ("gone", "failing"))


@contextlib.contextmanager
def hole(port):
    """A listener that accepts nobody and has a full queue: whoever connects waits."""
    for _ in range(HOLE_TRIES_MAX):
        with socket.socket() as listener, socket.socket() as filler:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(0)
            filler.settimeout(0.2)
            # There is room for one. If the gateway was quicker, it is thrown out with the listener.
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                continue
            yield
            return
    raise SoakError(f"the queue of port {port} could not be filled in {HOLE_TRIES_MAX} tries")


@dataclass
class Outage:
    """What was seen of one outage with a standby. Times are those of `time.monotonic`."""

    calls: list
    began: float
    # The breaker is open, and who was with the target then has left it.
    known: float
    returned: float
    # Of the dead target: failed attempts until it was known, and from then on; probes by the breaker's own count.
    failures_before: int
    failures_after: int
    probes: int

    @property
    def healthy_s(self):
        """How long each request took before the outage."""
        return [call.ended - call.began for call in self.calls if call.ended < self.began]

    @property
    def outage_s(self):
        """The same while the target was known to be down."""
        return [call.ended - call.began for call in self.calls
                if self.known < call.began and call.ended < self.returned]

    def p99s(self):
        """(before, meanwhile, ratio), or None where there are too few requests for it."""
        if min(len(self.healthy_s), len(self.outage_s)) < P99_SAMPLES_MIN:
            return None
        before, meanwhile = percentile(self.healthy_s, 0.99), percentile(self.outage_s, 0.99)
        return before, meanwhile, meanwhile / before

    def back_s(self, primary):
        """Seconds from the return until every later request was answered by the primary."""
        elsewhere = [call.began for call in self.calls if not call.target.startswith(f"{primary}/")]
        return max(0.0, max(elsewhere, default=0.0) - self.returned)


def probes_max(seconds):
    """Most probes that the schedule allows in so many seconds."""
    count, at, wait = 0, 0.0, PROBE_FIRST_S
    while (at := at + wait * PROBE_JITTER) <= seconds:
        count, wait = count + 1, min(PROBE_LAST_S, wait * 2)
    return count


def judge(outage, primary):
    """The broken promises of an outage with a standby."""
    lost = [call for call in outage.calls if not call.answered]
    if lost:
        yield f"{len(lost)} of {len(outage.calls)} requests failed; the first: {lost[0]}"
    allowed = FAILURES + 2 * PER_SECOND * (SILENCE_S + 1)
    if outage.failures_before > allowed:
        yield f"{outage.failures_before} attempts failed before the target was left alone"
    if outage.failures_after > outage.probes:
        yield f"{outage.failures_after} attempts at the dead target, where {outage.probes} probes were due"
    most = probes_max(outage.returned - outage.known) + 1
    if outage.probes > most:
        yield f"{outage.probes} probes; the schedule allows {most}"
    p99s = outage.p99s()
    if p99s and p99s[2] > P99_RATIO_MAX:
        yield f"{_said(p99s)} while the target was known to be down; at most {P99_RATIO_MAX} times is allowed"
    if outage.back_s(primary) > BACK_SECONDS_MAX:
        yield f"the traffic was back {outage.back_s(primary):.1f} s after the target"


def _said(p99s):
    if p99s is None:
        return "too few requests for a p99"
    before, meanwhile, ratio = p99s
    return f"p99 {before * 1000:.0f} ms healthy, {meanwhile * 1000:.0f} ms meanwhile ({ratio:.2f})"


def goodput(calls, since, until):
    """Answered calls per second."""
    return sum(call.answered and since <= call.ended < until for call in calls) / (until - since)


def recovered_s(calls, returned, normal, last):
    """Seconds from the return until every window has 95 % of the normal goodput; None if the last one has not."""
    found, after = None, 0.0
    while returned + after + WINDOW_SECONDS <= last:
        since = returned + after
        good = goodput(calls, since, since + WINDOW_SECONDS) >= GOODPUT_SHARE_MIN * normal
        found = (after if found is None else found) if good else None
        after += POLL_SECONDS
    return found


def run(settings, gateway):
    """All outages; one row each."""
    rows = [_standby(settings, gateway, death) for death in DEATHS]
    return rows + [_everybody(settings, gateway, death) for death in ALL_DEATHS]


def _sims(settings, name):
    return [Sim(settings, f"{name}-{n}", "--pace", f"{PACE_MS}ms", "--tokens", TOKENS).start() for n in (1, 2)]


def _document(gateway, name, sims, second_tier):
    providers = {f"{name}-{n}": {**provider(sim, f"sk-soak-{name}-{n}"), "timeouts": {"connect": f"{SILENCE_S}s"}}
                 for n, sim in enumerate(sims, 1)}
    targets = [{"provider": provider_name, "model": MODEL, "tier": tier}
               for provider_name, tier in zip(providers, (0, second_tier), strict=True)]
    timeouts = {"first_token": f"{SILENCE_S}s", "stream_idle": f"{SILENCE_S}s"}
    return gateway.document(providers, {MODEL: {"targets": targets, "timeouts": timeouts}})


def _standby(settings, gateway, death):
    """One of two targets is down."""
    name, seconds = f"outage-{death.name}", settings.sizes.outage_seconds
    sims = _sims(settings, name)
    primary = f"{name}-1"
    try:
        gateway.reload(_document(gateway, name, sims, 1))
        load = Load(gateway.port, PER_SECOND, death.forms, ask(sims[1].port, REQUEST, 30).text).start()
        try:
            time.sleep(min(HEALTHY_SECONDS_MAX, 2 * seconds))
            failures, began = gateway.failures(primary), time.monotonic()
            with death.strike(sims[0]):
                known, before, probed = _known(gateway, primary, failures)
                time.sleep(max(POLL_SECONDS, began + seconds - time.monotonic()))
                after = gateway.failures(primary) - failures - before
                probes = gateway.transitions(primary, "probing") - probed
            death.heal(sims[0])
            returned = time.monotonic()
            _wait_for_traffic(gateway, primary)
            time.sleep(AFTER_SECONDS)
        finally:
            calls = load.stop()
    finally:
        for sim in sims:
            with contextlib.suppress(OSError):
                sim.thaw()
            sim.stop()
    gateway.alive()
    outage = Outage(calls, began, known, returned, before, after, probes)
    for text in judge(outage, primary):
        settings.finding("outages", f"{death.name}: {text}")
    figures = (f"{len(calls)} requests, {sum(not call.answered for call in calls)} failed; {before} failed attempts until "
               f"it was left alone, {after} in the {returned - known:.0f} s from then on (at most {probes} probes); "
               f"{_said(outage.p99s())}; back after {outage.back_s(primary):.1f} s")
    print(f"  {death.name}: {figures}", flush=True)
    forms = "streamed" if death.forms == STREAMED else "streamed and not"
    return Row("outages", f"one of two targets down for {seconds:.0f} s ({death.what}), {PER_SECOND}/s {forms}", figures)


def _known(gateway, primary, failures):
    """Waits until the breaker is open and until nobody is with the target any more. (when, failed attempts, probes)"""
    end = time.monotonic() + KNOWN_SECONDS_MAX
    while not gateway.transitions(primary, "open"):
        if time.monotonic() > end:
            raise SoakError(f"{primary} was not left alone within {KNOWN_SECONDS_MAX} s")
        time.sleep(POLL_SECONDS)
    time.sleep(SILENCE_S + 1)
    # Of a probe that is under way now, the failure is still to come.
    under_way = gateway.transitions(primary, "probing") - 1
    return time.monotonic(), gateway.failures(primary) - failures, under_way


def _wait_for_traffic(gateway, primary):
    end = time.monotonic() + 2 * BACK_SECONDS_MAX
    while not (ask(gateway.port, REQUEST, 30).header("x-wellhead-target") or "").startswith(f"{primary}/"):
        if time.monotonic() > end:
            raise SoakError(f"{primary} was not used again {2 * BACK_SECONDS_MAX} s after its return")
        time.sleep(POLL_SECONDS)


def _everybody(settings, gateway, death):
    """Both targets are down, and the clients ask again."""
    name, seconds = f"outage-all-{death.name}", settings.sizes.outage_seconds
    sims = _sims(settings, name)
    try:
        gateway.reload(_document(gateway, name, sims, 0))
        load = Load(gateway.port, PER_SECOND_RETRIED, BOTH, ask(sims[1].port, REQUEST, 30).text, retries=True)
        load.start()
        try:
            started = time.monotonic()
            time.sleep(min(HEALTHY_SECONDS_MAX, 2 * seconds))
            began = time.monotonic()
            for sim in sims:
                death.strike(sim)
            time.sleep(seconds)
            for sim in sims:
                death.heal(sim)
            returned = time.monotonic()
            time.sleep(GOODPUT_SECONDS_MAX + AFTER_SECONDS)
            last = time.monotonic()
        finally:
            calls = load.stop()
    finally:
        for sim in sims:
            sim.stop()
    gateway.alive()
    # The first second warms up, the last one before the outage has calls that meet it.
    normal = goodput(calls, started + 1, began - 1)
    after_s = recovered_s(calls, returned, normal, last)
    lied = [call for call in calls if call.problem]
    if lied:
        settings.finding("outages", f"all {death.name}: {len(lied)} of {len(calls)} calls were not told the truth; the "
                                    f"first: {lied[0]}")
    if after_s is None or after_s > GOODPUT_SECONDS_MAX:
        settings.finding("outages", f"all {death.name}: goodput was back after {after_s} s ({normal:.1f}/s normally)")
    later = [call for call in calls if returned + GOODPUT_SECONDS_MAX <= call.began]
    refused = sum(call.refusals for call in calls)
    figures = (f"{len(calls)} calls, {refused} refusals, {len(lied)} untrue or cut; normally {normal:.1f} answers/s, 95 % "
               f"of that {'never' if after_s is None else f'{after_s:.1f} s'} after the return; of the calls from then "
               f"on {sum(call.answered for call in later)} of {len(later)} answered")
    print(f"  all {death.name}: {figures}", flush=True)
    what = f"both targets down for {seconds:.0f} s ({death.what}), {PER_SECOND_RETRIED}/s with the retries of the SDKs"
    return Row("outages", what, figures)
