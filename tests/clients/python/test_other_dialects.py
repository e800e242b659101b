"""OpenAI's SDK at targets that speak other dialects."""

import json

import openai
import pytest
from shared import CLOCK, QUESTION, WEATHER, text_of

pytestmark = pytest.mark.gateway


@pytest.fixture(params=["at-anthropic", "at-gemini", "at-bedrock", "at-cohere", "at-ollama"])
def model(request):
    return request.param


def test_text_and_usage(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION)

    assert answer.object == "chat.completion" and answer.choices[0].finish_reason == "stop"
    assert len(answer.choices[0].message.content) > 20
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_the_stream_says_the_same(client, model):
    whole = client.chat.completions.create(model=model, messages=QUESTION)
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True, stream_options=options))

    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    unasked = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in unasked)


def test_tools_and_their_results(client, model):
    turns = [{"role": "user", "content": "Use the tools get_weather and get_time for Oslo."}]
    answer = client.chat.completions.create(model=model, messages=turns, tools=[WEATHER, CLOCK])

    assert answer.choices[0].finish_reason == "tool_calls"
    message = answer.choices[0].message
    assert {call.function.name for call in message.tool_calls} == {"get_weather", "get_time"}
    assert all(json.loads(call.function.arguments)["city"] for call in message.tool_calls)
    turns.append(message.model_dump(exclude_none=True))
    turns += [{"role": "tool", "tool_call_id": call.id, "content": "12"} for call in message.tool_calls]
    after = client.chat.completions.create(model=model, messages=turns, tools=[WEATHER, CLOCK])
    assert after.choices[0].message.content


def test_a_tool_is_forced(client, model):
    choice = {"type": "function", "function": {"name": "get_time"}}
    if model == "at-ollama":
        # Nobody can force its models, and nothing pretends to.
        with pytest.raises(openai.BadRequestError, match="tool_choice"):
            client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER, CLOCK], tool_choice=choice)
        return
    answer = client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER, CLOCK], tool_choice=choice)
    assert [call.function.name for call in answer.choices[0].message.tool_calls] == ["get_time"]


def test_an_answer_by_a_schema(client, model):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "number", "schema": schema, "strict": True}}
    answer = client.chat.completions.create(model=model, messages=QUESTION, response_format=form)
    assert isinstance(json.loads(answer.choices[0].message.content)["n"], int)


def test_limits_on_the_answer(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION, max_completion_tokens=3)
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 3


def test_what_a_dialect_has_no_form_for_is_refused_by_name(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="at-anthropic", messages=QUESTION, logit_bias={"50256": -100})
    assert caught.value.param == "logit_bias" and caught.value.code == "unsupported_parameter"
