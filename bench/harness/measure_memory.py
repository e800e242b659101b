"""Memory that open streams, large uploads and readers who stop reading cost a gateway."""

import http.client
import json
import threading
import time

from . import clients
from .gateways import Shape
from .settings import BenchError
from .upstreams import behaving

CONNECTIONS = 16_384
SAMPLE_SECONDS = 0.05


def idle_streams(settings, gateway):
    """Bytes per stream that has begun and carries nothing."""
    count = settings.sizes.idle_streams
    upstream, port = behaving(settings, "silent")
    with upstream, gateway.start(settings, Shape(port, streaming=True, connections=CONNECTIONS)) as running:
        clients.load(settings, "sse-client", running.url, "--streams", 1, "--request-ms-max", 300,
                     body="stream-request.json")
        before = running.proc.rss_bytes()
        client = clients.load_started(settings, "idle-streams", running.url, "--count", count,
                                      body="stream-request.json")
        with client:
            report = clients.report_line(client)
            time.sleep(1)
            after = running.proc.rss_bytes()
            open_now = stats(port)["streams_open"]
    # More may be open: not every gateway tells the upstream at once that the first client has left.
    if report["failed"] or open_now < count:
        raise BenchError(f"{gateway.key}: of {count} idle streams {report['failed']} failed, {open_now} are open")
    return {"idle_streams": count, "idle_stream_bytes": round((after - before) / count)}


def uploads(settings, gateway):
    """How far memory rises above the start while large bodies go to a target that reads slowly."""
    sizes = settings.sizes
    upstream, port = behaving(settings, "slow-upload", "--answer", clients.CONF / "chat-answer.json",
                              "--read-bytes-per-second", sizes.upload_bytes_per_second)
    with upstream, gateway.start(settings, Shape(port)) as running:
        clients.load(settings, "calls", running.url)
        before = running.proc.rss_bytes()
        with Peak(running.proc) as peak:
            report = clients.load(settings, "calls", running.url, "--connections", sizes.uploads,
                                  "--padded-bytes", sizes.upload_bytes, body=None)
    if report["errors"]:
        raise BenchError(f"{gateway.key}: large bodies failed: {report['errors']}")
    return {"uploads": sizes.uploads, "upload_bytes": sizes.upload_bytes,
            "upload_rss_bytes": round((peak.bytes - before) / sizes.uploads)}


def slow_readers(settings, gateway):
    """Memory when readers stop, what it grows by while they stand still, and how much the upstream got rid of."""
    sizes = settings.sizes
    upstream, port = behaving(settings, "flood")
    with upstream, gateway.start(settings, Shape(port, streaming=True)) as running:
        before = running.proc.rss_bytes()
        client = clients.load_started(settings, "slow-reader", running.url, "--count", sizes.slow_readers,
                                      body="stream-request.json")
        with client:
            report = clients.report_line(client)
            # The sockets' own buffers fill first; from then on nothing may move.
            time.sleep(sizes.slow_seconds / 2)
            settled, sent_settled = running.proc.rss_bytes(), stats(port)["bytes_sent"]
            time.sleep(sizes.slow_seconds / 2)
            last, sent_last = running.proc.rss_bytes(), stats(port)["bytes_sent"]
    if report["failed"]:
        raise BenchError(f"{gateway.key}: {report['failed']} slow readers failed")
    return {"slow_readers": sizes.slow_readers, "slow_reader_bytes": round((settled - before) / sizes.slow_readers),
            "slow_growth_bytes": last - settled, "slow_moved_bytes": sent_last - sent_settled}


def stats(port):
    """The upstream's own counters."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/_stats")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


class Peak:
    """The largest resident size seen while it is open, by sampling."""

    def __init__(self, proc):
        self.proc = proc
        self.bytes = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.over.wait(SAMPLE_SECONDS):
            self.bytes = max(self.bytes, self.proc.rss_bytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.bytes = max(self.bytes, self.proc.rss_bytes())
