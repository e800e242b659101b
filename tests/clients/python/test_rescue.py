"""The application gets its answer although the first target cannot give it."""

import pytest
from shared import QUESTION, text_of

pytestmark = pytest.mark.gateway


def test_the_next_tier_answers(client, stack):
    raw = client.chat.completions.with_raw_response.create(model=stack.spare("rescue"), messages=QUESTION)

    assert raw.parse().choices[0].message.content
    assert raw.headers["x-wellhead-survival"] == "failed-over"
    assert raw.headers["x-wellhead-target"] == "steady/practice"
    assert raw.headers["x-wellhead-attempts"] == "2"


def test_a_stream_is_rescued_before_its_first_token(client, stack):
    whole = client.chat.completions.create(model="practice", messages=QUESTION)
    chunks = list(client.chat.completions.create(model=stack.spare("rescue"), messages=QUESTION, stream=True))

    assert text_of(chunks) == whole.choices[0].message.content


def test_a_dead_target_keeps_being_survived(client, stack):
    model = stack.spare("rescue")
    for _ in range(5):
        raw = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION)
        assert raw.headers["x-wellhead-target"] == "steady/practice"
