"""The reference pages tell what the program does: names are compared both ways."""

import re
from pathlib import Path

import pytest
from openai import APIStatusError
from shared import MODEL, QUESTION
from stack import eventually, fetch

pytestmark = pytest.mark.gateway

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


def documented(page, pattern):
    """The names in the first column of a page's tables."""
    first_cells = re.findall(r"^\| ([^|]*)\|", (REFERENCE / page).read_text(), re.MULTILINE)
    return {name for cell in first_cells for name in re.findall(pattern, cell)}


def test_every_metric_is_documented_and_exists(client, stack):
    model = "practice"
    list(client.chat.completions.create(model=model, messages=QUESTION, stream=True))
    eventually(lambda: stack.gateway_requests(model), "the request in the metrics")

    exposed = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", fetch(f"{stack.facts['admin_url']}/metrics"), re.MULTILINE):
        exposed.add(name + {"counter": "_total", "info": "_info"}.get(kind, ""))
    assert documented("metrics.md", r"`([a-z_]+)`") == exposed


def test_gateway_headers_are_documented(client, stack):
    """Every header of ours on a good and on a bad answer is in the table."""
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION)
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(model=stack.spare("down"), messages=QUESTION)
    seen = {name.lower() for headers in (raw.headers, caught.value.response.headers) for name in headers}

    always = {"x-request-id", "request-id", "x-should-retry"}
    ours = {name for name in seen if name.startswith("x-wellhead-")} | always
    assert ours <= seen
    assert ours <= documented("headers.md", r"`([a-z-]+)`")
