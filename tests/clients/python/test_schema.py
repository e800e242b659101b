"""Answers that follow a JSON schema, read into typed objects by the SDK."""

import json
from enum import Enum

from pydantic import BaseModel
from shared import MODEL, QUESTION


class Mood(Enum):
    CALM = "calm"
    TENSE = "tense"


class Step(BaseModel):
    title: str
    minutes: int


class Plan(BaseModel):
    """Nested, with a list, an enum and a flag: everything that the schema dialect of the SDK uses."""

    name: str
    mood: Mood
    steps: list[Step]
    score: float
    done: bool


def test_parse(client):
    answer = client.chat.completions.parse(model=MODEL, messages=QUESTION, response_format=Plan)

    plan = answer.choices[0].message.parsed
    assert isinstance(plan, Plan)
    assert isinstance(plan.mood, Mood)
    assert all(isinstance(step, Step) for step in plan.steps)


def test_parse_streamed(client):
    with client.chat.completions.stream(model=MODEL, messages=QUESTION, response_format=Plan) as stream:
        final = stream.get_final_completion()

    assert isinstance(final.choices[0].message.parsed, Plan)


def test_parse_with_responses(client):
    answer = client.responses.parse(model=MODEL, input="A plan, please.", text_format=Plan)

    assert isinstance(answer.output_parsed, Plan)


def test_json_object(client):
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Answer in JSON."}],
        response_format={"type": "json_object"},
    )

    assert isinstance(json.loads(answer.choices[0].message.content), dict)
