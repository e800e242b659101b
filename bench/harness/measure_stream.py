"""Relay of paced streams: the gateway's CPU time per chunk, time to the first token, delay of every chunk."""

from . import clients
from .gateways import Shape
from .meter import Meter
from .settings import BenchError
from .upstreams import behaving


def measure(settings, gateway):
    """One round of one gateway."""
    sizes = settings.sizes
    upstream, port = behaving(settings, "paced", "--chunks", sizes.chunks, "--chunk-bytes", sizes.chunk_bytes,
                              "--interval-us", sizes.chunk_interval_us)
    planned = sizes.stream_repeat * sizes.chunks * sizes.chunk_interval_us / 1e6
    with upstream, gateway.start(settings, Shape(first=port, streaming=True)) as running:
        options = ("--streams", sizes.streams, "--expect-chunks", sizes.chunks)
        clients.load(settings, "sse-client", running.url, *options, "--repeat", 1, body="stream-request.json")
        with Meter(running.proc, upstream) as meter:
            report = clients.load(settings, "sse-client", running.url, *options, "--repeat", sizes.stream_repeat,
                                  body="stream-request.json", seconds=planned * 4)
        rss = running.proc.rss_bytes()
        command = settings.shown(running.proc.argv)
    if not report["chunks"]:
        raise BenchError(f"{gateway.key}: no chunk arrived: {report['errors']}")
    return {
        "cpu_us": round(meter.cpu_seconds * 1e6 / report["chunks"], 2),
        "chunks_per_second": round(report["chunks"] * 1000 / report["elapsed_ms"]),
        "first_p50_us": report["first_content"]["p50_us"], "first_p99_us": report["first_content"]["p99_us"],
        "delay_p50_us": report["chunk_delay"]["p50_us"], "delay_p99_us": report["chunk_delay"]["p99_us"],
        "rss_bytes": rss, "streams": report["streams"], "errors": report["errors"], "noise": meter.noise,
        "command": command,
    }
