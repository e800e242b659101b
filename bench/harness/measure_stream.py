"""Relay of paced streams: the gateway's CPU time per chunk, time to the first token, delay of every chunk."""

from . import clients
from .gateways import CHAT_PATH, Shape
from .meter import Meter
from .settings import BenchError
from .upstreams import behaving

# What is translated: (name, dialect of the upstream, path of the client, its request).
PAIRS = (
    ("OpenAI client at an Anthropic target", "anthropic", CHAT_PATH, "claude-request.json"),
    ("OpenAI client at a Gemini target", "gemini", CHAT_PATH, "gemini-request.json"),
    ("Anthropic client at an OpenAI target", "openai", "/v1/messages", "messages-request.json"),
)
# What others do with a stream, whoever's it is: they hand it on.
RELAYED = (("relay", "openai", CHAT_PATH, "stream-request.json"),)


def measure(settings, gateway):
    """One round of one gateway."""
    return _stream(settings, gateway, "openai", CHAT_PATH, "stream-request.json", settings.sizes.stream_repeat)


def translated(settings, gateway):
    """One round of every pair of dialects; of a gateway that translates nothing, its relay of chunks of the same size."""
    pairs = PAIRS if gateway.key == "wellhead" else RELAYED
    repeat = max(1, settings.sizes.stream_repeat // 2)
    found = {name: _stream(settings, gateway, dialect, path, body, repeat) for name, dialect, path, body in pairs}
    noise = max(figures["noise"] for figures in found.values())
    return {"pairs": found, "noise": noise, "command": next(iter(found.values()))["command"]}


def _stream(settings, gateway, dialect, path, body, repeat):
    sizes = settings.sizes
    upstream, port = behaving(settings, "paced", "--chunks", sizes.chunks, "--chunk-bytes", sizes.chunk_bytes,
                              "--interval-us", sizes.chunk_interval_us, "--dialect", dialect)
    planned = repeat * sizes.chunks * sizes.chunk_interval_us / 1e6
    with upstream, gateway.start(settings, Shape(first=port, streaming=True)) as running:
        options = ("--streams", sizes.streams, "--expect-chunks", sizes.chunks)
        url = running.at(path)
        clients.load(settings, "sse-client", url, *options, "--repeat", 1, body=body)
        with Meter(running.proc, upstream) as meter:
            report = clients.load(settings, "sse-client", url, *options, "--repeat", repeat, body=body,
                                  seconds=planned * 4)
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
