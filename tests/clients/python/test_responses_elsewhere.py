"""OpenAI's SDK asks for responses of targets that do not have the Responses API. Every event and every answer is judged by
the SDK's own types, which it does not enforce by itself."""

import json

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter
from shared import fault

pytestmark = pytest.mark.gateway

EVENT = TypeAdapter(ResponseStreamEvent)
QUESTION = "What is a wellhead, in two sentences?"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"type": "function", "name": "get_weather", "description": "The weather", "parameters": CITY, "strict": True}
CLOCK = {"type": "function", "name": "get_time", "description": "The time", "parameters": CITY, "strict": False}
PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Patches a file",
    "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "x"'},
}


@pytest.fixture(params=["at-chat", "at-anthropic", "at-gemini"])
def model(request):
    return request.param


def whole(client, **asked):
    """An answer in one piece, as the SDK's types have it."""
    answer = client.responses.create(**asked)
    Response.model_validate(answer.to_dict(mode="json"))
    return answer


def streamed(client, **asked):
    """The events of an answer, as the SDK's types have them: numbered, and each about something that was announced."""
    events = list(client.responses.create(stream=True, **asked))
    open_items, open_parts, done = {}, set(), {}
    for number, event in enumerate(events):
        EVENT.validate_python(event.to_dict(mode="json"))
        assert event.sequence_number == number
        kind = event.type
        if kind == "response.output_item.added":
            assert event.output_index == len(open_items) + len(done)
            open_items[event.output_index] = event.item.id
        elif kind == "response.output_item.done":
            assert open_items.pop(event.output_index) == event.item.id
            done[event.output_index] = event.item
        elif kind.endswith("part.added"):
            open_parts.add(event.item_id)
        elif kind.endswith("part.done"):
            open_parts.remove(event.item_id)
        elif kind.endswith(".delta"):
            assert open_items[event.output_index] == event.item_id
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert not open_items and not open_parts
    assert [item.to_dict() for _, item in sorted(done.items())] == [i.to_dict() for i in events[-1].response.output]
    return events


def test_an_answer(client, model):
    answer = whole(client, model=model, input=QUESTION, instructions="Be brief.", metadata={"team": "a"})

    assert (answer.status, answer.model, answer.error) == ("completed", model, None)
    assert len(answer.output_text) > 20
    assert (answer.instructions, answer.metadata) == ("Be brief.", {"team": "a"})
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


def test_the_stream_says_the_same(client, model):
    answer = whole(client, model=model, input=QUESTION)
    events = streamed(client, model=model, input=QUESTION)

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 1
    last = events[-1]
    assert last.type == "response.completed"
    assert "".join(deltas) == last.response.output_text == answer.output_text
    assert last.response.usage.output_tokens == answer.usage.output_tokens > 0


def test_the_helper_for_streams(client, model):
    with client.responses.stream(model=model, input=QUESTION) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert final.output_text and kinds[-1] == "response.completed"


@pytest.mark.parametrize("stream", [False, True])
def test_tools_and_their_results(client, model, stream):
    turns = [{"role": "user", "content": "Use the tools get_weather and get_time for Oslo."}]
    asked = {"model": model, "tools": [WEATHER, CLOCK]}
    answer = streamed(client, input=turns, **asked)[-1].response if stream else whole(client, input=turns, **asked)

    calls = [item for item in answer.output if item.type == "function_call"]
    assert {call.name for call in calls} == {"get_weather", "get_time"}
    assert all(json.loads(call.arguments)["city"] for call in calls)
    assert len({call.call_id for call in calls}) == 2
    turns += [item.to_dict() for item in answer.output]
    turns += [{"type": "function_call_output", "call_id": call.call_id, "output": "12"} for call in calls]
    assert whole(client, input=turns, **asked).output_text


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_takes_text(client, model, stream):
    asked = {"model": model, "input": "Patch it.", "tools": [PATCH], "tool_choice": {"type": "custom", "name": "apply_patch"}}
    answer = streamed(client, **asked)[-1].response if stream else whole(client, **asked)
    (call,) = [item for item in answer.output if item.type == "custom_tool_call"]
    assert call.name == "apply_patch" and call.input and not call.input.startswith("{")


@pytest.mark.parametrize("target", ["chat", "anthropic", "gemini"])
def test_thoughts_come_and_go_back(client, target):
    model = f"thinks-at-{target}"
    turns = [{"role": "user", "content": QUESTION}]
    asked = {"model": model, "reasoning": {"effort": "low", "summary": "auto"}}
    answer = streamed(client, input=turns, **asked)[-1].response

    thoughts = [item for item in answer.output if item.type == "reasoning"]
    assert thoughts and (thoughts[0].summary or thoughts[0].content)
    assert answer.output_text
    turns += [item.to_dict() for item in answer.output] + [{"role": "user", "content": "And?"}]
    assert whole(client, input=turns, **asked).output_text


def test_an_answer_by_a_schema(client, model):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    form = {"format": {"type": "json_schema", "name": "number", "schema": schema, "strict": True}}
    answer = whole(client, model=model, input=QUESTION, text=form)
    assert isinstance(json.loads(answer.output_text)["n"], int)


@pytest.mark.parametrize("stream", [False, True])
def test_limits_on_the_answer(client, model, stream):
    asked = {"model": model, "input": QUESTION, "max_output_tokens": 16}
    answer = streamed(client, **asked)[-1].response if stream else whole(client, **asked)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")


@pytest.mark.parametrize(
    ("name", "value"), [("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("background", True)]
)
def test_what_lives_at_a_vendor_is_refused_by_name(client, model, name, value):
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=model, input=QUESTION, **{name: value})
    assert caught.value.code == "unsupported_parameter" and f"`{name}`" in caught.value.message


def test_a_tool_of_the_vendors_own_is_refused_or_left_out_by_its_type(client):
    tools = [{"type": "web_search"}]
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="at-anthropic", input=QUESTION, tools=tools)
    assert "web_search" in caught.value.message
    left_out = client.responses.with_raw_response.create(model="at-anthropic-without-tools", input=QUESTION, tools=tools)
    assert "web_search" in left_out.headers["x-wellhead-dropped"] and left_out.parse().output_text


def test_an_interrupted_stream_fails(client):
    """Whichever the SDK does with it, raise or show `response.failed`: it never looks completed."""
    # The header reaches the simulator at targets of OpenAI's family alone.
    model = "at-chat"
    seen, code = [], None
    try:
        asked = {"model": model, "input": QUESTION, "stream": True}
        for event in client.responses.create(extra_headers=fault("reset-after:5"), **asked):
            seen.append(event.type)
    except openai.APIError as caught:
        code = caught.code
    assert "response.completed" not in seen
    assert code or "response.failed" in seen
