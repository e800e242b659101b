"""Chat completions, streamed: the same answer, piece by piece."""

import time

import pytest
from openai import APIError
from shared import MODEL, QUESTION, fault, text_of


def test_streamed_text_equals_unstreamed(client):
    whole = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    chunks = list(client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stream=True))

    assert text_of(chunks) == whole.choices[0].message.content
    assert len(chunks) > 3
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_usage_comes_only_when_asked(client):
    plain = list(client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True))
    assert all(chunk.usage is None for chunk in plain)
    assert all(chunk.choices for chunk in plain)

    asked = list(
        client.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    assert asked[-1].choices == []
    assert asked[-1].usage.completion_tokens > 0
    assert [chunk for chunk in asked[:-1] if chunk.usage] == []


def test_stream_helper_collects_the_answer(client):
    with client.chat.completions.stream(model=MODEL, messages=QUESTION) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()

    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content


def test_several_choices_are_kept_apart(client):
    chunks = client.chat.completions.create(model=MODEL, messages=QUESTION, n=2, stream=True)

    assert {choice.index for chunk in chunks for choice in chunk.choices} == {0, 1}


def test_reasoning_comes_before_the_text(client):
    chunks = list(client.chat.completions.create(model="practice-reason", messages=QUESTION, stream=True))

    thinking = [n for n, chunk in enumerate(chunks) if getattr(chunk.choices[0].delta, "reasoning_content", None)]
    talking = [n for n, chunk in enumerate(chunks) if chunk.choices[0].delta.content]
    assert thinking and talking
    assert max(thinking) < min(talking)


def test_legacy_completions_stream(client):
    chunks = list(client.completions.create(model=MODEL, prompt="Once upon a time", max_tokens=8, stream=True))

    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)


def test_tokens_arrive_one_by_one(client):
    """Nothing on the way waits for the whole answer: the first token is there long before the last."""
    stream = client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, max_completion_tokens=20, extra_headers=fault("slow-tokens:60")
    )
    times = []
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            times.append(time.monotonic())

    assert len(times) >= 10
    assert times[-1] - times[0] > 0.3


@pytest.mark.gateway
def test_an_interrupted_stream_raises(client, stack):
    """A truncated answer never ends like a finished one."""
    stream = client.chat.completions.create(
        model=stack.spare("fault"), messages=QUESTION, stream=True, extra_headers=fault("reset-after:5")
    )
    received = []
    with pytest.raises(APIError) as caught:
        for chunk in stream:
            received.append(chunk)

    assert text_of(received)
    assert caught.value.code == "upstream_stream_interrupted"
    assert all(chunk.choices[0].finish_reason is None for chunk in received if chunk.choices)


@pytest.mark.gateway
@pytest.mark.parametrize("how", ["cut-after:5", "missing-terminator"])
def test_a_stream_without_its_end_raises(client, stack, how):
    stream = client.chat.completions.create(
        model=stack.spare("fault"), messages=QUESTION, stream=True, extra_headers=fault(how)
    )
    with pytest.raises(APIError) as caught:
        list(stream)

    assert caught.value.code == "upstream_stream_interrupted"
