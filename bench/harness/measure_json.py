"""Plain relay of JSON answers: the gateway's CPU time per request, throughput, latency, memory under load."""

from . import clients
from .gateways import Shape, probe
from .meter import Meter
from .settings import BenchError
from .upstreams import canned

# wrk ends with one request under way on every connection: paid for by the gateway, but not counted. Below this many
# requests per connection that would overstate a slow gateway's cost by more than half a percent.
COUNTED_MIN = 200
CALLS_MIN = 10


def measure(settings, gateway):
    """One round of one gateway."""
    sizes = settings.sizes
    upstream, port = canned(settings)
    with upstream, gateway.start(settings, Shape(first=port)) as running:
        probe(running)
        clients.wrk(settings, running.url, sizes.warmup_seconds)
        with Meter(running.proc, upstream) as meter:
            figures = clients.wrk(settings, running.url, sizes.seconds)
        if figures["requests"] < COUNTED_MIN * sizes.connections:
            meter, figures = exactly(settings, running, upstream, figures)
        rss = running.proc.rss_bytes()
        command = settings.shown(running.proc.argv)
    return {
        "cpu_us": round(meter.cpu_seconds * 1e6 / figures["requests"], 2),
        "requests_per_second": round(figures["requests"] * 1e6 / figures["duration_us"]),
        "p50_us": figures["p50_us"], "p99_us": figures["p99_us"], "rss_bytes": rss,
        "requests": figures["requests"], "errors": figures["errors"], "noise": meter.noise, "command": command,
        "client": figures.get("client", "wrk"),
    }


def exactly(settings, running, upstream, before):
    """The same load in a number of requests that is known, every one of them waited for."""
    connections = settings.sizes.connections
    each = max(CALLS_MIN, before["requests"] // connections)
    with Meter(running.proc, upstream) as meter:
        report = clients.load(settings, "calls", running.url, "--connections", connections, "--requests", each,
                              seconds=600)
    if not report["ok"]:
        raise BenchError(f"{running.proc.name}: no request succeeded: {report['errors']}")
    return meter, {
        "requests": report["ok"], "duration_us": report["elapsed_us"], "p50_us": report["latency"]["p50_us"],
        "p99_us": report["latency"]["p99_us"], "errors": sum(report["errors"].values()) + before["errors"],
        "client": "load calls",
    }
