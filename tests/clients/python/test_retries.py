"""The SDK repeats what the gateway says is worth it, and nothing else."""

import pytest
from openai import APIStatusError, InternalServerError, RateLimitError
from shared import MODEL, QUESTION, fault
from stack import eventually

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize("status", [429, 503])
def test_a_lasting_failure_is_asked_once(connect, stack, status):
    """The status alone would be tried three times; `x-should-retry: false` says that it will not help."""
    model = stack.spare("fault")
    with pytest.raises(APIStatusError) as caught:
        connect(max_retries=2).chat.completions.create(
            model=model, messages=QUESTION, extra_headers=fault(f"status:{status},retry-after=3600")
        )

    assert caught.value.status_code == status
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.body["retry_after_s"] > 60
    assert eventually(lambda: stack.gateway_requests(model), "the request in the metrics") == 1


def test_a_pause_that_the_upstream_asks_for_is_kept(client, stack):
    """Nobody else can answer, but to ask again at once would be what the upstream asked us not to do."""
    model = stack.spare("fault")
    stack.inject(model, "status:503,retry-after=3600")
    with pytest.raises(InternalServerError):
        client.chat.completions.create(model=model, messages=QUESTION)

    assert len(stack.upstream_requests_of(model)) == 1


def test_a_passing_failure_is_asked_again(connect, stack):
    """The upstream asks for longer than the request may last; the SDK waits for it and gets its answer."""
    model = stack.spare("slow")
    stack.inject(model, "status:429,retry-after=2", times=1)
    answer = connect(max_retries=2).chat.completions.with_raw_response.create(model=model, messages=QUESTION)

    assert answer.parse().choices[0].message.content
    assert answer.retries_taken == 1
    assert eventually(lambda: stack.gateway_requests(model) == 2, "two requests in the metrics")


def test_a_short_pause_is_waited_for_by_the_gateway(client, stack):
    """Within the request's deadline the application need not even know."""
    model = stack.spare("fault")
    stack.inject(model, "status:429,retry-after=1", times=1)
    answer = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION)

    assert answer.headers["x-wellhead-attempts"] == "2"
    first, second = stack.upstream_requests_of(model)
    assert second["at_ms"] - first["at_ms"] >= 1000


def test_the_delay_is_one_that_sdks_obey(client, stack):
    """SDKs ignore a delay above 60 s and use a shorter one of their own."""
    with pytest.raises(RateLimitError) as caught:
        client.chat.completions.create(
            model=stack.spare("fault"), messages=QUESTION, extra_headers=fault("status:429,retry-after=30")
        )

    headers = caught.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert 0 < int(headers["retry-after-ms"]) <= 60_000
    assert int(headers["retry-after"]) == -(-int(headers["retry-after-ms"]) // 1000)


def test_the_own_limit_is_waited_for(connect):
    """Sixty a minute: the sixty-first waits for its second and then succeeds."""
    client = connect("sixty-a-minute", max_retries=2)
    retries = 0
    for _ in range(61):
        answer = client.chat.completions.with_raw_response.create(
            model=MODEL, messages=QUESTION, max_completion_tokens=1
        )
        retries += answer.retries_taken

    assert retries == 1
