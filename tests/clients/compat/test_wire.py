"""Everything that went over the wire in the cells is what the vendors' own types say it is.

Runs after the cells, by its name. Answers are those of the gateway to its clients, requests those of the gateway to its
targets; both were written down outside of it.
"""

import collections
import json

import pytest
import wire_types

# Of a failure: its end, which has the body.
SHOWN_CHARS = 6000


def judge(things, check):
    """Checks all; fails with each kind of failure once."""
    wrong = collections.Counter()
    for thing in things:
        try:
            check(thing)
        except (AssertionError, ValueError) as problem:
            path = thing.path if hasattr(thing, "path") else thing["path"]
            wrong[f"{path}: {problem}\n{thing}"[-SHOWN_CHARS:]] += 1
    assert not wrong, "\n\n".join(f"{times} times: {what}" for what, times in wrong.most_common(20))


def answer(exchange):
    dialect = wire_types.dialect(exchange.path)
    if exchange.status != 200:
        dialect.error(exchange.body, exchange.status)
    elif exchange.headers["content-type"].startswith("text/event-stream"):
        for name, data in wire_types.events(exchange.body):
            dialect.event(name, data)
    else:
        dialect.whole(exchange.body)


def test_answers_to_clients(world):
    exchanges = world.tee.exchanges()
    if not exchanges:
        pytest.skip("no cell was run")
    judge(exchanges, answer)


def test_requests_to_targets(world):
    world.forget()
    if not world.traffic:
        pytest.skip("no cell was run")
    judge(world.traffic, lambda entry: wire_types.dialect(entry["path"]).request(entry))


@pytest.mark.parametrize("dialect", wire_types.DIALECTS, ids=lambda each: type(each).__name__)
def test_the_judges_judge_answers(dialect):
    """An empty object is nobody's answer."""
    with pytest.raises((AssertionError, ValueError)):
        dialect.whole("{}")


@pytest.mark.parametrize("dialect", wire_types.DIALECTS + wire_types.OF_TARGETS, ids=lambda each: type(each).__name__)
def test_the_judges_judge_requests(dialect):
    """A member that nobody has heard of is nobody's."""
    body = {"model": "m", "messages": [], "contents": [], "frob": 1, "max_tokens": 1}
    entry = {"path": "/model/m/converse", "headers": {"anthropic-version": "2026-10-21"}}
    with pytest.raises((AssertionError, ValueError), match="frob"):
        dialect.request(entry | {"body": json.dumps(body)})
