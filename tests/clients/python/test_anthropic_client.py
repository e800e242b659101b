"""Anthropic's own SDK, at models of every dialect: what it promises holds whoever answers."""

import base64
import struct
import zlib

import anthropic
import pytest
from shared import fault

pytestmark = pytest.mark.gateway

MODELS = ["practice", "at-anthropic", "at-gemini", "at-bedrock"]
QUESTION = [{"role": "user", "content": "What is a wellhead, in two sentences?"}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CLOCK = WEATHER | {"name": "get_time", "description": "The time in a city"}


@pytest.fixture
def claude(stack):
    with anthropic.Anthropic(base_url=stack.gateway_url, api_key=stack.key(), max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def ask(claude, model, **settings):
    return claude.messages.create(**({"model": model, "max_tokens": 500, "messages": QUESTION} | settings))


def pixel():
    """A PNG of one pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) + chunk(b"IEND", b"")


def test_text_and_usage(claude, model):
    answer = ask(claude, model)

    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    (block,) = answer.content
    assert block.type == "text" and len(block.text) > 20
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_the_stream_says_the_same(claude, model):
    whole = ask(claude, model)
    with claude.messages.stream(model=model, max_tokens=500, messages=QUESTION) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    assert text == whole.content[0].text == final.content[0].text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == whole.usage.output_tokens


def test_system_and_several_turns(claude, model):
    turns = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": [{"type": "text", "text": "Hello, how can I help?"}]},
        {"role": "user", "content": [{"type": "text", "text": "Ünïcödé 漢字 🙂 and \"quotes\"?"}]},
    ]
    assert ask(claude, model, system="Be brief.", messages=turns).content[0].text


def test_a_tool_is_called_and_its_result_taken(claude, model):
    turns = [{"role": "user", "content": "Use the tool get_weather for Oslo."}]
    answer = ask(claude, model, messages=turns, tools=[WEATHER])

    assert answer.stop_reason == "tool_use"
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert call.name == "get_weather" and isinstance(call.input["city"], str)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "12 °C, rain"}
    turns += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    after = ask(claude, model, messages=turns, tools=[WEATHER])
    assert after.stop_reason == "end_turn" and after.content[0].text


def test_tools_in_parallel_and_streamed(claude, model):
    turns = [{"role": "user", "content": "Use the tools get_weather and get_time for Oslo."}]
    with claude.messages.stream(model=model, max_tokens=500, messages=turns, tools=[WEATHER, CLOCK]) as stream:
        final = stream.get_final_message()

    calls = [block for block in final.content if block.type == "tool_use"]
    assert {call.name for call in calls} == {"get_weather", "get_time"}
    assert len({call.id for call in calls}) == 2
    assert all(isinstance(call.input["city"], str) for call in calls)


def test_a_tool_is_forced(claude, model):
    choice = {"type": "tool", "name": "get_time"}
    answer = ask(claude, model, tools=[WEATHER, CLOCK], tool_choice=choice)
    assert [block.name for block in answer.content if block.type == "tool_use"] == ["get_time"]


def test_the_limit_on_tokens(claude, model):
    answer = ask(claude, model, max_tokens=3)
    assert answer.stop_reason == "max_tokens" and answer.usage.output_tokens == 3


def test_an_image(claude, model):
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(pixel()).decode()}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    assert ask(claude, model, messages=[{"role": "user", "content": parts}]).content[0].text


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
    ],
)
def test_errors_of_the_upstream(claude, stack, status, error):
    model = stack.spare("fault")
    with pytest.raises(error) as caught:
        ask(claude, model, extra_headers=fault(f"status:{status}"))
    assert caught.value.body["type"] == "error" and caught.value.body["error"]["message"]


def test_errors_of_the_gateway(claude, stack):
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(claude, "nobody")
    assert "nobody" in caught.value.body["error"]["message"]
    assert caught.value.request_id
    stranger = anthropic.Anthropic(base_url=stack.gateway_url, api_key="wh-wrong", max_retries=0)
    with pytest.raises(anthropic.AuthenticationError):
        ask(stranger, "practice")


def test_a_cut_stream_is_an_error_and_no_answer(claude, stack):
    model = stack.spare("fault")
    with pytest.raises(anthropic.APIStatusError), claude.messages.stream(
        model=model, max_tokens=500, messages=QUESTION, extra_headers=fault("cut-after:5")
    ) as stream:
        stream.get_final_message()


def test_a_prompt_is_counted(claude, model):
    counted = claude.messages.count_tokens(model=model, messages=QUESTION, tools=[WEATHER])
    longer = claude.messages.count_tokens(model=model, messages=[{"role": "user", "content": "word " * 500}])
    assert 0 < counted.input_tokens < longer.input_tokens


def test_the_list_of_models(claude):
    """Page by page, as the SDK walks it."""
    models = list(claude.models.list(limit=2))
    ids = [model.id for model in models]
    assert set(MODELS) <= set(ids) and ids == sorted(ids)
    assert {model.type for model in models} == {"model"}
    one = claude.models.retrieve("at-gemini")
    assert (one.id, one.created_at.year) == ("at-gemini", 1970)
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("nobody")
