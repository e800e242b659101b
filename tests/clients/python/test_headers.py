"""What the answer's headers tell, and which of the client's headers count."""

import pytest
from openai import Omit
from shared import MODEL, QUESTION

pytestmark = pytest.mark.gateway


def ask(client, **options):
    return client.chat.completions.with_raw_response.create(
        **({"model": MODEL, "messages": QUESTION} | options)
    )


def test_how_the_answer_came_about(client):
    headers = ask(client).headers

    assert headers["x-wellhead-survival"] == "direct"
    assert headers["x-wellhead-target"] == f"steady/{MODEL}"
    assert headers["x-wellhead-attempts"] == "1"


def test_request_ids(client):
    raw = ask(client)

    assert raw.headers["x-request-id"] == raw.headers["request-id"]
    assert raw.parse()._request_id == raw.headers["x-request-id"]
    assert ask(client).headers["x-request-id"] != raw.headers["x-request-id"]


def test_a_request_id_of_the_client_is_kept(client):
    chosen = "order-4711.attempt-2"

    assert ask(client, extra_headers={"X-Request-ID": chosen}).headers["x-request-id"] == chosen


def test_a_streams_headers(client):
    raw = ask(client, stream=True)
    stream = raw.parse()
    chunks = list(stream)

    assert len(chunks) > 1
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.headers["x-wellhead-survival"] == "direct"
    assert raw.headers["x-request-id"]


@pytest.mark.parametrize("name", ["x-api-key", "api-key"])
def test_other_places_for_the_key(connect, stack, name):
    """Clients made for other vendors put the key elsewhere."""
    raw = ask(connect(), extra_headers={name: stack.key(), "Authorization": Omit()})

    assert raw.parse().choices[0].message.content


def test_the_providers_limits_do_not_look_like_ours(client):
    """This app has no limits, so there are none to report; the provider's own go by another name."""
    assert "x-ratelimit-limit-requests" not in ask(client).headers


def test_trace_context_is_continued(client, stack):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    marker = "part-of-a-trace"
    ask(client, user=marker, extra_headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})

    sent = stack.upstream_request(marker)["headers"]["traceparent"]
    assert sent.split("-")[1] == trace
    assert sent.split("-")[2] != "00f067aa0ba902b7"
