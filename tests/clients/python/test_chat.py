"""Chat completions, unstreamed: the answer that an application gets."""

import json

import pytest
from shared import MODEL, QUESTION


def test_answer_has_text_and_usage(client):
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION)

    assert answer.object == "chat.completion"
    assert answer.id
    assert answer.choices[0].message.role == "assistant"
    assert len(answer.choices[0].message.content) > 20
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.completion_tokens > 0


def test_length_limit_is_obeyed(client):
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, max_completion_tokens=3)

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3


def test_several_choices(client):
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, n=2)

    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all(choice.message.content for choice in answer.choices)


def test_conversation_with_every_role(client):
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hello, how can I help?"},
            {"role": "user", "content": [{"type": "text", "text": "Ünïcödé 漢字 🙂 \u0000 and \"quotes\"?"}]},
        ],
    )

    assert answer.choices[0].message.content


def test_unknown_members_reach_the_upstream(client, stack):
    marker = "members-of-the-future"
    extra = {"x_vendor": {"deep": [1, None, {"and": "deeper"}]}}
    client.chat.completions.create(model=MODEL, messages=QUESTION, user=marker, extra_body=extra)

    body = json.loads(stack.upstream_request(marker)["body"])
    assert body["x_vendor"] == extra["x_vendor"]
    assert body["messages"] == QUESTION


def test_large_prompt(client):
    long = "All work and no play. " * 50_000
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": long}])

    assert answer.usage.prompt_tokens > 10_000


def test_legacy_completions(client):
    answer = client.completions.create(model=MODEL, prompt="Once upon a time", max_tokens=8)

    assert answer.object == "text_completion"
    assert answer.choices[0].text
    assert answer.usage.completion_tokens <= 8


@pytest.mark.gateway
def test_a_model_may_have_another_name_upstream(client, stack):
    marker = "asked-under-another-name"
    client.chat.completions.create(model="renamed", messages=QUESTION, user=marker)

    seen = stack.upstream_request(marker)
    assert json.loads(seen["body"])["model"] == "practice"
    assert "renamed" not in seen["body"]


@pytest.mark.gateway
def test_the_clients_key_stays_at_the_gateway(client, stack):
    marker = "whose-key-is-this"
    client.chat.completions.create(model=MODEL, messages=QUESTION, user=marker)

    seen = stack.upstream_request(marker)
    assert stack.key() not in str(seen)
    assert seen["headers"]["authorization"] == "Bearer sk-steady"
