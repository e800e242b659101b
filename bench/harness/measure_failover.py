"""Two upstreams, the first is killed: what clients see at that moment, and what each request costs afterwards."""

import threading
import time

from . import clients
from .gateways import Shape, probe
from .meter import Meter
from .upstreams import canned

SETTLE_SECONDS = 1.0


def measure(settings, gateway):
    """p99 while both live, errors during the kill, p99 when the first is dead."""
    sizes = settings.sizes
    body = "pair-request.json"
    first, first_port = canned(settings)
    second, second_port = canned(settings)
    shape = Shape(first=first_port, second=second_port)
    with first, second, gateway.start(settings, shape) as running:
        probe(running, body)
        clients.wrk(settings, running.url, sizes.warmup_seconds, body)
        with Meter(running.proc, first, second) as before:
            healthy = clients.wrk(settings, running.url, sizes.seconds, body)
        killer = threading.Timer(max(1.0, sizes.warmup_seconds) / 2, first.kill9)
        killer.start()
        moment = clients.wrk(settings, running.url, max(2.0, sizes.warmup_seconds), body)
        killer.join()
        time.sleep(SETTLE_SECONDS)
        probe(running, body)
        command = settings.shown(running.proc.argv)
        with Meter(running.proc, second) as after:
            dead = clients.wrk(settings, running.url, sizes.seconds, body)
    return {
        "healthy_p99_us": healthy["p99_us"], "dead_p99_us": dead["p99_us"],
        "p99_ratio": round(dead["p99_us"] / max(1, healthy["p99_us"]), 3),
        "errors_at_the_kill": moment["errors"], "errors_afterwards": dead["errors"],
        "healthy_requests_per_second": round(healthy["requests"] * 1e6 / healthy["duration_us"]),
        "dead_requests_per_second": round(dead["requests"] * 1e6 / dead["duration_us"]), "command": command,
        "noise": max(before.noise, after.noise),
    }
