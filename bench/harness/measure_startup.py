"""From exec to ready and to the first answer, warm disk, fresh data directory; and memory when idle."""

import statistics
import time

from .gateways import Shape, get_status, post_chat
from .settings import BenchError
from .upstreams import canned

SECONDS_MAX = 20.0
# Long enough for start-up work to end, short enough to be the same for all.
IDLE_SECONDS = 1.0


def measure(settings, gateway):
    """Medians over several starts, in milliseconds. The first start is not counted: it warms the disk cache."""
    ready, answer, rss = [], [], 0
    upstream, port = canned(settings)
    with upstream:
        for turn in range(settings.sizes.starts + 1):
            with gateway.start(settings, Shape(first=port), wait=False) as running:
                began = running.proc.started
                ready_ms = answer_ms = None
                while ready_ms is None or answer_ms is None:
                    if running.admin_port is None:
                        ready_ms = 0.0
                    elif ready_ms is None and get_status(running.admin_port, "/readyz") == 200:
                        ready_ms = (time.monotonic() - began) * 1000
                    if answer_ms is None and post_chat(running.port)[0] == 200:
                        answer_ms = (time.monotonic() - began) * 1000
                    if time.monotonic() - began > SECONDS_MAX:
                        raise running.proc.complain(f"no answer within {SECONDS_MAX:.0f} s of its start")
                if turn == 0:
                    continue
                ready.append(ready_ms)
                answer.append(answer_ms)
                if turn == settings.sizes.starts:
                    time.sleep(IDLE_SECONDS)
                    rss = running.proc.rss_bytes()
    if not answer:
        raise BenchError("at least one start must be measured")
    return {
        "ready_ms": round(statistics.median(ready), 1) if any(ready) else None,
        "answer_ms": round(statistics.median(answer), 1), "answer_ms_max": round(max(answer), 1),
        "idle_rss_bytes": rss, "starts": len(answer),
    }
