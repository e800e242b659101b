"""The Bedrock dialect's goldens and random conversations, held against Amazon's own model of the operation."""

import json
import os
from pathlib import Path

import pytest
from bedrock_model import faults

ROOT = Path(__file__).parents[3]
DATA = ROOT / "crates" / "wellhead-wire" / "src" / "bedrock" / "tests" / "data"

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
@pytest.mark.parametrize("name", ["from_chat.json", "from_anthropic.json", "from_gemini.json"])
def test_what_clients_of_other_dialects_ask(name, operation):
    told = json.loads((DATA / name).read_text())
    assert len(told) == 5
    for each in told:
        assert faults(each["body"], operation) == [], each["model"]


def test_every_field():
    assert faults(json.loads((DATA / "full_request.json").read_text())) == []


def test_random_conversations():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    written = target / "bedrock_conversations.json"
    assert written.exists(), "written by: cargo nextest run -p wellhead-wire conversations_for_the_judge"
    bodies = json.loads(written.read_text())
    assert len(bodies) >= 150
    wrong = {number: found for number, body in enumerate(bodies) if (found := faults(body, "ConverseStream"))}
    assert wrong == {}


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "tool", "content": []}]},
        {"messages": [{"role": "user", "content": [{"text": "a", "image": {}}]}]},
        {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "ö", "content": []}}]}]},
        {"toolConfig": {"tools": [], "toolChoice": {"none": {}}}},
        {"newlyInvented": 1},
    ],
)
def test_the_judge_finds_faults(change):
    assert faults(json.loads((DATA / "full_request.json").read_text()) | change) != []
