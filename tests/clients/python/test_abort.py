"""An application that stops listening: the upstream is told at once, so that nobody pays for the rest."""

import pytest
from openai import APITimeoutError, InternalServerError
from shared import MODEL, QUESTION
from stack import eventually

# Far more tokens than are read, at a pace that leaves no doubt who ended it.
ENDLESS = {"x-sim-fault": "slow-tokens:50+tokens:2000"}


def wait_for_disconnect(stack, marker):
    """The simulator's own record of how the request with `marker` ended."""

    def ended():
        entry = stack.upstream_request(marker)
        return entry["ended"] and entry

    entry = eventually(ended, "the end of the upstream's request")
    assert entry["ended"] == "client_disconnected"
    assert entry["tokens_sent"] < 1000


def test_closing_a_stream(client, stack):
    marker = "closed-in-the-middle"
    stream = client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, user=marker, extra_headers=ENDLESS
    )
    for _ in range(3):
        next(stream)
    stream.close()

    wait_for_disconnect(stack, marker)


def test_leaving_a_stream_block(client, stack):
    marker = "left-the-block"
    with client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, user=marker, extra_headers=ENDLESS
    ) as stream:
        next(iter(stream))

    wait_for_disconnect(stack, marker)


def test_a_clients_timeout(client, stack):
    """The SDK tells the gateway how long it waits, so either of them may be the first to give up."""
    marker = "client-ran-out-of-patience"
    with pytest.raises((APITimeoutError, InternalServerError)):
        client.chat.completions.create(
            model=MODEL, messages=QUESTION, user=marker, timeout=0.5, extra_headers={"x-sim-fault": "silence"}
        )

    wait_for_disconnect(stack, marker)


def test_the_client_goes_on_after_an_abort(client, stack):
    for _ in range(5):
        stream = client.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, extra_headers=ENDLESS
        )
        next(stream)
        stream.close()

    assert client.chat.completions.create(model=MODEL, messages=QUESTION).choices[0].message.content
