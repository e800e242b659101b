"""Limits of an app: what it is told, and when it may come again."""

import pytest
from openai import RateLimitError
from shared import MODEL, QUESTION
from stack import eventually

pytestmark = pytest.mark.gateway


def ask(client, **options):
    return client.chat.completions.with_raw_response.create(
        **({"model": MODEL, "messages": QUESTION} | options)
    )


def test_requests_per_minute(connect):
    client = connect("three-a-minute")
    left = []
    for _ in range(3):
        headers = ask(client).headers
        assert headers["x-ratelimit-limit-requests"] == "3"
        left.append(int(headers["x-ratelimit-remaining-requests"]))
    assert left == [2, 1, 0]

    with pytest.raises(RateLimitError) as caught:
        ask(client)
    error = caught.value
    assert error.code == "rate_limit_exceeded"
    assert error.response.headers["x-should-retry"] == "true"
    assert 0 < int(error.response.headers["retry-after"]) <= 20
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert error.body["request_id"] == error.request_id


def test_a_limit_of_one_app_does_not_touch_another(connect):
    limited = connect("three-a-minute")
    with pytest.raises(RateLimitError):
        for _ in range(4):
            ask(limited)

    assert ask(connect()).parse().choices


def test_tokens_per_minute(connect):
    """Tokens that were used count: after an answer that is longer than the limit the next one has to wait."""
    client = connect("few-tokens")
    with pytest.raises(RateLimitError) as caught:
        for _ in range(3):
            ask(client)

    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["x-ratelimit-limit-tokens"] == "40"


def test_concurrency(connect):
    client = connect("one-at-a-time")
    stream = client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, extra_headers={"x-sim-fault": "slow-tokens:50+tokens:2000"}
    )
    next(stream)
    with pytest.raises(RateLimitError) as caught:
        ask(client)
    assert caught.value.code == "rate_limit_exceeded"

    stream.close()

    def free_again():
        try:
            return ask(client)
        except RateLimitError:
            return None

    assert eventually(free_again, "the place of the closed stream").parse().choices
