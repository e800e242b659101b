"""Golden bills against an independent calculator, the package genai-prices.

It reads the vendor's own usage object by itself, and multiplies it with its own prices. Where it knows the model it has
to come to the same nano-dollars, or to a difference that is explained in differences.json, one by one. Both files name
amounts, so that a difference that vanishes or changes is noticed as well.
"""

import json
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price, extract_usage

HERE = Path(__file__).parent
BILLS = json.loads((HERE / "bills.json").read_text())
DIFFERENCES = json.loads((HERE / "differences.json").read_text())
# The day of the catalogue's data: prices of genai-prices change with the time of a request.
WHEN = datetime(2026, 11, 22, tzinfo=timezone.utc)
# Kinds of providers whose name there is another one. The rest has the same name in both.
PROVIDERS = {
    "azure-openai": "azure",
    "gemini": "google",
    "gemini-openai": "google",
    "moonshot": "moonshotai",
    "voyage": "voyageai",
    "xai": "x-ai",
}
# The shapes of usage that it can read, by provider and dialect.
FLAVORS = {
    ("anthropic", "anthropic"): "default",
    ("azure", "openai"): "chat",
    ("cerebras", "openai"): "chat",
    ("cohere", "cohere"): "default",
    ("deepseek", "openai"): "chat",
    ("fireworks", "openai"): "chat",
    ("google", "gemini"): "default",
    ("google", "openai"): "chat",
    ("groq", "openai"): "default",
    ("minimax", "openai"): "chat",
    ("mistral", "openai"): "default",
    ("moonshotai", "openai"): "chat",
    ("openai", "openai"): "chat",
    ("openai", "responses"): "responses",
    ("openrouter", "openai"): "chat",
    ("perplexity", "openai"): "default",
    ("x-ai", "openai"): "chat",
    ("zai", "openai"): "chat",
}
# Its readers of usage know these models for conversations only.
EMBEDDINGS = {"text-embedding-3-small", "gemini-embedding-001"}
# Where a vendor's dialect keeps its usage, if not in `usage`.
MEMBERS = {"gemini": "usageMetadata"}


def name(bill):
    return f"{bill['kind']}/{bill['model']}: {bill['name']}"


def provider_of(bill):
    return PROVIDERS.get(bill["kind"], bill["kind"])


def read(bill):
    """The usage as genai-prices reads it, or as the bill says where it does not read this vendor's."""
    provider = provider_of(bill)
    flavor = FLAVORS.get((provider, bill["dialect"]))
    # It is told the name of the model, and nothing of what was read here.
    if flavor and bill["model"] not in EMBEDDINGS:
        member = MEMBERS.get(bill["dialect"], "usage")
        answer = {"model": bill["model"], "modelVersion": bill["model"], member: bill["usage"]}
        return extract_usage(answer, provider_id=provider, api_flavor=flavor).usage
    own = bill["read"]
    if own.get("audio_ms"):
        # Sold by time, whatever else is counted.
        return Usage(audio_seconds=own["audio_ms"] / 1000)
    if own.get("cached_audio_tokens"):
        return Usage(input_tokens=own["input_tokens"], output_tokens=own["output_tokens"],
                     cache_read_tokens=own["cached_input_tokens"], input_audio_tokens=own["audio_tokens"],
                     cache_audio_read_tokens=own["cached_audio_tokens"])
    return Usage(input_tokens=own["input_tokens"], output_tokens=own["output_tokens"],
                 cache_read_tokens=own["cached_input_tokens"])


def independent_nanos(bill):
    """What genai-prices comes to, in nano-dollars; None where it does not know the model."""
    try:
        price = calc_price(read(bill), bill["model"], provider_id=provider_of(bill), genai_request_timestamp=WHEN)
    except LookupError:
        return None
    return int((price.total_price * Decimal(10**9)).to_integral_value(ROUND_HALF_UP))


def test_there_are_enough_bills():
    assert len(BILLS) >= 40
    assert len({bill["kind"] for bill in BILLS}) >= 10
    known = [bill for bill in BILLS if independent_nanos(bill) is not None]
    assert len(known) >= 40, "bills that the independent calculator can check"


@pytest.mark.parametrize("bill", BILLS, ids=name)
def test_bill(bill):
    independent = independent_nanos(bill)
    explained = DIFFERENCES.get(name(bill))
    if explained is None:
        assert independent == bill["cost_nanos"]
    else:
        assert independent == explained["independent_nanos"], "the explained difference has changed"
        assert independent != bill["cost_nanos"], "there is no difference any more: remove its explanation"
        assert len(explained["why"]) > 20


def test_every_explanation_belongs_to_a_bill():
    assert set(DIFFERENCES) <= {name(bill) for bill in BILLS}


def test_names_are_unique():
    assert len({name(bill) for bill in BILLS}) == len(BILLS)
