"""Cohere's own SDK as judge: of the simulator that stands in for Cohere, of the goldens, and of what the gateway sends."""

import inspect
import json
from pathlib import Path

import cohere
import pydantic
import pytest
from cohere import types
from cohere.core.api_error import ApiError
from cohere.v2.client import V2Client
from cohere.v2.types import V2ChatStreamResponse
from shared import CLOCK, QUESTION, WEATHER, fault

DATA = Path(__file__).parents[3] / "crates" / "wellhead-wire" / "src" / "cohere" / "tests"
MODEL = "practice"
EMBEDDER = "text-embedding-3-small"

# What the vendor's streams begin with, without its SDK having them among its types.
BEGINNING = {f".delta.message.{name}" for name in ("content", "tool_plan", "tool_calls", "citations")}

pytestmark = pytest.mark.gateway


@pytest.fixture
def vendor(stack):
    """The SDK at the simulator itself."""
    return cohere.ClientV2(api_key="sk-steady", base_url=stack.facts["sims"]["steady"], timeout=30)


def extras(value, path=""):
    """Members that the SDK's types have no field for; they are kept apart there instead of refused."""
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in extras(item, f"{path}[{at}]")]
    if not isinstance(value, pydantic.BaseModel):
        return []
    found = [f"{path}.{name}" for name in value.model_extra or {}]
    for name in type(value).model_fields:
        found += extras(getattr(value, name), f"{path}.{name}")
    return found


def check(kind, value):
    """The value as the SDK's type, strictly: the SDK itself would take anything."""
    read = pydantic.TypeAdapter(kind).validate_python(value)
    assert extras(read) == []
    return read


def check_request(body, method):
    """A body against the parameters of the SDK's method and their types."""
    parameters = inspect.signature(method, eval_str=True).parameters
    for name, value in body.items():
        if name != "stream":
            assert name in parameters, name
            check(parameters[name].annotation, value)


def test_a_chat_is_parsed(vendor):
    answer = vendor.chat(model=MODEL, messages=QUESTION)

    assert answer.finish_reason == "COMPLETE" and extras(answer) == []
    assert len(answer.message.content[0].text) > 20
    assert answer.usage.tokens.input_tokens > 0 and answer.usage.tokens.output_tokens > 0


def test_a_stream_says_the_same(vendor):
    whole = vendor.chat(model=MODEL, messages=QUESTION)
    events = list(vendor.chat_stream(model=MODEL, messages=QUESTION))

    assert [extras(event) for event in events[1:] if extras(event)] == []
    assert set(extras(events[0])) <= BEGINNING
    assert events[0].type == "message-start" and events[-1].type == "message-end"
    text = "".join(event.delta.message.content.text for event in events if event.type == "content-delta")
    assert text == whole.message.content[0].text
    assert events[-1].delta.finish_reason == "COMPLETE"
    assert events[-1].delta.usage.tokens == whole.usage.tokens


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_are_called(vendor, streamed):
    turns = [{"role": "user", "content": "Use the tools get_weather and get_time for Oslo."}]
    ask = {"model": MODEL, "messages": turns, "tools": [WEATHER, CLOCK], "tool_choice": "REQUIRED"}
    if streamed:
        events = list(vendor.chat_stream(**ask))
        begun = [event for event in events if event.type == "tool-call-start"]
        calls = {event.delta.message.tool_calls.function.name: "" for event in begun}
        names = list(calls)
        for event in events:
            if event.type == "tool-call-delta":
                calls[names[event.index]] += event.delta.message.tool_calls.function.arguments
        assert events[-1].delta.finish_reason == "TOOL_CALL"
    else:
        answer = vendor.chat(**ask)
        calls = {call.function.name: call.function.arguments for call in answer.message.tool_calls}
        assert answer.finish_reason == "TOOL_CALL"
    assert set(calls) == {"get_weather", "get_time"}
    assert all(json.loads(arguments)["city"] for arguments in calls.values())


def test_vectors_and_ranks_are_parsed(vendor):
    vectors = vendor.embed(model=EMBEDDER, texts=["a", "b"], input_type="search_query", embedding_types=["float"])
    assert len(vectors.embeddings.float_) == 2 and vectors.meta.billed_units.input_tokens > 0
    ranks = vendor.rerank(model=MODEL, query="the well", documents=["a tree", "the well"], top_n=1)
    assert [result.index for result in ranks.results] == [1] and ranks.meta.billed_units.search_units == 1


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_errors_are_the_vendors(vendor, status):
    options = {"additional_headers": fault(f"status:{status}"), "max_retries": 0}
    with pytest.raises(ApiError) as raised:
        vendor.chat(model=MODEL, messages=QUESTION, request_options=options)
    assert raised.value.status_code == status
    assert raised.value.body["message"] and raised.value.body["id"]


@pytest.mark.parametrize("name", ["stream.sse", "calls.sse"])
def test_goldens_are_streams_of_the_vendor(name):
    events = [event for event in (DATA / name).read_text().split("\n\n") if event]
    assert events.pop() == "data: [DONE]"
    for event in events:
        named, data = event.split("\n")
        assert named.removeprefix("event: ") == json.loads(data.removeprefix("data: "))["type"]
        read = pydantic.TypeAdapter(V2ChatStreamResponse).validate_json(data.removeprefix("data: "))
        assert set(extras(read)) <= (BEGINNING if read.type == "message-start" else set())


def test_the_golden_request_is_one():
    check_request(json.loads((DATA / "full_request.json").read_text()), V2Client.chat)


def test_what_the_gateway_sends_is_a_request_of_the_sdk(client, stack):
    marker = "a conversation for Cohere"
    call = {"id": "c1", "type": "function", "function": {"name": "get_time", "arguments": '{"city":"Oslo"}'}}
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": marker}]},
        {"role": "assistant", "content": "I look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
        {"role": "user", "content": "And the weather?"},
    ]
    named = {"type": "function", "function": {"name": "get_weather"}}
    settings = {"temperature": 0.5, "top_p": 1, "seed": 7, "stop": ["END"], "max_tokens": 200, "logprobs": True}
    answer = client.chat.completions.create(
        model="at-cohere", messages=turns, tools=[WEATHER, CLOCK], tool_choice=named, **settings
    )
    assert [call.function.name for call in answer.choices[0].message.tool_calls] == ["get_weather"]
    sent = json.loads(stack.upstream_request(marker)["body"])
    check_request(sent, V2Client.chat)
    assert sent["tool_choice"] == "REQUIRED" and len(sent["tools"]) == 1
    assert check(types.ChatMessageV2, sent["messages"][2]).tool_plan == "I look."


def test_what_the_gateway_asks_of_vectors_is_a_request_of_the_sdk(client, stack):
    marker = "a text for Cohere"
    answer = client.embeddings.create(model="vectors-at-cohere", input=[marker, "b"], dimensions=64)
    assert [len(item.embedding) for item in answer.data] == [64, 64] and answer.usage.prompt_tokens > 0
    check_request(json.loads(stack.upstream_request(marker)["body"]), V2Client.embed)
