"""What a run is: its sizes, its paths and its cores. One object, made once, passed to every measurement."""

import json
import pathlib
from dataclasses import asdict, dataclass, field

BENCH = pathlib.Path(__file__).resolve().parent.parent
REPO = BENCH.parent
CONF = BENCH / "conf"

# The key that Wellhead and LiteLLM check; it exists only in this benchmark's own configuration.
CLIENT_KEY = "wh-bench-0123456789abcdef"

REQUEST_BYTES = 330
ANSWER_BYTES = 900


class BenchError(Exception):
    """Something that the person who runs the benchmark can put right; the text says how."""


@dataclass
class Sizes:
    """How much is measured. The defaults are those of the published table."""

    seconds: float = 10.0
    warmup_seconds: float = 2.0
    rounds: int = 2
    connections: int = 32
    streams: int = 100
    stream_repeat: int = 10
    chunks: int = 200
    chunk_bytes: int = 200
    chunk_interval_us: int = 5_000
    starts: int = 5
    idle_streams: int = 4_000
    slow_readers: int = 64
    slow_seconds: float = 6.0
    upload_bytes: int = 32 * 1024 * 1024 - 1024
    uploads: int = 2
    upload_bytes_per_second: int = 8 * 1024 * 1024
    instructions_low: int = 1_000
    instructions_high: int = 3_000

    @staticmethod
    def quick():
        """Enough to see that everything runs; too short to publish."""
        return Sizes(seconds=2.0, warmup_seconds=0.5, rounds=1, stream_repeat=2, starts=2, idle_streams=500,
                     slow_readers=16, slow_seconds=2.0, uploads=1, upload_bytes_per_second=32 * 1024 * 1024,
                     instructions_low=200, instructions_high=600)


@dataclass
class Settings:
    """Everything that the measurements need to know."""

    sizes: Sizes
    gateway_core: int
    load_core: int
    load: pathlib.Path
    wellhead: pathlib.Path | None
    litellm: pathlib.Path | None
    work: pathlib.Path
    nofile: int
    log: list = field(default_factory=list)

    def sizes_json(self):
        """The sizes for the record."""
        return asdict(self.sizes)

    def shown(self, argv):
        """A command line without this machine's paths."""
        text = " ".join(str(part) for part in argv)
        places = [(self.work, "$WORK"), (self.load.parent, "$LOAD"), (REPO, ".")]
        if self.wellhead and not self.wellhead.is_relative_to(REPO):
            places.append((self.wellhead.parent, "$BIN"))
        for path, name in places:
            text = text.replace(str(path), name)
        return text


def check_fixtures():
    """The request and the answer have the sizes that the tables name, and are JSON."""
    for name, size in (("chat-request.json", REQUEST_BYTES), ("stream-request.json", REQUEST_BYTES),
                       ("pair-request.json", REQUEST_BYTES), ("claude-request.json", REQUEST_BYTES),
                       ("gemini-request.json", REQUEST_BYTES), ("messages-request.json", REQUEST_BYTES),
                       ("chat-answer.json", ANSWER_BYTES)):
        data = (CONF / name).read_bytes()
        json.loads(data)
        if len(data) != size:
            raise BenchError(f"bench/conf/{name}: {len(data)} bytes, expected {size}; make it that size again")
