"""Tool calls: one, several, streamed, forced, and the way back with the results."""

import json

from shared import CLOCK, MODEL, WEATHER

ASK_ONE = [{"role": "user", "content": "Use the tool get_weather for Oslo."}]
ASK_TWO = [{"role": "user", "content": "Use the tools get_weather and get_time for Oslo."}]


def check_arguments(call, tool):
    """The arguments are JSON with what the tool requires."""
    arguments = json.loads(call.arguments)
    assert set(tool["function"]["parameters"]["required"]) <= set(arguments)
    assert isinstance(arguments["city"], str)


def streamed_calls(chunks):
    """Puts the fragments of streamed calls together, as applications do: by index."""
    calls, reason = {}, None
    for chunk in chunks:
        if not chunk.choices:
            continue
        reason = chunk.choices[0].finish_reason or reason
        for part in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(part.index, {"id": None, "name": "", "arguments": "", "fragments": 0})
            call["id"] = part.id or call["id"]
            call["name"] += part.function.name or ""
            call["arguments"] += part.function.arguments or ""
            call["fragments"] += 1
    return calls, reason


def test_one_call(client):
    answer = client.chat.completions.create(model=MODEL, messages=ASK_ONE, tools=[WEATHER])

    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = answer.choices[0].message.tool_calls
    assert call.id and call.type == "function"
    assert call.function.name == "get_weather"
    check_arguments(call.function, WEATHER)


def test_forced_call(client):
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Good morning."}],
        tools=[WEATHER, CLOCK],
        tool_choice={"type": "function", "function": {"name": "get_time"}},
    )

    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "get_time"


def test_no_call_when_forbidden(client):
    answer = client.chat.completions.create(model=MODEL, messages=ASK_ONE, tools=[WEATHER], tool_choice="none")

    assert not answer.choices[0].message.tool_calls
    assert answer.choices[0].message.content


def test_parallel_calls(client):
    answer = client.chat.completions.create(model=MODEL, messages=ASK_TWO, tools=[WEATHER, CLOCK])

    calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert len({call.id for call in calls}) == 2


def test_streamed_call_equals_unstreamed(client):
    whole = client.chat.completions.create(model=MODEL, messages=ASK_ONE, tools=[WEATHER], temperature=0)
    calls, reason = streamed_calls(
        client.chat.completions.create(model=MODEL, messages=ASK_ONE, tools=[WEATHER], temperature=0, stream=True)
    )

    expected = whole.choices[0].message.tool_calls[0].function
    assert reason == "tool_calls"
    assert (calls[0]["name"], calls[0]["arguments"]) == (expected.name, expected.arguments)
    assert calls[0]["id"]
    assert calls[0]["fragments"] > 1


def test_streamed_parallel_calls(client):
    calls, reason = streamed_calls(
        client.chat.completions.create(model=MODEL, messages=ASK_TWO, tools=[WEATHER, CLOCK], stream=True)
    )

    assert reason == "tool_calls"
    assert [calls[index]["name"] for index in sorted(calls)] == ["get_weather", "get_time"]
    assert all(json.loads(call["arguments"])["city"] for call in calls.values())


def test_round_trip(client):
    first = client.chat.completions.create(model=MODEL, messages=ASK_TWO, tools=[WEATHER, CLOCK])
    message = first.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"tool": call.function.name, "value": 7})}
        for call in message.tool_calls
    ]
    second = client.chat.completions.create(
        model=MODEL, messages=[*ASK_TWO, message, *results], tools=[WEATHER, CLOCK]
    )

    assert second.choices[0].finish_reason == "stop"
    assert second.choices[0].message.content
    assert not second.choices[0].message.tool_calls
