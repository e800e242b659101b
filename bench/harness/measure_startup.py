"""From exec to ready and to the first answer, warm disk, fresh data directory; and memory when idle."""

import statistics
import time

from .gateways import Shape, get_status, post_chat
from .meter import Meter
from .upstreams import canned

SECONDS_MAX = 20.0
# Long enough for start-up work to end, short enough to be the same for all.
IDLE_SECONDS = 1.0


def measure(settings, gateway):
    """Medians over several starts, in milliseconds. The first start is not counted: it warms the disk cache."""
    upstream, port = canned(settings)
    with upstream, Meter(None, upstream) as meter:
        times = [start(settings, gateway, port)[:2] for _ in range(settings.sizes.starts + 1)][1:]
        rss = start(settings, gateway, port, IDLE_SECONDS)[2]
    ready = [ready_ms for ready_ms, _ in times if ready_ms is not None]
    answer = [answer_ms for _, answer_ms in times]
    return {
        "ready_ms": round(statistics.median(ready), 1) if ready else None,
        "answer_ms": round(statistics.median(answer), 1), "answer_ms_max": round(max(answer), 1),
        "idle_rss_bytes": rss, "starts": len(answer), "noise": meter.noise,
    }


def start(settings, gateway, port, idle_seconds=0.0):
    """(ms to ready or None where there is no such page, ms to the first answer, resident bytes) of one start."""
    with gateway.start(settings, Shape(first=port), wait=False) as running:
        began = running.proc.started
        ready_ms = answer_ms = None
        while answer_ms is None or (ready_ms is None and running.admin_port is not None):
            if ready_ms is None and running.admin_port and get_status(running.admin_port, "/readyz") == 200:
                ready_ms = (time.monotonic() - began) * 1000
            if answer_ms is None and post_chat(running.port)[0] == 200:
                answer_ms = (time.monotonic() - began) * 1000
            if time.monotonic() - began > SECONDS_MAX or running.proc.child.poll() is not None:
                raise running.proc.complain(f"no answer within {SECONDS_MAX:.0f} s of its start")
        time.sleep(idle_seconds)
        return ready_ms, answer_ms, running.proc.rss_bytes()
