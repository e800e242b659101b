"""The gateway after everything: it is still the same process, it has not grown, it holds nothing, it has never
panicked. What it weighs is compared with what it weighed after it had once been under the same load."""

import re
import time

from .settings import MODEL, Row, SoakError
from .stack import Sim, provider
from .streams import Streams

MIB = 1024 * 1024
# Pools, allocator caches and the log writer settle within this; nothing is asked of the gateway meanwhile.
SETTLE_SECONDS_MAX = 15.0
WARM_SECONDS = 4.0


def start(settings, gateway):
    """Starts the gateway, warms it up, and returns what it weighs in bytes."""
    sim = Sim(settings, "warm", "--pace", "5ms").start()
    try:
        models = {MODEL: {"targets": [{"provider": "warm", "model": MODEL}]}}
        gateway.start(gateway.document({"warm": provider(sim, "sk-soak-warm")}, models))
        fates = Streams(settings, gateway.url, WARM_SECONDS).fates()
    finally:
        sim.stop()
    whole = sum(fate["complete"] for fate in fates)
    if whole != len(fates) or not fates:
        raise SoakError(f"before anything was done to it, the gateway answered {whole} of {len(fates)} streams")
    return _settled(gateway)


def end(settings, gateway, before_bytes):
    """Judges what is left."""
    gateway.alive()
    after_bytes = _settled(gateway)
    growth_mib = (after_bytes - before_bytes) / MIB
    if growth_mib > settings.sizes.growth_mib_max:
        settings.finding("memory", f"grew by {growth_mib:.1f} MiB; {settings.sizes.growth_mib_max} MiB are allowed")
    in_flight = gateway.in_flight()
    if in_flight != 0:
        settings.finding("memory", f"nothing is asked of it, but wellhead_in_flight is {in_flight}")
    panics = panicked(gateway.log_text())
    for line in panics:
        settings.finding("memory", f"panicked: {line}")
    figures = (f"{before_bytes / MIB:.1f} MiB warm, {after_bytes / MIB:.1f} MiB afterwards "
               f"(allowed: + {settings.sizes.growth_mib_max} MiB); {len(panics)} panics, 0 restarts")
    return [Row("memory", "the same gateway process before and after all of the above", figures)]


def panicked(log):
    """Lines of the log that tell of a panic."""
    return re.findall(r"^.*panicked at.*$", log, re.M)


def _settled(gateway):
    """Resident bytes once the gateway holds no request and has stopped shrinking."""
    stop = time.monotonic() + SETTLE_SECONDS_MAX
    least = gateway.proc.rss_bytes()
    while time.monotonic() < stop:
        time.sleep(1)
        now = gateway.proc.rss_bytes()
        if gateway.in_flight() == 0 and now >= least * 0.99:
            return now
        least = min(least, now)
    return gateway.proc.rss_bytes()
