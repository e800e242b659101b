"""Random fault scenarios over real sockets: simulators misbehave as each scenario says, and the checker looks at
every answer. Each scenario has providers of its own, so that none rests because of another's faults."""

import concurrent.futures
import json

from .checker import PATIENCE_S, check
from .client import ask
from .scenario import PACE_MS, PROMPTS, TOKENS, scenario
from .settings import MODEL, Row, SoakError
from .stack import Sim, provider

# Scenarios that are configured at the same time, and how many of them run at the same time.
BATCH = 50
LANES = 10


def run(settings, gateway):
    """All scenarios, or the one that was asked for."""
    numbers = range(settings.sizes.scenarios) if settings.only_scenario is None else [settings.only_scenario]
    sims = [Sim(settings, f"fault-{n}", "--pace", f"{PACE_MS}ms", "--tokens", TOKENS) for n in range(2)]
    tally = {}
    try:
        for sim in sims:
            sim.start()
        texts = [_reference(sims, prompt) for prompt in range(len(PROMPTS))]
        for start in range(0, len(numbers), BATCH):
            batch = [scenario(settings, number) for number in numbers[start:start + BATCH]]
            _batch(settings, gateway, sims, batch, texts, tally)
            print(f"  {min(start + BATCH, len(numbers))} of {len(numbers)} scenarios, {tally}", flush=True)
    finally:
        for sim in sims:
            sim.stop()
    figures = ", ".join(f"{count} {what}" for what, count in sorted(tally.items()))
    return [Row("faults", f"{len(numbers)} random fault scenarios (seed {settings.seed})", figures)]


def _body(request, marker):
    return {
        "model": marker.rpartition("/")[0], "stream": request.streamed, "user": marker,
        "messages": [{"role": "user", "content": PROMPTS[request.prompt]}],
    }


def _reference(sims, prompt):
    """What a healthy upstream answers; both simulators must agree, or there is nothing to compare with."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPTS[prompt]}]}
    texts = {ask(sim.port, body, PATIENCE_S).text for sim in sims}
    if len(texts) != 1 or "" in texts:
        raise SoakError(f"the simulators do not give one answer to prompt {prompt}: {texts}")
    return texts.pop()


def _batch(settings, gateway, sims, batch, texts, tally):
    providers, models = {}, {}
    for one in batch:
        mine, models[one.model] = one.config(sims, provider)
        providers |= mine
    for sim in sims:
        sim.control("DELETE", "/_sim/faults")
        sim.control("DELETE", "/_sim/requests")
    gateway.reload(gateway.document(providers, models))
    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        played = list(lanes.map(lambda one: _play(gateway, sims, one), batch))
    gateway.alive()
    seen = _seen(sims)
    for one, answers in zip(batch, played, strict=True):
        for index, (request, answer) in enumerate(zip(one.requests, answers, strict=True)):
            what = _outcome(answer)
            tally[what] = tally.get(what, 0) + 1
            marker = f"{one.model}/{index}"
            for text in check(one, request, answer, texts[request.prompt], seen.get(marker, 0)):
                about = f"tiers {one.tiers}, steady {one.steady}, streamed {request.streamed}, "
                about += f"accepts {request.accepts}, faults {request.faults}"
                settings.finding("faults", f"scenario {one.number}, request {index + 1}: {text} [{about}]")


def _play(gateway, sims, one):
    """The requests of one scenario, one after another: marks that the first one leaves are there for the second."""
    answers = []
    for index, request in enumerate(one.requests):
        for target, fault in enumerate(request.faults):
            # A rule that only names the usual length means: no fault. The newest rule of a key counts.
            rule = {"match": {"key": one.key(one.target(target))}, "fault": fault or f"tokens:{TOKENS}"}
            sims[target % len(sims)].control("POST", "/_sim/faults", rule)
        answers.append(ask(gateway.port, _body(request, f"{one.model}/{index}"), PATIENCE_S, request.accepts))
    return answers


def _seen(sims):
    """Marker → requests that reached an upstream."""
    seen = {}
    for sim in sims:
        for entry in sim.control("GET", "/_sim/requests")["requests"]:
            marker = json.loads(entry["body"])["user"]
            seen[marker] = seen.get(marker, 0) + 1
    return seen


def _outcome(answer):
    if answer.status is None:
        return "unanswered"
    if answer.status != 200:
        return "refused"
    if answer.error is not None:
        return "broken off with an error"
    return answer.header("x-wellhead-survival") or "without a rung"
