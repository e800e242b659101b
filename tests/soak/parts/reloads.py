"""Reloading the configuration under load, by file change and by SIGHUP in turn, with an invalid file now and then.
Nothing may be lost, a valid file must take effect as a whole, an invalid one must change nothing and say why."""

import json

from .kills import whole_chunks
from .settings import MODEL, Row
from .stack import Sim, provider
from .streams import Streams

PACE_MS, TOKENS = 20, 48
# One run of the load generator; as many follow each other as the reloads need.
LOAD_SECONDS = 5.0
# Every so many reloads an invalid file comes between.
INVALID_EVERY = 5


def run(settings, gateway):
    """All reloads; one row."""
    sims = [Sim(settings, f"reload-{n}", "--pace", f"{PACE_MS}ms", "--tokens", TOKENS).start() for n in (1, 2)]
    done = {"valid": 0, "invalid": 0}
    total = {"streams": 0, "whole": 0}
    try:
        gateway.reload(_document(gateway, sims, 0))
        chunks = whole_chunks(settings, sims[1])
        while done["valid"] < settings.sizes.reloads:
            streams = Streams(settings, gateway.url, LOAD_SECONDS, chunks)
            try:
                while streams.running() and done["valid"] < settings.sizes.reloads:
                    _reload(settings, gateway, sims, done)
                fates = streams.fates()
            finally:
                streams.proc.stop()
            total["streams"] += len(fates)
            total["whole"] += sum(fate["complete"] for fate in fates)
            for fate in fates:
                if not fate["complete"]:
                    settings.finding("reloads", f"a stream was not whole: {fate}")
            print(f"  {done['valid']} of {settings.sizes.reloads} reloads: {total}", flush=True)
    finally:
        for sim in sims:
            sim.stop()
    figures = f"{total['streams']} streams, {total['whole']} whole; {done['invalid']} invalid files between"
    what = f"configuration reloaded {done['valid']} times under {settings.sizes.streams} streams"
    return [Row("reloads", what, figures)]


def _document(gateway, sims, number):
    """Each generation differs: weights, one more provider or one less, and a model that names the generation."""
    providers = {f"up-{n}": provider(sim, f"sk-soak-reload-{n}") for n, sim in enumerate(sims)}
    targets = [{"provider": name, "model": MODEL, "weight": 1 + number % 3} for name in providers]
    if number % 2:
        providers["spare"] = provider(sims[0], "sk-soak-reload-spare")
        targets.append({"provider": "spare", "model": MODEL, "weight": 2})
    models = {MODEL: {"targets": targets}, f"generation-{number}": {"targets": targets[:1]}}
    return gateway.document(providers, models)


def _reload(settings, gateway, sims, done):
    number = done["valid"] + 1
    before = gateway.config()["generation"]
    if number % INVALID_EVERY == 0:
        _refused(settings, gateway, sims, number, before)
        done["invalid"] += 1
    document = _document(gateway, sims, number)
    gateway.write(document)
    if number % 2:
        gateway.hang_up()
    gateway.wait_config(lambda config: config["generation"] > before and config["last_reload_ok"],
                        f"a generation above {before}")
    wanted = set(document["models"])
    found = gateway.models()
    if found != wanted:
        settings.finding("reloads", f"reload {number}: /v1/models lists {sorted(found)}, expected {sorted(wanted)}")
    done["valid"] = number


def _refused(settings, gateway, sims, number, before):
    """An invalid file between two valid ones."""
    document = _document(gateway, sims, number)
    document["models"][MODEL]["targets"][0]["provider"] = "nobody"
    text = json.dumps(document, indent=1)
    line = text[:text.index('"nobody"')].count("\n") + 1
    gateway.write_text(text)
    gateway.hang_up()
    config = gateway.wait_config(lambda config: not config["last_reload_ok"], "a refusal of the invalid file")
    messages = "\n".join(config["last_reload_errors"])
    if config["generation"] != before:
        settings.finding("reloads", f"the invalid file {number} became generation {config['generation']}")
    if f":{line}:" not in messages or "nobody" not in messages:
        settings.finding("reloads", f"the refusal does not name line {line}: {messages!r}")
