"""A real model server behind the gateway: llama.cpp with random weights, whose greedy answers never change."""

import json

import pytest
from openai import BadRequestError, OpenAI
from shared import QUESTION, text_of
from stack import eventually

MODEL = "tiny"
GREEDY = {"model": MODEL, "messages": QUESTION, "temperature": 0}


@pytest.fixture
def direct(stack):
    """A client of the model server itself, as the measure for what comes through the gateway."""
    with OpenAI(base_url=f"{stack.facts['llama_url']}/v1", api_key="none", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def client(connect, direct, stack):
    """Without a gateway the suite tests itself against the model server."""
    return direct if stack.direct else connect()


def test_the_gateway_changes_nothing(client, direct):
    there = direct.chat.completions.create(**GREEDY, max_tokens=64)
    here = client.chat.completions.create(**GREEDY, max_tokens=64)

    assert len(there.choices[0].message.content) == 64
    assert here.choices[0].message.content == there.choices[0].message.content
    assert here.usage == there.usage
    # Members that no specification has are kept.
    assert here.model_extra.keys() == there.model_extra.keys()
    assert "timings" in here.model_extra


def test_streamed_unstreamed_and_direct_agree(client, direct):
    whole = client.chat.completions.create(**GREEDY, max_tokens=200)
    streamed = list(client.chat.completions.create(**GREEDY, max_tokens=200, stream=True))
    direct_chunks = list(direct.chat.completions.create(**GREEDY, max_tokens=200, stream=True))

    assert text_of(streamed) == whole.choices[0].message.content == text_of(direct_chunks)
    assert len(streamed) == len(direct_chunks)
    assert streamed[-1].choices[0].finish_reason == "length"


def test_usage_on_a_stream_only_when_asked(client):
    plain = list(client.chat.completions.create(**GREEDY, max_tokens=8, stream=True))
    assert [chunk for chunk in plain if chunk.usage or not chunk.choices] == []

    asked = list(
        client.chat.completions.create(**GREEDY, max_tokens=8, stream=True, stream_options={"include_usage": True})
    )
    assert asked[-1].usage.completion_tokens == 8


def test_json_schema(client):
    """The server holds even random weights to the schema."""
    schema = {
        "type": "object",
        "properties": {"level": {"type": "integer"}, "colour": {"enum": ["red", "blue"]}},
        "required": ["level", "colour"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        **GREEDY,
        max_tokens=200,
        response_format={"type": "json_schema", "json_schema": {"name": "thing", "strict": True, "schema": schema}},
    )

    thing = json.loads(answer.choices[0].message.content)
    assert set(thing) == {"level", "colour"}
    assert thing["colour"] in ("red", "blue")


def test_completions(client, direct):
    request = {"model": MODEL, "prompt": "Once upon a time", "temperature": 0, "max_tokens": 32}
    here, there = client.completions.create(**request), direct.completions.create(**request)

    assert here.choices[0].text == there.choices[0].text
    assert len(here.choices[0].text) == 32


def test_embeddings(client, direct):
    request = {"model": MODEL, "input": ["one", "two"]}
    here, there = client.embeddings.create(**request), direct.embeddings.create(**request)

    assert [item.embedding for item in here.data] == [item.embedding for item in there.data]
    assert len(here.data[0].embedding) == 64


def test_responses(client, direct):
    request = {"model": MODEL, "input": "hello", "temperature": 0, "max_output_tokens": 40}
    here, there = client.responses.create(**request), direct.responses.create(**request)
    assert here.output_text == there.output_text

    events = list(client.responses.create(**request, stream=True))
    assert events[-1].type == "response.completed"
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == there.output_text


def test_models(client):
    assert MODEL in [model.id for model in client.models.list()]


def test_the_servers_own_error(client, direct):
    request = {"model": MODEL, "messages": QUESTION, "extra_body": {"response_format": {"type": "nonsense"}}}
    with pytest.raises(BadRequestError) as there:
        direct.chat.completions.create(**request)
    with pytest.raises(BadRequestError) as here:
        client.chat.completions.create(**request)

    assert here.value.body["message"] == there.value.body["message"]
    assert here.value.type == there.value.type


def test_abort_frees_the_server(client, stack):
    """The answer would go on for thirty thousand tokens; the server stops working on it at once."""
    stream = client.chat.completions.create(**GREEDY, max_tokens=30_000, stream=True)
    for _ in range(3):
        next(stream)
    assert stack.llama_is_busy()
    stream.close()

    assert eventually(lambda: not stack.llama_is_busy(), "a server without work")
