"""What a run is: its sizes, its paths, and the findings that it collects. Made once, passed to every part."""

import pathlib
import random
from dataclasses import asdict, dataclass, field

SOAK = pathlib.Path(__file__).resolve().parent.parent
REPO = SOAK.parent.parent

# The key that the gateway checks; it exists only in the soak's own configuration.
APP_KEY = "wh-soak-0123456789abcdef"

# Clients and upstreams use the same name, so that one request can be sent to either. (The simulators' own model named
# `practice` gives longer answers than asked for.)
MODEL = "soak"

# Findings of one part that are kept in words; beyond that they are only counted: a broken build breaks the same promise
# thousands of times.
FINDINGS_KEPT_MAX = 20

PARTS = ("kills", "reloads", "faults", "outages", "memory", "survival", "overload", "deferred", "worlds",
         "seeds", "fuzz")


class SoakError(Exception):
    """The soak itself cannot go on (something is missing, a server did not start); the text says what to do."""


@dataclass
class Sizes:
    """How much is worn. The defaults are those of the published page."""

    streams: int = 50
    kills: int = 20
    reloads: int = 100
    scenarios: int = 1_000
    # How long a target is down.
    outage_seconds: float = 60.0
    # Every pair of faults instead of each pair of classes.
    all_pairs: bool = True
    # Full length instead of what the gating tests do.
    full_overload: bool = True
    worlds: int = 100_000
    # Kills of a gateway of its own, which answers deferred requests.
    gateway_kills: int = 1_000
    proptest_cases: int = 20_000
    # Conversations that every dialect has to bring back as they were.
    round_trips: int = 100_000
    fuzz_minutes: float = 60.0
    # What the gateway may have grown by after all of it: a leak of 100 bytes per request of a full run would show.
    growth_mib_max: int = 64

    @staticmethod
    def quick():
        """Enough to see that everything runs; too short to publish."""
        return Sizes(kills=3, reloads=10, scenarios=60, outage_seconds=6.0, all_pairs=False, full_overload=False,
                     worlds=300, gateway_kills=10, proptest_cases=300, round_trips=3_000, fuzz_minutes=0.1)

    def json(self):
        """The sizes for the record."""
        return asdict(self)


@dataclass
class Settings:
    """Everything that the parts need to know. The processes of the benchmarks' harness read `work` and `nofile`."""

    sizes: Sizes
    seed: int
    wellhead: pathlib.Path
    load: pathlib.Path
    work: pathlib.Path
    nofile: int
    load_core: str
    only_scenario: int | None = None
    findings: list = field(default_factory=list)
    findings_count: int = 0

    def random(self, *about):
        """A generator that depends on the seed and on what it is for, so that no part shifts another's numbers."""
        return random.Random(":".join(map(str, (self.seed, *about))))

    def finding(self, part, text):
        """Notes a broken promise."""
        self.findings_count += 1
        if sum(kept == part for kept, _ in self.findings) < FINDINGS_KEPT_MAX:
            self.findings.append((part, text))
            print(f"  BROKEN ({part}): {text}", flush=True)


@dataclass
class Row:
    """One line of the published table."""

    part: str
    what: str
    figures: str
    seconds: float = 0.0
    ran: bool = True
