"""The Gemini dialect's goldens, held against the types of Google's own SDK: every member has to be one that it knows."""

import json
import re
from pathlib import Path
from typing import get_args

import pydantic
import pytest
from google.genai import types

DATA = Path(__file__).parents[3] / "crates" / "wellhead-wire" / "src" / "gemini" / "tests" / "data"

pytestmark = pytest.mark.gateway


def load(name):
    return json.loads((DATA / name).read_text())


def models(annotation):
    """The classes within `Optional[list[...]]` and its like."""
    inner = get_args(annotation)
    if not inner:
        return [annotation] if isinstance(annotation, type) else []
    return [model for each in inner for model in models(each)]


def unknown(model, value, path=""):
    """Members that the SDK has no place for."""
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in unknown(model, item, f"{path}[{at}]")]
    if not isinstance(value, dict) or not issubclass(model, pydantic.BaseModel):
        return []
    fields = {re.sub(r"_(.)", lambda m: m.group(1).upper(), name): field for name, field in model.model_fields.items()}
    found = []
    for name, inner in value.items():
        if name not in fields:
            found.append(f"{path}.{name}")
            continue
        for known in models(fields[name].annotation):
            found += unknown(known, inner, f"{path}.{name}")
    return found


def check(model, value):
    assert unknown(model, value) == []
    return model.model_validate_json(json.dumps(value))


def events():
    text = (DATA / "told_stream.sse").read_bytes().decode()
    assert text.endswith("\r\n\r\n")
    return [json.loads(event.removeprefix("data: ")) for event in text.removesuffix("\r\n\r\n").split("\r\n\r\n")]


@pytest.mark.parametrize("name", ["full_answer.json", "told_answer.json"])
def test_answers(name):
    answer = check(types.GenerateContentResponse, load(name))

    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.total_token_count == 157
    assert [call.name for call in answer.function_calls] == ["get_weather", "get_time"]


def test_stream():
    chunks = [check(types.GenerateContentResponse, chunk) for chunk in events()]

    assert all(candidate.content.parts for chunk in chunks for candidate in chunk.candidates or [])
    assert [candidate.finish_reason.name for candidate in chunks[-1].candidates] == ["STOP", "MAX_TOKENS"]
    assert chunks[-1].usage_metadata.total_token_count == 36


def test_list_says_what_the_events_say():
    assert load("told_stream_list.json") == events()


def test_request():
    body = load("full_request.json")
    # A model's settings that the SDK sends without having them among the types of a body.
    body["generationConfig"].pop("imageConfig")
    for name, model in {
        "contents": types.Content,
        "systemInstruction": types.Content,
        "tools": types.Tool,
        "toolConfig": types.ToolConfig,
        "generationConfig": types.GenerationConfig,
        "safetySettings": types.SafetySetting,
    }.items():
        for value in body[name] if isinstance(body[name], list) else [body[name]]:
            check(model, value)


def test_error():
    error = load("told_error.json")

    # The SDK looks for the member at the beginning of a chunk.
    assert json.dumps(error).startswith('{"error":')
    assert error["error"]["code"] == 429
    assert error["error"]["status"] == "RESOURCE_EXHAUSTED"
