"""Random fault scenarios: a few targets, what goes wrong with each, and the requests that meet it.

A scenario depends on the seed and its number only, so that one that fails can be run again alone."""

from dataclasses import dataclass

from .settings import MODEL

# Of every scenario's model; small, so that waits are real but short.
DEADLINE_MS, FIRST_TOKEN_MS, STREAM_IDLE_MS = 3_000, 400, 700
ATTEMPTS_MAX = 8
# The simulators' usual pace and answer.
PACE_MS, TOKENS = 4, 24
# The slowest token that a scenario asks for; below STREAM_IDLE_MS, so that it is slow but not silent.
SLOW_MS_MAX = 60

PROMPTS = ("How do bridges carry their load?", "Describe a quiet harbour.", "Why is the sky dark at night?")


@dataclass(frozen=True)
class Request:
    """One request: whether it streams, what it asks, the fault of each target (None: none), and its Accept-Encoding
    (None: not sent)."""

    streamed: bool
    prompt: int
    faults: tuple
    accepts: str | None = None


@dataclass(frozen=True)
class Scenario:
    """`tiers` of the faulty targets in order; `steady`: a last target that is never faulty."""

    number: int
    tiers: tuple
    steady: bool
    requests: tuple

    @property
    def model(self):
        return f"scenario-{self.number}"

    def target(self, index):
        """The provider of a faulty target."""
        return f"s{self.number}-t{index}"

    @property
    def steady_target(self):
        return f"s{self.number}-steady"

    def key(self, provider):
        """The key by which the simulators tell the providers apart."""
        return f"sk-soak-{provider}"

    def tier_of(self, provider):
        """The tier of a provider of this scenario, or None for a stranger."""
        if self.steady and provider == self.steady_target:
            return max(self.tiers) + 1
        names = [self.target(index) for index in range(len(self.tiers))]
        return self.tiers[names.index(provider)] if provider in names else None

    def config(self, sims, provider):
        """(providers, model) for the configuration; targets alternate between the simulators."""
        providers, targets = {}, []
        for index, tier in enumerate(self.tiers):
            name = self.target(index)
            providers[name] = provider(sims[index % len(sims)], self.key(name))
            targets.append({"provider": name, "model": MODEL, "tier": tier})
        if self.steady:
            name = self.steady_target
            providers[name] = provider(sims[self.number % len(sims)], self.key(name))
            targets.append({"provider": name, "model": MODEL, "tier": max(self.tiers) + 1})
        timeouts = {
            "deadline": f"{DEADLINE_MS}ms", "first_token": f"{FIRST_TOKEN_MS}ms", "stream_idle": f"{STREAM_IDLE_MS}ms",
        }
        return providers, {"targets": targets, "timeouts": timeouts, "attempts_max": ATTEMPTS_MAX}


def fault(rng):
    """One fault in the simulators' text form, with arguments that reach both sides of every limit."""
    code = rng.choice((400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 429, 500, 502, 503, 503, 504, 529))
    retry_after = f",retry-after={rng.choice((0, 1, 2, 30, 7200))}" if code in (429, 503) and rng.random() < 0.6 else ""
    tokens = rng.randrange(TOKENS + 4)
    return rng.choice((
        "refuse", "reset-before-headers", "reset-after-headers", "silence",
        f"slow-first-token:{rng.choice((50, 300, 600, 1500))}", f"slow-tokens:{rng.choice((10, 30, SLOW_MS_MAX))}",
        f"status:{code}{retry_after}", f"status:{code}{retry_after}",
        f"cut-after:{tokens}", f"cut-after:{tokens}", f"reset-after:{tokens}", f"stall-after:{tokens}",
        f"malformed-event:{tokens}", "missing-terminator", "error-in-200", f"error-mid-stream:{tokens}",
        "wrong-content-type", "compressed", "compressed:force", f"huge-line:{rng.choice((1000, 70_000, 1 << 20))}",
        "empty-body", "bad-json", f"drip-headers:{rng.choice((1, 20))}",
    ))


def faults(rng):
    """Mostly one, sometimes none, sometimes two that strike at different moments."""
    chance = rng.random()
    if chance < 0.2:
        return None
    if chance < 0.85:
        return fault(rng)
    return f"slow-first-token:{rng.choice((50, 300))}+{fault(rng)}"


def scenario(settings, number):
    """The scenario of this number."""
    rng = settings.random("scenario", number)
    tiers = [0]
    for _ in range(rng.choice((0, 1, 1, 2))):
        tiers.append(tiers[-1] + rng.choice((0, 1)))
    requests = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        struck = tuple(faults(rng) for _ in tiers)
        accepts = rng.choice((None, "identity", "gzip", "gzip, deflate, br"))
        requests.append(Request(rng.random() < 0.7, rng.randrange(len(PROMPTS)), struck, accepts))
    return Scenario(number, tuple(tiers), rng.random() < 0.65, tuple(requests))
