"""Which of the SDKs' types judges what: answers and events for clients, requests for targets."""

import datetime
import inspect
import json
import re
import typing

import anthropic
import bedrock_model
import pydantic
from cohere.v2.client import V2Client
from google.genai import types as google
from openai.types import responses as openai_responses
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from openai.types.shared import ErrorObject
from strict import check_answer, check_request

# OpenAI has no member for thoughts in chat completions; this is the one that everybody else has settled on, and
# `thinking_blocks` is how proofs of thoughts travel with them.
CHAT_ALLOWED = (".reasoning_content", ".reasoning_details")
# What the gateway says besides in errors (docs/reference/errors.md).
ERROR_ALLOWED = (".cause", ".source", ".request_id", ".route", ".attempts", ".retry_after_s", ".doc", ".status",
                 ".error.details")

ANTHROPIC_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    422: "invalid_request_error", 429: "rate_limit_error", 500: "api_error", 503: "api_error",
    529: "overloaded_error",
}
GOOGLE_KINDS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}


def events(body):
    """The events of a stream as (name, data). Whatever the last one lacks is left out: the client had gone."""
    for event in re.split(rb"\r?\n\r?\n", body)[:-1]:
        fields = [line.partition(b": ") for line in re.split(rb"\r?\n", event) if not line.startswith(b":")]
        named = dict((name.decode(), value.decode()) for name, _, value in fields)
        if "data" in named:
            yield named.get("event"), named["data"]


def is_own(entry, sdk):
    """Whether these are the client's own bytes, passed on as they came: what it writes there is its own affair."""
    return entry["headers"].get("user-agent", "").startswith(sdk)


class OpenAIChat:
    PATH = re.compile(r"^/v1/chat/completions$")

    def whole(self, text):
        check_answer(ChatCompletion, text, CHAT_ALLOWED)

    def event(self, name, data):
        assert name is None
        if data == "[DONE]":
            return
        if data.startswith('{"error"'):
            return self.error(data, None)
        check_answer(ChatCompletionChunk, data, CHAT_ALLOWED)

    def error(self, text, status):
        body = json.loads(text)
        assert list(body) == ["error"]
        check_answer(ErrorObject, json.dumps(body["error"]), ERROR_ALLOWED)

    def request(self, entry):
        if is_own(entry, "OpenAI/"):
            return
        body = json.loads(entry["body"])
        for message in body["messages"]:
            if message["role"] == "tool":
                # Hosts of the family want to know whose result it is; the vendor takes it without having it in its types.
                message.pop("name", None)
        kind = CompletionCreateParamsStreaming if body.get("stream") else CompletionCreateParamsNonStreaming
        check_request(kind, json.dumps(body))


EVENTS = typing.get_args(typing.get_args(openai_responses.ResponseStreamEvent)[0])


class OpenAIResponses(OpenAIChat):
    PATH = re.compile(r"^/v1/responses$")

    # The vendor sends these, and the SDK's types have forgotten them.
    ALLOWED = (".store", ".name")

    def whole(self, text):
        check_answer(openai_responses.Response, text, self.ALLOWED)

    def event(self, name, data):
        assert name == json.loads(data)["type"]
        # A union of 60 types says nothing that could be read: the one that is meant does.
        (kind,) = [kind for kind in EVENTS if kind.model_fields["type"].annotation == typing.Literal[name]]
        allowed = (".error",) if name == "error" else self.ALLOWED
        # The code says what happened in the gateway's own words, where the vendor has a closed list.
        data = data.replace('"code":"upstream_stream_interrupted"', '"code":"server_error"')
        check_answer(kind, data, allowed)

    def request(self, entry):
        if is_own(entry, "OpenAI/"):
            return
        streamed = json.loads(entry["body"]).get("stream")
        kind = ResponseCreateParamsStreaming if streamed else ResponseCreateParamsNonStreaming
        check_request(kind, entry["body"])


class Anthropic:
    PATH = re.compile(r"^/v1/messages$")

    def whole(self, text):
        check_answer(anthropic.types.Message, text)

    def event(self, name, data):
        assert name == json.loads(data)["type"]
        if name == "error":
            return self.error(data, None)
        if name != "ping":
            check_answer(anthropic.types.RawMessageStreamEvent, data)

    def error(self, text, status):
        body = check_answer(anthropic.types.ErrorResponse, text, ERROR_ALLOWED)
        if status:
            assert body.error.type == ANTHROPIC_KINDS[status], (status, text)

    def request(self, entry):
        if is_own(entry, "Anthropic/"):
            return
        body = json.loads(entry["body"])
        if entry["headers"]["anthropic-version"] == "2023-06-01":
            # This version has them; the SDK's types are of the next one, which refuses them.
            for name in ("temperature", "top_p", "top_k"):
                body.pop(name, None)
        streamed = body.get("stream")
        params = anthropic.types.message_create_params
        kind = params.MessageCreateParamsStreaming if streamed else params.MessageCreateParamsNonStreaming
        check_request(kind, json.dumps(body))


