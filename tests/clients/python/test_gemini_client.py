"""Google's own SDK, at models of every dialect: what it promises holds whoever answers."""

import json

import pytest
from google import genai
from google.genai import errors, types
from shared import fault
from stack import fetch

pytestmark = pytest.mark.gateway

MODELS = ["practice", "at-anthropic", "at-gemini", "at-bedrock"]
QUESTION = "What is a wellhead, in two sentences?"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name=name, description=f"The {what} in a city", parameters_json_schema=CITY)
        for name, what in [("get_weather", "weather"), ("get_time", "time")]
    ]
)


@pytest.fixture
def gemini(stack):
    return genai.Client(api_key=stack.key(), http_options=types.HttpOptions(base_url=stack.gateway_url, timeout=30_000))


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def test_text_and_usage(gemini, model):
    answer = gemini.models.generate_content(model=model, contents=QUESTION)

    assert len(answer.text) > 20
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage.prompt_token_count > 0 and usage.candidates_token_count > 0


def test_the_stream_says_the_same(gemini, model):
    whole = gemini.models.generate_content(model=model, contents=QUESTION)
    chunks = list(gemini.models.generate_content_stream(model=model, contents=QUESTION))

    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_system_and_several_turns(gemini, model):
    chat = gemini.chats.create(model=model, config=types.GenerateContentConfig(system_instruction="Be brief."))
    assert chat.send_message("Hello.").text
    assert chat.send_message("Ünïcödé 漢字 🙂 and \"quotes\"?").text


def test_a_tool_is_called_and_its_result_taken(gemini, model):
    config = types.GenerateContentConfig(
        tools=[TOOLS], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    question = types.Content(role="user", parts=[types.Part(text="Use the tool get_weather for Oslo.")])
    answer = gemini.models.generate_content(model=model, contents=[question], config=config)
    (call,) = answer.function_calls
    assert call.name == "get_weather" and isinstance(call.args["city"], str)
    part = types.Part(
        function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "12 °C, rain"})
    )
    turns = [question, answer.candidates[0].content, types.Content(role="user", parts=[part])]
    assert gemini.models.generate_content(model=model, contents=turns, config=config).text


def test_an_answer_by_a_schema(gemini, model):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=CITY)
    answer = gemini.models.generate_content(model=model, contents=QUESTION, config=config)
    assert isinstance(json.loads(answer.text)["city"], str)


def test_the_limit_on_tokens(gemini, model):
    config = types.GenerateContentConfig(max_output_tokens=3)
    answer = gemini.models.generate_content(model=model, contents=QUESTION, config=config)
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_errors_are_its_own(gemini, stack):
    with pytest.raises(errors.ClientError) as caught:
        gemini.models.generate_content(model="nobody", contents=QUESTION)
    assert caught.value.code == 404 and "nobody" in caught.value.message
    config = types.GenerateContentConfig(http_options=types.HttpOptions(headers=fault("status:500")))
    with pytest.raises(errors.ServerError):
        gemini.models.generate_content(model=stack.spare("fault"), contents=QUESTION, config=config)


def in_query(stack):
    """The key where the SDK never puts it and plain HTTP clients often do."""
    return lambda path: f"{stack.gateway_url}/v1beta/{path}key={stack.key()}"


def test_a_prompt_is_counted(gemini, model):
    counted = gemini.models.count_tokens(model=model, contents=QUESTION)
    longer = gemini.models.count_tokens(model=model, contents="word " * 500)
    assert 0 < counted.total_tokens < longer.total_tokens


def test_a_key_in_the_query(stack, model):
    url = in_query(stack)
    body = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
    counted = json.loads(fetch(url(f"models/{model}:countTokens?"), json.dumps(body).encode()))
    assert counted["totalTokens"] > 0
    events = fetch(url(f"models/{model}:streamGenerateContent?alt=sse&"), json.dumps(body).encode())
    assert events.startswith("data: {") and "finishReason" in events
    assert f"models/{model}" in [listed["name"] for listed in json.loads(fetch(url("models?pageSize=1000&")))["models"]]


def test_the_list_of_models(gemini):
    names = [listed.name for listed in gemini.models.list(config={"page_size": 2})]
    assert {f"models/{name}" for name in MODELS} <= set(names) and names == sorted(names)
    one = gemini.models.get(model="at-anthropic")
    assert one.name == "models/at-anthropic" and "generateContent" in one.supported_actions
    with pytest.raises(errors.ClientError) as error:
        gemini.models.get(model="nobody")
    assert error.value.code == 404


def test_vectors(gemini):
    one = gemini.models.embed_content(model="practice", contents="A wellhead.")
    several = gemini.models.embed_content(model="practice", contents=["A wellhead.", "A pump."])
    assert len(one.embeddings) == 1 and len(several.embeddings) == 2
    assert one.embeddings[0].values == several.embeddings[0].values != several.embeddings[1].values
    small = gemini.models.embed_content(model="practice", contents="A wellhead.", config={"output_dimensionality": 16})
    assert len(small.embeddings[0].values) == 16
    with pytest.raises(errors.ClientError) as error:
        gemini.models.embed_content(model="practice", contents="x", config={"task_type": "RETRIEVAL_QUERY"})
    assert "taskType" in error.value.message
