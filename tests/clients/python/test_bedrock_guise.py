"""boto3 at the simulator: what it says in Bedrock's dialect is what Amazon's own SDK understands. So the gateway, which
reads the same, is not tested against a misunderstanding of its own."""

import json

import boto3
import pytest
from bedrock_model import faults
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

pytestmark = pytest.mark.gateway

MODEL = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
QUESTION = [{"role": "user", "content": [{"text": "What is a wellhead, in two sentences?"}]}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {
    "tools": [
        {"toolSpec": {"name": name, "description": f"The {what} in a city", "inputSchema": {"json": SCHEMA}}}
        for name, what in [("get_weather", "weather"), ("get_time", "time")]
    ]
}


@pytest.fixture
def bedrock(stack):
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=stack.facts["sims"]["steady"],
        region_name="eu-central-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )


def ask(bedrock, fault=None, **request):
    """One answer, whole."""
    model = f"{MODEL}+{fault}" if fault else MODEL
    return bedrock.converse(modelId=model, **({"messages": QUESTION} | request))


def stream(bedrock, fault=None, **request):
    """The events of a stream."""
    model = f"{MODEL}+{fault}" if fault else MODEL
    return bedrock.converse_stream(modelId=model, **({"messages": QUESTION} | request))["stream"]


def said(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def test_text_and_usage(bedrock):
    answer = ask(bedrock, system=[{"text": "Be brief."}], inferenceConfig={"maxTokens": 500})

    assert answer["stopReason"] == "end_turn" and len(said(answer)) > 20
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0


def test_the_stream_says_the_same(bedrock):
    events = list(stream(bedrock))

    names = [name for event in events for name in event]
    assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"]
    deltas = [event["contentBlockDelta"]["delta"].get("text", "") for event in events if "contentBlockDelta" in event]
    assert "".join(deltas) == said(ask(bedrock))
    assert events[-1]["metadata"]["usage"] == ask(bedrock)["usage"]


def test_tools_and_their_results(bedrock):
    turns = [{"role": "user", "content": [{"text": "Use the tools get_weather and get_time for Oslo."}]}]
    answer = ask(bedrock, messages=turns, toolConfig=TOOLS)
    assert answer["stopReason"] == "tool_use"
    message = answer["output"]["message"]
    calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
    assert {call["name"] for call in calls} == {"get_weather", "get_time"}
    results = [{"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "12"}]}} for call in calls]
    after = ask(bedrock, messages=[*turns, message, {"role": "user", "content": results}], toolConfig=TOOLS)
    assert said(after)


def test_tools_in_a_stream(bedrock):
    turns = [{"role": "user", "content": [{"text": "Use the tools get_weather and get_time for Oslo."}]}]
    inputs, names = {}, {}
    for event in stream(bedrock, messages=turns, toolConfig=TOOLS):
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            names[start["contentBlockIndex"]] = start["start"]["toolUse"]["name"]
        delta = event.get("contentBlockDelta", {"delta": {}})
        if "toolUse" in delta["delta"]:
            index = delta["contentBlockIndex"]
            inputs[index] = inputs.get(index, "") + delta["delta"]["toolUse"]["input"]
    assert set(names.values()) == {"get_weather", "get_time"}
    assert all(json.loads(inputs[index])["city"] for index in names)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ],
)
def test_errors_are_exceptions(bedrock, status, code):
    for call in (ask, stream):
        with pytest.raises(ClientError) as caught:
            call(bedrock, fault=f"status-{status}")
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["Error"]["Message"]
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert type(caught.value).__name__ == code


def test_an_error_in_a_stream_is_an_exception(bedrock):
    events = stream(bedrock, fault="error-mid-stream-3")
    with pytest.raises(EventStreamError):
        list(events)


def test_a_stream_that_is_cut_has_no_end(bedrock):
    names = []
    with pytest.raises(ProtocolError):
        for event in stream(bedrock, fault="cut-after-3"):
            names += event
    assert names.count("contentBlockDelta") == 3 and "messageStop" not in names


def test_what_the_gateway_asks_is_what_amazon_takes(stack, client):
    """Every body that this run's clients had the gateway send."""
    client.chat.completions.create(model="at-bedrock", messages=[{"role": "user", "content": "Hello."}])
    asked = [entry for entry in stack.upstream_requests("steady") if entry["path"].startswith("/model/practice/")]
    bodies = [(entry["path"], json.loads(entry["body"])) for entry in asked]
    assert bodies
    for path, body in bodies:
        operation = "ConverseStream" if path.endswith("-stream") else "Converse"
        assert faults(body, operation) == [], body