class GoogleRequest(pydantic.BaseModel):
    """A body of generateContent. The SDK has types for its members and none for the whole."""

    model_config = pydantic.ConfigDict(extra="forbid")

    contents: list[google.Content]
    systemInstruction: google.Content | None = None
    tools: list[google.Tool] | None = None
    toolConfig: google.ToolConfig | None = None
    generationConfig: google.GenerationConfig | None = None
    safetySettings: list[google.SafetySetting] | None = None


class GoogleStatus(pydantic.BaseModel):
    """`google.rpc.Status`, as the APIs write it in JSON."""

    model_config = pydantic.ConfigDict(extra="forbid")

    code: int
    message: str
    status: str
    details: list[dict] = []


class Google:
    PATH = re.compile(r"/models/[^/]+:(stream)?[gG]enerateContent(\?.*)?$")

    def whole(self, text):
        value = json.loads(text)
        # The SDK's type wants a datetime, which JSON has not.
        if created := value.pop("createTime", None):
            datetime.datetime.fromisoformat(created)
        # The types take names with underscores as well; on the wire they are errors.
        google.GenerateContentResponse.model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
        assert value.get("candidates") or value.get("usageMetadata") or value.get("promptFeedback")

    def event(self, name, data):
        assert name is None
        return self.error(data, None) if data.startswith('{"error"') else self.whole(data)

    def error(self, text, status):
        body = json.loads(text)
        assert list(body) == ["error"]
        told = GoogleStatus.model_validate_json(json.dumps(body["error"]), strict=True)
        if status:
            assert (told.code, told.status) == (status, GOOGLE_KINDS[status])

    def request(self, entry):
        if is_own(entry, "google-genai-sdk/"):
            return
        GoogleRequest.model_validate_json(entry["body"], strict=True, by_alias=True, by_name=False)


class Bedrock:
    PATH = re.compile(r"^/model/[^/]+/converse(-stream)?$")

    def request(self, entry):
        operation = "ConverseStream" if entry["path"].endswith("-stream") else "Converse"
        found = bedrock_model.faults(json.loads(entry["body"]), operation)
        assert not found, found


class Cohere:
    PATH = re.compile(r"^/v2/chat$")

    def request(self, entry):
        """The SDK has no type for the whole: its method's parameters are the members."""
        body = json.loads(entry["body"])
        # Which of two methods is called says it there.
        assert isinstance(body.pop("stream", False), bool)
        known = inspect.signature(V2Client.chat, eval_str=True).parameters
        more = sorted(set(body) - set(known))
        assert not more, f"no parameters: {more}"
        for name, value in body.items():
            check_answer(known[name].annotation, json.dumps(value))


class OfOllama(pydantic.BaseModel):
    """The vendor has no types for Python among the requirements: these are written by hand, and know nothing else."""

    model_config = pydantic.ConfigDict(extra="forbid")


class OllamaFunction(OfOllama):
    name: str
    description: str | None = None
    parameters: dict


class OllamaTool(OfOllama):
    type: typing.Literal["function"]
    function: OllamaFunction


class OllamaCalled(OfOllama):
    index: int | None = None
    name: str
    arguments: dict


class OllamaCall(OfOllama):
    id: str | None = None
    function: OllamaCalled


class OllamaMessage(OfOllama):
    role: typing.Literal["system", "user", "assistant", "tool"]
    content: str
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[OllamaCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class OllamaOptions(OfOllama):
    num_ctx: int | None = None
    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    stop: list[str] | None = None


class OllamaRequest(OfOllama):
    model: str
    messages: list[OllamaMessage]
    tools: list[OllamaTool] | None = None
    format: typing.Literal["json"] | dict | None = None
    options: OllamaOptions | None = None
    think: bool | typing.Literal["low", "medium", "high"] | None = None
    stream: bool
    keep_alive: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class Ollama:
    PATH = re.compile(r"^/api/chat$")

    def request(self, entry):
        OllamaRequest.model_validate_json(entry["body"], strict=True)


DIALECTS = (OpenAIChat(), OpenAIResponses(), Anthropic(), Google())
# Those that only targets speak here.
OF_TARGETS = (Bedrock(), Cohere(), Ollama())


def dialect(path):
    """Whose types judge what goes over this path."""
    (found,) = [each for each in DIALECTS + OF_TARGETS if each.PATH.search(path)]
    return found
