"""The Responses API, streamed and not."""

import json

import pytest
from openai import APIError
from shared import MODEL, fault

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def test_answer(client):
    answer = client.responses.create(model=MODEL, input="What is a wellhead?", instructions="Be brief.")

    assert answer.status == "completed"
    assert answer.output_text
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_stream_in_order(client):
    whole = client.responses.create(model=MODEL, input="What is a wellhead?", temperature=0)
    events = list(client.responses.create(model=MODEL, input="What is a wellhead?", temperature=0, stream=True))

    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text == events[-1].response.output_text
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    assert events[-1].response.usage.output_tokens > 0


def test_stream_helper(client):
    with client.responses.stream(model=MODEL, input="What is a wellhead?") as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()

    assert final.output_text


@pytest.mark.parametrize("streamed", [False, True])
def test_function_call_and_its_result(client, streamed):
    question = [{"role": "user", "content": "Use the tool get_weather for Oslo."}]
    if streamed:
        with client.responses.stream(model=MODEL, input=question, tools=[TOOL]) as stream:
            kinds = {event.type for event in stream}
            first = stream.get_final_response()
        assert "response.function_call_arguments.done" in kinds
    else:
        first = client.responses.create(model=MODEL, input=question, tools=[TOOL])
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert json.loads(call.arguments)["city"]

    asked = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "7 degrees"}
    second = client.responses.create(model=MODEL, input=[*question, asked, result], tools=[TOOL])
    assert second.output_text


@pytest.mark.gateway
def test_an_interrupted_stream_fails(client, stack):
    """Whichever the SDK does with the frame, raise or show `response.failed`: it never looks completed."""
    seen, error = [], None
    try:
        stream = client.responses.create(
            model=stack.spare("fault"),
            input="What is a wellhead?",
            stream=True,
            extra_headers=fault("reset-after:5"),
        )
        for event in stream:
            seen.append(event)
    except APIError as caught:
        error = caught

    assert "response.completed" not in [event.type for event in seen]
    codes = [event.response.error.code for event in seen if event.type == "response.failed"]
    codes += [event.code for event in seen if event.type == "error"]
    codes += [error.code] if error else []
    assert "upstream_stream_interrupted" in codes
